//! `opendlm simulate --seed N`.

use crate::sim::soak;
use std::process::ExitCode;

/// Prints all that happens in the year of a seed.
pub(super) fn simulate(seed: u64) -> ExitCode {
    let (text, is_good) = soak::tell(seed);
    print!("{text}");
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
