//! What a snapshot is promised: stamped when it is made, read when its copies are made.

use super::super::retain::later_by;
use crate::options::Options;
use crate::place::Region;
use crate::policy::{Age, CopyRule, KeyArn, Policy, Schedule};
use crate::world::{Snapshot, World};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The rules to stamp on a snapshot that is made for these schedules, the owner first: each different one once.
pub(in crate::plan) fn stamped(schedules: &[&Schedule]) -> Vec<CopyRule> {
    let mut stamped: Vec<CopyRule> = Vec::new();
    for rule in schedules.iter().flat_map(|schedule| &schedule.copies) {
        if !stamped.contains(rule) {
            stamped.push(rule.clone());
        }
    }
    stamped
}

/// The Regions to look at: those that a rule of the policy names, and those that the stack copies to, also when no rule names them any more.
#[must_use]
pub fn regions(policy: &Policy, options: &Options) -> BTreeSet<Region> {
    let of_rules = policy.schedules.iter().flat_map(|schedule| &schedule.copies).map(|rule| rule.region.clone());
    of_rules.chain(options.copy_regions.iter().cloned()).collect()
}

/// The Regions in which snapshots of the account are promised copies.
#[must_use]
pub fn promised_regions(world: &World) -> BTreeSet<Region> {
    let promised = world.snapshots.iter().filter_map(|snapshot| snapshot.marks.copies.value()).flatten();
    let promised: BTreeSet<&Region> = promised.map(|rule| &rule.region).collect();
    promised.into_iter().cloned().collect()
}

/// How copies are encrypted: whether a rule says so, and its key. What is wrong with a key is wrong for all copies under it, and for no
/// others.
pub type Encryption<'a> = (bool, Option<&'a KeyArn>);

/// What all rules that are stamped on a snapshot ask of its one copy in a Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise<'a>(Vec<&'a CopyRule>);

impl<'a> Promise<'a> {
    /// One for each Region.
    pub(super) fn all_of(source: &'a Snapshot) -> BTreeMap<&'a Region, Self> {
        let mut promises: BTreeMap<&Region, Self> = BTreeMap::new();
        for rule in source.marks.copies.value().into_iter().flatten() {
            promises.entry(&rule.region).or_insert(Self(Vec::new())).0.push(rule);
        }
        promises
    }

    /// Whether the copy is encrypted where the snapshot is not: where any rule says so.
    #[must_use]
    pub fn encrypted(&self) -> bool {
        self.0.iter().any(|rule| rule.encrypted)
    }

    /// Whether the copy gets the user tags of the snapshot: where any rule says so.
    #[must_use]
    pub fn copies_tags(&self) -> bool {
        self.0.iter().any(|rule| rule.copy_tags)
    }

    /// The key of the first rule that names one.
    #[must_use]
    pub fn key(&self) -> Option<&'a KeyArn> {
        self.0.iter().find_map(|rule| rule.key.as_ref())
    }

    /// How the copy is encrypted.
    #[must_use]
    pub fn encryption(&self) -> Encryption<'a> {
        (self.encrypted(), self.key())
    }

    /// When a copy that begins at `begun` expires: by the rule that keeps it longest (dlm.md E11), `None` for never. What a RunNow
    /// made stays no longer than `run_now_retain`, or somebody's button would cost for as long as a yearly copy does.
    #[must_use]
    pub fn expires_at(&self, begun: Timestamp, run_now_retain: Option<Age>) -> Option<Timestamp> {
        let by_rules = self.0.iter().map(|rule| rule.retain.map_or(Timestamp::MAX, |age| later_by(begun, age))).max();
        let by_button = run_now_retain.map_or(Timestamp::MAX, |age| later_by(begun, age));
        by_rules.map(|at| at.min(by_button)).filter(|&at| at < Timestamp::MAX)
    }
}
