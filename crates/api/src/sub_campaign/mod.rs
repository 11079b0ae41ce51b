//! CampaignManagementService: SubCampaigns.

pub mod change_state;
pub mod create;
pub mod list_states;
pub mod show_state;
