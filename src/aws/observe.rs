//! Observing the account: the only file that reads EC2's types.
//!
//! Promise: each volume that carries one of the policy's target tags and each snapshot that carries the policy's tag
//! and description comes back once, or [`World::coverage`] says why not.

use super::{Account, ObserveError, failure};
use crate::policy::{Policy, PolicyId, Tag, Targets};
use crate::tags::{self, Marks};
use crate::world::{
    Coverage, CutShort, Origin, Snapshot, SnapshotId, SnapshotState, Volume, VolumeId, VolumeState, World,
};
use aws_sdk_ec2::types::{self, Filter};
use aws_smithy_types::DateTime;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The largest page, and the size that EC2's documentation recommends (EC2 API reference, "Query requests": pagination).
const PAGE_ITEMS_MAX: i32 = 1000;
/// How many pages of one listing are read. 800 hold the 800,000 snapshots of 100,000 volumes that keep 7 and make one,
/// the largest account that the design counts with; EC2 may fill pages only partly, so a quarter more.
const PAGES_MAX: usize = 1000;
/// EC2's limit of values in a filter (EC2 user guide, "List and filter using the CLI and API").
const FILTER_VALUES_MAX: usize = 200;
/// EC2's limit of characters in a filter value (same page).
const FILTER_VALUE_CHARACTERS_MAX: usize = 255;

impl Account {
    /// What EC2 shows of the policy's volumes and snapshots now.
    ///
    /// # Errors
    /// When a listing fails, by the names of the state machine.
    pub async fn observe(&self, policy: &Policy) -> Result<World, ObserveError> {
        let Targets::Volumes { any_of } = &policy.targets;
        let (volumes, snapshots) = tokio::try_join!(self.list_volumes(any_of), self.list_snapshots(&policy.id))?;
        let coverage = snapshots.cut_short.or(volumes.cut_short).map_or(Coverage::Complete, Coverage::Partial);
        Ok(World { volumes: volumes.items, snapshots: snapshots.items, coverage })
    }

    /// The volumes that carry at least one of `any_of`: EC2 joins filters by AND, so there is a listing for each key.
    async fn list_volumes(&self, any_of: &[Tag]) -> Result<Listing<VolumeId, Volume>, ObserveError> {
        let listings = target_filters(any_of).into_iter().map(|filter| self.list_volumes_with(filter, any_of));
        let mut all = Listing::default();
        for listing in try_join_all(listings).await? {
            all.absorb(listing, |volume| &volume.id);
        }
        Ok(all)
    }

    async fn list_volumes_with(
        &self,
        filter: Filter,
        any_of: &[Tag],
    ) -> Result<Listing<VolumeId, Volume>, ObserveError> {
        let mut listing = Listing::default();
        let mut pages = Pages::default();
        // Bounded by PAGES_MAX.
        while let Some(token) = pages.next() {
            let _permit = self.lanes.describe_volumes.admit().await;
            let call = self.client.describe_volumes().filters(filter.clone());
            let page = call.max_results(PAGE_ITEMS_MAX).set_next_token(token).send().await;
            let page = page.map_err(|error| ObserveError::of("DescribeVolumes", failure::of(&error)))?;
            for volume in page.volumes().iter().filter(|volume| carries(volume, any_of)) {
                listing.add(read_volume(volume), |volume| &volume.id);
            }
            pages.turn(page.next_token());
        }
        listing.cut(pages.cut_short);
        Ok(listing)
    }

    /// The snapshots of this account that carry the policy's tag and description, whoever made them.
    async fn list_snapshots(&self, policy: &PolicyId) -> Result<Listing<SnapshotId, Snapshot>, ObserveError> {
        let mut listing = Listing::default();
        let mut pages = Pages::default();
        let mut owners = Owners::default();
        let mut descriptions = BTreeSet::new();
        // Bounded by PAGES_MAX.
        while let Some(token) = pages.next() {
            let _permit = self.lanes.describe_snapshots.admit().await;
            let call = self.client.describe_snapshots().owner_ids("self").set_filters(Some(ownership_filters(policy)));
            let page = call.max_results(PAGE_ITEMS_MAX).set_next_token(token).send().await;
            let page = page.map_err(|error| ObserveError::of("DescribeSnapshots", failure::of(&error)))?;
            for snapshot in page.snapshots() {
                owners.see(snapshot.owner_id());
                listing.add(read_snapshot(snapshot, &mut descriptions), |snapshot| &snapshot.id);
            }
            pages.turn(page.next_token());
        }
        listing.cut(pages.cut_short);
        // Last, because it outweighs the rest: it doubts what was seen as well.
        listing.cut(owners.mixed);
        Ok(listing)
    }
}

