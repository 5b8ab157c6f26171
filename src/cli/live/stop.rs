//! `opendlm stop RUN`: the end of a run that is under way.

use super::runs::named;
use super::say::{say, say_json, tell};
use super::site::Site;
use super::{Group, Told, agrees};
use crate::aws::Machine;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// What Step Functions shows as the cause.
pub(super) const CAUSE: &str = "stopped with opendlm stop";

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The run, by its name or the beginning of it, as `opendlm runs` shows it.
    #[arg(value_name = "RUN")]
    run: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    group: Group,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn stop(arguments: &Arguments) -> Told<ExitCode> {
    let site = Site::open(arguments.group.name()).await?;
    let machine = Machine::connect(&site.target.machine).await;
    let run = named(&machine, &arguments.run).await?;
    if !run.is_under_way {
        return Err(format!("{} is over already: {}", run.name, run.outcome));
    }
    tell(&format!(
        "{}: what it has made stays, also what is not complete yet; nothing more is made or deleted until the next start",
        run.name
    ));
    if !arguments.yes && !agrees("Stop it?") {
        return Ok(ExitCode::FAILURE);
    }
    machine.stop(&run.arn, CAUSE).await.map_err(|error| error.to_string())?;
    if arguments.json {
        say_json(&json!({ "Run": run.name, "ExecutionArn": run.arn, "Outcome": "STOPPED" }));
    } else {
        say(&format!("{}  STOPPED", run.name));
    }
    Ok(ExitCode::SUCCESS)
}
