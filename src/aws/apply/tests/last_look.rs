//! The last look before deletions.

use super::{delete, deletes_work, later, policy_id};
use crate::action::Outcome;
use crate::action::last_look::Change;
use crate::aws::Account;
use crate::aws::apply::last_look::LastLooks;
use crate::aws::tests::{POLICY, error_answer};
use crate::policy::ScheduleName;
use crate::tags;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::describe_snapshots::{
    DescribeSnapshotsError, DescribeSnapshotsInput, DescribeSnapshotsOutput,
};
use aws_sdk_ec2::types;
use aws_smithy_mocks::{Rule, mock};
use aws_smithy_types::error::ErrorMetadata;

/// An account that shows every snapshot by its id as [`deletion`] has it, where no rule says otherwise.
pub(super) fn account(rules: &[&Rule]) -> Account {
    let unchanged = unchanged();
    let rules: Vec<&Rule> = rules.iter().copied().chain([&unchanged]).collect();
    crate::aws::tests::account(&rules)
}

/// The last look shows what the plan saw.
fn unchanged() -> Rule {
    mock!(Client::describe_snapshots).match_requests(is_by_id).then_compute_output(|asked| {
        let shown = asked.snapshot_ids().iter().map(|id| shown(id).build()).collect();
        DescribeSnapshotsOutput::builder().set_snapshots(Some(shown)).build()
    })
}

/// Ids with a page size EC2 refuses (capture of a real answer, errors/33).
fn is_by_id(asked: &DescribeSnapshotsInput) -> bool {
    !asked.snapshot_ids().is_empty() && asked.max_results().is_none() && asked.filters().is_empty()
}

/// The snapshot of [`deletion`] as EC2 shows it.
fn shown(id: &str) -> types::builders::SnapshotBuilder {
    let tag = types::Tag::builder().key(tags::POLICY_ID).value(POLICY).build();
    types::Snapshot::builder()
        .snapshot_id(id)
        .volume_id("vol-0a")
        .description(tags::description(&policy_id(), &ScheduleName::default_name()))
        .state(types::SnapshotState::Completed)
        .start_time(aws_smithy_types::DateTime::from_secs(1_795_107_600))
        .tags(tag)
}

fn shows(snapshots: impl Fn() -> Vec<types::Snapshot> + Send + Sync + 'static) -> Rule {
    mock!(Client::describe_snapshots)
        .match_requests(is_by_id)
        .then_output(move || DescribeSnapshotsOutput::builder().set_snapshots(Some(snapshots())).build())
}

/// What comes of a deletion after a last look that shows `snapshots`, and how many calls were made to delete.
async fn after(snapshots: impl Fn() -> Vec<types::Snapshot> + Send + Sync + 'static) -> (Outcome, usize) {
    let deletes = deletes_work();
    let outcomes = account(&[&shows(snapshots), &deletes]).apply(&[delete("snap-0a")], later(), |_, _| {}).await;
    (outcomes[0].clone(), deletes.num_calls())
}

#[tokio::test]
async fn a_hold_between_look_and_call_keeps_the_snapshot() {
    let hold = || types::Tag::builder().key("opendlm:hold").value("").build();
    let held = after(move || vec![shown("snap-0a").tags(hold()).build()]).await;
    assert_eq!(held, (Outcome::Changed(Change::Held), 0));
    assert_eq!(after(|| vec![shown("snap-0a").build()]).await, (Outcome::Deleted, 1));
}

#[tokio::test]
async fn what_went_to_the_archive_between_look_and_call_stays() {
    let archived = after(|| vec![shown("snap-0a").storage_tier(types::StorageTier::Archive).build()]).await;
    assert_eq!(archived, (Outcome::Changed(Change::Archived), 0));
}

#[tokio::test]
async fn what_an_answer_leaves_out_or_shows_unreadable_stays() {
    assert_eq!(after(Vec::new).await, (Outcome::Changed(Change::NotShown), 0));
    assert_eq!(after(|| vec![shown("snap-0b").build()]).await, (Outcome::Changed(Change::NotShown), 0));
    let unreadable = || vec![types::Snapshot::builder().snapshot_id("snap-0a").build()];
    assert_eq!(after(unreadable).await, (Outcome::Changed(Change::NotShown), 0));
}

/// Capture of a real answer: "The snapshot 'S' does not exist.".
#[tokio::test]
async fn what_is_gone_already_takes_no_call_and_does_not_hide_the_others() {
    let is_missing = |id: &String| id == "snap-2";
    let fails = mock!(Client::describe_snapshots)
        .match_requests(move |asked| asked.snapshot_ids().iter().any(is_missing))
        .then_error(|| {
            let gone = ErrorMetadata::builder().code("InvalidSnapshot.NotFound").message("does not exist").build();
            DescribeSnapshotsError::generic(gone)
        });
    let deletes = deletes_work();
    let actions: Vec<_> = (1..=5).map(|number| delete(&format!("snap-{number}"))).collect();
    let outcomes = account(&[&fails, &deletes]).apply(&actions, later(), |_, _| {}).await;
    assert_eq!((outcomes, deletes.num_calls()), (vec![Outcome::Deleted; 5], 4));
}

#[tokio::test]
async fn when_the_look_fails_nothing_of_its_part_goes() {
    for (status, code) in [(403, "UnauthorizedOperation"), (503, "RequestLimitExceeded"), (500, "InternalError")] {
        let fails = mock!(Client::describe_snapshots)
            .sequence()
            .http_response(move || error_answer(status, code))
            .times(9)
            .build();
        let deletes = deletes_work();
        let actions: Vec<_> = (1..=20).map(|number| delete(&format!("snap-{number:x}"))).collect();
        let outcomes = account(&[&fails, &deletes]).apply(&actions, later(), |_, _| {}).await;
        assert_eq!((outcomes, deletes.num_calls()), (vec![Outcome::NotStarted; 20], 0), "{code}");
    }
}

#[tokio::test]
async fn two_hundred_are_looked_at_by_one_call() {
    let looks = mock!(Client::describe_snapshots).match_requests(is_by_id).then_compute_output(|asked| {
        assert!(asked.snapshot_ids().len() <= 200);
        let shown = asked.snapshot_ids().iter().map(|id| shown(id).build()).collect();
        DescribeSnapshotsOutput::builder().set_snapshots(Some(shown)).build()
    });
    let deletes = deletes_work();
    // No more than the bucket of deletions holds, in two parts.
    let actions: Vec<_> = (1..=90).map(|number| delete(&format!("snap-{number:x}"))).collect();
    let outcomes = account(&[&looks, &deletes]).apply(&actions, later(), |_, _| {}).await;
    assert_eq!((outcomes, looks.num_calls()), (vec![Outcome::Deleted; 90], 1));
    assert_eq!(LastLooks::of(&[actions.clone(), actions.clone(), actions].concat()).parts(), 2);
}
