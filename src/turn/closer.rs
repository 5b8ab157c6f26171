//! What has to be asked before anything of a plan is deleted.

use crate::plan::{Plan, SnapshotVerdict};
use crate::policy::{Policy, Targets};
use crate::world::{Asks, Snapshot, SourceId, World};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// How many looks there are after the first plan: one that tells which sources are gone, and one at the AMIs once something
/// goes because of that.
pub const LOOKS_MAX: usize = 2;

/// How many of the sources are asked for when a listing shows no target at all: an answer that is empty by mistake lacks all of
/// them, so a few tell, and where all are really gone it costs a few calls.
const PROBES_MAX: usize = 5;

/// What a turn asks: of sources whatever is unproved, and about AMIs only when something goes now.
#[must_use]
pub fn asks_of_turn(policy: &Policy, world: &World, plan: &Plan<'_>) -> Asks {
    let goes_now = plan.snapshots.iter().any(|decision| matches!(decision.verdict, SnapshotVerdict::Delete(_)));
    let mut asks = asks_of_plan(policy, world, plan);
    asks.images &= goes_now;
    asks
}

/// What a plan is to be shown with: also about AMIs that use what goes later.
#[must_use]
pub fn asks_of_plan(policy: &Policy, world: &World, plan: &Plan<'_>) -> Asks {
    let mut asks = plan.asks.clone();
    if !plan.is_disabled && world.volumes.is_empty() && world.instances.is_empty() {
        asks.sources.extend(probes(policy, world, plan));
    }
    asks
}

