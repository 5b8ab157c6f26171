//! How a year's log names a call.

use crate::action::{About, Action};

pub(super) fn told(action: &Action) -> String {
    let About { volume, instance, snapshot, scheduled_time, .. } = action.about();
    let of = [snapshot.map(|id| id.to_string()), instance.map(|id| id.to_string()), volume.map(|id| id.to_string())];
    let of = of.into_iter().flatten().next().unwrap_or_default();
    let made_for = scheduled_time.filter(|_| action.is_creation()).map(|time| format!(" for {time}"));
    let there = action.region().map(|region| format!(" in {region}"));
    format!("{} {of}{}{}", action.api().name(), made_for.unwrap_or_default(), there.unwrap_or_default())
}
