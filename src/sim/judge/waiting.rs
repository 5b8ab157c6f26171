//! R6: no brake latches in silence. What a schedule keeps no more has gone, or the report of every day counts it among what waits.
//! And whatever nothing manages is counted among the orphans.

use super::ending::Ending;
use super::{Keeps, Rule, SKEW_MAX, truth};
use crate::sim::ec2::{Ec2, Emptied};
use crate::sim::life::Record;
use crate::tags::Mark;
use crate::world::SourceId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// A set counts two minutes after it began, since a member that no list shows yet may still fail. The clock of a run may be behind
/// EC2's.
const SETS_SETTLE: SignedDuration = SignedDuration::from_secs(120 + SKEW_MAX.as_secs());

/// The reasons by which a report says that a snapshot would go but for something that passes.
const WAITS: [&str; 5] = ["AwaitsConsent", "RunStandsBack", "UsedByImage", "AbsenceUnproved", "CopyOpen"];

/// Everything that is wrong with what an ending counts. One that fails says enough.
#[must_use]
pub fn faults(ec2: &Ec2, rules: &[Rule], by_instance: bool, ending: &Ending<'_>) -> Vec<String> {
    let outcome = ending.report.outcome.unwrap_or("none");
    if outcome == "PARTIAL" || ending.emptied != Emptied::Nothing {
        return Vec::new();
    }
    let at = ending.looked_at;
    let firm = truth::firm_since(at);
    let mut faults = Vec::new();
    let steady = truth::steady_sources(ec2, by_instance, truth::firm_since(ending.begun), at);
    let of_rules = |record: &&Record| is_plain(record, firm) && !has_unknown_name(rules, record);
    let surplus = steady.iter().map(|&source| {
        let of_source = ec2.records.iter().filter(of_rules).filter(|r| truth::source(r, by_instance) == Some(source));
        let counts = |record: &&Record| counts(ec2, record, by_instance, ending.look_began, at);
        let of_source: Vec<&Record> = of_source.filter(counts).collect();
        of_source.iter().filter(|record| is_surplus(rules, &of_source, record, at)).count()
    });
    let surplus: usize = surplus.sum();
    let told = |kinds: &[&str]| -> usize {
        let keys = kinds.iter().map(|kind| format!("keep: {kind}"));
        keys.filter_map(|key| ending.report.snapshots.get(&key)).sum()
    };
    if surplus > told(&WAITS) {
        faults.push(format!("{outcome}, and {surplus} wait to go, but it tells of {} only", told(&WAITS)));
    }
    let is_doubted = |record: &&Record| {
        let is_there = record.exists(firm) && record.removed.is_none();
        record.is_ours && record.is_edited(firm) && is_there && says_otherwise(record)
    };
    let is_listed = |record: &&Record| carries_policy(record);
    let doubted = ec2.records.iter().filter(is_doubted).filter(is_listed).count();
    if doubted > ending.report.orphans.doubted {
        let counted = ending.report.orphans.doubted;
        faults.push(format!("{outcome}, and {doubted} have edited tags, but it counts {counted} only"));
    }
    let nobodys = |record: &&Record| {
        let source: Option<SourceId> = truth::source(record, by_instance);
        let is_of_none = !rules.iter().any(|rule| rule.is_one_of(&truth::schedules(record)));
        is_plain(record, firm)
            && !truth::is_run_now(record)
            && is_of_none
            && source.is_some_and(|source| steady.contains(&source))
    };
    let without = ec2.records.iter().filter(nobodys).count();
    if without > ending.report.orphans.without_schedule {
        let counted = ending.report.orphans.without_schedule;
        faults.push(format!("{outcome}, and {without} belong to no schedule, but it counts {counted} only"));
    }
    faults
}

/// Whether nothing but the rules says how long it stays, as far as everybody could see.
fn is_plain(record: &Record, firm: Timestamp) -> bool {
    let is_there = record.exists(firm) && record.removed.is_none() && record.is_complete(firm);
    record.is_ours && is_there && !truth::is_wished(record) && !record.is_torn
}

