//! Listing snapshots: those of a policy, and the newest one of every volume.

use super::filters::filter;
use super::paging::{Listing, PAGE_ITEMS_MAX, Pages};
use super::{UNSTATED, pairs, read_time, word};
use crate::aws::{Account, ObserveError, failure};
use crate::pace::Api;
use crate::policy::PolicyId;
use crate::policy::decode::shown;
use crate::tags::{self, Sharing};
use crate::world::{CutShort, Origin, Snapshot, SnapshotId, SnapshotState, Tier, VolumeId};
use aws_sdk_ec2::types::{self, Filter};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Account {
    /// The snapshots of this account that carry the policy's tag, whoever made them. By that exact tag alone: EC2 documents
    /// wildcards for few filters, and whether the description is ours too is for [`tags::ownership`] to say.
    pub(super) async fn list_snapshots(
        &self,
        policy: &PolicyId,
    ) -> Result<Listing<SnapshotId, Snapshot>, ObserveError> {
        let of_policy = filter(&format!("tag:{}", tags::POLICY_ID), vec![policy.to_string()]);
        let mut read = Reading::default();
        let cut_short = self.each_snapshot(vec![of_policy], |snapshot| read.add(snapshot)).await?;
        Ok(read.ended(cut_short))
    }

    /// When the newest snapshot of each volume began, whoever made it. The account may hold far more snapshots than
    /// memory does, so only that is kept.
    ///
    /// A snapshot that cannot be read is passed over: it is somebody else's, and what hangs on it is at most a snapshot
    /// too many. Nothing is deleted because of this listing.
    pub(super) async fn list_newest_snapshots(
        &self,
    ) -> Result<(BTreeMap<VolumeId, Timestamp>, Option<CutShort>), ObserveError> {
        let mut newest: BTreeMap<VolumeId, Timestamp> = BTreeMap::new();
        let cut_short = self
            .each_snapshot(vec![not_failed()], |snapshot| {
                if let Some((volume_id, began)) = read_beginning(snapshot) {
                    newest.entry(volume_id).and_modify(|newest| *newest = began.max(*newest)).or_insert(began);
                }
            })
            .await?;
        Ok((newest, cut_short))
    }

    /// Shows each snapshot of this account that the filters find to `on_snapshot`, and says whether that were not all.
    pub(super) async fn each_snapshot(
        &self,
        filters: Vec<Filter>,
        mut on_snapshot: impl FnMut(&types::Snapshot),
    ) -> Result<Option<CutShort>, ObserveError> {
        let call = self.client.describe_snapshots().owner_ids("self").set_filters(Some(filters));
        let mut pages = Pages::default();
        // Bounded by PAGES_MAX.
        while let Some(token) = pages.next() {
            let _permit = self.lanes.of(Api::DescribeSnapshots).admit().await;
            let page = call.clone().max_results(PAGE_ITEMS_MAX).set_next_token(token).send().await;
            let page = page.map_err(|error| ObserveError::of("DescribeSnapshots", failure::of(&error)))?;
            for snapshot in page.snapshots() {
                on_snapshot(snapshot);
            }
            pages.turn(page.next_token(), page.snapshots().len());
        }
        Ok(pages.cut_short)
    }
}

/// What a listing of snapshots has brought so far.
#[derive(Debug, Default)]
pub(super) struct Reading {
    listing: Listing<SnapshotId, Snapshot>,
    owners: Owners,
    sharing: Sharing,
}

impl Reading {
    pub(super) fn add(&mut self, snapshot: &types::Snapshot) {
        self.owners.see(snapshot.owner_id());
        self.listing.add(read_snapshot(snapshot, &mut self.sharing), |snapshot| &snapshot.id);
    }

    /// All that was read, and why that is not all there is.
    pub(super) fn ended(self, cut_short: Option<CutShort>) -> Listing<SnapshotId, Snapshot> {
        let Self { mut listing, owners, .. } = self;
        listing.cut(cut_short);
        // Last, because it outweighs the rest: it doubts what was seen as well.
        listing.cut(owners.mixed);
        listing
    }
}

/// Every state but `error` that EC2 lets one ask for: what failed is no snapshot of its volume.
fn not_failed() -> Filter {
    filter("status", vec!["pending".to_owned(), "completed".to_owned()])
}

