//! PlatformManagementService: Jobs.

pub mod cancel;
pub mod list;
pub mod result;
pub mod show;
