//! Contacts and Devices on the wire (`entities.md` 5), and how a sent contact becomes one that can be kept.

use super::{read_address, zone_name};
use crate::shape::{Family, Field, Identity, Shape, Type};
use crate::tree::View;
use crate::value::{Object, Value, id};
use carillon_model::contact::{Contact, Device};
use carillon_model::{ContactId, DeviceType, LineType, limits};

/// Longest Client ID, first name, last name, company.
const SHORT: Type = Type::Text(limits::CONTACT_TEXT_CHARACTERS_MAX);
const OTHER: Type = Type::Text(limits::OTHER_CHARACTERS_MAX);

/// A Device.
pub static DEVICE: Shape = Shape::plain(
    "device",
    "A phone number or e-mail address of a contact, normalised.",
    Family::Top,
    &[
        Field::new("externalId", Type::Address, "The number or address.").must(),
        Field::new("type", Type::Words(DeviceType::TEXTS), "Its kind.")
            .c()
            .or("Mobile or Email, by form"),
    ],
)
.with_attributes(&[
    Field::new("timeZone", Type::Zone, "IANA zone.").c(),
    Field::new("lineType", Type::Words(LineType::TEXTS), "Kind of line.").c(),
    Field::new("name", Type::Text(64), "Device<n>.").c(),
]);

/// A Contact.
pub static CONTACT: Shape = Shape::entity(
    "contact",
    "A person in a List or batch. It never changes in place: a second import of its Client ID makes a new one.",
    Identity::External,
    Field::new("externalId", SHORT, "Client ID, unique in its List.").c().or("row-<n>"),
    &[
        Field::new("list", Type::Entity(&super::list::LIST), "The List that holds it."),
        Field::new("devices", Type::Entity(&DEVICE), "Its devices; their order counts.").whole().many(limits::DEVICES_MAX).c(),
    ],
)
.with_attributes(ATTRIBUTES)
.with_free_attributes();

macro_rules! other {
    ($($name:literal),+) => {
        &[
            Field::new("firstName", SHORT, "Given name.").c(),
            Field::new("lastName", SHORT, "Family name.").c(),
            Field::new("company", SHORT, "Company.").c(),
            $(Field::new($name, OTHER, "Free text.").c(),)+
            Field::new("timeZone", Type::Zone, "IANA zone.").c(),
            Field::new("postalCode", Type::Text(20), "Postal code.").c(),
            Field::new("state", Type::Text(64), "State or province.").c(),
            Field::new("country", Type::Text(64), "Country.").c(),
            Field::new("locale", Type::Text(35), "BCP 47 language tag.").c(),
            Field::new("order", Type::Text(255), "Device order of ContactBased escalation.").c(),
            Field::new("condition", Type::Text(255), "When the next device is tried.").c(),
        ]
    };
}
const ATTRIBUTES: &[Field] = other!(
    "other1", "other2", "other3", "other4", "other5", "other6", "other7", "other8", "other9",
    "other10", "other11", "other12", "other13", "other14", "other15", "other16", "other17",
    "other18", "other19", "other20"
);

/// Reads a contact, relative to a country; it has no id yet. A device that cannot be read is none (M23.17) and left out.
pub fn read(view: View<'_>, country: &str) -> Contact {
    let mut contact = Contact {
        external_id: view
            .text("externalId")
            .unwrap_or_default()
            .trim()
            .to_owned(),
        ..Contact::default()
    };
    for (index, item) in view.items("devices").enumerate() {
        let text = item.text("externalId").unwrap_or_default();
        if let Some(address) = read_address(text, country) {
            contact.devices.push(device(item, index, address));
        }
    }
    for (name, value) in view.attributes("attributes") {
        let value = if name == "timeZone" {
            zone_name(value).unwrap_or_else(|| value.to_owned())
        } else {
            value.to_owned()
        };
        contact.attributes.insert(name.to_owned(), value);
    }
    contact
}

fn device(view: View<'_>, index: usize, address: String) -> Device {
    let by_form = if address.contains('@') {
        DeviceType::Email
    } else {
        DeviceType::Mobile
    };
    let number = view
        .attribute("name")
        .and_then(|name| {
            name.trim()
                .to_ascii_lowercase()
                .strip_prefix("device")?
                .parse::<u8>()
                .ok()
        })
        .filter(|number| (1..=9).contains(number));
    Device {
        address,
        device_type: view
            .text("type")
            .and_then(|word| DeviceType::parse(word.trim()))
            .unwrap_or(by_form),
        number: number.unwrap_or(index as u8 + 1),
        time_zone: view.attribute("timeZone").and_then(zone_name),
        line_type: view
            .attribute("lineType")
            .and_then(|word| LineType::parse(word.trim()))
            .unwrap_or(LineType::Unknown),
    }
}

/// A Contact as (K).
pub fn key(contact: &Contact) -> Object {
    let external = (!contact.external_id.is_empty()).then(|| contact.external_id.clone());
    let known = (contact.id != ContactId(0)).then(|| id(contact.id));
    Object::new(&CONTACT)
        .set("internalId", known)
        .set("externalId", external)
}

/// A Contact as (S): with its devices and names.
pub fn summary(contact: &Contact) -> Object {
    let devices = contact
        .devices
        .iter()
        .map(|device| Value::Object(device_detail(device)))
        .collect();
    key(contact)
        .set("devices", Value::Many(devices))
        .with_attribute("firstName", contact.attribute("firstName"))
        .with_attribute("lastName", contact.attribute("lastName"))
}

/// A Device as (D).
pub fn device_detail(device: &Device) -> Object {
    let line = (device.line_type != LineType::Unknown).then(|| device.line_type.text());
    Object::new(&DEVICE)
        .set("externalId", device.address.clone())
        .set("type", device.device_type.text())
        .with_attribute("lineType", line)
        .with_attribute(
            "name",
            (device.number > 0).then(|| format!("Device{}", device.number)),
        )
        .with_attribute("timeZone", device.time_zone.clone())
}
