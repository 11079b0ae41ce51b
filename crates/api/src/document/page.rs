//! Reference pages in Markdown: one per method, one for entities, one for faults, and an index.

use super::{reachable, type_text};
use crate::fault::{Code, Row};
use crate::method::{Body, Method, Output, Retry, Service};
use crate::registry;
use crate::shape::{Family, Field, Need, Shape};
use std::fmt::Write as _;

/// Rows in the order of the stages.
const ROWS: &[Row] = &[
    Row::N,
    Row::T,
    Row::SA,
    Row::NV,
    Row::SV,
    Row::C,
    Row::F,
    Row::DV,
    Row::DR,
    Row::DA,
    Row::R,
    Row::U,
    Row::L,
    Row::I,
    Row::Z,
];

fn row_text(row: Row) -> &'static str {
    match row {
        Row::N => "a required argument is null",
        Row::T => "wrong kind of entity, unknown element or member",
        Row::SA => "an argument is too big",
        Row::NV => "a required field or a part of an identity is null",
        Row::SV => "a text is too long, or a number beyond a limit",
        Row::C => "forbidden characters",
        Row::F => "text that is not of its type's form",
        Row::DV => "a value outside its value space, or a field that may not be set",
        Row::DR => "fields that do not go together",
        Row::DA => "arguments that do not go together",
        Row::R => "a reference to what does not exist or is not visible",
        Row::U => "a name in use",
        Row::L => "a limit reached",
        Row::I => "the state forbids it",
        Row::Z => "the result is too large (SOAP)",
    }
}

/// The index of all methods.
pub fn index() -> String {
    let mut text = String::from(
        "# API reference\n\nGenerated from the methods themselves. Every method is served on both doors unless it says so; \
         see [entities](entities.md), [faults](faults.md), [openapi.json](openapi.json) and the WSDLs in [service](service).\n",
    );
    for service in Service::ALL {
        let _ = write!(
            text,
            "\n## {}\n\n| method | JSON | |\n|---|---|---|\n",
            service.name()
        );
        for method in registry::ALL
            .iter()
            .filter(|method| method.service == *service)
        {
            let first = method
                .doc
                .split(". ")
                .next()
                .unwrap_or_default()
                .trim_end_matches('.');
            let _ = writeln!(
                text,
                "| [{0}]({0}.md) | `{1} {2}` | {3} |",
                method.name,
                method.http.verb.text(),
                address(method),
                first
            );
        }
    }
    text
}

fn address(method: &Method) -> String {
    match method.http.also {
        "" => format!("/api/v1{}", method.http.path),
        also => format!("/api/v1{}` or `/api/v1{also}", method.http.path),
    }
}

/// The page of a method.
pub fn method(method: &'static Method) -> String {
    let mut text = format!("# {}\n\n{}\n\n", method.name, method.doc);
    let roles: Vec<&str> = method.access.iter().map(|role| role.text()).collect();
    let roles = if roles.is_empty() {
        "everybody with valid credentials".to_owned()
    } else {
        roles.join(", ")
    };
    let retry = match method.retry {
        Retry::Safe => "safe: it changes nothing",
        Retry::Idempotent => "a repetition changes nothing more",
        Retry::WithKey => "only under an Idempotency-Key",
    };
    let soap = if method.soap {
        format!("`POST /SOAPAPI2/{}110` (or `…128`)", method.service.name())
    } else {
        "not on this door".to_owned()
    };
    let _ = write!(
        text,
        "| | |\n|---|---|\n| SOAP | {soap} |\n| JSON | `{} {}`, {} |\n| who may call | {roles} |\n| may be sent again | {retry} |\n| answer | {} |\n",
        method.http.verb.text(),
        address(method),
        method.http.status,
        answer(method)
    );
    arguments(&mut text, method);
    faults_of(&mut text, method);
    example(&mut text, method);
    text
}

fn answer(method: &Method) -> String {
    match method.output {
        Output::None => "none".into(),
        Output::One(shape) => format!(
            "[{}](entities.md#{})",
            shape.title(),
            shape.name.to_ascii_lowercase()
        ),
        Output::Many(shape) => format!(
            "list of [{}](entities.md#{})",
            shape.title(),
            shape.name.to_ascii_lowercase()
        ),
        Output::Text => "text".into(),
        Output::Attributes => "names with values".into(),
    }
}

