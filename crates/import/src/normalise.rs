//! One contact brought into the form in which it is kept: Client ID, devices, attributes. The rows of an import and the
//! contacts of a call go through the same functions, so both doors and every file accept the same things.

use crate::limits::CLIENT_ID_FORMAT_BYTES_MAX;
use crate::{Error, Result};
use carillon_compliance::number::{read_email, read_phone};
use carillon_model::contact::{Contact, Device, known_name};
use carillon_model::entity::Attributes;
use carillon_model::limits::{
    ATTRIBUTE_VALUE_CHARACTERS_MAX, ATTRIBUTES_MAX, CONTACT_TEXT_CHARACTERS_MAX, DEVICES_MAX,
    NAME_CHARACTERS_MAX, OTHER_CHARACTERS_MAX,
};
use carillon_model::org::Settings;
use carillon_model::zone::Zone;
use carillon_model::{ContactId, DeviceType, LineType};
use regex::{Regex, RegexBuilder};

/// What an Account's settings say about its contacts.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The country by which phone numbers without `+` are read.
    pub country: String,
    client_id_format: Option<Regex>,
    /// The character set of imported text that is no UTF-8; none where the Account's has no known name.
    pub(crate) charset: Option<&'static encoding_rs::Encoding>,
}

impl Rules {
    /// Rules of the resolved settings of an Account.
    pub fn of(settings: &Settings) -> Result<Self> {
        let format = settings
            .client_id_format
            .as_deref()
            .filter(|format| !format.is_empty());
        Ok(Self {
            country: settings.country().to_owned(),
            client_id_format: format.map(compile_format).transpose()?,
            charset: crate::charset::fallback(settings.charset.as_deref()),
        })
    }
}

/// A clientIdFormat holds for the whole Client ID.
fn compile_format(format: &str) -> Result<Regex> {
    RegexBuilder::new(&format!("^(?:{format})$"))
        .size_limit(CLIENT_ID_FORMAT_BYTES_MAX)
        .build()
        .map_err(|error| Error::ClientIdFormat(error.to_string()))
}

/// What is wrong with a value. The groups are the rows of `api.md` 2.2 that a call answers for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Too long (row SV).
    #[error("longer than {0} characters")]
    TooLong(usize),
    /// Holds a control character (row C).
    #[error("holds a control character")]
    Character,
    /// No phone number of any country, or none of the Account's (row F).
    #[error("not a phone number")]
    Phone,
    /// No e-mail address (row F).
    #[error("not an e-mail address")]
    Email,
    /// No zone of the tz database (row F).
    #[error("not an IANA time zone")]
    TimeZone,
    /// The Account wants other Client IDs (row DV).
    #[error("does not match the Account's clientIdFormat")]
    ClientIdFormat,
    /// No list of device names (row DV).
    #[error("not device names (Device1 … Device9), each once")]
    Order,
    /// No list of condition words (row DV).
    #[error("not among NoAnswer, HangupMachine, BadNumber, Busy, Machine")]
    Condition,
    /// No name an attribute may have (row DV).
    #[error("not an attribute name (1 … 64 letters, digits, '.', '_', '-')")]
    AttributeName,
    /// No Device1 … Device9, or one that is taken (row DV).
    #[error("not a free device name (Device1 … Device9)")]
    DeviceName,
    /// An address twice (row DV).
    #[error("the same device again")]
    DeviceAgain,
    /// An e-mail address called a phone, or the other way round (row DR).
    #[error("the type does not fit the address")]
    DeviceType,
    /// Too many devices or attributes (row DV).
    #[error("more than {0}")]
    TooMany(usize),
}

/// A problem and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field: `externalId`, `devices` or an attribute's name.
    pub field: String,
    /// The index of the device, when it is one.
    pub device: Option<usize>,
    /// What is wrong.
    pub problem: Problem,
}

/// A contact as a caller sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawContact {
    /// Client ID; "" = none.
    pub client_id: String,
    /// Devices in order.
    pub devices: Vec<RawDevice>,
    /// Attributes by name, in any case.
    pub attributes: Attributes,
}

/// A device as a caller sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawDevice {
    /// Phone or e-mail address.
    pub address: String,
    /// By form when it is not told.
    pub device_type: Option<DeviceType>,
    /// `Device<n>`; else the first free number.
    pub name: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// Line type.
    pub line_type: Option<LineType>,
}

