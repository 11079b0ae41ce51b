//! Where a call by name goes on the JSON door: the arguments a method is called with, as path, query and body. Derived
//! from the method's declaration, so that the command line knows every method the server knows.

use crate::command::Failure;
use carillon_api::method::{Body, Http};
use serde_json::{Map, Value};

/// A request of the JSON door.
#[derive(Debug, PartialEq)]
pub struct Address {
    /// Path and query.
    pub path: String,
    /// Body, where there is one.
    pub body: Option<Value>,
}

/// The request of a method with these arguments.
pub fn of(http: &Http, arguments: &Value) -> Result<Address, Failure> {
    let arguments = arguments
        .as_object()
        .ok_or("the arguments are a JSON object, one member for each argument")?;
    let mut query = Vec::new();
    let mut path = String::from("/api/v1");
    let mut rest = template(http, arguments);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after
            .split_once('}')
            .ok_or("the method has no legal address")?;
        path += before;
        path += &segment(arguments, name, &mut query)?;
        rest = after;
    }
    path += rest;
    for (parameter, field) in http.query {
        if let Some(value) = lookup(arguments, field) {
            query.push(format!("{parameter}={}", encode(&plain(value))));
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let body = match http.body {
        Body::None => None,
        Body::Arguments => Some(Value::Object(arguments.clone())),
        Body::Entity(name) => Some(arguments.get(name).cloned().unwrap_or(Value::Null)),
        Body::Bytes(media_type, _) => {
            return Err(format!("this method takes {media_type}; send it with curl").into());
        }
    };
    Ok(Address { path, body })
}

/// The path whose names the arguments give: the second one where they do not give those of the first.
fn template(http: &Http, arguments: &Map<String, Value>) -> &'static str {
    let is_given = |path: &str| {
        path.split('{')
            .skip(1)
            .filter_map(|piece| piece.split_once('}'))
            .all(|(name, _)| lookup(arguments, name).is_some())
    };
    if !http.also.is_empty() && !is_given(http.path) && is_given(http.also) {
        http.also
    } else {
        http.path
    }
}

/// What stands for `{argument}` (its identity) or `{argument.field}` (a text) in the path.
fn segment(
    arguments: &Map<String, Value>,
    name: &str,
    query: &mut Vec<String>,
) -> Result<String, Failure> {
    let value = lookup(arguments, name).ok_or_else(|| format!("{name} is missing"))?;
    let Some(object) = value.as_object() else {
        return Ok(encode(&plain(value)));
    };
    if let Some(id) = object.get("internalId") {
        return Ok(encode(&plain(id)));
    }
    let external = object
        .get("externalId")
        .ok_or_else(|| format!("{name} has neither internalId nor externalId"))?;
    for scope in ["owner", "campaign"] {
        if let Some(id) = object.get(scope).and_then(|scope| scope.get("internalId")) {
            query.push(format!("{scope}={}", encode(&plain(id))));
        }
    }
    Ok(format!("ext:{}", encode(&plain(external))))
}

/// A value by its dotted path.
fn lookup<'a>(arguments: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let found = arguments.get(first)?;
    rest.split('.')
        .filter(|step| !step.is_empty())
        .try_fold(found, |value, step| value.get(step))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(object) if object.contains_key("internalId") => plain(&object["internalId"]),
        other => other.to_string(),
    }
}

/// Percent-encoding of everything but the unreserved characters.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            other => encoded += &format!("%{other:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_and_ids_become_paths() {
        let http = Http::get("/campaigns/{campaign}");
        let by_id = of(&http, &json!({"campaign": {"internalId": "100"}})).expect("legal");
        assert_eq!(by_id.path, "/api/v1/campaigns/100");
        let by_name = of(
            &http,
            &json!({"campaign": {"externalId": "O/ct \u{e9}", "owner": {"internalId": 20}}}),
        )
        .expect("legal");
        assert_eq!(
            by_name.path,
            "/api/v1/campaigns/ext:O%2Fct%20%C3%A9?owner=20"
        );
        assert!(of(&http, &json!({})).is_err());
    }

    #[test]
    fn the_path_is_the_one_whose_names_are_given() {
        let http = carillon_api::registry::by_name("explainContact")
            .expect("a method")
            .http;
        let explain = |contact: Value| {
            let arguments = json!({"subCampaign": {"internalId": "600"}, "contact": contact});
            of(&http, &arguments).map(|address| address.path)
        };
        assert_eq!(
            explain(json!({"externalId": "C/1:x"})).expect("legal"),
            "/api/v1/sub-campaigns/600/contacts/C%2F1%3Ax:explain"
        );
        assert_eq!(
            explain(json!({"internalId": "500"})).expect("legal"),
            "/api/v1/sub-campaigns/600/contacts/id/500:explain"
        );
        assert!(explain(json!({})).is_err());
    }

    #[test]
    fn bodies_follow_the_declaration() {
        let arguments = json!({"org": {"internalId": "20"}, "campaign": {"externalId": "October"}});
        let made = of(&Http::post("/campaigns"), &arguments).expect("legal");
        assert_eq!(
            made,
            Address {
                path: "/api/v1/campaigns".into(),
                body: Some(arguments)
            }
        );
    }
}
