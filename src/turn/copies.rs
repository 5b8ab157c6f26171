//! The copies of a turn: which ones are begun, what travels of them, and what is left.

use super::progress::Progress;
use super::subject::Subject;
use crate::action::{Action, Failed, FailedKind, Outcome};
use crate::options::{MaximumDeletions, Options};
use crate::place::Region;
use crate::plan::copies::{self, CopyVerdict, CopyWait, RegionPlan, UNDER_WAY_MAX, Wanted};
use crate::plan::{Plan, SnapshotDecision, SnapshotVerdict};
use crate::policy::Policy;
use crate::tags;
use crate::world::{SnapshotId, SnapshotState, World};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many copies that were begun and are not shown as ours are remembered: 20 may be under way in each Region, and a few Regions
/// hold some whose tags somebody has taken off. At 90 bytes each they stay under 20 KB.
const BEGUN_MAX: usize = 200;

/// So many refusals, and no copy begun: what is wrong is the Region's or the key's, and the next one would be refused too.
const REFUSALS_MAX: usize = 3;

/// How long a run waits at the longest while copies are queued for a place, in seconds: places become free one after the other, and
/// each stands empty for half of this. At 20 s copies of ten minutes each take 1.02 times as long as EC2 makes them take.
pub(super) const WAIT_FOR_PLACE_SECONDS: u32 = 20;

/// How long a run waits that has nothing left to do but to see slow copies become complete: a terabyte takes hours, and a day of looks
/// every minute would be 1,440 turns of the function and of the state machine. Our own.
pub(super) const WAIT_FOR_SLOW_COPIES_SECONDS: u32 = 300;

/// After so many turns of a minute in which nothing became complete copies count as slow.
pub(super) const IDLE_TURNS_UNTIL_SLOW: u32 = 15;

/// What travels from turn to turn of a run's copies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Copies {
    /// What was begun, or perhaps was, and is not shown as a copy of ours yet, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub begun: Vec<BegunCopy>,
    /// For each Region how many copies the run has begun.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub begun_in: BTreeMap<String, u64>,
    /// For each Region how many may be under way, where EC2 has refused one more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, usize>,
    /// For each Region how many copies the run has deleted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deleted_in: BTreeMap<String, u64>,
    /// Copies that were not made in time and that the run has to tell, also when their snapshots are gone by its end.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missed: BTreeSet<Subject>,
    /// Copies that were to be begun after the last turn: one that is wanted no more a turn later, since it would be over by now, was missed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub to_begin: BTreeSet<Subject>,
    /// Copies under way that the run waits for, as after the last turn.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub awaited: BTreeSet<Subject>,
}

/// A copy that EC2 accepted, or perhaps did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct BegunCopy {
    /// The snapshot and the Region.
    pub subject: Subject,
    /// The copy, where EC2 answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When the turn's calls had ended.
    pub at: Timestamp,
    /// Whether EC2 said when it was last asked that there is no such snapshot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_found: bool,
    /// Whether EC2 showed it without the tags that make it ours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_ours: bool,
}

