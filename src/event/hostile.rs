//! Tables of hostile events: of any size and depth, with odd numbers, names and keys. None of them panics, hangs or
//! gets a long answer; the bytes go the way that they go in the function.

use super::*;
use crate::fixtures::snapshot;
use crate::policy::{PolicyId, ScheduleName, Targets};
use crate::tags::{self, Ownership};
use crate::world::Snapshot;

/// The greatest event that Lambda hands over.
const LAMBDA_LENGTH_MAX: usize = 6 * 1024 * 1024;

/// What leaves room for the sample in the longest text that is read.
const LONG: usize = json::TEXT_LENGTH_MAX - 10_000;

const SAMPLE: &str = include_str!("../../events/sample.json");

/// What the function says of these bytes; `None` when it takes them.
#[track_caller]
fn refusal(text: &[u8]) -> Option<String> {
    let reading = json::read(text);
    let refusal = match &reading.value {
        Some(value) => read(value, IdRule::Required).refusal(),
        None => reading.refusal(),
    };
    let is_hidden = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{2028}' | '\u{202e}' | '\u{200b}');
    if let Some(refusal) = &refusal {
        assert!(refusal.len() <= REFUSAL_LENGTH_MAX, "a refusal of {} bytes", refusal.len());
        assert!(!refusal.contains(is_hidden), "{refusal:?}");
    }
    refusal
}

/// The sample event with `replacement` for `part`, raw.
#[track_caller]
fn edited(part: &str, replacement: &str) -> String {
    assert!(SAMPLE.contains(part), "{part} is in the sample");
    SAMPLE.replacen(part, replacement, 1)
}

#[track_caller]
fn check_refused(text: &str, first_line: &str) {
    let refusal = refusal(text.as_bytes()).expect("the event is refused");
    assert_eq!(refusal.lines().next(), Some(first_line));
}

#[track_caller]
fn understood(text: &str) -> Event {
    assert_eq!(refusal(text.as_bytes()), None);
    read(&json::read(text.as_bytes()).value.unwrap(), IdRule::Required).value.unwrap()
}

#[test]
fn a_key_that_stands_twice_is_refused_by_its_path() {
    let said = "stands more than once, expected every key once: which one was meant is unknown";
    let count = format!("Policy.PolicyDetails.Schedules[0].RetainRule.Count: {said}");
    check_refused(&edited("\"Count\": 3", "\"Count\": 7, \"Count\": 1"), &count);
    check_refused(&edited("\"Count\": 3", "\"Count\": 3, \"Count\": 3"), &count);
    check_refused(&edited("\"Count\": 3", "\"Count\": 7, \"\\u0043ount\": 1"), &count);
    check_refused(&edited("\"Policy\":", "\"Policy\": null, \"Policy\":"), &format!("Policy: {said}"));
    check_refused(
        &edited("\"Value\": \"dlm\"", "\"a\\nb\": 1, \"a\\nb\": 2"),
        &format!("Policy.PolicyDetails.TargetTags[0].a\\nb: {said}"),
    );
    let twice = r#"{"a": 1, "b": {"c": 1, "c": 2, "c": 3}, "a": 2, "d": [1, {"e": 1, "e": 1}]}"#;
    let paths: Vec<String> = json::read(twice.as_bytes()).errors.into_iter().map(|finding| finding.path).collect();
    assert_eq!(paths, ["b.c", "a", "d[1].e"]);
}

#[test]
fn keys_that_stand_twice_are_told_up_to_a_number_and_a_length() {
    let pairs: Vec<String> = (0..1000).map(|n| format!("\"{n}\": 1, \"{n}\": 2")).collect();
    assert_eq!(json::read(format!("{{{}}}", pairs.join(", ")).as_bytes()).errors.len(), 20);
    let deep =
        format!("{}{{\"k\": 1, \"k\": 2}}{}", format!("{{\"{}\": ", "x".repeat(99)).repeat(100), "}".repeat(100));
    let errors = json::read(deep.as_bytes()).errors;
    assert_eq!(errors.len(), 1);
    assert!(errors[0].path.starts_with("...") && errors[0].path.ends_with(".k"), "{}", errors[0].path);
    assert!(errors[0].path.len() < 210, "{}", errors[0].path);
}

