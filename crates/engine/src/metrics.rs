//! The engine's figures for `/metrics`, each with its meaning. Names are stable.

use crate::core::Done;
use std::time::Duration;

/// Attempts written.
pub const ATTEMPTS: &str = "carillon_engine_attempts_total";
/// Orders answered by channels.
pub const ANSWERS: &str = "carillon_engine_answers_total";
/// Attempts ended, whatever the result.
pub const ENDED: &str = "carillon_engine_attempts_ended_total";
/// Orders not sent, whose contacts wait again.
pub const WITHDRAWN: &str = "carillon_engine_attempts_withdrawn_total";
/// Attempts given up as Unknown after a start.
pub const UNKNOWN: &str = "carillon_engine_attempts_unknown_total";
/// Contacts denied at dispatch.
pub const DENIED: &str = "carillon_engine_denied_total";
/// Contacts that left a pass without an attempt at dispatch.
pub const SKIPPED: &str = "carillon_engine_skipped_total";
/// Messages received from people.
pub const RECEIVED: &str = "carillon_engine_messages_received_total";
/// Devices opted out by their own message.
pub const OPTED_OUT: &str = "carillon_engine_opt_outs_total";
/// Contacts handled by loads and sweeps.
pub const CHORES: &str = "carillon_engine_chores_total";
/// Steps whose commit failed.
pub const FAILED_STEPS: &str = "carillon_engine_failed_steps_total";
/// Seconds from the start of a step to its commit.
pub const STEP_SECONDS: &str = "carillon_engine_step_seconds";
/// Runs that are not done.
pub const RUNS: &str = "carillon_engine_runs";
/// Contacts that wait in all runs.
pub const WAITING: &str = "carillon_engine_waiting";

/// Says what the figures mean.
pub fn describe() {
    metrics::describe_counter!(ATTEMPTS, "Attempts written");
    metrics::describe_counter!(ANSWERS, "Orders answered by channels");
    metrics::describe_counter!(ENDED, "Attempts ended, whatever the result");
    metrics::describe_counter!(WITHDRAWN, "Orders not sent, whose contacts wait again");
    metrics::describe_counter!(UNKNOWN, "Attempts given up as Unknown after a start");
    metrics::describe_counter!(DENIED, "Contacts denied at dispatch");
    metrics::describe_counter!(
        SKIPPED,
        "Contacts that left a pass without an attempt at dispatch"
    );
    metrics::describe_counter!(RECEIVED, "Messages received from people");
    metrics::describe_counter!(OPTED_OUT, "Devices opted out by their own message");
    metrics::describe_counter!(CHORES, "Contacts handled by loads and sweeps");
    metrics::describe_counter!(FAILED_STEPS, "Steps whose commit failed");
    metrics::describe_histogram!(
        STEP_SECONDS,
        "Seconds from the start of a step to its commit"
    );
    metrics::describe_gauge!(RUNS, "Runs that are not done");
    metrics::describe_gauge!(WAITING, "Contacts that wait in all runs");
}

/// Counts what a step did.
pub fn count(done: &Done, took: Duration) {
    let figures = [
        (ATTEMPTS, done.attempts),
        (ANSWERS, done.answers),
        (ENDED, done.ended),
        (WITHDRAWN, done.withdrawn),
        (UNKNOWN, done.unknown),
        (DENIED, done.denied),
        (SKIPPED, done.skipped),
        (RECEIVED, done.received),
        (OPTED_OUT, done.opted_out),
    ];
    for (name, count) in figures {
        if count > 0 {
            metrics::counter!(name).increment(count as u64);
        }
    }
    metrics::histogram!(STEP_SECONDS).record(took.as_secs_f64());
}
