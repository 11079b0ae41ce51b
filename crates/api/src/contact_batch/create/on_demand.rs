//! The OnDemand SubCampaign in which a batch runs: one per Campaign, strategy version and Account day (`entities.md` 11).

use crate::context::Context;
use crate::fault::{Outcome, Stop};
use carillon_model::campaign::Campaign;
use carillon_model::entity::Base;
use carillon_model::org::Resolved;
use carillon_model::pass::Pass;
use carillon_model::run::{Load, Run};
use carillon_model::script::Script;
use carillon_model::strategy::Strategy;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    CampaignId, OrgId, PassId, PassState, ScriptId, StrategyId, SubCampaignId, SubCampaignState,
    SubCampaignType, TimeZoneSource,
};
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Transaction};

/// Characters of the strategy's name in the name of the SubCampaign.
const STRATEGY_CHARACTERS: usize = 40;

/// The SubCampaign for a batch of today, made by the first one, and running again for a later one.
pub fn home(
    transaction: &mut dyn Transaction,
    context: &Context,
    account: &Resolved,
    campaign: &Campaign,
    strategy: &Strategy,
    script: &Script,
) -> Outcome<(SubCampaign, Run)> {
    let day = context
        .zone(account)
        .time_zone()
        .to_datetime(context.now.timestamp());
    let day = day.strftime("%b%d_%y").to_string();
    let cut: String = strategy
        .base
        .external_id
        .chars()
        .take(STRATEGY_CHARACTERS)
        .collect();
    for version in 1u32.. {
        let name = format!("OnD_{}_{day}_v{version}", cut.trim_end());
        let Some(found) = transaction.find::<SubCampaign>(campaign.base.internal_id, &name)? else {
            return make(
                transaction,
                context,
                account,
                campaign,
                strategy,
                script,
                &name,
            );
        };
        if found.outreach_strategy != Some(StrategyId(strategy.base.internal_id))
            || !same_passes(&found.passes, &strategy.passes)
        {
            continue;
        }
        let id = SubCampaignId(found.base.internal_id);
        let mut run = transaction
            .run(id)?
            .ok_or_else(|| Stop::Internal(format!("the SubCampaign {id} has no run")))?;
        match run.state {
            SubCampaignState::Running | SubCampaignState::Paused => {}
            // A stop that is under way takes the batches it found; this one is not among them.
            SubCampaignState::Stopping => continue,
            _ => {
                run.end_time = None;
                run.awaiting_until = None;
                run.set_pass_states(|_| PassState::Pending);
                run.set_state(SubCampaignState::Running);
                transaction.put_run(&run)?;
            }
        }
        return Ok((found, run));
    }
    Err(Stop::Internal("every name is taken".into()))
}

/// Whether a SubCampaign's passes are those of the strategy as it is now.
fn same_passes(own: &[Pass], of_strategy: &[Pass]) -> bool {
    let bare = |pass: &Pass| Pass {
        id: PassId(0),
        ..pass.clone()
    };
    own.len() == of_strategy.len()
        && own
            .iter()
            .zip(of_strategy)
            .all(|(one, other)| bare(one) == bare(other))
}

fn make(
    transaction: &mut dyn Transaction,
    context: &Context,
    account: &Resolved,
    campaign: &Campaign,
    strategy: &Strategy,
    script: &Script,
    name: &str,
) -> Outcome<(SubCampaign, Run)> {
    let id = transaction.take_ids(1 + strategy.passes.len() as u64)?;
    let mut passes = strategy.passes.clone();
    for (index, pass) in passes.iter_mut().enumerate() {
        pass.id = PassId(id + 1 + index as i64);
    }
    let owner = OrgId(account.org.base.internal_id);
    let found = SubCampaign {
        base: Base::new(id, name, context.now, context.caller.user_id()),
        campaign: CampaignId(campaign.base.internal_id),
        owner,
        sub_campaign_type: SubCampaignType::OnDemand,
        list: None,
        script: Some(ScriptId(script.base.internal_id)),
        agent_groups: Vec::new(),
        outreach_strategy: Some(StrategyId(strategy.base.internal_id)),
        escalation_type: strategy.escalation_type,
        passes,
        intensity: 100,
        start_time: context.now,
        time_zone: account.settings.zone_name().to_owned(),
        time_zone_source: TimeZoneSource::ContactThenDevice,
        filter: None,
        contact_order: Vec::new(),
        auto_start: true,
        summary_report: false,
        awaiting_hours: 24,
    };
    let run = Run {
        id: SubCampaignId(id),
        account: owner,
        campaign: found.campaign,
        run_type: SubCampaignType::OnDemand,
        state: SubCampaignState::Running,
        held: false,
        start_time: context.now,
        end_time: None,
        passes: vec![PassState::Pending; found.passes.len()],
        load: Load {
            contact_after: 0,
            done: true,
        },
        awaiting_until: None,
        version: 1,
    };
    transaction.insert(&found)?;
    transaction.put_run(&run)?;
    Ok((found, run))
}
