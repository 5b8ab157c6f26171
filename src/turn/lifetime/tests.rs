use super::*;
use crate::action::{Failed, FailedKind};
use crate::fixtures::{at, policy_id, sample, snapshot};
use crate::options::{Start, StartOrigin};
use crate::place::OneOf;

const START: &str = "2026-11-22T17:00:00Z";

fn progress(turns: u32, idle_turns: u32) -> Progress {
    let start = Start { at: at(START), origin: StartOrigin::Event, begun: at(START), came_back: false };
    Progress { turns, idle_turns, ..Progress::new(&start) }
}

fn part() -> Options {
    Options { one_of: Some(OneOf { number: 3, of: 40 }), ..Options::default() }
}

#[test]
fn a_run_goes_on_while_it_gets_something_done_and_ends_all_the_same() {
    #[track_caller]
    fn check(options: &Options, (turns, idle_turns): (u32, u32), expected: bool) {
        assert_eq!(has_another_turn(options, &progress(turns, idle_turns)), expected, "{turns}, {idle_turns} idle");
    }
    let whole = Options::default();
    check(&whole, (1, 0), true);
    check(&whole, (IDLE_TURNS_MAX, IDLE_TURNS_MAX - 1), true);
    check(&whole, (IDLE_TURNS_MAX, IDLE_TURNS_MAX), false);
    check(&whole, (TURNS_MAX - 1, 0), true);
    check(&whole, (TURNS_MAX, 0), false);
    check(&part(), (TURNS_OF_PART_MAX - 1, 0), true);
    check(&part(), (TURNS_OF_PART_MAX, 0), false);
}

#[test]
fn a_run_goes_on_in_a_new_execution_whenever_one_is_full() {
    #[track_caller]
    fn check(options: &Options, (before, turns): (u32, u32), expected: Option<&str>) {
        let found = new_execution(options, &policy_id(), before, &progress(turns, 0));
        assert_eq!(found.as_deref(), expected, "from {before} to {turns} turns");
    }
    const FULL: u32 = TURNS_PER_EXECUTION;
    let (whole, second) = (Options::default(), Some("policy-0123456789abcdef0-20261122T170000Z-2"));
    check(&whole, (0, 1), None);
    check(&whole, (FULL - 2, FULL - 1), None);
    check(&whole, (FULL - 1, FULL), second);
    check(&whole, (FULL, FULL + 1), None);
    // An invocation may make several turns.
    check(&whole, (FULL - 3, FULL + 2), second);
    check(&whole, (FULL, FULL + 5), None);
    check(&whole, (3 * FULL - 1, 3 * FULL), Some("policy-0123456789abcdef0-20261122T170000Z-4"));
    check(&part(), (FULL - 1, FULL), None);
}

#[test]
fn the_longest_name_leaves_room_for_the_hash() {
    let policy = PolicyId::parse(&"p".repeat(64)).unwrap();
    let name = new_execution(&Options::default(), &policy, 0, &progress(TURNS_MAX, 0)).unwrap();
    assert!(name.len() + 33 <= 80, "{name}");
}

#[test]
fn an_execution_has_room_for_its_turns_and_the_tries() {
    /// "Maximum event history size", and the events of a turn and of a try.
    const EVENTS_MAX: u32 = 25_000;
    const OF_TURN: u32 = 9;
    const OF_TRY: u32 = 3;
    const { assert!(TURNS_PER_EXECUTION * (OF_TURN + OF_TRY) < EVENTS_MAX) };
    const { assert!(TURNS_OF_PART_MAX * OF_TURN < EVENTS_MAX * 9 / 10 + OF_TURN) };
}

#[test]
fn whatever_moves_makes_a_run_worth_waiting_for() {
    let failed = Outcome::Failed(Failed { kind: FailedKind::Unclear, code: String::new(), message: String::new() });
    #[track_caller]
    fn check(outcomes: &[Outcome], pending: usize, expected: (u32, u64)) {
        let mut now = Progress { pending: 5, ..progress(10, 7) };
        let snapshot = snapshot(1, 1, START);
        let action = crate::plan::call::deletion(&sample(), &snapshot);
        let done: Vec<_> = outcomes.iter().map(|outcome| (action.clone(), outcome.clone())).collect();
        note(&mut now, &done, pending);
        assert_eq!((now.idle_turns, now.pending), expected, "{outcomes:?}");
    }
    check(&[], 5, (8, 5));
    check(&[], 4, (0, 4));
    check(&[], 6, (8, 5));
    check(&[failed.clone(), Outcome::NotStarted], 5, (8, 5));
    check(&[failed, Outcome::Deleted], 5, (0, 5));
    check(&[Outcome::Created(vec![])], 6, (0, 6));
}

#[test]
fn what_comes_and_goes_in_a_list_is_no_movement() {
    let mut now = progress(1, 0);
    note(&mut now, &[], 3);
    // Bounded by the range.
    for turn in 2..=101 {
        now.turns = turn;
        note(&mut now, &[], if turn % 2 == 0 { 2 } else { 3 });
    }
    assert_eq!((now.idle_turns, now.pending), (99, 2));
}
