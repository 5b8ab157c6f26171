//! That a part is small whatever the report holds, and whole where there is room.

use super::*;
use crate::event::json_length;
use crate::report::FAILURES_LISTED_MAX;
use crate::report::sum::tests::{failure, quiet};
use proptest::prelude::*;

#[test]
fn a_small_report_is_told_whole() {
    let warnings = vec!["of the event".to_owned(), "vol-1: left out".to_owned()];
    let report = Report { failures: vec![failure("vol-1", "no")], failed: 1, warnings, ..quiet() };
    let part = Part::of(&report, &["of the event".to_owned()], OneOf { number: 7, of: 40 });
    assert_eq!(part.number, 7);
    assert_eq!(part.failures, report.failures);
    assert_eq!((part.outcome.as_str(), part.failed, part.created), ("SUCCEEDED", 1, 2));
    assert_eq!(part.warnings, ["vol-1: left out"]);
}

#[test]
fn the_first_failures_find_room_and_all_are_counted() {
    let failures: Vec<_> = (0..FAILURES_LISTED_MAX).map(|n| failure(&format!("vol-{n}"), &"m".repeat(1000))).collect();
    let part =
        Part::of(&Report { failures: failures.clone(), failed: 5000, ..quiet() }, &[], OneOf { number: 0, of: 40 });
    assert_eq!(part.failed, 5000);
    assert!((3..FAILURES_LISTED_MAX).contains(&part.failures.len()), "{}", part.failures.len());
    for (told, full) in part.failures.iter().zip(&failures) {
        assert_eq!((&told.resource, told.message.len()), (&full.resource, MESSAGE_LENGTH_MAX));
    }
}

proptest! {
    #[test]
    fn a_part_is_never_longer_than_its_share(
        text in ".{0,600}",
        kinds in 0..200_usize,
        failures in 0..60_usize,
        number: usize,
        of in 1..=200_u32,
    ) {
        let counts: BTreeMap<String, usize> = (0..kinds).map(|n| (format!("keep: Kind{n}"), number)).collect();
        let many = u64::try_from(number).unwrap();
        let report = Report {
            summary: text.clone(),
            volumes: counts.clone(),
            snapshots: counts,
            created: many,
            deleted: many,
            turns: u32::MAX,
            failed: many,
            failures: (0..failures).map(|_| failure(&text, &text)).collect(),
            warnings: vec![text; failures],
            ..quiet()
        };
        let one_of = OneOf { number: of - 1, of };
        let part = Part::of(&report, &[], one_of);
        prop_assert!(json_length(&part) <= one_of.part_length_max());
        prop_assert_eq!((part.created, part.failed), (report.created, report.failed));
        let read: Part = serde_json::from_value(serde_json::to_value(&part).unwrap()).unwrap();
        prop_assert_eq!(read, part);
    }
}
