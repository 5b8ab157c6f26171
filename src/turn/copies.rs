//! The copies of a turn: what travels of them from turn to turn. Which calls are made is in `calls`, what is left in `left`.

mod calls;
mod left;

use super::subject::Subject;
use crate::place::Region;
use crate::policy::Policy;
use crate::tags;
use crate::world::{SnapshotId, World};
pub(crate) use calls::withheld;
pub(super) use calls::{note, select};
use jiff::{SignedDuration, Timestamp};
pub(super) use left::{IDLE_TURNS_UNTIL_SLOW, Left, WAIT_FOR_PLACE_SECONDS, WAIT_FOR_SLOW_COPIES_SECONDS, left};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many copies that were begun and are not shown as ours are remembered: 20 may be under way in each Region, and a few Regions
/// hold some whose tags somebody has taken off. At 90 bytes each they stay under 20 KB.
const BEGUN_MAX: usize = 200;

/// How many calls that EC2 refused are remembered. With more the run calls nothing in other Regions any more: the next one begins anew. At
/// 11 bytes each they stay under 6 KB.
const REFUSED_MAX: usize = 500;

/// What travels from turn to turn of a run's copies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Copies {
    /// What was begun, or perhaps was, and is not shown as a copy of ours yet, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub begun: Vec<BegunCopy>,
    /// For each Region how many copies the run has begun.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub begun_in: BTreeMap<String, u64>,
    /// For each Region how many may be under way, where EC2 has refused one more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<String, usize>,
    /// For each Region how many copies the run has deleted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub deleted_in: BTreeMap<String, u64>,
    /// What EC2 refused to copy or to delete, by [`Subject::hash`]: more than there are failures.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refused: BTreeSet<String>,
    /// Copies that were not made in time and that the run has to tell, also when their snapshots are gone by its end.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missed: BTreeSet<Subject>,
    /// Copies that were to be begun after the last turn: one that is wanted no more a turn later, since it would be over by now, was missed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub to_begin: BTreeSet<Subject>,
    /// Copies under way that the run waits for, as after the last turn.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub awaited: BTreeSet<Subject>,
}

/// A copy that EC2 accepted, or perhaps did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct BegunCopy {
    /// The snapshot and the Region.
    pub subject: Subject,
    /// The copy, where EC2 answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When the turn's calls had ended.
    pub at: Timestamp,
    /// Whether EC2 said when it was last asked that there is no such snapshot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_found: bool,
    /// Whether EC2 showed it without the tags that make it ours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_ours: bool,
}

impl Copies {
    /// Whether the run has had nothing to do with copies.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        *self == Self::default()
    }

    /// How many copies the run has begun and deleted.
    #[must_use]
    pub fn worked(&self) -> u64 {
        self.begun_in.values().sum::<u64>().saturating_add(self.deleted())
    }

    /// How many copies the run has deleted, in all Regions.
    pub(super) fn deleted(&self) -> u64 {
        self.deleted_in.values().sum()
    }

    /// Whether EC2 refused a copy or a deletion in this run, or so many that nothing is called any more.
    pub(crate) fn is_refused(&self, subject: &Subject) -> bool {
        self.refused.len() >= REFUSED_MAX || self.refused.contains(&subject.hash())
    }

    /// What is told no more is tried again where it is to be done once more: else nobody would hear of it.
    pub(super) fn forget_refusal(&mut self, subject: &Subject) {
        self.refused.remove(&subject.hash());
    }

    /// The copies that lost the tags that make them ours, each with what it was made of.
    pub(crate) fn lost(&self) -> impl Iterator<Item = &BegunCopy> {
        self.begun.iter().filter(|begun| begun.not_ours)
    }

    fn has_lost(&self, subject: &Subject) -> bool {
        self.lost().any(|begun| begun.subject == *subject)
    }

    fn has_begun(&self, subject: &Subject) -> bool {
        self.begun.iter().any(|begun| begun.subject == *subject)
    }

    /// The copies in a Region to ask for by their ids where its list does not show them.
    #[must_use]
    pub fn ids_begun(&self, region: &Region) -> BTreeSet<SnapshotId> {
        let in_region = self.begun.iter().filter(|begun| begun.subject.in_region().is_some_and(|(_, of)| of == region));
        in_region.filter_map(|begun| SnapshotId::parse(begun.id.as_deref()?)).collect()
    }

    /// Takes in what a look at `now` shows of what was begun. What is listed as ours is not remembered any more, and so is what two looks
    /// did not find by its id. What stays without the tags of ours is remembered, so that it is not made again.
    pub fn note_look(&mut self, policy: &Policy, world: &World, now: Timestamp, settling: SignedDuration) {
        let Some(home) = &world.home else { return };
        self.begun.retain_mut(|begun| {
            let region = begun.subject.in_region().map(|(_, region)| region);
            let Some((region, view)) = region.and_then(|region| world.regions.get_key_value(region)) else {
                return true;
            };
            let is_over = now.duration_since(begun.at) >= settling;
            let Some(id) = begun.id.as_deref().and_then(SnapshotId::parse) else { return !is_over || view.is_unseen() };
            let shown = view.snapshots.iter().find(|snapshot| snapshot.id == id);
            if shown.is_some_and(|copy| tags::is_copy_of_ours(&policy.id, home, region, copy)) {
                // By its id alone it may still be missing from the next list.
                return view.by_id.shown.contains(&id);
            }
            begun.not_ours = shown.is_some();
            let was_not_found = std::mem::replace(&mut begun.not_found, view.by_id.not_found.contains(&id));
            !(begun.not_found && was_not_found && is_over)
        });
    }

    /// The snapshots whose copies were open after the last turn: whatever a list leaves out, they are asked for by their ids. Else the run
    /// would end with copies open that it does not know of any more.
    pub(super) fn open_sources(&self) -> impl Iterator<Item = SnapshotId> {
        self.to_begin.iter().chain(&self.awaited).filter_map(|subject| Some(subject.in_region()?.0))
    }

    fn remember(&mut self, subject: Subject, id: Option<SnapshotId>, at: Timestamp) {
        let id = id.map(|id| id.to_string());
        self.begun.push(BegunCopy { subject, id, at, not_found: false, not_ours: false });
        let excess = self.begun.len().saturating_sub(BEGUN_MAX);
        self.begun.drain(..excess);
    }
}

#[cfg(test)]
mod tests;
