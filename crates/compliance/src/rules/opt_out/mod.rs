//! Opt-out: the person told us to stop (`law.md`).

use crate::verdict::{Cause, Verdict};
use carillon_model::Reason;

/// The verdict on a general opt-out of the device from the channel.
pub fn verdict(opted_out: bool) -> Verdict {
    if opted_out {
        Verdict::Deny {
            cause: Cause::without_rule(Reason::OptedOut),
        }
    } else {
        Verdict::Allow
    }
}
