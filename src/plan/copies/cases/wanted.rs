//! Which copies are to be made, and by which run.

use super::*;

#[test]
fn what_a_run_made_is_copied_as_soon_as_it_is_complete() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, TODAY, &[RULE]);
    check_wanted(&policy, (TODAY, "2026-11-22T17:05:01Z"), &world_with(vec![made.clone()], vec![]), &BEGIN);
    let pending = CopyVerdict::Wait(CopyWait::SourceNotComplete { is_awaited: true });
    check_wanted(&policy, (TODAY, "2026-11-22T17:00:01Z"), &world_with(vec![made.pending()], vec![]), &pending);
}

#[test]
fn what_is_copied_or_under_way_is_not_copied_again() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, TODAY, &[RULE]);
    let done = copy_of(&made, 1, "2026-11-22T17:06:00Z", &london());
    let now = (TODAY, "2026-11-22T17:07:00Z");
    check_wanted(&policy, now, &world_with(vec![made.clone()], vec![done.clone()]), &CopyVerdict::Done(&done));
    let under_way = done.pending();
    let world = world_with(vec![made.clone()], vec![under_way.clone()]);
    check_wanted(&policy, now, &world, &CopyVerdict::UnderWay { copy: &under_way, is_awaited: true });
    // A later run waits for it then.
    let later = snapshot(2, 1, "2026-11-22T17:06:30Z").stamped(&[3]);
    let world = world_with(vec![made, later], vec![under_way.clone()]);
    check_wanted(&policy, now, &world, &CopyVerdict::UnderWay { copy: &under_way, is_awaited: false });
}

#[test]
fn a_later_edit_neither_adds_nor_takes_a_copy() {
    let made = source(1, 1, TODAY, &[RULE]);
    let now = (TODAY, "2026-11-22T17:05:01Z");
    check_wanted(&policy_with(&[]), now, &world_with(vec![made], vec![]), &BEGIN);
    let unpromised = snapshot(1, 1, TODAY).stamped(&[3]);
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let world = world_with(vec![unpromised], vec![]);
    assert_eq!(of(&planned(&policy, &options, now.0, now.1, &world), &london()).wanted, []);
}

#[test]
fn what_another_run_left_is_taken_over_when_that_one_must_have_seen_it() {
    let policy = policy_with(&[RULE]);
    let left = source(1, 1, "2026-11-22T16:00:00Z", &[RULE]);
    let own = snapshot(2, 1, TODAY).stamped(&[3]);
    let world = world_with(vec![left.clone(), own], vec![]);
    let takes_over = CopyVerdict::Wait(CopyWait::TakenOver { at: at("2026-11-22T17:17:00Z") });
    check_wanted(&policy, (TODAY, "2026-11-22T17:16:59Z"), &world, &takes_over);
    check_wanted(&policy, (TODAY, "2026-11-22T17:17:00Z"), &world, &BEGIN);
}

#[test]
fn a_run_with_nothing_to_make_takes_over_where_nobody_has_begun_a_copy_for_as_long() {
    let policy = policy_with(&[RULE]);
    let left = source(1, 1, "2026-11-22T16:00:00Z", &[RULE]);
    let world = world_with(vec![left.clone()], vec![]);
    let takes_over = |time| CopyVerdict::Wait(CopyWait::TakenOver { at: at(time) });
    check_wanted(&policy, (TODAY, "2026-11-22T17:16:59Z"), &world, &takes_over("2026-11-22T17:17:00Z"));
    check_wanted(&policy, (TODAY, "2026-11-22T17:17:00Z"), &world, &BEGIN);
    // Nothing tells the run that made it to stop: it is at work.
    let other = copy_of(&source(2, 2, "2026-11-22T16:00:00Z", &[RULE]), 1, "2026-11-22T17:10:00Z", &london());
    let at_work = world_with(vec![left.clone()], vec![other.pending()]);
    let others = CopyVerdict::Wait(CopyWait::LeftTo(LeftTo::Others));
    check_wanted(&policy, (TODAY, "2026-11-22T17:40:00Z"), &at_work, &others);
    // What it has begun since is its own.
    let own = copy_of(&source(3, 2, "2026-11-22T16:00:00Z", &[RULE]), 2, "2026-11-22T17:20:00Z", &london());
    check_wanted(
        &policy,
        (TODAY, "2026-11-22T17:40:00Z"),
        &world_with(vec![left.clone()], vec![own.pending()]),
        &BEGIN,
    );
    // It has as long for it as one that made something.
    let (now, until) = ("2026-11-23T17:17:00Z", "2026-11-23T17:17:00Z");
    let told = CopyVerdict::GivenUp { why: GaveUp::WindowOver { at: at(until) }, is_news: true };
    check_wanted(&policy, (TODAY, now), &world, &told);
    // A start for which nothing is due may be one of many.
    check_wanted(&policy, ("2026-11-22T19:30:00Z", "2026-11-22T19:50:00Z"), &world, &others);
}

