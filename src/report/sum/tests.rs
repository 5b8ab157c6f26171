//! Tables and properties: what many reports come to.

use super::*;
use crate::place::{OneOf, PLACES_LISTED_MAX, Region, Role, RoleArn};
use proptest::prelude::*;

/// A report of a run in which nothing is worth a word.
pub(in crate::report) fn quiet() -> Report {
    Report {
        outcome: Some("SUCCEEDED"),
        summary: "2 of 2 due snapshots are complete".to_owned(),
        policy_id: "policy-0123456789abcdef0".to_owned(),
        start: "2026-11-22T17:00:00Z".to_owned(),
        account: None,
        region: None,
        turns: 3,
        dry_run: false,
        schedules: vec![due()],
        volumes: BTreeMap::from([("exists: Complete".to_owned(), 2)]),
        snapshots: BTreeMap::from([("keep: NewestOf".to_owned(), 6)]),
        created: 2,
        deleted: 1,
        counts: Counts { targeted: 2, completed: 2, ..Counts::default() },
        orphans: OrphanReport { snapshots: 1, without_schedule: 1, full_size_bytes: 8, ..OrphanReport::default() },
        cost: Cost { snapshots: 6, full_size_bytes: 6 << 30, ..Cost::default() }.told(),
        copies: vec![],
        stopped: 0,
        foreign: 0,
        failed: 0,
        failures: vec![],
        warnings: vec![],
        targets: vec![],
    }
}

fn due() -> ScheduleReport {
    ScheduleReport {
        name: "Default Schedule".to_owned(),
        due: "DUE".to_owned(),
        scheduled_time: Some("2026-11-22T17:00:00Z".to_owned()),
        next_scheduled_time: None,
        derived_start_time: None,
    }
}

pub(in crate::report) fn failure(resource: &str, message: &str) -> FailureReport {
    FailureReport {
        account: None,
        region: None,
        action: "CreateSnapshot".to_owned(),
        resource: resource.to_owned(),
        schedule: Some("Default Schedule".to_owned()),
        code: "InternalError".to_owned(),
        message: message.to_owned(),
        attempts: 2,
    }
}

fn split() -> Split {
    let Report { policy_id, start, dry_run, schedules, .. } = quiet();
    Split { policy_id, start, dry_run, schedules, warnings: vec!["of the event".to_owned()] }
}

fn place(account: u64, region: &str) -> Place {
    let arn = RoleArn::parse(&format!("arn:aws:iam::{account:012}:role/a")).unwrap();
    let role = (account > 0).then_some(Role { arn, external_id: None });
    Place { role, region: Region::parse(region).unwrap() }
}

fn told(report: &Report) -> Told {
    Told::Part(Box::new(Part::of(report, &[], OneOf { number: 0, of: 40 })))
}

fn refused() -> Told {
    Told::Failed { error: "AccessDenied".to_owned(), cause: "role a cannot be assumed".to_owned() }
}

fn summed(told: Vec<(Place, Told)>) -> Report {
    sum(Reports { split: split(), told })
}

