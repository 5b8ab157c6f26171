//! Asking more closely, because something is to be deleted: what is gone, and what AMIs use.
//!
//! Promise: a volume or instance is told as gone only when EC2 answered that its id is not found, or showed it on its way out.
//! An answer that leaves it out proves nothing.

use super::by_id::Asking;
use super::paging::{PAGE_ITEMS_MAX, Pages};
use super::{instances, volumes};
use crate::action::Failed;
use crate::aws::{Account, ObserveError, failure};
use crate::world::{
    Asks, Closer, ImageId, InstanceId, InstanceState, SnapshotId, SourceId, VolumeId, VolumeState, World,
};
use aws_sdk_ec2::types;
use std::collections::BTreeMap;

/// What EC2 says of ids that it does not know. `Malformed` of an id that a snapshot of ours carries is the same (captures of
/// real answers: many made-up ids of 17 digits are malformed, by an unknown rule).
const VOLUME_NOT_FOUND: [&str; 2] = ["InvalidVolume.NotFound", "InvalidVolumeID.Malformed"];
const INSTANCE_NOT_FOUND: [&str; 2] = ["InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"];

impl Account {
    /// Adds to `world` what EC2 says to what a plan asks.
    ///
    /// Returns why the account's AMIs could not be seen, if they were asked for: a role may lack that right, and then EC2
    /// itself refuses to delete what they use.
    ///
    /// # Errors
    /// When a look at volumes or instances fails, by the names of the state machine.
    pub async fn look_closer(&self, asks: &Asks, world: &mut World) -> Result<Option<Failed>, ObserveError> {
        let volumes: Vec<VolumeId> = asks.sources.iter().filter_map(volume_of).collect();
        let instances: Vec<InstanceId> = asks.sources.iter().filter_map(instance_of).collect();
        let closer = self.closer_to_volumes(&volumes, world);
        closer.await.map_err(|failed| ObserveError::of("DescribeVolumes", failed))?;
        let closer = self.closer_to_instances(&instances, world);
        closer.await.map_err(|failed| ObserveError::of("DescribeInstances", failed))?;
        if !asks.images {
            return Ok(None);
        }
        world.closer.images_asked = true;
        match Box::pin(self.images()).await {
            Ok(used_by) => {
                world.closer.used_by = used_by;
                Ok(None)
            }
            Err(failed) => Ok(Some(failed)),
        }
    }

    async fn closer_to_volumes(&self, ids: &[VolumeId], world: &mut World) -> Result<(), Failed> {
        let mut asking = Asking::new(ids);
        while let Some(ids) = asking.next() {
            let _permit = self.lanes.describe_volumes.admit().await;
            let texts = ids.iter().map(ToString::to_string).collect();
            let call = self.client.describe_volumes().include_managed_resources(true).set_volume_ids(Some(texts));
            match call.send().await.map_err(|error| failure::of(&error)) {
                Ok(answer) => {
                    let read = answer.volumes().iter().filter_map(volumes::read_without_tags);
                    for volume in read.filter(|volume| ids.contains(&volume.id)) {
                        let is_gone = matches!(volume.state, VolumeState::Deleted | VolumeState::Deleting);
                        tell(world, SourceId::Volume(volume.id), is_gone);
                    }
                }
                Err(failed) if VOLUME_NOT_FOUND.contains(&failed.code.as_str()) => asking.halve(ids),
                Err(failed) => return Err(failed),
            }
        }
        world.closer.gone.extend(asking.not_found.into_iter().map(SourceId::Volume));
        Ok(())
    }

    async fn closer_to_instances(&self, ids: &[InstanceId], world: &mut World) -> Result<(), Failed> {
        let mut asking = Asking::new(ids);
        while let Some(ids) = asking.next() {
            let _permit = self.lanes.describe_instances.admit().await;
            let texts = ids.iter().map(ToString::to_string).collect();
            let call = self.client.describe_instances().include_managed_resources(true).set_instance_ids(Some(texts));
            match call.send().await.map_err(|error| failure::of(&error)) {
                Ok(answer) => {
                    let shown = answer.reservations().iter().flat_map(types::Reservation::instances);
                    let read = shown.filter_map(|instance| instances::read_instance(instance, Vec::new()));
                    for instance in read.filter(|instance| ids.contains(&instance.id)) {
                        let is_gone = matches!(instance.state, InstanceState::ShuttingDown | InstanceState::Terminated);
                        tell(world, SourceId::Instance(instance.id), is_gone);
                    }
                }
                Err(failed) if INSTANCE_NOT_FOUND.contains(&failed.code.as_str()) => asking.halve(ids),
                Err(failed) => return Err(failed),
            }
        }
        world.closer.gone.extend(asking.not_found.into_iter().map(SourceId::Instance));
        Ok(())
    }

    /// The snapshots that AMIs of the account use, each with the first of those AMIs. Disabled ones are shown only when they are
    /// asked for, and hold their snapshots all the same (EBS user guide, "Delete an Amazon EBS snapshot").
    async fn images(&self) -> Result<BTreeMap<SnapshotId, ImageId>, Failed> {
        let call = self.client.describe_images().owners("self").include_disabled(true).include_deprecated(true);
        let mut used_by: BTreeMap<SnapshotId, ImageId> = BTreeMap::new();
        let mut pages = Pages::default();
        // Bounded by PAGES_MAX.
        while let Some(token) = pages.next() {
            let page = call.clone().max_results(PAGE_ITEMS_MAX).set_next_token(token).send().await;
            let page = page.map_err(|error| failure::of(&error))?;
            for image in page.images() {
                let Some(id) = image.image_id().and_then(ImageId::parse) else { continue };
                let devices = image.block_device_mappings().iter().filter_map(types::BlockDeviceMapping::ebs);
                for snapshot in devices.filter_map(|ebs| SnapshotId::parse(ebs.snapshot_id()?)) {
                    used_by.entry(snapshot).and_modify(|first| *first = id.min(*first)).or_insert(id);
                }
            }
            pages.turn(page.next_token(), page.images().len());
        }
        Ok(used_by)
    }
}

/// What EC2 shows of a source is gone, or it is there after all.
fn tell(world: &mut World, source: SourceId, is_gone: bool) {
    let Closer { gone, .. } = &mut world.closer;
    if is_gone {
        gone.insert(source);
    } else {
        world.untargeted.insert(source);
    }
}

fn volume_of(source: &SourceId) -> Option<VolumeId> {
    match source {
        SourceId::Instance(_) => None,
        SourceId::Volume(id) => Some(*id),
    }
}

fn instance_of(source: &SourceId) -> Option<InstanceId> {
    match source {
        SourceId::Instance(id) => Some(*id),
        SourceId::Volume(_) => None,
    }
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
