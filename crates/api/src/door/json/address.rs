//! Addresses of the JSON door: which method a path and HTTP method mean, and what the path and query say about its
//! arguments.

use crate::fault::{Code, Fault};
use crate::method::{Body, Method, Verb};
use crate::registry;
use crate::shape::{Identity, Type};
use crate::tree::Builder;

/// A request line that names a method.
pub struct Address {
    /// The method.
    pub method: &'static Method,
    /// What the path says, by the names in its template.
    pub captured: Vec<(&'static str, String)>,
    /// Whether it is the method's second path.
    pub second: bool,
}

/// What a path says in either template of a method.
fn matches_either(method: &Method, pieces: &[&str]) -> Option<(Vec<(&'static str, String)>, bool)> {
    let first = matches(method.http.path, pieces).map(|captured| (captured, false));
    let second = || matches(method.http.also, pieces).map(|captured| (captured, true));
    first.or_else(|| {
        if method.http.also.is_empty() {
            None
        } else {
            second()
        }
    })
}

/// What a path means.
pub enum Found {
    /// A method.
    Method(Address),
    /// The path is known, but not with this HTTP method; these are.
    OtherVerbs(Vec<Verb>),
    /// Nothing.
    Nothing,
}

/// Finds the method of a path below `/api/v1`.
pub fn find(verb: Option<Verb>, path: &str) -> Found {
    let pieces: Vec<&str> = path.split('/').filter(|piece| !piece.is_empty()).collect();
    let mut others = Vec::new();
    for method in registry::ALL {
        let Some((captured, second)) = matches_either(method, &pieces) else {
            continue;
        };
        if Some(method.http.verb) == verb {
            return Found::Method(Address {
                method,
                captured,
                second,
            });
        }
        others.push(method.http.verb);
    }
    others.sort();
    others.dedup();
    if others.is_empty() {
        Found::Nothing
    } else {
        Found::OtherVerbs(others)
    }
}

/// Among methods that share an address, the one whose parameters are asked for (J9).
pub fn narrow(address: Address, verb: Verb, path: &str, query: &[(String, String)]) -> Address {
    let pieces: Vec<&str> = path.split('/').filter(|piece| !piece.is_empty()).collect();
    let knows = |method: &Method| query.iter().all(|(name, _)| knows_parameter(method, name));
    if knows(address.method) {
        return address;
    }
    for method in registry::ALL {
        if method.http.verb == verb
            && knows(method)
            && let Some((captured, second)) = matches_either(method, &pieces)
        {
            return Address {
                method,
                captured,
                second,
            };
        }
    }
    address
}

fn knows_parameter(method: &Method, name: &str) -> bool {
    matches!(name, "limit" | "cursor")
        || method.http.query.iter().any(|(known, _)| *known == name)
        || (method.http.path.contains('{') && scope_parameter(name).is_some())
}

fn scope_parameter(name: &str) -> Option<&'static str> {
    ["owner", "campaign", "parent", "type"]
        .into_iter()
        .find(|scope| *scope == name)
}

fn matches(template: &'static str, pieces: &[&str]) -> Option<Vec<(&'static str, String)>> {
    let mut captured = Vec::new();
    let mut pieces = pieces.iter();
    for wanted in template.split('/').filter(|piece| !piece.is_empty()) {
        let piece = *pieces.next()?;
        if wanted == piece {
            continue;
        }
        let (name, action) = wanted.strip_prefix('{')?.split_once('}')?;
        let value = piece.strip_suffix(action)?;
        let value = percent_decode(value)?;
        let text = name.contains('.');
        let identity = value.starts_with("ext:")
            || (!value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()));
        if !text && !identity {
            return None;
        }
        captured.push((name, value));
    }
    pieces.next().is_none().then_some(captured)
}

/// Sets the arguments that the path and the query give.
pub fn fill(
    builder: &mut Builder,
    address: &Address,
    query: &[(String, String)],
    body: &str,
) -> Result<Paging, Fault> {
    let method = address.method;
    let mut identity = None;
    for (name, value) in &address.captured {
        if name.contains('.') && !names_identity(method, name) {
            builder.set_path(name, value, body);
        } else if let Some(external) = value.strip_prefix("ext:") {
            builder.set_path(&format!("{name}.externalId"), external, body);
            identity = Some(*name);
        } else {
            builder.set_path(&format!("{name}.internalId"), value, body);
            identity = Some(*name);
        }
    }
    let mut paging = Paging::default();
    for (name, value) in query {
        if value.is_empty() {
            continue;
        }
        if let Some((_, path)) = method.http.query.iter().find(|(known, _)| known == name) {
            builder.set_path(path, value, body);
        } else if name == "limit" {
            paging.limit = value
                .parse()
                .ok()
                .filter(|limit| (1..=crate::limits::PAGE_MAX).contains(limit));
            if paging.limit.is_none() {
                return Err(Fault::coded(
                    Code::ArgInvalidData,
                    "limit is a number from 1 to 1000",
                ));
            }
        } else if name == "cursor" {
            paging.cursor = Some(value.clone());
        } else if let (Some(identity), Some(scope)) = (identity, scope_parameter(name)) {
            let path = if scope == "type" {
                format!("{identity}.type")
            } else {
                format!("{identity}.{scope}.internalId")
            };
            builder.set_path(&path, value, body);
        } else {
            builder.unknown(crate::tree::ROOT, name);
        }
    }
    Ok(paging)
}

/// Whether a dotted name of a path template leads to an entity rather than to a text.
pub fn names_identity(method: &'static Method, path: &str) -> bool {
    let mut shape = &method.input;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        let Some(field) = shape.index_of(name).and_then(|index| shape.field(index)) else {
            return false;
        };
        match field.ty {
            Type::Entity(inner) if names.peek().is_none() => {
                return inner.identity != Identity::None;
            }
            Type::Entity(inner) => shape = inner,
            _ => return false,
        }
    }
    false
}

/// Which page of a list.
#[derive(Debug, Clone, Default)]
pub struct Paging {
    /// Items.
    pub limit: Option<usize>,
    /// Where it begins.
    pub cursor: Option<String>,
}

/// The argument that the body of a request is.
pub fn body_argument(method: &'static Method) -> Option<&'static str> {
    match method.http.body {
        Body::Entity(name) => Some(name),
        _ => None,
    }
}

/// Names and values of a query string.
pub fn parse_query(query: &str) -> Option<Vec<(String, String)>> {
    if query.len() > crate::limits::QUERY_BYTES_MAX {
        return None;
    }
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((
                percent_decode(&name.replace('+', " "))?,
                percent_decode(&value.replace('+', " "))?,
            ))
        })
        .collect()
}

/// Undoes percent encoding; none when it is damaged or not UTF-8.
pub fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push((high * 16 + low) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Percent-encodes what may not stand in a path or query value.
pub fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
