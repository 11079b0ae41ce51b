//! How many attempts may start now (`entities.md` 13.1 to 13.3): each pass wants a rate, caps cut it, a spread turns it
//! into permits. The arithmetic is `carillon-pacing`; here it is fed with what the engine has counted.

use crate::carriers::Carriers;
use crate::context::{Contexts, RunContext};
use crate::limits::PACE_EVERY;
use carillon_admission::Opening;
use carillon_model::counter::{Counters, Subject};
use carillon_model::{
    ChannelType, LimitedBy, Moment, OrgId, PacingType, SubCampaignId, SubCampaignType,
};
use carillon_pacing::auto::{self, Goal, Pace};
use carillon_pacing::cap::{Demand, Rate, limit_all};
use carillon_pacing::{Spread, fixed, window};
use carillon_store::{Result, Snapshot};
use std::collections::BTreeMap;

/// Finished attempts before which no share of failures is reckoned from them.
const FINISHED_MIN: i64 = 20;
/// Windows looked ahead for the open minutes left: 30 days with some closures each.
const WINDOWS_MAX: usize = 100;

/// A pass of a run.
pub type PassOf = (SubCampaignId, u16);

/// The pace of one pass.
struct PassPace {
    auto: Pace<u32>,
    spread: Spread,
    rate: Rate,
    /// Mode Auto in a batch under no cap: what is due goes at once.
    unpaced: bool,
    /// By how much each lane is ahead or behind of its share.
    credits: BTreeMap<u32, f64>,
}

impl Default for PassPace {
    fn default() -> Self {
        Self {
            auto: Pace::default(),
            spread: Spread::default(),
            rate: Rate::NO_CONTACTS,
            unpaced: false,
            credits: BTreeMap::new(),
        }
    }
}

/// The paces of all running passes.
#[derive(Default)]
pub struct Pacer {
    passes: BTreeMap<PassOf, PassPace>,
    reckoned: Option<Moment>,
}

impl Pacer {
    /// Reckons the rates anew when something asks for it, or a minute has passed.
    pub fn reckon<S: Snapshot + ?Sized>(
        &mut self,
        snapshot: &S,
        contexts: &mut Contexts,
        carriers: &Carriers,
        now: Moment,
    ) -> Result<()> {
        let changed = contexts
            .iter_mut()
            .any(|context| context.pace_changed || context.pace_stale);
        let aged = self.reckoned.is_none_or(|at| now.since(at) >= PACE_EVERY);
        if !changed && !aged {
            return Ok(());
        }
        self.reckoned = Some(now);
        let mut demands = Vec::new();
        let mut wanting = Vec::new();
        let mut maxima: BTreeMap<(OrgId, ChannelType), Option<f64>> = BTreeMap::new();
        for id in contexts.live().to_vec() {
            let Some(context) = contexts.held(id) else {
                continue;
            };
            if !context.run.may_attempt() {
                self.passes.retain(|pass, _| pass.0 != id);
                context.pace_stale = false;
                continue;
            }
            let failing = failing_shares(snapshot, context)?;
            for (index, failing) in failing.into_iter().enumerate() {
                let index = index as u16;
                let Some(wanted) = self.wanted(context, index, failing, now) else {
                    continue;
                };
                let pass = context.pass(index).expect("counted from the passes");
                let account = (context.run.account, pass.channel);
                maxima.insert(account, account_maximum(context, pass.channel));
                demands.push(Demand {
                    wanted,
                    pass_maximum: pass.max_contacts_per_minute,
                    account,
                    carrier: (pass.channel, context.is_emulated()),
                });
                wanting.push((id, index));
            }
            context.pace_changed = false;
            context.pace_stale = false;
        }
        let rates = limit_all(
            &demands,
            |account| maxima.get(&account).copied().flatten(),
            |(channel, emulated)| carriers.rate_per_minute(channel, emulated),
        );
        self.passes.retain(|pass, _| wanting.contains(pass));
        for (pass, rate) in wanting.into_iter().zip(rates) {
            let unpaced = contexts.held(pass.0).is_some_and(|context| {
                context.run.run_type == SubCampaignType::OnDemand
                    && context.pass(pass.1).and_then(|pass| pass.pacing) == Some(PacingType::Auto)
            });
            let pace = self.passes.entry(pass).or_default();
            pace.rate = rate;
            pace.unpaced = unpaced && rate.limited_by == LimitedBy::None;
        }
        Ok(())
    }

