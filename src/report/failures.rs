//! What failed, as a report tells it: what EC2 refused, what no try would mend, and what stopped the run.

use super::{FailureReport, copies, line, words};
use crate::options::Options;
use crate::plan::{Bounds, Brake, Plan, StandsBack, Target, TargetDecision, TargetVerdict};
use crate::tags;
use crate::tags::written;
use crate::turn::lacks_backups;
use crate::turn::missed::{self, MissedTime};
use crate::turn::progress::{Failure, Progress};
use crate::turn::subject::Subject;
use crate::world::CutShort;

/// Everything that failed and is not mended, as a report lists it. `is_over` says that nothing more will be tried.
pub(super) fn of(options: &Options, plan: &Plan<'_>, progress: &Progress, is_over: bool) -> Vec<FailureReport> {
    let braked = progress.brake.or(plan.brake).map(|brake| braked(brake, progress.deleted));
    let unseen = plan.cut_short.map(unseen);
    let hidden = progress.hidden.as_deref().map(hidden);
    let remembered = progress.failures.iter().map(failure_report);
    let hopeless = plan.targets.iter().filter_map(|decision| hopeless(decision, progress, is_over));
    let outdated = plan.stands_back.filter(|why| why.is_failure()).map(outdated);
    let is_lacking = is_over && lacks_backups(options, plan, progress);
    let stops = braked.into_iter().chain(outdated).chain(unseen).chain(hidden);
    let abroad = copies::failures(options, plan, progress, is_over);
    let mut failures: Vec<FailureReport> = stops.chain(remembered).chain(hopeless).chain(abroad).collect();
    if is_lacking {
        // That backups have stopped is news only where nothing else says why.
        let tells_stopped = failures.is_empty();
        failures.extend(lacking(plan, progress, tells_stopped));
    }
    failures
}

/// The failure of a run that would delete more than it may: it says what it would have done and how to let it.
fn braked(brake: Brake, deleted: u64) -> FailureReport {
    let Brake { bounds, planned, allowed } = brake;
    let message = match bounds {
        Bounds::Everything | Bounds::Orphans => format!(
            "the run would delete {planned} snapshots and may delete {allowed}, so it deleted {deleted}, only what the \
             snapshots' own stamps ask for, the oldest first; opendlm plan lists them; if that is right, set \
             Options.MaximumDeletions to {planned} or more"
        ),
        Bounds::Unstamped => format!(
            "the run would delete {planned} snapshots that carry no opendlm:stamp and may delete {allowed}, so it \
             deleted none of them; opendlm plan lists them; if that is right, set Options.MaximumDeletions to {planned} \
             or more"
        ),
    };
    FailureReport {
        account: None,
        region: None,
        action: "DeleteSnapshot".to_owned(),
        resource: "all".to_owned(),
        schedule: None,
        code: "MaximumDeletions".to_owned(),
        message,
        attempts: 0,
    }
}

/// The failure of a run that somebody started with an old version of the policy.
fn outdated(why: StandsBack) -> FailureReport {
    FailureReport {
        account: None,
        region: None,
        action: "DeleteSnapshot".to_owned(),
        resource: "all".to_owned(),
        schedule: None,
        code: "NewerPolicy".to_owned(),
        message: words::stands_back(why),
        attempts: 0,
    }
}

/// The failures of a run that found backups missing which were due.
fn lacking(plan: &Plan<'_>, progress: &Progress, tells_stopped: bool) -> Vec<FailureReport> {
    let failure = |code: &str, resource: String, schedule: Option<String>, message: String| FailureReport {
        account: None,
        region: None,
        action: "CreateSnapshot".to_owned(),
        resource,
        schedule,
        code: code.to_owned(),
        message,
        attempts: 0,
    };
    let all = |code: &str, message: String| failure(code, "all".to_owned(), None, message);
    let stopped = (plan.stopped > 0 && tells_stopped).then(|| all("BackupsStopped", words::stopped(plan.stopped)));
    let meets_nothing = plan.meets_nothing.map(|meets| all("NothingDue", words::meets_nothing(meets)));
    let lacks_targets = plan.lacks_targets.then(|| {
        all(
            "NoTargets",
            "nothing carries a target tag of the policy, but volumes or instances are there that it has backed up; \
             compare TargetTags with their tags"
                .to_owned(),
        )
    });
    let missed = missed::missed(progress, plan).into_iter().map(|MissedTime { subject, scheduled_time }| {
        let message = format!("no snapshot was made for {}, and its start window is over", written(scheduled_time));
        failure("Missed", subject.resource(), subject.schedule().map(ToString::to_string), message)
    });
    stopped.into_iter().chain(meets_nothing).chain(lacks_targets).chain(missed).collect()
}

