//! The judge of a run: which lane a contact belongs to, and whether that lane is open.
//!
//! A lane's key is **facts, never verdicts** ([`LaneFacts`]): what is known about place, zones, channel and device, as
//! finely as the rules in force can tell apart. All contacts with the same facts share one answer to every slow rule,
//! an [`Opening`], which holds until the moment it names. What belongs to one contact (suppression, opt-out) comes in as
//! [`ContactFacts`], looked up by the caller in the transaction that counts.
//!
//! A judge is built once for a run, a set of rules and the Account's hours; a new or changed rule means a new judge.

use crate::history::{History, Needed};
use crate::hours::DayHours;
use crate::limits::{OPENING_DAYS_MAX, SEARCH_DAYS_MAX};
use crate::place::{self, ContactPlace};
use crate::region::{Fineness, Place, Unreadable};
use crate::rules::{Calendar, Rule, account_hours, opt_out, suppression};
use crate::verdict::{Cause, Verdict};
use crate::window::{
    Reading, Schedule, Window, ZoneWindow, close_of_all, day_start, days_later, local_date,
    next_all_open, time_all_open,
};
use carillon_model::compliance_rule::ComplianceRule;
use carillon_model::moment::DAY;
use carillon_model::zone::Zone;
use carillon_model::{ChannelType, LineType, ListId, Moment, Reason, TimeZoneSource};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

/// Kind of device, as far as slow rules can care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DeviceClass {
    /// A phone on an unknown kind of line.
    Phone,
    /// A fixed line.
    Landline,
    /// A mobile.
    Wireless,
    /// An e-mail address.
    Email,
}

/// The facts that all contacts of a lane share: its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LaneFacts {
    /// Zones in all of which the pass's window has to be open; sorted, never empty.
    pub window_zones: Vec<Zone>,
    /// Zones in which the contact may be; sorted, never empty.
    pub candidate_zones: Vec<Zone>,
    /// Nothing was known about the zone: the candidates are those of the Account's country.
    pub zone_unknown: bool,
    /// Places in which the contact may be, as finely as a rule in force tells apart; sorted. Empty: unknown.
    pub regions: Vec<Place>,
    /// Channel of the pass.
    pub channel: ChannelType,
    /// Kind of device.
    pub device: DeviceClass,
}

/// The device an attempt would use.
#[derive(Debug, Clone, Copy)]
pub struct DevicePlace<'a> {
    /// `+` and digits, or an e-mail address.
    pub address: &'a str,
    /// Its IANA zone, when told.
    pub time_zone: Option<&'a str>,
    /// Its line, when told.
    pub line_type: LineType,
}

/// Where a pass's window is reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowZone {
    /// In this zone: the pass names it, or it is a batch, whose windows run in the Account's zone.
    Fixed(Zone),
    /// In the contact's.
    Local(TimeZoneSource),
}

/// What was looked up about one contact, in the transaction that uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ContactFacts {
    /// A live entry for the device on this channel, by its List.
    pub suppressed_device: Option<ListId>,
    /// A live entry for the Client ID, by its List.
    pub suppressed_client: Option<ListId>,
    /// The device is opted out of this channel for this Account.
    pub opted_out: bool,
}

impl ContactFacts {
    /// The verdict of the contact's own rules. Never a Defer.
    pub fn verdict(&self) -> Verdict {
        suppression::verdict(self.suppressed_device, self.suppressed_client)
            .join(opt_out::verdict(self.opted_out))
    }
}

/// The answer of a lane: a judgement and how long it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The verdict of all slow rules, hours and the pass's window.
    pub verdict: Verdict,
    /// The moment from which it may differ (a deferral keeps the cause it was judged by until then); at the latest a
    /// week and a day ahead while the lane is open.
    pub next_change: Moment,
}

/// The verdict on one contact: its own facts joined with its lane's opening, which has to be fresh.
pub fn judge(contact: &ContactFacts, opening: &Opening, now: Moment) -> Verdict {
    debug_assert!(
        now < opening.next_change,
        "the lane is judged anew once its opening has passed"
    );
    contact.verdict().join(opening.verdict)
}

/// Judges for one run under one set of rules.
#[derive(Debug, Clone)]
pub struct Judge {
    rules: Vec<Rule>,
    contact_hours: (Time, Time),
    country: String,
    country_zones: Vec<Zone>,
    /// By country, sorted: how finely the rules tell its places apart.
    fineness: Vec<(Place, Fineness)>,
}