    /// What a pass wants before any cap; none when it takes no pace.
    fn wanted(
        &mut self,
        context: &mut RunContext,
        index: u16,
        failing: f64,
        now: Moment,
    ) -> Option<f64> {
        let pass = context.pass(index)?.clone();
        let intensity = context.sub_campaign.intensity;
        let waiting: Vec<(u32, i64)> = context
            .lanes
            .range((index, 0)..=(index, u32::MAX))
            .filter(|(_, lane)| lane.waiting > 0)
            .map(|((_, number), lane)| (*number, lane.waiting))
            .collect();
        let in_all: i64 = waiting.iter().map(|(_, contacts)| *contacts).sum();
        let batch = context.run.run_type == SubCampaignType::OnDemand;
        match pass.pacing? {
            PacingType::Fixed => {
                let rate = fixed::rate(pass.contacts_per_minute.unwrap_or_default(), intensity);
                Some(if in_all > 0 { rate } else { 0.0 })
            }
            PacingType::Auto if batch => Some(auto::batch_rate(in_all as f64)),
            PacingType::Auto => {
                let retries = expected_attempts(failing, pass.max_attempts);
                let pace = self.passes.entry((context.run.id, index)).or_default();
                if context.pace_changed {
                    pace.auto = Pace::default();
                }
                for (lane, _) in &waiting {
                    if pace.auto.minutes_to_go(*lane, now).is_none() {
                        let goal = goal(context, index, *lane, pass.completion_time, now);
                        pace.auto.set(*lane, goal, intensity, now);
                    }
                }
                let remaining = waiting
                    .iter()
                    .map(|(lane, contacts)| (*lane, *contacts as f64 * retries));
                Some(pace.auto.rate(remaining, now))
            }
            // Agents are not served by this version; such passes are refused when they are made.
            PacingType::Agent => None,
        }
    }

    /// Permits of a pass at `now`, at most `wanted`.
    pub fn permits(&mut self, pass: PassOf, wanted: usize, now: Moment) -> usize {
        let Some(pace) = self.passes.get_mut(&pass) else {
            return 0;
        };
        if pace.unpaced {
            return wanted;
        }
        let permits = pace.spread.permits(pace.rate.contacts_per_minute, now) as usize;
        if permits > wanted {
            pace.spread.give_back((permits - wanted) as u32);
        }
        permits.min(wanted)
    }

    /// Permits that were not used.
    pub fn give_back(&mut self, pass: PassOf, permits: usize) {
        if let Some(pace) = self.passes.get_mut(&pass)
            && !pace.unpaced
        {
            pace.spread.give_back(permits as u32);
        }
    }

    /// When a pass has its next permit.
    pub fn next_permit(&self, pass: PassOf, now: Moment) -> Option<Moment> {
        let pace = self.passes.get(&pass)?;
        if pace.unpaced {
            return Some(now);
        }
        pace.spread
            .next_permit_at(pace.rate.contacts_per_minute, now)
    }

    /// The present rate of a pass.
    pub fn rate(&self, pass: PassOf) -> Option<Rate> {
        self.passes.get(&pass).map(|pace| pace.rate)
    }

    /// Shares permits out among the lanes of a pass: in mode Auto by what each zone wants, else by how many wait. What a
    /// lane is owed in fractions stays its credit, so that the shares come true over time.
    pub fn share(
        &mut self,
        pass: PassOf,
        lanes: &[(u32, i64)],
        permits: usize,
        now: Moment,
    ) -> Vec<usize> {
        let Some(pace) = self.passes.get_mut(&pass) else {
            return vec![0; lanes.len()];
        };
        let mut weights: Vec<f64> = lanes
            .iter()
            .map(|(lane, waiting)| pace.auto.zone_rate(*lane, *waiting as f64, now))
            .collect();
        if weights.iter().sum::<f64>() <= 0.0 {
            weights = lanes.iter().map(|(_, waiting)| *waiting as f64).collect();
        }
        let sum: f64 = weights.iter().sum();
        pace.credits
            .retain(|lane, _| lanes.iter().any(|(known, _)| known == lane));
        let mut credits: Vec<f64> = lanes
            .iter()
            .zip(&weights)
            .map(|((lane, _), weight)| {
                let owed = if sum > 0.0 {
                    permits as f64 * weight / sum
                } else {
                    0.0
                };
                pace.credits.get(lane).copied().unwrap_or(0.0) + owed
            })
            .collect();
        let mut shares: Vec<usize> = credits
            .iter()
            .map(|credit| (credit.max(0.0).floor() as usize).min(permits))
            .collect();
        let mut left = permits.saturating_sub(shares.iter().sum());
        let mut order: Vec<usize> = (0..lanes.len()).collect();
        order.sort_by(|a, b| {
            let rest = |index: usize| credits[index] - shares[index] as f64;
            rest(*b).total_cmp(&rest(*a))
        });
        for index in order {
            if left == 0 {
                break;
            }
            shares[index] += 1;
            left -= 1;
        }
        for ((lane, _), (credit, share)) in lanes.iter().zip(credits.iter_mut().zip(&shares)) {
            // A lane that could not use its share is not owed it for ever.
            pace.credits
                .insert(*lane, (*credit - *share as f64).clamp(-1.0, 1.0));
        }
        shares
    }
}

