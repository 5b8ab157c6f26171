//! What was observed in EC2: volumes and snapshots, as plain values with typed ids.

mod id;

use crate::place::Region;
use crate::policy::Tag;
use crate::tags::SharedMarks;
pub use id::{ImageId, InstanceId, SnapshotId, SourceId, VolumeId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Everything that one turn saw of the account, in the order in which EC2 told it: planning must not depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct World {
    /// The volumes that the policy targets, each once.
    pub volumes: Vec<Volume>,
    /// The instances that the policy targets, each once.
    pub instances: Vec<Instance>,
    /// Volumes and instances that exist without being targeted, among those that our snapshots were made of. What is
    /// neither here nor targeted was not seen, which proves nothing: see [`Closer::gone`].
    pub untargeted: BTreeSet<SourceId>,
    /// The snapshots that carry the policy's tag, each once, whoever made them, and those of [`World::by_id`].
    pub snapshots: Vec<Snapshot>,
    /// What was asked for by id.
    pub by_id: ById,
    /// What was asked for because something is to be deleted.
    pub closer: Closer,
    /// Whether all that was asked for was seen.
    pub coverage: Coverage,
    /// The Region that all of this is in; `None` where nobody looks at other Regions.
    pub home: Option<Region>,
    /// What was seen of the Regions that copies go to.
    pub regions: BTreeMap<Region, View>,
}

/// What one turn saw of another Region: the snapshots there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// Those that carry the policy's tag, each once, whoever made them, and those of [`View::by_id`].
    pub snapshots: Vec<Snapshot>,
    /// What was asked for by id.
    pub by_id: ById,
    /// Whether all that was asked for was seen.
    pub coverage: Coverage,
    /// Why nothing could be asked.
    pub unseen: Option<Unseen>,
}

/// Why a Region could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// EC2's error code, or ours.
    pub code: String,
    /// What EC2 says.
    pub message: String,
    /// Whether the role may not look there, so that no later look fares better.
    pub is_denied: bool,
}

impl Unseen {
    /// Why a Region was not looked at in a run's first turn: what is due at home comes before everything else.
    #[must_use]
    pub fn not_yet() -> Self {
        Self {
            code: "NotYet".to_owned(),
            message: "the first turn looks at the home Region only".to_owned(),
            is_denied: false,
        }
    }

    /// Whether the next turn looks there.
    #[must_use]
    pub fn is_not_yet(&self) -> bool {
        *self == Self::not_yet()
    }
}

impl View {
    /// Whether a snapshot that is not in it may be there all the same.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.unseen.is_some() || self.coverage != Coverage::Complete
    }
}

impl World {
    /// Leaves out snapshots that EC2 deleted while it was looked at: a page that was read before shows them still.
    pub fn leave_out(&mut self, deleted: &BTreeSet<SnapshotId>) {
        self.snapshots.retain(|snapshot| !deleted.contains(&snapshot.id));
        self.by_id.shown.retain(|id| !deleted.contains(id));
    }
}

/// What EC2 says of the snapshots that were asked for by their ids, because its listing did not show them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ById {
    /// Those that it shows. They are among [`World::snapshots`].
    pub shown: BTreeSet<SnapshotId>,
    /// Those that it says do not exist.
    pub not_found: BTreeSet<SnapshotId>,
}

/// What EC2 says when it is asked more closely, because something is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closer {
    /// Volumes and instances that are surely gone: EC2 answered that their id is not found, or showed them on their way
    /// out.
    pub gone: BTreeSet<SourceId>,
    /// Whether the account's AMIs were asked for, with an answer or without: a role may lack the right.
    pub images_asked: bool,
    /// The snapshots that AMIs use, disabled ones among them, each with one AMI: EC2 does not delete those.
    pub used_by: BTreeMap<SnapshotId, ImageId>,
}

/// What a plan wants to know before anything is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asks {
    /// Volumes and instances that were not seen, and of which something goes if they are gone. Of an instance that is gone also the
    /// volumes whose last snapshot would go.
    pub sources: BTreeSet<SourceId>,
    /// Whether something is to go that an AMI may use.
    pub images: bool,
}

impl Asks {
    /// Whether nothing is to be asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty() && !self.images
    }
}

/// Whether an observation saw everything. When in doubt keep: from a partial one nothing is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coverage {
    /// Every page was read.
    #[default]
    Complete,
    /// It was cut short, for this reason.
    Partial(CutShort),
}

/// Why an observation did not see everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutShort {
    /// The answer mixed owners although only our own snapshots were asked for, so its filters cannot be trusted.
    MixedOwners,
    /// There were more pages than the bound allows, or they led round in a circle.
    TooManyPages,
    /// Something came back without an id or a time that can be read.
    Unreadable,
}

/// An EBS volume that the policy targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// `vol-...`.
    pub id: VolumeId,
    /// Where the volume is in its life.
    pub state: VolumeState,
    /// When the volume was made; `None` when EC2 did not say.
    pub created: Option<Timestamp>,
    /// Its user tags.
    pub tags: Vec<Tag>,
    /// Its type, such as `gp3`.
    pub volume_type: String,
    /// Whether it is the root volume of an instance. Observed only where a default policy excludes those.
    pub is_boot: bool,
    /// When its newest snapshot by any means began, failed ones aside. Observed only for default policies.
    pub last_snapshot: Option<Timestamp>,
}

