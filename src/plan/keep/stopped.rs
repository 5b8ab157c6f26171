//! Whether the backups of a volume have stopped. Our own rule: when they stop, nothing ages away.

use crate::lookup::LookupSet;
use crate::options::Options;
use crate::plan::due::saturating_add;
use crate::plan::history::{Dated, Histories};
use crate::plan::ours::Ours;
use crate::plan::{SkipReason, Target, copies, target};
use crate::policy::{CreateRule, Policy, Schedule, Targets};
use crate::schedule;
use crate::world::{SnapshotState, SourceId, VolumeId};
use jiff::{SignedDuration, Timestamp};
use std::cell::Cell;

/// The volumes that the policy is to back up now.
///
/// A volume that was detached from its instance or is excluded now is not among them: its backups ended, they did not
/// stop, and what it has ages away but for the newest.
#[derive(Debug)]
pub(in crate::plan) struct Stopped<'a> {
    policy: &'a Policy,
    window: SignedDuration,
    now: Timestamp,
    expected: LookupSet<(SourceId, VolumeId)>,
    /// The last answer about each schedule.
    last_answers: Vec<Cell<Option<(Timestamp, bool)>>>,
    /// The last answer about all schedules.
    last_answer: Cell<Option<(Timestamp, bool)>>,
}

