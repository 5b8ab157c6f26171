//! Which snapshots stay: the schedule's rule, and all that keeps a snapshot whatever the rule says.

use super::brakes;
use super::due::saturating_add;
use super::duplicate;
use super::history::{self, Histories};
use super::orphan::{self, Fate};
use super::sets::BrokenSets;
use super::stopped::Stopped;
use super::{DeleteReason, KeepReason, SnapshotDecision, SnapshotVerdict, owning_schedule};
use crate::options::Options;
use crate::policy::{Age, AgeUnit, Policy, PolicyState, RetainRule, Schedule, Targets};
use crate::tags::{self, Mark};
use crate::world::{Snapshot, SnapshotId, SnapshotState, Tier, World};
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};
use std::collections::BTreeMap;

/// How long a failed snapshot stays before it is deleted: long enough for a person to see what EC2 says of it, and
/// far beyond every start window's retries. It holds nothing that could be restored. Our own; DLM's user guide only
/// says that failed ones "are eventually deleted".
pub const FAILED_SNAPSHOT_GRACE: SignedDuration = SignedDuration::from_hours(24);

/// One decision for each of `ours`, sorted by volume, scheduled time and id.
pub(super) fn decide<'a>(
    policy: &'a Policy,
    options: &Options,
    now: Timestamp,
    world: &'a World,
    ours: &[&'a Snapshot],
    histories: &Histories<'a>,
    broken: &BrokenSets<'_>,
) -> Vec<SnapshotDecision<'a>> {
    let sources = orphan::Sources::new(policy, world);
    let lines = orphan::Lines::new(policy, now, ours, broken);
    let stopped = Stopped::new(policy, options, now, world);
    let duplicates = &duplicate::find(policy, options, now, ours, broken);
    let (sources, lines, stopped) = (&sources, &lines, &stopped);
    let rules = Rules { policy, options, now, sources, lines, histories, stopped, broken, duplicates };
    let mut decisions: Vec<_> = ours
        .iter()
        .map(|&snapshot| SnapshotDecision { snapshot, verdict: rules.verdict(snapshot), goes_later: None })
        .collect();
    decisions.sort_by_key(|decision| {
        let snapshot = decision.snapshot;
        (&snapshot.volume_id, snapshot.marks.scheduled_time.value(), &snapshot.id)
    });
    decisions
}

