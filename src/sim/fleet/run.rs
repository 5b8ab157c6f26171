//! Whole runs of large accounts, from the first turn to the last, to the millisecond and against EC2's own buckets.
//!
//! The core is the real one: plan, select, conclude, the progress that travels as JSON, and the buckets. The shell
//! around it is a model, and this is all of it. A turn
//!
//! 1. lists the volumes and the snapshots, each listing page by page and both at the same time ([`PAGE`]);
//! 2. plans, which takes no time, and with `Options.Batch` looks at the instances that the plan makes it ask for ([`PAGE`]);
//! 3. makes its creations of either kind and its deletions, each in a lane of its own with [`CALLS_IN_FLIGHT_MAX`] calls at once
//!    ([`CALL`]); no call starts when less of the function's time is left than such a call may take;
//! 4. answers, and Step Functions waits as long as the answer says, with [`HAND_OVER`] for each step.
//!
//! The function stays warm, so it remembers its describe buckets; the others travel in `Next`. A volume holds a week of
//! snapshots, its new one takes [`SNAPSHOT_TAKES`], and then the oldest may go. EC2 takes a call's token when the call
//! starts, and shows at once what was begun and deleted. [`Shell`] holds what the shell could do otherwise.

mod act;
mod shell;
#[cfg(test)]
mod tests;

use super::ec2::Ec2;
use super::held::View;
use super::look::{self, Describe, Listing, Way};
use super::{OLD_SNAPSHOTS, Stage, VOLUMES_OF_TWO};
use crate::options::{Options, Start, StartOrigin};
use crate::pace::{self, Bucket, Limit};
use crate::policy::{Policy, fnv1a};
use crate::turn::{self, Progress, Status, WAITS_SECONDS};
use crate::world::{Sweep, VolumeId};
use act::{Acted, Views};
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
/// As in `aws/observe/filters.rs`: how many instances a call asks for.
pub const FILTER_VALUES_MAX: usize = 200;
/// As in `aws/pace.rs`: how many tokens of each bucket are never used.
const ON_THE_WAY: u32 = 2;
/// As in `aws/observe/snapshots.rs`: the listings of a sweep in parts. EC2's ids fill half of them; that is left out.
const PARTS: usize = 16;
/// As in `main.rs`: what a turn keeps back of the function's time for its answer.
const ANSWER: SignedDuration = SignedDuration::from_secs(2);
/// How many volumes an account may have whose plans are held to every promise; beyond that it takes too long.
const CHECKED_VOLUMES_MAX: u32 = 1_000;
/// A turn is a task, a choice, and a wait or the end; the start of the execution is a transition too.
const TRANSITIONS_PER_TURN: u32 = 3;
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
    policy: Policy,
    options: Options,
    start: Start,
}

/// A run on its way.
struct Run<'r> {
    given: Given<'r>,
    ec2: Ec2,
    views: Views,
    snapshot_pages: Bucket,
    volume_pages: Bucket,
    /// How many snapshots were under way after the last look at all of them.
    pending_known: usize,
    last_id: u32,
    last_created: Option<Timestamp>,
}

/// What a turn came to.
enum Turned {
    Answered { ended: Timestamp, progress: Box<Progress>, status: Status },
    CutOff { ended: Timestamp },
}

/// From when on a turn may begin its calls, by what it has seen.
#[derive(Debug, Clone)]
struct Seen {
    creations_from: Timestamp,
    /// For each part of the volumes.
    deletions_from: Vec<Timestamp>,
    all: Timestamp,
}

/// Runs a policy that keeps seven in an account of so many volumes that hold seven.
///
/// # Panics
/// When a plan breaks a promise.
#[must_use]
pub fn run(volumes: u32, shell: &Shell, conditions: Conditions) -> Ran {
    let mut run = Run::new(volumes, shell, conditions);
    let mut next = written(&Progress::new(&run.given.start));
    let (mut now, mut invocations, mut turns) = (run.given.start.begun, SignedDuration::ZERO, 0);
    // Bounded by turn::TURNS_MAX.
    loop {
        let progress = serde_json::from_value(next).expect("what was written can be read");
        turns += 1;
        let (ended, outcome) = match run.turn(progress, now) {
            Turned::CutOff { ended } => (ended, Ended::CutOff),
            Turned::Answered { ended, status: Status::Done(outcome), .. } => (ended, Ended::Done(outcome)),
            Turned::Answered { ended, progress, status: Status::Waiting { seconds } } => {
                invocations += ended.duration_since(now);
                now = ended + HAND_OVER * HAND_OVERS_PER_TURN + SignedDuration::from_secs(seconds.into());
                next = written(&progress);
                continue;
            }
        };
        invocations += ended.duration_since(now);
        return run.ran(outcome, ended + HAND_OVER * HAND_OVERS_AT_THE_END, turns, invocations);
    }
}

