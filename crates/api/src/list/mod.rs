//! ContactManagementService: Lists.

pub mod add_contacts;
pub mod change;
pub mod create;
pub mod import_stream;
pub mod import_string;
#[expect(
    clippy::module_inception,
    reason = "a folder is <resource>/<verb>, and the verb is list"
)]
pub mod list;
pub mod show;
