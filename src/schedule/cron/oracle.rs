//! A second, plain reading of the dialect for the tests: it parses on its own, knows the calendar as a list of days and
//! finds a time by looking at every day and minute. It shares no code with what it checks and takes valid text only.

use std::collections::BTreeSet;
use std::sync::OnceLock;

/// A day from 1970 to 2199.
pub(super) struct Day {
    /// How many days after 1 January 1970.
    index: i64,
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    /// 1 is Sunday.
    pub(super) weekday: i64,
    /// Where the day's month begins in the calendar, and how many days it has.
    month_start: usize,
    month_length: usize,
}

/// Every day from 1970 to 2199, counted out from Thursday, 1 January 1970.
pub(super) fn calendar() -> &'static [Day] {
    static CALENDAR: OnceLock<Vec<Day>> = OnceLock::new();
    CALENDAR.get_or_init(|| {
        let mut days = Vec::new();
        let (mut index, mut weekday) = (0, 5);
        for year in 1970..=2199 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, month_length) in (1..).zip(lengths) {
                let month_start = days.len();
                for day in (1..).take(month_length) {
                    days.push(Day { index, year, month, day, weekday, month_start, month_length });
                    index += 1;
                    weekday = if weekday == 7 { 1 } else { weekday + 1 };
                }
            }
        }
        days
    })
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

enum Days {
    OfMonth(Vec<i64>),
    OfWeek(Vec<i64>),
    Last,
    LastOfWeek(i64),
    LastWeekday,
    Nearest(i64),
    Nth(i64, usize),
}

/// What a valid expression names.
pub(super) struct Oracle {
    clocks: Vec<i64>,
    days: Days,
    months: Vec<i64>,
    years: BTreeSet<i64>,
}

impl Oracle {
    pub(super) fn new(expression: &str) -> Self {
        let upper = expression.to_uppercase();
        let fields: Vec<&str> = upper[5..upper.len() - 1].split_whitespace().collect();
        let (minutes, hours) = (allowed(fields[0], 0, 59, &[]), allowed(fields[1], 0, 23, &[]));
        Self {
            clocks: (0..1440).filter(|t| hours.contains(&(t / 60)) && minutes.contains(&(t % 60))).collect(),
            days: if fields[2] == "?" { days_of_week(fields[4]) } else { days_of_month(fields[2]) },
            months: allowed(fields[3], 1, 12, &MONTHS),
            years: allowed(fields[5], 1970, 2199, &[]).into_iter().collect(),
        }
    }

    /// The latest named time at or before `second`, in seconds since 1970.
    pub(super) fn latest(&self, second: i64) -> Option<i64> {
        let days = calendar().iter().rev().filter(|day| day.index * 86_400 <= second && self.names(day));
        days.flat_map(|day| self.clocks.iter().rev().map(|clock| day.index * 86_400 + clock * 60))
            .find(|time| *time <= second)
    }

    /// The first named time after `second`, in seconds since 1970.
    pub(super) fn next(&self, second: i64) -> Option<i64> {
        let days = calendar().iter().filter(|day| (day.index + 1) * 86_400 > second && self.names(day));
        days.flat_map(|day| self.clocks.iter().map(|clock| day.index * 86_400 + clock * 60)).find(|time| *time > second)
    }

    /// The gaps that occur between two named times, in minutes and from the smallest on: none when there is only one
    /// time, and `None` when there is no time at all.
    pub(super) fn gaps(&self) -> Option<Vec<i64>> {
        let mut gaps: Vec<i64> = self.clocks.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mut last: Option<i64> = None;
        for day in calendar().iter().filter(|day| self.names(day)) {
            gaps.extend(last.map(|last| day.index * 1440 + self.clocks[0] - last));
            last = Some(day.index * 1440 + self.clocks[self.clocks.len() - 1]);
        }
        last?;
        gaps.sort_unstable();
        gaps.dedup();
        Some(gaps)
    }

    fn names(&self, day: &Day) -> bool {
        self.years.contains(&day.year) && self.months.contains(&day.month) && self.days.names(day)
    }
}

impl Days {
    fn names(&self, day: &Day) -> bool {
        let month = &calendar()[day.month_start..day.month_start + day.month_length];
        let like_today = || month.iter().filter(|other| other.weekday == day.weekday).map(|other| other.day);
        let weekdays = || month.iter().filter(|other| (2..=6).contains(&other.weekday)).map(|other| other.day);
        match self {
            Self::OfMonth(days) => days.contains(&day.day),
            Self::OfWeek(days) => days.contains(&day.weekday),
            Self::Last => month.iter().all(|other| other.day <= day.day),
            Self::LastOfWeek(weekday) => day.weekday == *weekday && like_today().max() == Some(day.day),
            Self::LastWeekday => weekdays().max() == Some(day.day),
            Self::Nearest(wanted) => {
                month.iter().any(|other| other.day == *wanted)
                    && weekdays().min_by_key(|other| (other - wanted).abs()) == Some(day.day)
            }
            Self::Nth(weekday, nth) => day.weekday == *weekday && like_today().nth(nth - 1) == Some(day.day),
        }
    }
}

fn days_of_month(text: &str) -> Days {
    match text {
        "L" => Days::Last,
        "LW" => Days::LastWeekday,
        _ if text.ends_with('W') => Days::Nearest(text[..text.len() - 1].parse().unwrap()),
        _ => Days::OfMonth(allowed(text, 1, 31, &[])),
    }
}

fn days_of_week(text: &str) -> Days {
    let weekday = |text: &str| allowed(text, 1, 7, &WEEKDAYS)[0];
    match text.split_once('#') {
        Some((day, nth)) => Days::Nth(weekday(day), nth.parse().unwrap()),
        None if text == "L" => Days::OfWeek(vec![7]),
        None if text.ends_with('L') => Days::LastOfWeek(weekday(&text[..text.len() - 1])),
        None => Days::OfWeek(allowed(text, 1, 7, &WEEKDAYS)),
    }
}

/// The values that a list names: each item is walked value by value, around the end of the field if it must.
fn allowed(text: &str, first: i64, last: i64, names: &[&str]) -> Vec<i64> {
    let number = |text: &str| match (first..).zip(names).find(|(_, name)| **name == text) {
        Some((value, _)) => value,
        None => text.parse().unwrap(),
    };
    let mut values = Vec::new();
    for item in text.split(',') {
        let (range, step) = item.split_once('/').unwrap_or((item, "1"));
        let (start, end) = match range.split_once('-') {
            Some((start, end)) => (number(start), number(end)),
            None if range == "*" => (first, last),
            None if item.contains('/') => (number(range), last),
            None => (number(range), number(range)),
        };
        let mut value = start;
        for count in 0.. {
            if count % step.parse::<i64>().unwrap() == 0 {
                values.push(value);
            }
            if value == end {
                break;
            }
            value = if value == last { first } else { value + 1 };
        }
    }
    values
}

mod tests {
    use super::*;

    #[test]
    fn the_calendar_of_the_oracle_is_the_gregorian_one() {
        let last = calendar().last().unwrap();
        assert_eq!(calendar().len(), 84_006);
        assert_eq!((last.year, last.month, last.day, last.weekday), (2199, 12, 31, 3));
    }
}
