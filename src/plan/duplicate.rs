//! Duplicates: two snapshots of one target for one scheduled time, made by two turns at once. The earliest complete one
//! stays.
//!
//! CreateSnapshot has no client token, so the key in the tags (policy, schedule, target, scheduled time) is looked for
//! before a creation; two executions, or a turn that crashed and its successor, can both look before either sees the
//! other's snapshot. Our own rule: what is there twice is worth its money once.

use super::history;
use super::sets::{self, BrokenSets};
use crate::options::Options;
use crate::policy::{Policy, ScheduleName, Targets};
use crate::world::{Snapshot, SnapshotId, SnapshotState, Tier, VolumeId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What answers one scheduled time: source, schedule by the name that the snapshots carry, and scheduled time.
type Key<'a> = (&'a str, &'a ScheduleName, Timestamp);

/// The duplicates among `ours`, each with the time at which the earliest complete one began.
///
/// Every execution finds the same ones whatever part of them it sees: of two, only the later can be a duplicate. What
/// was begun less than the settling time ago is left to a later turn.
pub(super) fn find<'a>(
    policy: &Policy,
    options: &Options,
    now: Timestamp,
    ours: &[&'a Snapshot],
    broken: &BrokenSets<'_>,
) -> BTreeMap<&'a SnapshotId, Timestamp> {
    let mut by_key: BTreeMap<Key<'a>, Vec<&'a Snapshot>> = BTreeMap::new();
    for &snapshot in ours {
        if let Some(key) = key_of(policy, snapshot, now) {
            by_key.entry(key).or_default().push(snapshot);
        }
    }
    let mut duplicates = BTreeMap::new();
    for answers in by_key.into_values().filter(|answers| answers.len() > 1) {
        if sets::settles_at(answers.iter().copied(), now, options.settling).is_none() {
            note(policy, answers, broken, &mut duplicates);
        }
    }
    duplicates
}

fn key_of<'a>(policy: &Policy, snapshot: &'a Snapshot, now: Timestamp) -> Option<Key<'a>> {
    let source = history::source(policy, snapshot)?;
    let name = snapshot.marks.schedule_name.value()?;
    let &scheduled_time = snapshot.marks.scheduled_time.value()?;
    let is_true = scheduled_time <= now && history::is_plausible(snapshot, scheduled_time);
    is_true.then_some((source, name, scheduled_time))
}

fn note<'a>(
    policy: &Policy,
    answers: Vec<&'a Snapshot>,
    broken: &BrokenSets<'_>,
    duplicates: &mut BTreeMap<&'a SnapshotId, Timestamp>,
) {
    let is_good = |snapshot: &Snapshot| {
        snapshot.state == SnapshotState::Completed && snapshot.tier == Tier::Standard && broken.is_whole(snapshot)
    };
    let sets = match policy.targets {
        Targets::AllVolumes(_) | Targets::Volumes { .. } => {
            let mut answers = answers;
            answers.sort_by_key(|snapshot| (snapshot.start_time, &snapshot.id));
            answers.into_iter().map(|snapshot| vec![snapshot]).collect()
        }
        Targets::Instances { .. } => sets::split(answers, |snapshot| snapshot),
    };
    let mut good = sets.into_iter().filter(|set| set.iter().all(|snapshot| is_good(snapshot)));
    let Some(earliest) = good.next() else { return };
    let volumes: BTreeSet<&VolumeId> = earliest.iter().map(|snapshot| &snapshot.volume_id).collect();
    let Some(began) = earliest.first().map(|snapshot| snapshot.start_time) else { return };
    for set in good {
        // A volume that only the later set holds would lose its snapshot, and a set that is torn apart is none.
        if set.iter().all(|snapshot| volumes.contains(&snapshot.volume_id)) {
            duplicates.extend(set.into_iter().map(|snapshot| (&snapshot.id, began)));
        }
    }
}
