//! A policy id in the text of a file.

use super::*;
use crate::live::file::with_policy_id;
use crate::policy::PolicyId;
use proptest::prelude::*;

#[track_caller]
fn check(text: &str, expected: Option<&str>) {
    let id = PolicyId::parse("policy-a").unwrap();
    assert_eq!(with_policy_id(text, &id).as_deref(), expected, "{text}");
}

#[test]
fn the_id_is_the_first_key_of_the_policy_and_nothing_else_changes() {
    check("{\n  \"State\": \"ENABLED\"\n}\n", Some("{\n  \"PolicyId\": \"policy-a\",\n  \"State\": \"ENABLED\"\n}\n"));
    check("{\"State\":\"ENABLED\"}", Some("{\"PolicyId\": \"policy-a\",\"State\":\"ENABLED\"}"));
    check("{}", Some("{\"PolicyId\": \"policy-a\"}"));
    check(
        "{\n  \"Options\": {\"Policy\": {}},\n  \"Policy\" :\n  {\n    \"State\": \"ENABLED\"\n  }\n}",
        Some(
            "{\n  \"Options\": {\"Policy\": {}},\n  \"Policy\" :\n  {\n    \"PolicyId\": \"policy-a\",\n    \"State\": \
             \"ENABLED\"\n  }\n}",
        ),
    );
    // Braces and quotes in texts are no structure.
    check(
        r#"{"Description":"\"Policy\": {","Policy":{"State":"{\"Policy\":"}}"#,
        Some(r#"{"Description":"\"Policy\": {","Policy":{"PolicyId": "policy-a","State":"{\"Policy\":"}}"#),
    );
}

#[test]
fn what_is_no_policy_stays_as_it_is() {
    for text in ["", "[]", "not JSON", "[{\"State\": \"ENABLED\"}]", "{\"Policy\": \"x\"", "\"{\""] {
        check(text, None);
    }
}

#[test]
fn a_null_is_written_over_by_nobody() {
    // `null` counts as absent, so a second key would be one too many.
    check("{\"PolicyId\": null}", None);
}

#[test]
fn every_sample_event_gets_its_id_back() {
    for text in [
        include_str!("../../../events/sample.json"),
        include_str!("../../../events/get-lifecycle-policy.json"),
        include_str!("../../../events/scheduler.json"),
    ] {
        let mut value: Value = serde_json::from_str(text).unwrap();
        value["Policy"].as_object_mut().unwrap().remove("PolicyId").unwrap();
        let id = PolicyId::parse(ID).unwrap();
        let written = with_policy_id(&format!("{value:#}"), &id).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic_and_whatever_it_writes_differs_by_the_id_alone(
        text in prop_oneof![".{0,80}", r#"[{}\[\]",:Policy \\é]{0,60}"#, r#"\{"Policy":\{("a":"[^"\\]{0,9}")?\}\}"#],
    ) {
        let id = PolicyId::parse("policy-a").unwrap();
        if let Some(written) = with_policy_id(&text, &id) {
            prop_assert!(written.len() > text.len() && serde_json::from_str::<Value>(&written).is_ok());
        }
    }
}
