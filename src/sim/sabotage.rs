//! Rules that are broken on purpose, to show that the judge would notice.

use crate::options::Options;
use crate::plan::copies::{CopyVerdict, RegionPlan};
use crate::plan::{DeleteReason, KeepReason, Plan, SnapshotDecision, SnapshotVerdict, StandsBack};
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
    /// Of two snapshots for one scheduled time the earlier one stays, whatever they were promised (R3).
    KeepsTheEarlier,
    /// Nothing stays of a volume because it is the last one (R4).
    IgnoresTheFloor,
    /// Of several schedules only the first one counts a snapshot (R3).
    ForgetsSharing,
    /// What a RunNow made counts as what a schedule made (R3).
    CountsRunNow,
    /// A lowered count asks nobody (R6).
    AsksNobody,
    /// Nobody says what waits to be agreed to (R6).
    WaitsInSilence,
    /// Nobody tells what was missed.
    TellsNoMiss,
    /// What was missed is looked for at the end of a run, when the snapshot that answered it may have gone.
    ForgetsMisses,
    /// What is under way to another Region is copied there once more.
    CopiesTwice,
    /// A snapshot goes although its copy is wanted, or under way.
    DeletesSourcesEarly,
    /// Of a volume's copies the newest one goes instead of the one that has expired.
    DeletesNewestCopies,
    /// Nobody tells which copies were not made.
    GivesUpInSilence,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 25] = [
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
        Self::KeepsTheEarlier,
        Self::IgnoresTheFloor,
        Self::ForgetsSharing,
        Self::CountsRunNow,
        Self::AsksNobody,
        Self::WaitsInSilence,
        Self::TellsNoMiss,
        Self::ForgetsMisses,
        Self::CopiesTwice,
        Self::DeletesSourcesEarly,
        Self::DeletesNewestCopies,
        Self::GivesUpInSilence,
    ];

    /// Whether only an account with copies shows it.
    #[must_use]
    pub fn is_of_copies(self) -> bool {
        matches!(
            self,
            Self::CopiesTwice | Self::DeletesSourcesEarly | Self::DeletesNewestCopies | Self::GivesUpInSilence
        )
    }
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
    let minimum_kept = if sabotage == Some(Sabotage::IgnoresTheFloor) { 0 } else { options.minimum_kept };
    Options { settling, minimum_kept, ..options }
}

/// The plan as a broken rule would leave it.
pub(super) fn plan(sabotage: Option<Sabotage>, plan: &mut Plan<'_>) {
    if sabotage == Some(Sabotage::TellsNoMiss) {
        plan.missed.clear();
        plan.stopped = 0;
    }
    if sabotage == Some(Sabotage::KeepsTheEarlier) {
        keep_the_earlier(plan);
    }
    for region in &mut plan.regions {
        of_region(sabotage, region);
    }
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
            (Some(Sabotage::DeletesSourcesEarly), &KeepReason::CopyOpen { otherwise, .. }) => Some(otherwise),
            (Some(Sabotage::AsksNobody), &KeepReason::AwaitsConsent { rank, count, .. }) => {
                Some(DeleteReason::ExceedsCount { rank, count })
            }
            (Some(Sabotage::WaitsInSilence), &KeepReason::AwaitsConsent { rank, count, .. }) => {
                decision.verdict = SnapshotVerdict::Keep(KeepReason::NewestOf { rank, count });
                None
            }
            _ => None,
        };
        if let Some(reason) = goes {
            decision.verdict = SnapshotVerdict::Delete(reason);
        }
    }
}

/// What is decided about another Region as a broken rule would leave it.
fn of_region(sabotage: Option<Sabotage>, region: &mut RegionPlan<'_>) {
    for wanted in &mut region.wanted {
        match (sabotage, &mut wanted.verdict) {
            (Some(Sabotage::CopiesTwice), verdict @ CopyVerdict::UnderWay { .. }) => {
                *verdict = CopyVerdict::Begin { last_failed: None };
            }
            (Some(Sabotage::GivesUpInSilence), CopyVerdict::GivenUp { is_news, .. }) => *is_news = false,
            _ => {}
        }
    }
    if sabotage == Some(Sabotage::GivesUpInSilence) {
        region.lost.clear();
    }
    if sabotage != Some(Sabotage::DeletesNewestCopies) {
        return;
    }
    let key = |snapshot: &Snapshot| {
        (snapshot.marks.volume_id.value().copied(), snapshot.marks.scheduled_time.value().copied())
    };
    for at in 0..region.copies.len() {
        let Some(old) = region.copies.get(at) else { return };
        let SnapshotVerdict::Delete(reason @ DeleteReason::Expired { .. }) = old.verdict else { continue };
        let (volume, time) = key(old.snapshot);
        let is_newer = |decision: &&mut SnapshotDecision<'_>| {
            let (of, newer) = key(decision.snapshot);
            let is_kept = matches!(decision.verdict, SnapshotVerdict::Keep(_));
            is_kept && decision.snapshot.state == SnapshotState::Completed && of == volume && newer > time
        };
        if let Some(newest) = region.copies.iter_mut().filter(is_newer).max_by_key(|newer| key(newer.snapshot).1) {
            let kept = std::mem::replace(&mut newest.verdict, SnapshotVerdict::Delete(reason));
            if let Some(old) = region.copies.get_mut(at) {
                old.verdict = kept;
            }
        }
    }
}

/// The later one goes instead of each duplicate that began before it.
fn keep_the_earlier(plan: &mut Plan<'_>) {
    let key = |snapshot: &Snapshot| {
        let name = snapshot.marks.schedule_name.value().map(ToString::to_string);
        (snapshot.volume_id, name, snapshot.marks.scheduled_time.value().copied())
    };
    for at in 0..plan.snapshots.len() {
        let Some(duplicate) = plan.snapshots.get(at) else { continue };
        let SnapshotVerdict::Delete(reason @ DeleteReason::Duplicate { .. }) = duplicate.verdict else { continue };
        let (of, began) = (key(duplicate.snapshot), duplicate.snapshot.start_time);
        let is_later = |decision: &&mut SnapshotDecision<'_>| {
            let is_complete = decision.snapshot.state == SnapshotState::Completed;
            let is_kept = is_complete && matches!(decision.verdict, SnapshotVerdict::Keep(_));
            is_kept && key(decision.snapshot) == of && decision.snapshot.start_time > began
        };
        if let Some(later) = plan.snapshots.iter_mut().find(is_later) {
            let kept = std::mem::replace(&mut later.verdict, SnapshotVerdict::Delete(reason));
            if let Some(earlier) = plan.snapshots.get_mut(at) {
                earlier.verdict = kept;
            }
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
        Some(Sabotage::CountsRunNow) => {
            if let Mark::Read(stamp) = &mut snapshot.marks.stamp {
                stamp.is_run_now = false;
            }
        }
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
