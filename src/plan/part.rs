//! An account in parts. What is decided about a volume depends on no other volume, sums and the brake aside, so a policy
//! of volumes is planned some volumes at a time: what is found out about them is still at hand when it is needed, and
//! is gone when the next ones come.
//!
//! The instances of a policy share volumes, and each set is judged as a whole: such a policy is one part.

use super::Target;
use crate::policy::{Policy, Targets};
use crate::world::{Snapshot, SourceId};

/// About so many snapshots and at most so many targets make a part. A snapshot takes 240 bytes, and what is found out about
/// it as much again: half a megabyte, which is what a processor core has at hand. What is set up for each part is shared by
/// enough volumes not to count.
pub(super) const SIZE: usize = 1000;

/// Some volumes with all that is there of them.
#[derive(Debug, PartialEq)]
pub(super) struct Part<'p, 'a> {
    /// Their snapshots, sorted by volume.
    pub(super) snapshots: &'p [&'a Snapshot],
    /// Those of them that the policy targets, sorted by id.
    pub(super) targets: &'p [Target<'a>],
}

/// Splits an account, given as snapshots of ours sorted by volume and as targets sorted by id, into parts of about `size`
/// snapshots or targets.
pub(super) fn split<'p, 'a>(
    policy: &Policy,
    size: usize,
    snapshots: &'p [&'a Snapshot],
    targets: &'p [Target<'a>],
) -> Vec<Part<'p, 'a>> {
    let mut parts = Vec::new();
    let mut rest = Part { snapshots, targets };
    if let Targets::AllVolumes(_) | Targets::Volumes { .. } = policy.targets {
        // Bounded by the snapshots and targets: each part takes some.
        while let Some(next) = first_of_next(&rest, size) {
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
fn first_of_next(rest: &Part<'_, '_>, size: usize) -> Option<SourceId> {
    let (first, others) = rest.snapshots.split_at_checked(size).unwrap_or((rest.snapshots, &[]));
    let last = first.last().map(|snapshot| snapshot.volume_id);
    let next = others.iter().map(|snapshot| snapshot.volume_id).find(|&volume| Some(volume) != last);
    let next_target = rest.targets.get(size).map(|target| target.id());
    next.map(SourceId::Volume).into_iter().chain(next_target).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::world::Volume;

    /// The parts of about two of an account whose snapshots are given by their volumes, written as the volumes of their
    /// snapshots and their targets.
    #[track_caller]
    fn check(policy: &Policy, snapshots: &[u32], targets: &[u32], expected: &str) {
        let number = |id: String| id.trim_start_matches(|c: char| !c.is_ascii_digit() || c == '0').to_owned();
        let snapshots: Vec<Snapshot> = snapshots.iter().map(|&of| snapshot(of, of, "2026-11-22T17:00:00Z")).collect();
        let volumes: Vec<Volume> = targets.iter().copied().map(volume).collect();
        let (snapshots, targets): (Vec<&Snapshot>, Vec<Target<'_>>) =
            (snapshots.iter().collect(), volumes.iter().map(Target::Volume).collect());
        let parts = split(policy, 2, &snapshots, &targets).into_iter().map(|part| {
            let of: Vec<String> =
                part.snapshots.iter().map(|snapshot| number(snapshot.volume_id.to_string())).collect();
            let targets: Vec<String> = part.targets.iter().map(|target| number(target.id().to_string())).collect();
            format!("{} of {}", of.join(" "), targets.join(" "))
        });
        assert_eq!(parts.collect::<Vec<_>>().join(", "), expected);
    }

    #[test]
    fn a_volume_and_all_that_is_there_of_it_is_in_one_part() {
        check(&sample(), &[], &[], " of ");
        check(&sample(), &[1, 2], &[1, 2], "1 2 of 1 2");
        check(&sample(), &[1, 1, 1, 2, 2, 3], &[1, 2, 3], "1 1 1 of 1, 2 2 of 2, 3 of 3");
        check(&sample(), &[1, 2, 2, 2, 3], &[1, 2, 3], "1 2 2 2 of 1 2, 3 of 3");
    }

    #[test]
    fn targets_without_snapshots_make_parts_too() {
        check(&sample(), &[], &[1, 2, 3, 4, 5], " of 1 2,  of 3 4,  of 5");
        check(&sample(), &[4, 4, 4, 7], &[1, 2, 3, 4, 5, 6], " of 1 2, 4 4 4 of 3 4, 7 of 5 6");
        check(&sample(), &[1, 1, 9], &[5], "1 1 of 5, 9 of ");
    }

    #[test]
    fn instances_are_not_split() {
        check(&instance_policy(count(1)), &[1, 1, 2, 3], &[1, 2, 3], "1 1 2 3 of 1 2 3");
    }
}
