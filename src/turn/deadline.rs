//! When an invocation has to be over.

use jiff::{SignedDuration, Timestamp};

/// How long an invocation of the function that `template.yaml` deploys may take.
pub const INVOCATION_SECONDS_MAX: i64 = 900;

/// What an invocation keeps back of the function's time to put its answer together and hand it over.
const RESERVE: SignedDuration = SignedDuration::from_secs(2);

/// The instant by which every call has to end, from the deadline in milliseconds since 1970 that came with the event.
///
/// A deadline that is past on arrival is none: `cargo lambda invoke` sends one of 1970. Then there is as much time as
/// the deployed function has.
#[must_use]
pub fn last_call(deadline_millis: u64, now: Timestamp) -> Timestamp {
    let given = i64::try_from(deadline_millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let deadline = given.filter(|deadline| *deadline > now).unwrap_or_else(|| of_invocation_at(now));
    deadline.checked_sub(RESERVE).unwrap_or(deadline)
}

/// When an invocation that begins now has to be over, where nobody says so.
#[must_use]
pub fn of_invocation_at(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(INVOCATION_SECONDS_MAX)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::at;

    const NOW: &str = "2026-11-22T17:00:00Z";

    #[track_caller]
    fn check(deadline_millis: i64, expected: &str) {
        assert_eq!(last_call(u64::try_from(deadline_millis).unwrap(), at(NOW)), at(expected));
    }

    #[test]
    fn a_call_ends_shortly_before_the_deadline() {
        check(at("2026-11-22T17:05:00Z").as_millisecond(), "2026-11-22T17:04:58Z");
        check(at("2026-11-22T17:00:01Z").as_millisecond(), "2026-11-22T16:59:59Z");
    }

    #[test]
    fn a_deadline_that_is_past_on_arrival_is_none() {
        for millis in [0, 1, 900_000, at(NOW).as_millisecond()] {
            check(millis, "2026-11-22T17:14:58Z");
        }
    }

    #[test]
    fn a_deadline_that_is_no_time_is_none() {
        check(i64::MAX, "2026-11-22T17:14:58Z");
    }

    #[test]
    fn the_deployed_function_has_as_long() {
        let template = include_str!("../../template.yaml");
        assert!(template.contains(&format!("    Timeout: {INVOCATION_SECONDS_MAX}\n")));
    }
}
