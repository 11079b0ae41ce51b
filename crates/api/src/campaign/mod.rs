//! CampaignManagementService: Campaigns.

pub mod create;
pub mod list;
pub mod show;
