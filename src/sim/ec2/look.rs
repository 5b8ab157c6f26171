//! Looking as the function does: the first way that shows enough, and some volumes in full.

use super::{Ec2, ListFailure};
use crate::options::Options;
use crate::policy::Policy;
use crate::turn::{Progress, look};
use crate::world::{Coverage, CutShort, Excerpt, Snapshot, Sweep, World};
use jiff::Timestamp;

impl Ec2 {
    /// What a turn with this progress sees at `now`.
    ///
    /// # Errors
    /// When a list fails.
    pub fn look(
        &mut self,
        policy: &Policy,
        options: &Options,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<World, ListFailure> {
        for sweep in look::sweeps(policy, options, progress) {
            let mut world = self.observe_by(policy, &sweep, now)?;
            if look::is_enough(policy, progress, &sweep, &world) {
                if let Some(excerpt) = look::excerpt(progress, &sweep, &world) {
                    self.look_in_full(excerpt, now, &mut world)?;
                }
                return Ok(world);
            }
        }
        self.observe(policy, now)
    }

    /// All snapshots of some volumes, beside what a look at some scheduled times has shown. These lists lag and fail too.
    fn look_in_full(&mut self, excerpt: Excerpt, now: Timestamp, world: &mut World) -> Result<(), ListFailure> {
        if self.random.happens(self.faults.list_failure) {
            return Err(ListFailure::Unavailable);
        }
        let mut shown = self.list_snapshots(now, |snapshot| excerpt.in_full.contains(&snapshot.volume_id));
        if self.random.happens(self.faults.cut_short) {
            world.coverage = Coverage::Partial(CutShort::TooManyPages);
            shown.truncate(self.random.index(shown.len()).unwrap_or(0));
        }
        world.look_in_full(excerpt, shown);
        Ok(())
    }
}

/// Whether a look asks for a snapshot. Where a list lags, EC2 compares what it shows.
pub(super) fn is_asked_for(sweep: &Sweep, snapshot: &Snapshot) -> bool {
    let time = snapshot.marks.scheduled_time.value();
    sweep.scheduled_times.as_ref().is_none_or(|times| time.is_some_and(|time| times.contains(time)))
}
