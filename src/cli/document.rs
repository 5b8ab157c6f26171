//! Reading a document and telling what is wrong with it.

use super::Document;
use super::output::{complain, say};
use crate::answer::TurnError;
use crate::aws::{Account, Accounts};
use crate::event::{self, Event, json};
use crate::handler;
use crate::policy::decode::{Finding, IdRule, Reading};
use crate::report;
use serde_json::{Value, json};
use std::io::{self, Read};
use std::process::ExitCode;
use std::sync::Arc;

/// The file's JSON, or why there is none.
fn read_json(document: &Document) -> Reading<Value> {
    if let Some(deployed) = &document.deployed {
        return Reading { value: Some(deployed.clone()), errors: vec![], not_supported: vec![], warnings: vec![] };
    }
    let name = document.name();
    let text = if document.is_standard_input() {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map(|_| text)
    } else {
        std::fs::read(&document.file)
    };
    match text {
        Ok(text) => {
            let mut reading = json::read(&text);
            reading.errors.iter_mut().filter(|f| f.path.is_empty()).for_each(|f| f.path.clone_from(&name));
            reading
        }
        Err(error) => Reading::refused(vec![Finding { path: name, message: unread(&error) }]),
    }
}

/// Why a file cannot be read, without the number that the system has for it.
fn unread(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::IsADirectory => "is a folder, expected a file".to_owned(),
        io::ErrorKind::PermissionDenied => "you may not read this file".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// The file as an event that a turn takes: a bare policy gets one around it. What is wrong with it, a line each.
pub(super) fn event(document: &Document) -> Result<Value, String> {
    let value = handler::accepted(read_json(document)).map_err(|error| told_of(&error))?;
    let reading = event::read_document(&value, IdRule::Required);
    if let Some(refusal) = reading.refusal() {
        return Err(refusal);
    }
    Ok(event::with_bare_policy_wrapped(value))
}

/// The accounts that the environment opens, or what is wrong with it.
pub(super) async fn connect() -> Result<Accounts, String> {
    Accounts::connect_for_person().await.map_err(|error| error.to_string())
}

/// An error of a turn for a person, who needs no name that Step Functions could match.
pub(super) fn told_of(error: &TurnError) -> String {
    report::chain(error)
}

/// Tells what went wrong, a line for each cause.
pub(super) fn fail(message: &str) -> ExitCode {
    for line in message.lines() {
        complain(&format!("error: {line}"));
    }
    ExitCode::FAILURE
}

/// The account and Region that an event is about. It is read first: what is refused needs no credentials.
pub(super) async fn account_of(event: &Value) -> Result<Arc<Account>, String> {
    let (event, _) = handler::read_event(event).map_err(|error| told_of(&error))?;
    let named = match (&event.options.targets_from, event.options.targets.len()) {
        (Some(list), _) => {
            Some(format!("Options.TargetsFrom: this looks at one account in one Region and not into {list}"))
        }
        (None, 0) => None,
        (None, targets) => {
            Some(format!("Options.Targets: this looks at one account in one Region and the event names {targets}"))
        }
    };
    if let Some(named) = named {
        return Err(format!("{named}, expected the one to look at as Options.Target"));
    }
    Ok(connect().await?.at(event.options.target.as_ref(), &event.policy.id).await)
}

/// The reading of the file.
pub(super) fn reading(document: &Document, id: IdRule) -> Reading<Event> {
    let reading = read_json(document);
    match reading.value {
        Some(value) => event::read_document(&value, id),
        None => Reading::refused(reading.errors),
    }
}

/// Findings as they stand in JSON answers.
pub(super) fn findings_json(findings: &[Finding]) -> Value {
    findings.iter().map(|finding| json!({ "Path": finding.path, "Message": finding.message })).collect()
}

/// Prints what there is to tell about a reading to standard error.
pub(super) fn tell<T>(reading: &Reading<T>) {
    for line in told(reading) {
        complain(&line);
    }
}

/// One line for each finding.
pub(super) fn told<T>(reading: &Reading<T>) -> Vec<String> {
    let kinds = [("error", &reading.errors), ("not supported", &reading.not_supported), ("warning", &reading.warnings)];
    let lines =
        kinds.iter().flat_map(|(kind, findings)| findings.iter().map(move |finding| format!("{kind}: {finding}")));
    lines.collect()
}

/// Prints JSON as people read it.
pub(super) fn print_json(value: &Value) {
    say(&format!("{value:#}"));
}
