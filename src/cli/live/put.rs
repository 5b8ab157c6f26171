//! `opendlm put FILE...`: deploy policies, after showing what that does.

use super::files::{self, Policy};
use super::runs::{told_under_way, under_way};
use super::say::{say, say_json, say_wrapped};
use super::site::{Sight, Site};
use super::{Group, Told, agrees, event_of};
use crate::aws::clock;
use crate::live::document;
use crate::live::put::{self, Consent, Put, Way};
use crate::live::{ScheduleId, Written, effect};
use crate::policy::PolicyId;
use crate::tags::written;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Events, or policies as `aws dlm` takes and prints them.
    #[arg(value_name = "FILE", required_unless_present = "all")]
    files: Vec<PathBuf>,
    /// Write every deployed policy anew as well, as it is: after the stack was made anew.
    #[arg(long)]
    all: bool,
    /// Write the schedules, but let them start nothing yet.
    #[arg(long)]
    disabled: bool,
    /// Show what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask. A count that was made smaller is then agreed to with --accept only, whatever a file says.
    #[arg(long)]
    yes: bool,
    /// With --yes: consent to a count that was made smaller: what the schedule kept before goes at the next run.
    #[arg(long, value_name = "SCHEDULE", requires = "yes")]
    accept: Vec<String>,
    #[command(flatten)]
    group: Group,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// A policy that is to be deployed, and what that does.
struct Prepared<'a> {
    from: Option<&'a Policy>,
    put: Put,
    is_new: bool,
    effect: Vec<String>,
}

pub(super) async fn put(arguments: &Arguments) -> Told<ExitCode> {
    if arguments.json && !arguments.yes && !arguments.dry_run {
        return Err("--json asks nothing: add --yes, or --dry-run to see what would be done".to_owned());
    }
    let site = Site::open(arguments.group.name()).await?;
    let Some(policies) = files::read(&arguments.files, &site.inventory) else { return Ok(ExitCode::FAILURE) };
    let sight = Sight::open().await;
    let mut prepared = Vec::new();
    for (at, put) in plans(arguments, &policies, &site)?.into_iter().enumerate() {
        prepared.push(prepare(policies.get(at), put, &site, &sight).await);
    }
    for name in &arguments.accept {
        if !prepared.iter().any(|each| each.put.accepted.contains_key(name)) {
            return Err(format!("--accept {name}: no schedule of that name keeps by count"));
        }
    }
    if !arguments.json {
        prepared.iter().for_each(print_text);
    }
    if arguments.dry_run {
        if !arguments.json {
            say("nothing was changed");
        }
    } else {
        if !arguments.yes {
            if !agrees("Deploy this?") {
                return Ok(ExitCode::FAILURE);
            }
            refresh(arguments, &policies, &mut prepared).await?;
        }
        for each in &prepared {
            carry_out(each, &site).await?;
            if !arguments.json {
                say(&format!("{} is deployed, revision {}", each.put.id, written(each.put.revision)));
            }
        }
    }
    if arguments.json {
        let policies: Vec<Value> = prepared.iter().map(|each| as_json(each, !arguments.dry_run)).collect();
        say_json(&json!({ "Policies": policies }));
    }
    Ok(ExitCode::SUCCESS)
}

/// What is to be done: first for the files, in their order, then for what is deployed already.
fn plans(arguments: &Arguments, policies: &[Policy], site: &Site) -> Told<Vec<Put>> {
    let mut plans = Vec::new();
    for policy in policies {
        plans.push(plan(&policy.wanted, site, arguments, arguments.disabled)?);
    }
    let is_named = |id: &PolicyId| policies.iter().any(|policy| policy.wanted.event.policy.id == *id);
    for deployed in site.inventory.policies.iter().filter(|each| arguments.all && !is_named(&each.id)) {
        let reading = document::wanted(&Value::Object(deployed.newest().document.clone()));
        let refusal = reading.refusal();
        let Some(wanted) = reading.value else {
            return Err(format!("{}: {}", deployed.id, refusal.unwrap_or_default()));
        };
        let is_off = arguments.disabled || deployed.schedules.iter().all(|each| !each.found.is_enabled);
        plans.push(plan(&wanted, site, arguments, is_off)?);
    }
    Ok(plans)
}

fn plan(wanted: &document::Wanted, site: &Site, arguments: &Arguments, is_off: bool) -> Told<Put> {
    let consent = if arguments.yes { Consent::Named(&arguments.accept) } else { Consent::Asked };
    let way = Way { group: &site.group, target: &site.target, is_off, consent, now: clock::now() };
    put::put(wanted, &site.inventory, way).map_err(|error| format!("{}: {error}", wanted.event.policy.id))
}

