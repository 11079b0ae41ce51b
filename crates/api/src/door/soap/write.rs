//! Answers of the SOAP door: written straight into one string, in the order of the shapes.

use super::SoapFault;
use super::namespace::{ENVELOPE, INSTANCE, SECURITY, service};
use crate::fault::{Code, Fault};
use crate::method::Method;
use crate::value::{Answer, Data, Object, Value, double_text};
use std::fmt::Write as _;

/// XML Schema.
const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";

fn open(text: &mut String, version: u16, method: &str, schema: bool) {
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope xmlns:soapenv=\"");
    let _ = write!(
        text,
        "{ENVELOPE}\" xmlns:ns=\"{}\" xmlns:xsi=\"{INSTANCE}\"",
        service(version)
    );
    if schema {
        let _ = write!(text, " xmlns:xsd=\"{SCHEMA}\"");
    }
    let _ = write!(text, "><soapenv:Body><ns:{method}Response><return>");
}

fn close(text: &mut String, method: &str) {
    let _ = write!(
        text,
        "</return></ns:{method}Response></soapenv:Body></soapenv:Envelope>"
    );
}

/// An answer.
pub fn answer(method: &Method, version: u16, answer: &Answer) -> String {
    let mut text = String::with_capacity(2_048);
    open(
        &mut text,
        version,
        method.name,
        matches!(answer.data, Data::Text(_)),
    );
    match &answer.data {
        Data::None => {}
        Data::One(object) => data(&mut text, object),
        Data::Many(objects) => objects.iter().for_each(|object| data(&mut text, object)),
        Data::Text(content) => {
            text.push_str("<data xsi:type=\"xsd:string\">");
            escape(&mut text, content);
            text.push_str("</data>");
        }
        Data::Attributes(attributes) => {
            for (name, value) in attributes {
                text.push_str("<data xsi:type=\"ns:attribute\">");
                element(&mut text, "name", name);
                element(&mut text, "value", value);
                text.push_str("</data>");
            }
        }
    }
    text.push_str("<dataOffset>0</dataOffset>");
    for warning in &answer.warnings {
        text.push_str("<warnings>");
        message(
            &mut text,
            warning.code,
            method,
            &warning.message,
            warning.severity.text(),
        );
        text.push_str("</warnings>");
    }
    close(&mut text, method.name);
    text
}

/// A domain error: HTTP 200, one error, no data.
pub fn refusal(method: &Method, version: u16, fault: &Fault) -> String {
    let code = fault.code(method.codes);
    let mut text = String::with_capacity(1_024);
    open(&mut text, version, method.name, false);
    text.push_str("<dataOffset>0</dataOffset><errors>");
    message(
        &mut text,
        code,
        method,
        &fault.message(code, &fault.path.soap()),
        "Error",
    );
    text.push_str("</errors>");
    close(&mut text, method.name);
    text
}

fn message(text: &mut String, code: Code, method: &Method, message: &str, severity: &str) {
    element(text, "code", code.text());
    element(text, "type", method.service.error_type());
    element(text, "message", message);
    element(text, "severity", severity);
}

/// A SOAP fault.
pub fn fault(fault: &SoapFault) -> String {
    let mut text = String::with_capacity(512);
    let _ = write!(
        text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope xmlns:soapenv=\"{ENVELOPE}\""
    );
    if fault.code.starts_with("wsse:") {
        let _ = write!(text, " xmlns:wsse=\"{SECURITY}\"");
    }
    let _ = write!(
        text,
        "><soapenv:Body><soapenv:Fault><faultcode>{}</faultcode>",
        fault.code
    );
    element(&mut text, "faultstring", &fault.text);
    if let Some(reference) = &fault.reference {
        text.push_str("<detail>");
        element(&mut text, "reference", reference);
        text.push_str("</detail>");
    }
    text.push_str("</soapenv:Fault></soapenv:Body></soapenv:Envelope>");
    text
}

fn data(text: &mut String, object: &Object) {
    let _ = write!(text, "<data xsi:type=\"ns:{}\">", object.shape.name);
    fields(text, object);
    text.push_str("</data>");
}

fn fields(text: &mut String, object: &Object) {
    for (field, content) in object.fields() {
        value(text, field.name, content);
    }
}

fn value(text: &mut String, name: &str, content: &Value) {
    match content {
        Value::Many(items) => items.iter().for_each(|item| value(text, name, item)),
        Value::Attributes(attributes) => {
            for (key, content) in attributes {
                let _ = write!(text, "<{name}>");
                element(text, "name", key);
                element(text, "value", content);
                let _ = write!(text, "</{name}>");
            }
        }
        Value::Object(object) => {
            let _ = write!(text, "<{name}>");
            fields(text, object);
            let _ = write!(text, "</{name}>");
        }
        Value::Text(content) => element(text, name, content),
        Value::Integer(number) => {
            let _ = write!(text, "<{name}>{number}</{name}>");
        }
        Value::Double(number) => {
            let _ = write!(text, "<{name}>{}</{name}>", double_text(*number));
        }
        Value::Boolean(truth) => {
            let _ = write!(text, "<{name}>{truth}</{name}>");
        }
        Value::Channel(channel) => {
            let _ = write!(text, "<{name}>{}</{name}>", channel.number());
        }
    }
}

fn element(text: &mut String, name: &str, content: &str) {
    text.push('<');
    text.push_str(name);
    text.push('>');
    escape(text, content);
    text.push_str("</");
    text.push_str(name);
    text.push('>');
}

/// Escapes what XML needs escaped; characters that XML cannot hold are replaced.
pub fn escape(text: &mut String, content: &str) {
    let plain = |byte: u8| byte >= 0x20 && !matches!(byte, b'<' | b'>' | b'&' | b'"');
    if content.bytes().all(plain) && !content.contains(['\u{fffe}', '\u{ffff}']) {
        text.push_str(content);
        return;
    }
    for letter in content.chars() {
        match letter {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '"' => text.push_str("&quot;"),
            '\r' => text.push_str("&#13;"),
            '\t' | '\n' => text.push(letter),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => text.push('\u{fffd}'),
            _ => text.push(letter),
        }
    }
}
