//! The trip in virtual time, many seeds: every law holds, and a seed takes the same course twice.

use carillon_sim::{Options, Outcome, simulate, simulate_on};
use carillon_store::Store;

fn failures(outcomes: impl Iterator<Item = Outcome>) -> Vec<String> {
    outcomes
        .filter(|outcome| !outcome.wrong.is_empty())
        .map(|outcome| format!("seed {}: {:#?}", outcome.seed, outcome.wrong))
        .collect()
}

#[test]
fn a_calm_trip_reaches_everybody_it_may() {
    let options = Options {
        faults: false,
        crashes: false,
        ..Options::default()
    };
    let outcome = simulate(7, options);
    assert!(outcome.wrong.is_empty(), "{outcome:#?}");
    assert!(outcome.sent > 50, "{outcome:#?}");
}

#[test]
fn every_law_holds_for_many_seeds() {
    let wrong = failures((0..50).map(|seed| simulate(seed, Options::default())));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_seed_takes_the_same_course_twice() {
    for seed in [3, 11] {
        assert_eq!(
            simulate(seed, Options::default()),
            simulate(seed, Options::default())
        );
    }
    assert_ne!(
        simulate(3, Options::default()).digest,
        simulate(11, Options::default()).digest,
        "seeds differ"
    );
}

#[test]
fn trips_meet_what_they_are_meant_to_meet() {
    let outcomes: Vec<Outcome> = (0..10)
        .map(|seed| simulate(seed, Options::default()))
        .collect();
    assert!(
        outcomes.iter().any(|outcome| outcome.crashes > 3),
        "processes die"
    );
    assert!(
        outcomes.iter().any(|outcome| outcome.opted_out > 0),
        "people opt out"
    );
    assert!(
        outcomes
            .iter()
            .any(|outcome| outcome.attempts > outcome.sent),
        "orders are not sent"
    );
    assert!(
        outcomes.iter().any(|outcome| outcome.withdrawn > 0),
        "orders are withdrawn"
    );
}

#[test]
fn the_embedded_store_takes_the_same_course_as_the_one_in_memory() {
    for seed in [5, 23] {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opened");
        let outcome = simulate_on(&store, seed, Options::default());
        store.close();
        assert_eq!(outcome, simulate(seed, Options::default()));
    }
}
