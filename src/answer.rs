//! What an invocation answers, and the four names under which one that cannot go on fails.

use crate::event::Event;
use crate::place::OneOf;
use crate::policy::decode::shown;
use crate::report::mail::{self, CouldNotGoOn, Mail};
use crate::report::part::Part;
use crate::report::{self, Report};
use crate::turn::{Conclusion, Progress, Status, lifetime};
use serde::Serialize;
use serde_json::{Value, json};

/// The answer of a turn (design.md 4.2).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Answer {
    /// `WAITING` or `DONE`.
    pub status: &'static str,
    /// After how many seconds to call again; 0 when done.
    pub wait_seconds: u32,
    /// What the execution is to be called in which the next turn is, when it is to be a new one: this one's history is nearly
    /// full. Who has no history goes on as ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_execution: Option<String>,
    /// The event of the next turn.
    pub next: Value,
    /// What happened so far.
    pub report: Report,
    /// The report as a sum takes it, of a run for one target that is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// The mail about a run that is done and failed. One of several targets is told in the mail about all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,
}

/// The answer to an event with several targets: nothing was done, each target is to have a run of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SplitAnswer {
    /// `SPLIT`.
    pub status: &'static str,
    /// 0: begin at once.
    pub wait_seconds: u32,
    /// The event that all targets share.
    pub next: Value,
    /// What the `Options` of the event hold more for each target.
    pub targets: Vec<Value>,
    /// What is due.
    pub report: Report,
}

/// The answer to an event whose targets are in S3: nothing was done, the list is to be handed over with `Next`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAnswer {
    /// `READ`.
    pub status: &'static str,
    /// 0: read at once.
    pub wait_seconds: u32,
    /// The event of the next turn, but for the list (`TargetsList`).
    pub next: Value,
    /// Where the list is: `Bucket` and `Key`.
    pub targets_from: Value,
    /// What is due.
    pub report: Report,
}

/// The answer about a run that could not go on: what is to be told of it, since no report came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FailedAnswer {
    /// `FAILED`.
    pub status: &'static str,
    /// What there is in the place of a report.
    pub report: FailedReport,
    /// The mail about it.
    pub mail: Mail,
}

/// What is known of a run that could not go on, under the names of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FailedReport {
    /// `FAILED`.
    pub outcome: &'static str,
    /// Why, in a sentence or two.
    pub summary: String,
    /// The policy, if the event names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    /// The start, if the event names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// The name of the error, as `AccessDenied`.
    pub error: String,
}

/// How many characters of a cause are told in the place of a report: that of a report has 2,000, too.
const CAUSE_LENGTH_MAX: usize = 2_000;

/// What an invocation answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// A run that could not go on is to be told.
    Failed(Box<FailedAnswer>),
    /// A list of targets is to be read.
    List(Box<ListAnswer>),
    /// Several runs are to be made.
    Split(Box<SplitAnswer>),
    /// What a turn came to, or what all runs did.
    Turn(Box<Answer>),
}

impl Answer {
    /// The answer to `event` after a turn, or after several that it led to; the event itself was warned of `warnings`.
    #[must_use]
    pub fn new(
        event: &Event,
        conclusion: &Conclusion,
        report: Report,
        warnings: &[String],
        stack_region: Option<&str>,
    ) -> Self {
        let Conclusion { status, progress, .. } = conclusion;
        let part = || event.options.one_of.map(|one_of| Part::of(&report, warnings, one_of));
        let turns_before = event.progress.as_ref().map_or(0, |progress| progress.turns);
        let new_execution = || lifetime::new_execution(&event.options, &event.policy.id, turns_before, progress);
        let (status, wait_seconds, part, new_execution) = match *status {
            Status::Done(_) => ("DONE", 0, part(), None),
            Status::Waiting { seconds } => ("WAITING", seconds, None, new_execution()),
        };
        let mail = if part.is_some() { None } else { mail::of_report(&report, stack_region) };
        Self { status, wait_seconds, new_execution, next: event.next(progress), report, part, mail }
    }

