//! What starts a turn: an event in one of the shapes of the contract, read strictly.
//!
//! - `{"Policy": {...}, "ScheduledTime"?, "Options"?, "Event"?}`: the constant input of a rule or of a Scheduler target.
//!   What `aws dlm get-lifecycle-policy` prints is one.
//! - an EventBridge envelope whose `detail` is the above; its `time` is the scheduled time where `ScheduledTime` is absent.
//! - the `Next` of an earlier answer: the first shape with `Progress` added.
//! - the `Next` of an answer that asks for a list of targets, with the list's text added as `TargetsList`.
//! - `{"Split": {...}, "Targets": [...], "Reports": [...]}`: what came of the targets of a run that was split, to be summed.
//! - `{"Failed": {"Error", "Cause"}, "Event": ...}`: a run that could not go on, to be put into words.
//!
//! Bad input is refused before the first write, with all its problems at once.

mod bounds;
mod failed;
#[cfg(test)]
mod hostile;
pub mod json;
mod keys;
mod list;
mod not_json;
mod options;
mod other_tools;
mod reading;
mod reports;
mod start;
mod targets;
#[cfg(test)]
mod tests;

use crate::options::{Options, Start, StartOrigin};
use crate::place::OneOf;
use crate::policy::decode::{self, Finding, IdRule, Reading};
use crate::policy::{CreateRule, Policy, PolicyId, StartTime, StartTimeOrigin};
use crate::tags::{to_the_second, written};
use crate::turn::Progress;
pub use bounds::EVENT_LENGTH_MAX;
pub(crate) use bounds::length as json_length;
pub use failed::{is_of_failure, read_failure};
use jiff::{SignedDuration, Timestamp};
use keys::Keys;
pub use reading::{REFUSAL_LENGTH_MAX, WARNINGS_LENGTH_MAX};
pub use reports::{is_of_reports, read_reports};
use serde_json::{Map, Value, json};

/// An event that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The policy to carry out.
    pub policy: Policy,
    /// What opendlm offers beyond it.
    pub options: Options,
    /// The start that the event names, to the second.
    pub scheduled_time: Option<Timestamp>,
    /// The state of the run, when this is the `Next` of an earlier answer.
    pub progress: Option<Progress>,
    /// The event in its first shape, without `Progress`: what `Next` repeats.
    document: Map<String, Value>,
}

/// By how much a start may lie ahead of the clock. A backup that is made ahead of its time would answer for one that
/// is due later, so an event from the future is refused; AWS's clocks are never fifteen minutes off.
pub const START_AHEAD_MAX: SignedDuration = SignedDuration::from_mins(15);

const SHAPES: &str =
    "an object with Policy, an EventBridge event with such an object as its detail, or the Next of an earlier answer";

impl Event {
    /// The start of the run, and its state, at the turn whose clock shows `now`.
    ///
    /// # Errors
    /// When the event's start lies in the future.
    pub fn progress_at(&self, now: Timestamp) -> Result<Progress, Finding> {
        if let Some(progress) = &self.progress {
            check_is_past("Progress.Start", progress.start, now)?;
            check_is_past("Progress.Begun", progress.begun, now)?;
            return Ok(progress.taken_up_at(now));
        }
        let start = match self.scheduled_time {
            Some(at) => Start { at, origin: StartOrigin::Event, begun: now, came_back: false },
            None => Start { at: to_the_second(now), origin: StartOrigin::Clock, begun: now, came_back: false },
        };
        check_is_past("ScheduledTime", start.at, now)?;
        Ok(Progress::new(&start))
    }

    /// The event of the next turn.
    #[must_use]
    pub fn next(&self, progress: &Progress) -> Value {
        let mut next = self.document.clone();
        next.insert("Progress".to_owned(), bounds::progress_written(&progress.in_next()));
        Value::Object(next)
    }

    /// Where the list of the targets is, as the answer names it that asks for it.
    #[must_use]
    pub fn targets_from(&self) -> Value {
        self.options.targets_from.as_ref().map_or(Value::Null, list::written)
    }

    /// The event of a run that is split: what all targets share, and for each target what its own `Options` hold more.
    ///
    /// Apart from each other, because what all share may have [`EVENT_LENGTH_MAX`] bytes, and forty times that fits into no
    /// state of Step Functions. The start is in it, so that every target has the same.
    #[must_use]
    pub fn split(&self, progress: &Progress) -> (Value, Vec<Value>) {
        let mut common = self.next(progress);
        common.as_object_mut().into_iter().for_each(list::forget);
        let of = u32::try_from(self.options.targets.len()).expect("reading has bounded their number");
        let targets = (0..of).zip(&self.options.targets);
        let written = |(number, place)| json!({ "Target": targets::written(place, OneOf { number, of }) });
        (common, targets.map(written).collect())
    }
}

/// Refuses a time that lies further ahead than clocks are apart.
fn check_is_past(path: &str, time: Timestamp, now: Timestamp) -> Result<(), Finding> {
    if time.duration_since(now) <= START_AHEAD_MAX {
        return Ok(());
    }
    let message = format!("{} lies in the future, expected a time at or before now, {}", written(time), written(now));
    Err(Finding { path: path.to_owned(), message })
}

/// Reads an event.
#[must_use]
pub fn read(value: &Value, id: IdRule) -> Reading<Event> {
    if let Some(sentence) = other_tools::sentence(value) {
        return refused("", sentence);
    }
    match value {
        Value::Object(object) if object.contains_key("detail") || object.contains_key("detail-type") => {
            read_envelope(object, id)
        }
        Value::Object(object) => read_input(object, "", None, id),
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {
            refused("", format!("the event is no object, expected {SHAPES}"))
        }
    }
}

