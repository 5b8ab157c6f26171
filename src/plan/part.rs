//! An account in parts. What is decided about a volume depends on no other volume, sums and the brake aside, so a policy
//! of volumes is planned some volumes at a time: what is found out about them is still at hand when it is needed, and
//! is gone when the next ones come.
//!
//! The instances of a policy share volumes, and each set is judged as a whole: such a policy is one part.

use super::Target;
use crate::policy::{Policy, Targets};
use crate::world::{Snapshot, SourceId};

/// About so many snapshots, and at most so many targets, make a part: with what is found out about them they fill some
/// hundred kilobytes, which is what a processor core has at hand (512 KB on the machine where this was measured; twice
/// and half as many made no difference).
const SIZE: usize = 1000;

/// Some volumes with all that is there of them.
#[derive(Debug, PartialEq)]
pub(super) struct Part<'p, 'a> {
    /// Their snapshots, sorted by volume.
    pub(super) snapshots: &'p [&'a Snapshot],
    /// Those of them that the policy targets, sorted by id.
    pub(super) targets: &'p [Target<'a>],
}

/// Splits an account, given as snapshots of ours sorted by volume and as targets sorted by id.
pub(super) fn split<'p, 'a>(
    policy: &Policy,
    snapshots: &'p [&'a Snapshot],
    targets: &'p [Target<'a>],
) -> Vec<Part<'p, 'a>> {
    let mut parts = Vec::new();
    let mut rest = Part { snapshots, targets };
    if let Targets::AllVolumes(_) | Targets::Volumes { .. } = policy.targets {
        // Bounded by the snapshots and targets: each part takes some.
        while let Some(next) = first_of_next(&rest) {
            let is_of_part = |volume: SourceId| volume < next;
            let (snapshots, other_snapshots) = rest
                .snapshots
                .split_at(rest.snapshots.partition_point(|snapshot| is_of_part(SourceId::Volume(snapshot.volume_id))));
            let (targets, other_targets) =
                rest.targets.split_at(rest.targets.partition_point(|target| is_of_part(target.id())));
            parts.push(Part { snapshots, targets });
            rest = Part { snapshots: other_snapshots, targets: other_targets };
        }
    }
    parts.push(rest);
    parts
}

/// The first volume behind a part; `None` where the rest is one part.
fn first_of_next(rest: &Part<'_, '_>) -> Option<SourceId> {
    let (first, others) = rest.snapshots.split_at_checked(SIZE).unwrap_or((rest.snapshots, &[]));
    let last = first.last().map(|snapshot| snapshot.volume_id);
    let next = others.iter().map(|snapshot| snapshot.volume_id).find(|&volume| Some(volume) != last);
    let next_target = rest.targets.get(SIZE).map(|target| target.id());
    next.map(SourceId::Volume).into_iter().chain(next_target).min()
}
