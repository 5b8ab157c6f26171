//! Answers that are cut off, malformed or not EC2's: none passes for a view with less in it.

use crate::aws::ObserveError;
use crate::aws::tests::answers::{SNAPSHOTS, account_with_body, nonsense, whole_answer};
use crate::aws::tests::{default_policy, instance_policy, policy};
use crate::policy::{Policy, Schedule};
use crate::world::{Coverage, SnapshotState, World};
use proptest::prelude::*;

/// A policy of each kind, with listings that it reads.
fn policies() -> [(Policy, &'static [&'static str]); 3] {
    [
        (policy(&[("auto-backup", "dlm")]), &["DescribeSnapshots", "DescribeVolumes"]),
        (instance_policy(&[("Name", "scratch")]), &["DescribeInstances", "DescribeVolumes"]),
        (default_policy(true, &[("Name", "scratch")]), &["DescribeSnapshots", "DescribeInstances"]),
    ]
}

async fn observe(policy: &Policy, spoilt: &'static str, body: &[u8]) -> Result<World, ObserveError> {
    account_with_body(spoilt, body).observe(policy).await
}

/// Cut off where a reader could believe that nothing is missing, after each tag; every other place is tried where the
/// document is read.
#[tokio::test]
async fn a_listing_that_is_cut_off_is_never_a_complete_view_with_less_in_it() {
    for (policy, listings) in policies() {
        for &listing in listings {
            let body = whole_answer(listing);
            let whole = observe(&policy, listing, body.as_bytes()).await.unwrap();
            assert_eq!(whole.coverage, Coverage::Complete);
            for length in body.match_indices('>').map(|(at, _)| at + 1).filter(|&length| length < body.len() - 1) {
                let seen = observe(&policy, listing, &body.as_bytes()[..length]).await;
                let is_honest =
                    seen.as_ref().map_or(true, |seen| *seen == whole || seen.coverage != Coverage::Complete);
                assert!(is_honest, "{listing} cut off after {:?}: {seen:?}", &body[..length]);
            }
        }
    }
}

#[tokio::test]
async fn nonsense_with_status_200_is_no_view_at_all() {
    for (policy, listings) in policies() {
        for &listing in listings {
            for (name, body) in nonsense() {
                let error = observe(&policy, listing, &body).await.unwrap_err();
                let ObserveError::Unavailable(failed) = &error else { panic!("{listing} got {name}: {error}") };
                assert_eq!((failed.call, failed.code.as_str()), (listing, "BadAnswer"), "{name}");
                assert!(failed.message.chars().count() <= 503 && !failed.message.contains(char::is_control), "{error}");
            }
        }
    }
}

/// The answer with `from` replaced by `to`, once.
fn spoilt(listing: &str, from: &str, to: &str) -> Vec<u8> {
    let body = whole_answer(listing);
    assert!(body.contains(from), "{from}");
    body.replacen(from, to, 1).into_bytes()
}

#[tokio::test]
async fn an_element_that_would_hide_another_one_is_refused() {
    let twice = |text: &'static str| (text, format!("{text}{text}"));
    for (from, to) in [
        twice("<snapshotId>snap-0a</snapshotId>"),
        twice("<volumeId>vol-0a</volumeId>"),
        twice("<status>completed</status>"),
        ("</tagSet>", "</tagSet><tagSet/>".to_owned()),
        ("</snapshotSet>", "</snapshotSet><snapshotSet/>".to_owned()),
        ("</snapshotSet>", "</snapshotSet><x:snapshotSet xmlns:x=\"y\"/>".to_owned()),
        ("</snapshotSet>", "</snapshotSet><nextToken>a</nextToken><nextToken/>".to_owned()),
        // The end of the list is not seen: the token behind it would be taken for a part of it.
        ("</snapshotSet>", "</SnapshotSet><nextToken>a</nextToken>".to_owned()),
        ("</snapshotSet>", "</snapshotSet><nextToken><![CDATA[a]]></nextToken>".to_owned()),
        ("</snapshotSet>", "</snapshotSet><nextToken><!-- a --></nextToken>".to_owned()),
        ("</snapshotSet>", "</snapshotSet><nextToken>a<b/></nextToken>".to_owned()),
        ("<key>opendlm:hold</key>", "<key> <?a?>opendlm:hold</key>".to_owned()),
        ("<item>\n", "<item x=\"&nothing;\">\n".to_owned()),
        ("Default Schedule</value>", "Default Schedule\u{1b}</value>".to_owned()),
        ("Default Schedule</value>", "Default \0Schedule</value>".to_owned()),
        ("Default Schedule</value>", "Default & Schedule</value>".to_owned()),
        ("Default Schedule</value>", "Default < Schedule</value>".to_owned()),
    ] {
        let seen =
            observe(&policy(&[("auto-backup", "dlm")]), "DescribeSnapshots", &spoilt("DescribeSnapshots", from, &to))
                .await;
        assert!(
            matches!(&seen, Err(ObserveError::Unavailable(failed)) if failed.code == "BadAnswer"),
            "{to}: {seen:?}"
        );
    }
}

