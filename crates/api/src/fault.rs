//! Faults: the one vocabulary in which callers are told what is wrong (`api.md` 2). A check names a row; which code a
//! method answers for it follows from the ladder of 2.4 and the codes the method lists. Each code has a page in
//! `docs/faults`.

use crate::tree::Path;
use carillon_store as store;
use std::borrow::Cow;

/// Kinds of check (`api.md` 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// A required argument is null.
    N,
    /// Wrong kind of entity, unknown element or member.
    T,
    /// An argument is too big.
    SA,
    /// A required field or part of an identity is null.
    NV,
    /// A text is too long or a number beyond a limit.
    SV,
    /// Forbidden characters.
    C,
    /// Not of its type's form.
    F,
    /// Outside its value space, or not to be set here.
    DV,
    /// Fields that do not go together.
    DR,
    /// Arguments that do not go together.
    DA,
    /// A reference that does not exist.
    R,
    /// A name in use.
    U,
    /// A limit reached.
    L,
    /// A state that forbids it.
    I,
    /// A result too large.
    Z,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:literal, $title:literal;)+) => {
        /// Codes of errors and warnings. The code is contract, its message is not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* #[doc = $title] $variant),+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            /// As it is written on the wire.
            pub const fn text(self) -> &'static str {
                match self { $(Code::$variant => $text),+ }
            }

            /// Its HTTP status on the JSON door.
            pub const fn status(self) -> u16 {
                match self { $(Code::$variant => $status),+ }
            }

            /// Its title, without the particulars.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),+ }
            }
        }
    };
}

codes! {
    ArgNull = "ARG_NULL", 400, "Argument must be non-null";
    AttributeNull = "ATTRIBUTE_NULL", 400, "Attribute must be non-null";
    ArgInvalidType = "ARG_INVALID_TYPE", 400, "Argument is of invalid type";
    AttributeInvalidFormat = "ATTRIBUTE_INVALID_FORMAT", 400, "Attribute has an invalid format";
    ArgInvalid = "ARG_INVALID", 422, "Argument is invalid";
    AttributeInvalid = "ATTRIBUTE_INVALID", 422, "Attribute is invalid";
    ArgInvalidData = "ARG_INVALID_DATA", 422, "Argument contains invalid data";
    AttributeInvalidData = "ATTRIBUTE_INVALID_DATA", 422, "Attribute contains invalid data";
    ArgInvalidChar = "ARG_INVALID_CHAR", 422, "Argument contains invalid characters";
    AttributeInvalidChar = "ATTRIBUTE_INVALID_CHAR", 422, "Attribute contains invalid characters";
    AttributeTruncated = "ATTRIBUTE_TRUNCATED", 422, "Attribute is too long";
    ArgTooLarge = "ARG_TOO_LARGE", 413, "Argument exceeds allowed size";
    ObjectNotExists = "OBJECT_NOT_EXISTS", 404, "Referenced object does not exist";
    ObjectExists = "OBJECT_EXISTS", 409, "Object already exists";
    SystemLimitExceeded = "SYSTEM_LIMIT_EXCEEDED", 409, "Maximum number exceeded";
    InvalidState = "INVALID_STATE", 409, "The state does not allow this";
    ResultTooLarge = "RESULT_TOO_LARGE", 413, "Result returned would be too large";
    InternalError = "INTERNAL_ERROR", 500, "Internal error while processing the request";
    NoSession = "NO_SESSION", 403, "No current session";
    InvalidObjectType = "INVALID_OBJECT_TYPE", 422, "Object is not of the right type";
    AccessDenied = "ACCESS_DENIED", 403, "Role or scope does not allow this";
    FailedAuthentication = "FAILED_AUTHENTICATION", 401, "The security token could not be authenticated or authorized";
    Malformed = "MALFORMED", 400, "The body cannot be read";
    TooLarge = "TOO_LARGE", 413, "The body is too big";
    NotFound = "NOT_FOUND", 404, "There is nothing at this address";
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, "The address does not take this HTTP method";
    TooManyRequests = "TOO_MANY_REQUESTS", 429, "Too many requests";
    PreconditionFailed = "PRECONDITION_FAILED", 412, "The object has changed";
    ServiceUnavailable = "SERVICE_UNAVAILABLE", 503, "The service is not available";
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", 422, "The idempotency key was used for another request";
    IdempotencyInProgress = "IDEMPOTENCY_IN_PROGRESS", 409, "The first call with this idempotency key is still running";
    TimeZoneSourceIgnored = "TIME_ZONE_SOURCE_IGNORED", 200, "timeZoneSource has no effect in a batch";
    ContactFiltered = "CONTACT_FILTERED", 200, "A contact was filtered";
    ItemFailed = "ITEM_FAILED", 200, "An item was refused";
}

