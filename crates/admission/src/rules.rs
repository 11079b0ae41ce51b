//! What binds a run: the required rules and suppression lists of its Account and of the Orgs above it, those its Campaign
//! chose, the Account's hours, and the SubCampaign's way of reckoning windows. Read once and held until
//! `epoch(Topic::Rules)` changes.

use crate::limits::{LISTS_PER_ORG_MAX, ORG_DEPTH_MAX, RULES_PER_ORG_MAX};
use carillon_compliance::history::{History, Needed};
use carillon_compliance::judge::{DeviceClass, DevicePlace, Judge, LaneFacts, WindowZone};
use carillon_compliance::place::{ContactPlace, zone_data_version};
use carillon_compliance::verdict::{Cause, Verdict};
use carillon_compliance::window::{Span, Window};
use carillon_model::campaign::Campaign;
use carillon_model::compliance_rule::ComplianceRule;
use carillon_model::contact::{Contact, Device};
use carillon_model::list::List;
use carillon_model::moment::DAY;
use carillon_model::org::{Org, Resolved};
use carillon_model::pass::Pass;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::zone::Zone;
use carillon_model::{
    CampaignId, ChannelType, ListId, ListType, Moment, OrgId, Reason, RuleId, SubCampaignType,
    TimeZoneSource,
};
use carillon_store::{EntityReadExt, Error, Result, Snapshot};
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An Org with the chain above it; none when it is not there.
pub fn resolve<S: Snapshot + ?Sized>(snapshot: &S, id: OrgId) -> Result<Option<Resolved>> {
    let Some(org) = snapshot.stored::<Org>(id)?.map(|stored| stored.entity) else {
        return Ok(None);
    };
    let mut ancestors = Vec::new();
    let mut next = org.parent;
    while let Some(parent) = next
        && ancestors.len() < ORG_DEPTH_MAX
    {
        let Some(above) = snapshot.stored::<Org>(parent)?.map(|stored| stored.entity) else {
            break;
        };
        next = above.parent;
        ancestors.push(above);
    }
    Ok(Some(Resolved::new(org, ancestors)))
}

/// What the contacts of a lane share: what is known of place, zones, channel and device, and when their turn in the pass
/// ends at the latest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LaneKey {
    /// The close of the last window of their turn; none = reckoned from the start of the run.
    pub closes: Option<Moment>,
    /// What is known of them.
    pub facts: LaneFacts,
}

impl LaneKey {
    /// The lane of those for whom there is no lane of their own any more ([`LANES_MAX`](crate::limits::LANES_MAX)): they
    /// share no facts, so each is judged by itself when it is claimed.
    pub fn mixed(closes: Option<Moment>) -> Self {
        let facts = LaneFacts {
            window_zones: Vec::new(),
            candidate_zones: Vec::new(),
            zone_unknown: true,
            regions: Vec::new(),
            channel: ChannelType::Text,
            device: DeviceClass::Phone,
        };
        Self { closes, facts }
    }

    /// Whether its contacts share no facts; those of any other lane have at least one zone.
    pub fn is_mixed(&self) -> bool {
        self.facts.candidate_zones.is_empty()
    }

    /// The bytes under which the store knows the lane.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("lane keys hold names and numbers and always serialise")
    }

    /// Reads the bytes again; none when they are damaged or name a zone that is no more.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// By how much a turn may end later in some zone than in UTC: a day of the clock, and where that day is the only allowed
/// one of its week, a week.
const ZONES_APART: i64 = 9 * DAY;

/// What a lane is at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Its contacts may be tried.
    Open {
        /// Until then.
        until: Moment,
    },
    /// Not now.
    Closed {
        /// It opens then, as far as can be seen.
        until: Moment,
        /// What closes it.
        reason: Reason,
        /// The judgement holds until then.
        change: Moment,
    },
    /// Not any more in this pass.
    Over {
        /// What closed it last.
        reason: Reason,
    },
    /// A rule forbids its contacts.
    Denied {
        /// Why.
        reason: Reason,
        /// Which rule, in which version.
        rule: Option<(RuleId, u32)>,
        /// The judgement holds until then.
        change: Moment,
    },
}

impl Opening {
    /// Whether its contacts may be tried.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// When it has to be judged anew.
    pub fn next_change(&self) -> Moment {
        match self {
            Self::Open { until } => *until,
            Self::Closed { change, .. } | Self::Denied { change, .. } => *change,
            Self::Over { .. } => Moment::NEVER,
        }
    }
}

