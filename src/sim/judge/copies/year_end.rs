//! Once faults have stopped, does each Region hold what was promised, each once, and nothing that has expired?

use super::ledger::{Ledger, UNTIL_COPIED};
use super::{are_of_one_time, copies, expires_at, is_of_series, names, owners, volume};
use crate::place::Region;
use crate::policy::Policy;
use crate::sim::ec2::{Copied, Ec2};
use crate::sim::judge::{Rule, truth};
use crate::world::VolumeId;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is wrong with the Regions at `now`, when nothing went wrong since `calm`; `last` is the last start.
#[must_use]
pub fn faults(
    ec2: &Ec2,
    ledger: &Ledger,
    (policy, rules, by_instance): (&Policy, &[Rule], bool),
    (calm, last, now): (Timestamp, Timestamp, Timestamp),
) -> Vec<String> {
    let steady = truth::steady_sources(ec2, by_instance, calm, now);
    let mut faults: Vec<String> = ledger.broken(calm, last).collect();
    let regions: Vec<&Region> = ec2.abroad.iter().flat_map(|abroad| abroad.regions.keys()).collect();
    for region in regions {
        let is_free = |copy: &&Copied| {
            let is_steady = truth::source(&copy.of, by_instance).is_some_and(|source| steady.contains(&source));
            copy.record.is_ours && copy.record.exists(now) && !truth::is_wished(&copy.record) && is_steady
        };
        let free: Vec<&Copied> = copies(ec2, region).iter().filter(is_free).collect();
        for copy in &free {
            let id = copy.record.snapshot.id;
            let wrong = |why: &str| format!("at the end the copy {id} of {} in {region} {why}", truth::time(&copy.of));
            let age = now.duration_since(copy.record.snapshot.start_time);
            if truth::has_failed(&copy.record, now) {
                faults.extend((age > SignedDuration::from_hours(72)).then(|| wrong("is still there, and it failed")));
                continue;
            }
            // Two runs may plan in one millisecond: nothing tells their copies from one that somebody copied on.
            let called = |copy: &Copied| copy.record.snapshot.marks.stamp.value().map(|stamp| stamp.called);
            // Of two sets for one time the copies together are none. Those of the set that went at home may stay until they expire, where
            // that is after the others do, or where the home Region had nothing of either any more when the others were complete.
            let is_member = copy.of.snapshot.marks.stamp.value().is_some_and(|stamp| stamp.members > Some(1));
            let is_of_another_set = |other: &Copied| is_member && other.of.snapshot.id != copy.of.snapshot.id;
            let is_twin = |other: &&&Copied| {
                let is_another = other.record.snapshot.id < id && !other.is_clone && !copy.is_clone;
                let is_another = is_another && called(other) != called(copy);
                is_another
                    && other.record.is_complete(last)
                    && are_of_one_time(other, copy)
                    && !is_of_another_set(other)
            };
            if copy.record.is_complete(last) && free.iter().any(|other| is_twin(&other)) {
                faults.push(wrong("is one of two"));
            }
            let is_over = expires_at(region, copy).is_some_and(|at| at + UNTIL_COPIED < last);
            let is_owned = !owners(policy, rules, region, copy).is_empty();
            if is_over
                && is_owned
                && has_newer(rules, copy, &free, last)
                && !is_of_newest_set(rules, copy, copies(ec2, region), last)
            {
                faults.push(wrong("is still there, and it has expired"));
            }
        }
    }
    faults
}

/// Whether a copy is of the newest whole set of its instance for one of its schedules; or of the newest one that is whole by itself, where
/// two were made for one time. Also those count that people have put aside.
fn is_of_newest_set(rules: &[Rule], copy: &Copied, all: &[Copied], last: Timestamp) -> bool {
    let members = |copy: &Copied| copy.of.snapshot.marks.stamp.value().and_then(|stamp| stamp.members);
    let instance = |copy: &Copied| copy.of.snapshot.marks.instance_id.value().copied();
    let of_instance =
        |other: &&Copied| other.record.is_ours && other.record.is_complete(last) && instance(other) == instance(copy);
    let newest = |name: &str, call: fn(&Copied) -> u64| {
        let mut sets: BTreeMap<(Timestamp, u64), (BTreeSet<VolumeId>, u32)> = BTreeMap::new();
        for other in all.iter().filter(of_instance).filter(|other| is_of_series(rules, name, other)) {
            let set = sets.entry((truth::time(&other.of), call(other))).or_default();
            set.0.insert(volume(other));
            set.1 = members(other).unwrap_or(1);
        }
        let is_whole = |(volumes, members): &(BTreeSet<VolumeId>, u32)| {
            u32::try_from(volumes.len()).is_ok_and(|volumes| volumes >= *members)
        };
        sets.into_iter().rev().find(|(_, set)| is_whole(set)).map(|((time, _), _)| time)
    };
    let own = Some(truth::time(&copy.of));
    let is_newest = |name: &str| newest(name, |_| 0) == own || newest(name, |other| other.of.call) == own;
    members(copy) > Some(1) && names(&copy.of).into_iter().any(is_newest)
}

/// Whether for each of its schedules a newer one of its volume was complete before the last run; what a RunNow made is in no series.
fn has_newer(rules: &[Rule], copy: &Copied, all: &[&Copied], last: Timestamp) -> bool {
    let is_newer = |name: &str, other: &Copied| {
        volume(other) == volume(copy)
            && is_of_series(rules, name, other)
            && !truth::is_run_now(&other.of)
            && other.record.is_complete(last)
            && truth::time(&other.of) > truth::time(&copy.of)
    };
    truth::is_run_now(&copy.of) || names(&copy.of).into_iter().all(|name| all.iter().any(|other| is_newer(name, other)))
}
