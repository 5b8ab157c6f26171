//! The other Regions of a turn: they are looked at beside the home Region, and their calls are made beside its own.
//!
//! Promise: whatever is wrong with another Region, or with the role there, stays there. It becomes a value that the plan and the report
//! know, and never an error of the turn.

use super::{Looks, clock};
use crate::action::last_look::{self, Change};
use crate::action::{Action, Outcome};
use crate::aws::{Account, ObserveError};
use crate::event::Event;
use crate::pace::Pace;
use crate::place::Region;
use crate::plan::copies;
use crate::turn::Progress;
use crate::world::{SnapshotId, Unseen, View, World};
use futures_util::future::join_all;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a turn looks at other Regions: beside the home Region's own look, so that nothing there waits for a Region that does not
/// answer for longer than this. Our own: at half a second a page this is a hundred thousand copies.
const PATIENCE: Duration = Duration::from_secs(60);

/// The Region that the account is in, and those that copies go to.
#[derive(Debug)]
pub(super) struct Regions {
    pub(super) home: Option<Region>,
    others: Vec<Region>,
}

impl Regions {
    pub(super) fn of(account: &Account, event: &Event) -> Self {
        let home = Region::parse(account.region());
        let mut others = copies::regions(&event.policy, &event.options);
        others.retain(|region| Some(region) != home.as_ref());
        Self { home, others: others.into_iter().collect() }
    }

    /// Completes what was seen of the others by the Regions that snapshots are promised copies in and that nobody names any more.
    pub(super) async fn complete(
        &self,
        account: &Account,
        event: &Event,
        (progress, looks): (&Progress, Looks),
        world: &mut World,
    ) {
        let mut promised = copies::promised_regions(world);
        promised.retain(|region| Some(region) != self.home.as_ref() && !world.regions.contains_key(region));
        let promised: Vec<Region> = promised.into_iter().collect();
        let seen = if looks.are_at_home_only(event, progress) {
            not_yet(&promised)
        } else {
            look(account, event, progress, &promised).await
        };
        world.regions.extend(seen);
    }

    /// What the others show, or that nobody has looked at them yet.
    pub(super) async fn look(
        &self,
        account: &Account,
        event: &Event,
        (progress, looks): (&Progress, Looks),
    ) -> BTreeMap<Region, View> {
        if looks.are_at_home_only(event, progress) {
            return not_yet(&self.others);
        }
        look(account, event, progress, &self.others).await
    }
}

impl Looks {
    /// Whether what is due at home comes first, so that nobody looks elsewhere. A dry run has one turn, and nothing is due in it.
    fn are_at_home_only(self, event: &Event, progress: &Progress) -> bool {
        self == Self::OfTurn && progress.turns == 0 && !event.options.dry_run
    }
}

/// Says that nobody has looked at these Regions yet.
fn not_yet(regions: &[Region]) -> BTreeMap<Region, View> {
    let view = |region: &Region| (region.clone(), View { unseen: Some(Unseen::not_yet()), ..View::default() });
    regions.iter().map(view).collect()
}

/// What these Regions show, all of them at the same time.
async fn look(account: &Account, event: &Event, progress: &Progress, regions: &[Region]) -> BTreeMap<Region, View> {
    let looks = regions.iter().map(|region| async move {
        let begun = progress.copies.ids_begun(region);
        let there = account.in_region(region);
        there.learn(event.options.api_share, &Pace::default());
        let looked = tokio::time::timeout(PATIENCE, there.observe_copies(&event.policy.id, &begun)).await;
        let view = match looked {
            Ok(Ok(view)) => view,
            Ok(Err(error)) => View { unseen: Some(unseen(error)), ..View::default() },
            Err(_) => View { unseen: Some(no_answer()), ..View::default() },
        };
        (region.clone(), view)
    });
    join_all(looks).await.into_iter().collect()
}

fn unseen(error: ObserveError) -> Unseen {
    let is_denied = matches!(error, ObserveError::AccessDenied(_));
    let (ObserveError::AccessDenied(failed)
    | ObserveError::Expired(failed)
    | ObserveError::Throttled(failed)
    | ObserveError::Unavailable(failed)) = error;
    Unseen { code: failed.code, message: failed.message, is_denied }
}

