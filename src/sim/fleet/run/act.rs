//! What a turn does after its look: plan, select, call, conclude.

use super::{CHECKED_VOLUMES_MAX, Given, ON_THE_WAY, SNAPSHOT_TAKES, Seen};
use crate::action::{Action, Outcome};
use crate::pace::{self, Bucket, Known, Limit};
use crate::plan::{self, Plan, check};
use crate::sim::fleet::calls::{Lane, too_many_pending};
use crate::sim::fleet::ec2::Ec2;
use crate::sim::fleet::held::Began;
use crate::sim::fleet::snapshot_id;
use crate::turn::{self, Budget, Conclusion, Progress};
use crate::world::{SnapshotId, World};
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
    let selection = turn::select(&given.policy, &given.options, &plan, &progress, now, budget);

    let begin = vec![seen.all; selection.actions.len()];
    let made_first = selection.actions.iter().filter(|action| action.is_creation()).count();
    let (creations, deletions) = begin.split_at(made_first);
    let latest_start = |seconds| until - SignedDuration::from_secs(seconds);
    let Ec2 { creations: creating, deletions: deleting, pending, .. } = ec2;
    let mut made = Vec::new();
    let mut on_token = |action: Option<&Action>, at: Timestamp| {
        let Some(action) = action else { return Outcome::NotStarted };
        let Action::CreateSnapshot(create) = action else { return Outcome::NotStarted };
        let Some(completes_at) = pending.begin(1, at, SNAPSHOT_TAKES) else { return too_many_pending() };
        *last_id += 1;
        let id = snapshot_id(*last_id);
        made.push((action.clone(), Began { id, volume_id: create.volume_id, at, completes_at }));
        Outcome::Created(vec![id])
    };
    let latest = latest_start(given.shell.creation_seconds_max);
    let mut lane = Lane { bucket: &mut buckets.create, real: creating, latest_start: latest };
    let (mut outcomes, created_by) = lane.make(creations, |position, at| on_token(selection.actions.get(position), at));
    let latest = latest_start(given.shell.deletion_seconds_max);
    let mut lane = Lane { bucket: &mut buckets.delete, real: deleting, latest_start: latest };
    let (deleted, deleted_by) = lane.make(deletions, |_, _| Outcome::Deleted);
    outcomes.extend(deleted);

    let ended = created_by.max(deleted_by).max(seen.all);
    progress.pace.creations = buckets.create.known(ended);
    progress.pace.deletions = buckets.delete.known(ended);
    let conclusion = turn::conclude(&given.options, &plan, progress, selection, outcomes, ended);
    let deleted = conclusion.done.iter().filter_map(deleted_id).collect();
    Acted { ended, conclusion, made, deleted }
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
            delete: learnt(pace::DELETE_SNAPSHOT, progress.pace.deletions),
        }
    }

    /// As in `handler.rs`: what fits at best.
    fn budget(&self, now: Timestamp, until: Timestamp) -> Budget {
        let fits = |bucket: &Bucket| usize::try_from(bucket.calls_before_at_best(now, until)).unwrap_or(usize::MAX);
        Budget { creations_max: fits(&self.create), set_creations_max: 0, deletions_max: fits(&self.delete) }
    }
}
