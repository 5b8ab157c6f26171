//! Promise 1: was this snapshot one to delete?

use super::{Keeps, Rule, SKEW_MAX, START_WINDOW, copies, orphan, truth};
use crate::sim::by_id::BY_ID_LAG;
use crate::sim::ec2::Ec2;
use crate::sim::life::{Life, Record, Span};
use crate::world::Volume;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// How long a failed snapshot stays, as the README promises.
pub(super) const FAILED_STAYS: SignedDuration = SignedDuration::from_hours(24);

/// What is wrong with the deletion of `gone` at `at` by a turn that looked at `looked_at`; `None` when it was right.
#[must_use]
pub fn fault(
    ec2: &Ec2,
    rules: &[Rule],
    by_instance: bool,
    gone: &Record,
    looked_at: Timestamp,
    at: Timestamp,
) -> Option<String> {
    let firm = truth::firm_since(looked_at);
    let wrong = |why: &str| Some(format!("{} of {} was deleted, but {why}", gone.snapshot.id, truth::time(gone)));
    if !gone.is_ours {
        return wrong("it is not ours");
    }
    if let Some(why) = protected(gone, at) {
        return wrong(why);
    }
    if truth::has_failed(gone, at) {
        let is_young = at.duration_since(gone.snapshot.start_time) < FAILED_STAYS - SKEW_MAX;
        return if is_young { wrong("it failed less than a day ago") } else { None };
    }
    if !gone.is_complete(at) {
        return wrong("it is under way");
    }
    if is_duplicate(ec2, by_instance, gone, firm, at) {
        return None;
    }
    if is_last_of_living(ec2, gone, firm, at) {
        return wrong("it is the last one of a volume that is there");
    }
    // R3: an expiry is the latest of all schedules that it is for.
    if truth::promised_until(gone).is_some_and(|until| at + SKEW_MAX < until) {
        return wrong("it was promised to stay longer");
    }
    if truth::is_run_now(gone) {
        // Its age is over. Nothing else is asked but that the policy manages what it was made of.
        let standing = truth::standing(ec2, truth::source(gone, by_instance), firm, at);
        let is_left_alone = standing.always_there && !standing.ever_targeted;
        return if is_left_alone { wrong("it is not managed any more") } else { None };
    }
    let names = truth::schedules(gone);
    let owners: Vec<&Rule> = rules.iter().filter(|rule| rule.is_one_of(&names)).collect();
    // R3: it stays as long as any of its schedules keeps it.
    let seen = Seen { ec2, by_instance, firm, at };
    if let Some(why) = owners.iter().find_map(|rule| kept_by(&seen, rule, gone)) {
        return wrong(&why);
    }
    // What a schedule had a part in that is no more goes by `Options.Orphans`.
    let is_known = |name: &&str| owners.iter().any(|rule| rule.is_one_of(&[name]));
    let unknown: Vec<&str> = names.into_iter().filter(|name| !is_known(name)).collect();
    if unknown.is_empty() { None } else { orphan::kept(&seen, rules, &unknown, gone).and_then(|why| wrong(&why)) }
}

/// What there was to see.
pub(super) struct Seen<'a> {
    pub(super) ec2: &'a Ec2,
    pub(super) by_instance: bool,
    /// What was true since then binds.
    pub(super) firm: Timestamp,
    /// When it was deleted.
    pub(super) at: Timestamp,
}

/// What EC2 shows of it by its id just before the call that no run may pass over; reads by id lag a moment.
pub(super) fn protected(gone: &Record, at: Timestamp) -> Option<&'static str> {
    let seen = at - BY_ID_LAG;
    let is_so = |span: Option<Span>| span.is_some_and(|span| span.from <= seen && at < span.until);
    if gone.is_edited(seen) {
        // R2: its tags are not believed.
        Some("somebody has edited its tags")
    } else if is_so(gone.held) {
        Some("it is held")
    } else if is_so(gone.imaged) {
        Some("an AMI uses it")
    } else if gone.archived.is_some_and(|since| since <= seen) {
        Some(if is_so(gone.restored) { "it is archived and restored for some days" } else { "it is archived" })
    } else {
        None
    }
}

