//! CampaignManagementService: Scripts.

pub mod create;
pub mod list;
pub mod test;
