//! `Options.TargetsFrom`: a list of targets in S3, for more of them than an event names itself.
//!
//! The state machine reads the object and hands its text over as `TargetsList`, beside the `Next` that it got. So the function
//! sees the whole list at once: what is wrong with any entry is told, with its path, before the first run begins, and what was
//! checked is what is carried out, whoever changes the object meanwhile.

use super::keys::{Keys, quoted};
use super::{json, targets};
use crate::place::{ListObject, PLACES_LISTED_MAX, Place};
use crate::policy::decode::Finding;
use serde_json::{Map, Value, json as to_json};

/// How many bytes a list has at most. Step Functions hands 262,144 from state to state: less 65,000 for the event and the
/// report, each byte of the list may become two in the text. 200 pairs with line breaks and long names have 50,000.
pub(super) const LIST_LENGTH_MAX: usize = 80_000;

/// What every path in the list begins with.
pub(super) const PATH: &str = "Options.TargetsFrom";

const FORM: &str = r#"{"Bucket": "amzn-s3-demo-bucket", "Key": "opendlm/targets.json"}"#;

/// `TargetsFrom`: where the list is.
pub(super) fn read_object(value: &Value, path: &str, errors: &mut Vec<Finding>) -> Option<ListObject> {
    let Some(object) = value.as_object() else {
        let message = format!("expected an object such as {FORM} but got {}", quoted(&value.to_string()));
        errors.push(Finding { path: path.to_owned(), message });
        return None;
    };
    let prefix = format!("{path}.");
    let mut keys = Keys::new(object, &prefix);
    let bucket = text(&mut keys, "Bucket", ListObject::is_bucket, ListObject::BUCKET_EXPECTED);
    let key = text(&mut keys, "Key", ListObject::is_key, ListObject::KEY_EXPECTED);
    errors.extend(keys.finish());
    ListObject::new(bucket?, key?)
}

/// The text at `key`, if it is what is `expected` there.
fn text(keys: &mut Keys<'_>, key: &'static str, is_good: fn(&str) -> bool, expected: &str) -> Option<String> {
    let Some(value) = keys.any(key) else {
        keys.error(key, format!("missing, expected {expected}"));
        return None;
    };
    let text = value.as_str().filter(|text| is_good(text)).map(str::to_owned);
    text.or_else(|| keys.mistyped(key, expected, value))
}

/// The places of a list, from its text.
pub(super) fn read(list: &Value, errors: &mut Vec<Finding>) -> Vec<Place> {
    let Some(text) = list.as_str() else {
        let message = "expected the text that the state machine has read from S3, and nobody else writes".to_owned();
        errors.push(Finding { path: "TargetsList".to_owned(), message });
        return Vec::new();
    };
    if text.len() > LIST_LENGTH_MAX {
        let message = format!("the list has {} bytes, expected at most {LIST_LENGTH_MAX}", text.len());
        errors.push(Finding { path: PATH.to_owned(), message });
        return Vec::new();
    }
    let reading = json::read(text.as_bytes());
    errors.extend(reading.errors.into_iter().map(in_list));
    let places = reading.value.map(|list| targets::read_all(&list, PATH, PLACES_LISTED_MAX, errors));
    places.unwrap_or_default()
}

/// What to say of a list that no option asks for.
pub(super) fn unasked(prefix: &str) -> Finding {
    let message = "set without Options.TargetsFrom, expected what the state machine hands over".to_owned();
    Finding { path: format!("{prefix}TargetsList"), message }
}

/// A finding about the list's JSON with the path that the others have.
fn in_list(Finding { path, message }: Finding) -> Finding {
    let joint = if path.is_empty() || path.starts_with('[') { "" } else { "." };
    Finding { path: format!("{PATH}{joint}{path}"), message }
}

/// The object as an answer names it.
pub(super) fn written(object: &ListObject) -> Value {
    to_json!({ "Bucket": object.bucket(), "Key": object.key() })
}

/// Takes out of an event what only led to its targets.
pub(super) fn forget(event: &mut Map<String, Value>) {
    if let Some(options) = event.get_mut("Options").and_then(Value::as_object_mut) {
        options.remove("Targets");
        options.remove("TargetsFrom");
    }
}

#[cfg(test)]
mod tests;
