//! Promises 2 and 3, and the bounds of an execution: is what the end of an execution says true?

use super::{Keeps, Rule, START_WINDOW, copies, deletion, truth};
use crate::report::{FailureReport, Report};
use crate::sim::ec2::{Ec2, Emptied};
use crate::sim::life::Record;
use crate::world::SourceId;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A second snapshot that was begun so short a time before the end may be another execution's, which sees to it: longer
/// than lists lag and clocks differ.
const MAY_BE_UNSEEN: SignedDuration = SignedDuration::from_secs(180);

/// The least time between the beginning of a backup and an end that counts on it: lists lag for a minute, and what else was begun
/// shows only then. The settling time of two minutes, less the minute by which clocks differ, and a little.
const LISTS_SETTLE: SignedDuration = SignedDuration::from_secs(50);

/// How many calls an execution may make beyond those for its creations and deletions: 5 creations for each target, and
/// 3 tries for each deletion.
const TRIES_MAX: u64 = 5;

/// Lambda's limit on an answer is 6 MB, Step Functions' 256 KB; ours is less (design.md 4.2).
const ANSWER_BYTES_MAX: usize = 200_000;

/// The end of an execution.
#[derive(Debug)]
pub struct Ending<'a> {
    /// The scheduled time of its event.
    pub start: Timestamp,
    /// When its first turn began.
    pub begun: Timestamp,
    /// The clock of the first turn that gave an answer: before it nothing of the execution was remembered.
    pub answered: Timestamp,
    /// When the look of its last turn began: the turn went by this time.
    pub look_began: Timestamp,
    /// When its last turn looked.
    pub looked_at: Timestamp,
    /// Which lists its last look found empty by mistake.
    pub emptied: Emptied,
    /// Whether it was to delete nothing: a second snapshot is the newest run's to delete.
    pub stands_back: bool,
    /// What it says.
    pub report: &'a Report,
    /// Whether the last look was cut short.
    pub is_cut_short: bool,
    /// How many bytes the last answer has.
    pub answer_bytes: usize,
    /// How many calls it made.
    pub calls: u64,
}

/// Everything that is wrong with an ending.
#[must_use]
pub fn faults(ec2: &Ec2, rules: &[Rule], by_instance: bool, ending: &Ending<'_>) -> Vec<String> {
    let outcome = ending.report.outcome.unwrap_or("none");
    let mut faults = Vec::new();
    let firm = truth::firm_since(ending.looked_at);
    // Short of a minute, because clocks differ.
    let is_late = |rule: &Rule| {
        let late = ending.answered.max(ending.start).duration_since(rule.latest(ending.start) + START_WINDOW);
        late > -SignedDuration::from_mins(1)
    };
    let sources = truth::steady_sources(ec2, by_instance, truth::firm_since(ending.begun), ending.looked_at);
    for rule in rules.iter().filter(|rule| !is_late(rule)) {
        let time = rule.latest(ending.start);
        let is_known = |source| could_know(ec2, by_instance, source, firm, ending);
        for &source in sources.iter().filter(|&&source| needs_one(ec2, rule, source, time) && is_known(source)) {
            let has_one = ec2
                .records
                .iter()
                .any(|record| answers(rule, by_instance, record, source, time, ec2, firm, ending.looked_at));
            let is_named = is_named(&ending.report.failures, source)
                || ending.report.failed > u64::try_from(ending.report.failures.len()).unwrap_or(u64::MAX)
                || ending.is_cut_short;
            let is_told = outcome == "PARTIAL" && is_named;
            if !(has_one || is_told || is_full(ec2, rule, by_instance, source, time, ending.looked_at)) {
                faults.push(format!("{outcome}, but {source} has no good snapshot for {} of {time}", rule.name));
            }
        }
    }
    if outcome == "SUCCEEDED" {
        if ending.emptied != Emptied::Snapshots && !ending.stands_back {
            faults.extend(twice(ec2, rules, by_instance, ending));
        }
        faults.extend(too_soon(ec2, rules, by_instance, ending));
        if ending.report.failed > 0 {
            faults.push(format!("SUCCEEDED, but {} things failed", ending.report.failed));
        }
    }
    if ending.answer_bytes > ANSWER_BYTES_MAX {
        faults.push(format!("the answer has {} bytes", ending.answer_bytes));
    }
    let things = ec2.volumes.len() + ec2.instances.len() + ec2.records.len();
    let calls_max = u64::try_from(things).unwrap_or(u64::MAX).saturating_mul(TRIES_MAX) * 60;
    if ending.calls > calls_max {
        faults.push(format!("{} calls in one execution, expected at most {calls_max}", ending.calls));
    }
    faults
}

/// Whether failures name a source. That the account is full is told once, for all that it leaves without a snapshot
/// (docs/decisions/0024).
fn is_named(failures: &[FailureReport], source: SourceId) -> bool {
    let is_of_source = |failure: &FailureReport| failure.resource == source.to_string();
    let is_of_all = |failure: &FailureReport| failure.resource == "account" && failure.code == "SnapshotLimitExceeded";
    failures.iter().any(|failure| is_of_source(failure) || is_of_all(failure))
}

