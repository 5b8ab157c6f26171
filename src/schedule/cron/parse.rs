//! Reads the text of a cron expression.

use super::days::{DayRule, SATURDAY, day_bit};
use super::error::{CronError, Field};
use super::times::CronTimes;
use super::values::Values;

/// DLM's API model, `CreateRule.CronExpression`: `cron\([^\n]{11,100}\)`, so 6 characters more than 11 and 100. The
/// longest text that is read bounds all work of the reader.
pub(super) const LENGTH_MIN: usize = 17;
pub(super) const LENGTH_MAX: usize = 106;

/// The times that a text names, whatever their spacing.
pub(super) fn parse(text: &str) -> Result<CronTimes, CronError> {
    let length = text.chars().count();
    let fields = text.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')).ok_or(CronError::Form)?;
    if length > LENGTH_MAX {
        return Err(CronError::Length(length));
    }
    let fields: Vec<&str> = fields.split([' ', '\t']).filter(|field| !field.is_empty()).collect();
    let &[minute, hour, day_of_month, month, day_of_week, year] = fields.as_slice() else {
        return Err(CronError::FieldCount(fields.len()));
    };
    // Only now: what is too short lacks a field, and that says more.
    if length < LENGTH_MIN {
        return Err(CronError::Length(length));
    }
    let minutes = values(Field::Minute, minute);
    let hours = values(Field::Hour, hour);
    let days = days(day_of_month, day_of_week);
    let months = values(Field::Month, month);
    let years = values(Field::Year, year);
    match (minutes, hours, days, months, years) {
        (Ok(minutes), Ok(hours), Ok(days), Ok(months), Ok(years)) => {
            Ok(CronTimes { minutes, hours, days, months, years })
        }
        (minutes, hours, days, months, years) => {
            let faults = [minutes.err(), hours.err(), days.err(), months.err(), years.err()];
            let mut faults: Vec<CronError> = faults.into_iter().flatten().collect();
            Err(if faults.len() == 1 { faults.remove(0) } else { CronError::Several(faults) })
        }
    }
}

/// The two day fields: exactly one of them must be `?`.
fn days(day_of_month: &str, day_of_week: &str) -> Result<DayRule, CronError> {
    match (day_of_month, day_of_week) {
        ("?", "?") => Err(CronError::BothDaysOpen),
        ("?", _) => self::day_of_week(day_of_week),
        (_, "?") => self::day_of_month(day_of_month),
        _ => Err(CronError::BothDaysSet { day_of_month: day_of_month.into(), day_of_week: day_of_week.into() }),
    }
}

fn day_of_month(text: &str) -> Result<DayRule, CronError> {
    let upper = text.to_ascii_uppercase();
    if !upper.contains(['L', 'W']) {
        return Ok(DayRule::DaysOfMonth(day_set(Field::DayOfMonth, text)?));
    }
    let rule = match (upper.as_str(), upper.strip_suffix('W')) {
        ("L", _) => Some(DayRule::LastDay),
        ("LW", _) => Some(DayRule::LastWeekday),
        (_, Some(day)) => day_value(Field::DayOfMonth, day).map(DayRule::NearestWeekday),
        (_, None) => None,
    };
    rule.ok_or_else(|| CronError::DayOfMonthForm(text.into()))
}

fn day_of_week(text: &str) -> Result<DayRule, CronError> {
    let upper = text.to_ascii_uppercase();
    if !upper.contains(['L', '#']) {
        return Ok(DayRule::DaysOfWeek(day_set(Field::DayOfWeek, text)?));
    }
    if upper == "L" {
        return Ok(DayRule::DaysOfWeek(day_bit(SATURDAY)));
    }
    let weekday = |text: &str| day_value(Field::DayOfWeek, text);
    let rule = match (upper.split_once('#'), upper.strip_suffix('L')) {
        (Some((day, nth)), _) => weekday(day)
            .zip(number(nth).filter(|nth| (1..=5).contains(nth)))
            .map(|(weekday, nth)| DayRule::NthDayOfWeek { weekday, nth }),
        (None, Some(day)) => weekday(day).map(DayRule::LastDayOfWeek),
        (None, None) => None,
    };
    rule.ok_or_else(|| CronError::DayOfWeekForm(text.into()))
}

/// A list of values, ranges and steps, as bits of days.
fn day_set(field: Field, text: &str) -> Result<u64, CronError> {
    let values = values(field, text)?;
    Ok((1..=31).filter(|&day| values.contains(day.into())).fold(0, |days, day| days | day_bit(day)))
}

/// A list of values, ranges and steps, or `*`.
fn values(field: Field, text: &str) -> Result<Values, CronError> {
    let mut values = Values::none(field.first());
    if text == "*" {
        (field.first()..=field.last()).for_each(|value| values.insert(value));
        return Ok(values);
    }
    for item in text.split(',') {
        if let Some(wildcard @ ('*' | '?')) = item.chars().next().filter(|_| item.len() == 1 && item != text) {
            return Err(CronError::NotAlone { field, wildcard, text: text.into() });
        }
        add_item(field, item, &mut values)?;
    }
    Ok(values)
}

/// A value, a range, or either with a step: `5`, `20-2`, `*/5`, `5/10`, `1-10/3`.
fn add_item(field: Field, item: &str, values: &mut Values) -> Result<(), CronError> {
    let unknown = || CronError::Value { field, text: item.into() };
    // EventBridge's table has no `/` for the day of the week.
    let (range, step) = match item.split_once('/') {
        Some(_) if field == Field::DayOfWeek => return Err(unknown()),
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    let (start, end) = match range.split_once('-') {
        Some((start, end)) => value(field, start).zip(value(field, end)).ok_or_else(unknown)?,
        None if range == "*" && step.is_some() => (field.first(), field.last()),
        None => {
            let start = value(field, range).ok_or_else(unknown)?;
            (start, if step.is_some() { field.last() } else { start })
        }
    };
    let step = step.map_or(Ok(1), |step| step_of(field, step))?;
    let wraps = end < start;
    if wraps && field == Field::Year {
        return Err(CronError::RangeBackwards(range.into()));
    }
    let end = if wraps { end + field.size() } else { end };
    let step = usize::try_from(step).map_err(|_| unknown())?;
    for value in (start..=end).step_by(step) {
        values.insert(if value > field.last() { value - field.size() } else { value });
    }
    Ok(())
}

fn step_of(field: Field, text: &str) -> Result<i16, CronError> {
    number(text)
        .filter(|step| (1..=field.step_max()).contains(step))
        .ok_or_else(|| CronError::Step { field, text: text.into() })
}

/// A single value of a day field.
fn day_value(field: Field, text: &str) -> Option<i8> {
    value(field, text).and_then(|value| i8::try_from(value).ok())
}

/// A single value, as a number or a name.
fn value(field: Field, text: &str) -> Option<i16> {
    let named = (field.first()..).zip(field.names()).find(|(_, name)| name.eq_ignore_ascii_case(text));
    let value = named.map(|(value, _)| value).or_else(|| number(text))?;
    (field.first()..=field.last()).contains(&value).then_some(value)
}

/// A number of digits only: no sign, at most as long as a year. Leading zeros count for nothing (`00`, `07`).
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}
