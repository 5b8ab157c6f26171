//! Properties over generated policies and accounts.

use super::*;
use crate::fixtures::*;
use crate::options::MaximumDeletions;
use crate::options::Orphans;
use crate::policy::{RetainRule, Targets};
use crate::sim::Account;
use crate::tags::{self, Mark, Ownership};
use crate::turn::Progress;
use crate::world::{Coverage, CutShort, InstanceState, Origin, SnapshotState, SourceId, Tier, VolumeState};
use jiff::SignedDuration;
use proptest::prelude::*;

const NOW: &str = "2026-11-22T17:20:00Z";

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let schedule = prop_oneof![
        4 => Just("Default Schedule"),
        2 => Just("Default policy"),
        2 => Just("Hourly"),
        1 => Just("Nightly"),
        1 => Just("Gone"),
    ];
    let state = prop_oneof![
        6 => Just(SnapshotState::Completed),
        1 => Just(SnapshotState::Error),
        1 => Just(SnapshotState::Pending),
        1 => Just(SnapshotState::Unknown("recoverable".to_owned())),
    ];
    // Few enough times that snapshots of one instance and time meet in sets.
    let hours = prop_oneof![2 => -30_i64..400, 3 => (0_i64..4).prop_map(|days| 24 * days)];
    (any::<u32>(), 1_u32..5, schedule, state, hours, prop::option::of(-200_i64..200), 0_u8..20).prop_map(
        |(number, volume, schedule, state, hours_ago, expires_in, oddity)| {
            let time = at("2026-11-22T17:00:00Z") - SignedDuration::from_hours(hours_ago);
            let mut snapshot = snapshot(number, volume, &time.to_string()).of_schedule(schedule).in_state(state);
            if number % 4 != 0 {
                snapshot = snapshot.of_instance(1 + number % 4);
            }
            if let Some(hours) = expires_in {
                snapshot.marks.expiration_time = Mark::Read(at(NOW) + SignedDuration::from_hours(hours));
            }
            match oddity {
                0 => snapshot.description = "by hand".into(),
                1 => snapshot.marks.policy_id = Some("policy-other".into()),
                2 => snapshot.origin = Origin::Copied,
                3 => snapshot.marks.scheduled_time = Mark::Unreadable("?".to_owned()),
                4 => snapshot.marks.schedule_name = Mark::Absent,
                5 => snapshot.marks.expiration_time = Mark::Unreadable("?".to_owned()),
                6 => snapshot.start_time -= SignedDuration::from_hours(1000),
                7 => snapshot = snapshot.held("forever"),
                8 => snapshot.tier = Tier::Archive,
                _ => {}
            }
            snapshot
        },
    )
}

/// Volumes 1 to 4: some targeted, some there without being targeted, some gone. Instances 1 to 4 likewise, each with
/// the volume of its number and volume 4.
fn any_world() -> impl Strategy<Value = World> {
    let numbers = || prop::sample::subsequence(vec![1_u32, 2, 3, 4], 0..=4);
    (prop::collection::vec(any_snapshot(), 0..40), numbers(), numbers(), 0_u8..10, 0_u8..6).prop_map(
        |(mut snapshots, targeted, there, cut, odd)| {
            snapshots.sort_by_key(|snapshot| snapshot.id);
            snapshots.dedup_by(|a, b| a.id == b.id);
            let mut world = world(targeted.iter().copied().map(volume), snapshots);
            world.instances = targeted.iter().map(|&number| instance(number, number, [4])).collect();
            match odd {
                0 => world.instances.iter_mut().take(1).for_each(|i| i.state = InstanceState::Terminated),
                1 => world.volumes.iter_mut().take(1).for_each(|v| v.state = VolumeState::Deleting),
                _ => {}
            }
            for number in there.into_iter().filter(|number| !targeted.contains(number)) {
                world.untargeted.insert(SourceId::Volume(volume_id(number)));
                world.untargeted.insert(SourceId::Instance(instance_id(number)));
            }
            if cut == 0 {
                world.coverage = Coverage::Partial(CutShort::TooManyPages);
            }
            world
        },
    )
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (any::<bool>(), 1_u32..6, 1_u32..6, 0_u8..5).prop_map(|(by_count, first, second, kind)| {
        let rule = |number| if by_count { count(number) } else { days(number) };
        let schedules = vec![daily("Default Schedule", rule(first)), every(1, "Hourly", rule(second))];
        match kind {
            0 => Policy { schedules, ..instance_policy(count(1)) },
            1 => default_policy(1, first + 1),
            2 => {
                let mut policy = default_policy(1, first + 1);
                if let Targets::AllVolumes(targets) = &mut policy.targets {
                    targets.extend_deletion = true;
                }
                if by_count {
                    policy.state = PolicyState::Disabled;
                }
                policy
            }
            _ => policy(schedules),
        }
    })
}

