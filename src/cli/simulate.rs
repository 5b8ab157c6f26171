//! `opendlm simulate --seed N`.

use super::document::print_json;
use super::output::say_all;
use crate::sim::soak;
use serde_json::json;
use std::process::ExitCode;

/// Prints all that happens in the year of a seed.
pub(super) fn simulate(seed: u64, is_json: bool) -> ExitCode {
    let (text, is_good) = soak::tell(seed);
    if is_json {
        let lines: Vec<&str> = text.lines().collect();
        print_json(&json!({ "Seed": seed, "PromisesKept": is_good, "Lines": lines }));
    } else {
        say_all(&text);
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
