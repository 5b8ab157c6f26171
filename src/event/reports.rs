//! What the state machine hands over when all targets are through: the report of the split, the targets, and what came of
//! each, in the same order.

use super::bounds::{PROGRESS_LENGTH_MAX, PROGRESS_QUOTE_LENGTH_MAX, length};
use super::{refused, targets};
use crate::place::PLACES_MAX;
use crate::policy::decode::{Finding, Reading, shown};
use crate::report::part::Part;
use crate::report::sum::{Reports, Split, Told};
use serde::Deserialize;
use serde_json::Value;

/// Whether an event asks for a sum. No other shape has this key.
#[must_use]
pub fn is_of_reports(value: &Value) -> bool {
    value.get("Reports").is_some()
}

/// The event as the state machine writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Shape {
    split: Split,
    targets: Vec<Target>,
    reports: Vec<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Target {
    target: Value,
}

/// A run that could not go on, as `Catch` of the state machine tells it. Not every error has a cause.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Caught {
    error: String,
    #[serde(default)]
    cause: String,
}

/// What Lambda makes of an error of the function: the cause of a failed Task.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LambdaError {
    error_message: String,
}

/// Reads what there is to sum up.
#[must_use]
pub fn read_reports(value: &Value) -> Reading<Reports> {
    let length = length(value);
    if length > PROGRESS_LENGTH_MAX {
        return refused("", format!("the reports have {length} bytes, expected at most {PROGRESS_LENGTH_MAX}"));
    }
    let Shape { split, targets, reports } = match Shape::deserialize(value) {
        Ok(shape) => shape,
        Err(error) => {
            return refused("", not_of_a_machine(&shown(&error.to_string(), PROGRESS_QUOTE_LENGTH_MAX)));
        }
    };
    if targets.len() != reports.len() || !(1..=PLACES_MAX).contains(&targets.len()) {
        let counts = format!("{} targets and {} reports", targets.len(), reports.len());
        return refused("Reports", not_of_a_machine(&counts));
    }
    let mut errors: Vec<Finding> = Vec::new();
    let mut told = Vec::new();
    for (at, (target, report)) in targets.iter().zip(&reports).enumerate() {
        let place = targets::read_one(&target.target, &format!("Targets[{at}].Target"), &mut errors);
        match told_by(report) {
            Ok(one) => told.extend(place.map(|place| (place, one))),
            Err(problem) => {
                errors.push(Finding { path: format!("Reports[{at}]"), message: not_of_a_machine(&problem) });
            }
        }
    }
    if errors.is_empty() {
        Reading { value: Some(Reports { split, told }), errors, not_supported: vec![], warnings: vec![] }
    } else {
        Reading::refused(errors)
    }
}

fn not_of_a_machine(problem: &str) -> String {
    format!(
        "not what the state machine hands over when all targets are through ({problem}); most likely function and state \
         machine are of different versions: deploy the stack again"
    )
}

fn told_by(report: &Value) -> Result<Told, String> {
    let problem = |error: serde_json::Error| shown(&error.to_string(), PROGRESS_QUOTE_LENGTH_MAX);
    if report.get("Error").is_some() {
        let Caught { error, cause } = Caught::deserialize(report).map_err(problem)?;
        let cause = serde_json::from_str(&cause).map_or(cause, |error: LambdaError| error.error_message);
        return Ok(Told::Failed { error, cause });
    }
    Part::deserialize(report).map(|part| Told::Part(Box::new(part))).map_err(problem)
}

#[cfg(test)]
mod tests;
