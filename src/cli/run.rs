//! `opendlm run FILE`: turns until done, sleeping where Step Functions would wait.

use super::Document;
use super::document::{event, print_json};
use crate::answer::{Answer, TurnError};
use crate::aws::{Account, clock};
use crate::handler;
use crate::log;
use crate::tags::written;
use jiff::{SignedDuration, Timestamp};
use std::process::ExitCode;
use std::time::Duration;

/// How long a turn may take at home: as long as the function that `template.yaml` deploys.
const TURN_SECONDS_MAX: i64 = 300;

/// Runs an event to its end.
pub(super) fn run(document: &Document) -> ExitCode {
    log::of_command_line();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    match runtime.block_on(run_to_end(document)) {
        Ok(answer) => {
            if document.json {
                print_json(&serde_json::to_value(&answer).expect("an answer is JSON"));
            } else {
                tell_end(&answer);
            }
            if answer.report.outcome == Some("PARTIAL") { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("{}", error.text());
            ExitCode::FAILURE
        }
    }
}

async fn run_to_end(document: &Document) -> Result<Answer, TurnError> {
    let mut event = event(document)?;
    handler::read_event(&event)?;
    let account = Account::connect().await;
    let mut failures_in_a_row = 0;
    // Bounded by turn::TURNS_MAX, and by RETRIES_MAX where a turn fails.
    loop {
        let until = clock::now().checked_add(SignedDuration::from_secs(TURN_SECONDS_MAX)).unwrap_or(Timestamp::MAX);
        match handler::turn(&account, &event, until).await {
            Ok(answer) if answer.status == "DONE" => return Ok(answer),
            Ok(answer) => {
                failures_in_a_row = 0;
                if !document.json {
                    println!(
                        "{}  turn {}: {}; look again in {} s",
                        written(clock::now()),
                        answer.report.turns,
                        answer.report.summary,
                        answer.wait_seconds
                    );
                }
                tokio::time::sleep(Duration::from_secs(u64::from(answer.wait_seconds))).await;
                event = answer.next;
            }
            Err(error @ (TurnError::Throttled(_) | TurnError::Unavailable(_))) if failures_in_a_row < RETRIES_MAX => {
                failures_in_a_row += 1;
                eprintln!("{}; trying again in {RETRY_SECONDS} s", error.text());
                tokio::time::sleep(Duration::from_secs(RETRY_SECONDS)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// How often a turn that EC2 did not answer is tried again, and after how long: at home somebody watches.
const RETRIES_MAX: u32 = 3;
const RETRY_SECONDS: u64 = 5;

fn tell_end(answer: &Answer) {
    let report = &answer.report;
    for warning in &report.warnings {
        println!("warning: {warning}");
    }
    for failure in &report.failures {
        println!("failed: {} {}: {}: {}", failure.action, failure.resource, failure.code, failure.message);
    }
    println!("{}  {}: {}", written(clock::now()), report.outcome.unwrap_or("DONE"), report.summary);
}
