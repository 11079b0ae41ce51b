//! Turns an order into the PDUs that carry it, all but their sequence numbers. This happens once, when the order is
//! placed, so that a session only copies bytes.

use super::config::Config;
use super::gsm;
use super::wire::{self, Address, Message, command, status};
use crate::contract::{Answer, Content, Order};
use carillon_model::{AttemptId, AttemptResult, Moment};
use carillon_script::segment::Encoded;

/// An order ready to leave.
#[derive(Debug, PartialEq)]
pub(super) struct Prepared {
    /// The attempt.
    pub attempt: AttemptId,
    /// It may not leave at or after this moment.
    pub expires: Option<Moment>,
    /// The person's digits.
    pub person: String,
    /// One submit_sm per part.
    pub pdus: Vec<Vec<u8>>,
    /// Its place in the carrier's queue, given when it is placed; what comes back returns there.
    pub number: u64,
    /// How often the carrier said "not now" to one of its parts.
    pub put_off: usize,
}

/// What is the same in every order of a carrier.
pub(super) struct Template {
    service_type: Vec<u8>,
    source_ton: Option<u8>,
    source_npi: Option<u8>,
    destination: (u8, u8),
    validity: Vec<u8>,
    receipts: bool,
    reference: bool,
}

impl Template {
    pub fn new(config: &Config) -> Self {
        Self {
            service_type: config.service_type.clone().into_bytes(),
            source_ton: config.source_ton,
            source_npi: config.source_npi,
            destination: (config.destination_ton, config.destination_npi),
            validity: config
                .validity
                .map(|validity| relative_time(validity.as_secs()))
                .unwrap_or_default(),
            receipts: config.receipts,
            reference: config.reference,
        }
    }

    /// The PDUs of an order; or its answer, when it can never leave. `series` numbers messages of several parts.
    pub fn prepare(&self, order: &Order, series: u8) -> Result<Prepared, Answer> {
        let person = order.to.strip_prefix('+').unwrap_or(&order.to);
        if !(1..=20).contains(&person.len()) || !person.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refused(
                AttemptResult::BadDevice,
                status::INVALID_DESTINATION,
            ));
        }
        let Some(source) = self.source(&order.from) else {
            return Err(refused(AttemptResult::Failed, status::INVALID_SOURCE));
        };
        let Content::Text { body, max_parts } = &order.content else {
            return Err(refused(AttemptResult::Failed, status::INVALID_PARAMETER));
        };
        let Some(Encoded { alphabet, parts }) = gsm::encode(body, usize::from(*max_parts)) else {
            return Err(refused(
                AttemptResult::Failed,
                status::INVALID_MESSAGE_LENGTH,
            ));
        };
        let destination = Address {
            ton: self.destination.0,
            npi: self.destination.1,
            digits: person.as_bytes(),
        };
        let message = Message {
            service_type: &self.service_type,
            source,
            destination,
            validity: &self.validity,
            registered_delivery: u8::from(self.receipts),
            data_coding: gsm::data_coding(alphabet),
            // 16 bits are all the protocol has: a hint beside the message id, never the key.
            reference: self.reference.then_some((order.attempt.0 & 0xFFFF) as u16),
            ..Message::default()
        };
        let pdus = match parts.as_slice() {
            [single] => vec![submit(&Message {
                content: single,
                ..message
            })],
            several => concatenated(&message, several, series),
        };
        Ok(Prepared {
            attempt: order.attempt,
            expires: order.expires,
            person: person.to_owned(),
            pdus,
            number: 0,
            put_off: 0,
        })
    }

    /// Type and plan of our address by its form: `+digits` and long numbers are international, up to 8 digits are a
    /// short code, anything else is a name of at most 11 characters.
    fn source<'a>(&self, from: &'a str) -> Option<Address<'a>> {
        let digits = from.strip_prefix('+').unwrap_or(from);
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let (text, ton, npi, most) = match (from.starts_with('+'), is_number, digits.len()) {
            (false, _, 0) => (from, 0, 0, 0),
            (true, true, 1..) => (digits, 1, 1, 20),
            (false, true, 1..=8) => (digits, 3, 0, 8),
            (false, true, _) => (digits, 1, 1, 20),
            _ => (from, 5, 0, 11),
        };
        let fits = text.len() <= most && text.is_ascii() && !text.contains('\0');
        let (ton, npi) = (
            self.source_ton.unwrap_or(ton),
            self.source_npi.unwrap_or(npi),
        );
        fits.then_some(Address {
            ton,
            npi,
            digits: text.as_bytes(),
        })
    }
}

