//! EC2 as it may be on its worst days: lists that lag, calls whose answers are lost, limits, refusals, snapshots that
//! fail or hang. What is true is here for the judge to read; what a turn sees comes from [`Ec2::observe`] alone.

pub(in crate::sim) mod abroad;
mod faults;

use super::life::{Life, Maker, Record, Remover, Span};
use super::random::Random;
use super::sabotage::Sabotage;
use crate::action::{Action, CreateSnapshot, CreateSnapshots, DeleteSnapshot, Failed, FailedKind, Outcome};
use crate::plan::due::saturating_add;
use crate::policy::{Policy, Tag, Targets};
use crate::sim::begun;
use crate::world::{
    AttachedVolume, Coverage, CutShort, Instance, Origin, Snapshot, SnapshotId, SnapshotState, Volume, VolumeId, World,
};
pub use abroad::{Abroad, Copied, There};
pub use faults::{Emptied, Faults, ListFailure};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// How far a list lags behind what was written at most.
pub const LAG_MAX: SignedDuration = SignedDuration::from_secs(60);

/// EC2 error reference: `SnapshotCreationPerVolumeRateExceeded`, "wait at least 15 seconds between concurrent
/// CreateSnapshot requests on the same volume".
const BETWEEN_SNAPSHOTS: SignedDuration = SignedDuration::from_secs(15);

/// How long a snapshot that was deleted is remembered: longer than any list lags, and than the judge looks back.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(30);

/// How long one is remembered that somebody deleted by hand: it answered its scheduled time all the same, longer than two periods.
const REMEMBERED_OF_USERS: SignedDuration = SignedDuration::from_hours(60);

/// How long the judge knows of what a run deleted: no run lives longer but one that was replayed.
const GONE_KEPT: SignedDuration = SignedDuration::from_hours(4 * 24);

/// A simulated account in which all of this happens.
#[derive(Debug, Clone)]
pub struct Ec2 {
    /// Every snapshot that is there or was removed a short time ago.
    pub records: Vec<Record>,
    /// Those that runs deleted and that are forgotten, of the last days, for the judge alone: what they answered is answered.
    pub gone: Vec<Record>,
    /// Every volume that there ever was.
    pub volumes: Vec<Life<Volume>>,
    /// Every instance that there ever was.
    pub instances: Vec<Life<Instance>>,
    /// What goes wrong now.
    pub faults: Faults,
    /// When the role may do nothing.
    pub revoked: Option<Span>,
    /// For how long a snapshot is in no filtered listing, whatever else lags: an incident, or an endpoint that does not filter as EC2
    /// does.
    pub hides_for: Option<SignedDuration>,
    /// Which lists were empty at the last look although there may be something.
    pub emptied: Emptied,
    /// The rule that is broken on purpose.
    pub sabotage: Option<Sabotage>,
    /// Whether the last look saw which AMIs there are.
    pub images_seen: bool,
    /// Who makes the next calls, where that is known.
    pub maker: Option<Maker>,
    /// How many calls changed or tried to change something.
    pub calls: u64,
    /// The other Regions, where copies are made.
    pub abroad: Option<Abroad>,
    pub(super) random: Random,
    last_id: u64,
}

