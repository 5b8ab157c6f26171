use super::*;
use crate::aws::tests::{POLICY, account, account_with, answer, error_answer, policy, tags_of};
use crate::policy::ScheduleName;
use crate::tags::Mark;
use aws_credential_types::provider::{error::CredentialsError, future};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::{ProvideCredentials, SharedHttpClient};
use aws_sdk_ec2::operation::describe_snapshots::{DescribeSnapshotsInput, DescribeSnapshotsOutput};
use aws_sdk_ec2::operation::describe_volumes::DescribeVolumesOutput;
use aws_smithy_http_client::test_util::NeverClient;
use aws_smithy_mocks::{Rule, mock};

const DESCRIPTION: &str = "Created for policy: policy-0123456789abcdef0 schedule: Default Schedule";
/// 2026-11-22T17:00:00Z.
const FIVE_O_CLOCK: i64 = 1_795_366_800;

fn ec2_tag(key: &str, value: &str) -> types::Tag {
    types::Tag::builder().key(key).value(value).build()
}

fn volume(id: &str) -> types::Volume {
    types::Volume::builder().volume_id(id).state(types::VolumeState::InUse).tags(ec2_tag("auto-backup", "dlm")).build()
}

fn volumes(volumes: Vec<types::Volume>, next: Option<&str>) -> DescribeVolumesOutput {
    DescribeVolumesOutput::builder().set_volumes(Some(volumes)).set_next_token(next.map(Into::into)).build()
}

fn snapshot(id: &str) -> types::builders::SnapshotBuilder {
    types::Snapshot::builder()
        .snapshot_id(id)
        .volume_id("vol-0a")
        .owner_id("123456789012")
        .description(DESCRIPTION)
        .state(types::SnapshotState::Completed)
        .start_time(DateTime::from_secs(FIVE_O_CLOCK))
        .tags(ec2_tag(tags::POLICY_ID, POLICY))
}

fn snapshots(snapshots: Vec<types::Snapshot>, next: Option<&str>) -> DescribeSnapshotsOutput {
    DescribeSnapshotsOutput::builder().set_snapshots(Some(snapshots)).set_next_token(next.map(Into::into)).build()
}

fn no_volumes() -> Rule {
    mock!(Client::describe_volumes).then_output(|| volumes(vec![], None))
}

fn no_snapshots() -> Rule {
    mock!(Client::describe_snapshots).then_output(|| snapshots(vec![], None))
}

/// The rule of the page that is asked for with this token.
fn snapshot_page(
    token: Option<&'static str>,
    answer: impl Fn() -> DescribeSnapshotsOutput + Send + Sync + 'static,
) -> Rule {
    mock!(Client::describe_snapshots).match_requests(move |asked| asked.next_token() == token).then_output(answer)
}

async fn observe(rules: &[&Rule]) -> World {
    account(rules).observe(&policy(&[("auto-backup", "dlm")])).await.unwrap()
}

async fn observe_error(rules: &[&Rule]) -> ObserveError {
    account(rules).observe(&policy(&[("auto-backup", "dlm")])).await.unwrap_err()
}

fn ids(world: &World) -> Vec<&str> {
    world.snapshots.iter().map(|snapshot| snapshot.id.as_str()).collect()
}

