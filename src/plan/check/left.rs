//! The floor of each volume: what stays there.

use super::{Broken, DeleteReason, Options, Snapshot, Sources, VolumeId};
use crate::lookup::Lookup;
use crate::plan::{SnapshotDecision, SnapshotVerdict};

/// What stays of each volume, and what must: as many complete snapshots as the floor and every count rule promise where
/// something goes.
#[derive(Default)]
pub(super) struct Left {
    volumes: Lookup<VolumeId, OfVolume>,
    /// The volumes of which something must stay.
    with_promise: Vec<VolumeId>,
}

/// Complete snapshots of a volume.
#[derive(Clone, Copy, Default)]
struct OfVolume {
    left: usize,
    promised: usize,
}

impl Left {
    /// How many volumes the decisions are about.
    pub(super) fn volumes(&self) -> usize {
        self.volumes.len()
    }

    /// Adds decisions that stand side by side and are about one volume; others about it may stand elsewhere.
    pub(super) fn add(&mut self, sources: &Sources<'_>, options: &Options, decisions: &[SnapshotDecision<'_>]) {
        let Some(volume) = decisions.first().map(|decision| decision.snapshot.volume_id) else { return };
        let of_volume = self.volumes.get_or_insert(volume, OfVolume::default());
        let had_promise = of_volume.promised > 0;
        for decision in decisions.iter().filter(|decision| decision.snapshot.is_restorable()) {
            match decision.verdict {
                SnapshotVerdict::Delete(reason) => {
                    let promised = promised(sources, options, decision.snapshot, reason);
                    of_volume.promised = of_volume.promised.max(promised);
                }
                SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. } => of_volume.left += 1,
            }
        }
        if of_volume.promised > 0 && !had_promise {
            self.with_promise.push(volume);
        }
    }

    /// Where less would stay than must.
    pub(super) fn check_floor(mut self, broken: &mut Vec<Broken>) {
        self.with_promise.sort_unstable();
        for volume in self.with_promise {
            let OfVolume { left, promised } = self.volumes.get(&volume).copied().unwrap_or_default();
            if left < promised {
                broken.push(Broken::LeavesTooFew { volume: volume.to_string(), left, expected: promised });
            }
        }
    }
}

/// How many complete snapshots of its volume must stay where this one goes for this reason.
fn promised(sources: &Sources<'_>, options: &Options, snapshot: &Snapshot, reason: DeleteReason) -> usize {
    let is_gone = sources.is_gone(snapshot) && sources.is_volume_gone(snapshot.volume_id);
    let by_rule = match reason {
        DeleteReason::ExceedsCount { count, .. } => count,
        DeleteReason::Duplicate { .. } => 1,
        DeleteReason::Expired { .. } | DeleteReason::Failed { .. } | DeleteReason::Orphaned { .. } => 0,
    };
    let floor = if is_gone { 0 } else { options.minimum_kept };
    by_rule.max(floor)
}
