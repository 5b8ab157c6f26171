//! Sets that are copied whole: what was copied of another set for the same time is one too many.
//!
//! Copies of two sets together are no set, so no copy is as good as one of another set. Which set is the one to have is decided in the home
//! Region, where of two for one time one goes.

use super::wanted::{Set, set_of};
use super::{CopyVerdict, Wanted, fate, seen};
use crate::place::Region;
use crate::world::{InstanceId, Snapshot, SnapshotId, VolumeId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The copies of a set that can be restored at once, by volume.
type Copies<'a> = BTreeMap<VolumeId, &'a Snapshot>;

/// The sets of the home Region that have such a copy of each member.
#[derive(Debug)]
pub(super) struct WholeSets<'a> {
    sets: BTreeMap<(&'a Region, InstanceId, Timestamp), Copies<'a>>,
    /// The snapshots that are to have copies, each in its Region.
    wanted: BTreeSet<(&'a Region, SnapshotId)>,
}

impl<'a> WholeSets<'a> {
    pub(super) fn of(wanted: &[(&'a Region, Wanted<'a>)]) -> Self {
        let mut copied: BTreeMap<(&Region, Set), (Copies<'_>, usize)> = BTreeMap::new();
        for (region, wanted) in wanted {
            let members =
                wanted.source.marks.stamp.value().and_then(|stamp| stamp.members).filter(|&members| members > 1);
            let (Some(set), Some(members)) = (set_of(wanted.source), members) else { continue };
            let (copies, planned) = copied.entry((*region, set)).or_default();
            *planned = usize::try_from(members).unwrap_or(usize::MAX);
            if let CopyVerdict::Done(copy) = wanted.verdict
                && copy.is_restorable()
            {
                copies.insert(wanted.source.volume_id, copy);
            }
        }
        let whole = copied.into_iter().filter(|(_, (copies, members))| copies.len() >= *members);
        Self {
            sets: whole
                .map(|((region, (instance, time, _)), (copies, _))| ((region, instance, time), copies))
                .collect(),
            wanted: wanted.iter().map(|(region, wanted)| (*region, wanted.source.id)).collect(),
        }
    }

    /// The copy that is there instead of `copy`: of the same volume, for the same schedules, in a set that is copied whole, and staying as
    /// long. The snapshot of `copy` is to have none.
    pub(super) fn instead_of(&self, region: &Region, copy: &Snapshot) -> Option<&'a Snapshot> {
        let marks = &copy.marks;
        let (instance, time) = (*marks.instance_id.value()?, *marks.scheduled_time.value()?);
        let (volume, from) = (*marks.volume_id.value()?, marks.copied_from.value()?);
        let instead = *self.sets.get(&(region, instance, time))?.get(&volume)?;
        let schedules = |copy: &Snapshot| {
            let names = seen::place(volume, copy).map(|(.., names, _)| names.into_iter().cloned().collect::<Vec<_>>());
            (names, copy.marks.is_run_now())
        };
        let until = |copy: &Snapshot| fate::expires_at(copy).unwrap_or(Timestamp::MAX);
        let is_one_too_many = !self.wanted.contains(&(region, from.snapshot))
            && schedules(copy) == schedules(instead)
            && until(copy) <= until(instead);
        is_one_too_many.then_some(instead)
    }
}
