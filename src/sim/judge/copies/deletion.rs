//! Was this copy one to delete?

use super::{Look, are_of_one_time, copies, expires_at, is_good, is_of_series, names, owners, volume};
use crate::place::Region;
use crate::policy::Policy;
use crate::sim::by_id::BY_ID_LAG;
use crate::sim::ec2::{Copied, Ec2};
use crate::sim::judge::deletion::{FAILED_STAYS, protected};
use crate::sim::judge::newest::Hand;
use crate::sim::judge::{Rule, SKEW_MAX, START_WINDOW, truth};
use crate::world::{InstanceId, VolumeId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// By how much the expiries that two runs write may differ from the true ones: two clocks, and a second that is cut off.
const EXPIRIES_DIFFER: SignedDuration = SignedDuration::from_secs(2 * SKEW_MAX.as_secs() + 2);

/// Who deletes, and by what.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// The policy that the run carries.
    pub policy: &'a Policy,
    /// Its schedules in plain numbers.
    pub rules: &'a [Rule],
    /// The run.
    pub hand: &'a Hand,
    /// Whether the policy backs up instances.
    pub by_instance: bool,
}

/// What is wrong with the deletion of a copy at `at`; `None` when it was right.
#[must_use]
pub fn fault(
    ec2: &Ec2,
    by: By<'_>,
    look: Look<'_>,
    (region, gone): (&Region, &Copied),
    at: Timestamp,
) -> Option<String> {
    let record = &gone.record;
    let of = format!("the copy {} in {region} of {} of {}", record.snapshot.id, volume(gone), truth::time(&gone.of));
    let wrong = |why: &str| Some(format!("{of} was deleted, but {why}"));
    let Some(&seen_at) = look.abroad.get(region) else { return wrong("the Region was not seen whole") };
    let firm = truth::firm_since(seen_at);
    if !record.is_ours {
        return wrong("it is not ours");
    }
    if !look.is_whole {
        return wrong("the home Region was not seen whole");
    }
    if let Some(why) = protected(record, at) {
        return wrong(why);
    }
    if let Some(why) = evidence(ec2, by.hand, region, seen_at) {
        return wrong(&why);
    }
    if truth::has_failed(record, at) {
        let is_young = at.duration_since(record.snapshot.start_time) < FAILED_STAYS - SKEW_MAX;
        return if is_young { wrong("it failed less than a day ago") } else { None };
    }
    if !record.is_complete(at) {
        return wrong("it is under way");
    }
    let others = || copies(ec2, region).iter().filter(|other| other.record.snapshot.id != record.snapshot.id);
    let is_left = |other: &Copied| other.record.removed.is_none_or(|(removed, _)| removed > at - BY_ID_LAG);
    let is_run_now = truth::is_run_now(&gone.of);
    let has_any = others().any(|other| volume(other) == volume(gone) && is_left(other) && is_good(other, firm, at));
    if !is_run_now && !has_any {
        return wrong("nothing else is left of its volume");
    }
    let is_twin = |other: &Copied| {
        let stays = expires_at(region, other)
            .is_none_or(|until| expires_at(region, gone).is_some_and(|own| own <= until + EXPIRIES_DIFFER));
        are_of_one_time(other, gone) && !other.is_clone && !gone.is_clone && stays && is_good(other, firm, at)
    };
    if others().any(is_twin) {
        return None;
    }
    match expires_at(region, gone) {
        None => return wrong("it was promised for ever"),
        Some(until) if at + SKEW_MAX < until => return wrong(&format!("it was promised until {until}")),
        Some(_) => {}
    }
    let owners = owners(by.policy, by.rules, region, gone);
    if owners.is_empty() {
        return wrong("no rule copies to its Region any more");
    }
    if is_run_now {
        return None;
    }
    let good: Vec<&Copied> = others().filter(|other| is_good(other, firm, at)).collect();
    let has_newer = |name: &str| {
        good.iter().any(|other| {
            volume(other) == volume(gone)
                && is_of_series(by.rules, name, other)
                && !truth::is_run_now(&other.of)
                && truth::time(&other.of) > truth::time(&gone.of)
        })
    };
    if let Some(name) = names(&gone.of).into_iter().find(|name| !has_newer(name)) {
        return wrong(&format!("it is the newest complete one of {name}"));
    }
    if by.by_instance && is_of_last_set(by.rules, gone, &good, (firm, at)) {
        return wrong("it is one of the last whole set");
    }
    let newest = good.iter().filter(|other| volume(other) == volume(gone) && !truth::is_run_now(&other.of));
    let newest = newest.map(|other| truth::time(&other.of)).max()?;
    let standing = truth::standing(ec2, truth::source(&gone.of, by.by_instance), firm, at);
    let has_stopped = |rule: &&&Rule| newest + rule.period + super::WINDOW + START_WINDOW + SKEW_MAX < firm;
    if standing.always_targeted && owners.iter().any(|rule| has_stopped(&rule)) {
        return wrong(&format!("the newest copy of its volume is that of {newest}"));
    }
    None
}

