//! Which subject a report gets, and that nothing is said that the report does not show.

use super::*;
use crate::report::counts::Counts;
use crate::report::sum::TargetReport;
use crate::report::sum::tests::{failure, quiet};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The Region of the stack.
const REGION: Option<&str> = Some("eu-west-1");

fn failed(action: &str, resource: &str, code: &str) -> FailureReport {
    FailureReport { action: action.to_owned(), code: code.to_owned(), ..failure(resource, "as EC2 says") }
}

fn deletion(code: &str) -> FailureReport {
    failed("DeleteSnapshot", "snap-0123456789abcdef0", code)
}

fn all(action: &str, code: &str) -> FailureReport {
    failed(action, "all", code)
}

/// A run that made what was due and in which these failed.
fn partial(failures: Vec<FailureReport>) -> Report {
    let number = u64::try_from(failures.len()).unwrap();
    let deletions = failures.iter().filter(|failure| failure.is_of_one_deletion()).count();
    let counts = Counts { not_deleted: u64::try_from(deletions).unwrap(), ..quiet().counts };
    let volumes = BTreeMap::from([("exists: Exists".to_owned(), 2)]);
    Report { outcome: Some("PARTIAL"), failed: number, failures, counts, volumes, ..quiet() }
}

/// A text without its breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(report: &Report, headline: &str) {
    let mail = of_report(report, REGION).unwrap();
    assert_eq!(mail.subject, format!("opendlm, {headline}: policy-0123456789abcdef0"));
    let is_missing = headline.contains("MISSING");
    assert_eq!(mail.text.starts_with("BACKUPS ARE MISSING"), is_missing, "{}", mail.text);
    assert_eq!(
        flat(&mail.text).contains("No due backup is missing"),
        !is_missing && !headline.contains("missed"),
        "{}",
        mail.text
    );
}

#[test]
fn the_subject_says_whether_backups_are_missing_and_whether_somebody_is_needed() {
    let made = |failures| partial(failures);
    check(&made(vec![deletion("OperationNotPermitted")]), "only clean-up failed (1)");
    check(&made(vec![deletion("UnauthorizedOperation"), deletion("InternalError")]), "only clean-up failed (2)");
    check(&made(vec![deletion("RequestLimitExceeded")]), "nothing to do, it is tried again");
    check(&made(vec![all("DeleteSnapshot", "MaximumDeletions")]), "no hurry, deletions wait for your consent");
    check(&made(vec![all("DeleteSnapshot", "NewerPolicy")]), "only clean-up failed (1)");
    check(&made(vec![failed("CreateSnapshot", "vol-1", "Missed")]), "nothing to do now, one time was missed");
    for code in ["BackupsStopped", "NothingDue", "NoTargets"] {
        check(&made(vec![all("CreateSnapshot", code)]), "BACKUPS MISSING");
    }
    check(&made(vec![failed("Describe", "the account", "ObservationCutShort")]), "BACKUPS MISSING");
    check(&made(vec![failed("CreateSnapshot", "vol-1", "RequestLimitExceeded")]), "BACKUPS MISSING");
    check(&made(vec![failed("CreateSnapshot", "account", "SnapshotLimitExceeded")]), "BACKUPS MISSING");
}

#[test]
fn what_is_missing_outweighs_everything_else() {
    let counts = Counts { not_created: 3, ..Counts::default() };
    let report = Report { counts, ..partial(vec![deletion("RequestLimitExceeded")]) };
    check(&report, "3 BACKUPS MISSING");
    let report = Report { stopped: 1, ..partial(vec![all("DeleteSnapshot", "MaximumDeletions")]) };
    check(&report, "BACKUPS MISSING");
}

#[test]
fn a_report_that_hides_failures_or_names_none_is_no_good_news() {
    check(&Report { failed: 0, ..partial(vec![]) }, "BACKUPS MISSING");
    // One more failure than is named, and it is no deletion.
    let report = partial(vec![deletion("RequestLimitExceeded")]);
    check(&Report { failed: 2, ..report.clone() }, "BACKUPS MISSING");
    // One more deletion than is named: nobody knows whether it passes by itself.
    let counts = Counts { not_deleted: 2, ..report.counts };
    check(&Report { failed: 2, counts, ..report }, "only clean-up failed (2)");
}

#[test]
fn a_missed_time_is_only_over_when_this_run_has_made_something() {
    let missed = partial(vec![failed("CreateSnapshot", "vol-1", "Missed")]);
    check(&Report { volumes: BTreeMap::new(), ..missed }, "BACKUPS MISSING");
}

#[test]
fn a_target_that_failed_altogether_means_missing_backups_and_is_named() {
    let target = |region: &str, outcome| TargetReport {
        account: Some("111122223333".to_owned()),
        region: region.to_owned(),
        outcome,
        summary: String::new(),
        created: 0,
        deleted: 0,
        failed: 1,
    };
    let run = FailureReport { schedule: None, ..failed("Run", "arn:aws:iam::111122223333:role/a", "AccessDenied") };
    let targets = vec![target("eu-west-1", "FAILED"), target("us-east-1", "SUCCEEDED")];
    let report = Report { targets, ..partial(vec![run]) };
    check(&report, "BACKUPS MISSING");
    let text = flat(&of_report(&report, REGION).unwrap().text);
    assert!(text.contains("in 1 of 2 targets the run could not go on"), "{text}");
    assert!(text.contains("1 of 2 targets failed: account 111122223333 in eu-west-1"), "{text}");
}

