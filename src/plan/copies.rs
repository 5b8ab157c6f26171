//! Copies in other Regions: which ones are to be made, which ones go, and which snapshots wait for theirs.
//!
//! What is promised stands on the snapshot itself (`opendlm:copies`, under the digest of its stamp), so that no later edit of the
//! policy adds or takes a copy of what is there. What a copy is of stands on the copy. So everything here is decided from what EC2
//! shows of the home Region and of the others:
//! - a copy is begun by one run only: see `carry`;
//! - a snapshot stays while a copy of it is promised and not complete: see `wanted`;
//! - nothing goes in another Region unless the home Region was seen whole, and the newest copy never goes: see `fate`; what was copied of
//!   a set that has no place at home is one too many: see `whole`.

mod call;
mod carry;
#[cfg(test)]
mod cases;
mod fate;
mod lost;
mod promise;
mod seen;
mod wanted;
mod whole;

use super::{DeleteReason, SnapshotDecision, SnapshotVerdict};
use crate::place::Region;
use crate::world::{Coverage, Snapshot, SnapshotId, Unseen, VolumeId};
pub use call::{begin, completed, deletion};
pub(super) use carry::Carries;
pub use carry::LeftTo;
pub(super) use fate::Home;
pub(crate) use fate::expires_at;
use jiff::{SignedDuration, Timestamp};
pub(super) use promise::stamped;
pub use promise::{Encryption, Promise};
pub use promise::{promised_regions, regions};
pub(super) use seen::Seen;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
pub(super) use wanted::{keep_sources, want};
use whole::WholeSets;

/// How long after a snapshot is complete its copies are tried (DLM user guide: "retries the operation for 24 hours").
pub const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// How many copies may be under way in a Region at once (EC2 user guide, "Copy an Amazon EBS snapshot": 20 for each destination).
pub const UNDER_WAY_MAX: usize = 20;

/// What is decided about one other Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionPlan<'a> {
    /// The Region.
    pub region: Region,
    /// Whether a rule of the policy copies there today.
    pub has_rule: bool,
    /// Why it could not be looked at.
    pub unseen: Option<Unseen>,
    /// One for each snapshot that is to have a copy there, in the order in which they are to be begun. What lies so far back that its copy
    /// would be gone by now is left out.
    pub wanted: Vec<Wanted<'a>>,
    /// One for each copy of ours there, sorted by volume, scheduled time and id.
    pub copies: Vec<SnapshotDecision<'a>>,
    /// Copies there that carry the policy's tag and are not ours, or not any more: somebody edited what tells whose they are.
    pub foreign: usize,
    /// Their full size in bytes.
    pub foreign_bytes: u64,
    /// Copies of ours that have expired and that nothing takes away: the last ones of what is gone.
    pub left_behind: BTreeSet<SnapshotId>,
    /// Copies that nothing else tells of and that do not become complete.
    pub lost: Vec<Lost<'a>>,
}

/// A copy that does not become complete, and of which the plan of its snapshot does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost<'a> {
    /// The copy: it failed and its snapshot is gone, or it has been under way for very long.
    pub copy: &'a Snapshot,
    /// The snapshot that it is of.
    pub source: SnapshotId,
}

/// What is decided about one copy that a snapshot is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The snapshot.
    pub source: &'a Snapshot,
    /// What it is promised.
    pub promise: Promise<'a>,
    /// The decision.
    pub verdict: CopyVerdict<'a>,
}

/// The decision about a copy, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyVerdict<'a> {
    /// It is to be begun, as soon as there is room.
    Begin {
        /// The newest one that failed: this is another try.
        last_failed: Option<&'a Snapshot>,
    },
    /// It is complete.
    Done(&'a Snapshot),
    /// It will not be made any more.
    GivenUp {
        /// Why not.
        why: GaveUp<'a>,
        /// Whether this run is the one that tells it.
        is_news: bool,
    },
    /// It is under way.
    UnderWay {
        /// The copy.
        copy: &'a Snapshot,
        /// Whether this run waits for it: another one does that has made snapshots since.
        is_awaited: bool,
    },
    /// It is not begun now.
    Wait(CopyWait),
}

/// Why a copy is not begun now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyWait {
    /// The last try failed a moment ago.
    AfterFailure {
        /// When to try again.
        until: Timestamp,
    },
    /// Another run begins it.
    LeftTo(LeftTo),
    /// The snapshot is not complete, or its set is not whole.
    SourceNotComplete {
        /// Whether this run made it, and waits for it.
        is_awaited: bool,
    },
    /// It is another run's, and this one takes it over when that one has had time to end.
    TakenOver {
        /// When.
        at: Timestamp,
    },
    /// The Region could not be looked at.
    Unseen,
}

