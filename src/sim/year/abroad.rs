//! Copies in a simulated year: when things happen to them and to their Regions, and how a turn looks there.

use super::{Event, Year};
use crate::action::{Action, Outcome};
use crate::options::Options;
use crate::place::Region;
use crate::plan::due::saturating_add;
use crate::policy::Policy;
use crate::report::Report;
use crate::sim::copying;
use crate::sim::ec2::{Emptied, abroad};
use crate::sim::execution::Execution;
use crate::sim::judge::copies::deletion::{self, By};
use crate::sim::judge::copies::{Look, begun, ending as copies_end, year_end as copies_year_end};
use crate::sim::judge::ending::Ending;
use crate::sim::judge::newest::{self, Hand};
use crate::sim::life::Remover;
use crate::turn::Progress;
use crate::turn::RunOutcome;
use crate::world::{Snapshot, SnapshotId, World};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// When a turn saw the other Regions, by those that it saw whole.
pub(super) type SeenAt = BTreeMap<Region, Timestamp>;

/// What a turn's look at the sources of its copies showed, for each Region that they go to.
pub(super) type Sources = BTreeMap<Region, Option<BTreeMap<SnapshotId, Snapshot>>>;

impl Year {
    /// When people do something, and when faults change.
    pub(super) fn fill_abroad(&mut self, first: Timestamp) {
        let mut at = first;
        // Bounded by the days of the year: a quarter of a day at least lies between.
        while let Some(abroad) = self.ec2.abroad.as_mut().filter(|_| at < self.calm) {
            let next = saturating_add(at, abroad.random.seconds(6 * 3_600, 5 * 86_400));
            self.push(at, Event::Abroad);
            at = next;
        }
    }

    pub(super) fn happen_abroad(&mut self) {
        let Some(random) = self.ec2.abroad.as_mut().map(|abroad| &mut abroad.random) else { return };
        if random.happens(1_000) {
            let policy = copying::edited(self.deployed.policy.clone(), random);
            if !self.deployed.is_disabled() {
                self.log(|_| "somebody edits the rules of copies".to_owned());
                self.deploy(policy, self.deployed.options.clone());
            }
        } else if let Some((happening, region)) = copying::happen(&mut self.ec2, self.now) {
            self.log(|_| format!("somebody in {region}: {happening:?}"));
        }
    }

    pub(super) fn season_abroad(&mut self) {
        let is_calm = self.now >= self.calm;
        if let Some(abroad) = &mut self.ec2.abroad {
            if is_calm { copying::calm(abroad) } else { copying::season(abroad) }
        }
    }

    /// Adds what the other Regions show. The first turn of a run does not look there.
    pub(super) fn look_abroad(
        &mut self,
        (policy, options): (&Policy, &Options),
        progress: &Progress,
        world: &mut World,
    ) -> SeenAt {
        self.ec2.look_abroad((policy, options), progress, self.now, world);
        let seen = world.regions.iter().filter(|(_, view)| !view.is_unseen());
        seen.map(|(region, _)| (region.clone(), self.now)).collect()
    }

    /// Takes in what was promised and what came of it.
    pub(super) fn note_promises(&mut self) {
        if self.ec2.abroad.is_some() {
            self.ledger.note(&self.ec2, self.now);
        }
    }

    /// What is wrong with a copy that a call has just begun, whether its answer came or not.
    pub(super) fn begun_fault(&mut self, hand: &Hand, region: &Region, look: Look<'_>) -> Option<String> {
        let abroad = self.ec2.abroad.as_mut()?;
        let id = abroad.begun.take()?;
        let begun = self.ec2.abroad.as_ref()?.regions.get(region)?.find(id)?;
        begun::fault(&self.ec2, hand, look, (region, begun), self.now)
    }

    /// What is wrong with the deletion of a copy.
    pub(super) fn deleted_fault(
        &self,
        by: By<'_>,
        (region, id): (&Region, SnapshotId),
        look: Look<'_>,
    ) -> Option<String> {
        let gone = self.ec2.abroad.as_ref()?.regions.get(region)?.find(id)?;
        if gone.record.removed != Some((self.now, Remover::Run)) {
            return None;
        }
        let why = newest::stands_back(&self.ec2, by.hand, look.at);
        let why = why.map(|why| format!("the copy {id} in {region} was deleted, but {why}"));
        why.or_else(|| deletion::fault(&self.ec2, by, look, (region, gone), self.now))
    }

    /// Remembers what the end of a run tells: all that it may where its last look `hides` snapshots.
    pub(super) fn note_what_is_told(&mut self, outcome: RunOutcome, report: &Report, hides: bool) {
        let lists_all = report.failed <= u64::try_from(report.failures.len()).unwrap_or(u64::MAX);
        let named = report.failures.iter().map(|failure| failure.resource.clone()).collect();
        match outcome {
            _ if hides => self.ledger.note_told(self.now, None),
            RunOutcome::Partial => self.ledger.note_told(self.now, lists_all.then_some(named)),
            RunOutcome::Skipped | RunOutcome::Succeeded => {}
        }
    }

    /// What is wrong with what a run says of copies at its end.
    pub(super) fn ending_faults_abroad(&mut self, execution: &Execution, ending: &Ending<'_>) -> Vec<String> {
        if self.ec2.abroad.is_none() || execution.version.is_disabled() {
            return Vec::new();
        }
        self.note_promises();
        let mut faults: Vec<String> = self.ledger.too_often().into_iter().collect();
        let has_made = ending.report.created > 0 && !ending.stands_back && !execution.version.is_run_now();
        let is_told = ending.report.outcome == Some("PARTIAL");
        if has_made && !is_told {
            faults.extend(self.ledger.silence(ending.begun));
        }
        if ending.report.outcome == Some("SUCCEEDED") && !ending.stands_back {
            faults.extend(copies_end::faults(
                &self.ec2,
                &execution.hand(),
                (&execution.lost, ending.emptied != Emptied::Nothing, ending.looked_at),
                self.now,
            ));
        }
        faults
    }

    pub(super) fn judge_the_end_abroad(&mut self, last: Timestamp) {
        if self.ec2.abroad.is_none() {
            return;
        }
        self.note_promises();
        let of = (&self.deployed.policy, &self.deployed.rules[..], self.shape.is_of_instances());
        let faults = copies_year_end::faults(&self.ec2, &self.ledger, of, (self.calm, last, self.now));
        for fault in faults {
            self.broken(fault);
        }
    }

    /// Looks once more at what is to be copied, before the first call in its Region, and completes the call. What comes of it where it is
    /// not made.
    pub(super) fn checked(
        &mut self,
        action: Action,
        actions: &[Action],
        sources: &mut Sources,
    ) -> Result<Action, Outcome> {
        let Action::CopySnapshot(copy) = action else { return Ok(action) };
        if !sources.contains_key(&copy.region) {
            let of_region = |other: &Action| match other {
                Action::CopySnapshot(other) if other.region == copy.region => Some(other.source.id),
                _ => None,
            };
            let ids: Vec<SnapshotId> = actions.iter().filter_map(of_region).collect();
            let seen = self.ec2.sources(&ids, self.now);
            sources.insert(copy.region.clone(), seen);
        }
        let seen = sources.get(&copy.region).and_then(Option::as_ref);
        abroad::checked(copy, seen).map(Action::CopySnapshot)
    }
}
