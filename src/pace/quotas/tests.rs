//! What lists of quotas come to, as tables.

use super::*;

/// A list of quotas: `name = value`, a refill rate with the period that EC2 gives it.
fn read(list: &[(&str, f64)]) -> Quotas {
    let mut quotas = Quotas::default();
    for &(name, value) in list {
        let period = name.contains("refill").then_some((1, "SECOND"));
        quotas.note(Quota { name, value: Some(value), period });
    }
    quotas
}

/// The capacity and the refill rate of an action.
fn limit_of(quotas: &Quotas, wanted: &str) -> (u32, u32) {
    let limits = quotas.limits();
    let (_, limit) = limits.iter().find(|(api, _)| api.name() == wanted).unwrap();
    (limit.capacity().get(), limit.refill_per_second().get())
}

/// What CreateSnapshot's two quotas come to.
#[track_caller]
fn check(capacity: f64, refill: f64, expected: (u32, u32)) {
    let list = [
        ("CreateSnapshot request bucket maximum capacity", capacity),
        ("CreateSnapshot request bucket refill rate", refill),
    ];
    assert_eq!(limit_of(&read(&list), "CreateSnapshot"), expected, "{capacity} and {refill}");
}

#[test]
fn a_quota_is_the_limit_whether_it_is_more_or_less_than_documented() {
    check(100.0, 5.0, (100, 5));
    check(200.0, 50.0, (200, 50));
    check(100.0, 20.0, (100, 20));
    check(40.0, 2.0, (40, 2));
    check(1.0, 1.0, (1, 1));
}

#[test]
fn part_of_a_token_is_no_call_but_one_is_always_left() {
    check(150.9, 7.9, (150, 7));
    check(0.5, 0.3, (1, 1));
}

#[test]
fn a_number_that_cannot_be_meant_leaves_both_documented_ones() {
    for absurd in [0.0, -0.0, -5.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -f64::MIN_POSITIVE] {
        check(absurd, 50.0, (100, 5));
        check(200.0, absurd, (100, 5));
    }
    check(3_200.0, 160.0, (3_200, 160));
    check(3_201.0, 160.0, (100, 5));
    check(3_200.0, 160.5, (100, 5));
}

#[test]
fn the_slowest_pace_of_the_largest_quota_is_no_faster_than_the_documented_one() {
    let largest = Api::CreateSnapshot.documented().refill_per_second().get() * TIMES_DOCUMENTED_MAX;
    let slowest = largest * u32::from(Rate::SLOWEST.thousandths());
    assert!(
        slowest <= Api::CreateSnapshot.documented().refill_per_second().get() * u32::from(Rate::WHOLE.thousandths())
    );
}

#[test]
fn a_number_that_is_not_listed_is_the_documented_one() {
    let refill = read(&[("CreateSnapshot request bucket refill rate", 20.0)]);
    assert_eq!(limit_of(&refill, "CreateSnapshot"), (100, 20));
    let capacity = read(&[("DeleteSnapshot request bucket maximum capacity", 300.0)]);
    assert_eq!(limit_of(&capacity, "DeleteSnapshot"), (300, 5));
    assert_eq!(read(&[]).limits(), ByApi::of(Api::documented));
    let mut without_a_value = Quotas::default();
    without_a_value.note(Quota { name: "CreateSnapshot request bucket refill rate", value: None, period: None });
    assert_eq!(without_a_value.limits(), ByApi::of(Api::documented));
}

#[test]
fn a_rate_that_is_not_one_of_a_second_cannot_be_meant() {
    let rate = |period| {
        let mut quotas = Quotas::default();
        quotas.note(Quota { name: "CreateSnapshot request bucket refill rate", value: Some(20.0), period });
        limit_of(&quotas, "CreateSnapshot").1
    };
    assert_eq!([rate(None), rate(Some((1, "SECOND")))], [20, 20]);
    assert_eq!([rate(Some((60, "SECOND"))), rate(Some((1, "MINUTE"))), rate(Some((1, "")))], [5, 5, 5]);
}

#[test]
fn case_and_spacing_of_a_name_do_not_matter() {
    for name in [
        "CreateSnapshot request bucket refill rate",
        "createsnapshot Request Bucket Refill Rate",
        "  CREATESNAPSHOT\trequest  bucket\u{a0}refill rate ",
    ] {
        assert_eq!(limit_of(&read(&[(name, 20.0)]), "CreateSnapshot"), (100, 20), "{name}");
    }
}

#[test]
fn what_looks_alike_is_another_quota() {
    for name in [
        "",
        " ",
        "CreateSnapshot",
        "CreateSnapshot request bucket",
        "CreateSnapshotsX request bucket refill rate",
        "CopyImage request bucket refill rate",
        "DescribeSnapshots unfiltered request bucket refill rate",
        "DescribeSnapshotTierStatus request bucket refill rate",
        "CreateSnapshot resource bucket refill rate",
        "CreateSnapshot request bucket refill rate per volume",
        "request bucket refill rate",
        "Running Dedicated m5d Hosts",
        "All F Spot Instance Requests",
    ] {
        assert_eq!(read(&[(name, 20.0)]), Quotas::default(), "{name}");
    }
    let of_sets = read(&[("CreateSnapshots request bucket refill rate", 20.0)]);
    assert_eq!((limit_of(&of_sets, "CreateSnapshot"), limit_of(&of_sets, "CreateSnapshots")), ((100, 5), (100, 20)));
}

#[test]
fn of_a_quota_that_stands_there_twice_the_smaller_number_counts() {
    let name = "CreateSnapshot request bucket refill rate";
    for twice in [[20.0, 10.0], [10.0, 20.0]] {
        assert_eq!(limit_of(&read(&twice.map(|value| (name, value))), "CreateSnapshot"), (100, 10));
    }
    for odd in [[20.0, 0.0], [0.0, 20.0]] {
        assert_eq!(limit_of(&read(&odd.map(|value| (name, value))), "CreateSnapshot"), (100, 5));
    }
}

#[test]
fn every_action_has_its_quotas_and_then_the_list_is_read() {
    let mut quotas = Quotas::default();
    let actions = Api::ALL;
    assert_eq!(quotas.unsaid(), actions);
    for action in actions {
        assert!(!quotas.is_complete());
        for (number, value) in [("maximum capacity", 250.0), ("refill rate", 25.0)] {
            quotas.note(Quota { name: &format!("{action} request bucket {number}"), value: Some(value), period: None });
        }
        assert_eq!(limit_of(&quotas, action.name()), (250, 25));
    }
    assert!(quotas.is_complete() && quotas.unsaid().is_empty());
    quotas.note(Quota { name: "CreateSnapshot request bucket refill rate", value: Some(-1.0), period: None });
    assert_eq!(quotas.unsaid(), [Api::CreateSnapshot]);
}

#[test]
fn service_quotas_is_asked_once_a_day_and_left_in_peace_when_it_does_not_answer() {
    let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
    let mut asking = Asking::default();
    assert!(asking.is_due(at(0)));
    asking.settled(at(0));
    assert_eq!([0, 86_399, 86_400].map(|seconds| asking.is_due(at(seconds))), [false, false, true]);
    assert!(asking.is_due(at(-1)), "the clock was wrong");
    asking.unanswered(at(0));
    assert_eq!([0, 599, 600].map(|seconds| asking.is_due(at(seconds))), [false, false, true]);
    asking.settled(Timestamp::MAX);
    assert!(asking.is_due(at(0)), "better once too often than never");
}
