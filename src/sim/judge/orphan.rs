//! R3: a name that no schedule has may be another policy's with the same id, so what is called by it is left alone for a while; and
//! `Options.Orphans` never lets the last one go here.

use super::deletion::{Seen, is_of_the_same_volume, is_too_young};
use super::{Rule, truth};
use crate::sim::life::Record;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// Why an orphan is kept of which these names are no schedule's; `None` when it is not.
pub(super) fn kept(seen: &Seen<'_>, rules: &[Rule], unknown: &[&str], gone: &Record) -> Option<String> {
    let &Seen { ec2, by_instance, firm, at } = seen;
    let age = rules.iter().find_map(|rule| rule.orphans_expire);
    if age.is_none() && !rules.iter().any(|rule| rule.lets_orphans_go) {
        return Some("no schedule owns it".to_owned());
    }
    let used = unknown.iter().find(|name| is_in_use(seen, name));
    if let Some(name) = used {
        return Some(format!("{name} was used lately, perhaps by another policy"));
    }
    if let Some(age) = age {
        return is_too_young(gone, age, at).then(|| "it is an orphan that has not expired".to_owned());
    }
    let is_newer = |name: &str, other: &Record| {
        is_of_the_same_volume(other, gone, by_instance)
            && truth::schedules(other).contains(&name)
            && truth::time(other) >= truth::time(gone)
            && other.snapshot.id != gone.snapshot.id
            && truth::is_good(ec2, other, firm, at)
    };
    let is_last = unknown.iter().any(|name| !ec2.records.iter().any(|other| is_newer(name, other)));
    is_last.then(|| "it is the last one of its schedule".to_owned())
}

/// Whether a name was used less than twice its period ago: its longest gap is no shorter. Or less than a year and a month, where one
/// version made snapshots for fewer than three times that are still there, and no two of them a day apart. What RunNow made is called otherwise.
fn is_in_use(seen: &Seen<'_>, name: &str) -> bool {
    let is_called_so = |record: &&Record| {
        record.is_ours
            && truth::schedules(record).contains(&name)
            && record.edited.is_none()
            && record.exists(seen.firm)
            && record.exists(seen.at)
            && !truth::has_failed(record, seen.at)
    };
    let used = || seen.ec2.records.iter().filter(is_called_so);
    let revision = |record: &Record| record.maker.as_ref().and_then(|maker| maker.version.revision());
    // What was removed a moment ago a run may have seen, the newest one too.
    let is_seen = |record: &&Record| {
        let is_there = record.is_ours && truth::is_there(record, seen.firm, seen.at);
        is_there && truth::schedules(record).contains(&name)
    };
    let may_be_seen = || seen.ec2.records.iter().filter(is_seen);
    let times_by_version_of = |newest: &Record| {
        let of_version = may_be_seen().filter(|record| revision(record) == revision(newest));
        of_version.map(truth::time).collect::<BTreeSet<Timestamp>>()
    };
    let tell_a_gap = |times: &BTreeSet<Timestamp>| {
        let is_a_day_apart =
            times.first().zip(times.last()).is_some_and(|(one, last)| last.duration_since(*one).as_hours() >= 24);
        times.len() >= 3 || (times.len() == 2 && is_a_day_apart)
    };
    let newest =
        [used().max_by_key(|record| truth::time(record)), may_be_seen().max_by_key(|record| truth::time(record))];
    let tells = newest.into_iter().flatten().any(|newest| tell_a_gap(&times_by_version_of(newest)));
    let days = if tells { 0 } else { 397 };
    let ends_of_use = used().filter_map(|record| {
        let period = record.maker.as_ref()?.version.rule(name)?.period;
        Some(truth::time(record) + (period * 2).max(SignedDuration::from_hours(24 * days)))
    });
    let until: Option<Timestamp> = ends_of_use.max();
    until.is_some_and(|until| seen.at + SignedDuration::from_mins(1) < until)
}
