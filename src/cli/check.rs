//! `opendlm check FILE`.

use super::Document;
use super::document::{findings_json, print_json, reading, told};
use super::output::say_message;
use crate::event::Event;
use crate::policy::decode::{Finding, IdRule, Reading};
use crate::policy::{Policy, RetainRule};
use serde_json::json;
use std::process::ExitCode;

/// Prints errors, warnings and what is not supported; exit 1 for what a run refuses, or Amazon DLM where it `is_portable`.
pub(super) fn check(document: &Document, is_portable: bool) -> ExitCode {
    let mut reading = reading(document, if is_portable { IdRule::Optional } else { IdRule::Required });
    let counting = reading.value.as_ref().map(|event| names_that_count(&event.policy)).unwrap_or_default();
    reading.warnings.extend(counting);
    let is_right = reading.errors.is_empty() && (is_portable || reading.not_supported.is_empty());
    if document.json {
        print_json(&json!({
            "Errors": findings_json(&reading.errors),
            "Warnings": findings_json(&reading.warnings),
            "NotSupported": findings_json(&reading.not_supported),
        }));
    } else {
        for line in told(&reading) {
            say_message(&line);
        }
        let name = document.name();
        // Where the file itself is what is wrong, that has been said.
        if !reading.errors.iter().any(|error| error.path == name) {
            say_message(&format!("{name}: {}", verdict(&reading, is_right)));
        }
    }
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(reading: &Reading<Event>, is_right: bool) -> &'static str {
    match (reading.errors.is_empty(), reading.not_supported.is_empty(), is_right) {
        (false, _, _) => "refused",
        (true, false, true) => "right for Amazon DLM, but opendlm cannot carry it out yet",
        (true, false, false) => "refused: opendlm cannot carry it out yet",
        (true, true, _) => "understood",
    }
}

/// A warning for each schedule whose name says how many it keeps. Snapshots are found by the name: whoever changes the
/// count changes the name with it, and leaves the snapshots of the old one behind.
fn names_that_count(policy: &Policy) -> Vec<Finding> {
    let counted = policy.schedules.iter().enumerate().filter_map(|(index, schedule)| {
        let number = match schedule.retain {
            RetainRule::Age(age) => age.interval.get(),
            RetainRule::Count(count) => count.get(),
        };
        let mut numbers = schedule.name.as_str().split(|c: char| !c.is_ascii_digit());
        let path = format!("PolicyDetails.Schedules[{index}].Name");
        let message = format!(
            "says that {number} are kept: its snapshots are found by this name, so leave it as it is when the number \
             changes, or name it in Options.PreviousNames"
        );
        numbers.any(|text| text.parse() == Ok(number)).then_some(Finding { path, message })
    });
    counted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event;

    #[track_caller]
    fn check(name: &str, retain: &serde_json::Value, is_warned: bool) {
        let policy = json!({
            "PolicyId": "policy-1",
            "State": "ENABLED",
            "PolicyDetails": {
                "ResourceTypes": ["VOLUME"],
                "TargetTags": [{ "Key": "backup", "Value": "yes" }],
                "Schedules": [{
                    "Name": name,
                    "CreateRule": { "Interval": 24, "IntervalUnit": "HOURS", "Times": ["00:00"] },
                    "RetainRule": retain,
                }],
            },
        });
        let event = event::read_document(&policy, IdRule::Required).value.unwrap();
        let told: Vec<String> = names_that_count(&event.policy).iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), usize::from(is_warned), "{name}: {told:?}");
    }

    #[test]
    fn a_name_that_says_how_many_are_kept_is_warned_of() {
        check("14 days of daily snapshots", &json!({ "Count": 14 }), true);
        check("keep-14", &json!({ "Interval": 14, "IntervalUnit": "DAYS" }), true);
        check("2 weeks of daily snapshots", &json!({ "Count": 14 }), false);
        check("daily at 1400", &json!({ "Count": 14 }), false);
        check("Nightly", &json!({ "Count": 14 }), false);
    }
}
