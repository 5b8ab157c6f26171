//! What a turn writes into the log: every decision, every call, and what it came to.

use crate::action::{Action, Outcome};
use crate::answer::Answer;
use crate::event::Event;
use crate::pace::{Api, LimitsNews};
use crate::place::{Place, Region};
use crate::plan::{Plan, TargetVerdict};
use crate::policy::ScheduleName;
use crate::report::{self, words};
use crate::tags::written;
use crate::turn::{Conclusion, Status};
use tracing::{Level, info, warn};

/// Every decision, for those who ask (`AWS_LAMBDA_LOG_LEVEL=DEBUG`); of a dry run always, since it is all there is.
pub(super) fn log_decisions(event: &Event, plan: &Plan<'_>) {
    macro_rules! log {
        ($level:expr, $line:expr) => {
            tracing::event!(
                $level,
                policy = event.policy.id.as_str(),
                account = event.options.target.as_ref().and_then(Place::account),
                region = event.options.target.as_ref().map(|target| target.region.as_str()),
                decision = $line.decision,
                schedule = $line.schedule,
                volume = $line.volume,
                instance = $line.instance,
                snapshot = $line.snapshot,
                scheduled_time = $line.scheduled_time,
                reason = $line.reason,
                "decision"
            )
        };
    }
    if event.options.dry_run {
        report::decisions(plan).for_each(|line| log!(Level::INFO, line));
    } else if tracing::enabled!(Level::DEBUG) {
        report::decisions(plan).for_each(|line| log!(Level::DEBUG, line));
    }
}

/// The snapshots that went to `error`, one for each target that is tried again, and in the last turn one for each target that
/// no try would help.
pub(super) fn log_failed_snapshots(policy: &str, target: Option<&Place>, plan: &Plan<'_>, status: Status) {
    let is_over = matches!(status, Status::Done(_));
    for decision in &plan.targets {
        let is_tried_again = matches!(decision.verdict, TargetVerdict::Create { .. });
        let Some(failed) = decision.verdict.last_failed().filter(|_| is_tried_again || is_over) else { continue };
        let line = report::words::of_target(decision);
        warn!(
            policy,
            account = target.and_then(Place::account),
            region = target.map(|target| target.region.as_str()),
            decision = line.decision,
            schedule = line.schedule,
            volume = failed.volume_id.to_string(),
            instance = line.instance,
            snapshot = failed.id.to_string(),
            scheduled_time = line.scheduled_time,
            cause = failed.state_message.as_deref(),
            "failed snapshot"
        );
    }
}

pub(super) fn log_action(policy: &str, target: Option<&Place>, action: &Action, outcome: &Outcome) {
    let (word, made, cause) = match outcome {
        Outcome::Changed(change) => ("kept", &[][..], Some(words::of_change(*change))),
        Outcome::Created(ids) => ("done", ids.as_slice(), None),
        Outcome::Deleted => ("done", &[][..], None),
        Outcome::Failed(failed) => ("failed", &[][..], Some((failed.code.as_str(), failed.message.clone()))),
        Outcome::NotStarted => return,
    };
    let about = action.about();
    let made: Vec<String> = made.iter().map(ToString::to_string).collect();
    let left_out = action.tags_left_out().join(", ");
    info!(
        policy,
        account = target.and_then(Place::account),
        region = action.region().or(target.map(|target| &target.region)).map(Region::as_str),
        action = action.api().name(),
        volume = about.volume.map(|id| id.to_string()),
        instance = about.instance.map(|id| id.to_string()),
        snapshot = about.snapshot.map(|id| id.to_string()).or_else(|| (!made.is_empty()).then(|| made.join(" "))),
        schedule = about.schedule.map(ScheduleName::as_str),
        scheduled_time = about.scheduled_time.map(written),
        outcome = word,
        code = cause.as_ref().map(|(code, _)| *code),
        cause = cause.as_ref().map(|(_, words)| words.as_str()),
        tags_left_out = (!left_out.is_empty()).then_some(left_out),
        "action"
    );
}

/// Which limits EC2's calls keep to from now on, and who says so.
pub(super) fn log_limits(policy: &str, target: Option<&Place>, news: &LimitsNews) {
    let shown = |api| {
        let limit = news.limits[api];
        format!("{} and {} a second", limit.capacity(), limit.refill_per_second())
    };
    let failed = news.failed.as_ref();
    let unsaid = news.unsaid.iter().map(|api| api.name()).collect::<Vec<_>>().join(", ");
    info!(
        policy,
        account = target.and_then(Place::account),
        region = target.map(|target| target.region.as_str()),
        source = if news.is_listed { "Service Quotas" } else { "documentation" },
        create_snapshot = shown(Api::CreateSnapshot),
        create_snapshots = shown(Api::CreateSnapshots),
        delete_snapshot = shown(Api::DeleteSnapshot),
        describe_instances = shown(Api::DescribeInstances),
        describe_snapshots = shown(Api::DescribeSnapshots),
        describe_volumes = shown(Api::DescribeVolumes),
        documented = (!unsaid.is_empty()).then_some(unsaid),
        code = failed.map(|failed| failed.code.as_str()),
        cause = failed.map(|failed| failed.message.as_str()),
        "limits"
    );
}

pub(super) fn log_turn(policy: &str, answer: &Answer, conclusion: &Conclusion) {
    info!(
        policy,
        account = answer.report.account,
        region = answer.report.region,
        turn = conclusion.progress.turns,
        status = answer.status,
        wait_seconds = answer.wait_seconds,
        outcome = answer.report.outcome,
        created = answer.report.created,
        deleted = answer.report.deleted,
        failed = answer.report.failed,
        summary = answer.report.summary,
        "turn"
    );
}
