//! `opendlm put`: which schedules are made, changed and taken away, in this order.
//!
//! Promise: what is written is the whole policy, each schedule with the same input; and nothing of another policy is touched.

use super::change;
use super::deployed::{Deployed, Inventory, Standing, State};
use super::document::{self, Document, Wanted};
use super::{ScheduleId, Target, Written, description, event_age_seconds_max};
use crate::event::Event;
use crate::place::{Place, Region};
use crate::plan;
use crate::policy::{PolicyId, RetainRule, ScheduleName};
use crate::starts::{self, Start, StartsError};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

/// What is to be done to deploy a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// The policy.
    pub id: PolicyId,
    /// Schedules to make. First these: what fails leaves the old ones in place.
    pub create: Vec<Written>,
    /// Schedules to write anew.
    pub update: Vec<Written>,
    /// Schedules to take away, last.
    pub delete: Vec<ScheduleId>,
    /// The event as it is deployed, but for the revision.
    pub document: Document,
    /// The revision of what is written.
    pub revision: Timestamp,
    /// What is another way than it is deployed now, a line each; nothing for a new policy.
    pub changes: Vec<String>,
    /// Counts that become smaller, by the schedule's name: from, to. To say yes is to consent to them.
    pub lowered: BTreeMap<String, (u32, u32)>,
    /// The counts that the deployed event consents to, by the schedule's name.
    pub accepted: BTreeMap<String, u32>,
}

impl Put {
    /// Whether the other one does the same, but for the revision: what somebody has agreed to is what is written, whoever else
    /// writes in the meantime.
    #[must_use]
    pub fn does_what(&self, other: &Self) -> bool {
        let schedules = |put: &Self| -> Vec<Written> {
            let all = put.create.iter().chain(&put.update).cloned();
            all.map(|written| Written { input: String::new(), ..written }).collect()
        };
        (&self.id, self.create.len(), &self.delete, &self.document, &self.changes, &self.lowered)
            == (&other.id, other.create.len(), &other.delete, &other.document, &other.changes, &other.lowered)
            && schedules(self) == schedules(other)
    }
}

/// Why a policy cannot be deployed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// The name of one of its schedules is in use.
    #[error("the schedule {id} exists already and {owner}; give the policy another PolicyId, or delete that schedule")]
    NameTaken {
        /// The schedule.
        id: ScheduleId,
        /// Whose it is.
        owner: String,
    },
    /// Scheduler cannot start it.
    #[error(transparent)]
    Starts(#[from] StartsError),
}

/// Where and how to deploy.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    /// The schedule group.
    pub group: &'a str,
    /// What the schedules start.
    pub target: &'a Target,
    /// Whether the schedules shall start nothing yet.
    pub is_off: bool,
    /// Whose counts may become smaller at the cost of snapshots.
    pub consent: Consent<'a>,
    /// The clock.
    pub now: Timestamp,
}

/// To which lowered counts a person agrees (R6 of docs/promises.md). What is not agreed to is deployed all the same: what it kept
/// before waits, and each run says so.
#[derive(Debug, Clone, Copy)]
pub enum Consent<'a> {
    /// To all of them: a person sees what goes and is asked.
    Asked,
    /// To those of these schedules, lowered now or before: nobody is asked, and what a file consents to may be long past.
    Named(&'a [String]),
}

/// What is to be done to deploy `wanted`.
///
/// # Errors
/// Where Scheduler cannot start it, or a name is somebody else's.
pub fn put(wanted: &Wanted, inventory: &Inventory, way: Way<'_>) -> Result<Put, PutError> {
    let id = &wanted.event.policy.id;
    let starts = starts::starts(&wanted.event.policy, &wanted.event.options)?;
    let before = inventory.policy(id);
    let old = before.and_then(|before| before.event().value);
    let lowered = old.as_ref().map(|old| lowered(old, &wanted.event)).unwrap_or_default();
    let accepted = accepted(old.as_ref(), &wanted.event, &lowered, way.consent);
    let document = document::with_accepted_counts(&wanted.document, &accepted);
    let revision = document::next_revision(way.now, before.and_then(Deployed::revision));
    let input = document::input(&document, revision);
    let schedules: Vec<Written> = starts.iter().map(|start| written(start, &wanted.event, &input, way)).collect();
    let (mut create, mut update) = (Vec::new(), Vec::new());
    for schedule in schedules {
        match inventory.owner(&schedule.id) {
            None => create.push(schedule),
            Some(Some(owner)) if owner == id => update.push(schedule),
            Some(owner) => {
                let owner = owner.map_or_else(
                    || "no policy can be read from its input".to_owned(),
                    |owner| format!("starts the policy {owner}"),
                );
                return Err(PutError::NameTaken { id: schedule.id, owner });
            }
        }
    }
    let is_left = |each: &&Standing| !update.iter().any(|written| written.id == each.found.id);
    let delete = before.iter().flat_map(|before| before.schedules.iter().filter(is_left));
    let delete = delete.map(|each| each.found.id.clone()).collect();
    let is_enabled = create.iter().chain(&update).any(|schedule| schedule.is_enabled);
    let mut changes = before.map(|before| changes(before, &document, is_enabled)).unwrap_or_default();
    changes.extend(old.iter().flat_map(|old| forgotten_places(old, &wanted.event, way.target)));
    changes.extend(old.iter().flat_map(|old| forgotten_copies(old, &wanted.event)));
    let of_file = wanted.event.options.accept_count.keys().map(ToString::to_string);
    let asked: BTreeSet<String> = lowered.keys().cloned().chain(of_file).collect();
    changes.extend(asked.iter().filter(|name| !accepted.contains_key(*name)).map(|name| {
        format!(
            "what \"{name}\" kept before stays: nobody is asked, so agree to the lower count with --accept \"{name}\""
        )
    }));
    Ok(Put { id: id.clone(), create, update, delete, document, revision, changes, lowered, accepted })
}

