//! Why one snapshot stays or goes, by which rule, and when it will go if backups continue.

use super::copies;
use super::words::{self, Line};
use crate::options::Options;
use crate::plan::copies::RegionPlan;
use crate::plan::{self, KeepReason, Plan, SnapshotDecision, SnapshotVerdict};
use crate::policy::{CreateRule, Policy, RetainRule, Schedule};
use crate::schedule;
use crate::tags::{self, Hold, Ownership, written};
use crate::world::{SnapshotId, World};
use jiff::Timestamp;
use serde::Serialize;

/// What there is to say about one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Explanation {
    /// The snapshot.
    pub snapshot: String,
    /// The decision with its reason; absent for a snapshot that is not opendlm's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Line>,
    /// The rule that it is under, or why it is under none.
    pub rule: String,
    /// When it will go, in words.
    pub goes: String,
    /// What becomes of its copies in other Regions, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<String>,
    /// When it will go if backups continue, RFC 3339, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goes_at: Option<String>,
}

/// Explains `snapshot` in the light of a plan for `world`.
#[must_use]
pub fn explain(
    policy: &Policy,
    options: &Options,
    now: Timestamp,
    world: &World,
    plan: &Plan<'_>,
    snapshot: &SnapshotId,
) -> Explanation {
    if let Some(explanation) = of_copy(plan, snapshot, now) {
        return explanation;
    }
    let Some(decision) = plan.snapshots.iter().find(|decision| decision.snapshot.id == *snapshot) else {
        return Explanation {
            snapshot: snapshot.to_string(),
            decision: None,
            rule: why_not_ours(policy, world, plan, snapshot),
            goes: "opendlm never deletes it".to_owned(),
            copies: Vec::new(),
            goes_at: None,
        };
    };
    let marks = &decision.snapshot.marks;
    if marks.is_run_now() {
        return Explanation { copies: copies::of_source(plan, snapshot), ..of_run_now(decision, now) };
    }
    let name = marks.schedule_name.value();
    let schedule = name.and_then(|name| plan::owning_schedule(policy, options, name));
    let (goes, goes_at) = forecast(decision, schedule, now);
    Explanation {
        snapshot: snapshot.to_string(),
        decision: Some(words::of_snapshot(decision)),
        rule: schedule.map_or_else(|| "no schedule of the policy owns it".to_owned(), rule),
        goes,
        copies: copies::of_source(plan, snapshot),
        goes_at: goes_at.map(written),
    }
}

/// A copy in another Region goes by its own age, and needs a newer one beside it to go.
fn of_copy(plan: &Plan<'_>, snapshot: &SnapshotId, now: Timestamp) -> Option<Explanation> {
    let in_region = |region: &'_ RegionPlan<'_>| -> Option<Explanation> {
        let decision = region.copies.iter().find(|decision| decision.snapshot.id == *snapshot)?;
        let from = decision.snapshot.marks.copied_from.value().map_or_else(String::new, ToString::to_string);
        let (goes, goes_at) = match decision.verdict {
            SnapshotVerdict::Keep(KeepReason::NewestCompleted) if region.left_behind.contains(snapshot) => {
                (
                    "never, because its volume or schedule is gone and no newer copy comes: delete it by hand, if nobody needs it"
                        .to_owned(),
                    None,
                )
            }
            SnapshotVerdict::Keep(KeepReason::NewestCompleted | KeepReason::BackupsStopped { .. }) => {
                ("once a newer copy is complete".to_owned(), None)
            }
            _ => forecast(decision, None, now),
        };
        Some(Explanation {
            snapshot: snapshot.to_string(),
            decision: Some(words::of_snapshot(decision)),
            rule: format!(
                "a copy in {} of {from}: it goes by its own age, {}",
                region.region,
                copies::goes(decision.snapshot)
            ),
            goes,
            copies: Vec::new(),
            goes_at: goes_at.map(written),
        })
    };
    plan.regions.iter().find_map(in_region)
}

/// A RunNow's own is in no schedule's series, and needs no newer one to go.
fn of_run_now(decision: &SnapshotDecision<'_>, now: Timestamp) -> Explanation {
    let (mut goes, goes_at) = forecast(decision, None, now);
    if let (SnapshotVerdict::Keep(KeepReason::NotExpired { until }), None) = (&decision.verdict, decision.goes_later) {
        goes = format!("at the first turn after {}", written(*until));
    }
    Explanation {
        snapshot: decision.snapshot.id.to_string(),
        decision: Some(words::of_snapshot(decision)),
        rule: "a RunNow made it: it is in no schedule's count and goes by Options.RunNowRetain of then".to_owned(),
        goes,
        copies: Vec::new(),
        goes_at: goes_at.map(written),
    }
}