impl<'r> Run<'r> {
    fn new(volumes: u32, shell: &'r Shell, conditions: Conditions) -> Self {
        let at: Timestamp = START.parse().expect("a timestamp");
        let start = Start { at, origin: StartOrigin::Event, begun: at + HAND_OVER };
        let policy = super::policy();
        let whole = View::of(super::world(&policy, volumes, at, Stage::Begun));
        let due = shell.looks_first.then(|| View::of_the_due(&whole.world));
        let options = Options { api_share: conditions.share, batch: conditions.batch, ..Options::default() };
        let describing = |limit: Limit| {
            let mut bucket = Bucket::full(limit.keeping_back(ON_THE_WAY));
            bucket.learn(conditions.share, None, start.begun);
            bucket
        };
        Self {
            given: Given { volumes, shell, policy, options, start },
            ec2: Ec2::new(conditions.others_thousandths, conditions.pending_max, at),
            views: Views { whole, due },
            snapshot_pages: describing(pace::DESCRIBE_SNAPSHOTS),
            volume_pages: describing(pace::DESCRIBE_VOLUMES),
            pending_known: 0,
            // Days of OLD_SNAPSHOTS and one more: the numbers of those that are there.
            last_id: (OLD_SNAPSHOTS + 1) * volumes,
            last_created: None,
        }
    }

    fn turn(&mut self, progress: Progress, now: Timestamp) -> Turned {
        let mut looks_from = now;
        if self.given.shell.asks_for_pending && progress.waits > 0 {
            let pending = self.views.whole.pending_at(now);
            let [listing] = self.read([Listing::of(Describe::Snapshots, pending, now)]);
            looks_from = listing.ended();
            if pending == self.pending_known {
                return still_waiting(progress, looks_from);
            }
        }
        let until = now + SignedDuration::from_secs(self.given.shell.timeout_seconds) - ANSWER;
        let seen = self.look(looks_from, self.listings(&progress));
        if seen.all > until {
            return Turned::CutOff { ended: until };
        }
        let until = until.min(seen.all + SignedDuration::from_secs(self.given.shell.work_seconds_max));
        let acted = act::act(&self.given, &self.views, &mut self.ec2, &mut self.last_id, progress, (now, &seen, until));
        self.note(&acted);
        let Acted { ended, conclusion, .. } = acted;
        let status = self.given.shell.shortened(conclusion.status, &conclusion.done);
        Turned::Answered { ended, progress: Box::new(conclusion.progress), status }
    }

    /// How many listings of snapshots run side by side.
    fn listings(&self, progress: &Progress) -> usize {
        match (self.given.shell.snapshot_listings, turn::look::sweep(progress)) {
            (Some(listings), _) => listings.get(),
            (None, Sweep::Parts) => PARTS,
            (None, Sweep::Whole) => 1,
        }
    }

