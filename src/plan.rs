//! `plan(policy, options, start, now, world) -> Plan`: every decision of a turn, each with its reason.
//!
//! A pure function. It promises, and `check` holds every plan to it:
//! - each observed snapshot of ours gets exactly one decision, and nobody else's gets any;
//! - each due (schedule, target) gets exactly one decision;
//! - equal input gives an equal plan, whatever order EC2 listed things in;
//! - nothing is deleted when in doubt: an unknown state, an unreadable tag, a time in the future, a partial world.

mod belief;
#[cfg(test)]
mod cases;
pub mod check;
pub mod copies;
mod decision;
mod evidence;
mod keep;
mod make;
mod ours;
mod part;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use crate::lookup::LookupSet;
use crate::options::{MaximumDeletions, Options, Start};
use crate::place::Region;
use crate::policy::{Policy, PolicyState, Schedule, ScheduleName};
use crate::tags::{Owner, is_copy_of_ours};
use crate::world::{Asks, Coverage, CutShort, Snapshot, SnapshotId, World};
pub use belief::Doubt;
pub(crate) use belief::doubt;
pub use decision::{
    DeleteReason, KeepReason, MissedReason, SnapshotDecision, SnapshotVerdict, TargetDecision, TargetVerdict,
};
pub use due::Due;
pub use evidence::StandsBack;
use history::Histories;
use jiff::Timestamp;
pub use keep::retain;
use keep::verdicts::{Rules, verdicts};
pub(crate) use keep::{brakes, sets};
use keep::{duplicate, foresee, history, orphan, stopped};
pub use make::{call, create, due, tagging};
use make::{coincide, missed, target};
pub use missed::{MeetsNothing, Missed};
pub use orphan::{OrphanCount, OrphanOf};
use ours::Ours;
use part::Part;
use serde::{Deserialize, Serialize};
use sets::BrokenSets;
use stopped::Stopped;
pub use target::{FailReason, SkipReason, Target};

/// All that a turn decides about one policy and one view of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a plan that nobody carries out or reads is not a backup"]
pub struct Plan<'a> {
    /// The policy is disabled: nothing is made.
    pub is_disabled: bool,
    /// For each schedule, in the policy's order: is it due by the start?
    pub due: Vec<(&'a Schedule, Due)>,
    /// One for each target and schedule that is due or was missed, sorted by target and the policy's order of schedules.
    pub targets: Vec<TargetDecision<'a>>,
    /// One for each snapshot of ours, sorted by volume, scheduled time and id.
    pub snapshots: Vec<SnapshotDecision<'a>>,
    /// The observation was cut short: of what was not seen nobody knows whether it has a backup.
    pub cut_short: Option<CutShort>,
    /// Why this run deletes nothing, whatever the rules say.
    pub stands_back: Option<StandsBack>,
    /// The run would delete more than it may.
    pub brake: Option<Brake>,
    /// What was there of ours when the run began: what `Options.MaximumDeletions` is measured by.
    pub older: Older,
    /// What the turn has to ask EC2 before it deletes anything of this plan.
    pub asks: Asks,
    /// Snapshots of ours that nothing manages any more.
    pub orphans: OrphanCount,
    /// How many volumes or instances the policy targets, whatever is due.
    pub targeted: usize,
    /// How many targeted volumes have a newest complete snapshot that is older than their schedule's period and start
    /// window: their backups have stopped.
    pub stopped: usize,
    /// Scheduled times that nobody answered, which this run is the first to tell.
    pub missed: Vec<Missed<'a>>,
    /// Nothing is due, and no snapshot shows that other starts meet their times.
    pub meets_nothing: Option<MeetsNothing>,
    /// No target was found, although a volume or instance is still there that the policy has made snapshots of.
    pub lacks_targets: bool,
    /// How many observed snapshots are not ours although they carry our tag and a description like ours.
    pub foreign: usize,
    /// What is decided about the Regions that copies go to.
    pub regions: Vec<copies::RegionPlan<'a>>,
}

/// How much was there when the run began, so that its own snapshots do not loosen the brake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Older {
    /// Snapshots of ours.
    pub snapshots: usize,
    /// Volumes that they were made of.
    pub volumes: usize,
}

/// Why a run keeps what the rules let go: there is too much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Brake {
    /// What is bounded.
    #[serde(default)]
    pub bounds: Bounds,
    /// How many snapshots of that the run would delete, those included that its own new ones push out.
    pub planned: usize,
    /// How many it may.
    pub allowed: usize,
}

/// What a brake bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum Bounds {
    /// Everything, by an `Options.MaximumDeletions` that somebody set. Beyond it only what the snapshots' own stamps ask for goes,
    /// the oldest first, up to the bound.
    Everything,
    /// Orphans that `Options.Orphans` lets go: the oldest go, up to the bound.
    Orphans,
    /// Snapshots without a stamp, of which nobody knows what they were promised: none of them goes.
    #[default]
    Unstamped,
}

