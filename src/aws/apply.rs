//! Carrying out actions: the only file that changes anything in EC2. One call an action, and no choices.

mod last_look;

use super::clock::now;
use super::pace::{CALLS_IN_FLIGHT_MAX, Lanes, Passage};
use super::{Account, client, failure};
use crate::action::{
    Action, CopySnapshot, CreateSnapshot, CreateSnapshots, DeleteSnapshot, Failed, FailedKind, Outcome,
};
use crate::pace::{Api, ByApi, Rate};
use crate::policy::Tag;
use crate::tags::{Ownership, is_copy_of_ours, ownership};
use crate::world::SnapshotId;
use aws_sdk_ec2::types::{self, CopyTagsFromSource, InstanceSpecification, ResourceType, TagSpecification};
use futures_util::future::{FutureExt, OptionFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp};
use last_look::LastLooks;
use std::collections::VecDeque;

/// For a CreateSnapshot or a CreateSnapshots, which is made once. EC2 answers in about a second; the data is copied after
/// that. A call that is given up may have made its snapshots, so the patience is long.
pub const CREATE_SECONDS_MAX: u64 = 15;
/// For a DeleteSnapshot with its retries: EC2 answers in about a second, so three quick answers fit with the SDK's
/// pauses of 1 and 2 s between them, or two attempts that hang.
pub const DELETE_SECONDS_MAX: u64 = 20;
const DELETE_ATTEMPT_SECONDS_MAX: u64 = 10;
/// What a DeleteSnapshot has at the end of a turn: one quick answer. A deletion that is given up is simply tried again, so
/// the lane need not stand still for longer.
const DELETE_SECONDS_MIN: u64 = 5;

/// How often a call that EC2 throttles is made in a turn: once for each time that its lane becomes slower, and once more
/// at the slowest pace. What is throttled then too has met something that our pace does not explain.
const THROTTLED_TRIES_MAX: u32 = Rate::HALVINGS + 1;

/// EC2's answer to the deletion of a snapshot that is gone already, by us or by somebody else.
const SNAPSHOT_NOT_FOUND: &str = "InvalidSnapshot.NotFound";

/// The lanes of this turn.
struct Passages<'a> {
    /// No call ends later.
    until: Timestamp,
    lanes: ByApi<Passage<'a>>,
}

impl<'a> Passages<'a> {
    fn of(account: &'a Account, until: Timestamp) -> Self {
        let lane = |api| account.lanes.of(api).until(latest_start(until, seconds_min(api)));
        Self { until, lanes: ByApi::of(lane) }
    }

    /// Lets no more calls begin that would meet the same as this one.
    fn learn(&self, outcome: &Outcome) {
        let Outcome::Failed(failed) = outcome else { return };
        let meets_the_same: fn(Api) -> bool = match failed.kind {
            // Deletions go on: they make room.
            FailedKind::AccountFull => Api::makes,
            FailedKind::Expired => |_| true,
            FailedKind::Denied
            | FailedKind::Refused
            | FailedKind::Throttled
            | FailedKind::TooManyPending
            | FailedKind::TooSoon
            | FailedKind::Unclear => |_| false,
        };
        self.lanes.iter().filter(|(api, _)| meets_the_same(*api)).for_each(|(_, lane)| lane.close());
    }
}

/// What a call must have left of a turn's time to begin: it may take so long.
fn seconds_min(api: Api) -> u64 {
    if api.makes() { CREATE_SECONDS_MAX } else { DELETE_SECONDS_MIN }
}

/// An action and its place among all of them.
type Numbered<'a> = (usize, &'a Action);

/// The actions that wait for their turn in each lane.
struct Queues<'a>(ByApi<VecDeque<Numbered<'a>>>);

impl<'a> Queues<'a> {
    fn new(actions: &'a [Action]) -> Self {
        let mut queues = Self(ByApi::of(|_| VecDeque::new()));
        for (position, action) in actions.iter().enumerate() {
            queues.of(action).push_back((position, action));
        }
        queues
    }

