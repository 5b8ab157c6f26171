//! Listing what opendlm made of a volume or an instance, whatever the policy.

use super::filters::{filter, id_filters};
use super::snapshots::Reading;
use super::volumes;
use crate::aws::{Account, ObserveError};
use crate::backups::volume_of;
use crate::tags;
use crate::world::{InstanceId, Snapshot, SourceId, VolumeId};
use aws_sdk_ec2::types::Filter;
use std::collections::{BTreeMap, BTreeSet};

impl Account {
    /// The snapshots that carry opendlm's tag and are of this volume or copies of such, or of this instance's sets and of the volumes
    /// that are attached to it; and all other members of their sets.
    ///
    /// # Errors
    /// When EC2 cannot be asked.
    pub async fn made_of(&self, source: SourceId) -> Result<MadeOf, ObserveError> {
        let mut found = Found::default();
        let volumes: Vec<VolumeId> = match source {
            SourceId::Volume(volume) => vec![volume],
            SourceId::Instance(instance) => {
                let attached =
                    self.find_volumes("attachment.instance-id", &[instance], volumes::read_without_tags).await?;
                found.cut |= attached.cut_short.is_some();
                attached.items.iter().map(|volume| volume.id).collect()
            }
        };
        // EC2 shows no volume of a copy.
        let of_copies = id_filters(&format!("tag:{}", tags::VOLUME_ID), &volumes).0;
        for of_volumes in id_filters("volume-id", &volumes).0.into_iter().chain(of_copies) {
            self.add_snapshots(vec![of_volumes, made_by_us()], &mut found).await?;
        }
        let of_sets = found.by_id.values().filter_map(|snapshot| snapshot.marks.instance_id.value().copied());
        let named = match source {
            SourceId::Instance(instance) => Some(instance),
            SourceId::Volume(_) => None,
        };
        let instances: BTreeSet<InstanceId> = of_sets.chain(named).collect();
        let instances: Vec<InstanceId> = instances.into_iter().collect();
        for of_instances in id_filters(&format!("tag:{}", tags::INSTANCE_ID), &instances).0 {
            self.add_snapshots(vec![of_instances, made_by_us()], &mut found).await?;
        }
        Ok(MadeOf { snapshots: found.by_id.into_values().collect(), source, volumes, is_all: !found.cut })
    }

    async fn add_snapshots(&self, filters: Vec<Filter>, found: &mut Found) -> Result<(), ObserveError> {
        let mut read = Reading::default();
        let cut_short = self.each_snapshot(filters, |snapshot| read.add(snapshot)).await?;
        let listing = read.ended(cut_short);
        found.cut |= listing.cut_short.is_some();
        found.by_id.extend(listing.items.into_iter().map(|snapshot| (snapshot.id, snapshot)));
        Ok(())
    }
}

/// What opendlm made of a volume or an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct MadeOf {
    /// Every snapshot of it, and the other members of their sets.
    pub snapshots: Vec<Snapshot>,
    /// What it was made of.
    pub source: SourceId,
    /// The volume, or those that are attached to the instance now.
    pub volumes: Vec<VolumeId>,
    /// Whether all that EC2 has was read.
    pub is_all: bool,
}

impl MadeOf {
    /// Whether a snapshot is of the volume or instance itself, and not only of a set with one that is.
    #[must_use]
    pub fn is_of_it(&self, snapshot: &Snapshot) -> bool {
        let is_of_instance = match self.source {
            SourceId::Instance(instance) => snapshot.marks.instance_id.value() == Some(&instance),
            SourceId::Volume(_) => false,
        };
        is_of_instance || self.volumes.contains(&volume_of(snapshot))
    }
}

/// What several listings found, each snapshot once.
#[derive(Debug, Default)]
struct Found {
    by_id: BTreeMap<crate::world::SnapshotId, Snapshot>,
    cut: bool,
}

fn made_by_us() -> Filter {
    filter("tag-key", vec![tags::POLICY_ID.to_owned()])
}
