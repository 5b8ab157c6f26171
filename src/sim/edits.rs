//! What people do to the policy: they write a new version of it, or start an old one again.

use super::random::Random;
use super::shape::{Shape, schedule};
use super::version::Version;
use crate::options::Options;
use crate::policy::{Policy, PolicyState, RetainRule, Schedule, ScheduleName};
use std::num::NonZeroU32;

/// Something that somebody does to the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// `Options.AcceptCount` for the counts as they are.
    Accept,
    /// Another schedule.
    AddSchedule,
    /// A lower count or a shorter age, without consent.
    Lower,
    /// A lower count, with consent.
    LowerAccepted,
    /// A higher count or a longer age.
    Raise,
    /// A schedule is removed.
    RemoveSchedule,
    /// A schedule gets another name, and `Options.PreviousNames` says so.
    Rename,
    /// A schedule gets another name, and nobody says so.
    RenameSilently,
    /// The policy is disabled, or enabled again.
    Switch,
}

const EDITS: [Edit; 9] = [
    Edit::Accept,
    Edit::AddSchedule,
    Edit::Lower,
    Edit::LowerAccepted,
    Edit::Raise,
    Edit::RemoveSchedule,
    Edit::Rename,
    Edit::RenameSilently,
    Edit::Switch,
];

/// The same for a policy that has one schedule, which AWS names, and an age.
const EDITS_OF_DEFAULT: [Edit; 3] = [Edit::Lower, Edit::Raise, Edit::Switch];

/// How many are kept at most, so that all is as the policy says within two weeks.
const KEPT_MAX: u32 = 6;

/// So few schedules, so that years stay short.
const SCHEDULES_MAX: usize = 3;

/// Another version by chance, and what was done.
pub fn happen(shape: Shape, random: &mut Random, current: &Version) -> (Edit, Policy, Options) {
    let (mut policy, mut options) = (current.policy.clone(), current.options.clone());
    let edits = if shape == Shape::DefaultPolicy { &EDITS_OF_DEFAULT[..] } else { &EDITS[..] };
    let edit = match random.index(edits.len()).and_then(|at| edits.get(at)) {
        // Nobody edits what is switched off.
        Some(&edit) if !current.is_disabled() => edit,
        Some(_) | None => Edit::Switch,
    };
    let number = random.below(100_000);
    let place = random.index(policy.schedules.len());
    match edit {
        Edit::Accept => options = accepting_all(&policy, options),
        Edit::AddSchedule if policy.schedules.len() < SCHEDULES_MAX => {
            policy.schedules.push(another_schedule(random, number));
        }
        Edit::RemoveSchedule if policy.schedules.len() > 1 => {
            place.map(|at| policy.schedules.remove(at));
        }
        Edit::AddSchedule | Edit::RemoveSchedule => {}
        Edit::Switch => {
            policy.state = match policy.state {
                PolicyState::Disabled => PolicyState::Enabled,
                PolicyState::Enabled => PolicyState::Disabled,
            };
        }
        Edit::Lower | Edit::LowerAccepted | Edit::Raise | Edit::Rename | Edit::RenameSilently => {
            if let Some(schedule) = place.and_then(|at| policy.schedules.get_mut(at)) {
                edit_schedule(edit, schedule, &mut options, random, number);
            }
        }
    }
    (edit, policy, options)
}

fn edit_schedule(edit: Edit, schedule: &mut Schedule, options: &mut Options, random: &mut Random, number: u64) {
    let renamed = name(&format!("Renamed {number}"));
    match edit {
        Edit::Lower => schedule.retain = lowered(schedule.retain, random),
        Edit::LowerAccepted => {
            schedule.retain = lowered(schedule.retain, random);
            accept(schedule, options);
        }
        Edit::Raise => schedule.retain = raised(schedule.retain, random),
        Edit::Rename => {
            let before = std::mem::replace(&mut schedule.name, renamed);
            let mut names = options.previous_names.remove(&before).unwrap_or_default();
            names.push(before);
            options.previous_names.insert(schedule.name.clone(), names);
        }
        Edit::RenameSilently => {
            options.previous_names.remove(&schedule.name);
            schedule.name = renamed;
        }
        Edit::Accept | Edit::AddSchedule | Edit::RemoveSchedule | Edit::Switch => {}
    }
}

/// The last version of a year: enabled, and every count agreed to.
#[must_use]
pub fn last(current: &Version) -> (Policy, Options) {
    let policy = Policy { state: PolicyState::Enabled, ..current.policy.clone() };
    let options = accepting_all(&policy, current.options.clone());
    (policy, options)
}

fn accepting_all(policy: &Policy, mut options: Options) -> Options {
    policy.schedules.iter().for_each(|schedule| accept(schedule, &mut options));
    options
}

fn accept(schedule: &Schedule, options: &mut Options) {
    if let RetainRule::Count(count) = schedule.retain {
        options.accept_count.insert(schedule.name.clone(), count);
    }
}

fn another_schedule(random: &mut Random, number: u64) -> Schedule {
    let hours = if random.happens(5_000) { 12 } else { 24 };
    let kept = NonZeroU32::MIN.saturating_add(u32::try_from(random.below(4)).unwrap_or(0));
    let by_count = random.happens(5_000);
    let retain = if by_count { RetainRule::Count(kept) } else { super::shape::days(kept.get()) };
    schedule(&format!("Added {number}"), hours, retain)
}

fn lowered(rule: RetainRule, random: &mut Random) -> RetainRule {
    let less = 1 + u32::try_from(random.below(3)).unwrap_or(0);
    changed(rule, |kept| kept.saturating_sub(less).max(1))
}

fn raised(rule: RetainRule, random: &mut Random) -> RetainRule {
    let more = 1 + u32::try_from(random.below(3)).unwrap_or(0);
    changed(rule, |kept| kept.saturating_add(more).min(KEPT_MAX))
}

fn changed(rule: RetainRule, change: impl FnOnce(u32) -> u32) -> RetainRule {
    let changed = |kept: NonZeroU32| NonZeroU32::new(change(kept.get())).unwrap_or(kept);
    match rule {
        RetainRule::Age(age) => RetainRule::Age(crate::policy::Age { interval: changed(age.interval), ..age }),
        RetainRule::Count(count) => RetainRule::Count(changed(count)),
    }
}

fn name(text: &str) -> ScheduleName {
    ScheduleName::parse(text).expect("a schedule's name")
}
