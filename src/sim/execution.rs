//! One execution of the state machine: what Step Functions remembers of it, and when it tries a turn again.

use super::judge::newest::Hand;
use super::life::Span;
use super::random::Random;
use super::version::Version;
use crate::plan::due::saturating_add;
use crate::turn::Progress;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// No wait and no retry of the state machine is so long: who comes back after that was replayed.
const LONG: SignedDuration = SignedDuration::from_hours(24);

/// How a `Retry` of statemachine/opendlm.asl.json goes on; a test holds both together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retrier {
    /// `IntervalSeconds`.
    pub interval_seconds: u32,
    /// `MaxDelaySeconds`.
    pub delay_seconds_max: u32,
    /// `MaxAttempts`.
    pub attempts_max: u32,
    /// `JitterStrategy` is `FULL`: the delay lies anywhere between 0 and what it would be.
    pub has_jitter: bool,
}

/// For `Throttled` and `Unavailable`.
pub const OF_BUSY: Retrier =
    Retrier { interval_seconds: 5, delay_seconds_max: 300, attempts_max: 10, has_jitter: true };
/// For a turn of which nobody knows what it did.
pub const OF_CRASH: Retrier =
    Retrier { interval_seconds: 30, delay_seconds_max: 300, attempts_max: 4, has_jitter: false };

impl Retrier {
    /// The delay before try number `attempt`, from 1 on; `None` when there is none any more. `BackoffRate` is 2.
    fn delay(self, attempt: u32, random: &mut Random) -> Option<SignedDuration> {
        if attempt > self.attempts_max {
            return None;
        }
        let doubled = self.interval_seconds.saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX));
        let seconds = i64::from(doubled.min(self.delay_seconds_max));
        Some(if self.has_jitter { random.seconds(0, seconds) } else { SignedDuration::from_secs(seconds) })
    }
}

/// Why a turn gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// `AccessDenied`: the execution ends.
    Denied,
    /// `Throttled` or `Unavailable`.
    Busy,
    /// It crashed, or its answer was lost.
    Crashed,
}

/// What Step Functions remembers of an execution between two turns.
#[derive(Debug, Clone)]
pub struct Execution {
    /// Which one it is.
    pub number: u64,
    /// The scheduled time that its event carries.
    pub start: Timestamp,
    /// The version of the policy that its event carries.
    pub version: Arc<Version>,
    /// The `Next` of the last answer; `None` before the first.
    pub next: Option<Progress>,
    /// When its first turn began, in true time.
    pub begun: Option<Timestamp>,
    /// When its last turn ended, in true time.
    pub ended: Option<Timestamp>,
    /// Whether it was taken up a day or more after that.
    pub came_back: bool,
    /// How many calls that change something its turns made.
    pub calls: u64,
    /// When invocations were at work that gave no answer: what they made the execution does not know by its id.
    pub lost: Vec<Span>,
    tried: [u32; 2],
}

impl Execution {
    /// One that was just started.
    #[must_use]
    pub fn new(number: u64, start: Timestamp, version: Arc<Version>) -> Self {
        Self {
            number,
            start,
            version,
            next: None,
            begun: None,
            ended: None,
            came_back: false,
            calls: 0,
            lost: Vec::new(),
            tried: [0, 0],
        }
    }

    /// Takes note of a turn that begins at `now`.
    pub fn takes_a_turn(&mut self, now: Timestamp) {
        self.begun.get_or_insert(now);
        self.came_back |= self.ended.is_some_and(|ended| now.duration_since(ended) >= LONG);
    }

    /// The same once more, as somebody starts it from its last `Next`.
    #[must_use]
    pub fn replayed(self, number: u64) -> Self {
        Self { number, tried: [0, 0], ..self }
    }

    /// Who it is for the judge.
    #[must_use]
    pub fn hand(&self) -> Hand {
        Hand {
            execution: self.number,
            start: self.start,
            begun: self.begun.unwrap_or(self.start),
            came_back: self.came_back,
            revision: self.version.revision(),
            is_disabled: self.version.is_disabled(),
        }
    }

    /// When the turn that gave no answer is tried again; `None` when the execution fails instead.
    pub fn tries_again_at(&mut self, why: NoAnswer, now: Timestamp, random: &mut Random) -> Option<Timestamp> {
        let (retrier, [busy, crashed]) = match why {
            NoAnswer::Denied => return None,
            NoAnswer::Busy => (OF_BUSY, [1, 0]),
            NoAnswer::Crashed => (OF_CRASH, [0, 1]),
        };
        self.tried = [self.tried[0] + busy, self.tried[1] + crashed];
        let attempt = if busy == 1 { self.tried[0] } else { self.tried[1] };
        retrier.delay(attempt, random).map(|delay| saturating_add(now, delay))
    }

    /// An answer came: the next turn begins with it.
    pub fn goes_on_with(&mut self, next: Progress) {
        self.next = Some(next);
        self.tried = [0, 0];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_retries_are_those_of_the_state_machine() {
        let machine: Value = serde_json::from_str(include_str!("../../statemachine/opendlm.asl.json")).unwrap();
        let retry = machine["States"]["Turn"]["Retry"].as_array().unwrap();
        let of = |error: &str| {
            let names = |r: &&Value| r["ErrorEquals"].as_array().unwrap().iter().any(|name| name == error);
            let found = retry.iter().find(names).unwrap();
            assert_eq!(found["BackoffRate"], 2);
            let number = |key: &str| u32::try_from(found[key].as_u64().unwrap()).unwrap();
            Retrier {
                interval_seconds: number("IntervalSeconds"),
                delay_seconds_max: number("MaxDelaySeconds"),
                attempts_max: number("MaxAttempts"),
                has_jitter: found["JitterStrategy"] == "FULL",
            }
        };
        assert_eq!((of("Throttled"), of("Unavailable")), (OF_BUSY, OF_BUSY));
        assert_eq!((of("Runtime.ExitError"), of("States.Timeout")), (OF_CRASH, OF_CRASH));
    }

    #[test]
    fn the_delays_double_up_to_the_bound_and_end() {
        let mut random = Random::new(1);
        let mut delays = Vec::new();
        for attempt in 1..=5 {
            delays.push(OF_CRASH.delay(attempt, &mut random).map(|delay| delay.as_secs()));
        }
        assert_eq!(delays, [Some(30), Some(60), Some(120), Some(240), None]);
    }
}
