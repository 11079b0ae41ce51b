//! CampaignManagementService: ContactAttempts.

pub mod list;
pub mod show;
