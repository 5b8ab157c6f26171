//! A snapshot as EC2 shows it right after the call that began it: every simulated account writes the same one.

use crate::action::CopySnapshot;
use crate::policy::Tag;
use crate::tags::Marks;
use crate::world::{Origin, Snapshot, SnapshotId, SnapshotState, Tier, VolumeId};
use jiff::Timestamp;

/// The full size of a simulated snapshot.
const FULL_SIZE_BYTES: u64 = 1 << 30;

/// What CreateSnapshot or CreateSnapshots begins at `now`.
#[must_use]
pub fn created(id: SnapshotId, volume_id: VolumeId, description: &str, tags: &[Tag], now: Timestamp) -> Snapshot {
    Snapshot {
        id,
        volume_id,
        description: description.into(),
        state: SnapshotState::Pending,
        state_message: None,
        start_time: now,
        completed_at: None,
        origin: Origin::Created,
        marks: Marks::read(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))).into(),
        tier: Tier::Standard,
        full_size_bytes: FULL_SIZE_BYTES,
    }
}

/// What CopySnapshot begins in another Region at `now`. It names no volume that exists (EC2 API reference, CopySnapshot: "an arbitrary
/// volume ID that you should not use").
#[must_use]
pub fn copied(id: SnapshotId, copy: &CopySnapshot, now: Timestamp) -> Snapshot {
    let of_none = VolumeId::parse("vol-ffffffff").expect("what EC2 writes on copies");
    let begun = created(id, of_none, &copy.description, &copy.tags, now);
    Snapshot { origin: Origin::Copied, full_size_bytes: copy.source.full_size_bytes, ..begun }
}