/// Why a copy is not made any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GaveUp<'a> {
    /// The snapshot was archived, and EC2 copies none from there.
    Archived,
    /// Copies of it are there whose tags somebody has edited.
    Doubted {
        /// How many.
        copies: usize,
    },
    /// EC2 began it so often, and it failed.
    Failed {
        /// The newest one that failed.
        last: &'a Snapshot,
        /// How often.
        tries: usize,
    },
    /// Of the last copies to the Region under its key none became complete.
    RegionFails {
        /// The newest one that failed.
        last: &'a Snapshot,
        /// How many failed in a row.
        in_a_row: usize,
    },
    /// The time for it is over.
    WindowOver {
        /// When it was over.
        at: Timestamp,
    },
}

/// The plans of all Regions that are looked at or that a copy is wanted in, sorted by Region.
pub(super) fn decide<'a>(
    home: Home<'_>,
    seen: &Seen<'a>,
    wanted: Vec<(&'a Region, Wanted<'a>)>,
) -> Vec<RegionPlan<'a>> {
    let mut plans: BTreeMap<&Region, RegionPlan<'a>> = BTreeMap::new();
    let rules = || home.policy.schedules.iter().flat_map(|schedule| &schedule.copies);
    let not_asked = || Unseen { code: "NotAsked".to_owned(), message: NOT_ASKED.to_owned(), is_denied: true };
    let empty = |region: &Region| RegionPlan {
        region: region.clone(),
        has_rule: rules().any(|rule| rule.region == *region),
        unseen: None,
        wanted: Vec::new(),
        copies: Vec::new(),
        foreign: 0,
        foreign_bytes: 0,
        left_behind: BTreeSet::new(),
        lost: Vec::new(),
    };
    let whole = WholeSets::of(&wanted);
    for (&region, of) in &seen.regions {
        let copies = fate::decide(home, region, of, &whole);
        let unseen = of.view.unseen.clone().or_else(|| seen_in_part(of.view.coverage));
        let left_behind = fate::left_behind(home, &copies);
        let (foreign, foreign_bytes) = (of.foreign, of.foreign_bytes);
        plans.insert(region, RegionPlan { unseen, copies, left_behind, foreign, foreign_bytes, ..empty(region) });
    }
    // Nothing is copied to where it is, and the backup there is made all the same.
    // A target of several may well be where others copy to.
    let same = rules().map(|rule| &rule.region).find(|region| seen.home == Some(*region));
    if let Some(same) = same {
        let is_told = home.options.one_of.is_none_or(|one_of| one_of.of == 1);
        let unseen = Unseen { code: "SameRegion".to_owned(), message: SAME_REGION.to_owned(), is_denied: true };
        plans.insert(same, RegionPlan { has_rule: is_told, unseen: Some(unseen), ..empty(same) });
    }
    if seen.home.is_none() {
        let unseen = Unseen { code: "HomeUnknown".to_owned(), message: HOME_UNKNOWN.to_owned(), is_denied: true };
        let of = |region| (region, RegionPlan { unseen: Some(unseen.clone()), ..empty(region) });
        plans.extend(rules().map(|rule| of(&rule.region)));
    }
    for (region, wanted) in wanted {
        let plan = plans.entry(region).or_insert_with(|| RegionPlan { unseen: Some(not_asked()), ..empty(region) });
        plan.wanted.push(wanted);
    }
    let mut plans: Vec<RegionPlan<'a>> = plans.into_values().collect();
    for plan in &mut plans {
        plan.put_in_order();
        plan.lost = lost::find(plan, home.now);
    }
    plans
}

/// Why a Region is told as not seen of which a part was: what is not shown there may be lost.
fn seen_in_part(coverage: Coverage) -> Option<Unseen> {
    match coverage {
        Coverage::Complete => None,
        Coverage::Partial(cut) => {
            Some(Unseen { code: "ObservationCutShort".to_owned(), message: cut.to_string(), is_denied: false })
        }
    }
}

/// Why a Region is not looked at that a snapshot is promised a copy in.
const NOT_ASKED: &str = "no rule of the policy and no CopyRegions of the stack names it any more";

/// Why a rule does nothing that names the home Region.
const SAME_REGION: &str =
    "the snapshots are made in this Region, so a copy there would be none: name another Region in the rule";

/// Why nothing is copied where the home Region has no name of AWS: a copy names the Region that it comes from.
const HOME_UNKNOWN: &str = "the Region of the function has a name that is none of AWS, and nothing can be copied from there: take the copy rules off";

