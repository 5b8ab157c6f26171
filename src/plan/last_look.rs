//! What EC2 shows of a snapshot just before it is deleted: does it still go? (R5 of docs/promises.md.)

use crate::world::Snapshot;
use jiff::Timestamp;
use std::fmt;

/// Why a snapshot stays that was to go: it is not any more what the plan has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Its description. EC2 lets nobody change one, so this is another snapshot.
    Description,
    /// Somebody holds it now.
    Held,
    /// Its state.
    State,
    /// One of opendlm's tags.
    Tags,
    /// It is in the archive now, or was restored from it.
    Tier,
}

/// Whether a snapshot that a plan has `seen` still goes as it is shown `now_shown`, at `now`; why not, if it does not.
#[must_use]
pub fn changed(seen: &Snapshot, now_shown: &Snapshot, now: Timestamp) -> Option<Changed> {
    let without_hold = |snapshot: &Snapshot| {
        let mut marks = snapshot.marks.clone();
        marks.hold = None;
        marks
    };
    if seen.id != now_shown.id || seen.description != now_shown.description {
        Some(Changed::Description)
    } else if now_shown.marks.hold.is_some_and(|hold| hold.holds_at(now)) {
        Some(Changed::Held)
    } else if seen.state != now_shown.state {
        Some(Changed::State)
    } else if seen.tier != now_shown.tier {
        Some(Changed::Tier)
    } else if without_hold(seen) != without_hold(now_shown) || seen.start_time != now_shown.start_time {
        Some(Changed::Tags)
    } else {
        None
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Description => "EC2 shows another snapshot by this id now",
            Self::Held => "it carries opendlm:hold now",
            Self::State => "its state has changed",
            Self::Tags => "its opendlm tags have changed",
            Self::Tier => "it was moved to or from the archive tier",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::*;
    use crate::world::{SnapshotState, Tier};

    #[track_caller]
    fn check(change: impl FnOnce(&mut Snapshot), expected: Option<Changed>) {
        let seen = snapshot(1, 1, "2026-11-20T17:00:00Z");
        let mut now_shown = seen.clone();
        change(&mut now_shown);
        assert_eq!(changed(&seen, &now_shown, at("2026-11-22T17:00:00Z")), expected);
    }

    #[test]
    fn a_snapshot_goes_only_as_it_was_seen() {
        check(|_| {}, None);
        check(|s| s.full_size_bytes = 7, None);
        check(|s| *s = s.clone().held("until=2026-11-21"), None);
        check(|s| *s = s.clone().held("until=2026-11-22T17:00:01Z"), Some(Changed::Held));
        check(|s| *s = s.clone().held(""), Some(Changed::Held));
        check(|s| s.state = SnapshotState::Unknown("recoverable".to_owned()), Some(Changed::State));
        check(|s| s.tier = Tier::Archive, Some(Changed::Tier));
        check(|s| *s = s.clone().of_schedule("Other"), Some(Changed::Tags));
        check(|s| *s = s.clone().expiring("2027-01-01T00:00:00Z"), Some(Changed::Tags));
        check(|s| s.description = "by hand".into(), Some(Changed::Description));
    }
}
