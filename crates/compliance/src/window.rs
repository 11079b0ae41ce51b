//! Civil time: when a pass's window is open in a contact's zones, when it opens next and when it closes.
//!
//! Windows and hours are told in local time and decided here once for every zone and both clock changes: a local time
//! that the clock skips is the first instant after the gap; one that it shows twice is the first for starts and the
//! last for ends (`api.md` 1.8). Everything else in Carillon sees [`Moment`]s.

use crate::limits::{OPENING_DAYS_MAX, SEARCH_DAYS_MAX, SEARCH_STEPS_MAX};
use carillon_model::moment::{DAY, MINUTE};
use carillon_model::pass::Pass;
use carillon_model::zone::Zone;
use carillon_model::{DayOfWeek, Moment};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::AmbiguousOffset;

/// The local date that a zone shows at a moment.
pub fn local_date(zone: Zone, at: Moment) -> Date {
    zone.time_zone().to_datetime(at.timestamp()).date()
}

/// The moment at which a local time starts something.
pub fn start_moment(zone: Zone, local: DateTime) -> Moment {
    moment_of(zone, local, false)
}

/// The moment at which a local time ends something.
pub fn end_moment(zone: Zone, local: DateTime) -> Moment {
    moment_of(zone, local, true)
}

fn moment_of(zone: Zone, local: DateTime, is_end: bool) -> Moment {
    let rules = zone.time_zone();
    let offset = match rules.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Fold { before, .. } if !is_end => before,
        AmbiguousOffset::Fold { after, .. } => after,
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the later offset, a skipped time lies before the gap: the next transition is its end.
            let before_gap = after.to_timestamp(local).ok();
            let gap = before_gap.and_then(|before| rules.following(before).next());
            return gap.map_or(Moment::NEVER, |gap| gap.timestamp().into());
        }
    };
    offset
        .to_timestamp(local)
        .map_or(Moment::NEVER, Moment::from)
}

/// The start of a local date.
pub fn day_start(zone: Zone, date: Date) -> Moment {
    start_moment(zone, date.to_datetime(Time::midnight()))
}

/// The date so many days later; the last date there is when that is too far.
pub(crate) fn days_later(date: Date, days: i64) -> Date {
    date.checked_add(jiff::Span::new().days(days))
        .unwrap_or(Date::MAX)
}

/// What a schedule says at a moment, and until when at least. `until` is always later than the moment asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Open, until then.
    Open(Moment),
    /// Closed, until then.
    Closed(Moment),
}

impl Reading {
    /// Until when it holds.
    pub fn until(self) -> Moment {
        match self {
            Reading::Open(until) | Reading::Closed(until) => until,
        }
    }
}

/// Something that is open and closed in turn.
pub trait Schedule {
    /// Open or closed at `at`, and until when.
    fn reading(&self, at: Moment) -> Reading;
}

/// Whether all are open.
pub fn all_open<S: Schedule>(schedules: &[S], at: Moment) -> bool {
    schedules
        .iter()
        .all(|schedule| matches!(schedule.reading(at), Reading::Open(_)))
}

/// The first moment from `from` on, and before `limit`, at which all are open.
pub fn next_all_open<S: Schedule>(schedules: &[S], from: Moment, limit: Moment) -> Option<Moment> {
    let mut at = from;
    for _ in 0..SEARCH_STEPS_MAX {
        if at >= limit {
            return None;
        }
        let closed = schedules
            .iter()
            .filter_map(|schedule| match schedule.reading(at) {
                Reading::Closed(until) => Some(until),
                Reading::Open(_) => None,
            })
            .max();
        match closed {
            None => return Some(at),
            Some(until) => at = until,
        }
    }
    None
}

/// The moment from which not all are open any more, while they are at `at`; at most `limit`.
pub fn close_of_all<S: Schedule>(schedules: &[S], at: Moment, limit: Moment) -> Moment {
    let mut end = at;
    for _ in 0..SEARCH_STEPS_MAX {
        if end >= limit {
            return limit;
        }
        let readings = schedules.iter().map(|schedule| schedule.reading(end));
        let mut until = limit;
        for reading in readings {
            match reading {
                Reading::Closed(_) => return end,
                Reading::Open(open_until) => until = until.min(open_until),
            }
        }
        end = until;
    }
    end
}

