//! What a start now would see and do, as `opendlm doctor` takes it.

use super::foreseen;
use crate::answer::TurnError;
use crate::aws::Account;
use crate::doctor::backups::Looked;
use crate::report;
use crate::turn::Status;
use crate::world::{SnapshotState, VolumeId};
use serde_json::Value;
use std::collections::BTreeSet;

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// What there is to say of the backups.
    pub looked: Looked,
    /// The volumes that the policy makes snapshots of.
    pub volumes: BTreeSet<VolumeId>,
    /// Those of them that have a complete snapshot of the policy.
    pub backed_up: BTreeSet<VolumeId>,
}

/// Looks at the account and changes nothing.
///
/// # Errors
/// When the event is refused or EC2 cannot be asked.
pub async fn examined(account: &Account, value: &Value) -> Result<Examined, TurnError> {
    foreseen(account, value, |event, progress, _, world, plan, warnings| {
        let status = Status::Waiting { seconds: 0 };
        let report = report::report(&event.policy, &event.options, plan, progress, status, warnings);
        let attached = world.instances.iter().flat_map(|instance| &instance.volumes).map(|volume| volume.id);
        let volumes: BTreeSet<VolumeId> = world.volumes.iter().map(|volume| volume.id).chain(attached).collect();
        let complete = plan.snapshots.iter().filter(|each| each.snapshot.state == SnapshotState::Completed);
        let backed_up = complete.map(|each| each.snapshot.volume_id).filter(|id| volumes.contains(id)).collect();
        Examined { looked: Looked { report, targeted: plan.targeted }, volumes, backed_up }
    })
    .await
}
