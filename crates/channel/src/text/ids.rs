//! Message ids. A carrier names each part in its response and again in the receipt, and too often not alike: hexadecimal
//! here and decimal there, another case, other leading zeros. What a receipt says is turned back into the spelling of the
//! response, by the configuration or by what the carrier has shown, so that the ledger can compare ids as they are.

use serde::Deserialize;
use std::collections::{HashMap, VecDeque};

use crate::limits;

/// How receipts spell ids against the responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// Found out from the carrier's own receipts.
    #[default]
    Auto,
    /// Alike.
    Same,
    /// Hexadecimal in the response, decimal in the receipt.
    HexThenDecimal,
    /// Decimal in the response, hexadecimal in the receipt.
    DecimalThenHex,
}

/// The comparison keys under which an id may be known, the likeliest first: as it is; without case and leading zeros;
/// read as decimal and written as hexadecimal; read as hexadecimal and written as decimal. A ledger that finds no attempt
/// for a Report's id as it is tries these in order, and takes a match only if the attempt's carrier and state agree.
pub fn message_key(id: &str) -> Vec<String> {
    let id = id.trim();
    let mut keys = vec![id.to_owned()];
    let canonical = canonical(id);
    let readings = [
        Some(canonical.clone()),
        to_hex(&canonical),
        to_decimal(&canonical),
    ];
    for key in readings.into_iter().flatten() {
        for spelled in [key.to_ascii_uppercase(), key] {
            if !keys.contains(&spelled) {
                keys.push(spelled);
            }
        }
    }
    keys
}

/// An id without what spellings differ in: case and leading zeros, where it is a number at all.
fn canonical(id: &str) -> String {
    let id = id.trim();
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return id.to_owned();
    }
    let digits = id.trim_start_matches('0');
    if digits.is_empty() {
        "0".to_owned()
    } else {
        digits.to_ascii_lowercase()
    }
}

/// A decimal id in hexadecimal.
fn to_hex(canonical: &str) -> Option<String> {
    canonical
        .parse::<u64>()
        .ok()
        .map(|number| format!("{number:x}"))
}

/// A hexadecimal id in decimal.
fn to_decimal(canonical: &str) -> Option<String> {
    u64::from_str_radix(canonical, 16)
        .ok()
        .map(|number| number.to_string())
}

/// The last ids of one carrier and what they showed.
pub(super) struct Ids {
    spelling: Spelling,
    /// Canonical id → as the response spelled it, and whom it went to. The addressee tells a true match from a chance one.
    recent: HashMap<String, (String, String)>,
    order: VecDeque<String>,
    alike: u32,
    settled: bool,
}

impl Ids {
    pub fn new(spelling: Spelling) -> Self {
        Self {
            spelling,
            recent: HashMap::new(),
            order: VecDeque::new(),
            alike: 0,
            settled: spelling == Spelling::Same,
        }
    }

    /// Whether ids need no looking after any more.
    pub fn settled(&self) -> bool {
        self.settled
    }

