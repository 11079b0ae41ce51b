//! How fast rows are read and normalised, how fast they are stored, and that memory does not grow with them. Not part of
//! the tests: it measures.
//! `cargo test --release -p carillon-import --test it -- --ignored --nocapture --test-threads 1`

use crate::fixture::{Fixture, Stopped};
use carillon_import::normalise::Rules;
use carillon_import::{Source, check, import};
use carillon_model::JobType;
use carillon_model::org::Settings;
use carillon_store::Store;
use std::io::Read;
use std::time::Instant;

const BLOCK_ROWS: usize = 100_000;
const HEADER: &str = "ClientID,FirstName,LastName,Company,CellPhone,WorkPhone,Other1,Other2,Other3,due,note,tier,State,Country\n";

/// A block of rows, made before the clock runs.
fn block(number: usize) -> String {
    let row = |n: usize| {
        let (mobile, work) = (n % 10_000, (n + 1) % 10_000);
        format!(
            "C-{n},Ann{n},\"Lee, {n}\",Acme,+1202555{mobile:04},(202) 555-{work:04},x{n},y,z,2026-11-24,\"a \"\"b\"\"\",gold,DC,US\n"
        )
    };
    (number * BLOCK_ROWS..(number + 1) * BLOCK_ROWS)
        .map(row)
        .collect()
}

/// All blocks as one stream.
fn stream<'a>(blocks: &[&'a str]) -> Box<dyn Read + 'a> {
    let header: Box<dyn Read> = Box::new(HEADER.as_bytes());
    blocks.iter().fold(header, |input, block| {
        Box::new(input.chain(block.as_bytes()))
    })
}

fn source<'a>(blocks: &[&'a str]) -> Source<'static, Box<dyn Read + 'a>> {
    Source {
        input: stream(blocks),
        bytes: None,
        mapping: None,
    }
}

#[test]
#[ignore = "a measurement, for release builds"]
fn reading() {
    let rules = Rules::of(&Settings::default()).expect("no expression");
    let block = block(0);
    let begun = Instant::now();
    let summary = check(source(&[block.as_str(); 10]), rules, &mut |_| {}).expect("a good header");
    let seconds = begun.elapsed().as_secs_f64();
    println!("{:.0} rows/s read", summary.rows as f64 / seconds);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", memory.unwrap_or_default());
}

#[test]
#[ignore = "a measurement, for release builds"]
fn reading_a_sheet() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, name) in HEADER.trim_end().split(',').enumerate() {
        sheet.write(0, column as u16, name).expect("written");
    }
    for row in 1..=200_000_u32 {
        for column in 0..14 {
            let written = match column {
                4 | 5 => sheet.write(row, column, 12_025_550_000_f64 + f64::from(row % 10_000)),
                _ => sheet.write(
                    row,
                    column,
                    format!("x{}", row % 50_000 * u32::from(column)),
                ),
            };
            written.expect("written");
        }
    }
    let data = workbook.save_to_buffer().expect("saved");
    drop(workbook);
    let rules = Rules::of(&Settings::default()).expect("no expression");
    let begun = Instant::now();
    let source = Source {
        input: &data[..],
        bytes: None,
        mapping: None,
    };
    let summary = check(source, rules, &mut |_| {}).expect("a good header");
    let seconds = begun.elapsed().as_secs_f64();
    let (rate, bytes) = (summary.rows as f64 / seconds, data.len());
    println!("{rate:.0} rows/s read of a sheet of {bytes} bytes");
}

#[test]
#[ignore = "a measurement, for release builds"]
fn storing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a new store");
    let fixture = Fixture::on(store, Settings::default());
    let job = fixture.submit(JobType::Import, fixture.list, None, None);
    let blocks: Vec<String> = (0..3).map(block).collect();
    let blocks: Vec<&str> = blocks.iter().map(String::as_str).collect();
    let (begun, mut pieces) = (Instant::now(), 0);
    let outcome = import(&fixture.store, job, source(&blocks), &Stopped, &mut |_| {
        pieces += 1
    });
    let (summary, seconds) = (outcome.expect("imported"), begun.elapsed().as_secs_f64());
    let (rate, piece) = (
        summary.rows as f64 / seconds,
        seconds * 1e3 / f64::from(pieces),
    );
    println!("{rate:.0} rows/s stored, {piece:.1} ms a piece with its commit");
}
