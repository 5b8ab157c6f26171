//! Whether the backups of a volume have stopped. Our own rule: when they stop, nothing ages away.

use super::due::saturating_add;
use super::history::Histories;
use super::{SkipReason, Target, target};
use crate::lookup::Lookup;
use crate::options::Options;
use crate::policy::{CreateRule, Policy, Schedule, Targets};
use crate::schedule;
use crate::world::{SourceId, VolumeId};
use jiff::{SignedDuration, Timestamp};
use std::cell::Cell;

/// The volumes that the policy is to back up now, and where it is known, when anybody began their newest snapshot.
///
/// That one may still be under way, so it is no reason to let anything age away; it only keeps a volume out of the count.
///
/// A volume that was detached from its instance or is excluded now is not among them: its backups ended, they did not
/// stop, and what it has ages away but for the newest.
#[derive(Debug)]
pub(super) struct Stopped<'a> {
    policy: &'a Policy,
    window: SignedDuration,
    now: Timestamp,
    expected: Lookup<(SourceId, VolumeId), Option<Timestamp>>,
    /// The last answer about each schedule: most volumes of a run have their newest snapshot from one scheduled time.
    last_answers: Vec<Cell<Option<(Timestamp, bool)>>>,
}

impl<'a> Stopped<'a> {
    pub(super) fn new(policy: &'a Policy, options: &Options, now: Timestamp, targets: &[Target<'_>]) -> Self {
        let mut expected = Lookup::with_room_for(targets.len());
        for &target in targets {
            match target {
                _ if matches!(target::skip_reason(policy, target), Some(SkipReason::Excluded(_))) => {}
                Target::Instance(instance) => {
                    let volumes = target::included_volumes(policy, instance);
                    volumes.into_iter().for_each(|volume| expected.insert((target.id(), volume.id), None));
                }
                Target::Volume(volume) => {
                    expected.insert((target.id(), volume.id), volume.last_snapshot);
                }
            }
        }
        let last_answers = vec![Cell::new(None); policy.schedules.len()];
        Self { policy, window: options.start_window, now, expected, last_answers }
    }

    /// The newest complete backup of a volume, when it is older than the schedule's period plus the start window.
    pub(super) fn since(
        &self,
        histories: &Histories,
        schedule: &Schedule,
        source: SourceId,
        volume: VolumeId,
    ) -> Option<Timestamp> {
        self.expected.get(&(source, volume))?;
        let newest = histories.newest(source, volume)?;
        self.is_over(schedule, newest).then_some(newest)
    }

    /// Whether the period after `newest` and the start window are over.
    fn is_over(&self, schedule: &Schedule, newest: Timestamp) -> bool {
        let position = self.policy.schedules.iter().position(|other| std::ptr::eq(other, schedule));
        let Some(last) = position.and_then(|position| self.last_answers.get(position)) else {
            return self.has_passed(schedule, newest);
        };
        match last.get() {
            Some((of, answer)) if of == newest => answer,
            Some(_) | None => {
                let answer = self.has_passed(schedule, newest);
                last.set(Some((newest, answer)));
                answer
            }
        }
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

    /// How many volumes have no new complete backup although every schedule of theirs should have made one, and nobody
    /// else made one either.
    pub(super) fn count(&self, histories: &Histories) -> usize {
        let has_stopped = |&(source, volume, newest): &(SourceId, VolumeId, Timestamp)| {
            let Some(by_anybody) = self.expected.get(&(source, volume)) else { return false };
            self.policy.schedules.iter().all(|schedule| {
                self.is_over(schedule, newest) && by_anybody.is_none_or(|last| self.is_over(schedule, last))
            })
        };
        histories.volumes().filter(has_stopped).count()
    }
}
