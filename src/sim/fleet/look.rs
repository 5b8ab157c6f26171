//! How long a look at the account takes: the pages of its listings, each after the one before it, through EC2's buckets.

use super::calls::whole_milliseconds;
use super::ec2::Real;
use super::run::PAGE_ITEMS_MAX;
use crate::pace::Bucket;
use jiff::{SignedDuration, Timestamp};

/// How long the SDK pauses at most before it makes a throttled page again for the first time (its standard retries: up
/// to a second, then two, then four). Our own bucket makes that a rare thing.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// The two describing actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Describe {
    Snapshots,
    Volumes,
}

/// A listing whose pages come one after the other.
#[derive(Debug)]
pub(super) struct Listing {
    action: Describe,
    /// When each page is read; the page shows what is so then.
    read_at: Vec<Timestamp>,
    pages: usize,
    /// How long one takes.
    page: SignedDuration,
    ready_at: Timestamp,
}

/// What we believe of a bucket, and what is.
#[derive(Debug)]
pub(super) struct Way<'r> {
    pub(super) believed: &'r mut Bucket,
    pub(super) real: &'r mut Real,
}

impl Listing {
    /// A listing of so many things that begins at `now`. Nothing fills a page too.
    pub(super) fn of(action: Describe, items: usize, now: Timestamp, page: SignedDuration) -> Self {
        Self { action, read_at: Vec::new(), pages: items.div_ceil(PAGE_ITEMS_MAX).max(1), page, ready_at: now }
    }

    /// When a page was read.
    pub(super) fn page_read_at(&self, page: usize) -> Timestamp {
        self.read_at.get(page).or(self.read_at.last()).copied().expect("a listing that was read has pages")
    }

    /// When all of it was there.
    pub(super) fn ended(&self) -> Timestamp {
        self.ready_at
    }
}

/// Reads all pages of `listings`, which run at the same time.
pub(super) fn read<'r>(listings: &mut [Listing], mut snapshots: Way<'r>, mut volumes: Way<'r>) {
    let is_open = |listing: &&mut Listing| listing.read_at.len() < listing.pages;
    // Bounded by the pages of all listings and their throttles.
    while let Some(listing) = listings.iter_mut().filter(is_open).min_by_key(|listing| listing.ready_at) {
        let way = match listing.action {
            Describe::Snapshots => &mut snapshots,
            Describe::Volumes => &mut volumes,
        };
        let wait = SignedDuration::try_from(way.believed.take(listing.ready_at)).unwrap_or(SignedDuration::MAX);
        let start = listing.ready_at + whole_milliseconds(wait);
        if way.real.takes(start) {
            listing.read_at.push(start);
            listing.ready_at = start + listing.page;
        } else {
            listing.ready_at = start + listing.page + PAUSE;
        }
    }
}
