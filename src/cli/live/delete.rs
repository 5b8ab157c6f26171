//! `opendlm delete POLICY`: nothing starts it any more.

use super::runs::{offer_to_stop, told_under_way, under_way};
use super::say::{say, say_json, say_wrapped};
use super::site::{Sight, Site};
use super::{Told, Which, agrees, event_of, policy_id};
use crate::live::document;
use crate::live::effect::{counted, size};
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn delete(arguments: &Arguments) -> Told<ExitCode> {
    let Arguments { which, yes } = arguments;
    if which.json && !yes {
        return Err("--json asks nothing: add --yes".to_owned());
    }
    let id = policy_id(&which.policy)?;
    let site = Site::open(which.group.name()).await?;
    let deployed = site.policy(&id)?;
    // As if it were enabled: of a disabled policy nobody looks at the snapshots.
    let event = event_of(&document::with_state(&deployed.newest().document, "ENABLED"), deployed.revision());
    let effect = match Sight::open().await.outlook(&event).await {
        Ok(outlook) => format!(
            "its {}, {} at most, stay in EC2, and nothing manages or deletes them any more: they carry the tag \
             opendlm:policy-id={id}",
            counted(outlook.backups, "backup"),
            size(outlook.bytes)
        ),
        Err(why) => {
            format!("its snapshots stay in EC2 and nothing manages them; how many there are is not known: {why}")
        }
    };
    let runs = under_way(&site, &id).await;
    let effects: Vec<String> = [effect].into_iter().chain(told_under_way(&runs, "deleted")).collect();
    let schedules: Vec<String> = deployed.schedules.iter().map(|each| each.found.id.to_string()).collect();
    if !which.json {
        say(id.as_str());
        schedules.iter().for_each(|schedule| say(&format!("  delete {schedule}")));
        effects.iter().for_each(|effect| say_wrapped(&format!("  {effect}"), 4));
    }
    if !yes && !agrees("Delete the policy?") {
        return Ok(ExitCode::FAILURE);
    }
    for each in &deployed.schedules {
        let deleted = site.scheduler.delete(&each.found.id).await;
        deleted.map_err(|error| format!("{error}\n{id} is deleted in part; delete it again to finish"))?;
    }
    if which.json {
        say_json(&json!({ "PolicyId": id.as_str(), "Delete": schedules, "Effect": effects, "Done": true }));
    } else {
        say(&format!("{id} is deleted"));
        offer_to_stop(&site, &runs).await?;
    }
    Ok(ExitCode::SUCCESS)
}
