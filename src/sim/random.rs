//! Chance from a seed: the same on every machine and in every version.

use jiff::SignedDuration;

/// A stream of numbers that a seed fixes: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", 2014). Ours, because a library may change its streams between versions, and a seed must stay worth
/// noting down.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 where that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number().checked_rem(bound).unwrap_or(0)
    }

    /// True so many times out of 10,000.
    pub fn happens(&mut self, per_10_000: u64) -> bool {
        per_10_000 > 0 && self.below(10_000) < per_10_000
    }

    /// A place in a list of so many; `None` of an empty one.
    pub fn index(&mut self, length: usize) -> Option<usize> {
        let length = u64::try_from(length).ok().filter(|&length| length > 0)?;
        usize::try_from(self.below(length)).ok()
    }

    /// Between `least` and `most` milliseconds.
    pub fn millis(&mut self, least: i64, most: i64) -> SignedDuration {
        let range = u64::try_from(most.saturating_sub(least)).unwrap_or(0);
        let more = i64::try_from(self.below(range.saturating_add(1))).unwrap_or(0);
        SignedDuration::from_millis(least.saturating_add(more))
    }

    /// Between `least` and `most` seconds, to the millisecond.
    pub fn seconds(&mut self, least: i64, most: i64) -> SignedDuration {
        self.millis(least.saturating_mul(1000), most.saturating_mul(1000))
    }
}
