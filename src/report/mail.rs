//! The mail about a run that failed: what somebody has to know who is woken by it and does not know opendlm.
//!
//! Promises: the subject says whether backups are missing; that none is missing is said only where the report shows it; and
//! whatever the report holds, the subject is one that SNS takes and the text is short.

pub mod advice;
mod groups;
#[cfg(test)]
mod tests;
mod verdict;

use super::{FailureReport, Report};
use crate::policy::decode::shown;
use advice::advice;
use groups::groups;
use serde::Serialize;
use verdict::Verdict;

/// A mail, all but where it comes from: whoever sends it writes the stack's account and Region behind `text`, and the Region and
/// the execution's ARN behind `more`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Mail {
    /// The subject.
    pub subject: String,
    /// The text, up to the place where the stack's account and Region go.
    pub text: String,
    /// The command that shows more, up to the place where the Region goes.
    pub more: &'static str,
}

/// Shows the output of the last state that has one: the whole answer with its report.
const MORE: &str = "\nMore:     aws stepfunctions get-execution-history --reverse-order --max-items 20 --output text \
    --query \"events[?type=='TaskStateExited'].stateExitedEventDetails.output|[0]\" --region ";

/// SNS API reference, Publish: `Subject` is ASCII, has no line breaks and fewer than 100 characters.
const SUBJECT_LENGTH_MAX: usize = 99;

/// How many characters a mail has at most. The longest has 12 groups of about 900 characters; SNS takes 256 KB.
const TEXT_LENGTH_MAX: usize = 16_000;

/// How many characters of a message are quoted: EC2's sentences have 200, ours 300.
const MESSAGE_LENGTH_MAX: usize = 600;

/// A run that could not go on, as the state machine knows it: no report came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouldNotGoOn {
    /// The policy, if the event names one.
    pub policy_id: Option<String>,
    /// The start, if the event names one.
    pub start: Option<String>,
    /// The name of the error, as `AccessDenied`.
    pub error: String,
    /// Why.
    pub cause: String,
}

/// The mail about a finished run; `None` where nothing failed.
#[must_use]
pub fn of_report(report: &Report) -> Option<Mail> {
    if report.outcome != Some("PARTIAL") {
        return None;
    }
    let verdict = Verdict::of(report);
    let subject = format!("opendlm, {}: {}", verdict.headline(report), report.policy_id);
    let mut lines = vec![verdict.explained(report), String::new()];
    lines.push(format!("Policy:   {}", report.policy_id));
    if let Some(region) = &report.region {
        let account = report.account.as_ref().map_or("the stack's account".to_owned(), |id| format!("account {id}"));
        lines.push(format!("Where:    {account} in {region}"));
    }
    lines.push(format!("Start:    {}", report.start));
    lines.push(format!("Done:     {} made, {} deleted in this run", report.created, report.deleted));
    lines.extend(failed(report));
    if let Some(targets) = targets(report) {
        lines.push(String::new());
        lines.push(targets);
    }
    Some(mail(&subject, lines))
}

/// The mail about a run of which no report came.
#[must_use]
pub fn of_failure(failure: &CouldNotGoOn) -> Mail {
    let CouldNotGoOn { policy_id, start, error, cause } = failure;
    let policy_id = policy_id.as_deref().unwrap_or("a policy that the event does not name");
    let advice = advice(error);
    let subject = format!("opendlm, BACKUPS MAY BE MISSING ({error}): {policy_id}");
    let mut lines = vec![
        "BACKUPS MAY BE MISSING: the run could not go on, so nobody has looked whether all are there.".to_owned(),
        String::new(),
        format!("Policy:   {policy_id}"),
    ];
    lines.extend(start.as_ref().map(|start| format!("Start:    {start}")));
    lines.push(String::new());
    lines.push(format!("What failed: {error}. {}", advice.means));
    if !cause.is_empty() {
        lines.push(format!("  It says: {}", shown(cause, MESSAGE_LENGTH_MAX)));
    }
    lines.push(format!("  What to do: {}", advice.cure));
    mail(&subject, lines)
}

fn mail(subject: &str, lines: Vec<String>) -> Mail {
    let printable = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    let subject = subject.chars().map(printable).take(SUBJECT_LENGTH_MAX).collect();
    let text = lines.join("\n");
    let cut: String = text.chars().take(TEXT_LENGTH_MAX).collect();
    Mail { subject, text: format!("{cut}\n\nGuide:    docs/operations.md of opendlm\nStack:    account "), more: MORE }
}

/// What failed, by kind, each with EC2's words and with what to do.
fn failed(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for group in groups(&report.failures) {
        let FailureReport { action, code, message, .. } = group.first;
        let advice = advice(code);
        let times = if group.count > 1 { format!("{} times ", group.count) } else { String::new() };
        lines.push(String::new());
        lines.push(format!("What failed: {times}{action}, {code}. {}", advice.means));
        if let Some(resources) = group.resources() {
            lines.push(format!("  Of: {resources}"));
        }
        lines.push(format!("  {}: {}", advice.said_by(), shown(message, MESSAGE_LENGTH_MAX)));
        lines.push(format!("  What to do: {}", advice.cure));
    }
    let told = u64::try_from(report.failures.len()).unwrap_or(u64::MAX);
    if report.failed > told {
        lines.push(String::new());
        lines.push(format!("{} failures in all; the log has every one of them.", report.failed));
    }
    if report.failed == 0 {
        lines.push(String::new());
        lines.push(format!("What failed: {}", shown(&report.summary, MESSAGE_LENGTH_MAX)));
    }
    lines
}

/// How many targets came off badly, of a run that had several.
fn targets(report: &Report) -> Option<String> {
    let is_good = |outcome: &str| matches!(outcome, "SUCCEEDED" | "SKIPPED");
    let bad: Vec<String> = report.targets.iter().filter(|one| !is_good(one.outcome)).map(|one| one.name()).collect();
    let named: Vec<&str> = bad.iter().map(String::as_str).take(TARGETS_NAMED_MAX).collect();
    let more = if bad.len() > named.len() { " and others" } else { "" };
    (!report.targets.is_empty())
        .then(|| format!("{} of {} targets failed: {}{more}", bad.len(), report.targets.len(), named.join(", ")))
}

/// How many targets a mail names.
const TARGETS_NAMED_MAX: usize = 10;
