//! What no plan may do in another Region, and to a snapshot whose copy is promised: counted again from the tags alone.

use super::Broken;
use crate::options::Options;
use crate::plan::copies::{CopyVerdict, RegionPlan};
use crate::plan::{DeleteReason, Plan, SnapshotVerdict, ours, owning_schedule};
use crate::policy::{Policy, ScheduleName};
use crate::tags::is_copy_of_ours;
use crate::world::{Coverage, Snapshot, SnapshotId, SnapshotState, Tier, World};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(
    (policy, options): (&Policy, &Options),
    now: Timestamp,
    world: &World,
    plan: &Plan<'_>,
) -> Vec<Broken> {
    let mut broken = Vec::new();
    for region in &plan.regions {
        for decision in &region.copies {
            let SnapshotVerdict::Delete(reason) = decision.verdict else { continue };
            if let Some(why) = protection((policy, options), now, world, region, decision.snapshot, reason) {
                broken.push(Broken::Deletes { snapshot: decision.snapshot.id.to_string(), why });
            }
        }
        broken.extend(begun_twice(region));
    }
    broken
}

/// What protects a copy from deletion, if anything does.
fn protection(
    (policy, options): (&Policy, &Options),
    now: Timestamp,
    world: &World,
    region: &RegionPlan<'_>,
    copy: &Snapshot,
    reason: DeleteReason,
) -> Option<&'static str> {
    let is_ours = world.home.as_ref().is_some_and(|home| is_copy_of_ours(&policy.id, home, &region.region, copy));
    let view = world.regions.get(&region.region);
    let is_whole = view.is_some_and(|view| !view.is_unseen()) && world.coverage == Coverage::Complete;
    if !is_ours {
        Some("is no copy that opendlm made")
    } else if !is_whole {
        Some("is in a Region that was not seen whole, or the home Region was not")
    } else if copy.marks.hold.is_some_and(|hold| hold.holds_at(now)) {
        Some("is held")
    } else if !copy.marks.stamp.value().is_some_and(|stamp| stamp.is_intact) {
        Some("carries tags that somebody edited")
    } else if copy.tier != Tier::Standard {
        Some("is in the archive tier")
    } else if let DeleteReason::Failed { .. } = reason {
        (copy.state != SnapshotState::Error).then_some("has not failed")
    } else if copy.state != SnapshotState::Completed {
        Some("is not complete")
    } else if !copy.marks.is_run_now() && !leaves_one((policy, options), region, copy) {
        Some("is the newest complete copy of its volume and schedule")
    } else if copy.marks.expiration_time.value().is_some_and(|&at| at <= now) {
        None
    } else {
        match reason {
            DeleteReason::Expired { .. } => Some("has not expired"),
            _ if has_equal(region, copy) => None,
            _ => Some("is the only copy for its time"),
        }
    }
}

/// Whether another complete copy of the same volume and scheduled time stays.
fn has_equal(region: &RegionPlan<'_>, copy: &Snapshot) -> bool {
    let of = |copy: &Snapshot| (copy.marks.scheduled_time.value().copied(), copy.marks.is_run_now());
    region.of_same_volume(copy).iter().any(|other| {
        matches!(other.verdict, SnapshotVerdict::Keep(_))
            && other.snapshot.is_restorable()
            && of(other.snapshot) == of(copy)
    })
}

/// Whether for each schedule that a copy is for a complete one of the same volume stays that is as new. A schedule is the same under the
/// names that it had before.
fn leaves_one((policy, options): (&Policy, &Options), region: &RegionPlan<'_>, copy: &Snapshot) -> bool {
    let series = |name: &ScheduleName| owning_schedule(policy, options, name).map_or(name, |owner| &owner.name).clone();
    let all = |of: &Snapshot| ours::names(of).map(series).collect::<BTreeSet<ScheduleName>>();
    let is_left = |name: &ScheduleName| {
        region.of_same_volume(copy).iter().any(|other| {
            matches!(other.verdict, SnapshotVerdict::Keep(_))
                && other.snapshot.state == SnapshotState::Completed
                && all(other.snapshot).contains(name)
                && other.snapshot.marks.scheduled_time.value() >= copy.marks.scheduled_time.value()
        })
    };
    all(copy).iter().all(is_left)
}

/// A copy is begun of what has one, complete or under way, whose tags are believed; or twice.
fn begun_twice(region: &RegionPlan<'_>) -> Vec<Broken> {
    let mut begun = BTreeSet::new();
    let mut broken = Vec::new();
    let is_there = |copy: &&Snapshot| {
        matches!(copy.state, SnapshotState::Completed | SnapshotState::Pending)
            && copy.marks.stamp.value().is_some_and(|stamp| stamp.is_intact)
            && crate::plan::doubt(copy).is_none()
    };
    let copies = region.copies.iter().map(|decision| decision.snapshot).filter(is_there);
    let there: BTreeMap<SnapshotId, SnapshotId> =
        copies.filter_map(|copy| Some((copy.marks.copied_from.value()?.snapshot, copy.id))).collect();
    for wanted in region.wanted.iter().filter(|wanted| matches!(wanted.verdict, CopyVerdict::Begin { .. })) {
        let source = wanted.source;
        let snapshot = there.get(&source.id).copied().or_else(|| (!begun.insert(source.id)).then_some(source.id));
        broken.extend(snapshot.map(|snapshot| Broken::CopiesTwice {
            copied: source.id.to_string(),
            region: region.region.to_string(),
            snapshot: snapshot.to_string(),
        }));
    }
    broken
}
