//! Excel files as people send them, and as nobody should.

use crate::fixture::{Fixture, Stopped};
use carillon_import::normalise::Rules;
use carillon_import::{Error, Source, Summary, Worker, check, import};
use carillon_model::org::Settings;
use carillon_model::{JobState, JobType};
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A workbook whose first sheet is hidden and whose second one is filled by `fill`.
fn workbook(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let hidden = workbook.add_worksheet().set_hidden(true);
    hidden.write(0, 0, "nonsense").expect("written");
    let sheet = workbook.add_worksheet().set_active(true);
    sheet.set_first_tab(true);
    fill(sheet);
    workbook.save_to_buffer().expect("saved")
}

/// A workbook of `count` people, the n-th with Client ID `C-<n>` and a phone that is a number; every 1,000th has none.
fn people(count: u32) -> Vec<u8> {
    workbook(|sheet| {
        for (column, name) in ["ClientID", "FirstName", "CellPhone"].iter().enumerate() {
            sheet.write(0, column as u16, *name).expect("written");
        }
        for n in 0..count {
            sheet.write(n + 1, 0, format!("C-{n}")).expect("written");
            sheet.write(n + 1, 1, format!("Ann{n}")).expect("written");
            if n % 1_000 != 999 {
                let phone = 12_025_550_000_u64 + u64::from(n % 10_000);
                sheet.write(n + 1, 2, phone as f64).expect("written");
            }
        }
    })
}

fn try_check(data: &[u8]) -> Result<(Summary, String), Error> {
    let source = Source {
        input: data,
        bytes: Some(data.len() as u64),
        mapping: None,
    };
    let rules = Rules::of(&Settings::default()).expect("no expression");
    let mut report = String::new();
    let summary = check(source, rules, &mut |lines| report.push_str(lines))?;
    Ok((summary, report))
}

#[test]
fn a_sheet_is_imported_as_a_person_sees_it() {
    let data = workbook(|sheet| {
        let names = [
            "ClientID",
            "Phone",
            "PostalCode",
            "due",
            "at",
            "total",
            "",
            "greeting",
        ];
        for (column, name) in names.iter().enumerate() {
            sheet.write(2, column as u16, *name).expect("written");
        }
        let postal = Format::new().set_num_format("00000");
        let day = Format::new().set_num_format("dd/mm/yyyy");
        let time = Format::new().set_num_format("hh:mm AM/PM");
        let due = ExcelDateTime::from_ymd(2026, 11, 24).expect("a day");
        let at = ExcelDateTime::from_hms(18, 30, 0).expect("a time");
        sheet.write(3, 0, 1_001).expect("written");
        sheet.write(3, 1, 12_025_550_113_f64).expect("written");
        sheet
            .write_with_format(3, 2, 501, &postal)
            .expect("written");
        sheet.write_with_format(3, 3, &due, &day).expect("written");
        sheet.write_with_format(3, 4, &at, &time).expect("written");
        sheet.write(3, 5, 0.1 + 0.2).expect("written");
        let formula = Formula::new("=\"Hello \"&A4").set_result("Hello <1001>");
        sheet.write(3, 7, formula).expect("written");
        sheet.write_blank(4, 0, &postal).expect("written");
        sheet.write(6, 0, 1_002).expect("written");
        sheet.write(6, 1, "no number").expect("written");
        sheet.write(7, 1, "(202) 555-0114").expect("written");
        sheet.write(8, 1, "(202) 555-0115").expect("written");
        sheet.write(8, 9, "beyond").expect("written");
    });
    let fixture = Fixture::new(Settings::default());
    let job = fixture.import(&data);
    Worker::new()
        .run_pending(&fixture.store, &Stopped)
        .expect("no store error");
    assert_eq!(fixture.job(job).message, None);
    assert_eq!(
        fixture.report(job),
        "line,column,outcome,detail\r\n\
         3,column G,left out,the column has no name\r\n\
         7,Phone,rejected,not a phone number: no number\r\n\
         9,,rejected,more fields than the header row has columns\r\n\
         ,,rows,4\r\n,,stored,2\r\n,,merged,0\r\n,,rejected,2\r\n"
    );
    let contacts = fixture.contacts();
    assert_eq!(contacts[0].external_id, "1001");
    assert_eq!(contacts[0].devices[0].address, "+12025550113");
    assert_eq!(contacts[1].external_id, "row-1");
    for (name, value) in [
        ("postalCode", "00501"),
        ("due", "2026-11-24"),
        ("at", "18:30"),
        ("total", "0.3"),
        ("greeting", "Hello <1001>"),
    ] {
        assert_eq!(contacts[0].attribute(name), Some(value), "{name}");
    }
}

