//! Asking for things by their ids, as parameters of the call: such reads are consistent, and what EC2 does not know it says.
//!
//! Promise: each snapshot that was asked for is among those that EC2 shows or those that it says do not exist; any other
//! answer fails the look.

use super::filters::FILTER_VALUES_MAX;
use super::paging::Listing;
use super::snapshots::{Reading, read_snapshot};
use crate::action::Failed;
use crate::aws::{Account, ObserveError, failure};
use crate::tags::Sharing;
use crate::world::{ById, Snapshot, SnapshotId};
use aws_sdk_ec2::types;
use std::collections::{BTreeMap, BTreeSet};

/// What EC2 says of a snapshot's id that it does not know (captures of real answers: `InvalidSnapshot.NotFound`; made-up ids
/// are often `InvalidSnapshotID.Malformed` instead, by an unknown rule).
const NOT_FOUND: [&str; 3] = ["InvalidSnapshot.NotFound", "InvalidSnapshotID.Malformed", "InvalidSnapshotID.NotFound"];

/// The ids that are still to be asked for: as many a call as EC2 takes values in a filter, and half of them where one is
/// missing, since that fails the whole call. Bounded by twice the ids.
#[derive(Debug)]
pub(super) struct Asking<'i, Id> {
    open: Vec<&'i [Id]>,
    /// Those of which EC2 says that it does not know them.
    pub(super) not_found: BTreeSet<Id>,
}

impl<'i, Id: Copy + Ord> Asking<'i, Id> {
    pub(super) fn new(ids: &'i [Id]) -> Self {
        Self { open: ids.chunks(FILTER_VALUES_MAX).collect(), not_found: BTreeSet::new() }
    }

    /// The ids of the next call.
    pub(super) fn next(&mut self) -> Option<&'i [Id]> {
        self.open.pop()
    }

    /// A call for these ids failed because one of them is missing.
    pub(super) fn halve(&mut self, ids: &'i [Id]) {
        if let &[id] = ids {
            self.not_found.insert(id);
        } else if !ids.is_empty() {
            let (some, others) = ids.split_at(ids.len() / 2);
            self.open.extend([some, others]);
        }
    }
}

impl Account {
    /// Adds to `listed` those of `begun` that it does not show and EC2 shows by their ids.
    pub(super) async fn add_by_id(
        &self,
        begun: &BTreeSet<SnapshotId>,
        listed: &mut Listing<SnapshotId, Snapshot>,
    ) -> Result<ById, ObserveError> {
        let asked: Vec<SnapshotId> = begun.iter().copied().filter(|id| !listed.has(id)).collect();
        let found = self.snapshots_by_id(&asked).await;
        let found = found.map_err(|failed| ObserveError::of("DescribeSnapshots", failed))?;
        let mut read = Reading::default();
        found.values().for_each(|snapshot| read.add(snapshot));
        let shown: BTreeSet<SnapshotId> = found.into_keys().collect();
        let not_found = asked.iter().copied().filter(|id| !shown.contains(id)).collect();
        listed.absorb(read.ended(None), |snapshot| &snapshot.id);
        Ok(ById { shown, not_found })
    }

    /// These snapshots as EC2 shows them now; without those that it does not know.
    ///
    /// # Errors
    /// When EC2 answers anything else.
    pub(in crate::aws) async fn look_again(
        &self,
        ids: &[SnapshotId],
    ) -> Result<BTreeMap<SnapshotId, Option<Snapshot>>, Failed> {
        let found = self.snapshots_by_id(ids).await?;
        let mut sharing = Sharing::default();
        let mut again = BTreeMap::new();
        for id in ids {
            // What cannot be read any more is no reason to delete anything: it is not told as gone.
            match found.get(id).map(|snapshot| read_snapshot(snapshot, &mut sharing)) {
                None => again.insert(*id, None),
                Some(Some(snapshot)) => again.insert(*id, Some(snapshot)),
                Some(None) => None,
            };
        }
        Ok(again)
    }

    /// An endpoint that leaves out what it does not know says the same by that as EC2 by an error.
    async fn snapshots_by_id(&self, ids: &[SnapshotId]) -> Result<BTreeMap<SnapshotId, types::Snapshot>, Failed> {
        let mut asking = Asking::new(ids);
        let mut found = BTreeMap::new();
        while let Some(ids) = asking.next() {
            match self.describe_by_id(ids).await {
                Ok(snapshots) => {
                    let known = snapshots.into_iter().filter_map(|snapshot| Some((id_of(&snapshot)?, snapshot)));
                    found.extend(known.filter(|(id, _)| ids.contains(id)));
                }
                Err(failed) if NOT_FOUND.contains(&failed.code.as_str()) => asking.halve(ids),
                Err(failed) => return Err(failed),
            }
        }
        Ok(found)
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
