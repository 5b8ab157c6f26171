//! Volumes that go, and names that change: E2 to E6, orphans.

use super::*;
use crate::options::Orphans;
use crate::policy::{Age, AgeUnit};
use std::num::NonZeroU32;

/// Four daily snapshots of volume 1, the newest of 22 November.
fn four() -> Vec<Snapshot> {
    (19..=22).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z"))).collect()
}

/// The same, each stamped to expire after a day.
fn four_by_age() -> Vec<Snapshot> {
    four()
        .into_iter()
        .map(|s| {
            let next = s.start_time + DAY;
            s.expiring(&next.to_string())
        })
        .collect()
}

fn untargeted(mut world: World) -> World {
    world.untargeted.insert(SourceId::Volume(volume_id(1)));
    world
}

const LATER: &str = "2026-12-24T12:00:00Z";

/// When a name that was used every day to the 22nd is nobody's any more.
const SILENT: &str = "2027-01-24T00:00:00Z";

#[test]
fn e2_by_count_nothing_of_a_deleted_volume_goes_any_more() {
    check_fates(&sample(), &world([], four()), LATER, "19 keep, 20 keep, 21 keep, 22 keep");
}

#[test]
fn e3_by_age_all_but_the_newest_of_a_deleted_volume_go() {
    let policy = policy(vec![daily("Default Schedule", days(1))]);
    check_fates(&policy, &world([], four_by_age()), LATER, "19 delete, 20 delete, 21 delete, 22 keep");
}

#[test]
fn e4_nothing_of_a_volume_without_its_target_tag_goes() {
    let by_age = policy(vec![daily("Default Schedule", days(1))]);
    check_fates(&sample(), &untargeted(world([], four())), LATER, "19 keep, 20 keep, 21 keep, 22 keep");
    check_fates(&by_age, &untargeted(world([], four_by_age())), LATER, "19 keep, 20 keep, 21 keep, 22 keep");
}

#[test]
fn e5_a_volume_with_its_tag_back_is_managed_again() {
    let now = "2026-11-22T20:00:00Z";
    check_fates(&sample(), &world([volume(1)], four()), now, "19 delete, 20 keep, 21 keep, 22 keep");
    let by_age = policy(vec![daily("Default Schedule", days(1))]);
    check_fates(&by_age, &world([volume(1)], four_by_age()), now, "19 delete, 20 delete, 21 delete, 22 keep");
}

#[test]
fn e6_a_renamed_schedule_leaves_its_snapshots_unless_its_previous_name_is_given() {
    let renamed = policy(vec![daily("Daily-2", count(3))]);
    let world = world([volume(1)], four());
    check_fates(&renamed, &world, "2026-11-22T20:00:00Z", "19 keep, 20 keep, 21 keep, 22 keep");
    let previous_names = [(name("Daily-2"), vec![name("Default Schedule")])].into();
    let options = Options { previous_names, ..Options::default() };
    let fates = fates(&renamed, &options, "2026-11-22T20:00:00Z", &world);
    assert_eq!(fates, "19 delete, 20 keep, 21 keep, 22 keep");
}

#[test]
fn orphans_go_as_the_option_says_and_are_counted_with_their_size() {
    let renamed = policy(vec![daily("Other", count(3))]);
    let world = world([volume(1)], four());
    let at_time = |now, orphans| fates(&renamed, &Options { orphans, ..Options::default() }, now, &world);
    let with = |orphans| at_time(SILENT, orphans);
    assert_eq!(with(Orphans::Keep), "19 keep, 20 keep, 21 keep, 22 keep");
    assert_eq!(with(Orphans::KeepLast), "19 delete, 20 delete, 21 delete, 22 keep");
    let age = Age { interval: NonZeroU32::new(65).unwrap(), unit: AgeUnit::Days };
    assert_eq!(with(Orphans::Expire(age)), "19 delete, 20 keep, 21 keep, 22 keep");
    // A name that was used two months ago may be that of another policy with the same id.
    assert_eq!(at_time("2027-01-23T16:59:59Z", Orphans::KeepLast), "19 keep, 20 keep, 21 keep, 22 keep");
    assert_eq!(at_time("2027-01-23T17:00:00Z", Orphans::KeepLast), "19 delete, 20 delete, 21 delete, 22 keep");
    let options = Options::default();
    let orphans = plan(&renamed, &options, &start(LATER), at(LATER), &world).orphans;
    assert_eq!((orphans.without_schedule, orphans.of_gone_sources, orphans.full_size_bytes), (4, 0, 4 << 30));
}