#[test]
fn strict_json_means_what_json_means() {
    for text in ["null", "[]", "{}", " [1, -1, -0, 0.5, 1e3, 18446744073709551615, 18446744073709551616] ", SAMPLE] {
        let lenient: Value = serde_json::from_str(text).unwrap();
        assert_eq!(json::read(text.as_bytes()).value, Some(lenient));
    }
}

#[test]
fn what_is_no_json_is_refused_at_its_place() {
    let said = |what: &str| format!("not JSON that can be read: {what}");
    for (text, what) in [
        ("{\"Policy\": ", "EOF while parsing a value at line 1 column 11"),
        ("{} {}", "trailing characters at line 1 column 4"),
        ("{\"Policy\": 1e400}", "number out of range at line 1 column 16"),
        ("{\"Policy\": NaN}", "expected value at line 1 column 12"),
        ("{\"a\": \"\\ud800\"}", "unexpected end of hex escape at line 1 column 14"),
        ("{\"a\": \"\\udc00\\ud800\"}", "lone leading surrogate in hex escape at line 1 column 13"),
        ("{\"a\": \"\n\"}", "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0"),
    ] {
        check_refused(text, &said(what));
    }
    for bytes in [&b"\xef\xbb\xbf{}"[..], b"\xff\xfe{\0}\0", b"\xfe\xff\0{\0}"] {
        let marked = "begins with a byte order mark, expected UTF-8 without one";
        assert_eq!(refusal(bytes).as_deref(), Some(marked));
    }
    for bytes in [&b"{\"a\": \"\xff\"}"[..], b"{\"a\": \"\xc0\x80\"}", b"{\"a\": \"\xed\xa0\x80\"}"] {
        assert_eq!(refusal(bytes), Some(said("invalid unicode code point at line 1 column 8")));
    }
}

#[test]
fn deep_nesting_ends_at_serde_jsons_own_limit() {
    let said = "not JSON that can be read: recursion limit exceeded at line 1 column";
    for (open, close, column) in [("[", "]", 128), ("{\"a\":", "}", 636)] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(json::read(nested(127).as_bytes()).value.is_some());
        check_refused(&nested(128), &format!("{said} {column}"));
        check_refused(&nested(LONG / 6), &format!("{said} {column}"));
    }
    let policy = format!("{{\"Policy\": {}1{}}}", "[".repeat(126), "]".repeat(126));
    check_refused(&policy, "Policy: expected an object but got a list of 1");
}

#[test]
fn six_megabytes_are_refused_unread() {
    let long = edited("Daily snapshots", &"x".repeat(LAMBDA_LENGTH_MAX));
    check_refused(&long, &format!("the event has {} bytes, expected at most 1048576", long.len()));
    let blanks = |length: usize| format!("{SAMPLE}{}", " ".repeat(length - SAMPLE.len()));
    understood(&blanks(json::TEXT_LENGTH_MAX));
    check_refused(&blanks(json::TEXT_LENGTH_MAX + 1), "the event has 1048577 bytes, expected at most 1048576");
}

