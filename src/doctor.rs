//! `opendlm doctor`: what is wrong with a stack, its policies and their backups, from what a look at the account showed.
//!
//! Promises: it decides from values alone; what nobody has looked at is `unknown` and never `ok`; and each line that is not `ok` says
//! what to do.
//!
//! - [`surroundings`]: whose credentials, the clock, the stack and its version, the dead letters, who hears.
//! - [`machine`]: what the definition of a state machine says of its stack.
//! - [`deployed`]: a policy's schedules in EventBridge Scheduler. [`runs`]: how its last run ended.
//! - [`backups`]: its targets and snapshots. [`beside`]: who else backs them up, and under which keys they are.
//! - [`measured`]: what only an account shows.

pub mod backups;
pub mod beside;
pub mod deployed;
pub mod machine;
pub mod measured;
pub mod runs;
pub mod surroundings;

use crate::live::deployed::Deployed;
use crate::live::runs::Run;
use crate::policy::Policy;
use backups::Looked;
use beside::{KeyUse, OtherPolicy};
use jiff::{SignedDuration, Timestamp};
use measured::{Listing, QuotaNames};
use serde::Serialize;
use surroundings::{Caller, Stack};

/// What came of a look at one thing.
#[derive(Debug, Clone, PartialEq)]
pub enum Look<T> {
    /// This was seen.
    Seen(T),
    /// Nobody knows, and why: a right that is missing, or something that does not answer.
    Unknown(String),
    /// It cannot be seen because it is wrong, and how: it is gone, or refused.
    Wrong(String),
}

impl<T> Look<T> {
    /// The same look at something else that follows from what was seen.
    pub fn map<U>(self, of: impl FnOnce(T) -> U) -> Look<U> {
        match self {
            Self::Seen(seen) => Look::Seen(of(seen)),
            Self::Unknown(why) => Look::Unknown(why),
            Self::Wrong(why) => Look::Wrong(why),
        }
    }
}

/// What somebody has found out, for [`examine`].
#[derive(Debug, Clone, PartialEq)]
pub struct Gathered {
    /// The clock that the looks were made by.
    pub now: Timestamp,
    /// What was asked about.
    pub scope: Scope,
    /// Who asks.
    pub caller: Look<Caller>,
    /// By how much this machine's clock is ahead of EC2's.
    pub clock_ahead: Look<SignedDuration>,
    /// The stack.
    pub stack: Look<Stack>,
    /// Whether Service Quotas lists what opendlm asks it for.
    pub quotas: Look<QuotaNames>,
    /// The policies.
    pub policies: Vec<PolicySeen>,
}

/// What was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One policy, which is meant to make backups.
    Policy,
    /// All that is deployed. Of what somebody disabled nothing is expected.
    Stack,
}

/// What was found out about a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicySeen {
    /// Its id, or the name of the file that it was read from.
    pub name: String,
    /// The policy, where it can be read.
    pub policy: Option<Policy>,
    /// Its schedules in the stack's group; none where it is not deployed there.
    pub deployed: Option<Deployed>,
    /// Its last runs, the newest first.
    pub runs: Look<Vec<Run>>,
    /// What a start now would see and do.
    pub looked: Look<Looked>,
    /// The policies of Amazon DLM that back up the same.
    pub others: Look<Vec<OtherPolicy>>,
    /// The keys that its targets are encrypted with.
    pub keys: Look<Vec<KeyUse>>,
    /// How EC2 lists its snapshots.
    pub listing: Look<Listing>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Ok,
    /// Nobody has looked.
    Unknown,
    /// Not as it should be.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Line {
    /// How it is.
    pub health: Health,
    /// The policy that it is about; none for what is of the stack or the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What was looked at.
    pub about: &'static str,
    /// What there is to say.
    pub says: String,
    /// What to do, or how to find out; nothing where it is as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

/// Everything that there is to say: of the account, of the stack, of each policy, and what was measured.
#[must_use]
pub fn examine(gathered: &Gathered) -> Vec<Line> {
    let mut lines = surroundings::lines(gathered);
    for seen in &gathered.policies {
        let mut of_policy = deployed::lines(seen, gathered);
        if deployed::is_enabled(seen) {
            of_policy.extend(runs::lines(seen, gathered.now));
            of_policy.extend(backups::lines(seen));
            of_policy.extend(beside::lines(seen));
            of_policy.extend(measured::lines(seen));
        }
        of_policy.iter_mut().for_each(|line| line.policy = Some(seen.name.clone()));
        lines.extend(of_policy);
    }
    lines.extend(measured::of_account(gathered));
    lines
}

/// Whether any line is wrong.
#[must_use]
pub fn has_wrong(lines: &[Line]) -> bool {
    lines.iter().any(|line| line.health == Health::Wrong)
}

fn ok(about: &'static str, says: impl Into<String>) -> Line {
    Line { health: Health::Ok, policy: None, about, says: says.into(), cure: None }
}

fn unknown(about: &'static str, says: impl Into<String>, how: impl Into<String>) -> Line {
    Line { health: Health::Unknown, policy: None, about, says: says.into(), cure: Some(how.into()) }
}

fn wrong(about: &'static str, says: impl Into<String>, cure: impl Into<String>) -> Line {
    Line { health: Health::Wrong, policy: None, about, says: says.into(), cure: Some(cure.into()) }
}

/// What cannot be seen, in a line: `cure` where it is wrong, `how` to find out where nobody knows. What was seen is for the caller to
/// tell.
fn unseen<'l, T>(look: &'l Look<T>, about: &'static str, cure: &str, how: impl Into<String>) -> Result<&'l T, Line> {
    match look {
        Look::Seen(seen) => Ok(seen),
        Look::Unknown(why) => Err(unknown(about, why.clone(), how)),
        Look::Wrong(why) => Err(wrong(about, why.clone(), cure)),
    }
}

#[cfg(test)]
mod tests;
