//! `opendlm list`: the deployed policies.

use super::say::{say, say_json, say_wrapped};
use super::site::{Sight, Site};
use super::{Group, Told, event_of};
use crate::aws::{Machine, clock};
use crate::live::deployed::Deployed;
use crate::live::document;
use crate::live::effect::{Outlook, age, counted};
use crate::live::row::Row;
use crate::live::runs::Run;
use crate::report::cost::{Price, at_most};
use crate::tags::written;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::process::ExitCode;

/// How many executions are looked through for the last one of each policy.
const EXECUTIONS_MAX: usize = 200;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Say what the snapshots of each policy cost at most.
    #[arg(long)]
    cost: bool,
    /// What a GiB costs for a month, in US dollars; default: 0.05, as in us-east-1.
    #[arg(long, value_name = "USD", default_value_t = Price::DOCUMENTED)]
    price: Price,
    #[command(flatten)]
    group: Group,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn list(arguments: &Arguments) -> Told<ExitCode> {
    let site = Site::open(arguments.group.name()).await?;
    let sight = Sight::open().await;
    let runs = last_runs(&site).await;
    let mut rows = Vec::new();
    for deployed in &site.inventory.policies {
        let row = Row::of(deployed, &site.group, &site.target, clock::now());
        let run = runs.as_ref().ok().and_then(|runs| runs.iter().find(|run| run.policy.as_ref() == Some(&deployed.id)));
        rows.push((row, backups(deployed, &sight).await, run));
    }
    if arguments.json {
        let policies: Vec<Value> = rows.iter().map(|(row, backups, run)| as_json(row, backups, *run)).collect();
        let strangers = site.inventory.strangers.iter();
        let strangers: Vec<Value> =
            strangers.map(|each| json!({ "Name": each.id.to_string(), "Reason": each.why })).collect();
        say_json(&json!({ "Group": site.group, "Policies": policies, "NotPolicies": strangers }));
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        say_wrapped(&format!("no policy is deployed in the group {}: opendlm put FILE deploys one", site.group), 2);
    } else {
        print_rows(&rows, clock::now());
    }
    for (row, backups, _) in &rows {
        row.faults.iter().for_each(|fault| say_wrapped(&format!("{}: {fault}", row.id), 2));
        if let Err(why) = backups {
            say_wrapped(&format!("{}: its backups are not known: {why}", row.id), 2);
        }
    }
    for (row, backups, _) in rows.iter().filter(|_| arguments.cost) {
        if let Ok(outlook) = backups {
            let cost = at_most(outlook.bytes, arguments.price);
            say_wrapped(&format!("{}: {}: {cost}", row.id, counted(outlook.backups, "backup")), 2);
        }
    }
    if let Err(why) = &runs {
        say_wrapped(&format!("the last runs are not known: {why}"), 2);
    }
    site.inventory.strangers.iter().for_each(|each| say_wrapped(&format!("{}: {}", each.id, each.why), 2));
    Ok(ExitCode::SUCCESS)
}

/// What can be restored of a policy, as if it were enabled: of a disabled one nobody looks at the snapshots.
async fn backups(deployed: &Deployed, sight: &Sight) -> Told<Outlook> {
    sight.outlook(&event_of(&document::with_state(&deployed.newest().document, "ENABLED"), deployed.revision())).await
}

/// The last runs of all policies, the newest first.
async fn last_runs(site: &Site) -> Told<Vec<Run>> {
    let machine = Machine::connect(&site.target.machine).await;
    let executions = machine.executions(EXECUTIONS_MAX, false).await.map_err(|error| error.to_string())?;
    Ok(executions.iter().map(|execution| Run::of(execution, None)).collect())
}

/// Two lines for each policy: what is asked for most, and what it is about.
fn print_rows(rows: &[(Row, Told<Outlook>, Option<&Run>)], now: Timestamp) {
    let ids = rows.iter().map(|(row, ..)| row.id.as_str().len());
    let id_width = ids.max().unwrap_or_default().max("POLICY".len());
    let line = |id: &str, [state, next, last, outcome]: [&str; 4]| {
        let line = format!("{id:<id_width$}  {state:<8}  {next:<11}  {last:<11}  {outcome}");
        say(line.trim_end());
    };
    line("POLICY", ["STATE", "NEXT START", "LAST RUN", "OUTCOME"]);
    for (row, backups, run) in rows {
        let backups = match backups {
            Ok(outlook) => match outlook.newest {
                Some(newest) => format!("{}, the newest {} old", counted(outlook.backups, "backup"), age(newest, now)),
                None => "no backup".to_owned(),
            },
            Err(_) => "backups not known".to_owned(),
        };
        let time = |time: Option<Timestamp>| {
            time.map_or_else(|| "-".to_owned(), |time| time.strftime("%m-%d %H:%M").to_string())
        };
        let (last, outcome) = (run.and_then(|run| run.started), run.map_or("-", |run| &run.outcome));
        line(row.id.as_str(), [row.state.word(), &time(row.next_start), &time(last), outcome]);
        say_wrapped(&format!("  {}: {}; {backups}", row.targets, row.schedules.join(", ")), 4);
    }
}

fn as_json(row: &Row, backups: &Told<Outlook>, run: Option<&Run>) -> Value {
    let backups = match backups {
        Ok(outlook) => {
            json!({ "Complete": outlook.backups, "FullSizeBytes": outlook.bytes, "Newest": outlook.newest.map(written) })
        }
        Err(why) => json!({ "Unknown": why }),
    };
    json!({
        "PolicyId": row.id.as_str(),
        "State": row.state.word(),
        "Targets": row.targets,
        "Schedules": row.schedules,
        "NextStart": row.next_start.map(written),
        "Revision": row.revision.map(written),
        "LastRun": run.map(|run| json!({ "Run": run.name, "Started": run.started.map(written), "Outcome": run.outcome })),
        "Backups": backups,
        "Faults": row.faults,
    })
}
