//! The mail about a run that failed: what somebody has to know who is woken by it and does not know opendlm.
//!
//! Promises: the subject says whether backups are missing; that none is missing is said only where the report shows it; and
//! whatever the report holds, the subject is one that SNS takes and the text is short.

pub mod advice;
mod groups;
mod layout;
#[cfg(test)]
mod tests;
mod verdict;

use super::{FailureReport, Report};
use crate::policy::PolicyId;
use advice::{Weight, advice};
use groups::groups;
use layout::{labelled, paragraph, quoted};
use serde::Serialize;
use verdict::{Verdict, Word};

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

/// Shows the output of the last state that has one: the whole answer with its report. For who has no `opendlm` at hand.
const MORE: &str = "\nMore:     aws stepfunctions get-execution-history --reverse-order --max-items 20 --output text \
    --query \"events[?type=='TaskStateExited'].stateExitedEventDetails.output|[0]\" --region ";

/// SNS API reference, Publish: `Subject` is ASCII, has no line breaks and fewer than 100 characters.
const SUBJECT_LENGTH_MAX: usize = 99;

/// How many characters a mail has at most. The longest has 12 groups of about 900 characters; SNS takes 256 KB.
const TEXT_LENGTH_MAX: usize = 16_000;

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

/// The mail about a finished run of a stack in this Region; `None` where nothing failed.
#[must_use]
pub fn of_report(report: &Report, stack_region: Option<&str>) -> Option<Mail> {
    if report.outcome != Some("PARTIAL") {
        return None;
    }
    let verdict = Verdict::of(report);
    let subject = format!("opendlm, {}: {}", verdict.headline(report), report.policy_id);
    let mut lines = vec![paragraph(&verdict.explained(report)), String::new()];
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
        lines.push(paragraph(&targets));
    }
    let to_type = to_type(verdict.words(), Some(&report.policy_id), stack_region);
    Some(mail(&subject, lines, &to_type))
}

/// The mail about a run of which no report came, of a stack in this Region.
#[must_use]
pub fn of_failure(failure: &CouldNotGoOn, stack_region: Option<&str>) -> Mail {
    let CouldNotGoOn { policy_id, start, error, cause } = failure;
    let to_type = to_type(Verdict::BackupsMissing.words(), policy_id.as_deref(), stack_region);
    let policy_id = policy_id.as_deref().unwrap_or("a policy that the event does not name");
    let advice = advice(error);
    let subject = format!("opendlm, BACKUPS MAY BE MISSING ({error}): {policy_id}");
    let first = "BACKUPS MAY BE MISSING: the run could not go on, so nobody has looked whether all are there.";
    let mut lines = vec![paragraph(first), String::new(), format!("Policy:   {policy_id}")];
    lines.extend(start.as_ref().map(|start| format!("Start:    {start}")));
    lines.push(String::new());
    lines.push(labelled("What failed:", &format!("{error}. {}", advice.means)));
    if !cause.is_empty() {
        lines.push(labelled("  It says:", &quoted(cause)));
    }
    lines.push(labelled("  What to do:", advice.cure));
    mail(&subject, lines, &to_type)
}

/// Where people find out how.
const GUIDE: &str = "Guide:    docs/operations.md of opendlm";

/// The commands that help, each behind its label, with all that they need but the credentials. Whatever an event holds, only what
/// is a policy's id gets into a command.
fn to_type(words: &[Word], policy_id: Option<&str>, stack_region: Option<&str>) -> String {
    let policy_id = policy_id.and_then(|id| PolicyId::parse(id).ok());
    let commands: Vec<String> = words
        .iter()
        .filter_map(|word| match (word, &policy_id) {
            (Word::Doctor, Some(id)) => Some(format!("Find out: opendlm doctor {id}")),
            (Word::Plan, Some(id)) => Some(format!("See more: opendlm plan {id}")),
            (Word::Runs, Some(id)) => Some(format!("Its runs: opendlm runs {id}")),
            (Word::Runs, None) => Some("All runs: opendlm runs".to_owned()),
            (Word::Start, Some(id)) => Some(format!("Run now:  opendlm start {id} --wait")),
            (Word::Doctor | Word::Plan | Word::Start, None) => None,
        })
        .collect();
    let region = stack_region.map(|region| format!("Region:   export AWS_REGION={region}"));
    let lines: Vec<String> = region.into_iter().chain(commands).collect();
    format!("To type, signed in to the stack's account:\n{}", lines.join("\n"))
}

fn mail(subject: &str, mut lines: Vec<String>, to_type: &str) -> Mail {
    let printable = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    let subject = subject.chars().map(printable).take(SUBJECT_LENGTH_MAX).collect();
    lines.push(String::new());
    let text: String = lines.join("\n").chars().take(TEXT_LENGTH_MAX).collect();
    Mail { subject, text: format!("{text}\n{to_type}\n\n{GUIDE}\nStack:    account "), more: MORE }
}

/// What failed, by kind, each with EC2's words and with what to do.
fn failed(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for group in groups(&report.failures) {
        let FailureReport { code, message, .. } = group.first;
        let advice = advice(code);
        lines.push(String::new());
        lines.push(labelled("What failed:", &format!("{}. {}", group.named(), advice.means)));
        if let Some(resources) = group.resources() {
            lines.push(labelled("  Of:", &resources));
        }
        lines.push(labelled(&format!("  {}:", advice.said_by()), &quoted(message)));
        let passes = group.first.is_of_one_deletion() && advice.weight == Weight::Passing;
        lines.push(labelled("  What to do:", if passes { NOTHING } else { advice.cure }));
    }
    let told = u64::try_from(report.failures.len()).unwrap_or(u64::MAX);
    if report.failed > told {
        lines.push(String::new());
        lines.push(format!("{} failures in all; the log has every one of them.", report.failed));
    }
    if report.failures.is_empty() {
        lines.push(String::new());
        lines.push(labelled("What failed:", &quoted(&report.summary)));
        lines.push(labelled("  What to do:", advice::UNKNOWN.cure));
    }
    lines
}

/// What to do about a deletion that the next run makes up for.
const NOTHING: &str = "Nothing: the next run tries again.";

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
