//! When things happen in a simulated year: starts, changes by people, and how much goes wrong.

use super::{Event, TICK, Year};
use crate::plan::due::saturating_add;
use crate::sim::ec2::Faults;
use jiff::Timestamp;
use std::sync::Arc;

impl Year {
    /// All that is known beforehand: when EventBridge delivers, when people do something, when faults change.
    pub(super) fn fill(&mut self, first: Timestamp, end: Timestamp) {
        let mut at = first;
        // Bounded by the hours of the year.
        while at < end {
            if self.is_time_of_day(at) {
                self.push(at, Event::Tick);
            }
            at = saturating_add(at, TICK);
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
        // One year in four is without them.
        let mut at = if self.random.happens(2_500) { self.calm } else { first };
        // Bounded by the days of the year: an hour at least lies between.
        while at < self.calm {
            at = saturating_add(at, self.random.seconds(3_600, 16 * 86_400));
            if at < self.calm {
                self.push(at, Event::Act);
            }
        }
    }

    /// Whether any version of the policy may be due then: an hour of the day is enough, as all of them count from 17:00.
    fn is_time_of_day(&self, at: Timestamp) -> bool {
        [5, 17].contains(&(at.as_second() / 3_600 % 24))
    }

    /// What is deployed may be due now. EventBridge delivers at least once, mostly within a minute, sometimes late, sometimes never.
    pub(super) fn tick(&mut self) {
        let scheduled = self.now;
        if !self.deployed.is_due_at(scheduled) {
            return;
        }
        let version = Arc::clone(&self.deployed);
        if scheduled >= self.calm {
            return self.push(scheduled, Event::Start { scheduled, version });
        }
        let delay = match self.random.below(100) {
            0 => return,
            1..5 => self.random.seconds(60, 7_200),
            _ => self.random.seconds(0, 60),
        };
        let at = saturating_add(scheduled, delay);
        self.push(at, Event::Start { scheduled, version: Arc::clone(&version) });
        if self.random.happens(1_000) {
            let most = if self.random.happens(5_000) { 2 } else { 300 };
            let again = saturating_add(at, self.random.seconds(0, most));
            self.push(again, Event::Start { scheduled, version });
        }
    }

    /// How much goes wrong from now on.
    pub(super) fn season(&mut self) {
        self.ec2.faults = Faults::NONE;
        self.crashes = 0;
        if self.now >= self.calm {
            self.deploy_the_last();
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
            off_clock: rate([0, 0, 50]),
        };
        self.crashes = rate([0, 100, 500]);
        self.log(|year| format!("from now on {:?}, crashes {}", year.ec2.faults, year.crashes));
    }
}