/// Filters whose answers, taken together, hold every volume that carries one of `any_of`; perhaps others too.
///
/// Filter *values* may hold wildcards, which a backslash takes their meaning; of filter *names* EC2's documentation
/// says nothing. So a key with such a character is asked for as a value, by `tag-key`, and so is a tag whose value is
/// empty or too long for a filter. What comes back is compared with the tags themselves ([`carries`]).
fn target_filters(any_of: &[Tag]) -> Vec<Filter> {
    let mut values_of: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for tag in any_of {
        values_of.entry(&tag.key).or_default().push(literal(&tag.value));
    }
    let mut filters = Vec::new();
    for (key, values) in values_of {
        let is_plain = literal(key) == key && values.iter().all(|value| is_filter_value(value));
        if is_plain {
            filters
                .extend(values.chunks(FILTER_VALUES_MAX).map(|values| filter(&format!("tag:{key}"), values.to_vec())));
        } else {
            filters.push(filter("tag-key", vec![literal(key)]));
        }
    }
    filters
}

/// The tag and the description together, as design.md 4.3 asks: neither alone makes a snapshot ours. A policy id holds
/// no wildcard, so only the last star is one.
fn ownership_filters(policy: &PolicyId) -> Vec<Filter> {
    vec![
        filter(&format!("tag:{}", tags::POLICY_ID), vec![policy.to_string()]),
        filter("description", vec![format!("{}*", tags::description_prefix(policy))]),
    ]
}

fn filter(name: &str, values: Vec<String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// The text as a filter value that means just itself.
fn literal(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '\\') {
            value.push('\\');
        }
        value.push(character);
    }
    value
}

fn is_filter_value(value: &str) -> bool {
    (1..=FILTER_VALUE_CHARACTERS_MAX).contains(&value.chars().count())
}

/// Whether the volume really carries one of the tags, case and all.
fn carries(volume: &types::Volume, any_of: &[Tag]) -> bool {
    let is_one = |tag: &types::Tag| {
        any_of.iter().any(|one| tag.key() == Some(&one.key) && tag.value().unwrap_or_default() == one.value)
    };
    volume.tags().iter().any(is_one)
}

/// `None` without an id: then it cannot be told apart.
fn read_volume(volume: &types::Volume) -> Option<Volume> {
    Some(Volume {
        id: VolumeId::parse(volume.volume_id()?)?,
        state: volume_state(volume.state()),
        created: volume.create_time().and_then(read_time),
    })
}

/// `None` without an id, a volume or a start time: without them it has no place in a volume's history.
fn read_snapshot(snapshot: &types::Snapshot, descriptions: &mut BTreeSet<Arc<str>>) -> Option<Snapshot> {
    let volume_id = VolumeId::parse(snapshot.volume_id()?)?;
    let is_copy = volume_id.as_str() == VolumeId::OF_COPIES || snapshot.transfer_type().is_some();
    let tags = snapshot.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())));
    Some(Snapshot {
        id: SnapshotId::parse(snapshot.snapshot_id()?)?,
        volume_id,
        description: shared(snapshot.description().unwrap_or_default(), descriptions),
        state: snapshot_state(snapshot.state(), snapshot.progress()),
        start_time: read_time(snapshot.start_time()?)?,
        origin: if is_copy { Origin::Copied } else { Origin::Created },
        marks: Marks::read(tags),
    })
}

/// One copy of each text: a policy's snapshots have as many descriptions as it has schedules.
fn shared(text: &str, known: &mut BTreeSet<Arc<str>>) -> Arc<str> {
    if let Some(known) = known.get(text) {
        return Arc::clone(known);
    }
    let text: Arc<str> = text.into();
    known.insert(Arc::clone(&text));
    text
}