/// Reads what the command line takes: an event, or a bare policy as `create-lifecycle-policy` takes it.
#[must_use]
pub fn read_document(value: &Value, id: IdRule) -> Reading<Event> {
    if !is_bare_policy(value) {
        return read(value, id);
    }
    if let Some(message) = other_tools::sentence(value).or_else(|| bounds::too_long(bounds::length(value))) {
        return refused("", message);
    }
    let document = Map::from_iter([("Policy".to_owned(), value.clone())]);
    let policy = decode::policy(value, "", id);
    policy.map(|policy| Event { policy, options: Options::default(), scheduled_time: None, progress: None, document })
}

/// The document as an event: a bare policy gets one around it.
#[must_use]
pub fn with_bare_policy_wrapped(value: Value) -> Value {
    if is_bare_policy(&value) { Value::Object(Map::from_iter([("Policy".to_owned(), value)])) } else { value }
}

/// Whether a document is a policy without an event around it.
fn is_bare_policy(value: &Value) -> bool {
    const OF_EVENTS: [&str; 6] = ["Policy", "detail", "detail-type", "Options", "Revision", "ScheduledTime"];
    // Whoever writes `policy` means the event's key, and hears how that is spelled.
    let is_of_event = |key: &String| OF_EVENTS.iter().any(|known| known.eq_ignore_ascii_case(key));
    value.as_object().is_some_and(|object| !object.keys().any(is_of_event))
}

fn read_envelope(object: &Map<String, Value>, id: IdRule) -> Reading<Event> {
    let mut keys = Keys::new(object, "");
    let time = keys.instant("time");
    for key in
        ["version", "id", "detail-type", "source", "account", "region", "resources", "replay-name", "ingestion-time"]
    {
        keys.ignore(key);
    }
    let detail = keys.object("detail");
    if detail.is_none() && !keys.has_errors() {
        keys.error("detail", format!("missing, expected the event: {SHAPES}"));
    }
    let findings = keys.finish();
    match detail {
        Some(detail) => read_input(detail, "detail.", time, id).with_errors(findings),
        None => Reading::refused(findings),
    }
}

/// Reads the first shape. `time` is that of the envelope around it.
fn read_input(object: &Map<String, Value>, prefix: &str, time: Option<Timestamp>, id: IdRule) -> Reading<Event> {
    let mut keys = Keys::new(object, prefix);
    let policy_value = keys.any("Policy");
    if let Some(sentence) = policy_value.and_then(other_tools::sentence) {
        return refused(&format!("{prefix}Policy"), sentence);
    }
    let mut warnings = Vec::new();
    let scheduled_time = start::scheduled_time(&mut keys, prefix, &mut warnings).or(time).map(to_the_second);
    let progress = bounds::progress(&mut keys);
    if keys.any("Event").is_some() {
        keys.not_supported("Event");
    }
    let revision = keys.instant("Revision").map(to_the_second);
    let options = keys.object("Options");
    let targets_list = keys.any("TargetsList");
    let document = bounds::document(&mut keys, object, scheduled_time);
    let mut not_supported = keys.take_not_supported();
    let mut errors = match policy_value {
        Some(_) => keys.finish(),
        // The key is there, spelled otherwise, and is told as unknown.
        None if object.keys().any(|key| key != "Policy" && key.eq_ignore_ascii_case("Policy")) => keys.finish(),
        None if prefix.is_empty() => {
            keys.error("Policy", format!("missing, expected {SHAPES}"));
            keys.finish()
        }
        None => {
            keys.error("Policy", "missing, expected the policy as aws dlm get-lifecycle-policy prints it".to_owned());
            keys.finish()
        }
    };
    let Some(policy_value) = policy_value else {
        return Reading { value: None, errors, not_supported, warnings };
    };
    let policy = decode::policy(policy_value, &format!("{prefix}Policy"), id);
    let options = options::read(options, &format!("{prefix}Options"), policy.value.as_ref());
    errors.extend(options.errors);
    not_supported.extend(options.not_supported);
    warnings.extend(options.warnings);
    let mut options = options.value.unwrap_or_default();
    options.revision = revision;
    match (targets_list, &options.targets_from) {
        (Some(list), Some(_)) => options.targets = list::read(list, &mut errors),
        (Some(_), None) => errors.push(list::unasked(prefix)),
        (None, _) => {}
    }
    policy
        .map(|policy| Event {
            policy: with_derived_times(policy, &options),
            options,
            scheduled_time,
            progress,
            document,
        })
        .with_errors(errors)
        .with_not_supported(not_supported)
        .with_warnings(warnings)
}

/// A schedule without `Times` that was renamed keeps the time that was derived from its first name: the oldest of its previous
/// ones, which `PreviousNames` names first.
fn with_derived_times(mut policy: Policy, options: &Options) -> Policy {
    for schedule in &mut policy.schedules {
        let first = options.previous_names.get(&schedule.name).and_then(|names| names.first());
        if let (CreateRule::Interval { at, .. }, Some(first)) = (&mut schedule.create, first)
            && at.origin == StartTimeOrigin::Derived
        {
            *at = StartTime::derived(&policy.id, first);
        }
    }
    policy
}

fn refused<T>(path: &str, message: String) -> Reading<T> {
    Reading::refused(vec![Finding { path: path.to_owned(), message }])
}
