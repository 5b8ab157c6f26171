//! Writing a policy id into the text of a file, so that the rest of the file stays as its author wrote it.

use super::document;
use crate::event::json;
use crate::policy::PolicyId;
use serde_json::Value;

/// The text with `PolicyId` as the first key of its policy; `None` where no such place is found.
#[must_use]
pub fn with_policy_id(text: &str, id: &PolicyId) -> Option<String> {
    let value = json::read(text.as_bytes()).value?;
    let is_event = value.get("Policy").is_some_and(Value::is_object);
    let brace = if is_event { object_at(text, "Policy")? } else { text.find('{')? };
    let (before, after) = text.split_at(brace + 1);
    // The blanks that the next key has, so that it stands in the same column.
    let blanks = &after[..after.len() - after.trim_start().len()];
    let comma = if after.trim_start().starts_with('}') { "" } else { "," };
    let written = format!("{before}{blanks}\"PolicyId\": \"{id}\"{comma}{after}");
    // Held by reading it again: nothing but the id has changed.
    let again = json::read(written.as_bytes()).value?;
    (document::id_in(&again).as_ref() == Some(id) && without_id(again) == without_id(value)).then_some(written)
}

/// The position of the `{` of the value of `key` in the outermost object.
fn object_at(text: &str, key: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut is_escaped, mut string_start) = (0, false, false, 0);
    let mut last_string = "";
    for (at, byte) in text.bytes().enumerate() {
        match (in_string, byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (true, b'"') => {
                in_string = false;
                last_string = &text[string_start..at];
            }
            (true, _) => {}
            (false, b'"') => (in_string, string_start) = (true, at + 1),
            (false, b'{') if depth == 1 && last_string == key => return Some(at),
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth -= 1,
            (false, _) => {}
        }
    }
    None
}

fn without_id(mut value: Value) -> Value {
    let policy =
        if value.get("Policy").is_some_and(Value::is_object) { value.get_mut("Policy") } else { Some(&mut value) };
    if let Some(policy) = policy.and_then(Value::as_object_mut) {
        policy.remove("PolicyId");
    }
    value
}
