//! The invocations of a year: what the function does in each, and what the judge says of it.

use super::abroad::{SeenAt, Sources};
use super::lines::told;
use super::{FUNCTION_TIMEOUT, SKEW_MILLIS, Year};
use crate::action::{Action, CreateSnapshots, DeleteSnapshot, Outcome};
use crate::options::{Start, StartOrigin};
use crate::plan::due::saturating_add;
use crate::plan::{self, check};
use crate::policy::Policy;
use crate::report;
use crate::sim::changes;
use crate::sim::ec2::{Emptied, ListFailure};
use crate::sim::execution::{Execution, NoAnswer};
use crate::sim::judge::ending::Ending;
use crate::sim::judge::{self, copies, deletion, newest, truth};
use crate::sim::life::{Maker, Remover};
use crate::sim::sabotage::{self, Sabotage};
use crate::turn::closer;
use crate::turn::look::has_time_for_another;
use crate::turn::{self, Budget, Conclusion, Progress, RunOutcome, Selection, Status};
use crate::world::{Coverage, SnapshotId, VolumeId, World};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A listing that was made beside the calls of the turn before.
#[derive(Debug)]
pub(super) struct Ahead {
    world: World,
    at: Timestamp,
    emptied: Emptied,
    deleted: BTreeSet<SnapshotId>,
}

/// The look of a turn.
#[derive(Debug)]
struct Look {
    /// When it began: the turn goes by this time.
    began: Timestamp,
    at: Timestamp,
    /// Which lists it found empty by mistake.
    emptied: Emptied,
    /// Whether it saw which AMIs there are.
    sees_images: bool,
    /// Whether nothing of the home Region's snapshots was left out.
    is_whole: bool,
    /// When it saw each of the other Regions.
    abroad: SeenAt,
}

impl Look {
    fn of_copies(&self) -> copies::Look<'_> {
        copies::Look { at: self.at, is_whole: self.is_whole, abroad: &self.abroad }
    }
}

impl Year {
    /// Runs the function once, turn after turn while there is work: the wait and the `Next` of its answer, `None` when the
    /// execution is over. Where a later turn comes to nothing, the answer is that of the one before.
    pub(super) fn attempt(&mut self, execution: &mut Execution) -> Result<Option<(u32, Progress)>, NoAnswer> {
        if self.crashes_now() {
            return Err(NoAnswer::Crashed);
        }
        let begun = self.now;
        let skew = if self.crashes > 0 { self.random.millis(-SKEW_MILLIS, SKEW_MILLIS) } else { SignedDuration::ZERO };
        let start = Start {
            at: execution.start,
            origin: StartOrigin::Event,
            begun: saturating_add(self.now, skew),
            came_back: false,
        };
        let taken_up = execution.next.as_ref().map(|next| next.taken_up_at(start.begun));
        let mut progress = taken_up.unwrap_or_else(|| Progress::new(&start));
        let mut answered = None;
        self.ahead = None;
        // Bounded by the function's time.
        loop {
            match (self.single_turn(execution, progress, (begun, skew)), answered) {
                (Ok(Some((0, next))), _)
                    if self.ahead.is_some()
                        || has_time_for_another(self.now, SignedDuration::ZERO, begun + FUNCTION_TIMEOUT) =>
                {
                    (progress, answered) = (next.clone(), Some((0, next)));
                }
                (Ok(turned), _) => return Ok(turned),
                (Err(NoAnswer::Busy | NoAnswer::Denied), Some(answer)) => return Ok(Some(answer)),
                (Err(why), _) => return Err(why),
            }
        }
    }

