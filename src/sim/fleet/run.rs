//! Whole runs of large accounts, from the first turn to the last, to the millisecond and against EC2's own buckets.
//!
//! The core is the real one: plan, select, conclude, the progress that travels as JSON, and the buckets. The shell
//! around it is a model, and this is all of it. A turn
//!
//! 1. lists the volumes and the snapshots, each listing page by page and both at the same time ([`Conditions::page`]);
//! 2. plans, which takes no time;
//! 3. makes its creations and its deletions, each in a lane of its own with [`CALLS_IN_FLIGHT_MAX`] calls at once
//!    ([`CALL`]); no call starts when less of the function's time is left than such a call may take;
//! 4. is followed by another one at once while there is work and time; else the function answers, and Step Functions waits as
//!    long as the answer says, with [`HAND_OVER`] for each step.
//!
//! The function stays warm, so it remembers its describe buckets; the others travel in `Next`. A volume holds a week of
//! snapshots, its new one takes [`SNAPSHOT_TAKES`], and then the oldest may go. EC2 takes a call's token when the call
//! starts, and shows at once what was begun and deleted. [`Shell`] holds what the shell could do otherwise.

mod act;
mod looking;
mod shell;
#[cfg(test)]
mod tests;

use super::ec2::Ec2;
use super::held::View;
use super::{OLD_SNAPSHOTS, Stage};
use crate::options::{Options, Start, StartOrigin};
use crate::pace::{Api, Bucket, ByApi, Known, Share};
use crate::policy::Policy;
use crate::turn::{self, Progress, Status};
use act::Acted;
use jiff::{SignedDuration, Timestamp};
pub use shell::{Calls, Conditions, Ended, Ran, Shell};

/// How long EC2 copies the data of a snapshot: issue 5's T.
pub const SNAPSHOT_TAKES: SignedDuration = SignedDuration::from_mins(30);
/// How long a page of a listing takes to come. Our own guess, a little less than a call that changes something; nothing
/// was measured on AWS.
pub const PAGE: SignedDuration = SignedDuration::from_millis(200);
/// How long a call takes that changes something. A guess too, the one that the design's cost sheet counts with.
pub const CALL: SignedDuration = SignedDuration::from_millis(250);
/// How long Step Functions takes from the end of one state to the beginning of the next, and to an execution's first.
pub const HAND_OVER: SignedDuration = SignedDuration::from_millis(100);
/// As in `aws/observe/paging.rs`: the largest page there is.
pub const PAGE_ITEMS_MAX: usize = 1000;
/// As in `aws/pace.rs`.
pub const CALLS_IN_FLIGHT_MAX: usize = 10;
/// As in `aws/pace.rs`: how many tokens of each bucket are never used.
const ON_THE_WAY: u32 = 2;
/// As in `main.rs`: what a turn keeps back of the function's time for its answer.
const ANSWER: SignedDuration = SignedDuration::from_secs(2);
/// How many volumes an account may have whose plans are held to every promise; beyond that it takes too long.
const CHECKED_VOLUMES_MAX: u32 = 1_000;
/// An invocation is a task, a choice, and a wait or the end; the start of the execution is a transition too.
const TRANSITIONS_PER_INVOCATION: u32 = 3;
/// From the end of one turn to the beginning of the next, the wait aside: to the choice, to the wait, to the task.
const HAND_OVERS_PER_TURN: i32 = 3;
/// From the end of the last turn to the end of the execution: to the choice, to the end.
const HAND_OVERS_AT_THE_END: i32 = 2;
/// When all of these runs start: any day does.
const START: &str = "2026-11-22T17:00:00Z";

/// What does not change in a run.
struct Given<'r> {
    volumes: u32,
    shell: &'r Shell,
    conditions: Conditions,
    policy: Policy,
    options: Options,
    start: Start,
}

/// A run on its way.
struct Run<'r> {
    given: Given<'r>,
    ec2: Ec2,
    /// All that there is.
    whole: View,
    /// Our buckets of what lists.
    describing: ByApi<Bucket>,
    last_id: u32,
    last_created: Option<Timestamp>,
}

/// What a turn came to.
enum Turned {
    Answered { ended: Timestamp, progress: Box<Progress>, status: Status },
    CutOff { ended: Timestamp },
}

/// A look at the account.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// When it began.
    from: Timestamp,
    /// When all of it was read.
    read: Timestamp,
    /// When a turn could begin with it.
    all: Timestamp,
}

