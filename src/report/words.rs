//! Reasons in words: the only place where a decision becomes text.

use crate::plan::{
    DeleteReason, FailReason, KeepReason, SkipReason, SnapshotDecision, SnapshotVerdict, Target, TargetDecision,
    TargetVerdict,
};
use crate::tags::{Hold, written};
use crate::world::{Snapshot, SnapshotId};
use serde::Serialize;

/// One decision as a person or a log reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Line {
    /// `create`, `joins`, `exists`, `wait`, `skip`, `missed`, `fail`, `give up`, `keep`, `delete` or
    /// `delete later`: in the same run, once what it makes or waits for is complete.
    pub decision: &'static str,
    /// The schedule's name, as the snapshot or the policy has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The instance, for policies that target instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The snapshot, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// The scheduled time, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled_time: Option<String>,
    /// Why, as a name that can be counted.
    pub kind: &'static str,
    /// Why, in words.
    pub reason: String,
}

/// The decision about a volume or an instance in words.
#[must_use]
pub fn of_target(decision: &TargetDecision<'_>) -> Line {
    let (word, kind, snapshot, reason) = target_verdict(&decision.verdict);
    let (volume, instance) = match decision.target {
        Target::Instance(instance) => (None, Some(instance.id.to_string())),
        Target::Volume(volume) => (Some(volume.id.to_string()), None),
    };
    Line {
        decision: word,
        schedule: Some(decision.schedule.name.to_string()),
        volume,
        instance,
        snapshot: snapshot.map(ToString::to_string),
        scheduled_time: Some(written(decision.scheduled_time)),
        kind,
        reason,
    }
}

type TargetWords<'a> = (&'static str, &'static str, Option<&'a SnapshotId>, String);

fn target_verdict<'a>(verdict: &TargetVerdict<'a>) -> TargetWords<'a> {
    match verdict {
        TargetVerdict::Coincides { with } => (
            "joins",
            "Coincides",
            None,
            format!("the snapshot of {} serves this schedule too, it keeps longer", with.name),
        ),
        TargetVerdict::Create { until, with, last_failed } => {
            let mut reason = format!("no snapshot answers this time yet, to be begun until {}", written(*until));
            if !with.is_empty() {
                let names: Vec<&str> = with.iter().map(|schedule| schedule.name.as_str()).collect();
                reason.push_str(&format!("; it serves {} too", names.join(", ")));
            }
            if let Some(snapshot) = last_failed {
                reason.push_str(&format!("; {}", failed_snapshot(snapshot)));
            }
            ("create", "Due", None, reason)
        }
        TargetVerdict::Exists(snapshot) => {
            let time = snapshot.marks.scheduled_time.value().map_or_else(String::new, |&time| written(time));
            ("exists", "Exists", Some(&snapshot.id), format!("the snapshot of {time} is complete, nothing to make"))
        }
        TargetVerdict::Fail(reason) => ("fail", fail_kind(*reason), None, reason.to_string()),
        TargetVerdict::GiveUp { failed_snapshots, last_failed } => {
            let mut reason = format!("{failed_snapshots} snapshots for this time went to error, another would as well");
            if let Some(snapshot) = last_failed {
                reason.push_str(&format!("; the last one: {}", failed_snapshot(snapshot)));
            }
            ("give up", "SnapshotsFailed", None, reason)
        }
        TargetVerdict::HasRecent { began } => {
            ("skip", "HasRecent", None, format!("it has a snapshot of {} already, whoever made it", written(*began)))
        }
        TargetVerdict::Missed => {
            ("missed", "StartWindowOver", None, "the start window is over and no snapshot was made".to_owned())
        }
        TargetVerdict::Settling { snapshot, until } => {
            let until = written(*until);
            let reason = format!("the snapshot is complete; EC2 may not list until {until} what else was begun");
            ("wait", "Settling", Some(&snapshot.id), reason)
        }
        TargetVerdict::Skip(reason) => {
            let (kind, reason) = skip_reason(reason);
            ("skip", kind, None, reason)
        }
        TargetVerdict::Wait(snapshot) => {
            ("wait", "Pending", Some(&snapshot.id), format!("the snapshot is {}, not complete yet", snapshot.state))
        }
    }
}

