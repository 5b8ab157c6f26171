//! One report of many: what the runs of all targets came to.
//!
//! Promises: no count is lost, a target that failed altogether is named with its error, the order in which the parts come
//! does not matter, and the sum of one part is the report that it came from, but for names.

use super::FAILURES_LISTED_MAX;
use super::copies::CopiesReport;
use super::cost::Cost;
use super::counts::Counts;
use super::part::Part;
use super::summary::{FAILURES_NAMED_MAX, SUMMARY_LENGTH_MAX};
use super::told::counted;
use super::{FailureReport, OrphanReport, Report, ScheduleReport, outcome_name};
use crate::place::{PLACES_MAX, Place};
use crate::policy::decode::shown;
use crate::turn::RunOutcome;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What there is to sum up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// What was told when the run was split.
    pub split: Split,
    /// What came of each target.
    pub told: Vec<(Place, Told)>,
}

/// The report of the turn that split the run, as far as it is of use here: what holds for every target.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Split {
    /// The policy.
    pub policy_id: String,
    /// The start of all runs.
    pub start: String,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// What is due.
    pub schedules: Vec<ScheduleReport>,
    /// What was ignored or understood differently in the event.
    pub warnings: Vec<String>,
}

/// What came of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Its run could not go on: the name of the error, and why.
    Failed {
        /// The name that the state machine saw, such as `AccessDenied`.
        error: String,
        /// The message.
        cause: String,
    },
    /// Its run is done.
    Part(Box<Part>),
}

/// How one target came off, in the sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TargetReport {
    /// The account; absent for the function's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The Region.
    pub region: String,
    /// `SUCCEEDED`, `PARTIAL`, `SKIPPED`, or `FAILED` when the run could not go on.
    pub outcome: &'static str,
    /// What the run said of itself, or why it could not go on.
    pub summary: String,
    /// How many snapshots it created.
    pub created: u64,
    /// How many snapshots it deleted.
    pub deleted: u64,
    /// How many things failed in it.
    pub failed: u64,
}

/// How many characters of an error are told: EC2's words, of which 500 are kept, and ours around them. For each of 40; what
/// is told of all stays the same where there are more.
const CAUSE_LENGTH_MAX: usize = 700;

/// How many targets that did not come off well the summary names: those of an event that names them itself.
const TARGETS_NAMED_MAX: usize = PLACES_MAX;

/// `Outcome` of a target whose run could not go on.
const FAILED: &str = "FAILED";

/// Sums the reports of all targets.
#[must_use]
pub fn sum(reports: Reports) -> Report {
    let Reports { split, mut told } = reports;
    told.sort_by(|(a, _), (b, _)| a.cmp(b));
    let cause_length_max = CAUSE_LENGTH_MAX * PLACES_MAX / told.len().max(PLACES_MAX);
    let target_report = |(place, told): &(Place, Told)| target_report(place, told, cause_length_max);
    let targets: Vec<TargetReport> = told.iter().map(target_report).collect();
    let mut sum = Report {
        outcome: Some(outcome_name(outcome(&targets))),
        summary: String::new(),
        policy_id: split.policy_id,
        start: split.start,
        account: None,
        region: None,
        turns: 0,
        dry_run: split.dry_run,
        schedules: split.schedules,
        volumes: BTreeMap::new(),
        snapshots: BTreeMap::new(),
        created: 0,
        deleted: 0,
        counts: Counts::default(),
        orphans: OrphanReport::default(),
        cost: Cost::default().told(),
        copies: Vec::new(),
        stopped: 0,
        foreign: 0,
        failed: 0,
        failures: told.iter().filter_map(|(place, told)| failed_altogether(place, told)).collect(),
        warnings: split.warnings,
        targets,
    };
    sum.failed = u64::try_from(sum.failures.len()).unwrap_or(u64::MAX);
    for (place, told) in &told {
        match told {
            Told::Failed { .. } => {}
            Told::Part(part) => add(&mut sum, place, part),
        }
    }
    sum.cost = sum.cost.cost.told();
    sum.summary = summary(&sum);
    sum.failures.truncate(FAILURES_LISTED_MAX);
    sum
}

fn outcome(targets: &[TargetReport]) -> RunOutcome {
    let is = |name: RunOutcome| move |target: &TargetReport| target.outcome == outcome_name(name);
    if targets.iter().all(is(RunOutcome::Skipped)) {
        RunOutcome::Skipped
    } else if targets.iter().all(|target| is(RunOutcome::Skipped)(target) || is(RunOutcome::Succeeded)(target)) {
        RunOutcome::Succeeded
    } else {
        RunOutcome::Partial
    }
}

fn target_report(place: &Place, told: &Told, cause_length_max: usize) -> TargetReport {
    let (outcome, summary, created, deleted, failed) = match told {
        Told::Failed { error, cause } => (FAILED, format!("{error}: {cause}"), 0, 0, 1),
        Told::Part(part) => (outcome_of(part), part.summary.clone(), part.created, part.deleted, part.failed),
    };
    TargetReport {
        account: place.account().map(str::to_owned),
        region: place.region.to_string(),
        outcome,
        summary: shown(&summary, cause_length_max),
        created,
        deleted,
        failed,
    }
}

/// What is not known to have gone well has not, and neither has what counts or names a failure, whatever it calls itself.
fn outcome_of(part: &Part) -> &'static str {
    let known = [RunOutcome::Skipped, RunOutcome::Succeeded].map(outcome_name);
    let has_failed = part.failed > 0 || !part.failures.is_empty();
    let known = known.into_iter().find(|name| *name == part.outcome && !has_failed);
    known.unwrap_or(outcome_name(RunOutcome::Partial))
}