/// The share of finished contacts that failed, for each pass.
fn failing_shares<S: Snapshot + ?Sized>(snapshot: &S, context: &RunContext) -> Result<Vec<f64>> {
    let passes = context.passes();
    if passes.iter().all(|pass| pass.max_attempts <= 1) {
        return Ok(vec![0.0; passes.len()]);
    }
    let subjects: Vec<Subject> = (0..passes.len())
        .map(|index| Subject::pass(context.run.id, index as u16))
        .collect();
    let share = |counters: &Counters| {
        let finished = counters.delivered + counters.failed;
        if finished < FINISHED_MIN {
            0.0
        } else {
            counters.failed as f64 / finished as f64
        }
    };
    Ok(snapshot.counters(&subjects)?.iter().map(share).collect())
}

/// Attempts expected for one first attempt: 1 + p + p² …
fn expected_attempts(failing: f64, max_attempts: u16) -> f64 {
    (0..max_attempts.max(1))
        .map(|power| failing.powi(i32::from(power)))
        .sum()
}

fn account_maximum(context: &RunContext, channel: ChannelType) -> Option<f64> {
    let settings = &context.account.settings;
    match channel {
        ChannelType::Text => settings.max_attempts_per_minute_text,
        ChannelType::Email => settings.max_attempts_per_minute_email,
        ChannelType::Voice | ChannelType::Dialer | ChannelType::Preview => {
            settings.max_attempts_per_minute_voice
        }
        ChannelType::Manual | ChannelType::Web => None,
    }
    .map(f64::from)
}

/// Open minutes of a lane until its goal: completionTime, else the close of its last window.
fn goal(
    context: &mut RunContext,
    pass: u16,
    lane: u32,
    completion: Option<Moment>,
    now: Moment,
) -> Goal {
    let is_open = context
        .opening(pass, lane, now)
        .is_some_and(|opening| opening.is_open());
    let windows = context.windows(pass, lane, now, WINDOWS_MAX);
    let until = completion.unwrap_or(Moment::NEVER);
    Goal {
        open_minutes: window::open_minutes(&windows, now, until),
        is_open,
    }
}

impl RunContext {
    /// Whether nothing of its Account leaves the system.
    pub fn is_emulated(&self) -> bool {
        self.account.settings.emulate_outreach.unwrap_or(false)
    }

    /// The windows of a lane from now on, in order.
    pub fn windows(
        &self,
        pass: u16,
        lane: u32,
        now: Moment,
        limit: usize,
    ) -> Vec<carillon_pacing::Window> {
        let mut windows = Vec::new();
        let (Some(key), Some(settings)) = (self.lane_key(lane), self.pass(pass)) else {
            return windows;
        };
        let stand_in = key.is_mixed().then(|| self.rules.stand_in(key, settings));
        let key = stand_in.as_ref().unwrap_or(key);
        let mut at = now;
        for _ in 0..limit {
            let next = match self.rules.opening(key, settings, self.start(at), at) {
                Opening::Open { until } => {
                    windows.push(carillon_pacing::Window {
                        from: at,
                        to: until,
                    });
                    until
                }
                Opening::Closed { until, .. } => until,
                Opening::Over { .. } | Opening::Denied { .. } => break,
            };
            if next <= at || next >= Moment::NEVER {
                break;
            }
            at = next;
        }
        windows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_expected_by_the_share_that_fails() {
        assert_eq!(expected_attempts(0.0, 5), 1.0);
        assert_eq!(expected_attempts(0.5, 3), 1.75);
        assert_eq!(expected_attempts(0.5, 1), 1.0);
    }

    #[test]
    fn permits_are_shared_by_weight_over_time() {
        let mut pacer = Pacer::default();
        let pass = (SubCampaignId(1), 0);
        pacer.passes.insert(pass, PassPace::default());
        let mut given = [0usize; 2];
        for _ in 0..300 {
            let shares = pacer.share(pass, &[(1, 200), (2, 100)], 1, Moment(0));
            assert_eq!(shares.iter().sum::<usize>(), 1);
            given[0] += shares[0];
            given[1] += shares[1];
        }
        assert!((195..=205).contains(&given[0]), "{given:?}");
        assert_eq!(pacer.share(pass, &[(1, 1)], 7, Moment(0)), [7]);
    }
}
