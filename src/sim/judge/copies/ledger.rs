//! Everything that was promised, and what came of it: no promise is broken in silence.

use super::source::UNDER_WAY_FOR_MAX;
use super::{WINDOW, copies, promised};
use crate::place::Region;
use crate::sim::ec2::{Copied, Ec2};
use crate::sim::judge::{SKEW_MAX, truth};
use crate::sim::life::{Record, Remover};
use crate::world::SnapshotId;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// How long after a snapshot is complete somebody must have told that a copy was not made: a day, another one for the run that takes over,
/// and the time in which that may have seen the one before.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_mins(2 * 24 * 60 + 17 + 60);

/// How often a copy of one snapshot is begun at most: three tries that fail, those of which an answer was lost or that a list did not show
/// yet, and those that somebody has deleted or edited.
const BEGUN_MAX: usize = 10;

/// How long what is settled is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(10 * 24);

/// A copy that was promised.
#[derive(Debug, Clone)]
struct Promised {
    of: Record,
    /// The scheduled time, as it was before anybody edited it.
    time: Timestamp,
    is_kept: bool,
    /// Whether people have done something to the snapshot, or it is no backup: nobody owes a copy of that.
    is_excused: bool,
    /// Whether people have done something to it.
    is_touched: bool,
    /// Whether somebody was found to be silent about it.
    is_named: bool,
    begun: usize,
    /// Until when a copy that is under way may well become complete.
    awaited_until: Timestamp,
}

/// All that was promised in the last days.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    promised: BTreeMap<(SnapshotId, Region), Promised>,
    /// When runs ended that said that something was wrong, and what they named; `None` for those that could name anything.
    told: Vec<(Timestamp, Option<BTreeSet<String>>)>,
}

impl Ledger {
    /// Takes in what is true now.
    pub fn note(&mut self, ec2: &Ec2, now: Timestamp) {
        for record in ec2.records.iter().filter(|record| record.is_ours) {
            for region in promised(record).into_keys() {
                let new = || Promised {
                    of: record.clone(),
                    time: truth::time(record),
                    is_kept: false,
                    is_excused: false,
                    is_touched: false,
                    is_named: false,
                    begun: 0,
                    awaited_until: record.ends_at,
                };
                let promised = self.promised.entry((record.snapshot.id, region.clone())).or_insert_with(new);
                let is_own = |copy: &&Copied| copy.of.snapshot.id == record.snapshot.id && copy.record.is_ours;
                let own = || copies(ec2, &region).iter().filter(is_own);
                let pending = own().filter(|copy| now < copy.record.ends_at);
                let awaited_until = pending.map(|copy| copy.record.snapshot.start_time + UNDER_WAY_FOR_MAX).max();
                promised.awaited_until = promised.awaited_until.max(awaited_until.unwrap_or(promised.of.ends_at));
                promised.is_kept |= own().any(|copy| copy.record.is_complete(now));
                promised.begun = promised.begun.max(own().filter(|copy| !copy.is_clone).count());
                let is_removed = record.removed.is_some_and(|(_, by)| by == Remover::User);
                let is_touched = is_removed || record.is_torn || record.edited.is_some() || record.archived.is_some();
                promised.is_touched |= is_touched;
                let is_no_backup = truth::has_failed(record, now) || !is_whole(ec2, record);
                promised.is_excused |= is_touched || is_no_backup || truth::is_run_now(record);
                promised.of = record.clone();
            }
        }
        // A copy may become complete after its snapshot is gone.
        for ((id, region), promised) in &mut self.promised {
            let is_own =
                |copy: &Copied| copy.of.snapshot.id == *id && copy.record.is_ours && copy.record.is_complete(now);
            promised.is_kept |= copies(ec2, region).iter().any(is_own);
        }
        let of_twins: Vec<(SnapshotId, Region)> = self
            .promised
            .iter()
            .filter(|(key, promised)| self.has_twin(key, promised))
            .map(|(key, _)| key.clone())
            .collect();
        for key in of_twins {
            if let Some(promised) = self.promised.get_mut(&key) {
                promised.is_excused = true;
            }
        }
        // All that is for one time at once: what is told of one is told of the others.
        self.promised.retain(|_, promised| now.duration_since(promised.time) < REMEMBERED);
        self.told.retain(|&(told, _)| now.duration_since(told) < REMEMBERED);
    }

    /// A run has failed and named what failed, or could not name anything.
    pub fn note_told(&mut self, now: Timestamp, named: Option<BTreeSet<String>>) {
        self.told.push((now, named));
    }