/// Milliseconds in [from, to) during which all are open.
pub fn time_all_open<S: Schedule>(schedules: &[S], from: Moment, to: Moment) -> i64 {
    let mut open = 0;
    let mut at = from;
    for _ in 0..SEARCH_STEPS_MAX {
        let Some(opens) = next_all_open(schedules, at, to) else {
            break;
        };
        let closes = close_of_all(schedules, opens, to);
        open += closes.since(opens);
        at = closes;
    }
    open
}

/// One opening of a window: [opens, closes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First moment in it.
    pub opens: Moment,
    /// First moment after it.
    pub closes: Moment,
}

/// The daily window of a pass: [start, end) on its allowed days; end ≤ start runs into the next day, which then need
/// not be allowed itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Bit n: the day n after Monday.
    days: u8,
    start: Time,
    end: Time,
}

impl Window {
    /// A window by its days and times.
    pub fn new(days: &[DayOfWeek], start: Time, end: Time) -> Window {
        let days = days.iter().fold(0, |bits, day| bits | 1 << (*day as u8));
        Window { days, start, end }
    }

    /// The window of a pass; what it leaves open comes from the Account's contact hours.
    pub fn of_pass(pass: &Pass, contact_hours: (Time, Time)) -> Window {
        Window::new(
            &pass.allowed_days,
            pass.start_time.unwrap_or(contact_hours.0),
            pass.end_time.unwrap_or(contact_hours.1),
        )
    }

    /// Whether it opens on that date.
    pub fn allows(&self, date: Date) -> bool {
        self.days & 1 << (DayOfWeek::of(date) as u8) != 0
    }

    /// The opening of that date; none when the day is not allowed or a clock change swallows it.
    pub fn span_on(&self, zone: Zone, date: Date) -> Option<Span> {
        if !self.allows(date) {
            return None;
        }
        let last_date = if self.end <= self.start {
            days_later(date, 1)
        } else {
            date
        };
        let opens = start_moment(zone, date.to_datetime(self.start));
        let closes = end_moment(zone, last_date.to_datetime(self.end));
        (opens < closes).then_some(Span { opens, closes })
    }

    fn in_zones<'a>(&'a self, zones: &'a [Zone]) -> Vec<ZoneWindow<'a>> {
        zones
            .iter()
            .map(|zone| ZoneWindow {
                window: self,
                zone: *zone,
            })
            .collect()
    }

    /// Whether it is open in all zones.
    pub fn open_at(&self, zones: &[Zone], at: Moment) -> bool {
        all_open(&self.in_zones(zones), at)
    }

    /// The first moment from `from` on at which it is open in all zones; none when their windows never meet.
    pub fn next_open(&self, zones: &[Zone], from: Moment) -> Option<Moment> {
        next_all_open(
            &self.in_zones(zones),
            from,
            from.plus(SEARCH_DAYS_MAX * DAY),
        )
    }

    /// The close of the opening that holds `at`; none when it is closed then. Openings without a gap between them
    /// count as one, followed for a week.
    pub fn close_at(&self, zones: &[Zone], at: Moment) -> Option<Moment> {
        let windows = self.in_zones(zones);
        all_open(&windows, at).then(|| close_of_all(&windows, at, at.plus(OPENING_DAYS_MAX * DAY)))
    }

    /// Milliseconds in [from, to) during which it is open in all zones.
    pub fn open_time(&self, zones: &[Zone], from: Moment, to: Moment) -> i64 {
        time_all_open(&self.in_zones(zones), from, to)
    }

    /// Open minutes in [from, to), with their fraction.
    pub fn open_minutes(&self, zones: &[Zone], from: Moment, to: Moment) -> f64 {
        self.open_time(zones, from, to) as f64 / MINUTE as f64
    }

    /// The d-th allowed day after a date (`entities.md` 9.4); 0 is the first allowed day from the date itself on.
    pub fn day_after(&self, left: Date, days_to_wait: u16) -> Option<Date> {
        if self.days == 0 {
            return None;
        }
        let mut date = left;
        let mut still = days_to_wait;
        loop {
            if still == 0 && self.allows(date) {
                return Some(date);
            }
            date = date.tomorrow().ok()?;
            if still > 0 && self.allows(date) {
                still -= 1;
            }
        }
    }

