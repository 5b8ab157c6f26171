//! What an edit changes, in words.

use super::*;
use crate::live::change::{changes, forgotten_schedules};

#[track_caller]
fn check(new: &Value, expected: &[&str]) {
    assert_eq!(changes(&document_of(&two(ID)), &document_of(new)), expected);
}

#[test]
fn each_value_that_is_another_one_is_a_line() {
    check(&two(ID), &[]);
    check(&with(two(ID), "/Policy/Description", json!("Other")), &["Description: \"Backups\" -> \"Other\""]);
    check(
        &with(
            two(ID),
            "/Policy/PolicyDetails/TargetTags",
            json!([{ "Key": "a", "Value": "b" }, { "Key": "c", "Value": "" }]),
        ),
        &["TargetTags: backup=yes -> a=b c="],
    );
    check(
        &with(two(ID), "/Policy/PolicyDetails/Schedules/0/CreateRule/Times", json!(["05:00"])),
        &["\"Daily\": CreateRule.Times: [\"17:00\"] -> [\"05:00\"]"],
    );
    check(
        &with(
            two(ID),
            "/Policy/PolicyDetails/Schedules/1/RetainRule",
            json!({ "Interval": 3, "IntervalUnit": "DAYS" }),
        ),
        &[
            "\"Weekly\": keep 4 -> none",
            "\"Weekly\": RetainRule.Interval: none -> 3",
            "\"Weekly\": RetainRule.IntervalUnit: none -> \"DAYS\"",
        ],
    );
    check(&with_options(two(ID), json!({ "StartWindowMinutes": 30 })), &["Options.StartWindowMinutes: none -> 30"]);
}

#[test]
fn schedules_are_told_apart_by_their_names() {
    let mut turned = two(ID);
    turned.pointer_mut("/Policy/PolicyDetails/Schedules").and_then(Value::as_array_mut).unwrap().reverse();
    check(&turned, &[]);
    let renamed = with(two(ID), "/Policy/PolicyDetails/Schedules/0/Name", json!("Nightly"));
    check(&renamed, &["\"Daily\": this schedule is gone", "\"Nightly\": this schedule is new"]);
}

#[test]
fn a_consent_is_no_edit() {
    check(&with_options(two(ID), json!({ "AcceptCount": { "Daily": 7 } })), &[]);
}

#[test]
fn a_schedule_is_forgotten_unless_another_one_had_its_name() {
    let old = document_of(&two(ID));
    let renamed = with(two(ID), "/Policy/PolicyDetails/Schedules/0/Name", json!("Nightly"));
    assert_eq!(forgotten_schedules(&old, &document_of(&renamed)), ["Daily"]);
    let told = with_options(renamed, json!({ "PreviousNames": { "Nightly": ["Daily"] } }));
    assert_eq!(forgotten_schedules(&old, &document_of(&told)), Vec::<String>::new());
}
