//! Messages from people: their text in whatever alphabet, and messages that come in parts. Parts are bounded in number,
//! bytes and time. A part is acknowledged when it is kept here, because many carriers send the next one only then; the
//! last part is acknowledged by the engine, when the whole message is durable.

use super::gsm;
use super::wire::{self, Message};
use crate::limits;
use std::collections::HashMap;
use tokio::time::Instant;

/// A whole message from a person.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Inbound {
    pub from: String,
    pub to: String,
    pub body: String,
}

/// What to do with a deliver_sm that is no receipt.
#[derive(Debug, PartialEq)]
pub(super) enum Read {
    /// Pass it on.
    Whole(Inbound),
    /// It is kept until its other parts come.
    Kept,
    /// A message nobody can complete had to make room; pass on what there is of it. The new part is kept.
    KeptInPlaceOf(Inbound),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    from: String,
    to: String,
    series: u16,
    total: u8,
}

struct Partial {
    began: Instant,
    coding: u8,
    parts: Vec<Option<Vec<u8>>>,
    bytes: usize,
    whole: bool,
}

/// Messages of which parts are missing.
#[derive(Default)]
pub(super) struct Assembly {
    partial: HashMap<Key, Partial>,
}

struct Segment {
    series: u16,
    total: u8,
    number: u8,
}

impl Assembly {
    /// Reads one message.
    pub fn read(&mut self, message: &Message<'_>, now: Instant) -> Read {
        let from = person(&message.source);
        let to = wire::text(message.destination.digits);
        let (segment, content) = segment(message);
        let Some(segment) = segment
            .filter(|segment| segment.total > 1 && (1..=segment.total).contains(&segment.number))
        else {
            return Read::Whole(Inbound {
                from,
                to,
                body: gsm::decode(message.data_coding, content),
            });
        };
        let key = Key {
            from,
            to,
            series: segment.series,
            total: segment.total,
        };
        let at = usize::from(segment.number - 1);
        // The same number series comes round again: a part that differs from the one kept begins a new message.
        let differs = |partial: &Partial| {
            partial.coding != message.data_coding
                || partial.parts[at]
                    .as_deref()
                    .is_some_and(|kept| kept != content)
        };
        let restart = self.partial.get(&key).is_some_and(differs);
        let mut given_up = if restart {
            self.partial
                .remove(&key)
                .and_then(|partial| leftover(&key, &partial))
        } else {
            None
        };
        if !self.partial.contains_key(&key) && self.partial.len() >= limits::PARTIAL_MESSAGES_MAX {
            given_up = self.evict();
        }
        let partial = self.partial.entry(key.clone()).or_insert_with(|| Partial {
            began: now,
            coding: message.data_coding,
            parts: vec![None; usize::from(segment.total)],
            bytes: 0,
            whole: false,
        });
        if partial.parts[at].is_none() && partial.bytes + content.len() <= limits::PARTIAL_BYTES_MAX
        {
            partial.bytes += content.len();
            partial.parts[at] = Some(content.to_vec());
        }
        if partial.parts.iter().all(Option::is_some) {
            // Kept until its time is over: the carrier sends the last part again if it is not acknowledged.
            partial.whole = true;
            return Read::Whole(join(&key, partial));
        }
        given_up.map_or(Read::Kept, Read::KeptInPlaceOf)
    }

    /// What there is of messages whose parts did not come in time.
    pub fn expire(&mut self, now: Instant) -> Vec<Inbound> {
        let over = |partial: &Partial| now.duration_since(partial.began) >= limits::PARTIAL_WAIT;
        let expired = self.partial.extract_if(|_, partial| over(partial));
        expired
            .filter_map(|(key, partial)| leftover(&key, &partial))
            .collect()
    }

    fn evict(&mut self) -> Option<Inbound> {
        let oldest = self
            .partial
            .iter()
            .min_by_key(|(_, partial)| (!partial.whole, partial.began));
        let key = oldest.map(|(key, _)| key.clone())?;
        let partial = self.partial.remove(&key)?;
        leftover(&key, &partial)
    }
}

fn leftover(key: &Key, partial: &Partial) -> Option<Inbound> {
    (!partial.whole).then(|| join(key, partial))
}

/// The text of all parts that are there. Bytes are joined before they are read: a character may span two parts.
fn join(key: &Key, partial: &Partial) -> Inbound {
    let bytes = partial
        .parts
        .iter()
        .flatten()
        .flatten()
        .copied()
        .collect::<Vec<u8>>();
    Inbound {
        from: key.from.clone(),
        to: key.to.clone(),
        body: gsm::decode(partial.coding, &bytes),
    }
}

/// International numbers get the plus that the rest of the system writes.
fn person(source: &wire::Address<'_>) -> String {
    let digits = wire::text(source.digits);
    let is_number = digits.len() > 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && (source.ton == 1 || source.ton == 0) {
        format!("+{digits}")
    } else {
        digits
    }
}

