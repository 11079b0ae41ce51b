//! How fast rows are read and normalised, and that memory does not grow with them. Not part of the tests: it measures.
//! `cargo test --release -p carillon-import --test it -- --ignored --nocapture`

use carillon_import::normalise::Rules;
use carillon_import::{Source, check};
use carillon_model::org::Settings;
use std::io::Read;
use std::time::Instant;

const ROWS: usize = 1_000_000;
const BLOCK_ROWS: usize = 100_000;

/// A block of rows, made before the clock runs.
fn block() -> String {
    let row = |n: usize| {
        let (mobile, work) = (n % 10_000, (n + 1) % 10_000);
        format!(
            "C-{n},Ann{n},\"Lee, {n}\",Acme,+1202555{mobile:04},(202) 555-{work:04},x{n},y,z,2026-11-24,\"a \"\"b\"\"\",gold,DC,US\n"
        )
    };
    (0..BLOCK_ROWS).map(row).collect()
}

const HEADER: &str = "ClientID,FirstName,LastName,Company,CellPhone,WorkPhone,Other1,Other2,Other3,due,note,tier,State,Country\n";

#[test]
#[ignore = "a measurement, for release builds"]
fn a_million_rows() {
    let rules = Rules::of(&Settings::default()).expect("no expression");
    let block = block();
    let input = (0..ROWS / BLOCK_ROWS)
        .fold(Box::new(HEADER.as_bytes()) as Box<dyn Read>, |input, _| {
            Box::new(input.chain(block.as_bytes()))
        });
    let begun = Instant::now();
    let source = Source {
        input,
        bytes: None,
        mapping: None,
    };
    let summary = check(source, rules, &mut |_| {}).expect("a good header");
    let rows = summary.rows as f64 / begun.elapsed().as_secs_f64();
    println!("{rows:.0} rows/s, rejected {}", summary.rejected);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!(
        "{}",
        status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap_or_default()
    );
}
