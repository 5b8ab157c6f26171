//! What is told of one target's run to those who sum up: its report, cut to what a sum needs.

use super::copies::CopiesReport;
use super::cost::Cost;
use super::counts::Counts;
use super::{FailureReport, OrphanReport, Report};
use crate::event::json_length as length;
use crate::place::OneOf;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many characters of a run's own summary are kept.
const SUMMARY_LENGTH_MAX: usize = 200;

/// How many characters of a failure's message are kept: a sentence of EC2, without the encoded part.
const MESSAGE_LENGTH_MAX: usize = 200;

/// A report as a sum takes it. Counts are whole, lists are cut to the target's share ([`OneOf::part_length_max`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Part {
    /// Which of the targets it is of.
    pub number: u32,
    /// `SUCCEEDED`, `PARTIAL` or `SKIPPED`; whatever else it says counts as partial.
    pub outcome: String,
    /// What the run said of itself.
    pub summary: String,
    /// As in [`Report`], like all that follows.
    pub turns: u32,
    /// Decisions about volumes, by kind.
    pub volumes: BTreeMap<String, usize>,
    /// Decisions about snapshots, by kind.
    pub snapshots: BTreeMap<String, usize>,
    /// Snapshots created.
    pub created: u64,
    /// Snapshots deleted.
    pub deleted: u64,
    /// What the metrics count besides.
    #[serde(default)]
    pub counts: Counts,
    /// Snapshots that nothing manages any more.
    pub orphans: OrphanReport,
    /// What all snapshots of the policy cost at most.
    #[serde(default)]
    pub cost: Cost,
    /// The copies in other Regions; all in one where there is no room for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopiesReport>,
    /// Volumes whose backups have stopped.
    pub stopped: usize,
    /// Snapshots that look like ours and are not.
    pub foreign: usize,
    /// How many things failed.
    pub failed: u64,
    /// The first of them, as many as find room.
    pub failures: Vec<FailureReport>,
    /// What only this run had to warn of, as much as finds room.
    pub warnings: Vec<String>,
}

impl Part {
    /// The part of a run that is done. What the event itself was warned of is told by whoever split it.
    #[must_use]
    pub fn of(report: &Report, event_warnings: &[String], one_of: OneOf) -> Self {
        let part_length_max = one_of.part_length_max();
        let mut part = Self {
            number: one_of.number,
            outcome: report.outcome.unwrap_or_default().to_owned(),
            summary: report.summary.chars().take(SUMMARY_LENGTH_MAX).collect(),
            turns: report.turns,
            volumes: report.volumes.clone(),
            snapshots: report.snapshots.clone(),
            created: report.created,
            deleted: report.deleted,
            counts: report.counts,
            orphans: report.orphans,
            cost: report.cost.cost,
            copies: report.copies.clone(),
            stopped: report.stopped,
            foreign: report.foreign,
            failed: report.failed,
            failures: Vec::new(),
            warnings: Vec::new(),
        };
        if length(&part) > part_length_max {
            // The counts that matter stay.
            part.volumes.clear();
            part.snapshots.clear();
        }
        if length(&part) > part_length_max {
            part.summary.clear();
        }
        if length(&part) > part_length_max && part.copies.len() > 1 {
            part.copies = vec![CopiesReport::total(&part.copies)];
        }
        let mut room = part_length_max.saturating_sub(length(&part));
        let failures = report.failures.iter().map(|failure| FailureReport {
            message: failure.message.chars().take(MESSAGE_LENGTH_MAX).collect(),
            ..failure.clone()
        });
        part.failures = fitting(failures, &mut room);
        let own = report.warnings.iter().filter(|warning| !event_warnings.contains(warning)).cloned();
        part.warnings = fitting(own, &mut room);
        part
    }
}

/// The first of `items` that fit into `room`, which becomes smaller by them.
fn fitting<T: Serialize>(items: impl Iterator<Item = T>, room: &mut usize) -> Vec<T> {
    let mut taken = Vec::new();
    for item in items {
        // And a comma.
        let Some(left) = room.checked_sub(length(&item).saturating_add(1)) else { break };
        *room = left;
        taken.push(item);
    }
    taken
}

#[cfg(test)]
mod tests;
