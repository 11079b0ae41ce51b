//! Jobs that do not run straight to their end.

use crate::fixture::{Fixture, Stopped, people};
use carillon_import::{Error, Source, Worker, import};
use carillon_model::org::Settings;
use carillon_model::{JobState, JobType};
use carillon_store::Store;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn source(data: &[u8]) -> Source<'_, &[u8]> {
    Source {
        input: data,
        bytes: Some(data.len() as u64),
        mapping: None,
    }
}

#[test]
fn an_interrupted_import_goes_on_without_storing_twice() {
    interrupt(Fixture::new(Settings::default()), |store| store);
}

#[test]
fn an_import_goes_on_after_the_store_was_closed_and_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a new store");
    interrupt(Fixture::on(store, Settings::default()), |store| {
        store.close();
        drop(store);
        Store::open(folder.path()).expect("the store of before")
    });
}

fn interrupt(mut fixture: Fixture, restart: impl FnOnce(Store) -> Store) {
    let mut csv = people(20_000);
    csv.extend(b",Bo,+12025550113\n,Cy,12\n");
    let job = fixture.import(&csv);
    let stopped = catch_unwind(AssertUnwindSafe(|| {
        import(
            &fixture.store,
            job,
            source(&csv),
            &Stopped,
            &mut |progress| {
                assert!(progress.bytes == 0, "the process ends here");
            },
        )
    }));
    assert!(stopped.is_err());
    let before = fixture.summary(job);
    assert!(
        before.rows > 0 && before.rows < 20_002,
        "interrupted between pieces: {before:?}"
    );
    assert_eq!(fixture.job(job).state, JobState::Running);

    fixture.store = restart(std::mem::replace(&mut fixture.store, Store::memory()));
    Worker::new()
        .run_pending(&fixture.store, &Stopped)
        .expect("no store error");
    let summary = fixture.summary(job);
    assert_eq!(
        (
            summary.rows,
            summary.stored,
            summary.merged,
            summary.rejected
        ),
        (20_002, 20_001, 0, 1)
    );
    assert_eq!(fixture.contacts().len(), 20_001);
    let report = fixture.report(job);
    assert_eq!(report.matches("line,column").count(), 1);
    assert!(report.contains("20003,CellPhone,rejected,not a phone number: 12\r\n"));
}

#[test]
fn a_cancelled_import_stops_between_pieces() {
    let fixture = Fixture::new(Settings::default());
    let csv = people(50_000);
    let job = fixture.import(&csv);
    let outcome = import(&fixture.store, job, source(&csv), &Stopped, &mut |_| {
        if fixture.job(job).state == JobState::Running {
            fixture.cancel(job);
        }
    });
    assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
    let summary = fixture.summary(job);
    assert!(summary.rows < 50_000 && summary.is_sound());
    assert_eq!(
        fixture.contacts().len() as u64,
        summary.stored,
        "what is stored stays"
    );
    assert_eq!(fixture.job(job).state, JobState::Cancelled);
    assert!(fixture.report(job).ends_with(",,rejected,0\r\n"));
    assert_eq!(
        Worker::new()
            .run_pending(&fixture.store, &Stopped)
            .expect("no store error"),
        0
    );
}

#[test]
fn a_job_that_cannot_run_says_why() {
    let fixture = Fixture::new(Settings::default());
    let never = fixture.suppression_list();
    let list = fixture.list;
    let jobs = [
        (
            fixture.import(b"ClientID\n1\n"),
            "header row: no column holds devices",
        ),
        (fixture.import(b""), "header row: there is none"),
        (
            fixture.import(b"PK\x03\x04"),
            "the Excel file cannot be used: it is cut off",
        ),
        (
            fixture.submit(JobType::Import, list, Some("x"), Some(b"Phone\n")),
            "mapping: x is no Target=Column pair",
        ),
        (
            fixture.submit(JobType::Import, list, None, None),
            "the import was interrupted",
        ),
        (
            fixture.submit(JobType::Import, never, None, Some(b"Phone\n")),
            "a Suppression List takes entries",
        ),
    ];
    let ran = Worker::new()
        .run_pending(&fixture.store, &Stopped)
        .expect("no store error");
    assert_eq!(ran, jobs.len());
    for (id, reason) in jobs {
        let job = fixture.job(id);
        assert_eq!(job.state, JobState::Failed);
        let message = job.message.expect("a reason");
        assert!(message.starts_with(reason), "{message}");
        assert!(!fixture.input_is_kept(id));
    }
}

#[test]
fn a_list_that_goes_away_ends_its_import() {
    let fixture = Fixture::new(Settings::default());
    let csv = people(50_000);
    let job = fixture.import(&csv);
    let mut is_first = true;
    let outcome = import(&fixture.store, job, source(&csv), &Stopped, &mut |_| {
        if std::mem::take(&mut is_first) {
            fixture.delete_list();
        }
    });
    assert!(matches!(outcome, Err(Error::List(_))), "{outcome:?}");
    assert_eq!(fixture.job(job).state, JobState::Failed);
}

#[test]
fn an_expression_that_cannot_be_used_ends_the_job() {
    let fixture = Fixture::new(Settings {
        client_id_format: Some("(".to_owned()),
        ..Settings::default()
    });
    let job = fixture.import(&people(1));
    Worker::new()
        .run_pending(&fixture.store, &Stopped)
        .expect("no store error");
    let message = fixture.job(job).message.expect("a reason");
    assert!(
        message.starts_with("the Account's clientIdFormat cannot be used"),
        "{message}"
    );
}

#[test]
fn an_input_that_breaks_off_keeps_what_was_read() {
    struct Broken<'a>(&'a [u8]);
    impl std::io::Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::Error::other("the disk is gone")),
                count => Ok(count),
            }
        }
    }
    let fixture = Fixture::new(Settings::default());
    let job = fixture.submit(JobType::Import, fixture.list, None, None);
    let csv = people(200_000);
    let source = Source {
        input: Broken(&csv),
        bytes: None,
        mapping: None,
    };
    let outcome = import(&fixture.store, job, source, &Stopped, &mut |_| {});
    assert!(matches!(outcome, Err(Error::Read(_))), "{outcome:?}");
    assert_eq!(
        fixture.job(job).message.as_deref(),
        Some("the data cannot be read: the disk is gone")
    );
    assert_eq!(fixture.contacts().len() as u64, fixture.summary(job).stored);
    assert!(fixture.summary(job).stored > 0);
}