/// The name of a failure that no try would mend, as a report counts it.
#[must_use]
pub fn fail_kind(reason: FailReason) -> &'static str {
    match reason {
        FailReason::NoVolumeLeft => "NoVolumeLeft",
        FailReason::TooManyExclusions { .. } => "TooManyExclusions",
    }
}

fn skip_reason(reason: &SkipReason<'_>) -> (&'static str, String) {
    match reason {
        SkipReason::Excluded(rule) => ("Excluded", format!("Exclusions.{rule} leaves it out")),
        SkipReason::InstanceState(state) => {
            ("InstanceState", format!("the instance is {state}, EC2 makes no snapshots of it"))
        }
        SkipReason::State(state) => {
            ("VolumeState", format!("the volume is in state {state}, EC2 makes no snapshot of it"))
        }
        SkipReason::TooYoung { created } => {
            ("TooYoung", format!("made at {}, default policies leave it alone for 24 hours", written(*created)))
        }
    }
}

/// The decision about a snapshot in words.
#[must_use]
pub fn of_snapshot(decision: &SnapshotDecision<'_>) -> Line {
    let (word, (kind, reason)) = match (&decision.verdict, decision.goes_later) {
        (SnapshotVerdict::Delete(reason), _) => ("delete", delete_reason(*reason)),
        (SnapshotVerdict::Keep(_), Some(later)) => ("delete later", later_reason(later)),
        (SnapshotVerdict::Keep(reason), None) => ("keep", keep_reason(reason)),
        (SnapshotVerdict::Wait { since }, _) => {
            ("wait", ("Pending", format!("{} since {}", decision.snapshot.state, written(*since))))
        }
    };
    let snapshot = decision.snapshot;
    let reason = reason + &ec2_says(snapshot);
    Line {
        decision: word,
        schedule: snapshot.marks.schedule_name.value().map(ToString::to_string),
        volume: Some(snapshot.volume_id.to_string()),
        instance: snapshot.marks.instance_id.value().map(ToString::to_string),
        snapshot: Some(snapshot.id.to_string()),
        scheduled_time: snapshot.marks.scheduled_time.value().map(|&time| written(time)),
        kind,
        reason,
    }
}

/// A snapshot that failed, by its id, and why as far as EC2 says.
#[must_use]
pub fn failed_snapshot(snapshot: &Snapshot) -> String {
    format!("{} went to error{}", snapshot.id, ec2_says(snapshot))
}

/// What EC2 says about a snapshot's state, to follow other words.
fn ec2_says(snapshot: &Snapshot) -> String {
    snapshot.state_message.as_ref().map_or_else(String::new, |message| format!("; EC2 says: {message}"))
}

fn later_reason(reason: DeleteReason) -> (&'static str, String) {
    let (kind, text) = delete_reason(reason);
    (kind, format!("once the new snapshots of this run are complete: {text}"))
}

fn delete_reason(reason: DeleteReason) -> (&'static str, String) {
    match reason {
        DeleteReason::Duplicate { earliest } => (
            "Duplicate",
            format!("an earlier one of the same scheduled time is complete, begun at {}", written(earliest)),
        ),
        DeleteReason::ExceedsCount { rank, count } => {
            ("ExceedsCount", format!("number {rank} from the newest, the schedule keeps {count}"))
        }
        DeleteReason::Expired { at } => ("Expired", format!("expired at {}, and a newer one is complete", written(at))),
        DeleteReason::Failed { since } => {
            ("Failed", format!("it failed, begun at {}, and holds nothing that could be restored", written(since)))
        }
        DeleteReason::Orphaned { age_over_at: Some(at) } => {
            ("Orphaned", format!("nothing manages it any more, and by Options.Orphans it expired at {}", written(at)))
        }
        DeleteReason::Orphaned { age_over_at: None } => {
            ("Orphaned", "nothing manages it any more, and Options.Orphans keeps only the last one".to_owned())
        }
    }
}

