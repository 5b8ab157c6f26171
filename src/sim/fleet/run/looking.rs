//! What a turn's look takes and shows.

use super::{PAGE_ITEMS_MAX, Run, Seen};
use crate::pace::Api;
use crate::sim::fleet::look::{self, Listing};
use crate::turn;
use jiff::{SignedDuration, Timestamp};

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
        let read = volumes.ended().max(snapshots.ended());
        Seen { from: now, read, all: read }
    }

    /// Until when a turn works on a look.
    pub(super) fn works_until(&self, seen: Seen, until: Timestamp) -> Timestamp {
        let longest = seen.all + SignedDuration::from_secs(self.given.shell.work_seconds_max);
        turn::look::works_until(seen.all, seen.took(), until).min(longest)
    }

    /// The look after the one that a turn has worked on, which ended its calls at `ended`: it began beside them where they took so long.
    pub(super) fn look_again(&mut self, seen: Seen, ended: Timestamp, until: Timestamp) -> Seen {
        let works_until = self.works_until(seen, until);
        let memory = self.given.shell.memory_mb.to_string();
        let has_room = turn::look::has_room_for_another(self.whole.world.snapshots.len(), Some(&memory));
        let ahead = turn::look::looks_ahead_at(seen.all, seen.took(), works_until, until);
        let ahead = ahead.filter(|at| has_room && *at < ended);
        let next = self.look(ahead.unwrap_or(ended));
        Seen { all: next.all.max(ended), ..next }
    }
}