/// Brings a contact into the form in which it is kept. Its id and container are set when it is put.
pub fn contact(raw: RawContact, rules: &Rules) -> std::result::Result<Contact, Fault> {
    let at = |field: &str| {
        let field = field.to_owned();
        move |problem| Fault {
            field,
            device: None,
            problem,
        }
    };
    let external_id = client_id(&raw.client_id, rules).map_err(at("externalId"))?;
    let devices = devices(&raw.devices, rules)?;
    if raw.attributes.len() > ATTRIBUTES_MAX {
        return Err(at("attributes")(Problem::TooMany(ATTRIBUTES_MAX)));
    }
    let mut attributes = Attributes::new();
    for (name, value) in &raw.attributes {
        let name = attribute_name(name).map_err(at(name))?;
        let kind = AttributeKind::of(&name);
        if let Some(value) = attribute(kind, value).map_err(at(&name))? {
            attributes.insert(name, value);
        }
    }
    Ok(Contact {
        id: ContactId(0),
        container: 0,
        external_id,
        devices,
        attributes,
    })
}

fn devices(raw: &[RawDevice], rules: &Rules) -> std::result::Result<Vec<Device>, Fault> {
    let at = |index: usize, problem| Fault {
        field: "devices".to_owned(),
        device: Some(index),
        problem,
    };
    if raw.len() > DEVICES_MAX {
        return Err(at(DEVICES_MAX, Problem::TooMany(DEVICES_MAX)));
    }
    // Numbers that are told are kept; the other devices take the free ones in order.
    let mut numbers = Vec::with_capacity(raw.len());
    for (index, device) in raw.iter().enumerate() {
        let number = device.name.as_deref().map(device_number);
        let is_free = number.is_none_or(|number| number.is_some() && !numbers.contains(&number));
        if !is_free {
            return Err(at(index, Problem::DeviceName));
        }
        numbers.push(number.flatten());
    }
    let mut free = (1..=DEVICES_MAX as u8).filter(|number| !numbers.contains(&Some(*number)));
    let mut devices: Vec<Device> = Vec::with_capacity(raw.len());
    for (index, (raw, number)) in raw.iter().zip(&numbers).enumerate() {
        let number = number
            .or_else(|| free.next())
            .expect("nine numbers for nine devices");
        let mut device = device(&raw.address, raw.device_type, number, rules)
            .map_err(|problem| at(index, problem))?;
        if let Some(zone) = raw
            .time_zone
            .as_deref()
            .filter(|zone| !zone.trim().is_empty())
        {
            let zone = Zone::named(zone.trim()).ok_or_else(|| at(index, Problem::TimeZone))?;
            device.time_zone = Some(zone.name().to_owned());
        }
        device.line_type = raw.line_type.unwrap_or(LineType::Unknown);
        if holds(&devices, &device) {
            return Err(at(index, Problem::DeviceAgain));
        }
        devices.push(device);
    }
    Ok(devices)
}

/// Reads a device; without a type it is what it looks like, Mobile or Email.
pub fn device(
    address: &str,
    device_type: Option<DeviceType>,
    number: u8,
    rules: &Rules,
) -> std::result::Result<Device, Problem> {
    let address = address.trim();
    let looks_like_email = address.contains('@');
    let is_email = device_type.map_or(looks_like_email, |told| told == DeviceType::Email);
    let (read, device_type, problem) = if is_email {
        (read_email(address), DeviceType::Email, Problem::Email)
    } else {
        let phone = read_phone(address, &rules.country).map(|phone| phone.e164);
        (
            phone,
            device_type.unwrap_or(DeviceType::Mobile),
            Problem::Phone,
        )
    };
    let address = read.ok_or(problem)?;
    Ok(Device {
        address,
        device_type,
        number,
        time_zone: None,
        line_type: LineType::Unknown,
    })
}

/// Whether the address of a device is among some devices already; e-mail addresses are compared without case.
pub(crate) fn holds(devices: &[Device], device: &Device) -> bool {
    devices
        .iter()
        .any(|other| other.address.eq_ignore_ascii_case(&device.address))
}

/// The n of `Device<n>`, without case.
pub fn device_number(name: &str) -> Option<u8> {
    let (word, number) = name.trim().split_at_checked("Device".len())?;
    match number.as_bytes() {
        [digit @ b'1'..=b'9'] if word.eq_ignore_ascii_case("Device") => Some(digit - b'0'),
        _ => None,
    }
}

