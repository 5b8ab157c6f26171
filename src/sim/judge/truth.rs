//! What is true of snapshots and of what they were made of.

use super::{Keeps, Rule};
use crate::sim::ec2::{Ec2, LAG_MAX};
use crate::sim::life::{Record, Switched};
use crate::world::{SnapshotState, SourceId};
use jiff::{SignedDuration, Timestamp};

/// What stands for the names of schedules on what a RunNow made: no schedule is called so.
pub(in crate::sim::judge) const RUN_NOW: &str = "RunNow";

/// The default of `Options.RunNowRetain`.
pub(in crate::sim::judge) const RUN_NOW_STAYS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Since when a fact must have been true to bind a turn that looked at `looked_at`.
pub(in crate::sim) fn firm_since(looked_at: Timestamp) -> Timestamp {
    looked_at - LAG_MAX - SignedDuration::from_secs(1)
}

/// The resource of a snapshot as its policy targets it.
pub(in crate::sim::judge) fn source(record: &Record, by_instance: bool) -> Option<SourceId> {
    let snapshot = &record.snapshot;
    if by_instance {
        snapshot.marks.instance_id.value().copied().map(SourceId::Instance)
    } else {
        Some(SourceId::Volume(snapshot.volume_id))
    }
}

/// The name of its schedule.
pub(in crate::sim::judge) fn schedule(record: &Record) -> &str {
    record.snapshot.marks.schedule_name.value().map_or("", |name| name.as_str())
}

/// Whether a RunNow made it: it is in no series, answers no scheduled time, and goes by an age of its own (R3).
pub(in crate::sim::judge) fn is_run_now(record: &Record) -> bool {
    record.maker.as_ref().is_some_and(|maker| maker.version.is_run_now())
}

/// The names of all schedules that it is for: the first one in its description, the others in `opendlm:also`; [`RUN_NOW`] where a
/// RunNow made it.
pub(in crate::sim::judge) fn schedules(record: &Record) -> Vec<&str> {
    if is_run_now(record) {
        return vec![RUN_NOW];
    }
    let also = record.snapshot.marks.also.value().into_iter().flatten();
    std::iter::once(schedule(record)).chain(also.map(|name| name.as_str())).collect()
}

/// The scheduled time that it answers.
pub(in crate::sim::judge) fn time(record: &Record) -> Timestamp {
    record.snapshot.marks.scheduled_time.value().copied().unwrap_or(Timestamp::MIN)
}

/// How many a rule kept when the snapshot was made, by the version of the policy that made it.
pub(in crate::sim::judge) fn count_of_then(record: &Record, rule: &Rule) -> Option<usize> {
    let version = &record.maker.as_ref()?.version;
    let names = schedules(record);
    let then = version.rules.iter().find(|then| names.contains(&then.name.as_str()) && rule.names.contains(&then.name));
    match then?.keeps {
        Keeps::Count(count) => Some(count),
        Keeps::Days(_) => None,
    }
}

/// Whether one was promised to stay for each schedule that another is for, as often and as long as that one.
pub(in crate::sim::judge) fn stays_as_long(one: &Record, other: &Record) -> bool {
    let keeps = |record: &Record, name: &str| record.maker.as_ref()?.version.rule(name).map(|rule| rule.keeps);
    let until = promised_until(one) >= promised_until(other);
    until
        && schedules(other).into_iter().all(|name| {
            let is_no_less = match (keeps(one, name), keeps(other, name)) {
                (Some(Keeps::Count(count)), Some(Keeps::Count(of_other))) => count >= of_other,
                (Some(Keeps::Days(_)), Some(Keeps::Count(_))) => false,
                // Its days are the time until which it stays.
                (_, Some(Keeps::Days(_)) | None) => true,
                (None, Some(Keeps::Count(_))) => false,
            };
            schedules(one).contains(&name) && is_no_less
        })
}

/// Until when it was promised to stay when it was made: the latest of all schedules that it is for.
pub(in crate::sim::judge) fn promised_until(record: &Record) -> Option<Timestamp> {
    if is_run_now(record) {
        return Some(time(record) + RUN_NOW_STAYS);
    }
    let version = &record.maker.as_ref()?.version;
    let of = version.rules.iter().filter(|then| schedules(record).contains(&then.name.as_str()));
    let days = of.filter_map(|then| match then.keeps {
        Keeps::Count(_) => None,
        Keeps::Days(days) => Some(days),
    });
    days.max().map(|days| time(record) + SignedDuration::from_hours(24 * days))
}

