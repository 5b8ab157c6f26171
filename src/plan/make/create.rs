//! Which targets get a snapshot, on behalf of which schedule.

use crate::plan::coincide;
use crate::plan::due::{Due, saturating_add};
use crate::plan::history::{CLOCK_SKEW_MAX, Dated, Histories, is_good};
use crate::plan::ours::{self, Ours, Place};
use crate::plan::sets::BrokenSets;
use crate::plan::{MissedReason, SkipReason, Target, TargetDecision, TargetVerdict};
use crate::plan::{sets, target};
use crate::policy::{Policy, RetainRule, Schedule, ScheduleName, Targets};
use crate::world::{Snapshot, SnapshotState, SourceId, Volume, VolumeId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// After so many snapshots for one scheduled time that went to `error`, another would too. Our own: DLM does not say
/// how often it tries; EC2 lets a volume have five snapshots pending at once, and failed ones of st1 count among them.
pub const FAILED_SNAPSHOTS_MAX: usize = 5;

/// After so many sets for one scheduled time that lack a member, another would lack one too: a set is made again once. Our own.
const LACKING_SETS_MAX: usize = 2;

/// After so many calls for one scheduled time whose snapshots are in doubt, another one's would be too: it is made anew once (R2 of
/// docs/promises.md). Our own.
const DOUBTED_CALLS_MAX: usize = 2;

/// DLM user guide: default policies back up "resources that are at least 24 hours old".
pub const DEFAULT_POLICY_AGE_MIN: SignedDuration = SignedDuration::from_hours(24);

/// The time of the turn, and for how long after a scheduled time snapshots may be begun.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct Clock {
    pub(in crate::plan) now: Timestamp,
    pub(in crate::plan) window: SignedDuration,
    /// For how long after a beginning EC2 may not show all that was begun.
    pub(in crate::plan) settling: SignedDuration,
    /// Whether what is made is a RunNow's own: of no series, answered by another RunNow's only.
    pub(in crate::plan) marks_run_now: bool,
}

