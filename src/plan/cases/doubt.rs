//! Where it would be easy to be wrong: each of these once was, or nearly.

use super::*;
use crate::action::Outcome;
use crate::options::{MaximumDeletions, Orphans};
use crate::policy::{AgeUnit, CreateRule, RetainRule, Targets};
use crate::turn::{self, Budget, Progress, Status};
use crate::world::{Coverage, CutShort, Instance, InstanceState, SnapshotId, VolumeState};

const START: &str = "2026-11-22T17:00:00Z";

fn inst(instances: Vec<Instance>, snapshots: Vec<Snapshot>) -> World {
    World { instances, ..world([], snapshots) }
}

fn fates_of(policy: &Policy, options: &Options, world: &World, now: &str) -> Vec<String> {
    let p = plan(policy, options, &start(now), at(now), world);
    p.snapshots
        .iter()
        .map(|d| {
            format!(
                "{} {}",
                number_of(d.snapshot.id),
                match d.verdict {
                    SnapshotVerdict::Delete(_) => "delete",
                    SnapshotVerdict::Keep(_) => "keep",
                    SnapshotVerdict::Wait { .. } => "wait",
                }
            )
        })
        .collect()
}

fn broken(policy: &Policy, options: &Options, world: &World, now: &str) -> Vec<check::Broken> {
    let p = plan(policy, options, &start(now), at(now), world);
    check::check(policy, options, at(now), world, &p)
}

fn conclude_once(policy: &Policy, options: &Options, world: &World, st: &str, now: &str) -> Status {
    let s = start(st);
    let p = plan(policy, options, &s, at(now), world);
    let progress = Progress::new(&s);
    let sel = turn::select(policy, options, &p, &progress, at(now), Budget::UNBOUNDED);
    assert!(sel.actions.is_empty(), "{:?}", sel.actions);
    turn::conclude(options, &p, progress, sel, vec![], at(now)).status
}

#[test]
fn a_set_that_failed_by_half_is_made_again() {
    let policy = instance_policy(count(1));
    let a = snapshot(1, 10, START).of_instance(1);
    let b = snapshot(2, 11, START).of_instance(1).in_state(SnapshotState::Error);
    let w = inst(vec![instance(1, 10, [11])], vec![a, b]);
    assert_eq!(broken(&policy, &Options::default(), &w, "2026-11-22T17:05:00Z"), vec![]);
}

#[test]
fn what_a_terminated_instance_left_may_expire_to_the_last() {
    let policy = instance_policy(count(1));
    let a = snapshot(1, 10, "2026-01-01T17:00:00Z").of_instance(1);
    let w =
        inst(vec![Instance { state: InstanceState::Terminated, ..instance(1, 10, []) }, instance(2, 20, [])], vec![a]);
    let RetainRule::Age(age) = days(30) else { panic!() };
    let o = Options { orphans: Orphans::Expire(age), ..Options::default() };
    assert_eq!(broken(&policy, &o, &w, START), vec![]);
}

#[test]
fn what_a_deleting_volume_left_may_expire_to_the_last() {
    let mut policy = default_policy(1, 7);
    if let Targets::AllVolumes(d) = &mut policy.targets {
        d.extend_deletion = true;
    }
    let a = snapshot(1, 1, "2026-01-01T17:00:00Z").of_schedule("Default policy").expiring("2026-01-08T17:00:00Z");
    let w = world([Volume { state: VolumeState::Deleting, ..volume(1) }, volume(2)], [a]);
    assert_eq!(broken(&policy, &Options::default(), &w, START), vec![]);
}

/// Snapshots 1 and 2 of a whole set, and a day later 3 of one whose other member, 4, failed.
fn a_good_set_and_a_failed_one() -> Vec<Snapshot> {
    let member = |number, volume, time| snapshot(number, volume, time).of_instance(1);
    vec![
        member(1, 10, "2026-11-20T17:00:00Z"),
        member(2, 11, "2026-11-20T17:00:00Z"),
        member(3, 10, "2026-11-21T17:00:00Z"),
        member(4, 11, "2026-11-21T17:00:00Z").in_state(SnapshotState::Error),
    ]
}

#[test]
fn a_failed_set_costs_no_good_one_after_its_grace_either() {
    let policy = instance_policy(count(1));
    let mut account = Account::holding(&inst(vec![instance(1, 10, [11])], a_good_set_and_a_failed_one()));
    account.broken_volumes.insert(volume_id(10));
    // Creation keeps failing at the next starts.
    for day in 22..=24 {
        account.run(&policy, &Options::default(), start(&format!("2026-11-{day}T17:00:00Z")));
    }
    let left: Vec<String> =
        account.observe(at("2026-11-25T00:00:00Z")).snapshots.iter().map(|s| number_of(s.id).to_string()).collect();
    assert!(left.contains(&"1".to_owned()) && left.contains(&"2".to_owned()), "the good set lost a member: {left:?}");
}

