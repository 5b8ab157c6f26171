//! Promise 4: did everything that got a snapshot ask for one?

use super::truth;
use crate::action::Action;
use crate::sim::ec2::Ec2;
use crate::world::SourceId;
use jiff::Timestamp;

/// What is wrong with what a call at `at` made, by a turn that looked at `looked_at`: the records from `first` on.
#[must_use]
pub fn faults(ec2: &Ec2, action: &Action, first: usize, looked_at: Timestamp, at: Timestamp) -> Vec<String> {
    let Some(instance) = action.batched_on() else { return Vec::new() };
    let firm = truth::firm_since(looked_at);
    let was_there = |volume| ec2.attached.get(&volume).is_some_and(|attached| attached.was_on(instance, firm, at));
    let made = ec2.records.get(first..).unwrap_or_default();
    let volumes = made.iter().map(|record| record.snapshot.volume_id);
    let is_unasked = |&volume: &_| {
        !truth::standing(ec2, Some(SourceId::Volume(volume)), firm, at).ever_targeted && was_there(volume)
    };
    volumes.filter(is_unasked).map(|volume| format!("{volume} got a snapshot, but nobody asked for one")).collect()
}
