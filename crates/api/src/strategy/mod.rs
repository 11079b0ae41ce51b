//! CampaignManagementService: OutreachStrategies.

pub mod create;
pub mod show;
