//! What travels from turn to turn inside `Next`: the start, counters, and what failed so far.
//!
//! It is bounded whatever the number of volumes, so an answer stays under 200 KB.

use crate::action::{Action, Failed, FailedKind};
use crate::options::{Start, StartOrigin};
use crate::plan::TargetDecision;
use crate::policy::ScheduleName;
use crate::tags;
use crate::world::SnapshotId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// How long after a creation EC2 may not list the snapshot yet. Until then nothing is concluded from its absence.
/// Our own: AWS promises no bound for "eventually consistent" and advises to look again for a few minutes at most;
/// 60 s is the longest wait between two turns, so the ordinary cadence is never slowed by it.
pub const SETTLING: SignedDuration = SignedDuration::from_secs(60);

/// How many failures are carried and told one by one; the rest are counted. At 600 bytes each they stay under 60 KB.
pub const FAILURES_MAX: usize = 100;

/// How many characters of an EC2 message are kept.
const MESSAGE_LENGTH_MAX: usize = 300;

/// How many creations are remembered until they are settled: EC2 allows 100 and 5 a second, so 400 in a minute, and a
/// reserve for a higher quota. At 70 bytes each they stay under 70 KB. Beyond that the oldest are forgotten.
const UNSETTLED_MAX: usize = 1000;

/// For how many targets the tags that found no room are told; the log has them all. At 400 bytes each they stay under
/// 20 KB.
const TAGS_LEFT_OUT_MAX: usize = 50;

/// How often a deletion is tried in one run when the failure may pass.
const DELETION_ATTEMPTS_MAX: u32 = 3;

/// The state of a run between two turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Progress {
    /// The start of the run.
    pub start: Timestamp,
    /// Whether the start was taken from the clock.
    pub start_from_clock: bool,
    /// The clock of the first turn.
    pub begun: Timestamp,
    /// How many turns have ended.
    pub turns: u32,
    /// How many waits there were since a snapshot was last created: the place on the ladder of waits.
    pub waits: u32,
    /// How many snapshots the run created.
    pub created: u64,
    /// How many snapshots the run deleted.
    pub deleted: u64,
    /// Creations that EC2 may not list yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsettled: Vec<Unsettled>,
    /// What failed and has not been mended since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// Which tags found no room on what the run made, a text for each target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags_left_out: Vec<String>,
    /// How many more failures there are than `failures` holds.
    #[serde(default)]
    pub failures_left_out: u64,
}

/// A creation whose snapshot EC2 may not list yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Unsettled {
    /// What was created, or perhaps was.
    pub subject: Subject,
    /// When the call ended.
    pub at: Timestamp,
}

/// What an action is about: the identity by which its failures are remembered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(String);

impl Subject {
    /// The creation of snapshots of a volume or an instance for a schedule.
    #[must_use]
    pub fn creation(schedule: &ScheduleName, target: &str) -> Self {
        Self(format!("{target} {schedule}"))
    }

    /// What a decision about a target is about.
    #[must_use]
    pub fn of_decision(decision: &TargetDecision<'_>) -> Self {
        Self::creation(&decision.schedule.name, decision.target.id())
    }

    /// What an action is about.
    #[must_use]
    pub fn of_action(action: &Action) -> Self {
        match action {
            Action::CreateSnapshot(create) => Self::creation(&create.schedule, create.volume_id.as_str()),
            Action::CreateSnapshots(create) => Self::creation(&create.schedule, create.instance_id.as_str()),
            Action::DeleteSnapshot(delete) => Self::deletion(&delete.snapshot.id),
        }
    }

    /// The deletion of a snapshot.
    #[must_use]
    pub fn deletion(snapshot: &SnapshotId) -> Self {
        Self(snapshot.to_string())
    }