fn filters_of(filters: &[Filter]) -> Vec<(&str, Vec<&str>)> {
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

#[test]
fn pages_without_end_are_cut_at_the_bound() {
    let mut pages = Pages::default();
    let mut read = 0;
    while pages.next().is_some() {
        read += 1;
        pages.turn(Some(&format!("token {read}")));
    }
    assert_eq!(read, PAGES_MAX);
    assert_eq!(pages.cut_short, Some(CutShort::TooManyPages));
}

#[tokio::test]
async fn snapshots_are_asked_for_by_owner_tag_and_description() {
    fn is_exact(asked: &DescribeSnapshotsInput) -> bool {
        asked.max_results() == Some(1000)
            && asked.owner_ids() == ["self"]
            && asked.snapshot_ids().is_empty()
            && filters_of(asked.filters())
                == [
                    ("tag:opendlm:policy-id", vec![POLICY]),
                    ("description", vec!["Created for policy: policy-0123456789abcdef0 schedule: *"]),
                ]
    }
    let rule = mock!(Client::describe_snapshots).match_requests(is_exact).then_output(|| snapshots(vec![], None));
    observe(&[&no_volumes(), &rule]).await;
    assert_eq!(rule.num_calls(), 1);
}

#[track_caller]
fn check_filters(any_of: &[(&str, &str)], expected: &[(&str, &[&str])]) {
    let filters = target_filters(&tags_of(any_of));
    let expected: Vec<_> = expected.iter().map(|&(name, values)| (name, values.to_vec())).collect();
    assert_eq!(filters_of(&filters), expected);
}

#[test]
fn target_tags_become_one_filter_a_key() {
    check_filters(&[("auto-backup", "dlm")], &[("tag:auto-backup", &["dlm"])]);
    check_filters(&[("a", "1"), ("b", "2"), ("a", "3")], &[("tag:a", &["1", "3"]), ("tag:b", &["2"])]);
    check_filters(&[("a", r"x*y?z\")], &[("tag:a", &[r"x\*y\?z\\"])]);
    check_filters(&[("a*b", "1")], &[("tag-key", &[r"a\*b"])]);
    check_filters(&[("a", "1"), ("a", "")], &[("tag-key", &["a"])]);
    let longest = "x".repeat(256);
    check_filters(&[("a", &longest)], &[("tag-key", &["a"])]);
    check_filters(&[("a", &longest[1..])], &[("tag:a", &[&longest[1..]])]);
}

#[test]
fn more_values_than_a_filter_holds_make_more_filters() {
    let values: Vec<String> = (0..450).map(|number| number.to_string()).collect();
    let pairs: Vec<(&str, &str)> = values.iter().map(|value| ("a", value.as_str())).collect();
    let lengths: Vec<usize> = target_filters(&tags_of(&pairs)).iter().map(|filter| filter.values().len()).collect();
    assert_eq!(lengths, [200, 200, 50]);
}

#[tokio::test]
async fn only_volumes_that_carry_a_target_tag_to_the_letter_are_kept_and_each_once() {
    let tagged = |id: &str, key: &str, value: &str| volume(id).tags_replaced(key, value);
    let rule = mock!(Client::describe_volumes)
        .match_requests(|asked| asked.max_results() == Some(1000) && filters_of(asked.filters())[0].0 == "tag:team")
        .then_output(move || {
            let exact = tagged("vol-01", "team", "red");
            let other_case = tagged("vol-02", "team", "Red");
            let other_key = tagged("vol-03", "Team", "red");
            volumes(vec![exact, other_case, other_key, tagged("vol-04", "env", "prod")], None)
        });
    let other = mock!(Client::describe_volumes)
        .match_requests(|asked| filters_of(asked.filters())[0].0 == "tag:env")
        .then_output(move || volumes(vec![tagged("vol-01", "team", "red"), tagged("vol-05", "env", "prod")], None));
    let account = account(&[&rule, &other, &no_snapshots()]);
    let world = account.observe(&policy(&[("team", "red"), ("env", "prod")])).await.unwrap();
    let mut ids: Vec<&str> = world.volumes.iter().map(|volume| volume.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["vol-01", "vol-04", "vol-05"]);
    assert_eq!(world.coverage, Coverage::Complete);
}

trait TagsReplaced {
    fn tags_replaced(self, key: &str, value: &str) -> Self;
}

impl TagsReplaced for types::Volume {
    fn tags_replaced(mut self, key: &str, value: &str) -> Self {
        self.tags = Some(vec![ec2_tag(key, value)]);
        self
    }
}

#[test]
fn a_volume_is_read_field_by_field() {
    let created = DateTime::from_secs_and_nanos(FIVE_O_CLOCK, 123_000_000);
    let ec2 = types::Volume::builder().volume_id("vol-0a").create_time(created).state("haunted".into()).build();
    let expected = Volume {
        id: VolumeId::parse("vol-0a").unwrap(),
        state: VolumeState::Unknown("haunted".to_owned()),
        created: Some("2026-11-22T17:00:00.123Z".parse().unwrap()),
    };
    assert_eq!(read_volume(&ec2), Some(expected));
    for (name, state) in [
        ("available", VolumeState::Available),
        ("creating", VolumeState::Creating),
        ("deleted", VolumeState::Deleted),
        ("deleting", VolumeState::Deleting),
        ("error", VolumeState::Error),
        ("in-use", VolumeState::InUse),
    ] {
        assert_eq!(volume_state(Some(&name.into())), state);
    }
    assert_eq!(volume_state(None), VolumeState::Unknown("unstated".to_owned()));
}

#[test]
fn a_snapshot_is_read_field_by_field() {
    let ec2 = snapshot("snap-0a")
        .tags(ec2_tag(tags::SCHEDULE_NAME, "Default Schedule"))
        .tags(ec2_tag(tags::SCHEDULED_TIME, "2026-11-22T17:00:00Z"))
        .tags(ec2_tag(tags::EXPIRATION_TIME, "soon"))
        .tags(ec2_tag("Name", "somebody's"))
        .state(types::SnapshotState::Pending)
        .progress("80%")
        .build();
    let mut descriptions = BTreeSet::new();
    let read = read_snapshot(&ec2, &mut descriptions).unwrap();
    let expected = Snapshot {
        id: SnapshotId::parse("snap-0a").unwrap(),
        volume_id: VolumeId::parse("vol-0a").unwrap(),
        description: DESCRIPTION.into(),
        state: SnapshotState::Pending { progress_percent: 80 },
        start_time: "2026-11-22T17:00:00Z".parse().unwrap(),
        origin: Origin::Created,
        marks: Marks {
            policy_id: Some(POLICY.to_owned()),
            schedule_name: Mark::Read(ScheduleName::default_name()),
            scheduled_time: Mark::Read("2026-11-22T17:00:00Z".parse().unwrap()),
            expiration_time: Mark::Unreadable("soon".to_owned()),
        },
    };
    assert_eq!(read, expected);
    let again = read_snapshot(&ec2, &mut descriptions).unwrap();
    assert!(Arc::ptr_eq(&read.description, &again.description), "equal descriptions are one text");
}

#[test]
fn a_copy_is_known_by_its_volume_and_by_its_transfer_type() {
    let origin =
        |ec2: types::builders::SnapshotBuilder| read_snapshot(&ec2.build(), &mut BTreeSet::new()).unwrap().origin;
    assert_eq!(origin(snapshot("snap-1")), Origin::Created);
    assert_eq!(origin(snapshot("snap-1").volume_id("vol-ffffffff")), Origin::Copied);
    assert_eq!(origin(snapshot("snap-1").transfer_type(types::TransferType::Standard)), Origin::Copied);
}

#[test]
fn states_and_progress_are_read_and_the_unknown_stays_unknown() {
    let read = |name: &str| snapshot_state(Some(&name.into()), Some("100%"));
    assert_eq!(read("completed"), SnapshotState::Completed);
    assert_eq!(read("error"), SnapshotState::Error);
    assert_eq!(read("recoverable"), SnapshotState::Unknown("recoverable".to_owned()));
    assert_eq!(read("melting"), SnapshotState::Unknown("melting".to_owned()));
    assert_eq!(snapshot_state(None, None), SnapshotState::Unknown("unstated".to_owned()));
    let progress = [(None, 0), (Some(""), 0), (Some("0%"), 0), (Some("99%"), 99), (Some("200%"), 100), (Some("?"), 0)];
    for (text, expected) in progress {
        assert_eq!(percent(text), expected, "{text:?}");
    }
}

#[tokio::test]
async fn a_thing_that_cannot_be_read_makes_the_observation_partial() {
    let broken: [fn() -> types::Snapshot; 3] = [
        || types::Snapshot::builder().volume_id("vol-0a").owner_id("123456789012").build(),
        || snapshot("snap-GARBAGE").build(),
        || {
            let mut without_start = snapshot("snap-2").build();
            without_start.start_time = None;
            without_start
        },
    ];
    for broken in broken {
        let mut first = snapshot("snap-1").build();
        first.owner_id = broken().owner_id;
        let rule =
            mock!(Client::describe_snapshots).then_output(move || snapshots(vec![first.clone(), broken()], None));
        let world = observe(&[&no_volumes(), &rule]).await;
        assert_eq!(ids(&world), ["snap-1"]);
        assert_eq!(world.coverage, Coverage::Partial(CutShort::Unreadable));
    }
    let rule = mock!(Client::describe_volumes).then_output(|| volumes(vec![volume("disk-1")], None));
    assert_eq!(observe(&[&rule, &no_snapshots()]).await.coverage, Coverage::Partial(CutShort::Unreadable));
}

#[tokio::test]
async fn an_answer_that_mixes_owners_is_partial_whatever_else_is_wrong() {
    let first = snapshot_page(None, || snapshots(vec![snapshot("snap-1").build()], Some("a")));
    let second = snapshot_page(Some("a"), || {
        snapshots(vec![snapshot("snap-2").owner_id("999999999999").build(), snapshot("x").build()], Some("a"))
    });
    let world = observe(&[&no_volumes(), &first, &second]).await;
    assert_eq!(ids(&world), ["snap-1", "snap-2"]);
    assert_eq!(world.coverage, Coverage::Partial(CutShort::MixedOwners));
}

#[tokio::test]
async fn a_snapshot_on_two_pages_is_one_as_it_was_read_last() {
    let first = snapshot_page(None, || {
        let pending = snapshot("snap-1").state(types::SnapshotState::Pending).build();
        snapshots(vec![pending, snapshot("snap-2").build()], Some("a"))
    });
    let second = snapshot_page(Some("a"), || snapshots(vec![snapshot("snap-1").build()], None));
    let world = observe(&[&no_volumes(), &first, &second]).await;
    assert_eq!(ids(&world), ["snap-1", "snap-2"]);
    assert_eq!(world.snapshots[0].state, SnapshotState::Completed);
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
        ObserveError::AccessDenied(failed) | ObserveError::Throttled(failed) | ObserveError::Unavailable(failed) => {
            &failed.code
        }
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
