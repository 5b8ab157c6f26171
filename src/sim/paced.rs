//! Whole runs through EC2's buckets, beside others who draw from them, in a function that forgets all but `Next`.

use super::Account;
use crate::action::{Action, Outcome};
use crate::fixtures::*;
use crate::options::Options;
use crate::pace::{Api, Bucket, ByApi, Pace, Share};
use crate::plan;
use crate::plan::due::saturating_add;
use crate::turn::{self, Budget, Progress, RunOutcome, Status};
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;

const START: &str = "2026-11-22T17:00:00Z";
/// EC2's refill of one token.
const TICK: SignedDuration = SignedDuration::from_millis(200);
/// What the function has for the calls of a turn: Lambda's 300 s in template.yaml without the patience for the last one.
const SLICE: SignedDuration = SignedDuration::from_secs(280);

/// EC2's own bucket of one action, in thousandths of a token.
struct Real {
    tokens: u32,
    filled_at: Timestamp,
    others: u32,
}

impl Real {
    /// A full one, of which others take so many thousandths of each token that flows in.
    fn beside(others: u32) -> Self {
        Self { tokens: 100_000, filled_at: at(START), others }
    }

    fn takes(&mut self, now: Timestamp) -> bool {
        // Bounded by the ticks of a run.
        while self.filled_at < now {
            self.filled_at += TICK;
            self.tokens = (self.tokens + 1_000).min(100_000).saturating_sub(self.others);
        }
        let is_there = self.tokens >= 1_000;
        self.tokens -= if is_there { 1_000 } else { 0 };
        is_there
    }
}

/// One lane of a turn: what waits, and what the function and EC2 make of it.
struct Lane<'r> {
    bucket: Bucket,
    real: &'r mut Real,
    waiting: VecDeque<(usize, Action)>,
    throttled: u32,
}

impl Lane<'_> {
    /// Makes the calls that may start now.
    fn calls(&mut self, account: &mut Account, now: Timestamp, outcomes: &mut [Outcome]) {
        // Bounded by what waits.
        while !self.waiting.is_empty() && self.bucket.take_by(now, now).is_some() {
            if !self.real.takes(now) {
                self.throttled += 1;
                self.bucket.throttled(self.bucket.epoch(), now);
            } else if let Some((position, action)) = self.waiting.pop_front() {
                self.bucket.succeeded(now);
                outcomes[position] = account.apply(&action, now);
            }
        }
    }
}

/// What a run came to.
#[derive(Debug)]
struct Ran {
    outcome: RunOutcome,
    seconds: i64,
    throttled: u32,
}

/// A run of a policy that keeps one, in an account of so many volumes that have one each.
fn run(volumes: u32, others: u32, per_cent: u32) -> Ran {
    let (policy, start) = (policy(vec![daily("Default Schedule", count(1))]), start(START));
    let options = Options { api_share: Share::of_per_cent(per_cent).unwrap(), ..Options::default() };
    let mut account = Account::new(volumes, SignedDuration::from_secs(60));
    for number in 1..=volumes {
        account.add_snapshot(snapshot(number, number, "2026-11-21T17:00:00Z"));
    }
    let (mut creations, mut deletions) = (Real::beside(others), Real::beside(others));
    let (mut next, mut now) = (serde_json::to_value(Progress::new(&start)).unwrap(), start.begun);
    let mut throttled = 0;
    // Bounded by turn::TURNS_MAX.
    loop {
        let mut progress: Progress = serde_json::from_value(next).unwrap();
        let mut buckets = ByApi::of(|api| {
            let mut bucket = Bucket::full(api.documented());
            bucket.learn(options.api_share, progress.pace.known(api), now);
            bucket
        });
        let until = saturating_add(now, SLICE);
        let budget: Budget = buckets.map(|_, bucket| usize::try_from(bucket.calls_before_at_best(now, until)).unwrap());
        let world = account.observe(now);
        let plan = plan::plan(&policy, &options, &start, now, &world);
        let selection = turn::select(&policy, &options, &plan, &progress, now, budget);
        let mut outcomes = vec![Outcome::NotStarted; selection.actions.len()];
        let numbered = selection.actions.iter().cloned().enumerate();
        let (creating, deleting) = numbered.partition(|(_, action)| action.is_creation());
        let making = (Api::CreateSnapshot, &mut creations, creating);
        let mut lanes = [making, (Api::DeleteSnapshot, &mut deletions, deleting)].map(|(api, real, waiting)| Lane {
            bucket: buckets[api].clone(),
            real,
            waiting,
            throttled: 0,
        });
        // Bounded by the slice.
        while now < until && lanes.iter().any(|lane| !lane.waiting.is_empty()) {
            lanes.iter_mut().for_each(|lane| lane.calls(&mut account, now, &mut outcomes));
            now = saturating_add(now, TICK);
        }
        let [create, delete] = lanes;
        throttled += create.throttled + delete.throttled;
        (buckets[Api::CreateSnapshot], buckets[Api::DeleteSnapshot]) = (create.bucket, delete.bucket);
        progress.pace = Pace::of(&buckets, now);
        let conclusion = turn::conclude(&options, &plan, progress, selection, outcomes, now);
        match conclusion.status {
            Status::Done(outcome) => {
                let made = (account.calls.creations, account.calls.deletions);
                assert_eq!(made, (volumes.into(), volumes.into()), "{:?}", conclusion.progress);
                let seconds = now.duration_since(start.begun).as_secs();
                return Ran { outcome, seconds, throttled };
            }
            Status::Waiting { seconds } => now = saturating_add(now, SignedDuration::from_secs(seconds.into())),
        }
        next = serde_json::to_value(&conclusion.progress).unwrap();
    }
}

#[track_caller]
fn check(ran: &Ran, seconds_max: i64, throttled_max: u32) {
    assert_eq!(ran.outcome, RunOutcome::Succeeded);
    assert!(ran.seconds <= seconds_max && ran.throttled <= throttled_max, "{ran:?}");
}

#[test]
fn alone_a_run_takes_what_ec2s_limits_take_and_is_never_throttled() {
    // 900 creations beyond the first hundred take 180 s, and so do the deletions after them.
    check(&run(1_000, 0, 100), 365, 0);
}

#[test]
fn with_half_a_share_a_run_disturbs_nobody_who_takes_the_other_half() {
    // 950 beyond the first fifty take 380 s.
    check(&run(1_000, 500, 50), 760, 0);
}

#[test]
fn beside_others_who_take_half_a_run_takes_the_other_half() {
    // 900 beyond the first hundred take 360 s; one call in a hundred may be throttled.
    check(&run(1_000, 500, 100), 720, 20);
}

#[test]
fn beside_others_who_leave_next_to_nothing_a_run_is_slow_and_succeeds() {
    // Fifty beyond the first hundred take 1,000 s, and a call is tried every 6.5 s.
    check(&run(150, 990, 100), 1_500, 250);
}
