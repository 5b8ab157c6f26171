//! Which schedules are written and taken away, and under which revision and consents.

use super::*;
use std::collections::BTreeMap;

#[track_caller]
fn check(event: &Value, deployed: Vec<Found>, expected: &[&str]) -> Put {
    let put = put_at(event, deployed, NOW).unwrap();
    assert_eq!(told(&put), expected);
    put
}

const OLD: &str = "2026-11-20T08:00:00Z";

#[test]
fn a_new_policy_gets_a_schedule_for_each_start_with_the_same_whole_input() {
    let put = check(
        &two(ID),
        vec![],
        &[
            "create opendlm/policy-0123456789abcdef0-1 cron(0 17 * * ? *)",
            "create opendlm/policy-0123456789abcdef0-2 cron(0 3 ? * SUN *)",
        ],
    );
    let expected = {
        let mut event = two(ID);
        event["ScheduledTime"] = json!("<aws.scheduler.scheduled-time>");
        event["Revision"] = json!(NOW);
        event
    };
    for schedule in &put.create {
        assert_eq!(serde_json::from_str::<Value>(&schedule.input).unwrap(), expected);
        assert_eq!((&schedule.target, schedule.event_age_seconds_max), (&target(), 3600));
    }
    assert_eq!(put.changes, Vec::<String>::new());
}

#[test]
fn an_edit_writes_all_schedules_and_takes_the_left_over_ones_away() {
    let old = two(ID);
    check(
        &old,
        both(&old, OLD),
        &[
            "update opendlm/policy-0123456789abcdef0-1 cron(0 17 * * ? *)",
            "update opendlm/policy-0123456789abcdef0-2 cron(0 3 ? * SUN *)",
        ],
    );
    // The weekly one is gone; and one that was there under a name that no start has now goes too.
    let only_daily = event(ID, &[schedule("Daily", &daily("05:00"), 7)]);
    let mut deployed = both(&old, OLD);
    deployed.push(found("of-my-own", "cron(0 9 * * ? *)", &old, OLD));
    check(
        &only_daily,
        deployed,
        &[
            "update opendlm/policy-0123456789abcdef0-1 cron(0 5 * * ? *)",
            "delete opendlm/of-my-own",
            "delete opendlm/policy-0123456789abcdef0-2",
        ],
    );
}

#[test]
fn a_schedule_of_0_1_in_the_default_group_is_taken_over_with_its_id() {
    let old = event(ID, &[schedule("Daily", &daily("17:00"), 7)]);
    let mut by_hand = found("opendlm-OpendlmSchedule-1ABC", "rate(1 hour)", &old, OLD);
    by_hand.id.group = "default".to_owned();
    by_hand.input = old.to_string();
    check(
        &old,
        vec![by_hand],
        &[
            "create opendlm/policy-0123456789abcdef0-1 cron(0 17 * * ? *)",
            "delete default/opendlm-OpendlmSchedule-1ABC",
        ],
    );
}

#[test]
fn whose_a_schedule_is_says_its_input_and_never_its_name() {
    let other = two("policy-other");
    // Another policy's schedule whose name begins with our id, and is none of our names.
    let alien = found("policy-0123456789abcdef0-x", "cron(0 1 * * ? *)", &other, OLD);
    check(
        &two(ID),
        vec![alien],
        &[
            "create opendlm/policy-0123456789abcdef0-1 cron(0 17 * * ? *)",
            "create opendlm/policy-0123456789abcdef0-2 cron(0 3 ? * SUN *)",
        ],
    );
}

#[test]
fn a_name_that_another_policy_or_nobody_has_is_not_written_over() {
    let refused = |found: Found| put_at(&two(ID), vec![found], NOW).unwrap_err().to_string();
    let name = "policy-0123456789abcdef0-2";
    assert_eq!(
        refused(found(name, "cron(0 1 * * ? *)", &two("policy-other"), OLD)),
        "the schedule opendlm/policy-0123456789abcdef0-2 exists already and starts the policy policy-other; give the policy \
         another PolicyId, or delete that schedule"
    );
    let mut nobodys = found(name, "cron(0 1 * * ? *)", &two(ID), OLD);
    nobodys.input = "{}".to_owned();
    assert!(refused(nobodys).contains("exists already and no policy can be read from its input"));
}