impl Judge {
    /// A judge for these rules, the Account's contact hours and its country. A region that cannot be read is an error:
    /// a rule that nobody understands must not be passed over.
    pub fn new(
        rules: &[ComplianceRule],
        contact_hours: (Time, Time),
        country: &str,
    ) -> Result<Judge, Unreadable> {
        let rules: Vec<Rule> = rules.iter().map(Rule::new).collect::<Result<_, _>>()?;
        let country_zones = match place::country_zones(country) {
            [] => vec![Zone::utc()],
            zones => zones.to_vec(),
        };
        Ok(Judge {
            fineness: fineness(&rules),
            rules,
            contact_hours,
            country: country.to_owned(),
            country_zones,
        })
    }

    /// The rules it applies: what a record of a load has to name.
    pub fn causes(&self) -> impl Iterator<Item = &Cause> {
        self.rules.iter().map(|rule| &rule.cause)
    }

    /// The lane of a contact, for the device an attempt would use.
    pub fn facts_of(
        &self,
        contact: &ContactPlace<'_>,
        device: &DevicePlace<'_>,
        window_zone: WindowZone,
        channel: ChannelType,
    ) -> LaneFacts {
        let by_contact = place::zones_of_contact(contact, &self.country);
        let by_device = match device.time_zone.and_then(|name| Zone::named(name.trim())) {
            Some(zone) => place::zone_alone(zone),
            None => place::zones_of_number(device.address),
        };
        let joint = joined(by_contact, by_device);
        let zone_unknown = joint.is_empty();
        let or_country = |zones: Vec<Zone>| {
            if zones.is_empty() {
                self.country_zones.clone()
            } else {
                zones
            }
        };
        let window_zones = match window_zone {
            WindowZone::Fixed(zone) => vec![zone],
            WindowZone::Local(TimeZoneSource::Device) => or_country(by_device.to_vec()),
            WindowZone::Local(TimeZoneSource::Contact) => or_country(by_contact.to_vec()),
            WindowZone::Local(TimeZoneSource::ContactThenDevice) if by_contact.is_empty() => {
                or_country(by_device.to_vec())
            }
            WindowZone::Local(TimeZoneSource::ContactThenDevice) => by_contact.to_vec(),
            WindowZone::Local(TimeZoneSource::ContactAndDevice) => or_country(joint.clone()),
        };
        LaneFacts {
            window_zones,
            candidate_zones: or_country(joint),
            zone_unknown,
            regions: self.regions(contact, device),
            channel,
            device: device_class(device),
        }
    }

    fn regions(&self, contact: &ContactPlace<'_>, device: &DevicePlace<'_>) -> Vec<Place> {
        let mut regions = place::places_of_contact(contact, &self.country);
        regions.extend_from_slice(place::regions_of_number(device.address));
        for region in &mut regions {
            *region = region.at(self.fineness_of(region));
        }
        regions.sort_unstable();
        regions.dedup();
        // `US` beside `US-NY` is not a second place, it knows less of the same one.
        let all = regions.clone();
        regions.retain(|region| !all.iter().any(|other| region.knows_less_than(other)));
        regions
    }

    fn fineness_of(&self, place: &Place) -> Fineness {
        let country = place.at(Fineness::Country);
        match self
            .fineness
            .binary_search_by_key(&country, |known| known.0)
        {
            Ok(index) => self.fineness[index].1,
            Err(_) => Fineness::Country,
        }
    }

    /// Whether a lane is open at `now`, and until when that holds.
    pub fn opening(&self, facts: &LaneFacts, window: &Window, now: Moment) -> Opening {
        let bench = Bench::new(self, facts, Some(window));
        let boundary = bench.next_boundary(now);
        if let Some(cause) = bench.denial(now) {
            return Opening {
                verdict: Verdict::Deny { cause },
                next_change: boundary,
            };
        }
        match bench.closing_cause(now) {
            None => Opening {
                verdict: Verdict::Allow,
                next_change: close_of_all(
                    &bench.schedules(),
                    now,
                    now.plus(OPENING_DAYS_MAX * DAY),
                ),
            },
            Some(cause) => {
                let limit = now.plus(SEARCH_DAYS_MAX * DAY);
                let until = next_all_open(&bench.schedules(), now, limit);
                let cause = match until {
                    None if self.never_meets(facts, window, now) => {
                        Cause::without_rule(Reason::ZoneUnknown)
                    }
                    _ => cause,
                };
                let until = until.unwrap_or(Moment::NEVER);
                Opening {
                    verdict: Verdict::Defer { until, cause },
                    // Without an opening in sight the sight itself is what changes.
                    next_change: until.min(boundary).min(limit),
                }
            }
        }
    }

