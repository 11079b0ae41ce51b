//! Bounds of admission, each with its reason.

/// Rules read for one Org: the limit of an Org and as many again for what older limits allowed.
pub const RULES_PER_ORG_MAX: usize = 2 * carillon_model::limits::COMPLIANCE_RULES_MAX;
/// Suppression lists read for one Org.
pub const LISTS_PER_ORG_MAX: usize = 10_000;
/// Orgs above one another: SuperEnterprise, Enterprise, Account; more would be a damaged store.
pub const ORG_DEPTH_MAX: usize = 8;
/// Lanes of a run. A national list has some hundred; what postal codes named by rules or days of batches make beyond this
/// shares mixed lanes, so that looking over the lanes of a run stays a small part of a tick.
pub const LANES_MAX: usize = 2_000;
/// Contacts of a batch that are withdrawn in one piece.
pub const RETIRE_MAX: usize = 200;
/// Contacts with the same first device looked at when a duplicate in a batch is sought.
pub const SAME_DEVICE_MAX: usize = 64;
/// Distance of the ranks of a batch of priority 1. Divisible by 1 … 10, so that the shares are exact.
pub const RANK_SPAN: i64 = 2_520;
/// Contacts with one Client ID whose attempts are counted, the newest: each List and each import may hold one.
pub const CONTACTS_OF_CLIENT_MAX: usize = 1_000;
/// Contacts whose attempts are read by one query.
pub const PAST_CONTACTS_PIECE: usize = 500;
/// Attempts of the past read by one query.
pub const PAST_PAGE: usize = 1_000;
/// Such queries for one device or one piece of contacts, the oldest attempts first: a number that was dialled so often in
/// one period has met any cap a rule can reasonably set.
pub const PAST_PAGES_MAX: usize = 20;