#[test]
fn the_last_one_that_is_kept_is_no_member_of_a_failed_set() {
    let policy = instance_policy(count(1));
    let w = inst(vec![], a_good_set_and_a_failed_one());
    let o = Options { orphans: Orphans::KeepLast, ..Options::default() };
    assert!(
        fates_of(&policy, &o, &w, "2026-11-21T20:00:00Z").contains(&"1 keep".to_owned()),
        "{:?}",
        fates_of(&policy, &o, &w, "2026-11-21T20:00:00Z")
    );
}

#[test]
fn a_due_snapshot_in_an_unknown_state_is_no_success() {
    let policy = sample();
    let old = snapshot(9, 2, START);
    let w = world(
        [volume(1), volume(2)],
        [snapshot(1, 1, START).in_state(SnapshotState::Unknown("recoverable".into())), old],
    );
    let s = conclude_once(&policy, &Options::default(), &w, START, "2026-11-22T17:05:00Z");
    assert_ne!(s, Status::Done(RunOutcome::Succeeded));
}

#[test]
fn a_due_snapshot_that_is_held_while_pending_is_no_success() {
    let policy = sample();
    let w = world([volume(1), volume(2)], [snapshot(1, 1, START).pending().held("x"), snapshot(9, 2, START)]);
    let s = conclude_once(&policy, &Options::default(), &w, START, "2026-11-22T17:05:00Z");
    assert_ne!(s, Status::Done(RunOutcome::Succeeded));
}

#[test]
fn an_observation_that_was_cut_short_is_no_success() {
    let policy = sample();
    let mut w = world([volume(1)], [snapshot(1, 1, START)]);
    w.coverage = Coverage::Partial(CutShort::TooManyPages);
    let s = conclude_once(&policy, &Options::default(), &w, START, "2026-11-22T17:05:00Z");
    assert_ne!(s, Status::Done(RunOutcome::Succeeded));
}

#[test]
fn a_run_ends_however_many_deletions_are_refused() {
    let policy = policy(vec![daily("Default Schedule", count(1))]);
    let mut account = Account::new(200, SignedDuration::from_secs(10));
    for v in 1..=150 {
        account.add_snapshot(snapshot(v, v, "2026-11-20T17:00:00Z"));
        account.undeletable.insert(snapshot(v, v, START).id);
    }
    let e = account.run(&policy, &Options::default(), start(START));
    assert!(e.progress.turns < 50, "turns {} ended {} calls {:?}", e.progress.turns, e.at, account.calls);
}

#[test]
fn what_ec2_never_shows_is_not_made_for_ever() {
    let policy = sample();
    let o = Options::default();
    let s = start(START);
    let w = world([volume(1)], []);
    let mut progress = Progress::new(&s);
    let mut now = s.at;
    let mut made = 0;
    let mut turns = 0;
    loop {
        let p = plan(&policy, &o, &s, now, &w);
        assert!(check::check(&policy, &o, now, &w, &p).is_empty());
        let sel = turn::select(&policy, &o, &p, &progress, now, Budget::UNBOUNDED);
        let outs: Vec<Outcome> = sel
            .actions
            .iter()
            .map(|_| {
                made += 1;
                Outcome::Created(vec![SnapshotId::parse(&format!("snap-{made:017x}")).unwrap()])
            })
            .collect();
        let c = turn::conclude(&o, &p, progress, sel, outs, now);
        progress = c.progress;
        turns += 1;
        match c.status {
            Status::Done(_) => break,
            Status::Waiting { seconds } => now += SignedDuration::from_secs(i64::from(seconds)),
        }
    }
    assert!(made <= 10, "{made} snapshots of one volume for one scheduled time, {turns} turns, until {now}");
}

#[test]
fn members_of_a_set_that_began_a_moment_apart_are_one_set() {
    let policy = instance_policy(count(1));
    let a = snapshot(1, 10, START).of_instance(1);
    let mut b = snapshot(2, 11, START).of_instance(1).in_state(SnapshotState::Error);
    b.start_time += SignedDuration::from_millis(3);
    let w = inst(vec![instance(1, 10, [11])], vec![a, b]);
    let o = Options::default();
    let p = plan(&policy, &o, &start(START), at("2026-11-22T17:05:00Z"), &w);
    assert!(!matches!(p.targets[0].verdict, TargetVerdict::Exists(_)), "{:?}", p.targets[0].verdict);
}

