//! Which run begins a copy: the one that made the snapshot, or the newest one that made any.
//!
//! From what EC2 shows of runs, their snapshots, and never by the clock alone: a next run that never comes must not drop what is open,
//! and two runs that both live must not copy twice. A run that sees the snapshots of a later one begins nothing more. That one begins
//! copies of what it made itself at once, and of what others made when the one before must have seen it. One that has nothing to make
//! takes over where nobody has begun a copy for as long. What is complete only after that stays with the run that made it, which waits for
//! it: the later ones have ended by then.

use super::super::{StandsBack, belief, due};
use crate::options::{Options, Start};
use crate::plan::Due;
use crate::policy::{Age, CreateRule, Policy};
use crate::schedule;
use crate::world::{Snapshot, SnapshotState};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::ops::Bound;

/// How long after the first snapshot of a run the one before has seen it, and has ended the calls that it began before that: an
/// invocation takes 15 minutes at most, and a list lags for two. Our own.
pub(super) const TAKES_OVER_AFTER: SignedDuration = SignedDuration::from_mins(17);

/// For how long after the time for a copy is over every run tells that there is none. Our own: a weekend and a day.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(72);

/// How long after the next scheduled time a copy is tried at the longest. Which run was the next one is read from snapshots, and where a count
/// has deleted those, each later run looks like it. Our own: two weeks without a run are told by others.
const TRIED_AFTER_NEXT_MAX: SignedDuration = SignedDuration::from_hours(14 * 24);

/// By how much EC2's clock may be behind the function's: what seems to have begun so little before the run may be its own. Our own, far more
/// than clocks differ that a network sets.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(30);

/// Who begins a copy that this run does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftTo {
    /// A later run, which has made snapshots.
    LaterRun {
        /// The scheduled time of its snapshots.
        scheduled_time: Timestamp,
    },
    /// The run that made the snapshot, or the next one that makes any: this one has made none.
    Others,
}

/// What this run begins copies of.
#[derive(Debug)]
pub(in crate::plan) struct Carries {
    begun: Timestamp,
    /// The scheduled times that it makes snapshots for.
    own: Vec<Timestamp>,
    is_run_now: bool,
    later: Option<Timestamp>,
    /// When the last of the later runs began its first snapshot.
    later_began: Option<Timestamp>,
    /// When this run, or one that was started for the same time, began its first snapshot.
    own_began: Option<Timestamp>,
    /// By an older version of the policy nothing is begun.
    is_outdated: bool,
    /// From when on it carries what others made: its own snapshots tell them to stop.
    takes_over_at: Option<Timestamp>,
    /// From when on it does where it has made none, because its targets are gone or have recent ones: nothing tells others to stop.
    takes_over_unseen_at: Option<Timestamp>,
    /// Whether another run was started for the same time before this one, and may be at work.
    has_twin: bool,
    /// When the schedules are due.
    creates: Vec<CreateRule>,
    run_now_retain: Age,
    /// When the first snapshot for each scheduled time began.
    first: BTreeMap<Timestamp, Timestamp>,
}

/// Whether a copy is begun by this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carry {
    Now,
    /// From then on.
    At(Timestamp),
    LeftTo(LeftTo),
}

