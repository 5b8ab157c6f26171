//! Observing the account: the only room that reads EC2's types.
//!
//! Promise: each volume or instance that the policy targets and each snapshot that carries the policy's tag and
//! description comes back once, or [`World::coverage`] says why not. A volume or instance that our snapshots were made
//! of is missing from the [`World`] only when EC2 was asked for its id as well and did not show it. That proves nothing: what
//! is to be deleted because of it waits for [`Account::look_for_sources`].

mod backups;
pub(super) mod by_id;
mod closer;
mod copies;
mod filters;
mod instances;
mod labels;
#[cfg(feature = "cli")]
mod measured;
mod paging;
#[cfg(feature = "mocks")]
mod replay;
pub(super) mod snapshots;
mod sources;
mod strangers;
mod volumes;

pub use backups::MadeOf;
pub use labels::Label;
#[cfg(feature = "mocks")]
pub use replay::{Transcript, replay};

use super::{Account, ObserveError};
use crate::policy::decode::shown;
use crate::policy::{Policy, Targets};
use crate::world::{Closer, Coverage, CutShort, Instance, Snapshot, SnapshotId, Volume, World};
use aws_sdk_ec2::types;
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use paging::Listing;
use std::collections::{BTreeMap, BTreeSet};
use volumes::{DefaultFacts, ReadVolume};

/// What EC2 listed of an account: the greater part of a [`World`].
#[derive(Debug)]
pub struct Listed {
    targeted: Targeted,
    snapshots: Listing<SnapshotId, Snapshot>,
}

/// What the policy targets, as far as it was seen.
#[derive(Debug, Default)]
struct Targeted {
    volumes: Vec<Volume>,
    instances: Vec<Instance>,
    /// What a default policy asks about the volumes besides.
    facts: DefaultFacts,
    cut_short: Option<CutShort>,
}

impl Account {
    /// What EC2 shows of the policy's volumes or instances and of its snapshots now.
    ///
    /// # Errors
    /// When a listing fails, by the names of the state machine.
    pub async fn observe(&self, policy: &Policy) -> Result<World, ObserveError> {
        self.observe_with(policy, &BTreeSet::new()).await
    }

    /// The same. The snapshots `begun` are asked for by their ids where the listing does not show them: it may lag, reads by
    /// id do not.
    ///
    /// # Errors
    /// When a listing fails, by the names of the state machine.
    pub async fn observe_with(&self, policy: &Policy, begun: &BTreeSet<SnapshotId>) -> Result<World, ObserveError> {
        let listed = self.list(policy).await?;
        self.complete(policy, listed, begun).await
    }

    /// What EC2 lists of the policy's volumes or instances and of its snapshots now: most of an observation, and all of it that takes
    /// long.
    ///
    /// # Errors
    /// As [`Self::observe`].
    pub async fn list(&self, policy: &Policy) -> Result<Listed, ObserveError> {
        // Boxed, because a future holds those that it awaits: so deep a nest of them the compiler refuses to lay out.
        let targets = Box::pin(self.list_targets(policy));
        let snapshots = Box::pin(self.list_snapshots(&policy.id));
        let (targeted, snapshots) = tokio::try_join!(targets, snapshots)?;
        Ok(Listed { targeted, snapshots })
    }

    /// Completes what was listed: with the snapshots `begun`, by their ids, and with what is no target any more.
    ///
    /// # Errors
    /// As [`Self::observe`].
    pub async fn complete(
        &self,
        policy: &Policy,
        listed: Listed,
        begun: &BTreeSet<SnapshotId>,
    ) -> Result<World, ObserveError> {
        let Listed { mut targeted, mut snapshots } = listed;
        let by_id = Box::pin(self.add_by_id(begun, &mut snapshots)).await?;
        let untargeted = Box::pin(self.find_untargeted(policy, &mut targeted, &snapshots.items)).await?;
        // The first reason weighs most: a doubt about the snapshots' owners is one about all that was seen.
        let cut_short = snapshots.cut_short.or(targeted.cut_short).or(untargeted.cut_short);
        Ok(World {
            volumes: targeted.volumes,
            instances: targeted.instances,
            untargeted: untargeted.ids,
            snapshots: snapshots.items,
            by_id,
            closer: Closer::default(),
            coverage: cut_short.map_or(Coverage::Complete, Coverage::Partial),
            home: None,
            regions: BTreeMap::new(),
        })
    }

    async fn list_targets(&self, policy: &Policy) -> Result<Targeted, ObserveError> {
        let read_volume = volume_reading(policy);
        Ok(match &policy.targets {
            Targets::AllVolumes(default) => {
                let (volumes, facts) = self.list_default_volumes(default, read_volume).await?;
                Targeted { volumes: volumes.items, facts, cut_short: volumes.cut_short, ..Targeted::default() }
            }
            Targets::Instances { any_of, .. } => {
                let instances = self.list_instances(any_of, needs_volume_tags(policy)).await?;
                Targeted { instances: instances.items, cut_short: instances.cut_short, ..Targeted::default() }
            }
            Targets::Volumes { any_of } => {
                let volumes = self.list_volumes(any_of, read_volume).await?;
                Targeted { volumes: volumes.items, cut_short: volumes.cut_short, ..Targeted::default() }
            }
        })
    }
}

/// Whether anything is decided by the tags of volumes: to copy them, or to leave volumes out.
fn needs_volume_tags(policy: &Policy) -> bool {
    let leaves_out = match &policy.targets {
        Targets::AllVolumes(default) => !default.exclude_tags.is_empty(),
        Targets::Instances { exclude_data_volume_tags, .. } => !exclude_data_volume_tags.is_empty(),
        Targets::Volumes { .. } => false,
    };
    leaves_out || policy.schedules.iter().any(|schedule| schedule.copy_tags)
}

/// Tags that nobody asks for would be most of the memory that a large account takes.
fn volume_reading(policy: &Policy) -> ReadVolume {
    if needs_volume_tags(policy) { volumes::read_with_tags } else { volumes::read_without_tags }
}

fn read_time(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

/// The key and value of each tag that has a key.
fn pairs(tags: &[types::Tag]) -> impl Iterator<Item = (&str, &str)> {
    tags.iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())))
}

/// A word of EC2's that this version does not know, as a reason quotes it.
fn word(text: &str) -> String {
    shown(text, WORD_CHARACTERS_MAX)
}

/// EC2's longest state, `shutting-down`, has 13 characters.
const WORD_CHARACTERS_MAX: usize = 40;

/// What stands for a word that EC2 did not say.
const UNSTATED: &str = "unstated";

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
