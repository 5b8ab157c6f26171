//! The copies that EC2 shows in other Regions, by what they are copies of.

use super::carry::TAKES_OVER_AFTER;
use super::{Encryption, Promise};
use crate::options::Options;
use crate::place::Region;
use crate::plan::due::saturating_add;
use crate::plan::{Doubt, belief, ours, owning_schedule};
use crate::policy::{Policy, ScheduleName};
use crate::tags::{self, Mark, is_copy_of_ours};
use crate::world::{InstanceId, Origin, Snapshot, SnapshotId, SnapshotState, View, VolumeId, World};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// So many copies in a row to one Region under one key that all failed: what is wrong is the Region's or the key's, and the next one would
/// fail too.
/// Our own: half of what may be under way at once.
const FAILURES_IN_A_ROW_MAX: usize = 10;

/// What is seen of all other Regions.
#[derive(Debug, Default)]
pub(in crate::plan) struct Seen<'a> {
    pub(super) home: Option<&'a Region>,
    pub(super) regions: BTreeMap<&'a Region, OfRegion<'a>>,
    names: Option<Names<'a>>,
}

/// What schedules are called: what one was called before is one series with what it is called now.
#[derive(Debug, Clone, Copy)]
struct Names<'a> {
    policy: &'a Policy,
    options: &'a Options,
}

impl<'a> Names<'a> {
    fn of_today<'n>(self, name: &'n ScheduleName) -> &'n ScheduleName
    where
        'a: 'n,
    {
        owning_schedule(self.policy, self.options, name).map_or(name, |owner| &owner.name)
    }
}

/// The newest copy that failed, and how many failed since one did not.
pub(super) type Failing<'a> = (&'a Snapshot, usize);

/// What is seen of one.
#[derive(Debug)]
pub(super) struct OfRegion<'a> {
    pub(super) view: &'a View,
    /// The copies of ours, believed or not.
    pub(super) ours: Vec<&'a Snapshot>,
    pub(super) foreign: usize,
    pub(super) foreign_bytes: u64,
    by_source: BTreeMap<SnapshotId, Vec<&'a Snapshot>>,
    by_series: BTreeMap<Place<'a>, Vec<&'a Snapshot>>,
    /// For each volume and schedule, as it is called today, the newest scheduled time with a complete copy.
    newest: BTreeMap<(VolumeId, &'a ScheduleName), Timestamp>,
    /// What failed too often in a row, by how the snapshots say that their copies are encrypted.
    fails: BTreeMap<Encryption<'a>, Option<Failing<'a>>>,
    /// The same of those copies whose snapshots are gone: they count for every key.
    fails_of_gone: Option<Failing<'a>>,
    /// When the sets were made of whose members there are copies, by their snapshots.
    calls: BTreeMap<SnapshotId, Timestamp>,
}

impl<'a> Seen<'a> {
    pub(in crate::plan) fn new(policy: &'a Policy, options: &'a Options, world: &'a World) -> Self {
        let Some(home) = &world.home else { return Self::default() };
        let names = Names { policy, options };
        let of = |(region, view): (&'a Region, &'a View)| {
            let mut of = OfRegion::new(names, home, region, view);
            of.note_failing(region, &world.snapshots);
            of.note_calls(&world.snapshots);
            (region, of)
        };
        Self { home: Some(home), regions: world.regions.iter().map(of).collect(), names: Some(names) }
    }

