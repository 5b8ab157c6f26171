//! What the next run of an event would do, planned for the time at which it starts.

use super::abroad::Regions;
use super::closer;
use super::{Looks, clock, read_event, settling};
use crate::answer::TurnError;
use crate::aws::Account;
use crate::event::Event;
use crate::live::effect::Outlook;
use crate::plan;
use crate::policy::CreateRule;
use crate::schedule;
use crate::turn;
use jiff::Timestamp;
use serde_json::Value;

/// Looks at the account and tells what the next run does that the event's schedules start; changes nothing.
///
/// # Errors
/// When the event is refused or EC2 cannot be asked.
pub async fn outlook(account: &Account, value: &Value) -> Result<Outlook, TurnError> {
    let (mut event, _) = read_event(value)?;
    event.options.settling = settling();
    let now = clock::now();
    let Some(at) = next_start(&event, now).filter(|_| !plan::is_idle(&event.policy)) else {
        return Ok(Outlook::default());
    };
    event.scheduled_time = Some(at);
    let mut progress = event.progress_at(at).map_err(|finding| TurnError::PolicyInvalid(finding.to_string()))?;
    account.learn(event.options.api_share, &progress.pace);
    event.options.copy_regions = super::copy_regions();
    let regions = Regions::of(account, &event);
    let place = (account, &regions, Looks::OfPerson);
    let looked = closer::look(place, &event, (&mut progress, at, None), Timestamp::MAX, turn::closer::asks_of_plan);
    let world = Box::pin(looked).await?;
    Ok(Outlook::of(&closer::planned(&event, &progress, at, &world), at))
}

/// When the event's schedules start the next run; a default policy may start at any time.
fn next_start(event: &Event, now: Timestamp) -> Option<Timestamp> {
    let next = |rule: &CreateRule| match rule {
        CreateRule::OnStart => Some(now),
        CreateRule::Cron(_) | CreateRule::Interval { .. } => schedule::next_after(rule, now),
    };
    event.policy.schedules.iter().filter_map(|schedule| next(&schedule.create)).min()
}