#[track_caller]
fn check_outcome(outcomes: &[Option<&'static str>], expected: &str) {
    let told = outcomes.iter().zip(1..).map(|(&outcome, account)| {
        let told = if outcome.is_some() { told(&Report { outcome, ..quiet() }) } else { refused() };
        (place(account, "eu-west-1"), told)
    });
    assert_eq!(summed(told.collect()).outcome, Some(expected), "{outcomes:?}");
}

#[test]
fn the_outcome_is_the_worst_but_for_those_who_had_nothing_to_do() {
    let (ok, partial, skipped, failed) = (Some("SUCCEEDED"), Some("PARTIAL"), Some("SKIPPED"), None);
    check_outcome(&[ok], "SUCCEEDED");
    check_outcome(&[ok, skipped], "SUCCEEDED");
    check_outcome(&[skipped, skipped], "SKIPPED");
    check_outcome(&[ok, partial, skipped], "PARTIAL");
    check_outcome(&[skipped, failed], "PARTIAL");
    check_outcome(&[ok, failed, ok], "PARTIAL");
    check_outcome(&[failed], "PARTIAL");
    check_outcome(&[ok, Some("WHATEVER")], "PARTIAL");
}

#[test]
fn a_part_that_counts_or_names_failures_is_no_success_whatever_it_says() {
    let named = Report { failures: vec![failure("vol-1", "no")], ..quiet() };
    for lying in [Report { failed: 3, ..quiet() }, named, Report { outcome: Some("SKIPPED"), failed: 1, ..quiet() }] {
        let sum = summed(vec![(place(1, "eu-west-1"), told(&lying))]);
        assert_eq!((sum.outcome, sum.targets[0].outcome), (Some("PARTIAL"), "PARTIAL"), "{lying:?}");
    }
}

#[test]
fn counts_are_added_and_failures_say_where() {
    let bad = Report {
        outcome: Some("PARTIAL"),
        failed: 1,
        failures: vec![failure("vol-1", "no")],
        warnings: vec!["vol-2: left out".to_owned()],
        stopped: 4,
        ..quiet()
    };
    let sum = summed(vec![(place(2, "us-east-1"), told(&bad)), (place(0, "eu-west-1"), told(&quiet()))]);
    assert_eq!((sum.created, sum.deleted, sum.failed, sum.turns, sum.stopped), (4, 2, 1, 6, 4));
    assert_eq!((sum.orphans.snapshots, sum.orphans.full_size_bytes), (2, 16));
    assert_eq!((sum.volumes["exists: Complete"], sum.snapshots["keep: NewestOf"]), (4, 12));
    assert_eq!(sum.schedules, [due()]);
    let [failed] = &sum.failures[..] else { panic!("{sum:?}") };
    assert_eq!((failed.account.as_deref(), failed.region.as_deref()), (Some("000000000002"), Some("us-east-1")));
    assert_eq!(sum.warnings, ["of the event", "account 000000000002 in us-east-1: vol-2: left out"]);
    let outcomes: Vec<_> = sum.targets.iter().map(|t| (t.account.as_deref(), t.region.as_str(), t.outcome)).collect();
    assert_eq!(outcomes, [(None, "eu-west-1", "SUCCEEDED"), (Some("000000000002"), "us-east-1", "PARTIAL")]);
    assert_eq!(
        sum.summary,
        "2 targets; 1 succeeded; 1 not all done: account 000000000002 in us-east-1; 4 made and 2 deleted in this run; \
         backups of 4 volumes have stopped; 1 failed: CreateSnapshot vol-1 (InternalError: no)"
    );
}

#[test]
fn a_target_that_failed_altogether_is_named_with_its_error() {
    let sum = summed(vec![(place(1, "eu-west-1"), told(&quiet())), (place(2, "eu-west-1"), refused())]);
    assert_eq!((sum.outcome, sum.failed, sum.created), (Some("PARTIAL"), 1, 2));
    let [failed] = &sum.failures[..] else { panic!("{sum:?}") };
    assert_eq!((failed.action.as_str(), failed.code.as_str()), ("Run", "AccessDenied"));
    assert_eq!(failed.resource, "arn:aws:iam::000000000002:role/a");
    assert_eq!(
        sum.summary,
        "2 targets; 1 succeeded; 1 failed: account 000000000002 in eu-west-1; 2 made and 1 deleted in this run; \
         1 failed: Run arn:aws:iam::000000000002:role/a (AccessDenied: role a cannot be assumed)"
    );
}

#[test]
fn forty_targets_that_all_fail_are_all_named_and_the_answer_stays_small() {
    let long = Told::Failed { error: "Unavailable".to_owned(), cause: "c".repeat(16_000) };
    let all: Vec<_> = (1..=40).map(|account| (place(account, "ap-southeast-1"), long.clone())).collect();
    let sum = summed(all);
    assert_eq!((sum.targets.len(), sum.failures.len(), sum.failed), (40, 40, 40));
    for account in 1..=40 {
        assert!(sum.summary.contains(&format!("account {account:012} in ap-southeast-1")), "{account}");
    }
    assert!(sum.summary.chars().count() <= SUMMARY_LENGTH_MAX);
    assert!(serde_json::to_vec(&sum).unwrap().len() < 100_000);
}

#[test]
fn as_many_targets_as_a_list_names_make_an_answer_that_stays_small() {
    let of = u32::try_from(PLACES_LISTED_MAX).unwrap();
    let one = OneOf { number: 0, of };
    let busy = Report {
        outcome: Some("PARTIAL"),
        failed: 90,
        failures: vec![failure("vol-1", &"m".repeat(500)); 50],
        ..quiet()
    };
    let part = Told::Part(Box::new(Part::of(&busy, &[], one)));
    let failed = Told::Failed { error: "Unavailable".to_owned(), cause: "c".repeat(one.error_length_max()) };
    let all = (1..=of.into()).map(|account| {
        (place(account, "ap-southeast-1"), if account % 2 == 0 { part.clone() } else { failed.clone() })
    });
    let sum = summed(all.collect());
    assert_eq!((sum.targets.len(), sum.failures.len(), sum.failed), (200, FAILURES_LISTED_MAX, 100 + 100 * 90));
    assert!(sum.summary.starts_with("200 targets; 100 not all done: account 000000000002 in ap-southeast-1, "));
    assert!(sum.summary.contains(" and 60 more; 100 failed: "), "{}", sum.summary);
    assert!(sum.summary.chars().count() <= SUMMARY_LENGTH_MAX);
    assert!(serde_json::to_vec(&sum).unwrap().len() < 150_000);
}

#[test]
fn those_that_failed_altogether_come_before_the_failures_of_others() {
    let busy = Report { failed: 90, failures: vec![failure("vol-1", "no"); 50], ..quiet() };
    let mut all: Vec<_> = (1..=30).map(|account| (place(account, "eu-west-1"), told(&busy))).collect();
    all.push((place(31, "eu-west-1"), refused()));
    let sum = summed(all);
    assert_eq!(sum.failures.len(), FAILURES_LISTED_MAX);
    assert_eq!((sum.failures[0].action.as_str(), sum.failed), ("Run", 30 * 90 + 1));
}

prop_compose! {
    /// A report that is small enough to be told whole.
    fn a_report()(
        outcome in prop::sample::select(vec!["SUCCEEDED", "PARTIAL", "SKIPPED"]),
        numbers in prop::array::uniform4(prop_oneof![Just(0), 0..1000_u64]),
        failures in prop::collection::vec("vol-[0-9a-f]{1,8}", 0..4),
        warnings in prop::collection::vec("[a-z ]{1,30}", 0..3),
        kinds in prop::collection::btree_map("keep: [A-Z][a-z]{1,8}", 0..100_usize, 0..6),
    ) -> Report {
        let [created, deleted, failed, bytes] = numbers;
        // A report that counts a failure is never one of a success.
        let outcome = if failed > 0 || !failures.is_empty() { "PARTIAL" } else { outcome };
        Report {
            outcome: Some(outcome),
            created,
            deleted,
            failed,
            failures: failures.iter().map(|resource| failure(resource, "no")).collect(),
            warnings,
            snapshots: kinds,
            orphans: OrphanReport { full_size_bytes: bytes, ..OrphanReport::default() },
            ..quiet()
        }
    }
}

fn any_told() -> impl Strategy<Value = Told> {
    prop_oneof![4 => a_report().prop_map(|report| told(&report)), 1 => Just(refused())]
}

proptest! {
    #[test]
    fn the_sum_of_one_report_is_that_report_but_for_names(report in a_report()) {
        let mut sum = summed(vec![(place(1, "eu-west-1"), told(&report))]);
        prop_assert_eq!(sum.targets.len(), 1);
        sum.targets.clear();
        for failure in &mut sum.failures {
            (failure.account, failure.region) = (None, None);
        }
        let warnings: Vec<String> = sum.warnings.iter().skip(1).map(|text| text.replace("account 000000000001 in eu-west-1: ", "")).collect();
        prop_assert_eq!(&warnings, &report.warnings);
        let (summary, warnings) = (report.summary.clone(), report.warnings.clone());
        prop_assert_eq!(Report { summary, warnings, ..sum }, report);
    }

    #[test]
    fn the_order_of_the_parts_does_not_matter(
        all in prop::collection::vec(any_told(), 1..12),
        seed in any::<prop::sample::Index>(),
    ) {
        let named: Vec<_> = all.into_iter().zip(0..).map(|(told, account)| (place(account, "eu-west-1"), told)).collect();
        let mut turned = named.clone();
        turned.rotate_left(seed.index(named.len()));
        let mut reversed = named.clone();
        reversed.reverse();
        let sum = summed(named);
        prop_assert_eq!(&summed(turned), &sum);
        prop_assert_eq!(summed(reversed), sum);
    }

    #[test]
    fn no_count_is_lost(all in prop::collection::vec(any_told(), 1..40)) {
        let part = |told: &Told| match told { Told::Failed { .. } => None, Told::Part(part) => Some(part.clone()) };
        let parts: Vec<_> = all.iter().filter_map(part).collect();
        let sum = summed(all.iter().cloned().zip(1..).map(|(told, account)| (place(account, "eu-west-1"), told)).collect());
        prop_assert_eq!(sum.created, parts.iter().map(|part| part.created).sum::<u64>());
        let altogether = u64::try_from(all.len() - parts.len()).unwrap();
        prop_assert_eq!(sum.failed, parts.iter().map(|part| part.failed).sum::<u64>() + altogether);
        prop_assert!(sum.failures.len() <= FAILURES_LISTED_MAX);
    }
}
