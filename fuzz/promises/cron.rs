//! What the reader of cron expressions promises, whatever the text.

use jiff::{SignedDuration, Timestamp};
use opendlm::schedule::cron::CronExpression;

/// The longest refusal: the longest expression that is looked at has 106 characters, and a refusal quotes it once.
const REFUSAL_LENGTH_MAX: usize = 1000;

/// How many times are walked forwards and back again.
const STEPS: usize = 20;

/// DLM's limits on what lies between two times: an hour, and a year (of 53 weeks at most).
const GAP_MIN: SignedDuration = SignedDuration::from_hours(1);
const GAP_MAX: SignedDuration = SignedDuration::from_hours(371 * 24);

/// Reads `data` as an expression, and as the six fields of one.
///
/// # Panics
/// When a promise is broken.
pub(super) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    check_text(text);
    check_text(&format!("cron({text})"));
}

fn check_text(text: &str) {
    match CronExpression::parse(text) {
        Ok(expression) => check_expression(&expression, text),
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() <= REFUSAL_LENGTH_MAX, "a refusal of {} bytes", message.len());
            assert!(!message.chars().any(char::is_control), "a control character in {message:?}");
        }
    }
}

fn check_expression(expression: &CronExpression, text: &str) {
    assert_eq!(expression.as_str(), text);
    assert_eq!(CronExpression::parse(text).as_ref(), Ok(expression), "reading twice");
    let instants = ["1970-01-01T00:00:00Z", "2026-11-22T17:00:00.5Z", "2099-12-31T23:59:59.999999999Z"];
    let instants = instants.into_iter().map(|text| text.parse().expect("an instant"));
    let ends = [Timestamp::MIN, Timestamp::MAX];
    let (first, last) = (expression.next_after(Timestamp::MIN), expression.latest_at_or_before(Timestamp::MAX));
    assert!(first.is_some() && first <= last, "an expression that is accepted fires: {first:?} {last:?}");
    for t in instants.chain(ends).chain(first).chain(last) {
        check_instant(expression, t);
    }
    check_walk(expression, first.expect("it fires"), last.expect("it fires"));
}

/// `latest <= t < next`, and no time lies between the two.
fn check_instant(expression: &CronExpression, t: Timestamp) {
    let (latest, next) = (expression.latest_at_or_before(t), expression.next_after(t));
    assert!(latest.is_none_or(|latest| latest <= t), "latest {latest:?} at or before {t}");
    assert!(next.is_none_or(|next| next > t), "next {next:?} after {t}");
    if let Some(latest) = latest {
        assert_eq!(expression.next_after(latest), next, "after the latest at or before {t}");
        assert_eq!(expression.latest_at_or_before(latest), Some(latest));
    }
    if let Some(next) = next {
        let just_before = next - SignedDuration::from_nanos(1);
        assert_eq!(expression.latest_at_or_before(just_before), latest, "just before the next after {t}");
        assert_eq!(expression.next_after(just_before), Some(next));
    }
    if let (Some(latest), Some(next)) = (latest, next) {
        let gap = next.duration_since(latest);
        assert!(gap >= GAP_MIN && gap <= GAP_MAX, "from {latest} to {next}");
    }
}

/// Forwards from the first time, backwards from the last one: each step is undone by its opposite.
fn check_walk(expression: &CronExpression, first: Timestamp, last: Timestamp) {
    let (mut earlier, mut later) = (first, last);
    for _ in 0..STEPS {
        if let Some(next) = expression.next_after(earlier) {
            let just_before = next - SignedDuration::from_nanos(1);
            assert_eq!(expression.latest_at_or_before(just_before), Some(earlier));
            earlier = next;
        }
        if let Some(latest) = expression.latest_at_or_before(later - SignedDuration::from_nanos(1)) {
            assert_eq!(expression.next_after(latest), Some(later));
            later = latest;
        }
    }
}
