//! What a report says in one line.

use super::copies::CopiesReport;
use super::{Report, consent, told, words};
use crate::plan::{Due, Plan, TargetVerdict};
use crate::tags::written;
use crate::turn::{RunOutcome, Status};

/// How long the summary may be: it becomes the cause of a failed execution, which Step Functions cuts at 32,768.
pub(super) const SUMMARY_LENGTH_MAX: usize = 2_000;

/// How many failures the summary names.
pub(super) const FAILURES_NAMED_MAX: usize = 5;

/// What came of a run or is going on, in sentences.
pub(super) fn summary(report: &Report, plan: &Plan<'_>, status: Status) -> String {
    let mut sentences = about_targets(plan);
    sentences.push(format!("{} made and {} deleted in this run", report.created, report.deleted));
    sentences.extend(report.copies.iter().map(CopiesReport::sentence));
    if plan.stopped > 0 {
        sentences.push(words::stopped(plan.stopped));
    }
    if let Some(why) = plan.stands_back {
        sentences.push(words::stands_back(why));
    }
    sentences.extend(consent::of(plan));
    if report.dry_run {
        sentences.push("dry run: nothing was changed".to_owned());
    }
    if report.failed > 0 {
        let named = report.failures.iter().take(FAILURES_NAMED_MAX);
        let named: Vec<_> = named.map(|f| format!("{} {} ({}: {})", f.action, f.resource, f.code, f.message)).collect();
        sentences.push(format!("{} failed: {}", report.failed, named.join(", ")));
    } else if matches!(status, Status::Done(RunOutcome::Partial)) {
        sentences.push("not all work could be done".to_owned());
    }
    sentences.join("; ").chars().take(SUMMARY_LENGTH_MAX).collect()
}

fn about_targets(plan: &Plan<'_>) -> Vec<String> {
    let count =
        |is_wanted: fn(&TargetVerdict<'_>) -> bool| plan.targets.iter().filter(|d| is_wanted(&d.verdict)).count();
    let complete = count(|verdict| matches!(verdict, TargetVerdict::Exists(_) | TargetVerdict::Settling { .. }));
    let missed = count(|verdict| matches!(verdict, TargetVerdict::Missed(_)));
    let left_alone = count(|verdict| matches!(verdict, TargetVerdict::Skip(_) | TargetVerdict::HasRecent { .. }));
    let joined = count(|verdict| matches!(verdict, TargetVerdict::Coincides { .. }));
    let due = plan.targets.len() - missed - left_alone - joined;
    let mut sentences = Vec::new();
    if plan.is_disabled {
        sentences.push("the policy is disabled: nothing is made".to_owned());
    } else if due > 0 {
        sentences.push(format!("{complete} of {due} due snapshots are complete"));
    } else if left_alone == 0 {
        sentences.push(nothing_due(plan));
    }
    if missed > 0 {
        let (have, get) = if missed == 1 { ("has", "gets") } else { ("have", "get") };
        sentences.push(format!(
            "{} {have} no snapshot for the latest scheduled time and {get} none any more",
            told::counted(missed, "target")
        ));
    }
    if left_alone > 0 {
        let need = if left_alone == 1 { "needs" } else { "need" };
        sentences.push(format!("{} {need} none or can have none now", told::counted(left_alone, "target")));
    }
    sentences
}

/// Why nothing is due.
pub(super) fn nothing_due(plan: &Plan<'_>) -> String {
    let late = plan.due.iter().find_map(|(_, due)| match due {
        Due::Late { scheduled_time } => Some(written(*scheduled_time)),
        Due::Nothing | Due::Now { .. } => None,
    });
    let is_due = plan.due.iter().any(|(_, due)| matches!(due, Due::Now { .. }));
    match late {
        _ if is_due => "a schedule is due, but nothing carries a target tag".to_owned(),
        Some(time) => format!("nothing is due: the start window after {time} is over"),
        None => "nothing is due: no schedule has had a scheduled time yet".to_owned(),
    }
}
