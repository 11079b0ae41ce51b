//! Answers and problems of the JSON door.

use crate::fault::{Code, Fault};
use crate::method::Method;
use crate::value::{Answer, Data, Object, Value, double_text};
use serde_json::json;
use std::fmt::Write as _;

/// An answer: `{"data": …, "warnings": […], "nextCursor": …}`.
pub fn answer(answer: &Answer) -> String {
    let mut text = String::with_capacity(1_024);
    text.push_str("{\"data\":");
    match &answer.data {
        Data::None => text.push_str("null"),
        Data::One(content) => object(&mut text, content),
        Data::Many(objects) => list(&mut text, objects, object),
        Data::Text(content) => string(&mut text, content),
        Data::Attributes(attributes) => names(&mut text, attributes),
    }
    if !answer.warnings.is_empty() {
        text.push_str(",\"warnings\":");
        list(&mut text, &answer.warnings, |text, warning| {
            text.push_str("{\"code\":");
            string(text, warning.code.text());
            text.push_str(",\"message\":");
            string(text, &warning.message);
            text.push_str(",\"severity\":");
            string(text, warning.severity.text());
            text.push('}');
        });
    }
    if let Some(cursor) = &answer.next_cursor {
        text.push_str(",\"nextCursor\":");
        string(&mut text, cursor);
    }
    text.push('}');
    text
}

/// A problem (RFC 9457). `steps` of the place are in the address, not in what the caller wrote.
pub fn problem(method: Option<&Method>, fault: &Fault, reference: Option<&str>) -> (Code, String) {
    let code = fault.code(method.and_then(|method| method.codes));
    let steps = method.map_or(0, |method| method.http.steps_in_address());
    let steps = if fault.path.len() > steps { steps } else { 0 };
    let mut problem = json!({
        "type": format!("urn:carillon:error:{}", code.text()),
        "title": code.title(),
        "status": code.status(),
        "detail": fault.message(code, &fault.path.json(steps)),
        "code": code.text(),
    });
    if !fault.path.is_empty() {
        problem["pointer"] = json!(fault.path.pointer(steps));
    }
    if let Some(row) = fault.row {
        problem["check"] = json!(row.text());
    }
    if let Some(reference) = reference {
        problem["reference"] = json!(reference);
    }
    (code, problem.to_string())
}

/// One object, as it stands in an answer.
pub fn object_text(content: &Object) -> String {
    let mut text = String::with_capacity(512);
    object(&mut text, content);
    text
}

fn object(text: &mut String, content: &Object) {
    text.push('{');
    for (position, (field, content)) in content.fields().enumerate() {
        if position > 0 {
            text.push(',');
        }
        string(text, field.name);
        text.push(':');
        value(text, content);
    }
    text.push('}');
}

fn value(text: &mut String, content: &Value) {
    match content {
        Value::Text(content) => string(text, content),
        Value::Integer(number) => {
            let _ = write!(text, "{number}");
        }
        Value::Double(number) => text.push_str(&double_text(*number)),
        Value::Boolean(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Value::Channel(channel) => string(text, channel.text()),
        Value::Object(content) => object(text, content),
        Value::Many(items) => list(text, items, value),
        Value::Attributes(attributes) => names(text, attributes),
    }
}

fn names(text: &mut String, attributes: &std::collections::BTreeMap<String, String>) {
    text.push('{');
    for (position, (name, content)) in attributes.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        string(text, name);
        text.push(':');
        string(text, content);
    }
    text.push('}');
}

fn list<T>(text: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    text.push('[');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(']');
}

fn string(text: &mut String, content: &str) {
    text.push('"');
    for letter in content.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0'..='\u{1f}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            _ => text.push(letter),
        }
    }
    text.push('"');
}