    /// The date of the first window that a contact may use after leaving the pass before at `left`.
    fn first_date(&self, zone: Zone, left: Moment, days_to_wait: u16) -> Option<Date> {
        let today = local_date(zone, left);
        if days_to_wait > 0 {
            return self.day_after(today, days_to_wait);
        }
        // A window that began yesterday and runs past midnight is still that day's.
        let yesterday = days_later(today, -1);
        let open_still = |date: Date| self.span_on(zone, date).filter(|span| span.closes > left);
        if open_still(yesterday).is_some_and(|span| span.opens <= left) {
            return Some(yesterday);
        }
        if open_still(today).is_some() {
            return Some(today);
        }
        self.day_after(today, 1)
    }

    /// When a contact's turn in this pass begins and ends at the latest, over `window_days` allowed days: the
    /// contact left the pass before (or the run started) at `left`. None when it cannot begin.
    pub fn turn(
        &self,
        zones: &[Zone],
        left: Moment,
        days_to_wait: u16,
        window_days: u16,
    ) -> Option<Span> {
        let mut earliest = left;
        let mut closes = Moment::NEVER;
        for zone in zones {
            let first = self.first_date(*zone, left, days_to_wait)?;
            let mut span = self.span_on(*zone, first);
            let mut date = first;
            for _ in 1..window_days {
                date = self.day_after(date, 1)?;
                span = self.span_on(*zone, date).or(span);
            }
            earliest = earliest.max(
                self.span_on(*zone, first)
                    .map_or(day_start(*zone, first), |span| span.opens),
            );
            closes =
                closes.min(span.map_or(day_start(*zone, days_later(date, 1)), |span| span.closes));
        }
        let opens = next_all_open(&self.in_zones(zones), earliest, closes)?;
        Some(Span { opens, closes })
    }
}

/// A window in one zone.
pub(crate) struct ZoneWindow<'a> {
    pub(crate) window: &'a Window,
    pub(crate) zone: Zone,
}

