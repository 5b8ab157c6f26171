//! What people do in a year to the policy, to the events that start runs, and to the tags of snapshots.

use super::{Event, Year};
use crate::options::Options;
use crate::plan::due::saturating_add;
use crate::policy::Policy;
use crate::sim::edits;
use crate::sim::execution::Execution;
use crate::sim::tampering;
use crate::sim::version::Version;
use crate::tags::to_the_second;
use jiff::SignedDuration;
use std::sync::Arc;

/// How many executions are there to be replayed.
const REMEMBERED_MAX: usize = 6;

impl Year {
    pub(super) fn act(&mut self) {
        match self.random.below(22) {
            0..9 => self.edit(),
            9 => self.put_again(),
            10 => self.put_an_old_file(),
            11 => self.start_an_old_version(),
            12..15 => self.replay(),
            15..17 => self.redeliver(),
            17..19 => self.run_now(),
            _ => {
                let tampering = tampering::happen(&mut self.ec2, &mut self.random, self.now);
                self.log(|_| format!("somebody edits tags: {tampering:?}"));
            }
        }
    }

    /// New starts carry another version from now on.
    pub(super) fn deploy(&mut self, policy: Policy, options: Options) {
        let revision = self.has_revisions.then(|| to_the_second(self.now));
        let version = Arc::new(Version::new(policy, Options { revision, ..options }, self.sabotage));
        self.log(|_| format!("deployed: {:?}, revision {revision:?}", version.rules));
        self.versions.push(Arc::clone(&version));
        (self.deployed, self.deployed_since) = (version, self.now);
    }

    fn edit(&mut self) {
        let (edit, policy, options) = edits::happen(self.shape, &mut self.random, &self.deployed);
        self.log(|_| format!("somebody edits the policy: {edit:?}"));
        self.deploy(policy, options);
    }

    pub(super) fn deploy_the_last(&mut self) {
        let (policy, options) = edits::last(&self.deployed);
        self.deploy(policy, options);
    }

    fn some_old_version(&mut self) -> Arc<Version> {
        let at = self.random.index(self.versions.len());
        at.and_then(|at| self.versions.get(at)).map_or_else(|| Arc::clone(&self.deployed), Arc::clone)
    }

    /// Somebody puts what an older file says.
    fn put_again(&mut self) {
        let old = self.some_old_version();
        self.deploy(old.policy.clone(), old.options.clone());
    }

    /// Somebody deploys an older file as it is, with the revision that is in it.
    fn put_an_old_file(&mut self) {
        (self.deployed, self.deployed_since) = (self.some_old_version(), self.now);
        self.log(|year| format!("somebody deploys an old file: {:?}", year.deployed.rules));
    }

    /// One of two deployed schedules still carries an old version: it fires once, at the next time.
    fn start_an_old_version(&mut self) {
        let version = self.some_old_version();
        let next = self.queue.iter().find(|(_, event)| matches!(event, Event::Tick)).map(|(&(at, _), _)| at);
        if let Some(scheduled) = next.filter(|&at| at < self.calm) {
            let at = saturating_add(scheduled, self.random.seconds(0, 1_800));
            self.log(|_| format!("an old version will start at {at}: {:?}", version.rules));
            self.push(at, Event::Start { scheduled, version });
        }
    }

    /// Sometimes an execution as it is now is there to be replayed.
    pub(super) fn remember(&mut self, execution: &Execution) {
        if self.random.happens(300) {
            self.remembered.push_back(execution.clone());
            if self.remembered.len() > REMEMBERED_MAX {
                self.remembered.pop_front();
            }
        }
    }

    /// Somebody presses the button, perhaps more than once.
    fn run_now(&mut self) {
        let version = Arc::new(self.deployed.run_now());
        for _ in 0..=self.random.below(3) {
            let at = saturating_add(self.now, self.random.seconds(0, 1_800));
            self.log(|_| format!("somebody runs it now at {at}"));
            self.push(at, Event::Start { scheduled: to_the_second(at), version: Arc::clone(&version) });
        }
    }

    /// Somebody replays a `Next` of days ago, as a redrive of Step Functions does.
    fn replay(&mut self) {
        let is_old = |execution: &Execution| {
            execution.ended.is_some_and(|ended| self.now.duration_since(ended) > SignedDuration::from_hours(24))
        };
        if let Some(old) = self.remembered.iter().rposition(is_old).and_then(|at| self.remembered.remove(at)) {
            self.told.executions += 1;
            self.log(|year| format!("execution {} is replayed as {}", old.number, year.told.executions));
            let again = old.replayed(self.told.executions);
            self.push(self.now, Event::Turn(Box::new(again)));
        }
    }

    /// A start of days ago comes from a dead-letter queue.
    fn redeliver(&mut self) {
        let version = self.some_old_version();
        let today = self.now.as_second().div_euclid(86_400) * 86_400 + 17 * 3_600;
        let days = i64::try_from(1 + self.random.below(6)).unwrap_or(1);
        let Ok(scheduled) = jiff::Timestamp::from_second(today - days * 86_400) else { return };
        self.log(|_| format!("the start of {scheduled} is delivered again: {:?}", version.rules));
        self.push(self.now, Event::Start { scheduled, version });
    }
}