    /// What nobody has told of although a run, which began at `begun`, should have by now at the latest.
    #[must_use]
    pub fn silence(&mut self, begun: Timestamp) -> Vec<String> {
        let is_silent = |key: &(SnapshotId, Region), promised: &Promised| {
            let (id, region) = key;
            let since = promised.of.snapshot.start_time;
            let awaited_until = |promised: &Promised| {
                let of_twins = self.twins(key, promised).map(|(_, twin)| twin.awaited_until);
                of_twins.max().unwrap_or(promised.awaited_until).max(promised.awaited_until)
            };
            let own = self.twins(key, promised).map(|((twin, _), _)| *twin).chain([*id]);
            let own: Vec<String> = own.map(|id| format!("{id}@{region}")).collect();
            // That a Region cannot be looked at tells of all copies that are wanted there.
            let names =
                |name: &String| own.contains(name) || *name == region.to_string() || *name == format!("@{region}");
            let names_it =
                |named: &Option<BTreeSet<String>>| named.as_ref().is_none_or(|named| named.iter().any(names));
            let is_told = self.told.iter().any(|(told, named)| *told > since && names_it(named));
            !promised.is_kept
                && !promised.is_excused
                && !promised.is_named
                && !is_told
                && promised.of.ends_at + TOLD_WITHIN < begun
                && awaited_until(promised) + SKEW_MAX < begun
        };
        let silent = self.promised.iter().filter(|(key, promised)| is_silent(key, promised));
        let silent: Vec<(SnapshotId, Region)> = silent.map(|(key, _)| key.clone()).collect();
        let mut told = Vec::new();
        for key in silent {
            if let Some(promised) = self.promised.get_mut(&key) {
                promised.is_named = true;
                let time = promised.time;
                told.push(format!("nobody has told that {} of {time} has no copy in {}", key.0, key.1));
            }
        }
        told
    }

    /// Whether another snapshot for the same time has its copy in the same Region: of two one is enough. Or whether a run removed this one
    /// beside another one, which people have done something to.
    fn has_twin(&self, key: &(SnapshotId, Region), of: &Promised) -> bool {
        let is_one_too_many = of.of.removed.is_some_and(|(_, by)| by != Remover::User);
        !of.is_kept && self.twins(key, of).any(|(_, other)| other.is_kept || is_one_too_many && other.is_touched)
    }

    /// The other snapshots of a volume for the same time that were promised a copy in the same Region.
    fn twins(
        &self,
        (id, region): &(SnapshotId, Region),
        of: &Promised,
    ) -> impl Iterator<Item = (&(SnapshotId, Region), &Promised)> {
        self.promised.iter().filter(move |((other_id, other_region), other)| {
            other_id != id
                && other_region == region
                && other.of.snapshot.volume_id == of.of.snapshot.volume_id
                && other.time == of.time
        })
    }

    /// What was copied again and again.
    #[must_use]
    pub fn too_often(&mut self) -> Option<String> {
        let is_too_often = |promised: &Promised| promised.begun > BEGUN_MAX && !promised.is_named;
        let (key, promised) = self.promised.iter_mut().find(|(_, promised)| is_too_often(promised))?;
        promised.is_named = true;
        Some(format!("{} copies of {} were begun in {}", promised.begun, key.0, key.1))
    }

    /// What was complete between two times and has no copy.
    pub fn broken(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = String> {
        let is_of = move |promised: &Promised| {
            let is_of = from < promised.of.snapshot.start_time && promised.of.ends_at < to;
            is_of && !promised.is_kept && !promised.is_excused
        };
        let broken = self.promised.iter().filter(move |(_, promised)| is_of(promised));
        broken.map(|((id, region), promised)| format!("at the end {id} of {} has no copy in {region}", promised.time))
    }
}

/// Whether the set of a snapshot was whole. What was removed long ago is forgotten: the stamp tells how many there were to be.
fn is_whole(ec2: &Ec2, record: &Record) -> bool {
    let set = || ec2.records.iter().filter(|other| other.is_ours && other.call == record.call);
    let is_unspoilt = |member: &Record| {
        member.ends_as == crate::world::SnapshotState::Completed && member.edited.is_none() && !member.is_torn
    };
    let planned = record.snapshot.marks.stamp.value().and_then(|stamp| stamp.members).unwrap_or(1);
    u32::try_from(set().count()).is_ok_and(|members| members >= planned || record.removed.is_some())
        && set().all(is_unspoilt)
}

/// Long enough for the copies of the last run.
pub(super) const UNTIL_COPIED: SignedDuration = WINDOW;
