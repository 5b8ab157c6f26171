//! Two snapshots for one scheduled time: of two turns at once, or of one that crashed and its successor.

use super::*;
use crate::options::Orphans;
use crate::world::{Instance, Tier};

const TIME: &str = "2026-11-22T17:00:00Z";
const LATER: &str = "2026-11-22T20:00:00Z";

/// A snapshot that was begun so many seconds after its scheduled time.
fn begun(number: u32, volume: u32, seconds: i64) -> Snapshot {
    Snapshot { start_time: at(TIME) + SignedDuration::from_secs(seconds), ..snapshot(number, volume, TIME) }
}

fn of_instances(instances: impl IntoIterator<Item = Instance>, snapshots: impl IntoIterator<Item = Snapshot>) -> World {
    World { instances: instances.into_iter().collect(), ..world([], snapshots) }
}

#[track_caller]
fn check_volume(snapshots: impl IntoIterator<Item = Snapshot>, expected: &str) {
    // With one of the day before, so that it is not the floor of one that keeps the last.
    let older = snapshot(9, 1, "2026-11-21T17:00:00Z");
    let world = world([volume(1)], snapshots.into_iter().chain([older]));
    check_fates(&sample(), &world, LATER, &format!("{expected}, 9 keep"));
}

#[test]
fn of_two_that_stay_as_long_the_earliest_complete_one_stays() {
    check_volume([begun(3, 1, 0), begun(2, 1, 20), begun(1, 1, 40)], "1 delete, 2 delete, 3 keep");
    check_volume([begun(1, 1, 0), begun(2, 1, 0)], "1 keep, 2 delete");
}

#[test]
fn one_that_is_promised_copies_goes_only_beside_one_that_is_promised_them_too() {
    let promised = |mut snapshot: Snapshot, rules: &[&str]| {
        let rules = rules.iter().map(|text| crate::policy::CopyRule::parse(text).unwrap()).collect();
        snapshot.marks.copies = crate::tags::Mark::Read(rules);
        snapshot
    };
    let (first, second) = (|| begun(1, 1, 0), || begun(2, 1, 20));
    let london = "eu-west-2:5d:-";
    check_volume([first(), promised(second(), &[london])], "1 keep, 2 keep");
    check_volume([promised(first(), &[london]), second()], "1 keep, 2 delete");
    check_volume([promised(first(), &[london]), promised(second(), &["eu-west-2:30d:-"])], "1 keep, 2 keep");
    check_volume([promised(first(), &["eu-west-2:30d:-"]), promised(second(), &[london])], "1 keep, 2 delete");
    check_volume([promised(first(), &[london]), promised(second(), &[london])], "1 keep, 2 delete");
    check_volume([promised(first(), &[london]), promised(second(), &["eu-central-1:5d:-"])], "1 keep, 2 keep");
}

#[test]
fn an_earlier_one_that_is_not_complete_or_not_ours_makes_no_duplicate() {
    let second = || begun(2, 1, 20);
    check_volume([begun(1, 1, 0).pending(), second()], "1 wait, 2 keep");
    check_volume([begun(1, 1, 0).in_state(SnapshotState::Error), second()], "1 keep, 2 keep");
    check_volume(
        [begun(1, 1, 0).in_state(SnapshotState::Unknown("recoverable".to_owned())), second()],
        "1 keep, 2 keep",
    );
    check_volume([Snapshot { tier: Tier::Archive, ..begun(1, 1, 0) }, second()], "1 keep, 2 keep");
    check_volume([begun(1, 2, 0), second()], "1 keep, 2 keep");
    check_volume([begun(1, 1, 0).of_schedule("Other"), second()], "1 keep, 2 keep");
    check_volume([Snapshot { description: "by hand".into(), ..begun(1, 1, 0) }, second()], "2 keep");
}

#[test]
fn a_tag_that_was_changed_makes_no_duplicate() {
    // It began two hours before the time that its tag says.
    check_volume([begun(1, 1, -7_200), begun(2, 1, 0)], "1 keep, 2 keep");
}

#[test]
fn a_hold_keeps_a_duplicate_and_is_no_reason_to_keep_the_others() {
    check_volume([begun(1, 1, 0), begun(2, 1, 20).held("legal")], "1 keep, 2 keep");
    check_volume([begun(1, 1, 0).held("legal"), begun(2, 1, 20)], "1 keep, 2 delete");
}

