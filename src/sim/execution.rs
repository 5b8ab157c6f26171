//! One execution of the state machine: what Step Functions remembers of it, and when it tries a turn again.

use super::random::Random;
use crate::plan::due::saturating_add;
use crate::turn::Progress;
use jiff::{SignedDuration, Timestamp};

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
    /// The `Next` of the last answer; `None` before the first.
    pub next: Option<Progress>,
    /// When its first turn began, in true time.
    pub begun: Option<Timestamp>,
    /// How many calls that change something its turns made.
    pub calls: u64,
    tried: [u32; 2],
}

impl Execution {
    /// One that was just started.
    #[must_use]
    pub fn new(number: u64, start: Timestamp) -> Self {
        Self { number, start, next: None, begun: None, calls: 0, tried: [0, 0] }
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