impl RegionPlan<'_> {
    /// Whether the run has to tell that the Region was not seen: a rule copies there, or a copy is promised there.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.has_rule || !self.wanted.is_empty()
    }

    /// What is to be begun first comes first: of each volume the newest snapshot, before all older ones, and before those the volume
    /// whose newest copy is the oldest. So where there are more copies than a Region takes, no volume goes without for long.
    fn put_in_order(&mut self) {
        let mut newest: BTreeMap<VolumeId, Timestamp> = BTreeMap::new();
        for wanted in &self.wanted {
            if let (CopyVerdict::Done(_) | CopyVerdict::UnderWay { .. }, Some(&time)) =
                (&wanted.verdict, wanted.source.marks.scheduled_time.value())
            {
                let of = newest.entry(wanted.source.volume_id).or_insert(time);
                *of = time.max(*of);
            }
        }
        let key = |wanted: &Wanted<'_>| (Reverse(wanted.source.start_time), wanted.source.volume_id, wanted.source.id);
        self.wanted.sort_by_key(key);
        let mut ranks: BTreeMap<VolumeId, usize> = BTreeMap::new();
        let mut places = Vec::with_capacity(self.wanted.len());
        for wanted in &self.wanted {
            let volume = wanted.source.volume_id;
            let rank = ranks.entry(volume).or_default();
            if let CopyVerdict::Begin { .. } = wanted.verdict {
                *rank += 1;
            }
            places.push((*rank, newest.get(&volume).copied(), wanted.source.start_time, wanted.source.id));
        }
        let mut wanted: Vec<_> = std::mem::take(&mut self.wanted).into_iter().zip(places).collect();
        wanted.sort_by_key(|(_, place)| *place);
        self.wanted = wanted.into_iter().map(|(wanted, _)| wanted).collect();
    }

    /// Whether the role may not look there.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.unseen.as_ref().is_some_and(|unseen| unseen.is_denied)
    }

    /// The decisions about copies of the same volume.
    pub(super) fn of_same_volume(&self, copy: &Snapshot) -> &[SnapshotDecision<'_>] {
        let volume = copy.marks.volume_id.value();
        let first = self.copies.partition_point(|decision| decision.snapshot.marks.volume_id.value() < volume);
        let rest = self.copies.get(first..).unwrap_or_default();
        let end = rest.partition_point(|decision| decision.snapshot.marks.volume_id.value() <= volume);
        rest.get(..end).unwrap_or_default()
    }

    /// The snapshots on which the deletion of a copy rests: of a duplicate what stays for the same time, of one that has expired the newest
    /// complete one of its volume that stays. `None` where there must be one and is not.
    #[must_use]
    pub fn rests_on(&self, decision: &SnapshotDecision<'_>) -> Option<Vec<Snapshot>> {
        let copy = decision.snapshot;
        let stays = |other: &&SnapshotDecision<'_>| {
            other.snapshot.is_restorable()
                && other.snapshot.marks.is_run_now() == copy.marks.is_run_now()
                && matches!(other.verdict, SnapshotVerdict::Keep(_))
                && seen::doubt(other.snapshot).is_none()
        };
        if let SnapshotVerdict::Delete(DeleteReason::Failed { .. }) = decision.verdict {
            return Some(Vec::new());
        }
        if let SnapshotVerdict::Delete(DeleteReason::Duplicate { .. }) = decision.verdict {
            let beside = self.beside(copy, stays);
            // Where all of one time have expired they go together.
            if !beside.is_empty() {
                return Some(beside);
            }
        }
        if copy.marks.is_run_now() {
            return Some(Vec::new());
        }
        let time = |other: &&SnapshotDecision<'_>| other.snapshot.marks.scheduled_time.value().copied();
        let newest = self.of_same_volume(copy).iter().filter(stays).max_by_key(time);
        newest.map(|newest| vec![newest.snapshot.clone()])
    }

    /// The copies for the same time that stay: of the same volume, and with one the whole set.
    fn beside(&self, copy: &Snapshot, stays: impl Fn(&&SnapshotDecision<'_>) -> bool) -> Vec<Snapshot> {
        let of =
            |copy: &Snapshot| (copy.marks.instance_id.value().copied(), copy.marks.scheduled_time.value().copied());
        let is_of_time = |other: &&SnapshotDecision<'_>| stays(other) && of(other.snapshot) == of(copy);
        if !self.of_same_volume(copy).iter().any(|other| is_of_time(&other)) {
            return Vec::new();
        }
        let is_member = copy.marks.stamp.value().is_some_and(|stamp| stamp.members > Some(1));
        let all = if is_member { self.copies.as_slice() } else { self.of_same_volume(copy) };
        all.iter().filter(is_of_time).map(|other| other.snapshot.clone()).collect()
    }
}

impl Wanted<'_> {
    /// Whether a run that goes on can still do something about it, or see it become complete.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match &self.verdict {
            CopyVerdict::Begin { .. } => true,
            CopyVerdict::UnderWay { is_awaited, .. } => *is_awaited,
            CopyVerdict::Done(_) | CopyVerdict::GivenUp { .. } => false,
            CopyVerdict::Wait(wait) => match wait {
                CopyWait::AfterFailure { .. } | CopyWait::TakenOver { .. } | CopyWait::Unseen => true,
                CopyWait::SourceNotComplete { is_awaited } => *is_awaited,
                CopyWait::LeftTo(_) => false,
            },
        }
    }
}
