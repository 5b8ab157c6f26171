//! What the state machine hands over when all targets are through: the report of the split, the targets, and what came of
//! each, in any order.
//!
//! Promise: a target of which nothing came is told as one that failed, never left out.

use super::bounds::{PROGRESS_LENGTH_MAX, PROGRESS_QUOTE_LENGTH_MAX, length};
use super::{refused, targets};
use crate::place::{PLACES_LISTED_MAX, Place};
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

/// A run that could not go on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Failed {
    number: u32,
    failure: Caught,
}

/// Why, as `Catch` of the state machine tells it. Not every error has a cause.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Caught {
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
    if reports.len() > targets.len() || !(1..=PLACES_LISTED_MAX).contains(&targets.len()) {
        let counts = format!("{} targets and {} reports", targets.len(), reports.len());
        return refused("Reports", not_of_a_machine(&counts));
    }
    let mut errors: Vec<Finding> = Vec::new();
    let places: Vec<Place> = targets
        .iter()
        .enumerate()
        .filter_map(|(at, target)| targets::read_one(&target.target, &format!("Targets[{at}].Target"), &mut errors))
        .map(|(place, _)| place)
        .collect();
    let told = assign(&reports, targets.len(), &mut errors);
    if errors.is_empty() {
        let told = places.into_iter().zip(told).collect();
        Reading { value: Some(Reports { split, told }), errors, not_supported: vec![], warnings: vec![] }
    } else {
        Reading::refused(errors)
    }
}

/// What came of each of so many targets, by its number. What names no target is an execution that came to its end without
/// the function; for all we know it is one of those that are missing.
fn assign(reports: &[Value], count: usize, errors: &mut Vec<Finding>) -> Vec<Told> {
    let mut told: Vec<Option<Told>> = vec![None; count];
    let mut nameless = Vec::new();
    for (at, report) in reports.iter().enumerate() {
        let problem = match told_by(report) {
            Ok((None, one)) => {
                nameless.push(one);
                continue;
            }
            Ok((Some(number), one)) => match told.get_mut(usize::try_from(number).unwrap_or(usize::MAX)) {
                Some(free @ None) => {
                    *free = Some(one);
                    continue;
                }
                Some(Some(_)) => format!("target {number} twice"),
                None => format!("target {number} of {count}"),
            },
            Err(problem) => problem,
        };
        errors.push(Finding { path: format!("Reports[{at}]"), message: not_of_a_machine(&problem) });
    }
    let mut nameless = nameless.into_iter();
    told.into_iter().map(|one| one.or_else(|| nameless.next()).unwrap_or_else(nothing_told)).collect()
}

/// What is told of a target of which nothing came.
fn nothing_told() -> Told {
    Told::Failed {
        error: "NoReport".to_owned(),
        cause: "its run told nothing, see its execution in the Map Run of this one".to_owned(),
    }
}

fn not_of_a_machine(problem: &str) -> String {
    format!(
        "not what the state machine hands over when all targets are through ({problem}); most likely function and state \
         machine are of different versions: deploy the stack again"
    )
}

/// What one report tells, and of which target.
fn told_by(report: &Value) -> Result<(Option<u32>, Told), String> {
    let problem = |error: serde_json::Error| shown(&error.to_string(), PROGRESS_QUOTE_LENGTH_MAX);
    if report.get("Failure").is_some() {
        let Failed { number, failure } = Failed::deserialize(report).map_err(problem)?;
        return Ok((Some(number), failed(failure)));
    }
    if report.get("Number").is_some() {
        let part = Part::deserialize(report).map_err(problem)?;
        return Ok((Some(part.number), Told::Part(Box::new(part))));
    }
    Ok((None, Caught::deserialize(report).map_or_else(|_| nothing_told(), failed)))
}

/// The name of an error and what it says: the function's own words, where Lambda has put something around them.
pub(super) fn said(caught: Caught) -> (String, String) {
    let Caught { error, cause } = caught;
    let cause = serde_json::from_str(&cause).map_or(cause, |error: LambdaError| error.error_message);
    (error, cause)
}

fn failed(caught: Caught) -> Told {
    let (error, cause) = said(caught);
    Told::Failed { error, cause }
}

#[cfg(test)]
mod tests;