    /// The answer to the reports of all targets.
    #[must_use]
    pub fn of_sum(sum: Report, stack_region: Option<&str>) -> Self {
        let mail = mail::of_report(&sum, stack_region);
        Self { status: "DONE", wait_seconds: 0, new_execution: None, next: Value::Null, report: sum, part: None, mail }
    }
}

impl FailedAnswer {
    /// The answer about a run that could not go on.
    #[must_use]
    pub fn new(failure: &CouldNotGoOn, stack_region: Option<&str>) -> Self {
        let CouldNotGoOn { policy_id, start, error, cause } = failure.clone();
        let summary = shown(&format!("{error}: {cause}"), CAUSE_LENGTH_MAX);
        let report = FailedReport { outcome: "FAILED", summary, policy_id, start, error };
        Self { status: "FAILED", report, mail: mail::of_failure(failure, stack_region) }
    }
}

impl ListAnswer {
    /// The answer to an event whose targets are in S3; its run begins with `progress`.
    #[must_use]
    pub fn new(event: &Event, progress: &Progress, report: Report) -> Self {
        let (next, targets_from) = (event.next(progress), event.targets_from());
        Self { status: "READ", wait_seconds: 0, next, targets_from, report }
    }
}

impl SplitAnswer {
    /// The answer to an event with several targets, whose runs all begin with `progress`.
    #[must_use]
    pub fn new(event: &Event, progress: &Progress, report: Report) -> Self {
        let (next, targets) = event.split(progress);
        Self { status: "SPLIT", wait_seconds: 0, next, targets, report }
    }

    /// The event of one of the targets: the state machine's `States.JsonMerge`, for who runs without it.
    #[must_use]
    pub fn event_of(&self, target: &Value) -> Value {
        let mut event = self.next.clone();
        let options = event.get_mut("Options").and_then(Value::as_object_mut);
        if let (Some(options), Some(more)) = (options, target.as_object()) {
            options.extend(more.clone());
        }
        event
    }

    /// The event that asks for the sum of what came of the targets, in their order.
    #[must_use]
    pub fn sum_of(&self, reports: &[Value]) -> Value {
        json!({ "Split": self.report, "Targets": self.targets, "Reports": reports })
    }
}

/// Why a turn cannot go on. The variant's name is the error that Step Functions sees.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The role may not do what the policy needs. Another try will not help.
    #[error("{0}")]
    AccessDenied(String),
    /// The event is not one that opendlm can carry out. Another try will not help.
    #[error("{0}")]
    PolicyInvalid(String),
    /// EC2 has too many calls. Another try will help.
    #[error("{0}")]
    Throttled(String),
    /// EC2 cannot be reached or does not answer as expected. Another try may help.
    #[error("{0}")]
    Unavailable(String),
}

impl TurnError {
    /// The error of a run for one of several targets, as much of it as there is room for.
    #[must_use]
    pub fn of_target(self, one_of: OneOf) -> Self {
        let cut = |text: String| shown(&text, one_of.error_length_max());
        match self {
            Self::AccessDenied(text) => Self::AccessDenied(cut(text)),
            Self::PolicyInvalid(text) => Self::PolicyInvalid(cut(text)),
            Self::Throttled(text) => Self::Throttled(cut(text)),
            Self::Unavailable(text) => Self::Unavailable(cut(text)),
        }
    }

    /// The stable name that `Retry` and `Catch` match.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AccessDenied(_) => "AccessDenied",
            Self::PolicyInvalid(_) => "PolicyInvalid",
            Self::Throttled(_) => "Throttled",
            Self::Unavailable(_) => "Unavailable",
        }
    }

    /// The run for a target that could not go on, as a sum takes it.
    #[must_use]
    pub fn told(&self, one_of: OneOf) -> Value {
        json!({ "Number": one_of.number, "Failure": { "Error": self.name(), "Cause": report::chain(self) } })
    }

    /// The name and the whole message.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}: {}", self.name(), report::chain(self))
    }
}

#[cfg(test)]
mod tests;
