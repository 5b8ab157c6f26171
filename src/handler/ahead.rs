//! The next look, which goes on beside the calls of a turn where those take long.

use super::{abroad, clock, log_action};
use crate::action::{Action, Outcome};
use crate::aws::{Account, Listed};
use crate::event::Event;
use crate::turn::look;
use crate::world::SnapshotId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// A look that was begun before the turn that it is for.
#[derive(Debug)]
pub(super) struct Ahead {
    pub(super) listed: Listed,
    /// When it began: what changed since may be shown as it was.
    pub(super) began: Timestamp,
    /// How long the listing took.
    pub(super) took: SignedDuration,
    /// What EC2 deleted meanwhile.
    pub(super) deleted: BTreeSet<SnapshotId>,
}

/// When a turn looked, and how long it has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) looked_at: Timestamp,
    /// How long its look took.
    pub(super) took: SignedDuration,
    /// Until when its calls take.
    pub(super) works_until: Timestamp,
    /// Until when the invocation has time.
    pub(super) until: Timestamp,
    /// How many snapshots it saw.
    pub(super) snapshots: usize,
}

/// Makes the calls of a turn. Where they take so long that another turn will follow, the account is listed for that one beside them,
/// if the function has the memory for it; a listing that fails is none.
pub(super) async fn apply(
    account: &Account,
    event: &Event,
    actions: &[Action],
    times: Times,
) -> (Vec<Outcome>, Option<Ahead>) {
    let Times { looked_at, took, works_until, until, snapshots } = times;
    let (policy_id, target) = (event.policy.id.as_str(), event.options.target.as_ref());
    let log = |action: &Action, outcome: &Outcome| log_action(policy_id, target, action, outcome);
    let mut calls = Box::pin(abroad::apply(account, actions, works_until, log));
    let has_room = look::has_room_for_another(snapshots, std::env::var(look::MEMORY).ok().as_deref());
    let ahead = look::looks_ahead_at(looked_at, took, works_until, until);
    let Some(at) = ahead.filter(|_| has_room) else {
        return (calls.await, None);
    };
    let wait = Duration::try_from(at.duration_since(clock::now())).unwrap_or_default();
    tokio::select! {
        biased;
        outcomes = &mut calls => return (outcomes, None),
        () = tokio::time::sleep(wait) => {}
    }
    tokio::join!(calls, Box::pin(list(account, event, until)))
}

async fn list(account: &Account, event: &Event, until: Timestamp) -> Option<Ahead> {
    let began = clock::now();
    let patience = Duration::try_from(until.duration_since(began)).unwrap_or_default();
    let listed = tokio::time::timeout(patience, account.list(&event.policy)).await.ok()?.ok()?;
    Some(Ahead { listed, began, took: clock::now().duration_since(began), deleted: BTreeSet::new() })
}

#[cfg(test)]
#[cfg(feature = "mocks")]
mod tests {
    use super::*;
    use crate::action::CreateSnapshot;
    use crate::aws::tests::account;
    use crate::handler::read_event;
    use crate::policy::ScheduleName;
    use crate::world::VolumeId;
    use aws_sdk_ec2::Client;
    use aws_sdk_ec2::operation::create_snapshot::CreateSnapshotOutput;
    use aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsOutput;
    use aws_sdk_ec2::operation::describe_volumes::DescribeVolumesOutput;
    use aws_sdk_ec2::types;
    use aws_smithy_mocks::{Rule, mock};
    use serde_json::json;

    /// More than a full bucket lets through at once, also where making them takes a second.
    const CALLS: u32 = 130;

    fn event() -> Event {
        let policy = json!({"PolicyId": "policy-0123456789abcdef0", "State": "ENABLED", "PolicyDetails": {
            "ResourceTypes": ["VOLUME"], "TargetTags": [{"Key": "backup", "Value": "yes"}],
            "Schedules": [{"CreateRule": {"Interval": 24, "IntervalUnit": "HOURS"}, "RetainRule": {"Count": 3}}]}});
        read_event(&json!({"Policy": policy})).unwrap().0
    }

    fn creates() -> Vec<Action> {
        let create = |number| {
            Action::CreateSnapshot(CreateSnapshot {
                volume_id: VolumeId::parse(&format!("vol-{number:x}")).unwrap(),
                schedule: ScheduleName::default_name(),
                scheduled_time: clock::now(),
                description: String::new(),
                tags: Vec::new(),
                tags_left_out: Vec::new(),
            })
        };
        (1..=CALLS).map(create).collect()
    }

    fn volumes() -> Rule {
        let tag = types::Tag::builder().key("backup").value("yes").build();
        let volume = types::Volume::builder().volume_id("vol-0a").state(types::VolumeState::InUse).tags(tag).build();
        mock!(Client::describe_volumes)
            .then_output(move || DescribeVolumesOutput::builder().volumes(volume.clone()).build())
    }

    /// Makes the calls in a turn that has looked for a minute and a half, works as long, and is followed by another one if there is so
    /// much time.
    async fn outcome(rules: &[&Rule], seconds_left: i64) -> (Vec<Outcome>, Option<Ahead>) {
        let (looked_at, took) = (clock::now(), SignedDuration::from_secs(90));
        let works_until = looked_at + took;
        let until = works_until + SignedDuration::from_secs(seconds_left);
        let times = Times { looked_at, took, works_until, until, snapshots: 1 };
        let made = mock!(Client::create_snapshot)
            .then_output(|| CreateSnapshotOutput::builder().snapshot_id("snap-0a").build());
        let rules: Vec<&Rule> = [&made].into_iter().chain(rules.iter().copied()).collect();
        apply(&account(&rules), &event(), &creates(), times).await
    }

    #[tokio::test]
    async fn the_account_is_listed_beside_calls_that_take_long() {
        let snapshots = mock!(Client::describe_snapshots).then_output(|| DescribeSnapshotsOutput::builder().build());
        let before = clock::now();
        let (outcomes, ahead) = outcome(&[&volumes(), &snapshots], 120).await;
        assert!(outcomes.len() == 130 && outcomes.iter().all(|outcome| matches!(outcome, Outcome::Created(_))));
        let Ahead { listed, began, took, deleted } = ahead.unwrap();
        assert!((before..=clock::now()).contains(&began) && took < SignedDuration::from_secs(90) && deleted.is_empty());
        let policy = event().policy;
        let world = account(&[&volumes()]).complete(&policy, listed, &BTreeSet::new()).await.unwrap();
        assert_eq!(world.volumes.len(), 1);
    }

    #[tokio::test]
    async fn a_listing_that_fails_is_none_and_the_calls_are_made_all_the_same() {
        let denied = mock!(Client::describe_snapshots)
            .then_http_response(|| crate::aws::tests::error_answer(403, "UnauthorizedOperation"));
        let (outcomes, ahead) = outcome(&[&volumes(), &denied], 120).await;
        assert!(ahead.is_none() && outcomes.iter().all(|outcome| matches!(outcome, Outcome::Created(_))));
    }

    #[tokio::test]
    async fn nobody_lists_for_a_turn_that_will_not_be() {
        // A describing call would find no rule, which is a panic.
        let (outcomes, ahead) = outcome(&[], 119).await;
        assert!(ahead.is_none() && outcomes.iter().all(|outcome| matches!(outcome, Outcome::Created(_))));
    }
}
