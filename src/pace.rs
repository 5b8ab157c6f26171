//! How fast EC2 may be called: EC2's token buckets as arithmetic on times passed in.
//!
//! EC2 keeps one bucket for each action, account and Region: a call takes a token, and a call that finds none fails
//! with `RequestLimitExceeded`. A [`Bucket`] is our picture of one of them. It reads no clock and never waits, so the
//! shell, a simulated account and a property test drive the same arithmetic.
//!
//! Everybody in the account draws from the same buckets, and nobody says how much. So the picture learns: it begins
//! with the documented limit, or the [`Share`] of it that is ours; a throttle empties it and halves what flows in, and
//! each call that succeeds adds a thousandth of the whole again. EC2's own bucket evens out the swings between, so
//! that in the long run we take what the others leave, with few throttles.
//!
//! It never believes in more than the limit that holds: the documented one until Service Quotas says another
//! ([`Quotas`]). To find a raised one by calling would take throttles on purpose, again and again in every account
//! whose limit was not raised: they would hit everybody else there, and each costs us half of the rate.
//!
//! Promise: between any two of the starts that [`Bucket::take`] gives out there are never more calls than the capacity
//! plus what flows in meanwhile, however the times that are passed in jump; and whatever happens, never more than the
//! share of the limit that holds.

mod api;
mod known;
mod quotas;
mod share;
#[cfg(test)]
mod tests;

pub use api::{Api, ByApi};
use jiff::{SignedDuration, Timestamp};
pub use known::{Known, Pace};
pub use quotas::{Asking, LimitsNews, Quota, Quotas};
pub use share::Share;
use std::num::NonZeroU32;
use std::time::Duration;

/// Whether the endpoint limits how often it may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Limits {
    /// As AWS documents it for EC2.
    #[default]
    Documented,
    /// Not at all: an EC2-compatible endpoint of one's own.
    None,
}

/// The size of one of EC2's buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    capacity: NonZeroU32,
    refill_per_second: NonZeroU32,
}

/// What flows in by what we have learnt, in thousandths of what our share of the limit lets in.
///
/// A part and not calls a second: it means the same for every action, and it stays right when the share or the limit changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u16);

/// One of EC2's buckets as we believe it to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    limit: Limit,
    /// The limit that it began with.
    documented: Limit,
    share: Share,
    rate: Rate,
    /// When the bucket is full again if nothing more is taken; in the past when it is full already. One instant says
    /// all: each call moves it by the time that one token takes to flow in.
    full_at: Timestamp,
    /// How often it was emptied.
    epoch: Epoch,
}

/// The time between two throttles: what was taken in an earlier one is void, and tells nothing about this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(u32);

impl Limits {
    /// The environment variable that says `NONE`.
    pub const VARIABLE: &str = "OPENDLM_API_LIMITS";

    /// Reads the value of [`Self::VARIABLE`]. Whatever is not `NONE` means the documented limits: nonsense only
    /// postpones.
    #[must_use]
    pub fn of(text: Option<&str>) -> Self {
        if text.is_some_and(|text| text.trim() == "NONE") { Self::None } else { Self::Documented }
    }

    /// The limit that holds where `documented` does on AWS.
    #[must_use]
    pub const fn or_none(self, documented: Limit) -> Limit {
        match self {
            Self::Documented => documented,
            Self::None => Limit::of(1_000_000_000, 1_000_000_000),
        }
    }
}

impl Limit {
    /// A bucket of `capacity` tokens into which `refill_per_second` flow.
    #[must_use]
    pub const fn new(capacity: NonZeroU32, refill_per_second: NonZeroU32) -> Self {
        Self { capacity, refill_per_second }
    }

    const fn of(capacity: u32, refill_per_second: u32) -> Self {
        let capacity = NonZeroU32::new(capacity).expect("the table above holds no zero");
        Self::new(capacity, NonZeroU32::new(refill_per_second).expect("the table above holds no zero"))
    }

    /// The same bucket without so many of its tokens, which are kept for what we do not see; one is left at least.
    #[must_use]
    pub const fn keeping_back(self, tokens: u32) -> Self {
        match NonZeroU32::new(self.capacity.get().saturating_sub(tokens)) {
            Some(capacity) => Self { capacity, ..self },
            None => Self { capacity: NonZeroU32::MIN, ..self },
        }
    }