#[tokio::test]
async fn what_this_version_does_not_know_and_does_not_need_is_passed_over() {
    let whole = observe(&policy(&[("auto-backup", "dlm")]), "DescribeSnapshots", SNAPSHOTS.as_bytes()).await.unwrap();
    for (from, to) in [
        ("<encrypted>false</encrypted>", "<new><item>1</item><item/><item><deeper>&lt;</deeper></item></new>"),
        ("<encrypted>false</encrypted>", ""),
        ("<requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>", ""),
        ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "\u{feff}<!-- a comment -->"),
        ("</snapshotSet>", "</snapshotSet><nextToken/>"),
        ("xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"", "xmlns='other'"),
    ] {
        let body = spoilt("DescribeSnapshots", from, to);
        let seen = observe(&policy(&[("auto-backup", "dlm")]), "DescribeSnapshots", &body).await.unwrap();
        assert_eq!(seen, whole, "{to}");
    }
}

#[tokio::test]
async fn an_item_that_cannot_be_told_apart_or_placed_makes_the_view_partial() {
    let volumes = policy(&[("auto-backup", "dlm")]);
    let instances = instance_policy(&[("Name", "scratch")]);
    for (policy, listing, from, to) in [
        (&volumes, "DescribeSnapshots", "<snapshotId>snap-0a</snapshotId>", ""),
        (&volumes, "DescribeSnapshots", "<snapshotId>snap-0a</snapshotId>", "<snapshotId/>"),
        (
            &volumes,
            "DescribeSnapshots",
            "<snapshotId>snap-0a</snapshotId>",
            "<snapshotId>snap-0a\nsnap-0c</snapshotId>",
        ),
        (&volumes, "DescribeSnapshots", "<volumeId>vol-0a</volumeId>", ""),
        (&volumes, "DescribeSnapshots", "<startTime>2026-11-22T17:00:00.000Z</startTime>", ""),
        (
            &volumes,
            "DescribeSnapshots",
            "<startTime>2026-11-22T17:00:00.000Z</startTime>",
            "<startTime>9999-12-31T23:59:59Z</startTime>",
        ),
        (&volumes, "DescribeSnapshots", "<ownerId>123456789012</ownerId>", ""),
        (&volumes, "DescribeSnapshots", "<ownerId>123456789012</ownerId>", "<ownerId>999999999999</ownerId>"),
        (
            &volumes,
            "DescribeSnapshots",
            "<item>\n            <snapshotId>snap-1b",
            "<item/><item>\n            <snapshotId>snap-1b",
        ),
        (&volumes, "DescribeVolumes", "<volumeId>vol-0a</volumeId>", ""),
        (&volumes, "DescribeVolumes", "<volumeId>vol-0a</volumeId>", "<volumeId>../../vol-0a</volumeId>"),
        (
            &volumes,
            "DescribeVolumes",
            "<item>\n            <volumeId>vol-0c",
            "<item/><item>\n            <volumeId>vol-0c",
        ),
        (&instances, "DescribeInstances", "<instanceId>i-0a</instanceId>", ""),
        (&instances, "DescribeInstances", "<ebs><volumeId>vol-0c</volumeId></ebs>", "<ebs/>"),
        (
            &instances,
            "DescribeInstances",
            "<item>\n                    <instanceId>i-0b",
            "<item/><item>\n                    <instanceId>i-0b",
        ),
    ] {
        let seen = observe(policy, listing, &spoilt(listing, from, to)).await.unwrap();
        assert_ne!(seen.coverage, Coverage::Complete, "{listing} with {to:?} for {from:?}");
    }
}

