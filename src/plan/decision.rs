//! What can be decided, and why: verdicts and reasons as values.

use super::{Brake, Doubt, FailReason, OrphanOf, SkipReason, StandsBack, Target};
use crate::place::Region;
use crate::policy::{Schedule, ScheduleName};
use crate::tags::Hold;
use crate::world::{CutShort, ImageId, Snapshot};
use jiff::Timestamp;

/// What happens for one target on behalf of one schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetDecision<'a> {
    /// The schedule.
    pub schedule: &'a Schedule,
    /// The volume or instance.
    pub target: Target<'a>,
    /// The scheduled time in question.
    pub scheduled_time: Timestamp,
    /// The decision.
    pub verdict: TargetVerdict<'a>,
}

/// The decision about one target on behalf of one schedule, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetVerdict<'a> {
    /// Another schedule is due for the same time and keeps longer: its snapshot serves this one too.
    Coincides {
        /// That schedule.
        with: &'a Schedule,
    },
    /// It has no snapshot for the scheduled time: make one.
    Create {
        /// Until when creation that fails is tried again.
        until: Timestamp,
        /// The other schedules that it serves, in the policy's order.
        with: Vec<&'a Schedule>,
        /// The newest of the snapshots for the scheduled time that went to `error`: this is another try.
        last_failed: Option<&'a Snapshot>,
    },
    /// A snapshot for the scheduled time is complete.
    Exists(&'a Snapshot),
    /// It cannot get its snapshot, and no try would help.
    Fail(FailReason),
    /// So many snapshots for the scheduled time went to `error`, lack a member of their set, or are in doubt: another try would do
    /// no better.
    GiveUp {
        /// How many failed; none where sets lack a member, or where all are in doubt.
        failed_snapshots: usize,
        /// How many calls made some whose tags are not believed, where that is why.
        doubted: usize,
        /// The newest of them.
        last_failed: Option<&'a Snapshot>,
    },
    /// A default policy leaves it alone: it has a recent snapshot, whoever made it.
    HasRecent {
        /// When that one began.
        began: Timestamp,
    },
    /// The scheduled time passed without a snapshot, and none is made for it any more.
    Missed(MissedReason),
    /// A snapshot for the scheduled time is complete, but EC2's lists may not show yet what else was begun for it:
    /// another member of its set, or a second one by a turn at the same time.
    Settling {
        /// The complete one.
        snapshot: &'a Snapshot,
        /// When all that was begun is shown.
        until: Timestamp,
    },
    /// The target cannot be backed up now, or shall not.
    Skip(SkipReason<'a>),
    /// A snapshot for the scheduled time is under way.
    Wait(&'a Snapshot),
}

/// Why no snapshot is made any more for a scheduled time that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissedReason {
    /// Newer complete ones fill the count of its schedule: its own rule would delete it at once.
    CountFull {
        /// What the schedule keeps.
        count: usize,
    },
    /// The start window is over.
    StartWindowOver,
}

impl<'a> TargetVerdict<'a> {
    /// The newest snapshot for the scheduled time that went to `error`, where that is why something is, or is not, tried.
    #[must_use]
    pub fn last_failed(&self) -> Option<&'a Snapshot> {
        match self {
            Self::Create { last_failed, .. } | Self::GiveUp { last_failed, .. } => *last_failed,
            Self::Coincides { .. }
            | Self::Exists(_)
            | Self::Fail(_)
            | Self::HasRecent { .. }
            | Self::Missed(_)
            | Self::Settling { .. }
            | Self::Skip(_)
            | Self::Wait(_) => None,
        }
    }
}

/// What happens to one snapshot of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotDecision<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// The decision.
    pub verdict: SnapshotVerdict<'a>,
    /// Why it goes later in the same run, once what the run makes or waits for is complete.
    pub goes_later: Option<DeleteReason>,
}

/// The decision about one snapshot, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotVerdict<'a> {
    /// It goes.
    Delete(DeleteReason),
    /// It stays.
    Keep(KeepReason<'a>),
    /// It is under way: look again.
    Wait {
        /// Since when.
        since: Timestamp,
    },
}

