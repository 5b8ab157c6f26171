//! What is told of documents that other tools wrote.

use crate::event::{self, tests::policy};
use crate::policy::decode::IdRule;
use serde_json::{Value, json};

/// What is told of a document: one sentence, whether it is checked or run.
#[track_caller]
fn check(document: &Value, expected: &str) {
    let checked = event::read_document(document, IdRule::Optional);
    assert_eq!(checked.refusal().as_deref(), Some(expected));
    assert_eq!(checked.warned(), Vec::<String>::new());
    let run = event::read(&event::with_bare_policy_wrapped(document.clone()), IdRule::Required);
    assert!(run.refusal().is_some_and(|told| told.ends_with(expected) && told.lines().count() == 1), "{run:?}");
}

const PRINTED: &str = "aws dlm get-lifecycle-policy --policy-id policy-0a1b2c3d4e5f60019 prints what is expected here";
const PRINTED_SOME: &str = "aws dlm get-lifecycle-policy --policy-id policy-... prints what is expected here";

fn summary() -> Value {
    json!({
        "PolicyId": "policy-0a1b2c3d4e5f60019",
        "Description": "nightly",
        "State": "ENABLED",
        "PolicyType": "EBS_SNAPSHOT_MANAGEMENT",
    })
}

#[test]
fn the_list_of_the_policies_is_not_a_policy() {
    let list = "this is the list that aws dlm get-lifecycle-policies prints, without the details of a policy; ";
    check(&json!({ "Policies": [summary()] }), &format!("{list}{PRINTED}"));
    check(&json!([summary(), summary()]), &format!("{list}{PRINTED} for each of them"));
    check(&json!({ "Policies": [] }), &format!("{list}{PRINTED_SOME} for each of them"));
    let entry = "this is an entry of the list that aws dlm get-lifecycle-policies prints, without the details; ";
    check(&summary(), &format!("{entry}{PRINTED}"));
}

#[test]
fn of_a_cloudformation_template_the_properties_are_taken() {
    let resource = json!({ "Type": "AWS::DLM::LifecyclePolicy", "Properties": { "State": "ENABLED" } });
    let rest = format!(
        "put the values in where Ref or Fn:: stands, and add a PolicyId; or, once it is deployed: {PRINTED_SOME}"
    );
    check(
        &json!({ "Resources": { "Role": { "Type": "AWS::IAM::Role" }, "Nightly": resource } }),
        &format!("this is a CloudFormation template; take Resources.Nightly.Properties, {rest}"),
    );
    check(
        &json!({ "Resources": { "A": resource, "B": resource, "C": resource, "D": resource } }),
        &format!("this is a CloudFormation template; take Resources.A.Properties (of 4: A, B, C), {rest}"),
    );
    check(&resource, &format!("this is a resource of a CloudFormation template; take its Properties, {rest}"));
    check(
        &json!({ "Resources": { "Role": { "Type": "AWS::IAM::Role" } } }),
        "this is a CloudFormation template and holds no AWS::DLM::LifecyclePolicy; expected a policy as JSON",
    );
}

#[test]
fn the_properties_of_a_template_need_their_values() {
    let mut properties = policy();
    properties["ExecutionRoleArn"] = json!({ "Fn::GetAtt": ["DlmRole", "Arn"] });
    properties.as_object_mut().unwrap().remove("PolicyId");
    check(
        &properties,
        &format!(
            "these are the Properties of a CloudFormation template; put the values in where Ref or Fn:: stands, and add a \
             PolicyId; or, once it is deployed: {PRINTED_SOME}"
        ),
    );
    properties["ExecutionRoleArn"] = json!("arn:aws:iam::111122223333:role/dlm");
    properties["Tags"] = json!([{ "Key": "team", "Value": "data" }]);
    check(
        &properties,
        &format!(
            "these are the Properties of a CloudFormation template; write Tags as an object such as {{\"team\": \"data\"}}, \
             and add a PolicyId; or, once it is deployed: {PRINTED_SOME}"
        ),
    );
}

#[test]
fn terraforms_state_and_plan_are_known_by_the_resource() {
    let attributes = json!({ "id": "policy-0a1b2c3d4e5f60019", "policy_details": [] });
    let kind = "aws_dlm_lifecycle_policy";
    let told =
        format!("this is Terraform's form of a policy, expected Amazon DLM's own JSON; once it is deployed: {PRINTED}");
    let resource = json!({ "mode": "managed", "type": kind, "values": attributes });
    check(&resource, &told);
    check(&attributes, &told);
    // `terraform show -json`, and the file of the state itself.
    let shown = json!({ "terraform_version": "1.9.5", "values": { "root_module": { "resources": [resource] } } });
    check(&shown, &told);
    let file = json!({
        "version": 4,
        "terraform_version": "1.9.5",
        "resources": [{ "type": "aws_iam_role" }, { "type": kind, "instances": [{ "attributes": attributes }] }],
    });
    check(&file, &told);
    let planned = json!({ "terraform_version": "1.9.5", "planned_values": { "root_module": { "resources": [] } } });
    check(&planned, &told.replace("policy-0a1b2c3d4e5f60019", "policy-..."));
}

#[test]
fn camel_case_is_pulumis_and_the_cdks() {
    let told = format!(
        "this is a policy in camelCase, as Pulumi and the CDK write it, expected Amazon DLM's own JSON; once it is \
         deployed: {PRINTED}"
    );
    let outputs = json!({ "id": "policy-0a1b2c3d4e5f60019", "policyDetails": { "schedules": [] } });
    check(&outputs, &told);
    let resource = json!({ "type": "aws:dlm/lifecyclePolicy:LifecyclePolicy", "outputs": outputs });
    check(&json!({ "version": 3, "deployment": { "resources": [resource] } }), &told);
    let unborn = json!({ "executionRoleArn": "arn", "policyDetails": {} });
    check(&unborn, &told.replace("policy-0a1b2c3d4e5f60019", "policy-..."));
}

#[test]
fn what_a_policy_or_an_event_is_is_never_taken_for_another_tools() {
    for value in [
        policy(),
        json!({ "Policy": policy() }),
        json!({ "detail": { "Policy": policy() }, "time": "2026-11-22T17:00:00Z" }),
        json!({ "PolicyId": "policy-1", "DefaultPolicy": "VOLUME" }),
        json!({ "Ref": "x" }),
        json!([]),
        json!(["Resources"]),
        json!(null),
    ] {
        assert_eq!(super::sentence(&value), None, "{value}");
    }
}
