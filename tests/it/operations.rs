//! The runbook tells of every way to fail that the code names: its codes, outcomes, errors and alarms.

use opendlm::report::mail::advice;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What a file calls by a name, as in `"SnapshotFailed"`: its string literals that are one word with capitals, tests aside.
fn names(path: &str) -> BTreeSet<String> {
    let source = text(path);
    let code = source.split("\n#[cfg(test)]\n").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let literals = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    let is_name = |literal: &&str| {
        literal.starts_with(|c: char| c.is_ascii_uppercase())
            && literal.len() > 3
            && literal.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
            && literal.chars().any(|c| c.is_ascii_lowercase())
    };
    literals.filter(is_name).map(str::to_owned).collect()
}

/// What these files name beside codes: EC2's actions, and names of the code itself.
const NO_CODES: [&str; 6] =
    ["CreateSnapshot", "CreateSnapshots", "DeleteSnapshot", "Describe", "DescribeSnapshots", "Run"];

fn known() -> BTreeSet<String> {
    advice::codes().map(str::to_owned).collect()
}

#[track_caller]
fn check_known(path: &str, wanted: impl Fn(&str) -> bool) {
    let known = known();
    let found: Vec<String> = names(path).into_iter().filter(|name| wanted(name)).collect();
    assert!(found.len() > 1, "{path} names {found:?}");
    let unknown: Vec<&String> = found.iter().filter(|name| !known.contains(*name)).collect();
    assert!(unknown.is_empty(), "{path} names failures without advice in src/report/mail/advice/: {unknown:?}");
}

#[test]
fn everything_that_a_run_can_fail_with_has_advice() {
    check_known("src/report/failures.rs", |name| !NO_CODES.contains(&name));
    check_known("src/aws/failure/codes.rs", |name| !name.ends_with('.'));
    check_known("src/aws/failure.rs", |name| {
        ["BadAnswer", "NoConnection", "NoCredentials", "NotSent", "Timeout"].contains(&name)
    });
}

#[test]
fn the_names_that_do_not_stand_where_the_others_do_have_advice() {
    let known = known();
    // words::fail_kind, aws/failure/roles.rs, aws/apply.rs, event/reports.rs, and the machine's own.
    for (path, code) in [
        ("src/report/words.rs", "NoVolumeLeft"),
        ("src/report/words.rs", "TooManyExclusions"),
        ("src/aws/failure/roles.rs", "RoleNotAssumed"),
        ("src/aws/apply.rs", "NotOurs"),
        ("src/event/reports.rs", "NoReport"),
        ("src/report/copies.rs", "CopyMissed"),
        ("src/report/copies.rs", "CopyFailed"),
        ("src/report/copies.rs", "CopiesFail"),
        ("src/report/copies.rs", "CopiesInDoubt"),
        ("src/report/copies.rs", "CopiesOpen"),
        ("src/report/copies.rs", "CopyNotOurs"),
        ("src/report/copies.rs", "SourceArchived"),
        ("src/plan/copies.rs", "SameRegion"),
        ("src/plan/copies.rs", "NotAsked"),
        ("statemachine/opendlm.asl.json", "UnexpectedAnswer"),
    ] {
        assert!(text(path).contains(&format!("\"{code}\"")) && known.contains(code), "{code}");
    }
    for code in ["AccessDenied", "PolicyInvalid", "Throttled", "Unavailable"] {
        assert!(text("src/answer.rs").contains(&format!("=> \"{code}\"")) && known.contains(code), "{code}");
    }
}

#[test]
fn every_code_and_outcome_stands_in_the_runbook() {
    let runbook = text("docs/operations.md");
    let outcomes = ["SUCCEEDED", "SKIPPED", "PARTIAL", "FAILED", "Partial"].map(str::to_owned);
    let missing: Vec<String> =
        known().into_iter().chain(outcomes).filter(|code| !runbook.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/operations.md does not tell of {missing:?}");
}

#[test]
fn every_error_that_the_machine_tries_again_stands_in_the_runbook() {
    let runbook = text("docs/operations.md");
    let machine = text("statemachine/opendlm.asl.json");
    let errors: BTreeSet<&str> = machine
        .split('"')
        .filter(|word| ["Lambda.", "Runtime.", "Sandbox."].iter().any(|prefix| word.starts_with(prefix)))
        .filter(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'))
        .collect();
    assert!(errors.len() > 5, "{errors:?}");
    for error in errors {
        assert!(runbook.contains(&format!("`{error}`")) && known().contains(error), "{error}");
    }
}

#[test]
fn every_alarm_and_every_headline_stands_in_the_runbook() {
    let runbook = text("docs/operations.md");
    let template = text("template.yaml");
    let alarms: Vec<&str> = template
        .lines()
        .filter_map(|line| line.trim().strip_suffix("Alarm:"))
        .filter(|name| !name.contains(' '))
        .collect();
    assert_eq!(alarms.len(), 5, "{alarms:?}");
    for alarm in alarms {
        assert!(runbook.contains(&format!("`{alarm}Alarm`")), "{alarm}Alarm");
    }
    for headline in [
        "BACKUPS MISSING",
        "BACKUPS MAY BE MISSING",
        "only clean-up failed",
        "no hurry, deletions wait for your consent",
        "nothing to do now, one time was missed",
        "nothing to do, it is tried again",
    ] {
        let code = text("src/report/mail.rs") + &text("src/report/mail/verdict.rs");
        assert!(runbook.contains(headline) && code.contains(headline), "{headline}");
    }
}
