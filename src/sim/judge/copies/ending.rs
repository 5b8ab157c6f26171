//! Is what the end of a run says of its copies true?

use super::{copies, promised, serves};
use crate::sim::ec2::{Copied, Ec2};
use crate::sim::judge::newest::Hand;
use crate::sim::judge::truth;
use crate::sim::life::{Record, Span};
use jiff::Timestamp;

/// Everything that was promised of what a run made and is not there, although it says that it succeeded at `looked_at`. What a later
/// run has made snapshots after is that one's to copy. What an invocation made that gave no answer (`lost`) the run knows only when a list
/// shows it, which was not `hidden` by an empty one.
#[must_use]
pub fn faults(
    ec2: &Ec2,
    hand: &Hand,
    (lost, is_hidden, looked_at): (&[Span], bool, Timestamp),
    now: Timestamp,
) -> Vec<String> {
    let is_later = |record: &&Record| {
        record.is_ours
            && record.exists(now)
            && truth::time(record) > hand.start
            && !truth::is_run_now(record)
            && !truth::has_failed(record, now)
    };
    if ec2.records.iter().any(|record| is_later(&record)) {
        return Vec::new();
    }
    let firm = truth::firm_since(looked_at);
    let is_own = |record: &&Record| {
        let is_of_run = record.maker.as_ref().is_some_and(|maker| maker.execution == hand.execution);
        let began = record.snapshot.start_time;
        let is_forgotten = lost.iter().any(|span| span.holds(began)) && (is_hidden || firm < began);
        is_of_run && !is_forgotten && record.removed.is_none() && !truth::is_wished(record) && !record.is_torn
    };
    let own = ec2.records.iter().filter(is_own).filter(|record| truth::is_good(ec2, record, firm, looked_at));
    let lacking = own.flat_map(|record| {
        let lacks = move |region: &crate::place::Region| {
            let is_done =
                |copy: &Copied| serves(copy, record) && copy.record.is_ours && copy.record.is_complete(looked_at);
            !copies(ec2, region).iter().any(is_done)
        };
        let regions = promised(record).into_keys().filter(lacks);
        regions.map(|region| (record, region)).collect::<Vec<_>>()
    });
    lacking
        .filter(|(record, _)| !has_twin(ec2, record, firm, looked_at))
        .map(|(record, region)| {
            format!("SUCCEEDED, but {} of {} has no complete copy in {region}", record.snapshot.id, truth::time(record))
        })
        .collect()
}

/// Whether another one for the same time has the copy: of two one is enough.
fn has_twin(ec2: &Ec2, own: &Record, firm: Timestamp, at: Timestamp) -> bool {
    ec2.records.iter().any(|other| {
        other.is_ours
            && other.call != own.call
            && other.snapshot.volume_id == own.snapshot.volume_id
            && truth::time(other) == truth::time(own)
            && truth::is_there(other, firm, at)
    })
}
