//! Listings that come in pages, and what they have brought.

use crate::lookup::Lookup;
use crate::world::CutShort;
use std::collections::BTreeSet;
use std::hash::Hash;

/// The largest page, and the size that EC2's documentation recommends (EC2 API reference, "Query requests": pagination).
pub(super) const PAGE_ITEMS_MAX: i32 = 1000;
/// How many pages of one listing are read, empty ones among them: EC2 reads a page first and filters it then (live captures of
/// three listings), so that a filtered listing may walk through everything that the account holds. At 0.2 s a page these are
/// more than a function has time for.
pub(super) const PAGES_MAX: usize = 5_000;
/// How many things of one listing are kept: more than the 800,000 snapshots of 100,000 volumes that keep 7 and make one, the
/// largest account that the design counts with, and what fits into a function's memory.
pub(super) const ITEMS_MAX: usize = 1_000_000;

/// What a listing has brought so far, each thing once. EC2 may show a thing on two pages when it changes between them:
/// the later reading counts.
#[derive(Debug)]
pub(super) struct Listing<Id, T> {
    pub(super) items: Vec<T>,
    positions: Lookup<Id, usize>,
    pub(super) cut_short: Option<CutShort>,
}

impl<Id, T> Default for Listing<Id, T> {
    fn default() -> Self {
        Self { items: Vec::new(), positions: Lookup::default(), cut_short: None }
    }
}

impl<Id: Eq + Hash + Copy, T> Listing<Id, T> {
    /// Adds what was read. A thing that could not be read makes the listing partial: to pass over it would hide it, and
    /// to guess at it could delete for its sake.
    pub(super) fn add(&mut self, read: Option<T>, id: impl Fn(&T) -> &Id) {
        let Some(item) = read else {
            return self.cut(Some(CutShort::Unreadable));
        };
        let position = *self.positions.get_or_insert(*id(&item), self.items.len());
        match self.items.get_mut(position) {
            Some(earlier) => *earlier = item,
            None => self.items.push(item),
        }
    }

    pub(super) fn has(&self, id: &Id) -> bool {
        self.positions.get(id).is_some()
    }

    pub(super) fn absorb(&mut self, other: Self, id: impl Fn(&T) -> &Id) {
        for item in other.items {
            self.add(Some(item), &id);
        }
        self.cut(other.cut_short);
    }

    /// Remembers why not everything was seen; the last reason counts.
    pub(super) fn cut(&mut self, reason: Option<CutShort>) {
        self.cut_short = reason.or(self.cut_short);
    }
}

/// The pages of a listing, one after the other: on until there is no token, also after an empty page, since EC2 fills
/// pages as it likes.
#[derive(Debug, Default)]
pub(super) struct Pages {
    is_over: bool,
    next: Option<String>,
    seen: BTreeSet<String>,
    read: usize,
    items: usize,
    pub(super) cut_short: Option<CutShort>,
}

impl Pages {
    /// The token of the page to read: `None` when there is no more, `Some(None)` for the first.
    pub(super) fn next(&mut self) -> Option<Option<String>> {
        (!self.is_over).then(|| self.next.take())
    }

    /// A page with so many things was read, and it names the next one.
    pub(super) fn turn(&mut self, token: Option<&str>, items: usize) {
        self.read += 1;
        self.items += items;
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            self.is_over = true;
            return;
        };
        // A token that comes again leads round in a circle, which has no last page.
        if self.read >= PAGES_MAX || self.items >= ITEMS_MAX || !self.seen.insert(token.to_owned()) {
            self.is_over = true;
            self.cut_short = Some(CutShort::TooManyPages);
            return;
        }
        self.next = Some(token.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_without_end_are_cut_at_the_bound() {
        let mut pages = Pages::default();
        let mut read = 0;
        while pages.next().is_some() {
            read += 1;
            pages.turn(Some(&format!("token {read}")), 0);
        }
        assert_eq!(read, PAGES_MAX);
        assert_eq!(pages.cut_short, Some(CutShort::TooManyPages));
    }

    #[test]
    fn a_listing_is_cut_when_it_brings_more_than_memory_holds() {
        let mut pages = Pages::default();
        let mut items = 0;
        while pages.next().is_some() {
            items += 1_000;
            pages.turn(Some(&format!("token {items}")), 1_000);
        }
        assert_eq!((items, pages.cut_short), (ITEMS_MAX, Some(CutShort::TooManyPages)));
    }
}