/// Whether it is there at `at`, or was removed after `firm`, which nobody could know.
pub(in crate::sim::judge) fn is_there(record: &Record, firm: Timestamp, at: Timestamp) -> bool {
    record.snapshot.start_time <= at && record.removed.is_none_or(|(removed, _)| removed > firm)
}

/// Whether it counts for its rule at `at` as far as one can know: a backup in the standard tier.
pub(in crate::sim::judge) fn is_good(ec2: &Ec2, record: &Record, firm: Timestamp, at: Timestamp) -> bool {
    record.archived.is_none_or(|since| since > firm) && is_backup(ec2, record, firm, at)
}

/// Whether it can be restored at `at` as far as one can know, archived or not: complete with its whole set, of which nobody has
/// removed a member or edited its tags.
pub(in crate::sim::judge) fn is_backup(ec2: &Ec2, record: &Record, firm: Timestamp, at: Timestamp) -> bool {
    let mut set = ec2.records.iter().filter(|other| other.is_ours && other.call == record.call);
    // What was removed long ago is forgotten: the stamp tells how many there were to be.
    let planned = record.snapshot.marks.stamp.value().and_then(|stamp| stamp.members).unwrap_or(1);
    let has_all = u32::try_from(set.clone().count()).is_ok_and(|members| members >= planned);
    let is_whole =
        has_all && set.all(|member| member.is_complete(at) && is_there(member, firm, at) && !member.is_edited(firm));
    record.is_ours && is_there(record, firm, at) && record.is_complete(at) && is_whole
}

/// Whether a snapshot failed.
pub(in crate::sim::judge) fn has_failed(record: &Record, at: Timestamp) -> bool {
    record.ends_at <= at && record.ends_as == SnapshotState::Error
}

/// What is known of the source of a snapshot over a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim::judge) struct Standing {
    /// It was there and targeted at some time.
    pub(in crate::sim::judge) ever_targeted: bool,
    /// It is not there any more.
    pub(in crate::sim::judge) is_gone: bool,
    /// It was there all the time.
    pub(in crate::sim::judge) always_there: bool,
    /// It was there and targeted all the time.
    pub(in crate::sim::judge) always_targeted: bool,
}

pub(in crate::sim::judge) fn standing(ec2: &Ec2, source: Option<SourceId>, from: Timestamp, to: Timestamp) -> Standing {
    let of = |exists: &Switched, targeted: &Switched| Standing {
        ever_targeted: exists.was_ever_on(from, to) && targeted.was_ever_on(from, to),
        is_gone: !exists.is_on(to),
        always_there: exists.was_on(from, to),
        always_targeted: exists.was_on(from, to) && targeted.was_on(from, to),
    };
    let volume = ec2.volumes.iter().find(|life| Some(SourceId::Volume(life.is.id)) == source);
    let instance = ec2.instances.iter().find(|life| Some(SourceId::Instance(life.is.id)) == source);
    match (volume, instance) {
        (Some(life), _) => of(&life.exists, &life.targeted),
        (None, Some(life)) => of(&life.exists, &life.targeted),
        (None, None) => Standing { ever_targeted: false, is_gone: true, always_there: false, always_targeted: false },
    }
}

/// The ids of all volumes or instances that were there and targeted all the time from `from` to `to`.
pub(in crate::sim::judge) fn steady_sources(
    ec2: &Ec2,
    by_instance: bool,
    from: Timestamp,
    to: Timestamp,
) -> Vec<SourceId> {
    let is_steady = |exists: &Switched, targeted: &Switched| exists.was_on(from, to) && targeted.was_on(from, to);
    if by_instance {
        let steady = ec2.instances.iter().filter(|life| is_steady(&life.exists, &life.targeted));
        steady.map(|life| SourceId::Instance(life.is.id)).collect()
    } else {
        let steady = ec2.volumes.iter().filter(|life| is_steady(&life.exists, &life.targeted));
        steady.map(|life| SourceId::Volume(life.is.id)).collect()
    }
}

/// Whether somebody ever did something to it that keeps it beside the rules, or kept it: an edit of its tags too.
pub(in crate::sim::judge) fn is_wished(record: &Record) -> bool {
    let is_held = record.held.is_some() || record.locked.is_some() || record.imaged.is_some();
    is_held || record.archived.is_some() || record.edited.is_some()
}
