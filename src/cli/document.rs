//! Reading a document and telling what is wrong with it.

use super::Document;
use crate::event::{self, Event};
use crate::policy::decode::{Finding, IdRule, Reading};
use serde_json::{Value, json};
use std::io::Read;

/// The file's JSON, or why there is none.
pub(super) fn value(document: &Document) -> Result<Value, Finding> {
    let name = document.file.display();
    let finding = |message| Finding { path: String::new(), message };
    let text = if document.file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(&document.file)
    };
    let text = text.map_err(|error| finding(format!("{name} cannot be read: {error}")))?;
    serde_json::from_str(&text).map_err(|error| finding(format!("{name} is no JSON: {error}")))
}

/// The reading of the file.
pub(super) fn reading(document: &Document, id: IdRule) -> Reading<Event> {
    match value(document) {
        Ok(value) => event::read_document(&value, id),
        Err(finding) => Reading { value: None, errors: vec![finding], not_supported: vec![], warnings: vec![] },
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
