//! Tables: what is deployed and what is wanted, and what follows.

mod change;
mod deployed;
mod document;
mod effect;
mod file;
mod put;
mod template;

use super::deployed::{Found, Inventory, inventory};
use super::document::{Document, Wanted, input, wanted};
use super::put::{Consent, Put, PutError, Way};
use super::*;
use crate::fixtures::at;
use crate::starts::StartsError;
use serde_json::{Value, json};

const ID: &str = "policy-0123456789abcdef0";
const GROUP: &str = "opendlm";
const NOW: &str = "2026-11-26T10:00:00Z";

fn target() -> Target {
    Target { machine: "machine".to_owned(), role: "role".to_owned(), dead_letter_queue: "queue".to_owned() }
}

fn schedule(name: &str, rule: &Value, count: u32) -> Value {
    json!({ "Name": name, "CreateRule": rule, "RetainRule": { "Count": count } })
}

fn daily(time: &str) -> Value {
    json!({ "Interval": 24, "IntervalUnit": "HOURS", "Times": [time] })
}

fn event(id: &str, schedules: &[Value]) -> Value {
    json!({
        "Policy": {
            "PolicyId": id,
            "Description": "Backups",
            "State": "ENABLED",
            "PolicyDetails": {
                "ResourceTypes": ["VOLUME"],
                "TargetTags": [{ "Key": "backup", "Value": "yes" }],
                "Schedules": schedules,
            },
        },
    })
}

/// A daily and a weekly schedule, far apart: two starts.
fn two(id: &str) -> Value {
    let weekly = json!({ "CronExpression": "cron(0 3 ? * SUN *)" });
    event(id, &[schedule("Daily", &daily("17:00"), 7), schedule("Weekly", &weekly, 4)])
}

fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    *event.pointer_mut(pointer).unwrap() = value;
    event
}

fn with_options(mut event: Value, options: Value) -> Value {
    event["Options"] = options;
    event
}

#[track_caller]
fn to_put(event: &Value) -> Wanted {
    let reading = wanted(event);
    assert_eq!(reading.refusal(), None);
    reading.value.unwrap()
}

fn document_of(event: &Value) -> Document {
    event.as_object().unwrap().clone()
}

/// A schedule that starts an event, as `put` writes it.
fn found(name: &str, expression: &str, event: &Value, revision: &str) -> Found {
    Found {
        id: ScheduleId { group: GROUP.to_owned(), name: name.to_owned() },
        is_enabled: true,
        expression: expression.to_owned(),
        timezone: "UTC".to_owned(),
        machine: "machine".to_owned(),
        role: "role".to_owned(),
        dead_letter_queue: Some("queue".to_owned()),
        input: input(&document_of(event), at(revision)),
    }
}

/// Both schedules of [`two`], deployed.
fn both(event: &Value, revision: &str) -> Vec<Found> {
    let id = event.pointer("/Policy/PolicyId").and_then(Value::as_str).unwrap();
    vec![
        found(&format!("{id}-1"), "cron(0 17 * * ? *)", event, revision),
        found(&format!("{id}-2"), "cron(0 3 ? * SUN *)", event, revision),
    ]
}

fn put_at(event: &Value, deployed: Vec<Found>, now: &str) -> Result<Put, PutError> {
    let target = target();
    let way = Way { group: GROUP, target: &target, is_off: false, consent: Consent::Asked, now: at(now) };
    super::put::put(&to_put(event), &inventory(deployed), way)
}

/// What a put does, a line each: the schedules in the order in which they are written.
fn told(put: &Put) -> Vec<String> {
    let written = |word: &str, list: &[Written]| -> Vec<String> {
        let line = |each: &Written| {
            let off = if each.is_enabled { "" } else { " off" };
            format!("{word} {} {}{off}", each.id, each.expression)
        };
        list.iter().map(line).collect()
    };
    let mut lines = [written("create", &put.create), written("update", &put.update)].concat();
    lines.extend(put.delete.iter().map(|id| format!("delete {id}")));
    lines
}

#[test]
fn the_tags_of_a_group_name_all_three_or_it_is_not_of_a_stack() {
    let tags = |list: &[(&str, &str)]| -> Vec<(String, String)> {
        list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let all = [
        ("opendlm:state-machine", "machine"),
        ("opendlm:scheduler-role", "role"),
        ("opendlm:dead-letter-queue", "queue"),
    ];
    assert_eq!(Target::of_tags(&tags(&all)), Ok(target()));
    assert_eq!(Target::of_tags(&tags(&all[..2])), Err(vec!["opendlm:dead-letter-queue"]));
    let empty = [("opendlm:state-machine", ""), all[1], all[2]];
    assert_eq!(Target::of_tags(&tags(&empty)), Err(vec!["opendlm:state-machine"]));
}

#[test]
fn a_start_is_delivered_for_as_long_as_it_makes_anything_within_the_bounds_of_scheduler() {
    let seconds = |minutes| event_age_seconds_max(SignedDuration::from_mins(minutes));
    assert_eq!((seconds(60), seconds(0), seconds(1440), seconds(5000)), (3600, 60, 86_400, 86_400));
}
