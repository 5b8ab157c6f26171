//! `opendlm doctor`: what is wrong with a policy's backups and its surroundings, from what a look at the account showed.
//!
//! Promises: it decides from values alone; what nobody has looked at is `unknown` and never `ok`; and each line that is not `ok` says
//! what to do.

use crate::report::Report;
use serde::Serialize;

/// What somebody has found out, for [`examine`].
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// What a start now would see and do, or why it could not look.
    pub looked: Result<Looked, String>,
}

/// What a look at the account showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The report of a start now, before its first action.
    pub report: Report,
    /// How many volumes or instances carry a target tag.
    pub targeted: usize,
    /// Whether the policy is enabled.
    pub is_enabled: bool,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Ok,
    /// Nobody has looked.
    Unknown,
    /// Not as it should be.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Line {
    /// How it is.
    pub health: Health,
    /// What was looked at.
    pub about: &'static str,
    /// What there is to say.
    pub says: String,
    /// What to do, or how to find out; nothing where it is as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

/// Everything that there is to say, what was looked at first.
#[must_use]
pub fn examine(gathered: &Gathered) -> Vec<Line> {
    let mut lines = match &gathered.looked {
        Err(error) => vec![wrong("look", error.clone(), "mend what the words name; nothing else could be looked at")],
        Ok(looked) => about_backups(looked),
    };
    lines.extend(UNSEEN.iter().map(|(about, says, how)| Line {
        health: Health::Unknown,
        about,
        says: (*says).to_owned(),
        cure: Some((*how).to_owned()),
    }));
    lines
}

/// Whether any line is wrong.
#[must_use]
pub fn has_wrong(lines: &[Line]) -> bool {
    lines.iter().any(|line| line.health == Health::Wrong)
}

fn about_backups(looked: &Looked) -> Vec<Line> {
    let Looked { report, targeted, is_enabled } = looked;
    let missed = report.volumes.get("missed: StartWindowOver").copied().unwrap_or_default();
    let mut lines = vec![
        ok("look", "EC2 answers, and takes these credentials and this clock".to_owned()),
        line(*is_enabled, "policy", "it is enabled", "it is disabled: no backup is made", "set State to ENABLED"),
        line(
            *targeted > 0,
            "targets",
            &format!("volumes or instances with a target tag: {targeted}"),
            "nothing carries a target tag",
            "compare TargetTags with the tags of the volumes or instances, and the Region",
        ),
    ];
    lines.extend(report.schedules.iter().map(|schedule| match &schedule.next_scheduled_time {
        Some(next) => ok("schedule", format!("{}: the next time is {next}", schedule.name)),
        None => wrong("schedule", format!("{}: it has no further time", schedule.name), "look at its CreateRule"),
    }));
    lines.extend([
        none(
            report.stopped,
            ("backups", "each is as new as the policy asks for"),
            "volumes without a backup as new as the policy asks for",
            "run the policy now, and see what earlier runs said",
        ),
        none(
            missed,
            ("last time", "it was not missed"),
            "targets without a snapshot for the latest scheduled time, whose start window is over",
            "see why no run came then: executions, the dead-letter queue",
        ),
        none(
            report.orphans.doubted,
            ("tags", "nobody has edited them"),
            "snapshots whose tags somebody edited",
            "opendlm explain tells each; delete them by hand",
        ),
        none(
            report.orphans.snapshots,
            ("orphans", "there are none"),
            "snapshots that nothing manages any more and that cost money",
            "set Options.Orphans, or delete them by hand",
        ),
        none(
            report.foreign,
            ("look-alikes", "there are none"),
            "snapshots with opendlm's tag that are not opendlm's",
            "find out who copies tags",
        ),
    ]);
    let failures = report.failures.iter().map(|failure| {
        let says = format!("{} {}: {}: {}", failure.action, failure.resource, failure.code, failure.message);
        wrong("a run now", says, "docs/operations.md tells what each code means")
    });
    lines.extend(failures);
    lines.push(ok("cost", report.cost.at_most.clone()));
    lines
}

/// What is not looked at, each with what may be wrong and how to find out.
const UNSEEN: &[(&str, &str, &str)] = &[
    ("identity", "whose credentials these are", "aws sts get-caller-identity"),
    (
        "last run",
        "how the last runs ended",
        "aws stepfunctions list-executions --state-machine-arn MACHINE --max-items 5",
    ),
    (
        "starts",
        "whether starts come at the policy's times",
        "aws scheduler get-schedule --name SCHEDULE, against opendlm next",
    ),
    (
        "dead letters",
        "whether starts could not be delivered",
        "aws sqs get-queue-attributes --queue-url QUEUE --attribute-names All",
    ),
    (
        "mail",
        "whether somebody has confirmed to hear of failures",
        "aws sns list-subscriptions-by-topic --topic-arn TOPIC",
    ),
    ("double backups", "whether Amazon DLM backs up the same tags", "aws dlm get-lifecycle-policies"),
    ("AWS itself", "what nobody has seen yet", "docs/unseen-on-aws.md"),
];

fn ok(about: &'static str, says: String) -> Line {
    Line { health: Health::Ok, about, says, cure: None }
}

fn wrong(about: &'static str, says: String, cure: &str) -> Line {
    Line { health: Health::Wrong, about, says, cure: Some(cure.to_owned()) }
}

fn line(is_well: bool, about: &'static str, good: &str, bad: &str, cure: &str) -> Line {
    if is_well { ok(about, good.to_owned()) } else { wrong(about, bad.to_owned(), cure) }
}

/// That there are none of these; what is said then stands beside what was looked at.
fn none(count: usize, (about, good): (&'static str, &str), bad: &str, cure: &str) -> Line {
    if count == 0 { ok(about, good.to_owned()) } else { wrong(about, format!("{bad}: {count}"), cure) }
}

#[cfg(test)]
mod tests;
