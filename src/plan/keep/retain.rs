//! Which snapshots stay: the schedule's rule, and all that keeps a snapshot whatever the rule says.

use super::verdicts::Rules;
use crate::options::Orphans;
use crate::plan::due::saturating_add;
use crate::plan::duplicate;
use crate::plan::history::Histories;
use crate::plan::orphan::{self, Fate, OrphanOf};
use crate::plan::ours::{self, Ours, Place};
use crate::plan::sets::BrokenSets;
use crate::plan::{DeleteReason, KeepReason, SnapshotDecision, SnapshotVerdict, belief, owning_schedule};
use crate::policy::{Age, AgeUnit, Policy, PolicyState, RetainRule, Schedule, ScheduleName, Targets};
use crate::tags::{self, Mark};
use crate::world::{Snapshot, SnapshotState, SourceId, Tier};
use jiff::tz::Offset;
use jiff::{SignedDuration, Span, Timestamp};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

/// How long a failed snapshot stays before it is deleted: long enough for a person to see what EC2 says of it, and
/// far beyond every start window's retries. It holds nothing that could be restored. Our own; DLM's user guide only
/// says that failed ones "are eventually deleted".
pub const FAILED_SNAPSHOT_GRACE: SignedDuration = SignedDuration::from_hours(24);

