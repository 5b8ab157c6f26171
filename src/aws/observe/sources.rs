//! What snapshots of ours were made of and the policy does not target: is it still there?
//!
//! Promise: an id is left out only when EC2 was asked for it, answered in full, and did not show it, or showed that it
//! is on its way out. A look-up that fails fails the observation.

use super::Targeted;
use super::volumes::read_without_tags;
use crate::aws::{Account, ObserveError};
use crate::lookup::LookupSet;
use crate::policy::{Policy, Targets};
use crate::tags::{Ownership, ownership};
use crate::world::{CutShort, InstanceState, Snapshot, SourceId, VolumeState};
use std::collections::BTreeSet;

/// The volumes and instances that exist, by id.
#[derive(Debug, Default)]
pub(super) struct Untargeted {
    pub(super) ids: BTreeSet<SourceId>,
    pub(super) cut_short: Option<CutShort>,
}

impl Account {
    /// The volumes, or instances, that snapshots of ours were made of and that exist without being targeted.
    pub(super) async fn find_untargeted(
        &self,
        policy: &Policy,
        targeted: &Targeted,
        snapshots: &[Snapshot],
    ) -> Result<Untargeted, ObserveError> {
        let sources: Vec<SourceId> = untargeted_sources(policy, targeted, snapshots).into_iter().collect();
        let found = match &policy.targets {
            Targets::AllVolumes(_) | Targets::Volumes { .. } => self.existing_volumes(&sources).await?,
            Targets::Instances { .. } => self.existing_instances(&sources).await?,
        };
        Ok(Untargeted { ids: existing(&sources, &found), cut_short: found.cut_short })
    }

    async fn existing_volumes(&self, ids: &[SourceId]) -> Result<Untargeted, ObserveError> {
        let listing = self.find_volumes("volume-id", ids, read_without_tags).await?;
        let is_there = |state: &VolumeState| !matches!(state, VolumeState::Deleted | VolumeState::Deleting);
        let there = listing.items.iter().filter(|volume| is_there(&volume.state));
        Ok(Untargeted { ids: there.map(|volume| SourceId::Volume(volume.id)).collect(), cut_short: listing.cut_short })
    }

    async fn existing_instances(&self, ids: &[SourceId]) -> Result<Untargeted, ObserveError> {
        let listing = self.find_instances(ids).await?;
        let is_there =
            |state: &InstanceState| !matches!(state, InstanceState::ShuttingDown | InstanceState::Terminated);
        let there = listing.items.iter().filter(|instance| is_there(&instance.state));
        let ids = there.map(|instance| SourceId::Instance(instance.id)).collect();
        Ok(Untargeted { ids, cut_short: listing.cut_short })
    }
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
