//! OpenAPI 3.1 of the JSON door.

use super::{reachable, type_text};
use crate::door::json::address::names_identity;
use crate::method::{Body, Method, Output};
use crate::registry;
use crate::shape::{Field, Shape, Type};
use serde_json::{Map, Value, json};

/// The description of the JSON door.
pub fn openapi() -> String {
    let mut paths: Map<String, Value> = Map::new();
    for method in registry::ALL {
        for path in [method.http.path, method.http.also]
            .into_iter()
            .filter(|path| !path.is_empty())
        {
            let verb = method.http.verb.text().to_ascii_lowercase();
            let entry = paths
                .entry(format!("/api/v1{}", path_template(path)))
                .or_insert_with(|| json!({}));
            let mut operation = operation(method, path);
            if path == method.http.also {
                // An operationId is unique.
                operation["operationId"] = json!(format!("{}Of", method.name));
            }
            match entry.get_mut(&verb) {
                // Methods that share an address and HTTP method (J9) are one operation with the parameters of both.
                Some(present) => merge(present, operation),
                None => entry[&verb] = operation,
            }
        }
    }
    let shapes = registry::ALL.iter().map(|method| &method.input);
    let outputs = registry::ALL
        .iter()
        .filter_map(|method| match method.output {
            Output::One(shape) | Output::Many(shape) => Some(shape),
            _ => None,
        });
    let mut schemas: Map<String, Value> = reachable(shapes.chain(outputs))
        .into_iter()
        .map(|shape| (shape.title(), schema(shape)))
        .collect();
    schemas.insert("Problem".into(), problem_schema());
    schemas.insert("Warning".into(), warning_schema());
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Carillon",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The JSON door. The same methods are served over SOAP.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "basic": { "type": "http", "scheme": "basic" },
                "bearer": { "type": "http", "scheme": "bearer" }
            }
        },
        "security": [{ "basic": [] }, { "bearer": [] }]
    });
    let mut text =
        serde_json::to_string_pretty(&document).expect("a document of our own serialises");
    text.push('\n');
    text
}

