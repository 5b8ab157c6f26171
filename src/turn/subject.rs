//! What an action is about: the identity by which a run remembers what failed, what it began and what it missed.

use crate::action::Action;
use crate::place::Region;
use crate::plan::TargetDecision;
use crate::policy::{ScheduleName, fnv1a};
use crate::world::{InstanceId, SnapshotId, SourceId, VolumeId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an action is about. As text it travels in `Next` and stands in reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Subject {
    /// What concerns all creations of the account: `account`.
    Account,
    /// The creation of snapshots of a volume or an instance for a schedule: `vol-0ab Daily`.
    Creation {
        /// The volume or instance.
        target: SourceId,
        /// The schedule.
        schedule: ScheduleName,
    },
    /// The deletion of a snapshot in the home Region: `snap-0ab`.
    Deletion(SnapshotId),
    /// The copy of a snapshot in another Region, or a copy that is there: `snap-0ab@eu-west-2`.
    InRegion {
        /// The snapshot, or the copy.
        snapshot: SnapshotId,
        /// The other Region.
        region: Region,
    },
    /// What concerns every call of the run: `session`.
    Session,
}

impl Subject {
    /// The creation of snapshots of a volume or an instance for a schedule.
    #[must_use]
    pub fn creation(schedule: &ScheduleName, target: SourceId) -> Self {
        Self::Creation { target, schedule: schedule.clone() }
    }

    /// What a decision about a target is about.
    #[must_use]
    pub fn of_decision(decision: &TargetDecision<'_>) -> Self {
        Self::creation(&decision.schedule.name, decision.target.id())
    }

    /// What an action is about.
    #[must_use]
    pub fn of(action: &Action) -> Self {
        match action {
            Action::CopySnapshot(copy) => Self::of_copy(&copy.source.id, &copy.region),
            Action::CreateSnapshot(create) => Self::creation(&create.schedule, SourceId::Volume(create.volume_id)),
            Action::CreateSnapshots(create) => Self::creation(&create.schedule, SourceId::Instance(create.instance_id)),
            Action::DeleteSnapshot(delete) => match &delete.of_copy {
                Some((_, region)) => Self::of_copy(&delete.snapshot.id, region),
                None => Self::Deletion(delete.snapshot.id),
            },
        }
    }

    /// The copy of a snapshot in a Region, or a copy that is there.
    #[must_use]
    pub fn of_copy(snapshot: &SnapshotId, region: &Region) -> Self {
        Self::InRegion { snapshot: *snapshot, region: region.clone() }
    }

    /// The other Region, and the snapshot there or the one whose copy is wanted there.
    #[must_use]
    pub fn in_region(&self) -> Option<(SnapshotId, &Region)> {
        match self {
            Self::InRegion { snapshot, region } => Some((*snapshot, region)),
            Self::Account | Self::Creation { .. } | Self::Deletion(_) | Self::Session => None,
        }
    }

    /// Whether it concerns the whole run and not one resource.
    #[must_use]
    pub fn is_run_wide(&self) -> bool {
        matches!(self, Self::Account | Self::Session)
    }

    /// The resource as reports name it: a volume or an instance for a creation, a snapshot for a deletion.
    #[must_use]
    pub fn resource(&self) -> String {
        match self {
            Self::Creation { target, .. } => target.to_string(),
            Self::Account | Self::Deletion(_) | Self::InRegion { .. } | Self::Session => self.to_string(),
        }
    }

    /// The schedule that a creation is for.
    #[must_use]
    pub fn schedule(&self) -> Option<&ScheduleName> {
        match self {
            Self::Creation { schedule, .. } => Some(schedule),
            Self::Account | Self::Deletion(_) | Self::InRegion { .. } | Self::Session => None,
        }
    }

    /// Eight hexadecimal digits that stand for it: 32 bits, so that among 100,000 targets a run waits for some that it
    /// need not wait for.
    #[must_use]
    pub fn hash(&self) -> String {
        let hash = fnv1a(self.to_string().bytes());
        format!("{:08x}", (hash ^ (hash >> 32)) & 0xffff_ffff)
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some((target, schedule)) = text.split_once(' ') {
            let volume = VolumeId::parse(target).map(SourceId::Volume);
            let target = volume.or_else(|| InstanceId::parse(target).map(SourceId::Instance))?;
            return Some(Self::Creation { target, schedule: ScheduleName::parse(schedule).ok()? });
        }
        if let Some((snapshot, region)) = text.split_once('@') {
            return Some(Self::InRegion { snapshot: SnapshotId::parse(snapshot)?, region: Region::parse(region)? });
        }
        match text {
            ACCOUNT => Some(Self::Account),
            SESSION => Some(Self::Session),
            _ => SnapshotId::parse(text).map(Self::Deletion),
        }
    }
}

const ACCOUNT: &str = "account";
const SESSION: &str = "session";

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.write_str(ACCOUNT),
            Self::Creation { target, schedule } => write!(f, "{target} {schedule}"),
            Self::Deletion(snapshot) => write!(f, "{snapshot}"),
            Self::InRegion { snapshot, region } => write!(f, "{snapshot}@{region}"),
            Self::Session => f.write_str(SESSION),
        }
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

impl TryFrom<String> for Subject {
    type Error = SubjectError;

    fn try_from(text: String) -> Result<Self, SubjectError> {
        Self::parse(&text).ok_or(SubjectError(text))
    }
}

/// A text that names nothing that an action could be about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a subject, expected a volume or instance and a schedule, a snapshot, or a snapshot and @ and a Region"
)]
pub struct SubjectError(String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;

    #[track_caller]
    fn check(subject: &Subject, text: &str) {
        assert_eq!(subject.to_string(), text);
        assert_eq!(Subject::parse(text).as_ref(), Some(subject));
    }

    #[test]
    fn it_travels_as_text_and_is_read_as_what_it_was() {
        let (volume, held) = (SourceId::Volume(volume_id(1)), snapshot(7, 1, "2026-11-22T17:00:00Z").id);
        check(&Subject::creation(&name("Every day at 5"), volume), &format!("{volume} Every day at 5"));
        check(&Subject::Deletion(held), &held.to_string());
        check(&Subject::of_copy(&held, &Region::parse("eu-west-2").unwrap()), &format!("{held}@eu-west-2"));
        check(&Subject::Account, "account");
        check(&Subject::Session, "session");
        for text in ["", "snap-", "vol-0ab ", "snap-0ab@", "ami-0ab", "snap-0ab Daily"] {
            assert_eq!(Subject::parse(text), None, "{text:?}");
        }
    }
}
