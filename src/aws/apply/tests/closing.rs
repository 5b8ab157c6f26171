//! What met one call and would meet every other: no more begin in the turn.

use super::*;
use crate::aws::tests::account_answering;
use crate::aws::tests::answers::{DELETED, ONE_SNAPSHOT};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn ids() -> impl Iterator<Item = String> {
    (0..60).map(|number| format!("{number:017x}"))
}

/// The last look before the deletions shows all of them as they were.
fn all_there() -> String {
    let (before, rest) = ONE_SNAPSHOT.split_once("        <item>").unwrap();
    let (item, after) = rest.split_once("    </snapshotSet>").unwrap();
    let items: Vec<String> =
        ids().map(|id| format!("<item>{}", item.replace("snap-0a", &format!("snap-{id}")))).collect();
    format!("{before}{}</snapshotSet>{after}", items.join(""))
}

/// How many calls of each kind are made of 60 creations, 60 sets and 60 deletions when creations get this answer, and
/// deletions either the same or their own.
async fn calls(code: &'static str, deletions_too: bool) -> [usize; 3] {
    let made: Arc<[AtomicUsize; 3]> = Arc::default();
    let counted = Arc::clone(&made);
    let account = account_answering(move |action, _| {
        if action == "DescribeSnapshots" {
            return answer(200, &all_there());
        }
        let place = ["CreateSnapshot", "CreateSnapshots", "DeleteSnapshot"].iter().position(|name| *name == action);
        let place = place.unwrap();
        counted[place].fetch_add(1, Ordering::Relaxed);
        if place < 2 || deletions_too { error_answer(400, code) } else { answer(200, DELETED) }
    });
    let sets = ids().map(|id| Action::CreateSnapshots(create_set(&format!("i-{id}"))));
    let creations = ids().map(|id| create(&format!("vol-{id}")));
    let deletions = ids().map(|id| delete(&format!("snap-{id}")));
    let actions: Vec<Action> = creations.chain(sets).chain(deletions).collect();
    account.apply(&actions, later(), |_, _| {}).await;
    [0, 1, 2].map(|place| made[place].load(Ordering::Relaxed))
}

#[tokio::test]
async fn in_a_full_account_no_more_is_made_and_deletions_go_on() {
    let [creations, sets, deletions] = calls("SnapshotLimitExceeded", false).await;
    assert!((1..=CALLS_IN_FLIGHT_MAX).contains(&creations), "{creations}");
    assert!(sets <= CALLS_IN_FLIGHT_MAX, "{sets}");
    assert_eq!(deletions, 60);
}

#[tokio::test]
async fn an_expired_session_ends_all_calls() {
    let made = calls("RequestExpired", true).await;
    assert!(made.iter().all(|calls| *calls <= CALLS_IN_FLIGHT_MAX) && made.iter().sum::<usize>() > 0, "{made:?}");
}

#[tokio::test]
async fn the_refusal_of_one_key_ends_nothing() {
    assert_eq!(calls("InvalidVolume.NotFound", false).await, [60, 60, 60]);
}
