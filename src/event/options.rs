//! `Options`: what opendlm offers beyond Amazon DLM's policy.

use super::keys::{Keys, quoted};
use super::{list, targets};
use crate::options::{MaximumDeletions, Options, Orphans, WhenStopped};
use crate::pace::Share;
use crate::place::PLACES_MAX;
use crate::policy::decode::{Finding, Reading};
use crate::policy::{Age, AgeUnit, Policy, ScheduleName};
use jiff::SignedDuration;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// The units of an `IntervalUnit`, and how many of each make the 100 years that end a retention too (DLM's own
/// table: `Interval` of `RetainRule`).
const UNITS: [(&str, AgeUnit, u32); 4] = [
    ("DAYS", AgeUnit::Days, 36_500),
    ("WEEKS", AgeUnit::Weeks, 5200),
    ("MONTHS", AgeUnit::Months, 1200),
    ("YEARS", AgeUnit::Years, 100),
];

const EXPIRE_FORM: &str = r#"{"Rule": "EXPIRE", "Interval": 90, "IntervalUnit": "DAYS"}"#;

/// Reads the options that stand at `path`; `policy` is what they are about, where it could be read.
pub(super) fn read(object: Option<&Map<String, Value>>, path: &str, policy: Option<&Policy>) -> Reading<Options> {
    let empty = Map::new();
    let prefix = format!("{path}.");
    let mut keys = Keys::new(object.unwrap_or(&empty), &prefix);
    let mut options = Options::default();
    let mut warnings = Vec::new();
    if let Some(age_without_new_backups) = keys.boolean("AgeWithoutNewBackups") {
        options.age_without_new_backups = age_without_new_backups;
    }
    if let Some(api_share) = read_api_share(&mut keys) {
        options.api_share = api_share;
    }
    if keys.boolean("Batch").is_some() {
        let message =
            "means nothing any more: each volume gets its snapshot by a call of its own, take it out".to_owned();
        warnings.push(Finding { path: format!("{prefix}Batch"), message });
    }
    if let Some(dry_run) = keys.boolean("DryRun") {
        options.dry_run = dry_run;
    }
    if let Some(maximum_deletions) = read_maximum_deletions(&mut keys) {
        options.maximum_deletions = maximum_deletions;
    }
    if let Some(minimum_kept) = keys.number("MinimumKept", Options::MINIMUM_KEPT_MAX) {
        options.minimum_kept = usize::try_from(minimum_kept).expect("a number of at most 1000 fits");
    }
    if let Some(run_now) = keys.boolean("RunNow") {
        options.run_now = run_now;
    }
    let run_now_retain = keys.object("RunNowRetain");
    if let Some(minutes) = keys.number("StartWindowMinutes", Options::START_WINDOW_MINUTES_MAX) {
        options.start_window = SignedDuration::from_mins(i64::from(minutes));
        if minutes == 0 {
            let message = "0: only a start within the second of its scheduled time makes anything".to_owned();
            warnings.push(Finding { path: format!("{prefix}StartWindowMinutes"), message });
        }
    }
    if let Some(stopped) = keys.any("Stopped") {
        match stopped.as_str() {
            Some("FAIL") => options.stopped = WhenStopped::Fail,
            Some("TELL") => options.stopped = WhenStopped::Tell,
            Some(_) | None => {
                keys.mistyped::<()>("Stopped", "\"FAIL\" or \"TELL\"", stopped);
            }
        }
    }
    let accept_count = keys.object("AcceptCount");
    let orphans = keys.any("Orphans");
    let previous_names = keys.object("PreviousNames");
    let (target, all_targets) = (keys.any("Target"), keys.any("Targets"));
    let targets_from = keys.any("TargetsFrom");
    if target.is_some() && all_targets.is_some() {
        keys.error("Target", "set beside Targets, expected one of them".to_owned());
    }
    if targets_from.is_some() && (target.is_some() || all_targets.is_some()) {
        keys.error("TargetsFrom", "set beside Target or Targets, expected one of them".to_owned());
    }
    let mut errors = keys.finish();
    if let Some(orphans) = orphans.and_then(|value| read_orphans(value, &format!("{prefix}Orphans"), &mut errors)) {
        options.orphans = orphans;
    }
    if let Some(object) = run_now_retain {
        let prefix = format!("{prefix}RunNowRetain.");
        let mut keys = Keys::new(object, &prefix);
        let (interval, unit) = (keys.any("Interval"), keys.any("IntervalUnit"));
        options.run_now_retain = read_age(&mut keys, interval, unit).unwrap_or(options.run_now_retain);
        errors.extend(keys.finish());
    }
    if let Some(accept_count) = accept_count {
        options.accept_count = read_accept_count(accept_count, &format!("{prefix}AcceptCount"), policy, &mut errors);
    }
    if let Some(previous_names) = previous_names {
        options.previous_names =
            read_previous_names(previous_names, &format!("{prefix}PreviousNames"), policy, &mut errors);
    }
    if let Some((target, one_of)) =
        target.and_then(|value| targets::read_one(value, &format!("{prefix}Target"), &mut errors))
    {
        (options.target, options.one_of) = (Some(target), one_of);
    }
    if let Some(all) = all_targets {
        options.targets = targets::read_all(all, &format!("{prefix}Targets"), PLACES_MAX, &mut errors);
    }
    options.targets_from =
        targets_from.and_then(|value| list::read_object(value, &format!("{prefix}TargetsFrom"), &mut errors));
    Reading { value: Some(options), errors, not_supported: vec![], warnings }
}