impl<'a> Stopped<'a> {
    pub(in crate::plan) fn new(policy: &'a Policy, options: &Options, now: Timestamp, targets: &[Target<'_>]) -> Self {
        let mut expected = LookupSet::with_room_for(targets.len());
        for &target in targets {
            match target {
                _ if matches!(target::skip_reason(policy, target), Some(SkipReason::Excluded(_))) => {}
                Target::Instance(instance) => {
                    let volumes = target::included_volumes(policy, instance);
                    expected.extend(volumes.into_iter().map(|volume| (target.id(), volume.id)));
                }
                Target::Volume(volume) => expected.extend([(target.id(), volume.id)]),
            }
        }
        let last_answers = vec![Cell::new(None); policy.schedules.len()];
        Self { policy, window: options.start_window, now, expected, last_answers, last_answer: Cell::new(None) }
    }

    /// The newest complete backup of a volume, when it is older than the schedule's period plus the start window.
    pub(in crate::plan) fn since(
        &self,
        histories: &Histories,
        schedule: &Schedule,
        source: SourceId,
        volume: VolumeId,
    ) -> Option<Timestamp> {
        let newest = histories.newest(source, volume).filter(|_| self.expected.contains(&(source, volume)))?;
        self.is_over(schedule, newest).then_some(newest)
    }

    /// The newest complete copy of a volume, when it is older than the schedule's period, the start window and the time for which a copy
    /// is tried.
    pub(in crate::plan) fn copies_since(
        &self,
        schedule: &Schedule,
        source: SourceId,
        volume: VolumeId,
        newest: Timestamp,
    ) -> Option<Timestamp> {
        let as_of_snapshots = saturating_add(newest, copies::WINDOW);
        let is_expected = self.expected.contains(&(source, volume));
        (is_expected && self.has_passed(schedule, as_of_snapshots)).then_some(newest)
    }

    /// Whether the period of a schedule after `newest` and the start window are over.
    fn is_over(&self, schedule: &Schedule, newest: Timestamp) -> bool {
        let position = self.policy.schedules.iter().position(|other| std::ptr::eq(other, schedule));
        let Some(last) = position.and_then(|position| self.last_answers.get(position)) else {
            return self.has_passed(schedule, newest);
        };
        remembered(last, newest, || self.has_passed(schedule, newest))
    }

    /// Whether the policy's shortest period after `newest` and the start window are over. A period is the time between the
    /// scheduled times around `newest`: a yearly time makes no daily backup old, and a weekend none of a weekday.
    fn is_old(&self, newest: Timestamp) -> bool {
        let has_passed = || {
            let period = self.policy.schedules.iter().filter_map(|schedule| self.period_at(schedule, newest)).min();
            period.is_some_and(|period| self.now > saturating_add(saturating_add(newest, period), self.window))
        };
        remembered(&self.last_answer, newest, has_passed)
    }

    fn period_at(&self, schedule: &Schedule, newest: Timestamp) -> Option<SignedDuration> {
        if let (CreateRule::OnStart, Targets::AllVolumes(default)) = (&schedule.create, &self.policy.targets) {
            return Some(SignedDuration::from_hours(24 * i64::from(default.create_interval_days.get())));
        }
        let next = schedule::next_after(&schedule.create, newest)?;
        // Before its first time a schedule has no period yet, only a wait.
        let last = schedule::latest_at_or_before(&schedule.create, newest).unwrap_or(newest);
        Some(next.duration_since(last))
    }

    fn has_passed(&self, schedule: &Schedule, newest: Timestamp) -> bool {
        let next = match (&schedule.create, &self.policy.targets) {
            (CreateRule::OnStart, Targets::AllVolumes(default)) => {
                let days = i64::from(default.create_interval_days.get());
                Some(saturating_add(newest, SignedDuration::from_hours(24 * days)))
            }
            _ => schedule::next_after(&schedule.create, newest),
        };
        next.is_some_and(|next| self.now > saturating_add(next, self.window))
    }

    /// How many volumes of `targets` have a backup, and none that is newer than the shortest period of the policy and the start
    /// window: of whichever schedule, complete or under way for less than a day, archived or not; under a default policy by
    /// anybody. What is in a state in which EC2 makes none is not among them.
    pub(in crate::plan) fn count(&self, targets: &[Target<'_>], ours: &Ours<'_>, histories: &Histories) -> usize {
        let is_backed_up = |target: &&Target<'_>| target::skip_reason(self.policy, **target).is_none();
        targets.iter().filter(is_backed_up).map(|&target| self.count_of(target, ours, histories)).sum()
    }

    fn count_of(&self, target: Target<'_>, ours: &Ours<'_>, histories: &Histories) -> usize {
        let has_stopped = |volume: VolumeId, by_anybody: Option<Timestamp>| {
            let is_backup = |dated: &Dated<'_>| {
                let (snapshot, day) = (dated.snapshot, SignedDuration::from_hours(24));
                let is_under_way =
                    snapshot.state == SnapshotState::Pending && self.now.duration_since(snapshot.start_time) < day;
                snapshot.volume_id == volume
                    && !ours.is_run_now(dated.place())
                    && (snapshot.state == SnapshotState::Completed || is_under_way)
            };
            let newest = histories.of(ours, target.id()).find(is_backup).map(|dated| dated.scheduled_time);
            // A snapshot by anybody else counts only beside one of ours: else nothing has stopped.
            let newest = newest.map(|newest| by_anybody.map_or(newest, |other| newest.max(other)));
            newest.is_some_and(|newest| self.is_old(newest))
        };
        match target {
            Target::Instance(instance) => {
                let volumes = target::included_volumes(self.policy, instance);
                volumes.into_iter().filter(|volume| has_stopped(volume.id, None)).count()
            }
            Target::Volume(volume) => {
                // Anybody's snapshot makes a volume fresh for a default policy, and for no other.
                let is_fresh_by_any = matches!(self.policy.targets, Targets::AllVolumes(_));
                usize::from(has_stopped(volume.id, volume.last_snapshot.filter(|_| is_fresh_by_any)))
            }
        }
    }
}

/// An answer about a time, worked out unless the last one was about the same: most volumes of a run have their newest snapshot
/// from one scheduled time.
fn remembered(last: &Cell<Option<(Timestamp, bool)>>, about: Timestamp, answer: impl FnOnce() -> bool) -> bool {
    match last.get() {
        Some((of, answer)) if of == about => answer,
        Some(_) | None => {
            let answer = answer();
            last.set(Some((about, answer)));
            answer
        }
    }
}