use Code::*;

/// DV, and what the rows that fall back on it go on with.
const VALUE: &[Code] = &[
    AttributeInvalidData,
    ArgInvalidData,
    ArgInvalid,
    AttributeInvalid,
    AttributeInvalidFormat,
    ArgInvalidType,
    ObjectNotExists,
];

impl Row {
    /// The ladder of `api.md` 2.4: the first code of it that a method lists is the method's answer.
    fn ladder(self) -> (&'static [Code], &'static [Code]) {
        match self {
            Row::N => (&[ArgNull], &[]),
            Row::NV => (&[AttributeNull, ArgNull], &[]),
            Row::T => (
                &[
                    ArgInvalidType,
                    ArgInvalidData,
                    ArgInvalid,
                    AttributeInvalidData,
                    ObjectNotExists,
                ],
                &[],
            ),
            Row::DV => (VALUE, &[]),
            Row::DR => (
                &[
                    AttributeInvalid,
                    AttributeInvalidData,
                    ArgInvalidData,
                    ArgInvalid,
                ],
                VALUE,
            ),
            Row::DA => (
                &[
                    ArgInvalidData,
                    ArgInvalid,
                    AttributeInvalidData,
                    AttributeInvalid,
                ],
                VALUE,
            ),
            Row::SA => (&[ArgTooLarge, AttributeTruncated], VALUE),
            Row::SV => (&[AttributeTruncated, ArgTooLarge], VALUE),
            Row::C => (&[AttributeInvalidChar, ArgInvalidChar], VALUE),
            Row::F => (&[AttributeInvalidFormat], VALUE),
            Row::R => (&[ObjectNotExists], &[]),
            Row::U => (&[ObjectExists], &[]),
            Row::L => (&[SystemLimitExceeded], &[]),
            Row::I => (&[InvalidState], &[]),
            Row::Z => (&[ResultTooLarge], &[]),
        }
    }

    /// The code a method answers for this row; `listed` are the codes the seed lists for it, none = the natural code.
    pub fn code(self, listed: Option<&[Code]>) -> Code {
        let (first, then) = self.ladder();
        let natural = first[0];
        if matches!(self, Row::R | Row::U | Row::L | Row::I | Row::Z) {
            return natural;
        }
        let Some(listed) = listed else { return natural };
        first
            .iter()
            .chain(then)
            .copied()
            .find(|code| listed.contains(code))
            .unwrap_or(natural)
    }

    /// Its letters.
    pub fn text(self) -> &'static str {
        match self {
            Row::N => "N",
            Row::T => "T",
            Row::SA => "SA",
            Row::NV => "NV",
            Row::SV => "SV",
            Row::C => "C",
            Row::F => "F",
            Row::DV => "DV",
            Row::DR => "DR",
            Row::DA => "DA",
            Row::R => "R",
            Row::U => "U",
            Row::L => "L",
            Row::I => "I",
            Row::Z => "Z",
        }
    }
}

/// What a refused call is told: a row that the method turns into its code, or a code of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The row.
    pub row: Option<Row>,
    /// A code that is no row's.
    pub code: Option<Code>,
    /// Where.
    pub path: Path,
    /// The reason, as a clause: for the caller.
    pub reason: Cow<'static, str>,
}