#[test]
fn a_count_that_deletes_the_runs_between_makes_no_copy_tried_for_ever() {
    // Once a week for eight weeks, and every day for a day.
    let mut policy = policy(vec![daily("Daily", count(1)), by_cron("Weekly", "cron(0 12 ? * SUN *)", count(8))]);
    policy.schedules[1].copies = vec![rule("eu-west-2:12m:-")];
    let weekly = source(1, 1, "2026-11-01T12:00:00Z", &["eu-west-2:12m:-"]).of_schedule("Weekly");
    let of_day = |day: u32| snapshot(day, 1, &format!("2026-11-{day:02}T17:00:00Z")).of_schedule("Daily").stamped(&[1]);
    let verdict = |day: u32, expected: CopyVerdict<'_>| {
        let world = world_with(vec![weekly.clone(), of_day(day)], vec![]);
        let now = format!("2026-11-{day:02}T17:20:00Z");
        check_wanted(&policy, (&format!("2026-11-{day:02}T17:00:00Z"), &now), &world, &expected);
    };
    verdict(14, BEGIN);
    // Two weeks after the daily one that was the next.
    let over = |is_news| CopyVerdict::GivenUp { why: GaveUp::WindowOver { at: at("2026-11-15T17:00:00Z") }, is_news };
    verdict(15, over(true));
    verdict(17, over(true));
    verdict(18, over(false));
}

#[test]
fn a_run_that_sees_a_later_one_begins_no_more_copies() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, YESTERDAY, &[RULE]);
    let later = snapshot(2, 1, TODAY).stamped(&[3]);
    let left = CopyVerdict::Wait(CopyWait::LeftTo(LeftTo::LaterRun { scheduled_time: at(TODAY) }));
    let world = world_with(vec![made.clone(), later.clone()], vec![]);
    check_wanted(&policy, (YESTERDAY, "2026-11-22T17:00:30Z"), &world, &left);
    // But not because of one that failed: that run may never make another.
    let failed = later.in_state(SnapshotState::Error);
    let world = world_with(vec![made], vec![]);
    let world = World { snapshots: [&world.snapshots[..], &[failed]].concat(), ..world };
    check_wanted(&policy, (YESTERDAY, "2026-11-22T17:00:30Z"), &world, &BEGIN);
}

#[test]
fn one_that_was_started_twice_leaves_the_copies_to_the_run_that_made_the_snapshots() {
    let policy = policy_with(&[RULE]);
    let mut made = source(1, 1, TODAY, &[RULE]);
    made.start_time = at("2026-11-22T16:59:59Z");
    let takes_over = |time| CopyVerdict::Wait(CopyWait::TakenOver { at: at(time) });
    let alone = world_with(vec![made.clone()], vec![]);
    check_wanted(&policy, (TODAY, "2026-11-22T17:06:00Z"), &alone, &takes_over("2026-11-22T17:22:00Z"));
    check_wanted(&policy, (TODAY, "2026-11-22T17:22:00Z"), &alone, &BEGIN);
    // As long as copies begin that one is at work.
    let mut other = source(2, 2, TODAY, &[RULE]);
    other.start_time = made.start_time;
    let copy = copy_of(&other, 1, "2026-11-22T17:10:00Z", &london());
    let at_work = world_with(vec![made.clone(), other.clone()], vec![copy.clone()]);
    check_wanted(&policy, (TODAY, "2026-11-22T17:20:00Z"), &at_work, &takes_over("2026-11-22T17:27:00Z"));
    let under_way = world_with(vec![made, other], vec![copy.pending()]);
    check_wanted(&policy, (TODAY, "2026-11-22T17:40:00Z"), &under_way, &takes_over("2026-11-22T17:57:00Z"));
}

