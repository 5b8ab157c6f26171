//! Listing volumes: those with a target tag, all of them, or those of given ids.

use super::filters::{carries, id_filters, target_filters};
use super::paging::{Listing, PAGE_ITEMS_MAX, Pages};
use super::{UNSTATED, pairs, read_time, word};
use crate::aws::{Account, ObserveError, failure};
use crate::pace::Api;
use crate::policy::{DefaultTargets, Tag};
use crate::world::{Volume, VolumeId, VolumeState};
use aws_sdk_ec2::operation::describe_volumes::builders::DescribeVolumesFluentBuilder;
use aws_sdk_ec2::types;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How much of a volume is read; `None` where it cannot be told apart.
pub(super) type ReadVolume = fn(&types::Volume) -> Option<Volume>;

pub(super) type Volumes = Listing<VolumeId, Volume>;

/// What a default policy asks about volumes, from listings of other things.
#[derive(Debug, Default)]
pub(super) struct DefaultFacts {
    boot: BTreeSet<VolumeId>,
    newest: BTreeMap<VolumeId, Timestamp>,
}

impl DefaultFacts {
    pub(super) fn add_to(&self, volume: &mut Volume) {
        volume.is_boot = self.boot.contains(&volume.id);
        volume.last_snapshot = self.newest.get(&volume.id).copied();
    }
}

impl Account {
    /// The volumes that carry at least one of `any_of`.
    pub(super) async fn list_volumes(&self, any_of: &[Tag], read: ReadVolume) -> Result<Volumes, ObserveError> {
        let calls = target_filters(any_of).into_iter().map(|filter| self.client.describe_volumes().filters(filter));
        self.volumes_of(calls, read, |volume| carries(volume.tags(), any_of)).await
    }

    /// Every volume, with what a default policy asks about it. Without a filter: a page size is enough for EC2's larger
    /// bucket.
    pub(super) async fn list_default_volumes(
        &self,
        default: &DefaultTargets,
        read: ReadVolume,
    ) -> Result<(Volumes, DefaultFacts), ObserveError> {
        let every = [self.client.describe_volumes()].into_iter();
        let boot =
            async { if default.exclude_boot_volumes { self.list_boot_volumes().await } else { Ok(<_>::default()) } };
        let (mut volumes, (boot, boot_cut), (newest, newest_cut)) =
            tokio::try_join!(self.volumes_of(every, read, |_| true), boot, self.list_newest_snapshots())?;
        let facts = DefaultFacts { boot, newest };
        volumes.items.iter_mut().for_each(|volume| facts.add_to(volume));
        volumes.cut(newest_cut);
        volumes.cut(boot_cut);
        Ok((volumes, facts))
    }

    /// The volumes whose attribute `filter_name` is one of `ids`.
    pub(super) async fn find_volumes(
        &self,
        filter_name: &str,
        ids: &[impl ToString],
        read: ReadVolume,
    ) -> Result<Volumes, ObserveError> {
        self.find_volumes_noting(filter_name, ids, read, |_| {}).await
    }

    /// The same; `note` hears of each volume as EC2 shows it.
    pub(super) async fn find_volumes_noting(
        &self,
        filter_name: &str,
        ids: &[impl ToString],
        read: ReadVolume,
        note: impl Fn(&types::Volume),
    ) -> Result<Volumes, ObserveError> {
        let (filters, cut_short) = id_filters(filter_name, ids);
        // What an account setting hides from its people is there all the same.
        let calls = filters
            .into_iter()
            .map(|filter| self.client.describe_volumes().include_managed_resources(true).filters(filter));
        let is_wanted = |volume: &types::Volume| {
            note(volume);
            true
        };
        let mut volumes = self.volumes_of(calls, read, is_wanted).await?;
        volumes.cut(cut_short);
        Ok(volumes)
    }

    /// What several calls find, all of it once. The calls run at the same time, as many as their lane lets through.
    async fn volumes_of(
        &self,
        calls: impl Iterator<Item = DescribeVolumesFluentBuilder>,
        read: ReadVolume,
        is_wanted: impl Fn(&types::Volume) -> bool,
    ) -> Result<Volumes, ObserveError> {
        let is_wanted = &is_wanted;
        let mut all = Listing::default();
        for listing in try_join_all(calls.map(|call| self.volumes_of_call(call, read, is_wanted))).await? {
            all.absorb(listing, |volume| &volume.id);
        }
        Ok(all)
    }

    async fn volumes_of_call(
        &self,
        call: DescribeVolumesFluentBuilder,
        read: ReadVolume,
        is_wanted: &impl Fn(&types::Volume) -> bool,
    ) -> Result<Volumes, ObserveError> {
        let mut listing = Listing::default();
        let mut pages = Pages::default();
        // Bounded by PAGES_MAX.
        while let Some(token) = pages.next() {
            let _permit = self.lanes.of(Api::DescribeVolumes).admit().await;
            let page = call.clone().max_results(PAGE_ITEMS_MAX).set_next_token(token).send().await;
            let page = page.map_err(|error| ObserveError::of("DescribeVolumes", failure::of(&error)))?;
            for volume in page.volumes() {
                let read = read(volume);
                // What cannot be told apart was found by the filter: who knows that it is not wanted?
                if read.is_none() || is_wanted(volume) {
                    listing.add(read, |volume| &volume.id);
                }
            }
            pages.turn(page.next_token(), page.volumes().len());
        }
        listing.cut(pages.cut_short);
        Ok(listing)
    }
}

/// A volume with its tags. Those of AWS (`aws:`) are among them: a policy may leave volumes out by such a tag.
pub(super) fn read_with_tags(volume: &types::Volume) -> Option<Volume> {
    let tag = |(key, value): (&str, &str)| Tag { key: key.to_owned(), value: value.to_owned() };
    Some(Volume { tags: pairs(volume.tags()).map(tag).collect(), ..read_without_tags(volume)? })
}

pub(super) fn read_without_tags(volume: &types::Volume) -> Option<Volume> {
    Some(Volume {
        id: VolumeId::parse(volume.volume_id()?)?,
        state: volume_state(volume.state()),
        created: volume.create_time().and_then(read_time),
        tags: Vec::new(),
        volume_type: volume.volume_type().map_or(UNSTATED, types::VolumeType::as_str).to_owned(),
        is_boot: false,
        last_snapshot: None,
    })
}

pub(super) fn volume_state(state: Option<&types::VolumeState>) -> VolumeState {
    match state {
        Some(types::VolumeState::Available) => VolumeState::Available,
        Some(types::VolumeState::Creating) => VolumeState::Creating,
        Some(types::VolumeState::Deleted) => VolumeState::Deleted,
        Some(types::VolumeState::Deleting) => VolumeState::Deleting,
        Some(types::VolumeState::Error) => VolumeState::Error,
        Some(types::VolumeState::InUse) => VolumeState::InUse,
        Some(other) => VolumeState::Unknown(word(other.as_str())),
        None => VolumeState::Unknown(UNSTATED.to_owned()),
    }
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