/// Decides everything for one policy and one view of the account.
pub fn plan<'a>(policy: &'a Policy, options: &'a Options, start: &Start, now: Timestamp, world: &'a World) -> Plan<'a> {
    plan_in_parts(policy, options, start, now, world, part::SIZE)
}

/// The size of the parts makes no difference to what is decided.
fn plan_in_parts<'a>(
    policy: &'a Policy,
    options: &'a Options,
    start: &Start,
    now: Timestamp,
    world: &'a World,
    part_size: usize,
) -> Plan<'a> {
    let (ours, foreign) = tell_apart(policy, world);
    let is_disabled = policy.state == PolicyState::Disabled;
    let mut plan = Plan { is_disabled, foreign, ..Plan::empty() };
    if is_idle(policy) {
        return plan;
    }
    if !is_disabled {
        plan.due = policy.schedules.iter().map(|s| (s, due::of(s, options, start))).collect();
    }
    plan.cut_short = match world.coverage {
        Coverage::Complete => None,
        Coverage::Partial(cut) => Some(cut),
    };
    let (ours, targets) = (ours::by_volume(ours), target::all(policy, world));
    let sources = orphan::Sources::new(policy, world);
    let silence = orphan::Silence::new(policy, options, ours.iter().copied());
    plan.targeted = targets.len();
    plan.stands_back = evidence::of(policy, options, start, now, ours.iter().copied());
    let stands_back = plan.stands_back;
    let windows = missed::Windows::new(policy, options, start, ours.iter().copied());
    let seen = copies::Seen::new(policy, options, world);
    // Who copies is worth knowing only where anything is to be copied.
    let has_promises = world.home.is_some() && ours.iter().any(|snapshot| snapshot.marks.copies.value().is_some());
    let of_runs = if has_promises { &ours[..] } else { &[] };
    let carries = copies::Carries::of(policy, options, start, now, stands_back, of_runs.iter().copied());
    let mut wanted = Vec::new();
    let has_snapshots = !ours.is_empty();
    plan.snapshots.reserve_exact(ours.len());
    plan.targets.reserve_exact(plan.due.iter().filter(|(_, due)| due.is_now()).count() * targets.len());
    let mut changes = false;
    for part in part::split(policy, part_size, &ours, &targets) {
        let stopped = Stopped::new(policy, options, now, part.targets);
        let (coverage, closer) = (world.coverage, &world.closer);
        let rules = Rules {
            policy,
            options,
            now,
            coverage,
            closer,
            stands_back,
            sources: &sources,
            silence: &silence,
            windows: &windows,
            stopped: &stopped,
            copies: &seen,
            carries: &carries,
        };
        changes |= add(&mut plan, &rules, start, world, &part, &mut wanted);
    }
    let stopped = Stopped::new(policy, options, now, if world.regions.is_empty() { &[] } else { &targets });
    let home = copies::Home {
        policy,
        options,
        now,
        start: start.at,
        coverage: world.coverage,
        stands_back,
        stopped: &stopped,
        sources: &sources,
        // What is asked for by its id is shown by an empty list too.
        shows_ours: ours.iter().any(|snapshot| !world.by_id.shown.contains(&snapshot.id)),
    };
    plan.regions = copies::decide(home, &seen, wanted);
    if !changes {
        foresee::forget(&mut plan.snapshots);
    }
    let found = (!targets.is_empty(), has_snapshots);
    plan.meets_nothing = missed::meets_nothing(policy, options, start, &plan.due, found);
    plan.lacks_targets = targets.is_empty() && !world.untargeted.is_empty() && plan.orphans.of_untargeted_sources > 0;
    apply_brakes(&mut plan, options);
    let goes = |d: &SnapshotDecision<'_>| matches!(d.verdict, SnapshotVerdict::Delete(_)) || d.goes_later.is_some();
    plan.asks.images = !world.closer.images_asked && plan.snapshots.iter().any(goes);
    plan
}

/// The snapshots of ours, and how many there are that are not.
fn tell_apart<'a>(policy: &'a Policy, world: &'a World) -> (Vec<&'a Snapshot>, usize) {
    let mut ours = Vec::with_capacity(world.snapshots.len());
    let mut foreign: LookupSet<SnapshotId> = LookupSet::default();
    let mut owner = Owner::new(&policy.id);
    for snapshot in &world.snapshots {
        if owner.is_of(snapshot) {
            ours.push(snapshot);
        } else if !is_copy_for_another_home(policy, world, snapshot) {
            foreign.insert(snapshot.id);
        }
    }
    (ours, foreign.len())
}

/// Whether a snapshot is a copy of one that the policy made in another Region: the run there manages it.
fn is_copy_for_another_home(policy: &Policy, world: &World, snapshot: &Snapshot) -> bool {
    let (Some(home), Some(from)) = (&world.home, snapshot.marks.copied_from.value()) else { return false };
    from.region != *home && is_copy_of_ours(&policy.id, &from.region, home, snapshot)
}

