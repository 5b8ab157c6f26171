//! `Options`: what opendlm offers beyond Amazon DLM's policy.

use super::keys::Keys;
use crate::options::Options;
use crate::policy::decode::{Finding, Reading};
use crate::policy::{Policy, ScheduleName};
use jiff::SignedDuration;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Options of the contract that are not carried out yet.
const NOT_SUPPORTED: [&str; 7] =
    ["AgeWithoutNewBackups", "ApiShare", "Batch", "MaximumDeletions", "MinimumKept", "Orphans", "Targets"];

/// Reads the options that stand at `path`; `policy` is what they are about, where it could be read.
pub(super) fn read(object: Option<&Map<String, Value>>, path: &str, policy: Option<&Policy>) -> Reading<Options> {
    let empty = Map::new();
    let prefix = format!("{path}.");
    let mut keys = Keys::new(object.unwrap_or(&empty), &prefix);
    let mut options = Options::default();
    if let Some(dry_run) = keys.boolean("DryRun") {
        options.dry_run = dry_run;
    }
    if let Some(run_now) = keys.boolean("RunNow") {
        options.run_now = run_now;
    }
    if let Some(minutes) = keys.number("StartWindowMinutes", Options::START_WINDOW_MINUTES_MAX) {
        options.start_window = SignedDuration::from_mins(i64::from(minutes));
    }
    for key in NOT_SUPPORTED {
        if keys.any(key).is_some() {
            keys.not_supported(key);
        }
    }
    let previous_names = keys.object("PreviousNames");
    let not_supported = keys.take_not_supported();
    let mut errors = keys.finish();
    if let Some(previous_names) = previous_names {
        options.previous_names =
            read_previous_names(previous_names, &format!("{prefix}PreviousNames"), policy, &mut errors);
    }
    Reading { value: Some(options), errors, not_supported, warnings: vec![] }
}

/// `{"Default Schedule": ["Nightly"]}`: today's name, and the names that it had.
fn read_previous_names(
    object: &Map<String, Value>,
    path: &str,
    policy: Option<&Policy>,
    errors: &mut Vec<Finding>,
) -> BTreeMap<ScheduleName, Vec<ScheduleName>> {
    let mut previous_names = BTreeMap::new();
    let mut taken: BTreeMap<ScheduleName, ScheduleName> = BTreeMap::new();
    for (key, value) in object.iter().take(Options::PREVIOUS_NAMES_MAX) {
        let Some(today) = read_name(key, path, errors) else { continue };
        let path = format!("{path}.{today}");
        if policy.is_some_and(|policy| policy.schedule(&today).is_none()) {
            errors
                .push(Finding { path: path.clone(), message: format!("no schedule of the policy is called {today}") });
        }
        let Some(list) = value.as_array().filter(|list| list.len() <= Options::PREVIOUS_NAMES_MAX) else {
            let message = format!("expected a list of at most {} names", Options::PREVIOUS_NAMES_MAX);
            errors.push(Finding { path, message });
            continue;
        };
        let names: Vec<ScheduleName> = list
            .iter()
            .enumerate()
            .filter_map(|(at, name)| {
                let path = format!("{path}[{at}]");
                let name = read_name(name.as_str().unwrap_or_default(), &path, errors)?;
                if policy.is_some_and(|policy| policy.schedule(&name).is_some()) {
                    errors.push(Finding {
                        path,
                        message: format!("{name} is the name of a schedule of the policy today"),
                    });
                } else if let Some(other) = taken.insert(name.clone(), today.clone()) {
                    errors.push(Finding {
                        path,
                        message: format!("{name} is given as a previous name of {other} already"),
                    });
                }
                Some(name)
            })
            .collect();
        previous_names.insert(today, names);
    }
    if object.len() > Options::PREVIOUS_NAMES_MAX {
        let message = format!("{} schedules, expected at most {}", object.len(), Options::PREVIOUS_NAMES_MAX);
        errors.push(Finding { path: path.to_owned(), message });
    }
    previous_names
}

fn read_name(text: &str, path: &str, errors: &mut Vec<Finding>) -> Option<ScheduleName> {
    match ScheduleName::parse(text) {
        Ok(name) => Some(name),
        Err(error) => {
            errors.push(Finding { path: path.to_owned(), message: error.to_string() });
            None
        }
    }
}
