//! The times of a schedule as a cron expression has them: one minute, some hours, some days.

use super::expression;
use crate::policy::{CreateRule, Policy, Schedule, StartTime};
use crate::schedule::cron::{CronExpression, CronTimes, DayRule, Field, Values};

/// Every time at `minute` of one of `hours` on one of the days.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// 0 to 59. One: the times of a schedule are an hour apart or more.
    minute: u32,
    /// Bit `n` stands for hour `n`.
    hours: u32,
    days: Days,
}

/// The days of a schedule, as its fields say them and as a list.
#[derive(Debug, Clone)]
pub(super) struct Days {
    pub(super) rule: DayRule,
    /// Bit `n` stands for month `n`, 1 to 12.
    pub(super) months: u32,
    times: CronTimes,
    /// The year field as the policy has it: Scheduler documents the same marks, and no year is ever moved.
    pub(super) years: String,
    /// For each month of 1970 to 2199 the set of its days.
    dates: Vec<u64>,
}

const EVERY_HOUR: u32 = (1 << 24) - 1;
/// 23.
const LAST_HOUR: u32 = 1 << 23;
const EVERY_MONTH: u32 = (1 << 13) - 2;
const EVERY_DAY_OF_MONTH: u64 = (1 << 32) - 2;

impl Part {
    /// The times of a schedule; for one without times of its own, a clock time that is the same for ever.
    pub(super) fn of(policy: &Policy, schedule: &Schedule) -> Self {
        match &schedule.create {
            CreateRule::Cron(expression) => Self::of_cron(expression),
            CreateRule::Interval { hours, at } => Self::every(u32::from(hours.hours()), at.minute_of_day),
            CreateRule::OnStart => Self::every(24, StartTime::derived(&policy.id, &schedule.name).minute_of_day),
        }
    }

    /// Every `hours` hours, counted from a minute of the day.
    fn every(hours: u32, minute_of_day: u16) -> Self {
        let (first, minute) = (u32::from(minute_of_day) / 60, u32::from(minute_of_day) % 60);
        let is_named = |hour: &u32| (hour + 24 - first).is_multiple_of(hours);
        Self { minute, hours: bits((0..24).filter(is_named)), days: Days::every() }
    }

    fn of_cron(expression: &CronExpression) -> Self {
        let times = expression.times();
        let minute = named(&times.minutes, 0, 59).next().unwrap_or_default();
        let days = Days::of(times, expression.year_field().to_owned());
        Self { minute, hours: bits(named(&times.hours, 0, 23)), days }
    }

    /// Whether it has no time at all.
    pub(super) fn is_empty(&self) -> bool {
        self.hours == 0
    }

    /// Whether every day of this one is a day of `other` too.
    pub(super) fn dates_are_among(&self, other: &Self) -> bool {
        self.days.dates.iter().zip(&other.days.dates).all(|(ours, theirs)| ours & !theirs == 0)
    }

    /// Whether the two have a time in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.minute == other.minute
            && self.hours & other.hours != 0
            && self.days.dates.iter().zip(&other.days.dates).any(|(ours, theirs)| ours & theirs != 0)
    }

    /// This one but for the clock times that `other` has.
    pub(super) fn without_hours_of(mut self, other: &Self) -> Self {
        if self.minute == other.minute {
            self.hours &= !other.hours;
        }
        self
    }

    /// Each time a minute later; `None` where some of them would be on another day than the others, or no expression names the days
    /// after.
    pub(super) fn minute_after(&self) -> Option<Self> {
        if self.minute < 59 {
            return Some(Self { minute: self.minute + 1, ..self.clone() });
        }
        if self.hours & LAST_HOUR == 0 {
            return Some(Self { minute: 0, hours: self.hours << 1, days: self.days.clone() });
        }
        let days = match self.days.is_every_day() {
            true => self.days.clone(),
            false if self.hours == LAST_HOUR => self.days.days_after()?,
            false => return None,
        };
        Some(Self { minute: 0, hours: (self.hours << 1 | 1) & EVERY_HOUR, days })
    }

    /// The first clock time, as `05:00`.
    pub(super) fn first_clock(&self) -> String {
        format!("{:02}:{:02}", self.hours.trailing_zeros() % 24, self.minute)
    }

    /// As EventBridge Scheduler takes it.
    pub(super) fn expression(&self) -> String {
        let hours = if self.hours == EVERY_HOUR { "*".to_owned() } else { expression::list(self.hours.into()) };
        let months =
            if self.days.months == EVERY_MONTH { "*".to_owned() } else { expression::list(self.days.months.into()) };
        let (of_month, of_week) = expression::day_fields(self.days.rule);
        format!("cron({} {hours} {of_month} {months} {of_week} {})", self.minute, self.days.years)
    }
}

impl Days {
    /// Every day.
    fn every() -> Self {
        let mut times = CronTimes {
            minutes: Values::none(0),
            hours: Values::none(0),
            days: DayRule::DaysOfMonth(EVERY_DAY_OF_MONTH),
            months: Values::none(Field::Month.first()),
            years: Values::none(Field::Year.first()),
        };
        (Field::Month.first()..=Field::Month.last()).for_each(|month| times.months.insert(month));
        (Field::Year.first()..=Field::Year.last()).for_each(|year| times.years.insert(year));
        Self::of(&times, "*".to_owned())
    }

    fn is_every_day(&self) -> bool {
        self.rule == DayRule::DaysOfMonth(EVERY_DAY_OF_MONTH) && self.months == EVERY_MONTH && self.years == "*"
    }

    /// The day after each day, where an expression names those: weekdays of the whole year, or days of the month that no month
    /// lacks.
    fn days_after(&self) -> Option<Self> {
        let days = match self.rule {
            DayRule::DaysOfWeek(days) if self.months == EVERY_MONTH && self.years == "*" => {
                DayRule::DaysOfWeek((days << 1 | days >> 6) & EVERY_WEEKDAY)
            }
            DayRule::DaysOfMonth(days) if days < 1 << 28 => DayRule::DaysOfMonth(days << 1),
            _ => return None,
        };
        Some(Self::of(&CronTimes { days, ..self.times }, self.years.clone()))
    }

    fn of(times: &CronTimes, years: String) -> Self {
        let mut dates = vec![0; usize::try_from(Field::Year.size()).unwrap_or_default() * 12];
        for (year, month, days) in times.months((Field::Year.first(), 1)..=(Field::Year.last(), 12)) {
            let at = usize::try_from(i32::from(year - Field::Year.first()) * 12 + i32::from(month) - 1);
            if let Some(set) = at.ok().and_then(|at| dates.get_mut(at)) {
                *set = days;
            }
        }
        let rule = match times.days {
            DayRule::DaysOfWeek(days) if days == EVERY_WEEKDAY => DayRule::DaysOfMonth(EVERY_DAY_OF_MONTH),
            rule => rule,
        };
        Self { rule, months: bits(named(&times.months, 1, 12)), times: *times, years, dates }
    }
}

/// 1 to 7.
const EVERY_WEEKDAY: u64 = (1 << 8) - 2;

/// The values from `first` to `last` that a field names.
fn named(values: &Values, first: i16, last: i16) -> impl Iterator<Item = u32> {
    (first..=last).filter(|&value| values.contains(value)).filter_map(|value| u32::try_from(value).ok())
}

fn bits(values: impl Iterator<Item = u32>) -> u32 {
    values.fold(0, |bits, value| bits | 1 << value)
}
