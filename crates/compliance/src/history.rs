//! What was tried before with a person or a device: the facts that Attempt and ContactHistory rules count, and the
//! periods in which they count.
//!
//! The caller reads the ledger in the transaction that writes the next attempt; here nothing is read. An attempt that is
//! still open is a fact like any other, so that two runs cannot both take the last place.

use crate::window::{day_start, days_later, local_date};
use carillon_model::compliance_rule::Element;
use carillon_model::moment::{DAY, HOUR};
use carillon_model::zone::Zone;
use carillon_model::{
    AttemptResult, CampaignId, ChannelType, CountBy, Moment, OrgId, PeriodUnit, RuleScope,
};
use std::sync::Arc;

/// One attempt of the ledger, as far as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// When it was written.
    pub written: Moment,
    /// When it ended; none = it is Pending or Active.
    pub ended: Option<Moment>,
    /// How it ended.
    pub result: Option<AttemptResult>,
    /// Whether we began it.
    pub outbound: bool,
    /// Over which channel.
    pub channel: ChannelType,
    /// The Account it was made for, and the Orgs above it.
    pub owners: Arc<[OrgId]>,
    /// The Campaign it was made for; none = an inbound message that belongs to none.
    pub campaign: Option<CampaignId>,
}

impl Past {
    /// Whether it was an attempt at all: what was filtered, withdrawn or skipped was not (`entities.md` 8).
    pub fn was_made(&self) -> bool {
        !matches!(
            self.result,
            Some(
                AttemptResult::NotAttempted
                    | AttemptResult::NotAttemptedSkip
                    | AttemptResult::Filtered
            )
        )
    }
}

/// What is known of the past of one contact and of the device that an attempt would use; in any order.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// The Campaign for which the next attempt would be made.
    pub campaign: CampaignId,
    /// Attempts to the Client ID.
    pub of_client: &'a [Past],
    /// Attempts to the device.
    pub of_device: &'a [Past],
}

/// What has to be read for the rules in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// Attempts to the Client ID.
    pub of_client: bool,
    /// Attempts to the device.
    pub of_device: bool,
    /// Their Campaigns.
    pub campaigns: bool,
    /// How far back, in milliseconds, by when they were written.
    pub back: i64,
}

/// Whose attempts a rule counts, over which channels.
pub(crate) struct Counted<'a> {
    /// The owner of the rule.
    pub owner: OrgId,
    /// Its channels; empty = all.
    pub channels: &'a [ChannelType],
    /// What is known.
    pub history: &'a History<'a>,
}

impl<'a> Counted<'a> {
    /// The attempts an element looks at, before it asks for time and result.
    pub fn by(&self, element: &Element) -> impl Iterator<Item = &'a Past> {
        let history = self.history;
        let (owner, channels) = (self.owner, self.channels);
        let past = match element.count_by.unwrap_or(CountBy::ClientId) {
            CountBy::ClientId => history.of_client,
            CountBy::Device => history.of_device,
        };
        let scope = element.scope.unwrap_or(RuleScope::Owner);
        past.iter().filter(move |past| {
            past.was_made()
                && (channels.is_empty() || channels.contains(&past.channel))
                && match scope {
                    RuleScope::Owner => past.owners.contains(&owner),
                    RuleScope::Campaign => past.campaign == Some(history.campaign),
                }
        })
    }
}

/// How long something counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// So many milliseconds, from the moment itself.
    Rolling(i64),
    /// The local day and the days after it, so many together.
    CalendarDays(i64),
}

impl Period {
    /// The period of an element; one that names none has none.
    pub fn of(element: &Element) -> Option<Period> {
        let count = i64::from(element.period?);
        Some(match element.period_unit.unwrap_or(PeriodUnit::Hours) {
            PeriodUnit::Hours => Period::Rolling(count.saturating_mul(HOUR)),
            PeriodUnit::Days => Period::Rolling(count.saturating_mul(DAY)),
            PeriodUnit::CalendarDays => Period::CalendarDays(count),
        })
    }

    /// The moment from which something of `at` counts no more.
    pub fn leaves(self, at: Moment, zone: Zone) -> Moment {
        match self {
            Period::Rolling(length) => at.plus(length),
            Period::CalendarDays(days) => day_start(zone, days_later(local_date(zone, at), days)),
        }
    }

    /// How far back something can lie that still counts, in whatever zone.
    pub fn reach(self) -> i64 {
        match self {
            Period::Rolling(length) => length,
            // A local day lasts up to 25 hours, and where a clock skips a date the day before it counts for two.
            Period::CalendarDays(days) => days.saturating_add(2).saturating_mul(DAY),
        }
    }
}
