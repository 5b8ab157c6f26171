//! Was this copy one to begin?

use super::{Look, copies, promised};
use crate::place::Region;
use crate::sim::ec2::{Copied, Ec2};
use crate::sim::judge::newest::{self, Hand};
use crate::sim::judge::truth;
use jiff::Timestamp;

/// What is wrong with a copy that a run has just begun; `None` when it was right.
#[must_use]
pub fn fault(
    ec2: &Ec2,
    hand: &Hand,
    look: Look<'_>,
    (region, begun): (&Region, &Copied),
    at: Timestamp,
) -> Option<String> {
    let of = &begun.of;
    let wrong = |why: &str| {
        Some(format!("a copy of {} of {} was begun in {region}, but {why}", of.snapshot.id, truth::time(of)))
    };
    let Some(&seen_at) = look.abroad.get(region) else { return wrong("the Region was not seen whole") };
    let firm = truth::firm_since(look.at);
    if !promised(of).contains_key(region) {
        return wrong("nobody has promised one");
    }
    if of.is_edited(firm) {
        return wrong("somebody has edited its tags");
    }
    if !of.is_complete(at) || !truth::is_there(of, firm, at) {
        return wrong("it is not there, or not complete");
    }
    // A list that is empty or cut short by mistake shows no later run.
    let later = newest::later_run(ec2, hand, look.at).filter(|_| look.is_whole);
    if let Some(later) = later.filter(|_| !newest::was_complete_after_later_runs_took_over(ec2, hand, look.at, of)) {
        return wrong(&format!("a later run has made a snapshot for {later}"));
    }
    let firm = truth::firm_since(seen_at);
    let is_shown = |other: &&Copied| {
        let record = &other.record;
        record.is_ours
            && other.of.snapshot.id == of.snapshot.id
            && record.snapshot.id != begun.record.snapshot.id
            && record.exists(firm)
            && record.exists(at)
            && record.edited.is_none()
            && !truth::has_failed(record, at)
    };
    let shown = copies(ec2, region).iter().find(is_shown)?;
    wrong(&format!("there is {} of {}", shown.record.snapshot.id, shown.record.snapshot.start_time))
}
