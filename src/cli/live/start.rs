//! `opendlm start POLICY`: a RunNow of a deployed policy, by the state machine.

use super::runs::tell;
use super::say::{say, say_json};
use super::site::Site;
use super::{Told, Which, event_of, policy_id};
use crate::aws::{Machine, clock};
use crate::live::deployed::State;
use crate::live::runs::{Run, Standing};
use crate::tags::written;
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// Step Functions API reference, StartExecution: `name`. A policy's id is ASCII.
const NAME_LENGTH_MAX: usize = 80;
/// How often `--wait` asks whether the run is over.
const ASK_SECONDS: u64 = 2;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Wait for its end, and exit as `opendlm run` does.
    #[arg(long)]
    wait: bool,
}

pub(super) async fn start(arguments: &Arguments) -> Told<ExitCode> {
    let which = &arguments.which;
    let id = policy_id(&which.policy)?;
    let site = Site::open(which.group.name()).await?;
    let deployed = site.policy(&id)?;
    if deployed.state() == State::Disabled {
        return Err(format!("{id} is disabled, so a run makes nothing: opendlm enable {id} first"));
    }
    let now = clock::now();
    let mut event = event_of(&deployed.newest().document, deployed.revision());
    event["ScheduledTime"] = Value::String(written(now));
    if !event["Options"].is_object() {
        event["Options"] = json!({});
    }
    event["Options"]["RunNow"] = Value::Bool(true);
    let machine = Machine::connect(&site.target.machine).await;
    // The beginning tells it from others at sight; two within a second are one start.
    let mut name = format!("{:08x}-run-now-{id}", now.as_second());
    name.truncate(NAME_LENGTH_MAX);
    let arn = machine.start(&name, &event).await.map_err(|error| error.to_string())?;
    if !which.json {
        say(&format!("{id}  started as {name}"));
    }
    if !arguments.wait {
        if which.json {
            say_json(&json!({ "PolicyId": id.as_str(), "Run": name, "ExecutionArn": arn }));
        } else {
            say(&format!("  opendlm runs {name} tells how it ends"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let run = wait(&machine, &arn).await?;
    if which.json {
        say_json(
            &json!({ "PolicyId": id.as_str(), "Run": name, "ExecutionArn": arn, "Outcome": run.outcome, "Report": run.report }),
        );
    } else {
        tell(&run);
    }
    Ok(if run.is_failure { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The run once it is over. It ends whether or not somebody waits.
async fn wait(machine: &Machine, arn: &str) -> Told<Run> {
    loop {
        let execution = machine.execution(arn).await.map_err(|error| error.to_string())?;
        if execution.standing != Standing::UnderWay {
            let answer = machine.last_answer(arn).await.map_err(|error| error.to_string())?;
            return Ok(Run::of(&execution, answer.as_ref()));
        }
        tokio::time::sleep(Duration::from_secs(ASK_SECONDS)).await;
    }
}
