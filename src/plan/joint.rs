//! Creations that one call can carry out together: of volumes of one instance that would get the same snapshots by a call
//! for each (`Options.Batch`).
//!
//! Promise: what the call makes differs in nothing from what the calls for each volume would have made: the same tags, the
//! same description, and no volume that did not ask.

use super::tagging::{self, Tagging};
use super::{Target, TargetDecision, TargetVerdict};
use crate::action::{Action, CreateSnapshots, EXCLUDED_VOLUMES_MAX, SetOf};
use crate::policy::{Policy, Schedule, ScheduleName, Tag};
use crate::tags;
use crate::world::{Instance, InstanceId, InstanceState, VolumeId};
use jiff::Timestamp;

/// What creations have in common that one call can carry out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shared<'a> {
    instance: InstanceId,
    schedule: &'a ScheduleName,
    scheduled_time: Timestamp,
    with: Vec<&'a ScheduleName>,
    copying: Copying,
}

/// How the tags of a volume come to its snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Copying {
    /// EC2 copies those of each volume (`CopyTagsFromSource`), with the same result.
    ByEc2,
    /// They do not.
    No,
    /// The call names all tags of the snapshot.
    Written(Vec<Tag>),
}

impl Shared<'_> {
    /// The instance whose volumes they are of.
    pub(crate) fn instance(&self) -> InstanceId {
        self.instance
    }
}

/// What a creation must have in common with others; `None` for what is none, or of a volume that is on no instance.
pub(crate) fn shared<'a>(policy: &Policy, decision: &TargetDecision<'a>) -> Option<Shared<'a>> {
    let (Target::Volume(volume), TargetVerdict::Create { with, .. }) = (decision.target, &decision.verdict) else {
        return None;
    };
    let instance = volume.attached_to?;
    let schedules = schedules_of(decision.schedule, with);
    let copying = if !schedules.iter().any(|schedule| schedule.copy_tags) {
        Copying::No
    } else if copies_the_same(&volume.tags, &tagging::tags(policy, &schedules, decision.scheduled_time, None, &[]).tags)
    {
        Copying::ByEc2
    } else {
        Copying::Written(tagging::tags(policy, &schedules, decision.scheduled_time, None, &volume.tags).tags)
    };
    Some(Shared {
        instance,
        schedule: &decision.schedule.name,
        scheduled_time: decision.scheduled_time,
        with: with.iter().map(|schedule| &schedule.name).collect(),
        copying,
    })
}

/// The call that carries out creations which are `shared` alike, on the instance as it was seen; `None` where EC2 cannot
/// make just these snapshots: the instance is neither running nor stopped, a volume is not on it, or the others are more
/// than the call can leave out.
pub(crate) fn creation(policy: &Policy, decisions: &[&TargetDecision<'_>], host: &Instance) -> Option<Action> {
    let first = decisions.first()?;
    let TargetVerdict::Create { with, .. } = &first.verdict else { return None };
    let asked = volume_ids(decisions);
    let (exclude_boot_volume, exclude_data_volume_ids) = left_out(host, &asked)?;
    let shared = shared(policy, first)?;
    let schedules = schedules_of(first.schedule, with);
    // Unless EC2 copies them, those of the first volume are those of all.
    let copied = match (first.target, &shared.copying) {
        (Target::Volume(volume), Copying::Written(_)) => &volume.tags[..],
        (Target::Volume(_) | Target::Instance(_), _) => &[],
    };
    let Tagging { tags, left_out } = tagging::tags(policy, &schedules, first.scheduled_time, None, copied);
    Some(Action::CreateSnapshots(CreateSnapshots {
        instance_id: host.id,
        of: SetOf::Volumes(asked),
        exclude_boot_volume,
        exclude_data_volume_ids,
        copy_tags_from_source: shared.copying == Copying::ByEc2,
        schedule: first.schedule.name.clone(),
        scheduled_time: first.scheduled_time,
        description: tags::description(&policy.id, &first.schedule.name),
        tags,
        tags_left_out: left_out,
    }))
}

/// Whether what EC2 copies from a volume beside the `given` tags is what a call for the volume alone would write. No key is
/// on both sides: which one wins then, EC2's documentation does not say. Of AWS's own tags EC2 copies none.
fn copies_the_same(of_volume: &[Tag], given: &[Tag]) -> bool {
    let user_tags = of_volume.iter().filter(|tag| !tag.key.starts_with("aws:"));
    let is_given = |tag: &Tag| given.iter().any(|given| given.key == tag.key);
    let fits = given.len() + user_tags.clone().count() <= tagging::TAGS_MAX;
    fits && user_tags.clone().all(|tag| tagging::is_copyable(&tag.key) && !is_given(tag))
}

/// What a call for the volumes that are `asked` for leaves out of the instance: its root volume, and these data volumes.
fn left_out(host: &Instance, asked: &[VolumeId]) -> Option<(bool, Vec<VolumeId>)> {
    let makes_sets = matches!(host.state, InstanceState::Running | InstanceState::Stopped);
    let is_there = |volume: &VolumeId| host.volumes.iter().any(|attached| attached.id == *volume);
    if !makes_sets || !asked.iter().all(is_there) {
        return None;
    }
    let others = host.volumes.iter().filter(|attached| !asked.contains(&attached.id));
    let (root, data): (Vec<_>, Vec<_>) = others.partition(|attached| attached.is_root);
    let mut data: Vec<VolumeId> = data.into_iter().map(|attached| attached.id).collect();
    data.sort_unstable();
    (data.len() <= EXCLUDED_VOLUMES_MAX).then_some((!root.is_empty(), data))
}

fn volume_ids(decisions: &[&TargetDecision<'_>]) -> Vec<VolumeId> {
    let id = |decision: &&TargetDecision<'_>| match decision.target {
        Target::Volume(volume) => Some(volume.id),
        Target::Instance(_) => None,
    };
    decisions.iter().filter_map(id).collect()
}

fn schedules_of<'a>(owner: &'a Schedule, with: &[&'a Schedule]) -> Vec<&'a Schedule> {
    std::iter::once(owner).chain(with.iter().copied()).collect()
}

#[cfg(test)]
mod tests;
