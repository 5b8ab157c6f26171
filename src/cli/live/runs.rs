//! `opendlm runs [POLICY|RUN]`: what happened last night.

use super::site::Site;
use super::{Group, Told};
use crate::aws::Machine;
use crate::cli::document::print_json;
use crate::live::runs::{self, Run};
use crate::live::told;
use crate::policy::PolicyId;
use crate::tags::written;
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};
use std::process::ExitCode;

/// How many executions are looked through for those of a policy, or for one name.
const LOOKED_THROUGH_MAX: usize = 300;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// A deployed policy, whose runs are listed; or a run, by its name or the beginning of it, which is told whole.
    #[arg(value_name = "POLICY|RUN")]
    which: Option<String>,
    /// How many runs to list.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    count: u16,
    #[command(flatten)]
    group: Group,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn runs(arguments: &Arguments) -> Told<ExitCode> {
    let site = Site::open(arguments.group.name()).await?;
    let machine = Machine::connect(&site.target.machine).await;
    let policy = arguments.which.as_deref().map(PolicyId::parse).and_then(Result::ok);
    let policy = policy.filter(|id| site.inventory.policy(id).is_some());
    match (&arguments.which, policy) {
        (Some(run), None) => tell_one(&machine, run, arguments.json).await,
        (_, policy) => list(&machine, policy.as_ref(), arguments).await,
    }
}

async fn list(machine: &Machine, policy: Option<&PolicyId>, arguments: &Arguments) -> Told<ExitCode> {
    let runs = last(machine, policy, usize::from(arguments.count)).await?;
    if arguments.json {
        print_json(&runs.iter().map(as_json).collect());
        return Ok(ExitCode::SUCCESS);
    }
    if runs.is_empty() {
        println!("no run is known: Step Functions keeps them for 90 days");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", table(&runs).trim_fmt());
    for run in runs.iter().filter(|run| run.is_failure) {
        println!("\n{}: {}", run.short_name(), run.why);
    }
    if runs.iter().any(|run| run.is_failure) {
        println!("\nopendlm runs RUN tells one of them whole");
    }
    Ok(ExitCode::SUCCESS)
}

/// The last runs, of one policy or of all, the newest first.
pub(super) async fn last(machine: &Machine, policy: Option<&PolicyId>, count: usize) -> Told<Vec<Run>> {
    let looked_through = if policy.is_some() { LOOKED_THROUGH_MAX } else { count };
    let executions = machine.executions(looked_through, false).await.map_err(|error| error.to_string())?;
    let is_wanted = |run: &Run| policy.is_none() || run.policy.as_ref() == policy;
    let wanted = executions.iter().filter(|execution| is_wanted(&Run::of(execution, None))).take(count);
    let mut runs = Vec::new();
    for execution in wanted {
        let run = Run::of(execution, None);
        if run.report.is_some() {
            runs.push(run);
            continue;
        }
        let answer = machine.last_answer(&execution.arn).await.map_err(|error| error.to_string())?;
        runs.push(Run::of(execution, answer.as_ref()));
    }
    Ok(runs)
}

/// The runs that are under way, of one policy.
pub(super) async fn under_way(machine: &Machine, policy: &PolicyId) -> Told<Vec<Run>> {
    let executions = machine.executions(LOOKED_THROUGH_MAX, true).await.map_err(|error| error.to_string())?;
    let runs = executions.iter().map(|execution| Run::of(execution, None));
    Ok(runs.filter(|run| run.policy.as_ref() == Some(policy)).collect())
}

/// The run whose name begins so.
pub(super) async fn named(machine: &Machine, beginning: &str) -> Told<Run> {
    let executions = machine.executions(LOOKED_THROUGH_MAX, false).await.map_err(|error| error.to_string())?;
    let runs: Vec<Run> = executions.iter().map(|execution| Run::of(execution, None)).collect();
    runs::by_name(&runs, beginning).cloned()
}

async fn tell_one(machine: &Machine, beginning: &str, as_text: bool) -> Told<ExitCode> {
    let run = named(machine, beginning).await?;
    let execution = machine.execution(&run.arn).await.map_err(|error| error.to_string())?;
    let answer = machine.last_answer(&run.arn).await.map_err(|error| error.to_string())?;
    let run = Run::of(&execution, answer.as_ref());
    if as_text {
        print_json(&as_json(&run));
    } else {
        tell(&run);
    }
    Ok(ExitCode::SUCCESS)
}

/// A run, whole.
pub(super) fn tell(run: &Run) {
    let policy = run.policy.as_ref().map_or("?", PolicyId::as_str);
    println!("run {}", run.name);
    println!("policy {policy}, started {}, {}", run.started.map_or_else(|| "?".to_owned(), written), took(run));
    println!("{}", run.outcome);
    if run.is_failure && run.report.as_ref().is_none_or(|report| report.get("Summary").is_none()) {
        println!("  {}", run.why);
    }
    run.report.iter().flat_map(told::report).for_each(|line| println!("  {line}"));
}

fn took(run: &Run) -> String {
    run.took.map_or_else(|| "under way".to_owned(), |took| format!("took {}", short(took.as_secs())))
}

/// `2 m 41 s`, the two greatest units.
fn short(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} m {seconds} s"),
        (_, _) => format!("{hours} h {minutes} m"),
    }
}

fn table(runs: &[Run]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["STARTED", "TOOK", "OUTCOME", "MADE", "DEL", "FAIL", "RUN", "POLICY"]);
    for run in runs {
        let number = |key: &str| run.number(key).map_or_else(|| "-".to_owned(), |number| number.to_string());
        table.add_row([
            run.started.map_or_else(|| "?".to_owned(), |started| started.strftime("%m-%d %H:%M:%S").to_string()),
            run.took.map_or_else(|| "-".to_owned(), |took| short(took.as_secs())),
            run.outcome.clone(),
            number("Created"),
            number("Deleted"),
            number("Failed"),
            run.short_name().to_owned(),
            run.policy.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string),
        ]);
    }
    table
}

fn as_json(run: &Run) -> Value {
    json!({
        "Run": run.name,
        "ExecutionArn": run.arn,
        "PolicyId": run.policy.as_ref().map(PolicyId::as_str),
        "Started": run.started.map(written),
        "TookSeconds": run.took.map(|took| took.as_secs()),
        "Outcome": run.outcome,
        "Why": run.why,
        "Report": run.report,
    })
}