#[test]
fn the_brake_counts_what_the_run_has_deleted_already() {
    let policy = policy(vec![daily("Default Schedule", days(1))]);
    let o = Options { maximum_deletions: MaximumDeletions::Number(3), ..Options::default() };
    // an hourly run waits: 1 volume; expiry times come one after the other during a long run
    let mut account = Account::new(1, SignedDuration::from_hours(12));
    for h in 0..10 {
        account.add_snapshot(
            snapshot(1 + h, 1, &format!("2026-11-{:02}T17:00:00Z", 10 + h))
                .expiring(&format!("2026-11-22T{:02}:30:00Z", 17)),
        );
    }
    let _ = (&mut account, &o, &policy);
    let s = start(START);
    let mut snaps = vec![
        snapshot(50, 1, "2026-11-21T17:00:00Z").expiring("2026-11-30T00:00:00Z"),
        snapshot(51, 1, START).expiring("2026-11-30T00:00:00Z").pending(),
    ];
    for h in 0..10u32 {
        snaps.push(
            snapshot(1 + h, 1, &format!("2026-11-{:02}T17:00:00Z", 10 + h))
                .expiring(&format!("2026-11-22T17:{:02}:00Z", 1 + h)),
        );
    }
    let mut acc = Account::holding(&world([volume(1)], snaps));
    let mut progress = Progress::new(&s);
    for m in 0..20 {
        let c = acc.turn(&policy, &o, progress, s.at + SignedDuration::from_mins(m));
        progress = c.progress;
        if let Status::Done(_) = c.status {
            break;
        }
    }
    assert!(progress.deleted <= 3, "deleted {}", progress.deleted);
}

#[test]
fn times_at_the_ends_of_the_calendar_break_nothing() {
    for t in ["-009999-01-02T01:59:59Z", "9999-12-30T22:00:00Z", "1969-12-31T23:59:59.5Z", "0001-01-01T00:00:00Z"] {
        for now in ["-009999-01-02T01:59:59Z", "9999-12-30T22:00:00Z", START] {
            for rule in [count(1000), age(100, AgeUnit::Years), age(36500, AgeUnit::Days)] {
                let cron = crate::schedule::cron::CronExpression::parse("cron(0 17 ? * SUN *)").unwrap();
                let p = policy(vec![
                    daily("Default Schedule", rule),
                    Schedule { create: CreateRule::Cron(cron), ..daily("W", rule) },
                ]);
                for o in [Options::default(), run_now(), Options { orphans: Orphans::KeepLast, ..Options::default() }] {
                    let w = world([volume(1)], [snapshot(1, 1, t).expiring(t), snapshot(2, 1, START)]);
                    let s = start(now);
                    let pl = plan(&p, &o, &s, at(now), &w);
                    assert_eq!(check::check(&p, &o, at(now), &w, &pl), vec![]);
                    let pr = Progress::new(&s);
                    let sel = turn::select(&p, &o, &pl, &pr, at(now), Budget::UNBOUNDED);
                    let n = sel.actions.len();
                    let c = turn::conclude(&o, &pl, pr, sel, vec![Outcome::NotStarted; n], at(now));
                    let _ = crate::report::report(&p, &o, &pl, &c.progress, c.status, &[]);
                }
            }
        }
    }
}

#[test]
fn extended_deletion_goes_on_while_disabled_down_to_the_floor() {
    let mut policy = default_policy(1, 7);
    policy.state = PolicyState::Disabled;
    if let Targets::AllVolumes(d) = &mut policy.targets {
        d.extend_deletion = true;
    }
    let mk = |n: u32, d: u32| {
        snapshot(n, 1, &format!("2026-11-{d:02}T17:00:00Z"))
            .of_schedule("Default policy")
            .expiring(&format!("2026-11-{:02}T17:00:00Z", d + 7))
    };
    let w = world([volume(1)], [mk(1, 1), mk(2, 2), mk(3, 3)]);
    let f = fates_of(&policy, &Options::default(), &w, START);
    assert!(f.iter().any(|x| x.contains("delete")), "{f:?}");
}

