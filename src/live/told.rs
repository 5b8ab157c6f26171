//! A whole report in words, as `opendlm runs RUN` tells it.

use crate::report::OrphanReport;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The lines of a report. What it does not hold is left out: it may be of another version.
#[must_use]
pub fn report(report: &Value) -> Vec<String> {
    let text = |key: &str| report.get(key).and_then(Value::as_str);
    let number = |key: &str| report.get(key).and_then(Value::as_u64);
    let mut lines = Vec::new();
    lines.extend(text("Summary").map(str::to_owned));
    for schedule in list(report, "Schedules") {
        let of = |key: &str| schedule.get(key).and_then(Value::as_str);
        let mut line = format!("schedule {}: {}", of("Name").unwrap_or("?"), due(of("Due").unwrap_or("?")));
        if let Some(time) = of("ScheduledTime") {
            line.push_str(&format!(", scheduled time {time}"));
        }
        if let Some(time) = of("NextScheduledTime") {
            line.push_str(&format!(", next {time}"));
        }
        lines.push(line);
    }
    lines.extend(counts(report, "Volumes").map(|counts| format!("targets: {counts}")));
    lines.extend(counts(report, "Snapshots").map(|counts| format!("snapshots: {counts}")));
    let (made, deleted) = (number("Created"), number("Deleted"));
    lines.extend(made.zip(deleted).map(|(made, deleted)| format!("made {made}, deleted {deleted}")));
    let orphans =
        report.get("Orphans").and_then(|orphans| serde_json::from_value::<OrphanReport>(orphans.clone()).ok());
    if let Some(orphans) = orphans.filter(|orphans| orphans.snapshots > 0) {
        lines.push(format!(
            "orphans: {} snapshots that nothing manages any more, {:.1} GiB at most",
            orphans.snapshots,
            gib(orphans.full_size_bytes)
        ));
    }
    if let Some(stopped) = number("Stopped").filter(|&stopped| stopped > 0) {
        lines.push(format!("stopped: the newest backups of {stopped} volumes are too old"));
    }
    lines.extend(list(report, "Targets").map(target));
    let failures = list(report, "Failures").map(failure).collect::<Vec<_>>();
    let (failed, listed) = (number("Failed").unwrap_or(0), failures.len());
    lines.extend(failures);
    let more = failed.saturating_sub(u64::try_from(listed).unwrap_or(u64::MAX));
    if more > 0 {
        lines.push(format!("failed: {more} more, which the function's log names"));
    }
    lines.extend(list(report, "Warnings").filter_map(Value::as_str).map(|warning| format!("warning: {warning}")));
    lines
}

fn list<'r>(report: &'r Value, key: &str) -> impl Iterator<Item = &'r Value> + use<'r> {
    report.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// `3 exists: Exists, 1 skip: VolumeState`; none where there is nothing.
fn counts(report: &Value, key: &str) -> Option<String> {
    let counts: &Map<String, Value> = report.get(key)?.as_object()?;
    // By name, in whatever order the report has them.
    let counts: BTreeMap<&String, &Value> = counts.iter().collect();
    let each: Vec<String> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    (!each.is_empty()).then(|| each.join(", "))
}

fn due(word: &str) -> &str {
    match word {
        "DUE" => "due",
        "LATE" => "too late, its start window was over",
        "NOTHING" => "had no scheduled time yet",
        other => other,
    }
}

fn target(target: &Value) -> String {
    let of = |key: &str| target.get(key).and_then(Value::as_str);
    let place = [of("Account"), of("Region")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let place = if place.is_empty() { "own account" } else { &place };
    format!("target {place}: {}: {}", of("Outcome").unwrap_or("?"), of("Summary").unwrap_or_default())
}

fn failure(failure: &Value) -> String {
    let of = |key: &str| failure.get(key).and_then(Value::as_str);
    let place = [of("Account"), of("Region")].into_iter().flatten().map(|part| format!("{part} ")).collect::<String>();
    let words = [of("Action"), of("Resource")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    format!("failed: {place}{words}: {}: {}", of("Code").unwrap_or("?"), of("Message").unwrap_or_default())
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit after the point")]
fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_is_told_whole_and_what_it_lacks_is_left_out() {
        let full = json!({
            "Summary": "2 of 3 due snapshots are complete", "Created": 2, "Deleted": 1, "Failed": 3, "Stopped": 2,
            "Schedules": [{ "Name": "Daily", "Due": "DUE", "ScheduledTime": "2026-11-22T17:00:00Z" }],
            "Volumes": { "exists: Exists": 2, "create: Due": 1 },
            "Failures": [{ "Action": "CreateSnapshot", "Resource": "vol-0a", "Code": "IncorrectState", "Message": "no" }],
            "Warnings": ["a tag found no room"],
            "Orphans": {
                "Snapshots": 2, "WithoutSchedule": 2, "OfGoneSources": 0, "OfUntargetedSources": 0, "WithoutExpiration": 0,
                "FullSizeBytes": 1_610_612_736
            },
        });
        assert_eq!(
            report(&full),
            [
                "2 of 3 due snapshots are complete",
                "schedule Daily: due, scheduled time 2026-11-22T17:00:00Z",
                "targets: 1 create: Due, 2 exists: Exists",
                "made 2, deleted 1",
                "orphans: 2 snapshots that nothing manages any more, 1.5 GiB at most",
                "stopped: the newest backups of 2 volumes are too old",
                "failed: CreateSnapshot vol-0a: IncorrectState: no",
                "failed: 2 more, which the function's log names",
                "warning: a tag found no room",
            ]
        );
        assert_eq!(report(&json!({ "Outcome": "SUCCEEDED" })), [""; 0]);
    }
}
