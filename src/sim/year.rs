//! A year in an account that lies, stalls and crashes, all of it from one seed.
//!
//! Events happen in the order of their times. While a turn is between two of its calls, time passes for everybody: other
//! executions take turns, people change things, and what the turn saw becomes old.

mod abroad;
mod acts;
mod calendar;
mod invocation;
mod lines;

use super::changes;
use super::copying;
use super::ec2::Ec2;
use super::execution::Execution;
use super::judge::{copies, year_end};
use super::life::Span;
use super::random::Random;
use super::sabotage::Sabotage;
use super::shape::Shape;
use super::version::Version;
use crate::plan::due::saturating_add;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// How long the account has peace before the year is judged: longer than anything is kept, and than a failed snapshot
/// and all that tells of it stays.
const CALM: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How many broken promises of a year are told.
const TOLD_MAX: usize = 20;

/// The function's own timeout (template.yaml): a turn that takes longer is ended by Lambda.
const FUNCTION_TIMEOUT: SignedDuration = SignedDuration::from_secs(300);

/// What came of a year.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The promises that were broken, the first ones.
    pub broken: Vec<String>,
    /// How many executions there were.
    pub executions: u64,
    /// How many turns.
    pub turns: u64,
    /// How many calls that change something.
    pub calls: u64,
    /// How many executions ended with each outcome; `FAILED` stands for those that end with an error.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// What happened, line by line, where it was asked for.
    pub log: Vec<String>,
}

#[derive(Debug)]
enum Event {
    /// Something happens in another Region, or to what copies to it.
    Abroad,
    /// Somebody does something to the policy, the events or the tags.
    Act,
    /// Somebody does something to the account.
    Change,
    Season,
    /// EventBridge delivers a start with this version of the policy.
    Start {
        scheduled: Timestamp,
        version: Arc<Version>,
    },
    /// A time at which schedules may be due.
    Tick,
    Turn(Box<Execution>),
}

/// A year as it goes on.
#[derive(Debug)]
struct Year {
    shape: Shape,
    sabotage: Option<Sabotage>,
    /// What new starts carry.
    deployed: Arc<Version>,
    /// All versions that there were, the last one last.
    versions: Vec<Arc<Version>>,
    /// When starts began to carry what they carry now.
    deployed_since: Timestamp,
    /// The executions that are under way.
    under_way: BTreeSet<u64>,
    /// When executions last took a turn, each with its number.
    turns_taken: VecDeque<(Timestamp, u64)>,
    /// When the last executions failed, each with its number.
    failed: VecDeque<(Timestamp, u64)>,
    /// Whether who writes a version says when.
    has_revisions: bool,
    /// Executions of the last time as they were before one of their turns.
    remembered: VecDeque<Execution>,
    /// The listing for the next turn of this invocation, where it was made beside the calls of the last one.
    ahead: Option<invocation::Ahead>,
    /// What was promised in other Regions.
    ledger: copies::Ledger,
    ec2: Ec2,
    random: Random,
    now: Timestamp,
    calm: Timestamp,
    queue: BTreeMap<(Timestamp, u64), Event>,
    queued: u64,
    crashes: u64,
    wants_log: bool,
    told: Told,
}

/// How long the year of a seed lasts, in days.
#[must_use]
pub fn days(seed: u64) -> i64 {
    if copying::has_copies(seed) { copying::DAYS } else { 365 }
}

/// So many days of a seed's year, the last two weeks without faults.
#[must_use]
pub fn run(seed: u64, days: i64, sabotage: Option<Sabotage>, wants_log: bool) -> Told {
    let shape = Shape::of_seed(seed);
    let mut abroad = copying::has_copies(seed).then(|| copying::abroad(seed));
    let (mut policy, mut options) = (shape.policy(), shape.options());
    if let Some(abroad) = &mut abroad {
        policy = copying::with_rules(policy, &mut abroad.random);
        options.copy_regions = copying::others().collect();
    }
    let version = Arc::new(Version::new(policy, options, sabotage));
    let first = Timestamp::from_second(FIRST_DAY).expect("a time in 2026");
    let end = saturating_add(first, SignedDuration::from_hours(24 * days));
    let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ seed);
    let mut ec2 = Ec2::new(Random::new(random.number()));
    ec2.sabotage = sabotage;
    ec2.abroad = abroad;
    shape.furnish(&mut ec2, &mut random, first);
    let mut year = Year {
        shape,
        sabotage,
        deployed: Arc::clone(&version),
        versions: vec![version],
        deployed_since: first,
        under_way: BTreeSet::new(),
        turns_taken: VecDeque::new(),
        failed: VecDeque::new(),
        has_revisions: random.happens(5_000),
        remembered: VecDeque::new(),
        ahead: None,
        ledger: copies::Ledger::default(),
        ec2,
        random,
        now: first,
        calm: saturating_add(end, -CALM),
        queue: BTreeMap::new(),
        queued: 0,
        crashes: 0,
        wants_log,
        told: Told::default(),
    };
    year.fill(first, end);
    year.fill_abroad(first);
    year.go_on();
    year.judge_the_end(end);
    year.told.calls = year.ec2.calls;
    year.told
}

/// 2026-01-01T00:00:00Z.
const FIRST_DAY: i64 = 1_767_225_600;

impl Year {
    fn log(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.wants_log {
            let line = format!("{} {}", self.now, line(self));
            self.told.log.push(line);
        }
    }

    fn broken(&mut self, promise: String) {
        self.log(|_| format!("BROKEN: {promise}"));
        if self.told.broken.len() < TOLD_MAX {
            let promise = format!("{}: {promise}", self.now);
            self.told.broken.push(promise);
        }
    }

