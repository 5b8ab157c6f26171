//! What a turn looks at, by what the run knows, and how long it works on what it saw.
//!
//! The first and the last turn of a run look at all of the policy's snapshots. Those between only wait for what the run has made
//! and delete what that pushes out, and where there is much to see they ask for just that: the snapshots that answer the due
//! scheduled times, those that answer the times of what goes later, and the whole history of each volume of which something may
//! go now.

mod scope;
#[cfg(test)]
mod tests;

use super::Progress;
use crate::options::Options;
use crate::plan::Plan;
use crate::plan::due::saturating_add;
use crate::policy::{Policy, Targets};
use crate::tags::{self, Ownership};
use crate::world::{Excerpt, Snapshot, SnapshotState, Sweep, VolumeId, World};
use jiff::{SignedDuration, Timestamp};
pub use scope::Scope;
use std::collections::BTreeMap;

/// From so many things on they are listed in parts. Ten pages: one after the other they take about two seconds, which
/// 31 listings side by side do not beat.
const PARTS_FROM: u64 = 10_000;

/// How long after its look a turn begins calls: then the next one looks again. What is complete is seen by looks alone, and
/// what waits for it, deletions, would find tokens that nobody took. A look takes seconds, and EC2's bucket of 100 takes up
/// 20 of them.
const WORK: SignedDuration = SignedDuration::from_secs(100);

/// Of how many volumes a turn reads the whole history: as many as it can make deletions in [`WORK`], 100 at once and 5 a second. Where
/// the account's limits were raised, the next turn comes sooner.
const IN_FULL_MAX: usize = 600;

/// Until when the calls of a turn may take that looked at `looked_at` and has time until `until`.
#[must_use]
pub fn works_until(looked_at: Timestamp, until: Timestamp) -> Timestamp {
    saturating_add(looked_at, WORK).min(until)
}

/// How this turn looks: the first way that shows enough ([`is_enough`]); the last one always does.
#[must_use]
pub fn sweeps(policy: &Policy, options: &Options, progress: &Progress) -> Vec<Sweep> {
    let mut sweeps = Vec::new();
    // A default policy asks for the newest snapshot of every volume, which takes a look at all of the account's.
    let scope = progress.scope.as_ref().filter(|scope| scope.holds_what_is_due(policy, options, &progress.start()));
    if let (Some(scope), Targets::Volumes { .. }) = (scope, &policy.targets) {
        sweeps.push(Sweep {
            scheduled_times: Some(scope.times()),
            volumes_in_parts: scope.volumes >= PARTS_FROM,
            snapshots_in_parts: scope.shown >= PARTS_FROM,
        });
    }
    if progress.shown >= PARTS_FROM {
        sweeps.push(Sweep { snapshots_in_parts: true, ..Sweep::default() });
    }
    sweeps.push(Sweep::default());
    sweeps
}

/// Whether a view can be all that was asked for: no fewer snapshots than the turn before saw and left behind. Otherwise others deleted
/// some, or a part is missing, perhaps because the endpoint does not know such a filter, and the turn looks another way: what it
/// does not see it would make twice, and a failed member that it does not see makes a bad set look good. A tenth of the volumes
/// may be gone: one that is not seen is only left to the last look.
#[must_use]
pub fn is_enough(policy: &Policy, progress: &Progress, sweep: &Sweep, world: &World) -> bool {
    let (snapshots, volumes) = (number_of(world.snapshots.len()), number_of(world.volumes.len()));
    match (&progress.scope, &sweep.scheduled_times) {
        (_, None) => !sweep.snapshots_in_parts || snapshots >= progress.shown,
        (None, Some(_)) => false,
        (Some(scope), Some(_)) => {
            let is_counted = |snapshot: &&Snapshot| {
                let time = snapshot.marks.scheduled_time.value();
                time.is_some_and(|time| scope.asks_for(time))
                    && tags::ownership(&policy.id, snapshot) == Ownership::Ours
            };
            number_of(world.snapshots.iter().filter(is_counted).count()) >= scope.shown
                && volumes.saturating_mul(10) >= scope.volumes.saturating_mul(9)
        }
    }
}

/// What to look at in full after a look at some scheduled times only: volumes with a snapshot that was to go later and with a
/// complete one for what is due. `None` after a look at everything.
#[must_use]
pub fn excerpt(progress: &Progress, sweep: &Sweep, world: &World) -> Option<Excerpt> {
    let scope = progress.scope.as_ref().filter(|_| sweep.scheduled_times.is_some())?;
    let mut ready: BTreeMap<VolumeId, Ready> = world.volumes.iter().map(|v| (v.id, Ready::default())).collect();
    for snapshot in &world.snapshots {
        if let Some(ready) = ready.get_mut(&snapshot.volume_id) {
            ready.note(scope, snapshot);
        }
    }
    let ready: Vec<VolumeId> = ready.into_iter().filter(|(_, ready)| ready.is_ready()).map(|(id, _)| id).collect();
    // Beginning at another one each time: those of which nothing goes in the end must not keep the others waiting.
    let turn = usize::try_from(progress.turns).unwrap_or(0);
    let first = turn.wrapping_mul(IN_FULL_MAX).checked_rem(ready.len()).unwrap_or(0);
    let in_full = ready.iter().cycle().skip(first).take(ready.len().min(IN_FULL_MAX)).copied();
    Some(Excerpt { in_full: in_full.collect(), left_out: ready.len().saturating_sub(IN_FULL_MAX) })
}

/// Whether something of a volume may go.
#[derive(Debug, Clone, Copy, Default)]
struct Ready {
    has_older: bool,
    has_complete: bool,
}

impl Ready {
    fn note(&mut self, scope: &Scope, snapshot: &Snapshot) {
        let Some(time) = snapshot.marks.scheduled_time.value() else { return };
        self.has_complete |= scope.due.contains(time) && snapshot.state == SnapshotState::Completed;
        // A duplicate of what is due goes later too.
        self.has_older |= scope.older.contains(time);
    }

    fn is_ready(self) -> bool {
        self.has_older && self.has_complete
    }
}

/// How many snapshots are there after a turn that saw `plan` and deleted so many. After an observation that was cut short
/// nobody knows: what could not be read is in no part, so only a look at the whole shows that it is there still.
pub(super) fn shown(plan: &Plan<'_>, before: u64, deleted: usize) -> u64 {
    if plan.cut_short.is_some() {
        return 0;
    }
    if plan.excerpt.is_some() {
        return before.saturating_sub(number_of(deleted));
    }
    number_of((plan.snapshots.len() + plan.foreign).saturating_sub(deleted))
}

fn number_of(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}
