//! What is around the policies: who asks, the clock, the stack.

use super::*;
use crate::live::deployed::Stranger;

#[test]
fn a_clock_that_is_off_is_wrong_whichever_way_and_says_by_how_much() {
    let ahead =
        |seconds| move |gathered: &mut Gathered| gathered.clock_ahead = Look::Seen(SignedDuration::from_secs(seconds));
    check(ahead(60), &[], &[]);
    assert!(says(&check(ahead(400), &["clock"], &[]), "clock").contains("400 s ahead of EC2"));
    assert!(says(&check(ahead(-61), &["clock"], &[]), "clock").contains("61 s behind EC2"));
}

#[test]
fn the_stack_of_another_place_is_wrong() {
    check_stack(
        |stack| stack.target.machine = MACHINE.replace("eu-west-1", "eu-west-2"),
        &["identity", "schedules"],
        &[],
    );
}

#[test]
fn a_part_of_another_version_is_wrong_and_one_that_does_not_say_is_unknown() {
    check_stack(|stack| stack.version = Some("0.1.0".to_owned()), &["version"], &[]);
    check_stack(|stack| stack.version = None, &[], &["version"]);
    check_stack(|stack| stack.function_version = Look::Seen(Some("0.1.0".to_owned())), &["function"], &[]);
    check_stack(|stack| stack.function_version = Look::Seen(None), &[], &["function"]);
    let mut other = definition();
    other["States"]["Pause"] = json!({ "Type": "Pass", "End": true });
    check_stack(|stack| stack.definition = Look::Seen(other), &["machine"], &[]);
    check_stack(|stack| stack.definition = Look::Seen(json!({ "States": {} })), &["machine"], &[]);
    check_stack(|stack| stack.definition = Look::Wrong("StateMachineDoesNotExist".to_owned()), &["machine"], &[]);
}

#[test]
fn what_a_definition_is_filled_with_is_read_from_it() {
    let filled = machine::read(&definition(), MACHINE).unwrap();
    assert_eq!((filled.function.as_str(), filled.topic.as_deref()), ("function", Some("topic")));
    assert!(filled.is_of_this_version);
    let text = definition().to_string().replace("arn:aws:", "arn:aws-cn:");
    let elsewhere: Value = serde_json::from_str(&text).unwrap();
    assert!(machine::read(&elsewhere, &MACHINE.replace("arn:aws:", "arn:aws-cn:")).unwrap().is_of_this_version);
}

#[test]
fn a_start_that_was_not_delivered_is_wrong() {
    check_stack(|stack| stack.dead_letters = Look::Seen(2), &["dead letters"], &[]);
    check_stack(|stack| stack.dead_letters = Look::Wrong("NonExistentQueue".to_owned()), &["dead letters"], &[]);
    check_stack(|stack| stack.dead_letters = Look::Unknown("denied".to_owned()), &[], &["dead letters"]);
}

#[test]
fn who_has_not_confirmed_does_not_hear() {
    let subscribers = |confirmed, pending| {
        move |stack: &mut Stack| stack.subscribers = Look::Seen(Subscribers { confirmed, pending })
    };
    check_stack(subscribers(0, 0), &["mail"], &[]);
    assert!(says(&check_stack(subscribers(0, 1), &["mail"], &[]), "mail").contains("1 subscription is not confirmed"));
    check_stack(subscribers(1, 3), &[], &[]);
}

#[test]
fn a_stack_that_is_not_there_is_wrong_and_for_a_file_unknown() {
    let gone = |scope| {
        move |gathered: &mut Gathered| {
            gathered.scope = scope;
            gathered.stack = Look::Wrong("there is no schedule group opendlm".to_owned());
            gathered.policies.clear();
        }
    };
    check(gone(Scope::Stack), &["stack"], &[]);
    check(gone(Scope::Policy), &[], &["stack"]);
}

#[test]
fn a_stack_that_backs_up_nothing_is_wrong() {
    check(|gathered| gathered.policies.clear(), &["policies"], &[]);
    check_policy(
        |seen| {
            seen.deployed = deployed(vec![found("DISABLED")]);
            seen.policy.as_mut().unwrap().state = crate::policy::PolicyState::Disabled;
        },
        &["policies"],
        &[],
    );
}

#[test]
fn a_schedule_that_is_nobodys_is_wrong() {
    let id = ScheduleId { group: "opendlm".to_owned(), name: "mine".to_owned() };
    check_stack(|stack| stack.strangers = vec![Stranger { id, why: "no event".to_owned() }], &["schedules"], &[]);
}

#[test]
fn quotas_of_other_names_are_told() {
    let quotas = QuotaNames { listed: vec![], unlisted: vec!["CreateSnapshot"] };
    let lines = check(|gathered| gathered.quotas = Look::Seen(quotas), &[], &["quotas"]);
    assert!(says(&lines, "to report back").ends_with("quotas=0-of-1"));
}
