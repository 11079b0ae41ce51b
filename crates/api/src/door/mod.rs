//! The two doors. Each reads a request into a raw tree, guided by the shape of the method, and writes the answer in the
//! order of the shape; what lies between them is the same for both.

pub mod body;
pub mod json;
pub mod soap;

/// Through which door a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// SOAP.
    Soap,
    /// JSON.
    Json,
}

impl Door {
    /// Its name in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Door::Soap => "soap",
            Door::Json => "json",
        }
    }
}
