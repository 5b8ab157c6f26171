use super::*;
use crate::fixtures::*;
use crate::options::Options;
use crate::plan::plan;
use crate::world::{Coverage, CutShort};
use std::collections::BTreeSet;

const START: &str = "2026-11-22T17:00:00Z";
const OLDEST: &str = "2026-11-15T17:00:00Z";

fn after(shown: u64) -> Progress {
    Progress { shown, ..Progress::new(&start(START)) }
}

fn scope(shown: u64, volumes: u64) -> Scope {
    Scope { due: BTreeSet::from([at(START)]), older: BTreeSet::from([at(OLDEST)]), shown, volumes, ..Scope::default() }
}

fn with_scope(shown: u64, scope: Scope) -> Progress {
    Progress { scope: Some(scope), ..after(shown) }
}

fn is_in_parts(sweep: &Sweep) -> (bool, bool, bool) {
    (sweep.scheduled_times.is_some(), sweep.volumes_in_parts, sweep.snapshots_in_parts)
}

#[test]
fn ten_pages_are_listed_in_parts_and_the_whole_is_the_last_way() {
    let ways = |progress: &Progress| {
        sweeps(&sample(), &Options::default(), progress).iter().map(is_in_parts).collect::<Vec<_>>()
    };
    let (whole, parts) = ((false, false, false), (false, false, true));
    assert_eq!([after(0), after(9_999)].map(|progress| ways(&progress)), [vec![whole], vec![whole]]);
    assert_eq!(ways(&after(10_000)), [parts, whole]);
    assert_eq!(ways(&with_scope(8_000, scope(2_000, 1_000))), [(true, false, false), whole]);
    assert_eq!(ways(&with_scope(80_000, scope(20_000, 9_999))), [(true, false, true), parts, whole]);
    assert_eq!(ways(&with_scope(80_000, scope(20_000, 10_000))), [(true, true, true), parts, whole]);
    let times = sweeps(&sample(), &Options::default(), &with_scope(8_000, scope(0, 0))).remove(0).scheduled_times;
    assert_eq!(times, Some(BTreeSet::from([at(OLDEST), at(START)])));
}

#[test]
fn a_scope_that_hides_what_is_due_is_passed_over() {
    let looks_narrowly = |due: &[&str]| {
        let due = due.iter().map(|time| at(time)).collect();
        let progress = with_scope(8_000, Scope { due, ..scope(0, 0) });
        sweeps(&sample(), &Options::default(), &progress).len() == 2
    };
    assert!(looks_narrowly(&[START]) && looks_narrowly(&[START, OLDEST]));
    assert!(!looks_narrowly(&[]) && !looks_narrowly(&[OLDEST]));
}

#[test]
fn a_turn_works_for_a_hundred_seconds_where_it_has_them() {
    let until = |text: &str| works_until(at("2026-11-22T17:00:00Z"), at(text)).to_string();
    assert_eq!(until("2026-11-22T17:01:39Z"), "2026-11-22T17:01:39Z");
    assert_eq!(until("2026-11-22T17:05:00Z"), "2026-11-22T17:01:40Z");
    assert_eq!(works_until(Timestamp::MAX, Timestamp::MAX), Timestamp::MAX);
}

#[test]
fn a_view_that_shows_less_than_there_was_is_not_believed() {
    let seen = |count| world([], (0..count).map(|number| snapshot(number, 1, "2026-11-20T17:00:00Z")));
    let parts = Sweep { snapshots_in_parts: true, ..Sweep::default() };
    let check = |shown, count| is_enough(&sample(), &after(shown), &parts, &seen(count));
    assert_eq!((check(0, 0), check(99, 98), check(99, 99), check(99, 300)), (true, false, true, true));
    assert!(is_enough(&sample(), &after(99), &Sweep::default(), &seen(0)), "there is no other way");
    let some = Sweep { scheduled_times: Some(BTreeSet::new()), ..Sweep::default() };
    let of_scope = |count| world([], (0..count).map(|number| snapshot(number, 1, OLDEST)));
    let check = |shown, count| is_enough(&sample(), &with_scope(500, scope(shown, 0)), &some, &of_scope(count));
    assert!(
        !is_enough(&sample(), &with_scope(500, scope(1, 0)), &some, &seen(9)),
        "others make up for none that is missing"
    );
    let mut copied = of_scope(2);
    copied.snapshots[0].origin = crate::world::Origin::Copied;
    assert!(!is_enough(&sample(), &with_scope(500, scope(2, 0)), &some, &copied), "a copy is none of ours");
    assert_eq!((check(99, 98), check(99, 99)), (false, true));
    let volumes = |count| world((1..=count).map(volume), []);
    let check = |before, count| is_enough(&sample(), &with_scope(500, scope(0, before)), &some, &volumes(count));
    assert_eq!((check(20, 17), check(20, 18), check(20, 25)), (false, true, true));
    assert!(!is_enough(&sample(), &after(0), &some, &volumes(1)));
}

