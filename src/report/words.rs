//! Reasons in words: the only place where a decision becomes text.

mod change;
mod kept;

use super::told::counted;
use crate::plan::{
    DeleteReason, Doubt, FailReason, MeetsNothing, MissedReason, OrphanOf, SkipReason, SnapshotDecision,
    SnapshotVerdict, StandsBack, Target, TargetDecision, TargetVerdict,
};
use crate::tags::stamp::STAMP;
use crate::tags::written;
use crate::world::{Snapshot, SnapshotId};
pub use change::of_change;
use jiff::Timestamp;
use kept::keep_reason;
use serde::Serialize;

/// One decision as a person or a log reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Line {
    /// `create`, `joins`, `exists`, `wait`, `skip`, `missed`, `fail`, `give up`, `keep`, `delete` or
    /// `delete later`: in the same run, once what it makes or waits for is complete. Of copies `copy`, `copied`, `copying`,
    /// `copy later` or `no copy`.
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
        TargetVerdict::GiveUp { failed_snapshots: 0, doubted, .. } if *doubted > 0 => (
            "give up",
            "SnapshotsInDoubt",
            None,
            format!(
                "{doubted} of its snapshots for this time are in doubt, because EC2 began them at another time than their \
                 {STAMP} says, or somebody edited their tags: they stay and count for nothing, and one more would be in doubt \
                 as well"
            ),
        ),
        TargetVerdict::GiveUp { failed_snapshots: 0, .. } => (
            "give up",
            "SetIncomplete",
            None,
            "its set for this time has fewer snapshots than the instance had volumes: somebody deleted one, or EC2 made fewer; \
             what is left is no backup of the whole instance and stays"
                .to_owned(),
        ),
        TargetVerdict::GiveUp { failed_snapshots, last_failed, .. } => {
            let mut reason = format!("{failed_snapshots} snapshots for this time went to error, another would as well");
            if let Some(snapshot) = last_failed {
                reason.push_str(&format!("; the last one: {}", failed_snapshot(snapshot)));
            }
            ("give up", "SnapshotsFailed", None, reason)
        }
        TargetVerdict::HasRecent { began } => {
            ("skip", "HasRecent", None, format!("it has a snapshot of {} already, whoever made it", written(*began)))
        }
        TargetVerdict::Missed(MissedReason::CountFull { count }) => {
            let newer =
                if *count == 1 { "a newer snapshot fills".to_owned() } else { format!("{count} newer snapshots fill") };
            let reason = format!("{newer} the schedule's Count, which would delete this one at once, so none is made");
            ("missed", "CountFull", None, reason)
        }
        TargetVerdict::Missed(MissedReason::StartWindowOver) => {
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
        // EC2 shows no volume of a copy, its tags do.
        volume: Some(snapshot.marks.volume_id.value().unwrap_or(&snapshot.volume_id).to_string()),
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
        DeleteReason::Duplicate { beside } => (
            "Duplicate",
            format!(
                "another one of the same scheduled time is complete and stays as long, begun at {}",
                written(beside)
            ),
        ),
        DeleteReason::ExceedsCount { rank, count } => {
            ("ExceedsCount", format!("number {rank} from the newest, the schedule keeps {count}"))
        }
        DeleteReason::Expired { at } => ("Expired", format!("expired at {}, and a newer one is complete", written(at))),
        DeleteReason::Failed { since } => {
            ("Failed", format!("it failed, begun at {}, and holds nothing that could be restored", written(since)))
        }
        DeleteReason::Orphaned { of, age_over_at: Some(at) } => {
            ("Orphaned", format!("{}, and by Options.Orphans it expired at {}", orphan_of(of), written(at)))
        }
        DeleteReason::Orphaned { of, age_over_at: None } => {
            ("Orphaned", format!("{}, and Options.Orphans keeps only the last one", orphan_of(of)))
        }
    }
}

/// That the backups of so many volumes have stopped.
pub(super) fn stopped(volumes: usize) -> String {
    let volumes = counted(volumes, "volume");
    format!(
        "backups of {volumes} have stopped: the newest one is older than the policy's shortest period and its start window"
    )
}

/// That a start meets no scheduled time, and how far off it is.
pub(super) fn meets_nothing(meets: MeetsNothing) -> String {
    let distance = |one: Timestamp, other: Timestamp| {
        let minutes = one.duration_since(other).abs().as_mins();
        if minutes < 60 { format!("{minutes} min") } else { format!("{} h {} min", minutes / 60, minutes % 60) }
    };
    let MeetsNothing { start, before, after } = meets;
    let before = before.map(|at| format!("the last one was {}, {} before", written(at), distance(start, at)));
    let after = after.map(|at| format!("the next one is {}, {} after", written(at), distance(at, start)));
    let nearest: Vec<String> = before.into_iter().chain(after).collect();
    format!(
        "the start {} meets no scheduled time and there is no backup at all: {}; start the function at a scheduled time",
        written(start),
        nearest.join(", ")
    )
}

/// Why a run deletes nothing.
pub(super) fn stands_back(why: StandsBack) -> String {
    match why {
        StandsBack::CameBack => {
            "this run deletes nothing: it was taken up again long after its last turn, as by a redrive of an old execution".to_owned()
        }
        StandsBack::LaterRun { scheduled_time } => format!(
            "this run deletes nothing: a later run has made a snapshot for {} and cleans up",
            written(scheduled_time)
        ),
        StandsBack::NewerPolicy { own, newest, is_stale } => {
            let own = own.map_or_else(|| "no Revision".to_owned(), |own| format!("the Revision {}", written(own)));
            let cure = if is_stale {
                "; put the policy again, or delete the schedule that still starts the old one"
            } else {
                ""
            };
            format!("this run deletes nothing: its policy has {own}, and the newest snapshot was made by {}{cure}", written(newest))
        }
        StandsBack::TooLate => "this run deletes nothing: its start came too late to make anything".to_owned(),
    }
}

/// Why nothing manages a snapshot any more.
fn orphan_of(of: OrphanOf) -> &'static str {
    match of {
        OrphanOf::Excluded => "the policy excludes its volume now",
        OrphanOf::GoneSource => "its volume or instance is gone",
        OrphanOf::LostRule => "its schedule keeps by age now and it carries no expiry",
        OrphanOf::OtherKind => "it was made of a volume and the policy is for instances now",
        OrphanOf::Schedule => "no schedule has its schedule's name any more",
    }
}

fn doubt(doubt: Doubt) -> String {
    match doubt {
        Doubt::BeganAtAnotherTime { began, scheduled_time } => format!(
            "EC2 began it at {}, which does not fit the scheduled time {} in its tag",
            written(began),
            written(scheduled_time)
        ),
        Doubt::Edited => "its opendlm tags do not fit the digest in opendlm:stamp".to_owned(),
        Doubt::StampOfAnother { began, called } => {
            format!("EC2 began it at {}, but opendlm:stamp is of a call at {}", written(began), written(called))
        }
        Doubt::UnreadableStamp => "opendlm:stamp cannot be read".to_owned(),
    }
}
