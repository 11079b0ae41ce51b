//! The SOAP 1.1 door: document/literal wrapped, one element named as the method in the Body, WS-Security in the Header.

mod envelope;
pub mod namespace;
mod read;
pub mod write;

pub use envelope::{Request, read_envelope};
pub use write::{answer, fault, refusal};

/// What the door itself refuses: an HTTP status and a SOAP fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoapFault {
    /// HTTP status.
    pub status: u16,
    /// Qualified fault code.
    pub code: &'static str,
    /// For the caller.
    pub text: String,
    /// Opaque id that is also in the log.
    pub reference: Option<String>,
}

impl SoapFault {
    /// A body that is not well-formed, or beyond the bounds.
    pub fn malformed(text: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: "soapenv:Client",
            text: text.into(),
            reference: None,
        }
    }

    /// A body that is well-formed and not a call.
    pub fn client(text: impl Into<String>) -> Self {
        Self {
            status: 500,
            code: "soapenv:Client",
            text: text.into(),
            reference: None,
        }
    }

    /// Failed authentication: one answer for all reasons (A6).
    pub fn authentication() -> Self {
        Self {
            status: 500,
            code: "wsse:FailedAuthentication",
            text: "The security token could not be authenticated or authorized".into(),
            reference: None,
        }
    }

    /// Another code.
    pub fn coded(status: u16, code: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            code,
            text: text.into(),
            reference: None,
        }
    }
}

impl From<super::body::Unreadable> for SoapFault {
    fn from(unreadable: super::body::Unreadable) -> Self {
        let status = if unreadable == super::body::Unreadable::TooBig {
            413
        } else {
            400
        };
        Self::coded(status, "soapenv:Client", unreadable.to_string())
    }
}
