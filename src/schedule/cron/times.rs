//! The times that a cron expression names, and the walk to the nearest one.

use super::days::{DayRule, day_bit};
use super::error::Field;
use super::values::Values;
use jiff::civil::{Date, DateTime};
use std::ops::RangeInclusive;

/// What the fields of a cron expression allow: a time is named when every field allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CronTimes {
    pub(crate) minutes: Values,
    pub(crate) hours: Values,
    pub(crate) days: DayRule,
    pub(crate) months: Values,
    pub(crate) years: Values,
}

impl CronTimes {
    /// The last named time at or before `t`.
    pub(super) fn last_at_or_before(&self, t: DateTime) -> Option<DateTime> {
        self.dates(Date::MIN..=t.date()).rev().find_map(|date| {
            let latest = if date == t.date() { clock(t) } else { (23, 59) };
            self.clock_at_or_before(latest).and_then(|clock| at(date, clock))
        })
    }

    /// The first named time at or after `t`.
    pub(super) fn first_at_or_after(&self, t: DateTime) -> Option<DateTime> {
        self.dates(t.date()..=Date::MAX).find_map(|date| {
            let earliest = if date == t.date() { clock(t) } else { (0, 0) };
            self.clock_at_or_after(earliest).and_then(|clock| at(date, clock))
        })
    }

    /// Every month of `months` (year and month) that has a named day, in order, with the set of those days.
    pub(crate) fn months(&self, months: RangeInclusive<(i16, i8)>) -> impl DoubleEndedIterator<Item = (i16, i8, u64)> {
        let first = months.start().0.max(Field::Year.first());
        let last = months.end().0.min(Field::Year.last());
        (first..=last)
            .filter(|&year| self.years.contains(year))
            .flat_map(|year| (1..=12).map(move |month| (year, month)))
            .filter(move |month| self.months.contains(month.1.into()) && months.contains(month))
            .map(|(year, month)| (year, month, self.days.days(year, month)))
            .filter(|&(_, _, days)| days != 0)
    }

    /// The clock times of a named day, hour and minute, in order.
    pub(super) fn clocks(&self) -> impl Iterator<Item = Clock> {
        let hours = (0..24).filter(|&hour| self.hours.contains(hour.into()));
        hours.flat_map(|hour| (0..60).map(move |minute| (hour, minute))).filter(|clock| self.has_minute(&clock.1))
    }

    /// The named days of `dates`, in order.
    fn dates(&self, dates: RangeInclusive<Date>) -> impl DoubleEndedIterator<Item = Date> {
        let month = |date: &Date| (date.year(), date.month());
        self.months(month(dates.start())..=month(dates.end()))
            .flat_map(|(year, month, days)| {
                let days = (1..=31).filter(move |&day| days & day_bit(day) != 0);
                days.filter_map(move |day| Date::new(year, month, day).ok())
            })
            .filter(move |date| dates.contains(date))
    }

    fn clock_at_or_before(&self, (hour, minute): Clock) -> Option<Clock> {
        let last_minute = |until| (0..=until).rev().find(|minute| self.has_minute(minute));
        let this_hour = Some(hour).filter(|hour| self.has_hour(hour)).zip(last_minute(minute));
        this_hour.or_else(|| (0..hour).rev().find(|hour| self.has_hour(hour)).zip(last_minute(59)))
    }

    fn clock_at_or_after(&self, (hour, minute): Clock) -> Option<Clock> {
        let first_minute = |from| (from..60).find(|minute| self.has_minute(minute));
        let this_hour = Some(hour).filter(|hour| self.has_hour(hour)).zip(first_minute(minute));
        this_hour.or_else(|| (hour + 1..24).find(|hour| self.has_hour(hour)).zip(first_minute(0)))
    }

    fn has_hour(&self, hour: &i8) -> bool {
        self.hours.contains((*hour).into())
    }

    fn has_minute(&self, minute: &i8) -> bool {
        self.minutes.contains((*minute).into())
    }
}

/// A clock time: hour and minute.
type Clock = (i8, i8);

fn clock(t: DateTime) -> Clock {
    (t.hour(), t.minute())
}

fn at(date: Date, (hour, minute): Clock) -> Option<DateTime> {
    DateTime::new(date.year(), date.month(), date.day(), hour, minute, 0, 0).ok()
}