/// What copies that everybody could see show of later runs and newer policies.
fn evidence(ec2: &Ec2, hand: &Hand, region: &Region, seen_at: Timestamp) -> Option<String> {
    let firm = truth::firm_since(seen_at);
    let is_believed =
        |copy: &&Copied| copy.record.is_ours && copy.record.edited.is_none() && !truth::is_run_now(&copy.of);
    let believed = || copies(ec2, region).iter().filter(is_believed);
    let is_firm = |copy: &&Copied| copy.record.exists(firm) && copy.record.exists(seen_at);
    let shown = || believed().filter(is_firm);
    let later = shown().map(|copy| truth::time(&copy.of)).find(|&time| hand.start < time && time + SKEW_MAX <= seen_at);
    // As at home the newest one that others made tells, and what began since then may be shown or not.
    let revision = |copy: &Copied| copy.record.maker.as_ref().and_then(|maker| maker.version.revision());
    let is_newer = |copy: &Copied| {
        let revision = revision(copy);
        revision > hand.revision && revision.is_some_and(|revision| revision + SKEW_MAX <= seen_at)
    };
    let of_others = |copy: &&Copied| {
        let is_own = copy.record.maker.as_ref().is_some_and(|maker| maker.execution == hand.execution);
        !is_own && truth::is_there(&copy.record, firm, seen_at)
    };
    let began = |copy: &Copied| copy.record.snapshot.start_time;
    let newest = believed().filter(of_others).filter(is_firm).max_by_key(|copy| began(copy));
    let decides =
        |newest: &&Copied| believed().filter(of_others).filter(|copy| began(copy) >= began(newest)).all(is_newer);
    let newer = newest.filter(decides).and_then(revision);
    let of_later = later.map(|later| format!("R1: a later run's snapshot of {later} is copied there"));
    of_later.or_else(|| newer.map(|newer| format!("R1b: the policy of {newer} decides there")))
}

/// Whether a copy belongs to the newest set of its instance all of whose members can be restored in the Region. That somebody removed,
/// edited or archived another member a moment ago the run may have seen, and not that one became complete after `firm`.
fn is_of_last_set(rules: &[Rule], gone: &Copied, good: &[&Copied], (firm, at): (Timestamp, Timestamp)) -> bool {
    let members = |copy: &Copied| copy.of.snapshot.marks.stamp.value().and_then(|stamp| stamp.members);
    let instance = |copy: &Copied| copy.of.snapshot.marks.instance_id.value().copied();
    let (Some(planned), Some(of)) = (members(gone), instance(gone)) else { return false };
    let mut sets: BTreeMap<(InstanceId, Timestamp), (BTreeSet<VolumeId>, u32)> = BTreeMap::new();
    let shares = |copy: &Copied| names(&gone.of).iter().any(|name| is_of_series(rules, name, copy));
    let is_newer = |copy: &Copied| truth::time(&copy.of) > truth::time(&gone.of);
    let is_left = |copy: &&Copied| is_newer(copy) || is_good(copy, at, at) && copy.record.is_complete(firm);
    let others = good.iter().copied().filter(is_left);
    for copy in others.chain([gone]).filter(|copy| instance(copy) == Some(of) && shares(copy)) {
        let set = sets.entry((of, truth::time(&copy.of))).or_insert((BTreeSet::new(), planned));
        set.0.insert(volume(copy));
        set.1 = members(copy).unwrap_or(planned);
    }
    let is_whole =
        |(volumes, planned): &(BTreeSet<VolumeId>, u32)| u32::try_from(volumes.len()).is_ok_and(|n| n >= *planned);
    let own = (of, truth::time(&gone.of));
    sets.get(&own).is_some_and(is_whole) && !sets.iter().any(|(key, set)| *key > own && is_whole(set))
}
