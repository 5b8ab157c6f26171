//! What a turn does after its look: plan, select, call, conclude.

use super::{CHECKED_VOLUMES_MAX, Given, ON_THE_WAY, SNAPSHOT_TAKES, Seen, shard_of};
use crate::action::{Action, Outcome};
use crate::pace::{self, Bucket, Known, Limit};
use crate::plan::{self, Plan, check};
use crate::sim::fleet::calls::{Lane, too_many_pending};
use crate::sim::fleet::ec2::Ec2;
use crate::sim::fleet::held::{Began, View};
use crate::sim::fleet::snapshot_id;
use crate::turn::{self, Budget, Conclusion, Progress, Selection};
use crate::world::SnapshotId;
use jiff::{SignedDuration, Timestamp};

/// What the looks of a run show.
pub(super) struct Views {
    /// All that there is.
    pub(super) whole: View,
    /// What the run has begun, where a shell looks for that first.
    pub(super) due: Option<View>,
}

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
    views: &Views,
    ec2: &mut Ec2,
    last_id: &mut u32,
    mut progress: Progress,
    (now, seen, until): (Timestamp, &Seen, Timestamp),
) -> Acted {
    let mut buckets = Buckets::learnt(given, &progress, now);
    let plan = planned(given, &views.whole, now);
    let selection = selected(given, views, &plan, &progress, now, buckets.budget(now, until));

    let begin = selection.actions.iter().map(|action| seen.begin(action)).collect::<Vec<_>>();
    let (creations, deletions) = begin.split_at(selection.actions.iter().filter(|action| action.is_creation()).count());
    let latest_start = |seconds| until - SignedDuration::from_secs(seconds);
    let Ec2 { creations: creating, deletions: deleting, pending, .. } = ec2;
    let mut began = Vec::new();
    let latest = latest_start(given.shell.creation_seconds_max);
    let mut lane = Lane { bucket: &mut buckets.create, real: creating, latest_start: latest };
    let (mut outcomes, created_by) = lane.make(creations, |position, at| {
        let Some(completes_at) = pending.begin(at, SNAPSHOT_TAKES) else { return too_many_pending() };
        *last_id += 1;
        let id = snapshot_id(*last_id);
        began.push((position, Began { id, at, completes_at }));
        Outcome::Created(vec![id])
    });
    let latest = latest_start(given.shell.deletion_seconds_max);
    let mut lane = Lane { bucket: &mut buckets.delete, real: deleting, latest_start: latest };
    let (deleted, deleted_by) = lane.make(deletions, |_, _| Outcome::Deleted);
    outcomes.extend(deleted);

    let made = began.into_iter().filter_map(|(at, began)| Some((selection.actions.get(at)?.clone(), began))).collect();
    let ended = created_by.max(deleted_by).max(seen.all);
    progress.pace.creations = buckets.create.known(ended);
    progress.pace.deletions = buckets.delete.known(ended);
    let conclusion = turn::conclude(&given.options, &plan, progress, selection, outcomes, ended);
    let deleted = conclusion.done.iter().filter_map(deleted_id).collect();
    Acted { ended, conclusion, made, deleted }
}

impl Seen {
    /// From when on an action may start.
    fn begin(&self, action: &Action) -> Timestamp {
        match action {
            Action::CreateSnapshot(_) | Action::CreateSnapshots(_) => self.creations_from,
            Action::DeleteSnapshot(delete) => {
                let shard = shard_of(delete.snapshot.volume_id, self.deletions_from.len());
                self.deletions_from.get(shard).copied().unwrap_or(self.all)
            }
        }
    }
}

fn deleted_id((action, outcome): &(Action, Outcome)) -> Option<SnapshotId> {
    match (action, outcome) {
        (Action::DeleteSnapshot(delete), Outcome::Deleted) => Some(delete.snapshot.id),
        _ => None,
    }
}

fn planned<'a>(given: &'a Given<'_>, view: &'a View, now: Timestamp) -> Plan<'a> {
    let Given { policy, options, start, .. } = given;
    let plan = plan::plan(policy, options, start, now, &view.world);
    if given.volumes <= CHECKED_VOLUMES_MAX {
        let broken = check::check(policy, options, now, &view.world, &plan);
        assert!(broken.is_empty(), "the plan breaks a promise: {broken:?}");
    }
    plan
}

/// The actions of a turn. A shell that looks first decides about creations by what that look shows.
fn selected(
    given: &Given<'_>,
    views: &Views,
    plan: &Plan<'_>,
    progress: &Progress,
    now: Timestamp,
    budget: Budget,
) -> Selection {
    let select = |plan: &Plan<'_>, budget| turn::select(&given.policy, &given.options, plan, progress, now, budget);
    let Some(due) = &views.due else { return select(plan, budget) };
    let mut creations = select(&planned(given, due, now), Budget { deletions_max: 0, ..budget });
    let deletions = select(plan, Budget { creations_max: 0, ..budget });
    // Both looks leave the same creations to do, and the second selection counts them as left over.
    let ready = creations.actions.len() + creations.left_over;
    creations.left_over += deletions.left_over.saturating_sub(ready);
    creations.actions.extend(deletions.actions);
    Selection { brake: deletions.brake, ..creations }
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