#[test]
fn after_a_day_a_copy_is_given_up_and_told_for_three() {
    let policy = policy_with(&["eu-west-2:30d:-"]);
    let made = source(1, 1, YESTERDAY, &["eu-west-2:30d:-"]);
    let gave_up = |over, is_news| CopyVerdict::GivenUp { why: GaveUp::WindowOver { at: at(over) }, is_news };
    let alone = world_with(vec![made.clone()], vec![]);
    check_wanted(&policy, (YESTERDAY, "2026-11-22T17:04:59Z"), &alone, &BEGIN);
    check_wanted(&policy, (YESTERDAY, "2026-11-22T17:05:00Z"), &alone, &gave_up("2026-11-22T17:05:00Z", true));
    // The next run has as long after it took over, and whoever comes then tells, overtaken or not.
    let own = |number: u32| snapshot(number, 1, &format!("2026-11-{}T17:00:00Z", number + 20)).stamped(&[3]);
    let told = |is_news| gave_up("2026-11-23T17:17:00Z", is_news);
    let world = |numbers: std::ops::RangeInclusive<u32>| {
        world_with(std::iter::once(made.clone()).chain(numbers.map(own)).collect(), vec![])
    };
    let takes_over = CopyVerdict::Wait(CopyWait::TakenOver { at: at("2026-11-23T17:17:00Z") });
    check_wanted(&policy, ("2026-11-23T17:00:00Z", "2026-11-23T17:16:59Z"), &world(2..=3), &takes_over);
    check_wanted(&policy, ("2026-11-23T17:00:00Z", "2026-11-23T17:17:00Z"), &world(2..=3), &told(true));
    check_wanted(&policy, ("2026-11-23T17:00:00Z", "2026-11-24T17:01:00Z"), &world(2..=4), &told(true));
    check_wanted(&policy, ("2026-11-26T17:00:00Z", "2026-11-26T17:17:00Z"), &world(2..=6), &told(true));
    check_wanted(&policy, ("2026-11-26T17:00:00Z", "2026-11-26T17:17:01Z"), &world(2..=6), &told(false));
}

#[test]
fn the_next_run_tries_what_a_run_left_that_died() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, YESTERDAY, &[RULE]);
    let own = snapshot(2, 1, TODAY).stamped(&[3]);
    // By then the day is over by twelve minutes.
    check_wanted(&policy, (TODAY, "2026-11-22T17:17:00Z"), &world_with(vec![made, own], vec![]), &BEGIN);
}

#[test]
fn a_copy_whose_time_would_be_over_by_now_is_missed_only_where_there_is_no_newer_one() {
    let (policy, options) = (policy_with(&[RULE]), Options::default());
    let [old, new] =
        [(1, "2026-11-01T17:00:00Z"), (2, "2026-11-02T17:00:00Z")].map(|(n, time)| source(n, 1, time, &[RULE]));
    let newer = copy_of(&new, 2, "2026-11-02T17:10:00Z", &london());
    let verdicts = |copies: Vec<Snapshot>| {
        let world = world_with(vec![old.clone()], copies);
        let plan = planned(&policy, &options, TODAY, TODAY, &world);
        of(&plan, &london()).wanted.iter().map(|wanted| wanted.is_open()).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(vec![newer.clone()]), Vec::<bool>::new());
    assert_eq!(verdicts(vec![newer.pending()]), [false]);
    assert_eq!(verdicts(vec![]), [false]);
}

