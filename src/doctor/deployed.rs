//! A policy's schedules in EventBridge Scheduler.

use super::{Gathered, Line, Look, PolicySeen, Scope, ok, unknown, wrong};
use crate::live::deployed::{Deployed, State};
use crate::live::effect::counted;
use crate::policy::{Policy, PolicyState};
use crate::starts::{self, Start};
use crate::tags::written;
use std::collections::BTreeSet;

/// Whether anything is expected of a policy.
pub(super) fn is_enabled(seen: &PolicySeen) -> bool {
    let says_so = seen.policy.as_ref().is_none_or(|policy| policy.state == PolicyState::Enabled);
    let starts = seen.deployed.as_ref().is_none_or(|deployed| deployed.state() != State::Disabled);
    says_so && starts
}

/// Whether it is enabled, and how its schedules are.
pub(super) fn lines(seen: &PolicySeen, gathered: &Gathered) -> Vec<Line> {
    let mut lines = vec![enabled(seen, gathered.scope)];
    match (&gathered.stack, &seen.deployed) {
        (Look::Seen(stack), Some(deployed)) => {
            let faults: Vec<Line> =
                deployed.faults(&stack.group, &stack.target).iter().map(|fault| wrong_of(fault)).collect();
            let zones = deployed.schedules.iter().filter(|each| each.found.timezone != Start::TIMEZONE).map(|each| {
                let (id, zone) = (&each.found.id, &each.found.timezone);
                wrong(
                    "schedules",
                    format!("{id} starts in the time zone {zone}, the policy's times are UTC"),
                    "put it again",
                )
            });
            let faults: Vec<Line> = faults.into_iter().chain(zones).collect();
            lines.extend(if faults.is_empty() { vec![complete(deployed, seen.policy.as_ref())] } else { faults });
        }
        (Look::Seen(stack), None) => lines.push(unknown(
            "schedules",
            format!("it is not deployed in the group {}: nothing of this stack starts it", stack.group),
            "opendlm put FILE deploys it; who starts it otherwise knows how",
        )),
        (Look::Unknown(_) | Look::Wrong(_), _) => lines.push(unknown(
            "schedules",
            "without a look at the stack nobody knows what starts it",
            "opendlm list, or aws scheduler list-schedules --group-name GROUP",
        )),
    }
    lines
}

fn enabled(seen: &PolicySeen, scope: Scope) -> Line {
    let id = &seen.name;
    let is_disabled = |policy: &Policy| policy.state == PolicyState::Disabled;
    let disabled = |says: &str, cure: String| match scope {
        Scope::Policy => wrong("policy", says, cure),
        Scope::Stack => ok("policy", says),
    };
    let state = seen.deployed.as_ref().map(Deployed::state);
    match (&seen.policy, state) {
        (_, Some(State::Partly)) => {
            let off = seen.deployed.iter().flat_map(|deployed| &deployed.schedules).find(|each| !each.found.is_enabled);
            let off = off.map_or_else(String::new, |each| each.found.id.to_string());
            wrong(
                "policy",
                format!("it starts at some of its times only: {off} is disabled"),
                format!("opendlm enable {id}"),
            )
        }
        (Some(policy), None) if is_disabled(policy) => {
            disabled("it is disabled: no backup is made", "set State to ENABLED".to_owned())
        }
        (_, Some(State::Disabled)) => {
            disabled("it is disabled: no backup is made", format!("set State to ENABLED: opendlm enable {id}"))
        }
        (_, Some(State::Enabled) | None) => ok("policy", "it is enabled"),
    }
}

/// A fault as `opendlm list` tells it: what is wrong, and after the last semicolon what mends it.
fn wrong_of(fault: &str) -> Line {
    let (says, cure) = fault.rsplit_once("; ").unwrap_or((fault, "put it again"));
    wrong("schedules", says, cure)
}

/// What has no revision was not written by `put`, so nobody has compared its expressions with the policy's times.
fn complete(deployed: &Deployed, policy: Option<&Policy>) -> Line {
    let count = counted(deployed.schedules.len(), "schedule");
    if let Some(revision) = deployed.revision() {
        let revision = written(revision);
        return ok(
            "schedules",
            format!("{count} of revision {revision}, at the policy's times, for this stack's machine"),
        );
    }
    let expressions: BTreeSet<&str> = deployed.schedules.iter().map(|each| each.found.expression.as_str()).collect();
    let event = deployed.event().value;
    let wanted =
        event.as_ref().and_then(|event| starts::starts(&event.policy, &event.options).ok()).unwrap_or_default();
    let wanted: BTreeSet<&str> = wanted.iter().map(|start| start.expression.as_str()).collect();
    if policy.is_some() && expressions == wanted {
        return ok("schedules", format!("{count} of the template, at the policy's times, for this stack's machine"));
    }
    let expressions: Vec<&str> = expressions.into_iter().collect();
    unknown(
        "schedules",
        format!(
            "not written by opendlm put, and nobody has compared {} with the policy's times",
            expressions.join(", ")
        ),
        format!("opendlm next {} lists the times; opendlm put writes schedules that meet them", deployed.id),
    )
}
