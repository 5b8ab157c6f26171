//! Names, times and places of schedules.

use super::*;
use crate::policy::{CreateRule, ScheduleName, StartTime, StartTimeOrigin};

fn create(rule: Value) -> Value {
    json!({"CreateRule": rule})
}

const EITHER: &str = "expected either CronExpression, or Interval, IntervalUnit and Times";

#[test]
fn v1_a_create_rule_is_a_cron_expression_or_an_interval() {
    let cron = "cron(0 17 ? * FRI *)";
    check(volumes(), SCHEDULE, create(json!({"CronExpression": cron})), &[]);
    check(volumes(), SCHEDULE, create(json!({"CronExpression": cron, "Interval": 0})), &[]);
    check(volumes(), SCHEDULE, create(json!({"CronExpression": cron, "Interval": null, "Times": []})), &[]);
    check(volumes(), SCHEDULE, create(json!({"CronExpression": "", "Interval": 24, "IntervalUnit": "HOURS"})), &[]);
    let both = |rule: Value| check(volumes(), SCHEDULE, create(rule), &[error("CreateRule", EITHER)]);
    both(json!({"CronExpression": cron, "Interval": 24}));
    both(json!({"CronExpression": cron, "Interval": 24, "IntervalUnit": "HOURS", "Times": ["17:00"]}));
    both(json!({"CronExpression": cron, "Times": ["17:00"]}));
    both(json!({"CronExpression": cron, "IntervalUnit": "HOURS"}));
    both(json!({}));
    let ignored = [warning("CreateRule.IntervalUnit", "ignored beside CronExpression")];
    check(
        volumes(),
        SCHEDULE,
        create(json!({"CronExpression": cron, "Interval": 0, "IntervalUnit": "HOURS"})),
        &ignored,
    );
    check(volumes(), SCHEDULE, create(json!({"Times": ["17:00"]})), &[error("CreateRule.Interval", "missing")]);
    check(volumes(), SCHEDULE, create(json!({"Interval": 24})), &[error("CreateRule.IntervalUnit", "missing")]);
    check(volumes(), SCHEDULE, json!({"CreateRule": null}), &[error("CreateRule", "missing, expected an object")]);
}

#[test]
fn intervals_are_those_that_amazon_dlm_documents() {
    for hours in [1, 2, 3, 4, 6, 8, 12, 24] {
        check(volumes(), SCHEDULE, create(json!({"Interval": hours, "IntervalUnit": "HOURS"})), &[]);
    }
    for hours in [json!(0), json!(5), json!(48), json!(-1), json!(3.0), json!("24"), json!(1e300), json!(u64::MAX)] {
        let rule = create(json!({"Interval": hours, "IntervalUnit": "HOURS"}));
        check(
            volumes(),
            SCHEDULE,
            rule,
            &[error("CreateRule.Interval", "expected 1, 2, 3, 4, 6, 8, 12 or 24 but got")],
        );
    }
    let unit = create(json!({"Interval": 1, "IntervalUnit": "WEEKS"}));
    check(volumes(), SCHEDULE, unit, &[error("CreateRule.IntervalUnit", "expected HOURS but got \"WEEKS\"")]);
}

#[test]
fn v16_a_cron_expression_is_read_as_eventbridge_reads_it() {
    let cron = |text: &str| create(json!({"CronExpression": text}));
    let at = "CreateRule.CronExpression";
    check(volumes(), SCHEDULE, cron("cron(00 23 ? * 6#1 *)"), &[]);
    check(volumes(), SCHEDULE, cron("cron(0 19 * ? *)"), &[error(at, "has 5 fields, expected 6")]);
    check(volumes(), SCHEDULE, cron("cron(0 0 17 ? * FRI *)"), &[error(at, "has 7 fields, expected 6")]);
    check(volumes(), SCHEDULE, cron("cron(*/5 * * * ? *)"), &[error(at, "fires again after 5 min")]);
    check(volumes(), SCHEDULE, cron("rate(1 day)"), &[error(at, "expected")]);
    check(volumes(), SCHEDULE, create(json!({"CronExpression": 5})), &[error(at, "expected a text but got 5")]);
}

#[track_caller]
fn check_start(times: Value, expected: StartTime) {
    let rule = create(json!({"Interval": 12, "IntervalUnit": "HOURS", "Times": times}));
    let policy = read(&edited(volumes(), SCHEDULE, &rule)).value.expect("the policy is right");
    match policy.schedules[0].create {
        CreateRule::Interval { hours, at } => assert_eq!((hours.hours(), at), (12, expected)),
        CreateRule::Cron(_) | CreateRule::OnStart => panic!("expected an interval"),
    }
}

