use super::*;
use crate::aws::observe::tests::{
    DESCRIPTION, ec2_tag, filters_of, ids, no_volumes, observe, snapshot, snapshot_page, snapshots,
};
use crate::aws::tests::POLICY;
use crate::policy::ScheduleName;
use crate::tags::{Hold, Mark, Marks};
use crate::world::{Coverage, InstanceId};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsInput;
use aws_smithy_mocks::mock;

#[tokio::test]
async fn snapshots_are_asked_for_by_owner_and_the_exact_tag_alone() {
    fn is_exact(asked: &DescribeSnapshotsInput) -> bool {
        asked.max_results() == Some(1000)
            && asked.owner_ids() == ["self"]
            && asked.snapshot_ids().is_empty()
            && filters_of(asked.filters()) == [("tag:opendlm:policy-id", vec![POLICY])]
    }
    let rule = mock!(Client::describe_snapshots).match_requests(is_exact).then_output(|| snapshots(vec![], None));
    observe(&[&no_volumes(), &rule]).await;
    assert_eq!(rule.num_calls(), 1);
}

#[test]
fn a_snapshot_is_read_field_by_field() {
    let ec2 = snapshot("snap-0a")
        .tags(ec2_tag(tags::SCHEDULE_NAME, "Default Schedule"))
        .tags(ec2_tag(tags::SCHEDULED_TIME, "2026-11-22T17:00:00Z"))
        .tags(ec2_tag(tags::EXPIRATION_TIME, "soon"))
        .tags(ec2_tag(tags::INSTANCE_ID, "i-0a"))
        .tags(ec2_tag(tags::HOLD, ""))
        .tags(ec2_tag("Name", "somebody's"))
        .state(types::SnapshotState::Pending)
        .progress("99%")
        .storage_tier(types::StorageTier::Archive)
        .full_snapshot_size_in_bytes(1_048_576)
        .volume_size(8)
        .build();
    let mut sharing = Sharing::default();
    let read = read_snapshot(&ec2, &mut sharing).unwrap();
    let expected = Snapshot {
        id: SnapshotId::parse("snap-0a").unwrap(),
        volume_id: VolumeId::parse("vol-0a").unwrap(),
        description: DESCRIPTION.into(),
        state: SnapshotState::Pending,
        state_message: None,
        start_time: "2026-11-22T17:00:00Z".parse().unwrap(),
        completed_at: None,
        origin: Origin::Created,
        marks: Marks {
            policy_id: Some(POLICY.into()),
            schedule_name: Mark::Read(ScheduleName::default_name()),
            scheduled_time: Mark::Read("2026-11-22T17:00:00Z".parse().unwrap()),
            expiration_time: Mark::Unreadable("soon".to_owned()),
            instance_id: Mark::Read(InstanceId::parse("i-0a").unwrap()),
            hold: Some(Hold::Forever),
            also: Mark::Absent,
            stamp: Mark::Absent,
            copies: Mark::Absent,
            copied_from: Mark::Absent,
            volume_id: Mark::Absent,
        }
        .into(),
        tier: Tier::Archive,
        full_size_bytes: 1_048_576,
    };
    assert_eq!(read, expected);
    let again = read_snapshot(&ec2, &mut sharing).unwrap();
    assert!(std::sync::Arc::ptr_eq(&read.description, &again.description), "equal descriptions are one text");
}

#[track_caller]
fn check_origin(
    change: impl FnOnce(types::builders::SnapshotBuilder) -> types::builders::SnapshotBuilder,
    expected: Origin,
) {
    let ec2 = change(snapshot("snap-1").volume_id("vol-0123456789abcdef0")).build();
    assert_eq!(read_snapshot(&ec2, &mut Sharing::default()).unwrap().origin, expected, "{ec2:?}");
    let of_a_volume = read_beginning(&ec2).is_some();
    assert_eq!(of_a_volume, expected == Origin::Created, "a copy is no snapshot of its volume: {ec2:?}");
}

