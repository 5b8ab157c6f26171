//! What an edit changes, in words: one line for each value that is another one now.

use super::document::Document;
use crate::policy::decode::shown;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// How much of a value a line quotes.
const QUOTE_LENGTH_MAX: usize = 60;

/// The values that differ, in the order of their paths; schedules are told apart by their names. Consents are left out: they are
/// asked for, not edited.
#[must_use]
pub fn changes(old: &Document, new: &Document) -> Vec<String> {
    let mut lines = Vec::new();
    objects("", old, new, &mut lines);
    lines
}

fn objects(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, lines: &mut Vec<String>) {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        values(&path, old.get(key), new.get(key), lines);
    }
}

fn values(path: &str, old: Option<&Value>, new: Option<&Value>, lines: &mut Vec<String>) {
    match (old, new) {
        _ if old == new || path == "Options.AcceptCount" => {}
        (Some(Value::Array(old)), Some(Value::Array(new))) if path == SCHEDULES => schedules(old, new, lines),
        (Some(Value::Object(old)), Some(Value::Object(new))) => objects(path, old, new, lines),
        // So that each option is a line of its own, the first one too.
        (None, Some(Value::Object(new))) if path == "Options" => objects(path, &Map::new(), new, lines),
        (Some(Value::Object(old)), None) if path == "Options" => objects(path, old, &Map::new(), lines),
        _ => lines.push(format!("{}: {} -> {}", short(path), told(old), told(new))),
    }
}

const SCHEDULES: &str = "Policy.PolicyDetails.Schedules";

fn schedules(old: &[Value], new: &[Value], lines: &mut Vec<String>) {
    let named = |list: &'_ [Value], name: &str| list.iter().position(|each| name_of(each) == name);
    for schedule in old {
        let name = name_of(schedule);
        match named(new, name).and_then(|at| new.get(at)) {
            Some(now) => {
                let mut of_schedule = Vec::new();
                values("", Some(schedule), Some(now), &mut of_schedule);
                lines.extend(of_schedule.into_iter().map(|line| {
                    let line =
                        line.strip_prefix("RetainRule.Count:").map_or(line.clone(), |rest| format!("keep{rest}"));
                    format!("\"{name}\": {line}")
                }));
            }
            None => lines.push(format!("\"{name}\": this schedule is gone")),
        }
    }
    let added = new.iter().filter(|schedule| named(old, name_of(schedule)).is_none());
    lines.extend(added.map(|schedule| format!("\"{}\": this schedule is new", name_of(schedule))));
}

/// The names of the schedules that were taken out of the policy and that no schedule says it was called: what they made is managed by
/// nothing then.
#[must_use]
pub fn forgotten_schedules(old: &Document, new: &Document) -> Vec<String> {
    let names = |document: &Document| -> Vec<String> {
        let details = document.get("Policy").and_then(|policy| policy.get("PolicyDetails"));
        let schedules = details.and_then(|details| details.get("Schedules")).and_then(Value::as_array);
        schedules.into_iter().flatten().map(|schedule| name_of(schedule).to_owned()).collect()
    };
    let previous = new.get("Options").and_then(|options| options.get("PreviousNames")).and_then(Value::as_object);
    let known: BTreeSet<String> = names(new)
        .into_iter()
        .chain(
            previous
                .into_iter()
                .flat_map(Map::values)
                .flat_map(|names| names.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)),
        )
        .collect();
    names(old).into_iter().filter(|name| !known.contains(name)).collect()
}

fn name_of(schedule: &Value) -> &str {
    schedule.get("Name").and_then(Value::as_str).unwrap_or("Default Schedule")
}

/// A path without what nearly every path begins with.
fn short(path: &str) -> &str {
    path.strip_prefix("Policy.PolicyDetails.").or_else(|| path.strip_prefix("Policy.")).unwrap_or(path)
}

fn told(value: Option<&Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(value) => shown(&tags(value).unwrap_or_else(|| value.to_string()), QUOTE_LENGTH_MAX),
    }
}

/// A list of tags, as `key=value` each.
fn tags(value: &Value) -> Option<String> {
    let tag = |tag: &Value| Some(format!("{}={}", tag.get("Key")?.as_str()?, tag.get("Value")?.as_str()?));
    let tags: Vec<String> = value.as_array()?.iter().map(tag).collect::<Option<_>>()?;
    (!tags.is_empty()).then(|| tags.join(" "))
}
