//! How long a turn works on what it saw.

use crate::plan::due::saturating_add;
use jiff::{SignedDuration, Timestamp};

/// How long after its look a turn begins calls: then the next one looks again. What is complete is seen by looks alone, and
/// what waits for it, deletions, would find tokens that nobody took. A look takes seconds, and EC2's bucket of 100 takes up
/// 20 of them.
const WORK: SignedDuration = SignedDuration::from_secs(100);

/// Until when the calls of a turn may take that looked at `looked_at` and has time until `until`.
#[must_use]
pub fn works_until(looked_at: Timestamp, until: Timestamp) -> Timestamp {
    saturating_add(looked_at, WORK).min(until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::at;

    #[test]
    fn a_turn_works_for_a_hundred_seconds_where_it_has_them() {
        let until = |text: &str| works_until(at("2026-11-22T17:00:00Z"), at(text)).to_string();
        assert_eq!(until("2026-11-22T17:01:39Z"), "2026-11-22T17:01:39Z");
        assert_eq!(until("2026-11-22T17:05:00Z"), "2026-11-22T17:01:40Z");
        assert_eq!(works_until(Timestamp::MAX, Timestamp::MAX), Timestamp::MAX);
    }
}
