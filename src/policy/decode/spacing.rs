//! How long a number of snapshots lasts, measured on the scheduled times themselves.

use super::super::CreateRule;
use crate::schedule;
use jiff::Timestamp;
use std::iter;

/// The spans that are measured. At 28 days between snapshots there are 13 in a year, and 28 years hold every way in
/// which dates, weekdays and leap years meet: 364.
const SPANS_MAX: usize = 400;

/// Whole days that pass from a snapshot to the one that comes `count` after it: the fewest and the most. `None` when
/// the schedule ends before.
pub(super) fn days(create: &CreateRule, count: u32) -> Option<(i64, i64)> {
    let count = usize::try_from(count).ok()?;
    let first = schedule::next_after(create, Timestamp::UNIX_EPOCH);
    let times = iter::successors(first, |time| schedule::next_after(create, *time));
    let seconds: Vec<i64> = times.take(count.saturating_add(SPANS_MAX)).map(Timestamp::as_second).collect();
    let spans = || seconds.iter().zip(seconds.iter().skip(count)).map(|(from, to)| (to - from) / 86_400);
    Some((spans().min()?, spans().max()?))
}
