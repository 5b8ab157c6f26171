//! The next look, which goes on beside the calls of a turn where those take long.

use super::{clock, log_action};
use crate::action::{Action, Outcome};
use crate::aws::{Account, Listed};
use crate::event::Event;
use crate::turn::look;
use crate::world::SnapshotId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// A look that was begun before the turn that it is for.
#[derive(Debug)]
pub(super) struct Ahead {
    pub(super) listed: Listed,
    /// When it began: what changed since may be shown as it was.
    pub(super) began: Timestamp,
    /// How long the listing took.
    pub(super) took: SignedDuration,
    /// What EC2 deleted meanwhile.
    pub(super) deleted: BTreeSet<SnapshotId>,
}

/// When a turn looked, and how long it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) looked_at: Timestamp,
    /// How long its look took.
    pub(super) took: SignedDuration,
    /// Until when its calls take.
    pub(super) works_until: Timestamp,
    /// Until when the invocation has time.
    pub(super) until: Timestamp,
}

/// Makes the calls of a turn. Where they take so long that another turn will follow, the account is listed for that one beside them;
/// a listing that fails is none.
pub(super) async fn apply(
    account: &Account,
    event: &Event,
    actions: &[Action],
    times: Times,
) -> (Vec<Outcome>, Option<Ahead>) {
    let Times { looked_at, took, works_until, until } = times;
    let (policy_id, target) = (event.policy.id.as_str(), event.options.target.as_ref());
    let log = |action: &Action, outcome: &Outcome| log_action(policy_id, target, action, outcome);
    let mut calls = Box::pin(account.apply(actions, works_until, log));
    let Some(at) = look::looks_ahead_at(looked_at, took, works_until, until) else {
        return (calls.await, None);
    };
    let wait = Duration::try_from(at.duration_since(clock::now())).unwrap_or_default();
    tokio::select! {
        biased;
        outcomes = &mut calls => return (outcomes, None),
        () = tokio::time::sleep(wait) => {}
    }
    tokio::join!(calls, Box::pin(list(account, event, until)))
}

async fn list(account: &Account, event: &Event, until: Timestamp) -> Option<Ahead> {
    let began = clock::now();
    let patience = Duration::try_from(until.duration_since(began)).unwrap_or_default();
    let listed = tokio::time::timeout(patience, account.list(&event.policy)).await.ok()?.ok()?;
    Some(Ahead { listed, began, took: clock::now().duration_since(began), deleted: BTreeSet::new() })
}