fn no_answer() -> Unseen {
    let message = format!("EC2 did not show the copies within {} s", PATIENCE.as_secs());
    Unseen { code: "Timeout".to_owned(), message, is_denied: false }
}

/// Makes the calls of a turn, those of each Region beside those of the others, and returns one outcome for each action, in their order.
pub(super) async fn apply(
    account: &Account,
    actions: &[Action],
    until: Timestamp,
    on_outcome: impl Fn(&Action, &Outcome),
) -> Vec<Outcome> {
    let mut outcomes = vec![Outcome::NotStarted; actions.len()];
    let mut by_region: BTreeMap<Option<&Region>, Vec<usize>> = BTreeMap::new();
    for (place, action) in actions.iter().enumerate() {
        by_region.entry(action.region()).or_default().push(place);
    }
    let calls = by_region.iter().map(|(region, places)| {
        let actions: Vec<Action> = places.iter().filter_map(|&place| actions.get(place).cloned()).collect();
        let on_outcome = &on_outcome;
        async move {
            match region {
                None => account.apply(&actions, until, on_outcome).await,
                Some(region) => Box::pin(apply_there(account, region, actions, until, on_outcome)).await,
            }
        }
    });
    let of_regions = join_all(calls).await;
    for (places, of_region) in by_region.values().zip(of_regions) {
        for (&place, outcome) in places.iter().zip(of_region) {
            if let Some(slot) = outcomes.get_mut(place) {
                *slot = outcome;
            }
        }
    }
    outcomes
}

/// The calls of one other Region. What is copied is asked for once more by its id, in the home Region, just before.
async fn apply_there(
    account: &Account,
    region: &Region,
    mut actions: Vec<Action>,
    until: Timestamp,
    on_outcome: impl Fn(&Action, &Outcome),
) -> Vec<Outcome> {
    let stopped = check_sources(account, &mut actions, until).await;
    let is_open = |place: &usize| !stopped.contains_key(place);
    let open: Vec<usize> = (0..actions.len()).filter(is_open).collect();
    let calls: Vec<Action> = open.iter().filter_map(|&place| actions.get(place).cloned()).collect();
    let done = account.in_region(region).apply(&calls, until, &on_outcome).await;
    let mut outcomes: BTreeMap<usize, Outcome> = open.into_iter().zip(done).collect();
    for (place, outcome) in stopped {
        if let Some(action) = actions.get(place) {
            on_outcome(action, &outcome);
        }
        outcomes.insert(place, outcome);
    }
    outcomes.into_values().collect()
}

/// Looks once more at what is to be copied, and completes the calls by what only that look tells. Returns what comes of those that are
/// not made, by their places.
async fn check_sources(account: &Account, actions: &mut [Action], until: Timestamp) -> BTreeMap<usize, Outcome> {
    let copy = |action: &Action| match action {
        Action::CopySnapshot(copy) => Some(copy.source.id),
        Action::CreateSnapshot(_) | Action::CreateSnapshots(_) | Action::DeleteSnapshot(_) => None,
    };
    let ids: Vec<SnapshotId> = actions.iter().filter_map(copy).collect();
    if ids.is_empty() {
        return BTreeMap::new();
    }
    let patience = Duration::try_from(until.duration_since(clock::now())).unwrap_or_default();
    let looked = tokio::time::timeout(patience, account.sources(&ids)).await;
    let seen = looked.ok().and_then(Result::ok);
    let mut stopped = BTreeMap::new();
    for (place, action) in actions.iter_mut().enumerate() {
        let Action::CopySnapshot(copy) = action else { continue };
        let Some(seen) = &seen else {
            stopped.insert(place, Outcome::NotStarted);
            continue;
        };
        match seen.get(&copy.source.id) {
            None => {
                stopped.insert(place, Outcome::Changed(Change::NotShown));
            }
            Some(now) => match last_look::source_change(&copy.source, &now.snapshot) {
                Some(change) => {
                    stopped.insert(place, Outcome::Changed(change));
                }
                None => *copy = copies::completed(copy.clone(), &now.tags, now.is_encrypted),
            },
        }
    }
    stopped
}
