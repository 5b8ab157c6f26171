//! Every file in `events/` is an event; each is also an input of the end-to-end tests.

use opendlm::event;
use opendlm::policy::decode::IdRule;
use serde_json::Value;
use std::path::Path;

fn events() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut events: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap())
        })
        .collect();
    events.sort_by(|a, b| a.0.cmp(&b.0));
    events
}

#[test]
fn there_is_one_event_for_each_kind_of_invocation() {
    let names: Vec<String> = events().into_iter().map(|(name, _)| name).collect();
    let expected = [
        "age",
        "cron",
        "disabled",
        "get-lifecycle-policy",
        "instance",
        "invalid",
        "sample",
        "scheduled",
        "scheduler",
        "targets",
        "targets-from",
    ];
    for name in expected {
        assert!(names.iter().any(|found| found == name), "events/{name}.json is missing from {names:?}");
    }
}

#[test]
fn every_event_but_the_invalid_one_is_understood_without_a_word() {
    for (name, value) in events().into_iter().filter(|(name, _)| name != "invalid") {
        let reading = event::read(&value, IdRule::Required);
        assert_eq!(reading.refusal(), None, "events/{name}.json");
        assert_eq!(reading.warnings, vec![], "events/{name}.json");
        assert!(reading.value.is_some(), "events/{name}.json");
    }
}

#[test]
fn the_invalid_event_is_refused_with_the_place_of_its_mistake() {
    let (_, value) = events().into_iter().find(|(name, _)| name == "invalid").unwrap();
    let reading = event::read(&value, IdRule::Required);
    let paths: Vec<&str> = reading.errors.iter().map(|finding| finding.path.as_str()).collect();
    assert_eq!(paths, ["Policy.PolicyDetails.Schedules[0].CreateRule.Times[0]"]);
}
