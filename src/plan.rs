//! `plan(policy, options, start, now, world) -> Plan`: every decision of a turn, each with its reason.
//!
//! A pure function. It promises, and `check` holds every plan to it:
//! - each observed snapshot of ours gets exactly one decision, and nobody else's gets any;
//! - each due (schedule, volume) gets exactly one decision;
//! - equal input gives an equal plan, whatever order EC2 listed things in;
//! - nothing is deleted when in doubt: an unknown state, an unreadable tag, a time in the future, a partial world.

pub mod check;
pub mod create;
pub mod due;
#[cfg(test)]
mod properties;
pub mod retain;
#[cfg(test)]
mod tests;

use crate::options::{Options, Start};
use crate::policy::{Policy, PolicyState, Schedule, ScheduleName};
use crate::tags::{self, Ownership};
use crate::world::{CutShort, Snapshot, SnapshotId, Volume, VolumeState, World};
pub use due::Due;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// All that a turn decides about one policy and one view of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a plan that nobody carries out or reads is not a backup"]
pub struct Plan<'a> {
    /// The policy is disabled: nothing else was decided.
    pub is_disabled: bool,
    /// For each schedule, in the policy's order: is it due by the start?
    pub due: Vec<(&'a Schedule, Due)>,
    /// One for each volume and schedule that is due or was missed, sorted by volume and the policy's order of schedules.
    pub targets: Vec<TargetDecision<'a>>,
    /// One for each snapshot of ours, sorted by volume, scheduled time and id.
    pub snapshots: Vec<SnapshotDecision<'a>>,
    /// How many observed snapshots are not ours although they carry our tag and a description like ours.
    pub foreign: usize,
}

/// What happens for one volume on behalf of one schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetDecision<'a> {
    /// The schedule.
    pub schedule: &'a Schedule,
    /// The volume.
    pub volume: &'a Volume,
    /// The scheduled time in question.
    pub scheduled_time: Timestamp,
    /// The decision.
    pub verdict: TargetVerdict<'a>,
}

/// The decision about one volume on behalf of one schedule, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetVerdict<'a> {
    /// It has no snapshot for the scheduled time: make one.
    Create {
        /// Until when creation that fails is tried again.
        until: Timestamp,
    },
    /// A snapshot for the scheduled time is complete.
    Exists(&'a Snapshot),
    /// So many snapshots for the scheduled time went to `error`: another try would fail as well.
    GiveUp {
        /// How many there are.
        failed_snapshots: usize,
    },
    /// The scheduled time passed without a snapshot and its start window is over.
    Missed,
    /// The volume cannot be backed up now.
    Skip(SkipReason<'a>),
    /// A snapshot for the scheduled time is under way.
    Wait(&'a Snapshot),
}

/// Why a volume is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason<'a> {
    /// EC2 makes no snapshot of a volume in this state.
    State(&'a VolumeState),
}

/// What happens to one snapshot of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotDecision<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// The decision.
    pub verdict: SnapshotVerdict<'a>,
}

/// The decision about one snapshot, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotVerdict<'a> {
    /// It goes.
    Delete(DeleteReason),
    /// It stays.
    Keep(KeepReason<'a>),
    /// It is under way: look again.
    Wait {
        /// Since when.
        since: Timestamp,
    },
}

/// Why a snapshot goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteReason {
    /// So many newer ones of the schedule and volume are complete.
    ExceedsCount {
        /// Its place among the complete ones, the newest is 1.
        rank: usize,
        /// How many the schedule keeps.
        count: usize,
    },
    /// Its stamped expiry has passed, and a newer one is complete.
    Expired {
        /// The expiry.
        at: Timestamp,
    },
}

