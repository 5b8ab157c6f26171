//! `opendlm plan FILE`: every decision with its reason, and no change.

use super::Document;
use super::document::{account_of, event, print_json};
use crate::answer::TurnError;
use crate::handler::{self, Foreseen};
use crate::report::cost::{Price, at_most};
use crate::report::words::Line;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;
use std::process::ExitCode;

/// Prints the plan of a start now.
pub(super) fn plan(document: &Document, price: Price) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    match runtime.block_on(foresee(document)) {
        Ok(foreseen) if document.json => {
            print_json(&json!({ "Report": foreseen.report, "Decisions": foreseen.decisions }));
            ExitCode::SUCCESS
        }
        Ok(foreseen) => {
            print_text(&foreseen);
            print_cost(&foreseen, price);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", error.text());
            ExitCode::FAILURE
        }
    }
}

async fn foresee(document: &Document) -> Result<Foreseen, TurnError> {
    let event = event(document)?;
    let account = account_of(&event).await?;
    handler::foresee(&account, &event).await
}

fn print_text(foreseen: &Foreseen) {
    for warning in &foreseen.report.warnings {
        println!("warning: {warning}");
    }
    for schedule in &foreseen.report.schedules {
        let time = schedule.scheduled_time.as_deref().unwrap_or("-");
        let next = schedule.next_scheduled_time.as_deref().unwrap_or("-");
        println!("{}: {} {time}, next {next}", schedule.name, schedule.due.to_lowercase());
    }
    if !foreseen.decisions.is_empty() {
        println!("{}", table(&foreseen.decisions).trim_fmt());
    }
    println!("{}; nothing was changed", foreseen.report.summary);
}

/// What there is now costs at most.
fn print_cost(foreseen: &Foreseen, price: Price) {
    let (cost, orphans) = (foreseen.report.cost.cost, foreseen.report.orphans);
    println!("cost of {} complete snapshots: {}", cost.snapshots, at_most(cost.full_size_bytes, price));
    for (what, count, bytes) in [
        ("made by RunNow", cost.run_now_snapshots, cost.run_now_bytes),
        ("orphans", u64::try_from(orphans.snapshots).unwrap_or(u64::MAX), orphans.full_size_bytes),
    ] {
        if count > 0 {
            println!("  {count} {what}: {}", at_most(bytes, price));
        }
    }
}

fn table(decisions: &[Line]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["DECISION", "RESOURCE", "SNAPSHOT", "SCHEDULED TIME", "SCHEDULE", "REASON"]);
    for line in decisions {
        let resource = match (&line.instance, &line.volume) {
            (Some(instance), Some(volume)) => Some(format!("{volume} of {instance}")),
            (instance, volume) => instance.clone().or_else(|| volume.clone()),
        };
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        table.add_row([
            line.decision.to_owned(),
            or_dash(&resource),
            or_dash(&line.snapshot),
            or_dash(&line.scheduled_time),
            or_dash(&line.schedule),
            line.reason.clone(),
        ]);
    }
    table
}
