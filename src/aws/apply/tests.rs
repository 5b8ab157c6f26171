mod asking;
mod closing;
mod hostile;
mod last_look;
mod paced;

use super::*;
use crate::aws::clock::now;
use crate::aws::tests::{POLICY, account_with, answer, error_answer, tags_of};
use crate::policy::{PolicyId, ScheduleName};
use crate::tags;
use crate::world::{InstanceId, Origin, Snapshot, SnapshotState, Tier, VolumeId};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::SharedHttpClient;
use aws_sdk_ec2::operation::create_snapshot::{CreateSnapshotInput, CreateSnapshotOutput};
use aws_sdk_ec2::operation::create_snapshots::{CreateSnapshotsInput, CreateSnapshotsOutput};
use aws_sdk_ec2::operation::delete_snapshot::DeleteSnapshotOutput;
use aws_smithy_http_client::test_util::NeverClient;
use aws_smithy_mocks::{Rule, mock};
use last_look::account;
use std::cell::RefCell;

/// Time enough for every call.
fn later() -> Timestamp {
    now() + SignedDuration::from_secs(300)
}

/// Time for one call of a full bucket, and none for a second try of what is throttled, which comes 0.4 s later.
fn once(seconds_max: u64) -> Timestamp {
    let seconds_max = SignedDuration::from_secs(i64::try_from(seconds_max).unwrap());
    now() + seconds_max + SignedDuration::from_millis(390)
}

fn policy_id() -> PolicyId {
    PolicyId::parse(POLICY).unwrap()
}

fn create(volume: &str) -> Action {
    let schedule = ScheduleName::default_name();
    let scheduled_time = "2026-11-22T17:00:00Z".parse().unwrap();
    Action::CreateSnapshot(CreateSnapshot {
        volume_id: VolumeId::parse(volume).unwrap(),
        description: tags::description(&policy_id(), &schedule),
        tags: tags_of(&TAGS),
        tags_left_out: Vec::new(),
        schedule,
        scheduled_time,
    })
}

const TAGS: [(&str, &str); 3] = [
    ("opendlm:policy-id", "policy-0123456789abcdef0"),
    ("opendlm:schedule-name", "Default Schedule"),
    ("opendlm:scheduled-time", "2026-11-22T17:00:00Z"),
];

/// A set of all volumes of an instance, without copied tags.
fn create_set(instance: &str) -> CreateSnapshots {
    let schedule = ScheduleName::default_name();
    CreateSnapshots {
        instance_id: InstanceId::parse(instance).unwrap(),
        exclude_boot_volume: false,
        exclude_data_volume_ids: Vec::new(),
        copy_tags_from_source: false,
        description: tags::description(&policy_id(), &schedule),
        tags: tags_of(&TAGS),
        tags_left_out: Vec::new(),
        schedule,
        scheduled_time: "2026-11-22T17:00:00Z".parse().unwrap(),
    }
}

fn creates(count: usize) -> Vec<Action> {
    (0..count).map(|number| create(&format!("vol-{number:x}"))).collect()
}

fn delete(snapshot: &str) -> Action {
    Action::DeleteSnapshot(deletion(snapshot))
}

fn deletion(snapshot: &str) -> DeleteSnapshot {
    let snapshot = Snapshot {
        id: SnapshotId::parse(snapshot).unwrap(),
        volume_id: VolumeId::parse("vol-0a").unwrap(),
        description: tags::description(&policy_id(), &ScheduleName::default_name()).into(),
        state: SnapshotState::Completed,
        state_message: None,
        start_time: "2026-11-19T17:00:00Z".parse().unwrap(),
        completed_at: None,
        origin: Origin::Created,
        marks: tags::Marks { policy_id: Some(policy_id().as_str().into()), ..Default::default() }.into(),
        tier: Tier::Standard,
        full_size_bytes: 0,
    };
    DeleteSnapshot { policy_id: policy_id(), snapshot, of_copy: None, rests_on: Vec::new() }
}

fn made(snapshot: &str) -> CreateSnapshotOutput {
    CreateSnapshotOutput::builder().snapshot_id(snapshot).build()
}

fn creates_work() -> Rule {
    mock!(Client::create_snapshot).then_output(|| made("snap-0a"))
}

fn deletes_work() -> Rule {
    mock!(Client::delete_snapshot).then_output(|| DeleteSnapshotOutput::builder().build())
}

fn creates_fail(status: u16, code: &'static str) -> Rule {
    mock!(Client::create_snapshot).sequence().http_response(move || error_answer(status, code)).times(9).build()
}