/// The path with parameter names that OpenAPI allows: `{subCampaignState.subCampaign}` is `{subCampaign}`.
fn path_template(path: &str) -> String {
    path.split('/')
        .map(|piece| match piece.split_once('.') {
            Some((_, rest)) if piece.starts_with('{') => format!("{{{rest}"),
            _ => piece.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn merge(present: &mut Value, other: Value) {
    let name = format!(
        "{} / {}",
        present["operationId"].as_str().unwrap_or(""),
        other["operationId"].as_str().unwrap_or("")
    );
    present["summary"] = json!(name);
    let described = format!(
        "{}\n\n{}",
        present["description"].as_str().unwrap_or(""),
        other["description"].as_str().unwrap_or("")
    );
    present["description"] = json!(described);
    let known: Vec<Value> = present["parameters"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if let (Some(parameters), Some(more)) = (
        present["parameters"].as_array_mut(),
        other["parameters"].as_array(),
    ) {
        parameters.extend(
            more.iter()
                .filter(|new| !known.iter().any(|old| old["name"] == new["name"]))
                .cloned(),
        );
    }
}

fn operation(method: &'static Method, path: &str) -> Value {
    let mut responses = Map::new();
    responses.insert(method.http.status.to_string(), success(method));
    if method.http.status == 204 {
        responses.insert("200".into(), json!({
            "description": "Done, with warnings.",
            "content": { "application/json": { "schema": envelope(json!({ "type": "null" }), false) } }
        }));
    }
    let problem = json!({
        "description": "A problem: its code is contract, its message is not.",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
    });
    for status in statuses(method) {
        responses.insert(status.to_string(), problem.clone());
    }
    let mut operation = json!({
        "operationId": method.name,
        "tags": [method.service.name()],
        "description": method.doc,
        "parameters": parameters(method, path),
        "responses": responses,
    });
    if let Some(body) = request_body(method, path) {
        operation["requestBody"] = body;
    }
    operation
}

/// Statuses that the method's problems may have.
fn statuses(method: &Method) -> Vec<u16> {
    let mut statuses = vec![400, 401, 403, 404, 409, 413, 422, 429, 500, 503];
    if method.http.verb != crate::method::Verb::Get && method.http.verb != crate::method::Verb::Post
    {
        statuses.push(412);
    }
    statuses.sort_unstable();
    statuses
}

fn success(method: &Method) -> Value {
    if method.http.status == 204 {
        return json!({ "description": "Done." });
    }
    let (data, list) = match method.output {
        Output::None => (json!({ "type": "null" }), false),
        Output::One(shape) => (reference(shape), false),
        Output::Many(shape) => (json!({ "type": "array", "items": reference(shape) }), true),
        Output::Text => (json!({ "type": "string" }), false),
        Output::Attributes => (names_schema(), false),
    };
    json!({ "description": "Done.", "content": { "application/json": { "schema": envelope(data, list) } } })
}

fn envelope(data: Value, list: bool) -> Value {
    let mut properties = json!({
        "data": data,
        "warnings": { "type": "array", "items": { "$ref": "#/components/schemas/Warning" } }
    });
    if list {
        properties["nextCursor"] = json!({ "type": "string" });
    }
    json!({ "type": "object", "required": ["data"], "properties": properties })
}

fn parameters(method: &'static Method, at: &str) -> Vec<Value> {
    let mut parameters = Vec::new();
    for piece in at.split('/') {
        let Some((path, _)) = piece
            .strip_prefix('{')
            .and_then(|rest| rest.split_once('}'))
        else {
            continue;
        };
        let name = path.split_once('.').map_or(path, |(_, rest)| rest);
        let identity = !path.contains('.') || names_identity(method, path);
        let schema = if identity {
            json!({ "type": "string", "pattern": "^([0-9]{1,19}|ext:.+)$" })
        } else {
            json!({ "type": "string" })
        };
        parameters.push(json!({
            "name": name, "in": "path", "required": true, "schema": schema,
            "description": "An internalId, or ext: with the percent-encoded externalId and its owner (or campaign) in the query."
        }));
    }
    let second = at == method.http.also;
    for (name, path) in method.http.query.iter().filter(|_| !second) {
        let field = field_at(method, path);
        let schema = field.map_or_else(
            || json!({ "type": "string" }),
            |field| scalar_schema(&field.ty),
        );
        let description = field.map_or("", |field| field.doc);
        parameters.push(
            json!({ "name": name, "in": "query", "schema": schema, "description": description }),
        );
    }
    if matches!(method.output, Output::Many(_)) && method.http.verb == crate::method::Verb::Get {
        parameters.push(json!({ "name": "limit", "in": "query", "schema": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 } }));
        parameters.push(json!({ "name": "cursor", "in": "query", "schema": { "type": "string" } }));
    }
    if method.http.verb == crate::method::Verb::Post {
        parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "schema": { "type": "string", "minLength": 1, "maxLength": 64 } }));
    }
    parameters
}

/// The field that a dotted path of the binding sets.
fn field_at(method: &'static Method, path: &str) -> Option<&'static Field> {
    let mut shape: &'static Shape = &method.input;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        let field = shape.field(shape.index_of(name)?)?;
        if names.peek().is_none() {
            return Some(field);
        }
        match field.ty {
            Type::Entity(inner) => shape = inner,
            Type::OneOf([inner, ..]) => shape = inner,
            Type::Attributes => return shape.attribute(names.next()?),
            _ => return None,
        }
    }
    None
}