    fn single_turn(
        &mut self,
        execution: &mut Execution,
        mut progress: Progress,
        (begun, skew): (Timestamp, SignedDuration),
    ) -> Result<Option<(u32, Progress)>, NoAnswer> {
        self.told.turns += 1;
        let version = Arc::clone(&execution.version);
        let (policy, options) = (&version.told, &version.options);
        let (world, at, began) = self.look(policy, &progress)?;
        let (emptied, clock) = (self.ec2.emptied, saturating_add(began, skew));
        let mut world = sabotage::view(self.sabotage, &policy.id, world);
        let abroad = self.look_abroad((policy, options), &progress, &mut world);
        progress.note_look(&policy.id, &world, clock, options.settling);
        progress.copies.note_look(policy, &world, clock, options.settling);
        let start = progress.start();
        let mut plan = plan::plan(policy, options, &start, clock, &world);
        // As `by_id::look_closer`, which would plan once more: planning is most of what a year costs.
        for _ in 0..closer::LOOKS_MAX {
            let asks = closer::asks_of_turn(policy, &world, &plan);
            if asks.is_empty() {
                break;
            }
            let latency = self.random.millis(50, 500);
            self.elapse(latency);
            if !sabotage::trusts_absence(self.sabotage, &asks, &mut world) {
                self.ec2.look_closer(&asks, self.now, &mut world).map_err(no_answer)?;
            }
            plan = plan::plan(policy, options, &start, clock, &world);
        }
        let is_whole = world.coverage == Coverage::Complete && emptied != Emptied::Snapshots;
        let look = Look { began, at, emptied, sees_images: self.ec2.images_seen, is_whole, abroad };
        for broken in check::check(policy, options, clock, &world, &plan) {
            self.broken(format!("the plan: {broken}"));
        }
        sabotage::plan(self.sabotage, &mut plan);
        // Sometimes EC2's buckets let little through, and another turn follows at once.
        let is_slow = self.crashes > 0 && self.random.happens(500);
        let budget = if is_slow { Budget::of(|_| self.random.index(4).unwrap_or(0)) } else { Budget::UNBOUNDED };
        let mut selection = turn::select(policy, options, &plan, &progress, clock, budget);
        turn::select_copies(policy, options, &plan, &progress, (world.home.as_ref(), clock), &mut selection);
        let outcomes = self.apply(execution, &selection, begun, &look)?;
        if self.sabotage == Some(Sabotage::ForgetsMisses) {
            progress.missed = None;
        }
        let conclusion = turn::conclude(options, &plan, progress, selection, outcomes, saturating_add(self.now, skew));
        if let Some(ahead) = &mut self.ahead {
            ahead.deleted = conclusion.deleted();
        }
        if self.crashes_now() {
            return Err(NoAnswer::Crashed);
        }
        if conclusion.denied.is_some() {
            return Err(NoAnswer::Denied);
        }
        let Conclusion { status, progress, .. } = conclusion;
        match status {
            Status::Waiting { seconds } => Ok(Some((seconds, carried(&progress)))),
            Status::Done(outcome) => {
                self.end(execution, &plan, &progress, outcome, look);
                Ok(None)
            }
        }
    }

    /// What a turn sees, when it did, and when its look began.
    fn look(&mut self, policy: &Policy, progress: &Progress) -> Result<(World, Timestamp, Timestamp), NoAnswer> {
        let (ahead, from) = (self.ahead.take(), self.now);
        let latency = self.random.millis(50, 1_500);
        self.elapse(latency);
        let Some(Ahead { mut world, at, emptied, deleted }) = ahead else {
            let world = self.ec2.observe(policy, &progress.ids_begun(), self.now).map_err(no_answer)?;
            return Ok((world, self.now, from));
        };
        self.ec2.emptied = emptied;
        self.ec2.complete(policy, &progress.ids_begun(), self.now, &mut world);
        world.leave_out(&deleted);
        Ok((world, at, at))
    }

    /// Sometimes the account is listed for the next turn beside the calls of this one. A listing that fails is none.
    fn look_ahead(&mut self, execution: &Execution) {
        if self.crashes > 0 && self.ahead.is_none() && self.random.happens(2_000) {
            let at = self.now;
            let world = self.ec2.list(&execution.version.told, at).ok();
            let emptied = self.ec2.emptied;
            self.ahead = world.map(|world| Ahead { world, at, emptied, deleted: BTreeSet::new() });
        }
    }