fn deletes_fail(status: u16, code: &'static str) -> Rule {
    mock!(Client::delete_snapshot).sequence().http_response(move || error_answer(status, code)).times(9).build()
}

async fn apply(rules: &[&Rule], actions: &[Action]) -> Vec<Outcome> {
    account(rules).apply(actions, later(), |_, _| {}).await
}

fn failed(outcome: &Outcome) -> (FailedKind, &str) {
    match outcome {
        Outcome::Failed(failed) => (failed.kind, &failed.code),
        other => panic!("{other:?}"),
    }
}

fn snapshot(id: &str) -> Outcome {
    Outcome::Created(vec![SnapshotId::parse(id).unwrap()])
}

fn made_set(snapshots: &[&str]) -> CreateSnapshotsOutput {
    let made = snapshots.iter().map(|id| types::SnapshotInfo::builder().snapshot_id(*id).build()).collect();
    CreateSnapshotsOutput::builder().set_snapshots(Some(made)).build()
}

fn tags_in(specifications: &[TagSpecification]) -> Vec<(&str, &str)> {
    let [specification] = specifications else { panic!("{specifications:?}") };
    assert_eq!(specification.resource_type(), Some(&ResourceType::Snapshot));
    specification.tags().iter().map(|tag| (tag.key().unwrap(), tag.value().unwrap())).collect()
}

#[tokio::test]
async fn a_creation_says_everything_in_one_call() {
    fn is_exact(asked: &CreateSnapshotInput) -> bool {
        asked.volume_id() == Some("vol-0a")
            && asked.description() == Some("Created for policy: policy-0123456789abcdef0 schedule: Default Schedule")
            && tags_in(asked.tag_specifications()) == TAGS
    }
    let rule = mock!(Client::create_snapshot).match_requests(is_exact).then_output(|| made("snap-0b"));
    assert_eq!(apply(&[&rule], &[create("vol-0a")]).await, [snapshot("snap-0b")]);
    assert_eq!(rule.num_calls(), 1);
}

#[tokio::test]
async fn a_set_says_everything_in_one_call() {
    fn is_exact(asked: &CreateSnapshotsInput) -> bool {
        let specification = asked.instance_specification().unwrap();
        specification.instance_id() == Some("i-0a")
            && specification.exclude_boot_volume() == Some(true)
            && specification.exclude_data_volume_ids() == ["vol-0b", "vol-0c"]
            && asked.copy_tags_from_source() == Some(&CopyTagsFromSource::Volume)
            && asked.description() == Some("Created for policy: policy-0123456789abcdef0 schedule: Default Schedule")
            && tags_in(asked.tag_specifications()) == TAGS
    }
    let rule =
        mock!(Client::create_snapshots).match_requests(is_exact).then_output(|| made_set(&["snap-0b", "snap-0a"]));
    let excluded = ["vol-0b", "vol-0c"].map(|id| VolumeId::parse(id).unwrap()).to_vec();
    let set = CreateSnapshots {
        exclude_boot_volume: true,
        exclude_data_volume_ids: excluded,
        copy_tags_from_source: true,
        ..create_set("i-0a")
    };
    let ids = ["snap-0b", "snap-0a"].map(|id| SnapshotId::parse(id).unwrap()).to_vec();
    assert_eq!(apply(&[&rule], &[Action::CreateSnapshots(set)]).await, [Outcome::Created(ids)]);
    assert_eq!(rule.num_calls(), 1);
}

#[tokio::test]
async fn a_set_of_all_volumes_leaves_out_nothing_and_copies_nothing() {
    fn is_exact(asked: &CreateSnapshotsInput) -> bool {
        let specification = asked.instance_specification().unwrap();
        specification.exclude_boot_volume() == Some(false)
            && specification.exclude_data_volume_ids().is_empty()
            && asked.copy_tags_from_source().is_none()
    }
    let rule = mock!(Client::create_snapshots).match_requests(is_exact).then_output(|| made_set(&["snap-0a"]));
    let set = Action::CreateSnapshots(create_set("i-0a"));
    assert_eq!(apply(&[&rule], &[set]).await, [snapshot("snap-0a")]);
}