#[test]
fn equal_failures_are_one_matter_with_the_first_resources() {
    let failures = (0..7).map(|n| failed("CreateSnapshot", &format!("vol-{n}"), "InternalError")).collect();
    let text = flat(&of_report(&partial(failures), REGION).unwrap().text);
    assert!(text.contains("What failed: 7 times CreateSnapshot, InternalError."), "{text}");
    let named = "vol-4 (schedule Default Schedule) and 2 more EC2 says: as EC2 says What to do: ";
    assert!(text.contains(named), "{text}");
}

#[test]
fn only_where_a_backup_is_missing_somebody_is_sent_to_run_the_policy() {
    let missing = of_report(&partial(vec![all("CreateSnapshot", "NoTargets")]), REGION).unwrap();
    let passing = of_report(&partial(vec![deletion("InternalError")]), REGION).unwrap();
    assert!(missing.text.contains("Run now:") && !passing.text.contains("Run now:"));
    let runs = "Its runs: opendlm runs policy-0123456789abcdef0\n";
    assert!(missing.text.contains(runs) && passing.text.contains(runs), "{}", passing.text);
    assert!(passing.text.contains("What to do: Nothing"), "{}", passing.text);
}

#[test]
fn a_run_without_failures_is_no_mail() {
    assert_eq!(of_report(&quiet(), REGION), None);
    assert_eq!(of_report(&Report { outcome: Some("SKIPPED"), ..quiet() }, REGION), None);
    assert_eq!(of_report(&Report { outcome: None, ..quiet() }, REGION), None);
}

#[test]
fn a_run_that_could_not_go_on_is_told_with_what_to_do() {
    let failure = CouldNotGoOn {
        policy_id: Some("policy-1".to_owned()),
        start: Some("2026-11-22T17:00:00Z".to_owned()),
        error: "AccessDenied".to_owned(),
        cause: "DescribeVolumes failed with UnauthorizedOperation: no".to_owned(),
    };
    let mail = of_failure(&failure, REGION);
    assert_eq!(mail.subject, "opendlm, BACKUPS MAY BE MISSING (AccessDenied): policy-1");
    for part in
        ["Policy:   policy-1", "Start:    2026-11-22T17:00:00Z", "It says: DescribeVolumes failed", "What to do: "]
    {
        assert!(mail.text.contains(part), "{}", mail.text);
    }
    let nameless = of_failure(&CouldNotGoOn { policy_id: None, start: None, ..failure }, None);
    assert!(nameless.text.contains("a policy that the event does not name"), "{}", nameless.text);
    assert!(
        nameless.text.contains("\nAll runs: opendlm runs\n") && !nameless.text.contains("AWS_REGION"),
        "{}",
        nameless.text
    );
}

#[test]
fn a_mail_names_the_commands_for_its_policy_in_its_region() {
    let mail = of_report(&partial(vec![all("CreateSnapshot", "NoTargets")]), REGION).unwrap();
    let to_type = "To type, signed in to the stack's account:\n\
        Region:   export AWS_REGION=eu-west-1\n\
        Run now:  opendlm start policy-0123456789abcdef0 --wait\n\
        Find out: opendlm doctor policy-0123456789abcdef0\n\
        Its runs: opendlm runs policy-0123456789abcdef0\n";
    assert!(mail.text.contains(to_type), "{}", mail.text);
    let waits = of_report(&partial(vec![all("DeleteSnapshot", "MaximumDeletions")]), REGION).unwrap();
    assert!(waits.text.contains("\nSee more: opendlm plan policy-0123456789abcdef0\nIts runs: "), "{}", waits.text);
}

#[test]
fn what_is_no_policy_id_gets_into_no_command() {
    let failure = |id: &str| CouldNotGoOn {
        policy_id: Some(id.to_owned()),
        start: None,
        error: "PolicyInvalid".to_owned(),
        cause: String::new(),
    };
    for id in ["policy-1; rm -rf .", "$(id)", "`id`", "policy-1\nopendlm delete policy-2", ""] {
        let text = of_failure(&failure(id), REGION).text;
        let (_, to_type) = text.split_once("AWS_REGION").unwrap();
        let typed: Vec<&str> = to_type.lines().filter(|line| line.contains("opendlm ")).collect();
        assert_eq!(typed, ["All runs: opendlm runs"], "{text}");
    }
}

proptest! {
    /// SNS API reference, Publish: a subject is ASCII text that begins with a letter, number or punctuation mark, has no line
    /// breaks or control characters, and is less than 100 characters long. A message has at most 256 KB.
    #[test]
    fn whatever_failed_sns_takes_the_mail(
        text in ".{0,300}",
        codes in proptest::collection::vec(".{0,40}", 0..60),
    ) {
        let failures = codes.iter().map(|code| FailureReport { code: code.clone(), ..failure(&text, &text) }).collect();
        let report = Report { policy_id: text.clone(), ..partial(failures) };
        let failure = CouldNotGoOn {
            policy_id: Some(text.clone()),
            start: None,
            error: text.clone(),
            cause: text,
        };
        for mail in [of_report(&report, REGION).unwrap(), of_failure(&failure, REGION)] {
            prop_assert!(mail.subject.len() < 100 && mail.subject.starts_with("opendlm"));
            prop_assert!(mail.subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert!(mail.text.len() < 100_000);
        }
    }
}
