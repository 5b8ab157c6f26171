//! `make soak`: the simulator on all cores, with a stopwatch.
//!
//! - `soak SEEDS` runs so many simulated years, and half as many of accounts whose policies copy their snapshots;
//! - `soak SEEDS FIRST [DAYS]` runs those of so many seeds, and so many days of each; from seed 1000000 on policies copy their snapshots;
//! - `soak --crash-points` crashes a run at every one of its calls;
//! - `soak --broken-rules [NAME]` breaks rules on purpose, to show that the judge notices;
//! - `soak --seed N [DAYS]` replays a year line by line, as `opendlm simulate --seed N` does.

use opendlm::sim::crash::{self, Sight};
use opendlm::sim::sabotage::Sabotage;
use opendlm::sim::shape::Shape;
use opendlm::sim::{copying, soak, year};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// So many seeds may pass before a broken rule is noticed.
const SEEDS_UNTIL_CAUGHT_MAX: u64 = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let is_good = match arguments[..] {
        ["--crash-points"] => crash_points(),
        ["--broken-rules"] => broken_rules(|_| true),
        ["--broken-rules", name] => broken_rules(|sabotage| format!("{sabotage:?}") == name),
        ["--seed", seed] => match seed.parse() {
            Ok(seed) => replay(seed, year::days(seed)),
            Err(_) => return usage(),
        },
        ["--seed", seed, days] => match (seed.parse(), days.parse()) {
            (Ok(seed), Ok(days)) => replay(seed, days),
            _ => return usage(),
        },
        [seeds] => match seeds.parse::<u64>() {
            Ok(seeds) => {
                let are_good = years(0, seeds, year::days);
                years(copying::FIRST_SEED, seeds / 2, year::days) && are_good
            }
            Err(_) => return usage(),
        },
        [seeds, first] => match (seeds.parse(), first.parse()) {
            (Ok(seeds), Ok(first)) => years(first, seeds, year::days),
            _ => return usage(),
        },
        [seeds, first, days] => match (seeds.parse(), first.parse(), days.parse()) {
            (Ok(seeds), Ok(first), Ok(days)) => years(first, seeds, |_| days),
            _ => return usage(),
        },
        _ => return usage(),
    };
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: soak SEEDS [FIRST [DAYS]] | soak --seed N [DAYS] | soak --crash-points | soak --broken-rules [NAME]"
    );
    ExitCode::from(2)
}

fn replay(seed: u64, days: i64) -> bool {
    let (text, is_good) = soak::tell(seed, days);
    print!("{text}");
    is_good
}

fn crash_points() -> bool {
    let shapes = [Shape::DailyByCount, Shape::Instances].into_iter();
    // The copies of this account's sets take longer than a start window, so that a run that is begun anew says that it came too late.
    let is_told = |(shape, sight): &(Shape, Sight)| !(*shape == Shape::Instances && sight.other_region);
    let tables = shapes.flat_map(|shape| Sight::ALL.map(|sight| (shape, sight))).filter(is_told);
    let mut are_equal = true;
    for (shape, sight) in tables {
        let (text, is_equal) = crash::text(shape, sight);
        println!("{text}");
        are_equal &= is_equal;
    }
    are_equal
}

fn broken_rules(is_wanted: impl Fn(Sabotage) -> bool) -> bool {
    let mut all_caught = true;
    for sabotage in Sabotage::ALL.into_iter().filter(|&sabotage| is_wanted(sabotage)) {
        let caught = soak::caught(sabotage, SEEDS_UNTIL_CAUGHT_MAX, 365);
        all_caught &= caught.is_some();
        match caught {
            Some((seed, how)) => println!("{sabotage:?}: caught by seed {seed}: {how}"),
            None => println!("{sabotage:?}: not noticed in {SEEDS_UNTIL_CAUGHT_MAX} seeds"),
        }
    }
    all_caught
}

/// Runs the seeds and prints what came of them; each broken promise as soon as it is known.
fn years(first: u64, seeds: u64, days: impl Fn(u64) -> i64 + Sync) -> bool {
    if seeds == 0 {
        return true;
    }
    let begun = now();
    let slowest = Mutex::new((Duration::ZERO, first));
    let soaked = soak::run(first, seeds, |seed| {
        let begun = now();
        let told = year::run(seed, days(seed), None, false);
        for broken in &told.broken {
            println!("seed {seed}, {}: {broken}", copying::name(seed));
        }
        let mut slowest = slowest.lock().expect("no thread panicked");
        *slowest = (*slowest).max((begun.elapsed(), seed));
        told
    });
    let (took, slowest_seed) = slowest.into_inner().expect("no thread panicked");
    for (shape, count) in &soaked.shapes {
        println!("{count:>9} years of: {shape}");
    }
    for (outcome, count) in &soaked.outcomes {
        println!("{count:>9} executions ended {outcome}");
    }
    println!("{:>9} executions, {} turns, {} calls", soaked.executions, soaked.turns, soaked.calls);
    println!("slowest seed: {slowest_seed}, {:.2} s", took.as_secs_f64());
    println!("most turns:   seed {}, {}", soaked.longest.0, soaked.longest.1);
    let broken = soaked.broken.len();
    println!(
        "{} simulated years in {:.0} s, {broken} with a broken promise",
        soaked.seeds,
        begun.elapsed().as_secs_f64()
    );
    if let Some(seed) = soaked.broken.keys().next() {
        println!("replay: opendlm simulate --seed {seed}");
    }
    broken == 0
}

#[allow(clippy::disallowed_methods, reason = "a stopwatch: nothing is decided by it")]
fn now() -> Instant {
    Instant::now()
}
