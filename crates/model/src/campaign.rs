//! Campaigns: a name under which SubCampaigns and batches run, with their defaults.

use crate::entity::Base;
use crate::sub_campaign::Template;
use crate::{AgentGroupId, CampaignId, ListId, OrgId, RuleId, ScriptId, StrategyId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A Campaign (`entities.md` 4.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Base fields.
    pub base: Base,
    /// The Account that owns it.
    pub owner: OrgId,
    /// Free text.
    pub description: Option<String>,
    /// Agent group of SubCampaigns and batches that name none.
    pub default_agent_group: Option<AgentGroupId>,
    /// Strategy of SubCampaigns that name none.
    pub default_strategy: Option<StrategyId>,
    /// Script taken before the strategy's.
    pub default_script: Option<ScriptId>,
    /// What new SubCampaigns take where they are told nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_sub_campaign: Option<Box<Template>>,
    /// Phone shown to the people called.
    pub caller_id: Option<String>,
    /// Short code or number of texts, from address of e-mails.
    pub source_address: Option<String>,
    /// Suppression lists beside the required ones.
    pub suppression_lists: Vec<ListId>,
    /// Not-required rules chosen here.
    pub compliance_rules: Vec<RuleId>,
    /// First day, inclusive, in the Account's zone.
    pub start_date: Option<Date>,
    /// Last day, inclusive, in the Account's zone.
    pub end_date: Option<Date>,
}

crate::entity!(Campaign, Campaign, CampaignId, |campaign| campaign.owner.0);

impl Campaign {
    /// Whether its last day is over on `today` (in the Account's zone).
    pub fn is_expired(&self, today: Date) -> bool {
        self.end_date.is_some_and(|end| end < today)
    }

    /// Whether new SubCampaigns and batches may be made on `today`.
    pub fn is_open(&self, today: Date) -> bool {
        !self.is_expired(today) && self.start_date.is_none_or(|start| start <= today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Moment, UserId};

    #[test]
    fn documents_of_before_can_still_be_read() {
        let campaign = Campaign {
            base: Base::new(1, "October", Moment(0), UserId(2)),
            owner: OrgId(3),
            description: None,
            default_agent_group: None,
            default_strategy: None,
            default_script: None,
            template_sub_campaign: None,
            caller_id: None,
            source_address: None,
            suppression_lists: Vec::new(),
            compliance_rules: Vec::new(),
            start_date: None,
            end_date: None,
        };
        let before = serde_json::to_value(&campaign).expect("JSON");
        assert!(before.get("template_sub_campaign").is_none());
        assert_eq!(
            serde_json::from_value::<Campaign>(before).ok(),
            Some(campaign.clone())
        );
        let template = Template {
            intensity: Some(120),
            ..Template::default()
        };
        let now = Campaign {
            template_sub_campaign: Some(Box::new(template)),
            ..campaign
        };
        let text = serde_json::to_string(&now).expect("JSON");
        assert_eq!(serde_json::from_str::<Campaign>(&text).ok(), Some(now));
    }
}