impl Carries {
    pub(in crate::plan) fn of<'w>(
        policy: &Policy,
        options: &Options,
        start: &Start,
        now: Timestamp,
        stands_back: Option<StandsBack>,
        ours: impl Iterator<Item = &'w Snapshot>,
    ) -> Self {
        let own = policy.schedules.iter().filter_map(|schedule| match due::of(schedule, options, start) {
            Due::Now { scheduled_time, .. } => Some(scheduled_time),
            Due::Late { .. } | Due::Nothing => None,
        });
        let mut carries = Self {
            begun: start.begun,
            own: own.collect(),
            is_run_now: options.marks_run_now(policy),
            later: None,
            later_began: None,
            own_began: None,
            is_outdated: matches!(stands_back, Some(StandsBack::NewerPolicy { .. })),
            takes_over_at: None,
            takes_over_unseen_at: None,
            has_twin: false,
            run_now_retain: options.run_now_retain,
            creates: policy.schedules.iter().map(|schedule| schedule.create.clone()).collect(),
            first: BTreeMap::new(),
        };
        for snapshot in ours {
            let is_there = matches!(snapshot.state, SnapshotState::Completed | SnapshotState::Pending);
            let Some(&time) = snapshot.marks.scheduled_time.value().filter(|&&time| time <= now) else { continue };
            if !is_there || snapshot.marks.is_run_now() || belief::doubt(snapshot).is_some() {
                continue;
            }
            let began = snapshot.start_time;
            carries.first.entry(time).and_modify(|first| *first = began.min(*first)).or_insert(began);
            if carries.own.contains(&time) && !carries.is_run_now {
                carries.has_twin |= due::saturating_add(began, CLOCKS_DIFFER) < start.begun;
                continue;
            }
            if time > start.at {
                carries.later = carries.later.max(Some(time));
            }
        }
        let is_later = |(time, _): &(&Timestamp, _)| **time > start.at && !carries.own.contains(time);
        carries.later_began = carries.first.iter().filter(is_later).map(|(_, &began)| began).max();
        let own = carries.own.iter().filter(|_| !carries.is_run_now).filter_map(|time| carries.first.get(time)).min();
        carries.own_began = own.copied();
        carries.takes_over_at =
            carries.own_began.map(|first| due::saturating_add(first.max(start.begun), TAKES_OVER_AFTER));
        let may_take_over = !carries.own.is_empty() && !carries.is_run_now && stands_back.is_none();
        carries.takes_over_unseen_at = may_take_over.then(|| due::saturating_add(start.begun, TAKES_OVER_AFTER));
        carries
    }

    /// Whether this run made a snapshot itself. One for its time that began before it did is another's that was started for the same
    /// time, and may still be at work.
    fn made(&self, source: &Snapshot) -> bool {
        self.is_for_own_time(source) && source.start_time >= self.begun
    }

    /// Whether this run waits until a snapshot is complete, because its copies are this run's to begin.
    pub(super) fn awaits(&self, source: &Snapshot) -> bool {
        self.made(source) && !self.is_outdated
    }

    /// Whether this run begins a copy of `source`, `completed` then, in a Region in which somebody may be at work until `busy_until`, by
    /// what began before a time.
    pub(super) fn carry(
        &self,
        (source, completed): (&Snapshot, Timestamp),
        busy_until: impl Fn(Timestamp) -> Option<Timestamp>,
        now: Timestamp,
    ) -> Carry {
        if let Some(scheduled_time) = self.later {
            let stays_its_own = self.later_began.is_some_and(|began| is_too_late(completed, began));
            if stays_its_own && self.awaits(source) {
                return Carry::Now;
            }
            return Carry::LeftTo(LeftTo::LaterRun { scheduled_time });
        }
        if self.is_outdated {
            return Carry::LeftTo(LeftTo::Others);
        }
        if self.made(source) {
            return Carry::Now;
        }
        // Nothing tells a RunNow to stop but a later run.
        if source.marks.is_run_now()
            && !self.is_run_now
            && !self.own.iter().any(|own| source.marks.scheduled_time.value() < Some(own))
        {
            return Carry::LeftTo(LeftTo::Others);
        }
        // What a RunNow made that died after its calls is nobody's but the same one's who is taken up.
        let own = || {
            self.is_for_own_time(source)
                .then(|| due::saturating_add(source.start_time.max(self.begun), TAKES_OVER_AFTER))
        };
        if let Some(at) = self.takes_over_at.or_else(own) {
            // Nothing tells one that was started for the same time to stop, so it may be at work for as long as copies begin; and what it
            // made it copies as soon as that is complete.
            let is_own = self.is_for_own_time(source);
            if !is_own && self.own_began.is_some_and(|began| is_too_late(completed, began)) {
                return Carry::LeftTo(LeftTo::Others);
            }
            let busy_until = busy_until(Timestamp::MAX).filter(|_| is_own || self.has_twin);
            let by_its_maker = is_own.then(|| due::saturating_add(completed, TAKES_OVER_AFTER));
            return Self::from(at.max(busy_until.unwrap_or(at)).max(by_its_maker.unwrap_or(at)), now);
        }
        // Nothing tells others to stop: who was at work before goes on, and the next run looks again.
        let is_free = |at: Timestamp| busy_until(at).is_none_or(|until| until <= at.max(now));
        let at = self.takes_over_unseen_at.filter(|&at| is_free(at) && !is_too_late(completed, self.begun));
        at.map_or(Carry::LeftTo(LeftTo::Others), |at| Self::from(at, now))
    }

    fn from(at: Timestamp, now: Timestamp) -> Carry {
        if now >= at { Carry::Now } else { Carry::At(at) }
    }

    /// How long a copy of `source` stays at the longest, where a RunNow made it.
    pub(super) fn run_now_retain(&self, source: &Snapshot) -> Option<Age> {
        source.marks.is_run_now().then_some(self.run_now_retain)
    }

    /// Whether a snapshot is for a time that this run was started for.
    fn is_for_own_time(&self, source: &Snapshot) -> bool {
        let time = source.marks.scheduled_time.value();
        time.is_some_and(|time| self.own.contains(time)) && source.marks.is_run_now() == self.is_run_now
    }

    /// Until when a copy of `source` is tried that was complete at `completed`, and until when the snapshot stays for it: for the window, and
    /// for as long after the next run took over what this one left. Else the copies of a run that died would be lost by minutes.
    pub(super) fn tried_until(&self, source: &Snapshot, completed: Timestamp) -> Timestamp {
        let by_itself = due::saturating_add(completed, super::WINDOW);
        let Some(&time) = source.marks.scheduled_time.value() else { return by_itself };
        let later = (Bound::Excluded(time), Bound::Unbounded);
        let may_take_over = |began: &Timestamp| !is_too_late(completed, *began);
        let shown = self.first.range(later).map(|(_, &began)| began).find(may_take_over);
        // This run itself, also where it makes none.
        let own = || {
            let own = self.own.iter().any(|&own| own > time).then_some(self.begun).filter(may_take_over);
            own.filter(|_| self.takes_over_unseen_at.is_some())
        };
        let taken_over = shown.or_else(own).map(|began| due::saturating_add(began, TAKES_OVER_AFTER));
        let tried_after = taken_over.map(|at| due::saturating_add(at, super::WINDOW));
        let longest = || {
            let next = self.creates.iter().filter_map(|create| schedule::next_after(create, time)).min();
            due::saturating_add(next.unwrap_or(time), TRIED_AFTER_NEXT_MAX)
        };
        match tried_after {
            None => by_itself,
            // The next time is looked for where it matters only: there may be hundreds of thousands of snapshots.
            Some(until) if until <= due::saturating_add(time, TRIED_AFTER_NEXT_MAX) => by_itself.max(until),
            Some(until) => by_itself.max(until.min(longest())),
        }
    }

    /// Whether this run tells that there is no copy: every run that has snapshots of its own does for some days, also one that a later one
    /// has overtaken. A run may be overtaken before it has told anybody, and so may the next one.
    pub(super) fn is_teller(&self, source: &Snapshot) -> bool {
        self.is_for_own_time(source) || self.takes_over_at.is_some() || self.takes_over_unseen_at.is_some()
    }
}

/// Whether a snapshot was complete when a run whose first one began at `began` had taken over already what was there.
fn is_too_late(completed: Timestamp, began: Timestamp) -> bool {
    completed >= due::saturating_add(began, TAKES_OVER_AFTER)
}

/// Whether runs still tell that a copy was not made until `until`.
pub(super) fn is_news(until: Timestamp, now: Timestamp) -> bool {
    now <= due::saturating_add(until, TOLD_FOR)
}
