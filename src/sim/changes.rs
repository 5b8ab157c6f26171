//! What people do to the account while opendlm works in it.

use super::ec2::Ec2;
use super::life::{Life, Record, Remover, Span};
use super::random::Random;
use super::shape::Shape;
use crate::plan::due::saturating_add;
use crate::world::{Instance, Origin, SnapshotId, VolumeId};
use jiff::{SignedDuration, Timestamp};

/// Something that somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A snapshot goes to the archive tier.
    Archive,
    /// A snapshot goes to the archive tier, and is temporarily restored from there.
    ArchiveAndRestore,
    /// A snapshot of ours is copied, tags and description and all.
    Copy,
    /// A snapshot of ours is deleted by hand.
    Delete,
    /// A snapshot of ours is held for some days.
    Hold,
    /// An AMI is registered on a snapshot, and deregistered some days later: EC2 refuses to delete it meanwhile.
    Image,
    /// A snapshot is locked for some days: EC2 refuses to delete it.
    Lock,
    /// Somebody makes a snapshot and copies our tags to it.
    LookAlike,
    /// A volume or instance appears.
    NewSource,
    /// A volume or instance is removed.
    RemoveSource,
    /// A target tag is taken off, or put on again.
    Retarget,
    /// The role loses its rights for some hours.
    Revoke,
}

const CHANGES: [Change; 12] = [
    Change::Archive,
    Change::ArchiveAndRestore,
    Change::Copy,
    Change::Delete,
    Change::Hold,
    Change::Image,
    Change::Lock,
    Change::LookAlike,
    Change::NewSource,
    Change::RemoveSource,
    Change::Retarget,
    Change::Revoke,
];

/// Does something by chance, and says what.
pub fn happen(shape: Shape, ec2: &mut Ec2, random: &mut Random, now: Timestamp) -> Change {
    let change = random.index(CHANGES.len()).and_then(|at| CHANGES.get(at)).copied().unwrap_or(Change::Hold);
    let days = |random: &mut Random| Span { from: now, until: saturating_add(now, random.seconds(60, 10 * 86_400)) };
    match change {
        Change::Archive => some_snapshot(ec2, random, now, |record| record.archived = Some(now)),
        Change::ArchiveAndRestore => {
            let span = days(random);
            some_snapshot(ec2, random, now, |record| {
                (record.archived, record.restored) = (Some(now), Some(span));
            });
        }
        Change::Copy => add_copy(ec2, random, now, true),
        Change::Delete => delete(ec2, random, now),
        Change::Hold => {
            let span = days(random);
            some_snapshot(ec2, random, now, |record| record.held = Some(span));
        }
        Change::Image => {
            let span = days(random);
            some_snapshot(ec2, random, now, |record| record.imaged = Some(span));
        }
        Change::Lock => {
            let span = days(random);
            some_snapshot(ec2, random, now, |record| record.locked = Some(span));
        }
        Change::LookAlike => add_copy(ec2, random, now, false),
        Change::NewSource if sources(ec2, now) < Shape::SOURCES_MAX => {
            let is_targeted = random.happens(7_000);
            shape.add_source(ec2, now, is_targeted);
        }
        Change::NewSource => {}
        Change::RemoveSource if sources(ec2, now) > 1 => remove_source(shape, ec2, random, now),
        Change::RemoveSource => {}
        Change::Retarget => retarget(shape, ec2, random, now),
        Change::Revoke => {
            let until = saturating_add(now, random.seconds(60, 12 * 3_600));
            ec2.revoked = Some(Span { from: now, until });
        }
    }
    change
}

/// Does something to a snapshot that a run is about to delete, in the moment between its look and its call.
pub fn meddle(ec2: &mut Ec2, random: &mut Random, id: SnapshotId, now: Timestamp) {
    let span = Span { from: now, until: saturating_add(now, random.seconds(60, 10 * 86_400)) };
    let Some(record) = ec2.records.iter_mut().find(|record| record.snapshot.id == id && record.is_good(now)) else {
        return;
    };
    match random.below(4) {
        0 => record.held = Some(span),
        1 => record.imaged = Some(span),
        2 => record.archived = Some(now),
        _ => (record.archived, record.restored) = (Some(now), Some(span)),
    }
}

