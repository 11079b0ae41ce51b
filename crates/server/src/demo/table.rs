//! The table at the end of the demo, read from the store on one snapshot.

use carillon_channel::text::peer::Totals;
use carillon_model::counter::{Counters, Subject};
use carillon_model::{Moment, OrgId, Reason, SubCampaignId};
use carillon_store::Snapshot;
use std::collections::BTreeMap;
use std::time::Duration;

/// What became of the campaign.
pub struct Table {
    counters: Counters,
    filtered: Vec<(Reason, i64)>,
    /// Contacts waiting, by the reason and moment of their lane's last deferral.
    waiting: BTreeMap<(Option<Moment>, String), i64>,
    opt_outs: i64,
}

/// Judgements read at most: a deferral is one for each lane and change.
const JUDGEMENTS_MAX: usize = 10_000;

/// Reads it.
pub fn read(
    snapshot: &dyn Snapshot,
    run: SubCampaignId,
    account: OrgId,
) -> carillon_store::Result<Table> {
    let counters = snapshot
        .counters(&[Subject::whole(run)])?
        .first()
        .copied()
        .unwrap_or_default();
    let mut deferred = BTreeMap::new();
    for judgement in snapshot.judgements(run, JUDGEMENTS_MAX)? {
        if let (Some(lane), Some(until)) = (judgement.lane, judgement.until) {
            deferred.insert(lane, (until, judgement.reason));
        }
    }
    let mut waiting = BTreeMap::new();
    for place in snapshot.waiting(run)? {
        let (until, reason) = match deferred.get(&place.lane) {
            Some((until, reason)) => (Some(*until), reason.map_or("", Reason::text).to_owned()),
            None => (
                snapshot
                    .next_due(run, place.pass, place.lane)?
                    .filter(|due| due.0 > 0),
                "retry".to_owned(),
            ),
        };
        *waiting.entry((until, reason)).or_insert(0) += place.contacts;
    }
    Ok(Table {
        counters,
        filtered: snapshot.denials_by_reason(run)?,
        waiting,
        opt_outs: snapshot.count_opt_outs(account)?,
    })
}

/// Prints it.
pub fn print(table: &Table, centre: &Totals, elapsed: Duration) {
    let line = |label: &str, count: i64| println!("  {label:<44}{count:>8}");
    println!("\nAfter {:.1} seconds", elapsed.as_secs_f64());
    line("reached", table.counters.delivered);
    line("failed", table.counters.failed);
    line("filtered", table.counters.filtered);
    for (reason, count) in &table.filtered {
        line(&format!("  {reason}"), *count);
    }
    let waiting: i64 = table.waiting.values().sum();
    line("waiting", waiting);
    for ((until, reason), count) in &table.waiting {
        let until = until.map_or_else(
            || "for its turn".to_owned(),
            |until| format!("until {}", until.wire()),
        );
        line(&format!("  {until} {reason}"), *count);
    }
    line("attempts", table.counters.attempted);
    line("opt-outs", table.opt_outs);
    println!(
        "  the SMS centre took {} messages and refused {}, {} for the moment",
        centre.taken,
        centre.refused + centre.throttled,
        centre.throttled
    );
    println!();
}
