//! What is true in a simulated account: snapshots, volumes and instances with their whole lives.

use super::version::Version;
use crate::plan::due::saturating_add;
use crate::policy::Tag;
use crate::tags::{Hold, Mark, Marks, SharedMarks, Stamp};
use crate::world::{Snapshot, SnapshotState, Tier};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From then on.
    pub from: Timestamp,
    /// Until then, not included.
    pub until: Timestamp,
}

impl Span {
    /// Whether the instant is in it.
    #[must_use]
    pub fn holds(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// Something that was so from one time on, and not so again from the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Switched(Vec<(Timestamp, bool)>);

impl Switched {
    /// On from `at`.
    #[must_use]
    pub fn on(at: Timestamp) -> Self {
        Self(vec![(at, true)])
    }

    /// Switches at `at`, which is after all earlier switches.
    pub fn switch(&mut self, at: Timestamp, on: bool) {
        self.0.push((at, on));
    }

    /// Whether it is on at `at`.
    #[must_use]
    pub fn is_on(&self, at: Timestamp) -> bool {
        self.0.iter().rev().find(|(from, _)| *from <= at).is_some_and(|&(_, on)| on)
    }

    /// Whether it was on all the time from `from` to `to`.
    #[must_use]
    pub fn was_on(&self, from: Timestamp, to: Timestamp) -> bool {
        self.is_on(from) && !self.0.iter().any(|&(at, on)| from < at && at <= to && !on)
    }

    /// Whether it was on at any time from `from` to `to`.
    #[must_use]
    pub fn was_ever_on(&self, from: Timestamp, to: Timestamp) -> bool {
        self.is_on(from) || self.0.iter().any(|&(at, on)| from < at && at <= to && on)
    }
}

/// Who removed a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remover {
    /// A run of the policy.
    Run,
    /// Somebody else.
    User,
}

/// The run that made a snapshot.
#[derive(Debug, Clone)]
pub struct Maker {
    /// Which execution it is.
    pub execution: u64,
    /// The version of the policy that it carries.
    pub version: Arc<Version>,
}

/// A snapshot with its whole life.
#[derive(Debug, Clone)]
pub struct Record {
    /// As it was begun: its state is told by `ends_at` and `ends_as`, and what became of its tags by `edited`.
    pub snapshot: Snapshot,
    /// All the tags that it carries, those aside that say that it is held.
    pub tags: Vec<Tag>,
    /// Since when tags of ours are not as they were, and what they say since the last change.
    pub edited: Option<(Timestamp, SharedMarks)>,
    /// The run that made it, as far as a year knows its runs.
    pub maker: Option<Maker>,
    /// Whether a run of the policy made it.
    pub is_ours: bool,
    /// The call that made it: what shares it is one set.
    pub call: u64,
    /// When it is no longer pending.
    pub ends_at: Timestamp,
    /// What it is from then on.
    pub ends_as: SnapshotState,
    /// When it carries `opendlm:hold`.
    pub held: Option<Span>,
    /// When EC2 refuses to delete it because it is locked.
    pub locked: Option<Span>,
    /// When EC2 refuses to delete it because an AMI uses it.
    pub imaged: Option<Span>,
    /// Since when it is in the archive tier.
    pub archived: Option<Timestamp>,
    /// When it is temporarily restored from there.
    pub restored: Option<Span>,
    /// By how much EC2 shows another start time than the true one: then nobody believes it, as if it were edited from the beginning.
    pub off_clock: Option<SignedDuration>,
    /// Whether somebody removed another member of its set.
    pub is_torn: bool,
    /// When it was removed, and by whom.
    pub removed: Option<(Timestamp, Remover)>,
}

impl Record {
    /// A snapshot that `ends_at` tells when it is complete, and to which nothing has happened yet.
    #[must_use]
    pub fn new(snapshot: Snapshot, tags: Vec<Tag>, call: u64, ends_at: Timestamp) -> Self {
        Self {
            snapshot,
            tags,
            edited: None,
            maker: None,
            is_ours: true,
            call,
            ends_at,
            ends_as: SnapshotState::Completed,
            held: None,
            locked: None,
            imaged: None,
            archived: None,
            restored: None,
            off_clock: None,
            is_torn: false,
            removed: None,
        }
    }

