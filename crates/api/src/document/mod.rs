//! The documents: WSDL with inline schema, OpenAPI 3.1, reference pages and the fault table, all printed from the registry
//! and the shapes. They are committed in `docs/reference` and compared there.

mod openapi;
mod page;
mod wsdl;

pub use openapi::openapi;
pub use wsdl::wsdl;

use crate::door::soap::namespace::VERSIONS;
use crate::method::Service;
use crate::registry;
use crate::shape::{Shape, Type};

/// Every generated document: its path below `docs/reference`, and its text.
pub fn generate() -> Vec<(String, String)> {
    let mut documents = vec![
        ("README.md".to_owned(), page::index()),
        ("faults.md".to_owned(), page::faults()),
        ("entities.md".to_owned(), page::entities()),
        ("openapi.json".to_owned(), openapi()),
    ];
    for method in registry::ALL {
        documents.push((format!("{}.md", method.name), page::method(method)));
    }
    for service in Service::ALL {
        for version in VERSIONS {
            let address = format!("http://localhost:8480/SOAPAPI2/{}{version}", service.name());
            documents.push((
                format!("service/{}{version}.wsdl", service.name()),
                wsdl(*service, version, &address),
            ));
        }
    }
    documents
}

/// Shapes that some roots reach, each once, by name.
pub(crate) fn reachable<'a>(roots: impl IntoIterator<Item = &'a Shape>) -> Vec<&'static Shape>
where
    'a: 'static,
{
    let mut found: Vec<&'static Shape> = Vec::new();
    let mut waiting: Vec<&'static Shape> = roots.into_iter().collect();
    while let Some(shape) = waiting.pop() {
        if shape.family != crate::shape::Family::Arguments {
            if found.iter().any(|known| known.is(shape)) {
                continue;
            }
            found.push(shape);
        }
        for field in shape.all_fields() {
            match field.ty {
                Type::Entity(inner) => waiting.push(inner),
                Type::OneOf(inner) => waiting.extend(inner),
                _ => {}
            }
        }
    }
    found.sort_by_key(|shape| shape.name);
    found
}

/// What the form of a field is called in the documents.
pub(crate) fn type_text(ty: &Type) -> String {
    match ty {
        Type::Id => "internalId".into(),
        Type::Name => "name".into(),
        Type::Text(max) | Type::Lines(max) => format!("text, at most {max}"),
        Type::Raw | Type::Address => "text".into(),
        Type::Integer(min, max) if *max == i64::MAX => format!("integer from {min}"),
        Type::Integer(min, max) => format!("integer {min}…{max}"),
        Type::Minutes(max) => format!("minutes 1…{max}"),
        Type::Boolean => "boolean".into(),
        Type::Rate => "number above 0".into(),
        Type::Double => "number".into(),
        Type::Date => "date".into(),
        Type::Time => "time".into(),
        Type::DateTime => "dateTime".into(),
        Type::Zone => "IANA zone".into(),
        Type::ZoneOrLocal => "Local or IANA zone".into(),
        Type::Phone => "phone".into(),
        Type::Device | Type::Login => "phone or e-mail".into(),
        Type::Words(words) => words.join(", "),
        Type::Channel => "channel".into(),
        Type::Bytes => "base64".into(),
        Type::Entity(shape) => shape.title(),
        Type::OneOf(shapes) => shapes
            .iter()
            .map(|shape| shape.title())
            .collect::<Vec<_>>()
            .join(" or "),
        Type::Attributes => "attributes".into(),
    }
}
