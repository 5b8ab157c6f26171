//! Why a text is no cron expression that Amazon DLM accepts.

use super::parse::{LENGTH_MAX, LENGTH_MIN};
use super::spacing::{GAP_DAYS_MAX, GAP_MINUTES_MIN};
use std::fmt;

/// A field of a cron expression, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// 0 to 59.
    Minute,
    /// 0 to 23, UTC.
    Hour,
    /// 1 to 31.
    DayOfMonth,
    /// 1 to 12, or JAN to DEC.
    Month,
    /// 1 to 7, or SUN to SAT: 1 is Sunday.
    DayOfWeek,
    /// 1970 to 2199.
    Year,
}

/// Why a text is no cron expression that Amazon DLM accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// `?` in both day fields: no day is named.
    #[error("day-of-month and day-of-week are both ?, expected only one of them to be ?")]
    BothDaysOpen,
    /// A value or `*` in both day fields: EventBridge takes one.
    #[error(
        "day-of-month and day-of-week are both set ({day_of_month:?} and {day_of_week:?}), \
         expected one of them to be ?"
    )]
    BothDaysSet {
        /// The text of the day-of-month field.
        day_of_month: String,
        /// The text of the day-of-week field.
        day_of_week: String,
    },
    /// `L` or `W` in a combination that EventBridge does not document.
    #[error(
        "day-of-month is {0:?}, expected L (the last day), LW (the last weekday) or a day with W (as in 15W) \
         to be the whole field"
    )]
    DayOfMonthForm(String),
    /// `L` or `#` in a combination that EventBridge does not document.
    #[error(
        "day-of-week is {0:?}, expected L (Saturday), a day with L (as in 6L or FRIL, the last Friday) or \
         a day with # and 1 to 5 (as in 3#2 or TUE#2, the second Tuesday) to be the whole field"
    )]
    DayOfWeekForm(String),
    /// Too few or too many fields, between the parentheses and separated by blanks.
    #[error("has {0} fields, expected 6: minute hour day-of-month month day-of-week year")]
    FieldCount(usize),
    /// More than one occurrence in an hour.
    #[error(
        "fires again after {minutes} min, expected at least {min} min between two runs: \
         one value in the minute field, as in 0",
        min = GAP_MINUTES_MIN
    )]
    FiresTooOften {
        /// The smallest number of minutes between two occurrences.
        minutes: i64,
    },
    /// Not `cron(...)`.
    #[error("is no cron expression, expected cron(minute hour day-of-month month day-of-week year)")]
    Form,
    /// The number of characters that DLM's model allows.
    #[error("has {0} characters, expected {min} to {max}", min = LENGTH_MIN, max = LENGTH_MAX)]
    Length(usize),
    /// No day from 1970 to 2199 fits: 30 February.
    #[error("never fires, expected at least one day between 1970 and 2199 that fits all fields")]
    NeverFires,
    /// `*` or `?` beside other values.
    #[error("{field} has {wildcard} in {text:?}, expected it to be the whole field")]
    NotAlone {
        /// Where.
        field: Field,
        /// `*` or `?`.
        wildcard: char,
        /// The text of the field.
        text: String,
    },
    /// More than a year between two occurrences.
    #[error(
        "pauses for {} between two runs, expected at most a year ({max} days)",
        Pause(*.hours),
        max = GAP_DAYS_MAX
    )]
    PausesTooLong {
        /// The longest pause, in hours.
        hours: i64,
    },
    /// A year range from a later year to an earlier one: other ranges wrap around, years do not come again.
    #[error("year has the range {0:?}, expected the earlier year first")]
    RangeBackwards(String),
    /// Several fields are wrong, each for a reason of its own.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<Self>),
    /// A step of 0 or wider than the field.
    #[error("{field} has the step {text:?}, expected 1 to {max}", max = .field.step_max())]
    Step {
        /// Where.
        field: Field,
        /// What stands after the `/`.
        text: String,
    },
    /// What is neither a value of the field nor one of its wildcards.
    #[error("{field} has {text:?}, expected {expected}", expected = .field.expected())]
    Value {
        /// Where.
        field: Field,
        /// The part of the field that was not understood.
        text: String,
    },
}

impl Field {
    /// The field's smallest value.
    pub(crate) fn first(self) -> i16 {
        match self {
            Self::Minute | Self::Hour => 0,
            Self::DayOfMonth | Self::Month | Self::DayOfWeek => 1,
            Self::Year => 1970,
        }
    }

    /// The field's greatest value.
    pub(crate) fn last(self) -> i16 {
        match self {
            Self::Minute => 59,
            Self::Hour => 23,
            Self::DayOfMonth => 31,
            Self::Month => 12,
            Self::DayOfWeek => 7,
            Self::Year => 2199,
        }
    }

    /// How many values the field has.
    pub(crate) fn size(self) -> i16 {
        self.last() - self.first() + 1
    }

    /// The widest step: Quartz's limits (59 minutes, 23 hours, 31 days, 12 months). EventBridge, which descends from
    /// it, refuses `*/60` minutes too (aws-sdk-js issue 4212).
    pub(super) fn step_max(self) -> i16 {
        match self {
            Self::Minute | Self::Hour => self.last(),
            Self::DayOfMonth | Self::Month | Self::DayOfWeek | Self::Year => self.size(),
        }
    }

    /// The three-letter names of the values, from the smallest on; none where there are only numbers.
    pub(crate) fn names(self) -> &'static [&'static str] {
        const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
        const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
        match self {
            Self::Minute | Self::Hour | Self::DayOfMonth | Self::Year => &[],
            Self::Month => &MONTHS,
            Self::DayOfWeek => &WEEKDAYS,
        }
    }

    /// The values and wildcards that EventBridge's table lists for the field.
    fn expected(self) -> &'static str {
        match self {
            Self::Minute => "0 to 59, with the wildcards , - * /",
            Self::Hour => "0 to 23, with the wildcards , - * /",
            Self::DayOfMonth => "1 to 31, with the wildcards , - * ? / L W",
            Self::Month => "1 to 12 or JAN to DEC, with the wildcards , - * /",
            Self::DayOfWeek => "1 to 7 or SUN to SAT, with the wildcards , - * ? L #",
            Self::Year => "1970 to 2199, with the wildcards , - * /",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
            Self::Year => "year",
        })
    }
}

/// A number of hours, in words: `1461 days`, `371 days 1 h`.
struct Pause(i64);

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, hours) = (self.0 / 24, self.0 % 24);
        write!(f, "{days} days")?;
        if hours > 0 {
            write!(f, " {hours} h")?;
        }
        Ok(())
    }
}