fn has_unknown_name(rules: &[Rule], record: &Record) -> bool {
    truth::schedules(record).iter().any(|name| !rules.iter().any(|rule| rule.is_one_of(&[name])))
}

/// Whether it counted for every run whose look began at `look_began` and listed at `at`.
fn counts(ec2: &Ec2, record: &Record, by_instance: bool, look_began: Timestamp, at: Timestamp) -> bool {
    let is_settled = !by_instance || record.snapshot.start_time + SETS_SETTLE <= look_began;
    // Nor does one count of whose set a member went a moment ago: the run may have seen that, or done it.
    let is_good = |time| truth::is_good(ec2, record, time, time);
    is_settled && is_good(truth::firm_since(at)) && is_good(at)
}

/// Whether its tags say another backup than it is, as far as they tell. All tags of another snapshot that was made within half an
/// hour fit; and without a stamp they are believed as those of version 0.1, where it began in the day after their time.
fn says_otherwise(record: &Record) -> bool {
    record.edited.as_ref().is_some_and(|(_, is)| {
        let began = record.snapshot.start_time;
        match (&is.stamp, is.scheduled_time.value()) {
            (Mark::Read(stamp), _) => {
                !stamp.is_intact || began.duration_since(stamp.called).abs() > SignedDuration::from_mins(30)
            }
            (Mark::Absent, Some(&time)) => {
                let late = began.duration_since(time);
                late < -SignedDuration::from_mins(15) || late > SignedDuration::from_hours(24)
            }
            (Mark::Absent, None) | (Mark::Unreadable(_), _) => true,
        }
    })
}

fn carries_policy(record: &Record) -> bool {
    record.edited.as_ref().is_none_or(|(_, marks)| marks.policy_id.is_some())
}

/// Whether no rule keeps it among the good ones of its source. Where backups age away other rules may keep it: by count only.
fn is_surplus(rules: &[Rule], good: &[&Record], record: &Record, at: Timestamp) -> bool {
    if truth::promised_until(record).is_some_and(|until| at < until) {
        return false;
    }
    let names = truth::schedules(record);
    let newer = |rule: &Rule| {
        let is_newer = |other: &&&Record| {
            other.snapshot.volume_id == record.snapshot.volume_id
                && rule.is_one_of(&truth::schedules(other))
                && truth::time(other) > truth::time(record)
        };
        good.iter().filter(is_newer).map(|other| truth::time(other)).collect::<BTreeSet<Timestamp>>().len()
    };
    rules.iter().filter(|rule| rule.is_one_of(&names)).all(|rule| match rule.keeps {
        Keeps::Count(count) => newer(rule) >= count,
        Keeps::Days(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::sim::random::Random;
    use crate::world::Snapshot;

    const BEGAN: &str = "2026-11-22T17:00:00Z";

    /// Whether what began at `BEGAN` and was complete a second later counts for a look so many seconds after.
    #[track_caller]
    fn check(by_instance: bool, seconds: i64, expected: bool) {
        let begun: Snapshot = snapshot(1, 1, BEGAN).of_instance(1).stamped(&[2]);
        let ends_at = begun.start_time + SignedDuration::from_secs(1);
        let look = begun.start_time + SignedDuration::from_secs(seconds);
        let mut ec2 = Ec2::new(Random::new(1));
        ec2.records.push(Record::new(begun, vec![], 1, ends_at));
        assert_eq!(counts(&ec2, &ec2.records[0], by_instance, look, look), expected, "{seconds} s");
    }

    #[test]
    fn a_snapshot_counts_once_every_list_shows_it_and_a_set_once_it_has_settled_by_every_clock() {
        check(false, 61, false);
        check(false, 62, true);
        check(true, 62, false);
        check(true, 149, false);
        check(true, 150, true);
    }
}
