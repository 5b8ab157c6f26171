//! The words: decisions and outcomes as JSON and as text.
//!
//! A report counts everything and lists a bounded number of failures, so that an answer stays under 200 KB whatever the
//! number of volumes; the log holds every action.

mod consent;
pub mod copies;
pub mod cost;
pub mod counts;
pub mod explain;
mod failures;
pub mod forecast;
pub mod mail;
pub mod metrics;
pub mod part;
pub mod stranger;
pub mod sum;
mod summary;
#[cfg(test)]
mod tests;
pub mod told;
pub mod words;

use crate::options::Options;
use crate::plan::{Due, OrphanCount, Plan};
use crate::policy::decode::shown;
use crate::policy::{CreateRule, Policy, Schedule, StartTimeOrigin};
use crate::schedule;
use crate::tags::written;
use crate::turn::progress::Progress;
use crate::turn::{RunOutcome, Status};
use crate::world::SnapshotId;
use copies::CopiesReport;
use cost::{Cost, CostReport};
use counts::Counts;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use sum::TargetReport;
use summary::summary;

/// How many failures a report lists one by one: 50 of 700 bytes are 35 KB.
pub const FAILURES_LISTED_MAX: usize = 50;

/// What a turn says of its run so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Report {
    /// How the run ended; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// Everything that matters in a sentence or two.
    pub summary: String,
    /// The policy.
    pub policy_id: String,
    /// The start of the run, RFC 3339.
    pub start: String,
    /// The account that `Options.Target` names by its role; absent for the function's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The Region that `Options.Target` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How many turns there were, this one included.
    pub turns: u32,
    /// Whether nothing was changed because `Options.DryRun` said so.
    pub dry_run: bool,
    /// What is due, schedule by schedule.
    pub schedules: Vec<ScheduleReport>,
    /// How many decisions of each kind this turn made about volumes, as `create`, `exists`, `wait`, `skip: VolumeState`.
    pub volumes: BTreeMap<String, usize>,
    /// How many decisions of each kind this turn made about snapshots, as `keep: NewestOf`, `delete: ExceedsCount`.
    pub snapshots: BTreeMap<String, usize>,
    /// How many snapshots the run created.
    pub created: u64,
    /// How many snapshots the run deleted.
    pub deleted: u64,
    /// What the metrics of the run count besides; zero as long as it goes on.
    pub counts: Counts,
    /// Snapshots of ours that nothing manages any more.
    pub orphans: OrphanReport,
    /// What all snapshots of the policy cost at most.
    pub cost: CostReport,
    /// The copies in other Regions, Region by Region.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopiesReport>,
    /// How many volumes have a newest complete snapshot that is older than their schedule allows.
    pub stopped: usize,
    /// How many snapshots carry our tag and a description like ours but are not ours.
    pub foreign: usize,
    /// How many things failed and are not mended.
    pub failed: u64,
    /// The first of them.
    pub failures: Vec<FailureReport>,
    /// What was ignored or understood differently in the event, and which tags found no room on a snapshot.
    pub warnings: Vec<String>,
    /// How each target came off, where the event names several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetReport>,
}

/// Snapshots of ours that nothing manages any more: they cost money that nobody sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrphanReport {
    /// How many there are in all.
    pub snapshots: usize,
    /// Of them, those whose schedule is no more.
    pub without_schedule: usize,
    /// Of them, those whose volume or instance is gone.
    pub of_gone_sources: usize,
    /// Of them, those whose volume or instance is there but not targeted.
    pub of_untargeted_sources: usize,
    /// Of them, those whose volume the policy leaves out now.
    #[serde(default)]
    pub of_excluded_volumes: usize,
    /// Of them, those that were made of a volume by itself although the policy is for instances now.
    #[serde(default)]
    pub of_other_kind: usize,
    /// Of them, those whose tags are not believed or cannot be read.
    #[serde(default)]
    pub doubted: usize,
    /// Of them, those that carry no expiry although their schedule keeps by age.
    pub without_expiration: usize,
    /// The full size of all of them, in bytes: what they cost at most.
    pub full_size_bytes: u64,
}

impl From<OrphanCount> for OrphanReport {
    fn from(count: OrphanCount) -> Self {
        let OrphanCount {
            without_schedule,
            of_gone_sources,
            of_untargeted_sources,
            of_excluded_volumes,
            of_other_kind,
            doubted,
            without_expiration,
            full_size_bytes,
        } = count;
        let of_sources = of_gone_sources + of_untargeted_sources + of_excluded_volumes + of_other_kind;
        let snapshots = without_schedule + of_sources + doubted + without_expiration;
        Self {
            snapshots,
            without_schedule,
            of_gone_sources,
            of_untargeted_sources,
            of_excluded_volumes,
            of_other_kind,
            doubted,
            without_expiration,
            full_size_bytes,
        }
    }
}

/// What is due for one schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduleReport {
    /// The schedule.
    pub name: String,
    /// `DUE`, `LATE` (its start window was over when this run began) or `NOTHING`.
    pub due: String,
    /// The scheduled time in question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled_time: Option<String>,
    /// The next scheduled time after the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_scheduled_time: Option<String>,
    /// The clock time that opendlm chose because the policy has no `Times`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derived_start_time: Option<String>,
}

