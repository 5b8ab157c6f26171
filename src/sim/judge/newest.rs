//! R1 and R1b: only the newest run deletes, by the newest policy. And no run makes snapshots for a time that was over before it
//! began.

use super::{SKEW_MAX, START_WINDOW, truth};
use crate::sim::ec2::Ec2;
use crate::sim::life::Record;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The run that does something.
#[derive(Debug, Clone, Copy)]
pub struct Hand {
    /// Which execution it is.
    pub execution: u64,
    /// The scheduled time of its event.
    pub start: Timestamp,
    /// When its first turn began.
    pub begun: Timestamp,
    /// Whether it was taken up again a day or more after its last turn.
    pub came_back: bool,
    /// The revision that its event carries.
    pub revision: Option<Timestamp>,
    /// Whether its policy is disabled.
    pub is_disabled: bool,
}

/// Why a run that looked at `looked_at` deletes nothing, whatever it is; `None` when it may.
#[must_use]
pub fn stands_back(ec2: &Ec2, hand: &Hand, looked_at: Timestamp) -> Option<String> {
    if hand.is_disabled {
        Some("R1: its policy is disabled".to_owned())
    } else if hand.came_back {
        Some("R1: the run came back after days".to_owned())
    } else if began_too_late(hand, hand.start) {
        Some("R1: the start came too late to make anything".to_owned())
    } else if let Some(later) = later_run(ec2, hand, looked_at) {
        Some(format!("R1: a later run has made one for {later}"))
    } else {
        newer_policy(ec2, hand, looked_at).map(|newer| format!("R1b: the policy of {newer} decides"))
    }
}

/// Whether the start window of a scheduled time was over by every clock when a run began. A run knows when it began to the second.
fn began_too_late(hand: &Hand, scheduled_time: Timestamp) -> bool {
    (hand.begun - SKEW_MAX).as_second() > (scheduled_time + START_WINDOW).as_second()
}

/// Whether a later run had made a snapshot by then, which the run may or may not have seen.
#[must_use]
pub fn has_later_run(ec2: &Ec2, hand: &Hand, looked_at: Timestamp) -> bool {
    later_run_since(ec2, hand, (looked_at, looked_at)).is_some()
}

/// The time of a snapshot that everybody could see and that a later run has made.
pub(super) fn later_run(ec2: &Ec2, hand: &Hand, looked_at: Timestamp) -> Option<Timestamp> {
    later_run_since(ec2, hand, (truth::firm_since(looked_at), looked_at))
}

fn later_run_since(ec2: &Ec2, hand: &Hand, (firm, looked_at): (Timestamp, Timestamp)) -> Option<Timestamp> {
    let is_later = |record: &&Record| {
        is_believed(record)
            && hand.start < truth::time(record)
            && truth::time(record) + SKEW_MAX <= looked_at
            && record.exists(firm)
            && record.exists(looked_at)
    };
    ec2.records.iter().find(is_later).map(truth::time)
}

/// How long after its first snapshot a run takes over the copies of what others made. What is complete after that is copied by the run that
/// made it.
const TAKES_OVER: SignedDuration = SignedDuration::from_mins(17);

/// Whether the run made a snapshot itself that was complete, with its whole set, only when each later run had taken over.
pub(super) fn was_complete_after_later_runs_took_over(ec2: &Ec2, hand: &Hand, at: Timestamp, of: &Record) -> bool {
    let mut began: BTreeMap<Timestamp, (Timestamp, bool)> = BTreeMap::new();
    for record in ec2.records.iter().filter(|record| is_believed(record) && hand.start < truth::time(record)) {
        let own = record.snapshot.start_time;
        let (first, is_there) = began.entry(truth::time(record)).or_insert((own, false));
        *first = own.min(*first);
        *is_there |= record.exists(truth::firm_since(at)) || record.exists(at);
    }
    let set = ec2.records.iter().filter(|record| record.call == of.call);
    let complete = set.map(|member| member.ends_at).max().unwrap_or(of.ends_at);
    let is_before = |(first, is_there): &(Timestamp, bool)| !is_there || *first + TAKES_OVER <= complete + SKEW_MAX;
    of.maker.as_ref().is_some_and(|maker| maker.execution == hand.execution) && began.values().all(is_before)
}

/// The revision of a newer version, where the newest snapshot by others shows it to everybody.
fn newer_policy(ec2: &Ec2, hand: &Hand, looked_at: Timestamp) -> Option<Timestamp> {
    let firm = truth::firm_since(looked_at);
    let of_others = |record: &&Record| {
        let is_own = record.maker.as_ref().is_some_and(|maker| maker.execution == hand.execution);
        is_believed(record) && !is_own && truth::is_there(record, firm, looked_at)
    };
    let others = || ec2.records.iter().filter(of_others);
    let is_firm = |record: &&Record| record.exists(firm) && record.exists(looked_at);
    let newest = others().filter(is_firm).max_by_key(|record| record.snapshot.start_time)?;
    // What began since then may be shown or not, and so may what was removed.
    let mut since = others().filter(|record| record.snapshot.start_time >= newest.snapshot.start_time);
    let is_newer = |record: &Record| {
        let revision = revision(record);
        revision > hand.revision && revision.is_some_and(|revision| revision + SKEW_MAX <= looked_at)
    };
    if since.all(is_newer) { revision(newest) } else { None }
}

/// Whether nobody has edited a tag of it, and a schedule made it.
fn is_believed(record: &Record) -> bool {
    record.is_ours && record.maker.is_some() && record.edited.is_none() && !truth::is_run_now(record)
}

fn revision(record: &Record) -> Option<Timestamp> {
    record.maker.as_ref().and_then(|maker| maker.version.revision())
}

/// What is wrong with a snapshot that a run makes for `scheduled_time`.
#[must_use]
pub fn creation_fault(hand: &Hand, scheduled_time: Timestamp) -> Option<String> {
    (began_too_late(hand, scheduled_time) || hand.came_back)
        .then(|| format!("a snapshot for {scheduled_time} by a run that began at {}", hand.begun))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::at;

    #[track_caller]
    fn check(begun: &str, expected: bool) {
        let start = at("2026-11-22T17:00:00Z");
        let hand = Hand { execution: 1, start, begun: at(begun), came_back: false, revision: None, is_disabled: false };
        assert_eq!(creation_fault(&hand, start).is_some(), expected, "{begun}");
    }

    #[test]
    fn a_run_began_too_late_when_the_second_after_the_window_is_over_by_the_slowest_clock() {
        check("2026-11-22T18:00:30Z", false);
        check("2026-11-22T18:00:30.999Z", false);
        check("2026-11-22T18:00:31Z", true);
    }
}