/// Why a snapshot stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepReason<'a> {
    /// It began before the time that its tag says it answers, so somebody changed the tag.
    BeganBeforeScheduledTime {
        /// When EC2 began it.
        began: Timestamp,
        /// What the tag says.
        scheduled_time: Timestamp,
    },
    /// It failed: it holds nothing, counts for nothing, and is no reason to delete another.
    Errored,
    /// Its scheduled time lies in the future.
    FutureScheduledTime(Timestamp),
    /// It is the newest complete one of its schedule and volume: it stays until a newer one is complete.
    NewestCompleted,
    /// It is among the newest that the schedule keeps.
    NewestOf {
        /// Its place among the complete ones, the newest is 1.
        rank: usize,
        /// How many the schedule keeps.
        count: usize,
    },
    /// The schedule keeps by age and this snapshot carries no readable expiry, so nobody promised when it may go.
    NoExpirationTime,
    /// No schedule of the policy has, or had, this name.
    NoSchedule(&'a ScheduleName),
    /// Its stamped expiry has not come.
    NotExpired {
        /// The expiry.
        until: Timestamp,
    },
    /// The observation was cut short, so nothing is deleted; it would have been for this reason.
    ObservationCutShort {
        /// Why it was cut short.
        cut: CutShort,
        /// What would have happened.
        otherwise: DeleteReason,
    },
    /// A tag that the decision needs is missing or has no meaning.
    UnreadableTag(&'static str),
    /// It is in a state that is neither complete, pending nor failed.
    UnknownState,
    /// Its volume is not, or no longer, targeted (DLM: such snapshots are no longer managed).
    VolumeNotTargeted,
}

/// Decides everything for one policy and one view of the account.
pub fn plan<'a>(policy: &'a Policy, options: &'a Options, start: &Start, now: Timestamp, world: &'a World) -> Plan<'a> {
    let (ours, foreign): (Vec<&Snapshot>, Vec<&Snapshot>) =
        unique_snapshots(world).into_iter().partition(|s| tags::ownership(&policy.id, s) == Ownership::Ours);
    if policy.state == PolicyState::Disabled {
        return Plan { is_disabled: true, due: vec![], targets: vec![], snapshots: vec![], foreign: foreign.len() };
    }
    let histories = histories(policy, options, &ours);
    let due: Vec<_> = policy.schedules.iter().map(|s| (s, due::of(s, options, start))).collect();
    Plan {
        is_disabled: false,
        targets: create::decide(&due, world, &histories),
        snapshots: retain::decide(policy, options, now, world, &ours, &histories),
        due,
        foreign: foreign.len(),
    }
}

/// The snapshots of one volume and schedule, newest scheduled time first; ties by start time and id.
///
/// Only those whose tags can be read are in it; the others are kept for the reason that they cannot.
pub(crate) type Histories<'a> = BTreeMap<(&'a str, &'a ScheduleName), Vec<Dated<'a>>>;

/// A snapshot with the scheduled time that it answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dated<'a> {
    pub(crate) scheduled_time: Timestamp,
    pub(crate) snapshot: &'a Snapshot,
}

/// The schedule that owns a snapshot today: the one of its name, or the one that had its name before.
pub(crate) fn owning_schedule<'a>(policy: &'a Policy, options: &Options, name: &ScheduleName) -> Option<&'a Schedule> {
    policy.schedule(name).or_else(|| {
        let had_it =
            |schedule: &&Schedule| options.previous_names.get(&schedule.name).is_some_and(|names| names.contains(name));
        policy.schedules.iter().find(had_it)
    })
}

fn histories<'a>(policy: &'a Policy, options: &Options, ours: &[&'a Snapshot]) -> Histories<'a> {
    let mut histories = Histories::new();
    for snapshot in ours {
        let Some(name) = snapshot.marks.schedule_name.value() else { continue };
        let Some(&scheduled_time) = snapshot.marks.scheduled_time.value() else { continue };
        let Some(schedule) = owning_schedule(policy, options, name) else { continue };
        let key = (snapshot.volume_id.as_str(), &schedule.name);
        histories.entry(key).or_default().push(Dated { scheduled_time, snapshot });
    }
    for history in histories.values_mut() {
        history.sort_by_key(|d| std::cmp::Reverse((d.scheduled_time, d.snapshot.start_time, &d.snapshot.id)));
    }
    histories
}

/// Each snapshot once, by id: pages may repeat one.
fn unique_snapshots(world: &World) -> Vec<&Snapshot> {
    let by_id: BTreeMap<&SnapshotId, &Snapshot> = world.snapshots.iter().map(|s| (&s.id, s)).collect();
    by_id.into_values().collect()
}
