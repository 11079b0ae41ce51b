//! Samples (`api.md` 1.6): every set field must match. Texts match without case, `*` stands for any run of characters;
//! of references the ids or names are compared.

use crate::shape::Type;
use crate::tree::View;
use crate::value::{Object, Value};
use carillon_model::ChannelType;
use carillon_model::name::{fold, matches_pattern};

/// Whether an object matches a sample. `attributes` says whether attributes count.
pub fn matches(sample: View<'_>, object: &Object, attributes: bool) -> bool {
    let Some(shape) = sample.shape() else {
        return true;
    };
    shape.all_fields().enumerate().all(|(index, field)| {
        let mut sent = sample.at(index).filter(|value| !value.is_null()).peekable();
        if sent.peek().is_none() {
            return true;
        }
        if matches!(field.ty, Type::Attributes) {
            return !attributes || sent.all(|value| attribute(value, object.get(field.name)));
        }
        let kept = object.get(field.name);
        match kept {
            // Any sent element may match any stored one.
            Some(Value::Many(items)) => sent.any(|value| items.iter().any(|item| one(value, item))),
            Some(kept) => sent.all(|value| one(value, kept)),
            None => false,
        }
    })
}

fn attribute(sent: View<'_>, kept: Option<&Value>) -> bool {
    let Some((Some(name), Some(value))) = sent.name_value() else {
        return false;
    };
    matches!(kept, Some(Value::Attributes(kept)) if kept.get(name).is_some_and(|kept| matches_pattern(value, kept)))
}

fn one(sent: View<'_>, kept: &Value) -> bool {
    match (sent.scalar(), kept) {
        (Some(text), Value::Text(kept)) => matches_pattern(text, kept),
        (Some(text), Value::Integer(kept)) => text.trim().parse() == Ok(*kept),
        (Some(text), Value::Double(kept)) => text.trim().parse() == Ok(*kept),
        (Some(text), Value::Boolean(kept)) => crate::shape::form::boolean(text) == Some(*kept),
        (Some(text), Value::Channel(kept)) => ChannelType::parse_wire(text.trim()) == Some(*kept),
        (None, Value::Object(kept)) => reference(sent, kept),
        _ => false,
    }
}

/// A reference by internalId is that object; by anything else it is a pattern.
fn reference(sent: View<'_>, kept: &Object) -> bool {
    let declares_id = sent
        .shape()
        .is_some_and(|shape| shape.index_of("internalId").is_some());
    match sent
        .get("internalId")
        .filter(|_| declares_id)
        .and_then(View::scalar)
    {
        Some(id) => kept.internal_id() == Some(id.trim()),
        None => matches(sent, kept, false),
    }
}

/// A name that matches when it is contained (`api.md` M20.8); a star keeps its meaning.
pub fn contains(pattern: &str, name: &str) -> bool {
    if pattern.contains('*') {
        matches_pattern(&format!("*{pattern}*"), name)
    } else {
        fold(name).contains(&fold(pattern))
    }
}
