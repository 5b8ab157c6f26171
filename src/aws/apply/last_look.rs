//! The last look before a deletion (R5 of docs/promises.md): what goes next is asked for by id, many at a time, and seconds before.

use crate::action::{Action, Failed};
use crate::aws::Account;
use crate::aws::clock::now;
use crate::world::{Snapshot, SnapshotId};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// How many are asked for at once: what EC2 lets through in 20 s, at 100 at once and 5 a second.
const AT_ONCE: usize = 200;
/// How old such a look may be when a deletion begins.
const OLD: SignedDuration = SignedDuration::from_secs(30);

/// What is to go in a turn, and what was seen of it last.
#[derive(Debug)]
pub(super) struct LastLook {
    /// In the order in which it goes.
    ids: Vec<SnapshotId>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    at: Timestamp,
    snapshots: BTreeMap<SnapshotId, Option<Snapshot>>,
}

impl LastLook {
    pub(super) fn new(actions: &[Action]) -> Self {
        let ids = actions.iter().filter_map(|action| match action {
            Action::CreateSnapshot(_) | Action::CreateSnapshots(_) => None,
            Action::DeleteSnapshot(delete) => Some(delete.snapshot.id),
        });
        Self { ids: ids.collect(), seen: Mutex::new(Seen::default()) }
    }

    /// A snapshot as EC2 shows it by its id now or a moment ago; `None` when it does not exist.
    ///
    /// # Errors
    /// When EC2 did not tell.
    pub(super) async fn at(&self, account: &Account, id: SnapshotId) -> Result<Option<Snapshot>, Failed> {
        let mut seen = self.seen.lock().await;
        let is_fresh = now().duration_since(seen.at) < OLD && seen.snapshots.contains_key(&id);
        if !is_fresh {
            let next = self.ids.iter().copied().skip_while(|other| *other != id).take(AT_ONCE);
            let next: Vec<SnapshotId> = next.collect();
            // Counted from before the call: what it shows is as old as that at most.
            let at = now();
            *seen = Seen { at, snapshots: account.look_again(&next).await? };
        }
        match seen.snapshots.get(&id) {
            Some(snapshot) => Ok(snapshot.clone()),
            None => Err(unreadable(id)),
        }
    }
}

fn unreadable(id: SnapshotId) -> Failed {
    let message = format!("{id} is shown without a readable volume or start time, so it was not deleted");
    super::failure::failed(crate::action::FailedKind::Unclear, "BadAnswer", &message)
}
