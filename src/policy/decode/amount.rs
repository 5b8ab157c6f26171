//! How much a rule keeps, deprecates, archives or shares: so many snapshots, or for so long.

use super::super::{Age, AgeUnit, RetainRule};
use super::node::{Field, Node, Word};
use super::object::Object;
use std::cmp::Ordering;
use std::fmt;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

/// A number of snapshots or AMIs, or a length of time; both may be zero where an archive follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    /// For so long.
    Age(Span),
    /// So many.
    Count(u32),
}

/// A length of time in calendar units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) interval: u32,
    pub(super) unit: AgeUnit,
}

/// What an [`Amount`] may be.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    counts: RangeInclusive<u32>,
    interval_least: u32,
    years_most: u32,
}

impl Limits {
    /// `RetainRule`: zero is checked where it is known whether an archive follows. At most 1000 (model: `Count`), at
    /// most 100 years (V17).
    pub(super) const RETAIN: Self = Self { counts: 0..=1000, interval_least: 0, years_most: 100 };
    /// Whatever else keeps snapshots: at least one, at most as `RetainRule`.
    pub(super) const KEEP: Self = Self { counts: 1..=1000, interval_least: 1, years_most: 100 };
    /// `DeprecateRule`: at most 10 years (V7).
    pub(super) const DEPRECATE: Self = Self { counts: 1..=1000, interval_least: 1, years_most: 10 };

    /// The interval in that unit, by DLM's own table: 100 years are 1200 months, 5200 weeks or 36500 days.
    fn intervals(&self, unit: AgeUnit) -> RangeInclusive<u32> {
        let units_in_a_year = match unit {
            AgeUnit::Days => 365,
            AgeUnit::Months => 12,
            AgeUnit::Weeks => 52,
            AgeUnit::Years => 1,
        };
        self.interval_least..=self.years_most * units_in_a_year
    }
}

/// The least of a count or an interval as a message says it: 0 is for a schedule that archives, and for that alone.
const LEAST_TOLD: u32 = 1;

/// The units of time of every rule but `CreateRule`.
const UNITS: [Word<AgeUnit>; 4] = [
    Word::new("DAYS", AgeUnit::Days),
    Word::new("WEEKS", AgeUnit::Weeks),
    Word::new("MONTHS", AgeUnit::Months),
    Word::new("YEARS", AgeUnit::Years),
];

impl Amount {
    /// Reads `Count`, or `Interval` and `IntervalUnit`: exactly one of the two (V2). `Interval: 0` beside a count is
    /// how DLM prints a count rule (E52).
    pub(super) fn read(object: &mut Object<'_>, limits: &Limits) -> Option<Self> {
        let count = object.take("Count").integer_told(limits.counts.clone(), LEAST_TOLD);
        let interval_node = object.take("Interval");
        let unit = object.take("IntervalUnit").word(&UNITS);
        let interval = match (count, unit) {
            (Field::Absent, Field::Given(unit)) => interval_node.integer_told(limits.intervals(unit), LEAST_TOLD),
            (Field::Absent, _) => interval_node.integer_told(limits.intervals(AgeUnit::Days), LEAST_TOLD),
            _ => interval_node.integer(0..=*limits.intervals(AgeUnit::Days).end()),
        };
        let unit_absent = matches!(unit, Field::Absent);
        if matches!((count, interval), (Field::Invalid, _) | (_, Field::Invalid)) || matches!(unit, Field::Invalid) {
            return None;
        }
        match (count.given(), interval.given(), unit.given()) {
            (Some(count), None | Some(0), None) => Some(Self::Count(count)),
            (Some(count), Some(0), Some(_)) if count > 0 => {
                object.at("IntervalUnit").warning("ignored beside Count: Interval is 0");
                Some(Self::Count(count))
            }
            (Some(0), Some(interval), Some(unit)) => {
                object.at("Count").warning("Count 0 is ignored beside Interval and IntervalUnit");
                Some(Self::Age(Span { interval, unit }))
            }
            (None, Some(interval), Some(unit)) => Some(Self::Age(Span { interval, unit })),
            (counted, interval, _) => {
                Self::refuse(object, counted.is_some(), interval.is_some(), unit_absent);
                None
            }
        }
    }

    fn refuse(object: &Object<'_>, has_count: bool, has_interval: bool, unit_absent: bool) {
        const EITHER: &str = "expected either Count, or Interval and IntervalUnit";
        match (has_count, has_interval) {
            (true, true) => object.node().error(format!("Count and Interval are both set, {EITHER}")),
            (true, false) => object.node().error(format!("Count and IntervalUnit are both set, {EITHER}")),
            (false, true) => object.at("IntervalUnit").error("missing, expected DAYS, WEEKS, MONTHS or YEARS"),
            (false, false) if unit_absent => object.node().error(format!("empty, {EITHER}")),
            (false, false) => object.at("Interval").error("missing, expected how many of IntervalUnit"),
        }
    }