/// Sources: shared/wire/describe-snapshots/13 (`standard` on a snapshot of a volume), 09, 14 and 26 (`vol-ffffffff`), 28 (a
/// copy with `standard`); `vol-ffff` and the fields of time-based copies are of EC2's API reference of CopySnapshot and
/// Snapshot.
#[test]
fn a_copy_is_known_by_a_volume_of_fs_alone_and_by_a_time_based_transfer() {
    check_origin(|ec2| ec2, Origin::Created);
    check_origin(|ec2| ec2.set_transfer_type(None), Origin::Created);
    check_origin(|ec2| ec2.transfer_type("somehow-else".into()), Origin::Created);
    check_origin(|ec2| ec2.volume_id("vol-0ffffffffffffffff"), Origin::Created);
    check_origin(|ec2| ec2.volume_id("vol-fffffffe"), Origin::Created);
    check_origin(|ec2| ec2.transfer_type(types::TransferType::TimeBased), Origin::Copied);
    check_origin(|ec2| ec2.completion_duration_minutes(15), Origin::Copied);
    for volume in ["vol-ffff", "vol-ffffffff", "vol-fffffffffffffffff"] {
        check_origin(|ec2| ec2.volume_id(volume), Origin::Copied);
        check_origin(|ec2| ec2.volume_id(volume).set_transfer_type(None), Origin::Copied);
    }
}

#[test]
fn states_are_read_and_the_unknown_stays_unknown() {
    let read = |name: &str| snapshot_state(Some(&name.into()));
    assert_eq!(read("pending"), SnapshotState::Pending);
    assert_eq!(read("completed"), SnapshotState::Completed);
    assert_eq!(read("error"), SnapshotState::Error);
    assert_eq!(read("recoverable"), SnapshotState::Unknown("recoverable".to_owned()));
    assert_eq!(read("melting"), SnapshotState::Unknown("melting".to_owned()));
    assert_eq!(snapshot_state(None), SnapshotState::Unknown("unstated".to_owned()));
}

#[track_caller]
fn check_state_message(told: &str, expected: Option<&str>) {
    let ec2 = snapshot("snap-1").state(types::SnapshotState::Error).state_message(told).build();
    let read = read_snapshot(&ec2, &mut Sharing::default()).unwrap().state_message;
    assert_eq!(read.as_deref(), expected);
}

/// Source: shared/wire/describe-snapshots/30, a copy that failed on its key.
#[test]
fn what_ec2_says_of_a_snapshot_is_one_bounded_line() {
    check_state_message("Given key ID is not accessible", Some("Given key ID is not accessible"));
    check_state_message("", None);
    check_state_message(" \n", None);
    check_state_message("one\ntwo\u{202e}", Some("one\\ntwo\\u{202e}"));
    let long = "x".repeat(1000);
    let ec2 = snapshot("snap-1").state_message(&long).build();
    let read = read_snapshot(&ec2, &mut Sharing::default()).unwrap().state_message.unwrap();
    assert!(read.starts_with("xxx") && read.chars().count() <= STATE_MESSAGE_CHARACTERS_MAX + 3, "{read}");
}

#[test]
fn a_tier_that_is_not_known_is_an_archive() {
    let of = |tier_name: Option<&str>| tier(&snapshot("snap-1").set_storage_tier(tier_name.map(Into::into)).build());
    assert_eq!(of(Some("standard")), Tier::Standard);
    assert_eq!(of(Some("archive")), Tier::Archive);
    assert_eq!(of(Some("deep-archive")), Tier::Archive);
    assert_eq!(of(None), Tier::Standard);
}

/// EC2 API reference, Snapshot, `restoreExpiryTime`: "Only for archived snapshots that are temporarily restored." In which tier
/// EC2 shows such a one nobody has seen, so each of them is one.
#[test]
fn what_is_archived_and_temporarily_restored_is_in_neither_tier() {
    for name in ["standard", "archive"] {
        let ec2 = snapshot("snap-1").storage_tier(name.into());
        let restored = ec2.restore_expiry_time(aws_smithy_types::DateTime::from_secs(1_796_083_200)).build();
        assert_eq!(tier(&restored), Tier::Restored { until: "2026-12-01T00:00:00Z".parse().unwrap() });
    }
    let unreadable = snapshot("snap-1").restore_expiry_time(aws_smithy_types::DateTime::from_secs(i64::MAX)).build();
    assert_eq!(tier(&unreadable), Tier::Archive);
}

#[test]
fn the_full_size_is_the_snapshots_own_or_that_of_its_volume() {
    let size = |bytes: Option<i64>, gib: Option<i32>| {
        let snapshot = snapshot("snap-1").set_full_snapshot_size_in_bytes(bytes).set_volume_size(gib);
        full_size_bytes(&snapshot.build())
    };
    assert_eq!(size(Some(4096), Some(8)), 4096);
    assert_eq!(size(Some(0), Some(8)), 0, "nothing was ever written");
    assert_eq!(size(None, Some(8)), 8_589_934_592);
    assert_eq!(size(Some(-1), Some(i32::MAX)), 2_147_483_647 << 30);
    assert_eq!(size(None, Some(-1)), 0);
    assert_eq!(size(None, None), 0);
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
