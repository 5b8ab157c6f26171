//! Whether this run may delete (R1 and R1b of docs/promises.md): only the newest run deletes, by the newest policy.
//!
//! What EC2 shows of other runs is evidence; the clock is none. A run that stands back still makes what is due and waits for it.

use super::belief;
use super::due::{self, Due};
use crate::options::{Options, Start};
use crate::policy::{Policy, PolicyState};
use crate::tags::Stamp;
use crate::world::Snapshot;
use jiff::Timestamp;

/// Why a run deletes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandsBack {
    /// This call comes later than any wait or retry of the state machine explains: somebody replayed it.
    CameBack,
    /// A later run has made a snapshot: it cleans up, for every schedule and every time before it.
    LaterRun {
        /// The scheduled time that the snapshot answers.
        scheduled_time: Timestamp,
    },
    /// The newest snapshot of the policy was made by a newer version of it.
    NewerPolicy {
        /// The revision of the event; `None` where it has none.
        own: Option<Timestamp>,
        /// The revision on the newest snapshot.
        newest: Timestamp,
        /// Whether the run began after that version was written: then somebody still starts an old one.
        is_stale: bool,
    },
    /// The start came too late to make anything.
    TooLate,
}

/// Why the run that began with `start` deletes nothing at `now`; `None` when it may.
pub(super) fn of<'w>(
    policy: &Policy,
    options: &Options,
    start: &Start,
    now: Timestamp,
    ours: impl Iterator<Item = &'w Snapshot>,
) -> Option<StandsBack> {
    if start.came_back {
        return Some(StandsBack::CameBack);
    }
    if is_too_late(policy, options, start) {
        return Some(StandsBack::TooLate);
    }
    let own: Vec<Timestamp> = own_times(policy, options, start).collect();
    let mut later: Option<Timestamp> = None;
    let mut newest: Option<(Timestamp, Option<Timestamp>)> = None;
    for snapshot in ours {
        let stamp = snapshot.marks.stamp.value();
        let Some(&scheduled_time) = snapshot.marks.scheduled_time.value() else { continue };
        if stamp.is_some_and(|stamp| stamp.is_run_now) || belief::doubt(snapshot).is_some() {
            continue;
        }
        if start.at < scheduled_time && scheduled_time <= now {
            later = later.max(Some(scheduled_time));
        }
        // What this run made itself says nothing about other versions of the policy. Its clock may be ahead of EC2's, so the time at
        // which it began does not tell alone.
        let is_of_others = snapshot.start_time < start.begun && !own.contains(&scheduled_time);
        if is_of_others || revision(stamp) > options.revision {
            newest = newest.max(Some((snapshot.start_time, revision(stamp))));
        }
    }
    let by_later = later.map(|scheduled_time| StandsBack::LaterRun { scheduled_time });
    let by_revision = newest.and_then(|(_, newest)| by_revision(options, start, now, newest));
    // What somebody has to mend is told whatever else holds.
    by_revision.filter(|by_revision| by_revision.is_failure()).or(by_later).or(by_revision)
}

/// The scheduled times that the run makes snapshots for.
fn own_times(policy: &Policy, options: &Options, start: &Start) -> impl Iterator<Item = Timestamp> {
    policy.schedules.iter().filter_map(|schedule| match due::of(schedule, options, start) {
        Due::Now { scheduled_time, .. } => Some(scheduled_time),
        Due::Late { .. } | Due::Nothing => None,
    })
}

fn revision(stamp: Option<&Stamp>) -> Option<Timestamp> {
    stamp.and_then(|stamp| stamp.revision)
}

/// What the revision on the newest snapshot says of this run's own. One from the future says nothing.
fn by_revision(options: &Options, start: &Start, now: Timestamp, newest: Option<Timestamp>) -> Option<StandsBack> {
    let (own, newest) = (options.revision, newest.filter(|&newest| newest <= now)?);
    let is_stale = start.begun > newest;
    (own < Some(newest)).then_some(StandsBack::NewerPolicy { own, newest, is_stale })
}

/// Whether the start came so late that nothing is due by it any more. A start in time at which nothing is due is not late: it may
/// clean up. A disabled policy makes nothing anyhow.
fn is_too_late(policy: &Policy, options: &Options, start: &Start) -> bool {
    let in_time = Start { begun: start.at, ..*start };
    let is_due = |start: &Start| policy.schedules.iter().any(|schedule| due::of(schedule, options, start).is_now());
    let was_due = || is_due(&in_time) || start.begun > due::saturating_add(start.at, options.start_window);
    policy.state == PolicyState::Enabled && !is_due(start) && was_due()
}

impl StandsBack {
    /// Whether somebody has to do something about it: the run fails then.
    #[must_use]
    pub fn is_failure(self) -> bool {
        match self {
            Self::NewerPolicy { is_stale, .. } => is_stale,
            Self::CameBack | Self::LaterRun { .. } | Self::TooLate => false,
        }
    }
}