#[test]
fn what_scheduler_cannot_start_is_refused() {
    let meeting = event(
        ID,
        &[
            schedule("Last", &json!({ "CronExpression": "cron(59 23 L * ? *)" }), 3),
            schedule("Monday", &json!({ "CronExpression": "cron(59 23 ? * 2L *)" }), 3),
        ],
    );
    assert!(matches!(put_at(&meeting, vec![], NOW), Err(PutError::Starts(StartsError::Collision { .. }))));
}

#[test]
fn each_revision_is_later_than_the_deployed_one_also_of_an_old_file_and_by_a_slow_clock() {
    let old = two(ID);
    let revision = |deployed: &str, now: &str| put_at(&old, both(&old, deployed), now).unwrap().revision;
    assert_eq!(revision(OLD, NOW), at(NOW));
    assert_eq!(revision(NOW, NOW), at("2026-11-26T10:00:01Z"));
    assert_eq!(revision("2026-11-27T00:00:00Z", NOW), at("2026-11-27T00:00:01Z"));
    assert_eq!(revision(OLD, "2026-11-26T10:00:00.9Z"), at(NOW));
    // Half-written: later than the newest of them.
    let mut half = both(&old, OLD);
    half[1] = both(&old, NOW).remove(1);
    assert_eq!(put_at(&old, half, NOW).unwrap().revision, at("2026-11-26T10:00:01Z"));
}

fn counts(put: &Put) -> Value {
    Value::Object(put.document.clone()).pointer("/Options/AcceptCount").cloned().unwrap_or(Value::Null)
}

const DAILY_COUNT: &str = "/Policy/PolicyDetails/Schedules/0/RetainRule/Count";

#[test]
fn a_lowered_count_is_consented_to_for_that_count_alone() {
    let old = two(ID);
    let lowered = with(old.clone(), DAILY_COUNT, json!(3));
    let put = put_at(&lowered, both(&old, OLD), NOW).unwrap();
    assert_eq!(counts(&put), json!({ "Daily": 3 }));
    assert_eq!(put.lowered, [("Daily".to_owned(), (7, 3))].into());
    assert_eq!(put.changes, ["\"Daily\": keep 7 -> 3"]);

    let raised = with(old.clone(), DAILY_COUNT, json!(9));
    assert_eq!(counts(&put_at(&raised, both(&old, OLD), NOW).unwrap()), Value::Null);
    // A new policy lowers nothing.
    assert_eq!(counts(&put_at(&lowered, vec![], NOW).unwrap()), Value::Null);
}

#[test]
fn a_consent_stays_while_the_count_stays_and_no_longer() {
    let with_consent = with_options(with(two(ID), DAILY_COUNT, json!(3)), json!({ "AcceptCount": { "Daily": 3 } }));
    let same = with(with(two(ID), DAILY_COUNT, json!(3)), "/Policy/Description", json!("Another word"));
    assert_eq!(counts(&put_at(&same, both(&with_consent, OLD), NOW).unwrap()), json!({ "Daily": 3 }));
    assert_eq!(counts(&put_at(&two(ID), both(&with_consent, OLD), NOW).unwrap()), Value::Null);
    let lower = with(two(ID), DAILY_COUNT, json!(2));
    assert_eq!(counts(&put_at(&lower, both(&with_consent, OLD), NOW).unwrap()), json!({ "Daily": 2 }));
}

