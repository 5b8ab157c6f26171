//! Whose a schedule is, and what is wrong with what is deployed.
//!
//! Promise: each schedule that Scheduler showed belongs to one policy, or is a stranger; what its name begins with means nothing.

use super::document::{self, Document, cleaned};
use super::{ScheduleId, Target};
use crate::event::{self, Event};
use crate::policy::decode::{IdRule, Reading};
use crate::policy::{PolicyId, PolicyState};
use crate::starts;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A schedule as EventBridge Scheduler shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub id: ScheduleId,
    /// Whether it starts anything.
    pub is_enabled: bool,
    /// Its expression.
    pub expression: String,
    /// The time zone of that.
    pub timezone: String,
    /// What it starts.
    pub machine: String,
    /// As whom.
    pub role: String,
    /// Where starts go that could not be delivered.
    pub dead_letter_queue: Option<String>,
    /// What it sends.
    pub input: String,
}

/// A schedule of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// As Scheduler shows it.
    pub found: Found,
    /// The event that it sends, but for what belongs to one start.
    pub document: Document,
    /// The revision that it carries; none before opendlm 0.2.
    pub revision: Option<Timestamp>,
}

/// A policy as it is deployed.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// The policy's id.
    pub id: PolicyId,
    /// Its schedules, at least one: those of the newest revision first, then by group and name.
    pub schedules: Vec<Standing>,
}

/// A schedule that no policy can be read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Where it is.
    pub id: ScheduleId,
    /// Why it is nobody's.
    pub why: String,
}

/// All that is deployed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inventory {
    /// By id.
    pub policies: Vec<Deployed>,
    /// By group and name.
    pub strangers: Vec<Stranger>,
}

/// Tells whose the schedules are.
#[must_use]
pub fn inventory(found: Vec<Found>) -> Inventory {
    let mut policies: BTreeMap<PolicyId, Vec<Standing>> = BTreeMap::new();
    let mut strangers = Vec::new();
    for found in found {
        let value = event::json::read(found.input.as_bytes()).value;
        match value.as_ref().and_then(|value| Some((document::id_in(value)?, value))) {
            Some((id, value)) => policies.entry(id).or_default().push(standing(found, value)),
            None => {
                let why = "its input is not an event with a policy".to_owned();
                strangers.push(Stranger { id: found.id, why });
            }
        }
    }
    strangers.sort_by(|a, b| a.id.cmp(&b.id));
    let newest_first = |a: &Standing, b: &Standing| b.revision.cmp(&a.revision).then(a.found.id.cmp(&b.found.id));
    let deployed = |(id, mut schedules): (PolicyId, Vec<Standing>)| {
        schedules.sort_by(newest_first);
        Deployed { id, schedules }
    };
    Inventory { policies: policies.into_iter().map(deployed).collect(), strangers }
}

fn standing(found: Found, value: &Value) -> Standing {
    let value = event::with_bare_policy_wrapped(value.clone());
    let revision = value.get("Revision").and_then(Value::as_str).and_then(|text| text.parse().ok());
    Standing { found, document: cleaned(&value), revision }
}

impl Inventory {
    /// What is deployed of a policy.
    #[must_use]
    pub fn policy(&self, id: &PolicyId) -> Option<&Deployed> {
        self.policies.iter().find(|deployed| deployed.id == *id)
    }

    /// Whose the schedule of that name is: a policy's, nobody's, or `None` where there is no such schedule.
    #[must_use]
    pub fn owner(&self, id: &ScheduleId) -> Option<Option<&PolicyId>> {
        let of_policy =
            self.policies.iter().find(|deployed| deployed.schedules.iter().any(|each| each.found.id == *id));
        let stranger = self.strangers.iter().find(|stranger| stranger.id == *id);
        of_policy.map(|deployed| Some(&deployed.id)).or(stranger.map(|_| None))
    }
}

/// Whether a policy starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No schedule of it starts, or its policy is disabled.
    Disabled,
    /// All of them do.
    Enabled,
    /// Some of them do.
    Partly,
}

impl State {
    /// As `opendlm list` shows it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Disabled => "DISABLED",
            Self::Enabled => "ENABLED",
            Self::Partly => "PARTLY",
        }
    }
}

impl Deployed {
    /// The schedule with the newest revision: what the policy is now.
    #[must_use]
    pub fn newest(&self) -> &Standing {
        self.schedules.first().expect("a deployed policy has a schedule")
    }

    /// The newest revision.
    #[must_use]
    pub fn revision(&self) -> Option<Timestamp> {
        self.newest().revision
    }

    /// The policy as it is now, or why it cannot be carried out.
    #[must_use]
    pub fn event(&self) -> Reading<Event> {
        event::read(&Value::Object(self.newest().document.clone()), IdRule::Required)
    }

    /// Whether it starts.
    #[must_use]
    pub fn state(&self) -> State {
        let is_disabled = |event: &Event| event.policy.state == PolicyState::Disabled;
        let enabled = self.schedules.iter().filter(|each| each.found.is_enabled).count();
        match enabled {
            0 => State::Disabled,
            _ if self.event().value.as_ref().is_some_and(is_disabled) => State::Disabled,
            enabled if enabled == self.schedules.len() => State::Enabled,
            _ => State::Partly,
        }
    }

    /// What is wrong with how it is deployed, and what mends it; empty where all is well.
    #[must_use]
    pub fn faults(&self, group: &str, target: &Target) -> Vec<String> {
        let newest = self.newest();
        let mut faults = Vec::new();
        let reading = self.event();
        if let Some(refusal) = reading.refusal() {
            let first = refusal.lines().next().unwrap_or_default();
            faults.push(format!("its event is refused: {first}; put it again"));
        }
        if let Some(stray) = self.schedules.iter().find(|each| each.found.id.group != group) {
            faults.push(format!("{} is not in the group {group}; put it again to take it over", stray.found.id));
        }
        let old =
            self.schedules.iter().find(|each| each.revision != newest.revision || each.document != newest.document);
        if let Some(old) = old {
            faults.push(format!("half-written: {} has an older policy; put it again", old.found.id));
        } else if newest.revision.is_some() {
            faults.extend(reading.value.as_ref().and_then(|event| self.amiss(event)));
        }
        let elsewhere = |each: &&Standing| {
            let queue = each.found.dead_letter_queue.as_deref();
            each.found.machine != target.machine
                || each.found.role != target.role
                || queue != Some(target.dead_letter_queue.as_str())
        };
        if let Some(each) = self.schedules.iter().find(elsewhere) {
            let machine = &each.found.machine;
            let what = if *machine == target.machine { "has another role or queue" } else { "starts another machine" };
            faults.push(format!("{} {what}; opendlm put --all points it at the stack's", each.found.id));
        }
        faults
    }

    /// Whether the schedules start the policy when it wants to be started.
    fn amiss(&self, event: &Event) -> Option<String> {
        let wanted = starts::starts(&event.policy, &event.options).ok()?;
        let wanted: BTreeSet<&str> = wanted.iter().map(|start| start.expression.as_str()).collect();
        let deployed: BTreeSet<&str> = self.schedules.iter().map(|each| each.found.expression.as_str()).collect();
        let missing = wanted.difference(&deployed).next();
        let foreign = deployed.difference(&wanted).next();
        match (missing, foreign) {
            (Some(missing), _) => Some(format!("half-written: nothing starts it at {missing}; put it again")),
            (None, Some(foreign)) => {
                Some(format!("{foreign} is not what its schedules ask for; put it again to take it away"))
            }
            (None, None) => None,
        }
    }
}