/// Whether an AMI used a snapshot when the run looked and does so still: R5 says that nobody asks EC2 to delete it.
#[must_use]
pub fn was_imaged(record: &Record, looked_at: Timestamp, at: Timestamp) -> bool {
    record.imaged.is_some_and(|span| span.holds(truth::firm_since(looked_at)) && span.holds(at)) && record.exists(at)
}

/// Why a rule keeps a snapshot; `None` when it does not.
fn kept_by(seen: &Seen<'_>, rule: &Rule, gone: &Record) -> Option<String> {
    let &Seen { ec2, by_instance, firm, at } = seen;
    let wrong = |why: &str| Some(format!("{why} ({})", rule.name));
    let source = truth::source(gone, by_instance);
    let standing = truth::standing(ec2, source, firm, at);
    let newer = newer_times(seen, rule, gone).len();
    // What is no backup itself, as a member of a set that is not whole, is the last one only where nothing else can be restored.
    let is_better = |other: &Record| {
        let is_another = other.snapshot.id != gone.snapshot.id && other.is_good(at);
        // A volume that outlived its instance is backed up by another one's.
        is_another && other.is_ours && other.snapshot.volume_id == gone.snapshot.volume_id
    };
    let is_worse = || !truth::is_good(ec2, gone, firm, at) && ec2.records.iter().any(is_better);
    // One for the same time and schedule serves as well, whichever schedule it belongs to.
    let is_twin = |other: &Record| {
        let is_alike = truth::is_run_now(other) == truth::is_run_now(gone) && truth::time(other) == truth::time(gone);
        let serves = rule.is_one_of(&truth::schedules(other)) && is_of_the_same_volume(other, gone, by_instance);
        is_alike && serves && other.call != gone.call && truth::is_good(ec2, other, firm, at)
    };
    let has_twin = || ec2.records.iter().any(is_twin);
    let is_last = || newer == 0 && !has_twin() && !is_worse();
    // Of what went a moment ago a run may still go by the schedule's own rule.
    match rule.orphans_expire.filter(|_| standing.is_gone).map(|age| is_too_young(gone, age, at)) {
        Some(false) => return None,
        Some(true) if !standing.ever_targeted => return Some("what is gone has not expired".to_owned()),
        Some(true) | None => {}
    }
    match rule.keeps {
        Keeps::Count(_) if standing.is_gone && rule.lets_orphans_go => {
            if is_last() {
                wrong("it is the last one of what is gone")
            } else {
                None
            }
        }
        // R4: a source that exists keeps its backups.
        Keeps::Count(_) if !standing.ever_targeted => wrong("it is not managed any more"),
        Keeps::Count(count) if newer < count => wrong(&format!("only {newer} newer ones are good, {count} are kept")),
        Keeps::Count(count) => {
            // R6: a lowered count asks.
            let then = truth::count_of_then(gone, rule).filter(|&then| newer < then && !rule.is_accepted);
            let asks = |then| format!("{then} were kept when it was made, and nobody has agreed to {count}");
            then.and_then(|then| wrong(&asks(then)))
        }
        Keeps::Days(_) if standing.always_there && !standing.ever_targeted => wrong("it is not managed any more"),
        Keeps::Days(_) if is_last() => wrong("no newer one is good"),
        // The caller has seen that the time is over that was promised.
        Keeps::Days(_) if truth::promised_until(gone).is_none() => wrong("nobody has promised when it goes"),
        Keeps::Days(_) => {
            let has_stopped = standing.always_targeted && backups_have_stopped(ec2, rule, by_instance, gone, firm, at);
            if has_stopped { wrong("the backups of its volume have stopped") } else { None }
        }
    }
}

/// Whether an orphan is younger than the age of `Options.Orphans`.
pub(super) fn is_too_young(gone: &Record, age: SignedDuration, at: Timestamp) -> bool {
    at + SKEW_MAX < truth::time(gone) + age
}

