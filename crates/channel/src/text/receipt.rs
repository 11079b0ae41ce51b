//! Delivery receipts. The protocol leaves their text to the carrier; `id:… sub:… dlvrd:… submit date:… done date:… stat:…
//! err:… text:…` is only a custom, so fields are found by name in any order, case and number, and the optional parameters
//! are believed before the text.

use super::wire::{self, Message};
use crate::contract::Report;

/// What a receipt said.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Receipt {
    /// The part it is about, as it spells it; empty when it names none.
    pub message_id: String,
    /// user_message_reference.
    pub reference: Option<u64>,
    /// What became of the part.
    pub report: Report,
}

/// The receipt in a deliver_sm or data_sm; none when it is a message from a person.
pub(super) fn read(message: &Message<'_>) -> Option<Receipt> {
    let kind = message.esm_class & wire::ESM_KIND;
    // Some carriers forget the esm_class; the parameters are beyond a person's reach, the text is not.
    let by_parameters = message.receipted.is_some() && message.state.is_some();
    if !matches!(kind, 0x04 | 0x08 | 0x10 | 0x20) && !by_parameters {
        return None;
    }
    let text = wire::text(message.content);
    let message_id = match message.receipted {
        Some(id) if !id.is_empty() => wire::text(id),
        _ => field(&text, "id").unwrap_or_default().to_owned(),
    };
    let word = message.state.and_then(state_word).map(str::to_owned);
    let word = word
        .or_else(|| field(&text, "stat").map(str::to_ascii_uppercase))
        .unwrap_or_default();
    let error = field(&text, "err").unwrap_or_default();
    let report = match report(&word, error) {
        Report::Delivered | Report::Unknown if kind == 0x20 => Report::Intermediate { state: word },
        report => report,
    };
    Some(Receipt {
        message_id,
        reference: message.reference.map(u64::from),
        report,
    })
}

/// What a message state number says; none for one that does not exist.
pub(super) fn report_of_state(state: u8, error: u8) -> Option<Report> {
    let word = state_word(state)?;
    Some(report(
        word,
        &if error == 0 {
            String::new()
        } else {
            format!("{error:03}")
        },
    ))
}

const fn state_word(state: u8) -> Option<&'static str> {
    Some(match state {
        1 => "ENROUTE",
        2 => "DELIVRD",
        3 => "EXPIRED",
        4 => "DELETED",
        5 => "UNDELIV",
        6 => "ACCEPTD",
        7 => "UNKNOWN",
        8 => "REJECTD",
        _ => return None,
    })
}

fn report(word: &str, error: &str) -> Report {
    // Carriers write the words in 7 letters or in full.
    let is = |stems: &[&str]| stems.iter().any(|stem| word.starts_with(stem));
    if is(&["DELIV"]) {
        Report::Delivered
    } else if is(&[
        "UNDEL", "EXPIR", "DELET", "REJEC", "FAIL", "BLOCK", "BARRED", "SKIP",
    ]) {
        Report::Failed {
            code: format!("{word} {error}").trim_end().to_owned(),
        }
    } else if is(&[
        "ENROUT", "ACCEP", "SCHED", "BUFFER", "QUEUE", "SENT", "RETRY", "PENDING",
    ]) {
        Report::Intermediate {
            state: word.to_owned(),
        }
    } else {
        Report::Unknown
    }
}

