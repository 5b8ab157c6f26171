//! What has to be asked before anything of a plan is deleted.

use crate::plan::{Plan, SnapshotVerdict};
use crate::world::Asks;

/// How many looks there are after the first plan: one that tells which sources are gone, and one at the AMIs once something
/// goes because of that.
pub const LOOKS_MAX: usize = 2;

/// What a turn asks: of sources whatever is unproved, and about AMIs only when something goes now.
#[must_use]
pub fn asks_of_turn(plan: &Plan<'_>) -> Asks {
    let goes_now = plan.snapshots.iter().any(|decision| matches!(decision.verdict, SnapshotVerdict::Delete(_)));
    Asks { images: plan.asks.images && goes_now, ..plan.asks.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, count, daily, policy, snapshot, start, volume};
    use crate::options::Options;
    use crate::plan::{self, KeepReason};
    use crate::world::{Closer, SourceId, World};

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
        let asks = asks_of_turn(&plan);
        assert_eq!((asks.sources.len(), asks.images), of_turn);
        assert_eq!((plan.asks.sources.len(), plan.asks.images), of_plan);
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
    fn two_looks_are_enough_for_what_goes_because_its_source_is_gone() {
        let policy = policy(vec![daily("Default Schedule", crate::fixtures::days(1))]);
        let options = Options::default();
        let expired = |number, time| snapshot(number, 1, time).expiring("2026-11-10T17:00:00Z");
        let snapshots = vec![expired(1, "2026-11-08T17:00:00Z"), expired(2, "2026-11-09T17:00:00Z")];
        let mut world = World { snapshots, ..World::default() };
        let mut asked = Vec::new();
        // Bounded: the last look leaves nothing to ask.
        loop {
            let plan = plan::plan(&policy, &options, &start(NOW), at(NOW), &world);
            let asks = asks_of_turn(&plan);
            if asks.is_empty() {
                let goes = |d: &&plan::SnapshotDecision<'_>| matches!(d.verdict, SnapshotVerdict::Delete(_));
                assert_eq!(plan.snapshots.iter().filter(goes).count(), 1, "all but the newest");
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
        assert_eq!(asked, [(1, false), (0, true)]);
        assert_eq!(asked.len(), LOOKS_MAX);
    }
}
