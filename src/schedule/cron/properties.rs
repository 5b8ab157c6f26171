//! The calendar against the oracle, and what must hold for every expression and instant.

use super::oracle::Oracle;
use super::{CronError, CronExpression, minute_of, parse, spacing, timestamp};
use jiff::{SignedDuration, Timestamp, ToSpan, civil};
use proptest::prelude::*;
use proptest::sample::select;

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A value of a field as people write it: plain, with a leading zero, or by name in any case.
fn value(first: usize, last: usize, names: &'static [&'static str]) -> BoxedStrategy<String> {
    let number =
        (first..=last, any::<bool>()).prop_map(|(n, zero)| if zero { format!("{n:02}") } else { n.to_string() });
    if names.is_empty() {
        return number.boxed();
    }
    let name = select(names).prop_flat_map(|name| select(vec![name.to_owned(), name.to_lowercase()]));
    prop_oneof![number, name].boxed()
}

/// A value, a range or a step.
fn item(first: usize, last: usize, names: &'static [&'static str]) -> BoxedStrategy<String> {
    let value = move || value(first, last, names);
    let step = (1..=(last - first).min(40)).prop_map(|step| format!("/{step}"));
    let years = last == 2199;
    let range = (value(), value()).prop_map(move |(start, end)| match years && end < start {
        true => format!("{end}-{start}"),
        false => format!("{start}-{end}"),
    });
    if last == 7 {
        return prop_oneof![value(), range].boxed();
    }
    let start = prop_oneof![value(), range.clone(), Just("*".to_owned())];
    prop_oneof![value(), range, (start, step).prop_map(|(start, step)| start + &step)].boxed()
}

fn list(first: usize, last: usize, names: &'static [&'static str]) -> BoxedStrategy<String> {
    let items = prop::collection::vec(item(first, last, names), 1..4).prop_map(|items| items.join(","));
    prop_oneof![1 => Just("*".to_owned()), 2 => items].boxed()
}

/// The two day fields and the month between them.
fn days_and_month() -> BoxedStrategy<String> {
    let weekday = || value(1, 7, WEEKDAYS);
    let day_of_month = prop_oneof![
        3 => list(1, 31, &[]),
        1 => select(vec!["L", "LW", "l", "Lw"]).prop_map(str::to_owned),
        2 => (1..=31).prop_map(|day| format!("{day}W")),
    ];
    let day_of_week = prop_oneof![
        3 => list(1, 7, WEEKDAYS),
        1 => Just("L".to_owned()),
        1 => weekday().prop_map(|weekday| weekday + "L"),
        2 => (weekday(), 1..=5).prop_map(|(weekday, nth)| format!("{weekday}#{nth}")),
    ];
    let month = prop_oneof![1 => Just("*".to_owned()), 1 => list(1, 12, MONTHS)];
    (day_of_month, day_of_week, month, any::<bool>())
        .prop_map(|(of_month, of_week, month, by_week)| match by_week {
            true => format!("? {month} {of_week}"),
            false => format!("{of_month} {month} ?"),
        })
        .boxed()
}

fn expression_with(minute: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let years = prop_oneof![2 => Just("*".to_owned()), 1 => list(1970, 2199, &[])];
    (minute, list(0, 23, &[]), days_and_month(), years)
        .prop_map(|(minute, hour, days, year)| format!("cron({minute} {hour} {days} {year})"))
        .prop_filter("longer than DLM allows", |text| text.len() <= parse::LENGTH_MAX)
}

/// Any expression of the dialect, whatever its spacing.
fn any_expression() -> impl Strategy<Value = String> {
    expression_with(list(0, 59, &[]))
}

/// Mostly expressions whose spacing DLM accepts.
fn hourly_expression() -> impl Strategy<Value = String> {
    expression_with(value(0, 59, &[]))
}

