//! What whole turns log and report when everything that comes from outside tries to forge a line.

use super::answers::{CREATED, SNAPSHOTS, VOLUMES};
use super::{account_answering, answer};
use crate::answer::Answer;
use crate::aws::{Account, clock};
use crate::handler;
use crate::log::Form;
use crate::log::tests::Captured;
use jiff::SignedDuration;
use lambda_runtime::tracing::subscriber::filter::LevelFilter;
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;

/// A line that passes for one of the function's own, an escape sequence and a turn of the direction, in XML.
const FORGED: &str = "&#13;&#10; INFO turn forged=\"yes\" status=\"DONE\"&#x1b;[2K&#x85;&#x9b;1A&#x2028;&#x202e;";

/// Everything that anybody but EC2 itself can write, and what EC2 says as well.
fn forging_account() -> Account {
    account_answering(|action, form| match action {
        "CreateSnapshot" if form.contains("VolumeId=vol-0a") => answer(200, CREATED),
        "CreateSnapshot" => {
            let error = format!("<Code>IncorrectState{FORGED}</Code><Message>No.{FORGED}</Message>");
            answer(400, &format!("<Response><Errors><Error>{error}</Error></Errors></Response>"))
        }
        "DescribeSnapshots" => {
            let forged = SNAPSHOTS.replace("<status>pending</status>", &format!("<status>{FORGED}</status>"));
            answer(
                200,
                &forged
                    .replace("until=2027-01-01", FORGED)
                    .replace("Default Schedule</value>", &format!("{FORGED}</value>")),
            )
        }
        "DescribeVolumes" => {
            let tags: String =
                (0..60).map(|n| format!("<item><key>{n}{FORGED}</key><value>{FORGED}</value></item>")).collect();
            let forged = VOLUMES.replace("<item><key>Name</key><value/></item>", &tags);
            answer(200, &forged.replace("available", FORGED))
        }
        other => panic!("nobody calls {other}"),
    })
}

/// A start of the sample policy, now.
pub(super) fn event() -> Value {
    json!({
        "Policy": {
            "PolicyId": super::POLICY,
            "PolicyDetails": {
                "ResourceTypes": ["VOLUME"],
                "TargetTags": [{"Key": "auto-backup", "Value": "dlm"}],
                "Schedules": [{
                    "Name": "Default Schedule",
                    "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["17:00"]},
                    "RetainRule": {"Count": 1},
                    "CopyTags": true,
                }],
            },
        },
        "Options": {"RunNow": true},
    })
}

async fn turn(account: &Account, form: Form) -> (Answer, String) {
    let (log, captured) = Captured::log(form, LevelFilter::TRACE);
    let until = clock::now() + SignedDuration::from_secs(300);
    let answer = handler::turn(account, &event(), until).with_subscriber(log).await.unwrap();
    (answer, captured.text())
}

#[tokio::test]
async fn no_line_of_text_begins_or_holds_a_field_that_somebody_else_wrote() {
    let (_, log) = turn(&forging_account(), Form::Text).await;
    assert_eq!(log.lines().filter(|line| line.contains("forged")).count(), 3, "{log}");
    for line in log.lines() {
        assert!(
            ["DEBUG decision ", " INFO action ", " INFO turn "].iter().any(|begin| line.starts_with(begin)),
            "{line:?}"
        );
        assert!(!line.contains(" forged=\"yes\"") && !line.contains(is_invisible), "{line:?}");
    }
}

#[tokio::test]
async fn each_line_of_json_is_one_event_with_its_own_fields() {
    let (_, log) = turn(&forging_account(), Form::Json).await;
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let fields = event["fields"].as_object().unwrap();
        assert!(["decision", "action", "turn"].contains(&fields["message"].as_str().unwrap()), "{line}");
        assert!(!fields.contains_key("forged") && !line.contains(is_invisible), "{line:?}");
    }
}

/// The message is that of shared/wire/describe-snapshots/30.
#[tokio::test]
async fn a_snapshot_that_failed_is_logged_by_its_id_with_what_ec2_says() {
    let account = account_answering(|action, _| match action {
        "CreateSnapshot" => answer(200, CREATED),
        "DescribeSnapshots" => {
            let message = "<status>error</status><statusMessage>Given key ID is not accessible</statusMessage>";
            let time = clock::now().to_string();
            let at_its_time = format!("<item><key>opendlm:scheduled-time</key><value>{}Z</value></item>", &time[..19]);
            let failed = SNAPSHOTS.replace("<status>completed</status>", message);
            let failed = failed.replace("2026-11-22T17:00:00.000Z", &time);
            let begun_now = failed.replacen("</tagSet>", &format!("{at_its_time}</tagSet>"), 1);
            answer(200, &begun_now)
        }
        "DescribeVolumes" => answer(200, VOLUMES),
        other => panic!("nobody calls {other}"),
    });
    let (answer, log) = turn(&account, Form::Json).await;
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told: Vec<Value> = events.map(|event| event["fields"].clone()).collect();
    let failed: Vec<&Value> = told.iter().filter(|fields| fields["message"] == "failed snapshot").collect();
    assert_eq!(failed.len(), 1, "{log}");
    assert_eq!(failed[0]["snapshot"], "snap-0a");
    assert_eq!(failed[0]["cause"], "Given key ID is not accessible");
    assert!(
        answer.report.summary.contains("snap-0a went to error; EC2 says: Given key ID is not accessible"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn nothing_in_a_report_can_begin_a_line() {
    let (answer, _) = turn(&forging_account(), Form::Json).await;
    let report = serde_json::to_value(&answer.report).unwrap();
    let warning = answer.report.warnings.last().unwrap();
    assert!(warning.contains("forged") && answer.report.summary.contains("forged"), "{report:#}");
    check_texts(&report);
}

fn check_texts(value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(check_texts),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            assert!(!key.contains(is_invisible), "{key:?}");
            check_texts(value);
        }),
        Value::String(text) => assert!(!text.contains(is_invisible), "{text:?}"),
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}

fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{202e}')
}