impl Schedule for ZoneWindow<'_> {
    fn reading(&self, at: Moment) -> Reading {
        let today = local_date(self.zone, at);
        // Yesterday's opening may still run; a week ahead holds every allowed day, one more a day that a clock
        // change swallowed.
        for day in -1..=OPENING_DAYS_MAX {
            match self.window.span_on(self.zone, days_later(today, day)) {
                Some(span) if span.closes <= at => {}
                Some(span) if span.opens <= at => return Reading::Open(span.closes),
                Some(span) => return Reading::Closed(span.opens),
                None => {}
            }
        }
        Reading::Closed(if self.window.days == 0 {
            Moment::NEVER
        } else {
            at.plus(OPENING_DAYS_MAX * DAY)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    fn zone(name: &str) -> Zone {
        Zone::named(name).expect(name)
    }

    fn at(text: &str) -> Moment {
        text.parse::<jiff::Timestamp>().expect(text).into()
    }

    fn window(start: &str, end: &str) -> Window {
        Window::new(
            DayOfWeek::ALL,
            start.parse().expect(start),
            end.parse().expect(end),
        )
    }

    #[test]
    fn windows_open_and_close_in_civil_time() {
        for (name, start, end, day, opens, closes) in [
            (
                "Europe/London",
                "09:00",
                "21:00",
                date(2026, 7, 1),
                "2026-07-01T08:00Z",
                "2026-07-01T20:00Z",
            ),
            (
                "Europe/London",
                "09:00",
                "21:00",
                date(2026, 12, 1),
                "2026-12-01T09:00Z",
                "2026-12-01T21:00Z",
            ),
            (
                "America/New_York",
                "22:00",
                "02:00",
                date(2026, 7, 1),
                "2026-07-02T02:00Z",
                "2026-07-02T06:00Z",
            ),
            (
                "America/Phoenix",
                "08:00",
                "21:00",
                date(2026, 7, 1),
                "2026-07-01T15:00Z",
                "2026-07-02T04:00Z",
            ),
            (
                "Asia/Kathmandu",
                "09:00",
                "18:00",
                date(2026, 7, 1),
                "2026-07-01T03:15Z",
                "2026-07-01T12:15Z",
            ),
            (
                "Australia/Lord_Howe",
                "09:00",
                "18:00",
                date(2026, 7, 1),
                "2026-06-30T22:30Z",
                "2026-07-01T07:30Z",
            ),
            (
                "Australia/Lord_Howe",
                "09:00",
                "18:00",
                date(2026, 12, 1),
                "2026-11-30T22:00Z",
                "2026-12-01T07:00Z",
            ),
            // Spring: 01:00 to 02:00 is skipped; the start moves to the end of the gap.
            (
                "Europe/London",
                "01:30",
                "03:00",
                date(2026, 3, 29),
                "2026-03-29T01:00Z",
                "2026-03-29T02:00Z",
            ),
            (
                "America/New_York",
                "02:15",
                "09:00",
                date(2026, 3, 8),
                "2026-03-08T07:00Z",
                "2026-03-08T13:00Z",
            ),
            (
                "Australia/Lord_Howe",
                "02:10",
                "03:00",
                date(2026, 10, 4),
                "2026-10-03T15:30Z",
                "2026-10-03T16:00Z",
            ),
            // Autumn: 01:00 to 02:00 is shown twice; the first as a start, the last as an end.
            (
                "Europe/London",
                "01:30",
                "09:00",
                date(2026, 10, 25),
                "2026-10-25T00:30Z",
                "2026-10-25T09:00Z",
            ),
            (
                "Europe/London",
                "00:30",
                "01:30",
                date(2026, 10, 25),
                "2026-10-24T23:30Z",
                "2026-10-25T01:30Z",
            ),
            (
                "America/New_York",
                "01:30",
                "02:00",
                date(2026, 11, 1),
                "2026-11-01T05:30Z",
                "2026-11-01T07:00Z",
            ),
            (
                "Australia/Lord_Howe",
                "01:45",
                "03:00",
                date(2026, 4, 5),
                "2026-04-04T14:45Z",
                "2026-04-04T16:30Z",
            ),
            // End at the start: round the clock.
            (
                "America/New_York",
                "00:00",
                "00:00",
                date(2026, 7, 1),
                "2026-07-01T04:00Z",
                "2026-07-02T04:00Z",
            ),
        ] {
            let span = window(start, end).span_on(zone(name), day).expect("opens");
            assert_eq!(
                (span.opens, span.closes),
                (at(opens), at(closes)),
                "{name} {day} {start} {end}"
            );
        }
        let swallowed = window("01:15", "01:45").span_on(zone("Europe/London"), date(2026, 3, 29));
        assert_eq!(swallowed, None, "the clock skips all of it");
    }

    #[test]
    fn openings_are_found_over_zones() {
        let coasts = [zone("America/New_York"), zone("America/Los_Angeles")];
        let daily = window("09:00", "21:00");
        let night = at("2026-07-01T10:00Z");
        assert!(!daily.open_at(&coasts, night));
        assert_eq!(
            daily.next_open(&coasts, night),
            Some(at("2026-07-01T16:00Z")),
            "9:00 Pacific"
        );
        assert_eq!(
            daily.close_at(&coasts, at("2026-07-01T16:00Z")),
            Some(at("2026-07-02T01:00Z")),
            "21:00 Eastern"
        );
        assert_eq!(daily.close_at(&coasts, night), None);
        // Sunday in Los Angeles is over before Monday's window opens in Kathmandu, and so on for ever.
        let sundays = Window::new(&[DayOfWeek::Sunday], time(9, 0, 0, 0), time(12, 0, 0, 0));
        let apart = [zone("Asia/Kathmandu"), zone("America/Los_Angeles")];
        assert_eq!(sundays.next_open(&apart, night), None);
        assert_eq!(
            Window::new(&[], time(9, 0, 0, 0), time(12, 0, 0, 0)).next_open(&coasts, night),
            None
        );
        // Next Monday, from a Wednesday.
        let mondays = Window::new(&[DayOfWeek::Monday], time(9, 0, 0, 0), time(12, 0, 0, 0));
        assert_eq!(
            mondays.next_open(&[zone("Europe/London")], night),
            Some(at("2026-07-06T08:00Z"))
        );
    }

    #[test]
    fn open_minutes_count_all_zones_and_clock_changes() {
        let daily = window("09:00", "21:00");
        let (from, to) = (at("2026-07-01T00:00Z"), at("2026-07-08T00:00Z"));
        assert_eq!(
            daily.open_minutes(&[zone("Europe/London")], from, to),
            7.0 * 720.0
        );
        let coasts = [zone("America/New_York"), zone("America/Los_Angeles")];
        // The first evening's 00:00-01:00Z belongs to the day before, the last one's is cut off.
        assert_eq!(daily.open_minutes(&coasts, from, to), 7.0 * 540.0);
        let all_day = window("00:00", "00:00");
        let spring = daily_minutes(&all_day, date(2026, 3, 29));
        let autumn = daily_minutes(&all_day, date(2026, 10, 25));
        assert_eq!((spring, autumn), (23.0 * 60.0, 25.0 * 60.0));
    }

    fn daily_minutes(window: &Window, day: Date) -> f64 {
        let london = zone("Europe/London");
        let next = day.tomorrow().expect("not the last day");
        window.open_minutes(&[london], day_start(london, day), day_start(london, next))
    }

    #[test]
    fn round_the_clock_is_one_opening() {
        let always = window("00:00", "00:00");
        let now = at("2026-07-01T10:00Z");
        assert_eq!(
            always.close_at(&[zone("Europe/London")], now),
            Some(now.plus(OPENING_DAYS_MAX * DAY))
        );
    }

    #[test]
    fn days_to_wait_count_allowed_days() {
        use DayOfWeek::*;
        let of = |days: &[DayOfWeek]| Window::new(days, time(9, 0, 0, 0), time(21, 0, 0, 0));
        let monday = date(2026, 7, 6);
        for (days, wait, expected) in [
            (&[Monday, Wednesday, Friday][..], 2, date(2026, 7, 10)),
            (&[Monday, Wednesday, Thursday, Friday], 2, date(2026, 7, 9)),
            (&[Monday], 0, monday),
            (&[Tuesday], 0, date(2026, 7, 7)),
            (&[Monday], 1, date(2026, 7, 13)),
            (DayOfWeek::ALL, 365, date(2027, 7, 6)),
        ] {
            assert_eq!(
                of(days).day_after(monday, wait),
                Some(expected),
                "{days:?} {wait}"
            );
        }
        assert_eq!(of(&[]).day_after(monday, 3), None);
    }

    #[test]
    fn turns_begin_and_end() {
        use DayOfWeek::*;
        let london = [zone("Europe/London")];
        let weekdays = Window::new(
            &[Monday, Wednesday, Friday],
            time(9, 0, 0, 0),
            time(21, 0, 0, 0),
        );
        for (left, wait, days, opens, closes) in [
            // Still open today.
            (
                "2026-07-06T12:00Z",
                0,
                1,
                "2026-07-06T12:00Z",
                "2026-07-06T20:00Z",
            ),
            // Before it opens.
            (
                "2026-07-06T05:00Z",
                0,
                1,
                "2026-07-06T08:00Z",
                "2026-07-06T20:00Z",
            ),
            // Closed already: the next allowed day.
            (
                "2026-07-06T20:00Z",
                0,
                1,
                "2026-07-08T08:00Z",
                "2026-07-08T20:00Z",
            ),
            (
                "2026-07-07T12:00Z",
                0,
                1,
                "2026-07-08T08:00Z",
                "2026-07-08T20:00Z",
            ),
            (
                "2026-07-06T12:00Z",
                2,
                1,
                "2026-07-10T08:00Z",
                "2026-07-10T20:00Z",
            ),
            (
                "2026-07-06T12:00Z",
                0,
                3,
                "2026-07-06T12:00Z",
                "2026-07-10T20:00Z",
            ),
        ] {
            let turn = weekdays.turn(&london, at(left), wait, days);
            assert_eq!(
                turn,
                Some(Span {
                    opens: at(opens),
                    closes: at(closes)
                }),
                "{left} {wait} {days}"
            );
        }
        let night = window("22:00", "02:00");
        let turn = night
            .turn(&london, at("2026-07-07T00:30Z"), 0, 1)
            .expect("still open");
        assert_eq!(
            (turn.opens, turn.closes),
            (at("2026-07-07T00:30Z"), at("2026-07-07T01:00Z"))
        );
        // Where the zones' days differ, every zone waits its own days.
        let apart = [zone("America/New_York"), zone("Pacific/Honolulu")];
        let turn = window("09:00", "21:00")
            .turn(&apart, at("2026-07-06T12:00Z"), 1, 1)
            .expect("they meet");
        assert_eq!(
            (turn.opens, turn.closes),
            (at("2026-07-07T19:00Z"), at("2026-07-08T01:00Z"))
        );
    }
}
