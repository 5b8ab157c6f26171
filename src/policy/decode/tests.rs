//! Tables of what the reader says. Samples are small and whole; a case changes one object of them.

mod bounds;
mod copies_and_scripts;
mod kinds;
mod live;
mod patterns;
mod policy_keys;
mod retention;
mod schedules;
mod targets;
mod unknown;

use super::{Finding, IdRule, Reading, policy};
use crate::policy::Policy;
use serde_json::{Value, json};

/// What a case expects the reader to say.
#[derive(Debug, Clone, Copy)]
struct Said {
    is_error: bool,
    path: &'static str,
    part: &'static str,
}

/// An error at `path` below the changed object, whose message holds `part`.
fn error(path: &'static str, part: &'static str) -> Said {
    Said { is_error: true, path, part }
}

/// A warning there.
fn warning(path: &'static str, part: &'static str) -> Said {
    Said { is_error: false, path, part }
}

/// A policy that opendlm carries out.
fn volumes() -> Value {
    json!({
        "PolicyId": "policy-0123456789abcdef0",
        "Description": "nightly",
        "State": "ENABLED",
        "PolicyDetails": {
            "ResourceTypes": ["VOLUME"],
            "TargetTags": [{"Key": "auto-backup", "Value": "dlm"}],
            "Schedules": [{
                "Name": "Default Schedule",
                "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["17:00"]},
                "RetainRule": {"Count": 3}
            }]
        }
    })
}

/// The same for the volumes of instances.
fn instances() -> Value {
    edited(volumes(), "/PolicyDetails", &json!({"ResourceTypes": ["INSTANCE"]}))
}

/// The same for AMIs.
fn images() -> Value {
    edited(instances(), "/PolicyDetails", &json!({"PolicyType": "IMAGE_MANAGEMENT"}))
}

fn events() -> Value {
    json!({
        "State": "ENABLED",
        "PolicyDetails": {
            "PolicyType": "EVENT_BASED_POLICY",
            "EventSource": {
                "Type": "MANAGED_CWE",
                "Parameters": {
                    "EventType": "shareSnapshot", "SnapshotOwner": ["111122223333"], "DescriptionRegex": ".*"
                }
            },
            "Actions": [{
                "Name": "copy",
                "CrossRegionCopy": [{
                    "Target": "eu-west-2",
                    "EncryptionConfiguration": {"Encrypted": false},
                    "RetainRule": {"Interval": 1, "IntervalUnit": "MONTHS"}
                }]
            }]
        }
    })
}

fn default_volumes() -> Value {
    json!({"State": "ENABLED", "DefaultPolicy": "VOLUME"})
}

/// A change of the schedule that gives it a script.
fn scripts(script: Value) -> Value {
    json!({"CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Scripts": [script]}})
}

const POLICY: &str = "";
const DETAILS: &str = "/PolicyDetails";
const SCHEDULE: &str = "/PolicyDetails/Schedules/0";

/// The document with the keys of `change` set in the object at `pointer`.
fn edited(mut document: Value, pointer: &str, change: &Value) -> Value {
    let object = document.pointer_mut(pointer).expect("the sample has an object there");
    for (key, value) in change.as_object().expect("a change is an object") {
        object[key] = value.clone();
    }
    document
}

fn read(document: &Value) -> Reading<Policy> {
    policy(document, "", IdRule::Optional)
}

/// `pointer` as the beginning of the paths below it: `PolicyDetails.Schedules[0].`.
fn prefix(pointer: &str) -> String {
    let mut prefix = String::new();
    for part in pointer.split('/').skip(1) {
        if part.parse::<usize>().is_ok() {
            prefix.pop();
            prefix += &format!("[{part}].");
        } else {
            prefix += &format!("{part}.");
        }
    }
    prefix
}

/// The sample with a change draws exactly these errors and warnings, in any order. A path that begins with `/` is
/// the whole path.
#[track_caller]
fn check(sample: Value, pointer: &str, change: Value, expected: &[Said]) {
    let document = edited(sample, pointer, &change);
    let reading = read(&document);
    let whole = |said: &Said| match said.path.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None if said.path.is_empty() => prefix(pointer).trim_end_matches('.').to_owned(),
        None => prefix(pointer) + said.path,
    };
    let matches = |finding: &Finding, said: &Said| finding.path == whole(said) && finding.message.contains(said.part);
    for (found, is_error) in [(&reading.errors, true), (&reading.warnings, false)] {
        let said: Vec<&Said> = expected.iter().filter(|said| said.is_error == is_error).collect();
        let is_told = |finding: &Finding| said.iter().any(|said| matches(finding, said));
        let is_found = |said: &&Said| found.iter().any(|finding| matches(finding, said));
        assert!(
            found.len() == said.len() && found.iter().all(is_told) && said.iter().all(is_found),
            "{change}: expected {said:#?} but got {found:#?}"
        );
    }
    assert_eq!(reading.value.is_some(), reading.errors.is_empty() && reading.not_supported.is_empty(), "{change}");
}

/// The findings as lines, for snapshots.
fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{}: {}\n", finding.path, finding.message)).collect()
}
