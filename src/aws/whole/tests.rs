use super::*;
use crate::aws::tests::answers::{nonsense, whole_answer};
use proptest::prelude::*;

const ACTIONS: [&str; 6] = [
    "CreateSnapshot",
    "CreateSnapshots",
    "DeleteSnapshot",
    "DescribeInstances",
    "DescribeSnapshots",
    "DescribeVolumes",
];

#[test]
fn only_all_of_an_answer_is_whole() {
    for action in ACTIONS {
        let body = whole_answer(action).as_bytes();
        assert_eq!(check(action, body), Ok(()), "{action}");
        let end = body.trim_ascii_end().len();
        for length in 0..end {
            assert!(check(action, &body[..length]).is_err(), "{action} cut off after {length} bytes");
        }
        for length in end..body.len() {
            assert_eq!(check(action, &body[..length]), Ok(()), "only a blank line is missing");
        }
    }
}

#[test]
fn an_answer_that_lost_a_tag_is_not_whole() {
    for action in ACTIONS {
        let body = whole_answer(action);
        for (start, _) in body.match_indices('<').skip(1) {
            let end = start + body[start..].find('>').unwrap();
            let lost = [&body[..start], &body[end + 1..]].concat();
            let is_empty_element = body[start..=end].ends_with("/>");
            assert_eq!(check(action, lost.as_bytes()).is_err(), !is_empty_element, "without {}", &body[start..=end]);
        }
    }
}

#[test]
fn nonsense_is_the_answer_to_no_call() {
    for action in ACTIONS {
        for (name, body) in nonsense() {
            assert!(check(action, &body).is_err(), "{name} for {action}");
        }
    }
}

#[track_caller]
fn check_words(action: &str, body: &str, expected: &str) {
    assert_eq!(check(action, body.as_bytes()).unwrap_err().to_string(), expected);
}

#[test]
fn the_words_say_what_is_wrong() {
    let listing = "DescribeVolumes";
    check_words(
        listing,
        "<DescribeVolumesResponse><volumeSet><item>",
        "the answer ends within <item>, expected all of it",
    );
    check_words(listing, "", "the answer says nothing, expected <DescribeVolumesResponse>");
    check_words(listing, "<DescribeVolumesResponse/>", "the answer says nothing, expected <volumeSet>");
    check_words(listing, "<html/>", "the answer is <html>, expected <DescribeVolumesResponse>");
    check_words(
        listing,
        "<DescribeVolumesResponse><volumeSet/><volumeSet/></DescribeVolumesResponse>",
        "the answer holds <volumeSet> twice in one place, expected it once",
    );
    check_words(
        listing,
        "<DescribeVolumesResponse><volumeSet></DescribeVolumesResponse>",
        "the answer is no XML: <volumeSet> ends as </DescribeVolumesResponse>",
    );
    check_words(
        "DeleteSnapshot",
        "<DeleteSnapshotResponse><return>false</return></DeleteSnapshotResponse>",
        "the answer says that the call did not succeed: <return> is false",
    );
}

#[test]
fn a_deletion_needs_no_more_than_its_name() {
    assert_eq!(check("DeleteSnapshot", b"<DeleteSnapshotResponse/>"), Ok(()));
}

proptest! {
    #[test]
    fn no_change_makes_a_panic(at in 0..1000_usize, bytes: [u8; 3], lost in 0..3_usize) {
        let mut body = whole_answer("DescribeSnapshots").as_bytes().to_vec();
        body.splice(at..at + lost, bytes);
        let _ = check("DescribeSnapshots", &body);
    }
}