fn keep_reason(reason: &KeepReason<'_>) -> (&'static str, String) {
    match reason {
        KeepReason::Archived => {
            ("Archived", "somebody put it into the archive tier, it is not managed there".to_owned())
        }
        KeepReason::BackupsStopped { newest } => (
            "BackupsStopped",
            format!("expired, but backups have stopped: the newest complete one is of {}", written(*newest)),
        ),
        KeepReason::Brake { planned, allowed, otherwise } => (
            "Brake",
            format!(
                "the run would delete {planned} snapshots and Options.MaximumDeletions allows {allowed}; otherwise {}",
                delete_reason(*otherwise).1
            ),
        ),
        KeepReason::BeganBeforeScheduledTime { began, scheduled_time } => (
            "BeganBeforeScheduledTime",
            format!(
                "EC2 began it at {}, before the scheduled time {} in its tag, so the tag was changed",
                written(*began),
                written(*scheduled_time)
            ),
        ),
        KeepReason::Errored { until } => {
            ("Errored", format!("it went to error and counts for nothing, to be deleted after {}", written(*until)))
        }
        KeepReason::FailedMember => {
            ("FailedMember", "it went to error; it tells that the other members of its set do not count".to_owned())
        }
        KeepReason::FutureScheduledTime(time) => {
            ("FutureScheduledTime", format!("its scheduled time {} lies in the future", written(*time)))
        }
        KeepReason::Held(Hold::Forever) => ("Held", "it carries opendlm:hold".to_owned()),
        KeepReason::Held(Hold::Until(until)) => ("Held", format!("it carries opendlm:hold until {}", written(*until))),
        KeepReason::LastOrphan => {
            ("LastOrphan", "nothing manages it any more, but it is the last one of its volume and schedule".to_owned())
        }
        KeepReason::MinimumKept { minimum, otherwise } => (
            "MinimumKept",
            format!("Options.MinimumKept keeps {minimum} of the volume; otherwise {}", delete_reason(*otherwise).1),
        ),
        KeepReason::NewestCompleted => {
            ("NewestCompleted", "expired, but the newest complete one of its volume and schedule".to_owned())
        }
        KeepReason::NewestOf { rank, count } => {
            ("NewestOf", format!("number {rank} from the newest, the schedule keeps {count}"))
        }
        KeepReason::NotInFull => {
            ("NotInFull", "this turn looked only at some snapshots of its volume, a later one decides".to_owned())
        }
        KeepReason::NoExpirationTime => {
            ("NoExpirationTime", "the schedule keeps by age and it carries no expiry".to_owned())
        }
        KeepReason::NoSchedule(name) => {
            ("NoSchedule", format!("no schedule is called {name}, or was by Options.PreviousNames"))
        }
        KeepReason::NotExpired { until } => ("NotExpired", format!("expires at {}", written(*until))),
        KeepReason::ObservationCutShort { cut, otherwise } => {
            ("ObservationCutShort", format!("nothing is deleted: {cut}; otherwise {}", delete_reason(*otherwise).1))
        }
        KeepReason::OrphanNotExpired { until } => (
            "OrphanNotExpired",
            format!("nothing manages it any more, by Options.Orphans it expires at {}", written(*until)),
        ),
        KeepReason::SourceGone => {
            ("SourceGone", "what it was made of is gone, and Options.Orphans keeps such snapshots".to_owned())
        }
        KeepReason::UnreadableTag(key) => ("UnreadableTag", format!("its tag {key} is missing or has no meaning")),
        KeepReason::UnknownState => ("UnknownState", "its state is unknown, and when in doubt it stays".to_owned()),
        KeepReason::VolumeNotTargeted => {
            ("VolumeNotTargeted", "its volume or instance does not carry a target tag any more".to_owned())
        }
    }
}
