//! Which copies are to be made, and which snapshots stay until theirs are complete.

use super::super::due::saturating_add;
use super::super::ours::{Ours, Place};
use super::super::sets::BrokenSets;
use super::super::{DeleteReason, KeepReason, SnapshotDecision, SnapshotVerdict, belief};
use super::carry::{Carries, Carry, is_news};
use super::seen::{self, Seen};
use super::{CopyVerdict, CopyWait, GaveUp, Promise, Wanted};
use crate::place::Region;
use crate::world::{InstanceId, Snapshot, SnapshotState, Tier};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// How often a copy of one snapshot is begun that fails each time. Our own: two more tries, a quarter of an hour and half an hour later,
/// outlast what mends itself, and the run tells the rest within the hour.
const TRIES_MAX: usize = 3;
const BETWEEN_TRIES: SignedDuration = SignedDuration::from_mins(15);

/// Beside so many copies whose tags are not believed none is made anew (R2 of docs/promises.md: once).
const DOUBTED_MAX: usize = 2;

/// How long a snapshot stays for a copy that is under way: the slowest that anybody has reported took days. Our own.
pub(super) const UNDER_WAY_FOR_MAX: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What the members of one set share: the instance, the scheduled time and the call.
pub(super) type Set = (InstanceId, Timestamp, Option<Timestamp>);

pub(super) fn set_of(snapshot: &Snapshot) -> Option<Set> {
    let marks = &snapshot.marks;
    let call = marks.stamp.value().map(|stamp| stamp.called);
    Some((*marks.instance_id.value()?, *marks.scheduled_time.value()?, call))
}

/// When snapshots were complete. EC2 says so of all that it completed since the end of 2024. A set was when its last member was: nothing
/// is copied of it before.
struct Completions(BTreeMap<Set, Timestamp>);

impl Completions {
    fn of(decisions: &[SnapshotDecision<'_>]) -> Self {
        let mut of_sets = BTreeMap::new();
        for (set, at) in decisions.iter().filter_map(|d| Some((set_of(d.snapshot)?, Self::own(d.snapshot)))) {
            of_sets.entry(set).and_modify(|last| *last = at.max(*last)).or_insert(at);
        }
        Self(of_sets)
    }

    fn own(source: &Snapshot) -> Timestamp {
        source.completed_at.unwrap_or(source.start_time)
    }

    fn at(&self, source: &Snapshot) -> Timestamp {
        let of_set = set_of(source).and_then(|set| self.0.get(&set));
        of_set.copied().unwrap_or_else(|| Self::own(source))
    }
}

/// What the rules of copies go by besides a snapshot and its promise.
#[derive(Clone, Copy)]
struct Rules<'r, 'a> {
    seen: &'r Seen<'a>,
    carries: &'r Carries,
    completions: &'r Completions,
    now: Timestamp,
}

/// Keeps the snapshots whose copies are promised and not complete. But a duplicate, whose copy is its twin's to have, goes unless one of
/// it is under way: EC2 would fail that.
pub(in crate::plan) fn keep_sources<'a>(
    decisions: &mut [SnapshotDecision<'a>],
    (seen, carries): (&Seen<'a>, &Carries),
    now: Timestamp,
) {
    if seen.home.is_none() {
        return;
    }
    let completions = Completions::of(decisions);
    let rules = Rules { seen, carries, completions: &completions, now };
    keep_each(decisions, rules);
    keep_sets(decisions, rules);
}

fn keep_each<'a>(decisions: &mut [SnapshotDecision<'a>], rules: Rules<'_, 'a>) {
    for decision in decisions {
        let SnapshotVerdict::Delete(otherwise) = decision.verdict else { continue };
        let is_duplicate = matches!(otherwise, DeleteReason::Duplicate { .. });
        if let Some((region, until)) = rules.waits_in(decision.snapshot, is_duplicate) {
            decision.verdict = SnapshotVerdict::Keep(KeepReason::CopyOpen { region, until, otherwise });
        }
    }
}