fn arguments(text: &mut String, method: &'static Method) {
    if method.input.is_empty() {
        return;
    }
    text.push_str("\n## Arguments\n\n| SOAP | JSON | type | | |\n|---|---|---|---|---|\n");
    for (position, field) in method.input.all_fields().enumerate() {
        let need = if field.create == Need::Must {
            "required"
        } else {
            "may be null"
        };
        let many = if field.many { " (repeated)" } else { "" };
        let _ = writeln!(
            text,
            "| arg{} | {} | {}{many} | {need} | {} |",
            position + 1,
            field.name,
            type_text(&field.ty),
            field.doc
        );
    }
    if !method.http.query.is_empty() {
        text.push_str("\nQuery parameters of the JSON door:");
        for (name, path) in method.http.query {
            let _ = write!(text, " `{name}` (`{path}`)");
        }
        text.push_str(".\n");
    }
}

fn faults_of(text: &mut String, method: &Method) {
    text.push_str("\n## Faults\n\n| check | code |\n|---|---|\n");
    for row in ROWS {
        let code = row.code(method.codes).text();
        let _ = writeln!(
            text,
            "| {}: {} | [{code}](../faults/{code}.md) |",
            row.text(),
            row_text(*row)
        );
    }
    text.push_str(
        "| the role or scope does not allow it | [ACCESS_DENIED](../faults/ACCESS_DENIED.md) |\n",
    );
}

fn example(text: &mut String, method: &Method) {
    let arguments = (method.example)();
    let pretty = serde_json::to_string_pretty(&arguments).expect("an example serialises");
    let body = match method.http.body {
        Body::None => "by the address",
        Body::Entity(_) => "the entity alone is the body",
        Body::Arguments => "those in the address are left out of the body",
        Body::Bytes(..) => "the data are the body",
    };
    let _ = write!(
        text,
        "\n## Example\n\nArguments, as `carillon call {}` takes them (on the JSON door: {body}):\n\n```json\n{pretty}\n```\n",
        method.name
    );
}

/// The table of codes.
pub fn faults() -> String {
    let mut text = String::from(
        "# Faults\n\nA refused call is told one code. The code is contract; the message is not. Which code a kind of check \
         answers differs by method: see the page of the method.\n\n| code | HTTP | |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let _ = writeln!(
            text,
            "| [{0}](../faults/{0}.md) | {1} | {2} |",
            code.text(),
            code.status(),
            code.title()
        );
    }
    text
}

/// The field tables of all entities.
pub fn entities() -> String {
    let inputs = registry::ALL.iter().map(|method| &method.input);
    let outputs = registry::ALL
        .iter()
        .filter_map(|method| match method.output {
            Output::One(shape) | Output::Many(shape) => Some(shape),
            _ => None,
        });
    let mut text = String::from(
        "# Entities\n\nFields in wire order. Columns: c = may be set on create (c! = must), g = may be changed, r = read-only. \
         Entities also have internalId, externalId, createdDate, updatedDate, createdBy and modifiedBy.\n",
    );
    for shape in reachable(inputs.chain(outputs)) {
        table(&mut text, shape);
    }
    text
}

fn table(text: &mut String, shape: &'static Shape) {
    let _ = write!(
        text,
        "\n## {}\n\n{}\n\n| field | type | | default | |\n|---|---|---|---|---|\n",
        shape.name, shape.doc
    );
    if shape.family == Family::Entity {
        line(text, &shape.external, false);
    }
    for field in shape.fields {
        line(text, field, false);
    }
    for field in shape.attributes {
        line(text, field, true);
    }
    if shape.free_attributes {
        text.push_str("\nAttributes of other names are stored.\n");
    }
}

fn line(text: &mut String, field: &Field, attribute: bool) {
    let need = match (field.create, field.change) {
        (Need::Never, Need::Never) => "r",
        (Need::Must, Need::Never) => "c!",
        (Need::Must, _) => "c! g",
        (Need::Free, Need::Never) => "c",
        (Need::Free, _) => "c g",
        (Need::Never, _) => "g",
    };
    let name = if attribute {
        format!("attribute {}", field.name)
    } else {
        field.name.to_owned()
    };
    let many = if field.many { " (repeated)" } else { "" };
    let _ = writeln!(
        text,
        "| {name} | {}{many} | {need} | {} | {} |",
        type_text(&field.ty),
        field.default,
        field.doc
    );
}
