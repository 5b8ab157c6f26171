//! The command line `opendlm`: check a policy, list its coming times, plan, run at home, and deploy.

mod check;
mod document;
mod explain;
mod live;
mod next;
mod plan;
mod run;
mod simulate;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use std::path::PathBuf;
use std::process::ExitCode;

/// Amazon Data Lifecycle Manager's job, in your own account.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read FILE and tell all that is wrong with it; exit 1 if anything is.
    Check(Document),
    /// Tell why one snapshot is kept or goes, by which rule, and when.
    Explain {
        #[command(flatten)]
        document: Document,
        /// The snapshot, snap-...
        #[arg(value_name = "SNAPSHOT")]
        snapshot: String,
    },
    #[command(flatten)]
    Live(live::Live),
    /// List the coming scheduled times of each schedule.
    Next {
        #[command(flatten)]
        document: Document,
        /// List times after this one, RFC 3339; default: now.
        #[arg(long, value_name = "TIME")]
        from: Option<Timestamp>,
        /// How many times to list for each schedule.
        #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
    },
    /// Look at the account and print every decision with its reason; change nothing.
    Plan(Document),
    /// Make turns until the run is done, sleeping where Step Functions would wait; exit 1 when it fails or is PARTIAL.
    Run(Document),
    /// Replay a year in a simulated account that lies, stalls and crashes, line by line; exit 1 when a promise broke.
    Simulate {
        /// The seed, as `make soak` names it.
        #[arg(long, value_name = "N", default_value_t = 0)]
        seed: u64,
    },
}

/// What a command reads, and how it answers.
#[derive(Debug, Args)]
struct Document {
    /// An event, or a policy as `aws dlm` takes and prints it; the id of a deployed policy; `-` for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Check(document) => check::check(&document),
        Command::Explain { document, snapshot } => explain::explain(&document, &snapshot),
        Command::Live(word) => live::live(&word),
        Command::Next { document, from, count } => next::next(&document, from, count),
        Command::Plan(document) => plan::plan(&document),
        Command::Run(document) => run::run(&document),
        Command::Simulate { seed } => simulate::simulate(seed),
    }
}
