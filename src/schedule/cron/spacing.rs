//! Amazon DLM's limits on how far apart the times of a cron expression may be: 1 hour to 1 year.

use super::error::{CronError, Field};
use super::times::CronTimes;
use jiff::civil::Date;

/// DLM's "1 hour".
pub(super) const GAP_MINUTES_MIN: i64 = 60;

/// DLM's "1 year", in days: 53 weeks, as from the first Monday of January 2029 to that of 2030.
///
/// 366 was rejected: it refuses a rule on weekdays that fires once in every year (`1#1`, `LW`, `FRIL`). What skips a
/// whole year pauses for longer than this, except a rule that fires at the very end of one year and at the very
/// beginning of the next but one.
pub(super) const GAP_DAYS_MAX: i64 = 53 * 7;

/// Refuses times that never come, that come twice within an hour, or that stay away for longer than a year.
///
/// A time that comes only once is fine (reference/dlm.md E28). At most 2760 months and 1440 clock times are looked
/// at, whatever the expression.
pub(super) fn check(times: &CronTimes) -> Result<(), CronError> {
    let clocks: Vec<i64> = times.clocks().map(|(hour, minute)| i64::from(hour) * 60 + i64::from(minute)).collect();
    let (Some(first), Some(last)) = (clocks.first(), clocks.last()) else { return Err(CronError::NeverFires) };
    let days = days(times).ok_or(CronError::NeverFires)?;
    let over_night = days.has_neighbours.then_some(MINUTES_IN_DAY - last + first);
    let within_day = clocks.iter().zip(clocks.iter().skip(1)).map(|(earlier, later)| later - earlier);
    if let Some(minutes) = within_day.chain(over_night).min().filter(|&gap| gap < GAP_MINUTES_MIN) {
        return Err(CronError::FiresTooOften { minutes });
    }
    let pause = days.apart_max * MINUTES_IN_DAY + first - last;
    if pause > GAP_DAYS_MAX * MINUTES_IN_DAY {
        return Err(CronError::PausesTooLong { hours: pause / 60 });
    }
    Ok(())
}

/// How the named days lie to each other.
struct Days {
    /// Whether two of them follow each other.
    has_neighbours: bool,
    /// The greatest number of days from the last one of a month to the next one; 0 where there is no next one.
    /// Within a month two days are never far apart.
    apart_max: i64,
}

/// `None` when no day is named.
fn days(times: &CronTimes) -> Option<Days> {
    let mut days = Days { has_neighbours: false, apart_max: 0 };
    let mut last_before: Option<Date> = None;
    for (year, month, set) in times.months((Field::Year.first(), 1)..=(Field::Year.last(), 12)) {
        let day = |position: u32| i8::try_from(position).ok().and_then(|day| Date::new(year, month, day).ok());
        let first = day(set.trailing_zeros())?;
        let apart = last_before.map_or(0, |last_before| first.duration_since(last_before).as_hours() / 24);
        days.has_neighbours |= apart == 1 || set & (set >> 1) != 0;
        days.apart_max = days.apart_max.max(apart);
        last_before = day(set.ilog2());
    }
    last_before.map(|_| days)
}

const MINUTES_IN_DAY: i64 = 24 * 60;
