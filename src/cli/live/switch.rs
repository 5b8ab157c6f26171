//! `opendlm enable POLICY` and `opendlm disable POLICY`.

use super::runs::{offer_to_stop, told_under_way, under_way};
use super::say::{say, say_json, say_wrapped};
use super::site::{Sight, Site};
use super::{Told, Which, event_of, policy_id};
use crate::aws::clock;
use crate::live::effect;
use crate::live::put::{self, Consent, Way};
use crate::live::{deployed::Deployed, document};
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    which: Which,
}

/// Writes the schedules anew, enabled and with a new revision.
pub(super) async fn enable(arguments: &Arguments) -> Told<ExitCode> {
    let which = &arguments.which;
    let id = policy_id(&which.policy)?;
    let site = Site::open(which.group.name()).await?;
    let document = document::with_state(&site.policy(&id)?.newest().document, "ENABLED");
    let reading = document::wanted(&Value::Object(document));
    let refusal = reading.refusal();
    let wanted = reading.value.ok_or_else(|| format!("{id}: {}", refusal.unwrap_or_default()))?;
    let way = Way {
        group: &site.group,
        target: &site.target,
        is_off: false,
        consent: Consent::Named(&[]),
        now: clock::now(),
    };
    let put = put::put(&wanted, &site.inventory, way).map_err(|error| format!("{id}: {error}"))?;
    let half = |error: crate::aws::ServiceError| format!("{error}\n{id} is enabled in part; enable it again to finish");
    for schedule in &put.create {
        site.scheduler.create(schedule).await.map_err(half)?;
    }
    for schedule in &put.update {
        site.scheduler.update(schedule).await.map_err(half)?;
    }
    for id in &put.delete {
        site.scheduler.delete(id).await.map_err(half)?;
    }
    let outlook = Sight::open().await.outlook(&event_of(&put.document, Some(put.revision))).await;
    let effect = match &outlook {
        Ok(outlook) => effect::told(None, outlook),
        Err(why) => vec![format!("what it does to the account is not known: {why}")],
    };
    tell(which, "ENABLED", &effect);
    Ok(ExitCode::SUCCESS)
}

/// Switches the schedules off, and leaves them as they are.
pub(super) async fn disable(arguments: &Arguments) -> Told<ExitCode> {
    let which = &arguments.which;
    let id = policy_id(&which.policy)?;
    let site = Site::open(which.group.name()).await?;
    let Deployed { schedules, .. } = site.policy(&id)?;
    for each in schedules.iter().filter(|each| each.found.is_enabled) {
        let off = site.scheduler.switch_off(&each.found.id).await;
        off.map_err(|error| format!("{error}\n{id} is disabled in part; disable it again to finish"))?;
    }
    let runs = under_way(&site, &id).await;
    let mut lines = vec!["nothing is made or deleted any more by new starts".to_owned()];
    lines.extend(told_under_way(&runs, "disabled"));
    tell(which, "DISABLED", &lines);
    if !which.json {
        offer_to_stop(&site, &runs).await?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(which: &Which, state: &str, lines: &[String]) {
    if which.json {
        say_json(&json!({ "PolicyId": which.policy, "State": state, "Effect": lines }));
        return;
    }
    say(&format!("{}  {state}", which.policy));
    lines.iter().for_each(|line| say_wrapped(&format!("  {line}"), 4));
}