async fn prepare<'a>(from: Option<&'a Policy>, put: Put, site: &Site, sight: &Sight) -> Prepared<'a> {
    let before = site.inventory.policy(&put.id);
    let old = match before {
        Some(before) => sight.outlook(&event_of(&before.newest().document, before.revision())).await.ok(),
        None => None,
    };
    let mut effect = match sight.outlook(&event_of(&put.document, Some(put.revision))).await {
        Ok(new) => effect::told(old.as_ref(), &new),
        Err(why) => vec![format!("what it does to the account is not known: {why}")],
    };
    if before.is_some() {
        effect.extend(told_under_way(&under_way(site, &put.id).await, "put"));
    }
    Prepared { from, is_new: before.is_none(), put, effect }
}

/// Plans once more, because somebody has thought about it for a while: UpdateSchedule has no check that nobody wrote in between.
/// The revision is that of now.
async fn refresh(arguments: &Arguments, policies: &[Policy], prepared: &mut [Prepared<'_>]) -> Told<()> {
    let site = Site::open(arguments.group.name()).await?;
    let plans = plans(arguments, policies, &site)?;
    let is_same = plans.len() == prepared.len()
        && plans.iter().zip(&*prepared).all(|(plan, prepared)| plan.does_what(&prepared.put));
    if !is_same {
        return Err("what is deployed has changed in the meantime: nothing was written, put it again".to_owned());
    }
    plans.into_iter().zip(prepared).for_each(|(plan, prepared)| prepared.put = plan);
    Ok(())
}

/// New schedules and changed ones first: what fails on the way leaves the policy started, by the old schedules or by the new ones.
async fn carry_out(prepared: &Prepared<'_>, site: &Site) -> Told<()> {
    if let Some(Policy { file, new_text: Some(text), .. }) = prepared.from {
        // Before the first call: a policy that is deployed and whose file does not know its id would be deployed twice.
        std::fs::write(file, text).map_err(|error| format!("{}: cannot be written: {error}", file.display()))?;
    }
    let half = |id: &ScheduleId, error: String| {
        format!("{error}\n{}: {id} is not written yet; put it again to finish", prepared.put.id)
    };
    for schedule in &prepared.put.create {
        site.scheduler.create(schedule).await.map_err(|error| half(&schedule.id, error.to_string()))?;
    }
    for schedule in &prepared.put.update {
        site.scheduler.update(schedule).await.map_err(|error| half(&schedule.id, error.to_string()))?;
    }
    for id in &prepared.put.delete {
        site.scheduler.delete(id).await.map_err(|error| half(id, error.to_string()))?;
    }
    Ok(())
}

fn print_text(prepared: &Prepared<'_>) {
    let Prepared { from, put, is_new, effect } = prepared;
    let line = |text: &str| say_wrapped(&format!("  {text}"), 4);
    match from {
        Some(policy) => say(&format!("{}  {}", put.id, policy.file.display())),
        None => say(put.id.as_str()),
    }
    if *is_new {
        line("a new policy");
    } else if put.changes.is_empty() {
        line("no change but the revision");
    }
    if from.as_ref().is_some_and(|policy| policy.new_text.is_some()) {
        line("its new PolicyId is written into the file");
    }
    put.changes.iter().for_each(|text| line(text));
    for (word, schedules) in [("create", &put.create), ("update", &put.update)] {
        for Written { id, expression, is_enabled, .. } in schedules {
            line(&format!("{word} {id}: {expression}{}", if *is_enabled { "" } else { ", disabled" }));
        }
    }
    put.delete.iter().for_each(|id| line(&format!("delete {id}")));
    effect.iter().for_each(|text| line(text));
}

fn as_json(prepared: &Prepared<'_>, is_done: bool) -> Value {
    let Prepared { from, put, is_new, effect } = prepared;
    let schedules = |list: &[Written]| -> Vec<Value> {
        let schedule = |each: &Written| json!({ "Name": each.id.to_string(), "ScheduleExpression": each.expression });
        list.iter().map(schedule).collect()
    };
    json!({
        "PolicyId": put.id.as_str(),
        "File": from.as_ref().map(|policy| policy.file.display().to_string()),
        "New": is_new,
        "Revision": written(put.revision),
        "Changes": put.changes,
        "Effect": effect,
        "Create": schedules(&put.create),
        "Update": schedules(&put.update),
        "Delete": put.delete.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "Done": is_done,
    })
}
