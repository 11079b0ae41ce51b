//! The entities on the wire: one declaration each (its shape), how it is read from a request, and how it is answered as
//! (K), (S) and (D).

pub mod agent_group;
pub mod attempt;
pub mod campaign;
pub mod compliance_rule;
pub mod contact;
pub mod contact_batch;
pub mod counters;
pub mod job;
pub mod list;
pub mod org;
pub mod pass;
pub mod script;
pub mod strategy;
pub mod sub_campaign;
pub mod system;
pub mod user;

use crate::context::Context;
use crate::fault::{Fault, Outcome, Row};
use crate::shape::form;
use crate::tree::View;
use crate::value::{Object, id};
use carillon_model::entity::{Attributes, Base, Entity};
use carillon_model::limits;
use carillon_model::org::Org;
use carillon_model::user::User;
use carillon_model::zone::Zone;
use carillon_model::{Moment, OrgId, UserId};
use carillon_store::entity::Stored;
use carillon_store::{EntityReadExt as _, Snapshot};

/// Answers entities with the names of what they refer to.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// Where the names are.
    pub snapshot: &'a dyn Snapshot,
    /// The call.
    pub context: &'a Context,
}

impl<'a> Names<'a> {
    /// For a call.
    pub fn new(snapshot: &'a dyn Snapshot, context: &'a Context) -> Self {
        Self { snapshot, context }
    }

    /// An entity that something refers to; deleted ones can still be read by what refers to them.
    fn referred<E: Entity>(&self, entity_id: E::Id) -> Outcome<Option<E>> {
        let stored: Option<Stored<E>> = self.snapshot.stored::<E>(entity_id)?;
        Ok(stored.map(|stored| stored.entity))
    }

    /// internalId, externalId and stamps of a (D).
    pub fn base(&self, object: Object, base: &Base) -> Outcome<Object> {
        let external = (!base.external_id.is_empty()).then(|| base.external_id.clone());
        Ok(object
            .set("internalId", id(base.internal_id))
            .set("externalId", external)
            .set("createdDate", base.created)
            .set("updatedDate", base.updated)
            .set("createdBy", self.user_key(base.created_by)?)
            .set("modifiedBy", self.user_key(base.modified_by)?)
            .with_attributes(&base.attributes))
    }

    /// A User as (K).
    pub fn user_key(&self, user: UserId) -> Outcome<Option<Object>> {
        if user == self.context.caller.user_id() {
            return Ok(Some(user::key(&self.context.caller.user)));
        }
        Ok(self.referred::<User>(user)?.map(|user| user::key(&user)))
    }

    /// An Org as (K).
    pub fn org_key(&self, org: OrgId) -> Outcome<Option<Object>> {
        if let Some(resolved) = self.context.org(self.snapshot, org)? {
            let parent = resolved.ancestors.first().map(org_cut);
            return Ok(Some(org_cut(&resolved.org).set("parent", parent)));
        }
        Ok(self.referred::<Org>(org)?.map(|org| org_cut(&org)))
    }

    /// An Org inside a (K).
    pub fn org_cut(&self, org: OrgId) -> Outcome<Option<Object>> {
        if let Some(resolved) = self.context.org(self.snapshot, org)? {
            return Ok(Some(org_cut(&resolved.org)));
        }
        Ok(self.referred::<Org>(org)?.map(|org| org_cut(&org)))
    }
}

/// internalId, externalId and type: a nested (K).
pub fn org_cut(org: &Org) -> Object {
    Object::new(&org::ORG)
        .set("internalId", id(org.base.internal_id))
        .set("externalId", org.base.external_id.clone())
        .set("type", org.org_type.text())
}

/// Base fields of an entity made by this call.
pub fn new_base(context: &Context, internal_id: i64, name: &str, view: View<'_>) -> Base {
    let name = carillon_model::name::tidy(name);
    let mut base = Base::new(internal_id, name, context.now, context.caller.user_id());
    base.attributes = free_attributes(view);
    base
}

