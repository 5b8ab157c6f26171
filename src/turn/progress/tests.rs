//! What is remembered between turns, at the edges of its bounds.

use super::*;
use crate::fixtures::*;
use crate::options::Options;
use crate::world::SourceId;

const NOW: &str = "2026-11-22T17:00:00Z";

fn subject(number: u32) -> Subject {
    Subject::creation(&name("Daily"), SourceId::Volume(volume_id(number)))
}

fn failed(kind: FailedKind) -> Failed {
    Failed { kind, code: "Code".to_owned(), message: "why".to_owned() }
}

fn progress() -> Progress {
    Progress::new(&start(NOW))
}

#[test]
fn a_subject_tells_its_resource_and_schedule_and_has_a_hash_of_its_own() {
    let one = subject(1);
    assert_eq!((one.resource(), one.schedule()), (volume_id(1).to_string(), Some(&name("Daily"))));
    assert_eq!(one.to_string(), format!("{} Daily", volume_id(1)));
    assert_eq!(one.hash().len(), 8);
    assert_ne!(one.hash(), subject(2).hash());
    let deletion = Subject::Deletion(snapshot(7, 1, NOW).id);
    assert_eq!((deletion.resource(), deletion.schedule()), (deletion.to_string(), None));
}

#[test]
fn inside_the_window_a_run_creates_five_times_for_each_target_and_after_it_once() {
    let (until, after) = (at("2026-11-22T18:00:00Z"), at("2026-11-22T18:00:01Z"));
    let may = |creations, now| Progress { creations, ..progress() }.may_create(&subject(1), 2, until, now);
    assert_eq!((may(9, until), may(10, until)), (true, false));
    assert_eq!((may(1, after), may(2, after)), (true, false));
}

#[test]
fn after_the_window_nothing_is_tried_again_that_failed_or_may_have() {
    let (until, after) = (at("2026-11-22T18:00:00Z"), at("2026-11-22T18:00:01Z"));
    let mut progress = progress();
    progress.remember_failure("CreateSnapshot", subject(1), &failed(FailedKind::Refused));
    let may = |progress: &Progress, number| progress.may_create(&subject(number), 5, until, after);
    assert_eq!((may(&progress, 1), may(&progress, 2)), (false, true));
    progress.failures_left_out = 1;
    assert!(may(&progress, 2), "a deletion that failed says nothing");
    progress.creations_left_out = 1;
    assert!(!may(&progress, 2), "it may be one of those that are not carried");
}

#[test]
fn a_deletion_is_given_up_at_once_when_refused_and_after_three_tries_when_it_may_pass() {
    let deletion = Subject::Deletion(snapshot(7, 1, NOW).id);
    let mut refused = progress();
    refused.remember_failure("DeleteSnapshot", deletion.clone(), &failed(FailedKind::Refused));
    assert!(refused.is_deletion_given_up(&deletion));
    for kind in [FailedKind::Unclear, FailedKind::Throttled] {
        let mut unclear = progress();
        let mut given_up = Vec::new();
        for _ in 0..3 {
            unclear.remember_failure("DeleteSnapshot", deletion.clone(), &failed(kind));
            given_up.push(unclear.is_deletion_given_up(&deletion));
        }
        assert_eq!(given_up, [false, false, true]);
    }
}

#[test]
fn a_brake_is_met_by_one_more_than_it_allows() {
    use crate::options::MaximumDeletions;
    let old = (15..=21).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z")));
    let world = world([volume(1)], old);
    let policy = sample();
    let of = |allowed, deleted| {
        let options = Options { maximum_deletions: MaximumDeletions::Number(allowed), ..Options::default() };
        let progress = Progress { deleted, ..progress() };
        let later = at("2026-11-22T12:00:00Z");
        let start =
            Start { at: at("2026-11-22T12:00:00Z"), begun: later, origin: StartOrigin::Event, came_back: false };
        let plan = crate::plan::plan(&policy, &options, &start, later, &world);
        crate::turn::select(&policy, &options, &plan, &progress, later, crate::turn::Budget::UNBOUNDED)
    };
    // Four of seven are to go.
    assert_eq!((of(4, 0).actions.len(), of(4, 0).brake), (4, None));
    assert_eq!(of(5, 1).brake, None);
    let brake = of(5, 2);
    assert_eq!(
        (brake.actions.len(), brake.brake),
        (0, Some(Brake { bounds: crate::plan::Bounds::Everything, planned: 6, allowed: 5 }))
    );
}

