//! When EventBridge Scheduler starts a policy: the expressions of one schedule there for each.
//!
//! Promise, for a policy of scheduled times:
//! - every scheduled time is met by a start at its minute, or at the minute after;
//! - no two starts fall on one minute, so that no two runs of a policy race each other;
//! - each start meets a scheduled time.
//!
//! A default policy names no times. It starts once a day, because its shortest `CreateInterval` is a day.
//!
//! A run makes what is due for every schedule of its policy. So where two schedules have a time in common, one start is
//! enough: the days of the one are among the days of the other, and it leaves out those hours. Where neither has all days
//! of the other (each Monday, and the first of the month), no cron expression says "but not then", and the later schedule
//! starts a minute after its times: the run finds then what the other one has begun.
//!
//! The expressions list their hours, days and months. `rate()` counts from the creation of a schedule and would move with
//! each deployment; ranges and steps that wrap around are documented nowhere.

mod expression;
mod part;
#[cfg(test)]
mod tests;

use crate::options::Options;
use crate::policy::{Policy, PolicyId, ScheduleName};
use jiff::SignedDuration;
use part::Part;
use std::cmp::Reverse;

/// One expression that starts a policy, all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Which of the policy's schedules the expression comes from, 1 to 4: the end of the name in Scheduler.
    pub number: usize,
    /// As EventBridge Scheduler takes it: `cron(0 5,17 * * ? *)`, at most [`EXPRESSION_LENGTH_MAX`] characters.
    pub expression: String,
    /// Whether it starts at the minute after the scheduled times, because another start has their minute on some days.
    pub is_minute_after: bool,
    /// The schedules that have a time which this start meets, in the policy's order.
    pub serves: Vec<ScheduleName>,
}

impl Start {
    /// The time zone of every expression: a policy's times are UTC, as in Amazon DLM.
    pub const TIMEZONE: &str = "UTC";

    /// The name in Scheduler of this start of a policy. No two policies share one: the id is all but the last two characters.
    #[must_use]
    pub fn name(&self, policy: &PolicyId) -> String {
        format!("{policy}-{}", self.number)
    }
}

/// EventBridge Scheduler, API model: `ScheduleExpression` has 1 to 256 characters.
pub const EXPRESSION_LENGTH_MAX: usize = 256;

/// EventBridge Scheduler, API model: a name is `[0-9a-zA-Z-_.]{1,64}`.
pub const NAME_LENGTH_MAX: usize = 64;

/// The longest policy id that leaves room for the end of a name in Scheduler: two characters today, two to spare.
pub const POLICY_ID_LENGTH_MAX: usize = NAME_LENGTH_MAX - 4;

/// Why Scheduler cannot start a policy as the promises say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartsError {
    /// Some schedules have a minute in common on days that no expression leaves out.
    #[error(
        "the schedules {} start in the same minute on some days ({clock} UTC), and no expression of EventBridge Scheduler \
         leaves those days out; give each of them a time of its own, two minutes or more apart",
        quoted(schedules)
    )]
    Collision {
        /// A clock time that they have in common, as `17:00`.
        clock: String,
        /// Two or more.
        schedules: Vec<ScheduleName>,
    },
    /// An expression with its values listed is longer than Scheduler takes.
    #[error(
        "the cron expression of the schedule \"{schedule}\" has {length} characters once its values are listed, EventBridge \
         Scheduler takes at most {EXPRESSION_LENGTH_MAX}; write its years as a range, as in 2026-2041"
    )]
    TooLong {
        /// Whose.
        schedule: ScheduleName,
        /// In characters.
        length: usize,
    },
}

fn quoted(names: &[ScheduleName]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

/// The starts of a policy, in the order of its schedules: at least one.
///
/// # Errors
/// Where Scheduler's cron cannot say it.
pub fn starts(policy: &Policy, options: &Options) -> Result<Vec<Start>, StartsError> {
    let all: Vec<Part> = policy.schedules.iter().map(|schedule| Part::of(policy, schedule)).collect();
    let left: Vec<(usize, Part)> =
        all.iter().enumerate().map(|(at, part)| (at, without_others(&all, at, part))).collect();
    let left: Vec<(usize, Part)> = left.into_iter().filter(|(_, part)| !part.is_empty()).collect();
    let placed = placed_apart(&left, options).ok_or_else(|| collision(policy, &left))?;
    let starts = left.iter().zip(placed).map(|((at, part), (placed, is_minute_after))| {
        let schedule = &policy.schedules[*at].name;
        let expression = placed.expression();
        if expression.len() > EXPRESSION_LENGTH_MAX {
            return Err(StartsError::TooLong { schedule: schedule.clone(), length: expression.len() });
        }
        let serves = policy.schedules.iter().zip(&all).filter(|(_, other)| other.meets(part));
        let serves = serves.map(|(schedule, _)| schedule.name.clone()).collect();
        Ok(Start { number: at + 1, expression, is_minute_after, serves })
    });
    starts.collect()
}

/// A schedule's times but those that another one has in any case: one whose days are all days of it and more, or an earlier one
/// of the same days. That one may leave a time to a third, whose days are more still, so every time is somebody's.
fn without_others(all: &[Part], at: usize, part: &Part) -> Part {
    let others = all.iter().enumerate().filter(|(other_at, other)| {
        *other_at != at && part.dates_are_among(other) && (*other_at < at || !other.dates_are_among(part))
    });
    others.fold(part.clone(), |left, (_, other)| left.without_hours_of(other))
}

/// Each part at its minute or at the minute after, so that no two meet, and whether it is the one after. As few as possible
/// are moved, and the later ones.
fn placed_apart(parts: &[(usize, Part)], options: &Options) -> Option<Vec<(Part, bool)>> {
    // A start at the minute after would come too late for such a window.
    let may_move = options.start_window >= SignedDuration::from_mins(1);
    let count = if may_move { 1_u32 << parts.len() } else { 1 };
    let mut choices: Vec<u32> = (0..count).collect();
    choices.sort_by_key(|moved| (moved.count_ones(), Reverse(*moved)));
    choices.into_iter().find_map(|moved| {
        let placed = parts.iter().enumerate().map(|(at, (_, part))| match moved & (1 << at) {
            0 => Some((part.clone(), false)),
            _ => part.minute_after().map(|part| (part, true)),
        });
        let placed = placed.collect::<Option<Vec<(Part, bool)>>>()?;
        let meets_a_later_one =
            |(at, (part, _)): (usize, &(Part, bool))| placed.iter().skip(at + 1).any(|(later, _)| part.meets(later));
        let is_apart = !placed.iter().enumerate().any(meets_a_later_one);
        is_apart.then_some(placed)
    })
}

/// What stands in the way: the first schedule that meets others, and those.
fn collision(policy: &Policy, parts: &[(usize, Part)]) -> StartsError {
    let meets = |part: &Part, at: usize| {
        parts.iter().filter(move |(other, _)| *other != at).any(|(_, other)| other.meets(part))
    };
    let meeting: Vec<&(usize, Part)> = parts.iter().filter(|(at, part)| meets(part, *at)).collect();
    StartsError::Collision {
        clock: meeting.first().map(|(_, part)| part.first_clock()).unwrap_or_default(),
        schedules: meeting.into_iter().map(|(at, _)| policy.schedules[*at].name.clone()).collect(),
    }
}
