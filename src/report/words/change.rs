//! The last look before a deletion in words.

use crate::action::last_look::Change;
use crate::tags::written;
use jiff::Timestamp;

/// What the last look saw that keeps a snapshot from being deleted, as a name that can be counted and in words.
#[must_use]
pub fn of_change(change: Change) -> (&'static str, String) {
    let and_stays =
        |what: &str| format!("{what} between the look and the deletion, so it stays; the next turn decides");
    match change {
        Change::Archived => ("Archived", and_stays("it was archived")),
        Change::Held => ("Held", and_stays("opendlm:hold was set")),
        Change::Identity => ("Identity", and_stays("it came to have another description, volume or origin")),
        Change::NotShown => (
            "NotShown",
            "EC2 did not show it by its id and did not say that it is gone, so it stays; the next turn decides"
                .to_owned(),
        ),
        Change::RestsOnNothing => {
            ("RestsOnNothing", and_stays("the copy that was to be left beside it is gone, not complete or edited"))
        }
        Change::Restored { until } => ("Restored", restored(until)),
        Change::State => ("State", and_stays("its state changed")),
        Change::Tags => ("Tags", and_stays("its tags of opendlm changed")),
    }
}

pub(super) fn restored(until: Timestamp) -> String {
    format!("it is archived and temporarily restored until {}, what is in the archive is not managed", written(until))
}
