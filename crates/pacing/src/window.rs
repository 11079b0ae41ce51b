//! A stretch of time in which a zone may be worked. The engine reckons windows in civil time; here they are instants.

use carillon_model::{Moment, moment::MINUTE};

/// Half-open: `from` is in it, `to` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub from: Moment,
    /// The first moment after it.
    pub to: Moment,
}

impl Window {
    /// The part of the window in [`from`, `to`), in milliseconds.
    pub fn milliseconds_between(self, from: Moment, to: Moment) -> i64 {
        self.to.min(to).since(self.from.max(from)).max(0)
    }
}

/// Open minutes in [`now`, `goal`). The windows do not overlap; the goal is the pass's completionTime, else
/// [`last_close`].
pub fn open_minutes(windows: &[Window], now: Moment, goal: Moment) -> f64 {
    let open: i64 = windows
        .iter()
        .map(|window| window.milliseconds_between(now, goal))
        .sum();
    open as f64 / MINUTE as f64
}

/// The close of the last window; none without windows.
pub fn last_close(windows: &[Window]) -> Option<Moment> {
    windows.iter().map(|window| window.to).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_model::moment::HOUR;

    #[test]
    fn only_open_time_before_the_goal_counts() {
        let windows = [
            Window {
                from: Moment(0),
                to: Moment(HOUR),
            },
            Window {
                from: Moment(2 * HOUR),
                to: Moment(4 * HOUR),
            },
        ];
        assert_eq!(
            open_minutes(&windows, Moment(HOUR / 2), Moment(3 * HOUR)),
            90.0
        );
        assert_eq!(open_minutes(&windows, Moment(HOUR), Moment(2 * HOUR)), 0.0);
        assert_eq!(
            open_minutes(&windows, Moment(5 * HOUR), Moment(9 * HOUR)),
            0.0
        );
        assert_eq!(last_close(&windows), Some(Moment(4 * HOUR)));
        assert_eq!(last_close(&[]), None);
    }
}
