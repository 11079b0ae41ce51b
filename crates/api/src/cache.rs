//! What many calls read and few change, kept in memory: the rules that bind a Campaign's runs, and Scripts ready to speak.
//! Both are proven fresh by the store: rules by the number of changes to them, Scripts because they never change.

use carillon_admission::{RuleSet, Said};
use carillon_model::campaign::Campaign;
use carillon_model::org::Resolved;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{ScriptId, SubCampaignType, TimeZoneSource};
use carillon_store::meta::Topic;
use carillon_store::{Result, Transaction};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Entries of each kind; past it all are dropped and read again.
const ENTRIES_MAX: usize = 1_000;

/// Of which run the rules are.
type RulesKey = (i64, i64, SubCampaignType, TimeZoneSource);

/// The caches of a process.
#[derive(Default)]
pub struct Cache {
    rules: Mutex<HashMap<RulesKey, (u64, Arc<RuleSet>)>>,
    scripts: Mutex<HashMap<ScriptId, Arc<Said>>>,
}

impl Cache {
    /// What binds the runs of a Campaign. A unit that has changed rules itself must not ask.
    pub fn rules(
        &self,
        transaction: &dyn Transaction,
        account: &Resolved,
        campaign: &Campaign,
        sub_campaign: &SubCampaign,
    ) -> Result<Arc<RuleSet>> {
        let key = (
            account.org.base.internal_id,
            campaign.base.internal_id,
            sub_campaign.sub_campaign_type,
            sub_campaign.time_zone_source,
        );
        let epoch = transaction.epoch(Topic::Rules)?;
        let known = self
            .rules
            .lock()
            .expect("no panic holds this lock")
            .get(&key)
            .cloned();
        if let Some((_, rules)) = known.filter(|(read, _)| *read == epoch) {
            return Ok(rules);
        }
        let rules = Arc::new(RuleSet::load(transaction, account, campaign, sub_campaign)?);
        let mut kept = self.rules.lock().expect("no panic holds this lock");
        if kept.len() >= ENTRIES_MAX {
            kept.clear();
        }
        kept.insert(key, (epoch, Arc::clone(&rules)));
        Ok(rules)
    }

    /// A Script, ready to speak.
    pub fn said(&self, transaction: &dyn Transaction, id: ScriptId) -> Result<Option<Arc<Said>>> {
        if let Some(said) = self
            .scripts
            .lock()
            .expect("no panic holds this lock")
            .get(&id)
        {
            return Ok(Some(Arc::clone(said)));
        }
        let Some(said) = Said::load(transaction, id)? else {
            return Ok(None);
        };
        let said = Arc::new(said);
        let mut kept = self.scripts.lock().expect("no panic holds this lock");
        if kept.len() >= ENTRIES_MAX {
            kept.clear();
        }
        kept.insert(id, Arc::clone(&said));
        Ok(Some(said))
    }
}
