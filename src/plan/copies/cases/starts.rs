//! Which of two runs that are both at work begins a copy.

use super::*;
use crate::options::Start;

/// The verdict about the copy of the first snapshot in London, in a run that began a while after its start.
fn verdict(policy: &Policy, options: &Options, (start, now): (Start, &str), world: &World) -> String {
    let plan = plan(policy, options, &start, at(now), world);
    let wanted = of(&plan, &london()).wanted.iter().find(|wanted| wanted.source.id == world.snapshots[0].id);
    format!("{:?}", wanted.unwrap().verdict)
}

fn begin_now() -> String {
    format!("{BEGIN:?}")
}

fn taken_over(time: &str) -> String {
    format!("{:?}", CopyVerdict::Wait(CopyWait::TakenOver { at: at(time) }))
}

fn begun(start_at: &str, begun: &str) -> Start {
    Start { begun: at(begun), ..start(start_at) }
}

fn slow() -> Snapshot {
    Snapshot { completed_at: Some(at("2026-11-22T20:00:00Z")), ..source(1, 1, TODAY, &[RULE]) }
}

#[test]
fn a_second_start_for_the_same_time_leaves_a_slow_snapshot_to_the_run_that_made_it() {
    let (policy, options, world) = (policy_with(&[RULE]), Options::default(), world_with(vec![slow()], vec![]));
    let of = |begun_at, now| verdict(&policy, &options, (begun(TODAY, begun_at), now), &world);
    assert_eq!(of(TODAY, "2026-11-22T20:00:20Z"), begin_now());
    let second = "2026-11-22T17:30:00Z";
    assert_eq!(of(second, "2026-11-22T20:00:20Z"), taken_over("2026-11-22T20:17:00Z"));
    assert_eq!(of(second, "2026-11-22T20:17:00Z"), begin_now());
}

#[test]
fn of_schedules_that_meet_the_start_a_minute_later_does_not_copy_what_the_first_one_copies() {
    let sundays = by_cron("Sunday", "cron(0 17 ? * SUN *)", count(3));
    let mut policy = policy(vec![sundays, by_cron("Monthly", "cron(0 17 22 * ? *)", count(3))]);
    policy.schedules.iter_mut().for_each(|schedule| schedule.copies = vec![rule(RULE)]);
    let world = world_with(vec![slow().of_schedule("Sunday").also_of(&["Monthly"])], vec![]);
    let of = |start_at| verdict(&policy, &Options::default(), (start(start_at), "2026-11-22T20:00:20Z"), &world);
    assert_eq!(of(TODAY), begin_now());
    assert_eq!(of("2026-11-22T17:01:00Z"), taken_over("2026-11-22T20:17:00Z"));
}

#[test]
fn a_second_start_leaves_to_the_first_one_what_that_one_took_over() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let left = source(1, 1, YESTERDAY, &[RULE]);
    let (own, other) = (source(2, 1, TODAY, &[RULE]), source(3, 2, TODAY, &[RULE]));
    let done = copy_of(&own, 2, "2026-11-22T17:06:00Z", &london());
    let under_way = copy_of(&other, 3, "2026-11-22T17:50:00Z", &london()).pending();
    let world = world_with(vec![left, own, other], vec![done, under_way]);
    let of = |begun_at| verdict(&policy, &options, (begun(TODAY, begun_at), "2026-11-22T18:00:00Z"), &world);
    assert_eq!(of(TODAY), begin_now());
    assert_eq!(of("2026-11-22T17:40:00Z"), taken_over("2026-11-22T18:17:00Z"));
}

