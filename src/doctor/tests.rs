//! Each fault is one wrong line, and a healthy stack has none.

mod around;
mod of_policy;

use super::beside::key_uses;
use super::measured::Newest;
use super::surroundings::{Subscribers, VERSION};
use super::*;
use crate::fixtures::*;
use crate::live::deployed::{Found, inventory};
use crate::live::document::input;
use crate::live::runs::{Ended, Execution, Run, Standing};
use crate::live::{ScheduleId, Target};
use crate::options::Options;
use crate::plan;
use crate::report;
use crate::tags::Stamp;
use crate::turn::{Progress, Status};
use crate::world::{Snapshot, World};
use serde_json::{Value, json};

/// Eight in the evening; the sample policy is due at five.
const NOW: &str = "2026-11-22T20:00:00Z";
const DEPLOYED: &str = "2026-11-20T08:00:00Z";
const MACHINE: &str = "arn:aws:states:eu-west-1:111122223333:stateMachine:opendlm";

fn target() -> Target {
    Target { machine: MACHINE.to_owned(), role: "role".to_owned(), dead_letter_queue: "queue".to_owned() }
}

/// The sample policy as a document that says the same.
fn document(state: &str) -> Value {
    json!({ "Policy": {
        "PolicyId": policy_id().as_str(), "Description": "Daily snapshots", "State": state,
        "PolicyDetails": {
            "ResourceTypes": ["VOLUME"],
            "TargetTags": [{ "Key": "auto-backup", "Value": "dlm" }],
            "Schedules": [{
                "Name": "Default Schedule",
                "CreateRule": { "Interval": 24, "IntervalUnit": "HOURS", "Times": ["17:00"] },
                "RetainRule": { "Count": 3 },
            }],
        },
    } })
}

/// A schedule that starts it.
fn found(state: &str) -> Found {
    let Value::Object(document) = document(state) else { unreachable!("it is an object") };
    Found {
        id: ScheduleId { group: "opendlm".to_owned(), name: format!("{}-1", policy_id()) },
        is_enabled: true,
        expression: "cron(0 17 * * ? *)".to_owned(),
        timezone: "UTC".to_owned(),
        machine: MACHINE.to_owned(),
        role: "role".to_owned(),
        dead_letter_queue: Some("queue".to_owned()),
        input: input(&document, at(DEPLOYED)),
    }
}

fn deployed(found: Vec<Found>) -> Option<Deployed> {
    inventory(found).policies.into_iter().next()
}

fn run(started: &str, ended: Ended) -> Run {
    let execution = Execution {
        arn: "arn".to_owned(),
        name: "0a1b2c3d-run".to_owned(),
        started: Some(at(started)),
        standing: Standing::Over { how: ended, at: Some(at(started)) },
        input: Some(document("ENABLED")),
        output: Some(json!({ "PolicyId": policy_id().as_str(), "Outcome": "SUCCEEDED" })),
        error: None,
        cause: Some("vol-0a: no snapshot".to_owned()),
    };
    Run::of(&execution, None)
}

fn looked(world: &World) -> Looked {
    let (policy, options) = (sample(), Options::default());
    let plan = plan::plan(&policy, &options, &start(NOW), at(NOW), world);
    let progress = Progress::new(&start(NOW));
    let report = report::report(&policy, &options, &plan, &progress, Status::Waiting { seconds: 0 }, &[]);
    Looked { report, targeted: plan.targeted }
}

fn history() -> Vec<Snapshot> {
    (20..=22).map(|day| snapshot(day, 1, &format!("2026-11-{day}T17:00:00Z")).stamped(&[3])).collect()
}

fn definition() -> Value {
    let text = include_str!("../../statemachine/opendlm.asl.json");
    let filled = [("FunctionArn", "function"), ("TopicArn", "topic"), ("RunEvents", "ENABLED"), ("Partition", "aws")];
    let text = filled.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value));
    serde_json::from_str(&text).unwrap()
}

fn stack() -> Stack {
    Stack {
        group: "opendlm".to_owned(),
        target: target(),
        version: Some(VERSION.to_owned()),
        definition: Look::Seen(definition()),
        function_version: Look::Seen(Some(VERSION.to_owned())),
        dead_letters: Look::Seen(0),
        subscribers: Look::Seen(Subscribers { confirmed: 1, pending: 0 }),
        strangers: Vec::new(),
    }
}

