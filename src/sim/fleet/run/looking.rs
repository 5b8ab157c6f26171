//! What a turn's look takes and shows.

use super::{PAGE_ITEMS_MAX, Run, Seen};
use crate::pace::Api;
use crate::sim::fleet::look::{self, Listing};
use jiff::Timestamp;

impl Run<'_> {
    /// Looks at the account: at its volumes and at its snapshots, side by side. What is complete when its page is read is shown so.
    pub(super) fn look(&mut self, now: Timestamp) -> Seen {
        let of = |api, items| Listing::of(api, items, now, self.given.conditions.page);
        let mut listings = [
            of(Api::DescribeVolumes, self.whole.world.volumes.len()),
            of(Api::DescribeSnapshots, self.whole.world.snapshots.len()),
        ];
        look::read(&mut listings, &mut self.describing, &mut self.ec2.buckets);
        let [volumes, snapshots] = listings;
        self.whole.show(|place| snapshots.page_read_at(place / PAGE_ITEMS_MAX));
        Seen { all: volumes.ended().max(snapshots.ended()) }
    }
}
