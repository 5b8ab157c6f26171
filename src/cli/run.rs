//! `opendlm run FILE`: turns until done, sleeping where Step Functions would wait.

use super::Document;
use super::document::{connect, event, fail, print_json, told_of};
use super::output::{Progress, complain, say, say_wrapped};
use crate::answer::{Answer, Reply, TurnError};
use crate::aws::{Accounts, clock};
use crate::handler;
use crate::log;
use crate::place::OneOf;
use crate::tags::written;
use crate::turn::deadline;
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

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
        Err(error) => fail(&error),
    }
}

async fn run_to_end(document: &Document) -> Result<Answer, String> {
    let event = event(document)?;
    let accounts = connect().await?;
    let split = match turns(document, &accounts, event).await.map_err(|error| told_of(&error))? {
        Reply::Failed(_) => unreachable!("an event that was read asks for no mail"),
        Reply::List(_) => return Err(LIST_IS_NOT_READ.to_owned()),
        Reply::Split(split) => split,
        Reply::Turn(answer) => return Ok(*answer),
    };
    let mut reports = Vec::new();
    // One after the other: at home somebody watches, and reads line by line.
    let of = u32::try_from(split.targets.len()).expect("a split has few targets");
    for (number, target) in (0..of).zip(&split.targets) {
        tell_target(document, target);
        let report = match turns(document, &accounts, split.event_of(target)).await {
            Ok(Reply::Turn(answer)) => serde_json::to_value(&answer.part).expect("a part is JSON"),
            Ok(Reply::Failed(_) | Reply::List(_) | Reply::Split(_)) => {
                unreachable!("the event of one target names no others")
            }
            Err(error) => {
                complain(&format!("error: {}", told_of(&error)));
                error.told(OneOf { number, of })
            }
        };
        reports.push(report);
    }
    handler::sum(&split.sum_of(&reports)).map_err(|error| told_of(&error))
}

/// Turns of one run until it is done, or is to be split.
async fn turns(document: &Document, accounts: &Accounts, mut event: Value) -> Result<Reply, TurnError> {
    let mut failures_in_a_row = 0;
    let mut progress = Progress::new();
    // Bounded by turn::TURNS_MAX, and by RETRIES_MAX where a turn fails.
    loop {
        let until = deadline::of_invocation_at(clock::now());
        let reply = handler::invoke(accounts, &event, until).await;
        progress.end();
        match reply {
            Ok(reply @ (Reply::Failed(_) | Reply::List(_) | Reply::Split(_))) => return Ok(reply),
            Ok(Reply::Turn(answer)) if answer.status == "DONE" => return Ok(Reply::Turn(answer)),
            Ok(Reply::Turn(answer)) => {
                failures_in_a_row = 0;
                if !document.json {
                    progress.tell(&format!(
                        "{}  turn {}: {}; look again in {} s",
                        written(clock::now()),
                        answer.report.turns,
                        answer.report.summary,
                        answer.wait_seconds
                    ));
                }
                tokio::time::sleep(Duration::from_secs(u64::from(answer.wait_seconds))).await;
                event = answer.next;
            }
            Err(error @ (TurnError::Throttled(_) | TurnError::Unavailable(_))) if failures_in_a_row < RETRIES_MAX => {
                failures_in_a_row += 1;
                complain(&format!("{}; trying again in {RETRY_SECONDS} s", told_of(&error)));
                tokio::time::sleep(Duration::from_secs(RETRY_SECONDS)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// At home nobody reads S3.
const LIST_IS_NOT_READ: &str =
    "Options.TargetsFrom: only the state machine reads a list in S3; expected some of its targets as Options.Targets";

fn tell_target(document: &Document, target: &Value) {
    if !document.json {
        say(&format!("{}  target {}", written(clock::now()), target["Target"]));
    }
}

/// How often a turn that EC2 did not answer is tried again, and after how long: at home somebody watches.
const RETRIES_MAX: u32 = 3;
const RETRY_SECONDS: u64 = 5;

fn tell_end(answer: &Answer) {
    let report = &answer.report;
    for warning in &report.warnings {
        say_wrapped(&format!("warning: {warning}"), 2);
    }
    for target in &report.targets {
        say_wrapped(&format!("{}: {}: {}", target.name(), target.outcome, target.summary), 2);
    }
    for failure in &report.failures {
        let place = match (&failure.account, &failure.region) {
            (_, None) => String::new(),
            (None, Some(region)) => format!("own account in {region}: "),
            (Some(account), Some(region)) => format!("account {account} in {region}: "),
        };
        let (action, resource) = (&failure.action, &failure.resource);
        say_wrapped(&format!("failed: {place}{action} {resource}: {}: {}", failure.code, failure.message), 2);
    }
    if let Some(orphans) = report.orphans.told() {
        say_wrapped(&orphans, 2);
    }
    let outcome = report.outcome.unwrap_or("DONE");
    say_wrapped(&format!("{}  {outcome}: {}", written(clock::now()), report.summary), 2);
}
