//! How large an event may be, and the numbers in it: what it says is repeated in every answer and counted on.

use super::keys::Keys;
use crate::policy::decode::shown;
use crate::tags::written;
use crate::turn::Progress;
use jiff::Timestamp;
use serde::{Deserialize as _, Serialize};
use serde_json::{Map, Value};
use std::io;

/// How many bytes an event has at most, without blanks and without `Progress`. Every answer repeats it, and stays under
/// 200 KB: less 79 KB for `Progress`, 55 KB for what the report lists and 10 KB for its warnings, 56 KB are left. The
/// longest policy that anybody published has 3 KB.
pub const EVENT_LENGTH_MAX: usize = 50_000;

/// How many bytes `Progress` has at most: no more than Step Functions hands from state to state, so that nothing longer
/// was ever part of an answer. The lists in it have bounds of their own when they are written.
pub(super) const PROGRESS_LENGTH_MAX: usize = 262_144;

/// The greatest number in `Progress`: beyond every count of turns, calls and snapshots, and far from where adding to one
/// would leave its type.
const COUNTER_MAX: u64 = 1_000_000_000;

/// How much is told of what is wrong with `Progress`: `serde` quotes unknown keys whole.
pub(super) const PROGRESS_QUOTE_LENGTH_MAX: usize = 300;

/// The event as `Next` repeats it, or nothing where it is too long for that. A list of targets is not repeated, it is
/// answered with the targets themselves.
pub(super) fn document(
    keys: &mut Keys<'_>,
    object: &Map<String, Value>,
    scheduled_time: Option<Timestamp>,
) -> Map<String, Value> {
    let fields = || object.iter().filter(|(key, _)| *key != "Progress" && *key != "TargetsList");
    if let Some(message) = too_long(fields().map(|(key, value)| length(key).saturating_add(length(value))).sum()) {
        keys.error_in_all(message);
        return Map::new();
    }
    let mut document: Map<String, Value> = fields().map(|(key, value)| (key.clone(), value.clone())).collect();
    if let Some(scheduled_time) = scheduled_time {
        document.insert("ScheduledTime".to_owned(), Value::String(written(scheduled_time)));
    }
    document
}

/// What to say of an event of so many bytes, if it is too long.
pub(super) fn too_long(length: usize) -> Option<String> {
    (length > EVENT_LENGTH_MAX).then(|| {
        format!("the event has {length} bytes, expected at most {EVENT_LENGTH_MAX}: every answer repeats it, as Next")
    })
}

/// How many bytes `value` has as JSON without blanks.
pub(crate) fn length(value: &impl Serialize) -> usize {
    let mut count = Count(0);
    // Nothing fails: a count takes every byte, and what was read from JSON is JSON.
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}

struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Which form of `Progress` is the newest that is understood. A run that is under way at an update goes on with the form of before;
/// opendlm 0.1 wrote no version, which is the first; the third has copies in other Regions, of which opendlm 0.2 knows nothing.
const VERSION: u64 = 3;
const WITHOUT_COPIES: u64 = 2;
const VERSION_KEY: &str = "Version";

/// `Progress` as the next event holds it.
pub(super) fn progress_written(progress: &Progress) -> Value {
    let mut value = serde_json::to_value(progress).expect("counters and texts are JSON");
    if let Value::Object(fields) = &mut value {
        let version = if progress.copies.is_unused() { WITHOUT_COPIES } else { VERSION };
        fields.insert(VERSION_KEY.to_owned(), version.into());
    }
    value
}

/// The state of the run, if this is the `Next` of an earlier answer.
pub(super) fn progress(keys: &mut Keys<'_>) -> Option<Progress> {
    let value = keys.any("Progress")?;
    match read_progress(value) {
        Ok(progress) => Some(progress),
        Err(problem) => {
            keys.error("Progress", format!("not what an earlier answer said, expected it unchanged: {problem}"));
            None
        }
    }
}

fn read_progress(value: &Value) -> Result<Progress, String> {
    let length = length(value);
    if length > PROGRESS_LENGTH_MAX {
        return Err(format!("has {length} bytes, expected at most {PROGRESS_LENGTH_MAX}"));
    }
    let mut value = value.clone();
    if let Some(version) =
        take_version(&mut value).filter(|version| version.as_u64().is_none_or(|known| known > VERSION))
    {
        let version = shown(&version.to_string(), PROGRESS_QUOTE_LENGTH_MAX);
        return Err(format!(
            "has the version {version}, and this opendlm understands {VERSION}: a newer one began the run, let that one end it"
        ));
    }
    let progress = Progress::deserialize(without_obsolete(&value))
        .map_err(|error| shown(&error.to_string(), PROGRESS_QUOTE_LENGTH_MAX))?;
    // Its shape is known now, and so is that its depth is small.
    match excessive_number(&value) {
        Some(number) => Err(format!("counts to {number}, expected at most {COUNTER_MAX}")),
        None => Ok(progress),
    }
}

fn take_version(value: &mut Value) -> Option<Value> {
    value.as_object_mut()?.remove(VERSION_KEY)
}

/// Keys of `Progress` that opendlm 0.1 wrote and nobody reads any more: a run that is under way at an update goes on.
const OBSOLETE: [&str; 3] = ["OneByOne", "Scope", "Shown"];

fn without_obsolete(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(fields) = &mut value {
        fields.retain(|key, _| !OBSOLETE.contains(&key.as_str()));
    }
    value
}

/// A number that no run counts to. All numbers of `Progress` are counters.
fn excessive_number(value: &Value) -> Option<u64> {
    match value {
        Value::Array(list) => list.iter().find_map(excessive_number),
        Value::Number(number) => number.as_u64().filter(|number| *number > COUNTER_MAX),
        Value::Object(map) => map.values().find_map(excessive_number),
        Value::Bool(_) | Value::Null | Value::String(_) => None,
    }
}