#[test]
fn an_omitted_time_is_derived_and_a_given_one_kept() {
    let id = crate::policy::PolicyId::parse("policy-0123456789abcdef0").unwrap();
    let derived = StartTime::derived(&id, &ScheduleName::default_name());
    check_start(json!(["00:00"]), StartTime { minute_of_day: 0, origin: StartTimeOrigin::Given });
    check_start(json!(["23:59"]), StartTime { minute_of_day: 1439, origin: StartTimeOrigin::Given });
    check_start(json!([]), derived);
    check_start(json!(null), derived);
    check_start(json!(""), derived);
}

#[test]
fn times_are_one_clock_time() {
    let times = |times: Value| create(json!({"Interval": 24, "IntervalUnit": "HOURS", "Times": times}));
    for time in ["24:00", "3:00", "03:60", "03:00:00", "0300", "+3:00", "03:0", " 3:00"] {
        let said = error("CreateRule.Times[0]", "expected a time in UTC such as 03:00 but got");
        check(volumes(), SCHEDULE, times(json!([time])), &[said]);
    }
    let said = error("CreateRule.Times", "expected at most 1 but got 2 entries");
    check(volumes(), SCHEDULE, times(json!(["03:00", "15:00"])), &[said]);
    check(volumes(), SCHEDULE, times(json!("03:00")), &[warning("CreateRule.Times", "taken as a list of one")]);
}

#[test]
fn names_are_of_dlms_letters_and_their_own() {
    let two = |a: Value, b: Value| {
        let schedule =
            |name: Value| edited(volumes()["PolicyDetails"]["Schedules"][0].clone(), "", &json!({"Name": name}));
        json!({"Schedules": [schedule(a), schedule(b)]})
    };
    check(volumes(), DETAILS, two(json!("a"), json!("A")), &[]);
    check(volumes(), DETAILS, two(json!("a"), json!(null)), &[]);
    let alike = || [error("Schedules[1]", "expected a name of its own")];
    check(volumes(), DETAILS, two(json!("a"), json!("a")), &alike());
    check(volumes(), DETAILS, two(json!(null), json!("")), &alike());
    check(volumes(), DETAILS, two(json!("Default Schedule"), json!(null)), &alike());
    check(volumes(), SCHEDULE, json!({"Name": "daily/7"}), &[error("Name", "holds '/'")]);
    check(volumes(), SCHEDULE, json!({"Name": "a".repeat(121)}), &[error("Name", "121 characters")]);
    check(volumes(), SCHEDULE, json!({"Name": ["a"]}), &[error("Name", "expected a text")]);
}

#[test]
fn a_policy_has_one_to_four_schedules() {
    let schedules = |count: usize| {
        let named =
            |n: usize| edited(volumes()["PolicyDetails"]["Schedules"][0].clone(), "", &json!({"Name": n.to_string()}));
        json!({"Schedules": (0..count).map(named).collect::<Vec<_>>()})
    };
    check(volumes(), DETAILS, schedules(4), &[]);
    check(volumes(), DETAILS, schedules(5), &[error("Schedules", "expected 1 to 4 but got 5 entries")]);
    check(volumes(), DETAILS, schedules(0), &[error("Schedules", "missing, expected 1 to 4 schedules")]);
    check(volumes(), DETAILS, json!({"Schedules": [7]}), &[error("Schedules[0]", "expected an object but got 7")]);
}

#[test]
fn snapshots_are_made_where_the_resources_are_or_in_the_region() {
    let placed = |locations: Value, location: Value| {
        let rule = json!({"CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Location": location}});
        edited(edited(volumes(), SCHEDULE, &rule), DETAILS, &json!({"ResourceLocations": locations}))
    };
    let check = |locations: Value, location: Value, said: &[Said]| {
        check(placed(locations, location), SCHEDULE, json!({}), said);
    };
    check(json!(["CLOUD"]), json!("CLOUD"), &[]);
    check(json!(["OUTPOST"]), json!("CLOUD"), &[]);
    check(json!(["OUTPOST"]), json!("OUTPOST_LOCAL"), &[]);
    check(json!(["LOCAL_ZONE"]), json!("LOCAL_ZONE"), &[]);
    check(json!(["LOCAL_ZONE"]), json!(null), &[]);
    check(
        json!(["CLOUD"]),
        json!("OUTPOST_LOCAL"),
        &[error("CreateRule", "is OUTPOST_LOCAL but ResourceLocations is CLOUD")],
    );
    check(
        json!(["OUTPOST"]),
        json!("LOCAL_ZONE"),
        &[error("CreateRule", "is LOCAL_ZONE but ResourceLocations is OUTPOST")],
    );
    check(json!(["CLOUD"]), json!("OUTPOST"), &[error("CreateRule.Location", "OUTPOST_LOCAL but got \"OUTPOST\"")]);
    check(json!(null), json!(["CLOUD"]), &[warning("CreateRule.Location", "got a list of one")]);
    check(json!("CLOUD"), json!(null), &[warning("/PolicyDetails.ResourceLocations", "taken as a list of one")]);
}