/// Adds one decision for each target and schedule that is due, and one for each that was missed.
pub(in crate::plan) fn decide<'a>(
    policy: &'a Policy,
    due: &[(&'a Schedule, Due)],
    clock: Clock,
    targets: &[Target<'a>],
    (ours, histories, broken): (&Ours<'a>, &Histories, &BrokenSets),
    decisions: &mut Vec<TargetDecision<'a>>,
) {
    let run_now = clock.marks_run_now;
    let doubted = Doubted::new(policy, ours);
    for &target in targets {
        let history = histories.of(ours, target.id());
        let first = decisions.len();
        for &(schedule, due) in due {
            let decided = match due {
                Due::Nothing => None,
                Due::Late { scheduled_time } => {
                    let answers = answers(ours, history.clone(), schedule, (scheduled_time, scheduled_time), run_now);
                    let is_missed = was_missed(target, scheduled_time, answers.collect(), clock);
                    is_missed.then_some((scheduled_time, TargetVerdict::Missed(MissedReason::StartWindowOver)))
                }
                Due::Now { scheduled_time, answered_from, until } => {
                    let times = (answered_from, scheduled_time);
                    let answers: Vec<Dated<'a>> = answers(ours, history.clone(), schedule, times, run_now).collect();
                    let doubted = doubted.calls(ours, target, schedule, times, run_now);
                    let verdict = verdict(policy, target, (&answers, doubted), scheduled_time, until, clock);
                    let newer = history.clone().take_while(|dated| dated.scheduled_time > scheduled_time);
                    let newer = newer.filter(|dated| is_good(dated, clock.now, broken));
                    Some((scheduled_time, unless_full(policy, target, schedule, verdict, (ours, newer), clock)))
                }
            };
            let decision =
                decided.map(|(time, verdict)| TargetDecision { schedule, target, scheduled_time: time, verdict });
            decisions.extend(decision);
        }
        join_coinciding(decisions.get_mut(first..).unwrap_or_default());
    }
}

/// The snapshots whose tags are not believed, by what they were made of as far as those tags say. They answer nothing, but whoever
/// made them for a time need not make more and more.
struct Doubted(BTreeMap<SourceId, Vec<Place>>);

impl Doubted {
    fn new(policy: &Policy, ours: &Ours<'_>) -> Self {
        let mut by_source: BTreeMap<SourceId, Vec<Place>> = BTreeMap::new();
        for (place, snapshot) in ours.places().filter(|&(place, _)| ours.is_doubted(place)) {
            if let Some(source) = ours::source(policy, snapshot) {
                by_source.entry(source).or_default().push(place);
            }
        }
        Self(by_source)
    }

    /// How many calls made some for a scheduled time between two. What began before the time was made for another one: somebody has
    /// copied its tags.
    fn calls(
        &self,
        ours: &Ours<'_>,
        target: Target<'_>,
        schedule: &Schedule,
        (from, to): (Timestamp, Timestamp),
        run_now: bool,
    ) -> usize {
        let began = |&place: &Place| {
            let snapshot = ours[place];
            let &time = snapshot.marks.scheduled_time.value().filter(|&&time| from <= time && time <= to)?;
            let is_for = snapshot.start_time >= saturating_add(time, -CLOCK_SKEW_MAX);
            (is_for && ours.claims(place, schedule, run_now)).then_some(snapshot.start_time)
        };
        let places = self.0.get(&target.id()).into_iter().flatten();
        places.filter_map(began).collect::<BTreeSet<Timestamp>>().len()
    }
}

/// The snapshots that answer a scheduled time of a schedule between two: those that are for it.
fn answers<'a>(
    ours: &Ours<'a>,
    history: impl Iterator<Item = Dated<'a>>,
    schedule: &Schedule,
    (from, to): (Timestamp, Timestamp),
    run_now: bool,
) -> impl Iterator<Item = Dated<'a>> {
    history.filter(move |dated| {
        from <= dated.scheduled_time
            && dated.scheduled_time <= to
            && ours.answers(dated.place(), schedule, dated.scheduled_time, run_now)
    })
}

/// What its own rule would delete at once is not made (R1 of docs/promises.md): `newer` good snapshots of later scheduled times, of
/// whichever schedule, fill the count already. Of an instance one volume with room is enough to make the set.
fn unless_full<'a>(
    policy: &Policy,
    target: Target<'a>,
    schedule: &Schedule,
    verdict: TargetVerdict<'a>,
    (ours, newer): (&Ours<'a>, impl Iterator<Item = Dated<'a>>),
    clock: Clock,
) -> TargetVerdict<'a> {
    let (TargetVerdict::Create { .. }, RetainRule::Count(count), false) =
        (&verdict, &schedule.retain, clock.marks_run_now)
    else {
        return verdict;
    };
    let mut times: BTreeMap<VolumeId, BTreeSet<Timestamp>> = BTreeMap::new();
    for dated in newer.filter(|dated| ours.schedules(dated.place()).any(|(_, of)| std::ptr::eq(of, schedule))) {
        times.entry(dated.snapshot.volume_id).or_default().insert(dated.scheduled_time);
    }
    if times.is_empty() {
        return verdict;
    }
    let count = usize::try_from(count.get()).expect("a count of at most 1000 fits");
    let is_full = |volume: VolumeId| times.get(&volume).is_some_and(|times| times.len() >= count);
    let all_full = match target {
        Target::Instance(instance) => {
            target::included_volumes(policy, instance).into_iter().all(|volume| is_full(volume.id))
        }
        Target::Volume(volume) => is_full(volume.id),
    };
    if all_full { TargetVerdict::Missed(MissedReason::CountFull { count }) } else { verdict }
}

