//! `opendlm runs [POLICY|RUN]`: what happened last night.

use super::say::{say, say_json, say_wrapped};
use super::site::Site;
use super::{Group, Told, agrees};
use crate::aws::Machine;
use crate::live::runs::{self, Run};
use crate::live::told;
use crate::policy::PolicyId;
use crate::tags::written;
use clap::Args;
use serde_json::{Value, json};
use std::io::IsTerminal;
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
        say_json(&runs.iter().map(as_json).collect());
        return Ok(ExitCode::SUCCESS);
    }
    if runs.is_empty() {
        say("no run is known: Step Functions keeps them for 90 days");
        return Ok(ExitCode::SUCCESS);
    }
    print_rows(&runs, policy.is_none());
    for run in runs.iter().filter(|run| run.is_failure) {
        say_wrapped(&format!("{}: {}", run.short_name(), run.why), 2);
    }
    if runs.iter().any(|run| run.is_failure) {
        say("opendlm runs RUN tells one of them whole");
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

/// The runs that are under way, of one policy; or why that is not known.
pub(super) async fn under_way(site: &Site, policy: &PolicyId) -> Told<Vec<Run>> {
    let machine = Machine::connect(&site.target.machine).await;
    let executions = machine.executions(LOOKED_THROUGH_MAX, true).await.map_err(|error| error.to_string())?;
    let runs = executions.iter().map(|execution| Run::of(execution, None));
    Ok(runs.filter(|run| run.policy.as_ref() == Some(policy)).collect())
}

/// What becomes of the runs of a policy that are under way when it is `changed`, as in `disabled`.
pub(super) fn told_under_way(runs: &Told<Vec<Run>>, changed: &str) -> Option<String> {
    let runs = match runs {
        Ok(runs) => runs,
        Err(why) => return Some(format!("whether runs are under way is not known: {why}")),
    };
    let names: Vec<&str> = runs.iter().map(Run::short_name).collect();
    match names[..] {
        [] => None,
        [one] => {
            Some(format!("the run {one} is under way and goes on as it began, whether or not the policy is {changed}"))
        }
        [..] => Some(format!(
            "{} runs are under way and go on as they began, whether or not the policy is {changed}: {}",
            names.len(),
            names.join(", ")
        )),
    }
}

/// Offers to stop the runs that are under way, to whom can answer.
pub(super) async fn offer_to_stop(site: &Site, runs: &Told<Vec<Run>>) -> Told<()> {
    let Some(runs) = runs.as_ref().ok().filter(|runs| !runs.is_empty()) else { return Ok(()) };
    if !std::io::stdin().is_terminal() {
        say("  opendlm stop RUN ends one");
    } else if agrees("Stop them?") {
        let machine = Machine::connect(&site.target.machine).await;
        for run in runs {
            machine.stop(&run.arn, super::stop::CAUSE).await.map_err(|error| error.to_string())?;
            say(&format!("  {} is stopped", run.short_name()));
        }
    }
    Ok(())
}

/// The run whose name begins so.
pub(super) async fn named(machine: &Machine, beginning: &str) -> Told<Run> {
    let executions = machine.executions(LOOKED_THROUGH_MAX, false).await.map_err(|error| error.to_string())?;
    let runs: Vec<Run> = executions.iter().map(|execution| Run::of(execution, None)).collect();
    runs::by_name(&runs, beginning).cloned()
}

async fn tell_one(machine: &Machine, beginning: &str, in_json: bool) -> Told<ExitCode> {
    let run = named(machine, beginning).await?;
    let execution = machine.execution(&run.arn).await.map_err(|error| error.to_string())?;
    let answer = machine.last_answer(&run.arn).await.map_err(|error| error.to_string())?;
    let run = Run::of(&execution, answer.as_ref());
    if in_json {
        say_json(&as_json(&run));
    } else {
        tell(&run);
    }
    Ok(ExitCode::SUCCESS)
}

/// A run, whole.
pub(super) fn tell(run: &Run) {
    let policy = run.policy.as_ref().map_or("?", PolicyId::as_str);
    say(&format!("run {}", run.name));
    say_wrapped(
        &format!("policy {policy}, started {}, {}", run.started.map_or_else(|| "?".to_owned(), written), took(run)),
        2,
    );
    say(&run.outcome);
    if run.is_failure && run.report.as_ref().is_none_or(|report| report.get("Summary").is_none()) {
        say_wrapped(&format!("  {}", run.why), 4);
    }
    run.report.iter().flat_map(told::report).for_each(|line| say_wrapped(&format!("  {line}"), 4));
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

/// A line for each run, and one for its policy where that is not the same for all.
fn print_rows(runs: &[Run], of_all: bool) {
    let line = |[run, started, took, outcome, made, deleted, failed]: [&str; 7]| {
        say(&format!("{run:<8}  {started:<14}  {took:<9}  {outcome:<9}  {made:>5}  {deleted:>7}  {failed:>6}"));
    };
    line(["RUN", "STARTED", "TOOK", "OUTCOME", "MADE", "DELETED", "FAILED"]);
    for run in runs {
        let number = |key: &str| run.number(key).map_or_else(|| "-".to_owned(), |number| number.to_string());
        line([
            run.short_name(),
            &run.started.map_or_else(|| "?".to_owned(), |started| started.strftime("%m-%d %H:%M:%S").to_string()),
            &run.took.map_or_else(|| "-".to_owned(), |took| short(took.as_secs())),
            &run.outcome,
            &number("Created"),
            &number("Deleted"),
            &number("Failed"),
        ]);
        if of_all {
            say(&format!("  {}", run.policy.as_ref().map_or("?", PolicyId::as_str)));
        }
    }
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
