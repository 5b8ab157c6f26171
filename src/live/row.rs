//! A deployed policy as `opendlm list` shows it.

use super::Target;
use super::deployed::{Deployed, State};
use crate::policy::{Policy, PolicyId, Tag, Targets};
use crate::schedule;
use crate::schedule::cron::CronExpression;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// What there is to tell of a deployed policy without a look at EC2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The policy.
    pub id: PolicyId,
    /// Whether it starts.
    pub state: State,
    /// What it makes snapshots of, and where they are copied to, in words.
    pub targets: String,
    /// The names of its schedules.
    pub schedules: Vec<String>,
    /// When it starts next; nothing when it does not.
    pub next_start: Option<Timestamp>,
    /// The revision of what is deployed.
    pub revision: Option<Timestamp>,
    /// What is wrong with how it is deployed.
    pub faults: Vec<String>,
}

impl Row {
    /// The row of a policy, at a clock that shows `now`.
    #[must_use]
    pub fn of(deployed: &Deployed, group: &str, target: &Target, now: Timestamp) -> Self {
        let policy = deployed.event().value.map(|event| event.policy);
        let schedules = policy.as_ref().map(|policy| &policy.schedules[..]).unwrap_or_default();
        let state = deployed.state();
        Self {
            id: deployed.id.clone(),
            state,
            targets: policy.as_ref().map_or_else(|| "?".to_owned(), targets),
            schedules: schedules.iter().map(|schedule| schedule.name.to_string()).collect(),
            next_start: next_start(deployed, policy.as_ref(), now).filter(|_| state != State::Disabled),
            revision: deployed.revision(),
            faults: deployed.faults(group, target),
        }
    }
}

/// The next time of an expression of a schedule that starts anything. Where one cannot be read (`rate()`, or longer than a policy may
/// have it), the next scheduled time of the policy.
fn next_start(deployed: &Deployed, policy: Option<&Policy>, now: Timestamp) -> Option<Timestamp> {
    let enabled = deployed.schedules.iter().filter(|each| each.found.is_enabled);
    let expressions: Result<Vec<CronExpression>, _> =
        enabled.map(|each| CronExpression::parse(&each.found.expression)).collect();
    if let Ok(expressions) = expressions {
        return expressions.iter().filter_map(|expression| expression.next_after(now)).min();
    }
    let after = now.checked_sub(SignedDuration::from_secs(1)).ok()?;
    policy?.schedules.iter().filter_map(|each| schedule::next_after(&each.create, after)).min()
}

fn targets(policy: &Policy) -> String {
    let tags = |tags: &[Tag]| {
        let tags: Vec<String> = tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect();
        tags.join(" ")
    };
    let targets = match &policy.targets {
        Targets::AllVolumes(_) => "all volumes".to_owned(),
        Targets::Instances { any_of, .. } => format!("instances {}", tags(any_of)),
        Targets::Volumes { any_of } => format!("volumes {}", tags(any_of)),
    };
    targets + &copied(policy)
}

/// Where its snapshots are copied to, to follow other words.
fn copied(policy: &Policy) -> String {
    let rules = policy.schedules.iter().flat_map(|schedule| &schedule.copies);
    let regions: BTreeSet<&str> = rules.map(|rule| rule.region.as_str()).collect();
    if regions.is_empty() {
        return String::new();
    }
    format!(", copied to {}", regions.into_iter().collect::<Vec<_>>().join(" "))
}