    /// The queue in which such actions wait.
    fn of(&mut self, action: &Action) -> &mut VecDeque<Numbered<'a>> {
        &mut self.0[action.api()]
    }

    /// Whether some queue is longer than what its lane lets through at once.
    fn outgrow(&self, lanes: &Lanes) -> bool {
        self.0.iter().any(|(api, queue)| lanes.of(api).is_too_small_for(queue.len()))
    }

    /// Takes as many actions as may be in flight from each queue.
    fn first(&mut self) -> Vec<Numbered<'a>> {
        let first = |queue: &mut VecDeque<_>| queue.drain(..queue.len().min(CALLS_IN_FLIGHT_MAX)).collect::<Vec<_>>();
        self.0.iter_mut().flat_map(|(_, queue)| first(queue)).collect()
    }
}

impl Account {
    /// Carries out `actions` and returns one outcome for each, in their order. `on_outcome` hears of each one as soon
    /// as it is known, in any order.
    ///
    /// No call starts that could not end before `until`, with its timeouts and retries: such actions are
    /// [`Outcome::NotStarted`]. One failure stops nothing but itself, except that creations end for this turn when the
    /// account has too many pending snapshots or as many as it may, those of a lane when EC2 throttles it at the slowest
    /// pace, and everything when the session has expired. Creations
    /// of either kind and deletions run at the same time, at EC2's pace for each; what is throttled is made again more
    /// slowly as long as there is time. Deletions are looked at by their ids just before, a part at a time. Where there are more calls than EC2 lets through at once, Service Quotas is asked
    /// beside them how fast they may go; nobody waits for it.
    pub async fn apply(
        &self,
        actions: &[Action],
        until: Timestamp,
        mut on_outcome: impl FnMut(&Action, &Outcome),
    ) -> Vec<Outcome> {
        let passages = Passages::of(self, until);
        let looks = LastLooks::of(actions);
        let mut queues = Queues::new(actions);
        // On the heap, so that the many turns that do not ask are no larger for it.
        let mut asking = queues.outgrow(&self.lanes).then(|| self.ask_limits().boxed());
        let mut outcomes = vec![Outcome::NotStarted; actions.len()];
        let mut running = FuturesUnordered::new();
        running.extend(queues.first().into_iter().map(|next| self.carry_out(next, &passages, &looks)));
        // Bounded by the number of actions, and one answer of Service Quotas.
        loop {
            let next = tokio::select! {
                next = running.next() => next,
                () = OptionFuture::from(asking.as_mut()).map(|_| ()), if asking.is_some() => {
                    asking = None;
                    continue;
                }
            };
            let Some(((position, action), outcome)) = next else { break };
            running.extend(queues.of(action).pop_front().map(|next| self.carry_out(next, &passages, &looks)));
            on_outcome(action, &outcome);
            if let Some(slot) = outcomes.get_mut(position) {
                *slot = outcome;
            }
        }
        outcomes
    }