fn failed_altogether(place: &Place, told: &Told) -> Option<FailureReport> {
    match told {
        Told::Failed { error, cause } => Some(FailureReport {
            account: place.account().map(str::to_owned),
            region: Some(place.region.to_string()),
            action: "Run".to_owned(),
            resource: place.role.as_ref().map_or_else(|| place.to_string(), |role| role.arn.to_string()),
            schedule: None,
            code: shown(error, CAUSE_LENGTH_MAX),
            message: shown(cause, CAUSE_LENGTH_MAX),
            attempts: 0,
        }),
        Told::Part(_) => None,
    }
}

fn add(sum: &mut Report, place: &Place, part: &Part) {
    let Part {
        number: _,
        outcome: _,
        summary: _,
        turns,
        volumes,
        snapshots,
        created,
        deleted,
        counts,
        orphans,
        cost,
        copies,
        stopped,
        foreign,
        failed,
        failures,
        warnings,
    } = part;
    sum.turns = sum.turns.saturating_add(*turns);
    for (counts, more) in [(&mut sum.volumes, volumes), (&mut sum.snapshots, snapshots)] {
        for (kind, count) in more {
            let entry = counts.entry(kind.clone()).or_default();
            *entry = entry.saturating_add(*count);
        }
    }
    sum.created = sum.created.saturating_add(*created);
    sum.deleted = sum.deleted.saturating_add(*deleted);
    sum.counts.add(counts);
    add_orphans(&mut sum.orphans, orphans);
    sum.cost.cost.add(cost);
    for more in copies {
        match sum.copies.iter_mut().find(|report| report.region == more.region) {
            Some(report) => report.add(more),
            None => sum.copies.push(more.clone()),
        }
    }
    sum.stopped = sum.stopped.saturating_add(*stopped);
    sum.foreign = sum.foreign.saturating_add(*foreign);
    sum.failed = sum.failed.saturating_add(*failed);
    sum.failures.extend(failures.iter().map(|failure| FailureReport {
        account: place.account().map(str::to_owned),
        region: Some(place.region.to_string()),
        ..failure.clone()
    }));
    sum.warnings.extend(warnings.iter().map(|warning| format!("{place}: {warning}")));
}

fn add_orphans(sum: &mut OrphanReport, more: &OrphanReport) {
    let OrphanReport {
        snapshots,
        without_schedule,
        of_gone_sources,
        of_untargeted_sources,
        of_excluded_volumes,
        of_other_kind,
        doubted,
        without_expiration,
        full_size_bytes,
    } = more;
    sum.snapshots = sum.snapshots.saturating_add(*snapshots);
    sum.without_schedule = sum.without_schedule.saturating_add(*without_schedule);
    sum.of_gone_sources = sum.of_gone_sources.saturating_add(*of_gone_sources);
    sum.of_untargeted_sources = sum.of_untargeted_sources.saturating_add(*of_untargeted_sources);
    sum.of_excluded_volumes = sum.of_excluded_volumes.saturating_add(*of_excluded_volumes);
    sum.of_other_kind = sum.of_other_kind.saturating_add(*of_other_kind);
    sum.doubted = sum.doubted.saturating_add(*doubted);
    sum.without_expiration = sum.without_expiration.saturating_add(*without_expiration);
    sum.full_size_bytes = sum.full_size_bytes.saturating_add(*full_size_bytes);
}

fn summary(sum: &Report) -> String {
    let mut sentences = vec![format!("{} targets", sum.targets.len())];
    for (outcome, words) in
        [("SUCCEEDED", "succeeded"), ("SKIPPED", "had nothing to do"), ("PARTIAL", "not all done"), (FAILED, "failed")]
    {
        let named: Vec<String> =
            sum.targets.iter().filter(|target| target.outcome == outcome).map(TargetReport::name).collect();
        match outcome {
            _ if named.is_empty() => {}
            "SUCCEEDED" | "SKIPPED" => sentences.push(format!("{} {words}", named.len())),
            _ => {
                let more = named.len().saturating_sub(TARGETS_NAMED_MAX);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let first: Vec<&str> = named.iter().map(String::as_str).take(TARGETS_NAMED_MAX).collect();
                sentences.push(format!("{} {words}: {}{more}", named.len(), first.join(", ")));
            }
        }
    }
    sentences.push(format!("{} made and {} deleted in this run", sum.created, sum.deleted));
    sentences.extend(sum.copies.iter().map(CopiesReport::sentence));
    if sum.stopped > 0 {
        sentences.push(format!("backups of {} have stopped", counted(sum.stopped, "volume")));
    }
    if sum.dry_run {
        sentences.push("dry run: nothing was changed".to_owned());
    }
    if !sum.failures.is_empty() {
        let named = sum.failures.iter().take(FAILURES_NAMED_MAX);
        let named: Vec<_> = named.map(|f| format!("{} {} ({}: {})", f.action, f.resource, f.code, f.message)).collect();
        sentences.push(format!("{} failed: {}", sum.failed, named.join(", ")));
    }
    sentences.join("; ").chars().take(SUMMARY_LENGTH_MAX).collect()
}

impl TargetReport {
    /// As a place is called.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.account {
            Some(account) => format!("account {account} in {}", self.region),
            None => format!("own account in {}", self.region),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
