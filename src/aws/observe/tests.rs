//! What the tests of this room share, and what holds for every listing.

mod hostile;

use super::*;
use crate::aws::tests::{POLICY, account, account_with, answer, error_answer, policy};
use crate::tags;
use aws_credential_types::provider::{error::CredentialsError, future};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::{ProvideCredentials, SharedHttpClient};
use aws_sdk_ec2::operation::describe_instances::DescribeInstancesOutput;
use aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsOutput;
use aws_sdk_ec2::operation::describe_volumes::DescribeVolumesOutput;
use aws_sdk_ec2::types::Filter;
use aws_smithy_http_client::test_util::NeverClient;
use aws_smithy_mocks::{Rule, mock};

pub(super) const DESCRIPTION: &str = "Created for policy: policy-0123456789abcdef0 schedule: Default Schedule";
/// 2026-11-22T17:00:00Z.
pub(super) const FIVE_O_CLOCK: i64 = 1_795_366_800;

pub(super) fn ec2_tag(key: &str, value: &str) -> types::Tag {
    types::Tag::builder().key(key).value(value).build()
}

/// A volume that the policy of [`observe`] targets.
pub(super) fn volume(id: &str) -> types::Volume {
    tagged_volume(id, &[("auto-backup", "dlm")])
}

pub(super) fn tagged_volume(id: &str, tags: &[(&str, &str)]) -> types::Volume {
    let tags = tags.iter().map(|(key, value)| ec2_tag(key, value)).collect();
    types::Volume::builder().volume_id(id).state(types::VolumeState::InUse).set_tags(Some(tags)).build()
}

pub(super) fn volumes(volumes: Vec<types::Volume>, next: Option<&str>) -> DescribeVolumesOutput {
    DescribeVolumesOutput::builder().set_volumes(Some(volumes)).set_next_token(next.map(Into::into)).build()
}

/// A complete snapshot of ours, of `vol-0a`, with the transfer type that EC2 shows on every one (shared/wire/README.md).
pub(super) fn snapshot(id: &str) -> types::builders::SnapshotBuilder {
    types::Snapshot::builder()
        .snapshot_id(id)
        .volume_id("vol-0a")
        .owner_id("123456789012")
        .description(DESCRIPTION)
        .state(types::SnapshotState::Completed)
        .start_time(DateTime::from_secs(FIVE_O_CLOCK))
        .transfer_type(types::TransferType::Standard)
        .tags(ec2_tag(tags::POLICY_ID, POLICY))
}

pub(super) fn snapshots(snapshots: Vec<types::Snapshot>, next: Option<&str>) -> DescribeSnapshotsOutput {
    DescribeSnapshotsOutput::builder().set_snapshots(Some(snapshots)).set_next_token(next.map(Into::into)).build()
}

/// A running instance with a root volume and data volumes.
pub(super) fn instance(id: &str, root: &str, data: &[&str]) -> types::builders::InstanceBuilder {
    let state = types::InstanceState::builder().name(types::InstanceStateName::Running).build();
    let mut instance = types::Instance::builder()
        .instance_id(id)
        .state(state)
        .root_device_name("/dev/xvda")
        .block_device_mappings(mapping("/dev/xvda", root))
        .tags(ec2_tag("auto-backup", "dlm"));
    for (number, volume) in data.iter().enumerate() {
        instance = instance.block_device_mappings(mapping(&format!("/dev/sdf{number}"), volume));
    }
    instance
}

pub(super) fn mapping(device: &str, volume: &str) -> types::InstanceBlockDeviceMapping {
    let ebs = types::EbsInstanceBlockDevice::builder().volume_id(volume).build();
    types::InstanceBlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
}

/// A page on which each instance has a reservation of its own.
pub(super) fn instances(instances: Vec<types::Instance>, next: Option<&str>) -> DescribeInstancesOutput {
    let reservation = |instance| types::Reservation::builder().instances(instance).build();
    let reservations = instances.into_iter().map(reservation).collect();
    DescribeInstancesOutput::builder().set_reservations(Some(reservations)).set_next_token(next.map(Into::into)).build()
}

pub(super) fn no_volumes() -> Rule {
    mock!(Client::describe_volumes).then_output(|| volumes(vec![], None))
}

pub(super) fn no_snapshots() -> Rule {
    mock!(Client::describe_snapshots).then_output(|| snapshots(vec![], None))
}

/// The rule of the page that is asked for with this token.
pub(super) fn snapshot_page(
    token: Option<&'static str>,
    answer: impl Fn() -> DescribeSnapshotsOutput + Send + Sync + 'static,
) -> Rule {
    mock!(Client::describe_snapshots).match_requests(move |asked| asked.next_token() == token).then_output(answer)
}

/// The rule of the volumes that are asked for with a filter of this name.
pub(super) fn volumes_by(
    filter: &'static str,
    answer: impl Fn() -> DescribeVolumesOutput + Send + Sync + 'static,
) -> Rule {
    mock!(Client::describe_volumes).match_requests(move |asked| is_by(asked.filters(), filter)).then_output(answer)
}

/// The rule of the instances that are asked for with a filter of this name.
pub(super) fn instances_by(
    filter: &'static str,
    answer: impl Fn() -> DescribeInstancesOutput + Send + Sync + 'static,
) -> Rule {
    mock!(Client::describe_instances).match_requests(move |asked| is_by(asked.filters(), filter)).then_output(answer)
}

fn is_by(filters: &[Filter], name: &str) -> bool {
    filters.iter().any(|filter| filter.name() == Some(name))
}

pub(super) async fn observe(rules: &[&Rule]) -> World {
    account(rules).observe(&policy(&[("auto-backup", "dlm")])).await.unwrap()
}

