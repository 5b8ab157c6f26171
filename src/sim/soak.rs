//! Many simulated years, on all cores.

use super::copying;
use super::sabotage::Sabotage;
use super::year::{self, Told};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// What came of many years.
#[derive(Debug, Default)]
pub struct Soaked {
    /// How many seeds there were.
    pub seeds: u64,
    /// The seeds that broke a promise, each with what was broken.
    pub broken: BTreeMap<u64, Vec<String>>,
    /// How many executions there were.
    pub executions: u64,
    /// How many turns.
    pub turns: u64,
    /// How many calls that change something.
    pub calls: u64,
    /// How many executions ended with each outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// How many seeds each shape had.
    pub shapes: BTreeMap<String, u64>,
    /// The seed with the most turns, and how many it had.
    pub longest: (u64, u64),
}

impl Soaked {
    fn add(&mut self, seed: u64, told: Told) {
        self.seeds += 1;
        self.executions += told.executions;
        self.turns += told.turns;
        self.calls += told.calls;
        for (outcome, count) in told.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        *self.shapes.entry(copying::name(seed)).or_default() += 1;
        if told.turns > self.longest.1 {
            self.longest = (seed, told.turns);
        }
        if !told.broken.is_empty() {
            self.broken.insert(seed, told.broken);
        }
    }
}

/// The years of so many seeds from `first` on, as `year` runs each, in any order.
///
/// # Panics
/// When a year does: a defect.
pub fn run(first: u64, seeds: u64, year: impl Fn(u64) -> Told + Sync) -> Soaked {
    let next = AtomicU64::new(first);
    let end = first.saturating_add(seeds);
    let soaked = Mutex::new(Soaked::default());
    let work = || {
        // Bounded by the number of seeds.
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let told = year(seed);
            soaked.lock().expect("no year panicked").add(seed, told);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    soaked.into_inner().expect("no year panicked")
}

/// What happens in so many days of a seed's year, line by line, and whether every promise was kept.
#[must_use]
pub fn tell(seed: u64, days: i64) -> (String, bool) {
    let told = year::run(seed, days, None, true);
    let mut text = told.log.join("\n");
    text.push_str(&format!(
        "\nseed {seed}, {}: {} broken promises in {} executions, {} turns and {} calls\n",
        copying::name(seed),
        told.broken.len(),
        told.executions,
        told.turns,
        told.calls
    ));
    (text, told.broken.is_empty())
}

/// The first of so many seeds whose first `days` days, at most, show that a rule is broken on purpose, and how they show it.
#[must_use]
pub fn caught(sabotage: Sabotage, seeds: u64, days: i64) -> Option<(u64, String)> {
    let first = if sabotage.is_of_copies() { copying::FIRST_SEED } else { 0 };
    (first..first + seeds).find_map(|seed| {
        let broken = year::run(seed, days.min(year::days(seed)), Some(sabotage), false).broken;
        broken.into_iter().next().map(|first| (seed, first))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::shape::{SHAPES, Shape};

    #[test]
    fn a_rule_that_is_broken_on_purpose_is_noticed_within_a_hundred_seeds() {
        // The others take a minute in a build for debugging: `make soak` shows all of them.
        let quick =
            [Sabotage::AlwaysSucceeds, Sabotage::KeepsOneLess, Sabotage::SkipsLastLook, Sabotage::TrustsPending];
        for sabotage in quick {
            let caught = caught(sabotage, 100, 30);
            assert!(caught.is_some(), "{sabotage:?} goes unnoticed");
        }
    }

    #[test]
    fn years_of_every_shape_break_no_promise_and_a_seed_is_worth_noting_down() {
        let soaked = run(0, 2 * Shape::COUNT, |seed| year::run(seed, 30, None, false));
        assert_eq!(soaked.broken, BTreeMap::new());
        assert_eq!((soaked.seeds, soaked.shapes.len()), (2 * Shape::COUNT, SHAPES.len()));
        assert!(soaked.outcomes.values().sum::<u64>() <= soaked.executions, "some are lost");
        for seed in [4, super::copying::FIRST_SEED + 4] {
            assert_eq!(year::run(seed, 30, None, true), year::run(seed, 30, None, true));
        }
    }
}
