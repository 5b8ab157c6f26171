//! The names, and that each number is the one of the report.

use super::super::copies::CopiesReport;
use super::super::counts::Counts;
use super::super::sum::tests::quiet;
use super::super::{OrphanReport, Report};
use super::*;
use crate::fixtures::at;

/// What Amazon DLM calls its metrics of snapshot policies, as far as opendlm does what they count: Amazon EBS User Guide,
/// "Monitor Amazon Data Lifecycle Manager policies using CloudWatch" (shared/reference/dlm.md 3.2).
const NAMES_OF_DLM: [&str; 11] = [
    "ResourcesTargeted",
    "SnapshotsCreateStarted",
    "SnapshotsCreateCompleted",
    "SnapshotsCreateFailed",
    "SnapshotsDeleteCompleted",
    "SnapshotsDeleteFailed",
    "SnapshotsCopiedRegionStarted",
    "SnapshotsCopiedRegionCompleted",
    "SnapshotsCopiedRegionFailed",
    "SnapshotsCopiedRegionDeleteCompleted",
    "SnapshotsCopiedRegionDeleteFailed",
];

fn read(report: &Report) -> Value {
    serde_json::from_str(&line(report, at("2026-11-22T17:00:01.5Z")).unwrap()).unwrap()
}

fn directive(line: &Value) -> &Value {
    let [directive] = line["_aws"]["CloudWatchMetrics"].as_array().unwrap().as_slice() else { panic!("{line}") };
    directive
}

fn names(line: &Value) -> Vec<&str> {
    directive(line)["Metrics"].as_array().unwrap().iter().map(|metric| metric["Name"].as_str().unwrap()).collect()
}

#[test]
fn the_names_of_dlm_come_first_and_ours_follow() {
    let without_copies = read(&quiet());
    let with_copies = read(&Report { copies: vec![CopiesReport::default()], ..quiet() });
    for (line, of_dlm_expected) in [(&with_copies, &NAMES_OF_DLM[..]), (&without_copies, &NAMES_OF_DLM[..6])] {
        let names = names(line);
        let (of_dlm, ours) = names.split_at(of_dlm_expected.len());
        assert_eq!(of_dlm, of_dlm_expected);
        assert_eq!(ours, ["VolumesStopped", "Orphans", "OrphanBytes"]);
    }
}

/// CloudWatch User Guide, "Specification: Embedded metric format": a namespace, sets of dimensions, metrics, and for each
/// name a number or a text at the root of the line.
#[test]
fn the_line_is_what_cloudwatch_reads() {
    let line = read(&quiet());
    assert_eq!(line["_aws"]["Timestamp"], 1_795_366_801_500_u64);
    assert_eq!(directive(&line)["Namespace"], "opendlm");
    assert_eq!(directive(&line)["Dimensions"], json!([["DLMPolicyId"]]));
    assert_eq!(line["DLMPolicyId"], "policy-0123456789abcdef0");
    assert!(names(&line).iter().all(|name| line[name].is_u64()), "{line}");
    // What Lambda looks at in a line of its own: with a level it could be left out, and a message is for people.
    assert!(["level", "timestamp", "message"].iter().all(|key| line.get(key).is_none()), "{line}");
}

#[track_caller]
fn check(report: &Report, name: &str, expected: u64) {
    assert_eq!(read(report)[name], expected, "{name}");
}

#[test]
fn each_number_is_the_one_of_the_report() {
    let counts = Counts { targeted: 1, completed: 2, not_created: 3, not_deleted: 4 };
    let orphans = OrphanReport { snapshots: 7, full_size_bytes: 8, ..OrphanReport::default() };
    let copies = CopiesReport {
        begun: 10,
        completed: 11,
        given_up: 12,
        deleted: 13,
        not_deleted: 14,
        orphans: 20,
        orphan_bytes: 30,
        ..CopiesReport::default()
    };
    let report = Report { counts, created: 5, deleted: 6, orphans, stopped: 9, copies: vec![copies], ..quiet() };
    for (name, expected) in [
        ("ResourcesTargeted", 1),
        ("SnapshotsCreateCompleted", 2),
        ("SnapshotsCreateFailed", 3),
        ("SnapshotsDeleteFailed", 4),
        ("SnapshotsCreateStarted", 5),
        ("SnapshotsDeleteCompleted", 6),
        ("SnapshotsCopiedRegionStarted", 10),
        ("SnapshotsCopiedRegionCompleted", 11),
        ("SnapshotsCopiedRegionFailed", 12),
        ("SnapshotsCopiedRegionDeleteCompleted", 13),
        ("SnapshotsCopiedRegionDeleteFailed", 14),
        ("Orphans", 27),
        ("OrphanBytes", 38),
        ("VolumesStopped", 9),
    ] {
        check(&report, name, expected);
    }
}

#[test]
fn a_run_that_goes_on_has_no_line() {
    assert_eq!(line(&Report { outcome: None, ..quiet() }, at("2026-11-22T17:00:00Z")), None);
}
