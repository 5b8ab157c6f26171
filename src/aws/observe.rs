//! Observing the account: the only room that reads EC2's types.
//!
//! Promise: each volume or instance that the policy targets and each snapshot that carries the policy's tag and
//! description comes back once, or [`World::coverage`] says why not. A volume or instance that our snapshots were made
//! of is missing from the [`World`] only when EC2 was asked for it by its id and did not show it.

mod filters;
mod instances;
mod paging;
#[cfg(feature = "mocks")]
mod replay;
mod snapshots;
mod sources;
mod volumes;

#[cfg(feature = "mocks")]
pub use replay::{Transcript, replay};

use super::{Account, ObserveError};
use crate::policy::decode::shown;
use crate::policy::{Policy, PolicyId, Targets};
use crate::world::{Coverage, CutShort, Excerpt, Instance, Sweep, Volume, World};
use aws_sdk_ec2::types;
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use volumes::ReadVolume;

/// What the policy targets, as far as it was seen.
#[derive(Debug, Default)]
struct Targeted {
    volumes: Vec<Volume>,
    instances: Vec<Instance>,
    cut_short: Option<CutShort>,
}

impl Account {
    /// What EC2 shows of the policy's volumes or instances and of its snapshots now.
    ///
    /// # Errors
    /// When a listing fails, by the names of the state machine.
    pub async fn observe(&self, policy: &Policy) -> Result<World, ObserveError> {
        self.observe_by(policy, &Sweep::default()).await
    }

    /// The same, as `sweep` says.
    ///
    /// # Errors
    /// When a listing fails, by the names of the state machine.
    pub async fn observe_by(&self, policy: &Policy, sweep: &Sweep) -> Result<World, ObserveError> {
        // Boxed, because a future holds those that it awaits: so deep a nest of them the compiler refuses to lay out.
        let targets = Box::pin(self.list_targets(policy, sweep));
        let snapshots = Box::pin(self.list_snapshots(&policy.id, sweep));
        let (targeted, snapshots) = tokio::try_join!(targets, snapshots)?;
        let untargeted = Box::pin(self.find_untargeted(policy, &targeted, &snapshots.items)).await?;
        // The first reason weighs most: a doubt about the snapshots' owners is one about all that was seen.
        let cut_short = snapshots.cut_short.or(targeted.cut_short).or(untargeted.cut_short);
        Ok(World {
            volumes: targeted.volumes,
            instances: targeted.instances,
            untargeted: untargeted.ids,
            snapshots: snapshots.items,
            excerpt: None,
            coverage: cut_short.map_or(Coverage::Complete, Coverage::Partial),
        })
    }

    /// Adds all snapshots of the volumes that `excerpt` names to what a look at some of them has brought.
    ///
    /// # Errors
    /// When a listing fails, by the names of the state machine.
    pub async fn look_in_full(
        &self,
        policy: &PolicyId,
        excerpt: Excerpt,
        world: &mut World,
    ) -> Result<(), ObserveError> {
        let in_full = self.list_snapshots_of(policy, &excerpt.in_full).await?;
        world.look_in_full(excerpt, in_full.items);
        if let (Some(cut_short), Coverage::Complete) = (in_full.cut_short, world.coverage) {
            world.coverage = Coverage::Partial(cut_short);
        }
        Ok(())
    }

    async fn list_targets(&self, policy: &Policy, sweep: &Sweep) -> Result<Targeted, ObserveError> {
        let read_volume = volume_reading(policy);
        Ok(match &policy.targets {
            Targets::AllVolumes(default) => {
                let volumes = self.list_default_volumes(default, read_volume).await?;
                Targeted { volumes: volumes.items, cut_short: volumes.cut_short, ..Targeted::default() }
            }
            Targets::Instances { any_of, .. } => {
                let instances = self.list_instances(any_of, needs_volume_tags(policy)).await?;
                Targeted { instances: instances.items, cut_short: instances.cut_short, ..Targeted::default() }
            }
            Targets::Volumes { any_of } => {
                let volumes = self.list_volumes(any_of, sweep.volumes_in_parts, read_volume).await?;
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
