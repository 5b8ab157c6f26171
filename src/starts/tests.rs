//! What each kind of policy is started by. The properties are in `tests/it/starts.rs`.

use super::*;
use crate::fixtures;
use crate::policy::StartTime;
use crate::policy::decode::{self, IdRule};
use serde_json::{Value, json};

fn of_rules(rules: &[Value]) -> Policy {
    let schedule = |(number, rule): (usize, &Value)| json!({ "Name": format!("S{number}"), "CreateRule": rule, "RetainRule": { "Count": 3 } });
    let document = json!({
        "PolicyId": "policy-0123456789abcdef0",
        "Description": "d",
        "State": "ENABLED",
        "PolicyDetails": {
            "ResourceTypes": ["VOLUME"],
            "TargetTags": [{ "Key": "a", "Value": "b" }],
            "Schedules": (1..).zip(rules).map(schedule).collect::<Vec<_>>(),
        },
    });
    let reading = decode::policy(&document, "", IdRule::Required);
    assert_eq!(reading.errors, vec![]);
    reading.value.unwrap()
}

fn rule(text: &str) -> Value {
    match text.split_once('@') {
        Some((hours, time)) => {
            json!({ "Interval": hours.parse::<u32>().unwrap(), "IntervalUnit": "HOURS", "Times": [time] })
        }
        None => json!({ "CronExpression": format!("cron({text})") }),
    }
}

fn told(policy: &Policy, options: &Options) -> Vec<String> {
    match starts(policy, options) {
        Ok(starts) => starts
            .into_iter()
            .map(|start| {
                let serves: Vec<&str> = start.serves.iter().map(ScheduleName::as_str).collect();
                let after = if start.is_minute_after { " a minute after" } else { "" };
                format!("{} {} for {}{after}", start.number, start.expression, serves.join("+"))
            })
            .collect(),
        Err(error) => vec![error.to_string()],
    }
}

#[track_caller]
fn check(rules: &[&str], expected: &[&str]) {
    let rules: Vec<Value> = rules.iter().map(|text| rule(text)).collect();
    assert_eq!(told(&of_rules(&rules), &Options::default()), expected);
}

#[test]
fn an_interval_is_the_list_of_its_hours() {
    check(&["24@17:00"], &["1 cron(0 17 * * ? *) for S1"]);
    check(&["12@17:30"], &["1 cron(30 5,17 * * ? *) for S1"]);
    check(&["1@00:07"], &["1 cron(7 * * * ? *) for S1"]);
    check(&["8@23:59"], &["1 cron(59 7,15,23 * * ? *) for S1"]);
}

#[test]
fn a_cron_expression_has_its_values_listed() {
    check(&["0 20-2/3 ? * FRI-MON *"], &["1 cron(0 2,20,23 ? * SUN,MON,FRI,SAT *) for S1"]);
    check(&["15 5 */10 NOV-FEB ? 2026-2030"], &["1 cron(15 5 1,11,21,31 1,2,11,12 ? 2026-2030) for S1"]);
    check(&["0 9 ? * * *"], &["1 cron(0 9 * * ? *) for S1"]);
    check(&["0 9 L * ? *"], &["1 cron(0 9 L * ? *) for S1"]);
    check(&["0 9 lw * ? *"], &["1 cron(0 9 LW * ? *) for S1"]);
    check(&["0 9 15w * ? *"], &["1 cron(0 9 15W * ? *) for S1"]);
    check(&["0 9 ? * FRIL *"], &["1 cron(0 9 ? * 6L *) for S1"]);
    check(&["0 9 ? * TUE#2 *"], &["1 cron(0 9 ? * 3#2 *) for S1"]);
    check(&["0 9 ? * L *"], &["1 cron(0 9 ? * SAT *) for S1"]);
}

#[test]
fn schedules_that_never_meet_have_a_start_each() {
    check(&["24@17:00", "0 3 ? * SUN *"], &["1 cron(0 17 * * ? *) for S1", "2 cron(0 3 ? * SUN *) for S2"]);
}

#[test]
fn times_that_another_schedule_has_start_nothing_more() {
    check(&["0 9 ? * * *", "0 9 */4 * ? *", "0 9 */16 * ? *"], &["1 cron(0 9 * * ? *) for S1+S2+S3"]);
    // Whichever stands first in the policy.
    check(&["0 9 1 1 ? *", "0 9 1 * ? *", "24@09:00"], &["3 cron(0 9 * * ? *) for S1+S2+S3"]);
    check(&["24@17:00", "24@17:00"], &["1 cron(0 17 * * ? *) for S1+S2"]);
}

#[test]
fn of_the_same_days_the_later_schedule_has_the_hours_that_are_left() {
    check(&["4@00:00", "6@00:00"], &["1 cron(0 0,4,8,12,16,20 * * ? *) for S1+S2", "2 cron(0 6,18 * * ? *) for S2"]);
    check(&["0 9,10 ? * MON *", "24@09:00"], &["1 cron(0 10 ? * MON *) for S1", "2 cron(0 9 * * ? *) for S1+S2"]);
}