    /// Calls until EC2 does not throttle the call, as often as that can help: a call that was throttled changed nothing.
    async fn carry_out<'a>(
        &self,
        numbered: Numbered<'a>,
        passages: &Passages<'_>,
        looks: &LastLooks,
    ) -> (Numbered<'a>, Outcome) {
        let passage = &passages.lanes[numbered.1.api()];
        if let (position, Action::DeleteSnapshot(delete)) = numbered
            && !passage.is_closed()
            && let Some(outcome) = Box::pin(looks.stops(self, (position, delete), passages.until)).await
        {
            return (numbered, outcome);
        }
        let mut outcome = Outcome::NotStarted;
        for _ in 0..THROTTLED_TRIES_MAX {
            let Some(admitted) = passage.admit().await else {
                return (numbered, outcome);
            };
            outcome = self.call(numbered.1, passages.until).await;
            passage.note(&admitted, &outcome);
            passages.learn(&outcome);
            if !is_throttled(&outcome) {
                return (numbered, outcome);
            }
        }
        // At its slowest this lane is still too fast: only a pause can help, and those behind would fare no better.
        passage.close();
        (numbered, outcome)
    }

    async fn call(&self, action: &Action, until: Timestamp) -> Outcome {
        match action {
            Action::CopySnapshot(copy) => self.copy_snapshot(copy).await,
            Action::CreateSnapshot(create) => self.create_snapshot(create).await,
            Action::CreateSnapshots(create) => self.create_snapshots(create).await,
            Action::DeleteSnapshot(delete) => self.delete_snapshot(delete, until).await,
        }
    }

    /// In the Region that the copy goes to. Without a presigned URL: the service model calls it deprecated, and EC2 was seen to read no
    /// more of it than what the other parameters say, whatever its signature (shared/reference/aws-live.md 3). Whether it takes an
    /// encrypted copy without one nobody has seen, so [`COPY_URL`] sends one.
    async fn copy_snapshot(&self, copy: &CopySnapshot) -> Outcome {
        let call = self
            .client
            .copy_snapshot()
            .source_region(copy.home.as_str())
            .source_snapshot_id(copy.source.id.to_string());
        let call = call.description(&copy.description).tag_specifications(on_snapshots(&copy.tags));
        let call = call.set_encrypted(copy.encrypted.then_some(true));
        let call = call.set_kms_key_id(copy.key.as_ref().map(ToString::to_string));
        let url = std::env::var(COPY_URL).is_ok_and(|value| value.trim() == UNSIGNED).then(|| unsigned_url(copy));
        let call = call.set_presigned_url(url).customize();
        match call.config_override(client::never_repeated(CREATE_SECONDS_MAX)).send().await {
            Ok(made) => created(&[made.snapshot_id()]),
            Err(error) => Outcome::Failed(of_copy(failure::of(&error))),
        }
    }

    async fn create_snapshot(&self, create: &CreateSnapshot) -> Outcome {
        let call = self.client.create_snapshot().volume_id(create.volume_id.to_string());
        let call = call.description(&create.description).tag_specifications(on_snapshots(&create.tags));
        match call.customize().config_override(client::never_repeated(CREATE_SECONDS_MAX)).send().await {
            Ok(made) => created(&[made.snapshot_id()]),
            Err(error) => Outcome::Failed(failure::of(&error)),
        }
    }

    async fn create_snapshots(&self, create: &CreateSnapshots) -> Outcome {
        let copied = create.copy_tags_from_source.then_some(CopyTagsFromSource::Volume);
        let call = self.client.create_snapshots().instance_specification(specification(create));
        let call = call.description(&create.description).tag_specifications(on_snapshots(&create.tags));
        let call = call.set_copy_tags_from_source(copied).customize();
        match call.config_override(client::never_repeated(CREATE_SECONDS_MAX)).send().await {
            Ok(made) => created(&made.snapshots().iter().map(types::SnapshotInfo::snapshot_id).collect::<Vec<_>>()),
            Err(error) => Outcome::Failed(failure::of(&error)),
        }
    }

    async fn delete_snapshot(&self, delete: &DeleteSnapshot, until: Timestamp) -> Outcome {
        // The plan has checked this. It is checked again here, where a mistake would cost somebody's data.
        if let Some(failed) = not_ours(delete) {
            return Outcome::Failed(failed);
        }
        let call = self.client.delete_snapshot().snapshot_id(delete.snapshot.id.to_string()).customize();
        let seconds = deletion_seconds(now(), until);
        let patience = client::deletion_within(DELETE_ATTEMPT_SECONDS_MAX.min(seconds), seconds);
        match call.config_override(patience).send().await.map_err(|error| failure::of(&error)) {
            Ok(_) => Outcome::Deleted,
            Err(failed) if failed.code == SNAPSHOT_NOT_FOUND => Outcome::Deleted,
            Err(failed) => Outcome::Failed(failed),
        }
    }
}

fn is_throttled(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(Failed { kind: FailedKind::Throttled, .. }))
}

