//! Expressions whose times are known: AWS's and Quartz's examples, and the corners that the dialect leaves open.

use super::{CronExpression, parse};
use jiff::Timestamp;

/// The times that `text` names from `from` on, and the same ones backwards.
#[track_caller]
fn check(text: &str, from: &str, expected: &[&str]) {
    let full = |time: &&str| -> Timestamp { format!("{}:00Z", time.replace(' ', "T")).parse().unwrap() };
    let expression = CronExpression::parse(text).unwrap();
    let mut t = full(&from);
    for expected in expected.iter().map(full) {
        assert_eq!(expression.next_after(t), Some(expected), "next after {t}");
        assert_eq!(expression.latest_at_or_before(expected), Some(expected), "latest at {expected}");
        t = expected;
    }
    for expected in expected.iter().map(full).rev() {
        assert_eq!(expression.latest_at_or_before(t), Some(expected), "latest at or before {t}");
        t = expected - jiff::SignedDuration::from_nanos(1);
    }
}

#[track_caller]
fn check_refused(text: &str, message: &str) {
    assert_eq!(CronExpression::parse(text).unwrap_err().to_string(), message);
}

#[test]
fn examples_of_the_eventbridge_user_guide_name_their_times() {
    check("cron(0 10 * * ? *)", "2026-11-22 10:00", &["2026-11-23 10:00", "2026-11-24 10:00"]);
    check("cron(15 12 * * ? *)", "2026-12-31 12:14", &["2026-12-31 12:15", "2027-01-01 12:15"]);
    check("cron(0 18 ? * MON-FRI *)", "2026-11-19 18:00", &["2026-11-20 18:00", "2026-11-23 18:00"]);
    check("cron(0 8 1 * ? *)", "2026-11-22 00:00", &["2026-12-01 08:00", "2027-01-01 08:00"]);
    check("cron(0 9 ? * 2#1 *)", "2026-11-22 00:00", &["2026-12-07 09:00", "2027-01-04 09:00"]);
    check("cron(15 10 ? * 6L 2019-2022)", "2022-11-01 00:00", &["2022-11-25 10:15", "2022-12-30 10:15"]);
    check("cron(0 0 ? * 3#2 *)", "2026-11-01 00:00", &["2026-11-10 00:00", "2026-12-08 00:00"]);
    check("cron(0 0 3W * ? *)", "2026-09-30 00:00", &["2026-10-02 00:00", "2026-11-03 00:00", "2026-12-03 00:00"]);
}

#[test]
fn expressions_that_people_published_name_their_times() {
    check("cron(0 9 */4 * ? *)", "2026-11-25 09:00", &["2026-11-29 09:00", "2026-12-01 09:00"]);
    check("cron(0 9 */16 * ? *)", "2026-11-01 09:00", &["2026-11-17 09:00", "2026-12-01 09:00", "2026-12-17 09:00"]);
    check("cron(00 23 ? * 6#1 *)", "2026-11-22 00:00", &["2026-12-04 23:00", "2027-01-01 23:00"]);
    check("cron(0 6 1 1,4,7,10 ? *)", "2026-11-22 00:00", &["2027-01-01 06:00", "2027-04-01 06:00"]);
    check("cron(0 2 ? * TUE,FRI *)", "2026-11-22 00:00", &["2026-11-24 02:00", "2026-11-27 02:00"]);
    check("cron(0 9 ? * * *)", "2026-11-22 09:00", &["2026-11-23 09:00"]);
}

#[test]
fn ranges_wrap_around() {
    check(
        "cron(0 20-2 * * ? *)",
        "2026-11-22 22:00",
        &["2026-11-22 23:00", "2026-11-23 00:00", "2026-11-23 01:00", "2026-11-23 02:00", "2026-11-23 20:00"],
    );
    check("cron(0 0 ? * FRI-MON *)", "2026-11-22 00:00", &["2026-11-23 00:00", "2026-11-27 00:00", "2026-11-28 00:00"]);
    check(
        "cron(0 0 1 NOV-FEB ? *)",
        "2026-11-22 00:00",
        &["2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00", "2027-11-01 00:00"],
    );
    check("cron(0 0 30-2 * ? *)", "2027-02-01 00:00", &["2027-02-02 00:00", "2027-03-01 00:00", "2027-03-02 00:00"]);
    check("cron(0 20-2/3 * * ? *)", "2026-11-22 20:00", &["2026-11-22 23:00", "2026-11-23 02:00", "2026-11-23 20:00"]);
}