#[tokio::test]
async fn a_set_is_made_once_and_unclear_when_its_snapshots_are_not_named() {
    let set = || [Action::CreateSnapshots(create_set("i-0a"))];
    for named in [&[][..], &["snap-0a", "snapshot"]] {
        let rule = mock!(Client::create_snapshots).then_output(|| made_set(named));
        assert_eq!(failed(&apply(&[&rule], &set()).await[0]), (FailedKind::Unclear, "BadAnswer"), "{named:?}");
    }
    for (status, code, kind) in [
        (500, "InternalError", FailedKind::Unclear),
        (503, "RequestLimitExceeded", FailedKind::Throttled),
        (403, "UnauthorizedOperation", FailedKind::Denied),
        (400, "InvalidInstanceID.NotFound", FailedKind::Refused),
    ] {
        let rule = mock!(Client::create_snapshots).then_http_response(move || error_answer(status, code));
        let outcomes = account(&[&rule]).apply(&set(), once(CREATE_SECONDS_MAX), |_, _| {}).await;
        assert_eq!(failed(&outcomes[0]), (kind, code));
        assert_eq!(rule.num_calls(), 1, "{code}");
    }
    let silent = NeverClient::new();
    let account = account_with(SharedHttpClient::new(silent.clone()), |config| config);
    let outcomes = account.apply(&set(), later(), |_, _| {}).await;
    assert_eq!((failed(&outcomes[0]), silent.num_calls()), ((FailedKind::Unclear, "Timeout"), 1));
}

#[tokio::test]
async fn a_deletion_names_its_snapshot() {
    let rule = mock!(Client::delete_snapshot)
        .match_requests(|asked| asked.snapshot_id() == Some("snap-0a"))
        .then_output(|| DeleteSnapshotOutput::builder().build());
    assert_eq!(apply(&[&rule], &[delete("snap-0a")]).await, [Outcome::Deleted]);
}

#[tokio::test]
async fn outcomes_come_in_the_order_of_the_actions_and_each_is_told_once() {
    let create_rule = mock!(Client::create_snapshot)
        .then_compute_output(|asked| made(&asked.volume_id().unwrap().replace("vol", "snap")));
    let actions = [delete("snap-1"), create("vol-2"), delete("snap-3"), create("vol-4"), create("vol-5")];
    let told = RefCell::new(Vec::new());
    let account = account(&[&create_rule, &deletes_work()]);
    let outcomes = account.apply(&actions, later(), |a, o| told.borrow_mut().push((a.clone(), o.clone()))).await;
    let expected = [Outcome::Deleted, snapshot("snap-2"), Outcome::Deleted, snapshot("snap-4"), snapshot("snap-5")];
    assert_eq!(outcomes, expected);
    let told = told.into_inner();
    assert_eq!(told.len(), actions.len());
    for pair in actions.into_iter().zip(expected) {
        assert!(told.contains(&pair));
    }
}