/// Which volume a snapshot was made of and when. A copy says nothing about a volume.
fn read_beginning(snapshot: &types::Snapshot) -> Option<(VolumeId, Timestamp)> {
    if snapshot.state() == Some(&types::SnapshotState::Error) {
        return None;
    }
    let volume_id = VolumeId::parse(snapshot.volume_id()?)?;
    let began = read_time(snapshot.start_time()?)?;
    (!is_copy(snapshot)).then_some((volume_id, began))
}

/// `None` without an id, a volume or a start time: without them it has no place in a volume's history.
pub(in crate::aws) fn read_snapshot(snapshot: &types::Snapshot, sharing: &mut Sharing) -> Option<Snapshot> {
    Some(Snapshot {
        id: SnapshotId::parse(snapshot.snapshot_id()?)?,
        volume_id: VolumeId::parse(snapshot.volume_id()?)?,
        description: sharing.text(snapshot.description().unwrap_or_default()),
        state: snapshot_state(snapshot.state()),
        state_message: state_message(snapshot.state_message(), sharing),
        start_time: read_time(snapshot.start_time()?)?,
        completed_at: snapshot.completion_time().and_then(read_time),
        origin: if is_copy(snapshot) { Origin::Copied } else { Origin::Created },
        marks: sharing.marks(pairs(snapshot.tags())),
        tier: tier(snapshot),
        full_size_bytes: full_size_bytes(snapshot),
    })
}

/// Whether the snapshot was not made of a volume. EC2 sends a transfer type on every snapshot, and `standard` on all but
/// time-based copies, whatever its documentation says (shared/wire/README.md). A type that this version does not know
/// tells nothing, so that a new one does not make copies of all snapshots.
fn is_copy(snapshot: &types::Snapshot) -> bool {
    snapshot.volume_id().is_some_and(names_no_volume)
        || snapshot.transfer_type() == Some(&types::TransferType::TimeBased)
        || snapshot.completion_duration_minutes().is_some()
}

/// Whether a volume's id is of f's alone: EC2 writes such a one, today `vol-ffffffff`, on copies, on imports and on what
/// EBS direct's StartSnapshot made; CopySnapshot's documentation names `vol-ffff` as well.
fn names_no_volume(volume_id: &str) -> bool {
    volume_id.strip_prefix("vol-").is_some_and(|digits| digits.bytes().all(|digit| digit == b'f'))
}

fn snapshot_state(state: Option<&types::SnapshotState>) -> SnapshotState {
    match state {
        Some(types::SnapshotState::Completed) => SnapshotState::Completed,
        Some(types::SnapshotState::Error) => SnapshotState::Error,
        Some(types::SnapshotState::Pending) => SnapshotState::Pending,
        Some(other) => SnapshotState::Unknown(word(other.as_str())),
        None => SnapshotState::Unknown(UNSTATED.to_owned()),
    }
}

/// One bounded line, like EC2's other messages; an empty one says nothing.
fn state_message(message: Option<&str>, sharing: &mut Sharing) -> Option<Arc<str>> {
    let message = message.filter(|message| !message.trim().is_empty())?;
    Some(sharing.text(&shown(message, STATE_MESSAGE_CHARACTERS_MAX)))
}

/// The longest message that was seen has 33 (shared/wire/README.md); the words around them must fit into a report.
const STATE_MESSAGE_CHARACTERS_MAX: usize = 200;

/// A tier that this version does not know counts as the archive: what is there is not ours to delete. Endpoints without
/// tiers say nothing, and have only one.
///
/// A time of restoration says that the data is in the archive whatever the tier says (EC2 API reference, Snapshot: "Only for
/// archived snapshots that are temporarily restored"); no real answer with one was seen.
fn tier(snapshot: &types::Snapshot) -> Tier {
    match (snapshot.restore_expiry_time(), snapshot.storage_tier()) {
        (Some(until), _) => read_time(until).map_or(Tier::Archive, |until| Tier::Restored { until }),
        (None, Some(types::StorageTier::Standard) | None) => Tier::Standard,
        (None, Some(_)) => Tier::Archive,
    }
}

/// The size of the snapshot's blocks, or of its volume where EC2 does not tell: it is never larger.
fn full_size_bytes(snapshot: &types::Snapshot) -> u64 {
    let told = snapshot.full_snapshot_size_in_bytes().and_then(|bytes| u64::try_from(bytes).ok());
    told.unwrap_or_else(|| u64::try_from(snapshot.volume_size().unwrap_or_default()).map_or(0, |gib| gib * GIB))
}

const GIB: u64 = 1 << 30;

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
