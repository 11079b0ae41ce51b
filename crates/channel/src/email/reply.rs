//! What a relay's reply means for an order, and what an enhanced status code (RFC 3463) says about an address.

use carillon_model::AttemptResult;

/// A reply of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// Three digits.
    pub code: u16,
    /// The words of all its lines, joined with line ends; bounded.
    pub text: String,
}

/// At which point a reply came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Sender,
    Recipient,
    Content,
}

/// What a reply means.
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

impl Reply {
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// The enhanced status code its text begins with.
    pub fn status(&self) -> Option<&str> {
        let word = self.text.split_whitespace().next()?;
        parts(word).is_some().then_some(word)
    }

    pub fn verdict(&self, stage: Stage) -> Verdict {
        let failed = |permanent| Verdict::Refused {
            result: AttemptResult::Failed,
            permanent,
        };
        match self.code {
            200..=299 => Verdict::Accepted,
            421 => Verdict::Later,
            // Our own log-in is at fault: the same mail goes when that is mended.
            530 | 534 | 535 | 538 => failed(false),
            500..=599 => {
                let bad_device = match self.status() {
                    Some(status) => is_bad_device(status),
                    // Without an enhanced code, these say that there is no such mailbox.
                    None => stage == Stage::Recipient && matches!(self.code, 550 | 551 | 553),
                };
                if bad_device {
                    Verdict::Refused {
                        result: AttemptResult::BadDevice,
                        permanent: true,
                    }
                } else {
                    failed(true)
                }
            }
            _ => failed(false),
        }
    }
}

fn parts(status: &str) -> Option<[u16; 3]> {
    let mut numbers = status.split('.').map(|part| {
        let digits =
            (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u16>().ok().filter(|_| digits)
    });
    let three = [numbers.next()??, numbers.next()??, numbers.next()??];
    (numbers.next().is_none() && matches!(three[0], 2 | 4 | 5)).then_some(three)
}

/// Whether an enhanced status code says that the address will never work: no such mailbox or domain, bad spelling,
/// moved away, disabled. It takes the code of a `Report::Failed` of this channel.
pub fn is_bad_device(code: &str) -> bool {
    let status = code.split_whitespace().next().unwrap_or_default();
    matches!(parts(status), Some([5, 1, 1 | 2 | 3 | 6 | 10] | [5, 2, 1]))
}

/// The class of an enhanced status code: 2 success, 4 for now, 5 for good.
pub(super) fn class(status: &str) -> Option<u16> {
    parts(status).map(|[class, ..]| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let refused = |result, permanent| Verdict::Refused { result, permanent };
        let (bad, failed) = (AttemptResult::BadDevice, AttemptResult::Failed);
        for (code, text, stage, expected) in [
            (250, "2.0.0 ok", Stage::Content, Verdict::Accepted),
            (421, "4.7.0 too fast", Stage::Sender, Verdict::Later),
            (
                450,
                "4.2.0 greylisted",
                Stage::Recipient,
                refused(failed, false),
            ),
            (550, "5.1.1 unknown", Stage::Recipient, refused(bad, true)),
            (550, "5.1.10 null MX", Stage::Content, refused(bad, true)),
            (550, "5.7.1 spam", Stage::Recipient, refused(failed, true)),
            (550, "no such user", Stage::Recipient, refused(bad, true)),
            (550, "no", Stage::Content, refused(failed, true)),
            (552, "5.2.2 full", Stage::Recipient, refused(failed, true)),
            (530, "5.7.0 log in", Stage::Sender, refused(failed, false)),
            (354, "odd", Stage::Content, refused(failed, false)),
        ] {
            let reply = Reply {
                code,
                text: text.to_owned(),
            };
            assert_eq!(reply.verdict(stage), expected, "{code} {text} {stage:?}");
        }
    }

    #[test]
    fn statuses() {
        for good in ["5.1.1", "5.1.2 host unknown", "5.2.1"] {
            assert!(is_bad_device(good), "{good}");
        }
        for other in [
            "", "5.0.0", "4.1.1", "5.1.1.1", "5.1", "5.1.x", "550", "5.+1.1", "5.2.2",
        ] {
            assert!(!is_bad_device(other), "{other}");
        }
    }
}
