use super::*;
use crate::aws::observe::tests::{
    FIVE_O_CLOCK, ec2_tag, filters_of, instance, instances, no_snapshots, observe, snapshot, snapshots, tagged_volume,
    volume, volumes,
};
use crate::aws::tests::{account, default_policy, policy, tags_of};
use crate::world::{Coverage, CutShort, World};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsInput;
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::DateTime;

fn sorted_ids(world: &World) -> Vec<String> {
    let mut ids: Vec<String> = world.volumes.iter().map(|volume| volume.id.to_string()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn e44_a_volume_with_any_one_of_the_target_tags_to_the_letter_is_targeted_and_each_once() {
    let tagged = |id: &str, key: &str, value: &str| tagged_volume(id, &[(key, value)]);
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
    let ids = sorted_ids(&world);
    assert_eq!(ids, ["vol-01", "vol-04", "vol-05"]);
    assert_eq!(world.coverage, Coverage::Complete);
}

#[test]
fn a_volume_is_read_field_by_field() {
    let created = DateTime::from_secs_and_nanos(FIVE_O_CLOCK, 123_000_000);
    let ec2 = types::Volume::builder().volume_id("vol-0a").create_time(created).state("haunted".into());
    let ec2 = ec2.volume_type(types::VolumeType::Gp3).tags(ec2_tag("aws:cloudformation:stack-name", "web"));
    let ec2 = ec2.tags(types::Tag::builder().key("Name").build()).build();
    let expected = Volume {
        id: VolumeId::parse("vol-0a").unwrap(),
        state: VolumeState::Unknown("haunted".to_owned()),
        created: Some("2026-11-22T17:00:00.123Z".parse().unwrap()),
        tags: Vec::new(),
        volume_type: "gp3".to_owned(),
        is_boot: false,
        last_snapshot: None,
    };
    assert_eq!(read_without_tags(&ec2), Some(expected.clone()));
    let tags = tags_of(&[("aws:cloudformation:stack-name", "web"), ("Name", "")]);
    assert_eq!(read_with_tags(&ec2), Some(Volume { tags, ..expected }));
    assert_eq!(read_without_tags(&volume("vol-0a")).unwrap().volume_type, "unstated");
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

#[tokio::test]
async fn a_volume_that_cannot_be_read_makes_the_observation_partial() {
    let rule = mock!(Client::describe_volumes).then_output(|| volumes(vec![volume("disk-1"), volume("vol-01")], None));
    let world = observe(&[&rule, &no_snapshots()]).await;
    assert_eq!(sorted_ids(&world), ["vol-01"]);
    assert_eq!(world.coverage, Coverage::Partial(CutShort::Unreadable));
}

#[tokio::test]
async fn tags_are_kept_only_when_a_schedule_copies_them() {
    let rule = || mock!(Client::describe_volumes).then_output(|| volumes(vec![volume("vol-01")], None));
    let mut policy = policy(&[("auto-backup", "dlm")]);
    let world = account(&[&rule(), &no_snapshots()]).observe(&policy).await.unwrap();
    assert_eq!(world.volumes[0].tags, []);
    policy.schedules[0].copy_tags = true;
    let world = account(&[&rule(), &no_snapshots()]).observe(&policy).await.unwrap();
    assert_eq!(world.volumes[0].tags, tags_of(&[("auto-backup", "dlm")]));
}

fn default_volumes() -> Rule {
    mock!(Client::describe_volumes)
        .match_requests(|asked| asked.max_results() == Some(1000) && asked.filters().is_empty())
        .then_output(|| volumes(vec![tagged_volume("vol-01", &[("env", "test")]), tagged_volume("vol-02", &[])], None))
}

fn asks_for_all(asked: &DescribeSnapshotsInput) -> bool {
    asked.max_results() == Some(1000)
        && asked.owner_ids() == ["self"]
        && filters_of(asked.filters()) == [("status", vec!["pending", "completed"])]
}

fn ours() -> Rule {
    mock!(Client::describe_snapshots)
        .match_requests(|asked| filters_of(asked.filters())[0].0 == "tag:opendlm:policy-id")
        .then_output(|| snapshots(vec![], None))
}

fn of_volume(volume: &str, hours: i64) -> types::builders::SnapshotBuilder {
    types::Snapshot::builder()
        .snapshot_id("snap-1")
        .volume_id(volume)
        .state(types::SnapshotState::Completed)
        .transfer_type(types::TransferType::Standard)
        .start_time(DateTime::from_secs(FIVE_O_CLOCK + 3600 * hours))
}

#[tokio::test]
async fn a_default_policy_sees_every_volume_and_its_newest_snapshot_by_any_means() {
    let first = mock!(Client::describe_snapshots)
        .match_requests(|asked| asks_for_all(asked) && asked.next_token().is_none())
        .then_output(|| {
            let copy = of_volume("vol-02", 9).transfer_type(types::TransferType::TimeBased).build();
            let failed = of_volume("vol-02", 8).state(types::SnapshotState::Error).build();
            let unreadable = types::Snapshot::builder().snapshot_id("snap-2").build();
            let newest = of_volume("vol-01", 5).state(types::SnapshotState::Pending).build();
            let foreign = of_volume("vol-09", 7).build();
            snapshots(vec![newest, copy, failed, unreadable, foreign], Some("more"))
        });
    let second = mock!(Client::describe_snapshots)
        .match_requests(|asked| asks_for_all(asked) && asked.next_token() == Some("more"))
        .then_output(|| snapshots(vec![of_volume("vol-01", 3).build()], None));
    let account = account(&[&default_volumes(), &ours(), &first, &second]);
    let world = account.observe(&default_policy(false, &[])).await.unwrap();
    assert_eq!(sorted_ids(&world), ["vol-01", "vol-02"]);
    assert_eq!(world.volumes[0].last_snapshot, Some("2026-11-22T22:00:00Z".parse().unwrap()));
    assert_eq!(world.volumes[1].last_snapshot, None);
    assert!(world.volumes.iter().all(|volume| !volume.is_boot && volume.tags.is_empty()));
    assert_eq!(world.coverage, Coverage::Complete, "what cannot be read here is nobody's loss");
}

#[tokio::test]
async fn a_default_policy_sees_tags_and_boot_volumes_when_it_leaves_some_out() {
    let boot = mock!(Client::describe_instances)
        .match_requests(|asked| asked.max_results() == Some(1000) && asked.filters().is_empty())
        .then_output(|| instances(vec![instance("i-1", "vol-02", &["vol-01"]).build()], None));
    let account = account(&[&default_volumes(), &no_snapshots(), &boot]);
    let world = account.observe(&default_policy(true, &[("env", "test")])).await.unwrap();
    let seen: Vec<_> = world.volumes.iter().map(|v| (v.id.to_string(), v.is_boot, v.tags.len())).collect();
    assert_eq!(seen, [("vol-01".to_owned(), false, 1), ("vol-02".to_owned(), true, 0)]);
    assert_eq!(boot.num_calls(), 1);
}

#[tokio::test]
async fn a_look_at_all_snapshots_that_goes_round_in_a_circle_is_partial() {
    let circle = mock!(Client::describe_snapshots)
        .match_requests(asks_for_all)
        .then_output(|| snapshots(vec![snapshot("snap-1").volume_id("vol-01").build()], Some("again")));
    let account = account(&[&default_volumes(), &ours(), &circle]);
    let world = account.observe(&default_policy(false, &[])).await.unwrap();
    assert_eq!(world.coverage, Coverage::Partial(CutShort::TooManyPages));
    assert!(world.volumes[0].last_snapshot.is_some());
}
