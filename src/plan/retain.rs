//! Which snapshots stay: the schedule's rule, and all that keeps a snapshot whatever the rule says.

use super::due::saturating_add;
use super::duplicate;
use super::history::{self, Histories};
use super::orphan::{self, Fate};
use super::ours::{self, Ours, Place};
use super::sets::BrokenSets;
use super::{DeleteReason, KeepReason, Rules, SnapshotDecision, SnapshotVerdict};
use crate::policy::{Age, AgeUnit, Policy, PolicyState, RetainRule, Schedule, Targets};
use crate::tags::{self, Mark};
use crate::world::{Snapshot, SnapshotState, SourceId, Tier};
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// How long a failed snapshot stays before it is deleted: long enough for a person to see what EC2 says of it, and
/// far beyond every start window's retries. It holds nothing that could be restored. Our own; DLM's user guide only
/// says that failed ones "are eventually deleted".
pub const FAILED_SNAPSHOT_GRACE: SignedDuration = SignedDuration::from_hours(24);

/// One decision for each of `ours`, in their order.
pub(super) fn decide<'a>(
    rules: &Rules<'_, 'a>,
    ours: &Ours<'a>,
    histories: &Histories,
    broken: &BrokenSets,
) -> Vec<SnapshotDecision<'a>> {
    let duplicates = &duplicate::find(rules.policy, rules.options, rules.now, ours, broken);
    let judge = Judge { rules, ours, lines: OnceCell::new(), histories, broken, duplicates };
    ours.places()
        .map(|(place, snapshot)| SnapshotDecision { snapshot, verdict: judge.verdict(place), goes_later: None })
        .collect()
}

