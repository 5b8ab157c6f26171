//! How long a look at the account takes: the pages of its listings, each after the one before it, through EC2's buckets.

use super::calls::whole_milliseconds;
use super::ec2::Real;
use super::run::PAGE_ITEMS_MAX;
use crate::pace::{Api, Bucket, ByApi};
use jiff::{SignedDuration, Timestamp};

/// How long the SDK pauses at most before it makes a throttled page again for the first time (its standard retries: up
/// to a second, then two, then four). Our own bucket makes that a rare thing.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// A listing whose pages come one after the other.
#[derive(Debug)]
pub(super) struct Listing {
    api: Api,
    /// When each page is read; the page shows what is so then.
    read_at: Vec<Timestamp>,
    pages: usize,
    /// How long one takes.
    page: SignedDuration,
    ready_at: Timestamp,
}

impl Listing {
    /// A listing of so many things that begins at `now`. Nothing fills a page too.
    pub(super) fn of(api: Api, items: usize, now: Timestamp, page: SignedDuration) -> Self {
        Self { api, read_at: Vec::new(), pages: items.div_ceil(PAGE_ITEMS_MAX).max(1), page, ready_at: now }
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

/// Reads all pages of `listings`, which run at the same time, by what we believe of EC2's buckets and what they are.
pub(super) fn read(listings: &mut [Listing], believed: &mut ByApi<Bucket>, real: &mut ByApi<Real>) {
    let is_open = |listing: &&mut Listing| listing.read_at.len() < listing.pages;
    // Bounded by the pages of all listings and their throttles.
    while let Some(listing) = listings.iter_mut().filter(is_open).min_by_key(|listing| listing.ready_at) {
        let wait = believed[listing.api].take(listing.ready_at);
        let start =
            listing.ready_at + whole_milliseconds(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX));
        if real[listing.api].takes(start) {
            listing.read_at.push(start);
            listing.ready_at = start + listing.page;
        } else {
            listing.ready_at = start + listing.page + PAUSE;
        }
    }
}
