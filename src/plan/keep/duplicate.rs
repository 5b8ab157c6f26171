//! Duplicates: two snapshots of one target for one scheduled time, made by two turns at once. The complete one stays that was
//! promised to stay longest, and another goes only beside one that stays at least as long.
//!
//! CreateSnapshot has no client token, so the key in the tags (policy, schedule, target, scheduled time) is looked for
//! before a creation; two executions, or a turn that crashed and its successor, can both look before either sees the
//! other's snapshot. Our own rule: what is there twice is worth its money once.

use super::retain;
use crate::options::Options;
use crate::plan::ours::{self, Ours, Place};
use crate::plan::sets::{self, BrokenSets};
use crate::policy::{CopyRule, Policy, ScheduleName, Targets};
use crate::tags::Mark;
use crate::world::{Snapshot, SnapshotId, SourceId};
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// What answers one scheduled time: source, schedule by the name that the snapshots carry, scheduled time, and whether a RunNow
/// made it.
type Key<'a> = (SourceId, &'a ScheduleName, Timestamp, bool);

/// The duplicates among `ours`, each with the time at which the one began beside which it goes.
///
/// Whatever part of them an execution sees, it never takes the first one in the order of [`Rank`]: of two, all executions know the
/// same one as the first. What was begun less than the settling time ago is left to a later turn.
pub(in crate::plan) fn find(
    policy: &Policy,
    options: &Options,
    now: Timestamp,
    ours: &Ours<'_>,
    broken: &BrokenSets,
) -> BTreeMap<Place, Timestamp> {
    let by_key = by_key(policy, now, ours);
    let mut duplicates = BTreeMap::new();
    for answers in by_key.into_values().filter(|answers| answers.len() > 1) {
        if sets::settles_at(answers.iter().map(|&place| ours[place]), now, options.settling).is_none() {
            note(policy, ours, answers, broken, &mut duplicates);
        }
    }
    duplicates
}

/// All that answers a scheduled time of which some volume has more than one snapshot: of others nothing can go.
fn by_key<'a>(policy: &Policy, now: Timestamp, ours: &Ours<'a>) -> BTreeMap<Key<'a>, Vec<Place>> {
    let mut by_key: BTreeMap<Key<'_>, Vec<Place>> = BTreeMap::new();
    let volume_and_time = |snapshot: &'a Snapshot| (snapshot.volume_id, snapshot.marks.scheduled_time.value());
    // They stand side by side in the order of the plan.
    for (one, other) in ours.places().zip(ours.places().skip(1)) {
        if volume_and_time(one.1) == volume_and_time(other.1) {
            let keys = [one, other].into_iter().filter_map(|(place, _)| key_of(policy, ours, place, now));
            by_key.extend(keys.map(|key| (key, Vec::new())));
        }
    }
    if by_key.is_empty() {
        return by_key;
    }
    for (place, _) in ours.places() {
        if let Some(places) = key_of(policy, ours, place, now).and_then(|key| by_key.get_mut(&key)) {
            places.push(place);
        }
    }
    by_key
}

fn key_of<'a>(policy: &Policy, ours: &Ours<'a>, place: Place, now: Timestamp) -> Option<Key<'a>> {
    let snapshot = ours[place];
    let source = ours::source(policy, snapshot)?;
    let name = snapshot.marks.schedule_name.value()?;
    let &scheduled_time = snapshot.marks.scheduled_time.value()?;
    let is_true = scheduled_time <= now && !ours.is_doubted(place);
    is_true.then_some((source, name, scheduled_time, ours.is_run_now(place)))
}

/// How far two snapshots without stamps may have begun apart to be duplicates: two executions of one start, the first of which
/// crashed and was tried again.
const UNSTAMPED_APART_MAX: SignedDuration = SignedDuration::from_mins(15);

