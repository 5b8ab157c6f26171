//! The calls in other Regions: which copies are begun, which go, and what came of it.

use super::BegunCopy;
use crate::action::{Action, Failed, FailedKind, Outcome};
use crate::options::{MaximumDeletions, Options};
use crate::place::Region;
use crate::plan::copies::{self, CopyVerdict, Encryption, RegionPlan, UNDER_WAY_MAX, Wanted};
use crate::plan::{Plan, SnapshotDecision, SnapshotVerdict};
use crate::policy::Policy;
use crate::turn::progress::Progress;
use crate::turn::subject::Subject;
use crate::world::SnapshotState;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// So many refusals of copies under one key, and none begun: what is wrong is the Region's or the key's, and the next one would be refused
/// too.
const REFUSALS_MAX: usize = 3;

/// The calls in other Regions: copies, as many as there are places for, and deletions.
pub(in crate::turn) fn select(
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
        let to_go = to_go.filter(|copy| !is_given_up(progress, &Subject::of_copy(&copy.snapshot.id, &region.region)));
        let deletions = to_go.filter_map(|copy| Some((copy.snapshot, region.rests_on(copy)?)));
        let deletions: Vec<_> = deletions.take(may_go).collect();
        may_go -= deletions.len();
        let deletion = |(copy, rests_on)| copies::deletion(policy, (home, &region.region), copy, rests_on);
        actions.extend(deletions.into_iter().map(deletion));
    }
    actions
}

/// Whether a deletion is not tried again in this run.
pub(super) fn is_given_up(progress: &Progress, subject: &Subject) -> bool {
    progress.is_deletion_given_up(subject) || progress.copies.is_refused(subject)
}

/// What a bound that somebody set leaves for all Regions together.
pub(super) fn deletions_left(options: &Options, plan: &Plan<'_>, progress: &Progress) -> usize {
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
    let refused = refused(region, progress);
    let is_to_begin = |wanted: &&Wanted<'_>| {
        let subject = Subject::of_copy(&wanted.source.id, &region.region);
        matches!(wanted.verdict, CopyVerdict::Begin { .. })
            && !refused.contains(&wanted.promise.encryption())
            && !progress.copies.has_begun(&subject)
            && !progress.copies.is_refused(&subject)
    };
    region.wanted.iter().filter(is_to_begin).collect()
}

/// How the copies to a Region are encrypted that EC2 has refused too often, where it has begun none.
pub(super) fn refused<'a>(region: &RegionPlan<'a>, progress: &Progress) -> BTreeSet<Encryption<'a>> {
    let mut refusals: BTreeMap<Encryption<'a>, usize> = BTreeMap::new();
    if progress.copies.begun_in.get(region.region.as_str()).is_some_and(|&begun| begun > 0) {
        return BTreeSet::new();
    }
    for wanted in &region.wanted {
        if matches!(wanted.verdict, CopyVerdict::Begin { .. })
            && progress.copies.is_refused(&Subject::of_copy(&wanted.source.id, &region.region))
        {
            *refusals.entry(wanted.promise.encryption()).or_default() += 1;
        }
    }
    refusals.into_iter().filter(|&(_, refusals)| refusals >= REFUSALS_MAX).map(|(encryption, _)| encryption).collect()
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
pub(in crate::turn) fn note(progress: &mut Progress, plan: &Plan<'_>, done: &[(Action, Outcome)], now: Timestamp) {
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
                // One a turn finds out whether the account takes snapshots there again.
                if is_copy && failed.kind == FailedKind::AccountFull {
                    begun.entry(region).or_default().1 = true;
                }
                if is_copy && failed.kind == FailedKind::Unclear {
                    progress.copies.remember(subject.clone(), None, now);
                }
                if matches!(failed.kind, FailedKind::Denied | FailedKind::Refused) {
                    progress.copies.refused.insert(subject.hash());
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

/// How many copies would go that a bound which somebody set keeps.
#[must_use]
pub(crate) fn withheld(options: &Options, plan: &Plan<'_>, progress: &Progress) -> usize {
    let goes = |copy: &&SnapshotDecision<'_>| matches!(copy.verdict, SnapshotVerdict::Delete(_));
    let planned = plan.regions.iter().flat_map(|region| &region.copies).filter(goes).count();
    planned.saturating_sub(deletions_left(options, plan, progress))
}
