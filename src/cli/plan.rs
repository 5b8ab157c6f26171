//! `opendlm plan FILE`: what a start now would do, volume by volume, and no change.

use super::Document;
use super::document::{account_of, event, fail, print_json, told_of};
use super::output::{say, say_wrapped, width};
use super::screen::{self, Labels};
use crate::aws::Account;
use crate::handler::{self, Foreseen};
use crate::report::Report;
use crate::report::cost::{Price, at_most};
use crate::world::VolumeId;
use serde_json::json;
use std::process::ExitCode;

/// Prints the plan of a start now; exit 1 where the run would fail or stop at a brake.
pub(super) fn plan(document: &Document, is_all: bool, price: Price) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    let (foreseen, labels) = match runtime.block_on(foresee(document)) {
        Ok(foreseen) => foreseen,
        Err(error) => return fail(&error),
    };
    if document.json {
        let Foreseen { report, decisions, forecast } = &foreseen;
        print_json(&json!({ "Plan": forecast, "Report": report, "Decisions": decisions }));
    } else {
        print_text(&foreseen, &labels, is_all);
        print_cost(&foreseen, price);
    }
    if foreseen.forecast.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn foresee(document: &Document) -> Result<(Foreseen, Labels), String> {
    let event = event(document)?;
    let account = account_of(&event).await?;
    let foreseen = handler::foresee(&account, &event).await.map_err(|error| told_of(&error))?;
    let labels = if document.json { Labels::default() } else { labels(&account, &foreseen).await };
    Ok((foreseen, labels))
}

/// What a person knows the volumes by. A plan without names is better than none.
async fn labels(account: &Account, foreseen: &Foreseen) -> Labels {
    let mut ids: Vec<VolumeId> =
        foreseen.decisions.iter().filter_map(|line| VolumeId::parse(line.volume.as_ref()?)).collect();
    ids.sort_unstable();
    ids.dedup();
    account.labels(&ids).await.unwrap_or_default()
}

fn print_text(foreseen: &Foreseen, labels: &Labels, is_all: bool) {
    for warning in &foreseen.report.warnings {
        say_wrapped(&format!("warning: {warning}"), 2);
    }
    print_schedules(&foreseen.report);
    for line in screen::lines(&foreseen.decisions, labels, is_all, width()) {
        say(&line);
    }
    say("");
    for note in &foreseen.forecast.notes {
        say_wrapped(note, 2);
    }
    for failure in &foreseen.forecast.failures {
        say_wrapped(&format!("the run would fail: {failure}"), 2);
    }
    say_wrapped(&foreseen.forecast.sentence(), 2);
}

/// What there is now costs at most.
fn print_cost(foreseen: &Foreseen, price: Price) {
    let (cost, orphans) = (foreseen.report.cost.cost, foreseen.report.orphans);
    say_wrapped(&format!("Cost of {} complete snapshots: {}", cost.snapshots, at_most(cost.full_size_bytes, price)), 2);
    for (what, count, bytes) in [
        ("made by RunNow", cost.run_now_snapshots, cost.run_now_bytes),
        ("orphans", u64::try_from(orphans.snapshots).unwrap_or(u64::MAX), orphans.full_size_bytes),
    ] {
        if count > 0 {
            say_wrapped(&format!("  {count} {what}: {}", at_most(bytes, price)), 4);
        }
    }
}

fn print_schedules(report: &Report) {
    for schedule in &report.schedules {
        let due = match (&schedule.scheduled_time, schedule.due.as_str()) {
            (Some(time), "DUE") => format!("due since {time}"),
            (Some(time), "LATE") => format!("nothing due, the start window of {time} is over"),
            (_, due) => due.to_lowercase() + " due",
        };
        let next = schedule.next_scheduled_time.as_ref().map_or_else(String::new, |time| format!("; next {time}"));
        say_wrapped(&format!("{}: {due}{next}", schedule.name), 2);
    }
}
