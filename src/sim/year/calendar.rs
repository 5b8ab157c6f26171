//! When things happen in a simulated year: starts, changes by people, and how much goes wrong.

use super::{Event, Year};
use crate::plan::due::saturating_add;
use crate::sim::ec2::Faults;
use jiff::{SignedDuration, Timestamp};

impl Year<'_> {
    /// All that is known beforehand: when EventBridge delivers, when people do something, when faults change.
    pub(super) fn fill(&mut self, first: Timestamp, end: Timestamp) {
        let mut scheduled = self.first_start(first);
        // Bounded by the days of the year.
        while scheduled < end {
            self.deliver(scheduled);
            scheduled = saturating_add(scheduled, self.shape.period());
        }
        let mut at = first;
        // Bounded by the days of the year: a season has a week at least.
        while at < self.calm {
            self.push(at, Event::Season);
            at = saturating_add(at, self.random.seconds(7 * 86_400, 30 * 86_400));
        }
        self.push(self.calm, Event::Season);
        let mut at = saturating_add(first, self.random.seconds(3_600, 5 * 86_400));
        // Bounded by the days of the year: an hour at least lies between.
        while at < self.calm {
            self.push(at, Event::Change);
            at = saturating_add(at, self.random.seconds(3_600, 5 * 86_400));
        }
    }

    pub(super) fn first_start(&self, first: Timestamp) -> Timestamp {
        let next = self
            .rules
            .iter()
            .filter(|rule| rule.hours.is_some())
            .map(|rule| saturating_add(rule.latest(first), rule.period));
        next.min().unwrap_or_else(|| saturating_add(first, SignedDuration::from_hours(17)))
    }

    /// EventBridge delivers at least once, mostly within a minute, sometimes late, sometimes never.
    fn deliver(&mut self, scheduled: Timestamp) {
        if scheduled >= self.calm {
            return self.push(scheduled, Event::Start { scheduled });
        }
        let delay = match self.random.below(100) {
            0 => return,
            1..5 => self.random.seconds(60, 7_200),
            _ => self.random.seconds(0, 60),
        };
        let at = saturating_add(scheduled, delay);
        self.push(at, Event::Start { scheduled });
        if self.random.happens(1_000) {
            let most = if self.random.happens(5_000) { 2 } else { 300 };
            let again = saturating_add(at, self.random.seconds(0, most));
            self.push(again, Event::Start { scheduled });
        }
    }

    /// How much goes wrong from now on.
    pub(super) fn season(&mut self) {
        self.ec2.faults = Faults::NONE;
        self.crashes = 0;
        if self.now >= self.calm {
            self.ec2.revoked = None;
            self.ec2.records.iter_mut().for_each(|record| (record.locked, record.imaged) = (None, None));
            return;
        }
        let mut rate =
            |rates: [u64; 3]| rates.get(usize::try_from(self.random.below(3)).unwrap_or(0)).copied().unwrap_or(0);
        self.ec2.faults = Faults {
            lag: rate([0, 2_000, 8_000]),
            lost_answer: rate([0, 200, 2_000]),
            failure: rate([0, 200, 2_000]),
            throttled: rate([0, 500, 3_000]),
            list_failure: rate([0, 100, 1_000]),
            cut_short: rate([0, 50, 300]),
            empty: rate([0, 100, 1_000]),
            error: rate([0, 200, 2_000]),
            hangs: rate([0, 0, 15]),
        };
        self.crashes = rate([0, 100, 500]);
        self.log(|year| format!("from now on {:?}, crashes {}", year.ec2.faults, year.crashes));
    }
}