/// Why a snapshot goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteReason {
    /// Another one of the same schedule and scheduled time is complete and stays at least as long: two turns at once made both.
    Duplicate {
        /// When that one began.
        beside: Timestamp,
    },
    /// So many newer ones of the schedule and volume are complete.
    ExceedsCount {
        /// Its place among the complete ones, the newest is 1.
        rank: usize,
        /// How many the schedule keeps.
        count: usize,
    },
    /// Its stamped expiry has passed, and a newer one is complete.
    Expired {
        /// The expiry.
        at: Timestamp,
    },
    /// It failed, and its grace is over.
    Failed {
        /// When it began.
        since: Timestamp,
    },
    /// No schedule owns it, or what it was made of is gone, and `Options.Orphans` lets it go.
    Orphaned {
        /// Why nothing manages it.
        of: OrphanOf,
        /// Since when it is older than the age of `EXPIRE`; `None` for `KEEP_LAST`.
        age_over_at: Option<Timestamp>,
    },
}

/// Why a snapshot stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepReason<'a> {
    /// What it was made of is in no listing, and EC2 was not asked for it by its id yet, or did not say that it is gone.
    AbsenceUnproved {
        /// What would have happened.
        otherwise: DeleteReason,
    },
    /// Somebody put it into the archive tier: what is there is not ours to manage, and it counts for nothing.
    Archived,
    /// It has expired, but its schedule's backups of the volume have stopped.
    BackupsStopped {
        /// The newest scheduled time with a complete snapshot.
        newest: Timestamp,
    },
    /// The schedule keeps fewer than when the snapshot was made, and nobody has agreed to the lower count: the count of then
    /// still keeps it.
    AwaitsConsent {
        /// The schedule.
        schedule: &'a ScheduleName,
        /// Its place among the complete ones, the newest is 1.
        rank: usize,
        /// How many the schedule keeps today.
        count: usize,
        /// How many it kept when the snapshot was made.
        then: usize,
    },
    /// The run would delete more than it may.
    Brake {
        /// More of what.
        brake: Brake,
        /// What would have happened.
        otherwise: DeleteReason,
    },
    /// A copy of it in another Region is promised, or under way, and not complete.
    CopyOpen {
        /// The Region.
        region: &'a Region,
        /// Until when it waits at the longest.
        until: Timestamp,
        /// What would have happened.
        otherwise: DeleteReason,
    },
    /// Its tags are not believed: somebody edited them.
    Doubted(Doubt),
    /// It failed: it holds nothing, counts for nothing, and is no reason to delete another.
    Errored {
        /// When it will be deleted.
        until: Timestamp,
    },
    /// It failed, and it is what tells that the other members of its multi-volume set do not count: it stays as long as
    /// they do.
    FailedMember,
    /// Its scheduled time lies in the future.
    FutureScheduledTime(Timestamp),
    /// It carries `opendlm:hold`.
    Held(Hold),
    /// It is a copy, and the home Region shows no snapshot of ours: its list may be empty by mistake.
    HomeShowsNone {
        /// What would have happened.
        otherwise: DeleteReason,
    },
    /// It is a copy whose rule has no age.
    KeptForEver,
    /// `Options.Orphans` is `KEEP_LAST` and it is the last one of its volume and schedule.
    LastOrphan(OrphanOf),
    /// `Options.MinimumKept`: the volume would have too few complete ones left.
    MinimumKept {
        /// The floor.
        minimum: usize,
        /// What would have happened.
        otherwise: DeleteReason,
    },
    /// It is the newest complete one of its schedule and volume: it stays until a newer one is complete.
    NewestCompleted,
    /// It is among the newest that the schedule keeps.
    NewestOf {
        /// Its place among the complete ones, the newest is 1.
        rank: usize,
        /// How many the schedule keeps.
        count: usize,
    },
    /// It is a copy, and no rule of the policy copies to its Region any more: nobody has promised when it may go.
    NoCopyRule,
    /// The schedule keeps by age and this snapshot carries no readable expiry, so nobody promised when it may go.
    NoExpirationTime,
    /// No schedule of the policy has, or had, this name.
    NoSchedule(&'a ScheduleName),
    /// Its stamped expiry has not come.
    NotExpired {
        /// The expiry.
        until: Timestamp,
    },
    /// The observation was cut short, so nothing is deleted; it would have been for this reason.
    ObservationCutShort {
        /// Why it was cut short.
        cut: CutShort,
        /// What would have happened.
        otherwise: DeleteReason,
    },
    /// It is an orphan that is younger than the age of `Options.Orphans`.
    OrphanNotExpired {
        /// Why nothing manages it.
        of: OrphanOf,
        /// When it will go.
        until: Timestamp,
    },
    /// No schedule of the policy has, or had, this name, but it was used lately: another policy may have the same id.
    PerhapsOfAnotherPolicy(&'a ScheduleName),
    /// Somebody put it into the archive tier, and it is temporarily restored: deleting it would delete it from the archive too.
    Restored {
        /// When EC2 archives it again.
        until: Timestamp,
    },
    /// The run deletes nothing.
    RunStandsBack {
        /// Why.
        why: StandsBack,
        /// What would have happened.
        otherwise: DeleteReason,
    },
    /// What it was made of is gone (DLM: by count none goes any more, by age all but the newest do).
    SourceGone,
    /// A tag that the decision needs is missing or has no meaning.
    UnreadableTag(&'static str),
    /// An AMI of the account uses it, so EC2 does not delete it.
    UsedByImage {
        /// One that does.
        image: ImageId,
        /// What would have happened.
        otherwise: DeleteReason,
    },
    /// It is in a state that is neither complete, pending nor failed.
    UnknownState,
    /// Its volume is there but not targeted any more (DLM: such snapshots are no longer managed).
    VolumeNotTargeted,
}

impl SnapshotDecision<'_> {
    /// Whether the snapshot goes, or would, because there is another one for its time.
    #[must_use]
    pub fn is_of_duplicate(&self) -> bool {
        let reason = match &self.verdict {
            SnapshotVerdict::Delete(reason) => Some(reason),
            SnapshotVerdict::Keep(reason) => reason.otherwise(),
            SnapshotVerdict::Wait { .. } => None,
        };
        matches!(reason, Some(DeleteReason::Duplicate { .. }))
    }
}

impl KeepReason<'_> {
    /// What would have happened to a snapshot that stays only because something stands against it.
    #[must_use]
    pub fn otherwise(&self) -> Option<&DeleteReason> {
        match self {
            Self::AbsenceUnproved { otherwise }
            | Self::Brake { otherwise, .. }
            | Self::CopyOpen { otherwise, .. }
            | Self::HomeShowsNone { otherwise }
            | Self::MinimumKept { otherwise, .. }
            | Self::ObservationCutShort { otherwise, .. }
            | Self::RunStandsBack { otherwise, .. }
            | Self::UsedByImage { otherwise, .. } => Some(otherwise),
            Self::Archived
            | Self::AwaitsConsent { .. }
            | Self::BackupsStopped { .. }
            | Self::Doubted(_)
            | Self::Errored { .. }
            | Self::FailedMember
            | Self::FutureScheduledTime(_)
            | Self::Held(_)
            | Self::KeptForEver
            | Self::LastOrphan(_)
            | Self::NewestCompleted
            | Self::NewestOf { .. }
            | Self::NoCopyRule
            | Self::NoExpirationTime
            | Self::NoSchedule(_)
            | Self::NotExpired { .. }
            | Self::OrphanNotExpired { .. }
            | Self::PerhapsOfAnotherPolicy(_)
            | Self::Restored { .. }
            | Self::SourceGone
            | Self::UnknownState
            | Self::UnreadableTag(_)
            | Self::VolumeNotTargeted => None,
        }
    }
}
