//! Text in other character sets than UTF-8, and with other delimiters than the comma.

use crate::fixture::{Fixture, Stopped};
use carillon_import::{Source, Summary, Worker, import};
use carillon_model::JobState;
use carillon_model::org::Settings;
use std::panic::{AssertUnwindSafe, catch_unwind};

const NAMES: [&str; 4] = [
    "Zo\u{eb}",
    "\u{20ac}uro; M\u{fc}ller",
    "J\u{f3}n \"x\"",
    "Ann",
];

fn table(delimiter: char) -> String {
    let names = NAMES.iter().map(|name| name.replace('"', "\"\""));
    let rows = names
        .enumerate()
        .map(|(n, name)| format!("C-{n}{delimiter}\"{name}\"{delimiter}+1202555011{n}\r\n"));
    format!("ClientID{delimiter}FirstName{delimiter}Phone\r\n") + &rows.collect::<String>()
}

fn utf16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = std::iter::once(0xfeff);
    mark.chain(text.encode_utf16()).flat_map(bytes_of).collect()
}

fn encoded(text: &str, label: &str) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("a known name");
    let (bytes, _, is_lossy) = encoding.encode(text);
    assert!(!is_lossy);
    bytes.into_owned()
}

fn in_charset(charset: Option<&str>) -> Fixture {
    Fixture::new(Settings {
        charset: charset.map(str::to_owned),
        ..Settings::default()
    })
}

/// The first names that an import of `data` stores.
fn names(fixture: &Fixture, data: &[u8]) -> Vec<String> {
    let job = fixture.import(data);
    Worker::new()
        .run_pending(&fixture.store, &Stopped)
        .expect("no store error");
    assert_eq!(fixture.job(job).message, None);
    let contacts = fixture.contacts();
    let name = |contact: &carillon_model::contact::Contact| {
        contact
            .attribute("firstName")
            .unwrap_or_default()
            .to_owned()
    };
    contacts.iter().map(name).collect()
}

#[test]
fn every_character_set_and_delimiter_is_read() {
    for delimiter in [',', ';', '\t', '|'] {
        let text = table(delimiter);
        let inputs = [
            ("UTF-8", text.clone().into_bytes()),
            ("UTF-8 with mark", format!("\u{feff}{text}").into_bytes()),
            ("UTF-16LE", utf16(&text, u16::to_le_bytes)),
            ("UTF-16BE", utf16(&text, u16::to_be_bytes)),
            ("Windows-1252", encoded(&text, "windows-1252")),
        ];
        for (kind, data) in inputs {
            for charset in [None, Some("utf-8"), Some("windows-1252")] {
                let read = names(&in_charset(charset), &data);
                assert_eq!(read, NAMES, "{kind}, {delimiter:?}, {charset:?}");
            }
        }
    }
}

#[test]
fn the_account_tells_the_character_set_of_what_is_no_utf8() {
    for (charset, name) in [
        ("iso-8859-2", "Ko\u{161}ice"),
        ("windows-1251", "\u{410}\u{43d}\u{43d}\u{430}"),
        ("shift_jis", "\u{8868}\u{30bd}|"),
        ("gb18030", "\u{8054}\u{901a}\u{4e2d}\u{6587}"),
        ("iso-2022-jp", "\u{3042}\u{4e9c}"),
    ] {
        let text = format!("FirstName;Phone\n\"{name}\";+12025550113\n");
        let fixture = in_charset(Some(charset));
        // A set that consists of ASCII alone cannot be told from UTF-8.
        if charset != "iso-2022-jp" {
            assert_eq!(
                names(&fixture, &encoded(&text, charset)),
                [name],
                "{charset}"
            );
        }
        let fixture = in_charset(Some(charset));
        assert_eq!(
            names(&fixture, text.as_bytes()),
            [name],
            "UTF-8 for {charset}"
        );
    }
}

#[test]
fn one_broken_row_does_not_spoil_the_others() {
    let mut data = "FirstName,Phone\nZo\u{eb},+12025550113\nJ"
        .to_owned()
        .into_bytes();
    data.extend(b"\xf3n,+12025550114\n");
    data.extend("M\u{fc}ller,+12025550115\n".bytes());
    assert_eq!(
        names(&in_charset(None), &data),
        ["Zo\u{eb}", "J\u{f3}n", "M\u{fc}ller"]
    );
}

#[test]
fn what_is_in_no_character_set_is_told_with_its_row() {
    let mut half = utf16("FirstName;Phone\nA", u16::to_le_bytes);
    half.extend([0x00, 0xd8]);
    half.extend(utf16(";+12025550113\nBo;+12025550114\n", u16::to_le_bytes).split_off(2));
    let unknown = b"FirstName;Phone\nA\xff;+12025550113\nBo;+12025550114\n".to_vec();
    let marked = [b"\xef\xbb\xbf", &unknown[..]].concat();
    for (charset, data) in [(None, half), (None, marked), (Some("runes"), unknown)] {
        let fixture = in_charset(charset);
        let job = fixture.import(&data);
        Worker::new()
            .run_pending(&fixture.store, &Stopped)
            .expect("no store error");
        let expected =
            "2,FirstName,rejected,neither UTF-8 nor text in the Account's character set\r\n";
        assert!(
            fixture.report(job).contains(expected),
            "{}",
            fixture.report(job)
        );
        assert_eq!(fixture.summary(job).stored, 1);
    }
    let fixture = in_charset(None);
    let job = fixture.import(&utf16("FirstName;Phone\n", u16::to_le_bytes)[2..]);
    Worker::new()
        .run_pending(&fixture.store, &Stopped)
        .expect("no store error");
    let message = fixture.job(job).message.unwrap_or_default();
    assert!(
        message.contains("UTF-16 needs a byte order mark"),
        "{message}"
    );
}

#[test]
fn an_interrupted_import_of_utf16_goes_on_behind_the_last_piece() {
    let rows = (0..20_000).map(|n| format!("C-{n};Zo\u{eb}{n};+1202555{:04}\n", n % 10_000));
    let text = "ClientID;FirstName;Phone\n".to_owned() + &rows.collect::<String>();
    let data = utf16(&text, u16::to_be_bytes);
    let fixture = in_charset(None);
    let job = fixture.import(&data);
    let source = Source {
        input: &data[..],
        bytes: Some(data.len() as u64),
        mapping: None,
    };
    let stopped = catch_unwind(AssertUnwindSafe(|| {
        import(&fixture.store, job, source, &Stopped, &mut |progress| {
            assert!(progress.bytes <= data.len() as u64);
            assert!(progress.bytes == 0, "the process ends here");
        })
    }));
    assert!(stopped.is_err());
    assert_eq!(fixture.job(job).state, JobState::Running);
    let before = fixture.summary(job).rows;
    assert!(before > 0 && before < 20_000, "{before}");
    Worker::new()
        .run_pending(&fixture.store, &Stopped)
        .expect("no store error");
    let expected = Summary {
        rows: 20_000,
        stored: 20_000,
        merged: 0,
        rejected: 0,
    };
    assert_eq!(fixture.summary(job), expected);
    assert_eq!(
        fixture.contacts()[19_999].attribute("firstName"),
        Some("Zo\u{eb}19999")
    );
}
