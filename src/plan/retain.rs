//! Which snapshots stay: count and age, among the complete ones of each volume and schedule.

use super::due::saturating_add;
use super::{Dated, DeleteReason, Histories, KeepReason, SnapshotDecision, SnapshotVerdict, owning_schedule};
use crate::options::Options;
use crate::policy::{Age, AgeUnit, Policy, RetainRule, Schedule};
use crate::tags::{self, Mark};
use crate::world::{Coverage, Snapshot, SnapshotId, SnapshotState, VolumeId, World};
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// By how much the function's clock and EC2's may differ before a snapshot that began ahead of the time it answers is
/// taken for one whose tag was changed. AWS refuses signatures that are fifteen minutes off, so no clock is further.
pub const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_mins(15);

/// One decision for each of `ours`, sorted by volume, scheduled time and id.
pub(super) fn decide<'a>(
    policy: &'a Policy,
    options: &Options,
    now: Timestamp,
    world: &'a World,
    ours: &[&'a Snapshot],
    histories: &Histories<'a>,
) -> Vec<SnapshotDecision<'a>> {
    let targeted: BTreeSet<&VolumeId> = world.volumes.iter().map(|volume| &volume.id).collect();
    let ranks = ranks(histories, now);
    let mut decisions: Vec<_> = ours
        .iter()
        .map(|&snapshot| {
            let verdict = match schedule_of(policy, options, now, snapshot, &targeted) {
                Err(verdict) => verdict,
                Ok(schedule) => match ranks.get(&snapshot.id) {
                    Some(&rank) => by_rule(schedule, snapshot, rank, now),
                    // Not in its history: nothing says how many newer ones there are.
                    None => SnapshotVerdict::Keep(KeepReason::UnknownState),
                },
            };
            SnapshotDecision { snapshot, verdict: unless_cut_short(verdict, world.coverage) }
        })
        .collect();
    decisions.sort_by_key(|decision| {
        let snapshot = decision.snapshot;
        (&snapshot.volume_id, snapshot.marks.scheduled_time.value(), &snapshot.id)
    });
    decisions
}

/// The schedule whose rule decides about a snapshot, or why none does.
fn schedule_of<'a>(
    policy: &'a Policy,
    options: &Options,
    now: Timestamp,
    snapshot: &'a Snapshot,
    targeted: &BTreeSet<&VolumeId>,
) -> Result<&'a Schedule, SnapshotVerdict<'a>> {
    let keep = |reason| Err(SnapshotVerdict::Keep(reason));
    match snapshot.state {
        SnapshotState::Completed => {}
        SnapshotState::Error => return keep(KeepReason::Errored),
        SnapshotState::Pending { .. } => return Err(SnapshotVerdict::Wait { since: snapshot.start_time }),
        SnapshotState::Unknown(_) => return keep(KeepReason::UnknownState),
    }
    let Some(name) = snapshot.marks.schedule_name.value() else {
        return keep(KeepReason::UnreadableTag(tags::SCHEDULE_NAME));
    };
    let Some(&scheduled_time) = snapshot.marks.scheduled_time.value() else {
        return keep(KeepReason::UnreadableTag(tags::SCHEDULED_TIME));
    };
    let Some(schedule) = owning_schedule(policy, options, name) else {
        return keep(KeepReason::NoSchedule(name));
    };
    if !targeted.contains(&snapshot.volume_id) {
        return keep(KeepReason::VolumeNotTargeted);
    }
    if scheduled_time > now {
        return keep(KeepReason::FutureScheduledTime(scheduled_time));
    }
    if !is_plausible(snapshot, scheduled_time) {
        return keep(KeepReason::BeganBeforeScheduledTime { began: snapshot.start_time, scheduled_time });
    }
    Ok(schedule)
}

/// A snapshot cannot have begun before the time that it answers: then somebody changed the tag, and the snapshot must
/// neither go because of it nor push others out.
fn is_plausible(snapshot: &Snapshot, scheduled_time: Timestamp) -> bool {
    scheduled_time <= saturating_add(snapshot.start_time, CLOCK_SKEW_MAX)
}