/// Whether a run could know of a source: of one that no list shows, by the snapshots that were made of it, which EC2 is asked
/// about.
fn could_know(ec2: &Ec2, by_instance: bool, source: SourceId, firm: Timestamp, ending: &Ending<'_>) -> bool {
    let is_shown = |record: &Record| {
        record.is_ours
            && truth::source(record, by_instance) == Some(source)
            && record.exists(firm)
            && record.exists(ending.looked_at)
    };
    match ending.emptied {
        Emptied::Nothing | Emptied::Snapshots => true,
        Emptied::Both | Emptied::Targets => ec2.records.iter().any(is_shown),
    }
}

/// What a run that succeeded counts on although all of it began only now: no list need show yet what else was begun for that time.
/// A default policy that leaves a volume alone because of a recent snapshot counts on none.
fn too_soon(ec2: &Ec2, rules: &[Rule], by_instance: bool, ending: &Ending<'_>) -> Option<String> {
    let decisions = &ending.report.volumes;
    if !decisions.keys().any(|decision| decision.starts_with("exists")) || decisions.contains_key("skip: HasRecent") {
        return None;
    }
    let at = ending.looked_at;
    let age = at.duration_since(newest_answer(ec2, rules, by_instance, ending.start, at)?);
    (age < LISTS_SETTLE).then(|| {
        format!("SUCCEEDED {} s after a backup began, when no list need show what else was begun", age.as_secs())
    })
}

/// When the last source got its first backup for the scheduled times of a start.
fn newest_answer(ec2: &Ec2, rules: &[Rule], by_instance: bool, start: Timestamp, at: Timestamp) -> Option<Timestamp> {
    let firm = truth::firm_since(at);
    let times: BTreeSet<Timestamp> = rules.iter().map(|rule| rule.latest(start)).collect();
    let mut first: BTreeMap<Option<SourceId>, Timestamp> = BTreeMap::new();
    for record in ec2.records.iter().filter(|record| record.is_ours && times.contains(&truth::time(record))) {
        if record.exists(at) && truth::is_good(ec2, record, firm, at) {
            let began = record.snapshot.start_time;
            let source = truth::source(record, by_instance);
            first.entry(source).and_modify(|time| *time = (*time).min(began)).or_insert(began);
        }
    }
    // Nobody waits for the snapshot of what has gone, or is targeted no more.
    first.retain(|&source, _| truth::standing(ec2, source, firm, at).always_targeted);
    first.into_values().max()
}

/// Whether newer ones fill the count, so that none is made for the time any more: the report says so, and it is no failure. What became
/// complete a moment before a run looked `at` it may have seen.
fn is_full(ec2: &Ec2, rule: &Rule, by_instance: bool, source: SourceId, time: Timestamp, at: Timestamp) -> bool {
    let Keeps::Count(count) = rule.keeps else { return false };
    let is_newer = |record: &&Record| {
        rule.is_one_of(&truth::schedules(record))
            && truth::source(record, by_instance) == Some(source)
            && truth::time(record) > time
            && truth::is_good(ec2, record, at, at)
    };
    let times: BTreeSet<Timestamp> = ec2.records.iter().filter(is_newer).map(truth::time).collect();
    times.len() >= count
}

/// Whether a record is a good answer to a scheduled time of a rule.
#[allow(clippy::too_many_arguments, reason = "a sentence with many parts")]
fn answers(
    rule: &Rule,
    by_instance: bool,
    record: &Record,
    source: SourceId,
    time: Timestamp,
    ec2: &Ec2,
    firm: Timestamp,
    at: Timestamp,
) -> bool {
    rule.is_one_of(&truth::schedules(record))
        && truth::source(record, by_instance) == Some(source)
        && truth::time(record) == time
        && truth::is_backup(ec2, record, firm, at)
}

/// A default policy leaves volumes alone in their first day, and those that have a snapshot of the last day.
fn needs_one(ec2: &Ec2, rule: &Rule, source: SourceId, time: Timestamp) -> bool {
    if rule.hours.is_some() || rule.name == truth::RUN_NOW {
        return true;
    }
    let day = SignedDuration::from_hours(24);
    let Some(life) = ec2.volumes.iter().find(|life| SourceId::Volume(life.is.id) == source) else { return true };
    let is_young = life.is.created.is_some_and(|created| time.duration_since(created) < day);
    let is_recent = |record: &&Record| {
        record.snapshot.volume_id == life.is.id
            && record.snapshot.start_time + day > time
            && record.snapshot.start_time < time + START_WINDOW * 24
    };
    !is_young && !ec2.records.iter().any(|record| is_recent(&record))
}

/// What a snapshot answers: of what, the name of its schedule, and the scheduled time.
type Key<'a> = (Option<SourceId>, &'a str, Timestamp);