fn delete(ec2: &mut Ec2, random: &mut Random, now: Timestamp) {
    let mut call = None;
    some_snapshot(ec2, random, now, |record| {
        record.removed = Some((now, Remover::User));
        call = Some(record.call);
    });
    for member in ec2.records.iter_mut().filter(|member| member.is_ours && Some(member.call) == call) {
        member.is_torn = true;
    }
}

/// How many volumes or instances there are.
fn sources(ec2: &Ec2, now: Timestamp) -> usize {
    if ec2.instances.is_empty() {
        ec2.volumes.iter().filter(|life| life.exists.is_on(now)).count()
    } else {
        ec2.instances.iter().filter(|life| life.exists.is_on(now)).count()
    }
}

/// A complete one of ours, if there is any.
fn some_snapshot(ec2: &mut Ec2, random: &mut Random, now: Timestamp, change: impl FnOnce(&mut Record)) {
    let is_there = |record: &&mut Record| record.is_ours && record.is_good(now);
    let mut there: Vec<&mut Record> = ec2.records.iter_mut().filter(is_there).collect();
    if let Some(record) = random.index(there.len()).and_then(|at| there.get_mut(at)) {
        change(record);
    }
}

/// A snapshot that is not ours: by CopySnapshot with all that ours carries, or made by hand with our tags.
fn add_copy(ec2: &mut Ec2, random: &mut Random, now: Timestamp, by_copying: bool) {
    let is_there = |record: &&Record| record.is_ours && record.is_good(now);
    let there: Vec<&Record> = ec2.records.iter().filter(is_there).collect();
    let Some(record) = random.index(there.len()).and_then(|at| there.get(at)) else { return };
    let mut snapshot = record.snapshot.clone();
    snapshot.id = ec2.new_id();
    snapshot.start_time = now;
    if by_copying {
        snapshot.origin = Origin::Copied;
    } else {
        snapshot.description = "by hand".into();
    }
    let ends_at = saturating_add(now, SignedDuration::from_mins(1));
    let copied = Record::new(snapshot, Vec::new(), u64::MAX, ends_at);
    ec2.records.push(Record { is_ours: false, ..copied });
}

fn remove_source(shape: Shape, ec2: &mut Ec2, random: &mut Random, now: Timestamp) {
    if shape.is_of_instances() {
        remove_instance(ec2, random, now);
    } else if let Some(life) = random.index(ec2.volumes.len()).and_then(|at| ec2.volumes.get_mut(at)) {
        life.exists.switch(now, false);
    }
}

/// Its root volume goes with an instance; its data volume may, or is left alone, or goes to the instance that replaces it.
fn remove_instance(ec2: &mut Ec2, random: &mut Random, now: Timestamp) {
    let there = |life: &&mut Life<Instance>| life.exists.is_on(now);
    let mut instances: Vec<&mut Life<Instance>> = ec2.instances.iter_mut().filter(there).collect();
    let Some(life) = random.index(instances.len()).and_then(|at| instances.get_mut(at)) else { return };
    life.exists.switch(now, false);
    let volumes: Vec<(VolumeId, bool)> = life.is.volumes.iter().map(|volume| (volume.id, volume.is_root)).collect();
    let data = volumes.iter().find(|(_, is_root)| !is_root).map(|&(id, _)| id);
    let becomes = random.below(3);
    for (id, is_root) in volumes {
        if let Some(volume) = ec2.volumes.iter_mut().find(|volume| volume.is.id == id && (is_root || becomes == 0)) {
            volume.exists.switch(now, false);
        }
    }
    if let Some(data) = data.filter(|_| becomes == 1) {
        Shape::replace_instance(ec2, data, now);
    }
}

fn retarget(shape: Shape, ec2: &mut Ec2, random: &mut Random, now: Timestamp) {
    if shape == Shape::DefaultPolicy {
        return;
    }
    if shape.is_of_instances() {
        if let Some(life) = random.index(ec2.instances.len()).and_then(|at| ec2.instances.get_mut(at)) {
            let on = !life.targeted.is_on(now);
            life.targeted.switch(now, on);
        }
    } else if let Some(life) = random.index(ec2.volumes.len()).and_then(|at| ec2.volumes.get_mut(at)) {
        let on = !life.targeted.is_on(now);
        life.targeted.switch(now, on);
    }
}
