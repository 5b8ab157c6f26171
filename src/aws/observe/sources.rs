//! What snapshots of ours were made of and the listing of targets did not show: is it still there, and is it a target?
//!
//! Promise: an id is left out only when EC2 was asked for it, answered in full, and did not show it, or showed that it
//! is on its way out. What is shown with a target tag is a target, whatever the listing left out. A look-up that fails fails the
//! observation.

use super::filters::carries;
use super::volumes::{read_with_tags, read_without_tags};
use super::{Targeted, needs_volume_tags};
use crate::aws::{Account, ObserveError};
use crate::lookup::LookupSet;
use crate::policy::{Policy, Targets};
use crate::tags::{Ownership, ownership};
use crate::world::{CutShort, Instance, InstanceId, InstanceState, Snapshot, SourceId, Volume, VolumeId, VolumeState};
use aws_sdk_ec2::types;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The volumes and instances that exist, by id.
#[derive(Debug, Default)]
pub(super) struct Untargeted {
    pub(super) ids: BTreeSet<SourceId>,
    pub(super) cut_short: Option<CutShort>,
}

/// The ids of those that carry a target tag, noted as they are read.
struct Noted<Id>(Mutex<BTreeSet<Id>>);

impl<Id: Ord> Noted<Id> {
    fn new() -> Self {
        Self(Mutex::new(BTreeSet::new()))
    }

    fn note(&self, id: Option<Id>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(id);
    }

    fn ids(self) -> BTreeSet<Id> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// The volumes, or instances, that snapshots of ours were made of and that exist without being targeted. Those that are
    /// targets, which the listing lacked, go to `targeted`.
    pub(super) async fn find_untargeted(
        &self,
        policy: &Policy,
        targeted: &mut Targeted,
        snapshots: &[Snapshot],
    ) -> Result<Untargeted, ObserveError> {
        let sources: Vec<SourceId> = untargeted_sources(policy, targeted, snapshots).into_iter().collect();
        match &policy.targets {
            Targets::AllVolumes(_) | Targets::Volumes { .. } => self.existing_volumes(policy, &sources, targeted).await,
            Targets::Instances { .. } => self.existing_instances(policy, &sources, targeted).await,
        }
    }

    async fn existing_volumes(
        &self,
        policy: &Policy,
        sources: &[SourceId],
        targeted: &mut Targeted,
    ) -> Result<Untargeted, ObserveError> {
        let noted: Noted<VolumeId> = Noted::new();
        let note = |volume: &types::Volume| {
            if is_target(policy, volume.tags(), volume.operator()) {
                noted.note(volume.volume_id().and_then(VolumeId::parse));
            }
        };
        let read = if needs_volume_tags(policy) { read_with_tags } else { read_without_tags };
        let listing = self.find_volumes_noting("volume-id", sources, read, note).await?;
        let is_there = |volume: &Volume| !matches!(volume.state, VolumeState::Deleted | VolumeState::Deleting);
        let mut there: Vec<Volume> = listing.items.into_iter().filter(is_there).collect();
        let ids = there.iter().map(|volume| SourceId::Volume(volume.id)).collect();
        let targets = noted.ids();
        there.retain(|volume| targets.contains(&volume.id) && is_asked(sources, SourceId::Volume(volume.id)));
        there.iter_mut().for_each(|volume| targeted.facts.add_to(volume));
        let found = Untargeted { ids, cut_short: listing.cut_short };
        let mut ids = existing(sources, &found);
        there.iter().for_each(|volume| {
            ids.remove(&SourceId::Volume(volume.id));
        });
        targeted.volumes.append(&mut there);
        Ok(Untargeted { ids, ..found })
    }

    async fn existing_instances(
        &self,
        policy: &Policy,
        sources: &[SourceId],
        targeted: &mut Targeted,
    ) -> Result<Untargeted, ObserveError> {
        let noted: Noted<InstanceId> = Noted::new();
        let note = |instance: &types::Instance| {
            if is_target(policy, instance.tags(), instance.operator()) {
                noted.note(instance.instance_id().and_then(InstanceId::parse));
            }
        };
        let listing = self.find_instances(sources, note).await?;
        let is_there =
            |instance: &Instance| !matches!(instance.state, InstanceState::ShuttingDown | InstanceState::Terminated);
        let mut there: Vec<Instance> = listing.items.into_iter().filter(is_there).collect();
        let ids = there.iter().map(|instance| SourceId::Instance(instance.id)).collect();
        let targets = noted.ids();
        there.retain(|instance| targets.contains(&instance.id) && is_asked(sources, SourceId::Instance(instance.id)));
        let mut found = Untargeted { ids, cut_short: listing.cut_short };
        if needs_volume_tags(policy) && !there.is_empty() {
            let cut_short = Box::pin(self.add_volume_tags(&mut there)).await?;
            found.cut_short = found.cut_short.or(cut_short);
        }
        let mut ids = existing(sources, &found);
        there.iter().for_each(|instance| {
            ids.remove(&SourceId::Instance(instance.id));
        });
        targeted.instances.append(&mut there);
        Ok(Untargeted { ids, ..found })
    }
}

/// Whether a policy targets what carries these tags. What a service of AWS manages, and hides from listings, is none: it was not
/// left out by mistake.
pub(super) fn is_target(policy: &Policy, tags: &[types::Tag], operator: Option<&types::OperatorResponse>) -> bool {
    if operator.and_then(types::OperatorResponse::hidden_by_default) == Some(true) {
        return false;
    }
    match &policy.targets {
        Targets::AllVolumes(_) => true,
        Targets::Instances { any_of, .. } | Targets::Volumes { any_of } => carries(tags, any_of),
    }
}

/// The sources come from a set, so they are sorted.
fn is_asked(sources: &[SourceId], source: SourceId) -> bool {
    sources.binary_search(&source).is_ok()
}

/// Of the sources that were asked for, those that exist: all of them where the answer was cut short, since what it did
/// not show may be in the part that is missing.
fn existing(sources: &[SourceId], found: &Untargeted) -> BTreeSet<SourceId> {
    let is_there = |source: &&SourceId| found.cut_short.is_some() || found.ids.contains(source);
    sources.iter().filter(is_there).copied().collect()
}

/// What our snapshots were made of, as the policy targets it, without what it does target.
fn untargeted_sources(policy: &Policy, targeted: &Targeted, snapshots: &[Snapshot]) -> BTreeSet<SourceId> {
    let volumes = targeted.volumes.iter().map(|volume| SourceId::Volume(volume.id));
    let instances = targeted.instances.iter().map(|instance| SourceId::Instance(instance.id));
    let known: LookupSet<SourceId> = volumes.chain(instances).collect();
    let ours = snapshots.iter().filter(|snapshot| ownership(&policy.id, snapshot) == Ownership::Ours);
    ours.filter_map(|snapshot| source(policy, snapshot)).filter(|source| !known.contains(source)).collect()
}

fn source(policy: &Policy, snapshot: &Snapshot) -> Option<SourceId> {
    match &policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => Some(SourceId::Volume(snapshot.volume_id)),
        Targets::Instances { .. } => snapshot.marks.instance_id.value().copied().map(SourceId::Instance),
    }
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