#[test]
fn a_duplicate_goes_although_its_expiry_has_not_come() {
    let policy = policy(vec![daily("Default Schedule", days(7))]);
    let dated = |number, seconds| begun(number, 1, seconds).expiring("2026-11-29T17:00:00Z");
    check_fates(&policy, &world([volume(1)], [dated(1, 0), dated(2, 20)]), LATER, "1 keep, 2 delete");
}

#[test]
fn what_is_not_managed_any_more_is_left_as_it_is() {
    let both = || [begun(1, 1, 0), begun(2, 1, 20)];
    let untargeted = World { untargeted: [SourceId::Volume(volume_id(1))].into(), ..world([], both()) };
    check_fates(&sample(), &untargeted, LATER, "1 keep, 2 keep");
    check_fates(&sample(), &world([], both()), LATER, "1 keep, 2 keep");
    let renamed = policy(vec![daily("New name", count(3))]);
    check_fates(&renamed, &world([volume(1)], both()), LATER, "1 keep, 2 keep");
    let options = Options { orphans: Orphans::KeepLast, ..Options::default() };
    assert_eq!(fates(&sample(), &options, LATER, &world([], both())), "1 keep, 2 delete");
}

#[test]
fn while_the_lists_may_lag_no_duplicate_goes() {
    let both = world([volume(1)], [begun(1, 1, 0), begun(2, 1, 20)]);
    check_fates(&sample(), &both, "2026-11-22T17:02:19Z", "1 keep, 2 delete later");
    check_fates(&sample(), &both, "2026-11-22T17:02:20Z", "1 keep, 2 delete");
}

#[test]
fn of_two_sets_the_earliest_whole_one_stays_as_a_whole() {
    let policy = instance_policy(count(3));
    let member = |number, volume, seconds| begun(number, volume, seconds).of_instance(1);
    let one = || [member(1, 10, 0), member(2, 11, 0)];
    let two = || [member(3, 10, 20), member(4, 11, 20)];
    let of = |snapshots: Vec<Snapshot>| of_instances([instance(1, 10, [11])], snapshots);
    let both = of([one(), two()].concat());
    check_fates(&policy, &both, LATER, "1 keep, 2 keep, 3 delete, 4 delete");
    let [first, second] = one();
    let broken = of([vec![first, second.in_state(SnapshotState::Error)], two().to_vec()].concat());
    check_fates(&policy, &broken, LATER, "1 keep, 2 keep, 3 keep, 4 keep");
    // A volume that was attached between the two calls is in the second set alone.
    let wider = of([one().to_vec(), two().to_vec(), vec![member(5, 12, 20)]].concat());
    check_fates(&policy, &wider, LATER, "1 keep, 2 keep, 3 keep, 4 keep, 5 keep");
}

#[test]
fn a_set_counts_only_when_its_last_member_must_be_listed() {
    let policy = instance_policy(count(1));
    let old = ["2026-11-21T17:00:00Z"].map(|time| snapshot(1, 10, time).of_instance(1));
    let new = begun(3, 10, 0).of_instance(1);
    let world = of_instances([instance(1, 10, [11])], old.into_iter().chain([new]));
    check_fates(&policy, &world, "2026-11-22T17:01:59Z", "1 delete later, 3 keep");
    check_fates(&policy, &world, "2026-11-22T17:02:00Z", "1 delete, 3 keep");
}

/// Two snapshots of one scheduled time, the second begun later, by every order of them in the list and by schedules of both kinds.
#[track_caller]
fn check_pair(one: &Snapshot, two: &Snapshot, expected: &str) {
    for rule in [count(3), days(1)] {
        for pair in [[one, two], [two, one]] {
            let there = world([volume(1)], pair.map(Clone::clone));
            let policy = policy(vec![daily("Default Schedule", rule), daily("Weekly", rule)]);
            check_fates(&policy, &there, LATER, expected);
        }
    }
}

