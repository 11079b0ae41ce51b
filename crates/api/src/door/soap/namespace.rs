//! Namespaces of the SOAP door and the scopes in which prefixes are bound. Clients choose prefixes freely, so namespaces
//! are compared and prefixes never.

use crate::limits::NAMESPACES_MAX;

/// SOAP 1.1.
pub const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// SOAP 1.2, which is refused by name.
pub const ENVELOPE_12: &str = "http://www.w3.org/2003/05/soap-envelope";
/// xsi.
pub const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// WS-Security 1.0.
pub const SECURITY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// XOP.
pub const INCLUDE: &str = "http://www.w3.org/2004/08/xop/include";
/// The end of the type of a digest.
pub const DIGEST: &str = "#PasswordDigest";

/// The two versions of the schema.
pub const VERSIONS: [u16; 2] = [110, 128];

/// The namespace of a version.
pub const fn service(version: u16) -> &'static str {
    match version {
        110 => "http://www.soundbite.com/SOAPAPI2/110",
        _ => "http://www.soundbite.com/SOAPAPI2/128",
    }
}

/// Prefixes in scope.
#[derive(Default)]
pub struct Scopes<'a> {
    bound: Vec<(usize, &'a str, String)>,
}

impl<'a> Scopes<'a> {
    /// Binds a prefix ("" = the default namespace) at a depth; false when there are too many.
    pub fn bind(&mut self, depth: usize, prefix: &'a str, namespace: String) -> bool {
        self.bound.push((depth, prefix, namespace));
        self.bound.len() <= NAMESPACES_MAX
    }

    /// Leaves a depth.
    pub fn leave(&mut self, depth: usize) {
        while self.bound.last().is_some_and(|(at, ..)| *at >= depth) {
            self.bound.pop();
        }
    }

    /// The namespace of a prefix.
    pub fn resolve(&self, prefix: &str) -> Option<&str> {
        self.bound
            .iter()
            .rev()
            .find(|(_, bound, _)| *bound == prefix)
            .map(|(.., namespace)| namespace.as_str())
            .filter(|namespace| !namespace.is_empty())
    }
}
