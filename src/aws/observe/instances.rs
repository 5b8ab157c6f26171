//! Listing instances with the volumes that are attached to them.

use super::filters::{carries, id_filters, target_filters};
use super::paging::{Listing, PAGE_ITEMS_MAX, Pages};
use super::{UNSTATED, volumes, word};
use crate::aws::{Account, ObserveError, failure};
use crate::pace::Api;
use crate::policy::Tag;
use crate::world::{AttachedVolume, CutShort, Instance, InstanceId, InstanceState, VolumeId};
use aws_sdk_ec2::operation::describe_instances::builders::DescribeInstancesFluentBuilder;
use aws_sdk_ec2::types::{self, AttachmentStatus, InstanceStateName};
use futures_util::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};

pub(super) type Instances = Listing<InstanceId, Instance>;

impl Account {
    /// The instances that carry at least one of `any_of`, in whatever state.
    pub(super) async fn list_instances(
        &self,
        any_of: &[Tag],
        needs_volume_tags: bool,
    ) -> Result<Instances, ObserveError> {
        let calls = target_filters(any_of).into_iter().map(|filter| self.client.describe_instances().filters(filter));
        let mut instances = self.instances_of(calls, |instance| carries(instance.tags(), any_of)).await?;
        if needs_volume_tags {
            let cut_short = self.add_volume_tags(&mut instances.items).await?;
            instances.cut(cut_short);
        }
        Ok(instances)
    }

    /// The instances of these ids that EC2 shows; `note` hears of each as it shows it.
    pub(super) async fn find_instances(
        &self,
        ids: &[impl ToString],
        note: impl Fn(&types::Instance),
    ) -> Result<Instances, ObserveError> {
        let (filters, cut_short) = id_filters("instance-id", ids);
        // What an account setting hides from its people is there all the same.
        let calls = filters
            .into_iter()
            .map(|filter| self.client.describe_instances().include_managed_resources(true).filters(filter));
        let is_wanted = |instance: &types::Instance| {
            note(instance);
            true
        };
        let mut instances = self.instances_of(calls, is_wanted).await?;
        instances.cut(cut_short);
        Ok(instances)
    }

    /// The root volumes of all instances.
    pub(super) async fn list_boot_volumes(&self) -> Result<(BTreeSet<VolumeId>, Option<CutShort>), ObserveError> {
        let mut boot_volumes = BTreeSet::new();
        let cut_short = self
            .each_instance(self.client.describe_instances(), |instance| {
                let (volumes, _) = attached_volumes(instance);
                boot_volumes.extend(volumes.into_iter().filter(|volume| volume.is_root).map(|volume| volume.id));
            })
            .await?;
        Ok((boot_volumes, cut_short))
    }

    /// Reads the tags of all attached volumes: first by the instances that they are attached to, which takes the
    /// fewest calls, then by their ids where a volume came off between the two looks. What EC2 does not show even so is
    /// gone. It stays without tags, so that no guess leaves a volume out: a snapshot too many is better than one missing.
    pub(super) async fn add_volume_tags(&self, instances: &mut [Instance]) -> Result<Option<CutShort>, ObserveError> {
        let with_volumes = instances.iter().filter(|instance| !instance.volumes.is_empty());
        let ids: Vec<InstanceId> = with_volumes.map(|instance| instance.id).collect();
        let found = self.find_volumes("attachment.instance-id", &ids, volumes::read_with_tags).await?;
        let mut cut_short = found.cut_short;
        let mut tags: BTreeMap<VolumeId, Vec<Tag>> = found.items.into_iter().map(|v| (v.id, v.tags)).collect();
        let attached = instances.iter().flat_map(|instance| &instance.volumes);
        let missing: BTreeSet<VolumeId> =
            attached.filter(|volume| !tags.contains_key(&volume.id)).map(|volume| volume.id).collect();
        if !missing.is_empty() {
            let missing: Vec<VolumeId> = missing.into_iter().collect();
            let found = self.find_volumes("volume-id", &missing, volumes::read_with_tags).await?;
            tags.extend(found.items.into_iter().map(|volume| (volume.id, volume.tags)));
            cut_short = cut_short.or(found.cut_short);
        }
        for volume in instances.iter_mut().flat_map(|instance| &mut instance.volumes) {
            // A Multi-Attach volume is part of several instances.
            volume.tags = tags.get(&volume.id).cloned().unwrap_or_default();
        }
        Ok(cut_short)
    }

