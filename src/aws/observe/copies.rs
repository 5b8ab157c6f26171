//! Looking at the copies in another Region, and once more at what is to be copied.

use super::by_id::id_of;
use super::pairs;
use super::snapshots::read_snapshot;
use crate::action::Failed;
use crate::aws::{Account, ObserveError};
use crate::policy::{PolicyId, Tag};
use crate::tags::Sharing;
use crate::world::{Coverage, Snapshot, SnapshotId, View};
use std::collections::{BTreeMap, BTreeSet};

/// A snapshot that is to be copied, as EC2 shows it by its id.
#[derive(Debug)]
pub struct Source {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// All of its tags.
    pub tags: Vec<Tag>,
    /// Whether it is encrypted.
    pub is_encrypted: bool,
}

impl Account {
    /// What this Region shows of a policy's copies. Those that were `begun` are asked for by their ids where the list does not show them.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn observe_copies(&self, policy: &PolicyId, begun: &BTreeSet<SnapshotId>) -> Result<View, ObserveError> {
        let mut listed = self.list_snapshots(policy).await?;
        let by_id = Box::pin(self.add_by_id(begun, &mut listed)).await?;
        let coverage = listed.cut_short.map_or(Coverage::Complete, Coverage::Partial);
        Ok(View { snapshots: listed.items, by_id, coverage, unseen: None })
    }

    /// The snapshots of these ids as they are now; what EC2 does not show, or cannot be read, is not among them.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn sources(&self, ids: &[SnapshotId]) -> Result<BTreeMap<SnapshotId, Source>, Failed> {
        let answered = self.snapshots_by_id(ids).await?;
        let mut sharing = Sharing::default();
        let read = |snapshot| -> Option<(SnapshotId, Source)> {
            let tag = |(key, value): (&str, &str)| Tag { key: key.to_owned(), value: value.to_owned() };
            let tags = pairs(aws_sdk_ec2::types::Snapshot::tags(snapshot)).map(tag).collect();
            let is_encrypted = snapshot.encrypted().unwrap_or_default();
            let source = Source { snapshot: read_snapshot(snapshot, &mut sharing)?, tags, is_encrypted };
            Some((id_of(snapshot)?, source))
        };
        Ok(answered.shown.iter().filter_map(read).collect())
    }
}