#[test]
fn a_megabyte_of_anything_is_refused_in_few_words() {
    let many = |entry: &str| {
        let entries = vec![entry; LONG / (entry.len() + 1)].join(",");
        entries.replace("#", "x")
    };
    let keys = |value: &str| {
        let keys: Vec<String> = (0..LONG / 20).map(|n| format!("\"k{n:07}\":{value}")).collect();
        keys.join(",")
    };
    let long = "x".repeat(LONG);
    let schedule = r#"{"Name":"S","CreateRule":{"Interval":5},"RetainRule":{"Count":0}}"#;
    for (text, said) in [
        (edited("Daily snapshots", &long), "the event has 1039"),
        (edited("Default Schedule", &long), "schedule name of 1038576 characters"),
        (edited("policy-0123456789abcdef0", &long), "policy id of 1038576 characters"),
        (edited("auto-backup", &long), "expected at most 128 characters but got 1038576"),
        (edited("17:00", &long), "expected a time in UTC such as 03:00 but got \"xxx"),
        (edited("\"State\"", &format!("\"{long}\": 1, \"State\"")), "unknown key"),
        (edited("\"Interval\": 24", &format!("\"CronExpression\": \"cron({long})\"")), "expected 17 to 106"),
        (edited("\"Count\": 3", &format!("\"Count\": {}", "9".repeat(300))), "expected a whole number from"),
        (edited("\"RunNow\": true", &format!("\"RunNow\": \"{long}\"")), "expected true or false but got \"xxx"),
        (edited("\"Policy\"", &format!("{},\"Policy\"", keys("1"))), "k0000000: unknown key"),
        (edited("\"PolicyId\"", &format!("{},\"PolicyId\"", keys("1"))), "Policy.k0000000: unknown key"),
        (edited("\"State\"", &format!("\"Tags\": {{{}}}, \"State\"", keys("\"\""))), "expected at most 200 tags"),
        (edited("\"RunNow\": true", &format!("\"PreviousNames\": {{{}}}", keys("[]"))), "expected at most 50"),
        (edited("\"Schedules\": [", &format!("\"Schedules\": [{},", many(schedule))), "expected 1 to 4 but got"),
        (edited("\"TargetTags\": [", &format!("\"TargetTags\": [{},", many("{}"))), "expected 1 to 50 but got"),
        (edited("\"Options\"", &format!("\"ScheduledTime\": \"{long}\", \"Options\"")), "expected a time such as"),
        (edited("\"Options\"", &format!("\"Progress\": \"{long}\", \"Options\"")), "expected at most 262144"),
        (format!("[{}]", many("1")), "the event is no object"),
        (format!("\"{long}\""), "the event is no object"),
    ] {
        let refusal = refusal(text.as_bytes()).expect("the event is refused");
        assert!(refusal.contains(said), "{said} in {refusal}");
    }
}

#[test]
fn an_event_is_as_long_as_answers_can_repeat() {
    let with = |length: usize| edited("Daily snapshots", &"x".repeat(length));
    let document = Value::Object(understood(&with(0)).document);
    let room = EVENT_LENGTH_MAX - bounds::length(&document);
    understood(&with(room));
    let text = with(room + 20);
    let refusal = refusal(text.as_bytes()).unwrap();
    assert!(refusal.contains("expected at most 50000: every answer repeats it, as Next"), "{refusal}");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert!(read_document(&value["Policy"], IdRule::Required).value.is_some());
    let long: Value = serde_json::from_str(&with(EVENT_LENGTH_MAX)).unwrap();
    assert!(read_document(&long["Policy"], IdRule::Required).value.is_none());
}

#[test]
fn numbers_are_whole_and_in_range_or_refused_as_they_stand() {
    for (number, shown) in [
        ("-0", "-0.0"),
        ("-1", "-1"),
        ("0.5", "0.5"),
        ("1.0", "1.0"),
        ("3e0", "3.0"),
        ("1e-400", "0.0"),
        ("1e300", "1e+300"),
        ("1001", "1001"),
        ("4294967297", "4294967297"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "1.8446744073709552e+19"),
        ("true", "true"),
        ("\"3\"", "\"3\": take the quotes away"),
    ] {
        check_refused(
            &edited("\"Count\": 3", &format!("\"Count\": {number}")),
            &format!(
                "Policy.PolicyDetails.Schedules[0].RetainRule.Count: expected a whole number from 1 to 1000 but got \
                 {shown}"
            ),
        );
    }
    check_refused(
        &edited("\"RunNow\": true", "\"MinimumKept\": 1.0"),
        "Options.MinimumKept: expected a whole number from 0 to 1000 but got 1.0",
    );
}