/// Something that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FailureReport {
    /// The account that it failed in, in a sum; absent for the function's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The Region that it failed in, in a sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// `CopySnapshot`, `CreateSnapshot`, `CreateSnapshots` or `DeleteSnapshot`; in a sum also `Run`, of a target that failed altogether.
    pub action: String,
    /// The volume, the instance or the snapshot, with `@` and the Region where it is about a copy; of a run the role; `account` or `session` where it concerns the whole run.
    pub resource: String,
    /// The schedule that a snapshot was to be made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// EC2's error code, or ours.
    pub code: String,
    /// What EC2 said.
    pub message: String,
    /// How often it was tried.
    pub attempts: u32,
}

impl FailureReport {
    /// Whether one snapshot could not be deleted.
    fn is_of_one_deletion(&self) -> bool {
        self.action == "DeleteSnapshot" && SnapshotId::parse(&self.resource).is_some()
    }
}

/// Puts a turn into words.
#[must_use]
pub fn report(
    policy: &Policy,
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    status: Status,
    warnings: &[String],
) -> Report {
    let is_over = matches!(status, Status::Done(RunOutcome::Partial));
    let failures = failures::of(options, plan, progress, is_over);
    let failed = progress.failures_left_out.saturating_add(u64::try_from(failures.len()).unwrap_or(u64::MAX));
    let outcome = match status {
        Status::Done(outcome) => Some(outcome_name(outcome)),
        Status::Waiting { .. } => None,
    };
    let mut report = Report {
        outcome,
        summary: String::new(),
        policy_id: policy.id.to_string(),
        start: written(progress.start),
        account: options.target.as_ref().and_then(|place| place.account()).map(str::to_owned),
        region: options.target.as_ref().map(|place| place.region.to_string()),
        turns: progress.turns,
        dry_run: options.dry_run,
        schedules: plan.due.iter().map(|&(schedule, due)| schedule_report(schedule, due, progress.start)).collect(),
        volumes: counted(plan.targets.iter().map(words::of_target)),
        snapshots: counted(plan.snapshots.iter().map(words::of_snapshot)),
        created: progress.created,
        deleted: progress.deleted,
        counts: Counts::of(plan, progress, status, &failures),
        orphans: plan.orphans.into(),
        cost: Cost::of(plan).told(),
        copies: copies::of(plan, progress, &failures),
        stopped: plan.stopped,
        foreign: plan.foreign,
        failed,
        failures,
        warnings: [warnings, &consent::of(plan)]
            .concat()
            .into_iter()
            .chain(progress.tags_left_out.iter().map(line))
            .collect(),
        targets: Vec::new(),
    };
    report.summary = summary(&report, plan, status);
    report.failures.truncate(FAILURES_LISTED_MAX);
    report
}

/// The report of the turn that splits a run: what is due, and how many runs there are to be. `plan` is one of an account in
/// which nothing is, since what is due depends on nothing in it.
#[must_use]
pub fn split_report(
    policy: &Policy,
    options: &Options,
    plan: &Plan<'_>,
    progress: &Progress,
    warnings: &[String],
) -> Report {
    let status = Status::Waiting { seconds: 0 };
    let mut report = report(policy, options, plan, progress, status, warnings);
    report.summary = match &options.targets_from {
        Some(list) if options.targets.is_empty() => format!("the targets are listed in {list}"),
        _ => format!("{} targets, a run for each", options.targets.len()),
    };
    report
}

/// A text that came from EC2, or with the `Next` of an event, as part of a line; both have bounds of their own.
fn line(text: impl AsRef<str>) -> String {
    shown(text.as_ref(), usize::MAX)
}

/// Every decision of a plan in words: first the volumes, then the snapshots, then the copies.
pub fn decisions<'a>(plan: &'a Plan<'_>) -> impl Iterator<Item = words::Line> + 'a {
    let at_home = plan.targets.iter().map(words::of_target).chain(plan.snapshots.iter().map(words::of_snapshot));
    at_home.chain(plan.regions.iter().flat_map(copies::decisions))
}

/// The name of an outcome in an answer.
#[must_use]
pub fn outcome_name(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Partial => "PARTIAL",
        RunOutcome::Skipped => "SKIPPED",
        RunOutcome::Succeeded => "SUCCEEDED",
    }
}

/// An error with all that caused it, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    // Bounded by the length of the chain.
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

fn schedule_report(schedule: &Schedule, due: Due, start: Timestamp) -> ScheduleReport {
    let (due, scheduled_time) = match due {
        Due::Late { scheduled_time } => ("LATE", Some(scheduled_time)),
        Due::Nothing => ("NOTHING", None),
        Due::Now { scheduled_time, .. } => ("DUE", Some(scheduled_time)),
    };
    ScheduleReport {
        name: schedule.name.to_string(),
        due: due.to_owned(),
        scheduled_time: scheduled_time.map(written),
        next_scheduled_time: schedule::next_after(&schedule.create, start).map(written),
        derived_start_time: derived_start_time(&schedule.create),
    }
}

/// The clock time that opendlm chose for a schedule without `Times`, as `03:06`.
#[must_use]
pub fn derived_start_time(rule: &CreateRule) -> Option<String> {
    match rule {
        CreateRule::Interval { at, .. } if at.origin == StartTimeOrigin::Derived => {
            Some(format!("{:02}:{:02}", at.minute_of_day / 60, at.minute_of_day % 60))
        }
        CreateRule::Cron(_) | CreateRule::Interval { .. } | CreateRule::OnStart => None,
    }
}

fn counted(lines: impl Iterator<Item = words::Line>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(format!("{}: {}", line.decision, line.kind)).or_default() += 1;
    }
    counts
}