/// Checks a Client ID; "" is none.
pub fn client_id(text: &str, rules: &Rules) -> std::result::Result<String, Problem> {
    let text = text.trim();
    check_text(text, CONTACT_TEXT_CHARACTERS_MAX)?;
    match &rules.client_id_format {
        Some(format) if !text.is_empty() && !format.is_match(text) => Err(Problem::ClientIdFormat),
        _ => Ok(text.to_owned()),
    }
}

/// The name under which an attribute is kept: known names in their spelling, others as they are.
pub fn attribute_name(name: &str) -> std::result::Result<String, Problem> {
    if let Some(known) = known_name(name) {
        return Ok(known.to_owned());
    }
    let is_legal = |character: char| character.is_alphanumeric() || "._-".contains(character);
    let length = name.chars().count();
    if (1..=NAME_CHARACTERS_MAX).contains(&length) && name.chars().all(is_legal) {
        Ok(name.to_owned())
    } else {
        Err(Problem::AttributeName)
    }
}

/// What the value of an attribute has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// A name of a person or company: one short line.
    Short,
    /// other1 … other20.
    Other,
    /// An IANA zone.
    TimeZone,
    /// Device names.
    Order,
    /// Condition words.
    Condition,
    /// A place or a language: kept without blanks around it.
    Place,
    /// Custom payload: kept as it is.
    Custom,
}

impl AttributeKind {
    /// The kind of an attribute by its name in its proper spelling.
    pub fn of(name: &str) -> Self {
        match name {
            "firstName" | "lastName" | "company" => Self::Short,
            "timeZone" => Self::TimeZone,
            "order" => Self::Order,
            "condition" => Self::Condition,
            "postalCode" | "state" | "country" | "locale" => Self::Place,
            _ if name.starts_with("other") && known_name(name).is_some() => Self::Other,
            _ => Self::Custom,
        }
    }
}

/// Brings the value of an attribute into its form; none when nothing is left of it.
pub fn attribute(kind: AttributeKind, value: &str) -> std::result::Result<Option<String>, Problem> {
    let value = if kind == AttributeKind::Custom {
        value
    } else {
        value.trim()
    };
    if value.is_empty() {
        return Ok(None);
    }
    let value = match kind {
        AttributeKind::Short => {
            check_text(value, CONTACT_TEXT_CHARACTERS_MAX)?;
            value.to_owned()
        }
        AttributeKind::Other => {
            check_length(value, OTHER_CHARACTERS_MAX)?;
            value.to_owned()
        }
        AttributeKind::Place => {
            check_text(value, ATTRIBUTE_VALUE_CHARACTERS_MAX)?;
            value.to_owned()
        }
        AttributeKind::Custom => {
            check_length(value, ATTRIBUTE_VALUE_CHARACTERS_MAX)?;
            value.to_owned()
        }
        AttributeKind::TimeZone => Zone::named(value)
            .ok_or(Problem::TimeZone)?
            .name()
            .to_owned(),
        AttributeKind::Order => order(value)?,
        AttributeKind::Condition => condition(value)?,
    };
    Ok(Some(value))
}

fn check_text(text: &str, characters_max: usize) -> std::result::Result<(), Problem> {
    check_length(text, characters_max)?;
    if text.chars().any(char::is_control) {
        Err(Problem::Character)
    } else {
        Ok(())
    }
}

fn check_length(text: &str, characters_max: usize) -> std::result::Result<(), Problem> {
    // Counting is for the few: no text has more characters than bytes.
    if text.len() > characters_max && text.chars().count() > characters_max {
        return Err(Problem::TooLong(characters_max));
    }
    if text.contains('\0') {
        Err(Problem::Character)
    } else {
        Ok(())
    }
}

/// Device names separated by blanks or semicolons, kept with single blanks.
fn order(value: &str) -> std::result::Result<String, Problem> {
    let mut names: Vec<String> = Vec::new();
    for word in value.split([' ', ';']).filter(|word| !word.is_empty()) {
        let name = format!("Device{}", device_number(word).ok_or(Problem::Order)?);
        if names.contains(&name) {
            return Err(Problem::Order);
        }
        names.push(name);
    }
    Ok(names.join(" "))
}

