use super::*;
use crate::pace::{Api, ByApi, Share};
use crate::turn::RunOutcome;

/// So many volumes alone behind the shell of today.
#[track_caller]
fn check(
    volumes: u32,
    created_millis: i64,
    done_millis: i64,
    describes: [u64; 2],
    (turns, invoked_millis): (u32, i64),
) {
    let ran = run(volumes, &Shell::TODAY, Conditions::ALONE);
    let [snapshot_pages, volume_pages] = describes;
    let calls = |api| match api {
        Api::CreateSnapshot | Api::DeleteSnapshot => u64::from(volumes),
        Api::DescribeSnapshots => snapshot_pages,
        Api::DescribeVolumes => volume_pages,
        Api::CopySnapshot | Api::CreateSnapshots | Api::DescribeInstances => 0,
    };
    let expected = Ran {
        outcome: Ended::Done(RunOutcome::Succeeded),
        created_after: SignedDuration::from_millis(created_millis),
        done_after: SignedDuration::from_millis(done_millis),
        throttled: 0,
        calls: Calls(ByApi::of(calls)),
        held: usize::try_from(volumes * OLD_SNAPSHOTS).unwrap(),
        turns,
        invocations: turns,
        invoked: SignedDuration::from_millis(invoked_millis),
        transitions: 3 * turns + 1,
    };
    assert_eq!(ran, expected);
}

fn made(ran: &Ran) -> u64 {
    ran.calls.0[Api::CreateSnapshot]
}

#[test]
fn one_volume_takes_what_its_snapshot_takes_and_the_wait_in_which_it_is_complete() {
    // The first turn begins at 0.1 s, creates at 0.3 s and ends at 0.55 s. Turns of 0.2 s follow after 1, 15 and 25 s,
    // the third one ends at 43.05 s, and then every 60.5 s. The thirtieth of those begins at 1857.85 s, sees the snapshot
    // of 1800.3 s complete, deletes at 1858.05 s, and the execution ends two hand-overs after the answer.
    check(1, 300, 1_858_500, [34, 34], (34, 550 - 100 + 32 * 200 + 450));
}

#[test]
fn what_a_full_bucket_lets_through_goes_ten_at_a_time_and_the_rest_at_the_refill() {
    // 1,050 snapshots are two pages, so the first turn creates from 0.5 s on. Our bucket has 98 tokens, then one each
    // 0.2 s from the beginning on: the last of 150 creations has the 52nd of those.
    let ran = run(150, &Shell::TODAY, Conditions::ALONE);
    assert_eq!(ran.created_after, SignedDuration::from_millis(500 + (150 - 98) * 200));
    assert_eq!((made(&ran), ran.calls.0[Api::DeleteSnapshot], ran.throttled), (150, 150, 0));
    assert_eq!((ran.outcome, ran.held), (Ended::Done(RunOutcome::Succeeded), 1_050));
}

#[test]
fn a_hidden_limit_of_pending_snapshots_is_kept_to() {
    let conditions = Conditions { pending_max: Some(5), ..Conditions::ALONE };
    let ran = run(20, &Shell::TODAY, conditions);
    assert_eq!((ran.outcome, ran.held), (Ended::Done(RunOutcome::Succeeded), 140));
    // Four lots of five, each half an hour, and after each of them at most a wait of a minute.
    let seconds = ran.done_after.as_secs();
    assert!((4 * 1_800..4 * 1_865).contains(&seconds), "{ran:?}");
}

#[test]
fn with_half_a_share_beside_others_who_take_the_other_half_nothing_is_throttled() {
    let share = Share::of_per_cent(50).unwrap();
    let ran = run(120, &Shell::TODAY, Conditions { others_thousandths: 500, share, ..Conditions::ALONE });
    assert_eq!((ran.outcome, ran.throttled), (Ended::Done(RunOutcome::Succeeded), 0));
    // Half of 98 at once, and the rest at 2.5 a second.
    assert_eq!(ran.created_after, SignedDuration::from_millis(300 + (120 - 49) * 400));
}

#[test]
fn beside_others_who_take_half_a_whole_share_is_throttled_and_done() {
    let ran = run(120, &Shell::TODAY, Conditions { others_thousandths: 500, ..Conditions::ALONE });
    assert_eq!((ran.outcome, ran.held), (Ended::Done(RunOutcome::Succeeded), 840));
    assert!(ran.throttled > 0 && made(&ran) > 120, "{ran:?}");
}

#[test]
fn a_page_that_takes_longer_delays_every_look() {
    let ran = run(150, &Shell::TODAY, Conditions { page: SignedDuration::from_millis(500), ..Conditions::ALONE });
    // Two pages of 1,050 snapshots, and the first step of the state machine.
    assert_eq!(ran.created_after, SignedDuration::from_millis(100 + 2 * 500 + (150 - 98) * 200));
}

#[test]
fn a_look_that_takes_longer_than_the_function_has_ends_the_run() {
    let shell = Shell { timeout_seconds: 2, ..Shell::TODAY };
    let ran = run(1, &shell, Conditions::ALONE);
    assert_eq!((ran.outcome, made(&ran)), (Ended::CutOff, 0));
}
