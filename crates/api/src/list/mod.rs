//! ContactManagementService: Lists.

pub mod add_contacts;
pub mod change;
pub mod create;
pub mod import_stream;
pub mod import_string;
pub mod list;
pub mod show;
