//! `CreateRule` of a schedule.

use super::super::{CreateRule, IntervalHours, PolicyId, ScheduleName, StartTime, StartTimeOrigin};
use super::details::Location;
use super::hint;
use super::kind::Kinds;
use super::node::{Field, Node, Word};
use super::object::Object;
use super::pattern;
use super::script;
use super::shape;
use crate::schedule::cron::CronExpression;
use serde_json::Value;

const EITHER: &str = "expected either CronExpression, or Interval, IntervalUnit and Times";

const UNITS: [Word<()>; 1] = [Word::new("HOURS", ())];

/// Where snapshots are made.
const LOCATIONS: [Word<Location>; 3] = [
    Word::new("CLOUD", Location::Cloud),
    Word::new("LOCAL_ZONE", Location::LocalZone).on(Kinds::SNAPSHOTS).later(),
    Word::new("OUTPOST_LOCAL", Location::Outpost).on(Kinds::SNAPSHOTS).later(),
];

/// What a create rule says.
#[derive(Debug)]
pub(super) struct Created {
    /// When; `None` when that is wrong.
    pub(super) rule: Option<CreateRule>,
    /// Where.
    pub(super) location: Location,
    /// Whether with VSS.
    pub(super) is_vss: bool,
}

/// Reads the create rule of the schedule of that name.
pub(super) fn read(node: &Node<'_>, policy: &PolicyId, schedule: &ScheduleName) -> Field<Created> {
    node.object(&shape::CREATE_RULE, |object| {
        let rule = times(object, policy, schedule);
        let location = single(&object.take("Location")).word(&LOCATIONS).given().unwrap_or(Location::Cloud);
        let is_vss = script::check(&object.take("Scripts"));
        Some(Created { rule, location, is_vss })
    })
}

/// Exactly one of the cron expression and the interval (V1). DLM prints `Interval: 0` beside a cron expression.
fn times(object: &mut Object<'_>, policy: &PolicyId, schedule: &ScheduleName) -> Option<CreateRule> {
    let cron = object.take("CronExpression");
    let interval = object.take("Interval");
    let unit_node = object.take("IntervalUnit");
    let unit = unit_node.word(&UNITS);
    let times_node = object.take("Times");
    let times = times_node.list(0..=1, |time| time.matching(&pattern::CLOCK_TIME).and_then(pattern::minute_of_day));
    if cron.is_empty() {
        let hours = interval_hours(&interval, object.node(), !unit_node.is_empty() || !times_node.is_empty());
        if hours.is_some() && unit == Field::Absent {
            unit_node.error("missing, expected HOURS");
        }
        let given = times.or(Vec::new())?.first().copied();
        let at = given.map_or_else(
            || StartTime::derived(policy, schedule),
            |minute_of_day| StartTime { minute_of_day, origin: StartTimeOrigin::Given },
        );
        unit.given()?;
        return Some(CreateRule::Interval { hours: hours?, at });
    }
    let is_zero = interval.value().and_then(Value::as_u64) == Some(0);
    if !interval.is_empty() && !is_zero {
        object.node().error(format!("CronExpression and Interval are both set, {EITHER}"));
    } else if !times_node.is_empty() {
        object.node().error(format!("CronExpression and Times are both set, {EITHER}"));
    } else if !unit_node.is_empty() && is_zero {
        unit_node.warning("ignored beside CronExpression: Interval is 0");
    } else if !unit_node.is_empty() {
        object.node().error(format!("CronExpression and IntervalUnit are both set, {EITHER}"));
    }
    expression(&cron).map(CreateRule::Cron)
}

/// The expression, between an hour and a year apart (V16), which parsing checks.
fn expression(node: &Node<'_>) -> Option<CronExpression> {
    let parsed = CronExpression::parse(node.text().given()?);
    parsed.map_err(|error| node.error(error.to_string())).ok()
}

fn interval_hours(node: &Node<'_>, rule: &Node<'_>, has_others: bool) -> Option<IntervalHours> {
    let Some(value) = node.value() else {
        if has_others {
            node.error(format!("missing, expected {}", allowed_hours()));
        } else {
            rule.error(format!("empty, {EITHER}"));
        }
        return None;
    };
    let hours = value.as_u64().and_then(|hours| u8::try_from(hours).ok()).and_then(IntervalHours::new);
    hours.or_else(|| node.expected(allowed_hours()).given())
}

fn allowed_hours() -> String {
    let words: Vec<String> = IntervalHours::ALLOWED.iter().map(u8::to_string).collect();
    hint::listing(&words.iter().map(String::as_str).collect::<Vec<_>>(), "or")
}

/// The place, or that of the only entry of a list there: AWS's own example writes `"Location": ["OUTPOST_LOCAL"]`.
fn single<'a>(node: &Node<'a>) -> Node<'a> {
    match node.value().and_then(Value::as_array).map(Vec::as_slice) {
        Some([only @ Value::String(_)]) => {
            node.warning("expected a word but got a list of one, taken as its only entry");
            node.with(only)
        }
        _ => node.clone(),
    }
}