fn volume_state(state: Option<&types::VolumeState>) -> VolumeState {
    match state {
        Some(types::VolumeState::Available) => VolumeState::Available,
        Some(types::VolumeState::Creating) => VolumeState::Creating,
        Some(types::VolumeState::Deleted) => VolumeState::Deleted,
        Some(types::VolumeState::Deleting) => VolumeState::Deleting,
        Some(types::VolumeState::Error) => VolumeState::Error,
        Some(types::VolumeState::InUse) => VolumeState::InUse,
        Some(other) => VolumeState::Unknown(other.as_str().to_owned()),
        None => VolumeState::Unknown(UNSTATED.to_owned()),
    }
}

fn snapshot_state(state: Option<&types::SnapshotState>, progress: Option<&str>) -> SnapshotState {
    match state {
        Some(types::SnapshotState::Completed) => SnapshotState::Completed,
        Some(types::SnapshotState::Error) => SnapshotState::Error,
        Some(types::SnapshotState::Pending) => SnapshotState::Pending { progress_percent: percent(progress) },
        Some(other) => SnapshotState::Unknown(other.as_str().to_owned()),
        None => SnapshotState::Unknown(UNSTATED.to_owned()),
    }
}

const UNSTATED: &str = "unstated";

/// EC2 writes `80%`, and nothing at all at first.
fn percent(progress: Option<&str>) -> u8 {
    let digits = progress.unwrap_or_default().trim_end_matches('%');
    digits.parse().map_or(0, |percent: u8| percent.min(100))
}

fn read_time(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

/// What a listing has brought so far, each thing once. EC2 may show a thing on two pages when it changes between them:
/// the later reading counts.
#[derive(Debug)]
struct Listing<Id, T> {
    items: Vec<T>,
    positions: BTreeMap<Id, usize>,
    cut_short: Option<CutShort>,
}

impl<Id, T> Default for Listing<Id, T> {
    fn default() -> Self {
        Self { items: Vec::new(), positions: BTreeMap::new(), cut_short: None }
    }
}

impl<Id: Ord + Clone, T> Listing<Id, T> {
    /// Adds what was read. A thing that could not be read makes the listing partial: to pass over it would hide it, and
    /// to guess at it could delete for its sake.
    fn add(&mut self, read: Option<T>, id: impl Fn(&T) -> &Id) {
        let Some(item) = read else {
            return self.cut(Some(CutShort::Unreadable));
        };
        let position = *self.positions.entry(id(&item).clone()).or_insert(self.items.len());
        match self.items.get_mut(position) {
            Some(earlier) => *earlier = item,
            None => self.items.push(item),
        }
    }

    fn absorb(&mut self, other: Self, id: impl Fn(&T) -> &Id) {
        for item in other.items {
            self.add(Some(item), &id);
        }
        self.cut(other.cut_short);
    }

    /// Remembers why not everything was seen; the last reason counts.
    fn cut(&mut self, reason: Option<CutShort>) {
        self.cut_short = reason.or(self.cut_short);
    }
}

/// The pages of a listing, one after the other: on until there is no token, also after an empty page, since EC2 fills
/// pages as it likes.
#[derive(Debug, Default)]
struct Pages {
    is_over: bool,
    next: Option<String>,
    seen: BTreeSet<String>,
    read: usize,
    cut_short: Option<CutShort>,
}

impl Pages {
    /// The token of the page to read: `None` when there is no more, `Some(None)` for the first.
    fn next(&mut self) -> Option<Option<String>> {
        (!self.is_over).then(|| self.next.take())
    }

    /// A page was read, and it names the next one.
    fn turn(&mut self, token: Option<&str>) {
        self.read += 1;
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            self.is_over = true;
            return;
        };
        // A token that comes again leads round in a circle, which has no last page.
        if self.read >= PAGES_MAX || !self.seen.insert(token.to_owned()) {
            self.is_over = true;
            self.cut_short = Some(CutShort::TooManyPages);
            return;
        }
        self.next = Some(token.to_owned());
    }
}

/// The owners of the snapshots that came back. Only our own were asked for, so there is one; we need not know which.
#[derive(Debug, Default)]
struct Owners {
    first: Option<Option<String>>,
    mixed: Option<CutShort>,
}

impl Owners {
    fn see(&mut self, owner: Option<&str>) {
        match &self.first {
            None => self.first = Some(owner.map(ToOwned::to_owned)),
            Some(first) if first.as_deref() != owner => self.mixed = Some(CutShort::MixedOwners),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