fn request_body(method: &'static Method, path: &str) -> Option<Value> {
    let content = match method.http.body {
        Body::None => return None,
        Body::Bytes(media, _) => json!({ media: { "schema": { "type": "string" } } }),
        Body::Entity(name) => {
            let field = method.input.field(method.input.index_of(name)?)?;
            json!({ "application/json": { "schema": field_schema(field) }, "application/merge-patch+json": { "schema": field_schema(field) } })
        }
        Body::Arguments => {
            let in_address = |name: &str| path.contains(&format!("{{{name}}}"));
            let mut properties = Map::new();
            let mut required = Vec::new();
            for field in method
                .input
                .fields
                .iter()
                .filter(|field| !in_address(field.name))
            {
                let mut schema = field_schema(field);
                if schema.get("$ref").is_none() {
                    schema["description"] = json!(field.doc);
                }
                properties.insert(field.name.to_owned(), schema);
                if field.create == crate::shape::Need::Must
                    && !matches!(field.name, "org" | "owner")
                {
                    required.push(field.name);
                }
            }
            let example = (method.example)();
            let example: Map<String, Value> = example
                .as_object()
                .map(|members| {
                    members
                        .iter()
                        .filter(|(name, _)| !in_address(name))
                        .map(|(name, value)| (name.clone(), value.clone()))
                        .collect()
                })
                .unwrap_or_default();
            json!({ "application/json": {
                "schema": { "type": "object", "properties": properties, "required": required, "additionalProperties": false },
                "example": example
            } })
        }
    };
    Some(json!({ "required": true, "content": content }))
}

fn reference(shape: &Shape) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", shape.title()) })
}

fn field_schema(field: &Field) -> Value {
    let one = match field.ty {
        Type::Entity(shape) => reference(shape),
        Type::OneOf([shape]) => reference(shape),
        Type::OneOf(shapes) => {
            json!({ "oneOf": shapes.iter().map(|shape| reference(shape)).collect::<Vec<_>>() })
        }
        Type::Attributes => return names_schema(),
        ref scalar => scalar_schema(scalar),
    };
    if field.many {
        let mut list = json!({ "type": "array", "items": one });
        if field.items_max != usize::MAX {
            list["maxItems"] = json!(field.items_max);
        }
        return list;
    }
    one
}

fn names_schema() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean", "null"] } })
}

fn scalar_schema(ty: &Type) -> Value {
    match ty {
        Type::Integer(min, max) => {
            let mut schema = json!({ "type": "integer", "minimum": min });
            if *max != i64::MAX {
                schema["maximum"] = json!(max);
            }
            schema
        }
        Type::Minutes(_) => json!({ "type": ["integer", "string"] }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::Rate | Type::Double => json!({ "type": "number" }),
        Type::Date => json!({ "type": "string", "format": "date" }),
        Type::DateTime => {
            json!({ "type": "string", "description": "dateTime; without offset in the zone of the Org" })
        }
        Type::Name => json!({ "type": "string", "minLength": 1, "maxLength": 64 }),
        Type::Text(max) | Type::Lines(max) => json!({ "type": "string", "maxLength": max }),
        Type::Id => json!({ "type": "string", "pattern": "^[0-9]{1,19}$" }),
        Type::Words(words) => json!({ "type": "string", "enum": words }),
        Type::Channel => json!({ "type": "string", "enum": carillon_model::ChannelType::TEXTS }),
        Type::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        other => json!({ "type": "string", "description": type_text(other) }),
    }
}

fn schema(shape: &'static Shape) -> Value {
    let mut properties = Map::new();
    for field in shape.all_fields() {
        let mut schema = field_schema(field);
        if schema.get("$ref").is_none() && !field.doc.is_empty() {
            schema["description"] = json!(field.doc);
        }
        properties.insert(field.name.to_owned(), schema);
    }
    properties.insert(
        "entityType".into(),
        json!({ "type": "string", "const": shape.title() }),
    );
    json!({ "type": "object", "description": shape.doc, "properties": properties, "additionalProperties": false })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "A problem (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" },
            "detail": { "type": "string" }, "code": { "type": "string" },
            "pointer": { "type": "string", "description": "JSON pointer to what is wrong." },
            "check": { "type": "string", "description": "Row of the checks." },
            "reference": { "type": "string", "description": "Opaque id of an internal failure, also in the log." }
        }
    })
}

fn warning_schema() -> Value {
    json!({
        "type": "object",
        "required": ["code", "message", "severity"],
        "properties": { "code": { "type": "string" }, "message": { "type": "string" }, "severity": { "type": "string" } }
    })
}
