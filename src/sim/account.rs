//! An account that tells the truth: it applies actions at once and moves the clock, so that years pass in a second.
//!
//! It drives the same core as the function: plan, check, select, apply, conclude.

use crate::action::{Action, CreateSnapshot, CreateSnapshots, DeleteSnapshot, Failed, FailedKind, Outcome};
use crate::options::{Options, Start};
use crate::plan::{self, check};
use crate::policy::{Policy, Tag};
use crate::sim::begun;
use crate::tags::{self};
use crate::turn::{self, Budget, Conclusion, Progress, RunOutcome, Status};
use crate::world::{
    AttachedVolume, ById, Closer, Coverage, Instance, Snapshot, SnapshotId, SnapshotState, SourceId, Volume, VolumeId,
    VolumeState, World,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

mod abroad;
#[cfg(test)]
mod tests;

pub use abroad::Abroad;

/// An account with volumes, all of them targeted, and snapshots that take their time.
#[derive(Debug, Clone)]
pub struct Account {
    /// The volumes that a policy for volumes targets.
    pub volumes: Vec<Volume>,
    /// The instances that a policy for instances targets, and on which volumes are.
    pub instances: Vec<Instance>,
    /// Volumes and instances that are there without being targeted.
    pub untargeted: BTreeSet<SourceId>,
    snapshots: BTreeMap<SnapshotId, Simulated>,
    snapshot_takes: SignedDuration,
    coverage: Coverage,
    last_id: u64,
    /// Volumes of which EC2 refuses to make a snapshot.
    pub broken_volumes: BTreeSet<VolumeId>,
    /// Snapshots that EC2 refuses to delete: used by an AMI, or locked.
    pub undeletable: BTreeSet<SnapshotId>,
    /// How many calls changed the account.
    pub calls: Calls,
    /// The other Regions.
    pub abroad: Abroad,
}

/// How many calls changed the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Calls {
    /// CreateSnapshot calls.
    pub creations: u64,
    /// DeleteSnapshot calls.
    pub deletions: u64,
}

#[derive(Debug, Clone)]
struct Simulated {
    snapshot: Snapshot,
    completes_at: Timestamp,
}

/// How a simulated run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The outcome.
    pub outcome: RunOutcome,
    /// When its last turn was.
    pub at: Timestamp,
    /// The state after its last turn.
    pub progress: Progress,
    /// The wait after each turn but the last, in seconds.
    pub waits: Vec<u32>,
}

impl Account {
    /// An account with so many volumes, whose snapshots are complete after `snapshot_takes`.
    #[must_use]
    pub fn new(volumes: u32, snapshot_takes: SignedDuration) -> Self {
        let volume = |number| Volume {
            id: VolumeId::parse(&format!("vol-{number:017x}")).expect("a hexadecimal number is an id"),
            state: VolumeState::InUse,
            created: None,
            tags: Vec::new(),
            volume_type: "gp3".to_owned(),
            is_boot: false,
            last_snapshot: None,
        };
        Self {
            volumes: (1..=volumes).map(volume).collect(),
            instances: Vec::new(),
            untargeted: BTreeSet::new(),
            snapshots: BTreeMap::new(),
            snapshot_takes,
            coverage: Coverage::Complete,
            last_id: FIRST_ID,
            broken_volumes: BTreeSet::new(),
            undeletable: BTreeSet::new(),
            calls: Calls::default(),
            abroad: Abroad::default(),
        }
    }

    /// An account that holds what was observed; its pending snapshots stay pending.
    #[must_use]
    pub fn holding(world: &World) -> Self {
        let mut account = Self::new(0, SignedDuration::MAX);
        account.volumes.clone_from(&world.volumes);
        account.instances.clone_from(&world.instances);
        account.untargeted.clone_from(&world.untargeted);
        account.coverage = world.coverage;
        for snapshot in &world.snapshots {
            let simulated = Simulated { snapshot: snapshot.clone(), completes_at: Timestamp::MAX };
            account.snapshots.insert(snapshot.id, simulated);
        }
        account
    }