#[test]
fn a_step_counts_from_the_start_of_its_range() {
    check("cron(0 5/10 * * ? *)", "2026-11-22 05:00", &["2026-11-22 15:00", "2026-11-23 05:00"]);
    check("cron(0 1-10/4 * * ? *)", "2026-11-22 01:00", &["2026-11-22 05:00", "2026-11-22 09:00", "2026-11-23 01:00"]);
    check("cron(0 0 1 FEB/5 ? *)", "2026-12-01 00:00", &["2027-02-01 00:00", "2027-07-01 00:00", "2027-12-01 00:00"]);
    check("cron(0 0 1 jan-Dec/6,MAR ? *)", "2026-07-01 00:00", &["2027-01-01 00:00", "2027-03-01 00:00"]);
    check("cron(59/59 0 * * ? *)", "2026-11-22 00:00", &["2026-11-22 00:59"]);
}

#[test]
fn last_is_the_last_day_of_the_month_or_saturday() {
    check("cron(0 0 L * ? *)", "2028-01-31 00:00", &["2028-02-29 00:00", "2028-03-31 00:00", "2028-04-30 00:00"]);
    check("cron(0 0 l 2 ? *)", "2099-01-01 00:00", &["2099-02-28 00:00", "2100-02-28 00:00", "2101-02-28 00:00"]);
    check("cron(0 0 ? * L *)", "2026-11-22 00:00", &["2026-11-28 00:00", "2026-12-05 00:00"]);
    check("cron(0 0 ? * fril *)", "2026-11-22 00:00", &["2026-11-27 00:00", "2026-12-25 00:00", "2027-01-29 00:00"]);
    check("cron(0 0 ? * 1L *)", "2027-02-01 00:00", &["2027-02-28 00:00", "2027-03-28 00:00"]);
    check("cron(0 0 LW * ? *)", "2026-10-01 00:00", &["2026-10-30 00:00", "2026-11-30 00:00", "2026-12-31 00:00"]);
    check("cron(0 0 LW 1 ? *)", "2027-01-01 00:00", &["2027-01-29 00:00", "2028-01-31 00:00"]);
}

#[test]
fn the_nearest_weekday_stays_in_its_month() {
    check("cron(0 0 15W * ? *)", "2026-08-01 00:00", &["2026-08-14 00:00", "2026-09-15 00:00", "2026-10-15 00:00"]);
    check("cron(0 0 15W * ? *)", "2026-11-01 00:00", &["2026-11-16 00:00"]);
    // 1 August 2026 is a Saturday, 1 November 2026 a Sunday.
    check("cron(0 0 1W * ? *)", "2026-07-31 00:00", &["2026-08-03 00:00", "2026-09-01 00:00"]);
    check("cron(0 0 1W * ? *)", "2026-10-31 00:00", &["2026-11-02 00:00"]);
    // 31 January 2027 is a Sunday, 31 July 2027 a Saturday; February, April and June have no 31st.
    check(
        "cron(0 0 31W * ? *)",
        "2027-01-01 00:00",
        &["2027-01-29 00:00", "2027-03-31 00:00", "2027-05-31 00:00", "2027-07-30 00:00"],
    );
    // 28 February 2027 is a Sunday, and the last day of the month.
    check("cron(0 0 28w 2 ? *)", "2027-01-01 00:00", &["2027-02-26 00:00", "2028-02-28 00:00"]);
}

#[test]
fn a_fifth_weekday_exists_only_where_the_month_has_it() {
    check("cron(0 0 ? * TUE#5 *)", "2026-11-01 00:00", &["2026-12-29 00:00", "2027-03-30 00:00", "2027-06-29 00:00"]);
    check("cron(0 0 31 * ? *)", "2026-11-01 00:00", &["2026-12-31 00:00", "2027-01-31 00:00", "2027-03-31 00:00"]);
}

#[test]
fn there_is_no_time_outside_of_the_years() {
    let once = CronExpression::parse("cron(30 4 5 6 ? 2027)").unwrap();
    let time: Timestamp = "2027-06-05T04:30:00Z".parse().unwrap();
    let just_before = time - jiff::SignedDuration::from_nanos(1);
    assert_eq!(once.latest_at_or_before(just_before), None);
    assert_eq!(once.next_after(just_before), Some(time));
    assert_eq!(once.latest_at_or_before(Timestamp::MAX), Some(time));
    assert_eq!(once.next_after(time), None);
    assert_eq!(once.next_after(Timestamp::MIN), Some(time));

    let hourly = CronExpression::parse("cron(59 * * * ? *)").unwrap();
    let (first, last) = ("1970-01-01T00:59:00Z".parse().unwrap(), "2199-12-31T23:59:00Z".parse().unwrap());
    assert_eq!(hourly.latest_at_or_before(Timestamp::MIN), None);
    assert_eq!(hourly.latest_at_or_before(Timestamp::UNIX_EPOCH), None);
    assert_eq!(hourly.next_after(Timestamp::MIN), Some(first));
    assert_eq!(hourly.latest_at_or_before(Timestamp::MAX), Some(last));
    assert_eq!(hourly.next_after(last), None);
    assert_eq!(hourly.next_after(Timestamp::MAX), None);
}