    fn apply(
        &mut self,
        execution: &mut Execution,
        selection: &Selection,
        begun: Timestamp,
        look: &Look,
    ) -> Result<Vec<Outcome>, NoAnswer> {
        let mut outcomes = Vec::new();
        let mut sources = Sources::new();
        for action in &selection.actions {
            if self.crashes_now() {
                return Err(NoAnswer::Crashed);
            }
            // Sometimes the function stands still for a while.
            let stands_still = self.crashes > 0 && self.random.happens(50);
            let latency = if stands_still { self.random.seconds(1, 200) } else { self.random.millis(20, 900) };
            self.elapse(latency);
            self.look_ahead(execution);
            self.meddle(action);
            if self.now.duration_since(begun) > FUNCTION_TIMEOUT {
                return Err(NoAnswer::Crashed);
            }
            let checked = self.checked(action.clone(), &selection.actions, &mut sources);
            let action = match &checked {
                Ok(action) => action,
                Err(outcome) => {
                    outcomes.push(outcome.clone());
                    continue;
                }
            };
            execution.calls += 1;
            self.ec2.maker = Some(Maker { execution: execution.number, version: Arc::clone(&execution.version) });
            let outcome = self.ec2.apply(action, self.now);
            self.log(|_| format!("execution {}: {} -> {outcome:?}", execution.number, told(action)));
            self.judge_call(execution, action, &outcome, look);
            if self.crashes_now() {
                return Err(NoAnswer::Crashed);
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// Sometimes somebody does something to a snapshot between the look and the call that is to delete it.
    fn meddle(&mut self, action: &Action) {
        let Action::DeleteSnapshot(delete) = action else { return };
        if self.crashes > 0 && self.random.happens(300) {
            changes::meddle(&mut self.ec2, &mut self.random, delete.snapshot.id, self.now);
            let latency = self.random.millis(20, 3_000);
            self.elapse(latency);
        }
    }

    fn judge_call(&mut self, execution: &Execution, action: &Action, outcome: &Outcome, look: &Look) {
        let hand = execution.hand();
        let fault = match (action, outcome) {
            (Action::CreateSnapshot(create), Outcome::Created(_)) => {
                newest::creation_fault(&hand, create.scheduled_time)
            }
            (Action::CreateSnapshots(create), Outcome::Created(ids)) => {
                newest::creation_fault(&hand, create.scheduled_time).or_else(|| self.members_fault(create, ids))
            }
            (Action::DeleteSnapshot(delete), _) => self.deletion_fault(execution, delete, look),
            (Action::CopySnapshot(copy), _) => self.begun_fault(&hand, &copy.region, look.of_copies()),
            (Action::CreateSnapshot(_) | Action::CreateSnapshots(_), _) => None,
        };
        if let Some(fault) = fault {
            self.broken(format!("execution {} of {}: {fault}", execution.number, execution.start));
        }
    }

    /// What is wrong with the members of a set: it holds a snapshot of each volume that the policy includes, and of no other.
    fn members_fault(&self, create: &CreateSnapshots, ids: &[SnapshotId]) -> Option<String> {
        let life = self.ec2.instances.iter().find(|life| life.is.id == create.instance_id)?;
        let included = life.is.volumes.iter().filter(|volume| self.shape.includes(volume));
        let wanted: BTreeSet<VolumeId> = included.map(|volume| volume.id).collect();
        let of_ids = self.ec2.records.iter().filter(|record| ids.contains(&record.snapshot.id));
        let made: BTreeSet<VolumeId> = of_ids.map(|record| record.snapshot.volume_id).collect();
        (made != wanted).then(|| format!("a set of {} holds {made:?}, and not {wanted:?}", create.instance_id))
    }

    fn deletion_fault(&self, execution: &Execution, delete: &DeleteSnapshot, look: &Look) -> Option<String> {
        let looked_at = look.at;
        let (rules, by_instance) = (&execution.version.rules, self.shape.is_of_instances());
        if let Some((_, region)) = &delete.of_copy {
            let by =
                copies::deletion::By { policy: &execution.version.policy, rules, hand: &execution.hand(), by_instance };
            return self.deleted_fault(by, (region, delete.snapshot.id), look.of_copies());
        }
        let record = self.ec2.records.iter().find(|record| record.snapshot.id == delete.snapshot.id)?;
        if look.sees_images && deletion::was_imaged(record, looked_at, self.now) {
            return Some(format!("R5: {} was to be deleted, but an AMI uses it", delete.snapshot.id));
        }
        if record.removed != Some((self.now, Remover::Run)) {
            return None;
        }
        let stands_back = newest::stands_back(&self.ec2, &execution.hand(), looked_at);
        let why = stands_back.map(|why| format!("{} was deleted, but {why}", delete.snapshot.id));
        let why = why.or_else(|| deletion::fault(&self.ec2, rules, by_instance, record, looked_at, self.now));
        why.or_else(|| {
            let firm = truth::firm_since(looked_at);
            let is_duplicate = deletion::is_duplicate(&self.ec2, by_instance, record, firm, self.now);
            copies::source::fault(&self.ec2, look.of_copies(), (record, is_duplicate), self.now)
        })
    }

    fn end(
        &mut self,
        execution: &Execution,
        plan: &plan::Plan<'_>,
        progress: &Progress,
        outcome: RunOutcome,
        look: Look,
    ) {
        let version = &execution.version;
        let mut report = report::report(&version.told, &version.options, plan, progress, Status::Done(outcome), &[]);
        match self.sabotage {
            Some(Sabotage::AlwaysSucceeds) => report.outcome = Some("SUCCEEDED"),
            Some(Sabotage::NamesNoFailure) => {
                report.failures.clear();
                report.failed = 0;
            }
            _ => {}
        }
        let answer_bytes = serde_json::to_vec(&report).map_or(0, |bytes| bytes.len());
        let ending = Ending {
            start: execution.start,
            begun: execution.begun.unwrap_or(self.now),
            answered: progress.begun,
            look_began: look.began,
            looked_at: look.at,
            emptied: look.emptied,
            stands_back: newest::stands_back(&self.ec2, &execution.hand(), look.at).is_some()
                || plan.stands_back.is_some() && newest::has_later_run(&self.ec2, &execution.hand(), look.at),
            report: &report,
            is_cut_short: plan.cut_short.is_some(),
            answer_bytes,
            calls: execution.calls,
        };
        let ending_is_cut_short = ending.is_cut_short;
        let mut faults = self.ending_faults(execution, &ending);
        faults.extend(self.ending_faults_abroad(execution, &ending));
        self.note_what_is_told(outcome, &report, look.emptied != Emptied::Nothing || ending_is_cut_short);
        // What an empty list hides from a run, the run cannot tell.
        self.note_end(execution, report.outcome == Some("PARTIAL") || look.emptied != Emptied::Nothing);
        self.log(|_| {
            let seen = if look.emptied == Emptied::Nothing {
                String::new()
            } else {
                format!(" ({:?} shown empty)", look.emptied)
            };
            format!("execution {} of {}{seen}: {}", execution.number, execution.start, report.summary)
        });
        *self.told.outcomes.entry(report::outcome_name(outcome)).or_default() += 1;
        for fault in faults {
            self.broken(format!("execution {} of {}: {fault}", execution.number, execution.start));
        }
    }
}

impl Year {
    /// What is wrong with an ending. A disabled policy promises nothing.
    fn ending_faults(&self, execution: &Execution, ending: &Ending<'_>) -> Vec<String> {
        let (ec2, rules, by_instance) = (&self.ec2, &execution.version.rules, self.shape.is_of_instances());
        if execution.version.is_disabled() {
            return Vec::new();
        }
        if execution.version.is_run_now() {
            return judge::ending::faults(ec2, &[judge::Rule::of_run_now()], by_instance, ending);
        }
        let mut faults = judge::ending::faults(ec2, rules, by_instance, ending);
        faults.extend(judge::waiting::faults(ec2, rules, by_instance, ending));
        let is_alone = self.is_alone(execution);
        faults.extend(judge::alarm::faults(ec2, rules, by_instance, ending, is_alone));
        let is_told_since = |time| self.is_told_since(execution.number, time);
        let deployed = self.deployed_at(&execution.version);
        faults.extend(judge::silence::faults(ec2, rules, by_instance, ending, (deployed, &is_told_since)));
        faults
    }
}

fn no_answer(failure: ListFailure) -> NoAnswer {
    match failure {
        ListFailure::AccessDenied => NoAnswer::Denied,
        ListFailure::Throttled | ListFailure::Unavailable => NoAnswer::Busy,
    }
}

/// `Next` travels as JSON.
fn carried(progress: &Progress) -> Progress {
    let text = serde_json::to_string(progress).expect("progress is JSON");
    serde_json::from_str(&text).expect("what was written can be read")
}