#[test]
fn what_a_change_from_count_to_age_leaves_behind_is_counted() {
    let policy = policy(vec![daily("Default Schedule", days(7))]);
    let w = world([volume(1)], (1..=20).map(|d| snapshot(d, 1, &format!("2026-10-{d:02}T17:00:00Z"))));
    let o = Options::default();
    let p = plan(&policy, &o, &start(START), at(START), &w);
    let deleted = p.snapshots.iter().filter(|d| matches!(d.verdict, SnapshotVerdict::Delete(_))).count();
    assert!(p.orphans.full_size_bytes > 0 || deleted > 0);
}

#[test]
fn a_missed_backup_is_no_success_whatever_was_deleted() {
    let policy = policy(vec![daily("Default Schedule", count(1))]);
    let mut acc = Account::holding(&world(
        [volume(1)],
        [snapshot(1, 1, "2026-11-20T17:00:00Z"), snapshot(2, 1, "2026-11-21T17:00:00Z")],
    ));
    let e = acc.run(&policy, &Options::default(), start("2026-11-22T18:30:00Z"));
    assert_ne!(e.outcome, RunOutcome::Succeeded, "deleted {}", e.progress.deleted);
}

#[test]
fn the_newest_of_a_gone_instance_is_no_member_of_a_failed_set() {
    let policy = instance_policy(days(1));
    let e = "2026-11-23T17:00:00Z";
    let good = [
        snapshot(1, 10, "2026-11-20T17:00:00Z").of_instance(1).expiring(e),
        snapshot(2, 11, "2026-11-20T17:00:00Z").of_instance(1).expiring(e),
    ];
    let bad = [
        snapshot(3, 10, "2026-11-21T17:00:00Z").of_instance(1).expiring(e),
        snapshot(4, 11, "2026-11-21T17:00:00Z").of_instance(1).expiring(e).in_state(SnapshotState::Error),
    ];
    let w = inst(vec![], good.into_iter().chain(bad).collect());
    let f = fates_of(&policy, &Options::default(), &w, "2026-11-24T20:00:00Z");
    assert!(f.contains(&"1 keep".to_owned()), "{f:?}");
}

fn one_turn(policy: &Policy, progress: Progress, w: &World, now: Timestamp) -> (usize, turn::Conclusion) {
    let o = Options::default();
    let s = progress.start();
    let p = plan(policy, &o, &s, now, w);
    let sel = turn::select(policy, &o, &p, &progress, now, Budget::UNBOUNDED);
    let n = sel.actions.len();
    let outs = sel.actions.iter().map(|_| Outcome::Created(vec![SnapshotId::parse("snap-1").unwrap()])).collect();
    (n, turn::conclude(&o, &p, progress, sel, outs, now))
}

#[test]
fn what_was_seen_once_is_not_made_again_when_a_stale_page_lacks_it() {
    let policy = sample();
    let s = start(START);
    let (n, c) = one_turn(&policy, Progress::new(&s), &world([volume(1)], []), s.at);
    assert_eq!(n, 1);
    let (_, c) = one_turn(
        &policy,
        c.progress,
        &world([volume(1)], [snapshot(1, 1, START).pending()]),
        s.at + SignedDuration::from_secs(1),
    );
    let (n, _) = one_turn(&policy, c.progress, &world([volume(1)], []), s.at + SignedDuration::from_secs(16));
    assert_eq!(n, 0);
}

#[test]
fn an_old_snapshot_with_a_new_scheduled_time_answers_nothing() {
    let mut old = snapshot(1, 1, START);
    old.start_time = at("2026-01-01T00:00:00Z");
    let w = world([volume(1)], [old]);
    let (n, c) = one_turn(&sample(), Progress::new(&start(START)), &w, at(START));
    assert_eq!(n, 1, "{:?}", c.status);
}

#[test]
fn what_a_schedule_made_ages_away_although_a_longer_one_makes_all_its_backups_now() {
    // count 7 daily joined for ever by a longer daily: stopped for ever
    let p = policy(vec![daily("A", days(7)), daily("B", days(30))]);
    let old = |n: u32| {
        snapshot(n, 1, &format!("2026-01-{n:02}T17:00:00Z"))
            .of_schedule("A")
            .expiring(&format!("2026-02-{n:02}T17:00:00Z"))
    };
    let mut acc = Account::new(1, SignedDuration::from_secs(30));
    for n in 1..=7 {
        acc.add_snapshot(old(n));
    }
    for day in 1..=22 {
        acc.run(&p, &Options::default(), start(&format!("2026-11-{day:02}T17:00:00Z")));
    }
    let left = acc
        .observe(at("2026-11-22T18:00:00Z"))
        .snapshots
        .iter()
        .filter(|s| s.marks.schedule_name.value() == Some(&name("A")))
        .count();
    assert!(left <= 1, "{left} of A expired nine months ago");
}