    /// What several calls find, all of it once. The calls run at the same time, as many as their lane lets through.
    async fn instances_of(
        &self,
        calls: impl Iterator<Item = DescribeInstancesFluentBuilder>,
        is_wanted: impl Fn(&types::Instance) -> bool,
    ) -> Result<Instances, ObserveError> {
        let is_wanted = &is_wanted;
        let mut all = Listing::default();
        for listing in try_join_all(calls.map(|call| self.instances_of_call(call, is_wanted))).await? {
            all.absorb(listing, |instance| &instance.id);
        }
        Ok(all)
    }

    async fn instances_of_call(
        &self,
        call: DescribeInstancesFluentBuilder,
        is_wanted: &impl Fn(&types::Instance) -> bool,
    ) -> Result<Instances, ObserveError> {
        let mut listing = Listing::default();
        let cut_short = self
            .each_instance(call, |instance| {
                // What cannot be told apart was found by the filter: who knows that it is not wanted?
                if is_wanted(instance) || read_id(instance).is_none() {
                    let (volumes, unreadable) = attached_volumes(instance);
                    listing.add(read_instance(instance, volumes), |instance| &instance.id);
                    listing.cut(unreadable);
                }
            })
            .await?;
        listing.cut(cut_short);
        Ok(listing)
    }

    /// Shows each instance that `call` finds to `on_instance`, and says whether that were not all.
    async fn each_instance(
        &self,
        call: DescribeInstancesFluentBuilder,
        mut on_instance: impl FnMut(&types::Instance),
    ) -> Result<Option<CutShort>, ObserveError> {
        let mut pages = Pages::default();
        // Bounded by PAGES_MAX.
        while let Some(token) = pages.next() {
            let _permit = self.lanes.of(Api::DescribeInstances).admit().await;
            let page = call.clone().max_results(PAGE_ITEMS_MAX).set_next_token(token).send().await;
            let page = page.map_err(|error| ObserveError::of("DescribeInstances", failure::of(&error)))?;
            for instance in page.reservations().iter().flat_map(types::Reservation::instances) {
                on_instance(instance);
            }
            pages.turn(page.next_token(), page.reservations().len());
        }
        Ok(pages.cut_short)
    }
}

/// `None` without an id: then it cannot be told apart.
fn read_instance(instance: &types::Instance, volumes: Vec<AttachedVolume>) -> Option<Instance> {
    Some(Instance { id: read_id(instance)?, state: instance_state(instance), volumes })
}

fn read_id(instance: &types::Instance) -> Option<InstanceId> {
    InstanceId::parse(instance.instance_id()?)
}

/// The volumes of an instance, without their tags, and whether one of them has no id that can be read: its instance is
/// worth a snapshot all the same, since the call names the instance.
fn attached_volumes(instance: &types::Instance) -> (Vec<AttachedVolume>, Option<CutShort>) {
    let mut volumes = Vec::new();
    let mut unreadable = None;
    for mapping in instance.block_device_mappings() {
        let Some(ebs) = mapping.ebs() else { continue };
        if ebs.status() == Some(&AttachmentStatus::Detached) {
            continue;
        }
        let is_root = mapping.device_name().is_some() && mapping.device_name() == instance.root_device_name();
        match ebs.volume_id().and_then(VolumeId::parse) {
            Some(id) => volumes.push(AttachedVolume { id, is_root, tags: Vec::new() }),
            None => unreadable = Some(CutShort::Unreadable),
        }
    }
    (volumes, unreadable)
}

pub(super) fn instance_state(instance: &types::Instance) -> InstanceState {
    match instance.state().and_then(types::InstanceState::name) {
        Some(InstanceStateName::Stopped | InstanceStateName::Stopping) if is_hibernated(instance) => {
            InstanceState::Hibernated
        }
        Some(InstanceStateName::Pending) => InstanceState::Pending,
        Some(InstanceStateName::Running) => InstanceState::Running,
        Some(InstanceStateName::ShuttingDown) => InstanceState::ShuttingDown,
        Some(InstanceStateName::Stopped) => InstanceState::Stopped,
        Some(InstanceStateName::Stopping) => InstanceState::Stopping,
        Some(InstanceStateName::Terminated) => InstanceState::Terminated,
        Some(other) => InstanceState::Unknown(word(other.as_str())),
        None => InstanceState::Unknown(UNSTATED.to_owned()),
    }
}

/// EC2 has no state for it: a hibernated instance is `stopped`, and only the reason tells.
fn is_hibernated(instance: &types::Instance) -> bool {
    let is_configured = instance.hibernation_options().and_then(types::HibernationOptions::configured);
    let reason = instance.state_reason().and_then(types::StateReason::code);
    is_configured == Some(true) && reason == Some(HIBERNATED)
}

/// EC2 API reference, `StateReason`: "Hibernation was initiated on the instance".
const HIBERNATED: &str = "Client.UserInitiatedHibernate";

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
