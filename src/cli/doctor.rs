//! `opendlm doctor [FILE|POLICY]`: what is wrong with a stack, its policies and their backups, line by line; nothing is changed.

mod policies;
mod stack;

use super::document::{self, print_json};
use super::output::{say, say_wrapped};
use super::{Document, live};
use crate::aws::{Neighbours, clock};
use crate::doctor::{self, Gathered, Health, Line, Look, Scope};
use crate::policy::PolicyId;
use clap::Args;
use policies::Wanted;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// An event or a policy, or the id of a deployed policy; default: the whole stack with all of its policies.
    #[arg(value_name = "FILE|POLICY")]
    file: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    group: live::Group,
}

/// Prints how everything is; fails when something is wrong.
pub(super) fn doctor(arguments: Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let json = arguments.json;
    let gathered = match runtime.block_on(gather(arguments)) {
        Ok(gathered) => gathered,
        Err(error) => return document::fail(&error),
    };
    let lines = doctor::examine(&gathered);
    if json {
        print_json(&json!(lines));
    } else {
        print(&lines);
    }
    if doctor::has_wrong(&lines) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Everything that can be found out. Fails only for a file that cannot be read, and for settings with which no
/// call can be made.
async fn gather(arguments: Arguments) -> Result<Gathered, String> {
    let group = arguments.group.name();
    let scope = if arguments.file.is_some() { Scope::Policy } else { Scope::Stack };
    let wanted = arguments.file.map(|file| Wanted::read(file, arguments.group)).transpose()?;
    let accounts = document::connect().await?;
    let neighbours = Neighbours::connect().await;
    let (caller, clock_ahead, quotas) =
        tokio::join!(neighbours.caller(), accounts.own().clock_ahead(), accounts.own().quota_names());
    let found = stack::gather(group, &neighbours).await;
    let (stack, inventory, machine) = match found {
        Look::Seen(found) => (Look::Seen(found.stack), Some(found.inventory), Some(found.machine)),
        Look::Unknown(why) => (Look::Unknown(why), None, None),
        Look::Wrong(why) => (Look::Wrong(why), None, None),
    };
    let wanted = policies::wanted(wanted, inventory.as_ref(), &stack)?;
    let policies = policies::gather(wanted, machine.as_ref(), &accounts, &neighbours).await;
    Ok(Gathered { now: clock::now(), scope, caller, clock_ahead, stack, quotas, policies })
}

/// A line each, with what to do below it; a policy's lines below its name; and how many there are of each health.
fn print(lines: &[Line]) {
    let mut last: Option<&str> = None;
    for line in lines {
        let policy = line.policy.as_deref();
        if policy != last {
            say(policy.unwrap_or("all"));
            last = policy;
        }
        let health = match line.health {
            Health::Ok => "ok",
            Health::Unknown => "unknown",
            Health::Wrong => "wrong",
        };
        say_wrapped(&format!("{health:8}{}: {}", line.about, line.says), 8);
        if let Some(cure) = &line.cure {
            say_wrapped(&format!("        {cure}"), 8);
        }
    }
    let count = |health: Health| lines.iter().filter(|line| line.health == health).count();
    say(&format!("{} wrong, {} unknown, {} ok", count(Health::Wrong), count(Health::Unknown), count(Health::Ok)));
}

/// The id that somebody named where there is no file.
fn id_of(document: &Document) -> Option<PolicyId> {
    const OF_FILES: [&str; 4] = ["json", "yaml", "yml", "txt"];
    let name = document.file.to_string_lossy();
    let has_ending = document.file.extension().is_some_and(|ending| OF_FILES.iter().any(|known| ending == *known));
    if name == "-" || has_ending || document.file.exists() { None } else { PolicyId::parse(&name).ok() }
}