/// R4: whether its volume was there all the time, whatever became of the instance, and nothing else of ours is left of it that can
/// be restored. What was removed or archived a moment ago nobody could know.
fn is_last_of_living(ec2: &Ec2, gone: &Record, firm: Timestamp, at: Timestamp) -> bool {
    let is_living = |life: &&Life<Volume>| life.is.id == gone.snapshot.volume_id && life.exists.was_on(firm, at);
    let is_left = |other: &&Record| {
        let is_another = other.snapshot.id != gone.snapshot.id && other.snapshot.volume_id == gone.snapshot.volume_id;
        let is_standard = other.archived.is_none_or(|since| since > firm);
        is_another && other.is_ours && is_standard && truth::is_there(other, firm, at) && other.is_complete(at)
    };
    ec2.volumes.iter().any(|life| is_living(&life)) && !ec2.records.iter().any(|other| is_left(&other))
}

/// Whether another good one of the same volume answers the same time and was promised to stay as long: of two that were, one that
/// a newer version made, or an earlier one.
pub(in crate::sim) fn is_duplicate(
    ec2: &Ec2,
    by_instance: bool,
    gone: &Record,
    firm: Timestamp,
    at: Timestamp,
) -> bool {
    ec2.records.iter().any(|other| {
        is_of_the_same_line(other, gone, by_instance)
            && truth::time(other) == truth::time(gone)
            && other.call != gone.call
            && truth::stays_as_long(other, gone)
            && copies::promises_the_copies_of(other, gone)
            && (!truth::stays_as_long(gone, other) || is_before(other, gone))
            && truth::is_good(ec2, other, firm, at)
    })
}

/// Whether of two that stay as long one is the first to stay: of the newer version, or begun earlier.
pub(super) fn is_before(one: &Record, other: &Record) -> bool {
    let revision = |of: &Record| of.maker.as_ref().and_then(|maker| maker.version.revision());
    let (own, of_other) = (revision(one), revision(other));
    own > of_other || own == of_other && one.snapshot.start_time <= other.snapshot.start_time
}

fn is_of_the_same_line(one: &Record, other: &Record, by_instance: bool) -> bool {
    let are_alike = truth::is_run_now(one) == truth::is_run_now(other);
    are_alike && is_of_the_same_volume(one, other, by_instance) && truth::schedule(one) == truth::schedule(other)
}

pub(super) fn is_of_the_same_volume(one: &Record, other: &Record, by_instance: bool) -> bool {
    one.is_ours
        && one.snapshot.volume_id == other.snapshot.volume_id
        && truth::source(one, by_instance) == truth::source(other, by_instance)
}

/// The later scheduled times for which the volume has a good one of this schedule.
fn newer_times(seen: &Seen<'_>, rule: &Rule, gone: &Record) -> BTreeSet<Timestamp> {
    let &Seen { ec2, by_instance, firm, at } = seen;
    let is_newer = |other: &&Record| {
        is_of_the_same_volume(other, gone, by_instance)
            && rule.is_one_of(&truth::schedules(other))
            && truth::time(other) > truth::time(gone)
            && truth::is_good(ec2, other, firm, at)
    };
    ec2.records.iter().filter(is_newer).map(truth::time).collect()
}

/// Our own rule: what has expired stays while the newest good one is older than a period and the start window.
fn backups_have_stopped(
    ec2: &Ec2,
    rule: &Rule,
    by_instance: bool,
    gone: &Record,
    firm: Timestamp,
    at: Timestamp,
) -> bool {
    let is_of_volume = |other: &&Record| {
        other.snapshot.volume_id == gone.snapshot.volume_id
            && truth::source(other, by_instance) == truth::source(gone, by_instance)
            && truth::is_good(ec2, other, firm, at)
    };
    let newest = ec2.records.iter().filter(is_of_volume).map(truth::time).max();
    // The turn decided at `looked_at`, a little before.
    newest.is_none_or(|newest| newest + rule.period + START_WINDOW + SKEW_MAX < firm)
}
