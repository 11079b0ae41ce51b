//! What a later fact does to an attempt: the same for every backend, so that none can let a second final in.

use super::{Attempt, Fact};
use carillon_model::AttemptResult;

/// Applies a fact; answers false, and changes nothing, when the attempt already says so or has ended.
pub(super) fn apply(attempt: &mut Attempt, fact: &Fact) -> bool {
    match fact {
        Fact::Accepted { at, parts, .. } => {
            if attempt.result.is_some() || attempt.accepted.is_some() {
                return false;
            }
            attempt.accepted = Some(*at);
            attempt.parts = *parts;
        }
        Fact::PartDelivered => {
            if attempt.result.is_some() || attempt.parts_delivered >= attempt.parts {
                return false;
            }
            attempt.parts_delivered += 1;
        }
        Fact::Ended {
            at,
            result,
            reason,
            script_result,
            carrier_status,
        } => {
            if attempt.result.is_some() {
                return false;
            }
            attempt.ended = Some(*at);
            attempt.result = Some(*result);
            attempt.reason = *reason;
            attempt.script_result = *script_result;
            attempt.carrier_status.clone_from(carrier_status);
        }
        Fact::Corrected {
            result,
            carrier_status,
        } => {
            if !may_correct(attempt.result, *result) {
                return false;
            }
            attempt.result = Some(*result);
            if carrier_status.is_some() {
                attempt.carrier_status.clone_from(carrier_status);
            }
        }
    }
    true
}

/// A late report changes Success to Failed, or Unknown to any other.
fn may_correct(present: Option<AttemptResult>, new: AttemptResult) -> bool {
    match present {
        Some(AttemptResult::Success) => new == AttemptResult::Failed,
        Some(AttemptResult::Unknown) => new != AttemptResult::Unknown,
        _ => false,
    }
}