impl Copies {
    /// Whether the run has had nothing to do with copies.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        *self == Self::default()
    }

    /// How many copies the run has begun and deleted.
    #[must_use]
    pub fn worked(&self) -> u64 {
        self.begun_in.values().sum::<u64>().saturating_add(self.deleted())
    }

    /// How many copies the run has deleted, in all Regions.
    pub(super) fn deleted(&self) -> u64 {
        self.deleted_in.values().sum()
    }

    /// The copies that lost the tags that make them ours, each with what it was made of.
    pub(crate) fn lost(&self) -> impl Iterator<Item = &BegunCopy> {
        self.begun.iter().filter(|begun| begun.not_ours)
    }

    fn has_lost(&self, subject: &Subject) -> bool {
        self.lost().any(|begun| begun.subject == *subject)
    }

    fn has_begun(&self, subject: &Subject) -> bool {
        self.begun.iter().any(|begun| begun.subject == *subject)
    }

    /// The copies in a Region to ask for by their ids where its list does not show them.
    #[must_use]
    pub fn ids_begun(&self, region: &Region) -> BTreeSet<SnapshotId> {
        let in_region = self.begun.iter().filter(|begun| begun.subject.in_region().is_some_and(|(_, of)| of == region));
        in_region.filter_map(|begun| SnapshotId::parse(begun.id.as_deref()?)).collect()
    }

    /// Takes in what a look at `now` shows of what was begun. What is listed as ours is not remembered any more, and so is what two looks
    /// did not find by its id. What stays without the tags of ours is remembered, so that it is not made again.
    pub fn note_look(&mut self, policy: &Policy, world: &World, now: Timestamp, settling: SignedDuration) {
        let Some(home) = &world.home else { return };
        self.begun.retain_mut(|begun| {
            let region = begun.subject.in_region().map(|(_, region)| region);
            let Some((region, view)) = region.and_then(|region| world.regions.get_key_value(region)) else {
                return true;
            };
            let is_over = now.duration_since(begun.at) >= settling;
            let Some(id) = begun.id.as_deref().and_then(SnapshotId::parse) else { return !is_over || view.is_unseen() };
            let shown = view.snapshots.iter().find(|snapshot| snapshot.id == id);
            if shown.is_some_and(|copy| tags::is_copy_of_ours(&policy.id, home, region, copy)) {
                // By its id alone it may still be missing from the next list.
                return view.by_id.shown.contains(&id);
            }
            begun.not_ours = shown.is_some();
            let was_not_found = std::mem::replace(&mut begun.not_found, view.by_id.not_found.contains(&id));
            !(begun.not_found && was_not_found && is_over)
        });
    }

    /// The snapshots whose copies were open after the last turn: whatever a list leaves out, they are asked for by their ids. Else the run
    /// would end with copies open that it does not know of any more.
    pub(super) fn open_sources(&self) -> impl Iterator<Item = SnapshotId> {
        self.to_begin.iter().chain(&self.awaited).filter_map(|subject| Some(subject.in_region()?.0))
    }

    fn remember(&mut self, subject: Subject, id: Option<SnapshotId>, at: Timestamp) {
        let id = id.map(|id| id.to_string());
        self.begun.push(BegunCopy { subject, id, at, not_found: false, not_ours: false });
        let excess = self.begun.len().saturating_sub(BEGUN_MAX);
        self.begun.drain(..excess);
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

/// Remembers what is open, and as missed what was to be begun a turn ago and is wanted no more, although its snapshot is there.
fn note_open(progress: &mut Progress, plan: &Plan<'_>) {
    let mut wanted = BTreeSet::new();
    let before = std::mem::take(&mut progress.copies.to_begin);
    progress.copies.awaited.clear();
    for region in &plan.regions {
        for each in &region.wanted {
            let subject = Subject::of_copy(&each.source.id, &region.region);
            let is_under_way = matches!(each.verdict, CopyVerdict::UnderWay { .. });
            let open = if is_under_way { &mut progress.copies.awaited } else { &mut progress.copies.to_begin };
            if each.is_open() && open.len() < OPEN_MAX {
                open.insert(subject.clone());
            }
            wanted.insert(subject);
        }
    }
    for subject in before.into_iter().filter(|subject| !wanted.contains(subject)) {
        let Some((source, of)) = subject.in_region() else { continue };
        let is_seen = plan.regions.iter().any(|region| region.unseen.is_none() && region.region == *of);
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

/// The calls in other Regions: copies, as many as there are places for, and deletions.
pub(super) fn select(
    policy: &Policy,
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    (home, now): (Option<&Region>, Timestamp),
    deletions_at_home: usize,
) -> Vec<Action> {
    let Some(home) = home else { return Vec::new() };
    let mut may_go = deletions_left(options, plan, progress).saturating_sub(deletions_at_home);
    let mut actions = Vec::new();
    for region in &plan.regions {
        let begin = to_begin(region, progress).into_iter().take(places(region, progress));
        actions.extend(begin.filter_map(|wanted| copies::begin(policy, options, now, (home, &region.region), wanted)));
        let to_go = region.copies.iter().filter(|copy| matches!(copy.verdict, SnapshotVerdict::Delete(_)));
        let to_go =
            to_go.filter(|copy| !progress.is_deletion_given_up(&Subject::of_copy(&copy.snapshot.id, &region.region)));
        let deletions = to_go.filter_map(|copy| Some((copy.snapshot, region.rests_on(copy)?)));
        let deletions: Vec<_> = deletions.take(may_go).collect();
        may_go -= deletions.len();
        let deletion = |(copy, rests_on)| copies::deletion(policy, (home, &region.region), copy, rests_on);
        actions.extend(deletions.into_iter().map(deletion));
    }
    actions
}

/// What a bound that somebody set leaves for all Regions together.
fn deletions_left(options: &Options, plan: &Plan<'_>, progress: &Progress) -> usize {
    match options.maximum_deletions {
        MaximumDeletions::Default => usize::MAX,
        maximum @ (MaximumDeletions::Number(_) | MaximumDeletions::PerCent(_)) => {
            let allowed = maximum.allowed(
                progress.older_snapshots.max(plan.older.snapshots),
                progress.older_volumes.max(plan.older.volumes),
            );
            let deleted = progress.deleted.saturating_add(progress.copies.deleted());
            allowed.saturating_sub(usize::try_from(deleted).unwrap_or(usize::MAX))
        }
    }
}

/// The copies that are begun as soon as there is a place, in their order.
fn to_begin<'p, 'a>(region: &'p RegionPlan<'a>, progress: &Progress) -> Vec<&'p Wanted<'a>> {
    if is_refused(region, progress) {
        return Vec::new();
    }
    let is_to_begin = |wanted: &&Wanted<'_>| {
        let subject = Subject::of_copy(&wanted.source.id, &region.region);
        matches!(wanted.verdict, CopyVerdict::Begin { .. })
            && !progress.copies.has_begun(&subject)
            && !progress.is_given_up(&subject)
    };
    region.wanted.iter().filter(is_to_begin).collect()
}

/// Whether EC2 has refused copies to a Region and begun none.
fn is_refused(region: &RegionPlan<'_>, progress: &Progress) -> bool {
    let has_begun = progress.copies.begun_in.get(region.region.as_str()).is_some_and(|&begun| begun > 0);
    let refusals = region.wanted.iter().filter(|wanted| {
        matches!(wanted.verdict, CopyVerdict::Begin { .. })
            && progress.is_given_up(&Subject::of_copy(&wanted.source.id, &region.region))
    });
    !has_begun && refusals.count() >= REFUSALS_MAX
}

/// How many more copies may be under way in a Region. Where EC2 refused one although none of ours was, one finds out whether it does still.
fn places(region: &RegionPlan<'_>, progress: &Progress) -> usize {
    let pending = under_way(region, progress);
    let learnt = progress.copies.places.get(region.region.as_str()).copied().unwrap_or(UNDER_WAY_MAX);
    let places = learnt.min(UNDER_WAY_MAX).saturating_sub(pending);
    if pending == 0 { places.max(1) } else { places }
}

fn under_way(region: &RegionPlan<'_>, progress: &Progress) -> usize {
    let shown = region.copies.iter().filter(|copy| copy.snapshot.state == SnapshotState::Pending);
    let shown: BTreeSet<String> = shown.map(|copy| copy.snapshot.id.to_string()).collect();
    let in_region = |begun: &&BegunCopy| begun.subject.in_region().is_some_and(|(_, of)| *of == region.region);
    let is_hidden = |begun: &&BegunCopy| begun.id.as_ref().is_none_or(|id| !shown.contains(id));
    shown.len() + progress.copies.begun.iter().filter(in_region).filter(is_hidden).count()
}

/// Remembers what came of the calls in other Regions.
pub(super) fn note(progress: &mut Progress, plan: &Plan<'_>, done: &[(Action, Outcome)], now: Timestamp) {
    let pending: BTreeMap<Region, usize> =
        plan.regions.iter().map(|region| (region.region.clone(), under_way(region, progress))).collect();
    let mut begun: BTreeMap<&Region, (usize, bool)> = BTreeMap::new();
    for (action, outcome) in done {
        let Some(region) = action.region() else { continue };
        let subject = Subject::of(action);
        let is_copy = matches!(action, Action::CopySnapshot(_));
        match outcome {
            Outcome::Created(ids) => {
                begun.entry(region).or_default().0 += 1;
                *progress.copies.begun_in.entry(region.to_string()).or_default() += 1;
                progress.copies.remember(subject.clone(), ids.first().copied(), now);
                progress.forget_failure(&subject);
            }
            Outcome::Deleted => {
                *progress.copies.deleted_in.entry(region.to_string()).or_default() += 1;
                progress.forget_failure(&subject);
            }
            Outcome::Failed(Failed { kind: FailedKind::TooManyPending, .. }) if is_copy => {
                begun.entry(region).or_default().1 = true;
            }
            Outcome::Failed(Failed { kind: FailedKind::Throttled, .. }) if is_copy => {}
            Outcome::Failed(failed) => {
                if is_copy && failed.kind == FailedKind::Unclear {
                    progress.copies.remember(subject.clone(), None, now);
                }
                progress.remember_failure(action.api().name(), subject, failed);
            }
            Outcome::Changed(_) | Outcome::NotStarted => {}
        }
    }
    for (region, (made, is_full)) in begun {
        let under_way = pending.get(region).copied().unwrap_or(0) + made;
        let places = progress.copies.places.get(region.as_str()).copied();
        let after = if is_full { Some(under_way) } else { places.map(|places| places + 1) };
        match after.filter(|&places| places < UNDER_WAY_MAX) {
            Some(places) => progress.copies.places.insert(region.to_string(), places),
            None => progress.copies.places.remove(region.as_str()),
        };
    }
}

/// What is left to do in other Regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Left {
    /// Copies that this run begins or sees become complete, and Regions that it has to look at.
    pub(super) open: usize,
    /// Of those the ones that wait for a place.
    pub(super) queued: usize,
    /// Of those the ones that are under way.
    pub(super) under_way: usize,
    /// Copies that this run gives up, and Regions that it could not look at.
    pub(super) failed: usize,
    /// Deletions that another turn should try.
    pub(super) deletions: usize,
    /// Deletions that will not be tried again in this run.
    pub(super) deletions_failed: usize,
}

impl Left {
    /// Whether another turn has something to do or to look at.
    pub(super) fn is_open(&self) -> bool {
        self.open > 0 || self.deletions > 0
    }

    /// Whether something was not done and will not be.
    pub(super) fn has_failed(&self) -> bool {
        self.failed > 0 || self.deletions_failed > 0
    }
}

/// How many copies would go that a bound which somebody set keeps.
#[must_use]
pub(crate) fn withheld(options: &Options, plan: &Plan<'_>, progress: &Progress) -> usize {
    let goes = |copy: &&SnapshotDecision<'_>| matches!(copy.verdict, SnapshotVerdict::Delete(_));
    let planned = plan.regions.iter().flat_map(|region| &region.copies).filter(goes).count();
    planned.saturating_sub(deletions_left(options, plan, progress))
}

/// What is left after the actions that were `done`; remembers how much of it is open.
pub(super) fn left(options: &Options, plan: &Plan<'_>, progress: &mut Progress, done: &[(Action, Outcome)]) -> Left {
    note_missed(progress, plan);
    let mut left = left_by_plan(options, plan, progress, done);
    left.failed += progress.copies.missed.len();
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
        let is_refused = is_refused(region, progress);
        for wanted in &region.wanted {
            let subject = Subject::of_copy(&wanted.source.id, &region.region);
            match &wanted.verdict {
                // The run knows it by its id, and nobody else knows it by its tags.
                CopyVerdict::Begin { .. } if progress.copies.has_lost(&subject) => left.failed += 1,
                CopyVerdict::Begin { .. } if finished.contains(&subject) || progress.copies.has_begun(&subject) => {
                    left.open += 1;
                    left.under_way += 1;
                }
                CopyVerdict::Begin { .. } if is_refused || progress.is_given_up(&subject) => left.failed += 1,
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
            if progress.is_deletion_given_up(&subject) {
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

#[cfg(test)]
mod tests;
