//! Rules that are broken on purpose, to show that the judge would notice.

use crate::options::Options;
use crate::plan::{DeleteReason, KeepReason, Plan, SnapshotVerdict, StandsBack};
use crate::policy::{Policy, PolicyId, RetainRule};
use crate::tags::{self, Mark};
use crate::world::{Asks, Origin, Snapshot, SnapshotState, World};
use jiff::SignedDuration;
use std::num::NonZeroU32;

/// A rule that is broken on purpose, to show that the judge would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The planner is told to keep one less.
    KeepsOneLess,
    /// Holds are not seen.
    IgnoresHolds,
    /// Nothing is waited for before something is concluded from a list.
    TrustsLists,
    /// Snapshots that are under way are taken for complete.
    TrustsPending,
    /// Whoever made a snapshot: the tags alone count.
    TrustsTags,
    /// Every execution says that it succeeded.
    AlwaysSucceeds,
    /// The list of what failed is lost.
    NamesNoFailure,
    /// What is to be deleted is not looked at once more.
    SkipsLastLook,
    /// What no list shows counts as gone.
    TrustsAbsence,
    /// A run deletes although later ones have begun (R1).
    DeletesBesideLaterRuns,
    /// A run deletes although it came too late, or came back after days (R1).
    DeletesTooLate,
    /// A run deletes by an old version of the policy (R1b).
    DeletesByOldPolicies,
    /// Tags are believed whatever the stamp says (R2).
    TrustsEditedTags,
    /// Of several schedules only the first one counts a snapshot (R3).
    ForgetsSharing,
    /// A lowered count asks nobody (R6).
    AsksNobody,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::KeepsOneLess,
        Self::IgnoresHolds,
        Self::TrustsLists,
        Self::TrustsPending,
        Self::TrustsTags,
        Self::AlwaysSucceeds,
        Self::NamesNoFailure,
        Self::SkipsLastLook,
        Self::TrustsAbsence,
        Self::DeletesBesideLaterRuns,
        Self::DeletesTooLate,
        Self::DeletesByOldPolicies,
        Self::TrustsEditedTags,
        Self::ForgetsSharing,
        Self::AsksNobody,
    ];
}

/// The policy as the planner gets to know it.
pub(super) fn policy(mut policy: Policy, sabotage: Option<Sabotage>) -> Policy {
    if sabotage == Some(Sabotage::KeepsOneLess) {
        for schedule in &mut policy.schedules {
            if let RetainRule::Count(count) = &mut schedule.retain {
                *count = NonZeroU32::new(count.get() - 1).unwrap_or(*count);
            }
        }
    }
    policy
}

/// The options as the planner gets to know them.
pub(super) fn options(options: Options, sabotage: Option<Sabotage>) -> Options {
    let trusts_lists = sabotage == Some(Sabotage::TrustsLists);
    let settling = if trusts_lists { SignedDuration::ZERO } else { options.settling };
    Options { settling, ..options }
}

/// The plan as a broken rule would leave it.
pub(super) fn plan(sabotage: Option<Sabotage>, plan: &mut Plan<'_>) {
    for decision in &mut plan.snapshots {
        let SnapshotVerdict::Keep(reason) = &decision.verdict else { continue };
        let goes = match (sabotage, reason) {
            (Some(Sabotage::DeletesByOldPolicies), KeepReason::RunStandsBack { why, otherwise }) => {
                matches!(why, StandsBack::NewerPolicy { .. }).then_some(*otherwise)
            }
            (Some(Sabotage::DeletesBesideLaterRuns), KeepReason::RunStandsBack { why, otherwise }) => {
                matches!(why, StandsBack::LaterRun { .. }).then_some(*otherwise)
            }
            (Some(Sabotage::DeletesTooLate), KeepReason::RunStandsBack { why, otherwise }) => {
                matches!(why, StandsBack::CameBack | StandsBack::TooLate).then_some(*otherwise)
            }
            (Some(Sabotage::AsksNobody), &KeepReason::AwaitsConsent { rank, count, .. }) => {
                Some(DeleteReason::ExceedsCount { rank, count })
            }
            _ => None,
        };
        if let Some(reason) = goes {
            decision.verdict = SnapshotVerdict::Delete(reason);
        }
    }
}

/// Whether a broken rule answers for EC2: what a plan asks for is gone.
pub(super) fn trusts_absence(sabotage: Option<Sabotage>, asks: &Asks, world: &mut World) -> bool {
    let trusts = sabotage == Some(Sabotage::TrustsAbsence);
    if trusts {
        world.closer.gone.extend(asks.sources.iter().copied());
        world.closer.images_asked = true;
    }
    trusts
}

/// The view as a broken rule would take it.
pub(super) fn view(sabotage: Option<Sabotage>, policy: &PolicyId, mut world: World) -> World {
    world.snapshots.iter_mut().for_each(|snapshot| distort(sabotage, policy, snapshot));
    world
}

/// A snapshot as a broken rule would take it, at the look and just before the call.
pub(super) fn distort(sabotage: Option<Sabotage>, policy: &PolicyId, snapshot: &mut Snapshot) {
    match sabotage {
        Some(Sabotage::IgnoresHolds) => snapshot.marks.hold = None,
        Some(Sabotage::TrustsPending) if matches!(snapshot.state, SnapshotState::Pending) => {
            snapshot.state = SnapshotState::Completed;
        }
        Some(Sabotage::TrustsTags) => {
            let name = snapshot.marks.schedule_name.value();
            let description = name.map(|name| tags::description(policy, name));
            snapshot.description = description.unwrap_or_default().into();
            snapshot.origin = Origin::Created;
            believe(snapshot);
        }
        Some(Sabotage::TrustsEditedTags) => believe(snapshot),
        Some(Sabotage::ForgetsSharing) => snapshot.marks.also = Mark::Absent,
        _ => {}
    }
}

/// The stamp fits, whatever it says.
fn believe(snapshot: &mut Snapshot) {
    let began = snapshot.start_time;
    match &mut snapshot.marks.stamp {
        Mark::Read(stamp) => (stamp.is_intact, stamp.called) = (true, began),
        unread @ Mark::Unreadable(_) => *unread = Mark::Absent,
        Mark::Absent => {}
    }
}