    /// How many calls a full bucket lets through at once.
    #[must_use]
    pub const fn capacity(self) -> NonZeroU32 {
        self.capacity
    }

    /// How many calls a second it lets through for ever.
    #[must_use]
    pub const fn refill_per_second(self) -> NonZeroU32 {
        self.refill_per_second
    }
}

impl Rate {
    /// All that our share of the limit lets in.
    pub const WHOLE: Self = Self(1000);
    /// A thirty-second, after five throttles in a row: of creations one in 6.5 s. Slower would hardly notice before the
    /// end of a turn that others have stopped, and so few calls take nothing from them that anybody would miss.
    pub const SLOWEST: Self = Self(31);
    /// How many throttles in a row, each by a call at the rate that the one before it left, lead from [`Self::WHOLE`] to
    /// [`Self::SLOWEST`]: 500, 250, 125, 62, 31.
    pub const HALVINGS: u32 = 5;
    /// What each call that succeeds adds: a thousandth of the whole, so that at half of it 500 calls pass before it is
    /// whole again. That is 133 s of creations, in which EC2's bucket of 100 takes up what a slow start leaves; half
    /// as many calls would throttle twice as often, twice as many would let it overflow.
    const STEP: u16 = 1;
    /// By how much a throttle divides. Half, as TCP does: whoever calls more often is throttled more often, so that those
    /// who share a limit without knowing of each other, two runs for example, come to about equal parts.
    const DIVISOR: u16 = 2;

    /// So many thousandths, or the nearest rate that there is.
    #[must_use]
    pub fn of_thousandths(thousandths: u16) -> Self {
        Self(thousandths).clamp(Self::SLOWEST, Self::WHOLE)
    }

    /// In thousandths of the whole.
    #[must_use]
    pub fn thousandths(self) -> u16 {
        self.0
    }

    fn after_success(self) -> Self {
        Self::of_thousandths(self.0.saturating_add(Self::STEP))
    }

    fn after_throttle(self) -> Self {
        Self::of_thousandths(self.0 / Self::DIVISOR)
    }
}

impl Bucket {
    /// A full bucket at the whole rate: what a new function instance believes. Others may have drawn from the real one.
    #[must_use]
    pub fn full(limit: Limit) -> Self {
        Self {
            limit,
            documented: limit,
            share: Share::ALL,
            rate: Rate::WHOLE,
            full_at: Timestamp::MIN,
            epoch: Epoch(0),
        }
    }

    /// Takes a token, and says how long after `now` the call that it is for may start. Zero while there are tokens.
    pub fn take(&mut self, now: Timestamp) -> Duration {
        self.take_by(now, Timestamp::MAX).unwrap_or(Duration::MAX)
    }

    /// Takes a token like [`Self::take`] unless the call could not start by `latest`; then nothing is taken.
    ///
    /// The token is good in the [`Self::epoch`] in which it was taken: whoever waits for its start and finds another
    /// one then takes a new token.
    pub fn take_by(&mut self, now: Timestamp, latest: Timestamp) -> Option<Duration> {
        let full_at = self.full_at.max(now);
        let start = earlier(full_at, self.tolerance()).max(now);
        if start > latest {
            return None;
        }
        self.full_at = later(full_at, self.span(1));
        Some(start.duration_since(now).unsigned_abs())
    }

    /// How many calls, all asked for at `now`, may start before `until`.
    #[must_use]
    pub fn calls_before(&self, now: Timestamp, until: Timestamp) -> u64 {
        if until <= now {
            return 0;
        }
        // The call number k, from 0, may start at full_at + k tokens - tolerance, or at once where that is over.
        let room = until.duration_since(self.full_at.max(now)).saturating_add(self.tolerance());
        let calls = u128::try_from(room.as_nanos()).map_or(0, |room| room.div_ceil(self.token_nanos()));
        u64::try_from(calls).unwrap_or(u64::MAX)
    }

    /// How many calls may start before `until` at best: when the rate is soon whole again.
    #[must_use]
    pub fn calls_before_at_best(&self, now: Timestamp, until: Timestamp) -> u64 {
        let mut best = self.clone();
        best.change(self.share, Rate::WHOLE, now);
        best.calls_before(now, until)
    }

