//! Policies as they are deployed: schedules of EventBridge Scheduler, each with a whole event as its input.
//!
//! The rules of `opendlm put` and its neighbours, as functions of what Scheduler shows:
//! - [`deployed`]: whose a schedule is, read from its input and never from its name; what is wrong with what is deployed.
//! - [`document`]: the event that a file means, and the one that a schedule gets.
//! - [`put`](mod@put): which schedules are made, changed and taken away.
//! - [`change`]: what an edit changes, in words. [`effect`]: what it does to the account.
//! - [`row`]: a deployed policy as `opendlm list` shows it. [`runs`]: what the executions of the state machine mean.
//! - [`template`]: the same schedules as a CloudFormation template.

pub mod change;
pub mod deployed;
pub mod document;
pub mod effect;
pub mod file;
pub mod put;
pub mod row;
pub mod runs;
pub mod template;
pub mod told;

use crate::starts::Start;
use jiff::SignedDuration;

/// What the schedules of a group start, and as whom: what the group's tags say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The ARN of the state machine.
    pub machine: String,
    /// The ARN of the role that lets Scheduler start it.
    pub role: String,
    /// The ARN of the queue for starts that could not be delivered.
    pub dead_letter_queue: String,
}

impl Target {
    /// The tag of a schedule group that names the state machine; `template.yaml` writes it.
    pub const MACHINE_TAG: &str = "opendlm:state-machine";
    /// The tag that names the role.
    pub const ROLE_TAG: &str = "opendlm:scheduler-role";
    /// The tag that names the queue.
    pub const QUEUE_TAG: &str = "opendlm:dead-letter-queue";
    /// The tag that names the version of the stack.
    pub const VERSION_TAG: &str = "opendlm:version";

    /// Reads the tags of a group.
    ///
    /// # Errors
    /// The keys of the tags that are missing.
    pub fn of_tags(tags: &[(String, String)]) -> Result<Self, Vec<&'static str>> {
        let value = |key: &str| tags.iter().find(|(found, _)| found == key).map(|(_, value)| value.clone());
        let missing: Vec<&'static str> = [Self::MACHINE_TAG, Self::ROLE_TAG, Self::QUEUE_TAG]
            .into_iter()
            .filter(|key| value(key).is_none_or(|value| value.is_empty()))
            .collect();
        match (value(Self::MACHINE_TAG), value(Self::ROLE_TAG), value(Self::QUEUE_TAG)) {
            (Some(machine), Some(role), Some(dead_letter_queue)) if missing.is_empty() => {
                Ok(Self { machine, role, dead_letter_queue })
            }
            _ => Err(missing),
        }
    }
}

/// A schedule's group and name, which together are unique in an account and Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduleId {
    /// The schedule group.
    pub group: String,
    /// The name in the group.
    pub name: String,
}

impl std::fmt::Display for ScheduleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.group, self.name)
    }
}

/// A schedule as it is to be written: all of it, because UpdateSchedule sets to its default what is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub id: ScheduleId,
    /// For who looks at Scheduler's console.
    pub description: String,
    /// `cron(...)`, in [`Start::TIMEZONE`].
    pub expression: String,
    /// Whether it starts anything.
    pub is_enabled: bool,
    /// What it starts.
    pub target: Target,
    /// The event, as JSON.
    pub input: String,
    /// For how long Scheduler tries to deliver a start, in seconds.
    pub event_age_seconds_max: i32,
}

impl Written {
    /// EventBridge Scheduler, API model: `MaximumRetryAttempts` is at most 185. The age of the start ends them.
    pub const RETRIES_MAX: i32 = 185;
}

/// A start that comes after the start window makes nothing, so it is not delivered any more. (EventBridge Scheduler, API model:
/// `MaximumEventAgeInSeconds` is 60 to 86,400.)
fn event_age_seconds_max(start_window: SignedDuration) -> i32 {
    i32::try_from(start_window.as_secs()).unwrap_or(86_400).clamp(60, 86_400)
}

/// What a start is for, in Scheduler's 512 characters.
fn description(start: &Start) -> String {
    const LENGTH_MAX: usize = 512;
    let names: Vec<&str> = start.serves.iter().map(|name| name.as_str()).collect();
    let after = if start.is_minute_after { ", a minute after its times" } else { "" };
    let mut text = format!("Written by opendlm put, starts: {}{after}", names.join(", "));
    // ASCII only: the names of schedules are.
    text.truncate(LENGTH_MAX);
    text
}

#[cfg(test)]
mod tests;
