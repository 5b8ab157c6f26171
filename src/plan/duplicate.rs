//! Duplicates: two snapshots of one target for one scheduled time, made by two turns at once. The earliest complete one
//! stays.
//!
//! CreateSnapshot has no client token, so the key in the tags (policy, schedule, target, scheduled time) is looked for
//! before a creation; two executions, or a turn that crashed and its successor, can both look before either sees the
//! other's snapshot. Our own rule: what is there twice is worth its money once.

use super::ours::{self, Ours, Place};
use super::sets::{self, BrokenSets};
use crate::options::Options;
use crate::policy::{Policy, ScheduleName, Targets};
use crate::tags::Mark;
use crate::world::{Snapshot, SnapshotState, SourceId, Tier, VolumeId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What answers one scheduled time: source, schedule by the name that the snapshots carry, scheduled time, and whether a RunNow
/// made it.
type Key<'a> = (SourceId, &'a ScheduleName, Timestamp, bool);

/// The duplicates among `ours`, each with the time at which the earliest complete one began.
///
/// Every execution finds the same ones whatever part of them it sees: of two, only the later can be a duplicate. What
/// was begun less than the settling time ago is left to a later turn.
pub(super) fn find(
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
        snapshot.state == SnapshotState::Completed && snapshot.tier == Tier::Standard && broken.is_whole(place)
    };
    let sets = match policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => {
            let mut answers = answers;
            answers.sort_by_key(|&place| (ours[place].start_time, ours[place].id));
            answers.into_iter().map(|place| vec![place]).collect()
        }
        Targets::Instances { .. } => sets::split(answers, |place| ours[place]),
    };
    let mut good = sets.into_iter().filter(|set| set.iter().all(|&place| is_good(place)));
    let Some(earliest) = good.next() else { return };
    let volumes: BTreeSet<VolumeId> = earliest.iter().map(|&place| ours[place].volume_id).collect();
    let Some(began) = earliest.first().map(|&place| ours[place].start_time) else { return };
    for set in good {
        // Without stamps only what began at about the same time was made for the same start.
        let is_stamped = |place: &Place| ours[*place].marks.stamp != Mark::Absent;
        let began_of = |set: &[Place]| set.first().map(|&place| ours[place].start_time);
        let is_far = began_of(&set).is_none_or(|other| other.duration_since(began) > UNSTAMPED_APART_MAX);
        if is_far && !set.iter().chain(&earliest).all(is_stamped) {
            continue;
        }
        // A volume that only the later set holds would lose its snapshot, and a set that is torn apart is none.
        if set.iter().all(|&place| volumes.contains(&ours[place].volume_id)) {
            duplicates.extend(set.into_iter().map(|place| (place, began)));
        }
    }
}