/// One decision for each of `ours`, in their order.
pub(in crate::plan) fn decide<'a>(
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
pub(in crate::plan) fn release_failed_members(decisions: &mut [SnapshotDecision<'_>], broken: &BrokenSets) {
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
        let (snapshot, now) = (self.ours[place], self.rules.now);
        let marks = &snapshot.marks;
        let keep = SnapshotVerdict::Keep;
        // What is under way is waited for, held or not.
        if let SnapshotState::Pending = snapshot.state {
            return SnapshotVerdict::Wait { since: snapshot.start_time };
        }
        if let Some(hold) = marks.hold.filter(|hold| hold.holds_at(now)) {
            return keep(KeepReason::Held(hold));
        }
        if let Some(doubt) = belief::doubt(snapshot) {
            return keep(KeepReason::Doubted(doubt));
        }
        if let Some(verdict) = self.unless_complete(place, snapshot) {
            return verdict;
        }
        let scheduled_time = match (marks.schedule_name.value(), marks.scheduled_time.value()) {
            (None, _) => return keep(KeepReason::UnreadableTag(tags::SCHEDULE_NAME)),
            (_, None) => return keep(KeepReason::UnreadableTag(tags::SCHEDULED_TIME)),
            (Some(_), Some(&scheduled_time)) => scheduled_time,
        };
        if let Mark::Unreadable(_) = marks.expiration_time {
            return keep(KeepReason::UnreadableTag(tags::EXPIRATION_TIME));
        }
        if scheduled_time > now {
            return keep(KeepReason::FutureScheduledTime(scheduled_time));
        }
        let promised = marks.expiration_time.value().copied().filter(|&until| until > now);
        let Some(source) = ours::source(self.rules.policy, snapshot) else {
            if let Some(until) = promised {
                return keep(KeepReason::NotExpired { until });
            }
            // The policy was for volumes when it was made, and is for instances now.
            let orphan = self.by_option(place, scheduled_time, OrphanOf::OtherKind);
            return orphan.unwrap_or(keep(KeepReason::UnreadableTag(tags::INSTANCE_ID)));
        };
        let fate = self.rules.sources.fate(source);
        let is_managed = self.ours.is_run_now(place) || self.ours.schedules(place).next().is_some();
        if fate == Fate::Targeted
            && let Some(&beside) = self.duplicates.get(&place).filter(|_| is_managed)
        {
            return SnapshotVerdict::Delete(DeleteReason::Duplicate { beside });
        }
        // Whatever rule comes now: what was promised to stay until then stays.
        if let Some(until) = promised {
            return keep(KeepReason::NotExpired { until });
        }
        match fate {
            // It is there, and whoever took the tag off may want its backups: untargeted is not gone.
            Fate::Untargeted => keep(KeepReason::VolumeNotTargeted),
            _ if self.ours.is_run_now(place) => self.of_run_now(snapshot),
            Fate::Targeted => self.by_series(place, source, scheduled_time),
            Fate::Gone | Fate::Missing => match self.ours.unknown_name(place) {
                Some(name) => self.without_schedule(place, name, scheduled_time),
                None => self.of_gone_source(place, snapshot, scheduled_time),
            },
        }
    }

    /// A RunNow snapshot is in no series, and goes by an age of its own.
    fn of_run_now(&self, snapshot: &Snapshot) -> SnapshotVerdict<'a> {
        match snapshot.marks.expiration_time {
            // The caller has seen that it is over.
            Mark::Read(at) => SnapshotVerdict::Delete(DeleteReason::Expired { at }),
            Mark::Absent | Mark::Unreadable(_) => SnapshotVerdict::Keep(KeepReason::NoExpirationTime),
        }
    }

    /// The verdict of all schedules that a snapshot is for: it stays as long as any of them keeps it. What belonged to a schedule
    /// that is no more goes by `Options.Orphans`.
    fn by_series(&self, place: Place, source: SourceId, scheduled_time: Timestamp) -> SnapshotVerdict<'a> {
        let (mut goes, mut stays) = (None, None);
        for (at, schedule) in self.ours.schedules(place) {
            match self.by_rule(at, schedule, place, source) {
                SnapshotVerdict::Delete(reason) => goes = goes.or(Some(reason)),
                // Every other reason weighs more: a schedule wants it.
                SnapshotVerdict::Keep(KeepReason::NoExpirationTime) if stays.is_some() => {}
                verdict @ (SnapshotVerdict::Keep(_) | SnapshotVerdict::Wait { .. }) => stays = Some(verdict),
            }
        }
        match (stays, self.ours.unknown_name(place), goes) {
            (Some(stays), _, _) => self.unless_excluded(place, source, scheduled_time, stays),
            (None, Some(name), _) => self.without_schedule(place, name, scheduled_time),
            (None, None, Some(reason)) => SnapshotVerdict::Delete(reason),
            (None, None, None) => SnapshotVerdict::Keep(KeepReason::UnknownState),
        }
    }

    /// What a rule keeps of a volume that the policy leaves out now, nothing ever pushes out: `Options.Orphans` decides.
    fn unless_excluded(
        &self,
        place: Place,
        source: SourceId,
        scheduled_time: Timestamp,
        stays: SnapshotVerdict<'a>,
    ) -> SnapshotVerdict<'a> {
        let snapshot = self.ours[place];
        let of = if self.rules.sources.is_excluded(source, snapshot.volume_id) {
            OrphanOf::Excluded
        } else if stays == SnapshotVerdict::Keep(KeepReason::NoExpirationTime) {
            OrphanOf::LostRule
        } else {
            return stays;
        };
        self.by_option(place, scheduled_time, of).unwrap_or(stays)
    }

    fn without_schedule(&self, place: Place, name: &'a ScheduleName, scheduled_time: Timestamp) -> SnapshotVerdict<'a> {
        // Any of its names may be another policy's. One that a schedule has is none of those.
        let mut names = ours::names(self.ours[place]);
        if let Some(used) = names.find(|name| !self.rules.silence.is_over(name, self.rules.now)) {
            return SnapshotVerdict::Keep(KeepReason::PerhapsOfAnotherPolicy(used));
        }
        let orphan = self.by_option(place, scheduled_time, OrphanOf::Schedule);
        orphan.unwrap_or(SnapshotVerdict::Keep(KeepReason::NoSchedule(name)))
    }

    /// DLM user guide: by count none is deleted any more; by age they expire "up to, but not including, the last one",
    /// with `ExtendDeletion` that one too. What a schedule by count shares stays as its own does.
    fn of_gone_source(&self, place: Place, snapshot: &Snapshot, scheduled_time: Timestamp) -> SnapshotVerdict<'a> {
        if let Some(verdict) = self.by_option(place, scheduled_time, OrphanOf::GoneSource) {
            return verdict;
        }
        let mut schedules = self.ours.schedules(place);
        if schedules.any(|(_, schedule)| matches!(schedule.retain, RetainRule::Count(_))) {
            return SnapshotVerdict::Keep(KeepReason::SourceGone);
        }
        match snapshot.marks.expiration_time {
            // The caller has seen that it is over.
            Mark::Read(at) if !self.is_newest(place) || extends_deletion(self.rules.policy) => {
                SnapshotVerdict::Delete(DeleteReason::Expired { at })
            }
            Mark::Read(_) | Mark::Absent | Mark::Unreadable(_) => SnapshotVerdict::Keep(KeepReason::SourceGone),
        }
    }

    /// What `Options.Orphans` says; `None` for `KEEP`.
    fn by_option(&self, place: Place, scheduled_time: Timestamp, of: OrphanOf) -> Option<SnapshotVerdict<'a>> {
        match self.rules.options.orphans {
            Orphans::Expire(age) => {
                let at = later_by(scheduled_time, age);
                Some(if at <= self.rules.now {
                    SnapshotVerdict::Delete(DeleteReason::Orphaned { of, age_over_at: Some(at) })
                } else {
                    SnapshotVerdict::Keep(KeepReason::OrphanNotExpired { of, until: at })
                })
            }
            Orphans::Keep => None,
            Orphans::KeepLast if self.is_newest(place) => Some(SnapshotVerdict::Keep(KeepReason::LastOrphan(of))),
            Orphans::KeepLast => Some(SnapshotVerdict::Delete(DeleteReason::Orphaned { of, age_over_at: None })),
        }
    }

    fn is_newest(&self, place: Place) -> bool {
        let lines = self.lines.get_or_init(|| {
            let is_duplicate = |place: Place| self.duplicates.contains_key(&place);
            orphan::Lines::new(self.rules.policy, self.rules.now, self.ours, self.broken, is_duplicate)
        });
        lines.is_newest(place)
    }

    /// The verdict about a snapshot that is not there to be counted: under way, failed, archived, or in doubt.
    fn unless_complete(&self, place: Place, snapshot: &'a Snapshot) -> Option<SnapshotVerdict<'a>> {
        Some(match (&snapshot.state, snapshot.tier) {
            (SnapshotState::Completed, Tier::Standard) => return None,
            (SnapshotState::Completed | SnapshotState::Error, Tier::Archive) => {
                SnapshotVerdict::Keep(KeepReason::Archived)
            }
            (SnapshotState::Completed | SnapshotState::Error, Tier::Restored { until }) => {
                SnapshotVerdict::Keep(KeepReason::Restored { until })
            }
            (SnapshotState::Error, Tier::Standard) => {
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
    fn by_rule(&self, at: usize, schedule: &'a Schedule, place: Place, source: SourceId) -> SnapshotVerdict<'a> {
        let (keep, snapshot) = (SnapshotVerdict::Keep, self.ours[place]);
        // Without a rank nothing says how many newer ones there are.
        let Some(rank) = self.histories.rank(place, at) else { return keep(KeepReason::UnknownState) };
        match schedule.retain {
            RetainRule::Count(today) => {
                let count = wide(today);
                if rank <= count {
                    return keep(KeepReason::NewestOf { rank, count });
                }
                // What the count of then would keep goes only with a person's consent to the count of today.
                let is_accepted = self.rules.options.accept_count.get(&schedule.name) == Some(&today);
                match self.count_of_then(schedule, snapshot).filter(|&then| rank <= wide(then) && !is_accepted) {
                    Some(then) => {
                        keep(KeepReason::AwaitsConsent { schedule: &schedule.name, rank, count, then: wide(then) })
                    }
                    None => SnapshotVerdict::Delete(DeleteReason::ExceedsCount { rank, count }),
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

impl Judge<'_, '_> {
    /// The count that was in force for a schedule when the snapshot was made, by its stamp.
    fn count_of_then(&self, schedule: &Schedule, snapshot: &Snapshot) -> Option<NonZeroU32> {
        let is_of = |name: &ScheduleName| {
            let owner = owning_schedule(self.rules.policy, self.rules.options, name);
            owner.is_some_and(|owner| std::ptr::eq(owner, schedule))
        };
        let at = ours::names(snapshot).position(is_of)?;
        snapshot.marks.stamp.value()?.counts.get(at).copied().flatten()
    }
}

fn wide(count: NonZeroU32) -> usize {
    usize::try_from(count.get()).expect("a count of at most 1000 fits")
}

/// Whether a policy's expiry goes on while it is disabled, and takes the last snapshot of what is gone too.
pub(in crate::plan) fn extends_deletion(policy: &Policy) -> bool {
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
pub(in crate::plan) fn later_by(instant: Timestamp, age: Age) -> Timestamp {
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