    /// The resource: a volume's or an instance's id for a creation, a snapshot's for a deletion.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.0.split_once(' ').map_or(&self.0, |(volume, _)| volume)
    }

    /// The schedule that a creation is for.
    #[must_use]
    pub fn schedule(&self) -> Option<&str> {
        self.0.split_once(' ').map(|(_, schedule)| schedule)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something that the run could not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Failure {
    /// `CreateSnapshot`, `CreateSnapshots` or `DeleteSnapshot`.
    pub action: String,
    /// The volume and schedule, or the snapshot.
    pub subject: Subject,
    /// EC2's error code, or ours.
    pub code: String,
    /// EC2's message, cut to a bounded length.
    pub message: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether another attempt may help.
    pub may_pass: bool,
}

impl Progress {
    /// The state before the first turn.
    #[must_use]
    pub fn new(start: &Start) -> Self {
        Self {
            start: start.at,
            start_from_clock: start.origin == StartOrigin::Clock,
            begun: tags::to_the_second(start.begun),
            turns: 0,
            waits: 0,
            created: 0,
            deleted: 0,
            unsettled: Vec::new(),
            failures: Vec::new(),
            tags_left_out: Vec::new(),
            failures_left_out: 0,
        }
    }

    /// The start that the run began with.
    #[must_use]
    pub fn start(&self) -> Start {
        let origin = if self.start_from_clock { StartOrigin::Clock } else { StartOrigin::Event };
        Start { at: self.start, origin, begun: self.begun }
    }

    /// What EC2 may not list yet although it was created.
    #[must_use]
    pub fn unsettled_at(&self, now: Timestamp) -> BTreeSet<&Subject> {
        self.unsettled
            .iter()
            .filter(|unsettled| is_recent(unsettled.at, now))
            .map(|unsettled| &unsettled.subject)
            .collect()
    }

    /// Whether an action on `subject` failed in this run, as far as is remembered: with more failures than can be
    /// carried, everything may have.
    #[must_use]
    pub fn may_have_failed(&self, subject: &Subject) -> bool {
        self.failures_left_out > 0 || self.failures.iter().any(|failure| failure.subject == *subject)
    }

    /// Whether a deletion failed in a way that this run does not try again.
    #[must_use]
    pub fn is_deletion_given_up(&self, subject: &Subject) -> bool {
        let is_given_up = |f: &&Failure| !f.may_pass || f.attempts >= DELETION_ATTEMPTS_MAX;
        self.failures.iter().filter(is_given_up).any(|failure| failure.subject == *subject)
    }

    pub(super) fn remember_creation(&mut self, subject: Subject, now: Timestamp) {
        self.unsettled.push(Unsettled { subject, at: tags::to_the_second(now) });
        let excess = self.unsettled.len().saturating_sub(UNSETTLED_MAX);
        self.unsettled.drain(..excess);
    }

    pub(super) fn forget_settled(&mut self, now: Timestamp) {
        self.unsettled.retain(|unsettled| is_recent(unsettled.at, now));
    }

    pub(super) fn remember_failure(&mut self, action: &str, subject: Subject, failed: &Failed) {
        let previous = self.failures.iter().position(|f| f.subject == subject).map(|at| self.failures.remove(at));
        let failure = Failure {
            action: action.to_owned(),
            subject,
            code: shortened(&failed.code),
            message: shortened(&failed.message),
            attempts: previous.map_or(0, |f| f.attempts).saturating_add(1),
            may_pass: matches!(failed.kind, FailedKind::Throttled | FailedKind::Unclear),
        };
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(failure);
        } else {
            self.failures_left_out = self.failures_left_out.saturating_add(1);
        }
    }

    pub(super) fn remember_tags_left_out(&mut self, subject: &Subject, keys: &[String]) {
        if !keys.is_empty() && self.tags_left_out.len() < TAGS_LEFT_OUT_MAX {
            let keys = shortened(&keys.join(", "));
            let resource = subject.resource();
            self.tags_left_out.push(format!(
                "{resource}: left out of its tags, which are at most 50 and none of AWS or opendlm: {keys}"
            ));
        }
    }

    pub(super) fn forget_failure(&mut self, subject: &Subject) {
        self.failures.retain(|failure| failure.subject != *subject);
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) < SETTLING
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MESSAGE_LENGTH_MAX).collect()
}