    /// What has to be read of the past of a contact before an attempt over this channel; none when no rule counts it.
    pub fn needed(&self, channel: ChannelType) -> Option<Needed> {
        self.rules
            .iter()
            .filter(|rule| rule.counts_for(channel))
            .filter_map(Rule::needed)
            .reduce(|one, other| Needed {
                of_client: one.of_client || other.of_client,
                of_device: one.of_device || other.of_device,
                campaigns: one.campaigns || other.campaigns,
                back: one.back.max(other.back),
            })
    }

    /// The verdict of the rules that count what was tried before: Allow, or Defer until a place is free. It is the
    /// contact's own: others of the lane have another past.
    pub fn counted(&self, facts: &LaneFacts, history: &History<'_>, now: Moment) -> Verdict {
        let rules = self
            .rules
            .iter()
            .filter(|rule| rule.counts_for(facts.channel));
        Verdict::all(rules.filter_map(|rule| {
            let until = rule.until(&facts.regions, &facts.candidate_zones, history, now)?;
            Some(Verdict::Defer {
                until,
                cause: rule.cause,
            })
        }))
    }

    /// Milliseconds in [from, to) during which a lane is open: what pacing spreads its contacts over.
    pub fn open_time(&self, facts: &LaneFacts, window: &Window, from: Moment, to: Moment) -> i64 {
        time_all_open(&Bench::new(self, facts, Some(window)).schedules(), from, to)
    }

    /// The verdict on an answer to the contact's own message within ten minutes: Date and Region rules, hours and
    /// windows do not hold it up; places that are forbidden, suppression and opt-out do.
    pub fn answering(&self, facts: &LaneFacts, contact: &ContactFacts, now: Moment) -> Verdict {
        let bench = Bench::new(self, facts, None);
        let denial = bench
            .denials(now)
            .filter(|cause| cause.reason == Reason::LocationRule)
            .min();
        let by_place = denial.map_or(Verdict::Allow, |cause| Verdict::Deny { cause });
        by_place.join(contact.verdict())
    }

    /// Whether the zones that stand in for an unknown one are never in the window and the contact hours together.
    fn never_meets(&self, facts: &LaneFacts, window: &Window, now: Moment) -> bool {
        if !facts.zone_unknown {
            return false;
        }
        let without_rules = Judge {
            rules: Vec::new(),
            ..self.clone()
        };
        let bench = Bench::new(&without_rules, facts, Some(window));
        next_all_open(&bench.schedules(), now, now.plus(SEARCH_DAYS_MAX * DAY)).is_none()
    }
}

/// The finest level at which any rule in force names a place of a country.
fn fineness(rules: &[Rule]) -> Vec<(Place, Fineness)> {
    let mut named: Vec<(Place, Fineness)> = rules
        .iter()
        .flat_map(|rule| &rule.elements)
        .filter_map(|placed| placed.region.fineness())
        .collect();
    named.sort_unstable();
    // Sorted by country, then by fineness: of each country the last is the finest.
    named.reverse();
    named.dedup_by_key(|(country, _)| *country);
    named.reverse();
    named
}

fn joined(some: &[Zone], others: &[Zone]) -> Vec<Zone> {
    let mut all = Vec::with_capacity(some.len() + others.len());
    all.extend_from_slice(some);
    all.extend_from_slice(others);
    all.sort_unstable();
    all.dedup();
    all
}

fn device_class(device: &DevicePlace<'_>) -> DeviceClass {
    match device.line_type {
        _ if !device.address.starts_with('+') => DeviceClass::Email,
        LineType::Landline => DeviceClass::Landline,
        LineType::Wireless => DeviceClass::Wireless,
        LineType::Unknown => DeviceClass::Phone,
    }
}

/// A calendar with the dates on which it binds and what it cites.
struct BoundCalendar {
    calendar: Calendar,
    effective: (Date, Date),
    cause: Cause,
}

impl BoundCalendar {
    fn binds_on(&self, date: Date) -> bool {
        self.effective.0 <= date && date <= self.effective.1
    }
}

/// Everything that speaks about one lane.
struct Bench<'a> {
    calendars: Vec<BoundCalendar>,
    zones: &'a [Zone],
    windows: Vec<ZoneWindow<'a>>,
}