fn any_options() -> impl Strategy<Value = Options> {
    let orphans = prop_oneof![
        2 => Just(Orphans::Keep),
        1 => Just(Orphans::KeepLast),
        1 => (1_u32..20).prop_map(|number| {
            let RetainRule::Age(age) = days(number) else { unreachable!("days are an age") };
            Orphans::Expire(age)
        }),
    ];
    let maximum = prop_oneof![
        4 => Just(MaximumDeletions::Default),
        1 => (0_usize..10).prop_map(MaximumDeletions::Number),
        1 => (0_u8..=100).prop_map(MaximumDeletions::PerCent),
    ];
    (any::<bool>(), any::<bool>(), any::<bool>(), 0_usize..4, orphans, maximum).prop_map(
        |(run_now, renamed, age_without_new_backups, minimum_kept, orphans, maximum_deletions)| {
            let names = if renamed { vec![(name("Hourly"), vec![name("Nightly")])] } else { vec![] };
            Options {
                age_without_new_backups,
                maximum_deletions,
                minimum_kept,
                orphans,
                previous_names: names.into_iter().collect(),
                run_now,
                ..Options::default()
            }
        },
    )
}

fn deleted(plan: &Plan<'_>) -> Vec<SnapshotId> {
    let is_deleted = |d: &&SnapshotDecision<'_>| matches!(d.verdict, SnapshotVerdict::Delete(_));
    plan.snapshots.iter().filter(is_deleted).map(|d| d.snapshot.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 500, ..ProptestConfig::default() })]

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
        shuffled.snapshots.sort_by_key(|snapshot| key(&snapshot.id.to_string()));
        shuffled.volumes.sort_by_key(|volume| key(&volume.id.to_string()));
        let start = start(NOW);
        let one = format!("{:?}", plan(&policy, &options, &start, at(NOW), &world));
        let other = format!("{:?}", plan(&policy, &options, &start, at(NOW), &shuffled));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn the_size_of_the_parts_does_not_matter(
        policy in any_policy(), options in any_options(), world in any_world(), settling in 0_i64..90, size in 1_usize..20,
    ) {
        let options = Options { settling: SignedDuration::from_mins(settling), ..options };
        let start = start(NOW);
        let whole = plan_in_parts(&policy, &options, &start, at(NOW), &world, usize::MAX);
        prop_assert_eq!(plan_in_parts(&policy, &options, &start, at(NOW), &world, size), whole);
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
        let options = Options { maximum_deletions: MaximumDeletions::Number(1_000), ..Options::default() };
        let start = start(NOW);
        let few = deleted(&plan(&large, &options, &start, at(NOW), &world));
        let many = deleted(&plan(&small, &options, &start, at(NOW), &world));
        prop_assert!(few.iter().all(|id| many.contains(id)));
    }

    #[test]
    fn a_longer_age_never_deletes_more(world in any_world(), hours in 1_i64..200) {
        let policy = policy(vec![daily("Default Schedule", days(1)), every(1, "Hourly", days(1))]);
        let options = Options { maximum_deletions: MaximumDeletions::Number(1_000), ..Options::default() };
        let mut longer = world.clone();
        for snapshot in &mut longer.snapshots {
            if let Mark::Read(at) = &mut snapshot.marks.expiration_time {
                *at += SignedDuration::from_hours(hours);
            }
        }
        let start = start(NOW);
        let few = deleted(&plan(&policy, &options, &start, at(NOW), &longer));
        let many = deleted(&plan(&policy, &options, &start, at(NOW), &world));
        prop_assert!(few.iter().all(|id| many.contains(id)));
    }

    #[test]
    fn a_run_deletes_exactly_what_its_first_plan_says(
        policy in any_policy(), options in any_options(), world in any_world(),
    ) {
        let options = Options { settling: SignedDuration::ZERO, ..options };
        let first = start(NOW);
        let mut account = Account::holding(&world);
        let (promised, awaited) = {
            let world = account.observe(at(NOW));
            let plan = plan(&policy, &options, &first, at(NOW), &world);
            let goes = |d: &&SnapshotDecision<'_>| matches!(d.verdict, SnapshotVerdict::Delete(_)) || d.goes_later.is_some();
            // The floor kept a duplicate of one that goes now: it is told to go later, and is no duplicate any more by then.
            let is_floored = |d: &SnapshotDecision<'_>| {
                matches!(d.verdict, SnapshotVerdict::Keep(KeepReason::MinimumKept { otherwise: DeleteReason::Duplicate { .. }, .. }))
            };
            prop_assume!(!plan.snapshots.iter().any(is_floored));
            // Whether a name without a schedule has gone silent is told by its snapshots. When some of them go, what is left may be too few to
            // tell: then one stays that was to go later, and the floor keeps that one in the place of another.
            let is_silent = |reason: &DeleteReason| matches!(reason, DeleteReason::Orphaned { of: OrphanOf::Schedule, .. });
            let goes_now = |d: &SnapshotDecision<'_>| matches!(&d.verdict, SnapshotVerdict::Delete(reason) if is_silent(reason));
            let goes_later = |d: &SnapshotDecision<'_>| d.goes_later.as_ref().is_some_and(is_silent);
            prop_assume!(!(plan.snapshots.iter().any(goes_now) && plan.snapshots.iter().any(goes_later)));
            let mut promised: Vec<_> = plan.snapshots.iter().filter(goes).map(|d| d.snapshot.id).collect();
            promised.sort();
            let waits = |d: &TargetDecision<'_>| match d.verdict {
                TargetVerdict::Wait(snapshot) => Some((d.target.id(), *snapshot.marks.scheduled_time.value()?)),
                _ => None,
            };
            (promised, plan.targets.iter().filter_map(waits).collect::<Vec<_>>())
        };
        let soon = at(NOW) + SignedDuration::from_secs(1);
        account.complete_pending(soon, |snapshot| {
            awaited.iter().any(|(source, time)| {
                ours::source(&policy, snapshot) == Some(*source) && snapshot.marks.scheduled_time.value() == Some(time)
            })
        });
        let progress = account.turn(&policy, &options, Progress::new(&first), at(NOW)).progress;
        let _ = account.turn(&policy, &options, progress, soon);
        let left = account.observe(soon).snapshots;
        let mut gone: Vec<SnapshotId> = world.snapshots.iter().map(|s| s.id).collect();
        gone.retain(|id| !left.iter().any(|snapshot| snapshot.id == *id));
        gone.sort();
        prop_assert_eq!(gone, promised);
    }

    #[test]
    fn planning_again_after_carrying_out_a_plan_gives_nothing_to_do(
        policy in any_policy(), options in any_options(), world in any_world(),
    ) {
        let mut account = Account::holding(&world);
        let first = start(NOW);
        // What is beyond a bound is left to the next run.
        let is_braked = |d: &SnapshotDecision<'_>| matches!(d.verdict, SnapshotVerdict::Keep(KeepReason::Brake { .. }));
        prop_assume!(!plan(&policy, &options, &first, at(NOW), &account.observe(at(NOW))).snapshots.iter().any(is_braked));
        let _ = account.turn(&policy, &options, Progress::new(&first), at(NOW));
        let calls = account.calls;
        let _ = account.turn(&policy, &options, Progress::new(&first), at(NOW));
        prop_assert_eq!(account.calls, calls, "the second plan at the same instant is empty");
    }
}
