//! `opendlm list`: the deployed policies.

use super::site::{Sight, Site};
use super::{Group, Told, event_of};
use crate::aws::clock;
use crate::cli::document::print_json;
use crate::live::deployed::Deployed;
use crate::live::document;
use crate::live::effect::Outlook;
use crate::live::row::Row;
use crate::tags::written;
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
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
        print_json(&json!({ "Group": site.group, "Policies": policies, "NotPolicies": strangers }));
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        println!("no policy is deployed in the group {}: opendlm put FILE deploys one", site.group);
    } else {
        println!("{}", table(&rows).trim_fmt());
    }
    for (row, backups) in &rows {
        row.faults.iter().for_each(|fault| println!("{}: {fault}", row.id));
        if let Err(why) = backups {
            println!("{}: its backups are not known: {why}", row.id);
        }
    }
    site.inventory.strangers.iter().for_each(|each| println!("{}: {}", each.id, each.why));
    Ok(ExitCode::SUCCESS)
}

/// What can be restored of a policy, as if it were enabled: of a disabled one nobody looks at the snapshots.
async fn backups(deployed: &Deployed, sight: &Sight) -> Told<Outlook> {
    sight.outlook(&event_of(&document::with_state(&deployed.newest().document, "ENABLED"), deployed.revision())).await
}

fn table(rows: &[(Row, Told<Outlook>)]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["POLICY", "STATE", "TARGETS", "SCHEDULES", "NEXT START", "BACKUPS"]);
    for (row, backups) in rows {
        let backups = match backups {
            Ok(outlook) => match outlook.newest {
                Some(newest) => format!("{}, newest {}", outlook.backups, written(newest)),
                None => "none".to_owned(),
            },
            Err(_) => "-".to_owned(),
        };
        table.add_row([
            row.id.to_string(),
            row.state.word().to_owned(),
            row.targets.clone(),
            row.schedules.join(", "),
            row.next_start.map_or_else(|| "-".to_owned(), written),
            backups,
        ]);
    }
    table
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
