//! Tables: a world, and what is decided about it.

use super::*;
use crate::action::Action;
use crate::fixtures::*;
use crate::policy::AgeUnit;
use crate::report;
use crate::tags::{self, Ownership};
use crate::world::{CutShort, Origin, SnapshotState, Volume, VolumeState};

/// The decisions of a plan, one a line: `decision volume/snapshot: reason`, ids cut to their number.
fn decisions(policy: &Policy, options: &Options, start: &Start, now: &str, world: &World) -> String {
    let plan = plan(policy, options, start, at(now), world);
    assert_eq!(check::check(policy, options, at(now), world, &plan), vec![], "a plan keeps every promise");
    let number = |id: &str| id.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_start_matches('0').to_owned();
    let line = |line: report::words::Line| {
        let snapshot = line.snapshot.map_or_else(|| "-".to_owned(), |id| number(&id));
        format!("{} vol {} snap {snapshot}: {}", line.decision, number(&line.volume.unwrap_or_default()), line.reason)
    };
    report::decisions(&plan).map(line).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check_retention(policy: &Policy, snapshots: impl IntoIterator<Item = Snapshot>, expected: &[&str]) {
    let world = world([volume(1)], snapshots);
    // Long after the last scheduled time, so that nothing is due and nothing is waited for.
    let now = "2026-11-22T20:00:00Z";
    let actual = decisions(policy, &Options::default(), &start(now), now, &world);
    let snapshots_only: Vec<&str> = actual.lines().filter(|line| !line.starts_with("missed")).collect();
    assert_eq!(snapshots_only, expected);
}

#[track_caller]
fn check_creation(start: &Start, options: &Options, world: &World, expected: &[&str]) {
    let policy = sample();
    let plan = plan(&policy, options, start, start.begun, world);
    let word = |decision: &TargetDecision<'_>| report::words::of_target(decision).decision;
    assert_eq!(plan.targets.iter().map(word).collect::<Vec<_>>(), expected);
}

fn three_days() -> Vec<Snapshot> {
    vec![
        snapshot(1, 1, "2026-11-19T17:00:00Z"),
        snapshot(2, 1, "2026-11-20T17:00:00Z"),
        snapshot(3, 1, "2026-11-21T17:00:00Z"),
    ]
}

#[test]
fn a_due_volume_without_a_snapshot_gets_one() {
    check_creation(&start("2026-11-22T17:00:00Z"), &Options::default(), &world([volume(1)], three_days()), &["create"]);
}

#[test]
fn a_start_is_good_until_the_window_is_over() {
    let world = world([volume(1)], three_days());
    check_creation(&start("2026-11-22T18:00:00Z"), &Options::default(), &world, &["create"]);
    check_creation(&start("2026-11-22T18:00:01Z"), &Options::default(), &world, &["missed"]);
}

#[test]
fn a_start_that_arrives_later_than_the_window_makes_nothing_and_says_so() {
    let late = Start { begun: at("2026-11-22T18:30:00Z"), ..start("2026-11-22T17:00:00Z") };
    check_creation(&late, &Options::default(), &world([volume(1)], []), &["missed"]);
    check_creation(&late, &run_now(), &world([volume(1)], []), &["missed"]);
}

#[test]
fn a_volume_made_after_the_scheduled_time_did_not_miss_it() {
    let young = Volume { created: Some(at("2026-11-22T17:30:00Z")), ..volume(1) };
    check_creation(&start("2026-11-22T20:00:00Z"), &Options::default(), &world([young], []), &[]);
}

#[test]
fn run_now_makes_every_schedule_due_at_the_start() {
    let world = world([volume(1)], three_days());
    check_creation(&start("2026-11-22T09:12:34Z"), &run_now(), &world, &["create"]);
}

#[test]
fn a_run_now_start_from_the_clock_that_is_delivered_again_makes_nothing() {
    let world = world([volume(1)], [snapshot(1, 1, "2026-11-22T09:12:34Z")]);
    let again = Start { origin: crate::options::StartOrigin::Clock, ..start("2026-11-22T09:13:40Z") };
    check_creation(&again, &run_now(), &world, &["wait"]);
    let again = Start { origin: crate::options::StartOrigin::Clock, ..start("2026-11-22T09:15:00Z") };
    check_creation(&again, &run_now(), &world, &["exists"]);
    let later = Start { origin: crate::options::StartOrigin::Clock, ..start("2026-11-22T09:18:00Z") };
    check_creation(&later, &run_now(), &world, &["create"]);
    // A start with a time of its own is told apart by it.
    check_creation(&start("2026-11-22T09:13:40Z"), &run_now(), &world, &["create"]);
}

#[test]
fn volumes_that_ec2_cannot_back_up_are_skipped_with_their_state() {
    let in_state = |number, state| Volume { state, ..volume(number) };
    let world = world(
        [
            in_state(1, VolumeState::Creating),
            in_state(2, VolumeState::Deleting),
            in_state(3, VolumeState::Deleted),
            in_state(4, VolumeState::Error),
            in_state(5, VolumeState::Available),
            in_state(6, VolumeState::Unknown("frozen".to_owned())),
        ],
        [],
    );
    let expected = ["skip", "skip", "skip", "skip", "create", "create"];
    check_creation(&start("2026-11-22T17:00:00Z"), &Options::default(), &world, &expected);
}

#[test]
fn a_failed_snapshot_answers_nothing_until_too_many_failed() {
    let failed = |number| snapshot(number, 1, "2026-11-22T17:00:00Z").in_state(SnapshotState::Error);
    let start = start("2026-11-22T17:00:00Z");
    check_creation(&start, &Options::default(), &world([volume(1)], (1..=4).map(failed)), &["create"]);
    check_creation(&start, &Options::default(), &world([volume(1)], (1..=5).map(failed)), &["give up"]);
}

#[test]
fn the_call_that_creates_names_everything() {
    let mut policy = sample();
    policy.schedules[0].retain = days(7);
    let world = world([volume(1)], []);
    let options = Options::default();
    let plan = plan(&policy, &options, &start("2026-11-22T17:00:00Z"), at("2026-11-22T17:00:03Z"), &world);
    let Some(Action::CreateSnapshot(call)) =
        call::creation(&policy, &options, at("2026-11-22T17:00:03Z"), &plan.targets[0])
    else {
        panic!("{plan:?}")
    };
    assert_eq!(call.description, "Created for policy: policy-0123456789abcdef0 schedule: Default Schedule");
    assert_eq!(
        texts(&call.tags),
        [
            "opendlm:policy-id=policy-0123456789abcdef0",
            "opendlm:schedule-name=Default Schedule",
            "opendlm:scheduled-time=2026-11-22T17:00:00Z",
            "opendlm:expiration-time=2026-11-29T17:00:00Z",
            "opendlm:stamp=1 d=d4ded8ece80d41eb t=2026-11-22T17:00:03Z k=-",
            "ss-lifecycle=true",
        ]
    );
}

fn texts(tags: &[crate::policy::Tag]) -> Vec<String> {
    tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect()
}

#[test]
fn ages_are_calendar_spans() {
    let expires = |rule, time| retain::expiration_time(&rule, at(time)).map(|t| t.to_string());
    assert_eq!(expires(age(1, AgeUnit::Months), "2026-01-31T17:00:00Z").as_deref(), Some("2026-02-28T17:00:00Z"));
    assert_eq!(expires(age(2, AgeUnit::Weeks), "2026-01-31T17:00:00Z").as_deref(), Some("2026-02-14T17:00:00Z"));
    assert_eq!(expires(age(1, AgeUnit::Years), "2024-02-29T17:00:00Z").as_deref(), Some("2025-02-28T17:00:00Z"));
    assert_eq!(expires(count(3), "2026-01-31T17:00:00Z"), None);
}

#[test]
fn the_newest_so_many_stay_and_the_oldest_goes() {
    let mut snapshots = three_days();
    snapshots.push(snapshot(4, 1, "2026-11-22T17:00:00Z"));
    check_retention(
        &sample(),
        snapshots,
        &[
            "delete vol 1 snap 1: number 4 from the newest, the schedule keeps 3",
            "keep vol 1 snap 2: number 3 from the newest, the schedule keeps 3",
            "keep vol 1 snap 3: number 2 from the newest, the schedule keeps 3",
            "keep vol 1 snap 4: number 1 from the newest, the schedule keeps 3",
        ],
    );
}

#[test]
fn a_snapshot_that_is_not_complete_pushes_none_out() {
    let stays = "keep vol 1 snap 1: number 3 from the newest, the schedule keeps 3";
    for (state, oldest, words) in [
        (
            SnapshotState::Error,
            stays,
            "keep vol 1 snap 4: it went to error and counts for nothing, to be deleted after 2026-11-23T17:00:00Z",
        ),
        (SnapshotState::Pending, stays, "wait vol 1 snap 4: pending since 2026-11-22T17:00:00Z"),
        (
            SnapshotState::Unknown("recovering".to_owned()),
            stays,
            "keep vol 1 snap 4: its state is unknown, and when in doubt it stays",
        ),
    ] {
        let mut snapshots = three_days();
        snapshots.push(snapshot(4, 1, "2026-11-22T17:00:00Z").in_state(state));
        check_retention(
            &sample(),
            snapshots,
            &[
                oldest,
                "keep vol 1 snap 2: number 2 from the newest, the schedule keeps 3",
                "keep vol 1 snap 3: number 1 from the newest, the schedule keeps 3",
                words,
            ],
        );
    }
}

#[test]
fn two_snapshots_of_one_scheduled_time_take_one_place_and_the_later_one_goes() {
    let mut snapshots = three_days();
    snapshots.push(snapshot(4, 1, "2026-11-21T17:00:00Z"));
    check_retention(
        &sample(),
        snapshots,
        &[
            "keep vol 1 snap 1: number 3 from the newest, the schedule keeps 3",
            "keep vol 1 snap 2: number 2 from the newest, the schedule keeps 3",
            "keep vol 1 snap 3: number 1 from the newest, the schedule keeps 3",
            "delete vol 1 snap 4: another one of the same scheduled time is complete and stays as long, begun at 2026-11-21T17:00:00Z",
        ],
    );
}

#[test]
fn age_goes_by_the_expiry_that_was_stamped_and_never_takes_the_newest() {
    let policy = policy(vec![daily("Default Schedule", days(1))]);
    check_retention(
        &policy,
        [
            snapshot(1, 1, "2026-11-18T17:00:00Z").expiring("2026-11-19T17:00:00Z"),
            snapshot(2, 1, "2026-11-19T17:00:00Z").expiring("2026-12-19T17:00:00Z"),
            snapshot(3, 1, "2026-11-20T17:00:00Z"),
            snapshot(4, 1, "2026-11-22T17:00:00Z").expiring("2026-11-22T18:00:00Z"),
        ],
        &[
            "delete vol 1 snap 1: expired at 2026-11-19T17:00:00Z, and a newer one is complete",
            "keep vol 1 snap 2: expires at 2026-12-19T17:00:00Z",
            "keep vol 1 snap 3: the schedule keeps by age and it carries no expiry",
            "keep vol 1 snap 4: expired, but the newest complete one of its volume and schedule",
        ],
    );
}

#[test]
fn an_expired_snapshot_stays_while_its_successor_is_pending() {
    let policy = policy(vec![daily("Default Schedule", days(1))]);
    check_retention(
        &policy,
        [
            snapshot(1, 1, "2026-11-20T17:00:00Z").expiring("2026-11-21T17:00:00Z"),
            snapshot(2, 1, "2026-11-22T17:00:00Z").pending(),
        ],
        &[
            "keep vol 1 snap 1: expired, but the newest complete one of its volume and schedule",
            "wait vol 1 snap 2: pending since 2026-11-22T17:00:00Z",
        ],
    );
}

#[test]
fn a_renamed_schedule_keeps_what_it_made_under_its_previous_name() {
    let policy = sample();
    let nightly = |number, time| snapshot(number, 1, time).of_schedule("Nightly");
    let mut snapshots = three_days();
    snapshots.insert(0, nightly(9, "2026-11-18T17:00:00Z"));
    let orphaned = "keep vol 1 snap 9: no schedule is called Nightly, or was by Options.PreviousNames, but snapshots were made under \
                    that name too lately to say that it is out of use: does another policy use this PolicyId?";
    let world = world([volume(1)], snapshots);
    let now = "2026-11-22T20:00:00Z";
    let without = decisions(&policy, &Options::default(), &start(now), now, &world);
    assert!(without.lines().any(|line| line == orphaned), "{without}");
    let previous_names = [(name("Default Schedule"), vec![name("Nightly")])].into();
    let options = Options { previous_names, ..Options::default() };
    let with = decisions(&policy, &options, &start(now), now, &world);
    assert!(
        with.lines().any(|line| line == "delete vol 1 snap 9: number 4 from the newest, the schedule keeps 3"),
        "{with}"
    );
}

#[test]
fn a_renamed_schedule_does_not_make_its_due_snapshot_again() {
    let made = snapshot(1, 1, "2026-11-22T17:00:00Z").of_schedule("Nightly");
    let previous_names = [(name("Default Schedule"), vec![name("Nightly")])].into();
    let options = Options { previous_names, ..Options::default() };
    check_creation(&start("2026-11-22T17:10:00Z"), &options, &world([volume(1)], [made]), &["exists"]);
}

#[test]
fn when_in_doubt_a_snapshot_stays_and_pushes_none_out() {
    let policy = policy(vec![daily("Default Schedule", count(1))]);
    let newest = snapshot(1, 1, "2026-11-21T17:00:00Z");
    let mut no_name = snapshot(2, 1, "2026-11-20T17:00:00Z");
    no_name.marks.schedule_name = crate::tags::Mark::Absent;
    let mut no_time = snapshot(3, 1, "2026-11-20T17:00:00Z");
    no_time.marks.scheduled_time = crate::tags::Mark::Unreadable("yesterday".to_owned());
    let mut no_expiry = snapshot(4, 1, "2026-11-18T17:00:00Z");
    no_expiry.marks.expiration_time = crate::tags::Mark::Unreadable("soon".to_owned());
    let future = snapshot(5, 1, "2027-01-01T00:00:00Z");
    let mut moved = snapshot(6, 1, "2026-11-22T17:00:00Z");
    moved.start_time = at("2026-10-01T17:00:00Z");
    let elsewhere = snapshot(7, 7, "2026-11-01T17:00:00Z");
    check_retention(
        &policy,
        [newest, no_name, no_time, no_expiry, future, moved, elsewhere],
        &[
            "keep vol 1 snap 3: its tag opendlm:scheduled-time is missing or has no meaning",
            "keep vol 1 snap 4: its tag opendlm:expiration-time is missing or has no meaning",
            "keep vol 1 snap 2: its tag opendlm:schedule-name is missing or has no meaning",
            "keep vol 1 snap 1: number 1 from the newest, the schedule keeps 1",
            "keep vol 1 snap 6: somebody changed its tags: EC2 began it at 2026-10-01T17:00:00Z, which does not fit the scheduled time \
             2026-11-22T17:00:00Z in its tag; it stays and counts for nothing, delete it by hand",
            "keep vol 1 snap 5: its scheduled time 2027-01-01T00:00:00Z lies in the future",
            "keep vol 7 snap 7: what it was made of is gone, and Options.Orphans keeps such snapshots",
        ],
    );
}

#[test]
fn a_partial_world_may_create_but_never_delete() {
    let mut world = world([volume(1)], three_days());
    world.snapshots.push(snapshot(4, 1, "2026-11-18T17:00:00Z"));
    world.coverage = Coverage::Partial(CutShort::TooManyPages);
    let now = "2026-11-22T17:00:00Z";
    let actual = decisions(&sample(), &Options::default(), &start(now), now, &world);
    assert!(actual.contains("create vol 1"), "{actual}");
    assert!(actual.contains("keep vol 1 snap 4: nothing is deleted"), "{actual}");
    assert!(!actual.contains("delete "), "{actual}");
}

#[test]
fn what_opendlm_did_not_make_gets_no_decision() {
    let mut forged = snapshot(1, 1, "2026-11-01T17:00:00Z");
    forged.description = "by hand".into();
    let mut other_policy = snapshot(2, 1, "2026-11-02T17:00:00Z");
    other_policy.marks.policy_id = Some("policy-other".into());
    let mut copy = snapshot(3, 1, "2026-11-03T17:00:00Z");
    copy.origin = Origin::Copied;
    let mut untagged = snapshot(4, 1, "2026-11-04T17:00:00Z");
    untagged.marks = crate::tags::SharedMarks::default();
    check_retention(&policy(vec![daily("Default Schedule", count(1))]), [forged, other_policy, copy, untagged], &[]);
}

#[test]
fn an_owner_known_by_its_texts_is_told_as_by_reading_them() {
    let first = snapshot(1, 1, "2026-11-01T17:00:00Z");
    let shared = |change: fn(&mut Snapshot)| {
        let mut other = first.clone();
        change(&mut other);
        other
    };
    let others = [
        shared(|_| {}),
        shared(|other| other.origin = Origin::Copied),
        shared(|other| other.description = "by hand".into()),
        shared(|other| other.marks.policy_id = Some("policy-other".into())),
        shared(|other| other.marks.policy_id = None),
        snapshot(2, 2, "2026-11-01T17:00:00Z").of_schedule("Other"),
        shared(|_| {}),
    ];
    let id = policy_id();
    let mut owner = tags::Owner::new(&id);
    let told: Vec<bool> = std::iter::once(&first).chain(&others).map(|snapshot| owner.is_of(snapshot)).collect();
    assert_eq!(told, [true, true, false, false, false, false, true, true]);
}

#[test]
fn a_policy_whose_id_begins_like_ours_is_another() {
    let mut other = snapshot(1, 1, "2026-11-01T17:00:00Z");
    other.description = "Created for policy: policy-0123456789abcdef01 schedule: Default Schedule".into();
    assert_eq!(tags::ownership(&policy_id(), &other), Ownership::OtherDescription);
}

#[test]
fn a_disabled_policy_decides_nothing() {
    let mut policy = sample();
    policy.state = PolicyState::Disabled;
    let world = world([volume(1)], three_days());
    let options = run_now();
    let plan = plan(&policy, &options, &start("2026-11-22T17:00:00Z"), at("2026-11-22T17:00:00Z"), &world);
    assert!(plan.is_disabled && plan.targets.is_empty() && plan.snapshots.is_empty());
}
