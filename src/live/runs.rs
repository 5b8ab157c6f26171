//! The runs of deployed policies, as `opendlm runs` shows them: what a state machine's executions mean.

use crate::policy::PolicyId;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// How many characters of an execution's name tell it from the others at sight.
const SHORT_NAME: usize = 8;

/// An execution of the state machine, as Step Functions describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Its ARN.
    pub arn: String,
    /// Its name, which is unique in the machine.
    pub name: String,
    /// When it was started; `None` where Step Functions does not say.
    pub started: Option<Timestamp>,
    /// Whether it is over.
    pub standing: Standing,
    /// The event that it was started with, where that is JSON.
    pub input: Option<Value>,
    /// What came out: the report, of a run that succeeded.
    pub output: Option<Value>,
    /// The name of the error that ended it.
    pub error: Option<String>,
    /// What that error says.
    pub cause: Option<String>,
}

/// Whether an execution is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not yet.
    UnderWay,
    /// It is.
    Over {
        /// How it ended.
        how: Ended,
        /// When.
        at: Option<Timestamp>,
    },
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By an error.
    Failed,
    /// Somebody stopped it.
    Stopped,
    /// Well.
    Succeeded,
    /// It took longer than it may.
    TimedOut,
}

/// A run as one line tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The execution's name.
    pub name: String,
    /// The execution's ARN.
    pub arn: String,
    /// The policy that its event holds; `None` where there is none that can be read.
    pub policy: Option<PolicyId>,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// How long it took; `None` while it goes on.
    pub took: Option<SignedDuration>,
    /// `RUNNING`, the report's outcome, `CONTINUED` (in another execution), `STOPPED`, `TIMED OUT`, or `FAILED`.
    pub outcome: String,
    /// Whether it is under way.
    pub is_under_way: bool,
    /// Whether somebody has to look at it.
    pub is_failure: bool,
    /// Why it failed, in a sentence; empty where it did not.
    pub why: String,
    /// The report of its last turn that is known.
    pub report: Option<Value>,
}

impl Run {
    /// What an execution means, given the last answer of the function in it, where that was asked for.
    #[must_use]
    pub fn of(execution: &Execution, last_answer: Option<&Value>) -> Self {
        let output = execution.output.as_ref().filter(|output| output.get("PolicyId").is_some());
        let report = output.or_else(|| last_answer.and_then(|answer| answer.get("Report")));
        let (outcome, is_failure, ended) = match execution.standing {
            Standing::UnderWay => ("RUNNING".to_owned(), false, None),
            Standing::Over { how: Ended::Failed, at } => (failed_outcome(execution), true, at),
            Standing::Over { how: Ended::Stopped, at } => ("STOPPED".to_owned(), true, at),
            Standing::Over { how: Ended::Succeeded, at } => (succeeded_outcome(report), false, at),
            Standing::Over { how: Ended::TimedOut, at } => ("TIMED OUT".to_owned(), true, at),
        };
        Self {
            name: execution.name.clone(),
            arn: execution.arn.clone(),
            policy: execution.input.as_ref().and_then(policy_of),
            started: execution.started,
            took: ended.zip(execution.started).map(|(ended, started)| ended.duration_since(started)),
            outcome,
            is_under_way: execution.standing == Standing::UnderWay,
            is_failure,
            why: if is_failure { why(execution) } else { String::new() },
            report: report.cloned(),
        }
    }

    /// A number of the report, as `Created`.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u64> {
        self.report.as_ref()?.get(key)?.as_u64()
    }

    /// The beginning of the name, by which `runs` and `stop` find it as long as no other begins so.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.name.char_indices().nth(SHORT_NAME).map_or(&self.name, |(end, _)| &self.name[..end])
    }
}

/// Of the runs whose names begin so the only one.
///
/// # Errors
/// A sentence where there is none, or more than one.
pub fn by_name<'r>(runs: &'r [Run], beginning: &str) -> Result<&'r Run, String> {
    let found: Vec<&Run> = runs.iter().filter(|run| run.name.starts_with(beginning)).collect();
    match found[..] {
        [run] => Ok(run),
        [] => Err(format!("no run's name begins with {beginning}: opendlm runs lists them")),
        [..] => match runs.iter().find(|run| run.name == beginning) {
            Some(run) => Ok(run),
            None => Err(format!("the names of {} runs begin with {beginning}: give more of it", found.len())),
        },
    }
}

/// The policy in an event, whatever shape that has.
fn policy_of(event: &Value) -> Option<PolicyId> {
    let body = event.get("detail").filter(|_| event.get("Policy").is_none()).unwrap_or(event);
    PolicyId::parse(body.get("Policy")?.get("PolicyId")?.as_str()?).ok()
}

fn succeeded_outcome(report: Option<&Value>) -> String {
    let outcome = report.and_then(|report| report.get("Outcome")).and_then(Value::as_str);
    let continued = report.is_some_and(|report| report.get("Continued").is_some());
    outcome.map_or_else(|| if continued { "CONTINUED".to_owned() } else { "?".to_owned() }, str::to_owned)
}

fn failed_outcome(execution: &Execution) -> String {
    match execution.error.as_deref() {
        Some("Partial") => "PARTIAL".to_owned(),
        Some(_) | None => "FAILED".to_owned(),
    }
}

/// What an error says: the message inside the JSON that Lambda makes of one, after the error's own name.
fn why(execution: &Execution) -> String {
    let cause = execution.cause.as_deref().unwrap_or_default();
    let message = serde_json::from_str::<Value>(cause)
        .ok()
        .and_then(|cause| cause.get("errorMessage").and_then(Value::as_str).map(str::to_owned));
    let message = message.unwrap_or_else(|| cause.to_owned());
    match execution.error.as_deref() {
        None | Some("Partial") => message,
        Some(error) if message.is_empty() => error.to_owned(),
        Some(error) => format!("{error}: {message}"),
    }
}

#[cfg(test)]
mod tests;