/// A whole per cent. Not zero, with which nothing would ever be made.
fn read_api_share(keys: &mut Keys<'_>) -> Option<Share> {
    const KEY: &str = "ApiShare";
    let value = keys.any(KEY)?;
    let per_cent = value.as_u64().and_then(|number| u32::try_from(number).ok());
    let read = per_cent.and_then(Share::of_per_cent);
    read.or_else(|| keys.mistyped(KEY, "a whole per cent from 1 to 100", value))
}

/// A number, or a share of the snapshots that are ours, as in `"10%"`. Zero of either is a way to delete nothing.
fn read_maximum_deletions(keys: &mut Keys<'_>) -> Option<MaximumDeletions> {
    const KEY: &str = "MaximumDeletions";
    let value = keys.any(KEY)?;
    let read = match value {
        Value::Number(number) => number
            .as_u64()
            .filter(|number| *number <= u64::from(Options::MAXIMUM_DELETIONS_MAX))
            .and_then(|number| usize::try_from(number).ok())
            .map(MaximumDeletions::Number),
        Value::String(text) => per_cent(text).map(MaximumDeletions::PerCent),
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Object(_) => None,
    };
    read.or_else(|| {
        let expected = format!(
            "a whole number from 0 to {}, or a share of the snapshots from \"0%\" to \"100%\"",
            Options::MAXIMUM_DELETIONS_MAX
        );
        keys.mistyped(KEY, &expected, value)
    })
}

/// Reads `10%`. No sign, no space, no fraction: what is written in more than one way is misread in more than one.
fn per_cent(text: &str) -> Option<u8> {
    let digits = text.strip_suffix('%')?;
    let is_number = digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse::<u8>().ok().filter(|number| is_number && *number <= 100)
}

