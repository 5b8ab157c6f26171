//! The metrics of a finished run, as CloudWatch's embedded metric format has them: one line of JSON in the log, which
//! CloudWatch Logs turns into metrics without a call and without a right.
//!
//! The names that Amazon DLM has are its own, with its dimension (`shared/reference/dlm.md` 3.2), under our namespace,
//! because nobody but AWS may write into `AWS/EBS`. Names that DLM has for what opendlm does not do yet are left out.

use super::Report;
use super::copies::CopiesReport;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Where CloudWatch shows them.
pub const NAMESPACE: &str = "opendlm";

/// The one dimension. CloudWatch bills every metric for each value that a dimension has.
pub const DIMENSION: &str = "DLMPolicyId";

/// What a number counts (CloudWatch API reference, `MetricDatum`: `Unit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Unit {
    Bytes,
    Count,
}

/// The metrics of a report with what they come to, in the order of the line. Those of copies where there is a Region to copy to:
/// CloudWatch bills each metric of each policy.
fn values(report: &Report) -> Vec<(&'static str, Unit, u64)> {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let counts = report.counts;
    let copies = CopiesReport::total(&report.copies);
    let mut values = vec![
        ("ResourcesTargeted", Unit::Count, counts.targeted),
        ("SnapshotsCreateStarted", Unit::Count, report.created),
        ("SnapshotsCreateCompleted", Unit::Count, counts.completed),
        ("SnapshotsCreateFailed", Unit::Count, counts.not_created),
        ("SnapshotsDeleteCompleted", Unit::Count, report.deleted),
        ("SnapshotsDeleteFailed", Unit::Count, counts.not_deleted),
    ];
    if !report.copies.is_empty() {
        values.extend([
            ("SnapshotsCopiedRegionStarted", Unit::Count, copies.begun),
            ("SnapshotsCopiedRegionCompleted", Unit::Count, copies.completed),
            ("SnapshotsCopiedRegionFailed", Unit::Count, copies.given_up),
            ("SnapshotsCopiedRegionDeleteCompleted", Unit::Count, copies.deleted),
            ("SnapshotsCopiedRegionDeleteFailed", Unit::Count, copies.not_deleted),
        ]);
    }
    // Ours.
    values.extend([
        ("VolumesStopped", Unit::Count, number(report.stopped)),
        ("Orphans", Unit::Count, number(report.orphans.snapshots).saturating_add(copies.orphans)),
        ("OrphanBytes", Unit::Bytes, report.orphans.full_size_bytes.saturating_add(copies.orphan_bytes)),
    ]);
    values
}

/// The line of a run that ended at `at`. `None` while it goes on.
///
/// It has no `level`: with `LogFormat: JSON` AWS Lambda takes such a line for one of level INFO.
#[must_use]
pub fn line(report: &Report, at: Timestamp) -> Option<String> {
    report.outcome?;
    let values = values(report);
    let metrics: Vec<Value> = values.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
    let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics });
    let mut line = Map::new();
    line.insert("_aws".to_owned(), json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive] }));
    line.insert(DIMENSION.to_owned(), Value::from(report.policy_id.as_str()));
    line.extend(values.into_iter().map(|(name, _, value)| (name.to_owned(), Value::from(value))));
    Some(Value::Object(line).to_string())
}

#[cfg(test)]
mod tests;
