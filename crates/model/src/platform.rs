//! Small entities of the platform that are answered and never kept (`entities.md` 2): what an Org can do, who calls, and
//! what a caller proves itself with on a page.

use crate::{Moment, OrgId, UserId};
use serde::{Deserialize, Serialize};

/// A Capability of an Org: up to five components of its name, the widest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// Whose it is.
    pub subject: OrgId,
    /// component1 … component5; missing ones are at the end.
    pub components: [Option<String>; 5],
}

/// A Session: the caller of this moment. No call depends on an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who calls.
    pub user: UserId,
    /// When the call was taken.
    pub start_time: Moment,
}

/// A signed, short-lived proof of who a User is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityToken {
    /// When it was made.
    pub timestamp: Moment,
    /// Over the timestamp, the User and the address.
    pub signature: String,
    /// Milliseconds that it holds.
    pub time_to_live: i64,
    /// The end of that time, in milliseconds since 1970.
    pub expires: i64,
    /// Where it is presented.
    pub url: Option<String>,
    /// Whom it stands for.
    pub user: Option<UserId>,
    /// Whether it was found good; none = not looked at.
    pub valid: Option<bool>,
}