    /// Lets those pending snapshots be complete at `at` that `is_awaited` names, and new ones at once.
    pub fn complete_pending(&mut self, at: Timestamp, is_awaited: impl Fn(&Snapshot) -> bool) {
        self.snapshot_takes = SignedDuration::ZERO;
        for simulated in self.snapshots.values_mut().filter(|simulated| is_awaited(&simulated.snapshot)) {
            simulated.completes_at = at;
        }
    }

    /// Puts a snapshot into the account that is complete from now on.
    pub fn add_snapshot(&mut self, snapshot: Snapshot) {
        let completes_at = snapshot.start_time;
        self.snapshots.insert(snapshot.id, Simulated { snapshot, completes_at });
    }

    /// What the account shows at `now`.
    #[must_use]
    pub fn observe(&self, now: Timestamp) -> World {
        let snapshots = self.snapshots.values().map(|simulated| {
            let mut snapshot = simulated.snapshot.clone();
            if matches!(snapshot.state, SnapshotState::Pending) && simulated.completes_at <= now {
                snapshot.state = SnapshotState::Completed;
                snapshot.completed_at = Some(simulated.completes_at);
            }
            snapshot
        });
        World {
            volumes: self.volumes.iter().map(|volume| self.with_last_snapshot(volume)).collect(),
            instances: self.instances.clone(),
            untargeted: self.untargeted.clone(),
            snapshots: snapshots.collect(),
            by_id: ById::default(),
            closer: self.closer(),
            coverage: self.coverage,
            home: self.abroad.home.clone(),
            regions: self.abroad.observe(now, false),
        }
    }

    /// What is neither targeted nor untargeted is gone, and the account says so when it is asked.
    fn closer(&self) -> Closer {
        let volumes = self.volumes.iter().map(|volume| SourceId::Volume(volume.id));
        let instances = self.instances.iter().map(|instance| SourceId::Instance(instance.id));
        let there: BTreeSet<SourceId> = volumes.chain(instances).chain(self.untargeted.iter().copied()).collect();
        let sources = self.snapshots.values().flat_map(|simulated| {
            let instance = simulated.snapshot.marks.instance_id.value().copied().map(SourceId::Instance);
            instance.into_iter().chain([SourceId::Volume(simulated.snapshot.volume_id)])
        });
        let gone = sources.filter(|source| !there.contains(source)).collect();
        Closer { gone, images_asked: true, used_by: BTreeMap::new() }
    }

    fn with_last_snapshot(&self, volume: &Volume) -> Volume {
        let is_of_volume =
            |s: &&Simulated| s.snapshot.volume_id == volume.id && s.snapshot.state != SnapshotState::Error;
        let newest = self.snapshots.values().filter(is_of_volume).map(|s| s.snapshot.start_time).max();
        Volume { last_snapshot: newest.max(volume.last_snapshot), ..volume.clone() }
    }

    /// Carries out one action.
    pub fn apply(&mut self, action: &Action, now: Timestamp) -> Outcome {
        match action {
            Action::CopySnapshot(copy) => self.copy(copy, now),
            Action::CreateSnapshot(create) => self.create(create, now),
            Action::CreateSnapshots(create) => self.create_set(create, now),
            Action::DeleteSnapshot(delete) => match &delete.of_copy {
                Some(place) => self.delete_copy(delete, place),
                None => self.delete(delete),
            },
        }
    }

    fn create(&mut self, create: &CreateSnapshot, now: Timestamp) -> Outcome {
        self.calls.creations += 1;
        if !self.volumes.iter().any(|volume| volume.id == create.volume_id) {
            return refused("InvalidVolume.NotFound", "the volume does not exist");
        }
        if self.broken_volumes.contains(&create.volume_id) {
            return refused("IncorrectState", "the volume cannot be backed up");
        }
        Outcome::Created(vec![self.begin(&create.volume_id, &create.description, &create.tags, now)])
    }

