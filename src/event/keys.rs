//! The keys of one object, taken one by one; what nobody took is unknown.

use crate::policy::decode::{Finding, nearest_key, shown};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// How much of a wrong value a message quotes.
const QUOTE_LENGTH_MAX: usize = 60;

/// An object whose keys are being read.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    object: &'a Map<String, Value>,
    prefix: &'a str,
    known: BTreeSet<&'static str>,
    errors: Vec<Finding>,
    not_supported: Vec<Finding>,
}

impl<'a> Keys<'a> {
    /// The keys of `object`, whose paths begin with `prefix`.
    pub(super) fn new(object: &'a Map<String, Value>, prefix: &'a str) -> Self {
        Self { object, prefix, known: BTreeSet::new(), errors: Vec::new(), not_supported: Vec::new() }
    }

    /// Whatever stands at `key`; `null` counts as absent.
    pub(super) fn any(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.insert(key);
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// Takes a key that means nothing here.
    pub(super) fn ignore(&mut self, key: &'static str) {
        self.known.insert(key);
    }

    /// The object at `key`.
    pub(super) fn object(&mut self, key: &'static str) -> Option<&'a Map<String, Value>> {
        match self.any(key)? {
            Value::Object(object) => Some(object),
            other => self.mistyped(key, "an object", other),
        }
    }

    /// The `true` or `false` at `key`.
    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        match self.any(key)? {
            Value::Bool(value) => Some(*value),
            other => self.mistyped(key, "true or false", other),
        }
    }

    /// The whole number at `key`, at most `max`.
    pub(super) fn number(&mut self, key: &'static str, max: u32) -> Option<u32> {
        let value = self.any(key)?;
        match value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number <= max) {
            Some(number) => Some(number),
            None => self.mistyped(key, &format!("a whole number from 0 to {max}"), value),
        }
    }

    /// The instant at `key`, RFC 3339.
    pub(super) fn instant(&mut self, key: &'static str) -> Option<Timestamp> {
        let value = self.any(key)?;
        match value.as_str().and_then(|text| text.parse().ok()) {
            Some(instant) => Some(instant),
            None => self.mistyped(key, "a time such as 2026-11-22T17:00:00Z", value),
        }
    }

    /// Reports an error at `key`.
    pub(super) fn error(&mut self, key: &str, message: String) {
        self.errors.push(Finding { path: format!("{}{key}", self.prefix), message });
    }

    /// Reports an error about the whole object.
    pub(super) fn error_in_all(&mut self, message: String) {
        self.errors.push(Finding { path: self.prefix.trim_end_matches('.').to_owned(), message });
    }

    /// Reports that `key` is right but not carried out yet.
    pub(super) fn not_supported(&mut self, key: &str) {
        let message = "not supported yet".to_owned();
        self.not_supported.push(Finding { path: format!("{}{key}", self.prefix), message });
    }

    /// What is right but not carried out yet.
    pub(super) fn take_not_supported(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.not_supported)
    }

    /// Whether an error was reported.
    pub(super) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// All errors, with one for each key that nobody took.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        let known: Vec<&str> = self.known.iter().copied().collect();
        let unknown: Vec<&String> = self.object.keys().filter(|key| !known.contains(&key.as_str())).collect();
        for key in unknown.into_iter().take(UNKNOWN_KEYS_MAX) {
            let advice = nearest_key(key, &known).map_or_else(String::new, |near| format!("; did you mean {near}?"));
            let message = format!("unknown key, expected one of {}{advice}", known.join(", "));
            self.errors.push(Finding { path: format!("{}{}", self.prefix, quoted(key)), message });
        }
        self.errors
    }

    /// Reports that something else was expected at `key`.
    pub(super) fn mistyped<T>(&mut self, key: &str, expected: &str, value: &Value) -> Option<T> {
        self.error(key, format!("expected {expected} but got {}", quoted(&value.to_string())));
        None
    }
}

/// How many unknown keys of one object are told: enough for every honest mistake.
const UNKNOWN_KEYS_MAX: usize = 20;

/// A text of the document inside a message.
pub(super) fn quoted(text: &str) -> String {
    shown(text, QUOTE_LENGTH_MAX)
}
