//! No miss is silent: who ends without a word is about sources with fresh backups, and a scheduled time that nobody answered was told
//! by a run that should have known.
//!
//! Judged by the calendar alone: the periods and the start window, against what is there.

use super::ending::Ending;
use super::{Rule, START_WINDOW, truth};
use crate::sim::ec2::{Ec2, Emptied};
use crate::sim::life::Record;
use crate::world::SourceId;
use jiff::{SignedDuration, Timestamp};

/// Clocks differ, and a turn ends after its look.
const SLACK: SignedDuration = SignedDuration::from_mins(5);

/// Everything that is wrong with what an ending does not say about backups that were due. `is_told_since` says whether another run
/// has failed, or may still tell, after a time.
#[must_use]
pub fn faults(
    ec2: &Ec2,
    rules: &[Rule],
    by_instance: bool,
    ending: &Ending<'_>,
    (deployed, is_told_since): (Timestamp, &dyn Fn(Timestamp) -> bool),
) -> Vec<String> {
    let outcome = ending.report.outcome.unwrap_or("none");
    let is_silent = outcome != "PARTIAL" && ending.report.failures.is_empty();
    if !is_silent || ending.is_cut_short || ending.emptied != Emptied::Nothing {
        return Vec::new();
    }
    // A start that comes late is no witness of the times before it.
    if ending.answered.max(ending.begun) > ending.start + START_WINDOW {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for rule in rules.iter().filter(|rule| rule.hours.is_some()) {
        let missed = rule.latest(ending.start) - rule.period;
        if missed <= deployed || is_told_since(missed) {
            continue;
        }
        for source in truth::steady_sources(ec2, by_instance, missed - SLACK, ending.looked_at) {
            let of_source = || ec2.records.iter().filter(move |record| is_of(record, rule, by_instance, source));
            let gone = || ec2.gone.iter().filter(move |record| is_of(record, rule, by_instance, source));
            // One that is under way, or for a time since, answers as well: whoever made it has told of this one. And one that
            // somebody has deleted or edited was there.
            let is_answer = |record: &Record| {
                (missed..ending.start.max(missed + rule.period)).contains(&truth::time(record))
                    && !truth::has_failed(record, ending.looked_at)
            };
            let is_earlier = |record: &Record| truth::time(record) < missed && is_sure(ec2, record, ending.looked_at);
            if !of_source().any(is_answer) && !gone().any(is_answer) && of_source().any(is_earlier) {
                faults.push(format!(
                    "{outcome}, and nobody has told that {source} has none for {} of {missed}",
                    rule.name
                ));
            }
        }
    }
    faults.extend(stale(ec2, rules, by_instance, ending, deployed));
    faults
}

/// The sources whose newest backup is older than the shortest period and the start window.
fn stale(ec2: &Ec2, rules: &[Rule], by_instance: bool, ending: &Ending<'_>, deployed: Timestamp) -> Vec<String> {
    let outcome = ending.report.outcome.unwrap_or("none");
    let Some(period) = rules.iter().filter(|rule| rule.hours.is_some()).map(|rule| rule.period).min() else {
        return Vec::new();
    };
    let (at, firm) = (ending.looked_at, truth::firm_since(ending.looked_at));
    let oldest = at - period - START_WINDOW;
    if deployed > oldest {
        return Vec::new();
    }
    let of = |record: &&Record, source| rules.iter().any(|rule| is_of(record, rule, by_instance, source));
    let is_stale = |source: &SourceId| {
        let of_source = || ec2.records.iter().filter(|record| of(record, *source));
        let may_be_fresh = |record: &Record| truth::is_there(record, firm, at) && truth::time(record) > oldest - SLACK;
        of_source().any(|record| is_sure(ec2, record, at)) && !of_source().any(may_be_fresh)
    };
    let steady = truth::steady_sources(ec2, by_instance, truth::firm_since(ending.begun), at);
    let stale = steady.into_iter().filter(is_stale);
    stale.map(|source| format!("{outcome}, but the newest backup of {source} is older than {oldest}")).collect()
}

fn is_of(record: &Record, rule: &Rule, by_instance: bool, source: SourceId) -> bool {
    record.is_ours && rule.is_one_of(&truth::schedules(record)) && truth::source(record, by_instance) == Some(source)
}

/// Whether nobody can doubt that a snapshot is a backup: it was complete and there before any list could lag, and nobody has changed
/// it.
fn is_sure(ec2: &Ec2, record: &Record, at: Timestamp) -> bool {
    let firm = truth::firm_since(at);
    let is_untouched = !record.is_torn && record.removed.is_none() && record.edited.is_none();
    is_untouched && record.is_complete(firm) && truth::time(record) <= at && truth::is_backup(ec2, record, firm, at)
}
