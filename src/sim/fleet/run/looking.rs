//! What a turn's look takes and shows.

use super::{FILTER_VALUES_MAX, PAGE_ITEMS_MAX, PARTS, PARTS_FILLED, Run, Seen};
use crate::sim::fleet::look::{self, Describe, Listing, Way};
use crate::turn::{self, Progress};
use crate::world::{Excerpt, Snapshot, Sweep, World};
use jiff::Timestamp;

impl Run<'_> {
    /// Looks at the account: at all of it, or at what the sweep asks for and at some volumes in full. A snapshot is shown
    /// complete when it is so as the look begins; where a look at everything reads its page later, then.
    pub(super) fn look(&mut self, progress: &Progress, sweep: &Sweep, now: Timestamp) -> (Seen, Option<World>) {
        let volumes = self.whole.world.volumes.len();
        let mut listings = listings(Describe::Volumes, volumes, sweep.volumes_in_parts, now);
        if sweep.scheduled_times.is_none() {
            listings.extend(self.listings_of_everything(sweep, now));
            self.read_all(&mut listings);
            self.show_by_page(&listings);
            return (Seen { all: ended(&listings, now) }, None);
        }
        self.whole.show(|_, _| now);
        let mut world = self.asked_for(sweep);
        listings.extend(self::listings(Describe::Snapshots, world.snapshots.len(), sweep.snapshots_in_parts, now));
        self.read_all(&mut listings);
        let mut all = ended(&listings, now);
        assert!(
            turn::look::is_enough(&self.given.policy, progress, sweep, &world),
            "this account shows all that there is"
        );
        if let Some(excerpt) = turn::look::excerpt(progress, sweep, &world) {
            all = self.look_in_full(&mut world, excerpt, all);
        }
        (Seen { all }, Some(world))
    }

    fn listings_of_everything(&self, sweep: &Sweep, now: Timestamp) -> Vec<Listing> {
        let items = self.whole.world.snapshots.len();
        let Some(side_by_side) = self.given.shell.snapshot_listings else {
            return listings(Describe::Snapshots, items, sweep.snapshots_in_parts, now);
        };
        let part = items.div_ceil(side_by_side.get());
        (0..side_by_side.get()).map(|_| Listing::of(Describe::Snapshots, part, now)).collect()
    }

    /// All parts of the volumes are equally large, and all their pages equally full.
    fn show_by_page(&mut self, listings: &[Listing]) {
        let of_snapshots: Vec<&Listing> =
            listings.iter().filter(|listing| listing.action() == Describe::Snapshots).collect();
        let filled = of_snapshots.len().min(if of_snapshots.len() == PARTS { PARTS_FILLED } else { usize::MAX });
        self.whole.show(|place, _| {
            let listing = of_snapshots[place % filled];
            listing.page_read_at(place / filled / PAGE_ITEMS_MAX)
        });
    }

    /// The snapshots that answer the scheduled times of a sweep.
    fn asked_for(&self, sweep: &Sweep) -> World {
        let World { volumes, snapshots, .. } = &self.whole.world;
        let times = sweep.scheduled_times.clone().unwrap_or_default();
        let is_asked_for =
            |snapshot: &&Snapshot| snapshot.marks.scheduled_time.value().is_some_and(|time| times.contains(time));
        let snapshots = snapshots.iter().filter(is_asked_for).cloned().collect();
        World { volumes: volumes.clone(), snapshots, ..World::default() }
    }

    /// Adds all snapshots of some volumes. Returns when they are there.
    fn look_in_full(&mut self, world: &mut World, excerpt: Excerpt, now: Timestamp) -> Timestamp {
        let is_in_full = |snapshot: &Snapshot| excerpt.in_full.contains(&snapshot.volume_id);
        let in_full: Vec<Snapshot> = self.whole.world.snapshots.iter().filter(|s| is_in_full(s)).cloned().collect();
        let filters = excerpt.in_full.len().div_ceil(FILTER_VALUES_MAX);
        let of_filter = in_full.len().div_ceil(filters.max(1));
        let mut listings: Vec<Listing> =
            (0..filters).map(|_| Listing::of(Describe::Snapshots, of_filter, now)).collect();
        self.read_all(&mut listings);
        world.look_in_full(excerpt, in_full);
        ended(&listings, now)
    }

    fn read_all(&mut self, listings: &mut [Listing]) {
        let snapshots = Way { believed: &mut self.snapshot_pages, real: &mut self.ec2.snapshot_pages };
        let volumes = Way { believed: &mut self.volume_pages, real: &mut self.ec2.volume_pages };
        look::read(listings, snapshots, volumes);
    }
}

/// The listings of so many things that EC2 keeps in no order.
fn listings(action: Describe, items: usize, in_parts: bool, now: Timestamp) -> Vec<Listing> {
    if !in_parts {
        return vec![Listing::of(action, items, now)];
    }
    let filled = (0..PARTS_FILLED).map(|_| Listing::of(action, items.div_ceil(PARTS_FILLED), now));
    filled.chain((PARTS_FILLED..PARTS).map(|_| Listing::of(action, 0, now))).collect()
}

fn ended(listings: &[Listing], now: Timestamp) -> Timestamp {
    listings.iter().map(Listing::ended).max().unwrap_or(now)
}
