//! `opendlm template FILE...`: the schedules of policies as a CloudFormation template.

use super::Group;
use super::files::{self, Policy};
use super::say::{complain, say_json, tell};
use crate::aws::clock;
use crate::live::deployed::Inventory;
use crate::live::document::{self, Wanted};
use crate::live::template as core;
use crate::policy::{RetainRule, ScheduleName};
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Events, or policies as `aws dlm` takes and prints them.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Consent to a count that was made smaller: what the schedule kept before goes at the next run.
    #[arg(long, value_name = "SCHEDULE")]
    accept: Vec<String>,
    #[command(flatten)]
    group: Group,
    /// Answer in JSON, as it does in any case.
    #[arg(long)]
    json: bool,
}

/// Prints the template. It asks nothing of AWS.
pub(super) fn template(arguments: &Arguments) -> ExitCode {
    let Some(policies) = files::read(&arguments.files, &Inventory::default()) else { return ExitCode::FAILURE };
    for Policy { file, new_text, wanted } in &policies {
        let Some(text) = new_text else { continue };
        if let Err(error) = std::fs::write(file, text) {
            complain(&format!("{}: cannot be written: {error}", file.display()));
            return ExitCode::FAILURE;
        }
        tell(&format!("{}: has the new PolicyId {}", file.display(), wanted.event.policy.id));
    }
    let mut wanted: Vec<Wanted> = policies.into_iter().map(|policy| policy.wanted).collect();
    for name in &arguments.accept {
        if !wanted.iter_mut().map(|wanted| accept(wanted, name)).fold(false, |any, one| any | one) {
            complain(&format!("--accept {name}: no schedule of that name keeps by count"));
            return ExitCode::FAILURE;
        }
    }
    match core::template(&wanted, &arguments.group.name(), clock::now()) {
        Ok(template) => {
            say_json(&template);
            ExitCode::SUCCESS
        }
        Err((id, error)) => {
            complain(&format!("{id}: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Consents to the count of a schedule; false where there is none.
fn accept(wanted: &mut Wanted, name: &str) -> bool {
    let schedule = ScheduleName::parse(name).ok().and_then(|name| wanted.event.policy.schedule(&name));
    let Some(RetainRule::Count(count)) = schedule.map(|schedule| schedule.retain) else { return false };
    let accepted = &wanted.event.options.accept_count;
    let mut counts: BTreeMap<String, u32> =
        accepted.iter().map(|(name, count)| (name.to_string(), count.get())).collect();
    counts.insert(name.to_owned(), count.get());
    wanted.document = document::with_accepted_counts(&wanted.document, &counts);
    true
}
