use super::*;
use crate::aws::observe::tests::{ids, no_volumes, snapshot, snapshots};
use crate::aws::tests::{account, policy};
use crate::world::World;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::describe_snapshots::{DescribeSnapshotsError, DescribeSnapshotsInput};
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::error::ErrorMetadata;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn number(id: &str) -> u32 {
    u32::from_str_radix(id.trim_start_matches("snap-"), 16).unwrap()
}

fn id(number: u32) -> SnapshotId {
    SnapshotId::parse(&format!("snap-{number:017x}")).unwrap()
}

/// The listing that shows one snapshot of ours.
fn listing() -> Rule {
    let is_listing = |asked: &DescribeSnapshotsInput| asked.snapshot_ids().is_empty();
    mock!(Client::describe_snapshots)
        .match_requests(is_listing)
        .then_output(|| snapshots(vec![snapshot(&id(1).to_string()).build()], None))
}

/// Calls by ids that fail as EC2's do: with `code` when one of the ids is among `missing`
/// (`shared/wire/errors`: "The snapshot 'S' does not exist.").
fn by_id(missing: &'static [u32], code: &'static str) -> Vec<Rule> {
    let is_plain = |asked: &DescribeSnapshotsInput| {
        let ids = asked.snapshot_ids();
        !ids.is_empty() && ids.len() <= 200 && asked.max_results().is_none() && asked.filters().is_empty()
    };
    let has_missing =
        |asked: &DescribeSnapshotsInput| asked.snapshot_ids().iter().any(|id| missing.contains(&number(id)));
    let fails = mock!(Client::describe_snapshots)
        .match_requests(move |asked| is_plain(asked) && has_missing(asked))
        .then_error(move || {
            let words = "The snapshot 'snap-0' does not exist.";
            DescribeSnapshotsError::generic(ErrorMetadata::builder().code(code).message(words).build())
        });
    let shows = mock!(Client::describe_snapshots)
        .match_requests(move |asked| is_plain(asked) && !has_missing(asked))
        .then_compute_output(|asked| {
            snapshots(asked.snapshot_ids().iter().map(|id| snapshot(id).build()).collect(), None)
        });
    vec![fails, shows]
}

async fn seen(asked: impl IntoIterator<Item = u32>, rules: &[Rule]) -> World {
    let (volumes, listing) = (no_volumes(), listing());
    let rules: Vec<&Rule> = [&volumes, &listing].into_iter().chain(rules).collect();
    let begun = asked.into_iter().map(id).collect();
    account(&rules).observe_with(&policy(&[("auto-backup", "dlm")]), &begun).await.unwrap()
}

#[tokio::test]
async fn only_what_the_listing_does_not_show_is_asked_for_by_its_id() {
    let rules = by_id(&[], "InvalidSnapshot.NotFound");
    let world = seen([1], &rules).await;
    assert_eq!((ids(&world), world.by_id), (vec![id(1).to_string()], ById::default()));
    assert_eq!(rules.iter().map(Rule::num_calls).sum::<usize>(), 0);
    let world = seen([1, 2], &rules).await;
    assert_eq!(ids(&world), [id(1).to_string(), id(2).to_string()]);
    assert_eq!(world.by_id, ById { shown: [id(2)].into(), not_found: BTreeSet::new() });
}

#[tokio::test]
async fn one_missing_id_does_not_hide_the_others() {
    for code in NOT_FOUND {
        let rules = by_id(&[7, 333], code);
        let world = seen(2..=450, &rules).await;
        assert_eq!(world.by_id.not_found, [id(7), id(333)].into(), "{code}");
        assert_eq!((world.by_id.shown.len(), world.snapshots.len()), (447, 448));
        // Three calls for 449 ids; two of them fail, and each is halved eight times at most.
        let calls: usize = rules.iter().map(Rule::num_calls).sum();
        assert!(calls <= 3 + 2 * 2 * 8, "{calls} calls");
    }
}

#[tokio::test]
async fn another_error_fails_the_look() {
    let rules = by_id(&[2], "RequestLimitExceeded");
    let (volumes, listing) = (no_volumes(), listing());
    let rules: Vec<&Rule> = [&volumes, &listing].into_iter().chain(&rules).collect();
    let error = account(&rules).observe_with(&policy(&[("auto-backup", "dlm")]), &[id(2)].into()).await.unwrap_err();
    assert_eq!(error.name(), "Throttled");
}

#[tokio::test]
async fn an_endpoint_that_leaves_out_what_it_does_not_know_says_that_it_is_not_there() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let nothing = mock!(Client::describe_snapshots)
        .match_requests(|asked| !asked.snapshot_ids().is_empty())
        .then_compute_output(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            snapshots(vec![snapshot("snap-0ff").build()], None)
        });
    let world = seen([2], &[nothing]).await;
    assert_eq!((world.by_id.not_found, world.by_id.shown.len()), ([id(2)].into(), 0));
    assert_eq!((world.snapshots.len(), asked.load(Ordering::Relaxed)), (1, 1), "what was not asked for is passed over");
}
