//! What becomes of rows.

use crate::fixture::{Fixture, Stopped, people};
use carillon_import::normalise::Rules;
use carillon_import::{Source, Summary, Worker, check};
use carillon_model::org::Settings;
use carillon_model::{DeviceType, JobState, JobType};
use proptest::prelude::*;

#[test]
fn every_row_is_accounted_for() {
    let fixture = Fixture::new(Settings {
        client_id_format: Some("[A-Z0-9-]+".to_owned()),
        ..Settings::default()
    });
    let csv = "ClientID;FirstName;Phone;Email\n\
               A-1;Ann;(202) 555-0113;\n\
               A-1;Anna;(202) 555-0114;ann@example.org\n\
               ;Bo;(202) 555-0115;nonsense\n\
               a-2;Cy;(202) 555-0116;\n\
               A-3;Di;12;\n\
               A-4;\"Ed;(202) 555-0117;\n\
               A-5;Flo;(202) 555-0118;\n";
    let job = fixture.import(csv.as_bytes());
    let ran = Worker::new()
        .run_pending(&fixture.store, &Stopped)
        .expect("no store error");
    assert_eq!(ran, 1);

    assert_eq!(
        fixture.summary(job),
        Summary {
            rows: 7,
            stored: 3,
            merged: 1,
            rejected: 3
        }
    );
    assert_eq!(
        fixture.report(job),
        "line,column,outcome,detail\r\n\
         4,Email,left out,not an e-mail address: nonsense\r\n\
         5,ClientID,rejected,does not match the Account's clientIdFormat: a-2\r\n\
         6,Phone,rejected,not a phone number: 12\r\n\
         7,FirstName,rejected,a quote is not closed\r\n\
         ,,rows,7\r\n,,stored,3\r\n,,merged,1\r\n,,rejected,3\r\n"
    );
    let ended = fixture.job(job);
    assert_eq!(
        (ended.state, ended.progress, ended.message),
        (JobState::Done, 100, None)
    );
    assert!(!fixture.input_is_kept(job));

    let contacts = fixture.contacts();
    let names: Vec<_> = contacts
        .iter()
        .map(|contact| (contact.external_id.as_str(), contact.attribute("firstName")))
        .collect();
    assert_eq!(
        names,
        [
            ("A-1", Some("Anna")),
            ("row-1", Some("Bo")),
            ("A-5", Some("Flo"))
        ]
    );
    let devices: Vec<_> = contacts[0]
        .devices
        .iter()
        .map(|device| (device.number, device.address.as_str(), device.device_type))
        .collect();
    assert_eq!(
        devices,
        [
            (1, "+12025550114", DeviceType::Mobile),
            (2, "ann@example.org", DeviceType::Email)
        ]
    );
}

#[test]
fn row_numbers_count_on_and_never_meet_a_client_id() {
    let fixture = Fixture::new(Settings::default());
    let mut worker = Worker::new();
    for csv in [
        "Phone\n+12025550113\n+12025550114\n",
        "ClientID,Phone\nrow-4,+12025550115\n,+12025550116\n,+12025550117\n",
    ] {
        let job = fixture.import(csv.as_bytes());
        worker
            .run_pending(&fixture.store, &Stopped)
            .expect("no store error");
        assert_eq!(fixture.summary(job).merged, 0);
    }
    assert_eq!(
        fixture.client_ids(),
        ["row-1", "row-2", "row-4", "row-3", "row-5"]
    );
}

#[test]
fn a_second_import_merges() {
    let fixture = Fixture::new(Settings::default());
    let mut worker = Worker::new();
    let first = fixture.import(&people(2_000));
    let second = fixture.import(&people(3_500));
    assert_eq!(
        worker
            .run_pending(&fixture.store, &Stopped)
            .expect("no store error"),
        2
    );
    assert_eq!(
        fixture.summary(first),
        Summary {
            rows: 2_000,
            stored: 2_000,
            merged: 0,
            rejected: 0
        }
    );
    assert_eq!(
        fixture.summary(second),
        Summary {
            rows: 3_500,
            stored: 1_500,
            merged: 2_000,
            rejected: 0
        }
    );
    assert_eq!(fixture.contacts().len(), 3_500);
}

#[test]
fn an_analysis_stores_nothing() {
    let fixture = Fixture::new(Settings::default());
    let csv = "id,tel\n1,+12025550113\n1,+12025550114\n2,none\n,+12025550115\n,+12025550115\n";
    let mapping = Some("ClientID=id;Device1=tel");
    let job = fixture.submit(
        JobType::Analyze,
        carillon_model::ListId(0),
        mapping,
        Some(csv.as_bytes()),
    );
    Worker::new()
        .run_pending(&fixture.store, &Stopped)
        .expect("no store error");
    assert_eq!(
        fixture.summary(job),
        Summary {
            rows: 5,
            stored: 3,
            merged: 1,
            rejected: 1
        }
    );
    assert!(
        fixture
            .report(job)
            .contains("4,tel,rejected,not a phone number: none\r\n")
    );
    assert_eq!(fixture.contacts(), []);
}

proptest! {
    #[test]
    fn any_bytes_are_accounted_for(rows in proptest::collection::vec(
        prop_oneof![
            "[A-C]?,\\+1202555011[0-9],[a-z]{0,3}".prop_map(String::into_bytes),
            proptest::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), any::<u8>()], 0..40),
        ], 0..30))
    {
        let mut csv = b"ClientID,Phone,note\n".to_vec();
        csv.extend(rows.join(&b'\n'));
        let fixture = Fixture::new(Settings::default());
        let job = fixture.import(&csv);
        Worker::new().run_pending(&fixture.store, &Stopped).expect("no store error");
        let summary = fixture.summary(job);
        prop_assert_eq!(fixture.job(job).state, JobState::Done);
        prop_assert!(summary.is_sound());
        prop_assert_eq!(fixture.contacts().len() as u64, summary.stored);
        let rejected = fixture.report(job).lines().filter(|line| line.contains(",rejected,")).count() as u64;
        prop_assert_eq!(rejected, summary.rejected + 1, "one line each, and one of the totals");

        let source = Source { input: &csv[..], bytes: None, mapping: None };
        let rules = Rules::of(&Settings::default()).expect("no expression");
        prop_assert_eq!(check(source, rules, &mut |_| {}).expect("a good header"), summary);
    }

    #[test]
    fn any_header_and_mapping_is_refused_or_read(csv in proptest::collection::vec(any::<u8>(), 0..200), mapping in ".{0,40}") {
        let source = Source { input: &csv[..], bytes: None, mapping: Some(&mapping) };
        let rules = Rules::of(&Settings::default()).expect("no expression");
        if let Ok(summary) = check(source, rules, &mut |_| {}) {
            prop_assert!(summary.is_sound());
        }
    }
}