    /// What failed too often in a Region for another copy to be tried that is encrypted like this.
    pub(super) fn failing(&self, region: &Region, encryption: Encryption<'_>) -> Option<Failing<'a>> {
        let of = self.regions.get(region)?;
        of.fails.get(&encryption).copied().unwrap_or(of.fails_of_gone)
    }

    /// The copies of `source` in a Region, believed or not.
    pub(super) fn copies_of(&self, region: &Region, source: &SnapshotId) -> &[&'a Snapshot] {
        let of_region = self.regions.get(region);
        of_region.and_then(|of| of.by_source.get(source)).map_or(&[], Vec::as_slice)
    }

    /// The copies in a Region that keep what `source` is promised there: its own, believed or not, and believed ones of another snapshot for
    /// the same scheduled time that stay as long. Of two copies for one time one goes, and would be made again for ever.
    pub(super) fn keeping<'s>(
        &'s self,
        region: &Region,
        source: &'s Snapshot,
        promise: &'s Promise<'_>,
    ) -> impl Iterator<Item = &'a Snapshot> + 's {
        let place = place(source.volume_id, source);
        let of_region = self.regions.get(region);
        let of_series = of_region.zip(place).and_then(|(of, place)| of.by_series.get(&place)).into_iter().flatten();
        let is_anothers = |copy: &&&'a Snapshot| {
            copy.marks.copied_from.value().is_some_and(|from| from.snapshot != source.id)
                && stays_as_long(copy, promise)
        };
        self.copies_of(region, &source.id).iter().chain(of_series.filter(is_anothers)).copied()
    }

    /// Whether a Region has a complete copy of a later snapshot of the same volume for one of its schedules.
    pub(super) fn has_newer_copy(&self, region: &Region, source: &Snapshot) -> bool {
        let Some(of) = self.regions.get(region) else { return false };
        let newest = |name| of.newest.get(&(source.volume_id, self.names.map_or(name, |names| names.of_today(name))));
        ours::names(source).any(|name| newest(name) > source.marks.scheduled_time.value())
    }

    /// Whether nobody knows whether a copy is under way and a later look will tell: the Region is looked at in the run's next turn, does not
    /// answer, or not all of it was seen. Not where the role has no right to look.
    pub(super) fn is_seen_later(&self, region: &Region) -> bool {
        let Some(of) = self.regions.get(region) else { return false };
        let is_denied = of.view.unseen.as_ref().is_some_and(|unseen| unseen.is_denied);
        of.view.is_unseen() && !is_denied
    }

    /// Until when somebody may still be at work in a Region, by the copies there that began before a time: as long as one is under way, and
    /// for so long after the newest began.
    pub(super) fn busy_until(&self, region: &Region, before: Timestamp, now: Timestamp) -> Option<Timestamp> {
        self.regions
            .get(region)?
            .ours
            .iter()
            .filter(|copy| copy.start_time < before)
            .map(|copy| {
                let is_under_way = copy.state == SnapshotState::Pending;
                saturating_add(if is_under_way { now } else { copy.start_time }, TAKES_OVER_AFTER)
            })
            .max()
    }

    /// Whether nobody could tell whether there is a copy: the Region is not looked at, could not be, or not all of it was seen.
    pub(super) fn is_unseen(&self, region: &Region) -> bool {
        self.regions.get(region).is_none_or(|of| of.view.is_unseen())
    }
}

impl<'a> OfRegion<'a> {
    fn new(names: Names<'a>, home: &Region, region: &Region, view: &'a View) -> Self {
        let policy = &names.policy.id;
        let mut of = Self {
            view,
            ours: Vec::new(),
            foreign: 0,
            foreign_bytes: 0,
            by_source: BTreeMap::new(),
            by_series: BTreeMap::new(),
            newest: BTreeMap::new(),
            fails: BTreeMap::new(),
            fails_of_gone: None,
            calls: BTreeMap::new(),
        };
        let is_tagged = |snapshot: &Snapshot| snapshot.marks.policy_id.as_deref() == Some(policy.as_str());
        for snapshot in
            view.snapshots.iter().filter(|snapshot| snapshot.origin == Origin::Copied && is_tagged(snapshot))
        {
            match snapshot.marks.copied_from.value() {
                // Another target of the policy made it, and manages it.
                Some(from) if from.region != *home && is_copy_of_ours(policy, &from.region, region, snapshot) => {}
                Some(from) if is_copy_of_ours(policy, home, region, snapshot) => {
                    of.ours.push(snapshot);
                    of.by_source.entry(from.snapshot).or_default().push(snapshot);
                    of.note_newest(names, snapshot);
                    let place = snapshot.marks.volume_id.value().and_then(|&volume| place(volume, snapshot));
                    if let Some(place) = place {
                        of.by_series.entry(place).or_default().push(snapshot);
                    }
                }
                Some(_) | None => {
                    of.foreign += 1;
                    of.foreign_bytes = of.foreign_bytes.saturating_add(snapshot.full_size_bytes);
                }
            }
        }
        of
    }
}

/// What a backup is for: of what, of which scheduled time, for which schedules; and of which snapshot alone, where one is no other's equal.
pub(super) type Place<'a> = (VolumeId, Option<InstanceId>, Timestamp, Vec<&'a ScheduleName>, Option<SnapshotId>);

/// What a snapshot or a copy of it is for. A RunNow's is for nothing else, and of two sets for one time the copies together are no set.
pub(super) fn place(volume: VolumeId, snapshot: &Snapshot) -> Option<Place<'_>> {
    let marks = &snapshot.marks;
    let &time = marks.scheduled_time.value()?;
    let mut names: Vec<&ScheduleName> = ours::names(snapshot).collect();
    names.sort_unstable();
    let is_member = marks.stamp.value().is_some_and(|stamp| stamp.members > Some(1));
    let stands_alone = is_member || marks.is_run_now();
    let source = marks.copied_from.value().map_or(snapshot.id, |from| from.snapshot);
    Some((volume, marks.instance_id.value().copied(), time, names, stands_alone.then_some(source)))
}

