//! PlatformManagementService: the system and its audit trail.

pub mod list_events;
pub mod show_info;
