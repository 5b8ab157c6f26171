//! Instances whose volumes a policy targets one by one: which volumes are on them, and calls for several of those.

use super::ec2::{Ec2, failed};
use super::shape::volume_id;
use crate::action::{CreateSnapshots, FailedKind, Outcome};
use crate::world::{AttachedVolume, Instance, InstanceId, InstanceState, SnapshotState, VolumeId};
use jiff::Timestamp;

/// How many such instances an account has.
const HOSTS: u64 = 2;

/// An instance by its number, from 0 on.
pub(super) fn host(number: u64) -> InstanceId {
    InstanceId::parse(&format!("i-{:017x}", 1 + number % HOSTS)).expect("a hexadecimal number is an id")
}

/// Whether an instance boots from a volume where that is attached to it: the first one that each of them gets.
fn is_root_of(instance: InstanceId, volume: VolumeId) -> bool {
    (instance == host(0) && volume == volume_id(1)) || (instance == host(1) && volume == volume_id(3))
}

impl Ec2 {
    /// Those of `asked` as a list shows them that may lag; none when it fails.
    pub fn hosts(&mut self, asked: &[InstanceId], now: Timestamp) -> Vec<Instance> {
        if self.revoked.is_some_and(|revoked| revoked.holds(now)) || self.random.happens(self.faults.list_failure) {
            return Vec::new();
        }
        let mut hosts = Vec::new();
        for &id in asked {
            let at = self.lagged(now);
            hosts.push(Instance { id, state: InstanceState::Running, volumes: self.volumes_on(id, at) });
        }
        hosts
    }

    /// The volumes on an instance.
    fn volumes_on(&self, instance: InstanceId, at: Timestamp) -> Vec<AttachedVolume> {
        let is_on = |id: &VolumeId| self.attached.get(id).and_then(|attached| attached.at(at)) == Some(instance);
        let there = self.volumes.iter().filter(|life| life.exists.is_on(at) && is_on(&life.is.id));
        let attached = |id| AttachedVolume { id, is_root: is_root_of(instance, id), tags: vec![] };
        there.map(|life| attached(life.is.id)).collect()
    }

    /// Attaches a volume to an instance, or takes it off where it is on that one.
    pub(super) fn move_some_volume(&mut self, now: Timestamp) {
        let to = host(self.random.below(HOSTS));
        let Some(place) = self.random.index(self.volumes.len()) else { return };
        let Some(id) = self.volumes.get(place).map(|life| life.is.id) else { return };
        let attached = self.attached.entry(id).or_default();
        let is_there = attached.at(now) == Some(to);
        attached.switch(now, (!is_there).then_some(to));
    }

    /// A CreateSnapshots call for volumes of their own: what is on the instance when it comes and is not left out gets a
    /// snapshot, each of which stands by itself for the policy. Whether the call obeys the 15 seconds is not documented, so
    /// here it does and does not.
    pub(super) fn create_batch(&mut self, create: &CreateSnapshots, now: Timestamp) -> Outcome {
        if self.random.happens(self.faults.moves) {
            self.move_some_volume(now);
        }
        if self.random.happens(self.faults.failure / 4) {
            return failed(FailedKind::TooManyPending, "PendingSnapshotLimitExceeded");
        }
        let there = self.volumes_on(create.instance_id, now);
        let excluded = &create.exclude_data_volume_ids;
        let is_data_volume = |id: &VolumeId| there.iter().any(|volume| volume.id == *id && !volume.is_root);
        if !excluded.iter().all(is_data_volume) {
            return failed(FailedKind::Refused, "InvalidParameterValue");
        }
        let is_left_out =
            |volume: &AttachedVolume| excluded.contains(&volume.id) || volume.is_root && create.exclude_boot_volume;
        let volumes: Vec<VolumeId> =
            there.iter().filter(|volume| !is_left_out(volume)).map(|volume| volume.id).collect();
        if volumes.is_empty() {
            return failed(FailedKind::Refused, "InvalidParameterCombination");
        }
        let mut asked = self.volumes.iter().filter(|life| volumes.contains(&life.is.id));
        let too_soon = asked.find_map(|life| self.too_soon(&life.is, now));
        if let Some(code) = too_soon
            && self.random.happens(5_000)
        {
            return failed(FailedKind::TooSoon, code);
        }
        Outcome::Created(self.begin_together(create, &volumes, now))
    }

    /// The snapshots of one call: in half of the cases all of them fail when one does.
    fn begin_together(
        &mut self,
        create: &CreateSnapshots,
        volumes: &[VolumeId],
        now: Timestamp,
    ) -> Vec<crate::world::SnapshotId> {
        let first = self.records.len();
        let ids = self.begin(volumes, &create.description, &create.tags, now);
        let all_fail = self.random.happens(5_000);
        let made = self.records.get_mut(first..).unwrap_or_default();
        let fails_at =
            made.iter().filter(|record| record.ends_as == SnapshotState::Error).map(|record| record.ends_at).min();
        for (call, record) in (record_call(made)..).zip(made) {
            // Each stands by itself, as if a call of its own had made it.
            record.call = call;
            if let Some(at) = fails_at.filter(|_| all_fail) {
                (record.ends_at, record.ends_as) = (at, SnapshotState::Error);
            }
        }
        ids
    }
}

/// The number of the call that made the first of these; the numbers after it, one for each snapshot, are free.
fn record_call(made: &[super::life::Record]) -> u64 {
    made.first().map_or(0, |record| record.call)
}
