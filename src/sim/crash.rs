//! Exhaustive crash points: a run that crashes before or after any one of its EC2 calls, and is taken up again.

use super::by_id;
use super::ec2::{Abroad, Ec2, Faults, abroad};
use super::life::Record;
use super::random::Random;
use super::shape::Shape;
use crate::action::{Action, Outcome};
use crate::options::{Options, Start, StartOrigin, WhenStopped};
use crate::place::Region;
use crate::plan::due::saturating_add;
use crate::plan::{self, check};
use crate::policy::{CopyRule, Policy};
use crate::turn::{self, Budget, Progress, RunOutcome, Status};
use crate::world::{Asks, World};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// When a run crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Just before the call.
    Before,
    /// After it took effect, before anybody heard of it.
    After,
}

/// How a crashed run is taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// By a new execution of the same event.
    FromScratch,
    /// By the state machine, with the last `Next`.
    WithNext,
}

/// A run that crashed, and how it ended all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which call of the run, from 1 on.
    pub call: usize,
    /// What that call was.
    pub name: String,
    /// When it crashed.
    pub moment: Moment,
    /// How it was taken up.
    pub resume: Resume,
    /// What there was in the end.
    pub end: End,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// What it says.
    pub outcome: RunOutcome,
    /// What the account holds: volume, schedule, scheduled time and state of each snapshot, sorted.
    pub holds: Vec<String>,
}

/// How the turns of a run look at the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Lists lag up to 60 s.
    pub lists_lag: bool,
    /// They look at another Region too, which all snapshots are copied to.
    pub other_region: bool,
}

impl Sight {
    /// All there are.
    pub const ALL: [Self; 4] = [
        Self { lists_lag: false, other_region: false },
        Self { lists_lag: true, other_region: false },
        Self { lists_lag: false, other_region: true },
        Self { lists_lag: true, other_region: true },
    ];
}

/// The run without a crash, and one row for each call, moment and way to resume.
#[must_use]
pub fn table(shape: Shape, sight: Sight) -> (End, Vec<Row>) {
    let mut names = Vec::new();
    let (whole, _) = run(shape, sight, None, Resume::WithNext, &mut names);
    let mut rows = Vec::new();
    for (position, name) in names.iter().enumerate() {
        for moment in [Moment::Before, Moment::After] {
            for resume in [Resume::WithNext, Resume::FromScratch] {
                let (end, has_crashed) = run(shape, sight, Some((position, moment)), resume, &mut Vec::new());
                assert!(has_crashed, "the run makes call {position} again");
                rows.push(Row { call: position + 1, name: name.clone(), moment, resume, end });
            }
        }
    }
    (whole, rows)
}

/// 2026-11-22T17:00:00Z.
const START: i64 = 1_795_366_800;

/// How long until a crashed turn is taken up: the first interval of the state machine.
const UNTIL_RESUMED: SignedDuration = SignedDuration::from_secs(30);

/// A run that may crash at one call. The names of its calls go to `names`.
fn run(
    shape: Shape,
    sight: Sight,
    crash: Option<(usize, Moment)>,
    resume: Resume,
    names: &mut Vec<String>,
) -> (End, bool) {
    let mut policy = shape.policy();
    if sight.other_region {
        policy.schedules.iter_mut().for_each(|schedule| schedule.copies = vec![copy_rule()]);
    }
    // What was missed before the run is not what this is about.
    let options = Options { stopped: WhenStopped::Tell, ..shape.options() };
    let at = Timestamp::from_second(START).expect("a time in 2026");
    let mut ec2 = if sight.other_region { copied(shape, &policy, &options, at) } else { furnished(shape, &policy, at) };
    let faults = Faults { lag: if sight.lists_lag { 9_000 } else { 0 }, ..Faults::NONE };
    ec2.faults = faults;
    ec2.abroad.iter_mut().flat_map(|abroad| abroad.regions.values_mut()).for_each(|there| there.faults = faults);
    // A copy of the same hour some days ago has expired by then, and does not while the run goes on.
    let late = SignedDuration::from_mins(if sight.other_region { 30 } else { 0 });
    let mut driver = Driver { ec2, now: saturating_add(at, late), made: 0, crash, has_crashed: false, names };
    let outcome = driver.run(&policy, &options, at, resume);
    if sight.other_region && sight.lists_lag {
        // What a list did not show the run before it ended is the next one's to see to.
        let has_crashed = driver.has_crashed;
        let tomorrow = saturating_add(at, SignedDuration::from_hours(24));
        let now = saturating_add(tomorrow, late);
        let mut next =
            Driver { ec2: driver.ec2, now, made: 0, crash: None, has_crashed: false, names: &mut Vec::new() };
        next.run(&policy, &options, tomorrow, Resume::WithNext);
        return (End { outcome, holds: holds(&next.ec2, next.now) }, has_crashed);
    }
    (End { outcome, holds: holds(&driver.ec2, driver.now) }, driver.has_crashed)
}

