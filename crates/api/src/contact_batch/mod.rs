//! CampaignManagementService: ContactBatches.

pub mod change_state;
pub mod create;
pub mod show_state;