/// Condition words separated by blanks, kept in their spelling.
fn condition(value: &str) -> std::result::Result<String, Problem> {
    const WORDS: [&str; 5] = ["NoAnswer", "HangupMachine", "BadNumber", "Busy", "Machine"];
    let known = |word: &str| {
        WORDS
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(word))
    };
    let words: Option<Vec<&str>> = value.split_whitespace().map(known).collect();
    Ok(words.ok_or(Problem::Condition)?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let settings = Settings {
            country_code: Some("GB".to_owned()),
            client_id_format: Some("[A-Z]+-[0-9]+|".to_owned()),
            ..Settings::default()
        };
        Rules::of(&settings).expect("a good expression")
    }

    fn phone(address: &str) -> RawDevice {
        RawDevice {
            address: address.to_owned(),
            ..RawDevice::default()
        }
    }

    #[test]
    fn contacts_are_normalised() {
        let raw = RawContact {
            client_id: " C-1 ".to_owned(),
            devices: vec![
                phone("20 7946 0113"),
                RawDevice {
                    name: Some("device1".to_owned()),
                    ..phone("Ann@Example.ORG")
                },
            ],
            attributes: [
                ("FIRSTNAME", " Ann "),
                ("OTHER20", ""),
                ("order", "device2;Device1"),
                ("timezone", "europe/london"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        };
        let contact = contact(raw, &rules()).expect("good");
        assert_eq!(contact.external_id, "C-1");
        let devices: Vec<_> = contact
            .devices
            .iter()
            .map(|device| (device.number, device.address.as_str(), device.device_type))
            .collect();
        assert_eq!(
            devices,
            [
                (2, "+442079460113", DeviceType::Mobile),
                (1, "Ann@example.org", DeviceType::Email),
            ]
        );
        let attributes: Vec<_> = contact
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            attributes,
            [
                ("firstName", "Ann"),
                ("order", "Device2 Device1"),
                ("timeZone", "Europe/London")
            ]
        );
    }

    #[test]
    fn problems_are_told() {
        let long = "x".repeat(65);
        for (client_id, devices, attribute, expected) in [
            (
                long.as_str(),
                vec![],
                ("a", "b"),
                ("externalId", Problem::TooLong(64)),
            ),
            (
                "C-1\u{7}",
                vec![],
                ("a", "b"),
                ("externalId", Problem::Character),
            ),
            (
                "c-1",
                vec![],
                ("a", "b"),
                ("externalId", Problem::ClientIdFormat),
            ),
            (
                "xC-1",
                vec![],
                ("a", "b"),
                ("externalId", Problem::ClientIdFormat),
            ),
            (
                "",
                vec![phone("12")],
                ("a", "b"),
                ("devices", Problem::Phone),
            ),
            (
                "",
                vec![phone("a@b@c")],
                ("a", "b"),
                ("devices", Problem::Email),
            ),
            (
                "",
                vec![phone("+442079460113"); 2],
                ("a", "b"),
                ("devices", Problem::DeviceAgain),
            ),
            (
                "",
                vec![phone("+442079460113"); 10],
                ("a", "b"),
                ("devices", Problem::TooMany(9)),
            ),
            ("", vec![], ("a b", "c"), ("a b", Problem::AttributeName)),
            (
                "",
                vec![],
                ("lastName", long.as_str()),
                ("lastName", Problem::TooLong(64)),
            ),
            (
                "",
                vec![],
                ("timeZone", "Mars/Olympus"),
                ("timeZone", Problem::TimeZone),
            ),
            (
                "",
                vec![],
                ("order", "Device1 Device1"),
                ("order", Problem::Order),
            ),
            (
                "",
                vec![],
                ("condition", "Sometimes"),
                ("condition", Problem::Condition),
            ),
            ("", vec![], ("a", "\0"), ("a", Problem::Character)),
        ] {
            let raw = RawContact {
                client_id: client_id.to_owned(),
                devices,
                attributes: [(attribute.0.to_owned(), attribute.1.to_owned())].into(),
            };
            let fault = contact(raw, &rules()).expect_err("a problem");
            assert_eq!((fault.field.as_str(), fault.problem), expected);
        }
    }

    #[test]
    fn expressions_are_bounded() {
        for format in ["(", "(a{1000}){1000}"] {
            let settings = Settings {
                client_id_format: Some(format.to_owned()),
                ..Settings::default()
            };
            assert!(matches!(
                Rules::of(&settings),
                Err(Error::ClientIdFormat(_))
            ));
        }
    }
}