#[test]
fn a_copy_that_fails_is_tried_three_times_and_told_with_what_ec2_says() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, TODAY, &[RULE]);
    let failed = |number, began| {
        let mut copy = copy_of(&made, number, began, &london()).in_state(SnapshotState::Error);
        copy.state_message = Some("Given key ID is not accessible".into());
        copy
    };
    let [one, two, three] = [(1, "2026-11-22T17:06:00Z"), (2, "2026-11-22T17:21:00Z"), (3, "2026-11-22T17:51:00Z")]
        .map(|(n, t)| failed(n, t));
    let world =
        |copies: &[&Snapshot]| world_with(vec![made.clone()], copies.iter().map(|&copy| copy.clone()).collect());
    let wait = |until| CopyVerdict::Wait(CopyWait::AfterFailure { until: at(until) });
    check_wanted(&policy, (TODAY, "2026-11-22T17:20:59Z"), &world(&[&one]), &wait("2026-11-22T17:21:00Z"));
    let again = CopyVerdict::Begin { last_failed: Some(&one) };
    check_wanted(&policy, (TODAY, "2026-11-22T17:21:00Z"), &world(&[&one]), &again);
    check_wanted(&policy, (TODAY, "2026-11-22T17:21:01Z"), &world(&[&one, &two]), &wait("2026-11-22T17:51:00Z"));
    let gave_up = CopyVerdict::GivenUp { why: GaveUp::Failed { last: &three, tries: 3 }, is_news: true };
    check_wanted(&policy, (TODAY, "2026-11-22T17:52:00Z"), &world(&[&one, &two, &three]), &gave_up);
}

#[test]
fn where_ten_copies_in_a_row_failed_no_other_one_is_tried() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, TODAY, &[RULE]);
    let other = |number| source(number + 10, 2, YESTERDAY, &[RULE]);
    let failed =
        |number: u32| copy_of(&other(number), number, "2026-11-22T17:06:00Z", &london()).in_state(SnapshotState::Error);
    let copies: Vec<Snapshot> = (1..=10).map(failed).collect();
    let last = copies[9].clone();
    let gave_up = CopyVerdict::GivenUp { why: GaveUp::RegionFails { last: &last, in_a_row: 10 }, is_news: true };
    let now = (TODAY, "2026-11-22T17:07:00Z");
    check_wanted(&policy, now, &world_with(vec![made.clone()], copies.clone()), &gave_up);
    check_wanted(&policy, now, &world_with(vec![made.clone()], copies[1..].to_vec()), &BEGIN);
    // A RunNow tells it too, where EC2's clock says that its snapshot began before the run did.
    let by_button = made.with_stamp(|stamp| stamp.is_run_now = true);
    let by_button = Snapshot { start_time: at("2026-11-22T16:59:59Z"), ..by_button };
    let (options, world) = (run_now(), world_with(vec![by_button], copies.clone()));
    let plan = planned(&policy, &options, TODAY, "2026-11-22T17:30:00Z", &world);
    assert_eq!(of(&plan, &london()).wanted.iter().map(|wanted| &wanted.verdict).collect::<Vec<_>>(), [&gave_up]);
}