#[test]
fn a_sheet_and_its_csv_are_the_same() {
    let rows: Vec<[String; 3]> = (0..2_500)
        .map(|n| {
            [
                format!("C-{}", n % 2_000),
                format!("Zo\u{eb} \"{n}\";"),
                format!("+1202555{n:04}"),
            ]
        })
        .collect();
    let header = ["ClientID", "note", "Phone"].map(str::to_owned);
    let all = || std::iter::once(&header).chain(&rows);
    let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
    let line = |row: &[String; 3]| row.each_ref().map(quoted).join(",") + "\n";
    let csv: String = all().map(line).collect();
    let excel = workbook(|sheet| {
        for (row, fields) in all().enumerate() {
            for (column, field) in fields.iter().enumerate() {
                sheet
                    .write(row as u32, column as u16, field)
                    .expect("written");
            }
        }
    });
    let [from_csv, from_excel] = [csv.into_bytes(), excel].map(|data| {
        let fixture = Fixture::new(Settings::default());
        let job = fixture.import(&data);
        Worker::new()
            .run_pending(&fixture.store, &Stopped)
            .expect("no store error");
        (
            fixture.summary(job),
            fixture.report(job),
            fixture.contacts(),
        )
    });
    assert_eq!(from_csv.0.stored, 2_000);
    assert_eq!(from_csv, from_excel);
}

#[test]
fn an_interrupted_import_of_a_sheet_goes_on_behind_the_last_piece() {
    let data = people(5_000);
    let fixture = Fixture::new(Settings::default());
    let job = fixture.import(&data);
    let source = Source {
        input: &data[..],
        bytes: Some(data.len() as u64),
        mapping: None,
    };
    let stopped = catch_unwind(AssertUnwindSafe(|| {
        import(&fixture.store, job, source, &Stopped, &mut |progress| {
            assert!(progress.bytes == 0, "the process ends here");
        })
    }));
    assert!(stopped.is_err());
    let before = fixture.summary(job);
    assert!(before.rows > 0 && before.rows < 5_000, "{before:?}");
    assert_eq!(fixture.job(job).state, JobState::Running);
    Worker::new()
        .run_pending(&fixture.store, &Stopped)
        .expect("no store error");
    let expected = Summary {
        rows: 5_000,
        stored: 4_995,
        merged: 0,
        rejected: 5,
    };
    assert_eq!(fixture.summary(job), expected);
    assert_eq!(fixture.contacts().len(), 4_995);
    let report = fixture.report(job);
    assert!(report.contains("1001,CellPhone,rejected,the row has no device\r\n"));
    assert!(report.contains("5001,CellPhone,rejected,the row has no device\r\n"));
    assert_eq!(report.matches(",rejected,the row").count(), 5);
}

#[test]
fn a_file_that_is_cut_off_stores_nothing() {
    let data = people(2_000);
    for length in [4, 30, data.len() / 2, data.len() - 1] {
        let fixture = Fixture::new(Settings::default());
        let job = fixture.submit(JobType::Import, fixture.list, None, Some(&data[..length]));
        Worker::new()
            .run_pending(&fixture.store, &Stopped)
            .expect("no store error");
        let job = fixture.job(job);
        assert_eq!(job.state, JobState::Failed);
        assert_eq!(
            job.message.as_deref(),
            Some("the Excel file cannot be used: it is cut off: its directory is missing")
        );
        assert_eq!(fixture.contacts(), []);
    }
}

#[test]
fn a_byte_that_changed_is_noticed_before_the_first_row() {
    let data = people(2_000);
    // The sheet is the largest part by far, so its packed bytes lie in the middle.
    let mut changed = data.clone();
    changed[data.len() / 2] ^= 1;
    let error = try_check(&changed).expect_err("a wrong check sum");
    assert!(matches!(error, Error::Workbook(_)), "{error}");
}

#[test]
fn bombs_and_other_things_are_refused() {
    let bomb = workbook(|sheet| {
        // One style for each cell, each of them with its own long code: a part that is read whole must stay small.
        for row in 0..40_000 {
            let code = format!("\"{row}{}\"0", "x".repeat(240));
            let format = Format::new().set_num_format(code);
            sheet
                .write_with_format(row, 0, 1, &format)
                .expect("written");
        }
    });
    assert!(bomb.len() < 4 << 20, "{}", bomb.len());
    for (data, reason) in [
        (bomb, "xl/styles.xml unpacks to more than is allowed"),
        (b"PK\x03\x04".to_vec(), "it is cut off"),
        (b"PK\x05\x06".repeat(6), "an empty ZIP file"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(),
            "with a password",
        ),
        (workbook(|_| {}), "header row: there is none"),
        (
            workbook(|sheet| {
                for column in 0..500 {
                    sheet
                        .write(0, column, format!("c{column}"))
                        .expect("written");
                }
            }),
            "header row: the row has more than 400 fields",
        ),
    ] {
        let error = try_check(&data).expect_err(reason).to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_sheet_of_huge_dimensions_costs_what_it_holds() {
    let data = workbook(|sheet| {
        sheet.write(0, 0, "Phone").expect("written");
        sheet
            .write(1_048_575, 0, "(202) 555-0114")
            .expect("written");
        sheet.write(1_048_575, 16_383, "beyond").expect("written");
    });
    let (summary, report) = try_check(&data).expect("a sheet");
    assert_eq!((summary.rows, summary.rejected), (1, 1));
    assert!(
        report.contains("1048576,column XFD,rejected,the row has more than 400 fields\r\n"),
        "{report}"
    );
}
