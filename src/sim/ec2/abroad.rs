//! The Regions that copies go to, each with worst days of its own. Chance comes from a generator of their own, so that the years without
//! copies stay as they were.

use super::{Ec2, Faults, LAG_MAX, failed};
use crate::action::last_look::{self, Change};
use crate::action::{CopySnapshot, DeleteSnapshot, FailedKind, Outcome};
use crate::options::Options;
use crate::place::Region;
use crate::plan::due::saturating_add;
use crate::plan::{self, copies};
use crate::policy::Policy;
use crate::sim::begun;
use crate::sim::by_id::BY_ID_LAG;
use crate::sim::life::{Record, Remover, Span};
use crate::sim::random::Random;
use crate::turn::Progress;
use crate::world::{Coverage, CutShort, Snapshot, SnapshotId, SnapshotState, Unseen, View, World};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// How many copies may be under way to a Region, whoever began them (EC2 user guide, "Copy an Amazon EBS snapshot").
const UNDER_WAY_MAX: usize = 20;

/// How long a copy is remembered that was removed: longer than the judge looks back at what was made of a promise.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(5 * 24);

/// Copies that stay for ever are deleted by hand after so long, or a year would be slow. Nothing else stays longer: no rule keeps a copy
/// for more than five days, no hold for more than ten.
const TIDIED_AFTER: SignedDuration = SignedDuration::from_hours(21 * 24);

/// The home Region and the others.
#[derive(Debug, Clone)]
pub struct Abroad {
    /// Where the snapshots are.
    pub home: Region,
    /// Where copies may be.
    pub regions: BTreeMap<Region, There>,
    /// Chance for all that is about copies.
    pub(in crate::sim) random: Random,
    /// The copy that the last call began, whether its answer came or not.
    pub(in crate::sim) begun: Option<SnapshotId>,
}

/// A Region that copies go to.
#[derive(Debug, Clone)]
pub struct There {
    /// Every copy that is there or was removed in the last days.
    pub copies: Vec<Copied>,
    /// What goes wrong now.
    pub faults: Faults,
    /// When the Region does not answer.
    pub dark: Option<Span>,
    /// When the role may not look there, or do anything.
    pub denied: Option<Span>,
    /// When the key may not be used, and whether EC2 says so at once.
    pub key_off: Option<(Span, bool)>,
    /// When others have copies under way, and how many.
    pub taken: Option<(Span, usize)>,
}

/// A copy with its whole life.
#[derive(Debug, Clone)]
pub struct Copied {
    /// The copy. `is_ours` where a run began it.
    pub record: Record,
    /// What it is a copy of, as it was then.
    pub of: Record,
    /// Whether somebody has copied a copy together with its tags and its description, so soon that all of it fits.
    pub is_clone: bool,
}

impl Abroad {
    /// Regions without copies.
    #[must_use]
    pub fn new(home: Region, others: impl IntoIterator<Item = Region>, random: Random) -> Self {
        let there =
            There { copies: Vec::new(), faults: Faults::NONE, dark: None, denied: None, key_off: None, taken: None };
        let regions = others.into_iter().map(|region| (region, there.clone())).collect();
        Self { home, regions, random, begun: None }
    }

    /// What looks at these Regions show at `now`, with what `begun` asks for by its id.
    fn look(
        &mut self,
        regions: &BTreeSet<Region>,
        begun: impl Fn(&Region) -> BTreeSet<SnapshotId>,
        now: Timestamp,
    ) -> BTreeMap<Region, View> {
        let Self { random, regions: all, .. } = self;
        let look = |region: &Region| match all.get(region) {
            Some(there) => (region.clone(), there.look(&begun(region), now, random)),
            None => (region.clone(), View::default()),
        };
        regions.iter().map(look).collect()
    }
}

/// The call that copies what the look at its source shows, with what only that tells; what comes of it where it is not made.
pub(in crate::sim) fn checked(
    copy: CopySnapshot,
    seen: Option<&BTreeMap<SnapshotId, Snapshot>>,
) -> Result<CopySnapshot, Outcome> {
    let Some(seen) = seen else { return Err(Outcome::NotStarted) };
    let Some(now) = seen.get(&copy.source.id) else { return Err(Outcome::Changed(Change::NotShown)) };
    match last_look::source_change(&copy.source, now) {
        Some(change) => Err(Outcome::Changed(change)),
        None => Ok(copies::completed(copy, &[], false)),
    }
}

