//! What is left to do in other Regions, what is open, and what was missed.

use super::BegunCopy;
use super::calls::{deletions_left, is_given_up, refused};
use crate::action::{Action, Outcome};
use crate::options::Options;
use crate::plan::copies::{CopyVerdict, CopyWait, RegionPlan};
use crate::plan::{Plan, SnapshotVerdict};
use crate::turn::progress::Progress;
use crate::turn::subject::Subject;
use crate::world::SnapshotState;
use std::collections::BTreeSet;

/// How long a run waits at the longest while copies are queued for a place, in seconds: places become free one after the other, and
/// each stands empty for half of this. At 20 s copies of ten minutes each take 1.02 times as long as EC2 makes them take.
pub(in crate::turn) const WAIT_FOR_PLACE_SECONDS: u32 = 20;

/// How long a run waits that has nothing left to do but to see slow copies become complete: a terabyte takes hours, and a day of looks
/// every minute would be 1,440 turns of the function and of the state machine. Our own.
pub(in crate::turn) const WAIT_FOR_SLOW_COPIES_SECONDS: u32 = 300;

/// After so many turns of a minute in which nothing became complete copies count as slow.
pub(in crate::turn) const IDLE_TURNS_UNTIL_SLOW: u32 = 15;

/// What is left to do in other Regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::turn) struct Left {
    /// Copies that this run begins or sees become complete, and Regions that it has to look at.
    pub(in crate::turn) open: usize,
    /// Of those the ones that wait for a place.
    pub(in crate::turn) queued: usize,
    /// Of those the ones that are under way.
    pub(in crate::turn) under_way: usize,
    /// Copies that this run gives up, and Regions that it could not look at.
    pub(in crate::turn) failed: usize,
    /// Deletions that another turn should try.
    pub(in crate::turn) deletions: usize,
    /// Deletions that will not be tried again in this run.
    pub(in crate::turn) deletions_failed: usize,
}

impl Left {
    /// Whether another turn has something to do or to look at.
    pub(in crate::turn) fn is_open(&self) -> bool {
        self.open > 0 || self.deletions > 0
    }

    /// Whether something was not done and will not be.
    pub(in crate::turn) fn has_failed(&self) -> bool {
        self.failed > 0 || self.deletions_failed > 0
    }
}

/// How many copies that were missed a run remembers one by one.
const MISSED_MAX: usize = 50;

/// How many copies that are to begin, and as many that are under way, a run remembers one by one: their snapshots are asked for by their
/// ids, in one call. Where more are open some of them are shown.
const OPEN_MAX: usize = 50;

/// Remembers what was not copied in time, as long as no copy of it is seen.
fn note_missed(progress: &mut Progress, plan: &Plan<'_>) {
    note_open(progress, plan);
    for region in &plan.regions {
        for wanted in &region.wanted {
            let subject = Subject::of_copy(&wanted.source.id, &region.region);
            match wanted.verdict {
                CopyVerdict::GivenUp { is_news: true, .. } if progress.copies.missed.len() < MISSED_MAX => {
                    progress.copies.missed.insert(subject);
                }
                CopyVerdict::Done(_) => {
                    progress.copies.missed.remove(&subject);
                }
                _ => {}
            }
        }
        for lost in region.lost.iter().take(MISSED_MAX.saturating_sub(progress.copies.missed.len())) {
            progress.copies.missed.insert(Subject::of_copy(&lost.source, &region.region));
        }
    }
}

/// Remembers what is open, and as missed what was under way and failed when its time was over, and what was to be begun when its Region was
/// last seen and is wanted no more, although its snapshot is there. Where a Region is not seen its copies may have come and gone.
fn note_open(progress: &mut Progress, plan: &Plan<'_>) {
    let mut wanted = BTreeSet::new();
    let before = std::mem::take(&mut progress.copies.to_begin);
    let awaited_before = std::mem::take(&mut progress.copies.awaited);
    for region in &plan.regions {
        for each in &region.wanted {
            let subject = Subject::of_copy(&each.source.id, &region.region);
            let lacks = region.unseen.is_none() && !matches!(each.verdict, CopyVerdict::UnderWay { .. });
            let open = if lacks { &mut progress.copies.to_begin } else { &mut progress.copies.awaited };
            // A list that leaves a member out for a moment ends no promise; what was never complete has none to be copied.
            let lacks_source = matches!(each.verdict, CopyVerdict::Wait(CopyWait::SourceNotComplete { .. }));
            let is_open = if lacks_source { before.contains(&subject) } else { each.is_open() };
            if is_open && open.len() < OPEN_MAX {
                open.insert(subject.clone());
            }
            wanted.insert(subject);
        }
    }
    let region_of = |subject: &Subject| {
        let (_, of) = subject.in_region()?;
        plan.regions.iter().find(|region| region.region == *of).filter(|region| region.unseen.is_none())
    };
    // One that was under way for so long that its time is over when it fails: nobody began another one meanwhile.
    for subject in awaited_before.into_iter().filter(|subject| !wanted.contains(subject)) {
        match region_of(&subject) {
            None if progress.copies.awaited.len() < OPEN_MAX => {
                progress.copies.awaited.insert(subject);
            }
            Some(region) if progress.copies.missed.len() < MISSED_MAX && has_failed(region, &subject) => {
                progress.copies.missed.insert(subject);
            }
            Some(_) | None => {}
        }
    }
    for subject in before {
        let Some((source, _)) = subject.in_region() else { continue };
        let is_seen = region_of(&subject).is_some();
        if !is_seen && progress.copies.to_begin.len() < OPEN_MAX {
            progress.copies.to_begin.insert(subject);
            continue;
        }
        if wanted.contains(&subject) {
            continue;
        }
        // Of two for one time the other one's copy is enough.
        let is_there = || {
            let of_it = plan.snapshots.iter().find(|decision| decision.snapshot.id == source);
            of_it.is_some_and(|decision| !decision.is_of_duplicate())
        };
        if is_seen && progress.copies.missed.len() < MISSED_MAX && is_there() {
            progress.copies.missed.insert(subject);
        }
    }
}

