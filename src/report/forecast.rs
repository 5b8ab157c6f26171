//! What a plan comes to, as a person reads it before anything is done.

use super::summary::nothing_due;
use super::told::counted;
use super::{Report, words};
use crate::options::{Options, WhenStopped};
use crate::plan::copies::{CopyVerdict, Wanted};
use crate::plan::{Bounds, Brake, KeepReason, Plan, SnapshotDecision, SnapshotVerdict, Target, TargetVerdict};
use serde::Serialize;

/// What a run that starts now would do in all, and what it would say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Forecast {
    /// Volumes that get a snapshot.
    pub create: usize,
    /// Instances that get a set of snapshots.
    pub create_sets: usize,
    /// Snapshots that go at once.
    pub delete: usize,
    /// Snapshots that go once what is created is complete.
    pub delete_later: usize,
    /// Snapshots that stay.
    pub kept: usize,
    /// Snapshots that are not complete yet.
    pub under_way: usize,
    /// Copies to begin in other Regions.
    #[serde(skip_serializing_if = "is_zero")]
    pub copy: usize,
    /// Copies there that go at once.
    #[serde(skip_serializing_if = "is_zero")]
    pub delete_copies: usize,
    /// Snapshots that look like ours and are not.
    pub foreign: usize,
    /// Why the run would fail, a sentence each.
    pub failures: Vec<String>,
    /// What else it would tell, a sentence each.
    pub notes: Vec<String>,
}

impl Forecast {
    /// What `plan` comes to; `report` is the one of that plan.
    #[must_use]
    pub fn of(options: &Options, plan: &Plan<'_>, report: &Report) -> Self {
        let mut forecast = Self { foreign: plan.foreign, ..Self::default() };
        for decision in plan.targets.iter().filter(|d| matches!(d.verdict, TargetVerdict::Create { .. })) {
            match decision.target {
                Target::Instance(_) => forecast.create_sets += 1,
                Target::Volume(_) => forecast.create += 1,
            }
        }
        for decision in &plan.snapshots {
            let count = match (&decision.verdict, decision.goes_later) {
                (SnapshotVerdict::Delete(_), _) => &mut forecast.delete,
                (SnapshotVerdict::Keep(_), Some(_)) => &mut forecast.delete_later,
                (SnapshotVerdict::Keep(_), None) => &mut forecast.kept,
                (SnapshotVerdict::Wait { .. }, _) => &mut forecast.under_way,
            };
            *count += 1;
        }
        for region in &plan.regions {
            let to_copy = |wanted: &&Wanted<'_>| matches!(wanted.verdict, CopyVerdict::Begin { .. });
            forecast.copy += region.wanted.iter().filter(to_copy).count();
            let goes = |copy: &&SnapshotDecision<'_>| matches!(copy.verdict, SnapshotVerdict::Delete(_));
            forecast.delete_copies += region.copies.iter().filter(goes).count();
        }
        forecast.failures = failures(options, plan, report);
        forecast.notes = notes(plan, report);
        // What is made now begins the backups again: that they have stopped is news all the same.
        let stopped = (plan.stopped > 0).then(|| words::stopped(plan.stopped));
        let untold = stopped.filter(|stopped| !forecast.failures.contains(stopped));
        forecast.notes.extend(untold);
        forecast
    }

    /// Everything in a line: `Plan: 3 to create, 3 to delete after that, 6 kept; 5 snapshots are not ours`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let create = match (self.create, self.create_sets) {
            (create, 0) => format!("{create} to create"),
            (0, sets) => format!("{} to create", counted(sets, "set")),
            (create, sets) => format!("{create} and {} to create", counted(sets, "set")),
        };
        let only = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
        let parts: Vec<String> = [
            Some(create),
            only(self.delete, "to delete"),
            only(self.delete_later, "to delete after that"),
            Some(format!("{} kept", self.kept)),
            only(self.under_way, "under way"),
            only(self.copy, "to copy"),
            only(self.delete_copies, "copies to delete"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let foreign = match self.foreign {
            0 => String::new(),
            1 => "; 1 snapshot is not ours".to_owned(),
            count => format!("; {count} snapshots are not ours"),
        };
        format!("Plan: {}{foreign}", parts.join(", "))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Why a run that starts now would fail, as far as that can be foreseen. That it meets no scheduled time is none: it is
/// somebody at a terminal who starts it now.
fn failures(options: &Options, plan: &Plan<'_>, report: &Report) -> Vec<String> {
    let braked = plan.brake.map(brake);
    let of_targets = report.failures.iter().filter(|failure| failure.code != "MaximumDeletions");
    let of_targets = of_targets.map(|f| format!("{} {}: {}: {}", f.action, f.resource, f.code, f.message));
    let is_told = options.stopped == WhenStopped::Fail && !plan.is_disabled;
    let is_due = plan.due.iter().any(|(_, due)| due.is_now());
    let creates = plan.targets.iter().any(|d| matches!(d.verdict, TargetVerdict::Create { .. }));
    // What is made now begins the backups again; what was missed before stays missed.
    let stopped = (is_told && !options.run_now && !is_due && plan.stopped > 0).then(|| words::stopped(plan.stopped));
    let missed = is_told && !options.run_now && !plan.missed.is_empty() && (creates || !is_due);
    let missed = missed.then(|| {
        let (count, was) = (plan.missed.len(), if plan.missed.len() == 1 { "was" } else { "were" });
        format!("{} {was} missed and the start window is over", counted(count, "scheduled time"))
    });
    let lacks_targets = (is_told && plan.lacks_targets)
        .then(|| "nothing carries a target tag, although the policy has made snapshots of what is there".to_owned());
    braked.into_iter().chain(of_targets).chain(stopped).chain(missed).chain(lacks_targets).collect()
}

fn brake(brake: Brake) -> String {
    let Brake { bounds, planned, allowed } = brake;
    let what = match bounds {
        Bounds::Everything => "snapshots",
        Bounds::Orphans => "orphans",
        Bounds::Unstamped => "snapshots without opendlm:stamp",
    };
    format!(
        "the run would delete {planned} {what} and may delete {allowed}; if that is right, set Options.MaximumDeletions to \
         {planned} or more"
    )
}

fn notes(plan: &Plan<'_>, report: &Report) -> Vec<String> {
    let is_due = plan.due.iter().any(|(_, due)| due.is_now());
    let idle = if plan.is_disabled {
        Some("the policy is disabled: nothing is made".to_owned())
    } else {
        (!is_due || plan.targets.is_empty()).then(|| nothing_due(plan))
    };
    let awaits =
        |d: &&SnapshotDecision<'_>| matches!(d.verdict, SnapshotVerdict::Keep(KeepReason::AwaitsConsent { .. }));
    let awaiting = plan.snapshots.iter().filter(awaits).count();
    let awaiting = (awaiting > 0).then(|| {
        let wait = if awaiting == 1 { "waits" } else { "wait" };
        format!(
            "{} {wait} for somebody to agree to the lower count, as Options.AcceptCount",
            counted(awaiting, "snapshot")
        )
    });
    let stands_back = plan.stands_back.map(words::stands_back);
    let copies = report.copies.iter().map(|copies| format!("copies in {}", copies.sentence()));
    idle.into_iter().chain(awaiting).chain(stands_back).chain(report.orphans.told()).chain(copies).collect()
}

#[cfg(test)]
mod tests;
