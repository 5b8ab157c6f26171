//! Documents that first-time users handed to opendlm, in the folder that `OPENDLM_CASES` names or beside the project as
//! `../shared/cases`; where there is none, nothing is read, and the tests beside the readers hold small ones like them.

use opendlm::event;
use opendlm::event::json;
use opendlm::policy::decode::IdRule;
use std::path::{Path, PathBuf};

/// The document of that name; `None` where there are no cases.
fn document(name: &str) -> Option<serde_json::Value> {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases");
    let folder = std::env::var_os("OPENDLM_CASES").map_or(usual, PathBuf::from);
    if !folder.is_dir() {
        assert!(std::env::var_os("OPENDLM_CASES").is_none(), "OPENDLM_CASES is {}, no folder", folder.display());
        return None;
    }
    let text = std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    Some(json::read(&text).value.unwrap_or_else(|| panic!("{name} is JSON")))
}

/// All that is wrong with a document, a line each.
#[track_caller]
fn check(name: &str, expected: &[&str]) {
    let Some(document) = document(name) else { return };
    let refusal = event::read_document(&document, IdRule::Optional).refusal().unwrap_or_default();
    assert_eq!(refusal.lines().collect::<Vec<_>>(), expected, "{name}");
}

#[test]
fn what_pulumi_prints_is_told_in_a_sentence() {
    check(
        "04-pulumi-outputs.json",
        &["this is a policy in camelCase, as Pulumi and the CDK write it, expected Amazon DLM's own JSON; once it is \
           deployed: aws dlm get-lifecycle-policy --policy-id policy-0a1b2c3d4e5f60004 prints what is expected here"],
    );
}

#[test]
fn a_name_that_is_too_long_and_holds_what_it_must_not_hears_of_both() {
    check(
        "08b-name-too-long.json",
        &[
            "PolicyDetails.Schedules[0].Name: schedule name of 130 characters, expected 1 to 120; it holds '.' '/' ':' ',', \
           expected only letters, digits, ' ', '_' and '-'",
        ],
    );
}

#[test]
fn a_name_that_carries_its_count_is_a_name() {
    check("18-name-carries-count.json", &[]);
}

#[test]
fn the_list_of_the_policies_is_told_in_a_sentence() {
    check(
        "19-summaries.json",
        &["this is the list that aws dlm get-lifecycle-policies prints, without the details of a policy; \
           aws dlm get-lifecycle-policy --policy-id policy-0a1b2c3d4e5f60019 prints what is expected here"],
    );
}

#[test]
fn a_cloudformation_template_is_told_in_a_sentence() {
    check(
        "19b-template.json",
        &[
            "this is a CloudFormation template; take Resources.SnapshotPolicy.Properties, put the values in where Ref or \
           Fn:: stands, and add a PolicyId; or, once it is deployed: aws dlm get-lifecycle-policy --policy-id policy-... \
           prints what is expected here",
        ],
    );
}

#[test]
fn a_resource_of_terraforms_state_is_told_in_a_sentence() {
    check(
        "19d-terraform-state.json",
        &["this is Terraform's form of a policy, expected Amazon DLM's own JSON; once it is deployed: aws dlm \
           get-lifecycle-policy --policy-id policy-0a1b2c3d4e5f60019 prints what is expected here"],
    );
}