/// Runs a policy that keeps seven in an account of so many volumes that hold seven.
///
/// # Panics
/// When a plan breaks a promise.
#[must_use]
pub fn run(volumes: u32, shell: &Shell, conditions: Conditions) -> Ran {
    let mut run = Run::new(volumes, shell, conditions);
    let mut next = Progress::new(&run.given.start);
    let (mut now, mut used) = (run.given.start.begun, Used::default());
    // Bounded by turn::TURNS_MAX.
    loop {
        let begun = now;
        let (ended, answer) = run.invocation(next, begun, &mut used);
        used.invocations += 1;
        used.seconds += ended.duration_since(begun);
        match answer {
            Ok((progress, seconds)) => {
                now = ended + HAND_OVER * HAND_OVERS_PER_TURN + SignedDuration::from_secs(seconds.into());
                next = progress;
            }
            Err(outcome) => return run.ran(outcome, ended + HAND_OVER * HAND_OVERS_AT_THE_END, used),
        }
    }
}

/// What a run has used so far.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    turns: u32,
    invocations: u32,
    seconds: SignedDuration,
}

impl Seen {
    fn took(&self) -> SignedDuration {
        self.read.duration_since(self.from)
    }
}

impl<'r> Run<'r> {
    fn new(volumes: u32, shell: &'r Shell, conditions: Conditions) -> Self {
        let at: Timestamp = START.parse().expect("a timestamp");
        let start = Start { at, origin: StartOrigin::Event, begun: at + HAND_OVER, came_back: false };
        let policy = super::policy();
        let whole = View::of(super::world(&policy, volumes, at, Stage::Begun));
        let options = Options { api_share: conditions.share, ..Options::default() };
        let describing = |api| believed(api, conditions.share, None, start.begun);
        Self {
            given: Given { volumes, shell, conditions, policy, options, start },
            ec2: Ec2::new(conditions.others_thousandths, conditions.pending_max, at),
            whole,
            describing: ByApi::of(describing),
            // Days of OLD_SNAPSHOTS and one more: the numbers of those that are there.
            last_id: (OLD_SNAPSHOTS + 1) * volumes,
            last_created: None,
        }
    }

    /// One invocation, turn after turn while there is work: when it ended, and its `Next` and wait, or how the run ended.
    fn invocation(
        &mut self,
        mut progress: Progress,
        begun: Timestamp,
        used: &mut Used,
    ) -> (Timestamp, Result<(Progress, u32), Ended>) {
        let until = begun + SignedDuration::from_secs(self.given.shell.timeout_seconds) - ANSWER;
        let mut seen = self.look(begun);
        // Bounded by the function's time.
        loop {
            used.turns += 1;
            match self.turn(carried(&progress), seen, until) {
                Turned::CutOff { ended } => return (ended, Err(Ended::CutOff)),
                Turned::Answered { ended, status: Status::Done(outcome), .. } => {
                    return (ended, Err(Ended::Done(outcome)));
                }
                Turned::Answered { ended, progress: next, status: Status::Waiting { seconds } } => {
                    if seconds > 0 || !turn::look::has_time_for_another(ended, seen.took(), until) {
                        return (ended, Ok((*next, seconds)));
                    }
                    seen = self.look_again(seen, ended, until);
                    progress = *next;
                }
            }
        }
    }

    fn turn(&mut self, progress: Progress, seen: Seen, until: Timestamp) -> Turned {
        if seen.all > until {
            return Turned::CutOff { ended: until };
        }
        let until = self.works_until(seen, until);
        let world = &self.whole.world;
        let acted = act::act(&self.given, world, &mut self.ec2, &mut self.last_id, progress, (&seen, until));
        self.note(&acted);
        let Acted { ended, conclusion, .. } = acted;
        let status = self.given.shell.shortened(conclusion.status, &conclusion.done);
        Turned::Answered { ended, progress: Box::new(conclusion.progress), status }
    }

    /// Brings the views up to date with what a turn has done.
    fn note(&mut self, acted: &Acted) {
        for (action, began) in &acted.made {
            self.last_created = self.last_created.max(Some(began.at));
            self.whole.begin(action, began);
        }
        for id in &acted.deleted {
            self.whole.remove(*id);
        }
    }

    fn ran(&self, outcome: Ended, ended: Timestamp, used: Used) -> Ran {
        let since = |instant: Timestamp| instant.duration_since(self.given.start.at);
        Ran {
            outcome,
            created_after: self.last_created.map_or(SignedDuration::ZERO, since),
            done_after: since(ended),
            throttled: self.ec2.throttled(),
            calls: Calls(self.ec2.buckets.map(|_, real| real.calls)),
            held: self.whole.world.snapshots.len(),
            turns: used.turns,
            invocations: used.invocations,
            invoked: used.seconds,
            transitions: used.invocations * TRANSITIONS_PER_INVOCATION + 1,
        }
    }
}

/// Our bucket of a call, by what is known of it.
fn believed(api: Api, share: Share, known: Option<Known>, now: Timestamp) -> Bucket {
    let mut bucket = Bucket::full(api.documented().keeping_back(ON_THE_WAY));
    bucket.learn(share, known, now);
    bucket
}

/// As the answer carries it.
fn carried(progress: &Progress) -> Progress {
    let written = serde_json::to_value(progress).expect("progress is plain data");
    serde_json::from_value(written).expect("what was written can be read")
}