/// How long a deletion that starts now may take.
fn deletion_seconds(now: Timestamp, until: Timestamp) -> u64 {
    let left = u64::try_from(until.duration_since(now).as_secs()).unwrap_or(0);
    left.clamp(DELETE_SECONDS_MIN, DELETE_SECONDS_MAX)
}

/// The last moment at which a call that may take so many seconds ends before `until`.
fn latest_start(until: Timestamp, seconds_max: u64) -> Timestamp {
    let seconds_max = i64::try_from(seconds_max).unwrap_or(i64::MAX);
    until.checked_sub(SignedDuration::from_secs(seconds_max)).unwrap_or(Timestamp::MIN)
}

/// The instance, and which of its volumes are left out.
fn specification(create: &CreateSnapshots) -> InstanceSpecification {
    let excluded = create.exclude_data_volume_ids.iter().map(ToString::to_string).collect();
    InstanceSpecification::builder()
        .instance_id(create.instance_id.to_string())
        .exclude_boot_volume(create.exclude_boot_volume)
        .set_exclude_data_volume_ids(Some(excluded))
        .build()
}

/// The tags of every snapshot that the call makes.
fn on_snapshots(tags: &[Tag]) -> TagSpecification {
    let written = |tag: &Tag| types::Tag::builder().key(&tag.key).value(&tag.value).build();
    let tags = tags.iter().map(written).collect();
    TagSpecification::builder().resource_type(ResourceType::Snapshot).set_tags(Some(tags)).build()
}

/// EC2 says that it began these snapshots. With none, or without a readable id, it may have: the next turn looks.
fn created(snapshot_ids: &[Option<&str>]) -> Outcome {
    let read: Option<Vec<SnapshotId>> = snapshot_ids.iter().map(|id| SnapshotId::parse((*id)?)).collect();
    read.filter(|ids| !ids.is_empty()).map_or_else(
        || {
            let message = format!(
                "snapshots were begun with the ids {snapshot_ids:?}, expected some like snap-0123456789abcdef0"
            );
            Outcome::Failed(failure::failed(FailedKind::Unclear, "BadAnswer", &message))
        },
        Outcome::Created,
    )
}

/// The environment variable by which every copy is asked for with a URL too: `unsigned`. A switch for the day on which EC2 wants one.
const COPY_URL: &str = "OPENDLM_COPY_URL";
const UNSIGNED: &str = "unsigned";

/// What EC2 reads of a presigned URL: its scheme, the snapshot, and the Region that the copy goes to (shared/wire/errors/36 and 37).
fn unsigned_url(copy: &CopySnapshot) -> String {
    let CopySnapshot { home, region, source, .. } = copy;
    format!(
        "https://ec2.{home}.amazonaws.com/?Action=CopySnapshot&DestinationRegion={region}&SourceRegion={home}&SourceSnapshotId={}",
        source.id
    )
}

/// What a refused copy means: as many as may be are under way in the Region (shared/wire/README.md: CopySnapshot's `ResourceLimitExceeded`).
fn of_copy(failed: Failed) -> Failed {
    let is_full = failed.code == COPIES_FULL;
    Failed { kind: if is_full { FailedKind::TooManyPending } else { failed.kind }, ..failed }
}

const COPIES_FULL: &str = "ResourceLimitExceeded";

/// Why a snapshot is not ours to delete; `None` where it is.
fn not_ours(delete: &DeleteSnapshot) -> Option<Failed> {
    let DeleteSnapshot { policy_id, snapshot, of_copy, .. } = delete;
    let because = match (of_copy, ownership(policy_id, snapshot)) {
        (Some((home, region)), _) if is_copy_of_ours(policy_id, home, region, snapshot) => return None,
        (Some(_), _) => "it is no copy that opendlm made",
        (None, Ownership::Copy) => "it is a copy",
        (None, Ownership::OtherDescription) => "its description is not the policy's",
        (None, Ownership::OtherPolicy) => "it does not carry the policy's id",
        (None, Ownership::Ours) => return None,
    };
    let message = format!("{} was not made for {policy_id}: {because}", snapshot.id);
    Some(failure::failed(FailedKind::Refused, "NotOurs", &message))
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests;
