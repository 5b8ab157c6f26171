//! The snapshots of a fleet as the planner reads them, changed in place: an account of 100,000 volumes is never copied.

use crate::action::Action;
use crate::lookup::Lookup;
use crate::tags::Sharing;
use crate::world::{Origin, Snapshot, SnapshotId, SnapshotState, Tier, VolumeId, World};
use jiff::Timestamp;

/// What one kind of look shows of the account.
#[derive(Debug)]
pub(super) struct View {
    /// What was shown last.
    pub(super) world: World,
    positions: Lookup<SnapshotId, usize>,
    /// What was not shown complete yet, in the order in which it began, and when it is.
    pending: Vec<(SnapshotId, Timestamp)>,
    sharing: Sharing,
}

impl View {
    /// All that there is.
    pub(super) fn of(world: World) -> Self {
        let mut positions = Lookup::with_room_for(world.snapshots.len() + world.volumes.len());
        for (position, snapshot) in world.snapshots.iter().enumerate() {
            positions.insert(snapshot.id, position);
        }
        Self { world, positions, pending: Vec::new(), sharing: Sharing::default() }
    }

    /// Shows what is complete when its page is read: `read_at` tells when that is, by the place in the list. What a
    /// look shows of what was begun or deleted meanwhile is left out: nothing is, while a function only looks.
    pub(super) fn show(&mut self, read_at: impl Fn(usize) -> Timestamp) {
        let Self { world, positions, pending, .. } = self;
        pending.retain(|(id, completes_at)| {
            let Some(&position) = positions.get(id) else { return false };
            let Some(snapshot) = world.snapshots.get_mut(position) else { return false };
            let is_complete = *completes_at <= read_at(position);
            if is_complete {
                snapshot.state = SnapshotState::Completed;
            }
            !is_complete
        });
    }

    /// A snapshot was begun.
    pub(super) fn begin(&mut self, action: &Action, began: &Began) {
        let (description, tags) = match action {
            Action::CreateSnapshot(create) => (&create.description, &create.tags),
            Action::CreateSnapshots(create) => (&create.description, &create.tags),
            Action::CopySnapshot(_) | Action::DeleteSnapshot(_) => return,
        };
        let sharing = &mut self.sharing;
        let snapshot = Snapshot {
            id: began.id,
            volume_id: began.volume_id,
            description: sharing.text(description),
            state: SnapshotState::Pending,
            state_message: None,
            start_time: began.at,
            completed_at: None,
            origin: Origin::Created,
            marks: sharing.marks(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()))),
            tier: Tier::Standard,
            full_size_bytes: super::FULL_SIZE_BYTES,
        };
        self.positions.insert(began.id, self.world.snapshots.len());
        self.world.snapshots.push(snapshot);
        self.pending.push((began.id, began.completes_at));
    }

    /// A snapshot was deleted. The last one of the list takes its place: EC2 promises no order.
    pub(super) fn remove(&mut self, id: SnapshotId) {
        let Some(&position) = self.positions.get(&id) else { return };
        self.world.snapshots.swap_remove(position);
        if let Some(moved) = self.world.snapshots.get(position) {
            self.positions.insert(moved.id, position);
        }
    }
}

/// A snapshot that a call began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began {
    pub(super) id: SnapshotId,
    pub(super) volume_id: VolumeId,
    pub(super) at: Timestamp,
    pub(super) completes_at: Timestamp,
}