/// The place of a part, from the user data header or the optional parameters, and the content without the header.
fn segment<'a>(message: &Message<'a>) -> (Option<Segment>, &'a [u8]) {
    let by_parameters = message.segment.map(|(series, total, number)| Segment {
        series,
        total,
        number,
    });
    if message.esm_class & wire::ESM_HEADER == 0 {
        return (by_parameters, message.content);
    }
    let Some((&length, rest)) = message.content.split_first() else {
        return (by_parameters, message.content);
    };
    let Some((mut header, content)) = rest.split_at_checked(usize::from(length)) else {
        return (by_parameters, message.content);
    };
    let mut found = by_parameters;
    while let [kind, length, rest @ ..] = header {
        let Some((value, rest)) = rest.split_at_checked(usize::from(*length)) else {
            break;
        };
        match (kind, value) {
            (0x00, [series, total, number]) => {
                found = Some(Segment {
                    series: u16::from(*series),
                    total: *total,
                    number: *number,
                });
            }
            (0x08, [high, low, total, number]) => {
                let series = u16::from_be_bytes([*high, *low]);
                found = Some(Segment {
                    series,
                    total: *total,
                    number: *number,
                });
            }
            _ => {}
        }
        header = rest;
    }
    (found, content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::wire::Address;
    use proptest::prelude::*;

    fn message(content: &[u8], esm_class: u8, data_coding: u8) -> Message<'_> {
        Message {
            source: Address {
                ton: 1,
                npi: 1,
                digits: b"4915112345678",
            },
            destination: Address {
                ton: 3,
                npi: 0,
                digits: b"72273",
            },
            esm_class,
            data_coding,
            content,
            ..Message::default()
        }
    }

    fn body(read: Read) -> String {
        match read {
            Read::Whole(inbound) => {
                assert_eq!(
                    (inbound.from.as_str(), inbound.to.as_str()),
                    ("+4915112345678", "72273")
                );
                inbound.body
            }
            other => panic!("not whole: {other:?}"),
        }
    }

    #[tokio::test]
    async fn parts_in_any_order_and_twice() {
        let now = Instant::now();
        let mut assembly = Assembly::default();
        // 😀 is split over both parts.
        let (first, second) = (
            [5, 0, 3, 7, 2, 1, 0, b'a', 0xD8, 0x3D],
            [5, 0, 3, 7, 2, 2, 0xDE, 0x00, 0, b'b'],
        );
        assert_eq!(assembly.read(&message(&second, 0x40, 8), now), Read::Kept);
        assert_eq!(assembly.read(&message(&second, 0x40, 8), now), Read::Kept);
        assert_eq!(body(assembly.read(&message(&first, 0x40, 8), now)), "a😀b");
        assert_eq!(
            body(assembly.read(&message(&first, 0x40, 8), now)),
            "a😀b",
            "sent again, as it was not acknowledged"
        );
        assert_eq!(
            assembly.expire(now + limits::PARTIAL_WAIT),
            [],
            "it was passed on"
        );

        let sixteen = [6, 8, 4, 1, 2, 1, 1, b'x'];
        assert_eq!(
            body(assembly.read(&message(&sixteen, 0x40, 0), now)),
            "x",
            "one of one"
        );
        let parameters = |number, content| Message {
            segment: Some((9, 2, number)),
            ..message(content, 0, 0)
        };
        assert_eq!(assembly.read(&parameters(1, b"ab"), now), Read::Kept);
        assert_eq!(body(assembly.read(&parameters(2, b"cd"), now)), "abcd");
    }

    #[tokio::test]
    async fn what_is_incomplete_is_passed_on_in_the_end() {
        let now = Instant::now();
        let mut assembly = Assembly::default();
        assert_eq!(
            assembly.read(
                &message(&[5, 0, 3, 7, 2, 1, b'S', b'T', b'O', b'P'], 0x40, 0),
                now
            ),
            Read::Kept
        );
        assert_eq!(assembly.expire(now), []);
        let bodies: Vec<String> = assembly
            .expire(now + limits::PARTIAL_WAIT)
            .into_iter()
            .map(|inbound| inbound.body)
            .collect();
        assert_eq!(bodies, ["STOP"]);
        assert!(assembly.partial.is_empty());
    }

    #[tokio::test]
    async fn memory_is_bounded() {
        let now = Instant::now();
        let mut assembly = Assembly::default();
        for number in 0..limits::PARTIAL_MESSAGES_MAX + 10 {
            let digits = format!("49151{number:08}");
            let part = Message {
                source: Address {
                    ton: 1,
                    npi: 1,
                    digits: digits.as_bytes(),
                },
                ..message(&[5, 0, 3, 1, 2, 1, b'x'], 0x40, 0)
            };
            let read = assembly.read(&part, now);
            assert_eq!(
                matches!(read, Read::KeptInPlaceOf(_)),
                number >= limits::PARTIAL_MESSAGES_MAX
            );
        }
        assert_eq!(assembly.partial.len(), limits::PARTIAL_MESSAGES_MAX);
    }

    proptest! {
        #[test]
        fn any_content_is_read(content: Vec<u8>, esm_class: u8, data_coding: u8, segment: Option<(u16, u8, u8)>) {
            let mut assembly = Assembly::default();
            let _ = assembly.read(&Message { segment, ..message(&content, esm_class, data_coding) }, Instant::from_std(std::time::Instant::now()));
        }
    }
}
