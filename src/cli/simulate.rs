//! `opendlm simulate --seed N`.

use super::document::print_json;
use super::output::say_message;
use crate::sim::{soak, year};
use serde_json::json;
use std::process::ExitCode;

/// Prints all that happens in the year of a seed.
pub(super) fn simulate(seed: u64, is_json: bool) -> ExitCode {
    let (text, is_good) = soak::tell(seed, year::days(seed));
    if is_json {
        let lines: Vec<&str> = text.lines().collect();
        print_json(&json!({ "Seed": seed, "PromisesKept": is_good, "Lines": lines }));
    } else {
        text.lines().for_each(say_message);
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
