//! What becomes of a message, decided by the number it goes to and a seed, so that every run of a demo ends alike.

use std::collections::HashMap;

/// What becomes of a message to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Delivered soon.
    Delivered,
    /// Taken, then reported as undeliverable.
    Failed,
    /// Delivered, but later than most.
    Slow,
    /// Throttled the first time it is offered, then delivered.
    Throttled,
    /// Refused in the response: no such subscriber.
    UnknownSubscriber,
    /// Delivered; the person answers YES.
    Replies,
    /// Delivered; the person answers STOP.
    Stop,
    /// Taken, and never reported.
    Unreported,
}

impl Fate {
    const ALL: [Fate; 8] = [
        Fate::Delivered,
        Fate::Failed,
        Fate::Slow,
        Fate::Throttled,
        Fate::UnknownSubscriber,
        Fate::Replies,
        Fate::Stop,
        Fate::Unreported,
    ];
}

/// How fates are dealt.
#[derive(Debug, Clone)]
pub struct Fates {
    /// Of a thousand numbers, how many meet each fate, in the order of `Fate`; the rest are delivered.
    pub of_thousand: [u32; 8],
    /// Fates of particular numbers (digits).
    pub of_number: HashMap<String, Fate>,
}

impl Fates {
    /// Everything is delivered.
    pub fn all_delivered() -> Self {
        Self {
            of_thousand: [1_000, 0, 0, 0, 0, 0, 0, 0],
            of_number: HashMap::new(),
        }
    }

    /// What a real list meets.
    pub fn realistic() -> Self {
        Self {
            of_thousand: [800, 50, 50, 20, 25, 35, 10, 10],
            of_number: HashMap::new(),
        }
    }

    /// The fate of a number.
    pub fn of(&self, number: &str, seed: u64) -> Fate {
        if let Some(fate) = self.of_number.get(number) {
            return *fate;
        }
        let mut lot = u32::try_from(mix(number, seed) % 1_000).expect("below 1000");
        for (fate, share) in Fate::ALL.into_iter().zip(self.of_thousand) {
            if lot < share {
                return fate;
            }
            lot -= share;
        }
        Fate::Delivered
    }
}

/// A number's own chance: FNV over it, then stirred so that neighbours differ in every bit.
pub(super) fn mix(number: &str, seed: u64) -> u64 {
    let hashed = number
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325 ^ seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
    let stirred = (hashed ^ (hashed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let stirred = (stirred ^ (stirred >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    stirred ^ (stirred >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_out_and_repeat() {
        let fates = Fates::realistic();
        let dealt = |seed| {
            (0..10_000)
                .map(|number| fates.of(&format!("49151{number:08}"), seed))
                .collect::<Vec<_>>()
        };
        let first = dealt(7);
        assert_eq!(first, dealt(7));
        assert_ne!(first, dealt(8));
        let delivered = first
            .iter()
            .filter(|fate| **fate == Fate::Delivered)
            .count();
        assert!((7_700..8_300).contains(&delivered), "{delivered}");
        assert!(first.contains(&Fate::Stop));
    }
}
