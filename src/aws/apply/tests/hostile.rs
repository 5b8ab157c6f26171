//! Answers to calls that change something, cut off, malformed or not EC2's: none passes for a success.

use super::*;
use crate::aws::tests::account_answering;
use crate::aws::tests::answers::{CREATED, CREATED_SET, DELETED, ONE_SNAPSHOT, REFUSED, bytes, nonsense};

/// What comes of an action that is answered with `body`.
async fn outcome(action: &Action, status: u16, body: &[u8]) -> Outcome {
    let body = body.to_vec();
    let account = account_answering(move |called, _| match called {
        "DescribeSnapshots" => answer(200, ONE_SNAPSHOT),
        _ => bytes(status, &body),
    });
    account.apply(std::slice::from_ref(action), later(), |_, _| {}).await.remove(0)
}

/// The actions of each kind with their whole answers.
fn each_kind() -> [(Action, &'static str); 3] {
    [
        (create("vol-0a"), CREATED),
        (Action::CreateSnapshots(create_set("i-0a")), CREATED_SET),
        (delete("snap-0a"), DELETED),
    ]
}

#[tokio::test]
async fn an_answer_that_is_cut_off_or_nonsense_proves_nothing() {
    for (action, body) in each_kind() {
        let whole = outcome(&action, 200, body.as_bytes()).await;
        assert!(matches!(whole, Outcome::Created(_) | Outcome::Deleted), "{whole:?}");
        let cut_off = body.match_indices('>').map(|(at, _)| body.as_bytes()[..=at].to_vec());
        let bodies = cut_off.filter(|cut| cut.len() < body.len()).chain(nonsense().into_iter().map(|(_, body)| body));
        for body in bodies {
            let seen = outcome(&action, 200, &body).await;
            assert_eq!(failed(&seen), (FailedKind::Unclear, "BadAnswer"), "{}", String::from_utf8_lossy(&body));
        }
    }
}

#[tokio::test]
async fn a_last_look_that_is_cut_off_or_nonsense_lets_nothing_go() {
    let whole = ONE_SNAPSHOT.trim_end();
    let cut_off = whole.match_indices('>').map(|(at, _)| whole.as_bytes()[..=at].to_vec());
    let bodies = cut_off.filter(|cut| cut.len() < whole.len());
    for body in bodies.chain(nonsense().into_iter().map(|(_, body)| body)) {
        let text = String::from_utf8_lossy(&body).into_owned();
        let account = account_answering(move |called, _| match called {
            "DescribeSnapshots" => bytes(200, &body),
            _ => panic!("{called} after a look that showed nothing"),
        });
        let outcomes = account.apply(&[delete("snap-0a")], later(), |_, _| {}).await;
        assert_eq!(outcomes, [Outcome::NotStarted], "{text}");
    }
}

#[tokio::test]
async fn a_deletion_that_says_it_did_not_succeed_has_not() {
    let body = DELETED.replace("true", "false");
    assert_eq!(failed(&outcome(&delete("snap-0a"), 200, body.as_bytes()).await), (FailedKind::Unclear, "BadAnswer"));
}

#[tokio::test]
async fn a_refusal_that_is_cut_off_is_never_a_success() {
    for (action, _) in each_kind() {
        for length in 0..REFUSED.len() {
            let seen = outcome(&action, 400, &REFUSED.as_bytes()[..length]).await;
            // That a snapshot is gone already is what a deletion is for, once EC2 has said the whole word.
            let is_said = REFUSED[..length].contains("InvalidSnapshot.NotFound") && !action.is_creation();
            assert_eq!(seen == Outcome::Deleted, is_said, "{}: {seen:?}", &REFUSED[..length]);
            assert!(!matches!(seen, Outcome::Created(_)), "{seen:?}");
        }
    }
}

#[tokio::test]
async fn ids_that_are_none_are_not_taken_for_snapshots() {
    for id in ["", "snap-", "SNAP-0A", "snap-0a\nsnap-0b", "snap-\u{1b}[31m", "vol-0a", &"snap-0".repeat(1000)] {
        let body = CREATED.replace("snap-0a0b0c", id);
        let seen = outcome(&create("vol-0a"), 200, body.as_bytes()).await;
        let Outcome::Failed(failed) = &seen else { panic!("{id:?}: {seen:?}") };
        assert_eq!((failed.kind, failed.code.as_str()), (FailedKind::Unclear, "BadAnswer"));
        assert!(failed.message.chars().count() <= 503 && !failed.message.contains(char::is_control), "{failed:?}");
    }
}
