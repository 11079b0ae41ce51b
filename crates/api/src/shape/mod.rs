//! Shapes: what goes over the wire, declared once. Both doors read a body guided by a shape, the staged checks run
//! over what was read, answers are written in its order, and WSDL, OpenAPI and the reference pages are printed from it.
//!
//! A shape is static data. Field tables follow `entities.md`: base fields, then own fields in the order of the table,
//! then `attributes`.

mod field;
pub mod form;

pub use field::{Field, Need, Part};

use crate::check::Findings;
use crate::tree::View;

/// What kind of text a scalar field takes, or what it is made of.
#[derive(Clone, Copy)]
pub enum Type {
    /// An internalId: 1 to 19 digits, text in JSON.
    Id,
    /// The name of an entity: 1 to 64 characters, printable, none of `<` `>` `&` `"`.
    Name,
    /// Text of at most so many characters, without control characters.
    Text(usize),
    /// Text of at most so many characters; line feeds are allowed.
    Lines(usize),
    /// Text that only the size of the body bounds: CSV, secrets, message texts.
    Raw,
    /// A whole number within bounds.
    Integer(i64, i64),
    /// Minutes, or an xsd:duration of whole minutes, from 1 to a limit beyond which it is too long (M23.13).
    Minutes(i64),
    /// true, false, 1 or 0.
    Boolean,
    /// A number above zero.
    Rate,
    /// A number.
    Double,
    /// A civil date; a dateTime is accepted for it.
    Date,
    /// `HH:MM` or `HH:MM:SS`.
    Time,
    /// xsd:dateTime; a bare date is its midnight.
    DateTime,
    /// An IANA zone.
    Zone,
    /// An IANA zone, or the word Local.
    ZoneOrLocal,
    /// A phone number as the Account's country reads it.
    Phone,
    /// A phone number or an e-mail address, taken as it is: an unreadable one is judged by its contact.
    Address,
    /// A phone number or an e-mail address that must have the form of one.
    Device,
    /// A login: e-mail address or phone number.
    Login,
    /// One of some words, without case.
    Words(&'static [&'static str]),
    /// A channel: its number in SOAP, its word in JSON, both taken by both.
    Channel,
    /// base64Binary.
    Bytes,
    /// An object of this shape.
    Entity(&'static Shape),
    /// An object of one of these shapes, named by xsi:type or entityType.
    OneOf(&'static [&'static Shape]),
    /// Names with values.
    Attributes,
}

/// How an entity is named when it is not named by its internalId.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// By internalId only.
    Id,
    /// externalId alone.
    External,
    /// externalId, parent and type (Org).
    Org,
    /// externalId within `owner`.
    Owner,
    /// externalId within `campaign`.
    Campaign,
    /// externalId within `parent` (AgentGroup).
    Parent,
    /// A part: it has no identity that a caller could look up.
    None,
}

/// What a shape is derived from in the WSDL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Base fields first.
    Entity,
    /// A state object.
    State,
    /// Anything else.
    Top,
    /// The arguments of a method: no type of its own in the schema.
    Arguments,
}

