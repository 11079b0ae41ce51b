//! What a command_status means for an order. Unknown and carriers' own numbers are a failure that may be tried again.

use super::wire::status;
use carillon_model::AttemptResult;

/// What a response to submit_sm means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Taken.
    Accepted,
    /// Not now: it goes back to the head of the queue.
    Later,
    /// Not taken.
    Refused {
        /// Failed or BadDevice.
        result: AttemptResult,
        /// Whether trying again is useless.
        permanent: bool,
    },
}

/// Reads a status.
pub(super) const fn verdict(code: u32) -> Verdict {
    let (result, permanent) = match code {
        status::OK => return Verdict::Accepted,
        status::THROTTLED | status::QUEUE_FULL => return Verdict::Later,
        // Invalid destination, its count or flag, type or plan of number, and "unknown subscriber" as several carriers number it.
        status::INVALID_DESTINATION | 0x33 | 0x34 | 0x40 | 0x50 | 0x51 => {
            (AttemptResult::BadDevice, true)
        }
        // Lengths, esm_class, source address, types and plans of it, parameters, times: the same message fails again.
        0x01..=0x03
        | 0x06
        | 0x07
        | 0x0A
        | 0x15
        | 0x42..=0x44
        | 0x48
        | 0x49
        | 0x53..=0x55
        | 0x61..=0x63
        | 0x65
        | 0x66
        | 0xC0..=0xC4 => (AttemptResult::Failed, true),
        _ => (AttemptResult::Failed, false),
    };
    Verdict::Refused { result, permanent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        let refused = |result, permanent| Verdict::Refused { result, permanent };
        for (code, expected) in [
            (0x00, Verdict::Accepted),
            (0x14, Verdict::Later),
            (0x58, Verdict::Later),
            (0x0B, refused(AttemptResult::BadDevice, true)),
            (0x0A, refused(AttemptResult::Failed, true)),
            (0x08, refused(AttemptResult::Failed, false)),
            (0x45, refused(AttemptResult::Failed, false)),
            (0x400, refused(AttemptResult::Failed, false)),
            (0xFFFF_FFFF, refused(AttemptResult::Failed, false)),
        ] {
            assert_eq!(verdict(code), expected, "{code:#x}");
        }
    }
}
