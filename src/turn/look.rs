//! How long a turn works on what it saw, and when it looks again.
//!
//! A turn whose calls take minutes looks again while they still go on: EC2's buckets overflow after 20 s, and at a large account
//! a look takes longer. What such a look cannot show yet is what any look may not show: what was begun a moment ago is
//! remembered and asked for by id, and what EC2 said to be deleted is left out of it.

use crate::plan::due::saturating_add;
use jiff::{SignedDuration, Timestamp};

/// How long after its look a turn begins calls: then the next one goes on. What is complete is seen by looks alone, and
/// what waits for it, deletions, would find tokens that nobody took: with 100 s simulated runs of 10,000 volumes whose pages take
/// 0.5 s miss 1.05 times EC2's bound.
const WORK: SignedDuration = SignedDuration::from_secs(60);

/// How long it begins calls where a look takes longer than [`WORK`]: until the next look is there. Not longer, since what it
/// deletes was decided by what it saw.
const WORK_MAX: SignedDuration = SignedDuration::from_secs(200);

/// What an invocation must have left beside a look to begin another turn: less than the tokens that flow in meanwhile is not
/// worth one.
const CALLS_MIN: SignedDuration = SignedDuration::from_secs(30);

/// Lambda's longest timeout (Lambda developer guide, "Lambda quotas").
const INVOCATION_MAX: SignedDuration = SignedDuration::from_mins(15);

/// Whether a turn that leaves work for at once is followed by another one in the same invocation, whose calls end by `until`, if its
/// look takes as long as the last one.
#[must_use]
pub fn has_time_for_another(now: Timestamp, took: SignedDuration, until: Timestamp) -> bool {
    until.duration_since(now) >= took.max(CALLS_MIN).saturating_add(CALLS_MIN)
}

/// Until when the calls of a turn may take that had looked for so long at `looked_at` and has time until `until`.
#[must_use]
pub fn works_until(looked_at: Timestamp, took: SignedDuration, until: Timestamp) -> Timestamp {
    saturating_add(looked_at, took.clamp(WORK, WORK_MAX)).min(until)
}

/// When to begin the next look beside the calls of a turn that go on until `works_until`, so that it is there when they end, if
/// it takes as long as the last one; none where no other turn follows in an invocation that has time until `until`.
#[must_use]
pub fn looks_ahead_at(
    looked_at: Timestamp,
    took: SignedDuration,
    works_until: Timestamp,
    until: Timestamp,
) -> Option<Timestamp> {
    let begins = works_until.checked_sub(took.max(SignedDuration::ZERO)).unwrap_or(Timestamp::MIN).max(looked_at);
    let has_time = has_time_for_another(works_until, took, until);
    (has_time && works_until > looked_at).then_some(begins)
}

/// The environment variable by which Lambda tells how much memory a function has, in MB (Lambda developer guide, "Defined runtime
/// environment variables").
pub const MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// How many snapshots a function may hold, with their plan, beside another listing of them, for each MB of its memory: the
/// planner takes 280 bytes for each of 800,000 (docs/benchmarks.md), so that half of the memory stays free.
const SNAPSHOTS_PER_MB: usize = 1_000;

/// Whether there is room for another listing beside one of so many snapshots, by the value of [`MEMORY`]: always where nothing
/// is said, since only Lambda ends a process for its memory.
#[must_use]
pub fn has_room_for_another(snapshots: usize, memory_mb: Option<&str>) -> bool {
    let memory_mb = memory_mb.and_then(|memory| memory.trim().parse::<usize>().ok());
    memory_mb.is_none_or(|memory| snapshots <= memory.saturating_mul(SNAPSHOTS_PER_MB))
}

/// Whether a look that began at `looked_from` may still show as it was before what changed at `at`: a list lags for the settling time,
/// and a look that goes on beside a turn's calls began before them. What lies further ahead than an invocation takes is of a clock
/// that was wrong, and nobody waits for it.
#[must_use]
pub fn may_hide(looked_from: Timestamp, at: Timestamp, settling: SignedDuration) -> bool {
    let since = looked_from.duration_since(at);
    -INVOCATION_MAX < since && since < settling
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::at;

    const LOOKED: &str = "2026-11-22T17:00:00Z";

    #[track_caller]
    fn check(took: i64, until: &str, works: &str, ahead: Option<&str>) {
        let (looked_at, took, until) = (at(LOOKED), SignedDuration::from_secs(took), at(until));
        let works_until = works_until(looked_at, took, until);
        assert_eq!(works_until.to_string(), works);
        let looks = looks_ahead_at(looked_at, took, works_until, until);
        assert_eq!(looks.map(|at| at.to_string()).as_deref(), ahead);
    }

    #[test]
    fn a_turn_works_for_a_minute_and_the_next_look_is_there_when_it_ends() {
        check(1, "2026-11-22T17:10:00Z", "2026-11-22T17:01:00Z", Some("2026-11-22T17:00:59Z"));
        check(40, "2026-11-22T17:10:00Z", "2026-11-22T17:01:00Z", Some("2026-11-22T17:00:20Z"));
        check(0, "2026-11-22T17:10:00Z", "2026-11-22T17:01:00Z", Some("2026-11-22T17:01:00Z"));
    }

    #[test]
    fn where_a_look_takes_longer_the_next_one_begins_at_once_and_the_turn_works_until_it_is_there() {
        check(160, "2026-11-22T17:10:00Z", "2026-11-22T17:02:40Z", Some(LOOKED));
        check(400, "2026-11-22T17:15:00Z", "2026-11-22T17:03:20Z", Some(LOOKED));
    }

    #[test]
    fn a_look_hides_what_changed_beside_it_and_for_the_settling_time() {
        let check = |seconds, settling, expected| {
            let (looked_from, settling) = (at(LOOKED), SignedDuration::from_secs(settling));
            let changed = looked_from + SignedDuration::from_secs(seconds);
            assert_eq!(may_hide(looked_from, changed, settling), expected, "{seconds} s after the look");
        };
        check(-120, 120, false);
        check(-119, 120, true);
        check(0, 120, true);
        check(0, 0, false);
        check(1, 0, true);
        check(899, 0, true);
        check(900, 120, false);
    }

    #[test]
    fn two_listings_must_find_room_in_the_functions_memory() {
        assert!(has_room_for_another(256_000, Some("256")) && !has_room_for_another(256_001, Some("256")));
        assert!(has_room_for_another(800_000, Some("1024")));
        assert!(has_room_for_another(800_000, None) && has_room_for_another(800_000, Some("much")));
    }

    #[test]
    fn nobody_looks_ahead_for_a_turn_that_will_not_be() {
        check(1, "2026-11-22T17:00:59Z", "2026-11-22T17:00:59Z", None);
        check(1, "2026-11-22T17:01:59Z", "2026-11-22T17:01:00Z", None);
        check(1, "2026-11-22T17:02:00Z", "2026-11-22T17:01:00Z", Some("2026-11-22T17:00:59Z"));
        check(160, "2026-11-22T17:05:49Z", "2026-11-22T17:02:40Z", None);
        check(160, "2026-11-22T17:05:50Z", "2026-11-22T17:02:40Z", Some(LOOKED));
        check(1, LOOKED, LOOKED, None);
        assert_eq!(works_until(Timestamp::MAX, SignedDuration::ZERO, Timestamp::MAX), Timestamp::MAX);
    }
}