    /// How many calls it lets through at once when it is full.
    #[must_use]
    pub fn holds(&self) -> u32 {
        self.capacity()
    }

    /// Goes on with the limit that holds, whatever the documented one is. What is there is there, as far as it finds room:
    /// nobody has seen the tokens by which a raised limit is larger, they flow in. What was learnt from throttles stays.
    pub fn hold_to(&mut self, limit: Limit, now: Timestamp) {
        if limit == self.limit {
            return;
        }
        let (before, room) = (self.token_nanos(), self.capacity());
        self.limit = limit;
        self.convert(before, now);
        let (full_at, capacity) = (self.full_at.max(now), self.capacity());
        self.full_at = match capacity.checked_sub(room) {
            Some(more) => later(full_at, self.span(more)),
            None => earlier(full_at, self.span(room - capacity)),
        };
    }

    /// The epoch in which a token that is taken now is good.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The rate that is believed in now.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// A call succeeded: there was a token, perhaps there are more.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.change(self.share, self.rate.after_success(), now);
    }

    /// EC2 refused a call because its bucket is empty, since others draw from it too: so is ours, and it fills at half
    /// the rate. Every token that waits for its start is void.
    ///
    /// `taken_in` is the epoch of that call's token. Several calls that were under way together meet the same empty
    /// bucket, which is one piece of news: a call of an earlier epoch changes nothing.
    pub fn throttled(&mut self, taken_in: Epoch, now: Timestamp) {
        if taken_in != self.epoch {
            return;
        }
        self.epoch = Epoch(self.epoch.0.wrapping_add(1));
        self.rate = self.rate.after_throttle();
        self.full_at = later(now, self.span(self.capacity()));
    }

    /// Goes on with another share or rate: the tokens that are missing are still missing, and flow in at the new speed.
    fn change(&mut self, share: Share, rate: Rate, now: Timestamp) {
        if (share, rate) == (self.share, self.rate) {
            return;
        }
        let before = self.token_nanos();
        (self.share, self.rate) = (share, rate);
        self.convert(before, now);
    }

    /// Counts what is missing in tokens as long as they are now, after those that took `before` nanoseconds each.
    fn convert(&mut self, before: u128, now: Timestamp) {
        if self.full_at > now {
            let missing = self.full_at.duration_since(now).as_nanos().unsigned_abs();
            self.full_at = later(now, duration(missing.saturating_mul(self.token_nanos()).div_ceil(before)));
        }
    }

    /// Our share of the capacity: rounded down, and never less than the one token without which nothing would go.
    fn capacity(&self) -> u32 {
        let shared = u64::from(self.limit.capacity.get()) * u64::from(self.share.per_cent()) / 100;
        u32::try_from(shared).unwrap_or(u32::MAX).max(1)
    }

    /// How long one token takes to flow in, in nanoseconds, rounded up so that we are never faster than EC2.
    fn token_nanos(&self) -> u128 {
        let refill = u128::from(self.limit.refill_per_second.get());
        let part = refill * u128::from(self.share.per_cent()) * u128::from(self.rate.thousandths());
        (NANOS_PER_SECOND * 100 * u128::from(Rate::WHOLE.thousandths())).div_ceil(part)
    }

    /// How long so many tokens take to flow in.
    fn span(&self, tokens: u32) -> SignedDuration {
        duration(self.token_nanos() * u128::from(tokens))
    }

    /// How far ahead of the steady rate calls may run: all tokens but the one that a call takes itself.
    fn tolerance(&self) -> SignedDuration {
        self.span(self.capacity() - 1)
    }
}

/// So many nanoseconds, or the longest duration that there is.
fn duration(nanos: u128) -> SignedDuration {
    let seconds = i64::try_from(nanos / NANOS_PER_SECOND);
    let rest = i32::try_from(nanos % NANOS_PER_SECOND).expect("less than a second of nanoseconds fits");
    seconds.map_or(SignedDuration::MAX, |seconds| SignedDuration::new(seconds, rest))
}

/// The instant so much later, or the last one that there is.
fn later(instant: Timestamp, by: SignedDuration) -> Timestamp {
    instant.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// The instant so much earlier, or the first one that there is.
fn earlier(instant: Timestamp, by: SignedDuration) -> Timestamp {
    instant.checked_sub(by).unwrap_or(Timestamp::MIN)
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;
