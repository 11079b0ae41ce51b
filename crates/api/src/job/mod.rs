//! PlatformManagementService: Jobs.

pub mod list;
pub mod result;
pub mod show;