/// Everything that binds a run.
#[derive(Debug, Clone)]
pub struct RuleSet {
    account: OrgId,
    /// The Account and the Orgs above it.
    owners: Arc<[OrgId]>,
    campaign: CampaignId,
    judge: Judge,
    suppression_lists: Vec<ListId>,
    contact_hours: (Time, Time),
    account_zone: Zone,
    on_demand: bool,
    time_zone_source: TimeZoneSource,
    basis: String,
}

impl RuleSet {
    /// Reads what binds the runs of a Campaign; of the SubCampaign only its kind and zone source count.
    pub fn load<S: Snapshot + ?Sized>(
        snapshot: &S,
        account: &Resolved,
        campaign: &Campaign,
        sub_campaign: &SubCampaign,
    ) -> Result<Self> {
        let mut rules = Vec::new();
        let mut lists = campaign.suppression_lists.clone();
        for owner in account.chain() {
            for rule in snapshot.all::<ComplianceRule>(Some(owner.0), 0, RULES_PER_ORG_MAX)? {
                let chosen = campaign
                    .compliance_rules
                    .contains(&RuleId(rule.base.internal_id));
                if rule.required || chosen {
                    rules.push(rule);
                }
            }
            for list in snapshot.all::<List>(Some(owner.0), 0, LISTS_PER_ORG_MAX)? {
                if list.list_type == ListType::Suppression && list.required {
                    lists.push(ListId(list.base.internal_id));
                }
            }
        }
        lists.sort_unstable();
        lists.dedup();
        let contact_hours = account.settings.contact_hours();
        // The doors refuse such a rule; should one be there nevertheless, it must not be passed over.
        let judge = Judge::new(&rules, contact_hours, account.settings.country()).map_err(
            |unreadable| Error::Damaged {
                table: "document",
                column: "body",
                id: account.org.base.internal_id,
                detail: unreadable.to_string(),
            },
        )?;
        Ok(Self {
            account: OrgId(account.org.base.internal_id),
            owners: account.chain().collect(),
            campaign: CampaignId(campaign.base.internal_id),
            basis: basis(&judge, &lists),
            judge,
            suppression_lists: lists,
            contact_hours,
            account_zone: Zone::named(account.settings.zone_name()).unwrap_or_else(Zone::utc),
            on_demand: sub_campaign.sub_campaign_type == SubCampaignType::OnDemand,
            time_zone_source: sub_campaign.time_zone_source,
        })
    }

    /// The Account.
    pub fn account(&self) -> OrgId {
        self.account
    }

    /// The Account and the Orgs above it: whose rules count its attempts.
    pub fn owners(&self) -> Arc<[OrgId]> {
        Arc::clone(&self.owners)
    }

    /// The Campaign.
    pub fn campaign(&self) -> CampaignId {
        self.campaign
    }

    /// What the rules for a channel count of the past; none when they count nothing.
    pub fn needed(&self, channel: ChannelType) -> Option<Needed> {
        self.judge.needed(channel)
    }

    /// The verdict of the rules that count the past: Allow, or Defer until a place is free.
    pub fn counted(&self, facts: &LaneFacts, history: &History<'_>, now: Moment) -> Verdict {
        self.judge.counted(facts, history, now)
    }

    /// Suppression lists in force.
    pub fn suppression_lists(&self) -> &[ListId] {
        &self.suppression_lists
    }

    /// The Account's zone.
    pub fn account_zone(&self) -> Zone {
        self.account_zone
    }

    /// Rules with versions, suppression lists and the zone data version, as JSON: what a judgement rests on.
    pub fn basis(&self) -> &str {
        &self.basis
    }

    /// What is known of a contact when this device is used in a pass.
    pub fn facts(&self, contact: &Contact, device: &Device, pass: &Pass) -> LaneFacts {
        let place = ContactPlace {
            time_zone: contact.attribute("timeZone"),
            postal_code: contact.attribute("postalCode"),
            state: contact.attribute("state"),
            country: contact.attribute("country"),
        };
        let device = DevicePlace {
            address: &device.address,
            time_zone: device.time_zone.as_deref(),
            line_type: device.line_type,
        };
        self.judge
            .facts_of(&place, &device, self.window_zone(pass), pass.channel)
    }

    /// Batches run in the Account's zone; other windows in the zone the pass names or in the contact's.
    fn window_zone(&self, pass: &Pass) -> WindowZone {
        if self.on_demand {
            return WindowZone::Fixed(self.account_zone);
        }
        if pass.is_local() {
            return WindowZone::Local(pass.time_zone_source.unwrap_or(self.time_zone_source));
        }
        WindowZone::Fixed(Zone::named(&pass.time_zone).unwrap_or(self.account_zone))
    }

    fn window(&self, pass: &Pass) -> Window {
        Window::of_pass(pass, self.contact_hours)
    }