/// The value of a field: what stands after its name and colon up to the next blank. The name must begin a word, so that
/// `id` is not found in `uuid`; what the person's own text repeats (`text:` is always last) cannot come first.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let starts = bytes
        .windows(name.len())
        .enumerate()
        .filter(|(_, window)| window.eq_ignore_ascii_case(name.as_bytes()));
    for (at, _) in starts {
        let begins_word = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let after = text
            .get(at + name.len()..)
            .unwrap_or_default()
            .trim_start_matches(' ');
        if begins_word && let Some(value) = after.strip_prefix([':', '=']) {
            let value = value.trim_start_matches(' ');
            let end = value.find(|character: char| {
                character.is_whitespace() || character == ',' || character == ';'
            });
            return Some(&value[..end.unwrap_or(value.len())]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of_text(text: &str) -> Option<Receipt> {
        read(&Message {
            esm_class: 0x04,
            content: text.as_bytes(),
            ..Message::default()
        })
    }

    fn failed(code: &str) -> Report {
        Report::Failed {
            code: code.to_owned(),
        }
    }

    #[test]
    fn texts_of_many_carriers() {
        let intermediate = |state: &str| Report::Intermediate {
            state: state.to_owned(),
        };
        for (text, id, report) in [
            (
                "id:1234567890 sub:001 dlvrd:001 submit date:2611241200 done date:2611241201 stat:DELIVRD err:000 text:Hello",
                "1234567890",
                Report::Delivered,
            ),
            ("ID:a1-b2 STAT:delivrd", "a1-b2", Report::Delivered),
            ("stat:UNDELIV err:069 id:7", "7", failed("UNDELIV 069")),
            ("id: 7 stat: EXPIRED", "7", failed("EXPIRED")),
            ("id:7, stat:REJECTED, err:12", "7", failed("REJECTED 12")),
            (
                "id:7 stat:DELIVERED text:id:8 stat:UNDELIV",
                "7",
                Report::Delivered,
            ),
            (
                "id:7 stat:UNDELIVERABLE err:1",
                "7",
                failed("UNDELIVERABLE 1"),
            ),
            ("uuid:9 id:7 stat:ACCEPTD", "7", intermediate("ACCEPTD")),
            ("id:7 stat:ENROUTE", "7", intermediate("ENROUTE")),
            ("id:7 stat:UNKNOWN", "7", Report::Unknown),
            ("id:7", "7", Report::Unknown),
            ("stat:DELIVRD", "", Report::Delivered),
            ("", "", Report::Unknown),
            ("id=7 stat=FAILED", "7", failed("FAILED")),
        ] {
            let receipt = of_text(text).expect("a receipt");
            assert_eq!(
                (receipt.message_id.as_str(), receipt.report),
                (id, report),
                "{text}"
            );
        }
    }

    #[test]
    fn parameters_are_believed_before_the_text() {
        let receipt = read(&Message {
            esm_class: 0x04,
            content: b"id:1 stat:DELIVRD err:005",
            receipted: Some(b"abc"),
            state: Some(5),
            reference: Some(77),
            ..Message::default()
        });
        let expected = Receipt {
            message_id: "abc".to_owned(),
            reference: Some(77),
            report: failed("UNDELIV 005"),
        };
        assert_eq!(receipt, Some(expected));
    }

    #[test]
    fn a_person_cannot_write_a_receipt() {
        let text = Message {
            content: b"id:1 stat:DELIVRD",
            ..Message::default()
        };
        assert_eq!(read(&text), None);
        let parameters = Message {
            receipted: Some(b"1"),
            state: Some(2),
            ..Message::default()
        };
        assert_eq!(
            read(&parameters).map(|receipt| receipt.report),
            Some(Report::Delivered)
        );
        let notification = Message {
            esm_class: 0x20,
            content: b"id:1 stat:DELIVRD",
            ..Message::default()
        };
        assert!(matches!(
            read(&notification).map(|receipt| receipt.report),
            Some(Report::Intermediate { .. })
        ));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,200}") {
            let _ = of_text(&text);
        }

        #[test]
        fn order_and_case_do_not_matter(order in Just(vec!["id:42", "stat:DELIVRD", "err:000", "sub:001", "done date:2611241201"]).prop_shuffle(), upper: bool) {
            let text = order.join(" ");
            let text = if upper { text.to_uppercase() } else { text };
            let receipt = of_text(&text).expect("a receipt");
            prop_assert_eq!(receipt.message_id, "42");
            prop_assert_eq!(receipt.report, Report::Delivered);
        }
    }
}
