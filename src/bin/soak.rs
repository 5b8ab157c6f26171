//! `make soak`: many simulated years, or one of them line by line.
//!
//! `soak SEEDS [FIRST]` runs so many seeds; `soak --seed N` tells what happens in one.

use opendlm::sim::shape::Shape;
use opendlm::sim::year::Told;
use opendlm::sim::{soak, year};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &String| text.parse::<u64>().ok();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--seed", _] => arguments.get(1).and_then(number).map_or_else(usage, tell),
        [_] | [_, _] => {
            let first = arguments.get(1).map_or(Some(0), number);
            arguments.first().and_then(number).zip(first).map_or_else(usage, |(seeds, first)| run(first, seeds))
        }
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: soak SEEDS [FIRST] | soak --seed N");
    ExitCode::from(2)
}

fn tell(seed: u64) -> ExitCode {
    let told = year::run(seed, None, true);
    for line in &told.log {
        println!("{line}");
    }
    println!("seed {seed}, {}: {}", Shape::of_seed(seed).name(), verdict(&told));
    if told.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(told: &Told) -> String {
    format!(
        "{} broken promises in {} executions, {} turns and {} calls",
        told.broken.len(),
        told.executions,
        told.turns,
        told.calls
    )
}

/// Runs the seeds and prints what came of them; each broken promise as soon as it is known.
fn run(first: u64, seeds: u64) -> ExitCode {
    let begun = now();
    let slowest = Mutex::new((Duration::ZERO, first));
    let soaked = soak::run(first, seeds, |seed| {
        let begun = now();
        let told = year::run(seed, None, false);
        for broken in &told.broken {
            println!("seed {seed}, {}: {broken}", Shape::of_seed(seed).name());
        }
        let mut slowest = slowest.lock().expect("no thread panicked");
        *slowest = (*slowest).max((begun.elapsed(), seed));
        told
    });
    let (took, slowest_seed) = slowest.into_inner().expect("no thread panicked");
    for (shape, count) in &soaked.shapes {
        println!("{count:>7} years of: {shape}");
    }
    for (outcome, count) in &soaked.outcomes {
        println!("{count:>7} executions ended {outcome}");
    }
    println!("{:>7} executions, {} turns, {} calls", soaked.executions, soaked.turns, soaked.calls);
    println!(
        "slowest seed: {slowest_seed} with {:.2} s; most turns: seed {} with {}",
        took.as_secs_f64(),
        soaked.longest.0,
        soaked.longest.1
    );
    let broken = soaked.broken.len();
    println!(
        "{} simulated years in {:.0} s: {broken} with a broken promise",
        soaked.seeds,
        begun.elapsed().as_secs_f64()
    );
    if let Some(seed) = soaked.broken.keys().next() {
        println!("replay the first one: opendlm simulate --seed {seed}");
    }
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[allow(clippy::disallowed_methods, reason = "this is a stopwatch, nothing is decided by it")]
fn now() -> Instant {
    Instant::now()
}
