//! ContactManagementService: contacts.

pub mod find;
pub mod list;
pub mod show;