/// The place of each complete snapshot in its history, the newest is 1. Two snapshots of one scheduled time share a
/// place, so that a run that was delivered twice does not eat up the history.
fn ranks<'a>(histories: &Histories<'a>, now: Timestamp) -> BTreeMap<&'a SnapshotId, usize> {
    let mut ranks = BTreeMap::new();
    for history in histories.values() {
        let counts = |dated: &&Dated<'_>| {
            dated.snapshot.state == SnapshotState::Completed
                && dated.scheduled_time <= now
                && is_plausible(dated.snapshot, dated.scheduled_time)
        };
        let mut rank = 0;
        let mut previous = None;
        for dated in history.iter().filter(counts) {
            if previous != Some(dated.scheduled_time) {
                rank += 1;
                previous = Some(dated.scheduled_time);
            }
            ranks.insert(&dated.snapshot.id, rank);
        }
    }
    ranks
}

/// What the schedule's own rule says about a complete snapshot.
fn by_rule<'a>(schedule: &Schedule, snapshot: &'a Snapshot, rank: usize, now: Timestamp) -> SnapshotVerdict<'a> {
    let expiration = &snapshot.marks.expiration_time;
    if let Mark::Unreadable(_) = expiration {
        return SnapshotVerdict::Keep(KeepReason::UnreadableTag(tags::EXPIRATION_TIME));
    }
    if let Mark::Read(until) = *expiration
        && until > now
    {
        // Under a count rule too: what was promised to stay until then stays.
        return SnapshotVerdict::Keep(KeepReason::NotExpired { until });
    }
    match schedule.retain {
        RetainRule::Count(count) => {
            let count = usize::try_from(count.get()).expect("a count of at most 1000 fits");
            if rank <= count {
                SnapshotVerdict::Keep(KeepReason::NewestOf { rank, count })
            } else {
                SnapshotVerdict::Delete(DeleteReason::ExceedsCount { rank, count })
            }
        }
        RetainRule::Age(_) => match *expiration {
            Mark::Absent | Mark::Unreadable(_) => SnapshotVerdict::Keep(KeepReason::NoExpirationTime),
            Mark::Read(_) if rank == 1 => SnapshotVerdict::Keep(KeepReason::NewestCompleted),
            Mark::Read(at) => SnapshotVerdict::Delete(DeleteReason::Expired { at }),
        },
    }
}

/// The expiry to stamp on a snapshot: its scheduled time plus the age of an age rule.
///
/// From the scheduled time, so that all snapshots of a run expire together. Months and years are the calendar's.
#[must_use]
pub fn expiration_time(rule: &RetainRule, scheduled_time: Timestamp) -> Option<Timestamp> {
    match rule {
        RetainRule::Age(age) => Some(later_by(scheduled_time, *age)),
        RetainRule::Count(_) => None,
    }
}

fn later_by(instant: Timestamp, age: Age) -> Timestamp {
    let interval = i64::from(age.interval.get());
    let span = match age.unit {
        AgeUnit::Days => Span::new().try_days(interval),
        AgeUnit::Weeks => Span::new().try_weeks(interval),
        AgeUnit::Months => Span::new().try_months(interval),
        AgeUnit::Years => Span::new().try_years(interval),
    };
    let later = span.and_then(|span| Offset::UTC.to_datetime(instant).checked_add(span));
    later.and_then(|later| Offset::UTC.to_timestamp(later)).unwrap_or(Timestamp::MAX)
}

fn unless_cut_short(verdict: SnapshotVerdict<'_>, coverage: Coverage) -> SnapshotVerdict<'_> {
    match (verdict, coverage) {
        (SnapshotVerdict::Delete(otherwise), Coverage::Partial(cut)) => {
            SnapshotVerdict::Keep(KeepReason::ObservationCutShort { cut, otherwise })
        }
        (verdict, Coverage::Complete | Coverage::Partial(_)) => verdict,
    }
}
