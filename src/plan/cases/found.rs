//! What simulated years found, each reduced to its smallest account: the promise that was broken, and that it is kept.

use super::*;
use crate::options::Orphans;
use crate::policy::RetainRule;
use crate::world::Tier;

const OWN: &str = "2026-11-22T17:00:00Z";
const LATER: &str = "2026-12-24T12:00:00Z";

fn keep_last() -> Options {
    Options { orphans: Orphans::KeepLast, ..Options::default() }
}

#[test]
fn r1b_a_run_whose_clock_is_ahead_takes_its_own_snapshot_for_no_evidence() {
    let (own, newer) = ("2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z");
    let revised = |number, time: &str, revision: &str| {
        snapshot(number, 1, time).stamped(&[1]).with_stamp(|stamp| stamp.revision = Some(at(revision)))
    };
    // EC2 began the run's own snapshot twenty seconds before the run did, by the function's clock.
    let made = revised(3, OWN, own);
    let there =
        world([volume(1)], [snapshot(1, 1, "2026-11-20T17:00:00Z"), revised(2, "2026-11-21T17:00:00Z", newer), made]);
    let (policy, options) =
        (policy(vec![daily("Default Schedule", count(1))]), Options { revision: Some(at(own)), ..Options::default() });
    let ahead = Start { begun: at("2026-11-22T17:00:20Z"), ..start(OWN) };
    let plan = plan(&policy, &options, &ahead, at("2026-11-22T17:05:00Z"), &there);
    assert!(plan.stands_back.is_some_and(StandsBack::is_failure), "{:?}", plan.stands_back);
}

#[test]
fn r3_of_a_gone_volume_what_a_schedule_by_count_shares_stays_although_it_has_expired() {
    let two = policy(vec![daily("By age", days(1)), daily("By count", count(2))]);
    let shared = |number, time: &str, until: &str| {
        snapshot(number, 1, time).of_schedule("By age").also_of(&["By count"]).expiring(until)
    };
    let snapshots = [
        shared(1, "2026-11-20T17:00:00Z", "2026-11-21T17:00:00Z"),
        shared(2, "2026-11-21T17:00:00Z", "2026-11-22T17:00:00Z"),
    ];
    check_fates(&two, &world([], snapshots), LATER, "1 keep, 2 keep");
}

#[test]
fn r3_of_a_gone_volume_what_a_removed_schedule_had_a_part_in_goes_by_the_option_for_orphans() {
    let by_age = policy(vec![daily("By age", days(1))]);
    let shared = |number, day: u32| {
        let (time, until) = (format!("2026-11-{day}T17:00:00Z"), format!("2026-11-{}T17:00:00Z", day + 1));
        snapshot(number, 1, &time).of_schedule("By age").also_of(&["Removed"]).expiring(&until)
    };
    let there = world([], [shared(1, 20), shared(2, 21), shared(3, 22)]);
    check_fates(&by_age, &there, LATER, "1 keep, 2 keep, 3 keep");
    // The name may be another policy's until it has been silent.
    assert_eq!(fates(&by_age, &keep_last(), "2026-11-24T12:00:00Z", &there), "1 keep, 2 keep, 3 keep");
    assert_eq!(fates(&by_age, &keep_last(), LATER, &there), "1 delete, 2 delete, 3 keep");
}

#[test]
fn r3_the_last_one_of_each_schedule_of_a_gone_volume_stays_whoever_it_is_called_after() {
    let two = policy(vec![every(12, "Twice a day", days(1)), daily("Daily", days(1))]);
    let of = |number, time: &str| snapshot(number, 1, time).of_schedule("Twice a day").expiring("2026-11-23T17:00:00Z");
    // The one of 17:00 is the last of Daily, and not of the schedule that it is called after.
    let there = world(
        [],
        [
            of(1, "2026-11-21T05:00:00Z"),
            of(2, "2026-11-21T17:00:00Z").also_of(&["Daily"]),
            of(3, "2026-11-22T05:00:00Z"),
        ],
    );
    check_fates(&two, &there, LATER, "1 delete, 2 keep, 3 keep");
    assert_eq!(fates(&two, &keep_last(), LATER, &there), "1 delete, 2 keep, 3 keep");
}

