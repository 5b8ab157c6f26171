//! Reading a document and telling what is wrong with it.

use super::Document;
use super::live;
use crate::answer::TurnError;
use crate::aws::{Account, Accounts};
use crate::event::{self, Event, json};
use crate::handler;
use crate::policy::decode::{Finding, IdRule, Reading};
use serde_json::{Value, json};
use std::io::Read;
use std::sync::Arc;

/// The file's JSON, or why there is none.
fn read_json(document: &Document) -> Reading<Value> {
    let name = document.file.display().to_string();
    if let Some(deployed) = live::deployed(&document.file) {
        return match deployed {
            Ok(event) => Reading { value: Some(event), errors: vec![], not_supported: vec![], warnings: vec![] },
            Err(message) => Reading::refused(vec![Finding { path: name, message }]),
        };
    }
    let text = if document.file.as_os_str() == "-" {
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
        Err(error) => Reading::refused(vec![Finding { path: name, message: format!("cannot be read: {error}") }]),
    }
}

/// The file as an event that a turn takes: a bare policy gets one around it.
pub(super) fn event(document: &Document) -> Result<Value, TurnError> {
    handler::accepted(read_json(document)).map(event::with_bare_policy_wrapped)
}

/// The account and Region that an event is about. It is read first: what is refused needs no credentials.
pub(super) async fn account_of(event: &Value) -> Result<Arc<Account>, TurnError> {
    let (event, _) = handler::read_event(event)?;
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
        return Err(TurnError::PolicyInvalid(format!("{named}, expected the one to look at as Options.Target")));
    }
    Ok(Accounts::connect().await.at(event.options.target.as_ref(), &event.policy.id).await)
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
        eprintln!("{line}");
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
    println!("{value:#}");
}