/// Attributes without a meaning here.
pub fn free_attributes(view: View<'_>) -> Attributes {
    let shape = view.shape().expect("attributes belong to an object");
    view.attributes("attributes")
        .filter(|(name, _)| shape.attribute(name).is_none())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Merges changed free attributes by name; JSON's null removes one.
pub fn merge_attributes(view: View<'_>, kept: &mut Attributes) {
    let shape = view.shape().expect("attributes belong to an object");
    let Some(index) = shape.index_of("attributes") else {
        return;
    };
    for (name, value) in view.at(index).filter_map(View::name_value) {
        let Some(name) = name.filter(|name| shape.attribute(name).is_none()) else {
            continue;
        };
        match value {
            Some(value) => kept.insert(name.to_owned(), value.to_owned()),
            None => kept.remove(name),
        };
    }
}

/// A phone number as the country reads it.
pub fn phone(view: View<'_>, name: &str, country: &str) -> Outcome<Option<String>> {
    let Some(text) = view.text(name) else {
        return Ok(None);
    };
    read_phone(text, country).map(Some).ok_or_else(|| {
        Fault::of(
            Row::F,
            view.path_to(name),
            format!("not a phone number that {country} can read"),
        )
        .into()
    })
}

/// A phone number in an attribute.
pub fn phone_attribute(view: View<'_>, name: &str, country: &str) -> Outcome<Option<String>> {
    let Some(text) = view.attribute(name) else {
        return Ok(None);
    };
    read_phone(text, country).map(Some).ok_or_else(|| {
        Fault::of(
            Row::F,
            view.path_to(name),
            format!("not a phone number that {country} can read"),
        )
        .into()
    })
}

/// `+` and digits, when the text is a phone number.
pub fn read_phone(text: &str, country: &str) -> Option<String> {
    carillon_compliance::number::read_phone(text, country).map(|phone| phone.e164)
}

/// The normalised form of an e-mail address or a phone number.
pub fn read_address(text: &str, country: &str) -> Option<String> {
    if text.contains('@') {
        carillon_compliance::number::read_email(text)
    } else {
        read_phone(text, country)
    }
}

/// A word of an enumeration.
macro_rules! word {
    ($view:expr, $name:expr, $type:ty) => {
        $view
            .text($name)
            .and_then(|text| <$type>::parse(text.trim()))
    };
}
pub(crate) use word;

/// Words of a repeated field.
macro_rules! words {
    ($view:expr, $name:expr, $type:ty) => {
        $view
            .items($name)
            .filter_map(|item| <$type>::parse(item.scalar()?.trim()))
            .collect::<Vec<$type>>()
    };
}
pub(crate) use words;

/// A whole number.
pub fn integer<N: TryFrom<i64>>(view: View<'_>, name: &str) -> Option<N> {
    view.text(name)
        .and_then(form::integer)
        .and_then(|number| N::try_from(number).ok())
}

/// true or false.
pub fn boolean(view: View<'_>, name: &str) -> Option<bool> {
    view.text(name).and_then(form::boolean)
}

/// A number.
pub fn double(view: View<'_>, name: &str) -> Option<f64> {
    view.text(name).and_then(form::double)
}

/// A time of day.
pub fn time(view: View<'_>, name: &str) -> Option<jiff::civil::Time> {
    view.text(name).and_then(form::time)
}

/// A civil date.
pub fn date(view: View<'_>, name: &str) -> Option<jiff::civil::Date> {
    view.text(name).and_then(form::date)
}

/// A moment; one without offset is read in the zone.
pub fn moment(view: View<'_>, name: &str, zone: Zone, bound: form::Bound) -> Option<Moment> {
    view.text(name)
        .and_then(|text| form::moment(text, zone.time_zone(), bound))
}

/// Owned text.
pub fn text(view: View<'_>, name: &str) -> Option<String> {
    view.text(name).map(str::to_owned)
}

/// An IANA zone in its proper spelling.
pub fn zone_name(text: &str) -> Option<String> {
    Zone::named(text.trim()).map(|zone| zone.name().to_owned())
}

/// Longest description.
pub const DESCRIPTION: usize = limits::DESCRIPTION_CHARACTERS_MAX;