#[test]
fn what_failed_is_kept_in_one_short_line_until_it_is_mended() {
    let long = "x".repeat(300);
    let error = Failed { message: format!("first\nsecond {long}"), ..failed(FailedKind::Refused) };
    let mut progress = progress();
    progress.remember_failure("CreateSnapshot", subject(1), &error);
    progress.remember_failure("CreateSnapshot", subject(2), &error);
    let failure = &progress.failures[0];
    assert_eq!((failure.code.as_str(), failure.attempts), ("Code", 1));
    assert!(failure.message.starts_with("firstsecond x") && failure.message.len() == 200, "{}", failure.message);
    progress.remember_failure("CreateSnapshot", subject(1), &error);
    assert_eq!(progress.failures.last().map(|failure| failure.attempts), Some(2));
    progress.forget_failure(&subject(1));
    let left: Vec<String> = progress.failures.iter().map(|failure| failure.subject.resource()).collect();
    assert_eq!(left, [volume_id(2).to_string()]);
}

#[test]
fn tags_that_found_no_room_are_told_for_fifty_targets() {
    let mut progress = progress();
    progress.remember_tags_left_out(&subject(1), &[]);
    assert_eq!(progress.tags_left_out, Vec::<String>::new());
    for number in 1..=60 {
        progress.remember_tags_left_out(&subject(number), &["one".to_owned(), "two".to_owned()]);
    }
    assert_eq!(progress.tags_left_out.len(), 50);
    let first = &progress.tags_left_out[0];
    assert!(first.starts_with(&volume_id(1).to_string()) && first.ends_with(": one, two"), "{first}");
}

#[test]
fn what_is_known_of_the_pace_is_a_few_words_and_nothing_when_nothing_is_known() {
    use crate::pace::{Api, Bucket, ByApi, Known, Pace, Share};
    let json = |progress: &Progress| serde_json::to_value(progress).unwrap();
    assert_eq!(json(&progress()).get("Pace"), None);
    let now = at("2026-11-22T17:00:10.5Z");
    let mut buckets = ByApi::of(|api| Bucket::full(api.documented()));
    for (api, rate, seconds) in
        [(Api::CreateSnapshot, 500, 10), (Api::DeleteSnapshot, 1000, 10), (Api::DescribeVolumes, 500, 9)]
    {
        let full_at = now + jiff::SignedDuration::from_secs(seconds);
        buckets[api].learn(Share::ALL, Some(Known { full_at, rate }), now);
    }
    let pace = Pace::of(&buckets, now);
    let learnt = Progress { pace, ..progress() };
    let text = json(&learnt)["Pace"].to_string();
    assert_eq!(
        text,
        r#"{"CreateSnapshot":{"FullAt":"2026-11-22T17:00:20.5Z","Rate":500},"DeleteSnapshot":{"FullAt":"2026-11-22T17:00:20.5Z","Rate":1000}}"#
    );
    assert_eq!(serde_json::from_value::<Progress>(json(&learnt)).unwrap(), learnt);
    for hostile in [r#"{"Pace":{"DescribeVolumes":{}}}"#, r#"{"Rate":1}"#, r#"{"FullAt":"soon","Rate":1}"#] {
        let mut value = json(&progress());
        value["Pace"] = serde_json::from_str(hostile).unwrap();
        assert!(serde_json::from_value::<Progress>(value).is_err(), "{hostile}");
    }
    for rate in ["-1", "65536", "0.5"] {
        let known = format!(r#"{{"CreateSnapshot":{{"FullAt":"2026-11-22T17:00:00Z","Rate":{rate}}}}}"#);
        assert!(serde_json::from_str::<Pace>(&known).is_err(), "{rate}");
    }
}
