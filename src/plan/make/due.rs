//! Which schedules are due by the start, and for which scheduled time.

use crate::options::{Options, Start, StartOrigin};
use crate::policy::Schedule;
use crate::schedule;
use jiff::{SignedDuration, Timestamp};

/// How long after a `RunNow` start taken from the clock another one counts as the same start delivered again.
///
/// Our own: such a start carries no time of its own, so a repeated delivery cannot be told by its scheduled time.
/// Lambda repeats a failed asynchronous invocation after one and after two more minutes; five minutes cover both
/// and the turns between. Whoever wants two snapshots within that time gives each start a `ScheduledTime`.
pub const RUN_NOW_REPEAT: SignedDuration = SignedDuration::from_mins(5);

/// Whether a schedule is due by a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The scheduled time is over by more than the start window: nothing is made for it.
    Late {
        /// The latest scheduled time.
        scheduled_time: Timestamp,
    },
    /// The schedule has had no scheduled time yet.
    Nothing,
    /// Snapshots are due.
    Now {
        /// The scheduled time that they answer.
        scheduled_time: Timestamp,
        /// The earliest scheduled time that answers it too: the same, but for a repeated `RunNow` start.
        answered_from: Timestamp,
        /// Until when creation that fails is tried again: the scheduled time plus the start window.
        until: Timestamp,
    },
}

impl Due {
    /// Whether snapshots are due.
    pub(crate) fn is_now(self) -> bool {
        matches!(self, Self::Now { .. })
    }
}

/// Decides whether `schedule` is due by `start`.
///
/// design.md 4.1: "for each schedule the latest scheduled time at or before it, if no longer than the start window
/// ago; with `Options.RunNow`, every schedule of the policy, with the start itself as scheduled time".
#[must_use]
pub fn of(schedule: &Schedule, options: &Options, start: &Start) -> Due {
    let scheduled_time = if options.run_now {
        start.at
    } else {
        match schedule::latest_at_or_before(&schedule.create, start.at) {
            Some(time) => time,
            None => return Due::Nothing,
        }
    };
    let until = saturating_add(scheduled_time, options.start_window);
    if start.at > until || start.begun > until {
        return Due::Late { scheduled_time };
    }
    let answered_from = match (options.run_now, start.origin) {
        (true, StartOrigin::Clock) => saturating_add(scheduled_time, -RUN_NOW_REPEAT),
        (true, StartOrigin::Event) | (false, _) => scheduled_time,
    };
    Due::Now { scheduled_time, answered_from, until }
}

/// `instant + duration`, or the end of time.
pub(crate) fn saturating_add(instant: Timestamp, duration: SignedDuration) -> Timestamp {
    let end = if duration.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    instant.checked_add(duration).unwrap_or(end)
}