fn lagged(faults: &Faults, now: Timestamp, random: &mut Random) -> Timestamp {
    if !random.happens(faults.lag) {
        return now;
    }
    saturating_add(now, -random.millis(0, i64::try_from(LAG_MAX.as_millis()).unwrap_or(0)))
}

fn by_id_at(faults: &Faults, now: Timestamp, random: &mut Random) -> Timestamp {
    if faults.lag > 0 && random.happens(500) { saturating_add(now, -BY_ID_LAG) } else { now }
}

fn holds(span: Option<Span>, now: Timestamp) -> bool {
    span.is_some_and(|span| span.holds(now))
}

impl There {
    /// Why it cannot be looked at.
    fn unseen(&self, now: Timestamp, random: &mut Random) -> Option<Unseen> {
        let unseen =
            |code: &str, is_denied| Unseen { code: code.to_owned(), message: "simulated".to_owned(), is_denied };
        if holds(self.dark, now) {
            Some(unseen("Timeout", false))
        } else if holds(self.denied, now) {
            Some(unseen("UnauthorizedOperation", true))
        } else if random.happens(self.faults.list_failure) {
            Some(unseen("RequestLimitExceeded", false))
        } else {
            None
        }
    }

    fn look(&self, begun: &BTreeSet<SnapshotId>, now: Timestamp, random: &mut Random) -> View {
        let mut view = View { unseen: self.unseen(now, random), ..View::default() };
        if view.unseen.is_some() {
            return view;
        }
        for copy in &self.copies {
            let at = lagged(&self.faults, now, random);
            view.snapshots.extend(copy.record.seen(at));
        }
        if random.happens(self.faults.cut_short) {
            view.coverage = Coverage::Partial(CutShort::TooManyPages);
            let keep = random.index(view.snapshots.len()).unwrap_or(0);
            view.snapshots.truncate(keep);
        }
        let listed: BTreeSet<SnapshotId> = view.snapshots.iter().map(|snapshot| snapshot.id).collect();
        for &id in begun.iter().filter(|id| !listed.contains(id)) {
            let at = by_id_at(&self.faults, now, random);
            match self.find(id).and_then(|copy| copy.record.seen(at)) {
                Some(snapshot) => {
                    view.by_id.shown.insert(id);
                    view.snapshots.push(snapshot);
                }
                None => {
                    view.by_id.not_found.insert(id);
                }
            }
        }
        view
    }

    /// The copy of this id.
    #[must_use]
    pub fn find(&self, id: SnapshotId) -> Option<&Copied> {
        self.copies.iter().find(|copy| copy.record.snapshot.id == id)
    }

    /// How many copies are under way, those of others too.
    fn under_way(&self, now: Timestamp) -> usize {
        let ours = self.copies.iter().filter(|copy| copy.record.exists(now) && now < copy.record.ends_at).count();
        let taken = self.taken.filter(|(span, _)| span.holds(now)).map_or(0, |(_, taken)| taken);
        ours + taken
    }

    /// What comes of any call before EC2 looks at what it asks for.
    fn fails(&self, is_copy: bool, now: Timestamp, random: &mut Random) -> Option<Outcome> {
        if holds(self.dark, now) {
            return Some(failed(FailedKind::Unclear, "Timeout"));
        }
        if holds(self.denied, now) {
            return Some(failed(FailedKind::Denied, "UnauthorizedOperation"));
        }
        if random.happens(self.faults.throttled) {
            return Some(failed(FailedKind::Throttled, "RequestLimitExceeded"));
        }
        random.happens(self.faults.failure).then(|| match random.below(4) {
            0 => failed(FailedKind::Unclear, "InternalError"),
            1 => failed(FailedKind::Refused, "SomethingNobodyHasHeardOf"),
            2 if is_copy => failed(FailedKind::AccountFull, "SnapshotLimitExceeded"),
            _ => Outcome::NotStarted,
        })
    }

