//! What is projected for the attempts of a run that are still to come, with the pacer's own arithmetic. Windows are
//! reckoned in the zone of the pass, or where it is Local in the Account's: a close estimate that costs no walk over the
//! queue. The engine paces by the zones of the contacts themselves.

use crate::entity::Names;
use crate::entity::counters::Projection;
use crate::fault::Outcome;
use crate::shape::form::{Bound, local};
use carillon_model::counter::Counters;
use carillon_model::moment::MINUTE;
use carillon_model::org::Resolved;
use carillon_model::pass::Pass;
use carillon_model::run::Run;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::zone::Zone;
use carillon_model::{DayOfWeek, Moment, PacingType, PassState, SubCampaignState};
use carillon_pacing::{Stream, Window, projection::project};
use jiff::ToSpan as _;

/// Days ahead that windows are looked at: longer than the longest pass, with the pause of a week-end.
const DAYS_AHEAD: i64 = 45;

/// One projection per pass; `counters` are those of the whole and then of each pass.
pub fn of_run(
    names: &Names<'_>,
    found: &SubCampaign,
    run: &Run,
    counters: &[Counters],
) -> Outcome<Vec<Projection>> {
    let account = names.context.owner(names.snapshot, found.owner)?;
    let zone = names.context.zone(&account);
    let now = names.context.now;
    Ok(found
        .passes
        .iter()
        .enumerate()
        .map(|(index, pass)| {
            let remaining = counters.get(index + 1).map_or(0, |counted| counted.pending);
            let state = run.passes.get(index).copied().unwrap_or(PassState::Pending);
            let goes_on = matches!(state, PassState::Pending | PassState::Running);
            if run.state != SubCampaignState::Running || !goes_on || remaining <= 0 {
                return Projection::default();
            }
            of_pass(pass, found.intensity, remaining, &account, zone, now)
        })
        .collect())
}

fn of_pass(
    pass: &Pass,
    intensity: u32,
    remaining: i64,
    account: &Resolved,
    zone: Zone,
    now: Moment,
) -> Projection {
    let windows = windows(pass, account, zone, now);
    let open = windows
        .first()
        .is_some_and(|window| window.from <= now && now < window.to);
    let minutes: i64 = windows
        .iter()
        .map(|window| window.milliseconds_between(now, Moment::NEVER))
        .sum::<i64>()
        / MINUTE;
    let wanted = match pass.pacing {
        Some(PacingType::Fixed) => pass.contacts_per_minute.unwrap_or(0.0),
        Some(PacingType::Auto) => remaining as f64 / (minutes.max(1) as f64),
        _ => 0.0,
    };
    let rate = wanted * f64::from(intensity) / 100.0;
    let rate = pass
        .max_contacts_per_minute
        .map_or(rate, |most| rate.min(most));
    let stream = Stream {
        remaining: remaining as f64,
        contacts_per_minute: rate,
        windows: &windows,
    };
    let projected = project(&[stream], now, zone.time_zone());
    let count = |contacts: u64| i64::try_from(contacts).unwrap_or(i64::MAX);
    Projection {
        per_minute: if open { rate } else { 0.0 },
        this_hour: count(projected.this_hour_contacts),
        next_hour: count(projected.next_hour_contacts),
        future: count(projected.future_contacts),
    }
}

/// The windows of a pass from now on: as many allowed days as it opens on.
fn windows(pass: &Pass, account: &Resolved, zone: Zone, now: Moment) -> Vec<Window> {
    let zone = Zone::named(&pass.time_zone).unwrap_or(zone).time_zone();
    let (first, last) = account.settings.contact_hours();
    let (first, last) = (
        pass.start_time.unwrap_or(first),
        pass.end_time.unwrap_or(last),
    );
    let today = zone.to_datetime(now.timestamp()).date();
    let mut windows = Vec::new();
    for days in -1..DAYS_AHEAD {
        let Ok(day) = today.checked_add(days.days()) else {
            break;
        };
        if !pass.allowed_days.contains(&DayOfWeek::of(day)) {
            continue;
        }
        // An end at or before the start runs into the next day.
        let end_day = if last <= first {
            day.tomorrow().unwrap_or(day)
        } else {
            day
        };
        let window = Window {
            from: local(day.to_datetime(first), zone, Bound::Start),
            to: local(end_day.to_datetime(last), zone, Bound::End),
        };
        if window.to > now {
            windows.push(window);
        }
        if windows.len() >= usize::from(pass.window_days) {
            break;
        }
    }
    windows
}