    /// The rule that it makes; `None` when it is zero.
    pub(super) fn retain_rule(self) -> Option<RetainRule> {
        match self {
            Self::Age(Span { interval, unit }) => {
                Some(RetainRule::Age(Age { interval: NonZeroU32::new(interval)?, unit }))
            }
            Self::Count(count) => NonZeroU32::new(count).map(RetainRule::Count),
        }
    }

    /// The length of time that it is; `None` for a count, or when it is zero.
    pub(super) fn age(self) -> Option<Age> {
        match self.retain_rule() {
            Some(RetainRule::Age(age)) => Some(age),
            Some(RetainRule::Count(_)) | None => None,
        }
    }

    /// Whether it keeps nothing.
    pub(super) fn is_zero(self) -> bool {
        self.retain_rule().is_none()
    }

    /// Whether both are counts or both are ages.
    pub(super) fn is_like(self, other: Self) -> bool {
        matches!((self, other), (Self::Age(_), Self::Age(_)) | (Self::Count(_), Self::Count(_)))
    }

    /// Whether it is more than `other`, whatever the calendar. Of different kinds neither is.
    pub(super) fn exceeds(self, other: Self) -> bool {
        match (self, other) {
            (Self::Age(a), Self::Age(b)) => a.compare(b) == Some(Ordering::Greater),
            (Self::Count(a), Self::Count(b)) => a > b,
            (Self::Age(_), Self::Count(_)) | (Self::Count(_), Self::Age(_)) => false,
        }
    }

    /// What it goes by, in words.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Age(_) => "age",
            Self::Count(_) => "count",
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age(span) => write!(f, "{span}"),
            Self::Count(count) => write!(f, "Count {count}"),
        }
    }
}

impl Span {
    /// Reads a length of time under these two keys, which the object's table may require.
    pub(super) fn read(
        object: &mut Object<'_>,
        [interval_key, unit_key]: [&'static str; 2],
        limits: &Limits,
    ) -> Field<Self> {
        let interval_node = object.take(interval_key);
        let unit_node = object.take(unit_key);
        let unit = unit_node.word(&UNITS);
        let interval = interval_node.integer(limits.intervals(unit.given().unwrap_or(AgeUnit::Days)));
        match (interval, unit) {
            (Field::Given(interval), Field::Given(unit)) => Field::Given(Self { interval, unit }),
            (Field::Absent, Field::Absent) => Field::Absent,
            _ => Field::Invalid,
        }
    }

    /// Reads an age rule of copies: `Interval` and `IntervalUnit`, both required by the table.
    pub(super) fn read_rule(object: &mut Object<'_>, limits: &Limits) -> Option<Self> {
        Self::read(object, ["Interval", "IntervalUnit"], limits).given()
    }

    /// Which one is longer; `None` when that depends on the calendar, as for a month and 30 days.
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self.exact(), other.exact()) {
            (Exact::Days(a), Exact::Days(b)) | (Exact::Months(a), Exact::Months(b)) => Some(a.cmp(&b)),
            (Exact::Days(days), Exact::Months(months)) => compare_days_with_months(days, months),
            (Exact::Months(months), Exact::Days(days)) => compare_days_with_months(days, months).map(Ordering::reverse),
        }
    }

    /// The fewest days that it can be. A month counts as a twelfth of 365 days, so never as less than 30: DLM takes
    /// 3 months for 90 days even when the calendar makes them 89 (E25).
    pub(super) fn days_least(self) -> u64 {
        match self.exact() {
            Exact::Days(days) => days,
            Exact::Months(months) => months * 365 / 12,
        }
    }

    fn exact(self) -> Exact {
        let interval = u64::from(self.interval);
        match self.unit {
            AgeUnit::Days => Exact::Days(interval),
            AgeUnit::Months => Exact::Months(interval),
            AgeUnit::Weeks => Exact::Days(interval * 7),
            AgeUnit::Years => Exact::Months(interval * 12),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            AgeUnit::Days => "DAYS",
            AgeUnit::Months => "MONTHS",
            AgeUnit::Weeks => "WEEKS",
            AgeUnit::Years => "YEARS",
        };
        write!(f, "{} {unit}", self.interval)
    }
}

/// A length of time in the unit in which it is always the same.
enum Exact {
    Days(u64),
    Months(u64),
}

/// A run of n months has at least `n * 365 / 12 - 2` days (28 for one, 59 for two) and at most `n * 366 / 12 + 2`.
fn compare_days_with_months(days: u64, months: u64) -> Option<Ordering> {
    let least = (months * 365 / 12).saturating_sub(2);
    let most = months * 366 / 12 + 2;
    if days < least {
        Some(Ordering::Less)
    } else if days > most {
        Some(Ordering::Greater)
    } else {
        None
    }
}

/// Reads a rule that is an amount.
pub(super) fn rule(node: &Node<'_>, shape: &'static super::shape::Shape, limits: &Limits) -> Field<Amount> {
    node.object(shape, |object| Amount::read(object, limits))
}