fn changes(before: &Deployed, document: &Document, is_enabled: bool) -> Vec<String> {
    let mut lines = change::changes(&before.newest().document, document);
    let state = if is_enabled { State::Enabled } else { State::Disabled };
    if before.state() != state {
        lines.push(format!("the schedules were {} and are {} then", before.state().word(), state.word()));
    }
    lines.extend(change::forgotten_schedules(&before.newest().document, document).into_iter().map(|name| {
        format!("what \"{name}\" made stays and nothing manages it; if it was renamed, say so in Options.PreviousNames")
    }));
    lines
}

fn written(start: &Start, event: &Event, input: &str, way: Way<'_>) -> Written {
    Written {
        id: ScheduleId { group: way.group.to_owned(), name: start.name(&event.policy.id) },
        description: description(start),
        expression: start.expression.clone(),
        // A disabled policy that still deletes is started, as before.
        is_enabled: !way.is_off && !plan::is_idle(&event.policy),
        target: way.target.clone(),
        input: input.to_owned(),
        event_age_seconds_max: event_age_seconds_max(event.options.start_window),
    }
}

/// The counts that are smaller than they were, of schedules that there were before under this or an earlier name.
fn lowered(old: &Event, new: &Event) -> BTreeMap<String, (u32, u32)> {
    let counts = new.policy.schedules.iter().filter_map(|schedule| {
        let before = earlier_names(new, &schedule.name).find_map(|name| old.policy.schedule(name))?;
        match (before.retain, schedule.retain) {
            (RetainRule::Count(from), RetainRule::Count(to)) if to < from => {
                Some((schedule.name.to_string(), (from.get(), to.get())))
            }
            _ => None,
        }
    });
    counts.collect()
}

/// The name of a schedule, and those that it had.
fn earlier_names<'a>(event: &'a Event, name: &'a ScheduleName) -> impl Iterator<Item = &'a ScheduleName> {
    std::iter::once(name).chain(event.options.previous_names.get(name).into_iter().flatten())
}

/// Which counts the deployed event consents to. What was consented to before and still is the count goes on, because the surplus of
/// then may not be gone yet; a person who is asked agrees to what is lowered and to what the file says; and where nobody is asked,
/// only to the counts of the schedules that are named.
fn accepted(
    old: Option<&Event>,
    new: &Event,
    lowered: &BTreeMap<String, (u32, u32)>,
    consent: Consent<'_>,
) -> BTreeMap<String, u32> {
    let count_of = |name: &ScheduleName| match new.policy.schedule(name)?.retain {
        RetainRule::Count(count) => Some(count),
        RetainRule::Age(_) => None,
    };
    let as_text = |(name, count): (&ScheduleName, &NonZeroU32)| (name.to_string(), count.get());
    let before = old.into_iter().flat_map(|old| &old.options.accept_count);
    let still = before.filter(|(name, count)| count_of(name) == Some(**count));
    let mut accepted: BTreeMap<String, u32> = still.map(as_text).collect();
    match consent {
        Consent::Asked => {
            accepted.extend(lowered.iter().map(|(name, &(_, to))| (name.clone(), to)));
            accepted.extend(new.options.accept_count.iter().map(as_text));
        }
        Consent::Named(names) => {
            let named = new.policy.schedules.iter().map(|schedule| &schedule.name);
            let named = named.filter(|name| names.iter().any(|wanted| wanted == name.as_str()));
            accepted.extend(named.filter_map(|name| Some((name.to_string(), count_of(name)?.get()))));
        }
    }
    accepted
}

/// What is said of Regions that a rule copied to and none does any more. What is promised to snapshots that are there is still made.
fn forgotten_copies(old: &Event, new: &Event) -> Vec<String> {
    let regions = |event: &Event| -> BTreeSet<Region> {
        let rules = event.policy.schedules.iter().flat_map(|schedule| &schedule.copies);
        rules.map(|rule| rule.region.clone()).collect()
    };
    let told = |region: &Region| {
        format!(
            "no new snapshot is copied to {region}: the copies there stay, and reports count them as long as the stack's CopyRegions \
             names it; delete them by hand"
        )
    };
    regions(old).difference(&regions(new)).map(told).collect()
}

/// What is said of places in which the policy worked and does not any more: no run looks there again, so nothing there goes, and no
/// report counts it. An event that names none works where the state machine is.
fn forgotten_places(old: &Event, new: &Event, target: &Target) -> Vec<String> {
    let region = target.machine.split(':').nth(3).and_then(Region::parse);
    let own = region.map(|region| Place { role: None, region });
    let places = |event: &Event| -> Option<BTreeSet<Option<Place>>> {
        let options = &event.options;
        if options.targets_from.is_some() {
            return None;
        }
        let listed = options.targets.iter().chain(&options.target).cloned().map(Some);
        let places: BTreeSet<_> = listed.collect();
        Some(if places.is_empty() { [own.clone()].into() } else { places })
    };
    // What a list in S3 names, only a run knows.
    let (Some(before), Some(after)) = (places(old), places(new)) else {
        let is_same = old.options.targets_from == new.options.targets_from;
        let line = "what was made in accounts and Regions that are not named any more stays there, and no run manages or counts it";
        return if is_same { Vec::new() } else { vec![line.to_owned()] };
    };
    let told = |place: &Option<Place>| {
        let of = place.as_ref().map_or_else(|| "the stack's own account and Region".to_owned(), ToString::to_string);
        format!(
            "{of} is left: what was made there stays, and no run manages or counts it; keep a policy for it, or delete it by hand"
        )
    };
    before.difference(&after).map(told).collect()
}