/// Where copies go and how long they stay.
fn copy_rule() -> CopyRule {
    CopyRule::parse("eu-west-2:2d:-").expect("a rule")
}

/// The same as [`furnished`] makes, by the runs of the three days before, with the copies.
fn copied(shape: Shape, policy: &Policy, options: &Options, at: Timestamp) -> Ec2 {
    let mut ec2 = Ec2::new(Random::new(1));
    let home = Region::parse("us-east-1").expect("a Region");
    ec2.abroad = Some(Abroad::new(home, [copy_rule().region], Random::new(2)));
    let long_ago = saturating_add(at, -SignedDuration::from_hours(24 * 30));
    shape.add_source(&mut ec2, long_ago, true);
    shape.add_source(&mut ec2, long_ago, true);
    for days_ago in [3, 2, 1] {
        let started = saturating_add(at, -SignedDuration::from_hours(24 * days_ago));
        let mut driver = Driver { ec2, now: started, made: 0, crash: None, has_crashed: false, names: &mut Vec::new() };
        driver.run(policy, options, started, Resume::WithNext);
        ec2 = driver.ec2;
    }
    ec2
}
/// Two volumes or instances, each with as many snapshots as its schedule keeps.
fn furnished(shape: Shape, policy: &Policy, at: Timestamp) -> Ec2 {
    let mut ec2 = Ec2::new(Random::new(1));
    let long_ago = saturating_add(at, -SignedDuration::from_hours(24 * 30));
    shape.add_source(&mut ec2, long_ago, true);
    shape.add_source(&mut ec2, long_ago, true);
    for days_ago in [3, 2, 1] {
        let started = saturating_add(at, -SignedDuration::from_hours(24 * days_ago));
        let world = ec2.observe(policy, &BTreeSet::new(), started).expect("nothing fails");
        let options = Options::default();
        let start = Start { at: started, origin: StartOrigin::Event, begun: started, came_back: false };
        let plan = plan::plan(policy, &options, &start, started, &world);
        for action in
            plan.targets.iter().filter_map(|decision| plan::call::creation(policy, &options, started, decision))
        {
            let _ = ec2.apply(&action, started);
        }
    }
    ec2
}

fn holds(ec2: &Ec2, now: Timestamp) -> Vec<String> {
    let line = |record: &Record| {
        let snapshot = &record.snapshot;
        let time = snapshot.marks.scheduled_time.value().map_or_else(String::new, ToString::to_string);
        let state = if record.is_complete(now) { "completed" } else { "not complete" };
        format!("{} {} {time} {state}", snapshot.volume_id, snapshot.description)
    };
    let mut holds: Vec<String> = ec2.records.iter().filter(|record| record.exists(now)).map(line).collect();
    let there = ec2.abroad.iter().flat_map(|abroad| &abroad.regions);
    holds.extend(there.flat_map(|(region, there)| {
        let copies = there.copies.iter().filter(|copy| copy.record.exists(now));
        copies.map(move |copy| {
            let of = line(&copy.of);
            let state = if copy.record.is_complete(now) { "completed" } else { "not complete" };
            format!("{region}: a copy, {state}, of {of}")
        })
    }));
    holds.sort();
    holds
}

struct Driver<'n> {
    ec2: Ec2,
    now: Timestamp,
    made: usize,
    crash: Option<(usize, Moment)>,
    has_crashed: bool,
    names: &'n mut Vec<String>,
}

