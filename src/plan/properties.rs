//! Properties over generated policies and accounts.

use super::*;
use crate::fixtures::*;
use crate::sim::Account;
use crate::tags::{Mark, Ownership};
use crate::turn::Progress;
use crate::world::{CutShort, Origin, SnapshotState};
use jiff::SignedDuration;
use proptest::prelude::*;

const NOW: &str = "2026-11-22T17:20:00Z";

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let schedule =
        prop_oneof![4 => Just("Default Schedule"), 2 => Just("Hourly"), 1 => Just("Nightly"), 1 => Just("Gone")];
    let state = prop_oneof![
        6 => Just(SnapshotState::Completed),
        1 => Just(SnapshotState::Error),
        1 => Just(SnapshotState::Pending { progress_percent: 50 }),
        1 => Just(SnapshotState::Unknown("recoverable".to_owned())),
    ];
    let hours = -30_i64..400;
    (any::<u32>(), 1_u32..5, schedule, state, hours, prop::option::of(-200_i64..200), 0_u8..20).prop_map(
        |(number, volume, schedule, state, hours_ago, expires_in, oddity)| {
            let time = at("2026-11-22T17:00:00Z") - SignedDuration::from_hours(hours_ago);
            let mut snapshot = snapshot(number, volume, &time.to_string()).of_schedule(schedule).in_state(state);
            if let Some(hours) = expires_in {
                snapshot.marks.expiration_time = Mark::Read(at(NOW) + SignedDuration::from_hours(hours));
            }
            match oddity {
                0 => snapshot.description = "by hand".into(),
                1 => snapshot.marks.policy_id = Some("policy-other".to_owned()),
                2 => snapshot.origin = Origin::Copied,
                3 => snapshot.marks.scheduled_time = Mark::Unreadable("?".to_owned()),
                4 => snapshot.marks.schedule_name = Mark::Absent,
                5 => snapshot.marks.expiration_time = Mark::Unreadable("?".to_owned()),
                6 => snapshot.start_time -= SignedDuration::from_hours(1000),
                _ => {}
            }
            snapshot
        },
    )
}

fn any_world() -> impl Strategy<Value = World> {
    (prop::collection::vec(any_snapshot(), 0..40), prop::sample::subsequence(vec![1, 2, 3, 4], 0..=4), 0_u8..10)
        .prop_map(|(mut snapshots, volumes, cut)| {
            snapshots.sort_by(|a, b| a.id.cmp(&b.id));
            snapshots.dedup_by(|a, b| a.id == b.id);
            let mut world = world(volumes.into_iter().map(volume), snapshots);
            if cut == 0 {
                world.coverage = Coverage::Partial(CutShort::TooManyPages);
            }
            world
        })
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (any::<bool>(), 1_u32..6, 1_u32..6).prop_map(|(by_count, first, second)| {
        let rule = |number| if by_count { count(number) } else { days(number) };
        policy(vec![daily("Default Schedule", rule(first)), every(1, "Hourly", rule(second))])
    })
}

fn any_options() -> impl Strategy<Value = Options> {
    (any::<bool>(), any::<bool>()).prop_map(|(run_now, renamed)| {
        let names = if renamed { vec![(name("Hourly"), vec![name("Nightly")])] } else { vec![] };
        Options { run_now, previous_names: names.into_iter().collect(), ..Options::default() }
    })
}

fn deleted(plan: &Plan<'_>) -> Vec<SnapshotId> {
    let is_deleted = |d: &&SnapshotDecision<'_>| matches!(d.verdict, SnapshotVerdict::Delete(_));
    plan.snapshots.iter().filter(is_deleted).map(|d| d.snapshot.id.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_plan_keeps_every_promise(policy in any_policy(), options in any_options(), world in any_world()) {
        let plan = plan(&policy, &options, &start(NOW), at(NOW), &world);
        prop_assert_eq!(check::check(&policy, &options, at(NOW), &world, &plan), vec![]);
    }

    #[test]
    fn the_order_of_the_observation_does_not_matter(
        policy in any_policy(), options in any_options(), world in any_world(), seed in any::<u64>(),
    ) {
        let mut shuffled = world.clone();
        let key = |text: &str| text.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        shuffled.snapshots.sort_by_key(|snapshot| key(snapshot.id.as_str()));
        shuffled.volumes.sort_by_key(|volume| key(volume.id.as_str()));
        let start = start(NOW);
        let one = format!("{:?}", plan(&policy, &options, &start, at(NOW), &world));
        let other = format!("{:?}", plan(&policy, &options, &start, at(NOW), &shuffled));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn nothing_is_deleted_that_opendlm_did_not_make(policy in any_policy(), options in any_options(), world in any_world()) {
        let plan = plan(&policy, &options, &start(NOW), at(NOW), &world);
        for id in deleted(&plan) {
            let snapshot = world.snapshots.iter().find(|snapshot| snapshot.id == id);
            prop_assert!(snapshot.is_some_and(|s| tags::ownership(&policy.id, s) == Ownership::Ours));
        }
    }

    #[test]
    fn a_larger_count_never_deletes_more(world in any_world(), small in 1_u32..6, more in 1_u32..5) {
        let of = |number| policy(vec![daily("Default Schedule", count(number))]);
        let (small, large) = (of(small), of(small + more));
        let options = Options::default();
        let start = start(NOW);
        let few = deleted(&plan(&large, &options, &start, at(NOW), &world));
        let many = deleted(&plan(&small, &options, &start, at(NOW), &world));
        prop_assert!(few.iter().all(|id| many.contains(id)));
    }

    #[test]
    fn planning_again_after_carrying_out_a_plan_gives_nothing_to_do(
        policy in any_policy(), options in any_options(), world in any_world(),
    ) {
        let mut account = Account::holding(&world);
        let first = start(NOW);
        let _ = account.turn(&policy, &options, Progress::new(&first), at(NOW));
        let calls = account.calls;
        let _ = account.turn(&policy, &options, Progress::new(&first), at(NOW));
        prop_assert_eq!(account.calls, calls, "the second plan at the same instant is empty");
    }
}