#[test]
fn r3_of_two_names_that_no_schedule_has_each_has_to_be_silent() {
    let other = policy(vec![daily("Other", count(3))]);
    let of = |number, time: &str| snapshot(number, 1, time).of_schedule("Twice a day");
    // Twice a day is silent after a day, Daily after two.
    let there = world(
        [volume(1)],
        [
            of(1, "2026-11-20T17:00:00Z").also_of(&["Daily"]),
            of(2, "2026-11-21T05:00:00Z"),
            of(3, "2026-11-21T17:00:00Z").also_of(&["Daily"]),
        ],
    );
    assert_eq!(fates(&other, &keep_last(), "2026-11-23T16:59:59Z", &there), "1 keep, 2 delete, 3 keep");
    assert_eq!(fates(&other, &keep_last(), "2026-11-23T17:00:00Z", &there), "1 delete, 2 delete, 3 keep");
}

/// What becomes of another policy's snapshots, numbered from 1, beside a fresh one of our own, where orphans go after a day.
#[track_caller]
fn check_others(others: &[Snapshot], now: &str, expected: &str) {
    let own = snapshot(99, 1, now);
    let there = world([volume(1)], others.iter().cloned().chain([own]));
    let RetainRule::Age(age) = days(1) else { panic!("days are an age") };
    let orphans = Orphans::Expire(age);
    let options = Options { orphans, revision: Some(at(now)), ..Options::default() };
    assert_eq!(fates(&sample(), &options, now, &there), format!("{expected}, 99 keep"));
}

#[test]
fn r3_what_run_now_made_makes_no_gap_and_a_yearly_one_of_another_policy_stays() {
    let yearly = snapshot(1, 1, "2026-03-01T05:00:00Z").of_schedule("Yearly").stamped(&[3]);
    let pressed = snapshot(2, 1, "2026-03-01T06:00:00Z").of_schedule("Yearly").stamped(&[3]);
    let pressed = pressed.with_stamp(|stamp| stamp.is_run_now = true).expiring("2099-03-01T06:00:00Z");
    let both = [yearly.clone(), pressed];
    check_others(&both, "2026-03-16T03:00:00Z", "1 keep, 2 keep");
    check_others(&both, "2027-04-02T05:59:59Z", "1 keep, 2 keep");
    check_others(&both, "2027-04-02T06:00:00Z", "1 delete, 2 keep");
    check_others(&[yearly], "2027-04-02T05:00:00Z", "1 delete");
}

#[test]
fn r3_a_few_snapshots_or_some_of_several_versions_tell_no_gap() {
    let hourly = |revisions: &[&str]| -> Vec<Snapshot> {
        let of_hour = |(hour, &revision): (u32, &&str)| {
            let other = snapshot(hour, 1, &format!("2026-03-01T0{hour}:00:00Z")).of_schedule("Hourly").stamped(&[3]);
            other.with_stamp(|stamp| stamp.revision = Some(at(revision)))
        };
        (1..).zip(revisions).map(of_hour).collect()
    };
    let (old, new) = ("2026-02-01T00:00:00Z", "2026-03-01T00:30:00Z");
    // It became a monthly one after the second.
    check_others(&hourly(&[old, old]), "2026-03-03T12:00:00Z", "1 keep, 2 keep");
    check_others(&hourly(&[old, old]), "2026-06-01T12:00:00Z", "1 keep, 2 keep");
    check_others(&hourly(&[old, old]), "2027-04-03T12:00:00Z", "1 delete, 2 delete");
    check_others(&hourly(&[old, old, new]), "2026-06-01T12:00:00Z", "1 keep, 2 keep, 3 keep");
    check_others(&hourly(&[old, old, old]), "2026-03-01T04:59:59Z", "1 keep, 2 keep, 3 keep");
    check_others(&hourly(&[old, old, old]), "2026-03-03T12:00:00Z", "1 delete, 2 delete, 3 delete");
}

#[test]
fn the_last_set_of_a_gone_instance_stays_whole_although_one_volume_has_a_newer_one() {
    let by_age = instance_policy(days(1));
    let member = |number, of, time: &str| {
        snapshot(number, of, time)
            .of_instance(1)
            .expiring("2026-11-23T17:00:00Z")
            .stamped(&[0])
            .with_stamp(|stamp| stamp.members = Some(2))
    };
    let mut archived = member(4, 2, OWN);
    archived.tier = Tier::Archive;
    let (before, set) = ("2026-11-20T17:00:00Z", "2026-11-21T17:00:00Z");
    let there = world(
        [],
        [member(5, 1, before), member(6, 2, before), member(1, 1, set), member(2, 2, set), member(3, 1, OWN), archived],
    );
    check_fates(&by_age, &there, LATER, "1 keep, 2 keep, 3 keep, 4 keep, 5 delete, 6 delete");
}

