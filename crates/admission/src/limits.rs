//! Bounds of admission, each with its reason.

/// Rules read for one Org: the limit of an Org and as many again for what older limits allowed.
pub const RULES_PER_ORG_MAX: usize = 2 * carillon_model::limits::COMPLIANCE_RULES_MAX;
/// Suppression lists read for one Org.
pub const LISTS_PER_ORG_MAX: usize = 10_000;
/// Orgs above one another: SuperEnterprise, Enterprise, Account; more would be a damaged store.
pub const ORG_DEPTH_MAX: usize = 8;
/// Contacts of a batch that are withdrawn in one piece.
pub const RETIRE_MAX: usize = 200;
/// Contacts with the same first device looked at when a duplicate in a batch is sought.
pub const SAME_DEVICE_MAX: usize = 64;
/// Distance of the ranks of a batch of priority 1. Divisible by 1 … 10, so that the shares are exact.
pub const RANK_SPAN: i64 = 2_520;
