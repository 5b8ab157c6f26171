//! Tables: what an answer says beside the report, by how the turn ended and whose it is.

use super::*;
use crate::event;
use crate::plan;
use crate::policy::decode::IdRule;
use crate::report::report;
use crate::turn::RunOutcome;
use crate::turn::lifetime::TURNS_PER_EXECUTION;
use crate::world::World;

fn event_with(options: &Value) -> Event {
    let mut event: Value = serde_json::from_str(include_str!("../../events/sample.json")).unwrap();
    event["Options"] = options.clone();
    event["ScheduledTime"] = json!("2026-11-22T17:00:00Z");
    event::read(&event, IdRule::Required).value.unwrap()
}

fn answer(event: &Event, turns: u32, status: Status) -> Value {
    let now = crate::fixtures::at("2026-11-22T17:00:00Z");
    let progress = Progress { turns, ..event.progress_at(now).unwrap() };
    let nothing = World::default();
    let plan = plan::plan(&event.policy, &event.options, &progress.start(), now, &nothing);
    let report = report(&event.policy, &event.options, &plan, &progress, status, &[]);
    let conclusion = Conclusion { status, progress, done: vec![], denied: None };
    serde_json::to_value(Answer::new(event, &conclusion, report, &[], None)).unwrap()
}

#[test]
fn a_new_execution_is_asked_for_by_a_whole_run_that_goes_on_and_a_part_is_told_by_one_of_several_that_is_done() {
    #[track_caller]
    fn check(options: &Value, turns: u32, status: Status, new_execution: Option<&str>, part: Option<u64>) {
        let answer = answer(&event_with(options), turns, status);
        assert_eq!(answer.get("NewExecution").map(|name| name.as_str().unwrap()), new_execution, "{answer}");
        assert_eq!(answer.get("Part").map(|part| part["Number"].as_u64().unwrap()), part, "{answer}");
    }
    let (own, target) = (json!({}), json!({ "Target": { "Region": "eu-west-1" } }));
    let one_of_two = json!({ "Target": { "Region": "eu-west-1", "Number": 1, "Of": 2 } });
    let (goes_on, done) = (Status::Waiting { seconds: 60 }, Status::Done(RunOutcome::Succeeded));
    let name = Some("policy-0123456789abcdef0-20261122T170000Z-2");
    for whole in [&own, &target] {
        check(whole, TURNS_PER_EXECUTION - 1, goes_on, None, None);
        check(whole, TURNS_PER_EXECUTION, goes_on, name, None);
        check(whole, TURNS_PER_EXECUTION, done, None, None);
    }
    check(&one_of_two, TURNS_PER_EXECUTION, goes_on, None, None);
    check(&one_of_two, TURNS_PER_EXECUTION, done, None, Some(1));
}

#[test]
fn the_error_of_one_of_many_targets_is_cut_to_its_room() {
    let error = |of| TurnError::Unavailable("e".repeat(2_000)).of_target(OneOf { number: 3, of });
    for (of, length_max) in [(40, 1_000), (200, 200)] {
        let told = error(of).told(OneOf { number: 3, of });
        assert_eq!((&told["Number"], &told["Failure"]["Error"]), (&json!(3), &json!("Unavailable")));
        let length = told["Failure"]["Cause"].as_str().unwrap().chars().count();
        assert!((length_max / 2..=length_max + 10).contains(&length), "{of}: {length}");
    }
}
