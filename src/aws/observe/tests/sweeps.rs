//! Looks at parts of the account side by side, and at excerpts of it.

use super::*;
use crate::aws::observe::filters::parts;
use crate::world::Snapshot;
use aws_sdk_ec2::operation::describe_snapshots::DescribeSnapshotsInput;
use aws_sdk_ec2::operation::describe_volumes::DescribeVolumesInput;

/// What the value of the filter on volumes begins with; nothing for a listing of the whole.
fn beginning(filters: &[Filter]) -> Option<String> {
    let filter = filters.iter().find(|filter| filter.name() == Some("volume-id"))?;
    filter.values().first().map(|value| value.trim_end_matches('*').to_owned())
}

#[test]
fn every_volume_is_in_exactly_one_part() {
    let parts: Vec<String> = parts(true).into_iter().filter_map(|part| beginning(part.as_slice())).collect();
    assert_eq!(parts.len(), 31);
    let digits = "0123456789abcdef".chars();
    for (first, second) in digits.clone().flat_map(|first| digits.clone().map(move |second| (first, second))) {
        for volume in [format!("vol-{first}{second}234567"), format!("vol-{first}{second}23456789abcdef0")] {
            assert_eq!(parts.iter().filter(|part| volume.starts_with(*part)).count(), 1, "{volume}");
        }
    }
}

#[tokio::test]
async fn the_parts_of_a_sweep_come_together() {
    let of_part = |number: &'static str| {
        let is_asked = move |asked: &DescribeSnapshotsInput| beginning(asked.filters()).as_deref() == Some(number);
        let id = number.replace("vol-", "snap-");
        mock!(Client::describe_snapshots).match_requests(is_asked).then_output(move || {
            let volume = format!("{number}1");
            snapshots(vec![snapshot(&id).volume_id(volume).build()], None)
        })
    };
    let (first, last, none) = (of_part("vol-00"), of_part("vol-f"), no_snapshots());
    let account = account(&[&no_volumes(), &first, &last, &none]);
    let sweep = Sweep { snapshots_in_parts: true, ..Sweep::default() };
    let world = account.observe_by(&policy(&[("auto-backup", "dlm")]), &sweep).await.unwrap();
    let mut found = ids(&world);
    found.sort();
    assert_eq!((found, world.coverage), (vec!["snap-00".to_owned(), "snap-f".to_owned()], Coverage::Complete));
    assert_eq!((first.num_calls(), last.num_calls(), none.num_calls()), (1, 1, 29));
}

#[tokio::test]
async fn volumes_in_parts_are_asked_for_by_their_tags_too() {
    fn is_of_part(asked: &DescribeVolumesInput) -> bool {
        let filters = filters_of(asked.filters());
        filters[0] == ("tag:auto-backup", vec!["dlm"]) && filters[1] == ("volume-id", vec!["vol-0a*"])
    }
    let of_part = mock!(Client::describe_volumes)
        .match_requests(is_of_part)
        .then_output(|| volumes(vec![volume("vol-0a1")], None));
    let none = no_volumes();
    let account = account(&[&of_part, &none, &no_snapshots()]);
    let sweep = Sweep { volumes_in_parts: true, ..Sweep::default() };
    let world = account.observe_by(&policy(&[("auto-backup", "dlm")]), &sweep).await.unwrap();
    assert_eq!((world.volumes.len(), of_part.num_calls(), none.num_calls()), (1, 1, 30));
}

#[tokio::test]
async fn an_excerpt_asks_for_what_answers_some_times() {
    fn is_exact(asked: &DescribeSnapshotsInput) -> bool {
        asked.owner_ids() == ["self"]
            && filters_of(asked.filters())
                == [
                    ("tag:opendlm:policy-id", vec![POLICY]),
                    ("description", vec!["Created for policy: policy-0123456789abcdef0 schedule: *"]),
                    ("tag:opendlm:scheduled-time", vec!["2026-11-15T17:00:00Z", "2026-11-22T17:00:00Z"]),
                ]
    }
    let rule = mock!(Client::describe_snapshots).match_requests(is_exact).then_output(|| snapshots(vec![], None));
    let account = account(&[&no_volumes(), &rule]);
    let times = ["2026-11-22T17:00:00Z", "2026-11-15T17:00:00Z"].map(|time| time.parse().unwrap());
    let sweep = Sweep { scheduled_times: Some(times.into()), ..Sweep::default() };
    let world = account.observe_by(&policy(&[("auto-backup", "dlm")]), &sweep).await.unwrap();
    assert_eq!((rule.num_calls(), world.excerpt), (1, None));
}

fn excerpt_of(ids: &[&str]) -> Excerpt {
    Excerpt { in_full: ids.iter().map(|id| VolumeId::parse(id).unwrap()).collect(), left_out: 3 }
}

fn read(id: &str, state: types::SnapshotState) -> Snapshot {
    let mut sharing = tags::Sharing::default();
    crate::aws::observe::snapshots::read_snapshot(&snapshot(id).state(state).build(), &mut sharing).unwrap()
}

#[tokio::test]
async fn what_is_looked_at_in_full_joins_what_was_seen_before() {
    fn is_exact(asked: &DescribeSnapshotsInput) -> bool {
        asked.owner_ids() == ["self"] && filters_of(asked.filters())[2] == ("volume-id", vec!["vol-0a", "vol-0b"])
    }
    let rule = mock!(Client::describe_snapshots)
        .match_requests(is_exact)
        .then_output(|| snapshots(vec![snapshot("snap-1").build(), snapshot("snap-3").build()], None));
    let account = account(&[&rule]);
    let [pending, completed] = [types::SnapshotState::Pending, types::SnapshotState::Completed];
    let mut world = World { snapshots: vec![read("snap-1", pending), read("snap-2", completed)], ..World::default() };
    account.look_in_full(&policy(&[]).id, excerpt_of(&["vol-0b", "vol-0a"]), &mut world).await.unwrap();
    assert_eq!(ids(&world), ["snap-2", "snap-1", "snap-3"], "what only the first look showed stays");
    assert!(world.snapshots.iter().all(|snapshot| snapshot.state == SnapshotState::Completed), "the later one counts");
    let left = Excerpt { left_out: 4, ..excerpt_of(&["vol-0b"]) };
    assert_eq!(
        (world.excerpt, world.coverage),
        (Some(left), Coverage::Complete),
        "and its volume was not seen in full"
    );
}

#[tokio::test]
async fn nobody_is_asked_about_no_volume_and_what_cannot_be_read_makes_the_view_partial() {
    let account_without_calls = account(&[]);
    let mut world = World::default();
    account_without_calls.look_in_full(&policy(&[]).id, excerpt_of(&[]), &mut world).await.unwrap();
    assert_eq!((world.excerpt, world.coverage), (Some(excerpt_of(&[])), Coverage::Complete));

    let unreadable = mock!(Client::describe_snapshots)
        .then_output(|| snapshots(vec![types::Snapshot::builder().snapshot_id("snap-1").build()], None));
    let mut world = World::default();
    account(&[&unreadable]).look_in_full(&policy(&[]).id, excerpt_of(&["vol-0a"]), &mut world).await.unwrap();
    assert_eq!(world.coverage, Coverage::Partial(CutShort::Unreadable));
}