#[test]
fn of_two_that_meet_on_some_days_the_later_one_starts_a_minute_after() {
    check(
        &["0 5 ? * MON *", "0 5 1 * ? *"],
        &["1 cron(0 5 ? * MON *) for S1+S2", "2 cron(1 5 1 * ? *) for S1+S2 a minute after"],
    );
    // Unless a third one has that minute: then the earlier one.
    check(
        &["0 5 ? * MON *", "0 5 1 * ? *", "1 5 ? * MON *"],
        &[
            "1 cron(0 5 ? * MON *) for S1+S2",
            "2 cron(1 5 1 * ? *) for S1+S2 a minute after",
            "3 cron(2 5 ? * MON *) for S3 a minute after",
        ],
    );
    // A minute after the last one of an hour is in the next hour.
    check(
        &["59 5,6 ? * MON *", "59 6,7 1 * ? *"],
        &["1 cron(59 5,6 ? * MON *) for S1+S2", "2 cron(0 7,8 1 * ? *) for S1+S2 a minute after"],
    );
}

#[test]
fn a_minute_after_midnight_is_on_the_days_after_where_an_expression_names_them() {
    check(
        &["59 23 L * ? *", "59 23 ? * MON,SAT *"],
        &["1 cron(59 23 L * ? *) for S1+S2", "2 cron(0 0 ? * SUN,TUE *) for S1+S2 a minute after"],
    );
    check(
        &["59 23 ? * MON *", "59 23 1,27 * ? 2026-2030"],
        &["1 cron(59 23 ? * MON *) for S1+S2", "2 cron(0 0 2,28 * ? 2026-2030) for S1+S2 a minute after"],
    );
    // Of the 28th the day after is the 29th, which February may lack; so the other one moves.
    check(
        &["59 23 ? * MON *", "59 23 28 * ? *"],
        &["1 cron(0 0 ? * TUE *) for S1+S2 a minute after", "2 cron(59 23 28 * ? *) for S1+S2"],
    );
    check(
        &["59 11,23 * * ? *", "59 23 L * ? *", "0 12 ? * MON *"],
        &["1 cron(59 11,23 * * ? *) for S1+S2", "3 cron(0 12 ? * MON *) for S3"],
    );
}

#[test]
fn what_no_expression_says_is_refused_with_the_schedules_and_the_time() {
    // The minute after is on the next day, and no expression names the day after the last Monday, or after the last day.
    check(
        &["59 23 L * ? *", "59 23 ? * 2L *"],
        &[
            "the schedules \"S1\", \"S2\" start in the same minute on some days (23:59 UTC), and no expression of EventBridge \
           Scheduler leaves those days out; give each of them a time of its own, two minutes or more apart",
        ],
    );
    // Three, and there are two minutes.
    check(
        &["0 5 ? * MON *", "0 5 30 * ? *", "0 5 L * ? *", "0 6 1 * ? *"],
        &[
            "the schedules \"S1\", \"S2\", \"S3\" start in the same minute on some days (05:00 UTC), and no expression of \
           EventBridge Scheduler leaves those days out; give each of them a time of its own, two minutes or more apart",
        ],
    );
    // A start a minute after would be late for such a window.
    let policy = of_rules(&[rule("0 5 ? * MON *"), rule("0 5 1 * ? *")]);
    let options = Options { start_window: SignedDuration::ZERO, ..Options::default() };
    assert!(told(&policy, &options)[0].starts_with("the schedules \"S1\", \"S2\" start in the same minute"));
}

#[test]
fn an_expression_that_is_too_long_is_refused_with_what_makes_it_shorter() {
    let years: Vec<String> = (2026..2042).map(|year| year.to_string()).collect();
    check(
        &["24@17:00", &format!("59 1-23 2-31 2-12 ? {}", years.join(","))],
        &[
            "the cron expression of the schedule \"S2\" has 257 characters once its values are listed, EventBridge Scheduler \
           takes at most 256; write its years as a range, as in 2026-2041",
        ],
    );
    check(
        &["59 1-23 2-31 2-12 ? 2026-2041"],
        &["1 cron(59 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23 \
           2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31 2,3,4,5,6,7,8,9,10,11,12 ? \
           2026-2041) for S1"],
    );
}

#[test]
fn a_default_policy_starts_once_a_day_at_a_time_that_is_always_the_same() {
    let policy = fixtures::default_policy(1, 7);
    let [start] = &starts(&policy, &Options::default()).unwrap()[..] else { panic!("one start") };
    let time = StartTime::derived(&policy.id, &policy.schedules[0].name).minute_of_day;
    assert_eq!(start.expression, format!("cron({} {} * * ? *)", time % 60, time / 60));
    assert_eq!((start.number, start.name(&policy.id)), (1, format!("{}-1", policy.id)));
}
