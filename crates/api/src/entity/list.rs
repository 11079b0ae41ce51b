//! Lists and suppression entries on the wire (`entities.md` 5).

use super::{DESCRIPTION, Names};
use crate::check::Findings;
use crate::context::Context;
use crate::fault::{Fault, Outcome, Row};
use crate::shape::form::Bound;
use crate::shape::{Family, Field, Identity, Shape, Type};
use crate::tree::View;
use crate::value::{Object, id};
use carillon_model::contact::DeviceKey;
use carillon_model::list::{List, SuppressionEntry, SuppressionKey};
use carillon_model::org::Resolved;
use carillon_model::{ChannelType, ListId, ListType};
use jiff::ToSpan as _;

/// A List.
pub static LIST: Shape = Shape::entity(
    "list",
    "Contacts to reach, or (Suppression) devices and Client IDs never to reach.",
    Identity::Owner,
    Field::new("externalId", Type::Name, "Its name, unique per owner.")
        .must()
        .g(),
    &[
        Field::new(
            "owner",
            Type::Entity(&super::org::ORG),
            "Account, or Enterprise for suppression.",
        )
        .c(),
        Field::new("name", Type::Text(64), "Display name.")
            .cg()
            .or("externalId"),
        Field::new("description", Type::Lines(DESCRIPTION), "Free text.").cg(),
        Field::new("type", Type::Words(ListType::TEXTS), "Its kind, fixed.")
            .c()
            .or("Standard"),
        Field::new("isDeleted", Type::Boolean, "It was deleted."),
        Field::new(
            "required",
            Type::Boolean,
            "Suppression: applies to everything under the owner.",
        )
        .cg()
        .or("false"),
    ],
)
.with_attributes(&[
    Field::new(
        "size",
        Type::Integer(0, i64::MAX),
        "Unique contacts, or entries.",
    ),
    Field::new(
        "useCount",
        Type::Integer(0, i64::MAX),
        "SubCampaigns using it.",
    ),
]);

/// An entry of a suppression list.
pub static SUPPRESSION_ENTRY: Shape = Shape::plain(
    "suppressionEntry",
    "Whom never to reach. A device entry leaves other devices callable; a Client ID entry stops all.",
    Family::Top,
    &[
        Field::new("device", Type::Device, "The device; exactly one of device and clientId.").cg(),
        Field::new("clientId", Type::Text(64), "The Client ID.").cg(),
        Field::new("channel", Type::Channel, "One channel.").cg().or("all"),
        Field::new("expirationDate", Type::Date, "The last suppressed day.").cg().or("never"),
        Field::new("reason", Type::Text(255), "Why.").cg(),
        Field::new("source", Type::Text(64), "Where from.").cg(),
    ],
)
.with_rule(device_or_client);

fn device_or_client(view: View<'_>, findings: &mut Findings) {
    match (view.has("device"), view.has("clientId")) {
        (false, false) => findings.add(Row::NV, || view.path_to("device"), "null"),
        (true, true) => findings.add(
            Row::DR,
            || view.path_to("clientId"),
            "a device or a Client ID, not both",
        ),
        _ => {}
    }
}

/// Reads whom an entry names.
pub fn read_key(view: View<'_>, country: &str) -> Outcome<(SuppressionKey, Option<String>)> {
    if let Some(client) = view.text("clientId") {
        return Ok((SuppressionKey::ClientId(client.trim().to_owned()), None));
    }
    let sent = view.text("device").unwrap_or_default();
    let address = super::read_address(sent, country).ok_or_else(|| {
        Fault::of(
            Row::F,
            view.path_to("device"),
            "neither a phone number nor an e-mail address that can be read",
        )
    })?;
    Ok((
        SuppressionKey::Device(DeviceKey::of(&address)),
        Some(address),
    ))
}

/// Reads an entry. The day of expirationDate, in the owner's zone, is the last suppressed one.
pub fn read_entry(
    context: &Context,
    view: View<'_>,
    owner: &Resolved,
) -> Outcome<SuppressionEntry> {
    let (key, device) = read_key(view, owner.settings.country())?;
    let zone = context.zone(owner);
    let expires = super::date(view, "expirationDate").map(|last| {
        let next = last.saturating_add(1.day());
        crate::shape::form::local(
            next.to_datetime(jiff::civil::Time::midnight()),
            zone.time_zone(),
            Bound::Start,
        )
    });
    Ok(SuppressionEntry {
        key,
        device,
        channel: view
            .text("channel")
            .and_then(|text| ChannelType::parse_wire(text.trim())),
        expires,
        reason: super::text(view, "reason"),
        source: super::text(view, "source"),
    })
}

/// An entry as (D).
pub fn entry_detail(context: &Context, entry: &SuppressionEntry, owner: &Resolved) -> Object {
    let client = match &entry.key {
        SuppressionKey::ClientId(client) => Some(client.clone()),
        SuppressionKey::Device(_) => None,
    };
    let zone = context.zone(owner).time_zone();
    let last = entry.expires.map(|expires| {
        zone.to_datetime(expires.timestamp())
            .date()
            .yesterday()
            .unwrap_or(jiff::civil::Date::MIN)
    });
    Object::new(&SUPPRESSION_ENTRY)
        .set("device", entry.device.clone())
        .set("clientId", client)
        .set("channel", entry.channel)
        .set("expirationDate", last)
        .set("reason", entry.reason.clone())
        .set("source", entry.source.clone())
}

/// A List as (K).
pub fn key(names: Names<'_>, list: &List) -> Outcome<Object> {
    Ok(Object::new(&LIST)
        .set("internalId", id(list.base.internal_id))
        .set("externalId", list.base.external_id.clone())
        .set("owner", names.org_cut(list.owner)?)
        .set("type", list.list_type.text()))
}

/// A List as (D), with its size and how many SubCampaigns use it.
pub fn detail(names: Names<'_>, list: &List, deleted: bool) -> Outcome<Object> {
    let mut object = names.base(Object::new(&LIST), &list.base)?;
    object.put("owner", names.org_key(list.owner)?);
    object.put("name", list.name.clone());
    object.put("description", list.description.clone());
    object.put("type", list.list_type.text());
    object.put("isDeleted", deleted);
    object.put("required", list.required);
    let size = if list.list_type == ListType::Suppression {
        names
            .snapshot
            .suppression_size(ListId(list.base.internal_id))?
    } else {
        names.snapshot.container(list.base.internal_id)?.contacts
    };
    object.put_attribute("size", Some(size.to_string()));
    object.put_attribute("useCount", Some(names.uses(list)?.to_string()));
    Ok(object)
}

impl Names<'_> {
    /// A List as (K), by id.
    pub fn list_key(&self, list: ListId) -> Outcome<Option<Object>> {
        self.referred::<List>(list)?
            .map(|list| key(*self, &list))
            .transpose()
    }

    /// How many SubCampaigns use a List.
    fn uses(&self, list: &List) -> Outcome<usize> {
        use carillon_model::campaign::Campaign;
        use carillon_model::sub_campaign::SubCampaign;
        let mut uses = 0;
        for campaign in self
            .context
            .all_of::<Campaign>(self.snapshot, list.owner.0)?
        {
            let runs = self
                .context
                .all_of::<SubCampaign>(self.snapshot, campaign.base.internal_id)?;
            uses += runs
                .iter()
                .filter(|run| run.list == Some(ListId(list.base.internal_id)))
                .count();
        }
        Ok(uses)
    }
}