/// A set whose member waits for a copy stays whole, whatever keeps that member: nothing is copied of one that is not.
fn keep_sets<'a>(decisions: &mut [SnapshotDecision<'a>], rules: Rules<'_, 'a>) {
    let goes = |decision: &SnapshotDecision<'a>| match decision.verdict {
        SnapshotVerdict::Delete(why) if !matches!(why, DeleteReason::Duplicate { .. }) => {
            (decision.snapshot.state == SnapshotState::Completed).then_some(why)
        }
        _ => None,
    };
    let torn: BTreeSet<Set> =
        decisions.iter().filter(|d| goes(d).is_some()).filter_map(|decision| set_of(decision.snapshot)).collect();
    let mut open = BTreeMap::new();
    for decision in decisions.iter() {
        let Some(of) = set_of(decision.snapshot).filter(|set| torn.contains(set)) else { continue };
        let waits = match &decision.verdict {
            SnapshotVerdict::Keep(KeepReason::CopyOpen { region, until, .. }) => Some((*region, *until)),
            SnapshotVerdict::Keep(_) if belief::doubt(decision.snapshot).is_none() => {
                rules.waits_in(decision.snapshot, false)
            }
            SnapshotVerdict::Keep(_) | SnapshotVerdict::Delete(_) | SnapshotVerdict::Wait { .. } => None,
        };
        if let Some(waits) = waits {
            open.entry(of).or_insert(waits);
        }
    }
    for decision in decisions {
        let of_set = set_of(decision.snapshot).and_then(|set| open.get(&set));
        if let Some((&(region, until), otherwise)) = of_set.zip(goes(decision)) {
            decision.verdict = SnapshotVerdict::Keep(KeepReason::CopyOpen { region, until, otherwise });
        }
    }
}

