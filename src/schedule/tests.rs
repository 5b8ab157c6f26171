use super::*;
use crate::policy::StartTimeOrigin;
use jiff::SignedDuration;
use proptest::prelude::*;

fn every(hours: u8, minute_of_day: u16) -> CreateRule {
    let at = StartTime { minute_of_day, origin: StartTimeOrigin::Given };
    CreateRule::Interval { hours: IntervalHours::new(hours).unwrap(), at }
}

#[track_caller]
fn check(rule: &CreateRule, t: &str, latest: &str, next: &str) {
    let time = |text: &str| Some(text.parse::<Timestamp>().unwrap());
    let t = t.parse().unwrap();
    assert_eq!((latest_at_or_before(rule, t), next_after(rule, t)), (time(latest), time(next)));
}

#[test]
fn interval_slots_are_the_same_clock_times_every_day() {
    // E29: every 12 hours with 17:30 is 05:30 and 17:30.
    let rule = every(12, 17 * 60 + 30);
    check(&rule, "2026-11-22T05:29:59Z", "2026-11-21T17:30:00Z", "2026-11-22T05:30:00Z");
    check(&rule, "2026-11-22T05:30:00Z", "2026-11-22T05:30:00Z", "2026-11-22T17:30:00Z");
    check(&rule, "2026-11-22T17:30:00.5Z", "2026-11-22T17:30:00Z", "2026-11-23T05:30:00Z");
    // The sample policy.
    let rule = every(24, 17 * 60);
    check(&rule, "2026-11-22T16:59:59.999Z", "2026-11-21T17:00:00Z", "2026-11-22T17:00:00Z");
    check(&rule, "2026-12-31T17:00:00Z", "2026-12-31T17:00:00Z", "2027-01-01T17:00:00Z");
    // Before 1970, where rounding towards zero would be forward.
    check(&rule, "1969-12-31T16:59:59.5Z", "1969-12-30T17:00:00Z", "1969-12-31T17:00:00Z");
    check(&every(1, 1439), "1969-12-31T23:59:00Z", "1969-12-31T23:59:00Z", "1970-01-01T00:59:00Z");
}

#[test]
fn a_cron_rule_answers_with_the_times_of_its_expression() {
    let rule = CreateRule::Cron(cron::CronExpression::parse("cron(0 17 ? * FRI *)").unwrap());
    check(&rule, "2026-11-22T00:00:00Z", "2026-11-20T17:00:00Z", "2026-11-27T17:00:00Z");
}

#[test]
fn there_is_no_slot_beyond_what_a_timestamp_holds() {
    for rule in IntervalHours::ALLOWED.into_iter().flat_map(|hours| [every(hours, 0), every(hours, 1439)]) {
        assert!(latest_at_or_before(&rule, Timestamp::MIN).is_none_or(|t| t == Timestamp::MIN));
        assert!(next_after(&rule, Timestamp::MIN).is_some_and(|t| t > Timestamp::MIN));
        assert!(latest_at_or_before(&rule, Timestamp::MAX).is_some_and(|t| t <= Timestamp::MAX));
        assert_eq!(next_after(&rule, Timestamp::MAX), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn interval_slots_are_those_that_a_clock_shows(
        hours in proptest::sample::select(&IntervalHours::ALLOWED[..]),
        minute_of_day in 0_u16..1440,
        second in -10_000_000_000_i64..10_000_000_000,
        nanosecond in proptest::sample::select(vec![0, 1, 999_999_999]),
    ) {
        let rule = every(hours, minute_of_day);
        let is_slot = |minute: i64| (minute - i64::from(minute_of_day)) % (i64::from(hours) * 60) == 0;
        let minute = second.div_euclid(60);
        let t = Timestamp::from_second(second).unwrap() + SignedDuration::new(0, nanosecond);
        let latest = (0..).map(|minutes| minute - minutes).find(|&minute| is_slot(minute));
        let next = (1..).map(|minutes| minute + minutes).find(|&minute| is_slot(minute));
        let time = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        prop_assert_eq!(latest_at_or_before(&rule, t), latest.map(time));
        prop_assert_eq!(next_after(&rule, t), next.map(time));
    }
}
