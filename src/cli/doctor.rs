//! `opendlm doctor FILE`: what is wrong with a policy's backups, line by line; nothing is changed.

use super::Document;
use super::document::{account_of, event, print_json, told_of};
use super::output::say_wrapped;
use crate::doctor::{self, Gathered, Health, Looked};
use crate::handler;
use serde_json::json;
use std::process::ExitCode;

/// Prints how everything is; fails when something is wrong.
pub(super) fn doctor(document: &Document) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let looked = runtime.block_on(look(document));
    let lines = doctor::examine(&Gathered { looked });
    if document.json {
        print_json(&json!(lines));
    } else {
        for line in &lines {
            let health = match line.health {
                Health::Ok => "ok",
                Health::Unknown => "unknown",
                Health::Wrong => "wrong",
            };
            say_wrapped(&format!("{health:8}{}: {}", line.about, line.says), 8);
            if let Some(cure) = &line.cure {
                say_wrapped(&format!("        {cure}"), 8);
            }
        }
    }
    if doctor::has_wrong(&lines) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn look(document: &Document) -> Result<Looked, String> {
    let event = event(document)?;
    let account = account_of(&event).await?;
    let foreseen = handler::foresee(&account, &event).await.map_err(|error| told_of(&error))?;
    Ok(Looked { report: foreseen.report, targeted: foreseen.targeted, is_enabled: foreseen.is_enabled })
}