    fn push(&mut self, at: Timestamp, event: Event) {
        self.queued += 1;
        self.queue.insert((at, self.queued), event);
    }

    /// Until nothing happens any more.
    fn go_on(&mut self) {
        // Bounded: every execution ends, and all else was known beforehand.
        while let Some(((at, _), event)) = self.queue.pop_first() {
            self.now = self.now.max(at);
            self.happen(event);
        }
    }

    /// Lets time pass for everybody.
    fn elapse(&mut self, duration: SignedDuration) {
        let until = saturating_add(self.now, duration);
        // Bounded by what happens in that time.
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((at, _), event) = entry.remove_entry();
            self.now = self.now.max(at);
            self.happen(event);
        }
        self.now = self.now.max(until);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Change => {
                let change = changes::happen(self.shape, &mut self.ec2, &mut self.random, self.now);
                self.ec2.fail_copies_of_what_is_gone(self.now);
                self.log(|_| format!("somebody: {change:?}"));
            }
            Event::Abroad => self.happen_abroad(),
            Event::Act => self.act(),
            Event::Season => {
                self.season();
                self.season_abroad();
            }
            Event::Tick => self.tick(),
            Event::Start { scheduled, version } => {
                self.told.executions += 1;
                self.note_promises();
                self.ec2.forget(self.now);
                let execution = Execution::new(self.told.executions, scheduled, version);
                self.turn(execution);
            }
            Event::Turn(execution) => self.turn(*execution),
        }
    }

    fn crashes_now(&mut self) -> bool {
        self.random.happens(self.crashes)
    }

    /// One turn of an execution, and what Step Functions makes of it.
    fn turn(&mut self, mut execution: Execution) {
        if self.crashes > 0 && self.random.happens(self.crashes / 10) {
            self.log(|_| format!("execution {} is lost", execution.number));
            self.ledger.note_told(self.now, None);
            self.note_end(&execution, true);
            return;
        }
        execution.takes_a_turn(self.now);
        self.turns_taken.push_back((self.now, execution.number));
        if self.turns_taken.len() > TURNS_TAKEN_MAX {
            self.turns_taken.pop_front();
        }
        self.under_way.insert(execution.number);
        let from = self.now;
        let attempted = self.attempt(&mut execution);
        execution.ended = Some(self.now);
        if attempted.is_err() {
            let until = saturating_add(self.now, SignedDuration::from_millis(1));
            execution.lost.push(Span { from, until });
        }
        match attempted {
            Ok(None) => {}
            Ok(Some((seconds, next))) => {
                execution.goes_on_with(next);
                self.remember(&execution);
                let at = saturating_add(self.now, SignedDuration::from_millis(i64::from(seconds) * 1_000 + 50));
                self.push(at, Event::Turn(Box::new(execution)));
            }
            Err(why) => {
                self.log(|_| format!("execution {}: {why:?}", execution.number));
                match execution.tries_again_at(why, self.now, &mut self.random) {
                    Some(at) => self.push(at, Event::Turn(Box::new(execution))),
                    None => {
                        self.ledger.note_told(self.now, None);
                        self.note_end(&execution, true);
                        *self.told.outcomes.entry("FAILED").or_default() += 1;
                    }
                }
            }
        }
    }

    /// An execution is over; one that has failed has told somebody so.
    fn note_end(&mut self, execution: &Execution, has_failed: bool) {
        self.under_way.remove(&execution.number);
        if has_failed {
            self.failed.push_back((self.now, execution.number));
            if self.failed.len() > FAILED_MAX {
                self.failed.pop_front();
            }
        }
    }

    /// Whether an execution has failed since `time`, or another one may still do so.
    fn is_told_since(&self, number: u64, time: Timestamp) -> bool {
        self.failed.iter().any(|&(at, _)| at >= time) || self.under_way.iter().any(|&other| other != number)
    }

    /// Whether no other execution has taken a turn since one began, and every invocation of it has given an answer.
    fn is_alone(&self, execution: &Execution) -> bool {
        let mut others = self.turns_taken.iter().filter(|(_, number)| *number != execution.number);
        execution.lost.is_empty() && !others.any(|&(at, _)| execution.begun.is_none_or(|begun| begun <= at))
    }

    /// Since when starts carry a version; now for one that is not the last.
    fn deployed_at(&self, version: &Arc<Version>) -> Timestamp {
        if Arc::ptr_eq(version, &self.deployed) { self.deployed_since } else { self.now }
    }

    fn judge_the_end(&mut self, end: Timestamp) {
        let mut last = end;
        // Bounded by the hours of the calm.
        while last > self.calm && !(last < end && self.deployed.is_due_at(last)) {
            last = saturating_add(last, -TICK);
        }
        let by_instance = self.shape.is_of_instances();
        for fault in year_end::faults(&self.ec2, &self.deployed.rules, by_instance, self.calm, last, self.now) {
            self.broken(fault);
        }
        self.judge_the_end_abroad(last);
    }
}

/// How many turns are remembered: more than those of a run beside another one.
const TURNS_TAKEN_MAX: usize = 200;

/// How many failed executions are remembered: those of some days.
const FAILED_MAX: usize = 20;

/// How far two starts lie apart at least.
const TICK: SignedDuration = SignedDuration::from_hours(1);

const SKEW_MILLIS: i64 = 30_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::judge::SKEW_MAX;

    #[test]
    fn the_skew_is_the_judges() {
        assert_eq!(SKEW_MAX, SignedDuration::from_millis(SKEW_MILLIS));
    }
}
