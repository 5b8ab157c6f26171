//! Looking closer, because something is to be deleted: is what it was made of really gone, and does an AMI use it?
//!
//! Promise: a volume or an instance counts as gone only when EC2 says so of its id, or shows it on its way out. What an answer
//! merely leaves out proves nothing.

use super::by_id::{Answered, ask};
use super::instances::instance_state;
use super::paging::{PAGE_ITEMS_MAX, Pages};
use super::sources::is_target;
use super::volumes::volume_state;
use crate::action::FailedKind;
use crate::aws::{Account, ObserveError, failure};
use crate::pace::Api;
use crate::policy::{Policy, Targets};
use crate::world::{Closer, ImageId, InstanceId, InstanceState, SnapshotId, SourceId, VolumeId, VolumeState, World};
use aws_sdk_ec2::types;
use std::collections::{BTreeMap, BTreeSet};

/// What EC2 says of a volume that does not exist (EC2 API reference, "Error codes"; the first one in a capture of a real
/// answer). An id of ours was an id once, so one that EC2 cannot read is none any more.
const VOLUME_NOT_FOUND: [&str; 2] = ["InvalidVolume.NotFound", "InvalidVolumeID.Malformed"];

/// The same of an instance (EC2 API reference, "Error codes").
const INSTANCE_NOT_FOUND: [&str; 2] = ["InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"];

/// Those of which EC2 says that they are gone, and those that it shows as there.
#[derive(Debug, Default)]
struct Found {
    gone: BTreeSet<SourceId>,
    there: BTreeSet<SourceId>,
}

impl Account {
    /// Asks EC2 for volumes and instances by their ids, and notes in `world` which of them are gone and which are there.
    ///
    /// # Errors
    /// When a call fails otherwise than because of a missing id, by the names of the state machine. And `Unavailable` when EC2 shows
    /// one as a target that no listing of this look showed: then the listings cannot be believed, and who plans by them may say
    /// that there is nothing to back up.
    pub async fn look_for_sources(
        &self,
        policy: &Policy,
        sources: &BTreeSet<SourceId>,
        world: &mut World,
    ) -> Result<(), ObserveError> {
        let (mut volumes, mut instances) = (Vec::new(), Vec::new());
        for source in sources {
            match *source {
                SourceId::Instance(id) => instances.push(id),
                SourceId::Volume(id) => volumes.push(id),
            }
        }
        let mut found = Found::default();
        self.look_for_volumes(policy, &volumes, &mut found).await?;
        self.look_for_instances(policy, &instances, &mut found).await?;
        let Found { gone, there } = found;
        world.closer.gone.extend(gone.intersection(sources));
        world.untargeted.extend(there.intersection(sources));
        Ok(())
    }

    async fn look_for_volumes(&self, policy: &Policy, ids: &[VolumeId], found: &mut Found) -> Result<(), ObserveError> {
        let describe = async |ids| {
            let _permit = self.lanes.of(Api::DescribeVolumes).admit().await;
            // What an account setting hides from its people is there all the same. Ids and a page size EC2 refuses.
            let call = self.client.describe_volumes().include_managed_resources(true).set_volume_ids(Some(ids));
            let answer = call.send().await;
            answer.map(|answer| answer.volumes.unwrap_or_default()).map_err(|error| failure::of(&error))
        };
        let answered = ask(ids, &VOLUME_NOT_FOUND, describe).await;
        let Answered { shown, not_found } = answered.map_err(|failed| ObserveError::of("DescribeVolumes", failed))?;
        found.gone.extend(not_found.into_iter().map(SourceId::Volume));
        for volume in &shown {
            let Some(id) = volume.volume_id().and_then(VolumeId::parse) else { continue };
            let is_going = matches!(volume_state(volume.state()), VolumeState::Deleted | VolumeState::Deleting);
            // A volume that outlived its instance is no target, whatever its own tags say.
            let is_of_instances = matches!(policy.targets, Targets::Instances { .. });
            if !is_going && !is_of_instances && is_target(policy, volume.tags(), volume.operator()) {
                return Err(not_listed("DescribeVolumes", &id.to_string()));
            }
            found.note(SourceId::Volume(id), is_going);
        }
        Ok(())
    }

