//! The cron dialect of Amazon EventBridge, as Amazon DLM takes it: `cron(minute hour day-of-month month day-of-week
//! year)`, in UTC.
//!
//! What EventBridge documents (its user guide, "Cron expressions reference"):
//!
//! | field | values | wildcards |
//! |---|---|---|
//! | minute | 0-59 | `, - * /` |
//! | hour | 0-23 | `, - * /` |
//! | day-of-month | 1-31 | `, - * ? / L W` |
//! | month | 1-12 or JAN-DEC | `, - * /` |
//! | day-of-week | 1-7 or SUN-SAT, 1 is Sunday | `, - * ? L #` |
//! | year | 1970-2199 | `, - * /` |
//!
//! One of the two day fields is `?` and the other is not; `#` allows a single expression. The corners that the guide
//! leaves open are settled as Quartz does, from which the dialect descends, where that is plain and EventBridge is not
//! known to do otherwise; else by a refusal, because a schedule that is understood otherwise than its author meant is
//! worse than one that is refused with a reason. (What EventBridge's console takes is known from the tests of
//! github.com/grumBit/aws_cron_expression_validator, issues 6, 12, 13 and 18.)
//!
//! - Ranges wrap around: `20-2` hours, `50-10` minutes, `FRI-MON`, `NOV-FEB`, `28-3` days of the month (Quartz
//!   `addToSet`). Years do not (Quartz refuses).
//! - A step counts from the start of its range: `*/5` and `1/5` days are 1, 6, 11 and so on; `5/10` goes on to the
//!   field's end; `20-2/3` hours are 20, 23, 2. Names take part (`JAN-DEC/3`), though Quartz drops a step after a name.
//!   A step of 0 or wider than the field is refused (Quartz; EventBridge refuses `*/60`, aws-sdk-js issue 4212).
//! - The day of the week takes no `/`: the table does not list it, though Quartz has it.
//! - `L` alone is the last day of the month, or Saturday. `6L` and `FRIL` are the month's last Friday (the guide's
//!   examples). `L` is the whole field, never part of a list (Quartz refused that for long, and so does the console).
//!   Of the offsets, EventBridge's console refuses `L-3` for the month; it takes `L-2` for the week, which Quartz reads
//!   as Saturday and others do not; both are refused here.
//! - `15W` is the day from Monday to Friday nearest to the 15th, and never in another month: `1W` on a Saturday is
//!   Monday the 3rd (Quartz's documentation), `31W` on a Sunday is Friday the 29th. A month without the day has no
//!   occurrence (today's Quartz). `LW` is the last day from Monday to Friday. `W` is the whole field (Quartz's
//!   documentation: a single day, not a range or list).
//! - `3#5` has no occurrence in a month with four Tuesdays.
//! - Letters may be small (`mon`, `l`). Numbers may have leading zeros (`00`). Blanks and tabs separate fields, however
//!   many. Nothing may be empty: `1,,2`, `1,` and `/5` are refused, and so is `*` or `?` in a list. (PutRule overlooks
//!   a comma at the end of a field; aws-sdk issue 161 calls that a bug.)

mod days;
mod error;
#[cfg(test)]
mod oracle;
mod parse;
#[cfg(test)]
mod properties;
mod spacing;
#[cfg(test)]
mod tests;
mod times;
mod values;

pub(crate) use days::DayRule;
pub use error::{CronError, Field};

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use std::fmt;
pub(crate) use times::CronTimes;
pub(crate) use values::Values;

/// A cron expression that EventBridge and Amazon DLM accept: one that fires at least once from 1970 to 2199, and
/// whose times are between an hour and a year apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronExpression {
    text: String,
    /// Boxed, so that a rule that is no cron expression does not carry its size.
    times: Box<CronTimes>,
}

impl CronExpression {
    /// Reads `cron(minute hour day-of-month month day-of-week year)`. The work is bounded, whatever the text.
    ///
    /// # Errors
    /// When the text is not of the dialect, or its times are not spaced as DLM wants them (dlm.md 1.4 and V16: 17 to
    /// 106 characters, 1 hour to 1 year apart). An expression that fires only once is fine (E28).
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let times = parse::parse(text)?;
        spacing::check(&times)?;
        Ok(Self { text: text.to_owned(), times: Box::new(times) })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the expression's fields allow.
    pub(crate) fn times(&self) -> &CronTimes {
        &self.times
    }

    /// The year field as it was written.
    pub(crate) fn year_field(&self) -> &str {
        self.text.trim_end_matches(')').split([' ', '\t']).rfind(|field| !field.is_empty()).unwrap_or("*")
    }

    /// The latest time that the expression names at or before `t`; `None` when there was none since 1970.
    #[must_use]
    pub fn latest_at_or_before(&self, t: Timestamp) -> Option<Timestamp> {
        self.times.last_at_or_before(minute_of(t)).and_then(timestamp)
    }

    /// The first time that the expression names after `t`; `None` when there will be none until 2199.
    #[must_use]
    pub fn next_after(&self, t: Timestamp) -> Option<Timestamp> {
        let next_minute = minute_of(t).checked_add(1.minute()).ok()?;
        self.times.first_at_or_after(next_minute).and_then(timestamp)
    }
}

impl fmt::Display for CronExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The minute in which `t` lies, in UTC: `t` without its seconds, before 1970 too.
fn minute_of(t: Timestamp) -> DateTime {
    let t = Offset::UTC.to_datetime(t);
    t.date().at(t.hour(), t.minute(), 0, 0)
}

fn timestamp(t: DateTime) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(t).ok()
}
