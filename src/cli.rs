//! The command line `opendlm`: check a policy, list its coming times, plan, run at home, and deploy.

mod backups;
mod check;
mod doctor;
mod document;
mod explain;
mod live;
mod next;
mod output;
mod plan;
mod run;
mod screen;
mod simulate;

use crate::report::cost::Price;
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
    /// List what of a volume or an instance can be restored, and how.
    Backups {
        /// The volume or instance, vol-... or i-...
        #[arg(value_name = "VOLUME|INSTANCE")]
        source: String,
        /// Show how a volume is made of this one; default: of the newest.
        #[arg(long, value_name = "SNAPSHOT")]
        snapshot: Option<String>,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Read FILE and tell all that is wrong with it; exit 1 for what run refuses.
    Check {
        #[command(flatten)]
        document: Document,
        /// Judge as Amazon DLM does: the id may be missing, and what opendlm does not carry out yet is right.
        #[arg(long)]
        portable: bool,
    },
    /// Look at the stack, its policies and their backups and tell line by line what is wrong; exit 1 if anything is.
    Doctor(doctor::Arguments),
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
        /// List times after this one, as in 2026-11-22T17:00:00Z; default: now.
        #[arg(long, value_name = "TIME", value_parser = time)]
        from: Option<Timestamp>,
        /// How many times to list for each schedule.
        #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
    },
    /// Look at the account and print what a run would do now, and why; change nothing. Exit 1 when the run would fail.
    Plan {
        #[command(flatten)]
        document: Document,
        /// Show each snapshot that stays, too.
        #[arg(long)]
        all: bool,
        /// What a GiB costs for a month, in US dollars; default: 0.05, as in us-east-1.
        #[arg(long, value_name = "USD", default_value_t = Price::DOCUMENTED)]
        price: Price,
    },
    /// Make turns until the run is done, sleeping where Step Functions would wait; exit 1 when it fails or is PARTIAL.
    Run(Document),
    /// Replay a year in a simulated account that lies, stalls and crashes, line by line; exit 1 when a promise broke.
    Simulate {
        /// The seed, as `make soak` names it.
        #[arg(long, value_name = "N", default_value_t = 0)]
        seed: u64,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    /// What it reads, if it reads a document.
    fn document(&mut self) -> Option<&mut Document> {
        match self {
            Self::Check { document, .. }
            | Self::Explain { document, .. }
            | Self::Next { document, .. }
            | Self::Plan { document, .. }
            | Self::Run(document) => Some(document),
            _ => None,
        }
    }
}

/// What a command reads, and how it answers.
#[derive(Debug, Args)]
struct Document {
    /// An event, or a policy as `aws dlm` takes and prints it; `-` for standard input; or the id of a deployed policy.
    #[arg(value_name = "FILE|POLICY")]
    file: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    group: live::Group,
    /// The event of the deployed policy that `file` names, where it is no file.
    #[arg(skip)]
    deployed: Option<serde_json::Value>,
}

impl Document {
    fn is_standard_input(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// What messages call it.
    fn name(&self) -> String {
        if self.is_standard_input() { "standard input".to_owned() } else { self.file.display().to_string() }
    }
}

/// Reads a time of the command line.
fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "expected a time such as 2026-11-22T17:00:00Z".to_owned())
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let mut command = Arguments::parse().command;
    if let Some(document) = command.document()
        && let Err(error) = live::resolve(document)
    {
        return document::fail(&error);
    }
    match command {
        Command::Backups { source, snapshot, json } => backups::backups(&source, snapshot.as_deref(), json),
        Command::Check { document, portable } => check::check(&document, portable),
        Command::Doctor(arguments) => doctor::doctor(arguments),
        Command::Explain { document, snapshot } => explain::explain(&document, &snapshot),
        Command::Live(word) => live::live(&word),
        Command::Next { document, from, count } => next::next(&document, from, count),
        Command::Plan { document, all, price } => plan::plan(&document, all, price),
        Command::Run(document) => run::run(&document),
        Command::Simulate { seed, json } => simulate::simulate(seed, json),
    }
}