impl<'a> Rules<'_, 'a> {
    /// The first Region in which a snapshot stays for its copy, and until when.
    fn waits_in(self, source: &'a Snapshot, is_duplicate: bool) -> Option<(&'a Region, Timestamp)> {
        if !source.is_restorable() {
            return None;
        }
        let promises = Promise::all_of(source).into_iter().filter(|(region, _)| self.seen.home != Some(*region));
        promises.into_iter().find_map(|(region, promise)| {
            let until = self.waits_until((region, &promise), source, is_duplicate)?;
            (self.now < until).then_some((region, until))
        })
    }

    /// Until when a snapshot stays for its copy in a Region, at the longest.
    fn waits_until(
        self,
        (region, promise): (&Region, &Promise<'_>),
        source: &Snapshot,
        is_duplicate: bool,
    ) -> Option<Timestamp> {
        let Self { seen, carries, completions, .. } = self;
        let copies = seen.copies_of(region, &source.id);
        if copies.iter().any(|copy| is_complete(copy) && seen::doubt(copy).is_none()) {
            return None;
        }
        let began = copies.iter().filter(|copy| copy.state == SnapshotState::Pending).map(|copy| copy.start_time).max();
        let under_way = began.map(|began| saturating_add(began, UNDER_WAY_FOR_MAX));
        let is_kept =
            seen.keeping(region, source, promise).any(|copy| is_complete(copy) && seen::doubt(copy).is_none());
        // The next turn of the run tells whether one is under way.
        let completed = completions.at(source);
        let waits = if seen.is_seen_later(region) {
            saturating_add(completed, UNDER_WAY_FOR_MAX)
        } else {
            carries.tried_until(source, completed)
        };
        let is_wanted = !is_duplicate && !is_kept && !self.is_over((region, promise), source);
        // Of a duplicate one may be under way where nobody has looked.
        let wanted = (is_wanted || is_duplicate && seen.is_seen_later(region)).then_some(waits);
        under_way.max(wanted)
    }

    /// Whether the copy of a snapshot may have been there and have gone: the newest one never goes, so only where there is a newer one.
    fn is_over(self, (region, promise): (&Region, &Promise<'_>), source: &Snapshot) -> bool {
        let expires_at = promise.expires_at(self.completions.at(source), self.carries.run_now_retain(source));
        expires_at.is_some_and(|at| at <= self.now) && self.seen.has_newer_copy(region, source)
    }
}

fn is_complete(copy: &Snapshot) -> bool {
    copy.state == SnapshotState::Completed
}

/// Adds the copies that the snapshots of a part are to have, each with its Region.
pub(in crate::plan) fn want<'a>(
    (seen, carries): (&Seen<'a>, &Carries),
    now: Timestamp,
    (ours, broken): (&Ours<'a>, &BrokenSets),
    decisions: &[SnapshotDecision<'a>],
    wanted: &mut Vec<(&'a Region, Wanted<'a>)>,
) {
    if seen.home.is_none() {
        return;
    }
    let completions = Completions::of(decisions);
    let rules = Rules { seen, carries, completions: &completions, now };
    for (place, decision) in decisions.iter().enumerate() {
        let source: &'a Snapshot = decision.snapshot;
        if source.marks.copies.value().is_none() || ours.is_doubted(place) || decision.is_of_duplicate() {
            continue;
        }
        for (region, promise) in Promise::all_of(source).into_iter().filter(|(region, _)| seen.home != Some(*region)) {
            let is_going = matches!(decision.verdict, SnapshotVerdict::Delete(_));
            let of = Of { rules, region, source, promise: &promise, is_going };
            if let Some(verdict) = of.verdict(is_whole(broken, place)) {
                wanted.push((region, Wanted { source, promise, verdict }));
            }
        }
    }
}

fn is_whole(broken: &BrokenSets, place: Place) -> bool {
    broken.is_whole(place)
}

/// One copy that a snapshot is promised.
struct Of<'r, 'a> {
    rules: Rules<'r, 'a>,
    region: &'a Region,
    source: &'a Snapshot,
    promise: &'r Promise<'a>,
    /// Whether the run deletes the snapshot now: nobody could tell later that it has no copy.
    is_going: bool,
}

impl<'a> Of<'_, 'a> {
    /// `None` where no copy is to be had: the snapshot failed, or the copy would be gone by now.
    fn verdict(&self, is_whole: bool) -> Option<CopyVerdict<'a>> {
        let Self { rules, region, source, .. } = *self;
        let Rules { seen, carries, completions, now } = rules;
        let copies = seen.copies_of(region, &source.id);
        let newest = |is_wanted: fn(&Snapshot) -> bool| {
            let keeping = seen.keeping(region, source, self.promise);
            keeping
                .filter(|copy| is_wanted(copy) && seen::doubt(copy).is_none())
                .max_by_key(|copy| (copy.start_time, copy.id))
        };
        match source.state {
            SnapshotState::Completed => {}
            SnapshotState::Pending => {
                let is_awaited = carries.awaits(source);
                return Some(CopyVerdict::Wait(CopyWait::SourceNotComplete { is_awaited }));
            }
            SnapshotState::Error | SnapshotState::Unknown(_) => return None,
        }
        if let Some(done) = newest(is_complete) {
            return Some(CopyVerdict::Done(done));
        }
        let completed = completions.at(source);
        let carry = carries.carry((source, completed), |before| seen.busy_until(region, before, now), now);
        if let Some(copy) = newest(|copy| copy.state == SnapshotState::Pending) {
            return Some(CopyVerdict::UnderWay { copy, is_awaited: !matches!(carry, Carry::LeftTo(_)) });
        }
        if rules.is_over((region, self.promise), source) {
            return None;
        }
        let until = carries.tried_until(source, completed);
        if now >= until {
            // Where nobody can look, that is what the run tells.
            return (!seen.is_unseen(region)).then(|| self.given_up(GaveUp::WindowOver { at: until }, until));
        }
        if source.tier != Tier::Standard {
            return Some(self.given_up(GaveUp::Archived, until));
        }
        if !is_whole {
            return Some(CopyVerdict::Wait(CopyWait::SourceNotComplete { is_awaited: false }));
        }
        match carry {
            Carry::Now => {}
            Carry::At(at) => return Some(CopyVerdict::Wait(CopyWait::TakenOver { at })),
            Carry::LeftTo(left_to) => return Some(CopyVerdict::Wait(CopyWait::LeftTo(left_to))),
        }
        Some(if seen.is_unseen(region) { CopyVerdict::Wait(CopyWait::Unseen) } else { self.next_try(copies, until) })
    }

    /// Whether a copy that this run carries is begun now, beside those that failed.
    fn next_try(&self, copies: &[&'a Snapshot], until: Timestamp) -> CopyVerdict<'a> {
        let doubted = copies.iter().filter(|copy| seen::doubt(copy).is_some()).count();
        if doubted >= DOUBTED_MAX {
            return self.given_up(GaveUp::Doubted { copies: doubted }, until);
        }
        let failed = || copies.iter().filter(|copy| copy.state == SnapshotState::Error);
        let Some(&last) = failed().max_by_key(|copy| (copy.start_time, copy.id)) else {
            return match self.rules.seen.failing(self.region, self.promise.encryption()) {
                Some((last, in_a_row)) => self.given_up(GaveUp::RegionFails { last, in_a_row }, until),
                None => CopyVerdict::Begin { last_failed: None },
            };
        };
        let tries = failed().count();
        let pause = BETWEEN_TRIES.saturating_mul(i32::try_from(tries).unwrap_or(i32::MAX));
        let next = saturating_add(last.start_time, pause);
        if tries >= TRIES_MAX {
            self.given_up(GaveUp::Failed { last, tries }, until)
        } else if self.rules.now < next {
            CopyVerdict::Wait(CopyWait::AfterFailure { until: next })
        } else {
            CopyVerdict::Begin { last_failed: Some(last) }
        }
    }

    fn given_up(&self, why: GaveUp<'a>, until: Timestamp) -> CopyVerdict<'a> {
        let tells = self.is_going || self.rules.carries.is_teller(self.source);
        CopyVerdict::GivenUp { why, is_news: tells && is_news(until, self.rules.now) }
    }
}