impl Ec2 {
    /// An empty account.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            records: Vec::new(),
            gone: Vec::new(),
            volumes: Vec::new(),
            instances: Vec::new(),
            faults: Faults::NONE,
            revoked: None,
            hides_for: None,
            emptied: Emptied::Nothing,
            sabotage: None,
            images_seen: false,
            maker: None,
            calls: 0,
            abroad: None,
            random,
            last_id: 0,
        }
    }

    /// How old what a list shows of one thing is.
    pub(super) fn lagged(&mut self, now: Timestamp) -> Timestamp {
        if !self.random.happens(self.faults.lag) {
            return now;
        }
        saturating_add(now, -self.random.millis(0, i64::try_from(LAG_MAX.as_millis()).unwrap_or(0)))
    }

    /// What a turn sees of the policy's targets and snapshots at `now`. The snapshots `begun` are asked for by their ids where the
    /// listing does not show them.
    ///
    /// # Errors
    /// When a list fails.
    pub fn observe(
        &mut self,
        policy: &Policy,
        begun: &BTreeSet<SnapshotId>,
        now: Timestamp,
    ) -> Result<World, ListFailure> {
        let mut world = self.list(policy, now)?;
        self.complete(policy, begun, now, &mut world);
        Ok(world)
    }

    /// What a turn lists at `now`.
    ///
    /// # Errors
    /// When a list fails.
    pub(super) fn list(&mut self, policy: &Policy, now: Timestamp) -> Result<World, ListFailure> {
        if self.revoked.is_some_and(|revoked| revoked.holds(now)) {
            return Err(ListFailure::AccessDenied);
        }
        self.list_fails()?;
        self.images_seen = false;
        self.emptied = match self.random.happens(self.faults.empty).then(|| self.random.below(3)) {
            None => Emptied::Nothing,
            Some(0) => Emptied::Both,
            Some(1) => Emptied::Snapshots,
            Some(_) => Emptied::Targets,
        };
        let mut world = World::default();
        if matches!(self.emptied, Emptied::Nothing | Emptied::Snapshots) {
            self.list_targets(policy, now, &mut world);
        }
        if self.emptied != Emptied::Snapshots {
            world.snapshots = self.list_snapshots(now);
        }
        if self.random.happens(self.faults.cut_short) {
            world.coverage = Coverage::Partial(CutShort::TooManyPages);
            let keep = self.random.index(world.snapshots.len()).unwrap_or(0);
            world.snapshots.truncate(keep);
        }
        Ok(world)
    }

    /// Completes what was listed: with the snapshots `begun`, by their ids, and with what is no target any more.
    pub(super) fn complete(
        &mut self,
        policy: &Policy,
        begun: &BTreeSet<SnapshotId>,
        now: Timestamp,
        world: &mut World,
    ) {
        self.add_by_id(begun, now, world);
        if self.emptied != Emptied::Both {
            self.find_untargeted(policy, now, world);
        }
    }

    /// Whether a list fails this time, by whatever it asks for.
    pub(super) fn list_fails(&mut self) -> Result<(), ListFailure> {
        if self.random.happens(self.faults.list_failure) {
            return Err(if self.random.happens(5_000) { ListFailure::Throttled } else { ListFailure::Unavailable });
        }
        Ok(())
    }

    fn list_targets(&mut self, policy: &Policy, now: Timestamp, world: &mut World) {
        match policy.targets {
            Targets::Instances { .. } => {
                for position in 0..self.instances.len() {
                    let at = self.lagged(now);
                    let seen = self.instances.get(position).filter(|life| life.is_targeted(at));
                    world.instances.extend(seen.map(|life| life.is.clone()));
                }
            }
            Targets::AllVolumes(_) | Targets::Volumes { .. } => {
                for position in 0..self.volumes.len() {
                    let (at, listed_at) = (self.lagged(now), self.lagged(now));
                    let Some(life) = self.volumes.get(position).filter(|life| life.is_targeted(at)) else { continue };
                    let last_snapshot = match policy.targets {
                        Targets::AllVolumes(_) => self.last_snapshot(&life.is.id, listed_at),
                        Targets::Instances { .. } | Targets::Volumes { .. } => None,
                    };
                    world.volumes.push(Volume { last_snapshot, ..life.is.clone() });
                }
            }
        }
    }

    pub(super) fn last_snapshot(&self, volume: &VolumeId, at: Timestamp) -> Option<Timestamp> {
        let is_of_volume = |record: &&Record| {
            record.snapshot.volume_id == *volume
                && record.exists(at)
                && record.snapshot.origin == Origin::Created
                && !(record.ends_at <= at && record.ends_as == SnapshotState::Error)
        };
        self.records.iter().filter(is_of_volume).map(|record| record.snapshot.start_time).max()
    }

    fn list_snapshots(&mut self, now: Timestamp) -> Vec<Snapshot> {
        let mut shown = Vec::new();
        for position in 0..self.records.len() {
            let at = self.lagged(now);
            let seen = self.records.get(position).filter(|record| !self.hides(record, now));
            shown.extend(seen.and_then(|record| record.seen(at)));
        }
        shown
    }

    /// Whether a listing with a filter does not show a snapshot yet.
    fn hides(&self, record: &Record, now: Timestamp) -> bool {
        self.hides_for.is_some_and(|hidden| now.duration_since(record.snapshot.start_time) < hidden)
    }

    /// Carries out one call. The caller hears what [`Outcome`] says; what is true is in the records.
    pub fn apply(&mut self, action: &Action, now: Timestamp) -> Outcome {
        match action {
            Action::CopySnapshot(copy) => self.copy(copy, now),
            Action::DeleteSnapshot(delete) => match &delete.of_copy {
                Some((_, region)) => self.delete_copy(delete, region, now),
                None => self.apply_at_home(action, now),
            },
            Action::CreateSnapshot(_) | Action::CreateSnapshots(_) => self.apply_at_home(action, now),
        }
    }

    fn apply_at_home(&mut self, action: &Action, now: Timestamp) -> Outcome {
        if let Action::DeleteSnapshot(delete) = action
            && let Some(outcome) = self.last_look(delete, now)
        {
            return outcome;
        }
        self.calls += 1;
        if self.revoked.is_some_and(|revoked| revoked.holds(now)) {
            return failed(FailedKind::Denied, "UnauthorizedOperation");
        }
        if self.random.happens(self.faults.throttled) {
            return failed(FailedKind::Throttled, "RequestLimitExceeded");
        }
        if self.random.happens(self.faults.failure) {
            return self.some_failure(action.is_creation());
        }
        let loses_answer = self.random.happens(self.faults.lost_answer);
        let outcome = match action {
            Action::CopySnapshot(_) => failed(FailedKind::Refused, "NoOtherRegion"),
            Action::CreateSnapshot(create) => self.create(create, now),
            Action::CreateSnapshots(create) => self.create_set(create, now),
            Action::DeleteSnapshot(delete) => self.delete(delete, now),
        };
        if loses_answer { failed(FailedKind::Unclear, "Timeout") } else { outcome }
    }

    fn some_failure(&mut self, is_creation: bool) -> Outcome {
        match self.random.below(5) {
            0 => failed(FailedKind::Unclear, "InternalError"),
            1 => failed(FailedKind::Unclear, "Unavailable"),
            2 => failed(FailedKind::Refused, "SomethingNobodyHasHeardOf"),
            3 if is_creation => failed(FailedKind::AccountFull, "SnapshotLimitExceeded"),
            _ => Outcome::NotStarted,
        }
    }

    fn create(&mut self, create: &CreateSnapshot, now: Timestamp) -> Outcome {
        let Some(life) = self.volumes.iter().find(|life| life.is.id == create.volume_id && life.exists.is_on(now))
        else {
            return failed(FailedKind::Refused, "InvalidVolume.NotFound");
        };
        if let Some(code) = self.too_soon(&life.is, now) {
            return failed(FailedKind::TooSoon, code);
        }
        let volumes = [create.volume_id];
        Outcome::Created(self.begin(&volumes, &create.description, &create.tags, now))
    }

    /// What stands against another snapshot of a volume now.
    pub(super) fn too_soon(&self, volume: &Volume, now: Timestamp) -> Option<&'static str> {
        let pending_max = if matches!(volume.volume_type.as_str(), "st1" | "sc1") { 1 } else { 5 };
        let of_volume = self.records.iter().filter(|record| record.snapshot.volume_id == volume.id);
        let soonest = saturating_add(now, -BETWEEN_SNAPSHOTS);
        if of_volume.clone().any(|record| record.snapshot.start_time > soonest) {
            return Some("SnapshotCreationPerVolumeRateExceeded");
        }
        let pending = of_volume.filter(|record| record.exists(now) && now < record.ends_at).count();
        (pending >= pending_max).then_some("ConcurrentSnapshotLimitExceeded")
    }

    /// Whether CreateSnapshots obeys the 15 seconds is not documented, so here it does not.
    fn create_set(&mut self, create: &CreateSnapshots, now: Timestamp) -> Outcome {
        let Some(life) = self.instances.iter().find(|life| life.is.id == create.instance_id && life.exists.is_on(now))
        else {
            return failed(FailedKind::Refused, "InvalidInstanceID.NotFound");
        };
        let excluded = &create.exclude_data_volume_ids;
        let is_included = |volume: &&AttachedVolume| {
            if volume.is_root { !create.exclude_boot_volume } else { !excluded.contains(&volume.id) }
        };
        let volumes: Vec<VolumeId> = life.is.volumes.iter().filter(is_included).map(|volume| volume.id).collect();
        Outcome::Created(self.begin(&volumes, &create.description, &create.tags, now))
    }

    pub(super) fn begin(
        &mut self,
        volumes: &[VolumeId],
        description: &str,
        tags: &[Tag],
        now: Timestamp,
    ) -> Vec<SnapshotId> {
        let call = self.last_id;
        // The members of a call begin at one instant, and no two calls do.
        let mut began = now;
        // Bounded by the number of snapshots.
        while self.records.iter().any(|record| record.snapshot.start_time == began) {
            began = saturating_add(began, SignedDuration::from_millis(1));
        }
        let now = began;
        let mut ids = Vec::new();
        let off_clock = self.random.happens(self.faults.off_clock).then(|| self.random.seconds(1_801 + 60, 3 * 3_600));
        for volume_id in volumes {
            let snapshot = begun::created(self.new_id(), *volume_id, description, tags, now);
            ids.push(snapshot.id);
            let (takes, ends_as) = self.ending();
            let ends_at = saturating_add(now, takes);
            let mut record =
                Record { ends_as, maker: self.maker.clone(), ..Record::new(snapshot, tags.to_vec(), call, ends_at) };
            if let Some(off) = off_clock {
                record.begins_off(off);
            }
            self.records.push(record);
        }
        ids
    }

    /// How long a new snapshot takes and what becomes of it.
    fn ending(&mut self) -> (SignedDuration, SnapshotState) {
        if self.random.happens(self.faults.error) {
            return (self.random.seconds(1, 600), SnapshotState::Error);
        }
        if self.random.happens(self.faults.hangs) {
            return (self.random.seconds(79_200, 93_600), SnapshotState::Completed);
        }
        let takes = match self.random.below(50) {
            0 => self.random.seconds(600, 2_400),
            1..5 => self.random.seconds(60, 600),
            _ => self.random.seconds(2, 60),
        };
        (takes, SnapshotState::Completed)
    }

    fn delete(&mut self, delete: &DeleteSnapshot, now: Timestamp) -> Outcome {
        let wanted = |record: &&mut Record| record.snapshot.id == delete.snapshot.id && record.exists(now);
        // What is gone already counts as deleted.
        let Some(record) = self.records.iter_mut().find(wanted) else { return Outcome::Deleted };
        if [record.locked, record.imaged].into_iter().flatten().any(|refusal| refusal.holds(now)) {
            return failed(FailedKind::Refused, "InvalidSnapshot.InUse");
        }
        record.removed = Some((now, Remover::Run));
        self.fail_copies_of_what_is_gone(now);
        Outcome::Deleted
    }

    /// An id that was not given out yet.
    pub fn new_id(&mut self) -> SnapshotId {
        self.last_id += 1;
        SnapshotId::parse(&format!("snap-{:017x}", self.last_id)).expect("a hexadecimal number is an id")
    }

    /// Forgets what was removed so long ago that nobody can see it any more, or asks for it.
    pub fn forget(&mut self, now: Timestamp) {
        let until = |removed: Timestamp, by: Remover| match by {
            Remover::Run => saturating_add(removed, REMEMBERED),
            Remover::User => saturating_add(removed, REMEMBERED_OF_USERS),
        };
        let is_remembered = |record: &mut Record| record.removed.is_none_or(|(removed, by)| now < until(removed, by));
        let forgotten = self.records.extract_if(.., |record| !is_remembered(record));
        self.gone.extend(forgotten.filter(|record| record.is_ours));
        self.gone.retain(|record| now.duration_since(record.snapshot.start_time) < GONE_KEPT);
        self.forget_copies(now);
    }
}

pub(super) fn failed(kind: FailedKind, code: &str) -> Outcome {
    Outcome::Failed(Failed { kind, code: code.to_owned(), message: "simulated".to_owned() })
}