/// One shape.
pub struct Shape {
    /// Its type name on the wire, first letter lower case: `subCampaign`.
    pub name: &'static str,
    /// A sentence for the documents.
    pub doc: &'static str,
    /// What it is derived from.
    pub family: Family,
    /// The externalId, which differs from entity to entity; only entities have it.
    pub external: Field,
    /// Own fields in wire order.
    pub fields: &'static [Field],
    /// Whether it has `attributes` at all.
    pub has_attributes: bool,
    /// Attributes with a meaning.
    pub attributes: &'static [Field],
    /// Whether other attribute names are stored.
    pub free_attributes: bool,
    /// How it is named.
    pub identity: Identity,
    /// What must hold between its fields (rows DV, DR, DA of stage 4).
    pub rule: Option<fn(View<'_>, &mut Findings)>,
}

static INTERNAL_ID: Field = Field::new(
    "internalId",
    Type::Id,
    "Unique over all entity types, never used again.",
);
static STAMPS: [Field; 4] = [
    Field::new("createdDate", Type::DateTime, "When it was made."),
    Field::new("updatedDate", Type::DateTime, "When it was last changed."),
    Field::new(
        "createdBy",
        Type::Entity(&crate::entity::user::USER),
        "Who made it.",
    ),
    Field::new(
        "modifiedBy",
        Type::Entity(&crate::entity::user::USER),
        "Who changed it last.",
    ),
];
/// The field that holds attributes; its index is one past the last other field.
pub static ATTRIBUTES: Field = Field::new(
    "attributes",
    Type::Attributes,
    "Names with values, sorted by name.",
);
/// Base fields of an entity.
const BASE_FIELDS: usize = 6;

impl Shape {
    /// An entity with base fields and attributes.
    pub const fn entity(
        name: &'static str,
        doc: &'static str,
        identity: Identity,
        external: Field,
        fields: &'static [Field],
    ) -> Self {
        Self {
            name,
            doc,
            family: Family::Entity,
            external,
            fields,
            has_attributes: true,
            attributes: &[],
            free_attributes: false,
            identity,
            rule: None,
        }
    }

    /// Anything without base fields.
    pub const fn plain(
        name: &'static str,
        doc: &'static str,
        family: Family,
        fields: &'static [Field],
    ) -> Self {
        Self {
            name,
            doc,
            family,
            external: Field::new("externalId", Type::Name, ""),
            fields,
            has_attributes: false,
            attributes: &[],
            free_attributes: false,
            identity: Identity::None,
            rule: None,
        }
    }

    /// The arguments of a method, in order.
    pub const fn arguments(fields: &'static [Field]) -> Self {
        Self::plain("arguments", "", Family::Arguments, fields)
    }

    /// Gives it an identity by internalId, though it has no base fields.
    pub const fn identified_by_id(mut self) -> Self {
        self.identity = Identity::Id;
        self
    }

    /// Adds attributes with a meaning.
    pub const fn with_attributes(mut self, attributes: &'static [Field]) -> Self {
        self.has_attributes = true;
        self.attributes = attributes;
        self
    }

    /// Stores attributes of any other name.
    pub const fn with_free_attributes(mut self) -> Self {
        self.has_attributes = true;
        self.free_attributes = true;
        self
    }

    /// Adds what must hold between its fields.
    pub const fn with_rule(mut self, rule: fn(View<'_>, &mut Findings)) -> Self {
        self.rule = Some(rule);
        self
    }

    /// How many fields it has, `attributes` included.
    pub fn len(&self) -> usize {
        self.own_start() + self.fields.len() + usize::from(self.has_attributes)
    }

    /// Whether it has no fields.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn own_start(&self) -> usize {
        if self.family == Family::Entity {
            BASE_FIELDS
        } else {
            0
        }
    }

    /// The field at a place of the wire order.
    pub fn field(&'static self, index: usize) -> Option<&'static Field> {
        let own = self.own_start();
        if index < own {
            return Some(match index {
                0 => &INTERNAL_ID,
                1 => &self.external,
                _ => &STAMPS[index - 2],
            });
        }
        match self.fields.get(index - own) {
            Some(field) => Some(field),
            None => {
                (self.has_attributes && index == own + self.fields.len()).then_some(&ATTRIBUTES)
            }
        }
    }

    /// All fields in wire order.
    pub fn all_fields(&'static self) -> impl Iterator<Item = &'static Field> {
        (0..self.len()).filter_map(|index| self.field(index))
    }

    /// The place of a field.
    pub fn index_of(&'static self, name: &str) -> Option<usize> {
        self.all_fields().position(|field| field.name == name)
    }

    /// The attribute of this name that has a meaning.
    pub fn attribute(&self, name: &str) -> Option<&'static Field> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// Whether the places hold the same declaration.
    pub fn is(&self, other: &Shape) -> bool {
        self.name == other.name
    }

    /// The name with a capital: the schema name of the JSON door and its entityType.
    pub fn title(&self) -> String {
        let mut letters = self.name.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    }
}

impl Type {
    /// Whether it is a scalar on the wire.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Type::Entity(_) | Type::OneOf(_) | Type::Attributes)
    }
}