/// What to do about a due target, given its snapshots for the scheduled time, and how many calls made some that are in doubt.
fn verdict<'a>(
    policy: &Policy,
    target: Target<'a>,
    (answers, doubted): (&[Dated<'a>], usize),
    scheduled_time: Timestamp,
    until: Timestamp,
    clock: Clock,
) -> TargetVerdict<'a> {
    let (mut failed_sets, mut lacking_sets, mut last_failed) = (0, 0, None);
    let (mut complete, mut under_way) = (None, None);
    let mut note = |set: &[Dated<'a>]| match state_of(set, clock) {
        None => {}
        Some(SetState::Lacking) => lacking_sets += 1,
        Some(SetState::Complete(snapshot)) => complete = complete.or(Some(snapshot)),
        Some(SetState::Failed(snapshot)) => {
            failed_sets += 1;
            last_failed =
                last_failed.filter(|last: &&Snapshot| last.start_time > snapshot.start_time).or(Some(snapshot));
        }
        Some(SetState::UnderWay(snapshot)) => under_way = under_way.or(Some(snapshot)),
    };
    match target {
        Target::Instance(_) => sets_of(answers).iter().for_each(|set| note(set)),
        // Each is a set by itself. From the earliest on, so that of two complete ones the first is named.
        Target::Volume(_) => answers.iter().rev().for_each(|dated| note(std::slice::from_ref(dated))),
    }
    // Beside a complete one too: of two, the second goes once it is complete, and the run is not over before.
    if let Some(snapshot) = under_way {
        return TargetVerdict::Wait(snapshot);
    }
    if let Some(snapshot) = complete {
        return match sets::settles_at(answers.iter().map(|dated| dated.snapshot), clock.now, clock.settling) {
            Some(until) => TargetVerdict::Settling { snapshot, until },
            None => TargetVerdict::Exists(snapshot),
        };
    }
    if let Some(reason) = target::skip_reason(policy, target) {
        return TargetVerdict::Skip(reason);
    }
    if let (Targets::AllVolumes(default), Target::Volume(volume)) = (&policy.targets, target) {
        let interval_days = i64::from(default.create_interval_days.get());
        if let Some(verdict) = default_policy_verdict(volume, scheduled_time, interval_days, clock.window) {
            return verdict;
        }
    }
    if let Some(reason) = target::fail_reason(policy, target) {
        return TargetVerdict::Fail(reason);
    }
    let tried = failed_sets + lacking_sets + doubted;
    let has_room = tried < FAILED_SNAPSHOTS_MAX && lacking_sets < LACKING_SETS_MAX && doubted < DOUBTED_CALLS_MAX;
    if tried == 0 || (has_room && clock.now <= until) {
        TargetVerdict::Create { until, with: Vec::new(), last_failed }
    } else {
        TargetVerdict::GiveUp { failed_snapshots: failed_sets, doubted, last_failed }
    }
}

/// What keeps a volume from a snapshot under a default policy: it is young, or it has a recent snapshot.
///
/// DLM user guide: "creates snapshots only if the volume's last snapshot, by any means, is older than the creation
/// frequency". A start that is a little early, as one a day is, counts: by less than the start window.
fn default_policy_verdict<'a>(
    volume: &Volume,
    scheduled_time: Timestamp,
    interval_days: i64,
    window: SignedDuration,
) -> Option<TargetVerdict<'a>> {
    if let Some(created) = volume.created
        && scheduled_time.duration_since(created) < DEFAULT_POLICY_AGE_MIN
    {
        return Some(TargetVerdict::Skip(SkipReason::TooYoung { created }));
    }
    let interval = SignedDuration::from_hours(24 * interval_days);
    let began = volume.last_snapshot?;
    let is_recent = saturating_add(began, interval) > saturating_add(scheduled_time, window);
    is_recent.then_some(TargetVerdict::HasRecent { began })
}

/// The snapshots of an instance that stand or fall together: those of one call.
fn sets_of<'a>(answers: &[Dated<'a>]) -> Vec<Vec<Dated<'a>>> {
    // By the name that they carry, not by that of today: two names are two calls.
    let mut by_call: BTreeMap<(Timestamp, Option<&ScheduleName>), Vec<Dated<'a>>> = BTreeMap::new();
    for dated in answers {
        let name = dated.snapshot.marks.schedule_name.value();
        by_call.entry((dated.scheduled_time, name)).or_default().push(*dated);
    }
    by_call.into_values().flat_map(|members| sets::split(members, |dated| dated.snapshot)).collect()
}