    /// The turn in a pass of contacts that left the one before, or whose run started, at `left`.
    pub fn turn(&self, facts: &LaneFacts, pass: &Pass, left: Moment) -> Option<Span> {
        self.window(pass).turn(
            &facts.window_zones,
            left,
            pass.days_to_wait,
            pass.window_days,
        )
    }

    /// A mixed lane is open while any of its contacts may be: until its turn ends, or until that has ended in every zone.
    fn mixed_opening(
        &self,
        closes: Option<Moment>,
        pass: &Pass,
        start: Moment,
        now: Moment,
    ) -> Opening {
        let window = self.window(pass);
        let until = closes.or_else(|| {
            let zone = [Zone::utc()];
            let turn = window.turn(&zone, start, pass.days_to_wait, pass.window_days)?;
            Some(turn.closes.plus(ZONES_APART))
        });
        match until {
            Some(until) if now < until => Opening::Open { until },
            _ => Opening::Over {
                reason: Reason::WindowClosed,
            },
        }
    }

    /// The lane by whose windows a mixed one is paced: that of the Account's zone.
    pub fn stand_in(&self, mixed: &LaneKey, pass: &Pass) -> LaneKey {
        LaneKey {
            closes: mixed.closes,
            facts: LaneFacts {
                window_zones: vec![self.account_zone],
                candidate_zones: vec![self.account_zone],
                channel: pass.channel,
                ..mixed.facts.clone()
            },
        }
    }

    /// What a lane is at `now`, in a run that started (or will start) at `start`.
    pub fn opening(&self, key: &LaneKey, pass: &Pass, start: Moment, now: Moment) -> Opening {
        if key.is_mixed() {
            return self.mixed_opening(key.closes, pass, start, now);
        }
        let judged = self.judge.opening(&key.facts, &self.window(pass), now);
        if let Verdict::Deny { cause } = judged.verdict {
            return Opening::Denied {
                reason: cause.reason,
                rule: rule_of(&cause),
                change: judged.next_change,
            };
        }
        let (opens, closes) = match key.closes {
            Some(closes) => (Moment(0), closes),
            None => match self.turn(&key.facts, pass, start) {
                Some(turn) => (turn.opens, turn.closes),
                None => {
                    return Opening::Over {
                        reason: never(&judged.verdict),
                    };
                }
            },
        };
        if now >= closes {
            return Opening::Over {
                reason: Reason::WindowClosed,
            };
        }
        match judged.verdict {
            Verdict::Allow if now < opens => Opening::Closed {
                until: opens,
                reason: Reason::WindowClosed,
                change: opens.min(judged.next_change),
            },
            Verdict::Allow => Opening::Open {
                until: judged.next_change.min(closes),
            },
            Verdict::Defer { until, cause } if until >= closes => Opening::Over {
                reason: cause.reason,
            },
            Verdict::Defer { until, cause } => Opening::Closed {
                until: until.max(opens),
                reason: cause.reason,
                change: judged.next_change.min(closes),
            },
            Verdict::Deny { .. } => unreachable!("a Deny was answered above"),
        }
    }

    /// Why a contact with these facts is denied at load, if it is. A deferral is none: it is kept and waits.
    pub(crate) fn denial(
        &self,
        facts: &LaneFacts,
        pass: &Pass,
        now: Moment,
    ) -> Option<(Reason, Option<(RuleId, u32)>)> {
        match self.judge.opening(facts, &self.window(pass), now).verdict {
            Verdict::Deny { cause } => Some((cause.reason, rule_of(&cause))),
            Verdict::Allow | Verdict::Defer { .. } => None,
        }
    }

    /// The zone in which a contact with these facts reads the clock.
    pub fn zone(&self, facts: &LaneFacts) -> Option<Zone> {
        if facts.zone_unknown {
            None
        } else {
            facts.candidate_zones.first().copied()
        }
    }
}

fn never(verdict: &Verdict) -> Reason {
    verdict.reason().unwrap_or(Reason::WindowClosed)
}

fn rule_of(cause: &Cause) -> Option<(RuleId, u32)> {
    cause.rule_id().map(|rule| (rule, cause.version))
}

fn basis(judge: &Judge, lists: &[ListId]) -> String {
    let rules: Vec<_> = judge
        .causes()
        .map(|cause| serde_json::json!({ "rule": cause.rule.0, "version": cause.version }))
        .collect();
    let lists: Vec<i64> = lists.iter().map(|list| list.0).collect();
    serde_json::json!({
        "rules": rules,
        "suppressionLists": lists,
        "zoneData": zone_data_version(),
    })
    .to_string()
}