#[test]
fn a_time_within_a_minute_is_not_lost() {
    let daily = CronExpression::parse("cron(0 17 * * ? *)").unwrap();
    let today: Timestamp = "2026-11-22T17:00:00Z".parse().unwrap();
    let tomorrow: Timestamp = "2026-11-23T17:00:00Z".parse().unwrap();
    for t in ["2026-11-22T17:00:00Z", "2026-11-22T17:00:00.000000001Z", "2026-11-22T17:00:59.999999999Z"] {
        let t = t.parse().unwrap();
        assert_eq!((daily.latest_at_or_before(t), daily.next_after(t)), (Some(today), Some(tomorrow)), "{t}");
    }
    let t = "2026-11-22T16:59:59.999999999Z".parse().unwrap();
    assert_eq!(daily.next_after(t), Some(today));
}

#[test]
fn the_text_stays_as_it_was_written() {
    let text = "cron(0  17\t? * fri *)";
    let expression = CronExpression::parse(text).unwrap();
    assert_eq!((expression.as_str(), expression.to_string().as_str()), (text, text));
}

#[test]
fn what_is_no_expression_is_refused_with_what_was_expected() {
    let fields = "expected 6: minute hour day-of-month month day-of-week year";
    check_refused("cron(0 19 * ? *)", &format!("has 5 fields, {fields}"));
    check_refused("cron(0 0 17 ? * FRI *)", &format!("has 7 fields, {fields}"));
    check_refused("cron()", &format!("has 0 fields, {fields}"));
    let form = "is no cron expression, expected cron(minute hour day-of-month month day-of-week year)";
    for text in ["", "rate(1 hour)", "0 19 * * ? *", "CRON(0 19 * * ? *)", "cron(0 19 * * ? *) ", "cron(0 19 * * ? *"] {
        check_refused(text, form);
    }
    let long = format!("cron(0 {}0 * * ? *)", "0,".repeat(45));
    assert_eq!(long.len(), parse::LENGTH_MAX + 1);
    check_refused(&long, "has 107 characters, expected 17 to 106");
    let longest = long.replacen("0,0", "00", 1);
    assert_eq!(longest.len(), parse::LENGTH_MAX);
    CronExpression::parse(&longest).unwrap();
    check_refused(
        "cron(0 0 * * * *)",
        "day-of-month and day-of-week are both set (\"*\" and \"*\"), expected one of them to be ?",
    );
    check_refused(
        "cron(0 0 1 * MON *)",
        "day-of-month and day-of-week are both set (\"1\" and \"MON\"), expected one of them to be ?",
    );
    check_refused("cron(0 0 ? * ? *)", "day-of-month and day-of-week are both ?, expected only one of them to be ?");
}

#[test]
fn a_value_that_its_field_does_not_have_is_refused() {
    for (text, field, part, expected) in [
        ("cron(60 0 * * ? *)", "minute", "60", "0 to 59, with the wildcards , - * /"),
        ("cron(? 0 * * ? *)", "minute", "?", "0 to 59, with the wildcards , - * /"),
        ("cron(0 24 * * ? *)", "hour", "24", "0 to 23, with the wildcards , - * /"),
        ("cron(0 1,,2 * * ? *)", "hour", "", "0 to 23, with the wildcards , - * /"),
        ("cron(0 +1 * * ? *)", "hour", "+1", "0 to 23, with the wildcards , - * /"),
        ("cron(0 1-2-3 * * ? *)", "hour", "1-2-3", "0 to 23, with the wildcards , - * /"),
        ("cron(0 *-3 * * ? *)", "hour", "*-3", "0 to 23, with the wildcards , - * /"),
        ("cron(0 /5 * * ? *)", "hour", "/5", "0 to 23, with the wildcards , - * /"),
        ("cron(0 0\n * * ? *)", "hour", "0\\n", "0 to 23, with the wildcards , - * /"),
        ("cron(0 0 32 * ? *)", "day-of-month", "32", "1 to 31, with the wildcards , - * ? / L W"),
        ("cron(0 0 1 JANUARY ? *)", "month", "JANUARY", "1 to 12 or JAN to DEC, with the wildcards , - * /"),
        ("cron(0 0 ? * 0 *)", "day-of-week", "0", "1 to 7 or SUN to SAT, with the wildcards , - * ? L #"),
        ("cron(0 0 ? * 2/2 *)", "day-of-week", "2/2", "1 to 7 or SUN to SAT, with the wildcards , - * ? L #"),
        ("cron(0 0 1 1 ? 1969)", "year", "1969", "1970 to 2199, with the wildcards , - * /"),
    ] {
        check_refused(text, &format!("{field} has \"{part}\", expected {expected}"));
    }
    check_refused("cron(0 0 1 1 ? 2030-2027)", "year has the range \"2030-2027\", expected the earlier year first");
    check_refused("cron(0 0,* * * ? *)", "hour has * in \"0,*\", expected it to be the whole field");
    check_refused("cron(0 0 ?,1 * ? *)", "day-of-month has ? in \"?,1\", expected it to be the whole field");
    check_refused("cron(*/60 0 * * ? *)", "minute has the step \"60\", expected 1 to 59");
    check_refused("cron(0 */0 * * ? *)", "hour has the step \"0\", expected 1 to 23");
    check_refused("cron(0 0 1 */ ? *)", "month has the step \"\", expected 1 to 12");
}

