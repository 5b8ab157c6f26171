//! The calls that carry out a decision: they name everything, so that whoever makes them has no choice.

use super::tagging::{self, Tagging};
use super::{Target, TargetDecision, TargetVerdict, target};
use crate::action::{Action, CreateSnapshot, CreateSnapshots, SetOf};
use crate::policy::{Policy, Schedule};
use crate::tags;

/// The call that makes the snapshots of a [`TargetVerdict::Create`]; `None` for every other decision.
#[must_use]
pub fn creation(policy: &Policy, decision: &TargetDecision<'_>) -> Option<Action> {
    let TargetVerdict::Create { with, .. } = &decision.verdict else { return None };
    let schedules: Vec<&Schedule> = std::iter::once(decision.schedule).chain(with.iter().copied()).collect();
    let copies_tags = schedules.iter().any(|schedule| schedule.copy_tags);
    let description = tags::description(&policy.id, &decision.schedule.name);
    Some(match decision.target {
        Target::Volume(volume) => {
            let copied = if copies_tags { &volume.tags[..] } else { &[] };
            let Tagging { tags, left_out } = tagging::tags(policy, &schedules, decision.scheduled_time, None, copied);
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
            let instance_id = Some(&instance.id);
            let Tagging { tags, mut left_out } =
                tagging::tags(policy, &schedules, decision.scheduled_time, instance_id, &[]);
            let copy_tags_from_source = copies_tags && target::can_copy_tags(policy, instance, &tags);
            if copies_tags && !copy_tags_from_source {
                left_out.push("all tags of the volumes".to_owned());
            }
            Action::CreateSnapshots(CreateSnapshots {
                instance_id: instance.id,
                of: SetOf::Instance,
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
