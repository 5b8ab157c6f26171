//! Why a snapshot stays, in words.

use super::change::restored;
use super::{delete_reason, doubt, orphan_of, stands_back};
use crate::plan::{Bounds, Brake, KeepReason};
use crate::tags::{Hold, written};

pub(super) fn keep_reason(reason: &KeepReason<'_>) -> (&'static str, String) {
    match reason {
        KeepReason::AbsenceUnproved { otherwise } => (
            "AbsenceUnproved",
            format!(
                "its volume or instance is in no listing, but EC2 has not said that its id is gone; otherwise {}",
                delete_reason(*otherwise).1
            ),
        ),
        KeepReason::Archived => {
            ("Archived", "somebody put it into the archive tier, it is not managed there".to_owned())
        }
        KeepReason::Restored { until } => ("Restored", restored(*until)),
        KeepReason::BackupsStopped { newest } => (
            "BackupsStopped",
            format!("expired, but backups have stopped: the newest complete one is of {}", written(*newest)),
        ),
        KeepReason::Brake { brake: Brake { bounds, planned, allowed }, otherwise } => {
            let of = match bounds {
                Bounds::Everything => "snapshots and Options.MaximumDeletions allows",
                Bounds::Orphans => "orphans, and a run may delete",
                Bounds::Unstamped => {
                    "snapshots without opendlm:stamp, and without Options.MaximumDeletions it may delete"
                }
            };
            (
                "Brake",
                format!("the run would delete {planned} {of} {allowed}; otherwise {}", delete_reason(*otherwise).1),
            )
        }
        KeepReason::AwaitsConsent { schedule, rank, count, then } => (
            "AwaitsConsent",
            format!(
                "number {rank} from the newest: {schedule} keeps {count} now and kept {then} when it was made; to let it go \
                 set Options.AcceptCount to {{\"{schedule}\": {count}}}"
            ),
        ),
        KeepReason::CopyOpen { region, until, otherwise } => (
            "CopyOpen",
            format!(
                "its copy in {region} is not complete; until {} at the latest it stays for that; otherwise {}",
                written(*until),
                delete_reason(*otherwise).1
            ),
        ),
        KeepReason::Doubted(why) => (
            "Doubted",
            format!("somebody changed its tags: {}; it stays and counts for nothing, delete it by hand", doubt(*why)),
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
        KeepReason::HomeShowsNone { otherwise } => (
            "HomeShowsNone",
            format!(
                "the home Region lists no snapshot of the policy, which may be a mistake; otherwise {}",
                delete_reason(*otherwise).1
            ),
        ),
        KeepReason::KeptForEver => ("KeptForEver", "its copy rule has no RetainRule".to_owned()),
        KeepReason::LastOrphan(of) => {
            ("LastOrphan", format!("{}, but it is the last one of its volume and schedule", orphan_of(*of)))
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
        KeepReason::NoCopyRule => {
            ("NoCopyRule", "no rule of the policy copies to its Region any more, delete it by hand".to_owned())
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
        KeepReason::OrphanNotExpired { of, until } => {
            ("OrphanNotExpired", format!("{}, by Options.Orphans it expires at {}", orphan_of(*of), written(*until)))
        }
        KeepReason::PerhapsOfAnotherPolicy(name) => (
            "PerhapsOfAnotherPolicy",
            format!(
                "no schedule is called {name}, or was by Options.PreviousNames, but snapshots were made under that name \
                 too lately to say that it is out of use: does another policy use this PolicyId?"
            ),
        ),
        KeepReason::RunStandsBack { why, otherwise } => {
            ("RunStandsBack", format!("{}; otherwise {}", stands_back(*why), delete_reason(*otherwise).1))
        }
        KeepReason::SourceGone => {
            ("SourceGone", "what it was made of is gone, and Options.Orphans keeps such snapshots".to_owned())
        }
        KeepReason::UnreadableTag(key) => ("UnreadableTag", format!("its tag {key} is missing or has no meaning")),
        KeepReason::UnknownState => ("UnknownState", "its state is unknown, and when in doubt it stays".to_owned()),
        KeepReason::UsedByImage { image, otherwise } => (
            "UsedByImage",
            format!("{image} uses it, deregister that AMI to let it go; otherwise {}", delete_reason(*otherwise).1),
        ),
        KeepReason::VolumeNotTargeted => {
            ("VolumeNotTargeted", "its volume or instance does not carry a target tag any more".to_owned())
        }
    }
}