/// An instance that the policy targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// `i-...`.
    pub id: InstanceId,
    /// Where the instance is in its life.
    pub state: InstanceState,
    /// The volumes that are attached to it.
    pub volumes: Vec<AttachedVolume>,
}

/// A volume as part of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedVolume {
    /// `vol-...`.
    pub id: VolumeId,
    /// Whether the instance boots from it.
    pub is_root: bool,
    /// Its user tags.
    pub tags: Vec<Tag>,
}

/// Where an instance is in its life (EC2: `InstanceStateName`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceState {
    /// Stopped with its memory on disk: EC2 makes no multi-volume snapshots of it.
    Hibernated,
    /// Being made.
    Pending,
    /// At work.
    Running,
    /// On its way to `terminated`.
    ShuttingDown,
    /// Not running; its volumes stand still.
    Stopped,
    /// On its way to `stopped`.
    Stopping,
    /// Gone.
    Terminated,
    /// A state that this version does not know.
    Unknown(String),
}

/// Where a volume is in its life (EC2: `VolumeState`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeState {
    /// Not attached; its content stands still.
    Available,
    /// Being made.
    Creating,
    /// Gone.
    Deleted,
    /// Going.
    Deleting,
    /// Its hardware failed.
    Error,
    /// Attached to an instance.
    InUse,
    /// A state that this version does not know.
    Unknown(String),
}

/// An EBS snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// `snap-...`.
    pub id: SnapshotId,
    /// The volume that it was made of; on copies one that does not exist.
    pub volume_id: VolumeId,
    /// The immutable text that was given when it was made. Shared, because a policy writes the same one everywhere.
    pub description: Arc<str>,
    /// Whether its data is complete.
    pub state: SnapshotState,
    /// What EC2 says about its state; as a rule nothing. On one that failed it is the cause.
    pub state_message: Option<Arc<str>>,
    /// When EC2 began it: the point in time of its content.
    pub start_time: Timestamp,
    /// When it was complete, where EC2 says so.
    pub completed_at: Option<Timestamp>,
    /// How it came to be.
    pub origin: Origin,
    /// What opendlm's tags say.
    pub marks: SharedMarks,
    /// Where its data is.
    pub tier: Tier,
    /// The size of all blocks in it, in bytes: what it would cost at most. EC2 does not tell what it adds to others.
    pub full_size_bytes: u64,
}

impl Snapshot {
    /// Whether it can be restored at once: complete, in the standard tier. EC2 copies nothing else, and nothing else counts as a backup.
    #[must_use]
    pub fn is_restorable(&self) -> bool {
        self.state == SnapshotState::Completed && self.tier == Tier::Standard
    }
}

/// Where the data of a snapshot is (EC2: `StorageTier`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// In the archive tier: somebody put it there by hand, and what is there is not ours to manage.
    Archive,
    /// In the archive tier, with a copy of it in the standard tier for some days (EC2: `restoreExpiryTime`). Deleting the one
    /// deletes the other.
    Restored {
        /// When EC2 archives it again.
        until: Timestamp,
    },
    /// In the standard tier.
    Standard,
}

/// Whether the data of a snapshot is complete (EC2: `SnapshotState`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotState {
    /// All data is in the snapshot: it can be restored.
    Completed,
    /// It failed and holds nothing that can be restored.
    Error,
    /// Data is still being copied. EC2's `progress` does not tell how much: it is 99 % from the first second to the end
    /// (shared/wire/describe-snapshots/12).
    Pending,
    /// A state that this version does not know, or one of the Recycle Bin's (`recoverable`, `recovering`).
    Unknown(String),
}

/// How a snapshot came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Not from a volume, but by CopySnapshot, an import or EBS direct: never ours in the home Region.
    Copied,
    /// From a volume.
    Created,
}

impl fmt::Display for VolumeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Available => "available",
            Self::Creating => "creating",
            Self::Deleted => "deleted",
            Self::Deleting => "deleting",
            Self::Error => "error",
            Self::InUse => "in-use",
            Self::Unknown(state) => state,
        })
    }
}

impl fmt::Display for InstanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hibernated => "hibernated",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Stopped => "stopped",
            Self::Stopping => "stopping",
            Self::Terminated => "terminated",
            Self::Unknown(state) => state,
        })
    }
}

impl fmt::Display for SnapshotState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => f.write_str("completed"),
            Self::Error => f.write_str("error"),
            Self::Pending => f.write_str("pending"),
            Self::Unknown(state) => f.write_str(state),
        }
    }
}

impl fmt::Display for CutShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MixedOwners => {
                "the endpoint returned snapshots of several owners although only our own were asked for"
            }
            Self::TooManyPages => "there were more pages than opendlm reads in one turn",
            Self::Unreadable => "the endpoint returned a volume or a snapshot without a readable id or start time",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::snapshot;

    #[test]
    fn what_ec2_deleted_meanwhile_is_left_out_however_it_was_seen() {
        let [listed, by_id, kept] = [1, 2, 3].map(|number| snapshot(number, number, "2026-11-21T17:00:00Z"));
        let mut world = World { snapshots: vec![listed.clone(), by_id.clone(), kept.clone()], ..World::default() };
        world.by_id.shown.insert(by_id.id);
        world.leave_out(&[listed.id, by_id.id].into());
        assert_eq!(world, World { snapshots: vec![kept], ..World::default() });
    }
}