fn why_not_ours(policy: &Policy, world: &World, plan: &Plan<'_>, snapshot: &SnapshotId) -> String {
    if plan.is_disabled {
        return "the policy is disabled: nothing is decided".to_owned();
    }
    let observed = world.snapshots.iter().find(|observed| observed.id == *snapshot);
    match observed.map(|observed| tags::ownership(&policy.id, observed)) {
        None => {
            let id = &policy.id;
            format!("no snapshot with this id carries the tag {} = {id} and a description of {id}", tags::POLICY_ID)
        }
        Some(Ownership::Copy) => "it is a copy that took our tags along; retention is not carried over".to_owned(),
        Some(Ownership::OtherDescription) => {
            "it carries our tag but not our description, so somebody else made it".to_owned()
        }
        Some(Ownership::OtherPolicy) => "it belongs to another policy".to_owned(),
        Some(Ownership::Ours) => "it is ours".to_owned(),
    }
}

fn rule(schedule: &Schedule) -> String {
    match schedule.retain {
        RetainRule::Age(age) => {
            let unit = format!("{:?}", age.unit).to_lowercase();
            format!("schedule {} keeps by age: {} {unit}", schedule.name, age.interval)
        }
        RetainRule::Count(count) => format!("schedule {} keeps the newest {count} of each volume", schedule.name),
    }
}

/// When the snapshot goes if every coming backup of its schedule is made and complete in time.
fn forecast(
    decision: &SnapshotDecision<'_>,
    schedule: Option<&Schedule>,
    now: Timestamp,
) -> (String, Option<Timestamp>) {
    let nth_next = |count: usize| {
        let create = &schedule?.create;
        let first = schedule::next_after(create, now);
        std::iter::successors(first, |&time| schedule::next_after(create, time)).nth(count.saturating_sub(1))
    };
    let at_backup = |count: usize| match nth_next(count) {
        Some(time) => (format!("once the backup of {} is complete", written(time)), Some(time)),
        None if schedule.is_some_and(|schedule| schedule.create == CreateRule::OnStart) => {
            ("once a newer one is complete".to_owned(), None)
        }
        None => ("never: its schedule makes no more backups".to_owned(), None),
    };
    match &decision.verdict {
        SnapshotVerdict::Delete(_) => ("at the next turn".to_owned(), Some(now)),
        SnapshotVerdict::Wait { .. } => ("not while it is under way".to_owned(), None),
        SnapshotVerdict::Keep(_) if decision.goes_later.is_some() => {
            ("in this run, once the new snapshots are complete".to_owned(), Some(now))
        }
        SnapshotVerdict::Keep(reason) => match reason {
            KeepReason::NewestOf { rank, count } => at_backup(count + 1 - rank),
            KeepReason::AwaitsConsent { rank, then, .. } => at_backup(then + 1 - rank),
            KeepReason::NewestCompleted | KeepReason::BackupsStopped { .. } => at_backup(1),
            KeepReason::CopyOpen { region, until, .. } => (
                format!("once its copy in {region} is complete, after {} at the latest", written(*until)),
                Some(*until),
            ),
            KeepReason::NotExpired { until }
            | KeepReason::OrphanNotExpired { until, .. }
            | KeepReason::Errored { until } => {
                (format!("at the first turn after {} with a newer one complete", written(*until)), Some(*until))
            }
            KeepReason::Held(Hold::Until(until)) => {
                (format!("by the rules again after {}", written(*until)), Some(*until))
            }
            KeepReason::AbsenceUnproved { .. }
            | KeepReason::Archived
            | KeepReason::Restored { .. }
            | KeepReason::Brake { .. }
            | KeepReason::Doubted(_)
            | KeepReason::FailedMember
            | KeepReason::FutureScheduledTime(_)
            | KeepReason::Held(Hold::Forever)
            | KeepReason::HomeShowsNone { .. }
            | KeepReason::KeptForEver
            | KeepReason::LastOrphan(_)
            | KeepReason::MinimumKept { .. }
            | KeepReason::NoCopyRule
            | KeepReason::NoExpirationTime
            | KeepReason::NoSchedule(_)
            | KeepReason::ObservationCutShort { .. }
            | KeepReason::PerhapsOfAnotherPolicy(_)
            | KeepReason::RunStandsBack { .. }
            | KeepReason::SourceGone
            | KeepReason::UnreadableTag(_)
            | KeepReason::UnknownState
            | KeepReason::UsedByImage { .. }
            | KeepReason::VolumeNotTargeted => ("never, as long as this reason holds".to_owned(), None),
        },
    }
}
