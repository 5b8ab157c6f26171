//! The days of a month on which a cron expression fires.

use jiff::civil::Date;

/// The day-of-month or day-of-week field of a cron expression, whichever is not `?`.
///
/// Weekdays are numbered as EventBridge does: 1 is Sunday, 7 is Saturday. In the sets of days, bit `n` stands for
/// day `n` and bit 0 for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DayRule {
    /// These days, as far as the month has them: `1,15,31`.
    DaysOfMonth(u64),
    /// These weekdays: `MON-FRI`.
    DaysOfWeek(u64),
    /// The last day of the month: `L`.
    LastDay,
    /// The last such weekday of the month: `6L`.
    LastDayOfWeek(i8),
    /// The last day of the month from Monday to Friday: `LW`.
    LastWeekday,
    /// The day from Monday to Friday that is nearest to this day: `15W`.
    NearestWeekday(i8),
    /// The so-manieth such weekday of the month: `3#2`.
    NthDayOfWeek {
        /// 1 is Sunday.
        weekday: i8,
        /// 1 to 5.
        nth: i8,
    },
}

impl DayRule {
    /// The days of the month that the rule names, as a set; empty where the month has none (`31`, `30W` in
    /// February, `3#5`). `year` is one that jiff knows, -9999 to 9999, and `month` 1 to 12.
    pub(super) fn days(self, year: i16, month: i8) -> u64 {
        let first_day = Date::new(year, month, 1).expect("the year and month fields hold only what jiff knows");
        let month =
            Month { length: first_day.days_in_month(), first_weekday: first_day.weekday().to_sunday_one_offset() };
        match self {
            Self::DaysOfMonth(days) => days & month.all(),
            Self::DaysOfWeek(weekdays) => month.on_weekdays(weekdays),
            Self::LastDay => day_bit(month.length),
            Self::LastDayOfWeek(weekday) => {
                day_bit(month.length - (month.weekday(month.length) - weekday).rem_euclid(DAYS_IN_WEEK))
            }
            Self::LastWeekday => day_bit(month.nearest_weekday(month.length)),
            Self::NearestWeekday(day) if day > month.length => 0,
            Self::NearestWeekday(day) => day_bit(month.nearest_weekday(day)),
            Self::NthDayOfWeek { weekday, nth } => {
                let first = 1 + (weekday - month.first_weekday).rem_euclid(DAYS_IN_WEEK);
                day_bit(first + DAYS_IN_WEEK * (nth - 1)) & month.all()
            }
        }
    }
}

/// The bit that stands for `day` in a set of days, or for a weekday in a set of weekdays.
pub(crate) fn day_bit(day: i8) -> u64 {
    u32::try_from(day).ok().and_then(|day| 1_u64.checked_shl(day)).unwrap_or(0)
}

/// What a month's days depend on.
struct Month {
    /// 28 to 31.
    length: i8,
    /// The weekday of day 1: 1 is Sunday.
    first_weekday: i8,
}

impl Month {
    /// All days of the month.
    fn all(&self) -> u64 {
        (day_bit(self.length) << 1) - 2
    }

    /// The weekday of a day of the month: 1 is Sunday.
    fn weekday(&self, day: i8) -> i8 {
        (self.first_weekday - 1 + day - 1).rem_euclid(DAYS_IN_WEEK) + 1
    }

    /// The days that fall on these weekdays. Six weeks of bits cover the month wherever its first day falls.
    fn on_weekdays(&self, weekdays: u64) -> u64 {
        let weeks = (0..6).fold(0, |weeks, week| weeks | weekdays << (7 * week));
        let days = (1..self.first_weekday).fold(weeks, |days, _| days >> 1);
        days & self.all()
    }

    /// The day from Monday to Friday that is nearest to `day` without leaving the month: from the 1st it moves
    /// forward and from the last backward, over the whole weekend if need be.
    fn nearest_weekday(&self, day: i8) -> i8 {
        match self.weekday(day) {
            SATURDAY if day == 1 => day + 2,
            SATURDAY => day - 1,
            SUNDAY if day == self.length => day - 2,
            SUNDAY => day + 1,
            _ => day,
        }
    }
}

const DAYS_IN_WEEK: i8 = 7;
const SUNDAY: i8 = 1;
pub(super) const SATURDAY: i8 = 7;