    /// How long a copy takes and what becomes of it.
    fn ending(&self, random: &mut Random) -> (SignedDuration, SnapshotState) {
        if random.happens(self.faults.error) {
            return (random.seconds(2, 1_800), SnapshotState::Error);
        }
        let takes = match random.below(100) {
            _ if random.happens(self.faults.hangs) => random.seconds(86_400, 9 * 86_400),
            0..4 => random.seconds(3_600, 8 * 3_600),
            4..30 => random.seconds(120, 1_800),
            _ => random.seconds(2, 120),
        };
        (takes, SnapshotState::Completed)
    }

    /// What the last look before a deletion says; `None` when it goes on. What the deletion rests on is looked at with it.
    fn last_look(&self, delete: &DeleteSnapshot, now: Timestamp, random: &mut Random) -> Option<Outcome> {
        if self.unseen(now, random).is_some() {
            return Some(Outcome::NotStarted);
        }
        let at = by_id_at(&self.faults, now, random);
        let seen = |id: SnapshotId| self.find(id).and_then(|copy| copy.record.seen(at));
        let Some(copy) = seen(delete.snapshot.id) else { return Some(Outcome::Deleted) };
        let is_left = |observed: &Snapshot| {
            seen(observed.id).is_some_and(|copy| last_look::source_change(observed, &copy).is_none())
        };
        let lacks = !delete.rests_on.iter().all(is_left);
        let change = last_look::change(&delete.snapshot, &copy, now);
        change.or(lacks.then_some(Change::RestsOnNothing)).map(Outcome::Changed)
    }
}

impl Ec2 {
    /// Adds to what a turn of a run sees what the other Regions show. The first one does not look there.
    pub(in crate::sim) fn look_abroad(
        &mut self,
        (policy, options): (&Policy, &Options),
        progress: &Progress,
        now: Timestamp,
        world: &mut World,
    ) {
        let Some(abroad) = self.abroad.as_mut().filter(|_| !plan::is_idle(policy)) else { return };
        let mut regions: BTreeSet<Region> = copies::regions(policy, options);
        regions.remove(&abroad.home);
        let not_yet = || View { unseen: Some(Unseen::not_yet()), ..View::default() };
        world.home = Some(abroad.home.clone());
        world.regions = if progress.turns == 0 {
            regions.into_iter().map(|region| (region, not_yet())).collect()
        } else {
            abroad.look(&regions, |region| progress.copies.ids_begun(region), now)
        };
    }

    /// What the home Region shows by their ids of snapshots that are to be copied; `None` when the look fails.
    pub(in crate::sim) fn sources(
        &mut self,
        ids: &[SnapshotId],
        now: Timestamp,
    ) -> Option<BTreeMap<SnapshotId, Snapshot>> {
        let abroad = self.abroad.as_mut()?;
        let is_revoked = self.revoked.is_some_and(|revoked| revoked.holds(now));
        if is_revoked || abroad.random.happens(self.faults.list_failure) {
            return None;
        }
        let mut seen = BTreeMap::new();
        for &id in ids {
            let at = by_id_at(&self.faults, now, &mut abroad.random);
            let record = self.records.iter().find(|record| record.snapshot.id == id);
            seen.extend(record.and_then(|record| record.seen(at)).map(|snapshot| (id, snapshot)));
        }
        Some(seen)
    }

    /// A CopySnapshot call in the Region that the copy goes to.
    pub(super) fn copy(&mut self, copy: &CopySnapshot, now: Timestamp) -> Outcome {
        self.calls += 1;
        let id = self.new_id();
        let Some(abroad) = &mut self.abroad else { return failed(FailedKind::Refused, "NoOtherRegion") };
        abroad.begun = None;
        let random = &mut abroad.random;
        let Some(there) = abroad.regions.get_mut(&copy.region) else {
            return failed(FailedKind::Refused, "OptInRequired");
        };
        if self.revoked.is_some_and(|revoked| revoked.holds(now)) {
            return failed(FailedKind::Denied, "UnauthorizedOperation");
        }
        if let Some(outcome) = there.fails(true, now, random) {
            return outcome;
        }
        let key_off = there.key_off.filter(|(span, _)| copy.encrypted && span.holds(now)).map(|(_, at_once)| at_once);
        if key_off == Some(true) {
            return failed(FailedKind::Refused, "AuthFailure");
        }
        if there.under_way(now) >= UNDER_WAY_MAX {
            return failed(FailedKind::TooManyPending, "ResourceLimitExceeded");
        }
        let source = self.records.iter().find(|record| record.snapshot.id == copy.source.id);
        // What is not fit is accepted, and fails later.
        let is_fit = source.is_some_and(|source| source.is_good(now));
        let (takes, ends_as) = match (is_fit, key_off) {
            (true, None) => there.ending(random),
            (false, _) | (_, Some(_)) => (random.seconds(2, 60), SnapshotState::Error),
        };
        let unknown = || Record::new(copy.source.clone(), Vec::new(), u64::MAX, copy.source.start_time);
        let of = source.map_or_else(unknown, Record::clone);
        let snapshot = begun::copied(id, copy, now);
        let ends_at = saturating_add(now, takes);
        let call = of.call;
        let record =
            Record { ends_as, maker: self.maker.clone(), ..Record::new(snapshot, copy.tags.clone(), call, ends_at) };
        let mut copied = Copied { record, of, is_clone: false };
        if random.happens(there.faults.off_clock) {
            copied.record.begins_off(random.seconds(1_801 + 60, 3 * 3_600));
        }
        let loses_answer = random.happens(there.faults.lost_answer);
        there.copies.push(copied);
        abroad.begun = Some(id);
        if loses_answer { failed(FailedKind::Unclear, "Timeout") } else { Outcome::Created(vec![id]) }
    }

