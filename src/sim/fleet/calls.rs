//! The calls of one lane in a turn, as `aws/apply.rs` and `aws/pace.rs` make them: so many in flight, each with a token
//! of our bucket, and each meeting EC2's.

use super::ec2::Real;
use super::run::{CALL, CALLS_IN_FLIGHT_MAX};
use crate::action::{Failed, FailedKind, Outcome};
use crate::pace::{Bucket, Epoch, Rate};
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How often a call that EC2 throttles is made in a turn, as in `aws/apply.rs`: once for each time that its lane becomes
/// slower, and once more at the slowest pace.
const THROTTLED_TRIES_MAX: u32 = Rate::HALVINGS + 1;

/// One lane of a turn.
#[derive(Debug)]
pub(super) struct Lane<'r> {
    /// What we believe.
    pub(super) bucket: &'r mut Bucket,
    /// What is.
    pub(super) real: &'r mut Real,
    /// No call starts later.
    pub(super) latest_start: Timestamp,
}

/// What a place in flight does next.
#[derive(Debug)]
enum Step {
    Ask,
    Answer(Outcome, Epoch),
    Start(Epoch),
}

/// A call on its way.
#[derive(Debug)]
struct Place {
    position: usize,
    tries: u32,
    step: Step,
}

/// The calls of a lane on their way: what comes next, and when.
struct Flight {
    places: Vec<Option<Place>>,
    /// Ordered by the instant, then by who came first.
    agenda: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
    scheduled: u64,
}

impl Flight {
    fn go_on(&mut self, place: usize, at: Timestamp, call: Place) {
        if let Some(slot) = self.places.get_mut(place) {
            *slot = Some(call);
        }
        self.scheduled += 1;
        self.agenda.push(Reverse((at, self.scheduled, place)));
    }

    fn next(&mut self) -> Option<(Timestamp, usize, Place)> {
        let Reverse((now, _, place)) = self.agenda.pop()?;
        let call = self.places.get_mut(place)?.take()?;
        Some((now, place, call))
    }
}

impl Lane<'_> {
    /// Makes a call for each of `begin`, which says from when on it may start; of those that may, the first ones first.
    /// `on_token` is asked what comes of a call for which EC2 has a token. Returns an outcome for each call, and when the
    /// last one had ended.
    pub(super) fn make(
        &mut self,
        begin: &[Timestamp],
        mut on_token: impl FnMut(usize, Timestamp) -> Outcome,
    ) -> (Vec<Outcome>, Timestamp) {
        let mut outcomes = vec![Outcome::NotStarted; begin.len()];
        let (mut ended, mut is_closed) = (begin.iter().min().copied().unwrap_or(Timestamp::MIN), false);
        let mut in_turn: Vec<(Timestamp, usize)> = begin.iter().copied().zip(0..).collect();
        in_turn.sort_unstable();
        let mut waiting = in_turn.into_iter();
        let mut flight = Flight {
            places: (0..CALLS_IN_FLIGHT_MAX).map(|_| None).collect(),
            agenda: BinaryHeap::new(),
            scheduled: 0,
        };
        for (place, (from, position)) in waiting.by_ref().take(CALLS_IN_FLIGHT_MAX).enumerate() {
            flight.go_on(place, from, Place { position, tries: 0, step: Step::Ask });
        }
        // Bounded by three steps for each try of each call, and by one for each throttle and place.
        while let Some((now, place, mut call)) = flight.next() {
            let next = match call.step {
                Step::Ask if is_closed => None,
                Step::Ask => self.bucket.take_by(now, self.latest_start).map(|wait| {
                    let start = now + whole_milliseconds(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX));
                    (start, Step::Start(self.bucket.epoch()))
                }),
                Step::Start(_) if is_closed || now > self.latest_start => None,
                Step::Start(epoch) if epoch != self.bucket.epoch() => Some((now, Step::Ask)),
                Step::Start(epoch) => {
                    let outcome = if self.real.takes(now) { on_token(call.position, now) } else { throttled() };
                    Some((now + CALL, Step::Answer(outcome, epoch)))
                }
                Step::Answer(outcome, epoch) => {
                    ended = now;
                    call.tries += 1;
                    let kind = self.note(&outcome, epoch, now);
                    if let Some(slot) = outcomes.get_mut(call.position) {
                        *slot = outcome;
                    }
                    let is_given_up = kind == Some(FailedKind::Throttled) && call.tries >= THROTTLED_TRIES_MAX;
                    let ends_lane = [FailedKind::AccountFull, FailedKind::Expired, FailedKind::TooManyPending];
                    is_closed |= is_given_up || kind.is_some_and(|kind| ends_lane.contains(&kind));
                    (kind == Some(FailedKind::Throttled) && !is_given_up).then_some((now, Step::Ask))
                }
            };
            if let Some((at, step)) = next {
                flight.go_on(place, at, Place { step, ..call });
            } else if let Some((from, position)) = waiting.next() {
                flight.go_on(place, now.max(from), Place { position, tries: 0, step: Step::Ask });
            }
        }
        (outcomes, ended)
    }

    /// Learns from what came of a call, and says how it failed.
    fn note(&mut self, outcome: &Outcome, taken_in: Epoch, now: Timestamp) -> Option<FailedKind> {
        match outcome {
            Outcome::Created(_) | Outcome::Deleted => self.bucket.succeeded(now),
            Outcome::Failed(failed) => {
                if failed.kind == FailedKind::Throttled {
                    self.bucket.throttled(taken_in, now);
                }
                return Some(failed.kind);
            }
            Outcome::Changed(_) | Outcome::NotStarted => {}
        }
        None
    }
}

/// Rounded up to what the simulation counts in, so that no call comes too early.
pub(super) fn whole_milliseconds(wait: SignedDuration) -> SignedDuration {
    let millis = wait.as_millis();
    let whole = SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
    if whole < wait { whole + SignedDuration::from_millis(1) } else { whole }
}

fn throttled() -> Outcome {
    failed(FailedKind::Throttled, "RequestLimitExceeded")
}

/// What EC2 says when as many snapshots are pending as may be.
pub(super) fn too_many_pending() -> Outcome {
    failed(FailedKind::TooManyPending, "PendingSnapshotLimitExceeded")
}

fn failed(kind: FailedKind, code: &str) -> Outcome {
    Outcome::Failed(Failed { kind, code: code.to_owned(), message: "simulated".to_owned() })
}
