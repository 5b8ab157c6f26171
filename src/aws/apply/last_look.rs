//! The last look before deletions: each part of them is asked for by id just before its first call.
//!
//! Promise: a snapshot is let go only when EC2 showed it by its id a moment ago, as it was when the plan decided about it. What
//! cannot be looked at is not deleted in this turn.

use super::{DELETE_SECONDS_MIN, latest_start, not_ours};
use crate::action::last_look::{self, Change};
use crate::action::{Action, DeleteSnapshot, Outcome};
use crate::aws::Account;
use crate::aws::clock::now;
use crate::aws::observe::by_id::{FILTER_VALUES_MAX, id_of};
use crate::aws::observe::snapshots::read_snapshot;
use crate::tags::Sharing;
use crate::world::{Snapshot, SnapshotId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::OnceCell;
use tracing::warn;

/// How many snapshots are looked at before the first of them goes: as many as are asked for in one call. From a full bucket they
/// are gone within half a minute.
const PART: usize = FILTER_VALUES_MAX;

/// What EC2 shows of a part of the snapshots that are to be deleted.
#[derive(Debug)]
struct Seen {
    /// `None` where it cannot be read.
    shown: BTreeMap<SnapshotId, Option<Snapshot>>,
    not_found: BTreeSet<SnapshotId>,
}

impl Seen {
    fn shows_left(&self, observed: &Snapshot) -> bool {
        let shown = self.shown.get(&observed.id).and_then(Option::as_ref);
        shown.is_some_and(|shown| last_look::source_change(observed, shown).is_none())
    }
}

/// The last looks of a turn: one for each part of its deletions, when the first of them is to go.
#[derive(Debug)]
pub(super) struct LastLooks {
    /// The deletions by their place among all actions.
    places: BTreeMap<usize, usize>,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    ids: Vec<SnapshotId>,
    /// `None` when the look failed.
    seen: OnceCell<Option<Seen>>,
}

impl LastLooks {
    pub(super) fn of(actions: &[Action]) -> Self {
        let (mut places, mut deletions) = (BTreeMap::new(), Vec::new());
        for (position, action) in actions.iter().enumerate() {
            if let Action::DeleteSnapshot(delete) = action {
                places.insert(position, deletions.len() / PART);
                deletions.push(delete);
            }
        }
        let part = |deletions: &[&DeleteSnapshot]| {
            let asked = |delete: &&DeleteSnapshot| {
                delete.rests_on.iter().chain([&delete.snapshot]).map(|one| one.id).collect::<Vec<_>>()
            };
            let ids = deletions.iter().flat_map(asked);
            let ids: BTreeSet<SnapshotId> = ids.collect();
            Part { ids: ids.into_iter().collect(), seen: OnceCell::new() }
        };
        Self { places, parts: deletions.chunks(PART).map(part).collect() }
    }

    /// How many looks there are at most, the halved ones aside.
    #[cfg(test)]
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// What stands against the deletion at this place among the actions, or makes it needless; `None` when it may go. Looks first
    /// where nobody has looked for its part yet, and not for longer than until `until`.
    pub(super) async fn stops(
        &self,
        account: &Account,
        (position, delete): (usize, &DeleteSnapshot),
        until: Timestamp,
    ) -> Option<Outcome> {
        // It would be refused just before the call as well; nobody need look at it.
        if let Some(failed) = not_ours(delete) {
            return Some(Outcome::Failed(failed));
        }
        let part = self.places.get(&position).and_then(|&part| self.parts.get(part));
        let Some(part) = part else { return Some(Outcome::NotStarted) };
        let seen = part.seen.get_or_init(|| account.look_again(delete, &part.ids, until)).await;
        let Some(seen) = seen else { return Some(Outcome::NotStarted) };
        let id = delete.snapshot.id;
        match seen.shown.get(&id) {
            Some(Some(snapshot)) => {
                let change = last_look::change(&delete.snapshot, snapshot, now());
                let lacks = delete.rests_on.iter().any(|observed| !seen.shows_left(observed));
                change.or(lacks.then_some(Change::RestsOnNothing)).map(Outcome::Changed)
            }
            Some(None) => Some(Outcome::Changed(Change::NotShown)),
            None if seen.not_found.contains(&id) => Some(Outcome::Deleted),
            None => Some(Outcome::Changed(Change::NotShown)),
        }
    }
}

impl Account {
    async fn look_again(&self, delete: &DeleteSnapshot, ids: &[SnapshotId], until: Timestamp) -> Option<Seen> {
        let latest = latest_start(until, DELETE_SECONDS_MIN);
        let patience = Duration::try_from(latest.duration_since(now())).unwrap_or_default();
        if patience.is_zero() {
            return None;
        }
        let why = match tokio::time::timeout(patience, self.snapshots_by_id(ids)).await {
            Ok(Ok(answered)) => {
                let mut sharing = Sharing::default();
                let read = |snapshot| Some((id_of(snapshot)?, read_snapshot(snapshot, &mut sharing)));
                let shown = answered.shown.iter().filter_map(read).collect();
                return Some(Seen { shown, not_found: answered.not_found });
            }
            Ok(Err(failed)) => format!("{}: {}", failed.code, failed.message),
            Err(_) => format!("EC2 did not show them within {} s", patience.as_secs()),
        };
        let policy = delete.policy_id.as_str();
        warn!(policy, cause = why, "what is to be deleted cannot be looked at again, nothing of it goes in this turn");
        None
    }
}
