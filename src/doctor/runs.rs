//! How a policy's last run ended, and whether one came for its latest scheduled time.

use super::{Line, PolicySeen, ok, unknown, unseen, wrong};
use crate::live::effect::age;
use crate::live::runs::Run;
use crate::schedule;
use crate::tags::written;
use jiff::{SignedDuration, Timestamp};

/// How late a start may be before it counts as missing. EventBridge Scheduler starts within the minute, tries again for an hour, and
/// Step Functions shows a new execution within seconds.
const LATE_MAX: SignedDuration = SignedDuration::from_mins(10);

/// How the last run ended.
pub(super) fn lines(seen: &PolicySeen, now: Timestamp) -> Vec<Line> {
    let how = "aws stepfunctions list-executions --state-machine-arn MACHINE --max-items 5";
    let runs = match unseen(&seen.runs, "last run", "deploy the stack again", how) {
        Ok(runs) => runs,
        Err(line) => return vec![line],
    };
    let expected = expected(seen, now);
    let start = format!("look at the dead letters, and start it: opendlm start {}", seen.name);
    let line = match (runs.first(), expected) {
        (None, Some(time)) => {
            wrong("last run", format!("no run is known, and {} was a time of it", written(time)), start)
        }
        (None, None) if seen.deployed.is_some() => ok("last run", "there was none yet, and none was due"),
        (None, None) => unknown("last run", "no run of it is known to this stack", how),
        (Some(run), _) if run.is_failure => {
            let says = format!("{} ended {} {}: {}", run.short_name(), run.outcome, ago(run, now), run.why);
            wrong("last run", says, format!("opendlm runs {} tells it whole", run.short_name()))
        }
        (Some(run), Some(time)) if run.started.is_some_and(|started| started < time) => {
            let says = format!("{} started {}, and none came for {}", run.short_name(), ago(run, now), written(time));
            wrong("last run", says, start)
        }
        (Some(run), _) if run.is_under_way => {
            ok("last run", format!("{} is under way, started {}", run.short_name(), ago(run, now)))
        }
        (Some(run), _) => {
            ok("last run", format!("{} ended {}, started {}", run.short_name(), run.outcome, ago(run, now)))
        }
    };
    vec![line]
}

/// The latest scheduled time that a run must have come for: of what is deployed, and has been since before that.
fn expected(seen: &PolicySeen, now: Timestamp) -> Option<Timestamp> {
    let (deployed, policy) = (seen.deployed.as_ref()?, seen.policy.as_ref()?);
    let by = now.checked_sub(LATE_MAX).ok()?;
    let times = policy.schedules.iter().filter_map(|each| schedule::latest_at_or_before(&each.create, by));
    times.max().filter(|time| deployed.revision().is_none_or(|revision| revision <= *time))
}

fn ago(run: &Run, now: Timestamp) -> String {
    run.started.map_or_else(|| "at an unknown time".to_owned(), |started| format!("{} ago", age(started, now)))
}
