//! Whose a schedule is, and what is wrong with what is deployed.

use super::*;
use crate::live::deployed::State;

const OLD: &str = "2026-11-20T08:00:00Z";

#[track_caller]
fn check(found: Vec<Found>, state: State, faults: &[&str]) {
    let Inventory { policies, strangers } = inventory(found);
    let [deployed] = &policies[..] else { panic!("{policies:?}") };
    assert_eq!((deployed.state(), strangers), (state, vec![]));
    assert_eq!(deployed.faults(GROUP, &target()), faults);
}

#[test]
fn all_is_well() {
    check(both(&two(ID), OLD), State::Enabled, &[]);
}

#[test]
fn each_schedule_is_of_one_policy_or_a_stranger() {
    let mut nobodys = found("something", "rate(1 hour)", &two(ID), OLD);
    nobodys.input = "not JSON".to_owned();
    let mut bare = found("bare", "rate(1 hour)", &two(ID), OLD);
    // A bare policy, as somebody may have written it into a schedule: no function takes it, but whose it is can be read.
    bare.input = two("policy-bare")["Policy"].to_string();
    let all = [both(&two("policy-b"), OLD), both(&two("policy-a"), OLD), vec![nobodys, bare]].concat();
    let Inventory { policies, strangers } = inventory(all);
    let told: Vec<(&str, usize)> = policies.iter().map(|each| (each.id.as_str(), each.schedules.len())).collect();
    assert_eq!(told, [("policy-a", 2), ("policy-b", 2), ("policy-bare", 1)]);
    let names: Vec<String> = strangers.iter().map(|each| each.id.to_string()).collect();
    assert_eq!(names, ["opendlm/something"]);
}

#[test]
fn a_half_written_policy_is_seen_by_its_revision_and_the_newest_counts() {
    let old = two(ID);
    let new = with(old.clone(), "/Policy/Description", json!("Another word"));
    let mut half = both(&old, OLD);
    half[1] = both(&new, NOW).remove(1);
    check(
        half.clone(),
        State::Enabled,
        &["half-written: opendlm/policy-0123456789abcdef0-1 has an older policy; put it again"],
    );
    assert_eq!(inventory(half).policies[0].newest().document, document_of(&new));
}

#[test]
fn a_policy_without_one_of_its_starts_is_half_written_too() {
    let mut half = both(&two(ID), OLD);
    half.remove(1);
    check(half, State::Enabled, &["half-written: nothing starts it at cron(0 3 ? * SUN *); put it again"]);
    let mut more = both(&two(ID), OLD);
    more.push(found("of-my-own", "cron(0 9 * * ? *)", &two(ID), OLD));
    check(more, State::Enabled, &["cron(0 9 * * ? *) is not what its schedules ask for; put it again to take it away"]);
}

#[test]
fn a_schedule_of_0_1_says_how_it_is_taken_over() {
    let mut by_hand = found("by-hand", "rate(1 hour)", &two(ID), OLD);
    by_hand.id.group = "default".to_owned();
    by_hand.input = two(ID).to_string();
    check(
        vec![by_hand],
        State::Enabled,
        &["default/by-hand is not in the group opendlm; put it again to take it over"],
    );
}

#[test]
fn the_state_is_that_of_all_schedules_and_of_the_policy() {
    let mut partly = both(&two(ID), OLD);
    partly[0].is_enabled = false;
    check(partly.clone(), State::Partly, &[]);
    partly[1].is_enabled = false;
    check(partly, State::Disabled, &[]);
    check(both(&with(two(ID), "/Policy/State", json!("DISABLED")), OLD), State::Disabled, &[]);
}

#[test]
fn an_event_that_is_refused_now_is_a_fault() {
    let broken = with(two(ID), "/Policy/PolicyDetails/Schedules/0/RetainRule/Count", json!("many"));
    let faults = inventory(both(&broken, OLD)).policies[0].faults(GROUP, &target());
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].starts_with("its event is refused: Policy.PolicyDetails.Schedules[0].RetainRule.Count"),
        "{faults:?}"
    );
}