/// The failure of a run that did not see the whole account.
fn unseen(cut: CutShort) -> FailureReport {
    FailureReport {
        account: None,
        region: None,
        action: "Describe".to_owned(),
        resource: "the account".to_owned(),
        schedule: None,
        code: "ObservationCutShort".to_owned(),
        message: format!("{cut}: what was not seen may have no backup, and nothing was deleted"),
        attempts: 0,
    }
}

/// The failure of a run whose snapshots no listing shows.
fn hidden(snapshot: &str) -> FailureReport {
    FailureReport {
        account: None,
        region: None,
        action: "DescribeSnapshots".to_owned(),
        resource: line(snapshot),
        schedule: None,
        code: "NotListed".to_owned(),
        message: format!(
            "EC2 shows {} by its id but not by its tag {}: this endpoint does not filter as EC2 does. Nothing more was made \
             and nothing was deleted; use an endpoint that filters by tags",
            line(snapshot),
            tags::POLICY_ID
        ),
        attempts: 0,
    }
}

/// The failure of a target that cannot get its snapshot whatever is tried.
fn hopeless(decision: &TargetDecision<'_>, progress: &Progress, is_over: bool) -> Option<FailureReport> {
    let code = match &decision.verdict {
        TargetVerdict::Create { .. } if progress.hidden.is_some() => "NotMade",
        // The next try may do better, and until one does this is what is known of the target.
        TargetVerdict::Create { last_failed: Some(_), .. } => "SnapshotFailed",
        // Not even tried, or refused each time: that is no failure of the target, and nothing else tells it.
        TargetVerdict::Create { .. } if is_over && has_no_room(decision, progress) => "PendingSnapshotLimitExceeded",
        // Made, perhaps often, and never seen; what failed by name is told already.
        TargetVerdict::Create { .. } if is_over && !is_told(decision, progress) => "NotVisible",
        TargetVerdict::Fail(reason) => words::fail_kind(*reason),
        TargetVerdict::GiveUp { failed_snapshots: 0, doubted, .. } if *doubted > 0 => "SnapshotsInDoubt",
        TargetVerdict::GiveUp { failed_snapshots: 0, .. } => "SetIncomplete",
        TargetVerdict::GiveUp { .. } => "SnapshotsFailed",
        TargetVerdict::Coincides { .. }
        | TargetVerdict::Create { .. }
        | TargetVerdict::Exists(_)
        | TargetVerdict::Settling { .. }
        | TargetVerdict::HasRecent { .. }
        | TargetVerdict::Missed(_)
        | TargetVerdict::Skip(_) => return None,
        TargetVerdict::Wait(_) if is_over => "StillPending",
        TargetVerdict::Wait(_) => return None,
    };
    let action = match decision.target {
        Target::Instance(_) => "CreateSnapshots",
        Target::Volume(_) => "CreateSnapshot",
    };
    let message = match code {
        "NotMade" => "the run stopped making snapshots, because no listing shows those that it made".to_owned(),
        "SnapshotFailed" => decision.verdict.last_failed().map_or_else(String::new, words::failed_snapshot),
        "NotVisible" => {
            "EC2 shows no snapshot for this time, although calls to make one were accepted or nothing more may be tried"
                .to_owned()
        }
        "PendingSnapshotLimitExceeded" => {
            "to the end of the run the account had as many pending snapshots as EC2 allows; ask AWS to allow more, or let \
             schedules start at different times"
                .to_owned()
        }
        _ => words::of_target(decision).reason,
    };
    Some(FailureReport {
        account: None,
        region: None,
        action: action.to_owned(),
        resource: decision.target.id().to_string(),
        schedule: Some(decision.schedule.name.to_string()),
        code: code.to_owned(),
        message,
        attempts: 0,
    })
}

/// Whether EC2 had no room for another pending snapshot when a target was to get its own.
fn has_no_room(decision: &TargetDecision<'_>, progress: &Progress) -> bool {
    progress.pending_window.is_some() && !is_told(decision, progress)
}

/// Whether something else tells why a target got no snapshot.
fn is_told(decision: &TargetDecision<'_>, progress: &Progress) -> bool {
    progress.is_hindered() || progress.may_have_failed(&Subject::of_decision(decision))
}

fn failure_report(failure: &Failure) -> FailureReport {
    FailureReport {
        account: None,
        region: None,
        action: line(&failure.action),
        resource: line(failure.subject.resource()),
        schedule: failure.subject.schedule().map(|name| line(name.as_str())),
        code: line(&failure.code),
        message: line(&failure.message),
        attempts: failure.attempts,
    }
}