#[test]
fn where_all_copies_under_one_key_fail_those_under_another_key_go_on() {
    let [revoked, fine] = [RULE, "eu-west-2:5d:e:aws/111122223333/fine"];
    let policy = policy_with(&[revoked, fine]);
    let sources: Vec<Snapshot> = (1..=10).map(|number| source(number, number, TODAY, &[revoked])).collect();
    let failed = |(source, number): (&Snapshot, u32)| {
        copy_of(source, number, "2026-11-22T17:06:00Z", &london()).in_state(SnapshotState::Error)
    };
    let copies: Vec<Snapshot> = sources.iter().zip(1..).map(failed).collect();
    let others = [source(11, 11, TODAY, &[revoked]), source(12, 12, TODAY, &[fine])];
    let copied = source(13, 13, TODAY, &[fine]);
    let done = copy_of(&copied, 13, "2026-11-22T17:06:30Z", &london());
    let options = Options::default();
    let verdicts = |gone: &[Snapshot], copies: &[Snapshot]| {
        let there = sources.iter().chain(&others).chain([&copied]).filter(|source| !gone.contains(source));
        let world = world_with(there.cloned().collect(), copies.to_vec());
        let plan = planned(&policy, &options, TODAY, "2026-11-22T17:07:00Z", &world);
        let wanted = &of(&plan, &london()).wanted;
        let of_source = |source: &Snapshot| wanted.iter().find(|wanted| wanted.source.id == source.id);
        others.each_ref().map(|source| match of_source(source).map(|wanted| &wanted.verdict) {
            Some(CopyVerdict::GivenUp { why: GaveUp::RegionFails { in_a_row, .. }, .. }) => *in_a_row,
            Some(verdict) if *verdict == BEGIN => 0,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(verdicts(&[], &copies), [10, 0]);
    assert_eq!(verdicts(&[], &copies[1..]), [0, 0]);
    // What became complete under the other key tells nothing of this one, unless nobody knows under which key it was.
    let with_done = [&copies[..], std::slice::from_ref(&done)].concat();
    assert_eq!(verdicts(&[], &with_done), [10, 0]);
    assert_eq!(verdicts(std::slice::from_ref(&copied), &with_done), [0, 0]);
    // Where the snapshots are gone no key is spared.
    assert_eq!(verdicts(&sources, &copies), [10, 10]);
}

#[test]
fn a_key_that_works_is_not_stopped_by_failed_copies_whose_snapshots_are_gone() {
    let fine = "eu-west-2:5d:e:aws/111122223333/fine";
    let policy = policy_with(&[RULE, fine]);
    let failed = |number: u32| {
        let gone = source(number, number, TODAY, &[RULE]);
        copy_of(&gone, number, "2026-11-22T17:06:00Z", &london()).in_state(SnapshotState::Error)
    };
    let copied = source(13, 13, TODAY, &[fine]);
    let done = copy_of(&copied, 13, "2026-11-22T17:06:30Z", &london());
    let world = world_with(vec![source(12, 12, TODAY, &[fine]), copied], (1..=10).map(failed).chain([done]).collect());
    check_wanted(&policy, (TODAY, "2026-11-22T17:07:00Z"), &world, &BEGIN);
}

#[test]
fn beside_two_copies_whose_tags_were_edited_no_third_one_is_made() {
    let policy = policy_with(&[RULE]);
    let made = source(1, 1, TODAY, &[RULE]);
    let edited =
        |number| copy_of(&made, number, "2026-11-22T17:06:00Z", &london()).with_stamp(|stamp| stamp.is_intact = false);
    let now = (TODAY, "2026-11-22T17:07:00Z");
    check_wanted(&policy, now, &world_with(vec![made.clone()], vec![edited(1)]), &BEGIN);
    let gave_up = CopyVerdict::GivenUp { why: GaveUp::Doubted { copies: 2 }, is_news: true };
    check_wanted(&policy, now, &world_with(vec![made.clone()], vec![edited(1), edited(2)]), &gave_up);
}

#[test]
fn a_region_that_cannot_be_seen_gets_no_copy_and_keeps_nobody_from_the_others() {
    let both = [RULE, "eu-west-1:2d:-"];
    let policy = policy_with(&both);
    let made = source(1, 1, TODAY, &both);
    let mut world = world_with(vec![made], vec![]);
    let dark = Unseen { code: "Timeout".to_owned(), message: "no answer".to_owned(), is_denied: false };
    world.regions.insert(london(), View { unseen: Some(dark), ..View::default() });
    world.regions.insert(region("eu-west-1"), View::default());
    let now = (TODAY, "2026-11-22T17:06:00Z");
    check_wanted(&policy, now, &world, &CopyVerdict::Wait(CopyWait::Unseen));
    let options = Options::default();
    let plan = planned(&policy, &options, now.0, now.1, &world);
    assert_eq!(of(&plan, &region("eu-west-1")).wanted[0].verdict, BEGIN);
    // Nor one that was seen in part only: what is not shown may be there.
    let coverage = Coverage::Partial(CutShort::Unreadable);
    world.regions.insert(london(), View { coverage, ..View::default() });
    check_wanted(&policy, now, &world, &CopyVerdict::Wait(CopyWait::Unseen));
    // A day later nothing is wanted there, and the run tells all the same.
    let plan = planned(&policy, &options, TODAY, "2026-11-23T17:06:00Z", &world);
    let there = of(&plan, &london());
    assert_eq!(there.wanted, []);
    assert!(there.is_missed() && there.unseen.as_ref().is_some_and(|unseen| unseen.code == "ObservationCutShort"));
}
