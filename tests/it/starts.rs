//! What `starts` promises, over 400 days, for generated policies and for those that people published.
//!
//! The starts are counted by a reader of cron expressions of its own, which knows nothing of the library.

use crate::policies::{published, say};
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use opendlm::options::Options;
use opendlm::policy::decode::{self, IdRule};
use opendlm::policy::{CreateRule, Policy};
use opendlm::schedule;
use opendlm::starts::{Start, StartsError, starts};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;

/// A year and some, so that each day of a year and a leap day beside it are in it.
const DAYS: i32 = 400;

/// Minutes since 1970.
type Minute = i64;

fn minute(time: Timestamp) -> Minute {
    time.as_second().div_euclid(60)
}

/// The scheduled times of a policy from `first` on.
fn scheduled(policy: &Policy, first: Date) -> BTreeSet<Minute> {
    let begin = Offset::UTC.to_timestamp(first.at(0, 0, 0, 0)).unwrap();
    let end = Offset::UTC.to_timestamp((first + DAYS.days()).at(0, 0, 0, 0)).unwrap();
    let times = policy.schedules.iter().flat_map(|each| {
        let next = |&time: &Timestamp| schedule::next_after(&each.create, time);
        std::iter::successors(schedule::next_after(&each.create, begin - 1.second()), next)
            .take_while(|&time| time < end)
    });
    times.map(minute).collect()
}

/// When an expression starts, from `first` on and a minute longer.
fn started(start: &Start, first: Date) -> Vec<Minute> {
    let fields = start.expression.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')).unwrap();
    let fields: Vec<&str> = fields.split(' ').collect();
    let [minutes, hours, of_month, months, of_week, years] = fields[..] else { panic!("{}", start.expression) };
    let lists = |field: &str, value: i32| field == "*" || field.split(',').any(|item| item.parse::<i32>() == Ok(value));
    let mut all = Vec::new();
    for day in (0..=DAYS).map(|days| first + days.days()) {
        let is_of_year = years.split(',').any(|item| is_year(item, day.year().into()));
        let is_day = if of_week == "?" { is_day_of_month(of_month, day) } else { is_day_of_week(of_week, day) };
        assert!((of_month == "?") != (of_week == "?"), "{}", start.expression);
        if !is_of_year || !is_day || !lists(months, day.month().into()) {
            continue;
        }
        for hour in (0_i8..24).filter(|&hour| lists(hours, hour.into())) {
            let minutes = (0_i8..60).filter(|&minute| lists(minutes, minute.into()));
            all.extend(minutes.map(|minute| day.at(hour, minute, 0, 0)));
        }
    }
    let end: DateTime = (first + DAYS.days()).at(0, 0, 0, 0);
    let timestamp = |time| Offset::UTC.to_timestamp(time).unwrap();
    all.into_iter().filter(|time| *time <= end).map(|time| minute(timestamp(time))).collect()
}

/// As EventBridge documents the years: values, ranges, steps.
fn is_year(item: &str, year: i32) -> bool {
    let (range, step) = item.split_once('/').map_or((item, 1), |(range, step)| (range, step.parse().unwrap()));
    let number = |text: &str| text.parse::<i32>().unwrap();
    let (from, to) = match range.split_once('-') {
        Some((from, to)) => (number(from), number(to)),
        None if range == "*" => (1970, 2199),
        None => (number(range), if item.contains('/') { 2199 } else { number(range) }),
    };
    (from..=to).contains(&year) && (year - from) % step == 0
}

fn is_day_of_month(field: &str, day: Date) -> bool {
    let last = day.last_of_month();
    let is_workday = |day: Date| day.weekday().to_monday_one_offset() <= 5;
    match field.strip_suffix('W') {
        Some("L") => (0..7).map(|back| last - back.days()).find(|&day| is_workday(day)) == Some(day),
        Some(number) => {
            let number: i8 = number.parse().unwrap();
            let Ok(wanted) = Date::new(day.year(), day.month(), number) else { return false };
            // The nearest one in the month; at equal distance there is none, since a weekend has two days.
            let near = [0, -1, 1, -2, 2].map(|days| wanted + days.days());
            near.into_iter().find(|&near| near.month() == wanted.month() && is_workday(near)) == Some(day)
        }
        None if field == "L" => day == last,
        None => field == "*" || field.split(',').any(|item| item.parse::<i8>() == Ok(day.day())),
    }
}

