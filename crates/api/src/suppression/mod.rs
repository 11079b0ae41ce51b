//! ContactManagementService: suppression entries.

pub mod add;
pub mod list;
pub mod remove;
