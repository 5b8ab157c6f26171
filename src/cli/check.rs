//! `opendlm check FILE`.

use super::Document;
use super::document::{findings_json, print_json, reading, told};
use crate::policy::decode::IdRule;
use serde_json::json;
use std::process::ExitCode;

/// Prints errors, warnings and what is not supported; exit 1 on errors.
pub(super) fn check(document: &Document) -> ExitCode {
    let reading = reading(document, IdRule::Optional);
    if document.json {
        print_json(&json!({
            "Errors": findings_json(&reading.errors),
            "Warnings": findings_json(&reading.warnings),
            "NotSupported": findings_json(&reading.not_supported),
        }));
    } else {
        for line in told(&reading) {
            println!("{line}");
        }
        let name = document.file.display();
        if !reading.errors.is_empty() {
            println!("{name}: refused");
        } else if reading.not_supported.is_empty() {
            println!("{name}: understood");
        } else {
            println!("{name}: understood, but opendlm cannot carry it out yet");
        }
    }
    if reading.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
