//! `opendlm show POLICY`: a deployed policy as `put` takes it again.

use super::say::{say_json, tell};
use super::site::Site;
use super::{Told, Which, policy_id};
use crate::live::deployed::State;
use crate::live::document;
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    which: Which,
}

pub(super) async fn show(arguments: &Arguments) -> Told<ExitCode> {
    let which = &arguments.which;
    let id = policy_id(&which.policy)?;
    let site = Site::open(which.group.name()).await?;
    let deployed = site.policy(&id)?;
    for fault in deployed.faults(&site.group, &site.target) {
        tell(&format!("warning: {fault}"));
    }
    let document = &deployed.newest().document;
    // So that `put` of what is printed does not start what is off.
    let document = match deployed.state() {
        State::Disabled => document::with_state(document, "DISABLED"),
        State::Enabled | State::Partly => document.clone(),
    };
    say_json(&document::shown(&document));
    Ok(ExitCode::SUCCESS)
}
