//! The command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    opendlm::cli::main()
}