fn is_day_of_week(field: &str, day: Date) -> bool {
    let names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    let number = day.weekday().to_sunday_one_offset();
    if let Some((weekday, nth)) = field.split_once('#') {
        return weekday.parse() == Ok(number) && nth.parse() == Ok((day.day() - 1) / 7 + 1);
    }
    if let Some(weekday) = field.strip_suffix('L') {
        return weekday.parse() == Ok(number) && day.day() + 7 > day.days_in_month();
    }
    field.split(',').any(|item| item == names[usize::try_from(number - 1).unwrap()])
}

/// Whether the promises hold from `first` on; an error says which does not.
fn held(policy: &Policy, starts: &[Start], first: Date) -> Result<(), String> {
    let scheduled = scheduled(policy, first);
    let mut taken = BTreeSet::new();
    for start in starts {
        assert!(start.expression.len() <= 256);
        for minute in started(start, first) {
            if !taken.insert(minute) {
                return Err(format!("two starts at minute {minute}: {starts:?}"));
            }
        }
    }
    if policy.schedules.iter().any(|schedule| schedule.create == CreateRule::OnStart) {
        let days = usize::try_from(DAYS).unwrap();
        let is_daily = starts.len() == 1 && (days..=days + 1).contains(&taken.len());
        return if is_daily { Ok(()) } else { Err(format!("{} starts in {DAYS} days", taken.len())) };
    }
    if let Some(missed) = scheduled.iter().find(|&minute| !taken.contains(minute) && !taken.contains(&(minute + 1))) {
        return Err(format!("minute {missed} is not met: {starts:?}"));
    }
    let begin = minute(Offset::UTC.to_timestamp(first.at(0, 0, 0, 0)).unwrap());
    // Of the first and the last minute, the time that it meets is outside of what was listed.
    let inside = taken.iter().filter(|&&minute| minute > begin && minute < begin + i64::from(DAYS) * 1440);
    match inside.copied().find(|minute| !scheduled.contains(minute) && !scheduled.contains(&(minute - 1))) {
        Some(idle) => Err(format!("the start at minute {idle} meets nothing: {starts:?}")),
        None => Ok(()),
    }
}

fn of_rules(rules: &[Value]) -> Option<Policy> {
    let schedule = |(number, rule): (usize, &Value)| json!({ "Name": format!("S{number}"), "CreateRule": rule, "RetainRule": { "Count": 3 } });
    let document = json!({
        "PolicyId": "policy-0123456789abcdef0",
        "Description": "d",
        "State": "ENABLED",
        "PolicyDetails": {
            "ResourceTypes": ["VOLUME"],
            "TargetTags": [{ "Key": "a", "Value": "b" }],
            "Schedules": rules.iter().enumerate().map(schedule).collect::<Vec<_>>(),
        },
    });
    decode::policy(&document, "", IdRule::Required).value
}

/// Few clock times, so that schedules meet, and some at the ends of an hour and of a day.
fn clock() -> impl Strategy<Value = (u32, u32)> {
    (
        prop_oneof![4 => 4_u32..8, 2 => Just(23_u32), 1 => 0_u32..24],
        prop_oneof![5 => Just(0_u32), 2 => Just(1), 2 => Just(59), 1 => 0_u32..60],
    )
}

fn interval() -> impl Strategy<Value = Value> {
    (select(vec![1, 2, 3, 4, 6, 8, 12, 24]), clock(), 0..10).prop_map(|(hours, (hour, minute), times)| {
        let times = if times == 0 { json!([]) } else { json!([format!("{hour:02}:{minute:02}")]) };
        json!({ "Interval": hours, "IntervalUnit": "HOURS", "Times": times })
    })
}