impl<'a> Bench<'a> {
    fn new(judge: &Judge, facts: &'a LaneFacts, window: Option<&'a Window>) -> Bench<'a> {
        let hours = BoundCalendar {
            calendar: account_hours::calendar(judge.contact_hours),
            effective: (Date::MIN, Date::MAX),
            cause: account_hours::CAUSE,
        };
        let rules = judge
            .rules
            .iter()
            .filter(|rule| rule.counts_for(facts.channel));
        let by_rule = rules.map(|rule| BoundCalendar {
            calendar: rule.calendar(&facts.regions),
            effective: rule.effective,
            cause: rule.cause,
        });
        let zone_window = |window| {
            facts.window_zones.iter().map(move |zone| ZoneWindow {
                window,
                zone: *zone,
            })
        };
        Bench {
            calendars: std::iter::once(hours)
                .chain(by_rule)
                .filter(|bound| !bound.calendar.is_always_open())
                .collect(),
            zones: &facts.candidate_zones,
            windows: window
                .map(|window| zone_window(window).collect())
                .unwrap_or_default(),
        }
    }

    fn schedules(&self) -> Vec<Seat<'_>> {
        let windows = self.windows.iter().map(Seat::Window);
        let days = self
            .zones
            .iter()
            .map(|zone| Seat::Days(&self.calendars, *zone));
        windows.chain(days).collect()
    }

    /// Rules that forbid the contact on the local date of any candidate zone.
    fn denials(&self, now: Moment) -> impl Iterator<Item = Cause> {
        self.zones.iter().flat_map(move |zone| {
            let today = local_date(*zone, now);
            self.calendars
                .iter()
                .filter(move |bound| bound.binds_on(today) && bound.calendar.on(today).is_denied())
                .map(|bound| bound.cause)
        })
    }

    fn denial(&self, now: Moment) -> Option<Cause> {
        self.denials(now).min()
    }

    /// The cause to report for what is closed now; none when all is open.
    fn closing_cause(&self, now: Moment) -> Option<Cause> {
        let by_window = self
            .windows
            .iter()
            .filter(|window| matches!(window.reading(now), Reading::Closed(_)))
            .map(|_| Cause::without_rule(Reason::WindowClosed));
        let by_rule = self.zones.iter().flat_map(|zone| {
            self.calendars
                .iter()
                .filter(move |bound| !is_open(std::slice::from_ref(*bound), *zone, now))
                .map(|bound| bound.cause)
        });
        by_window.chain(by_rule).min()
    }

    /// The next moment at which a rule begins or ceases to bind in any candidate zone.
    fn next_boundary(&self, now: Moment) -> Moment {
        let zones = self.zones.iter();
        let moments = zones.flat_map(|zone| {
            self.calendars.iter().flat_map(move |bound| {
                let (first, last) = bound.effective;
                let begins = (first > Date::MIN).then(|| day_start(*zone, first));
                let ends = (last < Date::MAX).then(|| day_start(*zone, days_later(last, 1)));
                [begins, ends].into_iter().flatten()
            })
        });
        moments
            .filter(|moment| *moment > now)
            .min()
            .unwrap_or(Moment::NEVER)
    }
}

/// One of the schedules that have to be open together.
enum Seat<'a> {
    /// The pass's window in one zone.
    Window(&'a ZoneWindow<'a>),
    /// All rules and hours in one candidate zone.
    Days(&'a [BoundCalendar], Zone),
}

impl Schedule for Seat<'_> {
    fn reading(&self, at: Moment) -> Reading {
        match self {
            Seat::Window(window) => window.reading(at),
            Seat::Days(calendars, zone) => days_reading(calendars, *zone, at),
        }
    }
}

fn is_open(calendars: &[BoundCalendar], zone: Zone, at: Moment) -> bool {
    matches!(days_reading(calendars, zone, at), Reading::Open(_))
}

fn days_reading(calendars: &[BoundCalendar], zone: Zone, at: Moment) -> Reading {
    let today = local_date(zone, at);
    let mut hours = DayHours::whole();
    for bound in calendars.iter().filter(|bound| bound.binds_on(today)) {
        hours = hours.and(&bound.calendar.on(today));
    }
    let mut until = day_start(zone, days_later(today, 1));
    for (opens, closes) in hours.on(zone, today) {
        if opens <= at && at < closes {
            return Reading::Open(closes);
        }
        if opens > at {
            until = until.min(opens);
        }
    }
    // Clocks that skip a whole date could make tomorrow begin now.
    Reading::Closed(until.max(at.plus(1)))
}

#[cfg(test)]
#[path = "judge_test.rs"]
mod tests;