/// What the newest snapshots of ours were made of, where no listing shows it and EC2 has not said that it is gone.
fn probes(policy: &Policy, world: &World, plan: &Plan<'_>) -> BTreeSet<SourceId> {
    let mut newest: Vec<&Snapshot> = plan.snapshots.iter().map(|decision| decision.snapshot).collect();
    newest.sort_by_key(|snapshot| (Reverse(snapshot.start_time), snapshot.id));
    let mut probes = BTreeSet::new();
    for snapshot in newest {
        let source = match policy.targets {
            Targets::AllVolumes(_) | Targets::Volumes { .. } => Some(SourceId::Volume(snapshot.volume_id)),
            Targets::Instances { .. } => snapshot.marks.instance_id.value().copied().map(SourceId::Instance),
        };
        let is_open = |source: &SourceId| !world.untargeted.contains(source) && !world.closer.gone.contains(source);
        probes.extend(source.filter(is_open));
        if probes.len() == PROBES_MAX {
            break;
        }
    }
    probes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, count, daily, policy, snapshot, start, volume};
    use crate::options::Options;
    use crate::plan::{self, KeepReason};
    use crate::world::Closer;

    const NOW: &str = "2026-11-22T17:00:00Z";

    fn world(volumes: &[u32], snapshots: &[(u32, u32, &str)]) -> World {
        let made = |&(number, of, time): &(u32, u32, &str)| snapshot(number, of, time);
        World {
            volumes: volumes.iter().map(|&number| volume(number)).collect(),
            snapshots: snapshots.iter().map(made).collect(),
            ..World::default()
        }
    }

    /// What a turn, and what `plan` and `explain` ask of EC2 for a policy that keeps one snapshot.
    #[track_caller]
    fn check(world: &World, of_turn: (usize, bool), of_plan: (usize, bool)) {
        let (policy, options) = (policy(vec![daily("Default Schedule", count(1))]), Options::default());
        let plan = plan::plan(&policy, &options, &start(NOW), at(NOW), world);
        let counts = |asks: Asks| (asks.sources.len(), asks.images);
        assert_eq!(counts(asks_of_turn(&policy, world, &plan)), of_turn);
        assert_eq!(counts(asks_of_plan(&policy, world, &plan)), of_plan);
    }

    #[test]
    fn a_turn_asks_about_amis_only_when_something_goes_now() {
        let one = world(&[1], &[(1, 1, "2026-11-21T17:00:00Z")]);
        // The new snapshot will push the old one out.
        check(&one, (0, false), (0, true));
        let two = world(&[1], &[(1, 1, "2026-11-21T17:00:00Z"), (2, 1, "2026-11-20T17:00:00Z")]);
        check(&two, (0, true), (0, true));
        check(&World { closer: Closer { images_asked: true, ..Closer::default() }, ..two }, (0, false), (0, false));
    }

    #[test]
    fn when_no_target_is_listed_a_few_of_the_newest_sources_are_asked_for() {
        let day = |number: u32| (number, number, "2026-11-21T17:00:00Z");
        let nothing = world(&[], &[day(1), day(2)]);
        check(&nothing, (2, false), (2, false));
        check(&world(&[3], &[day(1), day(2)]), (0, false), (0, false));
        let many: Vec<_> = (1..=20).map(day).collect();
        check(&world(&[], &many), (PROBES_MAX, false), (PROBES_MAX, false));
        let known: BTreeSet<SourceId> = [1, 2].map(|number| SourceId::Volume(volume(number).id)).into();
        check(&World { untargeted: known.clone(), ..nothing.clone() }, (0, false), (0, false));
        let closer = Closer { gone: known, ..Closer::default() };
        check(&World { closer, ..nothing }, (0, false), (0, false));
    }

    #[test]
    fn two_looks_are_enough_for_what_goes_because_its_source_is_gone() {
        let policy = policy(vec![daily("Default Schedule", crate::fixtures::days(1))]);
        let expired = |number, time| snapshot(number, 1, time).expiring("2026-11-10T17:00:00Z");
        let snapshots = vec![expired(1, "2026-11-08T17:00:00Z"), expired(2, "2026-11-09T17:00:00Z")];
        let world = World { snapshots, ..World::default() };
        check_looks(&policy, &Options::default(), world, [(1, false), (0, true)], 1);
    }

    #[test]
    fn two_looks_are_enough_for_the_last_one_of_a_volume_that_is_gone_with_its_instance() {
        let policy = crate::fixtures::instance_policy(count(3));
        let crate::policy::RetainRule::Age(age) = crate::fixtures::days(1) else { panic!("days are an age") };
        let options = Options { orphans: crate::options::Orphans::Expire(age), ..Options::default() };
        // One alone: nothing of the instance goes but what the floor of its volume asks about.
        let snapshots = vec![snapshot(1, 1, "2026-11-08T17:00:00Z").of_instance(1)];
        let instances = vec![crate::fixtures::instance(2, 2, [])];
        let world = World { snapshots, instances, ..World::default() };
        check_looks(&policy, &options, world, [(2, false), (0, true)], 1);
    }

    /// What is asked look after look where all that is asked for is gone, and how many go then.
    #[track_caller]
    fn check_looks(
        policy: &Policy,
        options: &Options,
        mut world: World,
        expected: [(usize, bool); LOOKS_MAX],
        goes_then: usize,
    ) {
        let mut asked = Vec::new();
        // Bounded: the last look leaves nothing to ask.
        loop {
            let plan = plan::plan(policy, options, &start(NOW), at(NOW), &world);
            let asks = asks_of_turn(policy, &world, &plan);
            if asks.is_empty() {
                let goes = |d: &&plan::SnapshotDecision<'_>| matches!(d.verdict, SnapshotVerdict::Delete(_));
                assert_eq!(plan.snapshots.iter().filter(goes).count(), goes_then);
                break;
            }
            let is_unproved = |d: &plan::SnapshotDecision<'_>| {
                matches!(d.verdict, SnapshotVerdict::Keep(KeepReason::AbsenceUnproved { .. }))
            };
            assert_eq!(plan.snapshots.iter().any(is_unproved), !asks.sources.is_empty());
            world.closer.gone.extend(asks.sources.iter().copied());
            world.closer.images_asked |= asks.images;
            asked.push((asks.sources.into_iter().collect::<Vec<SourceId>>().len(), asks.images));
        }
        assert_eq!(asked, expected);
    }
}
