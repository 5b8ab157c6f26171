//! The event that a file means, and the one that a schedule gets.

use crate::event::{self, Event};
use crate::policy::PolicyId;
use crate::policy::decode::{Finding, IdRule, Reading};
use crate::starts::POLICY_ID_LENGTH_MAX;
use crate::tags::written;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What EventBridge Scheduler replaces by the time that a start was meant for.
pub const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

/// An event without what belongs to one start or one deployment of it: `Policy`, and `Options` where there are any.
pub type Document = Map<String, Value>;

/// An event to deploy.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// As it was understood.
    pub event: Event,
    /// As it was written.
    pub document: Document,
}

/// Reads what somebody wants to deploy: an event or a bare policy, with a policy id.
#[must_use]
pub fn wanted(value: &Value) -> Reading<Wanted> {
    let value = event::with_bare_policy_wrapped(body(value).clone());
    let mut errors = Vec::new();
    let mut refuse = |path: &str, message: &str| {
        errors.push(Finding { path: path.to_owned(), message: message.to_owned() });
    };
    if value.get("Progress").is_some() {
        refuse("Progress", "this is the state of a run, expected the event that started it");
    }
    let options = value.get("Options");
    if options.and_then(|options| options.get("RunNow")).and_then(Value::as_bool) == Some(true) {
        refuse("Options.RunNow", "each start of the schedule would be a run now, expected it to be left out");
    }
    let id = value.get("Policy").and_then(|policy| policy.get("PolicyId")).and_then(Value::as_str);
    if let Some(id) = id.filter(|id| id.len() > POLICY_ID_LENGTH_MAX) {
        let message = format!(
            "has {} characters, expected at most {POLICY_ID_LENGTH_MAX}: the names of its schedules in EventBridge Scheduler \
             begin with it",
            id.len()
        );
        refuse("Policy.PolicyId", &message);
    }
    let document = cleaned(&value);
    let mut reading = event::read(&Value::Object(document.clone()), IdRule::Required).with_errors(errors);
    if let Some(event) = reading.value.as_ref().filter(|event| event.options.dry_run) {
        let message = format!("{} makes no snapshot while this is set", event.policy.id);
        reading.warnings.push(Finding { path: "Options.DryRun".to_owned(), message });
    }
    reading.map(|event| Wanted { event, document })
}

/// The event in an EventBridge envelope, or the value itself.
fn body(value: &Value) -> &Value {
    match value.get("detail") {
        Some(detail) if value.get("detail-type").is_some() => detail,
        _ => value,
    }
}

/// The policy id that a document names, whatever else is wrong with it.
#[must_use]
pub fn id_in(value: &Value) -> Option<PolicyId> {
    let value = body(value);
    let policy = value.get("Policy").unwrap_or(value);
    policy.get("PolicyId").and_then(Value::as_str).and_then(|id| PolicyId::parse(id).ok())
}

/// An event without `ScheduledTime` and `Revision`.
#[must_use]
pub fn cleaned(value: &Value) -> Document {
    let fields = value.as_object().into_iter().flatten();
    fields
        .filter(|(key, _)| !["ScheduledTime", "Revision", "Progress"].contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The event that a schedule gets as its input, as JSON: with the placeholder of Scheduler, and with the revision.
#[must_use]
pub fn input(document: &Document, revision: Timestamp) -> String {
    let mut input = document.clone();
    input.insert("ScheduledTime".to_owned(), json!(SCHEDULED_TIME));
    input.insert("Revision".to_owned(), json!(written(revision)));
    Value::Object(input).to_string()
}

/// The document with the consent to these counts, and to no others; without `AcceptCount` where there are none.
#[must_use]
pub fn with_accepted_counts(document: &Document, counts: &BTreeMap<String, u32>) -> Document {
    let mut document = document.clone();
    let mut options = document.get("Options").and_then(Value::as_object).cloned().unwrap_or_default();
    if counts.is_empty() {
        options.remove("AcceptCount");
    } else {
        options.insert("AcceptCount".to_owned(), json!(counts));
    }
    if options.is_empty() {
        document.remove("Options");
    } else {
        document.insert("Options".to_owned(), Value::Object(options));
    }
    document
}

/// What `opendlm show` prints: what `put` takes again. A consent is for one deployment, so it is left out; a policy without
/// options stands for itself, as Amazon DLM takes it.
#[must_use]
pub fn shown(document: &Document) -> Value {
    let mut document = with_accepted_counts(document, &BTreeMap::new());
    match (document.len(), document.remove("Policy")) {
        (1, Some(policy)) => policy,
        (_, policy) => {
            document.extend(policy.map(|policy| ("Policy".to_owned(), policy)));
            Value::Object(document)
        }
    }
}

/// The document with the policy's `State` set.
#[must_use]
pub fn with_state(document: &Document, state: &str) -> Document {
    let mut document = document.clone();
    if let Some(policy) = document.get_mut("Policy").and_then(Value::as_object_mut) {
        policy.insert("State".to_owned(), json!(state));
    }
    document
}

/// The revision of what is written now, where `deployed` stands: later than that, also when a clock is behind. To the second.
#[must_use]
pub fn next_revision(now: Timestamp, deployed: Option<Timestamp>) -> Timestamp {
    let now = crate::tags::to_the_second(now);
    let after = deployed.and_then(|deployed| deployed.checked_add(SignedDuration::from_secs(1)).ok());
    after.map_or(now, |after| now.max(after))
}