#[test]
fn a_miss_is_told_although_the_first_turn_of_the_run_crashed_after_its_calls() {
    let policy = sample();
    let mut account = Account::new(1, SignedDuration::ZERO);
    assert_eq!(run(&mut account, &policy, &Options::default(), "2026-11-20T17:00:00Z").2, RunOutcome::Succeeded);
    // Nothing ran on the 21st. On the 22nd nobody remembers what the first turn made.
    let first = crate::turn::Progress::new(&start(OWN));
    let _ = account.turn(&policy, &Options::default(), first, at(OWN));
    assert_eq!(run(&mut account, &policy, &Options::default(), OWN).2, RunOutcome::Partial);
}

#[test]
fn what_is_left_of_two_calls_a_second_apart_is_no_set_and_costs_no_other_one() {
    // Two executions made a set each, and somebody deleted one member of either.
    let of_call = |number, of, called: &str, began: &str| {
        let member = snapshot(number, of, OWN).of_instance(1).stamped(&[1]);
        let planned = |stamp: &mut crate::tags::Stamp| (stamp.called, stamp.members) = (at(called), Some(2));
        Snapshot { start_time: at(began), ..member }.with_stamp(planned)
    };
    let whole = |number, of| {
        let member = snapshot(number, of, "2026-11-21T17:00:00Z").of_instance(1).stamped(&[1]);
        member.with_stamp(|stamp| stamp.members = Some(2))
    };
    let gone = |called: &str| {
        let left = [
            of_call(3, 1, "2026-11-22T17:00:46Z", "2026-11-22T17:00:46.3Z"),
            of_call(4, 2, called, "2026-11-22T17:00:47.4Z"),
        ];
        let snapshots = [whole(1, 1), whole(2, 2)].into_iter().chain(left);
        let there = World { instances: vec![instance(1, 1, [2])], ..world([], snapshots) };
        let options = Options { start_window: SignedDuration::from_mins(5), ..Options::default() };
        let policy = instance_policy(count(1));
        let plan = plan(&policy, &options, &start(OWN), at("2026-11-22T18:00:00Z"), &there);
        plan.snapshots.iter().filter(|decision| brakes::goes(decision).is_some()).count()
    };
    assert_eq!(gone("2026-11-22T17:00:47Z"), 0);
    // An endpoint that gives each member of one call a time of its own: they carry one stamp.
    assert_eq!(gone("2026-11-22T17:00:46Z"), 2);
}

/// What is decided about the volumes of a run that looks at five past five, where EC2 began snapshots of volume 1 so many minutes
/// after their call.
#[track_caller]
fn check_in_doubt(minutes: &[i64], expected: &[&str]) {
    let off = |(number, &minutes): (u32, &i64)| {
        let call = at(OWN) + SignedDuration::from_secs(20) * i32::try_from(number - 9).unwrap();
        let began = call + SignedDuration::from_mins(minutes);
        Snapshot { start_time: began, ..snapshot(number, 1, OWN) }.stamped(&[3]).with_stamp(|stamp| stamp.called = call)
    };
    let snapshots: Vec<Snapshot> = (10..).zip(minutes).map(off).collect();
    let there = world([volume(1), volume(2)], snapshots.into_iter().chain([snapshot(1, 1, "2026-11-21T17:00:00Z")]));
    let (policy, options, now) = (sample(), Options::default(), at("2026-11-22T17:05:00Z"));
    let plan = plan(&policy, &options, &start(OWN), now, &there);
    assert_eq!(check::check(&policy, &options, now, &there, &plan), vec![]);
    let kinds: Vec<&str> = plan.targets.iter().map(|decision| words::of_target(decision).kind).collect();
    assert_eq!(kinds, expected);
    assert!(plan.snapshots.iter().all(|decision| brakes::goes(decision).is_none()));
    assert_eq!(plan.orphans.doubted, minutes.iter().filter(|minutes| minutes.abs() > 30).count());
}

#[test]
fn r2_a_snapshot_that_ec2_began_half_an_hour_off_is_made_anew_once_and_then_told() {
    check_in_doubt(&[], &["Due", "Due"]);
    check_in_doubt(&[31], &["Due", "Due"]);
    check_in_doubt(&[31, 45], &["SnapshotsInDoubt", "Due"]);
    check_in_doubt(&[31, 0], &["Exists", "Due"]);
    // It began before the time that it claims, so it was not made for it.
    check_in_doubt(&[-40, -45], &["Due", "Due"]);
}