#[test]
fn a_renamed_schedule_is_lowered_too_when_the_options_say_what_it_was_called() {
    let old = two(ID);
    let renamed =
        with(with(old.clone(), "/Policy/PolicyDetails/Schedules/0/Name", json!("Nightly")), DAILY_COUNT, json!(3));
    let told = with_options(renamed.clone(), json!({ "PreviousNames": { "Nightly": ["Daily"] } }));
    assert_eq!(counts(&put_at(&told, both(&old, OLD), NOW).unwrap()), json!({ "Nightly": 3 }));

    let put = put_at(&renamed, both(&old, OLD), NOW).unwrap();
    assert_eq!(
        put.changes,
        [
            "\"Daily\": this schedule is gone",
            "\"Nightly\": this schedule is new",
            "what \"Daily\" made stays and nothing manages it; if it was renamed, say so in Options.PreviousNames",
        ]
    );
}

#[test]
fn a_disabled_policy_gets_schedules_that_start_nothing() {
    let off = with(event(ID, &[schedule("Daily", &daily("17:00"), 7)]), "/Policy/State", json!("DISABLED"));
    check(&off, vec![], &["create opendlm/policy-0123456789abcdef0-1 cron(0 17 * * ? *) off"]);

    let on = event(ID, &[schedule("Daily", &daily("17:00"), 7)]);
    let mut deployed = found("policy-0123456789abcdef0-1", "cron(0 17 * * ? *)", &on, OLD);
    deployed.is_enabled = false;
    let put = check(&on, vec![deployed], &["update opendlm/policy-0123456789abcdef0-1 cron(0 17 * * ? *)"]);
    assert_eq!(put.changes, ["the schedules were DISABLED and are ENABLED then"]);
}

#[test]
fn after_the_stack_was_made_anew_everything_points_at_the_new_one() {
    let old = two(ID);
    let mut deployed = both(&old, OLD);
    deployed.iter_mut().for_each(|each| each.machine = "the old machine".to_owned());
    let faults = inventory(deployed.clone()).policies[0].faults(GROUP, &target());
    assert_eq!(
        faults,
        ["opendlm/policy-0123456789abcdef0-1 starts another machine; opendlm put --all points it at the stack's"]
    );
    let put = put_at(&old, deployed, NOW).unwrap();
    assert!(put.update.len() == 2 && put.update.iter().all(|each| each.target == target()));
}

#[test]
fn what_somebody_agreed_to_is_told_from_what_has_changed_since() {
    let (old, new) = (two(ID), with(two(ID), DAILY_COUNT, json!(3)));
    let agreed = put_at(&new, both(&old, OLD), NOW).unwrap();
    let later = |deployed: Vec<Found>| put_at(&new, deployed, "2026-11-26T11:00:00Z").unwrap().does_what(&agreed);
    assert!(later(both(&old, OLD)));
    // Put again by somebody, as it was: the same follows from it.
    assert!(later(both(&old, NOW)));
    let mut off = both(&old, OLD);
    off.iter_mut().for_each(|each| each.is_enabled = false);
    for changed in [vec![], both(&old, OLD)[..1].to_vec(), off, both(&with(old.clone(), DAILY_COUNT, json!(5)), OLD)] {
        assert!(!later(changed.clone()), "{changed:?}");
    }
}

#[test]
fn a_lower_count_that_nobody_is_asked_about_is_deployed_without_consent_unless_it_is_named() {
    let (before, target) = (two(ID), target());
    let edited = with(two(ID), "/Policy/PolicyDetails/Schedules/0/RetainRule/Count", json!(3));
    let accepted = |consent: Consent<'_>| {
        let way = Way { group: GROUP, target: &target, is_off: false, consent, now: at(NOW) };
        let put = super::super::put::put(&to_put(&edited), &inventory(both(&before, "2026-11-20T10:00:00Z")), way);
        let put = put.unwrap();
        let is_told = put.changes.iter().any(|line| line.contains("--accept \"Daily\""));
        (put.document.get("Options").and_then(|options| options.get("AcceptCount")).cloned(), is_told)
    };
    let agreed = Some(json!({ "Daily": 3 }));
    assert_eq!(accepted(Consent::Asked), (agreed.clone(), false));
    assert_eq!(accepted(Consent::Named(&["Daily".to_owned()])), (agreed, false));
    assert_eq!(accepted(Consent::Named(&["Weekly".to_owned()])), (Some(json!({ "Weekly": 4 })), true));
    assert_eq!(accepted(Consent::Named(&[])), (None, true));
}

