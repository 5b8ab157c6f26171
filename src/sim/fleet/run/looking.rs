//! What a turn's look takes and shows.

use super::{PAGE_ITEMS_MAX, Run, Seen};
use crate::sim::fleet::look::{self, Describe, Listing, Way};
use jiff::Timestamp;

impl Run<'_> {
    /// Looks at the account: at its volumes and at its snapshots, side by side. What is complete when its page is read is shown so.
    pub(super) fn look(&mut self, now: Timestamp) -> Seen {
        let of = |action, items| Listing::of(action, items, now, self.given.conditions.page);
        let mut listings = [
            of(Describe::Volumes, self.whole.world.volumes.len()),
            of(Describe::Snapshots, self.whole.world.snapshots.len()),
        ];
        let snapshots = Way { believed: &mut self.snapshot_pages, real: &mut self.ec2.snapshot_pages };
        let volumes = Way { believed: &mut self.volume_pages, real: &mut self.ec2.volume_pages };
        look::read(&mut listings, snapshots, volumes);
        let [volumes, snapshots] = listings;
        self.whole.show(|place| snapshots.page_read_at(place / PAGE_ITEMS_MAX));
        Seen { all: volumes.ended().max(snapshots.ended()) }
    }
}