enum SetState<'a> {
    Complete(&'a Snapshot),
    Failed(&'a Snapshot),
    /// All that is left of it is complete, and it was made with more.
    Lacking,
    UnderWay(&'a Snapshot),
}

/// The state of a set, `None` of an empty one. Of the members that failed the one is named of which EC2 says why.
fn state_of<'a>(set: &[Dated<'a>], clock: Clock) -> Option<SetState<'a>> {
    let is_failed = |dated: &&Dated<'_>| dated.snapshot.state == SnapshotState::Error;
    let is_under_way =
        |dated: &&Dated<'_>| matches!(dated.snapshot.state, SnapshotState::Pending | SnapshotState::Unknown(_));
    let says_why = |dated: &&Dated<'_>| is_failed(dated) && dated.snapshot.state_message.is_some();
    if let Some(dated) = set.iter().find(says_why).or_else(|| set.iter().find(is_failed)) {
        return Some(SetState::Failed(dated.snapshot));
    }
    if let Some(dated) = set.iter().find(is_under_way) {
        return Some(SetState::UnderWay(dated.snapshot));
    }
    let members = || set.iter().map(|dated| dated.snapshot);
    // Until it has settled the last member may only not be listed yet.
    if sets::lacks_members(members()) && sets::settles_at(members(), clock.now, clock.settling).is_none() {
        return Some(SetState::Lacking);
    }
    set.first().map(|dated| SetState::Complete(dated.snapshot))
}

/// Whether a target that was there at a scheduled time has no snapshot for it.
fn was_missed(target: Target<'_>, scheduled_time: Timestamp, answers: Vec<Dated<'_>>, clock: Clock) -> bool {
    let is_none =
        |set: &[Dated<'_>]| matches!(state_of(set, clock), None | Some(SetState::Failed(_) | SetState::Lacking));
    match target {
        Target::Instance(_) => sets_of(&answers).iter().all(|set| is_none(set)),
        Target::Volume(volume) => {
            let was_there = volume.created.is_none_or(|created| created <= scheduled_time);
            was_there && answers.iter().all(|dated| is_none(std::slice::from_ref(dated)))
        }
    }
}

/// Of the creations of one target for one scheduled time, leaves the one of the schedule that keeps longest.
fn join_coinciding(decisions: &mut [TargetDecision<'_>]) {
    let is_creation = |decision: &TargetDecision<'_>| matches!(decision.verdict, TargetVerdict::Create { .. });
    if decisions.iter().filter(|decision| is_creation(decision)).count() < 2 {
        return;
    }
    let creates: Vec<(usize, Timestamp, &Schedule)> = decisions
        .iter()
        .enumerate()
        .filter(|(_, decision)| is_creation(decision))
        .map(|(at, decision)| (at, decision.scheduled_time, decision.schedule))
        .collect();
    let mut by_time: BTreeMap<Timestamp, Vec<(usize, &Schedule)>> = BTreeMap::new();
    for (at, time, schedule) in creates {
        by_time.entry(time).or_default().push((at, schedule));
    }
    for (time, group) in by_time {
        let schedules: Vec<&Schedule> = group.iter().map(|(_, schedule)| *schedule).collect();
        let Some(owner) = coincide::owner(&schedules, time) else { continue };
        let others: Vec<&Schedule> = schedules.into_iter().filter(|schedule| schedule.name != owner.name).collect();
        for (at, schedule) in group {
            let Some(decision) = decisions.get_mut(at) else { continue };
            if schedule.name != owner.name {
                decision.verdict = TargetVerdict::Coincides { with: owner };
            } else if let TargetVerdict::Create { with, .. } = &mut decision.verdict {
                with.clone_from(&others);
            }
        }
    }
}
