//! What travels from turn to turn inside `Next`: the start, counters, and what failed so far.
//!
//! It is bounded whatever the number of volumes, so an answer stays under 200 KB.

use crate::action::{Failed, FailedKind};
use crate::options::{Start, StartOrigin};
use crate::pace::Pace;
use crate::plan::Brake;
use crate::tags;
use crate::turn::copies::Copies;
use crate::turn::missed::MissedTime;
use crate::turn::subject::Subject;
use crate::turn::unsettled::Unsettled;
use crate::turn::window::Window;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How many failures are carried and told one by one; the rest are counted. At 600 bytes each they stay under 36 KB.
pub const FAILURES_MAX: usize = 60;

/// How many more of other Regions: whatever is wrong there takes no place from the home Region's.
const FAILURES_ABROAD_MAX: usize = 30;

/// How many characters of an EC2 message are kept.
const MESSAGE_LENGTH_MAX: usize = 200;

/// How many creations a run makes for each due target before it stops: what EC2 never shows would be made for ever.
const CREATIONS_PER_TARGET_MAX: u64 = 5;

/// For how many targets the tags that found no room are told; the log has them all. At 400 bytes each they stay under
/// 20 KB.
const TAGS_LEFT_OUT_MAX: usize = 50;

/// How long after a turn the state machine comes back at the latest: a wait of a minute, ten tries of up to five minutes apart, four
/// more after crashes, and as many times the 15 minutes that a function has. With as much again: after that somebody has
/// replayed a `Next`, as a redrive of Step Functions does up to 14 days later.
const COMES_BACK_WITHIN: SignedDuration = SignedDuration::from_hours(9);

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
    /// When the last turn had ended, by the function's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Whether the run was taken up again later than any wait or retry of the state machine explains.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub came_back: bool,
    /// How many turns have ended.
    pub turns: u32,
    /// How many turns in a row nothing was made, deleted or became complete.
    #[serde(default)]
    pub idle_turns: u32,
    /// How many due snapshots were under way, at the fewest since something was last made or deleted.
    #[serde(default)]
    pub pending: u64,
    /// How many waits there were since a snapshot was last created: the place on the ladder of waits.
    pub waits: u32,
    /// How many snapshots the run created.
    pub created: u64,
    /// How many snapshots the run deleted.
    pub deleted: u64,
    /// How many of those were orphans.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deleted_orphans: u64,
    /// When the run last deleted something: a list that lags may show it still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// When the run last deleted a failed member of a set, or perhaps did: what it told of may be shown once more, by a list that lags, and
    /// nothing tells then that it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_member_deleted: Option<Timestamp>,
    /// How many snapshots that count for the bounds there were when the run began: the most that a turn saw.
    #[serde(default)]
    pub older_snapshots: usize,
    /// How many volumes held snapshots of ours when the run began: the most that a turn saw.
    #[serde(default)]
    pub older_volumes: usize,
    /// How many creations EC2 accepted, or perhaps did.
    #[serde(default)]
    pub creations: u64,
    /// How many looks in a row showed nothing of what the run made, and that nothing is due because of others.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub looks_without_own: u64,
    /// Creations that EC2 may not list yet, the oldest turn first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsettled: Vec<Unsettled>,
    /// Whether a listing has shown something that the run began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_listed: bool,
    /// A snapshot of the run that EC2 shows by its id after the settling time, while no listing has shown any: the
    /// endpoint does not filter as EC2 does, and the run makes and deletes nothing more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<String>,
    /// What is known about EC2's buckets: how soon the calls of the next turn may start.
    #[serde(default, skip_serializing_if = "Pace::is_unknown")]
    pub pace: Pace,
    /// How many snapshots may be pending at once; nothing is known before EC2 has refused one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_window: Option<Window>,
    /// The run would delete more than it may, so it deletes nothing (more).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brake: Option<Brake>,
    /// What failed and has not been mended since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// Which tags found no room on what the run made, a text for each target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags_left_out: Vec<String>,
    /// What the run had missed by its first look that showed anything, the first ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<Vec<MissedTime>>,
    /// What there is of copies in other Regions.
    #[serde(default, skip_serializing_if = "Copies::is_unused")]
    pub copies: Copies,
    /// How many more failures there are than `failures` holds.
    #[serde(default)]
    pub failures_left_out: u64,
    /// How many of those are creations.
    #[serde(default)]
    pub creations_left_out: u64,
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
            ended: None,
            came_back: start.came_back,
            turns: 0,
            idle_turns: 0,
            pending: 0,
            waits: 0,
            created: 0,
            deleted: 0,
            deleted_orphans: 0,
            deleted_at: None,
            failed_member_deleted: None,
            older_snapshots: 0,
            older_volumes: 0,
            creations: 0,
            looks_without_own: 0,
            unsettled: Vec::new(),
            is_listed: false,
            hidden: None,
            pace: Pace::default(),
            pending_window: None,
            brake: None,
            failures: Vec::new(),
            tags_left_out: Vec::new(),
            missed: None,
            copies: Copies::default(),
            failures_left_out: 0,
            creations_left_out: 0,
        }
    }

    /// The state of a run that is taken up at `now`. Where that is later than the state machine ever comes back, the run counts as
    /// begun now: what is due is what a start that came so late would make, and nothing is deleted.
    #[must_use]
    pub fn taken_up_at(&self, now: Timestamp) -> Self {
        let last = self.ended.unwrap_or(self.begun);
        if now.duration_since(last) <= COMES_BACK_WITHIN {
            return self.clone();
        }
        Self { begun: tags::to_the_second(now), came_back: true, ..self.clone() }
    }

    /// The start that the run began with.
    #[must_use]
    pub fn start(&self) -> Start {
        let origin = if self.start_from_clock { StartOrigin::Clock } else { StartOrigin::Event };
        Start { at: self.start, origin, begun: self.begun, came_back: self.came_back }
    }

    /// Whether a creation may be tried at `now`, for one of so many due targets whose start window ends at `until`.
    ///
    /// Inside the window what failed is tried again. After it what was never tried goes on, a large account takes its
    /// time; but nothing is made again, whether it failed or EC2 does not show it.
    #[must_use]
    pub fn may_create(&self, subject: &Subject, due: usize, until: Timestamp, now: Timestamp) -> bool {
        let due = u64::try_from(due).unwrap_or(u64::MAX);
        if now > until {
            !self.may_have_failed(subject) && !self.is_stopped() && self.creations < due
        } else {
            self.creations < due.saturating_mul(CREATIONS_PER_TARGET_MAX)
        }
    }

    /// Whether the creation of `subject` failed in this run, as far as is remembered: with more failures than can be
    /// carried, every one may have.
    #[must_use]
    pub fn may_have_failed(&self, subject: &Subject) -> bool {
        self.creations_left_out > 0 || self.failures.iter().any(|failure| failure.subject == *subject)
    }

    /// Whether a deletion failed in a way that this run does not try again.
    #[must_use]
    pub fn is_deletion_given_up(&self, subject: &Subject) -> bool {
        let is_given_up = |f: &&Failure| !f.may_pass || f.attempts >= DELETION_ATTEMPTS_MAX;
        self.is_session_over() || self.failures.iter().filter(is_given_up).any(|failure| failure.subject == *subject)
    }

    pub(super) fn remember_failure(&mut self, action: &str, subject: Subject, failed: &Failed) {
        let failure = self.one_more(action, subject, failed);
        let is_abroad = |failure: &Failure| failure.subject.in_region().is_some();
        let beside = self.failures.iter().filter(|other| is_abroad(other) == is_abroad(&failure)).count();
        let max = if is_abroad(&failure) { FAILURES_ABROAD_MAX } else { FAILURES_MAX };
        if beside < max {
            self.failures.push(failure);
        } else {
            self.failures_left_out = self.failures_left_out.saturating_add(1);
            let is_creation = failure.subject.schedule().is_some();
            self.creations_left_out = self.creations_left_out.saturating_add(u64::from(is_creation));
        }
    }

    /// Remembers what concerns the whole run, whatever else has failed: before everything else, because it says most.
    pub(super) fn remember_run_wide(&mut self, action: &str, subject: Subject, failed: &Failed) {
        let failure = self.one_more(action, subject, failed);
        self.failures.insert(0, failure);
    }

    /// The failure with its number of attempts, in place of the one that was remembered.
    fn one_more(&mut self, action: &str, subject: Subject, failed: &Failed) -> Failure {
        let previous = self.failures.iter().position(|f| f.subject == subject).map(|at| self.failures.remove(at));
        Failure {
            action: action.to_owned(),
            subject,
            code: shortened(&failed.code),
            message: shortened(&failed.message),
            attempts: previous.map_or(0, |f| f.attempts).saturating_add(1),
            may_pass: match failed.kind {
                FailedKind::AccountFull
                | FailedKind::Expired
                | FailedKind::Throttled
                | FailedKind::TooManyPending
                | FailedKind::TooSoon
                | FailedKind::Unclear => true,
                FailedKind::Denied | FailedKind::Refused => false,
            },
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MESSAGE_LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests;
