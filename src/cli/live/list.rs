//! `opendlm list`: the deployed policies.

use super::say::{say, say_json, say_wrapped};
use super::site::{Sight, Site};
use super::{Group, Told, event_of};
use crate::aws::clock;
use crate::live::deployed::Deployed;
use crate::live::document;
use crate::live::effect::{Outlook, age};
use crate::live::row::Row;
use crate::tags::written;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    group: Group,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn list(arguments: &Arguments) -> Told<ExitCode> {
    let site = Site::open(arguments.group.name()).await?;
    let sight = Sight::open().await;
    let mut rows = Vec::new();
    for deployed in &site.inventory.policies {
        let row = Row::of(deployed, &site.group, &site.target, clock::now());
        rows.push((row, backups(deployed, &sight).await));
    }
    if arguments.json {
        let policies: Vec<Value> = rows.iter().map(|(row, backups)| as_json(row, backups)).collect();
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
    for (row, backups) in &rows {
        row.faults.iter().for_each(|fault| say_wrapped(&format!("{}: {fault}", row.id), 2));
        if let Err(why) = backups {
            say_wrapped(&format!("{}: its backups are not known: {why}", row.id), 2);
        }
    }
    site.inventory.strangers.iter().for_each(|each| say_wrapped(&format!("{}: {}", each.id, each.why), 2));
    Ok(ExitCode::SUCCESS)
}

/// What can be restored of a policy, as if it were enabled: of a disabled one nobody looks at the snapshots.
async fn backups(deployed: &Deployed, sight: &Sight) -> Told<Outlook> {
    sight.outlook(&event_of(&document::with_state(&deployed.newest().document, "ENABLED"), deployed.revision())).await
}

/// Two lines for each policy: what is asked for most, and what it is about.
fn print_rows(rows: &[(Row, Told<Outlook>)], now: Timestamp) {
    let id_width = rows.iter().map(|(row, _)| row.id.as_str().len()).max().unwrap_or_default().max("POLICY".len());
    let line = |id: &str, state: &str, next: &str, backups: &str| {
        say(format!("{id:<id_width$}  {state:<8}  {next:<16}  {backups}").trim_end());
    };
    line("POLICY", "STATE", "NEXT START", "BACKUPS");
    for (row, backups) in rows {
        let backups = match backups {
            Ok(outlook) => match outlook.newest {
                Some(newest) => format!("{}, {} old", outlook.backups, age(newest, now)),
                None => "none".to_owned(),
            },
            Err(_) => "?".to_owned(),
        };
        let next = row.next_start.map_or_else(|| "-".to_owned(), |start| start.strftime("%Y-%m-%d %H:%M").to_string());
        line(row.id.as_str(), row.state.word(), &next, &backups);
        say_wrapped(&format!("  {}: {}", row.targets, row.schedules.join(", ")), 4);
    }
}

fn as_json(row: &Row, backups: &Told<Outlook>) -> Value {
    let backups = match backups {
        Ok(outlook) => json!({ "Complete": outlook.backups, "Newest": outlook.newest.map(written) }),
        Err(why) => json!({ "Unknown": why }),
    };
    json!({
        "PolicyId": row.id.as_str(),
        "State": row.state.word(),
        "Targets": row.targets,
        "Schedules": row.schedules,
        "NextStart": row.next_start.map(written),
        "Revision": row.revision.map(written),
        "Backups": backups,
        "Faults": row.faults,
    })
}