/// Whether a Region shows a copy that failed, of the snapshot that a subject is about, and none that is complete.
fn has_failed(region: &RegionPlan<'_>, subject: &Subject) -> bool {
    let Some((source, _)) = subject.in_region() else { return false };
    let copies = region.copies.iter().map(|decision| decision.snapshot);
    let of_it = copies.filter(|copy| copy.marks.copied_from.value().is_some_and(|from| from.snapshot == source));
    let states: Vec<&SnapshotState> = of_it.map(|copy| &copy.state).collect();
    states.contains(&&SnapshotState::Error) && !states.contains(&&SnapshotState::Completed)
}

/// What is left after the actions that were `done`; remembers how much of it is open.
pub(in crate::turn) fn left(
    options: &Options,
    plan: &Plan<'_>,
    progress: &mut Progress,
    done: &[(Action, Outcome)],
) -> Left {
    note_missed(progress, plan);
    let mut left = left_by_plan(options, plan, progress, done);
    // The run knows these by their ids, and nobody else knows them by their tags.
    let is_there = |begun: &&BegunCopy| {
        let region = begun.subject.in_region().map(|(_, region)| region);
        plan.regions.iter().any(|of| Some(&of.region) == region)
    };
    left.failed += progress.copies.missed.len() + progress.copies.lost().filter(is_there).count();
    left
}

fn left_by_plan(options: &Options, plan: &Plan<'_>, progress: &Progress, done: &[(Action, Outcome)]) -> Left {
    let mut left = Left::default();
    let finished = |outcome: &Outcome| matches!(outcome, Outcome::Created(_) | Outcome::Deleted);
    let finished: BTreeSet<Subject> = done
        .iter()
        .filter(|(action, outcome)| action.region().is_some() && finished(outcome))
        .map(|(action, _)| Subject::of(action))
        .collect();
    let mut may_go = deletions_left(options, plan, progress);
    for region in &plan.regions {
        let refused = refused(region, progress);
        for wanted in &region.wanted {
            let subject = Subject::of_copy(&wanted.source.id, &region.region);
            match &wanted.verdict {
                // Counted by its id.
                CopyVerdict::Begin { .. } if progress.copies.has_lost(&subject) => {}
                CopyVerdict::Begin { .. } if finished.contains(&subject) || progress.copies.has_begun(&subject) => {
                    left.open += 1;
                    left.under_way += 1;
                }
                CopyVerdict::Begin { .. }
                    if refused.contains(&wanted.promise.encryption()) || progress.copies.is_refused(&subject) =>
                {
                    left.failed += 1;
                }
                CopyVerdict::Begin { .. } => {
                    left.open += 1;
                    left.queued += 1;
                }
                // Nobody but a person gives a role its rights.
                CopyVerdict::Wait(CopyWait::Unseen) if region.is_denied() => left.failed += 1,
                CopyVerdict::UnderWay { is_awaited, .. } => {
                    left.open += usize::from(*is_awaited);
                    left.under_way += usize::from(*is_awaited);
                }
                CopyVerdict::GivenUp { is_news, .. } => left.failed += usize::from(*is_news),
                CopyVerdict::Done(_) | CopyVerdict::Wait(_) => left.open += usize::from(wanted.is_open()),
            }
        }
        match &region.unseen {
            Some(unseen) if unseen.is_not_yet() => left.open += 1,
            Some(_) => left.failed += usize::from(region.is_missed()),
            None => {}
        }
        for copy in region.copies.iter().filter(|copy| matches!(copy.verdict, SnapshotVerdict::Delete(_))) {
            let subject = Subject::of_copy(&copy.snapshot.id, &region.region);
            if finished.contains(&subject) || region.rests_on(copy).is_none() {
                continue;
            }
            if is_given_up(progress, &subject) {
                left.deletions_failed += 1;
            } else if may_go > 0 {
                may_go -= 1;
                left.deletions += 1;
            } else {
                left.deletions_failed += 1;
            }
        }
    }
    left
}
