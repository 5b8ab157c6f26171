//! What is done to EC2, one call an action, and what came of it.
//!
//! An action names everything: the shell that carries it out makes no choice.

pub mod last_look;

use crate::pace::Api;
use crate::place::Region;
use crate::policy::{KeyArn, PolicyId, ScheduleName, Tag};
use crate::world::{InstanceId, Snapshot, SnapshotId, SnapshotState, VolumeId};
use jiff::Timestamp;
use last_look::Change;

/// One EC2 call that changes the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Copy a snapshot to another Region.
    CopySnapshot(CopySnapshot),
    /// Make a snapshot of a volume.
    CreateSnapshot(CreateSnapshot),
    /// Make snapshots of the volumes of an instance at one instant.
    CreateSnapshots(CreateSnapshots),
    /// Delete a snapshot of ours.
    DeleteSnapshot(DeleteSnapshot),
}

impl Action {
    /// The EC2 call that it is.
    #[must_use]
    pub const fn api(&self) -> Api {
        match self {
            Self::CopySnapshot(_) => Api::CopySnapshot,
            Self::CreateSnapshot(_) => Api::CreateSnapshot,
            Self::CreateSnapshots(_) => Api::CreateSnapshots,
            Self::DeleteSnapshot(_) => Api::DeleteSnapshot,
        }
    }

    /// Whether it deletes a failed member of a multi-volume set.
    #[must_use]
    pub fn deletes_failed_member(&self) -> bool {
        match self {
            Self::DeleteSnapshot(DeleteSnapshot { snapshot, .. }) => {
                snapshot.state == SnapshotState::Error && snapshot.marks.instance_id.value().is_some()
            }
            Self::CopySnapshot(_) | Self::CreateSnapshot(_) | Self::CreateSnapshots(_) => false,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn about(&self) -> About<'_> {
        match self {
            Self::CopySnapshot(copy) => About::of_snapshot(&copy.source),
            Self::CreateSnapshot(create) => About {
                volume: Some(create.volume_id),
                schedule: Some(&create.schedule),
                scheduled_time: Some(create.scheduled_time),
                ..About::default()
            },
            Self::CreateSnapshots(create) => About {
                instance: Some(create.instance_id),
                schedule: Some(&create.schedule),
                scheduled_time: Some(create.scheduled_time),
                ..About::default()
            },
            Self::DeleteSnapshot(DeleteSnapshot { snapshot, .. }) => About::of_snapshot(snapshot),
        }
    }

    /// Whether it makes snapshots.
    #[must_use]
    pub fn is_creation(&self) -> bool {
        self.api().makes()
    }

    /// The Region that it is done in, where that is not the home Region.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        match self {
            Self::CopySnapshot(copy) => Some(&copy.region),
            Self::DeleteSnapshot(delete) => delete.of_copy.as_ref().map(|(_, region)| region),
            Self::CreateSnapshot(_) | Self::CreateSnapshots(_) => None,
        }
    }

    /// What was left out of the tags of what it makes, to be told.
    #[must_use]
    pub fn tags_left_out(&self) -> &[String] {
        match self {
            Self::CreateSnapshot(create) => &create.tags_left_out,
            Self::CreateSnapshots(create) => &create.tags_left_out,
            Self::CopySnapshot(copy) => &copy.tags_left_out,
            Self::DeleteSnapshot(_) => &[],
        }
    }
}

/// What an action is about, for those who tell of it; nothing where there is nothing to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct About<'a> {
    /// The volume.
    pub volume: Option<VolumeId>,
    /// The instance whose volumes they are.
    pub instance: Option<InstanceId>,
    /// The snapshot that is to be deleted or copied.
    pub snapshot: Option<SnapshotId>,
    /// The schedule that asks for it, or that it was made for.
    pub schedule: Option<&'a ScheduleName>,
    /// The scheduled time that it answers.
    pub scheduled_time: Option<Timestamp>,
}

impl<'a> About<'a> {
    fn of_snapshot(snapshot: &'a Snapshot) -> Self {
        let marks = &snapshot.marks;
        // EC2 shows no volume of a copy.
        let volume = marks.volume_id.value().copied().unwrap_or(snapshot.volume_id);
        Self {
            volume: Some(volume),
            instance: marks.instance_id.value().copied(),
            snapshot: Some(snapshot.id),
            schedule: marks.schedule_name.value(),
            scheduled_time: marks.scheduled_time.value().copied(),
        }
    }
}

/// A CopySnapshot call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySnapshot {
    /// The policy that the snapshot was made for.
    pub policy_id: PolicyId,
    /// Where the copy goes, which is where the call is made.
    pub region: Region,
    /// Where the snapshot is.
    pub home: Region,
    /// The snapshot as it was observed: what apply checks once more just before the call.
    pub source: Snapshot,
    /// The description to write.
    pub description: String,
    /// All tags of opendlm, in the call itself.
    pub tags: Vec<Tag>,
    /// Whether the copy gets the user tags that the snapshot has at the time of the call, as far as there is room.
    pub copies_tags: bool,
    /// Whether it is encrypted where the snapshot is not.
    pub encrypted: bool,
    /// Under which key; `None` is the default key of the Region.
    pub key: Option<KeyArn>,
    /// The keys of tags for which there was no room, to be told.
    pub tags_left_out: Vec<String>,
}

