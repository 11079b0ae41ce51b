//! The system's clock: the one place that reads it. Everything else takes `now` as an argument or a [`Clock`].

use carillon_model::Moment;
use carillon_model::moment::Clock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Wall-clock time.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the file that reads the clock"
    )]
    fn now(&self) -> Moment {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
