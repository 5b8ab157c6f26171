//! What a turn does after its look: plan, select, call, conclude.

use super::{CHECKED_VOLUMES_MAX, FILTER_VALUES_MAX, Given, ON_THE_WAY, SNAPSHOT_TAKES, Seen};
use crate::action::{Action, Outcome, SetOf};
use crate::pace::{self, Bucket, Known, Limit};
use crate::plan::{self, Plan, check};
use crate::sim::fleet::calls::{Lane, too_many_pending};
use crate::sim::fleet::ec2::Ec2;
use crate::sim::fleet::held::Began;
use crate::sim::fleet::{host, snapshot_id};
use crate::turn::{self, Budget, Conclusion, Progress};
use crate::world::{Instance, SnapshotId, VolumeId, World};
use jiff::{SignedDuration, Timestamp};

/// What a turn did.
pub(super) struct Acted {
    pub(super) ended: Timestamp,
    pub(super) conclusion: Conclusion,
    pub(super) made: Vec<(Action, Began)>,
    pub(super) deleted: Vec<SnapshotId>,
}

/// Our buckets of a turn.
struct Buckets {
    create: Bucket,
    create_sets: Bucket,
    delete: Bucket,
}

/// Does the work of a turn that begins at `now` and makes no call that may take longer than `until`.
pub(super) fn act(
    given: &Given<'_>,
    world: &World,
    ec2: &mut Ec2,
    last_id: &mut u32,
    mut progress: Progress,
    (now, seen, until): (Timestamp, &Seen, Timestamp),
) -> Acted {
    let mut buckets = Buckets::learnt(given, &progress, now);
    progress.note_look(&given.policy.id, world, now, given.options.settling);
    let plan = planned(given, world, now);
    let budget = buckets.budget(now, until);
    let (hosts, hosts_seen) = hosts(given, &plan, &progress, ec2, (now, seen.all, budget));
    let selection = turn::select_on(&given.policy, &given.options, &plan, &progress, now, budget, &hosts);

    let begin: Vec<Timestamp> = selection
        .actions
        .iter()
        .map(|action| if action.is_creation() { seen.all.max(hosts_seen) } else { seen.all })
        .collect();
    let count = |is_wanted: fn(&Action) -> bool| selection.actions.iter().filter(|action| is_wanted(action)).count();
    let (sets, rest) = begin.split_at(count(|action| matches!(action, Action::CreateSnapshots(_))));
    let (creations, deletions) = rest.split_at(count(|action| matches!(action, Action::CreateSnapshot(_))));
    let latest_start = |seconds| until - SignedDuration::from_secs(seconds);
    let Ec2 { creations: creating, set_creations: creating_sets, deletions: deleting, pending, .. } = ec2;
    let mut made = Vec::new();
    let mut on_token = |action: Option<&Action>, at: Timestamp| {
        let Some(action) = action else { return Outcome::NotStarted };
        let volumes = volumes_of(action);
        let Some(completes_at) = pending.begin(volumes.len(), at, SNAPSHOT_TAKES) else { return too_many_pending() };
        let mut ids = Vec::new();
        for volume_id in volumes {
            *last_id += 1;
            let id = snapshot_id(*last_id);
            made.push((action.clone(), Began { id, volume_id, at, completes_at }));
            ids.push(id);
        }
        Outcome::Created(ids)
    };
    let latest = latest_start(given.shell.creation_seconds_max);
    let mut lane = Lane { bucket: &mut buckets.create_sets, real: creating_sets, latest_start: latest };
    let (mut outcomes, sets_by) = lane.make(sets, |position, at| on_token(selection.actions.get(position), at));
    let mut lane = Lane { bucket: &mut buckets.create, real: creating, latest_start: latest };
    let (created, created_by) =
        lane.make(creations, |position, at| on_token(selection.actions.get(sets.len() + position), at));
    let latest = latest_start(given.shell.deletion_seconds_max);
    let mut lane = Lane { bucket: &mut buckets.delete, real: deleting, latest_start: latest };
    let (deleted, deleted_by) = lane.make(deletions, |_, _| Outcome::Deleted);
    outcomes.extend(created);
    outcomes.extend(deleted);

    let ended = sets_by.max(created_by).max(deleted_by).max(seen.all);
    progress.pace.creations = buckets.create.known(ended);
    progress.pace.set_creations = buckets.create_sets.known(ended);
    progress.pace.deletions = buckets.delete.known(ended);
    let conclusion = turn::conclude(&given.options, &plan, progress, selection, outcomes, ended);
    let deleted = conclusion.done.iter().filter_map(deleted_id).collect();
    Acted { ended, conclusion, made, deleted }
}

/// The instances that the turn asks for, and when they are seen: a call for each of their parts, side by side. No creation
/// begins before.
fn hosts(
    given: &Given<'_>,
    plan: &Plan<'_>,
    progress: &Progress,
    ec2: &mut Ec2,
    (now, looks_from, budget): (Timestamp, Timestamp, Budget),
) -> (Vec<Instance>, Timestamp) {
    let asked = turn::hosts(&given.policy, &given.options, plan, progress, now, budget);
    for _ in asked.chunks(FILTER_VALUES_MAX) {
        ec2.instance_pages.takes(looks_from);
    }
    let seen = if asked.is_empty() { Timestamp::MIN } else { looks_from + given.conditions.page };
    (asked.into_iter().filter_map(|id| host(id, given.volumes)).collect(), seen)
}

/// The volumes that a creation makes snapshots of.
fn volumes_of(action: &Action) -> Vec<VolumeId> {
    match action {
        Action::CreateSnapshot(create) => vec![create.volume_id],
        Action::CreateSnapshots(create) => match &create.of {
            SetOf::Instance => Vec::new(),
            SetOf::Volumes(volumes) => volumes.clone(),
        },
        Action::DeleteSnapshot(_) => Vec::new(),
    }
}

fn deleted_id((action, outcome): &(Action, Outcome)) -> Option<SnapshotId> {
    match (action, outcome) {
        (Action::DeleteSnapshot(delete), Outcome::Deleted) => Some(delete.snapshot.id),
        _ => None,
    }
}

fn planned<'a>(given: &'a Given<'_>, world: &'a World, now: Timestamp) -> Plan<'a> {
    let Given { policy, options, start, .. } = given;
    let plan = plan::plan(policy, options, start, now, world);
    if given.volumes <= CHECKED_VOLUMES_MAX {
        let broken = check::check(policy, options, now, world, &plan);
        assert!(broken.is_empty(), "the plan breaks a promise: {broken:?}");
    }
    plan
}

impl Buckets {
    fn learnt(given: &Given<'_>, progress: &Progress, now: Timestamp) -> Self {
        let learnt = |limit: Limit, known: Option<Known>| {
            let mut bucket = Bucket::full(limit.keeping_back(ON_THE_WAY));
            bucket.learn(given.options.api_share, known, now);
            bucket
        };
        Self {
            create: learnt(pace::CREATE_SNAPSHOT, progress.pace.creations),
            create_sets: learnt(pace::CREATE_SNAPSHOTS, progress.pace.set_creations),
            delete: learnt(pace::DELETE_SNAPSHOT, progress.pace.deletions),
        }
    }

    /// As in `handler.rs`: what fits at best.
    fn budget(&self, now: Timestamp, until: Timestamp) -> Budget {
        let fits = |bucket: &Bucket| usize::try_from(bucket.calls_before_at_best(now, until)).unwrap_or(usize::MAX);
        Budget {
            creations_max: fits(&self.create),
            set_creations_max: fits(&self.create_sets),
            deletions_max: fits(&self.delete),
        }
    }
}