impl Driver<'_> {
    /// The run of a scheduled time from now on.
    fn run(&mut self, policy: &Policy, options: &Options, at: Timestamp, resume: Resume) -> RunOutcome {
        let begin = |now| Progress::new(&Start { at, origin: StartOrigin::Event, begun: now, came_back: false });
        let mut progress = begin(self.now);
        // Bounded by turn::TURNS_MAX.
        loop {
            match self.turn(policy, options, progress.clone()) {
                None => {
                    self.now = saturating_add(self.now, UNTIL_RESUMED);
                    if resume == Resume::FromScratch {
                        progress = begin(self.now);
                    }
                }
                Some((Status::Waiting { seconds }, next)) => {
                    self.now = saturating_add(self.now, SignedDuration::from_secs(i64::from(seconds)));
                    progress = next;
                }
                Some((Status::Done(outcome), _)) => return outcome,
            }
        }
    }

    /// Counts a call, and says whether the function crashes at this moment of it.
    fn crashes(&mut self, moment: Moment) -> bool {
        let crashes = !self.has_crashed && self.crash == Some((self.made, moment));
        self.has_crashed |= crashes;
        if moment == Moment::After || crashes {
            self.made += 1;
        }
        crashes
    }

    /// A turn; `None` when it crashes.
    fn turn(&mut self, policy: &Policy, options: &Options, mut progress: Progress) -> Option<(Status, Progress)> {
        self.names.push("Describe".to_owned());
        if self.crashes(Moment::Before) {
            return None;
        }
        let mut world = self.ec2.observe(policy, &progress.ids_begun(), self.now).expect("nothing fails");
        self.ec2.look_abroad((policy, options), &progress, self.now, &mut world);
        if self.crashes(Moment::After) {
            return None;
        }
        progress.note_look(&policy.id, &world, self.now, options.settling);
        progress.copies.note_look(policy, &world, self.now, options.settling);
        let looks = |asks: &Asks, world: &mut World| self.ec2.look_closer(asks, self.now, world);
        by_id::look_closer(policy, options, (&progress.start(), self.now), &mut world, looks).expect("nothing fails");
        let plan = plan::plan(policy, options, &progress.start(), self.now, &world);
        assert_eq!(check::check(policy, options, self.now, &world, &plan), vec![], "a plan keeps every promise");
        let mut selection = turn::select(policy, options, &plan, &progress, self.now, Budget::UNBOUNDED);
        let home = (world.home.as_ref(), self.now);
        turn::select_copies(policy, options, &plan, &progress, home, &mut selection);
        let mut outcomes = Vec::new();
        for action in &selection.actions {
            outcomes.push(self.call(action)?);
        }
        let conclusion = turn::conclude(options, &plan, progress, selection, outcomes, self.now);
        Some((conclusion.status, conclusion.progress))
    }

    fn call(&mut self, action: &Action) -> Option<Outcome> {
        self.names.push(action.api().name().to_owned());
        self.now = saturating_add(self.now, SignedDuration::from_millis(200));
        if self.crashes(Moment::Before) {
            return None;
        }
        let outcome = self.apply(action);
        if self.crashes(Moment::After) { None } else { Some(outcome) }
    }

    /// What is to be copied is looked at once more just before.
    fn apply(&mut self, action: &Action) -> Outcome {
        let Action::CopySnapshot(copy) = action else { return self.ec2.apply(action, self.now) };
        let seen = self.ec2.sources(&[copy.source.id], self.now);
        match abroad::checked(copy.clone(), seen.as_ref()) {
            Ok(copy) => self.ec2.apply(&Action::CopySnapshot(copy), self.now),
            Err(outcome) => outcome,
        }
    }
}

/// The table of a shape as text, and whether all ends are equal.
#[must_use]
pub fn text(shape: Shape, sight: Sight) -> (String, bool) {
    let (whole, rows) = table(shape, sight);
    let lists = if sight.lists_lag { "lists that lag up to 60 s" } else { "lists that show everything" };
    let lists = if sight.other_region { format!("{lists}, with copies") } else { lists.to_owned() };
    let mut text = format!("{}, {lists}; without a crash: {}\n", shape.name(), words(&whole));
    text.push_str("call                      moment  resumed       end\n");
    for row in &rows {
        let end = if row.end == whole { "equal".to_owned() } else { words(&row.end) };
        let moment = format!("{:?}", row.moment).to_lowercase();
        let resumed = match row.resume {
            Resume::FromScratch => "from scratch",
            Resume::WithNext => "with Next",
        };
        text.push_str(&format!("{:>3} {:<21} {moment:<7} {resumed:<13} {end}\n", row.call, row.name));
    }
    let different = rows.iter().filter(|row| row.end != whole).count();
    text.push_str(&format!("{} crashes, {different} different ends\n", rows.len()));
    (text, different == 0)
}

fn words(end: &End) -> String {
    format!("{:?} with {} snapshots: {}", end.outcome, end.holds.len(), end.holds.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shape: Shape, sight: Sight, calls_min: usize) {
        let (whole, rows) = table(shape, sight);
        assert_eq!(whole.outcome, RunOutcome::Succeeded);
        assert!(rows.len() >= 4 * calls_min, "{} rows", rows.len());
        let others: Vec<_> = rows.iter().filter(|row| row.end != whole).collect();
        assert_eq!(others, Vec::<&Row>::new());
    }

    #[test]
    fn wherever_a_run_of_the_sample_policy_crashes_it_ends_the_same() {
        // Two lists at least, two creations and two deletions.
        for sight in Sight::ALL {
            check(Shape::DailyByCount, sight, 6);
        }
    }

    #[test]
    fn wherever_a_run_of_an_instance_policy_crashes_it_ends_the_same() {
        // Two lists at least, two creations and four deletions.
        // With another Region it takes longer than a start window, so that a run that is begun anew says that it came too late.
        for sight in Sight::ALL.into_iter().filter(|sight| !sight.other_region) {
            check(Shape::Instances, sight, 8);
        }
    }

    #[test]
    fn wherever_a_run_of_any_policy_crashes_it_ends_the_same() {
        for shape in crate::sim::shape::SHAPES {
            check(shape, Sight { lists_lag: false, other_region: false }, 4);
        }
    }
}