    /// A DeleteSnapshot call in another Region.
    pub(super) fn delete_copy(&mut self, delete: &DeleteSnapshot, region: &Region, now: Timestamp) -> Outcome {
        let Some(abroad) = &mut self.abroad else { return failed(FailedKind::Refused, "NoOtherRegion") };
        let random = &mut abroad.random;
        let Some(there) = abroad.regions.get_mut(region) else { return failed(FailedKind::Refused, "OptInRequired") };
        if let Some(outcome) = there.last_look(delete, now, random) {
            return outcome;
        }
        self.calls += 1;
        if self.revoked.is_some_and(|revoked| revoked.holds(now)) {
            return failed(FailedKind::Denied, "UnauthorizedOperation");
        }
        if let Some(outcome) = there.fails(false, now, random) {
            return outcome;
        }
        let loses_answer = random.happens(there.faults.lost_answer);
        let is_wanted = |copy: &&mut Copied| copy.record.snapshot.id == delete.snapshot.id && copy.record.exists(now);
        let Some(copy) = there.copies.iter_mut().find(is_wanted) else { return Outcome::Deleted };
        if holds(copy.record.locked, now) || holds(copy.record.imaged, now) {
            return failed(FailedKind::Refused, "InvalidSnapshot.InUse");
        }
        copy.record.removed = Some((now, Remover::Run));
        if loses_answer { failed(FailedKind::Unclear, "Timeout") } else { Outcome::Deleted }
    }

    /// The copies that are under way of a snapshot that is gone fail: nobody knows whether EC2 does so, so here it does.
    pub(in crate::sim) fn fail_copies_of_what_is_gone(&mut self, now: Timestamp) {
        let Self { records, abroad: Some(abroad), .. } = self else { return };
        for copy in abroad.regions.values_mut().flat_map(|there| &mut there.copies) {
            let is_source = |record: &&Record| record.snapshot.id == copy.of.snapshot.id;
            let is_there = records.iter().find(is_source).is_some_and(|source| source.exists(now));
            if now < copy.record.ends_at && !is_there && copy.record.ends_as == SnapshotState::Completed {
                copy.record.ends_as = SnapshotState::Error;
                copy.record.ends_at = saturating_add(now, SignedDuration::from_secs(5));
            }
        }
    }

    /// Forgets the copies that were removed long ago. Somebody tidies up by hand what no rule will delete for weeks.
    pub(super) fn forget_copies(&mut self, now: Timestamp) {
        for there in self.abroad.iter_mut().flat_map(|abroad| abroad.regions.values_mut()) {
            let is_old = |copy: &&mut Copied| {
                now.duration_since(copy.record.snapshot.start_time) > TIDIED_AFTER && copy.record.removed.is_none()
            };
            there.copies.iter_mut().filter(is_old).for_each(|copy| copy.record.removed = Some((now, Remover::User)));
            let is_remembered = |removed: Timestamp| now < saturating_add(removed, REMEMBERED);
            there.copies.retain(|copy| copy.record.removed.is_none_or(|(removed, _)| is_remembered(removed)));
        }
    }
}