fn cron() -> impl Strategy<Value = Value> {
    let hours = prop_oneof![
        4 => clock().prop_map(|(hour, _)| hour.to_string()),
        2 => prop::collection::vec(4_u32..9, 2..4).prop_map(|hours| {
            hours.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
        }),
        1 => Just("*/4".to_owned()),
        1 => Just("22-3".to_owned()),
    ];
    let days = prop_oneof![
        2 => select(vec!["* * ?", "? * *", "*/4 * ?", "*/16 * ?", "1 * ?", "1,15 * ?", "L * ?", "LW * ?", "30 * ?", "28-3 * ?"])
            .prop_map(str::to_owned),
        1 => select(vec!["? * MON", "? * MON-FRI", "? * 6L", "? * SAT-SUN", "? * L", "? * FRIL", "? JAN,JUL MON#1", "1 1 ?"])
            .prop_map(str::to_owned),
        1 => (1..=31).prop_map(|day| format!("{day}W * ?")),
        1 => (1..=7, 1..=5).prop_map(|(day, nth)| format!("? * {day}#{nth}")),
    ];
    let years = prop_oneof![6 => Just("*"), 1 => Just("2026-2028"), 1 => Just("2026,2028"), 1 => Just("2024/2")];
    (clock(), hours, days, years).prop_map(|((_, minute), hours, days, years)| {
        json!({ "CronExpression": format!("cron({minute} {hours} {days} {years})") })
    })
}

fn first_day() -> impl Strategy<Value = Date> {
    (2026_i16..2030, 1_i8..13, 1_i8..29).prop_map(|(year, month, day)| Date::new(year, month, day).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_time_is_met_once_and_no_start_is_idle(
        rules in prop::collection::vec(prop_oneof![interval(), cron(), cron()], 1..=4),
        first in first_day(),
    ) {
        // DLM refuses some spacings of times.
        let Some(policy) = of_rules(&rules) else { return Ok(()) };
        match starts(&policy, &Options::default()) {
            Ok(starts) => {
                prop_assert!(!starts.is_empty());
                let held = held(&policy, &starts, first);
                prop_assert!(held.is_ok(), "{}", held.unwrap_err());
                let unserved = policy.schedules.iter().find(|each| !starts.iter().any(|start| start.serves.contains(&each.name)));
                prop_assert!(unserved.is_none(), "{unserved:?}");
            }
            // Refused is only what does meet another one.
            Err(StartsError::Collision { schedules, .. }) => prop_assert!(schedules.len() > 1),
            Err(error @ StartsError::TooLong { .. }) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    fn intervals_alone_are_never_refused_and_never_started_late(
        rules in prop::collection::vec(interval(), 1..=4),
    ) {
        let policy = of_rules(&rules).unwrap();
        let starts = starts(&policy, &Options::default()).unwrap();
        prop_assert!(starts.iter().all(|start| !start.is_minute_after));
    }
}

#[test]
fn the_published_policies_are_met_too_and_none_is_refused() {
    let Some(published) = published() else { return };
    let first = Date::new(2026, 11, 26).unwrap();
    let mut counts = [0; 5];
    for each in &published {
        let Some(policy) = decode::policy(&each.document, "", IdRule::Optional).value else { continue };
        let starts = starts(&policy, &Options::default()).unwrap_or_else(|error| panic!("{}: {error}", each.file));
        held(&policy, &starts, first).unwrap_or_else(|error| panic!("{}: {error}", each.file));
        counts[starts.len()] += 1;
        if each.file.starts_with("052") {
            assert_eq!(starts.len(), 1, "{starts:?}");
        }
    }
    say!("policies with 1, 2, 3 and 4 starts: {:?}", &counts[1..]);
    assert!(counts.iter().sum::<i32>() >= 90);
}

/// What follows `key` in a resource of template.yaml.
fn in_template(resource: &str, key: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("template.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, resource) = text.split_once(&format!("\n  {resource}:\n")).unwrap();
    let (_, value) = resource.split_once(&format!(" {key}: ")).unwrap();
    value.to_owned()
}

#[test]
fn the_sample_schedule_of_the_template_is_what_starts_gives() {
    let input = in_template("OpendlmSchedule", "Input");
    let (_, input) = input.split_once("|\n").unwrap();
    let event: Value = serde_json::from_str(input.split("\n\n").next().unwrap()).unwrap();
    let reading = opendlm::event::read(&event, IdRule::Required);
    let event = reading.value.unwrap();
    let [start] = &starts(&event.policy, &event.options).unwrap()[..] else { panic!("one start") };

    let first_line = |text: String| text.lines().next().unwrap().to_owned();
    assert_eq!(first_line(in_template("OpendlmSchedule", "Name")), start.name(&event.policy.id));
    assert_eq!(first_line(in_template("OpendlmSchedule", "ScheduleExpressionTimezone")), Start::TIMEZONE);
    assert_eq!(first_line(in_template("OpendlmSchedule", "ScheduleExpression")), "!Ref ScheduleExpression");
    assert_eq!(first_line(in_template("ScheduleExpression", "Default")), start.expression);
}