fn seen() -> PolicySeen {
    PolicySeen {
        name: policy_id().to_string(),
        policy: Some(sample()),
        deployed: deployed(vec![found("ENABLED")]),
        runs: Look::Seen(vec![run("2026-11-22T17:00:01Z", Ended::Succeeded)]),
        looked: Look::Seen(looked(&world([volume(1)], history()))),
        others: Look::Seen(Vec::new()),
        keys: Look::Seen(Vec::new()),
        listing: Look::Seen(Listing {
            snapshots: 3,
            pages: 2,
            empty_pages: 1,
            transfer_types: [("standard".to_owned(), 3)].into(),
            id_lengths: [(17, 3)].into(),
            newest: Newest::Shown { id: snapshot(1, 1, NOW).id, age_seconds: 9 },
        }),
    }
}

fn healthy() -> Gathered {
    Gathered {
        now: at(NOW),
        scope: Scope::Stack,
        caller: Look::Seen(Caller {
            account: "111122223333".to_owned(),
            arn: "arn:aws:iam::111122223333:user/me".to_owned(),
            region: "eu-west-1".to_owned(),
        }),
        clock_ahead: Look::Seen(SignedDuration::from_millis(-400)),
        stack: Look::Seen(stack()),
        quotas: Look::Seen(QuotaNames { listed: vec!["CreateSnapshot"], unlisted: Vec::new() }),
        policies: vec![seen()],
    }
}

fn abouts(lines: &[Line], health: Health) -> Vec<&'static str> {
    lines.iter().filter(|line| line.health == health).map(|line| line.about).collect()
}

/// What is wrong and what is unknown after a change of what is healthy; and that each of them has a cure, and nothing else has.
#[track_caller]
fn check(change: impl FnOnce(&mut Gathered), wrong: &[&str], unknown: &[&str]) -> Vec<Line> {
    let mut gathered = healthy();
    change(&mut gathered);
    let lines = examine(&gathered);
    assert_eq!(
        (abouts(&lines, Health::Wrong), abouts(&lines, Health::Unknown)),
        (wrong.to_vec(), unknown.to_vec()),
        "{lines:#?}"
    );
    assert_eq!(has_wrong(&lines), !wrong.is_empty());
    let silent: Vec<&Line> = lines.iter().filter(|line| line.cure.is_some() == (line.health == Health::Ok)).collect();
    assert!(silent.is_empty(), "{silent:?}");
    lines
}

/// The same for the stack.
#[track_caller]
fn check_stack(change: impl FnOnce(&mut Stack), wrong: &[&str], unknown: &[&str]) -> Vec<Line> {
    let of_stack = |gathered: &mut Gathered| match &mut gathered.stack {
        Look::Seen(stack) => change(stack),
        Look::Unknown(_) | Look::Wrong(_) => unreachable!("it is seen"),
    };
    check(of_stack, wrong, unknown)
}

/// The same for the policy.
#[track_caller]
fn check_policy(change: impl FnOnce(&mut PolicySeen), wrong: &[&str], unknown: &[&str]) -> Vec<Line> {
    check(|gathered| change(&mut gathered.policies[0]), wrong, unknown)
}

#[track_caller]
fn says<'l>(lines: &'l [Line], about: &str) -> &'l str {
    &lines.iter().find(|line| line.about == about).unwrap().says
}

#[test]
fn a_healthy_stack_has_nothing_wrong_and_nothing_unknown() {
    let lines = check(|_| {}, &[], &[]);
    assert!(lines.iter().any(|line| line.policy.as_deref() == Some(policy_id().as_str())));
    assert_eq!(
        says(&lines, "to report back"),
        "snapshots=3 pages=2 empty-pages=1 transfer-types=standard:3 id-digits=17:3 lag-seconds=0 quotas=1-of-1"
    );
}

#[test]
fn where_nobody_may_look_nothing_is_ok_and_nothing_is_wrong() {
    let no = || "AccessDenied: no".to_owned();
    let mut gathered = healthy();
    gathered.caller = Look::Unknown(no());
    gathered.clock_ahead = Look::Unknown(no());
    gathered.stack = Look::Unknown(no());
    gathered.quotas = Look::Unknown(no());
    let policy = &mut gathered.policies[0];
    policy.deployed = None;
    policy.runs = Look::Unknown(no());
    policy.looked = Look::Unknown(no());
    policy.others = Look::Unknown(no());
    policy.keys = Look::Unknown(no());
    policy.listing = Look::Unknown(no());
    let lines = examine(&gathered);
    assert_eq!(abouts(&lines, Health::Wrong), [""; 0]);
    // All that is left is what the file says of itself.
    assert_eq!(abouts(&lines, Health::Ok), ["policy"]);
}
