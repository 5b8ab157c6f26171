//! The fields of an expression as EventBridge Scheduler takes them (its user guide, "Schedule types", cron-based schedules: the
//! wildcards are those of EventBridge rules).

use crate::schedule::cron::{DayRule, Field};

/// The values of a set of bits, in order: `5,17`.
pub(super) fn list(bits: u64) -> String {
    let values: Vec<String> =
        (0..64).filter(|value| bits & (1 << value) != 0).map(|value: u32| value.to_string()).collect();
    values.join(",")
}

/// Day of the month and day of the week: one of them is `?`.
pub(super) fn day_fields(rule: DayRule) -> (String, String) {
    let open = || "?".to_owned();
    match rule {
        DayRule::DaysOfMonth(days) if days == EVERY_DAY => ("*".to_owned(), open()),
        DayRule::DaysOfMonth(days) => (list(days), open()),
        DayRule::DaysOfWeek(days) => (open(), weekdays(days)),
        DayRule::LastDay => ("L".to_owned(), open()),
        DayRule::LastDayOfWeek(weekday) => (open(), format!("{weekday}L")),
        DayRule::LastWeekday => ("LW".to_owned(), open()),
        DayRule::NearestWeekday(day) => (format!("{day}W"), open()),
        DayRule::NthDayOfWeek { weekday, nth } => (open(), format!("{weekday}#{nth}")),
    }
}

/// Bits 1 to 31.
const EVERY_DAY: u64 = (1 << 32) - 2;

/// By name, which every dialect of cron reads alike: `MON,FRI`.
fn weekdays(days: u64) -> String {
    let named = (1_u32..).zip(Field::DayOfWeek.names()).filter(|(day, _)| days & (1 << day) != 0);
    named.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
}
