//! How a year's log names a call.

use crate::action::Action;

pub(super) fn told(action: &Action) -> String {
    match action {
        Action::CreateSnapshot(create) => format!("CreateSnapshot {} for {}", create.volume_id, create.scheduled_time),
        Action::CreateSnapshots(create) => {
            format!("CreateSnapshots {} for {}", create.instance_id, create.scheduled_time)
        }
        Action::DeleteSnapshot(delete) => format!("DeleteSnapshot {}", delete.snapshot.id),
    }
}
