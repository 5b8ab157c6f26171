//! Schedules that coincide: one snapshot, with the longest retention and the tags of all.
//!
//! DLM user guide: "If multiple schedules are initiated at the same time, DLM creates only one snapshot and applies the
//! retention settings of the schedule that has the highest retention period. The tags of all of the initiated schedules
//! are applied." What it leaves open is written down in docs/dlm-differences.md.

use crate::plan::retain;
use crate::policy::{RetainRule, Schedule};
use crate::schedule;
use jiff::{SignedDuration, Timestamp};

/// How long a schedule keeps a snapshot of `scheduled_time`: its age, or its count times its period.
pub(in crate::plan) fn retention(schedule: &Schedule, scheduled_time: Timestamp) -> SignedDuration {
    match schedule.retain {
        RetainRule::Age(age) => retain::later_by(scheduled_time, age).duration_since(scheduled_time),
        RetainRule::Count(count) => match schedule::next_after(&schedule.create, scheduled_time) {
            Some(next) => {
                let count = i32::try_from(count.get()).unwrap_or(i32::MAX);
                next.duration_since(scheduled_time).checked_mul(count).unwrap_or(SignedDuration::MAX)
            }
            // It never runs again, so nothing ever pushes the snapshot out.
            None => SignedDuration::MAX,
        },
    }
}

/// Whether a snapshot that `owner` made for `scheduled_time` serves `other` as well.
pub(in crate::plan) fn serves(owner: &Schedule, other: &Schedule, scheduled_time: Timestamp) -> bool {
    owner.name == other.name || retention(owner, scheduled_time) >= retention(other, scheduled_time)
}

/// Of schedules that are due for one scheduled time, the one whose retention is the longest; of equals the first.
pub(in crate::plan) fn owner<'a>(schedules: &[&'a Schedule], scheduled_time: Timestamp) -> Option<&'a Schedule> {
    let mut owner: Option<&'a Schedule> = None;
    for &schedule in schedules {
        if owner.is_none_or(|owner| retention(schedule, scheduled_time) > retention(owner, scheduled_time)) {
            owner = Some(schedule);
        }
    }
    owner
}