/// Characters that mean something to a filter, a terminal, a log or a reader, and how a message shows them.
const ODD: [(&str, &str); 13] = [
    ("*", "'*'"),
    ("?", "'?'"),
    ("\\\\", "'\\\\'"),
    ("\\n", "'\\n'"),
    ("\\\"", "'\"'"),
    ("'", "'\\''"),
    ("\\u0000", "'\\0'"),
    ("\\u001b", "'\\u{1b}'"),
    ("\\u2028", "'\\u{2028}'"),
    ("\u{202e}", "'\\u{202e}'"),
    ("\u{301}", "'\\u{301}'"),
    ("\\ud83e\\udd80", "'🦀'"),
    ("Ａ", "'Ａ'"),
];

#[test]
fn odd_characters_are_refused_in_ids_and_names() {
    for (odd, shown) in ODD {
        check_refused(
            &edited("policy-0123456789abcdef0", &format!("policy-{odd}1")),
            &format!(
                "Policy.PolicyId: policy id holds {shown}, expected only letters, digits, '.', '_' and '-' as in \
                 policy-0123456789abcdef0"
            ),
        );
        check_refused(
            &edited("Default Schedule", &format!("Default {odd}")),
            &format!(
                "Policy.PolicyDetails.Schedules[0].Name: schedule name holds {shown}, expected only letters, digits, \
                 ' ', '_' and '-'"
            ),
        );
        let refusal = refusal(edited("\"State\"", &format!("\"{odd}\": 1, \"State\"")).as_bytes()).unwrap();
        assert!(refusal.starts_with("Policy.") && refusal.contains(": unknown key, "), "{refusal}");
    }
}

#[test]
fn odd_characters_of_tags_are_taken_as_they_are() {
    for (odd, _) in ODD.into_iter().filter(|(odd, _)| *odd != "\\\\") {
        let event = understood(&edited("auto-backup", &format!("a{odd}b")).replace("\"dlm\"", &format!("\"{odd}\"")));
        let text: String = serde_json::from_str(&format!("\"{odd}\"")).unwrap();
        let Targets::Volumes { any_of } = &event.policy.targets else { unreachable!("the sample targets volumes") };
        assert_eq!((any_of[0].key.as_str(), any_of[0].value.as_str()), (format!("a{text}b").as_str(), text.as_str()));
        let next = event.next(&event.progress_at("2026-11-22T17:00:00Z".parse().unwrap()).unwrap());
        assert_eq!(understood(&next.to_string()).policy, event.policy);
    }
}

#[test]
fn lengths_are_counted_in_characters() {
    let crabs = |count: usize| "🦀".repeat(count);
    understood(&edited("auto-backup", &crabs(128)));
    understood(&edited("\"dlm\"", &format!("\"{}\"", crabs(256))));
    let path = "Policy.PolicyDetails.TargetTags[0]";
    check_refused(
        &edited("auto-backup", &crabs(129)),
        &format!("{path}.Key: expected at most 128 characters but got 129"),
    );
    check_refused(
        &edited("\"dlm\"", &format!("\"{}\"", crabs(257))),
        &format!("{path}.Value: expected at most 256 characters but got 257"),
    );
    understood(&edited("Default Schedule", &"x".repeat(120)));
    check_refused(
        &edited("Default Schedule", &"x".repeat(121)),
        "Policy.PolicyDetails.Schedules[0].Name: schedule name of 121 characters, expected 1 to 120",
    );
    understood(&edited("policy-0123456789abcdef0", &"x".repeat(64)));
}

#[test]
fn tags_of_others_can_be_targeted_but_not_added() {
    for (key, owner) in
        [("aws:x", "AWS"), ("AWS:x", "AWS"), ("opendlm:hold", "opendlm itself"), ("dlm:managed", "Amazon DLM")]
    {
        understood(&edited("auto-backup", key));
        let refusal = refusal(edited("ss-lifecycle", key).as_bytes()).unwrap();
        assert!(refusal.contains(&format!("which is reserved for {owner}, expected another key")), "{refusal}");
    }
}

