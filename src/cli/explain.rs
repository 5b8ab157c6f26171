//! `opendlm explain FILE SNAPSHOT`: why this snapshot is kept or goes.

use super::Document;
use super::document::{account_of, event, fail, print_json, told_of};
use super::output::say_wrapped;
use crate::handler;
use crate::report::explain::Explanation;
use crate::world::SnapshotId;
use std::process::ExitCode;

/// Prints the explanation.
pub(super) fn explain(document: &Document, snapshot: &str) -> ExitCode {
    let Some(snapshot) = SnapshotId::parse(snapshot) else {
        return fail(&format!("{snapshot:?} is not a snapshot id, expected one such as snap-0123456789abcdef0"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    match runtime.block_on(explanation(document, &snapshot)) {
        Ok(explanation) if document.json => {
            print_json(&serde_json::to_value(&explanation).expect("an explanation is JSON"));
            ExitCode::SUCCESS
        }
        Ok(explanation) => {
            print_text(&explanation);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

async fn explanation(document: &Document, snapshot: &SnapshotId) -> Result<Explanation, String> {
    let event = event(document)?;
    let account = account_of(&event).await?;
    handler::explain(&account, &event, snapshot).await.map_err(|error| told_of(&error))
}

/// The width of the names: the longest, `delete later`, and a gap.
const NAME_WIDTH: usize = 14;

fn print_text(explanation: &Explanation) {
    let row = |name: &str, text: &str| say_wrapped(&format!("{name:<NAME_WIDTH$}{text}"), NAME_WIDTH);
    row("snapshot", &explanation.snapshot);
    if let Some(line) = &explanation.decision {
        row("volume", line.volume.as_deref().unwrap_or("-"));
        row("made for", line.scheduled_time.as_deref().unwrap_or("an unreadable scheduled time"));
    }
    row("rule", &explanation.rule);
    if let Some(line) = &explanation.decision {
        row(line.decision, &line.reason);
    }
    row("goes", &explanation.goes);
    explanation.copies.iter().for_each(|copy| row("copy", copy));
}