#[test]
fn what_is_complete_after_the_next_run_took_over_is_copied_by_the_run_that_made_it_or_by_the_one_after_that() {
    let fridays = ["cron(0 17 ? * FRI *)", "cron(0 19 ? * FRI *)"];
    let mut policy = policy(vec![by_cron("Five", fridays[0], count(3)), by_cron("Seven", fridays[1], count(3))]);
    policy.schedules.iter_mut().for_each(|schedule| schedule.copies = vec![rule(RULE)]);
    let slow = source(1, 1, "2026-11-20T17:00:00Z", &[RULE]).of_schedule("Five");
    let next = source(2, 2, "2026-11-20T19:00:00Z", &[RULE]).of_schedule("Seven");
    let copied = copy_of(&next, 2, "2026-11-20T19:06:00Z", &london());
    let a_week_later = source(3, 2, "2026-11-27T17:00:00Z", &[RULE]).of_schedule("Five");
    let of = |slow: Snapshot, start_at: &str, now: &str| {
        let weekly = [&a_week_later].into_iter().filter(|made| made.start_time <= at(now)).cloned();
        let sources = [slow, next.clone()].into_iter().chain(weekly).collect();
        verdict(&policy, &Options::default(), (start(start_at), now), &world_with(sources, vec![copied.clone()]))
    };
    let [made_it, next_run, last_run] = ["2026-11-20T17:00:00Z", "2026-11-20T19:00:00Z", "2026-11-27T17:00:00Z"];
    let waits = |is_awaited| format!("{:?}", CopyVerdict::Wait(CopyWait::SourceNotComplete { is_awaited }));
    assert_eq!(of(slow.clone().pending(), made_it, "2026-11-20T19:30:00Z"), waits(true));
    assert_eq!(of(slow.clone().pending(), next_run, "2026-11-20T19:30:00Z"), waits(false));

    let complete = |text: &str| Snapshot { completed_at: Some(at(text)), ..slow.clone() };
    let later = LeftTo::LaterRun { scheduled_time: at(next_run) };
    let left_to = |left_to| format!("{:?}", CopyVerdict::Wait(CopyWait::LeftTo(left_to)));
    // The next run made its first snapshot at 19:00:00, and takes over at 19:17:00 what is complete then.
    let (now, in_time, too_late) = ("2026-11-20T19:40:00Z", "2026-11-20T19:16:59Z", "2026-11-20T19:17:00Z");
    assert_eq!(of(complete(in_time), made_it, now), left_to(later));
    assert_eq!(of(complete(in_time), next_run, now), begin_now());
    assert_eq!(of(complete(too_late), made_it, now), begin_now());
    assert_eq!(of(complete(too_late), next_run, now), left_to(LeftTo::Others));

    // Where the run that made it died the next one tries for a day, although a week has gone.
    assert_eq!(of(complete(too_late), last_run, "2026-11-27T17:16:00Z"), taken_over("2026-11-27T17:17:00Z"));
    assert_eq!(of(complete(too_late), last_run, "2026-11-28T17:16:59Z"), begin_now());
    let over = of(complete(too_late), last_run, "2026-11-28T17:17:00Z");
    assert!(over.contains("WindowOver") && over.contains("is_news: true"), "{over}");
}

#[test]
fn what_a_run_now_made_is_copied_by_itself_or_by_a_later_run() {
    let policy = policy_with(&[RULE]);
    let button = source(2, 1, "2026-11-22T18:00:00Z", &[RULE]).with_stamp(|stamp| stamp.is_run_now = true);
    let daily = source(1, 1, TODAY, &[RULE]);
    let slow = copy_of(&daily, 1, "2026-11-22T17:06:00Z", &london()).pending();
    let world = world_with(vec![button, daily], vec![slow]);
    let now = "2026-11-22T18:05:30Z";
    let of = |options: &Options, start_at, now| verdict(&policy, options, (start(start_at), now), &world);
    assert_eq!(of(&run_now(), "2026-11-22T18:00:00Z", now), begin_now());
    let left = CopyVerdict::Wait(CopyWait::LeftTo(LeftTo::Others));
    assert_eq!(of(&Options::default(), TODAY, now), format!("{left:?}"));
    // The next one makes snapshots that tell the RunNow to stop.
    let tomorrow = source(3, 1, "2026-11-23T17:00:00Z", &[RULE]);
    let world = world_with([&world.snapshots[..], &[tomorrow]].concat(), vec![]);
    let next = (start("2026-11-23T17:00:00Z"), "2026-11-23T17:17:00Z");
    assert_eq!(verdict(&policy, &Options::default(), next, &world), begin_now());
}

#[test]
fn where_the_home_region_has_no_name_of_aws_each_rule_fails() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let world = World { home: None, ..world_with(vec![source(1, 1, TODAY, &[RULE])], vec![]) };
    let plan = planned(&policy, &options, TODAY, "2026-11-22T17:10:00Z", &world);
    let london = of(&plan, &london());
    assert!(london.is_missed() && london.is_denied());
    assert_eq!(london.unseen.as_ref().map(|unseen| unseen.code.as_str()), Some("HomeUnknown"));
}
