//! The values a Script sees (`scripts.md` 2), by path: `contact.firstName`, `contact.other1`, `device.address`,
//! `account.name`, `campaign.…`, `subCampaign.…`, `attempt.number`, `now`. The engine hands out only what a template
//! asks for ([`crate::Template::names`]); nothing is built that is not used.

use std::borrow::Cow;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Field<'a> {
    /// Text; also dates and times, in ISO form (`now` is civil: `2026-11-24T13:05:09`).
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(text: &'a str) -> Self {
        Field::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Field<'_> {
    fn from(text: String) -> Self {
        Field::Text(Cow::Owned(text))
    }
}

/// Where the values come from. `None` = the contact lacks the field.
pub trait Fields {
    /// The value at a path.
    fn get(&self, path: &str) -> Option<Field<'_>>;
}

/// Objects in objects, as the JSON door gives them: `{"contact": {"firstName": "Ada"}, "now": "…"}`.
impl Fields for serde_json::Value {
    fn get(&self, path: &str) -> Option<Field<'_>> {
        match lookup(self, path)? {
            serde_json::Value::String(text) => Some(Field::from(text.as_str())),
            serde_json::Value::Bool(flag) => Some(Field::Flag(*flag)),
            serde_json::Value::Number(number) => number
                .as_i64()
                .map(Field::Integer)
                .or_else(|| number.as_f64().map(Field::Number)),
            serde_json::Value::Null
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => None,
        }
    }
}

/// A key may hold a dot itself, so the longest key that fits is taken first.
fn lookup<'a>(value: &'a serde_json::Value, path: &str) -> Option<&'a serde_json::Value> {
    let object = value.as_object()?;
    if let Some(found) = object.get(path) {
        return Some(found);
    }
    path.char_indices()
        .rev()
        .filter(|(_, character)| *character == '.')
        .find_map(|(dot, _)| lookup(object.get(&path[..dot])?, &path[dot + 1..]))
}

impl<F: Fields + ?Sized> Fields for &F {
    fn get(&self, path: &str) -> Option<Field<'_>> {
        (**self).get(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_walked_by_path() {
        let value = serde_json::json!({
            "contact": {"firstName": "Ada", "a.b": 1, "none": null, "age": 36.5},
            "now": "2026-11-24T13:05:09",
        });
        assert_eq!(
            value
                .get("contact")
                .and_then(|contact| Fields::get(contact, "firstName")),
            Some("Ada".into())
        );
        assert_eq!(Fields::get(&value, "contact.firstName"), Some("Ada".into()));
        assert_eq!(Fields::get(&value, "contact.a.b"), Some(Field::Integer(1)));
        assert_eq!(
            Fields::get(&value, "contact.age"),
            Some(Field::Number(36.5))
        );
        assert_eq!(
            Fields::get(&value, "now"),
            Some("2026-11-24T13:05:09".into())
        );
        for absent in ["contact", "contact.none", "contact.x", "x.y", "", "."] {
            assert_eq!(Fields::get(&value, absent), None, "{absent}");
        }
    }
}