    async fn look_for_instances(
        &self,
        policy: &Policy,
        ids: &[InstanceId],
        found: &mut Found,
    ) -> Result<(), ObserveError> {
        let describe = async |ids| {
            let _permit = self.lanes.of(Api::DescribeInstances).admit().await;
            let call = self.client.describe_instances().include_managed_resources(true).set_instance_ids(Some(ids));
            let answer = call.send().await.map_err(|error| failure::of(&error))?;
            Ok(answer
                .reservations
                .unwrap_or_default()
                .into_iter()
                .flat_map(|r| r.instances.unwrap_or_default())
                .collect())
        };
        let answered = ask(ids, &INSTANCE_NOT_FOUND, describe).await;
        let Answered { shown, not_found }: Answered<_, types::Instance> =
            answered.map_err(|failed| ObserveError::of("DescribeInstances", failed))?;
        found.gone.extend(not_found.into_iter().map(SourceId::Instance));
        for instance in &shown {
            let Some(id) = instance.instance_id().and_then(InstanceId::parse) else { continue };
            let state = instance_state(instance);
            let is_going = matches!(state, InstanceState::ShuttingDown | InstanceState::Terminated);
            if !is_going && is_target(policy, instance.tags(), instance.operator()) {
                return Err(not_listed("DescribeInstances", &id.to_string()));
            }
            found.note(SourceId::Instance(id), is_going);
        }
        Ok(())
    }

    /// Notes which snapshots the account's AMIs use. They count as asked for also when the call fails: a role may lack the right,
    /// and then EC2 refuses to delete such a snapshot. What was seen before a failure counts.
    ///
    /// # Errors
    /// When a page cannot be had.
    pub async fn look_for_images(&self, closer: &mut Closer) -> Result<(), ObserveError> {
        closer.images_asked = true;
        // A disabled AMI is not shown unless it is asked for, and keeps its snapshots all the same (EBS user guide, "Delete an
        // Amazon EBS snapshot").
        let call = self.client.describe_images().owners("self").include_disabled(true).include_deprecated(true);
        let mut pages = Pages::default();
        // Bounded by PAGES_MAX.
        while let Some(token) = pages.next() {
            let page = call.clone().max_results(PAGE_ITEMS_MAX).set_next_token(token).send().await;
            let page = page.map_err(|error| ObserveError::of("DescribeImages", failure::of(&error)))?;
            for image in page.images() {
                note_used(image, &mut closer.used_by);
            }
            pages.turn(page.next_token(), page.images().len());
        }
        Ok(())
    }
}

/// What a look finds out by the id of a target that it should have listed.
fn not_listed(call: &'static str, id: &str) -> ObserveError {
    let message = format!("{id} is a target of the policy by its id, but the listings of this look do not show it");
    ObserveError::of(call, failure::failed(FailedKind::Unclear, "NotListed", &message))
}

impl Found {
    fn note(&mut self, source: SourceId, is_going: bool) {
        let list = if is_going { &mut self.gone } else { &mut self.there };
        list.insert(source);
    }
}

/// Where several AMIs use a snapshot, the one with the smallest id is told, so that equal accounts give equal words.
fn note_used(image: &types::Image, used_by: &mut BTreeMap<SnapshotId, ImageId>) {
    let Some(id) = image.image_id().and_then(ImageId::parse) else { return };
    let used = image.block_device_mappings().iter().filter_map(|mapping| mapping.ebs()?.snapshot_id());
    for snapshot in used.filter_map(SnapshotId::parse) {
        used_by.entry(snapshot).and_modify(|known| *known = id.min(*known)).or_insert(id);
    }
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
