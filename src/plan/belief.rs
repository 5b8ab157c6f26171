//! Whether the tags of a snapshot are believed (R2 of docs/promises.md): whole or not at all.
//!
//! What is doubted stays, takes no place in any count, answers no scheduled time, is no duplicate, and counts as an orphan.

use super::due::saturating_add;
use super::history::CLOCK_SKEW_MAX;
use crate::tags::Mark;
use crate::world::Snapshot;
use jiff::{SignedDuration, Timestamp};

/// How far EC2's start time may lie from the time of the call in the stamp. The call comes after the look that it was planned
/// on, a quarter of an hour at most in the largest account, and clocks may differ by as much ([`CLOCK_SKEW_MAX`]).
pub(super) const CALL_TO_START_MAX: SignedDuration = SignedDuration::from_mins(30);

/// How long after its scheduled time a snapshot without a stamp may have begun: opendlm 0.1 wrote none, and its largest run
/// took less than six hours. Our own.
pub(super) const UNSTAMPED_LATE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Why the tags of a snapshot are not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It has no stamp, and began too early or too late for the scheduled time in its tag.
    BeganAtAnotherTime {
        /// When EC2 began it.
        began: Timestamp,
        /// What the tag says.
        scheduled_time: Timestamp,
    },
    /// The digest in its stamp does not fit its tags: somebody edited one of them.
    Edited,
    /// EC2 began it at another time than its stamp says: the tags were copied from another snapshot.
    StampOfAnother {
        /// When EC2 began it.
        began: Timestamp,
        /// When the call was made by the stamp.
        called: Timestamp,
    },
    /// Its stamp cannot be read.
    UnreadableStamp,
}

/// Why the tags of a snapshot are not believed; `None` when they are.
pub(crate) fn doubt(snapshot: &Snapshot) -> Option<Doubt> {
    let (marks, began) = (&snapshot.marks, snapshot.start_time);
    match &marks.stamp {
        Mark::Unreadable(_) => Some(Doubt::UnreadableStamp),
        Mark::Read(stamp) if !stamp.is_intact => Some(Doubt::Edited),
        Mark::Read(stamp) => {
            let called = stamp.called;
            (began.duration_since(called).abs() > CALL_TO_START_MAX).then_some(Doubt::StampOfAnother { began, called })
        }
        Mark::Absent => {
            let &scheduled_time = marks.scheduled_time.value()?;
            let earliest = saturating_add(scheduled_time, -CLOCK_SKEW_MAX);
            let latest = saturating_add(scheduled_time, UNSTAMPED_LATE_MAX);
            (began < earliest || latest < began).then_some(Doubt::BeganAtAnotherTime { began, scheduled_time })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::tags::Stamp;

    const CALLED: &str = "2026-11-22T17:00:05Z";

    fn stamp() -> Stamp {
        Stamp {
            is_intact: true,
            called: at(CALLED),
            counts: vec![None],
            members: None,
            revision: None,
            is_run_now: false,
        }
    }

    #[track_caller]
    fn check(began: &str, stamp: Mark<Stamp>, expected: Option<Doubt>) {
        let mut snapshot = snapshot(1, 1, "2026-11-22T17:00:00Z");
        snapshot.start_time = at(began);
        snapshot.marks.stamp = stamp;
        assert_eq!(doubt(&snapshot), expected);
    }

    #[test]
    fn a_stamp_is_believed_when_it_fits_the_tags_and_the_time_at_which_ec2_began() {
        let of_another = |began: &str| Some(Doubt::StampOfAnother { began: at(began), called: at(CALLED) });
        check("2026-11-22T17:30:05Z", Mark::Read(stamp()), None);
        check("2026-11-22T17:30:06Z", Mark::Read(stamp()), of_another("2026-11-22T17:30:06Z"));
        check("2026-11-22T16:30:05Z", Mark::Read(stamp()), None);
        check("2026-11-22T16:30:04Z", Mark::Read(stamp()), of_another("2026-11-22T16:30:04Z"));
        check(CALLED, Mark::Read(Stamp { is_intact: false, ..stamp() }), Some(Doubt::Edited));
        check(CALLED, Mark::Unreadable("x".to_owned()), Some(Doubt::UnreadableStamp));
    }

    #[test]
    fn without_a_stamp_it_began_within_a_day_of_its_scheduled_time() {
        let doubted = |began: &str| {
            Some(Doubt::BeganAtAnotherTime { began: at(began), scheduled_time: at("2026-11-22T17:00:00Z") })
        };
        check("2026-11-22T16:45:00Z", Mark::Absent, None);
        check("2026-11-22T16:44:59Z", Mark::Absent, doubted("2026-11-22T16:44:59Z"));
        check("2026-11-23T17:00:00Z", Mark::Absent, None);
        check("2026-11-23T17:00:01Z", Mark::Absent, doubted("2026-11-23T17:00:01Z"));
    }
}
