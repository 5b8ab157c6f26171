//! No false alarm: a scheduled time that a run calls missed has no backup that anybody could see. Who is alarmed every day does not read
//! the alarm of the day that counts.

use super::ending::Ending;
use super::{Rule, truth};
use crate::sim::ec2::{Ec2, Emptied};
use crate::sim::life::{Record, Remover};
use jiff::Timestamp;

/// The scheduled times that an ending calls missed although there was a backup before its run began. What other
/// runs delete at the same time, or an invocation of its own that gave no answer, the run does not know: without those it `is_alone`.
#[must_use]
pub fn faults(ec2: &Ec2, rules: &[Rule], by_instance: bool, ending: &Ending<'_>, is_alone: bool) -> Vec<String> {
    if ending.is_cut_short || ending.emptied != Emptied::Nothing {
        return Vec::new();
    }
    let firm = truth::firm_since(ending.begun);
    let told = ending.report.failures.iter().filter(|failure| failure.code == "Missed");
    let false_alarms = told.filter_map(|failure| {
        let time: Timestamp =
            failure.message.strip_prefix("no snapshot was made for ")?.split(',').next()?.parse().ok()?;
        let rule = rules.iter().find(|rule| failure.schedule.as_deref() == Some(rule.name.as_str()))?;
        let is_it = |record: &&Record| {
            let source = truth::source(record, by_instance).map(|source| source.to_string());
            let went = match record.removed {
                None => false,
                Some((_, Remover::User)) => true,
                Some((removed, Remover::Run)) => !is_alone || removed < ending.begun,
            };
            let is_untouched = record.edited.is_none() && !record.is_torn && !truth::is_run_now(record);
            record.is_ours
                && is_untouched
                && !went
                && record.is_complete(firm)
                && truth::time(record) == time
                && rule.is_one_of(&truth::schedules(record))
                && source.as_deref() == Some(failure.resource.as_str())
        };
        let there = ec2.records.iter().find(is_it)?;
        Some(format!("it calls {time} missed for {}, but {} is there", failure.resource, there.snapshot.id))
    });
    false_alarms.collect()
}