/// Scheduled times with more than one good snapshot of ours, of which none is kept by somebody's wish, and one stays as long as
/// another.
fn twice(ec2: &Ec2, rules: &[Rule], by_instance: bool, ending: &Ending<'_>) -> Vec<String> {
    let at = ending.looked_at;
    let firm = truth::firm_since(at);
    let mut calls: BTreeMap<Key<'_>, BTreeMap<u64, &Record>> = BTreeMap::new();
    let mut wished: BTreeSet<Key<'_>> = BTreeSet::new();
    for record in ec2.records.iter().filter(|record| record.is_ours) {
        let key = (truth::source(record, by_instance), truth::schedule(record), truth::time(record));
        let is_touched = record.is_torn || truth::is_wished(record);
        if is_touched || record.removed.is_some_and(|(removed, _)| removed > firm) {
            wished.insert(key);
        }
        // EC2 may fail a copy whose snapshot goes: it stays until the copy is complete.
        if copies::is_under_way(ec2, record, firm) {
            wished.insert(key);
        }
        let is_old = at.duration_since(record.snapshot.start_time) > MAY_BE_UNSEEN;
        // What hung for a day and became complete just now may have been shown as pending, and a run waits for its own only.
        let mut set = ec2.records.iter().filter(|other| other.is_ours && other.call == record.call);
        let is_shown = set.all(|member| member.is_complete(firm) || !truth::is_there(member, firm, at));
        if is_old && is_shown && record.exists(at) && truth::is_good(ec2, record, firm, at) {
            calls.entry(key).or_default().insert(record.call, record);
        }
    }
    let is_managed = |source: Option<SourceId>| truth::standing(ec2, source, firm, at).always_targeted;
    let is_covered = |calls: &BTreeMap<u64, &Record>| {
        let stays = |one: &Record, other: &Record| {
            truth::stays_as_long(one, other) && copies::promises_the_copies_of(one, other)
        };
        // What was promised more copies and is not the first to stay goes for nobody's sake, and nobody goes for its.
        let is_first = |one: &Record, other: &Record| {
            copies::promises_the_copies_of(other, one) || deletion::is_before(one, other)
        };
        let is_beside =
            |one: &Record, other: &Record| one.call != other.call && stays(one, other) && is_first(one, other);
        calls.values().any(|record| calls.values().any(|other| is_beside(other, record)))
    };
    let is_twice = |(key, calls): &(&Key<'_>, &BTreeMap<u64, &Record>)| {
        is_covered(calls)
            && !wished.contains(*key)
            && is_managed(key.0)
            && rules.iter().any(|rule| rule.is_one_of(&[key.1]))
    };
    let twice = calls.iter().filter(is_twice);
    twice
        .map(|(key, calls)| {
            let source = key.0.map_or_else(|| "an unknown instance".to_owned(), |source| source.to_string());
            format!("SUCCEEDED, but {source} has {} snapshots for {} of {}", calls.len(), key.1, key.2)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::options::Options;
    use crate::sim::life::{Life, Switched};
    use crate::sim::random::Random;

    const START: &str = "2026-11-22T17:00:00Z";

    #[test]
    fn no_run_waits_for_the_snapshot_of_a_volume_that_has_just_gone() {
        let start = at(START);
        let look = start + SignedDuration::from_mins(5);
        let minute = |minutes| start + SignedDuration::from_mins(minutes);
        let rules = Rule::all(&sample(), &Options::default());
        let mut ec2 = Ec2::new(Random::new(1));
        for (number, began) in [(1, minute(1)), (2, minute(4))] {
            let on = || Switched::on(at("2026-11-01T00:00:00Z"));
            ec2.volumes.push(Life { is: volume(number), exists: on(), targeted: on() });
            let snapshot = crate::world::Snapshot { start_time: began, ..snapshot(number, number, START) };
            ec2.records.push(Record::new(snapshot, vec![], u64::from(number), began));
        }
        assert_eq!(newest_answer(&ec2, &rules, false, start, look), Some(minute(4)));
        ec2.volumes[1].exists.switch(look - SignedDuration::from_secs(40), false);
        assert_eq!(newest_answer(&ec2, &rules, false, start, look), Some(minute(1)));
    }

    #[track_caller]
    fn check(resource: &str, code: &str, expected: bool) {
        let failure = FailureReport {
            account: None,
            region: None,
            action: "CreateSnapshot".to_owned(),
            resource: resource.to_owned(),
            schedule: None,
            code: code.to_owned(),
            message: String::new(),
            attempts: 1,
        };
        assert_eq!(is_named(&[failure], SourceId::Volume(volume_id(1))), expected, "{resource}: {code}");
    }

    #[test]
    fn a_source_is_named_by_itself_or_by_the_account_that_is_full() {
        check(&volume_id(1).to_string(), "InternalError", true);
        check(&volume_id(2).to_string(), "InternalError", false);
        check("account", "SnapshotLimitExceeded", true);
        check("all", "BackupsStopped", false);
    }
}
