//! What the simulated account says of ids: true to within a moment, other than its listings.

use super::ec2::{Ec2, ListFailure};
use super::sabotage::{self, Sabotage};
use crate::action::last_look::{self, Change};
use crate::action::{DeleteSnapshot, Outcome};
use crate::options::{Options, Start};
use crate::plan;
use crate::plan::due::saturating_add;
use crate::policy::{Policy, Targets};
use crate::turn::closer;
use crate::world::{Asks, ImageId, InstanceId, SnapshotId, SourceId, Volume, VolumeId, World};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// How far a read by id lags at most: live captures show a new snapshot by its id 0.2 s after the call, the first time it was
/// looked for. Five times as much.
pub const BY_ID_LAG: SignedDuration = SignedDuration::from_secs(1);

/// Plans, and looks closer because of the plan, until it is known what a turn has to know: as the function does.
///
/// # Errors
/// When `look` fails.
pub fn look_closer<E>(
    policy: &Policy,
    options: &Options,
    (start, now): (&Start, Timestamp),
    world: &mut World,
    mut look: impl FnMut(&Asks, &mut World) -> Result<(), E>,
) -> Result<(), E> {
    for _ in 0..closer::LOOKS_MAX {
        let asks = closer::asks_of_turn(policy, world, &plan::plan(policy, options, start, now, world));
        if asks.is_empty() {
            break;
        }
        look(&asks, world)?;
    }
    Ok(())
}

/// The AMI that uses a snapshot: each has its own, and it is called alike.
fn image_of(id: SnapshotId) -> Option<ImageId> {
    ImageId::parse(&id.to_string().replacen("snap-", "ami-", 1))
}

impl Ec2 {
    fn by_id_at(&mut self, now: Timestamp) -> Timestamp {
        let lags = self.faults.lag > 0 && self.random.happens(500);
        if lags { saturating_add(now, -BY_ID_LAG) } else { now }
    }

    /// What `begun` asks for and the list does not show. Reads by id are consistent within a moment.
    pub(super) fn add_by_id(&mut self, begun: &BTreeSet<SnapshotId>, now: Timestamp, world: &mut World) {
        let listed: BTreeSet<SnapshotId> = world.snapshots.iter().map(|snapshot| snapshot.id).collect();
        for &id in begun.iter().filter(|id| !listed.contains(id)) {
            let at = self.by_id_at(now);
            let record = self.records.iter().find(|record| record.snapshot.id == id);
            match record.and_then(|record| record.seen(at)) {
                Some(snapshot) => {
                    world.by_id.shown.insert(id);
                    world.snapshots.push(snapshot);
                }
                None => {
                    world.by_id.not_found.insert(id);
                }
            }
        }
    }

    /// What our snapshots were made of and the list of targets does not show is asked for by a filter of ids. What carries a
    /// target tag is a target.
    pub(super) fn find_untargeted(&mut self, policy: &Policy, now: Timestamp, world: &mut World) {
        let volumes: BTreeSet<VolumeId> = world.volumes.iter().map(|volume| volume.id).collect();
        let instances: BTreeSet<InstanceId> = world.instances.iter().map(|instance| instance.id).collect();
        let by_instance = matches!(policy.targets, Targets::Instances { .. });
        let missing: BTreeSet<SourceId> = world
            .snapshots
            .iter()
            .filter_map(|snapshot| match snapshot.marks.instance_id.value() {
                Some(&id) if by_instance => (!instances.contains(&id)).then_some(SourceId::Instance(id)),
                None if by_instance => None,
                _ => (!volumes.contains(&snapshot.volume_id)).then_some(SourceId::Volume(snapshot.volume_id)),
            })
            .collect();
        for source in missing {
            match source {
                SourceId::Instance(id) => {
                    let Some(life) = self.instances.iter().find(|life| life.is.id == id) else { continue };
                    if life.is_targeted(now) {
                        world.instances.push(life.is.clone());
                    } else if life.exists.is_on(now) {
                        world.untargeted.insert(source);
                    }
                }
                SourceId::Volume(id) => {
                    let Some(life) = self.volumes.iter().find(|life| life.is.id == id) else { continue };
                    if life.is_targeted(now) {
                        let last_snapshot = match policy.targets {
                            Targets::AllVolumes(_) => self.last_snapshot(&id, now),
                            Targets::Instances { .. } | Targets::Volumes { .. } => None,
                        };
                        world.volumes.push(Volume { last_snapshot, ..life.is.clone() });
                    } else if life.exists.is_on(now) {
                        world.untargeted.insert(source);
                    }
                }
            }
        }
    }

    /// Answers what a plan asks. AMIs that cannot be seen count as asked for.
    ///
    /// # Errors
    /// When EC2 does not say which sources are gone, or shows one as a target that no list showed.
    pub fn look_closer(&mut self, asks: &Asks, now: Timestamp, world: &mut World) -> Result<(), ListFailure> {
        if !asks.sources.is_empty() {
            self.list_fails()?;
        }
        for &source in &asks.sources {
            let at = self.by_id_at(now);
            let (exists, is_targeted) = match source {
                SourceId::Instance(id) => self.instances.iter().find(|life| life.is.id == id).map(|l| l.standing(at)),
                SourceId::Volume(id) => self.volumes.iter().find(|life| life.is.id == id).map(|l| l.standing(at)),
            }
            .unwrap_or_default();
            if is_targeted {
                return Err(ListFailure::Unavailable);
            }
            if exists {
                world.untargeted.insert(source);
            } else {
                world.closer.gone.insert(source);
            }
        }
        if asks.images {
            world.closer.images_asked = true;
            self.images_seen = self.list_fails().is_ok();
            if self.images_seen {
                for position in 0..self.records.len() {
                    let at = self.lagged(now);
                    let used = self.records.get(position).filter(|r| r.imaged.is_some_and(|imaged| imaged.holds(at)));
                    let used = used.and_then(|record| Some((record.snapshot.id, image_of(record.snapshot.id)?)));
                    world.closer.used_by.extend(used);
                }
            }
        }
        Ok(())
    }

    /// What the last look before a deletion says; `None` when it goes on.
    pub(super) fn last_look(&mut self, delete: &DeleteSnapshot, now: Timestamp) -> Option<Outcome> {
        if self.sabotage == Some(Sabotage::SkipsLastLook) {
            return None;
        }
        if self.revoked.is_some_and(|revoked| revoked.holds(now)) || self.list_fails().is_err() {
            return Some(Outcome::NotStarted);
        }
        let at = self.by_id_at(now);
        let record = self.records.iter().find(|record| record.snapshot.id == delete.snapshot.id);
        let Some(mut seen) = record.and_then(|record| record.seen(at)) else { return Some(Outcome::Deleted) };
        sabotage::distort(self.sabotage, &delete.policy_id, &mut seen);
        let change: Option<Change> = last_look::change(&delete.snapshot, &seen, now);
        change.map(Outcome::Changed)
    }
}
