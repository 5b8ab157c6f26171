//! Looking at the account and planning, and looking closer because of the plan, until it knows what it has to know.

use super::abroad::Regions;
use super::ahead::Ahead;
use super::{Looks, clock, hold_to_promises, observe, turn_error};
use crate::answer::TurnError;
use crate::aws::Account;
use crate::event::Event;
use crate::plan::{self, Plan};
use crate::policy::Policy;
use crate::report;
use crate::turn::{Progress, closer};
use crate::world::{Asks, World};
use jiff::Timestamp;
use std::time::Duration;
use tracing::warn;

/// How long a turn looks at the account's AMIs: for some hundred pages. Who has more, or is throttled, goes on without: EC2 does
/// not delete what an AMI uses.
const IMAGES_PATIENCE: Duration = Duration::from_secs(30);

/// What EC2 shows by a look that began at `now`, with what a turn has to know of it before it deletes anything: it asks what `asks`
/// takes from the plan.
pub(super) async fn look(
    place: (&Account, &Regions, Looks),
    event: &Event,
    (progress, now, ahead): (&mut Progress, Timestamp, Option<Ahead>),
    until: Timestamp,
    asks: fn(&Policy, &World, &Plan<'_>) -> Asks,
) -> Result<World, TurnError> {
    let account = place.0;
    let mut world = observe(place, event, progress, ahead, until).await?;
    progress.note_look(&event.policy.id, &world, now, event.options.settling);
    progress.copies.note_look(&event.policy, &world, now, event.options.settling);
    for _ in 0..closer::LOOKS_MAX {
        let plan = plan::plan(&event.policy, &event.options, &progress.start(), now, &world);
        let asks = asks(&event.policy, &world, &plan);
        if asks.is_empty() {
            break;
        }
        look_closer(account, event, &asks, &mut world, until).await?;
    }
    Ok(world)
}

/// The plan for what [`look`] saw.
pub(super) fn planned<'a>(event: &'a Event, progress: &Progress, now: Timestamp, world: &'a World) -> Plan<'a> {
    let plan = plan::plan(&event.policy, &event.options, &progress.start(), now, world);
    hold_to_promises(event, now, world, &plan);
    plan
}

/// Asks EC2 what a plan wants to know. That AMIs cannot be seen is no obstacle; that of sources nobody knows whether they are gone
/// fails the turn, like any look.
async fn look_closer(
    account: &Account,
    event: &Event,
    asks: &Asks,
    world: &mut World,
    until: Timestamp,
) -> Result<(), TurnError> {
    let left = || Duration::try_from(until.duration_since(clock::now())).unwrap_or_default();
    if !asks.sources.is_empty() {
        let patience = left();
        match tokio::time::timeout(patience, account.look_for_sources(&event.policy, &asks.sources, world)).await {
            Ok(looked) => looked.map_err(turn_error)?,
            Err(_) => {
                return Err(TurnError::Unavailable(format!(
                    "EC2 did not say within {} s which volumes or instances are gone, the function's time is over; give it a \
                     longer timeout",
                    patience.as_secs()
                )));
            }
        }
    }
    if asks.images {
        let patience = IMAGES_PATIENCE.min(left());
        let why = match tokio::time::timeout(patience, account.look_for_images(&mut world.closer)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => report::chain(&error),
            Err(_) => format!("EC2 did not show them within {} s", patience.as_secs()),
        };
        let policy = event.policy.id.as_str();
        warn!(policy, cause = why, "the AMIs cannot be seen, EC2 refuses to delete what they use");
    }
    Ok(())
}
