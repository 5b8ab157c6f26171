//! Hostile documents: nothing panics, nothing grows without bound, and the order of keys does not matter.

use super::*;
use crate::policy::decode::notes::FINDINGS_MAX;
use proptest::prelude::*;

#[test]
fn only_so_many_findings_are_listed_and_the_others_counted() {
    let mut document = volumes();
    for n in 0..100_000 {
        document[format!("Key{n}")] = json!(n);
    }
    let reading = read(&document);
    assert_eq!(reading.errors.len(), FINDINGS_MAX + 1);
    assert_eq!(reading.errors[FINDINGS_MAX].message, "99900 more of the same kind, expected at most 100 to list");
}

#[test]
fn a_long_list_is_one_finding_and_little_work() {
    let tags = json!({"TargetTags": vec![json!({"Key": "a", "Value": "b"}); 100_000]});
    check(volumes(), DETAILS, tags, &[error("TargetTags", "expected 1 to 50 but got 100000 entries")]);
    let schedules = json!({"Schedules": vec![json!(null); 100_000]});
    let reading = read(&edited(volumes(), DETAILS, &schedules));
    assert_eq!(reading.errors.len(), 5);
}

#[test]
fn long_texts_are_cut_in_messages() {
    let long = "x".repeat(1_000_000);
    let changes = [
        json!({long.as_str(): 1}),
        json!({"State": long}),
        json!({"PolicyId": long}),
        json!({"ExecutionRoleArn": long}),
        json!({"Description": long.replace('x', ":")}),
        json!({"Tags": {long.as_str(): long}}),
    ];
    for change in changes {
        let reading = read(&edited(volumes(), POLICY, &change));
        let findings = reading.errors.iter().chain(&reading.warnings);
        assert!(findings.clone().count() > 0);
        for finding in findings {
            assert!(finding.path.len() < 300 && finding.message.len() < 600, "{finding:?}");
        }
    }
    for (pointer, key) in [(SCHEDULE, "Name"), ("/PolicyDetails/Schedules/0/CreateRule", "CronExpression")] {
        let errors = read(&edited(volumes(), pointer, &json!({key: long}))).errors;
        assert!(!errors.is_empty() && errors.iter().all(|error| error.message.len() < 600));
    }
}

#[test]
fn a_deep_document_is_read_no_deeper_than_the_schema() {
    let mut deep = json!(null);
    for _ in 0..120 {
        deep = json!([deep]);
    }
    for key in ["ResourceTypes", "TargetTags", "Schedules", "Parameters"] {
        assert!(!read(&edited(volumes(), DETAILS, &json!({key: deep}))).errors.is_empty());
    }
}

/// Words that the schema knows, and some that it does not.
fn word() -> impl Strategy<Value = String> {
    let words = [
        "VOLUME",
        "INSTANCE",
        "IMAGE_MANAGEMENT",
        "EVENT_BASED_POLICY",
        "SIMPLIFIED",
        "DAYS",
        "MONTHS",
        "HOURS",
        "CLOUD",
        "OUTPOST_LOCAL",
        "us-west-2",
        "cron(0 9 1 * ? *)",
        "cron(0 9 1 1 ? 1999)",
        "03:00",
        "ERROR",
        "",
        "ä-az1",
        "AWS_VSS_BACKUP",
    ];
    prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn key() -> impl Strategy<Value = String> {
    let keys: Vec<&'static str> =
        crate::policy::decode::shape::ALL.iter().flat_map(|shape| shape.keys).map(|key| key.name).collect();
    prop_oneof![20 => prop::sample::select(keys).prop_map(str::to_owned), 1 => any::<String>()]
}

/// Any JSON value, mostly with the schema's own keys.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_u32..100).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..8).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A place in the samples.
fn places(document: &Value, pointer: &str, into: &mut Vec<String>) {
    into.push(pointer.to_owned());
    match document {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{pointer}/{index}"), into);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                places(value, &format!("{pointer}/{key}"), into);
            }
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// A sample, with another value at one place of it and one key more.
fn mutated() -> impl Strategy<Value = Value> {
    let details = json!({"PolicyLanguage": "SIMPLIFIED", "ResourceType": "VOLUME", "Exclusions": {}});
    let read_back = json!({"State": "ENABLED", "DefaultPolicy": true, "PolicyDetails": details});
    let samples = vec![volumes(), instances(), images(), events(), default_volumes(), read_back];
    (prop::sample::select(samples), any::<prop::sample::Index>(), value(), key(), value()).prop_map(
        |(mut sample, place, replacement, key, added)| {
            let mut pointers = Vec::new();
            places(&sample, "", &mut pointers);
            let pointer: &String = place.get(pointers.as_slice());
            let target = sample.pointer_mut(pointer).expect("the place was found in the sample");
            match target {
                Value::Object(map) => drop(map.insert(key, added)),
                other => *other = replacement,
            }
            sample
        },
    )
}

/// The document as text with the keys of every object in the reverse order of the alphabet, read again.
fn reversed(document: &Value) -> Value {
    match document {
        Value::Array(items) => items.iter().map(reversed).collect(),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| b.0.cmp(a.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key.clone(), reversed(value))).collect())
        }
        scalar => scalar.clone(),
    }
}

proptest! {
    #[test]
    fn no_document_makes_the_reader_panic(document in value()) {
        let _ = policy(&document, "Policy", IdRule::Required);
    }

    #[test]
    fn a_changed_policy_has_a_value_or_a_finding_but_not_both(document in mutated()) {
        let reading = policy(&document, "", IdRule::Optional);
        prop_assert_eq!(reading.value.is_some(), reading.errors.is_empty() && reading.not_supported.is_empty());
        for finding in reading.errors.iter().chain(&reading.warnings).chain(&reading.not_supported) {
            prop_assert!(!finding.message.ends_with('.') && !finding.message.is_empty());
        }
    }

    #[test]
    fn the_order_of_keys_does_not_matter(document in mutated()) {
        prop_assert_eq!(read(&document), read(&reversed(&document)));
    }
}