#[test]
fn a_policy_does_not_own_what_one_of_a_longer_id_made() {
    let id = |text: &str| PolicyId::parse(text).unwrap();
    let schedule = ScheduleName::parse("Default Schedule").unwrap();
    let ids = ["policy-1", "policy-12", "policy-1.", "policy-1-", "olicy-1", "POLICY-1"];
    for ours in ids {
        for tagged in ids {
            for described in ids {
                let mut snapshot = snapshot(1, 1, "2026-11-22T17:00:00Z");
                snapshot.marks.policy_id = Some(tagged.into());
                snapshot.description = tags::description(&id(described), &schedule).into();
                let expected = match (tagged == ours, described == ours) {
                    (true, true) => Ownership::Ours,
                    (true, false) => Ownership::OtherDescription,
                    (false, _) => Ownership::OtherPolicy,
                };
                assert_eq!(tags::ownership(&id(ours), &snapshot), expected, "{ours}: {tagged}, {described}");
            }
        }
    }
}

#[test]
fn tags_of_snapshots_are_read_whatever_they_hold() {
    let long = "🦀".repeat(256);
    for value in ["", " ", "*", "\0", "\n", "\u{202e}", "-0", "1e400", "{", &long, "until=", "until=9999-12-31"] {
        let keys = [tags::SCHEDULE_NAME, tags::SCHEDULED_TIME, tags::EXPIRATION_TIME, tags::INSTANCE_ID];
        let marks = tags::Marks::read(keys.into_iter().chain([tags::HOLD, tags::POLICY_ID]).map(|key| (key, value)));
        assert_eq!(marks.scheduled_time, tags::Mark::Unreadable(value.to_owned()));
        assert_eq!(marks.expiration_time, tags::Mark::Unreadable(value.to_owned()));
        assert_eq!(marks.instance_id, tags::Mark::Unreadable(value.to_owned()));
        assert_eq!((marks.hold, marks.policy_id.as_deref()), (Some(tags::Hold::Forever), Some(value)));
        assert_eq!(
            tags::ownership(
                &PolicyId::unassigned(),
                &Snapshot { marks: marks.into(), ..snapshot(1, 1, "2026-11-22T17:00:00Z") }
            ),
            Ownership::OtherPolicy
        );
    }
}

#[test]
fn a_state_that_no_answer_said_is_refused() {
    let state = |turns: &str, more: &str| {
        format!(
            r#""Progress": {{"Start": "2026-11-22T17:00:00Z", "StartFromClock": true, "Begun": "2026-11-22T17:00:00Z",
            "Turns": {turns}, "Waits": 0, "Created": 0, "Deleted": 0{more}}}, "Options""#
        )
    };
    let with = |turns: &str, more: &str| edited("\"Options\"", &state(turns, more));
    understood(&with("2500", ""));
    let said = "Progress: not what an earlier answer said, expected it unchanged";
    check_refused(&with("1000000001", ""), &format!("{said}: counts to 1000000001, expected at most 1000000000"));
    check_refused(
        &with("1", r#", "Brake": {"Planned": 18446744073709551615, "Allowed": 1}"#),
        &format!("{said}: counts to 18446744073709551615, expected at most 1000000000"),
    );
    let hostile = refusal(with("1", &format!(r#", "\u202e{}": 1"#, "x\\n".repeat(1000))).as_bytes()).unwrap();
    assert!(hostile.starts_with(&format!("{said}: unknown field `\\u{{202e}}x\\nx\\n")), "{hostile}");
    assert!(hostile.len() < 1000, "{hostile}");
}

#[test]
fn a_state_from_the_future_is_refused() {
    let mut event = understood(SAMPLE);
    let now: Timestamp = "2026-11-22T17:00:00Z".parse().unwrap();
    let later = now + SignedDuration::from_hours(1);
    let progress = event.progress_at(now).unwrap();
    for (path, changed) in [
        ("Progress.Start", Progress { start: later, ..progress.clone() }),
        ("Progress.Begun", Progress { begun: later, ..progress }),
    ] {
        event.progress = Some(changed);
        assert_eq!(event.progress_at(now).unwrap_err().path, path);
        assert!(event.progress_at(later).is_ok());
    }
}