    /// Looks at the account: what is complete when its page is read counts as complete. All parts of the volumes are
    /// equally large, and all their pages equally full.
    fn look(&mut self, now: Timestamp, tracks: usize) -> Seen {
        let shards = self.given.shell.shards.get();
        let items = self.views.whole.world.snapshots.len();
        let pages = items.div_ceil(tracks * shards).div_ceil(PAGE_ITEMS_MAX).max(1);
        let volumes = Listing::of(Describe::Volumes, self.views.whole.world.volumes.len(), now);
        let due = self.views.due.as_ref().map(|due| Listing::of(Describe::Snapshots, due.world.snapshots.len(), now));
        let has_due = due.is_some();
        let whole = (0..tracks).map(|_| Listing::of_pages(Describe::Snapshots, pages * shards, now));
        let mut listings: Vec<Listing> = std::iter::once(volumes).chain(due).chain(whole).collect();
        self.read_all(&mut listings);

        let (first, whole) = listings.split_at(1 + usize::from(has_due));
        self.views.whole.show(|place, volume| {
            let page = shard_of(volume, shards) * pages + place * pages / items;
            whole.get(place % tracks).map_or(now, |listing| listing.page_read_at(page))
        });
        if let (Some(view), Some(listing)) = (&mut self.views.due, first.get(1)) {
            view.show(|place, _| listing.page_read_at(place / PAGE_ITEMS_MAX));
        }
        let ended = |listings: &[Listing]| listings.iter().map(Listing::ended).max().unwrap_or(now);
        let (first_ended, all) = (ended(first), ended(&listings));
        // The volumes have to be known before anything is decided about their snapshots.
        let volumes_known = listings.first().map_or(now, Listing::ended);
        let shard_ended = |shard: usize| {
            let last_page = (shard + 1) * pages - 1;
            let read = whole.iter().map(|listing| listing.page_read_at(last_page) + PAGE).max().unwrap_or(now);
            read.max(volumes_known)
        };
        let deletions_from = (0..shards).map(shard_ended).collect();
        Seen { creations_from: if has_due { first_ended } else { all }, deletions_from, all }
    }

    fn read<const COUNT: usize>(&mut self, mut listings: [Listing; COUNT]) -> [Listing; COUNT] {
        self.read_all(&mut listings);
        listings
    }

    fn read_all(&mut self, listings: &mut [Listing]) {
        let snapshots = Way { believed: &mut self.snapshot_pages, real: &mut self.ec2.snapshot_pages };
        let volumes = Way { believed: &mut self.volume_pages, real: &mut self.ec2.volume_pages };
        look::read(listings, snapshots, volumes);
    }

    /// Brings the views up to date with what a turn has done.
    fn note(&mut self, acted: &Acted) {
        for (action, began) in &acted.made {
            self.last_created = self.last_created.max(Some(began.at));
            self.views.whole.begin(action, began);
            if let Some(due) = &mut self.views.due {
                due.begin(action, began);
            }
        }
        for id in &acted.deleted {
            self.views.whole.remove(*id);
        }
        self.pending_known = self.views.whole.pending();
    }

    fn ran(&self, outcome: Ended, ended: Timestamp, turns: u32, invocations: SignedDuration) -> Ran {
        let since = |instant: Timestamp| instant.duration_since(self.given.start.at);
        let Ec2 { creations, set_creations, deletions, snapshot_pages, volume_pages, instance_pages, .. } = &self.ec2;
        Ran {
            outcome,
            created_after: self.last_created.map_or(SignedDuration::ZERO, since),
            done_after: since(ended),
            throttled: self.ec2.throttled(),
            calls: Calls {
                creations: creations.calls,
                set_creations: set_creations.calls,
                deletions: deletions.calls,
                snapshot_pages: snapshot_pages.calls,
                volume_pages: volume_pages.calls,
                instance_pages: instance_pages.calls,
            },
            held: self.views.whole.world.snapshots.len(),
            turns,
            invocations,
            transitions: turns * TRANSITIONS_PER_TURN + 1,
        }
    }
}

/// Which part of the volumes one is in.
fn shard_of(volume: VolumeId, shards: usize) -> usize {
    let shards = u64::try_from(shards).unwrap_or(u64::MAX);
    usize::try_from(fnv1a(volume.to_string().bytes()) % shards).unwrap_or(0)
}

/// A turn that saw as many snapshots under way as there were has nothing to do: the next wait of the ladder.
fn still_waiting(mut progress: Progress, ended: Timestamp) -> Turned {
    let step = usize::try_from(progress.waits).unwrap_or(usize::MAX);
    let seconds = *WAITS_SECONDS.get(step).or(WAITS_SECONDS.last()).expect("the ladder has steps");
    progress.turns += 1;
    progress.waits += 1;
    Turned::Answered { ended, progress: Box::new(progress), status: Status::Waiting { seconds } }
}

/// As the answer carries it.
fn written(progress: &Progress) -> serde_json::Value {
    serde_json::to_value(progress).expect("progress is plain data")
}
