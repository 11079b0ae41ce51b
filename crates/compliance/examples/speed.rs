//! Prints how fast numbers are read, lanes found and openings judged: `cargo run --release -p carillon-compliance
//! --example speed`.

use carillon_compliance::judge::{DevicePlace, Judge, WindowZone};
use carillon_compliance::number::read_phone;
use carillon_compliance::place::{ContactPlace, zones_of_number};
use carillon_compliance::window::Window;
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::entity::Base;
use carillon_model::{
    ChannelType, ComplianceType, DayOfWeek, LineType, Moment, OrgId, TimeZoneSource, UserId,
};
use jiff::civil::time;
use std::hint::black_box;
use std::time::Instant;

fn measure<T>(what: &str, times: u32, mut work: impl FnMut(u32) -> T) {
    for round in 0..times.min(1_000) {
        black_box(work(round));
    }
    let start = Instant::now();
    for round in 0..times {
        black_box(work(round));
    }
    let each = start.elapsed().as_secs_f64() / f64::from(times);
    println!("{what:<48} {:>10.2} µs {:>12.0} /s", each * 1e6, 1.0 / each);
}

fn rule() -> ComplianceRule {
    let hours = |region: &str| Element {
        region: Some(region.into()),
        allowed: true,
        first_contact_time: Some(time(8, 0, 0, 0)),
        last_contact_time: Some(time(20, 0, 0, 0)),
        ..Element::default()
    };
    ComplianceRule {
        base: Base::new(1, "states", Moment(0), UserId(1)),
        owner: OrgId(1),
        rule_type: ComplianceType::Region,
        description: None,
        required: true,
        priority: 100,
        effective_from: None,
        effective_to: None,
        source: None,
        channels: Vec::new(),
        version: 1,
        elements: vec![hours("US-FL"), hours("US-WA"), hours("US:021")],
    }
}

fn main() {
    let national: Vec<String> = (0..1_000).map(|n| format!("(212) 555-{n:04}")).collect();
    let kept: Vec<String> = (0..1_000).map(|n| format!("+1212555{n:04}")).collect();
    let british: Vec<String> = (0..1_000).map(|n| format!("+44740012{n:04}")).collect();
    let australian: Vec<String> = (0..1_000).map(|n| format!("+6141234{n:04}")).collect();
    let pick = |from: &'_ [String], round: u32| from[round as usize % 1_000].clone();
    measure("read a national number", 1_000_000, |round| {
        read_phone(&national[round as usize % 1_000], "US")
    });
    measure("read a number with +", 1_000_000, |round| {
        read_phone(&kept[round as usize % 1_000], "US")
    });
    measure("zones of a number", 5_000_000, |round| {
        zones_of_number(&kept[round as usize % 1_000])
    });
    let judge =
        Judge::new(&[rule()], (time(8, 0, 0, 0), time(21, 0, 0, 0)), "US").expect("readable");
    let contact = ContactPlace {
        postal_code: Some("02134"),
        state: Some("MA"),
        ..ContactPlace::default()
    };
    let source = WindowZone::Local(TimeZoneSource::ContactThenDevice);
    let facts = |contact: &ContactPlace<'_>, address: &str| {
        let device = DevicePlace {
            address,
            time_zone: None,
            line_type: LineType::Unknown,
        };
        judge.facts_of(contact, &device, source, ChannelType::Text)
    };
    let silent = ContactPlace::default();
    measure("facts: US number and ZIP", 1_000_000, |round| {
        facts(&contact, &kept[round as usize % 1_000])
    });
    measure("facts: US number only", 1_000_000, |round| {
        facts(&silent, &kept[round as usize % 1_000])
    });
    measure("facts: UK mobile", 300_000, |round| {
        facts(&silent, &british[round as usize % 1_000])
    });
    measure("facts: Australian mobile", 300_000, |round| {
        facts(&silent, &australian[round as usize % 1_000])
    });
    let window = Window::new(DayOfWeek::ALL, time(9, 0, 0, 0), time(21, 0, 0, 0));
    let mornings = Window::new(DayOfWeek::ALL, time(9, 0, 0, 0), time(10, 0, 0, 0));
    let night = Moment(1_782_900_000_000);
    let one = facts(&contact, &pick(&kept, 0));
    let unknown = facts(&silent, "ann@example.org");
    measure("opening of a lane with one zone", 50_000, |_| {
        judge.opening(&one, &window, night)
    });
    measure("opening of a lane of all US zones", 5_000, |_| {
        judge.opening(&unknown, &window, night)
    });
    measure("opening of a lane that never opens", 20, |_| {
        judge.opening(&unknown, &mornings, night)
    });
}
