//! Promise 5: once faults have stopped, is the account as a year without faults would have left it?

use super::{Keeps, Rule, truth};
use crate::sim::ec2::Ec2;
use crate::sim::life::Record;
use crate::world::SourceId;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is wrong with the account at `now`, when nothing went wrong since `calm`; `last` is the last start.
#[must_use]
pub fn faults(
    ec2: &Ec2,
    rules: &[Rule],
    by_instance: bool,
    calm: Timestamp,
    last: Timestamp,
    now: Timestamp,
) -> Vec<String> {
    let mut faults = Vec::new();
    let steady = truth::steady_sources(ec2, by_instance, calm, now);
    for &source in &steady {
        let expected: BTreeSet<Timestamp> = rules.iter().flat_map(|rule| expected(rule, last)).collect();
        let actual = held(ec2, rules, by_instance, source, now);
        let is_right = actual.keys().copied().collect::<BTreeSet<_>>() == expected && actual.values().all(|&n| n == 1);
        if !is_right {
            let written = |times: Vec<String>| times.join(", ");
            faults.push(format!(
                "at the end {source} holds [{}], expected one each of [{}]",
                written(actual.iter().map(|(time, count)| format!("{time} x {count}")).collect()),
                written(expected.iter().map(ToString::to_string).collect()),
            ));
        }
    }
    let is_of_steady = |record: &&Record| {
        truth::source(record, by_instance).is_some_and(|source| steady.contains(&source)) && !truth::is_wished(record)
    };
    let is_over = |record: &&Record| {
        let since = truth::time(record) + truth::RUN_NOW_STAYS + SignedDuration::from_hours(24);
        truth::is_run_now(record) && record.is_ours && record.exists(now) && record.is_good(now) && since < last
    };
    // The floor keeps the last one of a volume, of a detached one too.
    let has_another = |record: &&Record| {
        let is_another =
            |other: &&Record| other.call != record.call && other.snapshot.volume_id == record.snapshot.volume_id;
        ec2.records.iter().filter(is_another).any(|other| other.is_ours && other.is_good(now))
    };
    let run_now = ec2.records.iter().filter(is_over).filter(is_of_steady).filter(has_another);
    faults.extend(run_now.map(|record| format!("at the end {} of a RunNow is still there", record.snapshot.id)));
    let failed =
        ec2.records.iter().filter(|record| record.is_ours && record.exists(now) && truth::has_failed(record, now));
    let is_old = |record: &&Record| now.duration_since(record.snapshot.start_time) > SignedDuration::from_hours(72);
    let is_free = |record: &&Record| !truth::is_wished(record);
    faults.extend(
        failed
            .filter(is_old)
            .filter(is_free)
            .filter(|record| is_alone(ec2, by_instance, record, now))
            .map(|record| format!("at the end {} is still there although it failed", record.snapshot.id)),
    );
    faults
}

/// Whether nothing else is left of its scheduled time. Beside another it may stay: of two calls that began within
/// seconds, of each of which one member is left, nobody can say that they are not one set.
fn is_alone(ec2: &Ec2, by_instance: bool, record: &Record, now: Timestamp) -> bool {
    !ec2.records.iter().any(|other| {
        other.is_ours
            && truth::source(other, by_instance) == truth::source(record, by_instance)
            && truth::time(other) == truth::time(record)
            && other.snapshot.id != record.snapshot.id
            && other.exists(now)
    })
}

/// The scheduled times that a rule keeps after the start of `last`. Where several rules are due, one snapshot is in the series of
/// each.
fn expected(rule: &Rule, last: Timestamp) -> BTreeSet<Timestamp> {
    let mut times = BTreeSet::new();
    let mut time = rule.latest(last);
    // Bounded by the number that is kept, one period for each.
    loop {
        let is_kept = match rule.keeps {
            Keeps::Count(count) => times.len() < count,
            Keeps::Days(days) => time + SignedDuration::from_hours(24 * days) > last,
        };
        if !is_kept {
            return times;
        }
        times.insert(time);
        time -= rule.period;
    }
}

/// The good ones of a source that nobody holds back, by scheduled time, each with the number of calls. What a schedule had a part in
/// that is no more is an orphan.
fn held(ec2: &Ec2, rules: &[Rule], by_instance: bool, source: SourceId, now: Timestamp) -> BTreeMap<Timestamp, usize> {
    let mut calls: BTreeMap<Timestamp, BTreeSet<u64>> = BTreeMap::new();
    for record in ec2.records.iter().filter(|record| record.is_ours && record.exists(now)) {
        let is_of = truth::source(record, by_instance) == Some(source);
        let is_known = |name: &&str| rules.iter().any(|rule| rule.is_one_of(&[name]));
        let is_free = !truth::is_wished(record) && truth::schedules(record).iter().all(is_known);
        if is_of && is_free && !truth::has_failed(record, now) {
            calls.entry(truth::time(record)).or_default().insert(record.call);
        }
    }
    calls.into_iter().map(|(time, calls)| (time, calls.len())).collect()
}
