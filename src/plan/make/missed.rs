//! No backup where one was due: scheduled times that nobody answered, and starts that meet none. Our own rules; DLM tells nobody.
//!
//! They are told once where the account shows that: an earlier run after the time made snapshots, and so has told it.

use crate::options::{Options, Start};
use crate::plan::due::{self, Due, saturating_add};
use crate::plan::history::{Dated, Histories};
use crate::plan::ours::Ours;
use crate::plan::{Target, ours, owning_schedule, target};
use crate::policy::{Policy, PolicyState, Schedule};
use crate::schedule;
use crate::world::{Snapshot, SnapshotState, SourceId};
use jiff::Timestamp;

/// A scheduled time that a target has no snapshot for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed<'a> {
    /// The volume or instance.
    pub source: SourceId,
    /// The schedule.
    pub schedule: &'a Schedule,
    /// The time.
    pub scheduled_time: Timestamp,
}

/// A start at which nothing is due, of a policy that has targets and no snapshot at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeetsNothing {
    /// The start.
    pub start: Timestamp,
    /// The nearest scheduled time before it.
    pub before: Option<Timestamp>,
    /// The nearest one after it.
    pub after: Option<Timestamp>,
}

/// The scheduled times of which this run is the first one after their window.
#[derive(Debug)]
pub(in crate::plan) struct Windows<'a>(Vec<Window<'a>>);

/// A scheduled time whose window is over.
#[derive(Debug)]
struct Window<'a> {
    schedule: &'a Schedule,
    time: Timestamp,
    /// The time that this run makes snapshots for, if the schedule is due.
    own: Option<Timestamp>,
}

impl<'a> Windows<'a> {
    /// `ours` are all snapshots of the policy, whatever they were made of.
    pub(in crate::plan) fn new<'w>(
        policy: &'a Policy,
        options: &Options,
        start: &Start,
        ours: impl Iterator<Item = &'w Snapshot>,
    ) -> Self {
        if policy.state == PolicyState::Disabled || options.run_now {
            return Self(Vec::new());
        }
        let due: Vec<(&Schedule, Due)> =
            policy.schedules.iter().map(|schedule| (schedule, due::of(schedule, options, start))).collect();
        let own = due.iter().filter_map(|(_, due)| match due {
            Due::Now { scheduled_time, .. } => Some(*scheduled_time),
            Due::Late { .. } | Due::Nothing => None,
        });
        let own = own.max();
        let is_due = own.is_some();
        let own = own.unwrap_or(start.at);
        let is_scheduled = |snapshot: &Snapshot| snapshot.marks.stamp.value().is_none_or(|stamp| !stamp.is_run_now);
        // A run of an old version, none of whose schedules is here any more, has told nothing of these.
        let is_known =
            |snapshot: &Snapshot| ours::names(snapshot).any(|name| owning_schedule(policy, options, name).is_some());
        // The owner of a name is asked for only where it matters: a policy has hundreds of thousands of snapshots.
        let run_before = ours.fold(None, |newest: Option<Timestamp>, snapshot| {
            let time = snapshot.marks.scheduled_time.value().copied().filter(|&time| time < own);
            if time > newest && is_scheduled(snapshot) && is_known(snapshot) { time } else { newest }
        });
        let over = due.into_iter().filter_map(|(schedule, due)| {
            let (time, own) = match due {
                // A start that meets nothing leaves no trace, so each of a start every minute would tell it: the next one that makes
                // something does. That the backups have stopped is told meanwhile.
                Due::Late { scheduled_time } if is_due || was_in_time(scheduled_time, options, start) => {
                    (scheduled_time, None)
                }
                Due::Late { .. } | Due::Nothing => return None,
                Due::Now { scheduled_time, .. } => (previous(schedule, scheduled_time)?, Some(scheduled_time)),
            };
            let ends = saturating_add(time, options.start_window);
            let is_told = run_before.is_some_and(|before| before > ends);
            let is_of_this_policy = options.revision.is_none_or(|revision| revision <= time);
            (!is_told && is_of_this_policy && ends < start.begun).then_some(Window { schedule, time, own })
        });
        Self(over.collect())
    }

    /// Adds what the targets have missed: those that have an earlier backup of the schedule and none for the time
    /// or since.
    pub(in crate::plan) fn add(
        &self,
        policy: &Policy,
        targets: &[Target<'_>],
        ours: &Ours<'_>,
        histories: &Histories,
        missed: &mut Vec<Missed<'a>>,
    ) {
        if self.0.is_empty() {
            return;
        }
        for &target in targets.iter().filter(|&&target| target::skip_reason(policy, target).is_none()) {
            for &Window { schedule, time, own } in &self.0 {
                let of = || {
                    let history = histories.of(ours, target.id());
                    history.filter(|dated| ours.answers(dated.place(), schedule, dated.scheduled_time, false))
                };
                let is_backup = |state: &SnapshotState| *state != SnapshotState::Error;
                // One for a later time has told it, or the schedule had another time of the day until then.
                let is_since = |at: Timestamp| at >= time && own.is_none_or(|own| at < own);
                let has_it = of().any(|dated| is_since(dated.scheduled_time) && is_backup(&dated.snapshot.state));
                // Of the schedule itself: another one's only spares it a snapshot where both are due.
                let is_own =
                    |dated: &Dated<'_>| ours.schedules(dated.place()).any(|(_, of)| std::ptr::eq(of, schedule));
                let is_earlier = |dated: &Dated<'_>| {
                    dated.scheduled_time < time && dated.snapshot.state == SnapshotState::Completed && is_own(dated)
                };
                let has_earlier = of().any(|dated| is_earlier(&dated));
                if !has_it && has_earlier {
                    missed.push(Missed { source: target.id(), schedule, scheduled_time: time });
                }
            }
        }
    }
}

/// Whether a start is the one for a scheduled time, and only came too late.
fn was_in_time(scheduled_time: Timestamp, options: &Options, start: &Start) -> bool {
    start.at <= saturating_add(scheduled_time, options.start_window)
}

/// The scheduled time before one.
fn previous(schedule: &Schedule, time: Timestamp) -> Option<Timestamp> {
    let before = time.checked_sub(jiff::SignedDuration::from_secs(1)).ok()?;
    schedule::latest_at_or_before(&schedule.create, before)
}

/// Whether a start meets nothing although it should: nothing is due, and there is no snapshot at all that would show that
/// other starts meet their times. A policy that was put after its last scheduled time has none to show yet.
pub(in crate::plan) fn meets_nothing(
    policy: &Policy,
    options: &Options,
    start: &Start,
    due: &[(&Schedule, Due)],
    (has_targets, has_snapshots): (bool, bool),
) -> Option<MeetsNothing> {
    let is_due = due.iter().any(|(_, due)| due.is_now());
    if policy.state == PolicyState::Disabled || is_due || !has_targets || has_snapshots {
        return None;
    }
    let times = || policy.schedules.iter();
    let before = times().filter_map(|of| schedule::latest_at_or_before(&of.create, start.at)).max();
    let after = times().filter_map(|of| schedule::next_after(&of.create, start.at)).min();
    let is_new = options.revision.is_some_and(|revision| before.is_none_or(|before| before < revision));
    (!is_new).then_some(MeetsNothing { start: start.at, before, after })
}
