//! Which scheduled times a run has missed, also when what would tell has been deleted since.

use super::progress::{FAILURES_MAX, Progress};
use super::subject::Subject;
use crate::plan::{Due, Plan, doubt};
use crate::world::{SnapshotState, SourceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A scheduled time that a target has no snapshot for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct MissedTime {
    /// The target and the schedule.
    pub subject: Subject,
    /// The time.
    pub scheduled_time: Timestamp,
}

/// Remembers what is missed by the first look that shows targets and snapshots of other times: what the run made itself it asks for by
/// its ids, and a list that is empty by mistake shows nothing else. With a count of one the run itself, or another for the
/// same start, deletes the snapshot of the time before, and nothing tells then that there was one.
pub(super) fn note(progress: &mut Progress, plan: &Plan<'_>) {
    if progress.missed.is_none() && plan.cut_short.is_none() && plan.targeted > 0 && shows_other_times(plan) {
        progress.missed = Some(of_plan(plan));
    }
}

/// By scheduled times, not by when it began: clocks differ, and a turn that crashed may have made some for this start.
fn shows_other_times(plan: &Plan<'_>) -> bool {
    let is_own = |time: &Timestamp| {
        plan.due.iter().any(|(_, due)| matches!(due, Due::Now { scheduled_time, .. } if scheduled_time == time))
    };
    let times = plan.snapshots.iter().filter_map(|decision| decision.snapshot.marks.scheduled_time.value());
    times.into_iter().any(|time| !is_own(time))
}

/// What a run that ends with this plan has missed, the first ones. What a later look shows was not, unless its tags are in doubt.
#[must_use]
pub fn missed(progress: &Progress, plan: &Plan<'_>) -> Vec<MissedTime> {
    let Some(missed) = &progress.missed else { return of_plan(plan) };
    let is_there = |missed: &&MissedTime| {
        let Subject::Creation { target, .. } = &missed.subject else { return false };
        plan.snapshots.iter().map(|decision| decision.snapshot).any(|snapshot| {
            let is_of_target = match target {
                SourceId::Instance(id) => snapshot.marks.instance_id.value() == Some(id),
                SourceId::Volume(id) => snapshot.volume_id == *id,
            };
            let is_for_time = snapshot.marks.scheduled_time.value() == Some(&missed.scheduled_time);
            is_of_target && is_for_time && snapshot.state != SnapshotState::Error && doubt(snapshot).is_none()
        })
    };
    let of_plan = of_plan(plan);
    missed.iter().filter(|missed| of_plan.contains(missed) || !is_there(missed)).cloned().collect()
}

fn of_plan(plan: &Plan<'_>) -> Vec<MissedTime> {
    let missed = plan.missed.iter().take(FAILURES_MAX).map(|missed| MissedTime {
        subject: Subject::creation(&missed.schedule.name, missed.source),
        scheduled_time: missed.scheduled_time,
    });
    missed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::options::Options;
    use crate::plan::plan;
    use crate::world::{Snapshot, Volume, World};

    const NOW: &str = "2026-11-22T17:00:30Z";

    /// What is remembered of a start for 22 November that sees these targets and snapshots: the days.
    fn remembered(volumes: Vec<Volume>, snapshots: Vec<Snapshot>) -> Option<Vec<String>> {
        let (policy, options, start) = (sample(), Options::default(), start("2026-11-22T17:00:00Z"));
        let world = World { volumes, snapshots, ..World::default() };
        let mut progress = Progress::new(&start);
        note(&mut progress, &plan(&policy, &options, &start, at(NOW), &world));
        let day = |missed: MissedTime| missed.scheduled_time.to_string()[..10].to_owned();
        progress.missed.map(|missed| missed.into_iter().map(day).collect())
    }

    fn of_day(day: u32) -> Snapshot {
        snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z"))
    }

    #[test]
    fn a_look_that_shows_nothing_but_what_this_start_made_tells_nothing_of_the_times_before() {
        let missed = |days: &[&str]| Some(days.iter().map(|day| (*day).to_owned()).collect::<Vec<_>>());
        // A turn that crashed made it, by a clock that is behind.
        let of_the_crashed = Snapshot { start_time: at("2026-11-22T16:59:40Z"), ..of_day(22) };
        for (snapshots, expected) in [
            (vec![], None),
            (vec![of_the_crashed.clone()], None),
            (vec![of_the_crashed.clone(), of_day(21)], missed(&[])),
            (vec![of_the_crashed, of_day(20)], missed(&["2026-11-21"])),
            (vec![of_day(20)], missed(&["2026-11-21"])),
        ] {
            assert_eq!(remembered(vec![volume(1)], snapshots.clone()), expected);
            assert_eq!(remembered(vec![], snapshots), None, "a list without targets");
        }
    }
}
