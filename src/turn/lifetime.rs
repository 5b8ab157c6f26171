//! How long a run lives, and when it goes on in a new execution of the state machine.
//!
//! Promises: a run that gets something done is not cut off by Step Functions' limit of one execution, and no run lives for
//! ever.

use super::progress::Progress;
use crate::action::{Action, Outcome};
use crate::options::Options;
use crate::policy::PolicyId;
use crate::tags::written;

/// After so many turns a run goes on in a new execution. Step Functions ends an execution after 25,000 events of history
/// ("Best practices for Step Functions"); a turn makes nine (task, choice and wait), so these are 18,000. The other 7,000
/// are for turns that are tried again, at three events a try: more than one for each turn.
pub const TURNS_PER_EXECUTION: u32 = 2_000;

/// After so many turns in a row in which nothing was made, deleted or became complete, a run ends with what it has: at
/// 60 s a turn over 41 hours. Who waits longer is waiting for something that hangs, and nobody would hear of it.
pub const IDLE_TURNS_MAX: u32 = 2_500;

/// After so many turns a run ends in any case: ten executions, two weeks at 60 s a turn. 100,000 volumes with 100 snapshots
/// pending at a time, half an hour each, would be three weeks, the slowest that anybody has reason to fear; the next
/// scheduled start carries on.
pub const TURNS_MAX: u32 = 10 * TURNS_PER_EXECUTION;

/// After so many turns the run for one of several targets ends with what it has: it has to answer to the execution that
/// sums up, so it cannot go on in another one. 25,000 events are 2,777 turns, less a tenth.
pub const TURNS_OF_PART_MAX: u32 = 2_500;

/// Counts the turns in which nothing moved: nothing was made or deleted, and no fewer snapshots are `pending` than ever since.
/// Than ever, because a list that lags may show one more and one less for as long as somebody looks.
pub(super) fn note(progress: &mut Progress, done: &[(Action, Outcome)], pending: usize) {
    let pending = u64::try_from(pending).unwrap_or(u64::MAX);
    let has_acted = progress.turns <= 1
        || done.iter().any(|(_, outcome)| matches!(outcome, Outcome::Created(_) | Outcome::Deleted));
    let has_moved = has_acted || pending < progress.pending;
    progress.idle_turns = if has_moved { 0 } else { progress.idle_turns.saturating_add(1) };
    progress.pending = if has_acted { pending } else { pending.min(progress.pending) };
}

/// A wait that is longer than the last step of the ladder counts as the turns that would fit into it.
pub(super) fn note_wait(progress: &mut Progress, seconds: u32) {
    let more = (seconds / 60).saturating_sub(1);
    if progress.idle_turns > 0 {
        progress.idle_turns = progress.idle_turns.saturating_add(more);
    }
}

/// Whether a run that has something left to do or to wait for has another turn.
pub(super) fn has_another_turn(options: &Options, progress: &Progress) -> bool {
    let turns_max = if options.is_part() { TURNS_OF_PART_MAX } else { TURNS_MAX };
    progress.turns < turns_max && progress.idle_turns < IDLE_TURNS_MAX
}

/// What the execution is called, together with what makes the name unique, in which a run goes on that has come to the end
/// of what one execution holds. `None` when it goes on where it is.
///
/// `turns_before` is how many turns were over when the invocation began. One may make several, which are one turn of the
/// history: that is never fuller than their count says.
///
/// Policy, start and number are for who reads the list of executions; the state machine adds a hash of the execution that
/// it comes from, 33 characters. Step Functions takes 80 (API reference, StartExecution: `name`).
#[must_use]
pub fn new_execution(options: &Options, policy: &PolicyId, turns_before: u32, progress: &Progress) -> Option<String> {
    let is_full = turns_before / TURNS_PER_EXECUTION < progress.turns / TURNS_PER_EXECUTION;
    (is_full && !options.is_part()).then(|| {
        let policy: String = policy.as_str().chars().take(POLICY_LENGTH_MAX).collect();
        let start = written(progress.start).replace(['-', ':'], "");
        format!("{policy}-{start}-{}", progress.turns / TURNS_PER_EXECUTION + 1)
    })
}

/// How many characters of a policy's id are part of the name: all of an id that Amazon DLM made (`policy-` and 17 digits).
const POLICY_LENGTH_MAX: usize = 24;

#[cfg(test)]
mod tests;
