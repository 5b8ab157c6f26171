//! What is known about EC2's buckets, as it travels from turn to turn.
//!
//! It can only postpone, and not for long: whatever it says, a bucket is taken for no emptier than empty and for no
//! slower than the slowest rate.

use super::{Api, Bucket, ByApi, Rate, Share, later};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known about the bucket of one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Known {
    /// When a bucket of the documented limit in which as much is would be full again if nothing more is taken: the next
    /// function instance may not know yet that another limit holds.
    pub full_at: Timestamp,
    /// How fast it fills, in thousandths of the whole: see [`Rate`].
    pub rate: u16,
}

/// What is known about the buckets of the calls that change something. Nothing is known of one that is full and fills
/// at the whole rate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Api, Known>")]
pub struct Pace(BTreeMap<Api, Known>);

impl Pace {
    /// What is known of these buckets, of those that change something.
    #[must_use]
    pub fn of(buckets: &ByApi<Bucket>, now: Timestamp) -> Self {
        let known = buckets.iter().filter(|(api, _)| api.changes());
        Self(known.filter_map(|(api, bucket)| Some((api, bucket.known(now)?))).collect())
    }

    /// Whether nothing is known of any bucket.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    /// What is known of one.
    #[must_use]
    pub fn known(&self, api: Api) -> Option<Known> {
        self.0.get(&api).copied()
    }
}

impl TryFrom<BTreeMap<Api, Known>> for Pace {
    type Error = String;

    fn try_from(known: BTreeMap<Api, Known>) -> Result<Self, String> {
        match known.keys().find(|api| !api.changes()) {
            Some(api) => Err(format!("{api} is no call that changes something")),
            None => Ok(Self(known)),
        }
    }
}

impl Bucket {
    /// What is worth knowing about it in a later turn.
    #[must_use]
    pub fn known(&self, now: Timestamp) -> Option<Known> {
        let mut told = self.clone();
        told.hold_to(self.documented, now);
        let is_full = told.full_at <= now && self.rate == Rate::WHOLE;
        let known = Known { full_at: rounded_up(told.full_at.max(now)), rate: self.rate.thousandths() };
        (!is_full).then_some(known)
    }

    /// Goes on with `share` of the limit, and with what an earlier turn knew. Of that and of what this bucket
    /// has seen itself the emptier and the slower one counts, so that neither a new function instance nor an old one
    /// takes a token twice.
    pub fn learn(&mut self, share: Share, known: Option<Known>, now: Timestamp) {
        let Some(known) = known else {
            return self.change(share, self.rate, now);
        };
        let known_rate = Rate::of_thousandths(known.rate);
        let mut earlier =
            Self { limit: self.documented, share, rate: known_rate, full_at: known.full_at, ..self.clone() };
        earlier.hold_to(self.limit, now);
        let rate = self.rate.min(known_rate);
        self.change(share, rate, now);
        earlier.change(share, rate, now);
        let empty = later(now, self.span(self.capacity()));
        self.full_at = self.full_at.max(earlier.full_at.min(empty));
    }
}

/// The instant or the next whole millisecond: rounded up, so that no token comes too early; in milliseconds, because
/// every answer carries it.
fn rounded_up(instant: Timestamp) -> Timestamp {
    let rest = instant.subsec_nanosecond().rem_euclid(NANOS_PER_MILLISECOND);
    let missing = if rest == 0 { 0 } else { NANOS_PER_MILLISECOND - rest };
    later(instant, SignedDuration::from_nanos(i64::from(missing)))
}

const NANOS_PER_MILLISECOND: i32 = 1_000_000;
