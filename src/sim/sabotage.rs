//! Rules that are broken on purpose, to show that the judge would notice.

use crate::policy::{Policy, RetainRule};
use crate::tags;
use crate::world::{Asks, Origin, SnapshotState, World};
use std::num::NonZeroU32;

/// A rule that is broken on purpose, to show that the judge would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// The planner is told to keep one less.
    KeepsOneLess,
    /// Holds are not seen, and nobody looks once more.
    IgnoresHolds,
    /// Nothing is waited for before something is concluded from a list.
    TrustsLists,
    /// Snapshots that are under way are taken for complete.
    TrustsPending,
    /// Whoever made a snapshot: the tags alone count, and nobody looks once more.
    TrustsTags,
    /// Every execution says that it succeeded.
    AlwaysSucceeds,
    /// The list of what failed is lost.
    NamesNoFailure,
    /// What is to be deleted is not looked at once more.
    SkipsLastLook,
    /// What no list shows counts as gone.
    TrustsAbsence,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::KeepsOneLess,
        Self::IgnoresHolds,
        Self::TrustsLists,
        Self::TrustsPending,
        Self::TrustsTags,
        Self::AlwaysSucceeds,
        Self::NamesNoFailure,
        Self::SkipsLastLook,
        Self::TrustsAbsence,
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
pub(super) fn view(sabotage: Option<Sabotage>, policy: &Policy, mut world: World) -> World {
    for snapshot in &mut world.snapshots {
        match sabotage {
            Some(Sabotage::IgnoresHolds) => snapshot.marks.hold = None,
            Some(Sabotage::TrustsPending) if matches!(snapshot.state, SnapshotState::Pending) => {
                snapshot.state = SnapshotState::Completed;
            }
            Some(Sabotage::TrustsTags) => {
                let name = snapshot.marks.schedule_name.value();
                let description = name.map(|name| tags::description(&policy.id, name));
                snapshot.description = description.unwrap_or_default().into();
                snapshot.origin = Origin::Created;
            }
            _ => {}
        }
    }
    world
}
