//! Asking for snapshots by their ids.
//!
//! Promise: each id is among those that EC2 shows or those that it says do not exist; any other answer fails the look.

use super::filters::FILTER_VALUES_MAX;
use super::paging::Listing;
use super::snapshots::Reading;
use crate::action::Failed;
use crate::aws::{Account, ObserveError, failure};
use crate::world::{ById, Snapshot, SnapshotId};
use aws_sdk_ec2::types;
use std::collections::BTreeSet;

/// What EC2 says of an id that it does not know (captures of real answers: `InvalidSnapshot.NotFound`; made-up ids are often
/// `InvalidSnapshotID.Malformed` instead, by an unknown rule).
const NOT_FOUND: [&str; 3] = ["InvalidSnapshot.NotFound", "InvalidSnapshotID.Malformed", "InvalidSnapshotID.NotFound"];

impl Account {
    /// Adds to `listed` those of `begun` that it does not show and EC2 shows by their ids.
    pub(super) async fn add_by_id(
        &self,
        begun: &BTreeSet<SnapshotId>,
        listed: &mut Listing<SnapshotId, Snapshot>,
    ) -> Result<ById, ObserveError> {
        let asked: Vec<SnapshotId> = begun.iter().copied().filter(|id| !listed.has(id)).collect();
        let mut by_id = ById::default();
        let mut read = Reading::default();
        // As many as EC2 takes values in a filter: of ids in a call it says only that there may be up to a thousand.
        let mut open: Vec<&[SnapshotId]> = asked.chunks(FILTER_VALUES_MAX).collect();
        // Bounded by twice the ids: each call is for some of them, and one that fails is followed by two for half of them.
        while let Some(ids) = open.pop() {
            match self.describe_by_id(ids).await {
                Ok(snapshots) => {
                    let is_asked = |snapshot: &&types::Snapshot| id_of(snapshot).is_some_and(|id| ids.contains(&id));
                    snapshots.iter().filter(is_asked).for_each(|snapshot| read.add(snapshot));
                    by_id.shown.extend(snapshots.iter().filter(is_asked).filter_map(id_of));
                }
                Err(failed) if NOT_FOUND.contains(&failed.code.as_str()) => match ids {
                    [] => {}
                    &[id] => {
                        by_id.not_found.insert(id);
                    }
                    // One that is missing fails the whole call.
                    _ => {
                        let (some, others) = ids.split_at(ids.len() / 2);
                        open.extend([some, others]);
                    }
                },
                Err(failed) => return Err(ObserveError::of("DescribeSnapshots", failed)),
            }
        }
        // An endpoint that leaves out what it does not know says the same by that.
        by_id.not_found.extend(asked.iter().filter(|id| !by_id.shown.contains(id)));
        listed.absorb(read.ended(None), |snapshot| &snapshot.id);
        Ok(by_id)
    }

    async fn describe_by_id(&self, ids: &[SnapshotId]) -> Result<Vec<types::Snapshot>, Failed> {
        let _permit = self.lanes.describe_snapshots.admit().await;
        let ids = ids.iter().map(ToString::to_string).collect();
        let answer = self.client.describe_snapshots().set_snapshot_ids(Some(ids)).send().await;
        answer.map(|answer| answer.snapshots.unwrap_or_default()).map_err(|error| failure::of(&error))
    }
}

fn id_of(snapshot: &types::Snapshot) -> Option<SnapshotId> {
    SnapshotId::parse(snapshot.snapshot_id()?)
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