/// Instants of 1968 to 2201, half of them within two days of the end of a month, to the nanosecond.
fn instant() -> impl Strategy<Value = Timestamp> {
    let anywhere = (1968_i16..=2201, 1_i8..=12, 0_i64..31 * 86_400);
    let month_end = (1968_i16..=2201, prop_oneof![Just(1_i8), Just(3_i8), 1_i8..=12], -172_800_i64..172_800);
    let midnight = (1968_i16..=2201, prop_oneof![Just(1_i8), Just(3_i8), 1_i8..=12], -2_i64..=2);
    (prop_oneof![anywhere, month_end, midnight], select(vec![0_i32, 0, 1, 999_999_999])).prop_map(
        |((year, month, seconds), nanoseconds)| {
            let month_start = timestamp(civil::date(year, month, 1).at(0, 0, 0, 0)).unwrap();
            month_start + SignedDuration::new(seconds, 0) + SignedDuration::new(0, nanoseconds)
        },
    )
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn second(t: Timestamp) -> i64 {
    i64::try_from(t.as_nanosecond().div_euclid(1_000_000_000)).unwrap()
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn the_nearest_times_are_those_of_the_oracle(text in any_expression(), t in instant()) {
        let (times, oracle) = (parse::parse(&text).unwrap(), Oracle::new(&text));
        let latest = times.last_at_or_before(minute_of(t)).and_then(timestamp);
        let next = times.first_at_or_after(minute_of(t) + 1.minute()).and_then(timestamp);
        prop_assert_eq!(latest.map(second), oracle.latest(second(t)), "latest");
        prop_assert_eq!(next.map(second), oracle.next(second(t)), "next");
    }

    #[test]
    fn no_time_lies_between_the_latest_and_the_next(text in hourly_expression(), t in instant()) {
        let Ok(expression) = CronExpression::parse(&text) else { return Ok(()) };
        let (latest, next) = (expression.latest_at_or_before(t), expression.next_after(t));
        prop_assert!(latest.is_none_or(|latest| latest <= t && latest.as_second() % 60 == 0));
        prop_assert!(next.is_none_or(|next| next > t && next.as_second() % 60 == 0));
        prop_assert!(latest.is_some() || next.is_some());
        if let Some(latest) = latest {
            prop_assert_eq!(expression.latest_at_or_before(latest), Some(latest));
            prop_assert_eq!(expression.next_after(latest), next);
        }
        if let Some(next) = next {
            prop_assert_eq!(expression.latest_at_or_before(next), Some(next));
            prop_assert_eq!(expression.latest_at_or_before(next - 1.nanosecond()), latest);
        }
        if let (Some(latest), Some(next)) = (latest, next) {
            let gap = next.duration_since(latest);
            prop_assert!(gap >= SignedDuration::from_hours(1) && gap <= SignedDuration::from_hours(24 * 371));
        }
    }

    #[test]
    fn later_instants_have_no_earlier_times(text in hourly_expression(), t in instant(), u in instant()) {
        let Ok(expression) = CronExpression::parse(&text) else { return Ok(()) };
        let (t, u) = (t.min(u), t.max(u));
        prop_assert!(expression.latest_at_or_before(t) <= expression.latest_at_or_before(u));
        let next = |t| expression.next_after(t).unwrap_or(Timestamp::MAX);
        prop_assert!(next(t) <= next(u));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,120}", blanks in "[ \t,?*LW#0-9/-]{0,40}") {
        let fields = format!("cron(0 0 {text} ? {blanks} *)");
        for text in [text, format!("cron({blanks})"), fields] {
            let _ = CronExpression::parse(&text).map_err(|error| error.to_string());
        }
    }

    #[test]
    fn no_field_makes_the_reader_panic(
        fields in prop::collection::vec(prop_oneof!["[?*LW#0-9,/A-Za-z-]{1,6}", "[0-9*?]", "[0-9]{1,4}"], 6),
        t in instant(),
    ) {
        if let Ok(expression) = CronExpression::parse(&format!("cron({})", fields.join(" "))) {
            prop_assert!(expression.latest_at_or_before(t).is_some() || expression.next_after(t).is_some());
        }
    }
}

proptest! {
    // The oracle looks at every day of 230 years.
    #![proptest_config(config(60))]

    #[test]
    fn the_verdict_on_the_spacing_is_that_of_the_oracle(
        text in prop_oneof![any_expression(), hourly_expression(), hourly_expression()],
    ) {
        let verdict = spacing::check(&parse::parse(&text).unwrap());
        let expected = match Oracle::new(&text).gaps() {
            None => Err(CronError::NeverFires),
            Some(gaps) => match (gaps.first(), gaps.last()) {
                (Some(&minutes), _) if minutes < 60 => Err(CronError::FiresTooOften { minutes }),
                (_, Some(&minutes)) if minutes > 371 * 1440 => Err(CronError::PausesTooLong { hours: minutes / 60 }),
                _ => Ok(()),
            },
        };
        prop_assert_eq!(verdict, expected);
    }
}