/// Decides everything about one part. Says whether the run makes something there or waits for it.
fn add<'a>(
    plan: &mut Plan<'a>,
    rules: &Rules<'_, 'a>,
    start: &Start,
    world: &World,
    part: &Part<'_, 'a>,
    wanted: &mut Vec<(&'a Region, copies::Wanted<'a>)>,
) -> bool {
    let &Rules { policy, options, now, .. } = rules;
    let ours = Ours::new(policy, options, part.snapshots.to_vec());
    let broken = BrokenSets::new(policy, &ours, now, options.settling);
    let histories = Histories::new(policy, now, &ours, &broken);
    let clock = create::Clock {
        now,
        window: options.start_window,
        settling: options.settling,
        marks_run_now: options.marks_run_now(policy),
    };
    let first = plan.targets.len();
    if !plan.is_disabled {
        create::decide(policy, &plan.due, clock, part.targets, (&ours, &histories, &broken), &mut plan.targets);
    }
    let targets = plan.targets.get(first..).unwrap_or_default();
    let (later, changes) = foresee::later(rules, &ours, targets);
    let mut decisions = verdicts(rules, &ours, &broken, &histories, &mut plan.asks);
    foresee::note(later, &mut decisions);
    if !plan.is_disabled {
        copies::want((rules.copies, rules.carries), now, (&ours, &broken), &decisions, wanted);
    }
    plan.orphans.add(orphan::count(policy, world, rules.sources, &ours, &decisions));
    plan.snapshots.append(&mut decisions);
    if !plan.is_disabled {
        plan.stopped += rules.stopped.count(part.targets, &ours, &histories);
        rules.windows.add(policy, part.targets, &ours, &histories, &mut plan.missed);
    }
    plan.older.add(start, rules, &ours);
    changes
}

/// Whether a policy does nothing at all, so that nobody needs to look at the account for it: it is disabled, and does
/// not extend deletion (DLM: `ExtendDeletion` goes on "if the policy is disabled").
#[must_use]
pub fn is_idle(policy: &Policy) -> bool {
    policy.state == PolicyState::Disabled && !retain::extends_deletion(policy)
}

impl Plan<'_> {
    fn empty() -> Self {
        Self {
            is_disabled: false,
            due: Vec::new(),
            targets: Vec::new(),
            snapshots: Vec::new(),
            cut_short: None,
            stands_back: None,
            brake: None,
            older: Older::default(),
            asks: Asks::default(),
            orphans: OrphanCount::default(),
            targeted: 0,
            stopped: 0,
            missed: Vec::new(),
            meets_nothing: None,
            lacks_targets: false,
            foreign: 0,
            regions: Vec::new(),
        }
    }
}

impl Older {
    /// Adds what there is of a part, which shares no volume with the others: what can be deleted and is of a source that the policy
    /// targets, since nothing else ever goes one for one.
    fn add(&mut self, start: &Start, rules: &Rules<'_, '_>, ours: &Ours<'_>) {
        let mut last = None;
        let is_counted = |snapshot: &&Snapshot| {
            let source = ours::source(rules.policy, snapshot);
            let is_targeted = source.is_some_and(|source| rules.sources.fate(source) == orphan::Fate::Targeted);
            let is_held = snapshot.marks.hold.is_some_and(|hold| hold.holds_at(rules.now));
            let is_used = rules.closer.used_by.contains_key(&snapshot.id);
            snapshot.start_time < start.begun && is_targeted && !is_held && !is_used
        };
        for snapshot in ours.iter().filter(is_counted) {
            self.snapshots += 1;
            // Ours are sorted by volume.
            if last.replace(snapshot.volume_id) != Some(snapshot.volume_id) {
                self.volumes += 1;
            }
        }
    }
}

/// Stops what there is too much of. A bound that somebody set is for everything; the default one for what has no stamp.
fn apply_brakes(plan: &mut Plan<'_>, options: &Options) {
    let allowed = |maximum: MaximumDeletions| maximum.allowed(plan.older.snapshots, plan.older.volumes);
    let default = allowed(MaximumDeletions::Default);
    brakes::bound(&mut plan.snapshots, Bounds::Orphans, default);
    let (bounds, allowed) = match options.maximum_deletions {
        MaximumDeletions::Default => (Bounds::Unstamped, default),
        maximum @ (MaximumDeletions::Number(_) | MaximumDeletions::PerCent(_)) => {
            (Bounds::Everything, allowed(maximum))
        }
    };
    plan.brake = brakes::bound(&mut plan.snapshots, bounds, allowed);
}

/// The schedule that owns a snapshot today: the one of its name, or the one that had its name before.
#[must_use]
pub fn owning_schedule<'a>(policy: &'a Policy, options: &Options, name: &ScheduleName) -> Option<&'a Schedule> {
    policy.schedule(name).or_else(|| {
        let had_it =
            |schedule: &&Schedule| options.previous_names.get(&schedule.name).is_some_and(|names| names.contains(name));
        policy.schedules.iter().find(had_it)
    })
}