    /// EC2 shows another start time than the true one.
    pub fn begins_off(&mut self, off: SignedDuration) {
        self.off_clock = Some(off);
        self.edited = Some((self.snapshot.start_time, self.snapshot.marks.clone()));
    }

    /// Somebody writes these tags on it at `now`. What they say is read as EC2 shows it. With the tags that it was begun with, or
    /// those of another one of the same run, it is as it was.
    pub fn edit(&mut self, tags: Vec<Tag>, now: Timestamp) {
        let since = self.edited.as_ref().map_or(now, |&(since, _)| since);
        let marks: SharedMarks = Marks::read(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))).into();
        let is_another = self.off_clock.is_some() || !says_the_same(&marks, &self.snapshot.marks);
        self.edited = is_another.then_some((since, marks));
        self.tags = tags;
    }

    /// Whether somebody has changed a tag of ours by `at`.
    #[must_use]
    pub fn is_edited(&self, at: Timestamp) -> bool {
        self.edited.as_ref().is_some_and(|&(since, _)| since <= at)
    }

    /// Whether all its data is there at `at`, in the standard tier and not removed.
    #[must_use]
    pub fn is_good(&self, at: Timestamp) -> bool {
        self.exists(at) && self.is_complete(at) && self.archived.is_none_or(|since| at < since)
    }

    /// Whether all its data is there at `at`.
    #[must_use]
    pub fn is_complete(&self, at: Timestamp) -> bool {
        self.ends_at <= at && self.ends_as == SnapshotState::Completed
    }

    /// Whether it exists at `at`.
    #[must_use]
    pub fn exists(&self, at: Timestamp) -> bool {
        self.snapshot.start_time <= at && self.removed.is_none_or(|(removed, _)| at < removed)
    }

    /// As a list shows it that is as old as `at`.
    pub(super) fn seen(&self, at: Timestamp) -> Option<Snapshot> {
        if !self.exists(at) {
            return None;
        }
        let mut snapshot = self.snapshot.clone();
        if let Some((_, marks)) = self.edited.as_ref().filter(|&&(since, _)| since <= at) {
            snapshot.marks = marks.clone();
        }
        if let Some(off) = self.off_clock {
            snapshot.start_time = saturating_add(snapshot.start_time, off);
        }
        snapshot.state = if at < self.ends_at { SnapshotState::Pending } else { self.ends_as.clone() };
        snapshot.completed_at = (snapshot.state == SnapshotState::Completed).then_some(self.ends_at);
        if self.held.is_some_and(|held| held.holds(at)) {
            snapshot.marks.hold = Some(Hold::Forever);
        }
        if self.archived.is_some_and(|since| since <= at) {
            let restored = self.restored.filter(|restored| restored.holds(at));
            snapshot.tier = restored.map_or(Tier::Archive, |restored| Tier::Restored { until: restored.until });
        }
        Some(snapshot)
    }
}

/// Whether tags say the same but for the second in which the call was made.
fn says_the_same(one: &Marks, other: &Marks) -> bool {
    let (Mark::Read(stamp), Mark::Read(of_other)) = (&one.stamp, &other.stamp) else { return one == other };
    let stamp = Stamp { called: of_other.called, ..stamp.clone() };
    Marks { stamp: Mark::Read(stamp), ..one.clone() } == *other
}

/// A volume or an instance with its whole life.
#[derive(Debug, Clone)]
pub struct Life<T> {
    /// What it is.
    pub is: T,
    /// When it exists.
    pub exists: Switched,
    /// When it carries a target tag.
    pub targeted: Switched,
}

impl<T> Life<T> {
    /// Whether it exists at `at`, and whether the policy targets it then.
    #[must_use]
    pub fn standing(&self, at: Timestamp) -> (bool, bool) {
        (self.exists.is_on(at), self.is_targeted(at))
    }

    /// Whether the policy targets it at `at`.
    #[must_use]
    pub fn is_targeted(&self, at: Timestamp) -> bool {
        self.exists.is_on(at) && self.targeted.is_on(at)
    }
}