#[tokio::test]
async fn a_creation_is_made_once_whatever_comes_back() {
    for (status, code, kind) in [
        (500, "InternalError", FailedKind::Unclear),
        (500, "InternalFailure", FailedKind::Unclear),
        (503, "Unavailable", FailedKind::Unclear),
        (503, "ServiceUnavailable", FailedKind::Unclear),
        (400, "RequestTimeout", FailedKind::Unclear),
        (504, "SomethingNew", FailedKind::Unclear),
        (503, "RequestLimitExceeded", FailedKind::Throttled),
        (400, "RequestLimitExceeded", FailedKind::Throttled),
        (400, "Throttling", FailedKind::Throttled),
        (503, "EC2ThrottledException", FailedKind::Throttled),
        (503, "SlowDown", FailedKind::Throttled),
        (403, "UnauthorizedOperation", FailedKind::Denied),
        (401, "AuthFailure", FailedKind::Denied),
        (403, "OptInRequired", FailedKind::Denied),
        (403, "InvalidClientTokenId", FailedKind::Denied),
        (400, "ExpiredToken", FailedKind::Expired),
        (400, "RequestExpired", FailedKind::Expired),
        (400, "UnrecognizedClientException", FailedKind::Denied),
        (400, "InvalidVolume.NotFound", FailedKind::Refused),
        (400, "IncorrectState", FailedKind::Refused),
        (400, "SnapshotCreationPerVolumeRateExceeded", FailedKind::TooSoon),
        (400, "ConcurrentSnapshotLimitExceeded", FailedKind::TooSoon),
        (400, "PendingSnapshotLimitExceeded", FailedKind::TooManyPending),
        (400, "SnapshotLimitExceeded", FailedKind::AccountFull),
    ] {
        let rule = creates_fail(status, code);
        let outcomes = account(&[&rule]).apply(&[create("vol-0a")], once(CREATE_SECONDS_MAX), |_, _| {}).await;
        assert_eq!(failed(&outcomes[0]), (kind, code));
        assert_eq!(rule.num_calls(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_creation_that_times_out_is_made_once_and_unclear() {
    let silent = NeverClient::new();
    let account = account_with(SharedHttpClient::new(silent.clone()), |config| config);
    let outcomes = account.apply(&[create("vol-0a")], later(), |_, _| {}).await;
    assert_eq!(failed(&outcomes[0]), (FailedKind::Unclear, "Timeout"));
    assert_eq!(silent.num_calls(), 1);
}

#[tokio::test]
async fn a_creation_whose_answer_cannot_be_read_is_unclear() {
    for (status, body) in [(200, "no xml"), (502, "<html/>"), (200, "<CreateSnapshotResponse/>")] {
        let rule = mock!(Client::create_snapshot).then_http_response(move || answer(status, body));
        let outcomes = apply(&[&rule], &[create("vol-0a")]).await;
        assert_eq!(failed(&outcomes[0]), (FailedKind::Unclear, "BadAnswer"), "{status} {body}");
    }
}

#[tokio::test]
async fn a_deletion_is_tried_three_times_when_that_can_help() {
    for (status, code, kind, calls) in [
        (500, "InternalError", FailedKind::Unclear, 3),
        (503, "RequestLimitExceeded", FailedKind::Throttled, 1),
        (403, "UnauthorizedOperation", FailedKind::Denied, 1),
        (400, "InvalidSnapshot.InUse", FailedKind::Refused, 1),
    ] {
        let rule = deletes_fail(status, code);
        let outcomes = account(&[&rule]).apply(&[delete("snap-0a")], once(DELETE_SECONDS_MIN), |_, _| {}).await;
        assert_eq!((failed(&outcomes[0]), rule.num_calls()), ((kind, code), calls));
    }
    let silent = NeverClient::new();
    let account = account_with(SharedHttpClient::new(silent.clone()), |config| config);
    let outcome = account.call(&delete("snap-0a"), later()).await;
    assert_eq!((failed(&outcome), silent.num_calls()), ((FailedKind::Unclear, "Timeout"), 3));
}

#[tokio::test]
async fn a_snapshot_that_is_gone_already_is_deleted() {
    let rule = deletes_fail(400, "InvalidSnapshot.NotFound");
    assert_eq!(apply(&[&rule], &[delete("snap-0a")]).await, [Outcome::Deleted]);
    assert_eq!(rule.num_calls(), 1);
}

#[tokio::test]
async fn what_is_not_ours_is_refused_without_a_call() {
    let with = |change: fn(&mut DeleteSnapshot)| {
        let mut delete = deletion("snap-0a");
        change(&mut delete);
        Action::DeleteSnapshot(delete)
    };
    let actions = [
        with(|delete| delete.snapshot.marks.policy_id = None),
        with(|delete| delete.snapshot.marks.policy_id = Some("policy-2".into())),
        with(|delete| delete.snapshot.description = "mine".into()),
        with(|delete| delete.snapshot.origin = Origin::Copied),
        with(|delete| delete.policy_id = PolicyId::parse("policy-2").unwrap()),
    ];
    let nowhere = NeverClient::new();
    let account = account_with(SharedHttpClient::new(nowhere.clone()), |config| config);
    for outcome in account.apply(&actions, later(), |_, _| {}).await {
        assert_eq!(failed(&outcome), (FailedKind::Refused, "NotOurs"));
    }
    assert_eq!(nowhere.num_calls(), 0);
}

#[tokio::test]
async fn one_failing_volume_does_not_stop_the_others() {
    let bad = mock!(Client::create_snapshot)
        .match_requests(|asked| asked.volume_id() == Some("vol-1"))
        .then_http_response(|| error_answer(500, "InternalError"));
    let outcomes = apply(&[&bad, &creates_work()], &creates(30)).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        match number {
            1 => assert_eq!(failed(outcome), (FailedKind::Unclear, "InternalError")),
            _ => assert_eq!(outcome, &snapshot("snap-0a")),
        }
    }
}

#[tokio::test]
async fn no_call_starts_that_could_not_end_in_time() {
    let nowhere = NeverClient::new();
    let account = account_with(SharedHttpClient::new(nowhere.clone()), |config| config);
    let actions = [create("vol-0a"), Action::CreateSnapshots(create_set("i-0a")), delete("snap-0a")];
    for (seconds, actions) in [(-60, &actions[..]), (0, &actions), (4, &actions), (14, &actions[..2])] {
        let until = now() + SignedDuration::from_secs(seconds);
        let outcomes = account.apply(actions, until, |_, _| {}).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::NotStarted));
    }
    assert_eq!(nowhere.num_calls(), 0);
}

#[tokio::test]
async fn no_actions_make_no_calls() {
    assert!(apply(&[], &[]).await.is_empty());
}