/// A failed member goes together with the last of those that it tells about. Should EC2 refuse one of them, nothing is
/// lost: it goes because there are enough newer ones, so it does not matter if it is taken for good from then on.
pub(super) fn release_failed_members(decisions: &mut [SnapshotDecision<'_>], broken: &BrokenSets) {
    if broken.have_no_failed() {
        return;
    }
    let is_to_go = |decision: &SnapshotDecision<'_>| matches!(decision.verdict, SnapshotVerdict::Delete(_));
    let all_go = |place: &Place| {
        let mut others = broken.others_beside(*place).iter();
        others.all(|&other| decisions.get(other).is_some_and(is_to_go))
    };
    let is_kept = |place: &Place| decisions[*place].verdict == SnapshotVerdict::Keep(KeepReason::FailedMember);
    let released: Vec<Place> = (0..decisions.len()).filter(is_kept).filter(all_go).collect();
    for place in released {
        let since = decisions[place].snapshot.start_time;
        decisions[place].verdict = SnapshotVerdict::Delete(DeleteReason::Failed { since });
    }
}

/// What a verdict depends on besides the snapshot.
struct Judge<'r, 'a> {
    rules: &'r Rules<'r, 'a>,
    ours: &'r Ours<'a>,
    /// Made when the first snapshot asks that nothing manages.
    lines: OnceCell<orphan::Lines>,
    histories: &'r Histories,
    broken: &'r BrokenSets,
    duplicates: &'r BTreeMap<Place, Timestamp>,
}

impl<'a> Judge<'_, 'a> {
    fn verdict(&self, place: Place) -> SnapshotVerdict<'a> {
        let snapshot = self.ours[place];
        let marks = &snapshot.marks;
        // What is under way is waited for, held or not.
        if let SnapshotState::Pending = snapshot.state {
            return SnapshotVerdict::Wait { since: snapshot.start_time };
        }
        if let Some(hold) = marks.hold.filter(|hold| hold.holds_at(self.rules.now)) {
            return SnapshotVerdict::Keep(KeepReason::Held(hold));
        }
        if let Some(verdict) = self.unless_complete(place, snapshot) {
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
        let Some(source) = ours::source(self.rules.policy, snapshot) else {
            return keep(KeepReason::UnreadableTag(tags::INSTANCE_ID));
        };
        if scheduled_time > self.rules.now {
            return keep(KeepReason::FutureScheduledTime(scheduled_time));
        }
        if !history::is_plausible(snapshot, scheduled_time) {
            return keep(KeepReason::BeganBeforeScheduledTime { began: snapshot.start_time, scheduled_time });
        }
        let schedule = self.ours.schedule(place);
        let fate = self.rules.sources.fate(source);
        let is_managed = schedule.is_some() && fate == Fate::Targeted;
        if let Some(&earliest) = self.duplicates.get(&place).filter(|_| is_managed) {
            return SnapshotVerdict::Delete(DeleteReason::Duplicate { earliest });
        }
        // Whatever rule comes now: what was promised to stay until then stays.
        if let Mark::Read(until) = marks.expiration_time
            && until > self.rules.now
        {
            return keep(KeepReason::NotExpired { until });
        }
        let orphans = self.rules.options.orphans;
        match (schedule, fate) {
            (None, _) => orphan::without_schedule(orphans, name, scheduled_time, self.rules.now, self.is_newest(place)),
            (Some(_), Fate::Gone) => {
                let is_newest = self.is_newest(place);
                orphan::of_gone_source(self.rules.policy, orphans, snapshot, scheduled_time, self.rules.now, is_newest)
            }
            (Some(schedule), Fate::Targeted) => self.by_rule(schedule, place, source),
            (Some(_), Fate::Untargeted) => keep(KeepReason::VolumeNotTargeted),
        }
    }

    fn is_newest(&self, place: Place) -> bool {
        let lines =
            self.lines.get_or_init(|| orphan::Lines::new(self.rules.policy, self.rules.now, self.ours, self.broken));
        lines.is_newest(place)
    }

    /// The verdict about a snapshot that is not there to be counted: under way, failed, archived, or in doubt.
    fn unless_complete(&self, place: Place, snapshot: &'a Snapshot) -> Option<SnapshotVerdict<'a>> {
        Some(match (&snapshot.state, snapshot.tier) {
            (SnapshotState::Completed, Tier::Standard) => return None,
            (SnapshotState::Completed, Tier::Archive) => SnapshotVerdict::Keep(KeepReason::Archived),
            (SnapshotState::Error, _) => {
                let until = saturating_add(snapshot.start_time, FAILED_SNAPSHOT_GRACE);
                if until > self.rules.now {
                    SnapshotVerdict::Keep(KeepReason::Errored { until })
                } else if self.broken.others_beside(place).is_empty() {
                    SnapshotVerdict::Delete(DeleteReason::Failed { since: snapshot.start_time })
                } else {
                    SnapshotVerdict::Keep(KeepReason::FailedMember)
                }
            }
            (SnapshotState::Pending, _) => SnapshotVerdict::Wait { since: snapshot.start_time },
            (SnapshotState::Unknown(_), _) => SnapshotVerdict::Keep(KeepReason::UnknownState),
        })
    }

    /// What the schedule's own rule says about a complete snapshot whose promised time, if any, is over.
    fn by_rule(&self, schedule: &'a Schedule, place: Place, source: SourceId) -> SnapshotVerdict<'a> {
        let (keep, snapshot) = (SnapshotVerdict::Keep, self.ours[place]);
        // Without a rank nothing says how many newer ones there are.
        let Some(rank) = self.histories.rank(place) else { return keep(KeepReason::UnknownState) };
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
                if self.rules.policy.state == PolicyState::Disabled {
                    return SnapshotVerdict::Delete(DeleteReason::Expired { at });
                }
                if rank == 1 {
                    return keep(KeepReason::NewestCompleted);
                }
                match self.rules.stopped.since(self.histories, schedule, source, snapshot.volume_id) {
                    Some(newest) if !self.rules.options.age_without_new_backups => {
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