fn note(
    policy: &Policy,
    ours: &Ours<'_>,
    answers: Vec<Place>,
    broken: &BrokenSets,
    duplicates: &mut BTreeMap<Place, Timestamp>,
) {
    let is_good = |place: Place| {
        let snapshot = ours[place];
        snapshot.is_restorable() && broken.is_whole(place)
    };
    let mut sets = match policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => answers.into_iter().map(|place| vec![place]).collect(),
        Targets::Instances { .. } => sets::split(answers, |place| ours[place]),
    };
    sets.retain(|set| set.iter().all(|&place| is_good(place)));
    sets.sort_by_cached_key(|set| set.iter().map(|&place| Rank::of(ours[place])).min());
    let mut staying: Vec<&Vec<Place>> = Vec::new();
    for set in &sets {
        let beside = staying.iter().find(|other| is_covered(ours, set, other)).and_then(|other| other.first());
        match beside {
            Some(&place) => duplicates.extend(set.iter().map(|&member| (member, ours[place].start_time))),
            None => staying.push(set),
        }
    }
}

/// Whether each member of a set has one of its volume in the other that stays at least as long: a volume that only this set holds
/// would lose its snapshot, and a set that is torn apart is none.
fn is_covered(ours: &Ours<'_>, set: &[Place], other: &[Place]) -> bool {
    set.iter().all(|&member| {
        let (snapshot, mut others) = (ours[member], other.iter().map(|&place| ours[place]));
        let of_volume = others.find(|other| other.volume_id == snapshot.volume_id);
        of_volume.is_some_and(|other| {
            !is_far(snapshot, other)
                && Promise::of(other).holds(&Promise::of(snapshot))
                && has_the_copies_of(other, snapshot)
        })
    })
}

/// Whether one is promised a copy in each Region in which another one is, that stays as long: another version of the policy may promise none.
fn has_the_copies_of(one: &Snapshot, other: &Snapshot) -> bool {
    let (own, others) = (rules(one), rules(other));
    let stays_until =
        |rule: &CopyRule| rule.retain.map_or(Timestamp::MAX, |age| retain::later_by(other.start_time, age));
    let has =
        |rule: &CopyRule| own.iter().any(|own| own.region == rule.region && stays_until(own) >= stays_until(rule));
    others.iter().all(has)
}

fn rules(snapshot: &Snapshot) -> &[CopyRule] {
    snapshot.marks.copies.value().map_or(&[], Vec::as_slice)
}

/// Whether two may be for different starts: without stamps only what began at about the same time was made for the same one.
fn is_far(one: &Snapshot, other: &Snapshot) -> bool {
    let are_stamped = [one, other].iter().all(|snapshot| snapshot.marks.stamp != Mark::Absent);
    !are_stamped && one.start_time.duration_since(other.start_time).abs() > UNSTAMPED_APART_MAX
}

/// What a snapshot was made under: how long it stays, and for whom.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Promise<'a> {
    /// Its stamped expiry; `None` where only counts keep it.
    until: Option<Timestamp>,
    /// How many schedules it is for.
    schedules: usize,
    /// Each of them with the count of then; `None` where it kept by age, or where no stamp says.
    counts: BTreeMap<&'a ScheduleName, Option<NonZeroU32>>,
}

impl<'a> Promise<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let stamp = snapshot.marks.stamp.value();
        let count = |at: usize| stamp.and_then(|stamp| stamp.counts.get(at).copied().flatten());
        let counts: BTreeMap<&ScheduleName, Option<NonZeroU32>> =
            ours::names(snapshot).enumerate().map(|(at, name)| (name, count(at))).collect();
        let until = snapshot.marks.expiration_time.value().copied();
        Self { until, schedules: counts.len(), counts }
    }

    /// Whether it holds all that the other one says: for each schedule of that one at least as many, and until then at least. An
    /// expiry says nothing of what only a count keeps, unless both say by which.
    fn holds(&self, other: &Self) -> bool {
        let holds_until = match (self.until, other.until) {
            (Some(own), Some(until)) => own >= until,
            (None, until) => until.is_none(),
            (Some(_), None) => other.counts.values().all(Option::is_some),
        };
        let holds_count = |(name, count): (&&ScheduleName, &Option<NonZeroU32>)| {
            self.counts.get(*name).is_some_and(|own| own >= count)
        };
        holds_until && other.counts.iter().all(holds_count)
    }
}

/// The order in which duplicates stay: what was promised most, by the newest version of the policy, and began first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank<'a>(Reverse<(Promise<'a>, Option<Timestamp>)>, Timestamp, SnapshotId);

impl<'a> Rank<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let revision = snapshot.marks.stamp.value().and_then(|stamp| stamp.revision);
        Self(Reverse((Promise::of(snapshot), revision)), snapshot.start_time, snapshot.id)
    }
}
