//! What the status page shows: rates and waiting contacts of every run that is not done.

use crate::context::Contexts;
use crate::pace::Pacer;
use carillon_model::{LimitedBy, Moment, SubCampaignId, SubCampaignState};
use serde::Serialize;

/// The engine at a moment.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Status {
    /// When.
    pub at: Moment,
    /// Runs that are not done, by id.
    pub runs: Vec<RunStatus>,
    /// Whether the engine dials; false while it reconciles or the store cannot be written.
    pub dialling: bool,
    /// Why the store could not be written last, while it cannot.
    pub trouble: Option<String>,
}

/// A run.
#[derive(Debug, Clone, Serialize)]
pub struct RunStatus {
    /// Its id.
    pub id: SubCampaignId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: SubCampaignState,
    /// Contacts that wait.
    pub waiting: i64,
    /// Orders placed and not answered.
    pub unanswered: i64,
    /// Lanes in which somebody waits.
    pub lanes: usize,
    /// Those of them that are open.
    pub open_lanes: usize,
    /// The next moment at which a closed one opens.
    pub next_opening: Option<Moment>,
    /// Its passes, in order.
    pub passes: Vec<PassStatus>,
}

/// A pass.
#[derive(Debug, Clone, Serialize)]
pub struct PassStatus {
    /// Its name.
    pub name: String,
    /// Contacts a minute at present, one decimal.
    pub contacts_per_minute: f64,
    /// What set that rate.
    pub limited_by: LimitedBy,
    /// Contacts that wait in it.
    pub waiting: i64,
}

impl Status {
    pub(crate) fn of(contexts: &mut Contexts, pacer: &Pacer, now: Moment) -> Self {
        let mut runs = Vec::new();
        for id in contexts.live().to_vec() {
            let Some(context) = contexts.held(id) else {
                continue;
            };
            let waiting = || context.lanes.values().filter(|lane| lane.waiting > 0);
            let openings = || waiting().filter_map(|lane| lane.opening);
            let passes = context.passes().iter().enumerate().map(|(index, pass)| {
                let rate = pacer.rate((id, index as u16));
                let lanes = context
                    .lanes
                    .range((index as u16, 0)..=(index as u16, u32::MAX));
                PassStatus {
                    name: pass.name.clone(),
                    contacts_per_minute: rate.map_or(0.0, |rate| rate.shown()),
                    limited_by: rate.map_or(LimitedBy::None, |rate| rate.limited_by),
                    waiting: lanes.map(|(_, lane)| lane.waiting).sum(),
                }
            });
            runs.push(RunStatus {
                id,
                name: context.sub_campaign.base.external_id.clone(),
                state: context.run.state,
                waiting: context.waiting(),
                unanswered: context.unanswered,
                lanes: waiting().count(),
                open_lanes: openings().filter(|opening| opening.is_open()).count(),
                next_opening: openings()
                    .filter_map(|opening| match opening {
                        carillon_admission::Opening::Closed { until, .. } => Some(until),
                        _ => None,
                    })
                    .min(),
                passes: passes.collect(),
            });
        }
        Self {
            at: now,
            runs,
            dialling: true,
            trouble: None,
        }
    }
}