/// A failed member goes together with the last of those that it tells about. Should EC2 refuse one of them, nothing is
/// lost: it goes because there are enough newer ones, so it does not matter if it is taken for good from then on.
pub(super) fn release_failed_members(decisions: &mut [SnapshotDecision<'_>], broken: &BrokenSets<'_>) {
    let to_go = brakes::to_go(decisions);
    for decision in decisions.iter_mut().filter(|d| d.verdict == SnapshotVerdict::Keep(KeepReason::FailedMember)) {
        if broken.others_beside(decision.snapshot).iter().all(|other| to_go.contains(*other)) {
            let since = decision.snapshot.start_time;
            decision.verdict = SnapshotVerdict::Delete(DeleteReason::Failed { since });
        }
    }
}

/// What a verdict depends on besides the snapshot.
struct Rules<'r, 'a> {
    policy: &'a Policy,
    options: &'r Options,
    now: Timestamp,
    sources: &'r orphan::Sources<'a>,
    lines: &'r orphan::Lines<'a>,
    histories: &'r Histories<'a>,
    stopped: &'r Stopped<'a>,
    broken: &'r BrokenSets<'r>,
    duplicates: &'r BTreeMap<&'a SnapshotId, Timestamp>,
}

impl<'a> Rules<'_, 'a> {
    fn verdict(&self, snapshot: &'a Snapshot) -> SnapshotVerdict<'a> {
        let marks = &snapshot.marks;
        // What is under way is waited for, held or not.
        if let SnapshotState::Pending { .. } = snapshot.state {
            return SnapshotVerdict::Wait { since: snapshot.start_time };
        }
        if let Some(hold) = marks.hold.filter(|hold| hold.holds_at(self.now)) {
            return SnapshotVerdict::Keep(KeepReason::Held(hold));
        }
        if let Some(verdict) = self.unless_complete(snapshot) {
            return verdict;
        }
        let keep = SnapshotVerdict::Keep;
        let Some(name) = marks.schedule_name.value() else {
            return keep(KeepReason::UnreadableTag(tags::SCHEDULE_NAME));
        };
        let Some(&scheduled_time) = marks.scheduled_time.value() else {
            return keep(KeepReason::UnreadableTag(tags::SCHEDULED_TIME));
        };
        if let Mark::Unreadable(_) = marks.expiration_time {
            return keep(KeepReason::UnreadableTag(tags::EXPIRATION_TIME));
        }
        let Some(source) = history::source(self.policy, snapshot) else {
            return keep(KeepReason::UnreadableTag(tags::INSTANCE_ID));
        };
        if scheduled_time > self.now {
            return keep(KeepReason::FutureScheduledTime(scheduled_time));
        }
        if !history::is_plausible(snapshot, scheduled_time) {
            return keep(KeepReason::BeganBeforeScheduledTime { began: snapshot.start_time, scheduled_time });
        }
        let is_managed =
            owning_schedule(self.policy, self.options, name).is_some() && self.sources.fate(source) == Fate::Targeted;
        if let Some(&earliest) = self.duplicates.get(&snapshot.id).filter(|_| is_managed) {
            return SnapshotVerdict::Delete(DeleteReason::Duplicate { earliest });
        }
        // Whatever rule comes now: what was promised to stay until then stays.
        if let Mark::Read(until) = marks.expiration_time
            && until > self.now
        {
            return keep(KeepReason::NotExpired { until });
        }
        let is_newest = self.lines.is_newest(snapshot);
        let Some(schedule) = owning_schedule(self.policy, self.options, name) else {
            return orphan::without_schedule(self.options.orphans, name, scheduled_time, self.now, is_newest);
        };
        match self.sources.fate(source) {
            Fate::Gone => {
                orphan::of_gone_source(self.policy, self.options.orphans, snapshot, scheduled_time, self.now, is_newest)
            }
            Fate::Targeted => self.by_rule(schedule, snapshot, source),
            Fate::Untargeted => keep(KeepReason::VolumeNotTargeted),
        }
    }

    /// The verdict about a snapshot that is not there to be counted: under way, failed, archived, or in doubt.
    fn unless_complete(&self, snapshot: &'a Snapshot) -> Option<SnapshotVerdict<'a>> {
        Some(match (&snapshot.state, snapshot.tier) {
            (SnapshotState::Completed, Tier::Standard) => return None,
            (SnapshotState::Completed, Tier::Archive) => SnapshotVerdict::Keep(KeepReason::Archived),
            (SnapshotState::Error, _) => {
                let until = saturating_add(snapshot.start_time, FAILED_SNAPSHOT_GRACE);
                if until > self.now {
                    SnapshotVerdict::Keep(KeepReason::Errored { until })
                } else if self.broken.others_beside(snapshot).is_empty() {
                    SnapshotVerdict::Delete(DeleteReason::Failed { since: snapshot.start_time })
                } else {
                    SnapshotVerdict::Keep(KeepReason::FailedMember)
                }
            }
            (SnapshotState::Pending { .. }, _) => SnapshotVerdict::Wait { since: snapshot.start_time },
            (SnapshotState::Unknown(_), _) => SnapshotVerdict::Keep(KeepReason::UnknownState),
        })
    }

    /// What the schedule's own rule says about a complete snapshot whose promised time, if any, is over.
    fn by_rule(&self, schedule: &'a Schedule, snapshot: &'a Snapshot, source: &'a str) -> SnapshotVerdict<'a> {
        let keep = SnapshotVerdict::Keep;
        // Without a place nothing says how many newer ones there are.
        let Some(rank) = self.histories.place(&snapshot.id) else { return keep(KeepReason::UnknownState) };
        match schedule.retain {
            RetainRule::Count(count) => {
                let count = usize::try_from(count.get()).expect("a count of at most 1000 fits");
                if rank <= count {
                    keep(KeepReason::NewestOf { rank, count })
                } else {
                    SnapshotVerdict::Delete(DeleteReason::ExceedsCount { rank, count })
                }
            }
            RetainRule::Age(_) => {
                let Mark::Read(at) = snapshot.marks.expiration_time else { return keep(KeepReason::NoExpirationTime) };
                // No newer one ever comes: the floor alone keeps the last.
                if self.policy.state == PolicyState::Disabled {
                    return SnapshotVerdict::Delete(DeleteReason::Expired { at });
                }
                if rank == 1 {
                    return keep(KeepReason::NewestCompleted);
                }
                let volume = snapshot.volume_id.as_str();
                match self.stopped.since(self.histories, schedule, source, volume) {
                    Some(newest) if !self.options.age_without_new_backups => {
                        keep(KeepReason::BackupsStopped { newest })
                    }
                    Some(_) | None => SnapshotVerdict::Delete(DeleteReason::Expired { at }),
                }
            }
        }
    }
}

/// Whether a policy's expiry goes on while it is disabled, and takes the last snapshot of what is gone too.
pub(super) fn extends_deletion(policy: &Policy) -> bool {
    matches!(&policy.targets, Targets::AllVolumes(default) if default.extend_deletion)
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

/// The instant so much later, by the calendar; the end of time where that is too far.
pub(super) fn later_by(instant: Timestamp, age: Age) -> Timestamp {
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