    /// A response named a part that went to `person` (digits).
    pub fn accepted(&mut self, id: &str, person: &str) {
        if self.settled {
            return;
        }
        let key = canonical(id);
        if self
            .recent
            .insert(key.clone(), (id.to_owned(), person.to_owned()))
            .is_none()
        {
            self.order.push_back(key);
        }
        if self.order.len() > limits::RECENT_IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.recent.remove(&oldest);
        }
    }

    /// The id of a receipt about a message to `person`, as the response spelled it.
    pub fn resolve(&mut self, id: &str, person: &str) -> String {
        if self.settled {
            return id.to_owned();
        }
        let plain = canonical(id);
        let readings = [
            (Spelling::Same, Some(plain.clone())),
            (Spelling::HexThenDecimal, to_hex(&plain)),
            (Spelling::DecimalThenHex, to_decimal(&plain)),
        ];
        for (spelling, reading) in &readings {
            let allowed = self.spelling == Spelling::Auto || self.spelling == *spelling;
            let Some(reading) = reading.as_ref().filter(|_| allowed) else {
                continue;
            };
            if let Some((spelled, to)) = self.recent.get(reading)
                && same_person(to, person)
            {
                let spelled = spelled.clone();
                self.learn(*spelling, spelled == id);
                return spelled;
            }
        }
        // Not among the recent ones: after a restart, or before its response. What is known of the carrier decides.
        let by_habit = readings
            .into_iter()
            .find(|(spelling, _)| *spelling == self.spelling && *spelling != Spelling::Same);
        by_habit
            .and_then(|(_, reading)| reading)
            .unwrap_or_else(|| id.to_owned())
    }

    fn learn(&mut self, shown: Spelling, identical: bool) {
        if shown != Spelling::Same {
            self.spelling = shown;
            return;
        }
        self.alike = if identical { self.alike + 1 } else { 0 };
        if self.alike >= limits::ALIKE_SETTLED && self.spelling == Spelling::Auto {
            self.settled = true;
            self.recent = HashMap::new();
            self.order = VecDeque::new();
        }
    }
}

/// Receipts often write the number without its plus or with zeros before it: the last eight digits tell.
fn same_person(one: &str, other: &str) -> bool {
    let tail = |text: &str| -> Vec<u8> {
        text.bytes()
            .rev()
            .filter(u8::is_ascii_digit)
            .take(8)
            .collect()
    };
    other.is_empty() || tail(one) == tail(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_start_with_the_id_itself() {
        assert_eq!(message_key(" 0A1f ")[0], "0A1f");
        for (id, other) in [
            ("0A1F", "a1f"),
            ("0A1F", "2591"),
            ("2591", "A1F"),
            ("2591", "a1f"),
            ("0000002591", "2591"),
        ] {
            assert!(
                message_key(id).contains(&other.to_owned()),
                "{id} → {other}"
            );
        }
        assert_eq!(message_key("f3-uuid"), ["f3-uuid", "F3-UUID"]);
    }

    #[test]
    fn hex_and_decimal_are_told_apart_by_the_addressee() {
        let mut ids = Ids::new(Spelling::Auto);
        // 10 (hex) is 16; 16 (hex) is 22: both ids are in flight, so the number alone would mislead.
        ids.accepted("00000010", "4915100000001");
        ids.accepted("00000016", "4915100000002");
        assert_eq!(ids.resolve("16", "4915100000001"), "00000010");
        assert_eq!(ids.resolve("22", "+4915100000002"), "00000016");
        // Unknown ids follow the habit that was shown.
        assert_eq!(ids.resolve("255", "4915100000003"), "ff");

        let mut ids = Ids::new(Spelling::Auto);
        ids.accepted("2591", "15551230001");
        assert_eq!(ids.resolve("00000A1F", "15551230001"), "2591");

        let mut ids = Ids::new(Spelling::Auto);
        ids.accepted("0A1F", "15551230001");
        assert_eq!(ids.resolve("a1f", "15551230001"), "0A1F");
    }

    #[test]
    fn an_honest_carrier_costs_nothing_after_a_while() {
        let mut ids = Ids::new(Spelling::Auto);
        for number in 0..=limits::ALIKE_SETTLED {
            let id = format!("m{number}");
            ids.accepted(&id, "15551230001");
            assert_eq!(ids.resolve(&id, "15551230001"), id);
        }
        assert!(ids.settled());
        assert!(ids.recent.is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let mut ids = Ids::new(Spelling::Auto);
        for number in 0..limits::RECENT_IDS_MAX + 100 {
            ids.accepted(&format!("x{number}"), "1");
        }
        assert_eq!(ids.recent.len(), limits::RECENT_IDS_MAX);
        assert_eq!(ids.order.len(), limits::RECENT_IDS_MAX);
    }
}