#[test]
fn after_an_observation_that_was_cut_short_the_whole_is_looked_at_again() {
    let (policy, options, start) = (sample(), Options::default(), start(START));
    let snapshots = || (1..=3).map(|number| snapshot(number, 1, "2026-11-20T17:00:00Z"));
    let shown_of = |coverage| {
        let world = World { coverage, ..world([volume(1)], snapshots()) };
        shown(&plan(&policy, &options, &start, start.begun, &world), 7, 1)
    };
    let cut_short = Coverage::Partial(CutShort::Unreadable);
    assert_eq!((shown_of(Coverage::Complete), shown_of(cut_short)), (2, 0));
}

#[test]
fn an_excerpt_tells_only_what_it_deleted_of_all_there_is() {
    let (policy, options, start) = (sample(), Options::default(), start(START));
    let world = World { excerpt: Some(Excerpt::default()), ..world([volume(1)], [snapshot(1, 1, OLDEST)]) };
    assert_eq!(shown(&plan(&policy, &options, &start, start.begun, &world), 7, 2), 5);
}

/// Volumes with the older snapshot and the new one, as `changed` says.
#[track_caller]
fn check_ready(changed: impl FnOnce(&mut World), expected: &[VolumeId]) {
    let mut world = world([volume(1)], [snapshot(1, 1, OLDEST), snapshot(2, 1, START)]);
    changed(&mut world);
    let progress = with_scope(5_000, scope(0, 0));
    let sweep = sweeps(&sample(), &Options::default(), &progress).remove(0);
    let excerpt = excerpt(&progress, &sweep, &world).unwrap();
    assert_eq!((excerpt.in_full.into_iter().collect::<Vec<_>>().as_slice(), excerpt.left_out), (expected, 0));
}

#[test]
fn a_volume_is_looked_at_in_full_when_it_has_its_new_snapshot_and_an_older_one_that_goes() {
    check_ready(|_| {}, &[volume(1).id]);
    check_ready(|world| world.snapshots.truncate(1), &[]);
    check_ready(|world| drop(world.snapshots.remove(0)), &[]);
    check_ready(|world| world.snapshots[1].state = SnapshotState::Pending, &[]);
    check_ready(|world| world.snapshots[1].state = SnapshotState::Error, &[]);
    check_ready(|world| world.volumes.clear(), &[]);
    check_ready(|world| world.snapshots[0] = snapshot(1, 1, "2026-11-16T17:00:00Z"), &[]);
}

#[test]
fn beside_a_second_snapshot_under_way_the_whole_history_decides() {
    let mut second = snapshot(3, 1, START);
    second.state = SnapshotState::Pending;
    check_ready(|world| world.snapshots.push(second), &[volume(1).id]);
}

#[test]
fn a_duplicate_of_what_is_due_is_looked_at_when_it_was_to_go_later() {
    let world = world([volume(1), volume(2)], [snapshot(1, 1, START), snapshot(2, 1, START)]);
    let scope = Scope { due: [at(START)].into(), older: [at(START)].into(), ..Scope::default() };
    let progress = with_scope(5_000, scope);
    let sweep = sweeps(&sample(), &Options::default(), &progress).remove(0);
    assert_eq!(excerpt(&progress, &sweep, &world).unwrap().in_full, [volume(1).id].into());
}

#[test]
fn what_does_not_fit_into_one_turn_has_its_turn_later() {
    let count = 1_000_u32;
    let snapshots = (1..=count).flat_map(|n| [snapshot(n, n, OLDEST), snapshot(count + n, n, START)]);
    let world = world((1..=count).map(volume), snapshots);
    let mut seen = BTreeSet::new();
    for turns in 0..2 {
        let progress = Progress { turns, ..with_scope(8_000, scope(0, 0)) };
        let sweep = sweeps(&sample(), &Options::default(), &progress).remove(0);
        let excerpt = excerpt(&progress, &sweep, &world).unwrap();
        assert_eq!((excerpt.in_full.len(), excerpt.left_out), (600, 400));
        seen.extend(excerpt.in_full);
    }
    assert_eq!(seen.len(), 1_000);
}
