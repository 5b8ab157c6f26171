//! `ScheduledTime`: when the run was meant to start.

use super::keys::Keys;
use crate::policy::decode::Finding;
use jiff::Timestamp;
use serde_json::Value;

/// What EventBridge Scheduler replaces by the scheduled time, and nobody else does.
const PLACEHOLDER: &str = "<aws.scheduler.scheduled-time>";

const PATH: &str = "ScheduledTime";

/// The scheduled time that an input names. A placeholder that nobody replaced counts as absent, with a warning.
///
/// It was refused once, but it comes again with every start, so that there would never be a backup.
pub(super) fn scheduled_time(keys: &mut Keys<'_>, prefix: &str, warnings: &mut Vec<Finding>) -> Option<Timestamp> {
    if !keys.any(PATH).and_then(Value::as_str).is_some_and(is_placeholder) {
        return keys.instant(PATH);
    }
    let message = format!(
        "{PLACEHOLDER} was not replaced, so the run starts when its first turn does, as without ScheduledTime; write it \
         into a schedule of EventBridge Scheduler with the characters < and > (jsonencode of Terraform writes \
         \\u003c and \\u003e), or leave it out"
    );
    warnings.push(Finding { path: format!("{prefix}{PATH}"), message });
    None
}

/// Whether a text is the placeholder, also where its brackets were escaped twice.
fn is_placeholder(text: &str) -> bool {
    let unescaped = |text: &str| text.to_ascii_lowercase().replace("\\u003c", "<").replace("\\u003e", ">");
    text.len() <= LENGTH_MAX && unescaped(text) == PLACEHOLDER
}

/// The placeholder with both brackets escaped.
const LENGTH_MAX: usize = PLACEHOLDER.len() + 2 * 5;

#[cfg(test)]
mod tests {
    use crate::event::{Event, read};
    use crate::policy::decode::IdRule;
    use serde_json::{Value, json};

    /// The event that a value means, whose only warnings begin as `warned` says.
    #[track_caller]
    fn check(value: &Value, warned: &[&str]) -> Event {
        let reading = read(value, IdRule::Required);
        assert_eq!(reading.refusal(), None);
        let found = reading.warned();
        assert_eq!(found.len(), warned.len(), "{found:?}");
        for (found, expected) in found.iter().zip(warned) {
            assert!(found.starts_with(expected), "{found}");
        }
        reading.value.unwrap()
    }

    const WARNING: &str =
        "ScheduledTime: <aws.scheduler.scheduled-time> was not replaced, so the run starts when its first turn does";

    fn with(scheduled_time: &str) -> Value {
        json!({ "Policy": crate::event::tests::policy(), "ScheduledTime": scheduled_time })
    }

    #[test]
    fn a_placeholder_that_nobody_replaced_leaves_the_start_to_the_clock_of_the_first_turn() {
        let now = "2026-11-22T17:00:09Z".parse().unwrap();
        for text in [
            "<aws.scheduler.scheduled-time>",
            // What jsonencode made of it, escaped once more on its way.
            "\\u003caws.scheduler.scheduled-time\\u003e",
            "\\u003Caws.scheduler.scheduled-time\\u003E",
        ] {
            let event = check(&with(text), &[WARNING]);
            let progress = event.progress_at(now).unwrap();
            assert_eq!((event.scheduled_time, progress.start, progress.start_from_clock), (None, now, true));
        }
        // Scheduler looks for the brackets themselves: Terraform's text arrives as it left, and is the placeholder as JSON.
        let text = r#"{"ScheduledTime": "\u003caws.scheduler.scheduled-time\u003e"}"#;
        assert_eq!(serde_json::from_str::<Value>(text).unwrap()["ScheduledTime"], super::PLACEHOLDER);
    }

    #[test]
    fn the_turns_after_it_keep_the_start_and_warn_again() {
        let now = "2026-11-22T17:00:09Z".parse().unwrap();
        let event = check(&with(super::PLACEHOLDER), &[WARNING]);
        let progress = event.progress_at(now).unwrap();
        let next = check(&event.next(&progress), &[WARNING]);
        assert_eq!(next.progress_at("2026-11-22T19:00:00Z".parse().unwrap()).unwrap(), progress);
    }

    #[test]
    fn an_envelope_around_it_still_names_its_time() {
        let envelope = json!({ "time": "2026-11-22T17:00:00Z", "detail": with(super::PLACEHOLDER) });
        let event = check(&envelope, &[&format!("detail.{WARNING}")]);
        assert_eq!(event.scheduled_time, Some("2026-11-22T17:00:00Z".parse().unwrap()));
    }

    #[test]
    fn another_placeholder_or_anything_else_is_refused() {
        for text in
            ["<aws.scheduler.execution-id>", "aws.scheduler.scheduled-time", "<aws.scheduler.scheduled-time> ", ""]
        {
            let refusal = read(&with(text), IdRule::Required).refusal().unwrap();
            assert!(refusal.starts_with("ScheduledTime: expected a time such as 2026-11-22T17:00:00Z"), "{refusal}");
        }
    }
}
