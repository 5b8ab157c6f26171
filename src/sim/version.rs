//! A version of the policy as an event carries it: whoever starts a run hands one over, and the run keeps it to its end.

use super::judge::Rule;
use super::sabotage::{self, Sabotage};
use crate::options::Options;
use crate::policy::{Policy, PolicyState};
use jiff::Timestamp;

/// A version of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The policy that somebody wrote.
    pub policy: Policy,
    /// The options beside it.
    pub options: Options,
    /// What the judge goes by.
    pub rules: Vec<Rule>,
    /// The policy as the planner gets to know it: another one where a rule is broken on purpose.
    pub told: Policy,
}

impl Version {
    /// A policy with its options.
    #[must_use]
    pub fn new(policy: Policy, options: Options, sabotage: Option<Sabotage>) -> Self {
        let rules = Rule::all(&policy, &options);
        let told = sabotage::policy(policy.clone(), sabotage);
        let options = sabotage::options(options, sabotage);
        Self { policy, options, rules, told }
    }

    /// When it was written, if `opendlm put` wrote it.
    #[must_use]
    pub fn revision(&self) -> Option<Timestamp> {
        self.options.revision
    }

    /// Whether it makes nothing.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.policy.state == PolicyState::Disabled
    }

    /// Whether a schedule of it has this scheduled time.
    #[must_use]
    pub fn is_due_at(&self, at: Timestamp) -> bool {
        self.rules.iter().any(|rule| rule.is_due_at(at))
    }

    /// The rule of the schedule that was called so in this version.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}