/// `"KEEP"`, `"KEEP_LAST"`, or an object with `Rule`, and with `Interval` and `IntervalUnit` where that is `EXPIRE`.
fn read_orphans(value: &Value, path: &str, errors: &mut Vec<Finding>) -> Option<Orphans> {
    let message = match value {
        Value::Object(object) => {
            let prefix = format!("{path}.");
            let mut keys = Keys::new(object, &prefix);
            let orphans = read_orphans_object(&mut keys);
            errors.extend(keys.finish());
            return orphans;
        }
        other => match other.as_str() {
            Some("KEEP") => return Some(Orphans::Keep),
            Some("KEEP_LAST") => return Some(Orphans::KeepLast),
            Some("EXPIRE") => format!("EXPIRE needs an age, expected Interval and IntervalUnit as in {EXPIRE_FORM}"),
            Some(_) | None => {
                format!("expected \"KEEP\", \"KEEP_LAST\" or {EXPIRE_FORM} but got {}", quoted(&other.to_string()))
            }
        },
    };
    errors.push(Finding { path: path.to_owned(), message });
    None
}

fn read_orphans_object(keys: &mut Keys<'_>) -> Option<Orphans> {
    let rule = keys.any("Rule");
    let interval = keys.any("Interval");
    let unit = keys.any("IntervalUnit");
    match rule.map(|rule| (rule, rule.as_str())) {
        Some((_, Some("EXPIRE"))) => read_age(keys, interval, unit).map(Orphans::Expire),
        Some((_, Some(word @ ("KEEP" | "KEEP_LAST")))) => {
            for (key, value) in [("Interval", interval), ("IntervalUnit", unit)] {
                if value.is_some() {
                    keys.error(key, format!("set beside the Rule {word}, expected it with EXPIRE only"));
                }
            }
            Some(if word == "KEEP" { Orphans::Keep } else { Orphans::KeepLast })
        }
        Some((rule, _)) => keys.mistyped("Rule", "KEEP, KEEP_LAST or EXPIRE", rule),
        None => {
            keys.error("Rule", "missing, expected KEEP, KEEP_LAST or EXPIRE".to_owned());
            None
        }
    }
}

/// An age. Without a right unit, the interval is measured in days, of which there can be most.
fn read_age(keys: &mut Keys<'_>, interval: Option<&Value>, unit: Option<&Value>) -> Option<Age> {
    const WORDS: &str = "DAYS, WEEKS, MONTHS or YEARS";
    let known = unit.and_then(Value::as_str).and_then(|word| UNITS.iter().find(|(name, ..)| *name == word));
    match (known, unit) {
        (Some(_), _) => {}
        (None, Some(unit)) => {
            keys.mistyped::<()>("IntervalUnit", WORDS, unit);
        }
        (None, None) => keys.error("IntervalUnit", format!("missing, expected {WORDS}")),
    }
    let most = known.or(UNITS.first()).map(|(.., most)| *most)?;
    let Some(value) = interval else {
        keys.error("Interval", format!("missing, expected a whole number from 1 to {most}"));
        return None;
    };
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number <= most);
    match number.and_then(NonZeroU32::new) {
        Some(interval) => known.map(|(_, unit, _)| Age { interval, unit: *unit }),
        None => keys.mistyped("Interval", &format!("a whole number from 1 to {most}"), value),
    }
}

/// `{"Daily": 3}`: the lowered count of a schedule that a person has agreed to.
fn read_accept_count(
    object: &Map<String, Value>,
    path: &str,
    policy: Option<&Policy>,
    errors: &mut Vec<Finding>,
) -> BTreeMap<ScheduleName, NonZeroU32> {
    let mut accepted = BTreeMap::new();
    for (key, value) in object {
        let Some(name) = read_name(key, path, errors) else { continue };
        let path = format!("{path}.{name}");
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok()).and_then(NonZeroU32::new);
        if policy.is_some_and(|policy| policy.schedule(&name).is_none()) {
            errors.push(Finding { path, message: format!("no schedule of the policy is called {name}") });
        } else if let Some(count) = count.filter(|count| count.get() <= Options::MINIMUM_KEPT_MAX) {
            accepted.insert(name, count);
        } else {
            let message = format!(
                "expected the schedule's Count, a whole number from 1 to {}, but got {}",
                Options::MINIMUM_KEPT_MAX,
                quoted(&value.to_string())
            );
            errors.push(Finding { path, message });
        }
    }
    accepted
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