#[test]
fn expired_orphans_of_a_volume_that_is_there_leave_the_floor_and_of_one_that_is_gone_nothing() {
    let age = Age { interval: NonZeroU32::new(3).unwrap(), unit: AgeUnit::Days };
    let options = Options { orphans: Orphans::Expire(age), ..Options::default() };
    let renamed = policy(vec![daily("Other", count(3))]);
    let there = fates(&renamed, &options, SILENT, &world([volume(1)], four()));
    assert_eq!(there, "19 delete, 20 delete, 21 delete, 22 keep");
    let gone = fates(&sample(), &options, LATER, &world([], four()));
    assert_eq!(gone, "19 delete, 20 delete, 21 delete, 22 delete");
}

#[test]
fn extended_deletion_takes_the_last_one_of_a_deleted_volume_and_goes_on_while_disabled() {
    let mut default = default_policy(1, 2);
    let Targets::AllVolumes(targets) = &mut default.targets else { panic!("{default:?}") };
    targets.extend_deletion = true;
    default.state = PolicyState::Disabled;
    let snapshots = four_by_age().into_iter().map(|s| s.of_schedule("Default policy"));
    check_fates(&default, &world([], snapshots), LATER, "19 delete, 20 delete, 21 delete, 22 delete");
}

#[test]
fn a_schedule_that_is_added_does_not_touch_what_another_made() {
    let both = policy(vec![daily("Default Schedule", count(3)), every(1, "Hourly", count(1))]);
    check_fates(&both, &world([volume(1)], four()), "2026-11-22T20:00:00Z", "19 delete, 20 keep, 21 keep, 22 keep");
}

#[test]
fn the_last_one_stays_without_a_floor_too() {
    let without_floor = Options { minimum_kept: 0, ..Options::default() };
    let by_age = policy(vec![daily("Default Schedule", days(1))]);
    let gone = fates(&by_age, &without_floor, LATER, &world([], four_by_age()));
    assert_eq!(gone, "19 delete, 20 delete, 21 delete, 22 keep");
    let renamed = policy(vec![daily("Other", count(3))]);
    let keep_last = Options { orphans: Orphans::KeepLast, ..without_floor };
    let orphaned = fates(&renamed, &keep_last, SILENT, &world([volume(1)], four()));
    assert_eq!(orphaned, "19 delete, 20 delete, 21 delete, 22 keep");
}

#[track_caller]
fn check_orphans(policy: &Policy, world: &World, expected: OrphanCount) {
    assert_eq!(plan(policy, &Options::default(), &start(LATER), at(LATER), world).orphans, expected);
}

#[test]
fn orphans_are_counted_by_what_they_lost() {
    let none = OrphanCount::default();
    let of_four = OrphanCount { full_size_bytes: 4 << 30, ..none };
    check_orphans(&sample(), &world([volume(1)], four()), none);
    check_orphans(&sample(), &world([], four()), OrphanCount { of_gone_sources: 4, ..of_four });
    check_orphans(&sample(), &untargeted(world([], four())), OrphanCount { of_untargeted_sources: 4, ..of_four });
    let renamed = policy(vec![daily("Other", count(3))]);
    check_orphans(&renamed, &world([volume(1)], four()), OrphanCount { without_schedule: 4, ..of_four });
    let by_age = policy(vec![daily("Default Schedule", days(1))]);
    check_orphans(&by_age, &world([volume(1)], four_by_age()), none);
    check_orphans(&by_age, &world([volume(1)], four()), OrphanCount { without_expiration: 4, ..of_four });
}

#[test]
fn a_snapshot_of_a_volume_that_is_no_part_of_its_instance_any_more_is_an_orphan() {
    let of = |number, volume| snapshot(number, volume, "2026-11-20T17:00:00Z").of_instance(1);
    let world = World { instances: vec![instance(1, 1, [])], ..world([], [of(1, 1), of(2, 2)]) };
    let one = OrphanCount { of_untargeted_sources: 1, full_size_bytes: 1 << 30, ..OrphanCount::default() };
    check_orphans(&instance_policy(count(3)), &world, one);
}
