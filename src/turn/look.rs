//! How a turn lists the snapshots, by what the run knows of their number, and how long it works on what it saw.

use super::Progress;
use crate::plan::Plan;
use crate::plan::due::saturating_add;
use crate::world::{Sweep, World};
use jiff::{SignedDuration, Timestamp};

/// From so many snapshots on they are listed in parts. Ten pages: one after the other they take about two seconds, which
/// 31 listings side by side do not beat.
const PARTS_FROM: u64 = 10_000;

/// How long after its look a turn begins calls: then the next one looks again. What is complete is seen by looks alone, and
/// what waits for it, deletions, would find tokens that nobody took. A look takes seconds, and EC2's bucket of 100 takes up
/// 20 of them.
const WORK: SignedDuration = SignedDuration::from_secs(100);

/// Until when the calls of a turn may take that looked at `looked_at` and has time until `until`.
#[must_use]
pub fn works_until(looked_at: Timestamp, until: Timestamp) -> Timestamp {
    saturating_add(looked_at, WORK).min(until)
}

/// How this turn looks first.
#[must_use]
pub fn sweep(progress: &Progress) -> Sweep {
    if progress.shown >= PARTS_FROM { Sweep::Parts } else { Sweep::Whole }
}

/// Whether a view in parts can be all that there is: no fewer snapshots than the run left behind. Otherwise others deleted
/// some, or a part is missing, perhaps because the endpoint does not know such a filter, and the turn looks again at the
/// whole: what it does not see it would make twice, and a failed member that it does not see makes a bad set look good.
#[must_use]
pub fn is_whole(progress: &Progress, world: &World) -> bool {
    u64::try_from(world.snapshots.len()).unwrap_or(u64::MAX) >= progress.shown
}

/// How many snapshots are there after a turn that saw `plan` and deleted so many. After an observation that was cut short
/// nobody knows: what could not be read is in no part, so only a look at the whole shows that it is there still.
pub(super) fn shown(plan: &Plan<'_>, deleted: usize) -> u64 {
    if plan.cut_short.is_some() {
        return 0;
    }
    u64::try_from((plan.snapshots.len() + plan.foreign).saturating_sub(deleted)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::options::Options;
    use crate::plan::plan;
    use crate::world::{Coverage, CutShort};

    fn after(shown: u64) -> Progress {
        Progress { shown, ..Progress::new(&start("2026-11-22T17:00:00Z")) }
    }

    #[test]
    fn ten_pages_of_snapshots_are_listed_in_parts() {
        assert_eq!([0, 9_999, 10_000].map(|shown| sweep(&after(shown))), [Sweep::Whole, Sweep::Whole, Sweep::Parts]);
    }

    #[test]
    fn a_turn_works_for_a_hundred_seconds_where_it_has_them() {
        let until = |text: &str| works_until(at("2026-11-22T17:00:00Z"), at(text)).to_string();
        assert_eq!(until("2026-11-22T17:01:39Z"), "2026-11-22T17:01:39Z");
        assert_eq!(until("2026-11-22T17:05:00Z"), "2026-11-22T17:01:40Z");
        assert_eq!(works_until(Timestamp::MAX, Timestamp::MAX), Timestamp::MAX);
    }

    #[test]
    fn parts_that_show_less_than_there_was_are_not_believed() {
        let seen = |count| world([], (0..count).map(|number| snapshot(number, 1, "2026-11-20T17:00:00Z")));
        let is_whole = |shown, count| is_whole(&after(shown), &seen(count));
        assert_eq!((is_whole(0, 0), is_whole(99, 98), is_whole(99, 99), is_whole(99, 300)), (true, false, true, true));
    }

    #[test]
    fn after_an_observation_that_was_cut_short_the_whole_is_looked_at_again() {
        let (policy, options, start) = (sample(), Options::default(), start("2026-11-22T17:00:00Z"));
        let snapshots = || (1..=3).map(|number| snapshot(number, 1, "2026-11-20T17:00:00Z"));
        let shown_of = |coverage| {
            let world = World { coverage, ..world([volume(1)], snapshots()) };
            shown(&plan(&policy, &options, &start, start.begun, &world), 1)
        };
        let cut_short = Coverage::Partial(CutShort::Unreadable);
        assert_eq!((shown_of(Coverage::Complete), shown_of(cut_short)), (2, 0));
    }
}