#[tokio::test]
async fn a_value_out_of_bounds_is_an_error_or_a_state_in_which_nothing_is_done() {
    let volumes = policy(&[("auto-backup", "dlm")]);
    for (from, to) in [
        ("<volumeSize>8</volumeSize>", "<volumeSize>99999999999999999999</volumeSize>"),
        ("<volumeSize>8</volumeSize>", "<volumeSize>eight</volumeSize>"),
        ("<startTime>2026-11-22T17:00:00.000Z</startTime>", "<startTime>yesterday</startTime>"),
        ("<startTime>2026-11-22T17:00:00.000Z</startTime>", "<startTime>2026-13-45T99:00:00Z</startTime>"),
        ("<startTime>2026-11-22T17:00:00.000Z</startTime>", "<startTime>99999-01-01T00:00:00Z</startTime>"),
        ("<encrypted>false</encrypted>", "<encrypted>perhaps</encrypted>"),
    ] {
        let seen = observe(&volumes, "DescribeSnapshots", &spoilt("DescribeSnapshots", from, to)).await;
        assert!(matches!(&seen, Err(ObserveError::Unavailable(_))), "{to}: {seen:?}");
    }
    let progress = spoilt("DescribeSnapshots", "<progress>80%</progress>", "<progress>999%</progress>");
    let seen = observe(&volumes, "DescribeSnapshots", &progress).await.unwrap();
    assert_eq!(seen.snapshots[1].state, SnapshotState::Pending);
    let state = spoilt("DescribeSnapshots", "<status>completed</status>", "<status>weird\n&#x85;&#x9b;31m</status>");
    let seen = observe(&volumes, "DescribeSnapshots", &state).await.unwrap();
    assert_eq!(seen.snapshots[0].state, SnapshotState::Unknown("weird\\n\\u{85}\\u{9b}31m".to_owned()));
}

#[tokio::test]
async fn tags_are_read_as_they_stand() {
    let volumes = Policy { schedules: vec![copying()], ..policy(&[("auto-backup", "dlm")]) };
    let long = "x".repeat(256);
    for (written, read) in [
        ("a\nb", "a\nb"),
        ("a&#10;b", "a\nb"),
        ("&#x1b;[31mred", "\u{1b}[31mred"),
        ("\u{1f5c4} \u{202e}evil", "\u{1f5c4} \u{202e}evil"),
        (long.as_str(), long.as_str()),
        ("", ""),
    ] {
        let body = spoilt("DescribeVolumes", "<value/>", &format!("<value>{written}</value>"));
        let seen = observe(&volumes, "DescribeVolumes", &body).await.unwrap();
        assert_eq!((seen.coverage, seen.volumes[0].tags[1].value.as_str()), (Coverage::Complete, read));
    }
    let body = spoilt("DescribeVolumes", "<value/>", "");
    let seen = observe(&volumes, "DescribeVolumes", &body).await.unwrap();
    assert_eq!((seen.coverage, seen.volumes[0].tags[1].value.as_str()), (Coverage::Complete, ""));
}

fn copying() -> Schedule {
    Schedule { copy_tags: true, ..policy(&[]).schedules.remove(0) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, ..ProptestConfig::default() })]

    /// Whatever single place of an answer is changed: no panic, and no element is lost without a word.
    #[test]
    fn a_byte_that_is_changed_or_lost_makes_no_panic(at in 0..SNAPSHOTS.len(), byte: Option<u8>) {
        let mut body = SNAPSHOTS.as_bytes().to_vec();
        body.splice(at..=at, byte);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let seen = runtime.block_on(observe(&policy(&[("auto-backup", "dlm")]), "DescribeSnapshots", &body));
        let is_whole = |seen: &World| seen.snapshots.len() == 2 || seen.coverage != Coverage::Complete;
        let is_honest = seen.as_ref().map_or(true, is_whole);
        prop_assert!(is_honest, "{} at {at}: {seen:?}", String::from_utf8_lossy(&body));
    }
}