fn refused(result: AttemptResult, code: u32) -> Answer {
    Answer::Refused {
        result,
        code,
        permanent: true,
    }
}

fn submit(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire::write_frame(&mut bytes, command::SUBMIT_SM, 0, 0, |out| {
        wire::put_message(out, message)
    });
    bytes
}

/// Parts with the 8-bit concatenation header 05 00 03 series total number.
fn concatenated(message: &Message<'_>, parts: &[Vec<u8>], series: u8) -> Vec<Vec<u8>> {
    let total = u8::try_from(parts.len()).expect("the encoder makes at most 255 parts");
    let numbered = parts.iter().zip(1..=total);
    numbered
        .map(|(part, number)| {
            let mut content = vec![5, 0, 3, series, total, number];
            content.extend_from_slice(part);
            submit(&Message {
                content: &content,
                esm_class: wire::ESM_HEADER,
                ..message.clone()
            })
        })
        .collect()
}

/// The protocol's relative time YYMMDDhhmmss000R.
fn relative_time(seconds: u64) -> Vec<u8> {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (months, days) = (
        (days / 30).min(99),
        if days / 30 > 99 { 0 } else { days % 30 },
    );
    let (hours, minutes, seconds) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("00{months:02}{days:02}{hours:02}{minutes:02}{seconds:02}000R").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Template {
        Template::new(&Config::new("north", "a:1", "x", ""))
    }

    fn order(from: &str, to: &str, body: &str) -> Order {
        Order {
            attempt: AttemptId(0x12_3456),
            carrier: "north".into(),
            from: from.to_owned(),
            to: to.to_owned(),
            content: Content::Text {
                body: body.to_owned(),
                max_parts: 6,
            },
            expires: None,
        }
    }

    #[test]
    fn addresses_by_their_form() {
        for (from, ton, npi, digits) in [
            ("+4915112345678", 1, 1, "4915112345678"),
            ("4915112345678", 1, 1, "4915112345678"),
            ("72273", 3, 0, "72273"),
            ("Carillon", 5, 0, "Carillon"),
            ("", 0, 0, ""),
        ] {
            let prepared = template()
                .prepare(&order(from, "+15551230001", "Hi"), 1)
                .expect("can leave");
            let message =
                wire::read_message(&prepared.pdus[0][wire::HEADER_BYTES..]).expect("valid");
            assert_eq!(
                message.source,
                Address {
                    ton,
                    npi,
                    digits: digits.as_bytes()
                },
                "{from}"
            );
            assert_eq!(
                message.destination,
                Address {
                    ton: 1,
                    npi: 1,
                    digits: b"15551230001"
                }
            );
            assert_eq!(
                (
                    message.esm_class,
                    message.registered_delivery,
                    message.reference
                ),
                (0, 1, Some(0x3456))
            );
        }
    }

    #[test]
    fn what_can_never_leave_is_refused() {
        let bad_device = refused(AttemptResult::BadDevice, 0x0B);
        let failed = |code| refused(AttemptResult::Failed, code);
        for (from, to, body, answer) in [
            ("72273", "", "Hi", bad_device.clone()),
            ("72273", "+", "Hi", bad_device.clone()),
            ("72273", "+49151x", "Hi", bad_device.clone()),
            ("72273", "+123456789012345678901", "Hi", bad_device),
            ("Twelve chars", "+15551230001", "Hi", failed(0x0A)),
            (
                "72273",
                "+15551230001",
                "a".repeat(919).as_str(),
                failed(0x01),
            ),
        ] {
            assert_eq!(
                template().prepare(&order(from, to, body), 1).map(|_| ()),
                Err(answer),
                "{from} {to}"
            );
        }
    }

    #[test]
    fn long_texts_are_numbered() {
        let prepared = template()
            .prepare(&order("72273", "+15551230001", &"a".repeat(400)), 9)
            .expect("can leave");
        let headers: Vec<Vec<u8>> = prepared
            .pdus
            .iter()
            .map(|pdu| {
                let message = wire::read_message(&pdu[wire::HEADER_BYTES..]).expect("valid");
                assert_eq!(message.esm_class, 0x40);
                message.content[..6].to_vec()
            })
            .collect();
        assert_eq!(
            headers,
            [[5, 0, 3, 9, 3, 1], [5, 0, 3, 9, 3, 2], [5, 0, 3, 9, 3, 3]]
        );
    }

    #[test]
    fn validity_is_relative() {
        assert_eq!(relative_time(86_400), b"000001000000000R");
        assert_eq!(relative_time(30 * 86_400 + 3_661), b"000100010101000R");
    }
}