    fn create_set(&mut self, create: &CreateSnapshots, now: Timestamp) -> Outcome {
        self.calls.creations += 1;
        let Some(instance) = self.instances.iter().find(|instance| instance.id == create.instance_id) else {
            return refused("InvalidInstanceID.NotFound", "the instance does not exist");
        };
        let is_included = |volume: &&AttachedVolume| {
            !(create.exclude_data_volume_ids.contains(&volume.id) || volume.is_root && create.exclude_boot_volume)
        };
        let volumes: Vec<AttachedVolume> = instance.volumes.iter().filter(is_included).cloned().collect();
        if volumes.iter().any(|volume| self.broken_volumes.contains(&volume.id)) {
            return refused("IncorrectState", "a volume of the instance cannot be backed up");
        }
        let begin = |volume: &AttachedVolume| self.begin(&volume.id, &create.description, &create.tags, now);
        Outcome::Created(volumes.iter().map(begin).collect())
    }

    fn begin(&mut self, volume_id: &VolumeId, description: &str, tags: &[Tag], now: Timestamp) -> SnapshotId {
        self.last_id += 1;
        let id = SnapshotId::parse(&format!("snap-{:017x}", self.last_id)).expect("a hexadecimal number is an id");
        let snapshot = begun::created(id, *volume_id, description, tags, now);
        let completes_at = plan::due::saturating_add(now, self.snapshot_takes);
        self.snapshots.insert(id, Simulated { snapshot, completes_at });
        id
    }

    fn delete(&mut self, delete: &DeleteSnapshot) -> Outcome {
        self.calls.deletions += 1;
        assert_eq!(tags::ownership(&delete.policy_id, &delete.snapshot), tags::Ownership::Ours, "only ours is deleted");
        if self.undeletable.contains(&delete.snapshot.id) {
            return refused("InvalidSnapshot.InUse", "the snapshot is in use by an image");
        }
        self.snapshots.remove(&delete.snapshot.id);
        Outcome::Deleted
    }

    /// One turn at `now`, as the function does it.
    ///
    /// # Panics
    /// When the plan breaks a promise.
    pub fn turn(&mut self, policy: &Policy, options: &Options, mut progress: Progress, now: Timestamp) -> Conclusion {
        let mut world = self.observe(now);
        world.regions = self.abroad.observe(now, progress.turns == 0);
        progress.note_look(&policy.id, &world, now, options.settling);
        progress.copies.note_look(policy, &world, now, options.settling);
        let plan = plan::plan(policy, options, &progress.start(), now, &world);
        assert_eq!(check::check(policy, options, now, &world, &plan), vec![], "a plan keeps every promise");
        let mut selection = turn::select(policy, options, &plan, &progress, now, Budget::UNBOUNDED);
        turn::select_copies(policy, options, &plan, &progress, (world.home.as_ref(), now), &mut selection);
        let outcomes = selection.actions.iter().map(|action| self.apply(action, now)).collect();
        turn::conclude(options, &plan, progress, selection, outcomes, now)
    }

    /// A whole run from `start`: turns until it is done, the clock moved by each wait.
    pub fn run(&mut self, policy: &Policy, options: &Options, start: Start) -> Ended {
        let mut progress = Progress::new(&start);
        let mut now = start.begun;
        let mut waits = Vec::new();
        // Bounded by turn::TURNS_MAX.
        loop {
            let conclusion = self.turn(policy, options, progress, now);
            progress = conclusion.progress;
            match conclusion.status {
                Status::Done(outcome) => return Ended { outcome, at: now, progress, waits },
                Status::Waiting { seconds } => {
                    waits.push(seconds);
                    now = plan::due::saturating_add(now, SignedDuration::from_secs(i64::from(seconds)));
                }
            }
        }
    }
}

/// Where the numbering of new snapshots begins: far from those that a test puts in, so that no id is given out twice.
const FIRST_ID: u64 = 1 << 40;

fn refused(code: &str, message: &str) -> Outcome {
    let failed = Failed { kind: FailedKind::Refused, code: code.to_owned(), message: message.to_owned() };
    Outcome::Failed(failed)
}