impl Fault {
    /// A fault of a row.
    pub fn of(row: Row, path: Path, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            row: Some(row),
            code: None,
            path,
            reason: reason.into(),
        }
    }

    /// A fault with a code of its own.
    pub fn coded(code: Code, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            row: None,
            code: Some(code),
            path: Path::default(),
            reason: reason.into(),
        }
    }

    /// The caller's role or scope does not allow it.
    pub fn denied(path: Path) -> Self {
        Self {
            row: None,
            code: Some(AccessDenied),
            path,
            reason: Cow::Borrowed("role or scope does not allow this"),
        }
    }

    /// The code, by the codes a method lists.
    pub fn code(&self, listed: Option<&[Code]>) -> Code {
        match (self.code, self.row) {
            (Some(code), _) => code,
            (None, Some(row)) => row.code(listed),
            (None, None) => InternalError,
        }
    }

    /// The message for a code, with the place written as the door writes places.
    pub fn message(&self, code: Code, place: &str) -> String {
        let reason = &self.reason;
        match code {
            ArgNull => format!("Invalid Data, argument '{place}' must be non-null"),
            AttributeNull => format!("Attribute '{place}' must be non-null"),
            ArgInvalidType => format!("Argument is of invalid type '{place}': {reason}"),
            AttributeInvalidFormat => {
                format!("Attribute '{place}' has an invalid format: {reason}")
            }
            ArgInvalid => format!("Argument '{place}' is invalid, reason: {reason}"),
            AttributeInvalid => format!("Attribute '{place}' is invalid, reason: {reason}"),
            ArgInvalidData => format!("Argument '{place}' contains invalid data: {reason}"),
            AttributeInvalidData => format!("Attribute '{place}' contains invalid data: {reason}"),
            ArgInvalidChar | AttributeInvalidChar => {
                format!("'{place}' contains invalid characters")
            }
            AttributeTruncated => format!("'{place}' is too long: {reason}"),
            ArgTooLarge => {
                format!("Invalid Data, argument '{place}' exceeds allowed size: {reason}")
            }
            ObjectNotExists if place.is_empty() => "Referenced object does not exist".to_owned(),
            ObjectNotExists => format!("Referenced object '{place}' does not exist"),
            ObjectExists => format!("Object '{reason}' already exists"),
            ResultTooLarge => code.title().to_owned(),
            _ if reason.is_empty() => code.title().to_owned(),
            _ => reason.clone().into_owned(),
        }
    }
}

/// Why a call stopped: a fault for the caller, or a failure for the operator.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Stop {
    /// The caller is told.
    #[error("refused: {}", .0.reason)]
    Fault(Fault),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] store::Error),
    /// Something else of ours failed.
    #[error("{0}")]
    Internal(String),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What a handler answers.
pub type Outcome<T> = std::result::Result<T, Stop>;

#[cfg(test)]
mod tests {
    use super::*;

