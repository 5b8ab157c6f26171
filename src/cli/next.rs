//! `opendlm next FILE [--from TIME] [--count N]`.

use super::Document;
use super::document::{print_json, reading, tell};
use super::output::{say, say_wrapped};
use crate::aws::clock;
use crate::policy::decode::IdRule;
use crate::policy::{Policy, Schedule};
use crate::report;
use crate::schedule;
use crate::tags::written;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Prints the coming scheduled times.
pub(super) fn next(document: &Document, from: Option<Timestamp>, count: u16) -> ExitCode {
    let reading = reading(document, IdRule::Optional);
    tell(&reading);
    let Some(event) = reading.value else { return ExitCode::FAILURE };
    let from = from.unwrap_or_else(clock::now);
    if document.json {
        print_json(&as_json(&event.policy, from, count));
    } else {
        print_text(&event.policy, from, count);
    }
    ExitCode::SUCCESS
}

fn times(schedule: &Schedule, from: Timestamp, count: u16) -> Vec<String> {
    let first = schedule::next_after(&schedule.create, from);
    let times = std::iter::successors(first, |&time| schedule::next_after(&schedule.create, time));
    times.take(usize::from(count)).map(written).collect()
}

fn as_json(policy: &Policy, from: Timestamp, count: u16) -> Value {
    let schedules = policy.schedules.iter().map(|schedule| {
        let mut entry = json!({ "Name": schedule.name.as_str(), "Times": times(schedule, from, count) });
        if let Some(time) = report::derived_start_time(&schedule.create) {
            entry["DerivedStartTime"] = Value::String(time);
        }
        entry
    });
    json!({ "Schedules": schedules.collect::<Vec<_>>() })
}

fn print_text(policy: &Policy, from: Timestamp, count: u16) {
    for schedule in &policy.schedules {
        say(schedule.name.as_str());
        if let Some(time) = report::derived_start_time(&schedule.create) {
            say_wrapped(&format!("  no Times in the policy: opendlm made {time} UTC of its id and this name"), 2);
        }
        let times = times(schedule, from, count);
        for time in &times {
            say(&format!("  {time}"));
        }
        if times.is_empty() {
            say(&format!("  no scheduled time after {}", written(from)));
        }
    }
}