#[test]
fn forms_that_eventbridge_does_not_document_are_refused() {
    for field in ["L-3", "8L", "L,15", "15W,20W", "1-5W", "W", "32W", "WL", "*W"] {
        check_refused(
            &format!("cron(0 0 {field} * ? *)"),
            &format!(
                "day-of-month is \"{field}\", expected L (the last day), LW (the last weekday) or a day with W (as in \
                 15W) to be the whole field"
            ),
        );
    }
    for field in ["L-2", "FRIL,MON", "8L", "3#2,6#3", "3#6", "3#0", "3#+2", "3#", "#2", "3#2L", "MON-FRI#2"] {
        check_refused(
            &format!("cron(0 0 ? * {field} *)"),
            &format!(
                "day-of-week is \"{field}\", expected L (Saturday), a day with L (as in 6L or FRIL, the last Friday) \
                 or a day with # and 1 to 5 (as in 3#2 or TUE#2, the second Tuesday) to be the whole field"
            ),
        );
    }
}

#[test]
fn times_closer_than_an_hour_are_refused() {
    let message = |minutes: i64| {
        format!(
            "fires again after {minutes} min, expected at least 60 min between two runs: one value in the \
             minute field, as in 0"
        )
    };
    check_refused("cron(0/15 * * * ? *)", &message(15));
    check_refused("cron(* * * * ? *)", &message(1));
    check_refused("cron(0,50 0,12 * * ? *)", &message(50));
    check_refused("cron(0,50 0,1 * * ? *)", &message(10));
    // From 23:50 to midnight, where two days follow each other.
    check_refused("cron(0,50 0,23 ? * MON *)", &message(50));
    check_refused("cron(0,50 0,23 ? * MON,TUE *)", &message(10));
    check_refused("cron(0,50 0,23 31,1 * ? *)", &message(10));
    check_refused("cron(0,50 0,23 10,11 * ? *)", &message(10));
    CronExpression::parse("cron(59 * * * ? *)").unwrap();
}

#[test]
fn times_further_apart_than_a_year_are_refused() {
    let message = |pause: &str| format!("pauses for {pause} between two runs, expected at most a year (371 days)");
    check_refused("cron(0 0 29 2 ? *)", &message("2921 days"));
    check_refused("cron(0 0 29 2 ? 2024-2032)", &message("1461 days"));
    check_refused("cron(0 0 1 1 ? 2026/2)", &message("731 days"));
    check_refused("cron(0 0,12 31 1 ? 2026,2028)", &message("729 days 12 h"));
    // From 31 December 2026 to 7 January 2028, at noon: the clock times do not shorten the pause.
    check_refused("cron(0 12 7,31 1,12 ? 2026,2028)", &message("372 days"));
    CronExpression::parse("cron(0 12 6,31 1,12 ? 2026,2028)").unwrap();
    for yearly in ["29 2 ? 2028", "1 1 ? *", "31 12 ? *", "? 1 MON#1 *", "? 12 FRIL *", "1W 1 ? *", "LW 12 ? *"] {
        let text = yearly.strip_prefix('?').map_or(format!("cron(0 0 {yearly})"), |rest| format!("cron(0 0 ?{rest})"));
        CronExpression::parse(&text).unwrap();
    }
}

#[test]
fn times_that_never_come_are_refused() {
    let message = "never fires, expected at least one day between 1970 and 2199 that fits all fields";
    for days in ["30 2 ? *", "31 4,6,9,11 ? *", "29 2 ? 2027", "30W FEB ? *", "? 2 MON#5 2027"] {
        check_refused(&format!("cron(0 0 {days})"), message);
    }
}

#[test]
fn an_expression_with_several_faults_hears_of_all_of_them() {
    check_refused(
        "cron(60 24 ? JANUARY * 1969)",
        "minute has \"60\", expected 0 to 59, with the wildcards , - * /; hour has \"24\", expected 0 to 23, with the \
         wildcards , - * /; month has \"JANUARY\", expected 1 to 12 or JAN to DEC, with the wildcards , - * /; year has \
         \"1969\", expected 1970 to 2199, with the wildcards , - * /",
    );
}
