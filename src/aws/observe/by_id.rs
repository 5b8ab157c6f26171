//! Asking for things by their ids as parameters of a call.
//!
//! A filtered answer that lacks something proves nothing. EC2 fails a call for ids of which one does not exist, so what it
//! says of ids does.

pub(in crate::aws) use super::filters::FILTER_VALUES_MAX;
use super::paging::Listing;
use super::snapshots::Reading;
use crate::action::Failed;
use crate::aws::{Account, ObserveError, failure};
use crate::pace::Api;
use crate::world::{ById, Snapshot, SnapshotId};
use aws_sdk_ec2::types;
use std::collections::BTreeSet;

/// What EC2 says of an id that it does not know (captures of real answers: `InvalidSnapshot.NotFound`; made-up ids are often
/// `InvalidSnapshotID.Malformed` instead, by an unknown rule).
const NOT_FOUND: [&str; 3] = ["InvalidSnapshot.NotFound", "InvalidSnapshotID.Malformed", "InvalidSnapshotID.NotFound"];

/// What EC2 says of ids. Those that are in neither list it left out of an answer without an error, which proves nothing.
#[derive(Debug)]
pub(in crate::aws) struct Answered<Id, T> {
    /// What it shows.
    pub(in crate::aws) shown: Vec<T>,
    /// What it says does not exist.
    pub(in crate::aws) not_found: BTreeSet<Id>,
}

/// Asks for `ids` by `describe`, as many a call as EC2 takes values in a filter: of ids in a call it says only that there may be
/// up to a thousand. One that is missing fails the whole call, by one of these codes; then each half is asked for.
pub(super) async fn ask<Id: Copy + Ord + ToString, T, Answer>(
    ids: &[Id],
    not_found_codes: &[&str],
    describe: impl Fn(Vec<String>) -> Answer,
) -> Result<Answered<Id, T>, Failed>
where
    Answer: Future<Output = Result<Vec<T>, Failed>>,
{
    let mut answered = Answered { shown: Vec::new(), not_found: BTreeSet::new() };
    let mut open: Vec<&[Id]> = ids.chunks(FILTER_VALUES_MAX).collect();
    // Bounded by twice the ids: each call is for some of them, and one that fails is followed by two for half of them.
    while let Some(ids) = open.pop() {
        match describe(ids.iter().map(ToString::to_string).collect()).await {
            Ok(shown) => answered.shown.extend(shown),
            Err(failed) if not_found_codes.contains(&failed.code.as_str()) => match ids {
                [] => {}
                &[id] => {
                    answered.not_found.insert(id);
                }
                _ => {
                    let (some, others) = ids.split_at(ids.len() / 2);
                    open.extend([some, others]);
                }
            },
            Err(failed) => return Err(failed),
        }
    }
    Ok(answered)
}

impl Account {
    /// Adds to `listed` those of `begun` that it does not show and EC2 shows by their ids.
    pub(super) async fn add_by_id(
        &self,
        begun: &BTreeSet<SnapshotId>,
        listed: &mut Listing<SnapshotId, Snapshot>,
    ) -> Result<ById, ObserveError> {
        let asked: Vec<SnapshotId> = begun.iter().copied().filter(|id| !listed.has(id)).collect();
        let answered = self.snapshots_by_id(&asked).await;
        let Answered { shown, mut not_found } =
            answered.map_err(|failed| ObserveError::of("DescribeSnapshots", failed))?;
        let asked: BTreeSet<SnapshotId> = asked.into_iter().collect();
        let mut by_id = ById::default();
        let mut read = Reading::default();
        for snapshot in &shown {
            if let Some(id) = id_of(snapshot).filter(|id| asked.contains(id)) {
                read.add(snapshot);
                by_id.shown.insert(id);
            }
        }
        // An endpoint that leaves out what it does not know says the same by that.
        not_found.extend(asked.iter().filter(|id| !by_id.shown.contains(id)));
        by_id.not_found = not_found;
        listed.absorb(read.ended(None), |snapshot| &snapshot.id);
        Ok(by_id)
    }

    /// What EC2 says of these snapshots.
    pub(in crate::aws) async fn snapshots_by_id(
        &self,
        ids: &[SnapshotId],
    ) -> Result<Answered<SnapshotId, types::Snapshot>, Failed> {
        let describe = async |ids| {
            let _permit = self.lanes.of(Api::DescribeSnapshots).admit().await;
            let answer = self.client.describe_snapshots().set_snapshot_ids(Some(ids)).send().await;
            answer.map(|answer| answer.snapshots.unwrap_or_default()).map_err(|error| failure::of(&error))
        };
        ask(ids, &NOT_FOUND, describe).await
    }
}

pub(in crate::aws) fn id_of(snapshot: &types::Snapshot) -> Option<SnapshotId> {
    SnapshotId::parse(snapshot.snapshot_id()?)
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
