//! Which volumes get a snapshot, on behalf of which schedule.

use super::due::Due;
use super::retain;
use super::{Dated, Histories, SkipReason, TargetDecision, TargetVerdict};
use crate::action::CreateSnapshot;
use crate::policy::{PolicyId, Schedule};
use crate::tags;
use crate::world::{SnapshotState, Volume, VolumeId, VolumeState, World};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// After so many snapshots for one scheduled time that went to `error`, another would too. Our own: DLM does not say
/// how often it tries; EC2 lets a volume have five snapshots pending at once, and failed ones of st1 count among them.
pub const FAILED_SNAPSHOTS_MAX: usize = 5;

/// One decision for each volume and schedule that is due, and one for each that was missed.
pub(super) fn decide<'a>(
    due: &[(&'a Schedule, Due)],
    world: &'a World,
    histories: &Histories<'a>,
) -> Vec<TargetDecision<'a>> {
    let volumes: BTreeMap<&VolumeId, &Volume> = world.volumes.iter().map(|volume| (&volume.id, volume)).collect();
    let mut decisions = Vec::new();
    for volume in volumes.into_values() {
        for &(schedule, due) in due {
            let key = (volume.id.as_str(), &schedule.name);
            let history = histories.get(&key).map_or(&[][..], Vec::as_slice);
            let decided = match due {
                Due::Nothing => None,
                Due::Late { scheduled_time } => {
                    was_missed(volume, scheduled_time, history).then_some((scheduled_time, TargetVerdict::Missed))
                }
                Due::Now { scheduled_time, answered_from, until } => Some((
                    scheduled_time,
                    verdict(volume, &history_between(history, answered_from, scheduled_time), until),
                )),
            };
            let decided =
                decided.map(|(scheduled_time, verdict)| TargetDecision { schedule, volume, scheduled_time, verdict });
            decisions.extend(decided);
        }
    }
    decisions
}

/// The call that makes the snapshot of a [`TargetVerdict::Create`].
#[must_use]
pub fn action(policy: &PolicyId, decision: &TargetDecision<'_>) -> CreateSnapshot {
    let TargetDecision { schedule, volume, scheduled_time, .. } = *decision;
    let expiration_time = retain::expiration_time(&schedule.retain, scheduled_time);
    CreateSnapshot {
        volume_id: volume.id.clone(),
        schedule: schedule.name.clone(),
        scheduled_time,
        description: tags::description(policy, &schedule.name),
        tags: tags::of_new_snapshot(policy, &schedule.name, scheduled_time, expiration_time, &schedule.tags_to_add),
    }
}

fn history_between<'a>(history: &[Dated<'a>], from: Timestamp, to: Timestamp) -> Vec<Dated<'a>> {
    history.iter().filter(|dated| from <= dated.scheduled_time && dated.scheduled_time <= to).copied().collect()
}

/// What to do about a due volume, given its snapshots for the scheduled time.
fn verdict<'a>(volume: &'a Volume, answers: &[Dated<'a>], until: Timestamp) -> TargetVerdict<'a> {
    let first_in = |is_wanted: fn(&SnapshotState) -> bool| {
        answers.iter().rev().map(|dated| dated.snapshot).find(|snapshot| is_wanted(&snapshot.state))
    };
    if let Some(snapshot) = first_in(|state| *state == SnapshotState::Completed) {
        return TargetVerdict::Exists(snapshot);
    }
    if let Some(snapshot) = first_in(|state| matches!(state, SnapshotState::Pending { .. } | SnapshotState::Unknown(_)))
    {
        return TargetVerdict::Wait(snapshot);
    }
    match &volume.state {
        state @ (VolumeState::Creating | VolumeState::Deleted | VolumeState::Deleting | VolumeState::Error) => {
            TargetVerdict::Skip(SkipReason::State(state))
        }
        // EC2 refuses what it cannot do; a new kind of state is no reason to leave a volume without a backup.
        VolumeState::Available | VolumeState::InUse | VolumeState::Unknown(_) => {
            // What is left in `answers` went to `error`.
            if answers.len() < FAILED_SNAPSHOTS_MAX {
                TargetVerdict::Create { until }
            } else {
                TargetVerdict::GiveUp { failed_snapshots: answers.len() }
            }
        }
    }
}

/// Whether a volume that was there at a scheduled time has no snapshot for it.
fn was_missed(volume: &Volume, scheduled_time: Timestamp, history: &[Dated<'_>]) -> bool {
    let was_there = volume.created.is_none_or(|created| created <= scheduled_time);
    let is_answered =
        |dated: &Dated<'_>| dated.scheduled_time == scheduled_time && dated.snapshot.state != SnapshotState::Error;
    was_there && !history.iter().any(is_answered)
}