#[test]
fn of_two_the_one_stays_that_expires_last_whichever_began_first() {
    let (day, year) = ("2026-11-23T17:00:00Z", "2027-11-22T17:00:00Z");
    let until = |number, seconds, until| begun(number, 1, seconds).stamped(&[0]).expiring(until);
    check_pair(&until(1, 0, day), &until(2, 20, year), "1 delete, 2 keep");
    check_pair(&until(1, 0, year), &until(2, 20, day), "1 keep, 2 delete");
    check_pair(&until(1, 0, year), &until(2, 20, year), "1 keep, 2 delete");
    // The one that would stay longer is not complete.
    check_pair(&until(1, 0, day), &until(2, 20, year).in_state(SnapshotState::Error), "1 keep, 2 keep");
    check_pair(&until(1, 0, day), &until(2, 20, year).pending(), "1 keep, 2 wait");
}

#[test]
fn of_two_that_stay_as_long_the_one_of_the_newest_version_stays() {
    let of = |number, seconds, counts: &[u32], day| {
        let revision = at(&format!("2026-11-0{day}T00:00:00Z"));
        begun(number, 1, seconds).stamped(counts).with_stamp(|stamp| stamp.revision = Some(revision))
    };
    let fates = |one: Snapshot, two: Snapshot| {
        let options = Options { revision: Some(at("2026-11-03T00:00:00Z")), ..Options::default() };
        fates(&sample(), &options, LATER, &world([volume(1)], [one, two]))
    };
    assert_eq!(fates(of(1, 0, &[3], 1), of(2, 20, &[3], 2)), "1 delete, 2 keep");
    assert_eq!(fates(of(1, 0, &[3], 2), of(2, 20, &[3], 1)), "1 keep, 2 delete");
    assert_eq!(fates(of(1, 0, &[3], 1), of(2, 20, &[3], 1)), "1 keep, 2 delete");
    // A higher count of then is what a lower one has to ask about.
    assert_eq!(fates(of(1, 0, &[7], 1), of(2, 20, &[3], 2)), "1 keep, 2 delete");
}

#[test]
fn of_two_that_were_promised_different_things_both_stay() {
    let (by_count, shared) = (|number, seconds| begun(number, 1, seconds).stamped(&[3]), "Weekly");
    let by_age = |number, seconds| begun(number, 1, seconds).stamped(&[0]).expiring("2026-12-22T17:00:00Z");
    check_pair(&by_count(1, 0), &by_age(2, 20), "1 keep, 2 keep");
    check_pair(&by_age(1, 0), &by_count(2, 20), "1 keep, 2 keep");
    // The one that another schedule shares holds all that the other one does.
    let of_both = |number, seconds| begun(number, 1, seconds).also_of(&[shared]).stamped(&[3, 5]);
    check_pair(&by_count(1, 0), &of_both(2, 20), "1 delete, 2 keep");
    check_pair(&of_both(1, 0), &by_count(2, 20), "1 keep, 2 delete");
    let with_age = |number, seconds| {
        begun(number, 1, seconds).also_of(&[shared]).stamped(&[3, 0]).expiring("2026-12-22T17:00:00Z")
    };
    check_pair(&by_count(1, 0), &with_age(2, 20), "1 delete, 2 keep");
    check_pair(&by_age(1, 0), &of_both(2, 20), "1 keep, 2 keep");
}

#[test]
fn of_two_sets_the_one_that_expires_last_stays_as_a_whole() {
    let policy = instance_policy(days(1));
    let set = |first: u32, seconds, until: &str| {
        let member = move |number, volume| begun(number, volume, seconds).of_instance(1).stamped(&[0]);
        let planned = |member: Snapshot| member.with_stamp(|stamp| stamp.members = Some(2));
        [member(first, 10), member(first + 1, 11)].map(|member| planned(member).expiring(until))
    };
    let (day, year) = ("2026-11-23T17:00:00Z", "2027-11-22T17:00:00Z");
    let of = |one: [Snapshot; 2], two: [Snapshot; 2]| of_instances([instance(1, 10, [11])], one.into_iter().chain(two));
    check_fates(&policy, &of(set(1, 0, day), set(3, 20, year)), LATER, "1 delete, 2 delete, 3 keep, 4 keep");
    check_fates(&policy, &of(set(1, 0, year), set(3, 20, day)), LATER, "1 keep, 2 keep, 3 delete, 4 delete");
    let [whole, mut failed] = set(3, 20, year);
    failed.state = SnapshotState::Error;
    check_fates(&policy, &of(set(1, 0, day), [whole, failed]), LATER, "1 keep, 2 keep, 3 keep, 4 keep");
}
