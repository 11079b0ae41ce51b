//! Many seeds, one after the other: `cargo run -p carillon-sim --example sim_soak -- FIRST COUNT PEOPLE BATCHES`.

use carillon_sim::{Options, simulate};

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<u64>().ok());
    let (first, count) = (
        arguments.next().unwrap_or(0),
        arguments.next().unwrap_or(1_000),
    );
    let default = Options::default();
    let people = arguments
        .next()
        .map_or(default.people, |people| people as usize);
    let batches = arguments
        .next()
        .map_or(default.batches, |batches| batches as usize);
    let options = Options {
        people,
        batches,
        ..default
    };
    let mut failed = 0;
    for seed in first..first + count {
        let outcome = simulate(seed, options);
        if count <= 20 {
            println!("{outcome:?}");
        }
        if !outcome.wrong.is_empty() {
            failed += 1;
            println!("seed {seed}: {:#?}", outcome.wrong);
        }
    }
    println!("{count} seeds, {failed} failed");
    std::process::exit(i32::from(failed > 0));
}