/// Whether a copy is believed and stays as long after its start as what is promised.
fn stays_as_long(copy: &Snapshot, promise: &Promise<'_>) -> bool {
    let Some(stamp) = copy.marks.stamp.value().filter(|_| doubt(copy).is_none()) else { return false };
    let stays_until = match copy.marks.expiration_time {
        Mark::Absent => Timestamp::MAX,
        Mark::Read(until) => until,
        Mark::Unreadable(_) => return false,
    };
    let promised = promise.expires_at(stamp.called, None).map_or(Timestamp::MAX, tags::to_the_second);
    promised <= stays_until
}

impl<'a> OfRegion<'a> {
    /// Which copies failed too often in a row, by what the snapshots say that they are copies of.
    fn note_failing(&mut self, region: &Region, sources: &'a [Snapshot]) {
        if self.ours.iter().filter(|copy| copy.state == SnapshotState::Error).count() < FAILURES_IN_A_ROW_MAX {
            return;
        }
        let of_sources = sources.iter().filter(|source| self.by_source.contains_key(&source.id));
        let encryption = |source: &'a Snapshot| Some((source.id, Promise::all_of(source).remove(region)?.encryption()));
        let of_sources: BTreeMap<SnapshotId, Encryption<'_>> = of_sources.filter_map(encryption).collect();
        let of_copy =
            |copy: &Snapshot| copy.marks.copied_from.value().and_then(|from| of_sources.get(&from.snapshot)).copied();
        let failing = |wanted: Option<Encryption<'_>>| {
            let may_be = |copy: &&&'a Snapshot| of_copy(copy).is_none_or(|of_copy| Some(of_copy) == wanted);
            failures_in_a_row(self.ours.iter().filter(may_be).copied())
        };
        let known: BTreeSet<Encryption<'_>> = of_sources.values().copied().collect();
        self.fails = known.into_iter().map(|wanted| (wanted, failing(Some(wanted)))).collect();
        self.fails_of_gone = failing(None);
    }

    fn note_calls(&mut self, sources: &[Snapshot]) {
        let call = |source: &Snapshot| {
            let called = source.marks.stamp.value().filter(|stamp| stamp.members > Some(1))?.called;
            self.by_source.contains_key(&source.id).then_some((source.id, called))
        };
        self.calls = sources.iter().filter_map(call).collect();
    }

    /// The call that made the set which a copy is of a member of; `None` where the home Region does not show it any more.
    pub(super) fn call_of_set(&self, copy: &Snapshot) -> Option<Timestamp> {
        copy.marks.copied_from.value().and_then(|from| self.calls.get(&from.snapshot)).copied()
    }

    fn note_newest(&mut self, names: Names<'a>, copy: &'a Snapshot) {
        let (volume, time) = (copy.marks.volume_id.value(), copy.marks.scheduled_time.value());
        let (Some(&volume), Some(&time)) = (volume, time) else { return };
        // A RunNow's is in no series.
        if copy.state == SnapshotState::Completed && doubt(copy).is_none() && !copy.marks.is_run_now() {
            for name in ours::names(copy) {
                let newest = self.newest.entry((volume, names.of_today(name))).or_insert(time);
                *newest = time.max(*newest);
            }
        }
    }
}

fn failures_in_a_row<'a>(copies: impl Iterator<Item = &'a Snapshot> + Clone) -> Option<Failing<'a>> {
    let is_failed = |copy: &&'a Snapshot| copy.state == SnapshotState::Error;
    let fine = copies.clone().filter(|copy| !is_failed(copy)).map(|copy| copy.start_time).max();
    let failed = || copies.clone().filter(is_failed).filter(|copy| Some(copy.start_time) > fine);
    let last = failed().max_by_key(|copy| (copy.start_time, copy.id))?;
    let in_a_row = failed().count();
    (in_a_row >= FAILURES_IN_A_ROW_MAX).then_some((last, in_a_row))
}

/// Why the tags of a copy are not believed; `None` when they are. Every copy of ours has a stamp.
pub(super) fn doubt(copy: &Snapshot) -> Option<Doubt> {
    match copy.marks.stamp {
        Mark::Absent => Some(Doubt::UnreadableStamp),
        Mark::Read(_) | Mark::Unreadable(_) => belief::doubt(copy),
    }
}
