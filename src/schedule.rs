//! The scheduled times of a schedule: the latest at or before an instant, and the next after one. UTC throughout.
//!
//! Promise: `latest_at_or_before` never answers with a time after `t`, `next_after` never with one at or before `t`,
//! and no scheduled time lies between the two answers.

pub mod cron;

use crate::policy::{CreateRule, IntervalHours, StartTime};
use jiff::Timestamp;

/// The latest scheduled time at or before `t`; `None` when there was none.
#[must_use]
pub fn latest_at_or_before(rule: &CreateRule, t: Timestamp) -> Option<Timestamp> {
    match rule {
        CreateRule::Cron(expression) => expression.latest_at_or_before(t),
        CreateRule::Interval { hours, at } => Timestamp::from_second(slot_at_or_before(*hours, *at, t)).ok(),
        CreateRule::OnStart => Some(t),
    }
}

/// The first scheduled time after `t`; `None` when there will be none.
#[must_use]
pub fn next_after(rule: &CreateRule, t: Timestamp) -> Option<Timestamp> {
    match rule {
        CreateRule::Cron(expression) => expression.next_after(t),
        CreateRule::Interval { hours, at } => {
            Timestamp::from_second(slot_at_or_before(*hours, *at, t) + period_seconds(*hours)).ok()
        }
        // Nobody knows when the function is started next.
        CreateRule::OnStart => None,
    }
}

/// The latest slot at or before `t`, in seconds since 1970; maybe just outside of what a [`Timestamp`] holds.
///
/// Slots are `at` and each multiple of the interval after it. Every allowed interval divides the day, so they are the
/// same clock times every day, whenever the schedule was made (reference/dlm.md 2.1, E29), and counting them from
/// midnight of 1 January 1970 gives the same ones.
fn slot_at_or_before(hours: IntervalHours, at: StartTime, t: Timestamp) -> i64 {
    // `as_second` rounds towards 1970; before 1970 that is forward.
    let second = t.as_second() - i64::from(t.subsec_nanosecond() < 0);
    second - (second - i64::from(at.minute_of_day) * 60).rem_euclid(period_seconds(hours))
}

fn period_seconds(hours: IntervalHours) -> i64 {
    i64::from(hours.hours()) * 3600
}

#[cfg(test)]
mod tests;
