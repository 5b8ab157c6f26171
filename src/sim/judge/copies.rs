//! The judge of copies in other Regions. It knows what each snapshot was promised when it was made, by the version of the policy that
//! made it, and what was copied of it, whatever a run could see.
//!
//! 1. No copy goes before its age is over, nor the newest complete one of a volume and schedule in a Region, nor the last whole set.
//!    None that somebody holds, archived, edited or made by hand.
//! 2. Nothing is deleted or begun in a Region that was not seen, nor deleted there when the home Region was not seen whole.
//! 3. No snapshot is copied twice while a copy of it is shown, and never by a run that sees a later one.
//! 4. A snapshot stays while its copy is wanted and in time, or under way.
//! 5. Who says SUCCEEDED has a complete copy for each promise of what it made, or a later run sees to it. What was promised and never
//!    came was told by a run that failed.
//! 6. Once faults stop, each Region holds one copy of everything that was promised, and nothing that has expired.

pub mod begun;
pub mod deletion;
pub mod ending;
pub mod ledger;
pub mod source;
pub mod year_end;

use super::{Rule, truth};
use crate::place::Region;
use crate::policy::{AgeUnit, Policy};
use crate::sim::ec2::{Copied, Ec2};
use crate::sim::life::Record;
use crate::world::VolumeId;
use jiff::{SignedDuration, Timestamp};
pub use ledger::Ledger;
use std::collections::{BTreeMap, BTreeSet};

/// How long a copy is tried after its snapshot is complete (DLM user guide: 24 hours).
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// What a turn saw.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// When it saw the home Region.
    pub at: Timestamp,
    /// Whether it saw all snapshots there.
    pub is_whole: bool,
    /// When it saw each other Region whole.
    pub abroad: &'a BTreeMap<Region, Timestamp>,
}

/// The names of the schedules that a snapshot was made for, those of a RunNow too.
fn names(record: &Record) -> Vec<&str> {
    let also = record.snapshot.marks.also.value().into_iter().flatten();
    std::iter::once(truth::schedule(record)).chain(also.map(|name| name.as_str())).collect()
}

/// For how many days a snapshot was promised a copy in each Region when it was made, `None` for ever: by the rule that keeps longest.
fn promised(record: &Record) -> BTreeMap<Region, Option<i64>> {
    let mut promised: BTreeMap<Region, Option<i64>> = BTreeMap::new();
    let Some(maker) = record.maker.as_ref().filter(|_| record.is_ours) else { return promised };
    let names = names(record);
    let schedules = maker.version.policy.schedules.iter().filter(|schedule| names.contains(&schedule.name.as_str()));
    for rule in schedules.flat_map(|schedule| &schedule.copies) {
        let days = rule.retain.map(|age| {
            assert_eq!(age.unit, AgeUnit::Days, "the rules of the simulator count days");
            i64::from(age.interval.get())
        });
        let longest = promised.entry(rule.region.clone()).or_insert(days);
        *longest = longest.zip(days).map(|(one, other)| one.max(other));
    }
    promised
}

/// Whether one was promised each copy that another was, for as long.
pub(super) fn promises_the_copies_of(one: &Record, other: &Record) -> bool {
    let own = promised(one);
    let is_no_less = |(own, days): (&Option<i64>, &Option<i64>)| own.is_none() || days.is_some() && own >= days;
    promised(other).iter().all(|(region, days)| own.get(region).is_some_and(|own| is_no_less((own, days))))
}

/// When a copy expires, `None` for never: so many days after its own start. What a RunNow made stays no longer than that does itself.
fn expires_at(region: &Region, copy: &Copied) -> Option<Timestamp> {
    let days = promised(&copy.of).get(region).copied().flatten().map(|days| SignedDuration::from_hours(24 * days));
    let by_button = truth::is_run_now(&copy.of).then_some(truth::RUN_NOW_STAYS);
    let age = days.into_iter().chain(by_button).min()?;
    Some(copy.record.snapshot.start_time + age)
}

/// Whether everybody may count on a copy who looked at `firm`: complete, in the standard tier, and not edited.
fn is_good(copy: &Copied, firm: Timestamp, at: Timestamp) -> bool {
    let record = &copy.record;
    let is_believed = record.is_ours && !record.is_edited(firm);
    let is_standard = record.archived.is_none_or(|since| since > firm);
    is_believed && is_standard && record.is_complete(at) && truth::is_there(record, firm, at)
}

/// Whether a copy of a snapshot was under way at `firm` or has begun since.
pub(super) fn is_under_way(ec2: &Ec2, of: &Record, firm: Timestamp) -> bool {
    let mut all = ec2.abroad.iter().flat_map(|abroad| abroad.regions.values()).flat_map(|there| &there.copies);
    all.any(|copy| copy.of.snapshot.id == of.snapshot.id && copy.record.ends_at > firm)
}

/// The copies in a Region.
fn copies<'a>(ec2: &'a Ec2, region: &Region) -> &'a [Copied] {
    let there = ec2.abroad.as_ref().and_then(|abroad| abroad.regions.get(region));
    there.map_or(&[], |there| there.copies.as_slice())
}

fn volume(copy: &Copied) -> VolumeId {
    copy.of.snapshot.volume_id
}

/// Whether a copy is of a snapshot, or of another one that was made of the same volume for the same time: of two one is enough.
fn serves(copy: &Copied, of: &Record) -> bool {
    let is_alike = copy.of.snapshot.volume_id == of.snapshot.volume_id && truth::time(&copy.of) == truth::time(of);
    copy.of.snapshot.id == of.snapshot.id || is_alike && names(&copy.of).iter().any(|name| names(of).contains(name))
}

/// Whether a copy is of the series that a name stands for: what a schedule was called before is one with what it is called now.
fn is_of_series(rules: &[Rule], name: &str, copy: &Copied) -> bool {
    let of_copy = names(&copy.of);
    let owner = rules.iter().find(|rule| rule.is_one_of(&[name]));
    of_copy.contains(&name) || owner.is_some_and(|owner| owner.is_one_of(&of_copy))
}

fn are_of_one_time(one: &Copied, other: &Copied) -> bool {
    let sorted = |copy| names(copy).into_iter().map(str::to_owned).collect::<BTreeSet<String>>();
    let instance = |copy: &Copied| copy.of.snapshot.marks.instance_id.value().copied();
    volume(one) == volume(other)
        && instance(one) == instance(other)
        && truth::is_run_now(&one.of) == truth::is_run_now(&other.of)
        && truth::time(&one.of) == truth::time(&other.of)
        && sorted(&one.of) == sorted(&other.of)
}

/// The rules of the schedules today that a copy is for and that copy to its Region.
fn owners<'r>(policy: &Policy, rules: &'r [Rule], region: &Region, copy: &Copied) -> Vec<&'r Rule> {
    let names = names(&copy.of);
    let has_rule = |rule: &&Rule| {
        let schedule = policy.schedules.iter().find(|schedule| schedule.name.as_str() == rule.name);
        schedule.is_some_and(|schedule| schedule.copies.iter().any(|copies| copies.region == *region))
    };
    rules.iter().filter(|rule| rule.is_one_of(&names)).filter(has_rule).collect()
}