pub(super) async fn observe_error(rules: &[&Rule]) -> ObserveError {
    account(rules).observe(&policy(&[("auto-backup", "dlm")])).await.unwrap_err()
}

pub(super) fn ids(world: &World) -> Vec<String> {
    world.snapshots.iter().map(|snapshot| snapshot.id.to_string()).collect()
}

pub(super) fn filters_of(filters: &[Filter]) -> Vec<(&str, Vec<&str>)> {
    filters.iter().map(|f| (f.name().unwrap(), f.values().iter().map(String::as_str).collect())).collect()
}

#[tokio::test]
async fn pages_are_read_until_there_is_no_token_also_past_an_empty_page() {
    let first = snapshot_page(None, || snapshots(vec![snapshot("snap-1").build()], Some("second")));
    let empty = snapshot_page(Some("second"), || snapshots(vec![], Some("third")));
    let last = snapshot_page(Some("third"), || snapshots(vec![snapshot("snap-3").build()], None));
    let volumes_first = mock!(Client::describe_volumes)
        .match_requests(|asked| asked.next_token().is_none())
        .then_output(|| volumes(vec![], Some("more")));
    let volumes_last = mock!(Client::describe_volumes)
        .match_requests(|asked| asked.next_token() == Some("more"))
        .then_output(|| volumes(vec![volume("vol-0a")], Some("")));
    let world = observe(&[&volumes_first, &volumes_last, &first, &empty, &last]).await;
    assert_eq!(ids(&world), ["snap-1", "snap-3"]);
    assert_eq!(world.volumes.len(), 1);
    assert_eq!(world.coverage, Coverage::Complete);
    for rule in [&volumes_first, &volumes_last, &first, &empty, &last] {
        assert_eq!(rule.num_calls(), 1);
    }
}

#[tokio::test]
async fn a_token_that_comes_again_ends_the_listing_as_partial() {
    let first = snapshot_page(None, || snapshots(vec![snapshot("snap-1").build()], Some("a")));
    let second = snapshot_page(Some("a"), || snapshots(vec![snapshot("snap-2").build()], Some("b")));
    let third = snapshot_page(Some("b"), || snapshots(vec![], Some("a")));
    let world = observe(&[&no_volumes(), &first, &second, &third]).await;
    assert_eq!(ids(&world), ["snap-1", "snap-2"]);
    assert_eq!(world.coverage, Coverage::Partial(CutShort::TooManyPages));
    assert_eq!(second.num_calls(), 1);
}

#[tokio::test]
async fn a_listing_is_tried_three_times_and_then_fails_by_its_name() {
    for (status, code, name, calls) in [
        (503, "RequestLimitExceeded", "Throttled", 3),
        (500, "InternalError", "Unavailable", 3),
        (503, "Unavailable", "Unavailable", 3),
        (403, "UnauthorizedOperation", "AccessDenied", 1),
        (401, "AuthFailure", "AccessDenied", 1),
        (400, "InvalidParameterValue", "Unavailable", 1),
    ] {
        let rule = mock!(Client::describe_snapshots)
            .sequence()
            .http_response(move || error_answer(status, code))
            .times(5)
            .build();
        let error = observe_error(&[&no_volumes(), &rule]).await;
        assert_eq!((error.name(), rule.num_calls()), (name, calls), "{code}");
        let words = format!("DescribeSnapshots failed with {code}: Recorded message of {code}.;");
        assert!(error.to_string().starts_with(&words), "{error}");
    }
}

#[tokio::test]
async fn a_listing_whose_second_attempt_succeeds_has_not_failed() {
    let rule = mock!(Client::describe_snapshots)
        .sequence()
        .http_response(|| error_answer(503, "RequestLimitExceeded"))
        .output(|| snapshots(vec![snapshot("snap-1").build()], None))
        .build();
    assert_eq!(ids(&observe(&[&no_volumes(), &rule]).await), ["snap-1"]);
}

fn error_code(error: &ObserveError) -> &str {
    match error {
        ObserveError::AccessDenied(failed)
        | ObserveError::Expired(failed)
        | ObserveError::Throttled(failed)
        | ObserveError::Unavailable(failed) => &failed.code,
    }
}

#[tokio::test]
async fn silence_and_nonsense_are_unavailable() {
    let silent = NeverClient::new();
    let account = account_with(SharedHttpClient::new(silent.clone()), |config| config);
    let error = account.observe(&policy(&[("k", "v")])).await.unwrap_err();
    assert_eq!((error.name(), error_code(&error)), ("Unavailable", "Timeout"), "{error}");
    assert!((3..=6).contains(&silent.num_calls()), "one listing was tried three times, the other one until then");

    for (status, body) in [(502, "<html>Bad Gateway</html>"), (503, ""), (200, "{\"not\": \"xml\"}")] {
        let rule =
            mock!(Client::describe_snapshots).sequence().http_response(move || answer(status, body)).times(3).build();
        let error = observe_error(&[&no_volumes(), &rule]).await;
        assert_eq!((error.name(), error_code(&error)), ("Unavailable", "BadAnswer"), "{error}");
    }
}

#[tokio::test]
async fn without_credentials_access_is_denied_before_anything_is_sent() {
    let nowhere = NeverClient::new();
    let account =
        account_with(SharedHttpClient::new(nowhere.clone()), |config| config.credentials_provider(NoCredentials));
    let error = account.observe(&policy(&[("k", "v")])).await.unwrap_err();
    assert_eq!((error.name(), error_code(&error)), ("AccessDenied", "NoCredentials"), "{error}");
    assert_eq!(nowhere.num_calls(), 0);
}

#[derive(Debug)]
struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("no providers in chain")))
    }
}