#[test]
fn without_a_question_a_consent_in_the_file_is_none() {
    let (before, target) = (two(ID), target());
    let edited = with(two(ID), "/Policy/PolicyDetails/Schedules/0/RetainRule/Count", json!(3));
    let edited = with_options(edited, json!({ "AcceptCount": { "Daily": 3 } }));
    let accepted = |consent: Consent<'_>, deployed: &Value| {
        let way = Way { group: GROUP, target: &target, is_off: false, consent, now: at(NOW) };
        let put = super::super::put::put(&to_put(&edited), &inventory(both(deployed, "2026-11-20T10:00:00Z")), way);
        let put = put.unwrap();
        let is_told = put.changes.iter().any(|line| line.contains("--accept \"Daily\""));
        (put.accepted, is_told)
    };
    let agreed = BTreeMap::from([("Daily".to_owned(), 3)]);
    assert_eq!(accepted(Consent::Asked, &before), (agreed.clone(), false));
    assert_eq!(accepted(Consent::Named(&[]), &before), (BTreeMap::new(), true));
    assert_eq!(accepted(Consent::Named(&["Daily".to_owned()]), &before), (agreed.clone(), false));
    // It is deployed already: nothing new is agreed to.
    assert_eq!(accepted(Consent::Named(&[]), &edited), (agreed.clone(), false));
    // The count was lowered before without consent, and is agreed to now.
    let lowered = with(two(ID), "/Policy/PolicyDetails/Schedules/0/RetainRule/Count", json!(3));
    assert_eq!(accepted(Consent::Named(&["Daily".to_owned()]), &lowered), (agreed, false));
}

#[test]
fn a_place_in_which_the_policy_worked_and_does_not_any_more_is_told() {
    let told = |old: Value, new: Value| -> Vec<String> {
        let event = |options: &Value| with_options(two(ID), options.clone());
        let put = put_at(&event(&new), both(&event(&old), OLD), NOW).unwrap();
        put.changes.into_iter().filter(|line| line.contains("no run manages")).collect()
    };
    let region = |name: &str| json!({ "Target": { "Region": name } });
    let both_of = |names: [&str; 2]| json!({ "Targets": [{ "Regions": names }] });
    assert_eq!(told(json!({}), json!({})), Vec::<String>::new());
    // The machine of these tests is in no Region that can be read.
    assert!(told(json!({}), region("eu-west-1"))[0].starts_with("the stack's own account and Region is left"));
    let moved = |from: &str| {
        let machine = format!("arn:aws:states:{from}:111122223333:stateMachine:opendlm");
        let (target, old) = (Target { machine, ..target() }, two(ID));
        let way = Way { group: GROUP, target: &target, is_off: false, consent: Consent::Asked, now: at(NOW) };
        let new = to_put(&with_options(two(ID), region("eu-west-1")));
        let put = super::super::put::put(&new, &inventory(both(&old, OLD)), way).unwrap();
        put.changes.into_iter().find(|line| line.contains("no run manages"))
    };
    // Named or not, it is the same place.
    assert_eq!(moved("eu-west-1"), None);
    assert!(moved("us-east-1").unwrap().starts_with("own account in us-east-1 is left"));
    assert!(told(region("eu-west-1"), json!({}))[0].starts_with("own account in eu-west-1 is left"));
    let narrowed = told(both_of(["eu-west-1", "eu-west-2"]), region("eu-west-1"));
    assert!(narrowed.len() == 1 && narrowed[0].starts_with("own account in eu-west-2 is left"), "{narrowed:?}");
    assert_eq!(told(region("eu-west-1"), both_of(["eu-west-1", "eu-west-2"])), Vec::<String>::new());
}
