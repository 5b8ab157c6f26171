//! What waits for a person's consent (R6 of docs/promises.md): told at each run, and how to give it.

use crate::plan::{KeepReason, Plan, SnapshotVerdict};
use crate::policy::ScheduleName;
use crate::world::VolumeId;
use std::collections::{BTreeMap, BTreeSet};

/// One sentence for each schedule whose Count is lower than when snapshots of it were made. No failure: they stay.
pub(super) fn of(plan: &Plan<'_>) -> Vec<String> {
    let mut waiting: BTreeMap<(&ScheduleName, usize), (usize, BTreeSet<VolumeId>)> = BTreeMap::new();
    for decision in &plan.snapshots {
        if let SnapshotVerdict::Keep(KeepReason::AwaitsConsent { schedule, count, .. }) = decision.verdict {
            let (snapshots, volumes) = waiting.entry((schedule, count)).or_default();
            *snapshots += 1;
            volumes.insert(decision.snapshot.volume_id);
        }
    }
    let sentence = |((schedule, count), (snapshots, volumes)): (
        (&ScheduleName, usize),
        (usize, BTreeSet<VolumeId>),
    )| {
        let (snapshots, were, stay, those) = if snapshots == 1 {
            ("1 snapshot".to_owned(), "was", "stays", "it")
        } else {
            (format!("{snapshots} snapshots"), "were", "stay", "them")
        };
        let volumes = if volumes.len() == 1 { "1 volume".to_owned() } else { format!("{} volumes", volumes.len()) };
        format!(
            "{schedule} keeps {count} now and kept more when {snapshots} of {volumes} {were} made, which {stay}; to let {those} go \
             set Options.AcceptCount to {{\"{schedule}\": {count}}}"
        )
    };
    waiting.into_iter().map(sentence).collect()
}
