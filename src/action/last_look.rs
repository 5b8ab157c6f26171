//! The last look before a deletion: whether a snapshot is still what the plan decided about.
//!
//! Promise: what [`change`] lets go is the snapshot that was observed, and nobody has asked for it to stay meanwhile. It only
//! takes deletions back; it never adds one.

use crate::tags::SharedMarks;
use crate::world::{Origin, Snapshot, SnapshotState, Tier};
use jiff::Timestamp;

/// What keeps a snapshot that was to be deleted, seen just before the call: none is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is in the archive tier.
    Archived,
    /// It is held.
    Held,
    /// Its description, its volume or its origin is another one.
    Identity,
    /// EC2 did not show it by its id, and did not say that it is gone either.
    NotShown,
    /// It is a copy, and the one that was to be left is not there, not complete or not believed any more.
    RestsOnNothing,
    /// It was in the archive and is restored until then.
    Restored {
        /// When EC2 archives it again.
        until: Timestamp,
    },
    /// It is in another state.
    State,
    /// Tags of opendlm were changed.
    Tags,
}

/// What keeps a snapshot that was `observed` and is `seen` at `now`; `None` where it still goes.
#[must_use]
pub fn change(observed: &Snapshot, seen: &Snapshot, now: Timestamp) -> Option<Change> {
    let identity = |snapshot: &Snapshot| -> (_, _, Origin) { (snapshot.id, snapshot.volume_id, snapshot.origin) };
    if identity(observed) != identity(seen) || observed.description != seen.description {
        return Some(Change::Identity);
    }
    match seen.tier {
        Tier::Archive => return Some(Change::Archived),
        Tier::Restored { until } => return Some(Change::Restored { until }),
        Tier::Standard => {}
    }
    if seen.marks.hold.is_some_and(|hold| hold.holds_at(now)) {
        return Some(Change::Held);
    }
    // A hold that is over says nothing, whether it was there before or not.
    if without_hold(&observed.marks) != without_hold(&seen.marks) {
        return Some(Change::Tags);
    }
    // What failed holds nothing; what is complete was decided about as such. Nothing else is ever deleted.
    let is_as_decided =
        observed.state == seen.state && matches!(seen.state, SnapshotState::Completed | SnapshotState::Error);
    (!is_as_decided).then_some(Change::State)
}

/// What keeps a snapshot from being copied that was `observed` and is `seen` now; `None` where it still is what the plan decided about. A
/// hold is no obstacle: it asks for the snapshot to stay. The same holds of a copy that is to be left when another one goes.
#[must_use]
pub fn source_change(observed: &Snapshot, seen: &Snapshot) -> Option<Change> {
    let unheld = |snapshot: &Snapshot| Snapshot { marks: without_hold(&snapshot.marks), ..snapshot.clone() };
    match change(&unheld(observed), &unheld(seen), Timestamp::MIN) {
        None if seen.state != SnapshotState::Completed => Some(Change::State),
        change => change,
    }
}

fn without_hold(marks: &SharedMarks) -> SharedMarks {
    let mut marks = marks.clone();
    if marks.hold.is_some() {
        marks.hold = None;
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, snapshot};
    use crate::tags::{Hold, Mark};
    use crate::world::{SnapshotId, VolumeId};

    const NOW: &str = "2026-11-22T17:05:00Z";

    /// What comes of a snapshot that goes, if `change_it` happens to it between the look and the call.
    #[track_caller]
    fn check(change_it: impl Fn(&mut Snapshot), expected: Option<Change>) {
        let observed = snapshot(1, 1, "2026-11-01T17:00:00Z");
        let mut seen = observed.clone();
        change_it(&mut seen);
        assert_eq!(change(&observed, &seen, at(NOW)), expected);
    }

    #[test]
    fn what_is_as_it_was_goes() {
        check(|_| {}, None);
        check(|seen| seen.full_size_bytes += 1, None);
        let failed = Snapshot { state: SnapshotState::Error, ..snapshot(1, 1, "2026-11-01T17:00:00Z") };
        assert_eq!(change(&failed, &failed, at(NOW)), None);
    }

    #[test]
    fn a_hold_keeps_it_while_it_lasts() {
        check(|seen| seen.marks.hold = Some(Hold::Forever), Some(Change::Held));
        check(|seen| seen.marks.hold = Some(Hold::Until(at("2026-11-22T17:05:01Z"))), Some(Change::Held));
        check(|seen| seen.marks.hold = Some(Hold::Until(at(NOW))), None);
    }

    #[test]
    fn another_tier_keeps_it() {
        check(|seen| seen.tier = Tier::Archive, Some(Change::Archived));
        let until = at("2026-12-01T00:00:00Z");
        check(|seen| seen.tier = Tier::Restored { until }, Some(Change::Restored { until }));
    }

    #[test]
    fn another_identity_or_other_tags_of_ours_keep_it() {
        check(|seen| seen.description = "another one".into(), Some(Change::Identity));
        check(|seen| seen.origin = Origin::Copied, Some(Change::Identity));
        check(|seen| seen.volume_id = VolumeId::parse("vol-0ff").unwrap(), Some(Change::Identity));
        check(|seen| seen.id = SnapshotId::parse("snap-0ff").unwrap(), Some(Change::Identity));
        check(|seen| seen.marks.policy_id = None, Some(Change::Tags));
        check(|seen| seen.marks.scheduled_time = Mark::Read(at("2026-11-22T17:00:00Z")), Some(Change::Tags));
        check(|seen| seen.marks.expiration_time = Mark::Unreadable("later".to_owned()), Some(Change::Tags));
    }

    #[test]
    fn another_state_keeps_it() {
        check(|seen| seen.state = SnapshotState::Error, Some(Change::State));
        check(|seen| seen.state = SnapshotState::Unknown("recoverable".to_owned()), Some(Change::State));
        let unknown =
            Snapshot { state: SnapshotState::Unknown("a".to_owned()), ..snapshot(1, 1, "2026-11-01T17:00:00Z") };
        assert_eq!(change(&unknown, &unknown, at(NOW)), Some(Change::State));
    }
}