/// A CreateSnapshot call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSnapshot {
    /// The volume to make a snapshot of.
    pub volume_id: VolumeId,
    /// The schedule that asks for it.
    pub schedule: ScheduleName,
    /// The scheduled time that it answers.
    pub scheduled_time: Timestamp,
    /// The description to write.
    pub description: String,
    /// All tags of the snapshot, in the call itself.
    pub tags: Vec<Tag>,
    /// The keys of tags for which there was no room, to be told.
    pub tags_left_out: Vec<String>,
}

/// A CreateSnapshots call: one crash-consistent set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSnapshots {
    /// The instance to make snapshots of.
    pub instance_id: InstanceId,
    /// Whether its root volume is left out.
    pub exclude_boot_volume: bool,
    /// The data volumes that are left out, at most [`EXCLUDED_VOLUMES_MAX`].
    pub exclude_data_volume_ids: Vec<VolumeId>,
    /// Whether EC2 copies the user tags of each volume to its snapshot.
    pub copy_tags_from_source: bool,
    /// The schedule that asks for it.
    pub schedule: ScheduleName,
    /// The scheduled time that it answers.
    pub scheduled_time: Timestamp,
    /// The description to write on each snapshot.
    pub description: String,
    /// All tags of each snapshot, in the call itself.
    pub tags: Vec<Tag>,
    /// What was left out of the tags, to be told.
    pub tags_left_out: Vec<String>,
}

/// How many data volumes a CreateSnapshots call can leave out (EC2 API reference: `ExcludeDataVolumeId`, up to 40).
pub const EXCLUDED_VOLUMES_MAX: usize = 40;

/// A DeleteSnapshot call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteSnapshot {
    /// The policy that the snapshot was made for.
    pub policy_id: PolicyId,
    /// The snapshot as it was observed: what apply checks once more just before the call.
    pub snapshot: Snapshot,
    /// Where it was copied from and where it is, if it is a copy.
    pub of_copy: Option<(Region, Region)>,
    /// The snapshots that must be left beside it when it goes, as they were observed: complete and unchanged, as its last look shows.
    pub rests_on: Vec<Snapshot>,
}

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The snapshot was to be deleted, and the last look kept it: no call was made.
    Changed(Change),
    /// EC2 began the snapshots: one, or those of a set.
    Created(Vec<SnapshotId>),
    /// EC2 deleted the snapshot, or it was gone already.
    Deleted,
    /// EC2 refused, or it is unclear what it did.
    Failed(Failed),
    /// The turn's time was over before the call began.
    NotStarted,
}

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What the failure means for the next turn.
    pub kind: FailedKind,
    /// EC2's error code, or ours: `Timeout`, `NoConnection`, `NotSent`, `NoCredentials`, `BadAnswer`, `NotOurs`.
    pub code: String,
    /// EC2's message.
    pub message: String,
}

impl Failed {
    /// What a person can do about it, where that is not about one resource.
    #[must_use]
    pub fn cure(&self) -> Option<&'static str> {
        match self.kind {
            FailedKind::AccountFull => {
                Some("the account has as many snapshots as its quota allows: delete some, or have the quota raised")
            }
            FailedKind::Expired => Some(cure_of_expired(&self.message)),
            FailedKind::Denied
            | FailedKind::Refused
            | FailedKind::Throttled
            | FailedKind::TooManyPending
            | FailedKind::TooSoon
            | FailedKind::Unclear => None,
        }
    }
}

/// What helps against `RequestExpired`, by EC2's message: it names the time of the request where a clock is off, and says no
/// more where a session has expired (shared/wire/errors/09 and 17).
pub(crate) fn cure_of_expired(message: &str) -> &'static str {
    if message.contains("Timestamp date is") {
        "this machine's clock is off: set it"
    } else {
        "sign in again, or this machine's clock is off"
    }
}

/// What a failed call means for the next turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedKind {
    /// The account has as many snapshots as its quota allows: nothing was changed, and no other creation fares better
    /// before some are deleted.
    AccountFull,
    /// The role may not make this call.
    Denied,
    /// The session has expired, or this machine's clock is off: nothing was changed, and no other call of this turn fares
    /// better.
    Expired,
    /// EC2 refused this call for this resource: nothing was changed.
    Refused,
    /// EC2 had too many calls: nothing was changed.
    Throttled,
    /// As many snapshots of the account are pending as EC2 allows: nothing was changed, and when some are complete there
    /// is room again.
    TooManyPending,
    /// EC2 begins no snapshot of this volume because another was begun moments ago, perhaps one that its lists do not
    /// show yet and that another turn of ours began: nothing was changed. Look before trying again.
    TooSoon,
    /// A timeout, a broken connection or an internal error: the call may have taken effect. Look before acting again.
    Unclear,
}
