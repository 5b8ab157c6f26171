//! What a policy makes snapshots of: the targets, and what keeps one of them from a snapshot.

use crate::action::EXCLUDED_VOLUMES_MAX;
use crate::plan::{ours, tagging};
use crate::policy::{DefaultTargets, Policy, Tag, Targets};
use crate::world::{AttachedVolume, Instance, InstanceState, SourceId, Volume, VolumeId, VolumeState, World};
use jiff::Timestamp;
use std::fmt;

/// A volume, or an instance with its volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// All volumes of an instance at one instant.
    Instance(&'a Instance),
    /// One volume.
    Volume(&'a Volume),
}

impl Target<'_> {
    /// The volume's or the instance's id.
    #[must_use]
    pub fn id(self) -> SourceId {
        match self {
            Self::Instance(instance) => SourceId::Instance(instance.id),
            Self::Volume(volume) => SourceId::Volume(volume.id),
        }
    }
}

/// Why a target is passed over: no failure, there is nothing to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason<'a> {
    /// A default policy leaves it out: its type, one of its tags, or that it is a boot volume.
    Excluded(&'static str),
    /// EC2 makes no snapshots of an instance in this state.
    InstanceState(&'a InstanceState),
    /// EC2 makes no snapshot of a volume in this state.
    State(&'a VolumeState),
    /// A default policy leaves volumes alone in their first 24 hours.
    TooYoung {
        /// When it was made.
        created: Timestamp,
    },
}

/// Why a target cannot get its snapshot although it should: a failure of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailReason {
    /// The exclusions leave no volume of the instance (DLM counts that as a failed creation).
    NoVolumeLeft,
    /// More data volumes are excluded than a CreateSnapshots call can name.
    TooManyExclusions {
        /// How many.
        excluded: usize,
    },
}

impl fmt::Display for FailReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVolumeLeft => {
                f.write_str("the instance has no volume, or ExcludeBootVolume and ExcludeDataVolumeTags leave none")
            }
            Self::TooManyExclusions { excluded } => write!(
                f,
                "ExcludeDataVolumeTags leaves out {excluded} volumes of the instance, expected at most {EXCLUDED_VOLUMES_MAX}: EC2 takes no more in one call"
            ),
        }
    }
}

/// Every target of a policy, each once, by id.
pub(in crate::plan) fn all<'a>(policy: &Policy, world: &'a World) -> Vec<Target<'a>> {
    let mut targets: Vec<Target<'a>> = match &policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => world.volumes.iter().map(Target::Volume).collect(),
        Targets::Instances { .. } => world.instances.iter().map(Target::Instance).collect(),
    };
    ours::keep_last_by_key(&mut targets, |target| target.id());
    targets
}

/// What keeps a target from a snapshot without being a failure.
pub(in crate::plan) fn skip_reason<'a>(policy: &Policy, target: Target<'a>) -> Option<SkipReason<'a>> {
    match target {
        // EC2 refuses what it cannot do; a new kind of state is no reason to leave a resource without a backup.
        Target::Instance(instance) => match &instance.state {
            state @ (InstanceState::Hibernated
            | InstanceState::Pending
            | InstanceState::ShuttingDown
            | InstanceState::Terminated) => Some(SkipReason::InstanceState(state)),
            InstanceState::Running | InstanceState::Stopped | InstanceState::Stopping | InstanceState::Unknown(_) => {
                None
            }
        },
        Target::Volume(volume) => match &volume.state {
            state @ (VolumeState::Creating | VolumeState::Deleted | VolumeState::Deleting | VolumeState::Error) => {
                Some(SkipReason::State(state))
            }
            VolumeState::Available | VolumeState::InUse | VolumeState::Unknown(_) => match &policy.targets {
                Targets::AllVolumes(default) => excluded(default, volume).map(SkipReason::Excluded),
                Targets::Instances { .. } | Targets::Volumes { .. } => None,
            },
        },
    }
}

fn excluded(default: &DefaultTargets, volume: &Volume) -> Option<&'static str> {
    if default.exclude_boot_volumes && volume.is_boot {
        Some("ExcludeBootVolumes")
    } else if default.exclude_volume_types.contains(&volume.volume_type) {
        Some("ExcludeVolumeTypes")
    } else if has_any(&volume.tags, &default.exclude_tags) {
        Some("ExcludeTags")
    } else {
        None
    }
}

/// Why the volumes of an instance cannot be backed up as the policy wants.
pub(in crate::plan) fn fail_reason(policy: &Policy, target: Target<'_>) -> Option<FailReason> {
    let Target::Instance(instance) = target else { return None };
    let excluded = excluded_data_volumes(policy, instance).len();
    if included_volumes(policy, instance).is_empty() {
        Some(FailReason::NoVolumeLeft)
    } else if excluded > EXCLUDED_VOLUMES_MAX {
        Some(FailReason::TooManyExclusions { excluded })
    } else {
        None
    }
}

/// The data volumes that `ExcludeDataVolumeTags` leaves out, by id. It never means the root volume (DLM has
/// `ExcludeBootVolume` for that, and EC2 refuses to be told of it twice).
pub(in crate::plan) fn excluded_data_volumes(policy: &Policy, instance: &Instance) -> Vec<VolumeId> {
    let Targets::Instances { exclude_data_volume_tags, .. } = &policy.targets else { return Vec::new() };
    let is_excluded = |volume: &&AttachedVolume| !volume.is_root && has_any(&volume.tags, exclude_data_volume_tags);
    let mut excluded: Vec<VolumeId> = instance.volumes.iter().filter(is_excluded).map(|volume| volume.id).collect();
    excluded.sort();
    excluded
}

/// The volumes of an instance that get a snapshot.
pub(in crate::plan) fn included_volumes<'a>(policy: &Policy, instance: &'a Instance) -> Vec<&'a AttachedVolume> {
    let excluded = excluded_data_volumes(policy, instance);
    let without_boot = excludes_boot_volume(policy);
    let is_included = |volume: &&AttachedVolume| !(excluded.contains(&volume.id) || volume.is_root && without_boot);
    instance.volumes.iter().filter(is_included).collect()
}

/// Whether the policy leaves out root volumes of instances.
pub(in crate::plan) fn excludes_boot_volume(policy: &Policy) -> bool {
    matches!(policy.targets, Targets::Instances { exclude_boot_volume: true, .. })
}

/// Whether EC2 can copy the tags of each included volume: all of them fit beside `given`, and none would pass for
/// opendlm's own. EC2 copies all or nothing, so one volume decides for the set.
pub(in crate::plan) fn can_copy_tags(policy: &Policy, instance: &Instance, given: &[Tag]) -> bool {
    let is_given = |key: &str| given.iter().any(|tag| tag.key == key);
    included_volumes(policy, instance).iter().all(|volume| {
        let user_tags = volume.tags.iter().filter(|tag| !tag.key.starts_with("aws:"));
        let is_copyable = user_tags.clone().all(|tag| tagging::is_copyable(&tag.key));
        let more = user_tags.filter(|tag| !is_given(&tag.key)).count();
        is_copyable && given.len() + more <= tagging::TAGS_MAX
    })
}

fn has_any(tags: &[Tag], wanted: &[Tag]) -> bool {
    wanted.iter().any(|tag| tags.contains(tag))
}
