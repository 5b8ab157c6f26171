//! The calls that carry out a decision: they name everything, so that whoever makes them has no choice.

use crate::action::{Action, CreateSnapshot, CreateSnapshots, DeleteSnapshot};
use crate::options::Options;
use crate::pace::Api;
use crate::plan::tagging::{self, Purpose, Tagging};
use crate::plan::{Target, TargetDecision, TargetVerdict, target};
use crate::policy::{Policy, Schedule, Targets};
use crate::tags;
use crate::world::Snapshot;
use jiff::Timestamp;

/// The call that makes snapshots for this policy.
#[must_use]
pub fn api(policy: &Policy) -> Api {
    match policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => Api::CreateSnapshot,
        Targets::Instances { .. } => Api::CreateSnapshots,
    }
}

/// The call that makes the snapshots of a [`TargetVerdict::Create`]; `None` for every other decision.
#[must_use]
pub fn creation(policy: &Policy, options: &Options, now: Timestamp, decision: &TargetDecision<'_>) -> Option<Action> {
    let TargetVerdict::Create { with, .. } = &decision.verdict else { return None };
    let schedules: Vec<&Schedule> = std::iter::once(decision.schedule).chain(with.iter().copied()).collect();
    let copies_tags = schedules.iter().any(|schedule| schedule.copy_tags);
    let description = tags::description(&policy.id, &decision.schedule.name);
    let scheduled_time = decision.scheduled_time;
    let purpose = Purpose { policy, options, now, schedules: &schedules, scheduled_time, set: None };
    Some(match decision.target {
        Target::Volume(volume) => {
            let copied = if copies_tags { &volume.tags[..] } else { &[] };
            let Tagging { tags, left_out } = tagging::tags(&purpose, copied);
            Action::CreateSnapshot(CreateSnapshot {
                volume_id: volume.id,
                schedule: decision.schedule.name.clone(),
                scheduled_time: decision.scheduled_time,
                description,
                tags,
                tags_left_out: left_out,
            })
        }
        Target::Instance(instance) => {
            let members = u32::try_from(target::included_volumes(policy, instance).len()).unwrap_or(u32::MAX);
            let purpose = Purpose { set: Some((instance.id, members)), ..purpose };
            let Tagging { tags, mut left_out } = tagging::tags(&purpose, &[]);
            let copy_tags_from_source = copies_tags && target::can_copy_tags(policy, instance, &tags);
            if copies_tags && !copy_tags_from_source {
                left_out.push("all tags of the volumes".to_owned());
            }
            Action::CreateSnapshots(CreateSnapshots {
                instance_id: instance.id,
                exclude_boot_volume: target::excludes_boot_volume(policy),
                exclude_data_volume_ids: target::excluded_data_volumes(policy, instance),
                copy_tags_from_source,
                schedule: decision.schedule.name.clone(),
                scheduled_time: decision.scheduled_time,
                description,
                tags,
                tags_left_out: left_out,
            })
        }
    })
}

/// The call that deletes a snapshot of the policy.
#[must_use]
pub fn deletion(policy: &Policy, snapshot: &Snapshot) -> Action {
    let (policy_id, snapshot) = (policy.id.clone(), snapshot.clone());
    Action::DeleteSnapshot(DeleteSnapshot { policy_id, snapshot, of_copy: None, rests_on: Vec::new() })
}
