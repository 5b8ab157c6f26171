//! `make bench`: what can be measured without AWS, beside its bound.
//!
//! - `bench planner VOLUMES` plans one turn of an account of so many volumes and tells the time and the memory;
//! - `bench plan-once VOLUMES` plans once, to be counted by callgrind;
//! - `bench copies VOLUMES` simulates a run whose snapshots are copied to another Region;
//! - `bench runs [VOLUMES...] [WORD...]` simulates whole runs and tells what they come to; [`runs`] lists the words.
//!
//! One line of JSON for each thing measured.

mod copies;
mod planner;
mod runs;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = arguments.split_first().map_or(("", &[][..]), |(name, rest)| (name.as_str(), rest));
    let number = rest.first().and_then(|text| text.parse().ok());
    match (name, number) {
        ("copies", Some(volumes)) => copies::copies(volumes),
        ("planner", Some(volumes)) => planner::planner(volumes),
        ("plan-once", Some(volumes)) => planner::plan_once(volumes),
        ("runs", _) => {
            if let Err(unknown) = runs::runs(rest) {
                eprintln!("{unknown}: no number of volumes, and none of {}", runs::WORDS.join(", "));
                return ExitCode::from(2);
            }
        }
        _ => {
            eprintln!(
                "usage: bench copies VOLUMES | bench planner VOLUMES | bench plan-once VOLUMES | bench runs [VOLUMES...] [WORD...]"
            );
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