    /// The 39 methods' seed lists and the codes worked out from them (`api.md` 2.4): T, SA, NV, SV, C, F, DV, DR, DA.
    #[test]
    fn the_ladder_gives_the_worked_table() {
        let show = [ArgNull, ObjectNotExists];
        let type_only = [ArgInvalidType, ArgNull, ObjectNotExists];
        let type_and_attribute = [ArgInvalidType, ArgNull, AttributeNull, ObjectNotExists];
        let table: &[(&str, &[Code], [Code; 9])] = &[
            (
                "M1",
                &[
                    ArgInvalidData,
                    ArgNull,
                    ArgTooLarge,
                    AttributeNull,
                    ObjectExists,
                ],
                [
                    ArgInvalidData,
                    ArgTooLarge,
                    AttributeNull,
                    ArgTooLarge,
                    ArgInvalidData,
                    ArgInvalidData,
                    ArgInvalidData,
                    ArgInvalidData,
                    ArgInvalidData,
                ],
            ),
            (
                "M2",
                &[
                    ArgInvalidChar,
                    ArgInvalidData,
                    ArgNull,
                    ArgTooLarge,
                    AttributeNull,
                ],
                [
                    ArgInvalidData,
                    ArgTooLarge,
                    AttributeNull,
                    ArgTooLarge,
                    ArgInvalidChar,
                    ArgInvalidData,
                    ArgInvalidData,
                    ArgInvalidData,
                    ArgInvalidData,
                ],
            ),
            (
                "M3",
                &show,
                [
                    ObjectNotExists,
                    ObjectNotExists,
                    ArgNull,
                    ObjectNotExists,
                    ObjectNotExists,
                    ObjectNotExists,
                    ObjectNotExists,
                    ObjectNotExists,
                    ObjectNotExists,
                ],
            ),
            (
                "M4",
                &type_only,
                [
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgNull,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                ],
            ),
            (
                "M5",
                &[
                    ArgInvalidType,
                    ArgNull,
                    AttributeInvalidChar,
                    AttributeNull,
                    AttributeTruncated,
                ],
                [
                    ArgInvalidType,
                    AttributeTruncated,
                    AttributeNull,
                    AttributeTruncated,
                    AttributeInvalidChar,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                ],
            ),
            (
                "M6",
                &[ArgNull, AttributeNull, ObjectNotExists],
                [
                    ObjectNotExists,
                    ObjectNotExists,
                    AttributeNull,
                    ObjectNotExists,
                    ObjectNotExists,
                    ObjectNotExists,
                    ObjectNotExists,
                    ObjectNotExists,
                    ObjectNotExists,
                ],
            ),
            (
                "M9",
                &[
                    ArgInvalidChar,
                    ArgInvalidData,
                    ArgInvalidType,
                    ArgNull,
                    ArgTooLarge,
                ],
                [
                    ArgInvalidType,
                    ArgTooLarge,
                    ArgNull,
                    ArgTooLarge,
                    ArgInvalidChar,
                    ArgInvalidData,
                    ArgInvalidData,
                    ArgInvalidData,
                    ArgInvalidData,
                ],
            ),
            (
                "M12",
                &type_and_attribute,
                [
                    ArgInvalidType,
                    ArgInvalidType,
                    AttributeNull,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                ],
            ),
            (
                "M13",
                &[ArgInvalidChar, ArgInvalidData, ArgNull, ObjectNotExists],
                [
                    ArgInvalidData,
                    ArgInvalidData,
                    ArgNull,
                    ArgInvalidData,
                    ArgInvalidChar,
                    ArgInvalidData,
                    ArgInvalidData,
                    ArgInvalidData,
                    ArgInvalidData,
                ],
            ),
            (
                "M14",
                &[
                    ArgNull,
                    ArgInvalidType,
                    AttributeInvalidChar,
                    AttributeInvalidFormat,
                    AttributeNull,
                    AttributeTruncated,
                    ObjectNotExists,
                ],
                [
                    ArgInvalidType,
                    AttributeTruncated,
                    AttributeNull,
                    AttributeTruncated,
                    AttributeInvalidChar,
                    AttributeInvalidFormat,
                    AttributeInvalidFormat,
                    AttributeInvalidFormat,
                    AttributeInvalidFormat,
                ],
            ),
            (
                "M18",
                &[
                    ArgNull,
                    AttributeInvalidChar,
                    AttributeInvalidData,
                    AttributeNull,
                    AttributeTruncated,
                    ObjectNotExists,
                ],
                [
                    AttributeInvalidData,
                    AttributeTruncated,
                    AttributeNull,
                    AttributeTruncated,
                    AttributeInvalidChar,
                    AttributeInvalidData,
                    AttributeInvalidData,
                    AttributeInvalidData,
                    AttributeInvalidData,
                ],
            ),
            (
                "M23",
                &[
                    ArgInvalidType,
                    ArgNull,
                    ArgTooLarge,
                    ObjectExists,
                    ObjectNotExists,
                ],
                [
                    ArgInvalidType,
                    ArgTooLarge,
                    ArgNull,
                    ArgTooLarge,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                    ArgInvalidType,
                ],
            ),
            (
                "M32",
                &[ArgInvalid, ArgInvalidType, ArgNull, ObjectNotExists],
                [
                    ArgInvalidType,
                    ArgInvalid,
                    ArgNull,
                    ArgInvalid,
                    ArgInvalid,
                    ArgInvalid,
                    ArgInvalid,
                    ArgInvalid,
                    ArgInvalid,
                ],
            ),
            (
                "M35",
                &[
                    AttributeInvalidData,
                    AttributeInvalidFormat,
                    ArgNull,
                    ObjectNotExists,
                    AttributeNull,
                    NoSession,
                ],
                [
                    AttributeInvalidData,
                    AttributeInvalidData,
                    AttributeNull,
                    AttributeInvalidData,
                    AttributeInvalidData,
                    AttributeInvalidFormat,
                    AttributeInvalidData,
                    AttributeInvalidData,
                    AttributeInvalidData,
                ],
            ),
            (
                "M38",
                &[
                    ArgInvalidType,
                    ArgNull,
                    ObjectExists,
                    ObjectNotExists,
                    ArgInvalidData,
                    AttributeNull,
                    AttributeInvalid,
                    AttributeInvalidData,
                ],
                [
                    ArgInvalidType,
                    AttributeInvalidData,
                    AttributeNull,
                    AttributeInvalidData,
                    AttributeInvalidData,
                    AttributeInvalidData,
                    AttributeInvalidData,
                    AttributeInvalid,
                    ArgInvalidData,
                ],
            ),
        ];
        let rows = [
            Row::T,
            Row::SA,
            Row::NV,
            Row::SV,
            Row::C,
            Row::F,
            Row::DV,
            Row::DR,
            Row::DA,
        ];
        for (method, listed, expected) in table {
            let codes: Vec<Code> = rows.iter().map(|row| row.code(Some(listed))).collect();
            assert_eq!(codes, expected, "{method}");
        }
    }

    #[test]
    fn natural_codes_are_the_first_of_each_ladder() {
        assert_eq!(Row::DA.code(None), ArgInvalidData);
        assert_eq!(Row::SV.code(None), AttributeTruncated);
        assert_eq!(Row::Z.code(Some(&[])), ResultTooLarge);
    }
}
