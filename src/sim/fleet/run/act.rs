//! What a turn does after its look: plan, select, call, conclude.

use super::{CHECKED_VOLUMES_MAX, Given, SNAPSHOT_TAKES, Seen, believed};
use crate::action::{Action, Outcome};
use crate::pace::{Api, Bucket, ByApi, Pace};
use crate::plan::{self, Plan, check};
use crate::sim::fleet::calls::{Lane, too_many_pending};
use crate::sim::fleet::ec2::{Ec2, Real};
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

/// Does the work of a turn that begins at `now` and makes no call that may take longer than `until`.
pub(super) fn act(
    given: &Given<'_>,
    world: &World,
    ec2: &mut Ec2,
    last_id: &mut u32,
    mut progress: Progress,
    (seen, until): (&Seen, Timestamp),
) -> Acted {
    let (now, share) = (seen.from, given.options.api_share);
    let mut buckets = ByApi::of(|api| believed(api, share, progress.pace.known(api), seen.all));
    progress.note_look(&given.policy.id, world, now, given.options.settling);
    let plan = planned(given, world, now);
    // As in `handler.rs`: what fits at best.
    let fits = |bucket: &Bucket| usize::try_from(bucket.calls_before_at_best(seen.all, until)).unwrap_or(usize::MAX);
    let budget: Budget = buckets.map(|_, bucket| fits(bucket));
    let selection = turn::select(&given.policy, &given.options, &plan, &progress, now, budget);

    let begin = vec![seen.all; selection.actions.len()];
    let made_first = selection.actions.iter().filter(|action| action.is_creation()).count();
    let (creations, deletions) = begin.split_at(made_first);
    let latest_start = |seconds| until - SignedDuration::from_secs(seconds);
    let Ec2 { buckets: real, pending } = ec2;
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
    let mut way = lane(Api::CreateSnapshot, &mut buckets, real, latest);
    let (mut outcomes, created_by) = way.make(creations, |position, at| on_token(selection.actions.get(position), at));
    let latest = latest_start(given.shell.deletion_seconds_max);
    let mut way = lane(Api::DeleteSnapshot, &mut buckets, real, latest);
    let (deleted, deleted_by) = way.make(deletions, |_, _| Outcome::Deleted);
    outcomes.extend(deleted);

    let ended = created_by.max(deleted_by).max(seen.all);
    progress.pace = Pace::of(&buckets, ended);
    let conclusion = turn::conclude(&given.options, &plan, progress, selection, outcomes, ended);
    let deleted = conclusion.done.iter().filter_map(deleted_id).collect();
    Acted { ended, conclusion, made, deleted }
}

fn lane<'r>(api: Api, buckets: &'r mut ByApi<Bucket>, real: &'r mut ByApi<Real>, latest_start: Timestamp) -> Lane<'r> {
    Lane { bucket: &mut buckets[api], real: &mut real[api], latest_start }
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
