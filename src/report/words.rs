//! Reasons in words: the only place where a decision becomes text.

use crate::plan::{
    DeleteReason, KeepReason, SkipReason, SnapshotDecision, SnapshotVerdict, TargetDecision, TargetVerdict,
};
use crate::tags::written;
use serde::Serialize;

/// One decision as a person or a log reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Line {
    /// `create`, `exists`, `wait`, `skip`, `missed`, `give up`, `keep` or `delete`.
    pub decision: &'static str,
    /// The schedule's name, as the snapshot or the policy has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The volume.
    pub volume: String,
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

/// The decision about a volume in words.
#[must_use]
pub fn of_target(decision: &TargetDecision<'_>) -> Line {
    let (word, kind, snapshot, reason) = match &decision.verdict {
        TargetVerdict::Create { until } => {
            ("create", "Due", None, format!("no snapshot answers this time yet, to be begun until {}", written(*until)))
        }
        TargetVerdict::Exists(snapshot) => {
            let time = snapshot.marks.scheduled_time.value().map_or_else(String::new, |&time| written(time));
            ("exists", "Exists", Some(&snapshot.id), format!("the snapshot of {time} is complete, nothing to make"))
        }
        TargetVerdict::GiveUp { failed_snapshots } => {
            let reason = format!("{failed_snapshots} snapshots for this time went to error, another would as well");
            ("give up", "SnapshotsFailed", None, reason)
        }
        TargetVerdict::Missed => {
            ("missed", "StartWindowOver", None, "the start window is over and no snapshot was made".to_owned())
        }
        TargetVerdict::Skip(SkipReason::State(state)) => {
            ("skip", "VolumeState", None, format!("the volume is in state {state}, EC2 makes no snapshot of it"))
        }
        TargetVerdict::Wait(snapshot) => {
            ("wait", "Pending", Some(&snapshot.id), format!("the snapshot is {}, not complete yet", snapshot.state))
        }
    };
    Line {
        decision: word,
        schedule: Some(decision.schedule.name.to_string()),
        volume: decision.volume.id.to_string(),
        snapshot: snapshot.map(ToString::to_string),
        scheduled_time: Some(written(decision.scheduled_time)),
        kind,
        reason,
    }
}

/// The decision about a snapshot in words.
#[must_use]
pub fn of_snapshot(decision: &SnapshotDecision<'_>) -> Line {
    let (word, (kind, reason)) = match &decision.verdict {
        SnapshotVerdict::Delete(reason) => ("delete", delete_reason(*reason)),
        SnapshotVerdict::Keep(reason) => ("keep", keep_reason(reason)),
        SnapshotVerdict::Wait { since } => {
            ("wait", ("Pending", format!("{} since {}", decision.snapshot.state, written(*since))))
        }
    };
    let snapshot = decision.snapshot;
    Line {
        decision: word,
        schedule: snapshot.marks.schedule_name.value().map(ToString::to_string),
        volume: snapshot.volume_id.to_string(),
        snapshot: Some(snapshot.id.to_string()),
        scheduled_time: snapshot.marks.scheduled_time.value().map(|&time| written(time)),
        kind,
        reason,
    }
}

fn delete_reason(reason: DeleteReason) -> (&'static str, String) {
    match reason {
        DeleteReason::ExceedsCount { rank, count } => {
            ("ExceedsCount", format!("number {rank} from the newest, the schedule keeps {count}"))
        }
        DeleteReason::Expired { at } => ("Expired", format!("expired at {}, and a newer one is complete", written(at))),
    }
}

fn keep_reason(reason: &KeepReason<'_>) -> (&'static str, String) {
    match reason {
        KeepReason::BeganBeforeScheduledTime { began, scheduled_time } => (
            "BeganBeforeScheduledTime",
            format!(
                "EC2 began it at {}, before the scheduled time {} in its tag, so the tag was changed",
                written(*began),
                written(*scheduled_time)
            ),
        ),
        KeepReason::Errored => ("Errored", "it went to error: it counts for nothing".to_owned()),
        KeepReason::FutureScheduledTime(time) => {
            ("FutureScheduledTime", format!("its scheduled time {} lies in the future", written(*time)))
        }
        KeepReason::NewestCompleted => {
            ("NewestCompleted", "expired, but the newest complete one of its volume and schedule".to_owned())
        }
        KeepReason::NewestOf { rank, count } => {
            ("NewestOf", format!("number {rank} from the newest, the schedule keeps {count}"))
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
        KeepReason::UnreadableTag(key) => ("UnreadableTag", format!("its tag {key} is missing or has no meaning")),
        KeepReason::UnknownState => ("UnknownState", "its state is unknown, and when in doubt it stays".to_owned()),
        KeepReason::VolumeNotTargeted => {
            ("VolumeNotTargeted", "its volume does not exist or does not carry a target tag any more".to_owned())
        }
    }
}
