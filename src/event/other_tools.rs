//! Documents of other tools that are about a policy and are not one: each gets one sentence, which says what it is and
//! which part to take, or which command prints the right one.
//!
//! Read as a policy, they would draw a complaint for each of their keys, with advice that leads nowhere.

use serde_json::{Map, Value};

/// How a policy's type is called in CloudFormation, in Terraform and in Pulumi.
const CLOUDFORMATION: &str = "AWS::DLM::LifecyclePolicy";
const TERRAFORM: &str = "aws_dlm_lifecycle_policy";
const PULUMI: &str = "aws:dlm/lifecyclePolicy:LifecyclePolicy";

/// How many names of a template a sentence lists.
const NAMES_TOLD_MAX: usize = 3;

/// What to tell of a document that another tool wrote; `None` for what may be a policy or an event.
pub(super) fn sentence(value: &Value) -> Option<String> {
    match value {
        Value::Array(list) if !list.is_empty() && list.iter().all(is_summary) => Some(of_list(list)),
        Value::Object(object) => of_object(value, object),
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => None,
    }
}

fn of_object(value: &Value, object: &Map<String, Value>) -> Option<String> {
    let has = |key: &str| object.contains_key(key);
    if let Some(list) = object.get("Policies").and_then(Value::as_array) {
        return Some(of_list(list));
    }
    if is_summary(value) {
        return Some(format!(
            "this is an entry of the list that aws dlm get-lifecycle-policies prints, without the details; {}",
            printed_by(id_in(value))
        ));
    }
    if has("Resources") || object.get("Type").and_then(Value::as_str) == Some(CLOUDFORMATION) {
        return Some(of_template(object));
    }
    if has("terraform_version") || has("policy_details") || has("execution_role_arn") || has_type(value, TERRAFORM) {
        return Some(of_resource("this is Terraform's form of a policy", value, TERRAFORM));
    }
    if has("policyDetails") || has("executionRoleArn") || has("deployment") || has_type(value, PULUMI) {
        return Some(of_resource("this is a policy in camelCase, as Pulumi and the CDK write it", value, PULUMI));
    }
    if has("PolicyDetails") && (has_intrinsic(value) || object.get("Tags").is_some_and(Value::is_array)) {
        return Some(of_properties(value));
    }
    None
}

/// Whether a value is what `get-lifecycle-policies` tells of one policy (aws-sdk: `LifecyclePolicySummary`).
fn is_summary(value: &Value) -> bool {
    let has = |key: &str| value.get(key).is_some();
    has("PolicyId") && has("PolicyType") && !has("PolicyDetails")
}

fn of_list(list: &[Value]) -> String {
    let id = list.first().and_then(id_in);
    let which = if list.len() == 1 { "" } else { " for each of them" };
    format!(
        "this is the list that aws dlm get-lifecycle-policies prints, without the details of a policy; {}{which}",
        printed_by(id)
    )
}

fn of_template(object: &Map<String, Value>) -> String {
    let Some(resources) = object.get("Resources").and_then(Value::as_object) else {
        return format!(
            "this is a resource of a CloudFormation template; take its Properties, put the values in where Ref or Fn:: \
             stands, and add a PolicyId; or, once it is deployed: {}",
            printed_by(None)
        );
    };
    let is_policy = |(_, resource): &(&String, &Value)| has_type(resource, CLOUDFORMATION);
    let names: Vec<&str> = resources.iter().filter(is_policy).map(|(name, _)| name.as_str()).collect();
    let Some(first) = names.first() else {
        return format!("this is a CloudFormation template and holds no {CLOUDFORMATION}; expected a policy as JSON");
    };
    let shown: Vec<&str> = names.iter().copied().take(NAMES_TOLD_MAX).collect();
    let of = if names.len() == 1 { String::new() } else { format!(" (of {}: {})", names.len(), shown.join(", ")) };
    format!(
        "this is a CloudFormation template; take Resources.{}.Properties{of}, put the values in where Ref or Fn:: \
         stands, and add a PolicyId; or, once it is deployed: {}",
        super::keys::quoted(first),
        printed_by(None)
    )
}

fn of_properties(value: &Value) -> String {
    let what = "these are the Properties of a CloudFormation template";
    let deployed = printed_by(id_in(value));
    if has_intrinsic(value) {
        format!(
            "{what}; put the values in where Ref or Fn:: stands, and add a PolicyId; or, once it is deployed: {deployed}"
        )
    } else {
        format!(
            "{what}; write Tags as an object such as {{\"team\": \"data\"}}, and add a PolicyId; or, once it is \
             deployed: {deployed}"
        )
    }
}

fn of_resource(what: &str, value: &Value, kind: &str) -> String {
    let resource = resource_of(value, kind).unwrap_or(value);
    format!("{what}, expected Amazon DLM's own JSON; once it is deployed: {}", printed_by(id_in(resource)))
}

/// The first resource of that type in a state or a plan, however deep.
fn resource_of<'a>(value: &'a Value, kind: &str) -> Option<&'a Value> {
    if has_type(value, kind) {
        return Some(value);
    }
    // serde_json bounds the depth of what it reads.
    match value {
        Value::Array(list) => list.iter().find_map(|entry| resource_of(entry, kind)),
        Value::Object(object) => object.values().find_map(|entry| resource_of(entry, kind)),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => None,
    }
}

fn has_type(value: &Value, kind: &str) -> bool {
    ["Type", "type"].iter().any(|key| value.get(key).and_then(Value::as_str) == Some(kind))
}

/// The id that Amazon DLM gave to the policy, wherever the tool keeps it.
fn id_in(value: &Value) -> Option<&str> {
    let here = ["PolicyId", "id"].iter().find_map(|key| value.get(key).and_then(Value::as_str));
    let is_id = |id: &&str| id.starts_with("policy-") && super::PolicyId::parse(id).is_ok();
    here.filter(is_id).or_else(|| {
        let nested = ["values", "attributes", "outputs", "instances"].iter().find_map(|key| value.get(key));
        match nested? {
            Value::Array(list) => list.iter().find_map(id_in),
            nested => id_in(nested),
        }
    })
}

/// The command that prints a policy as opendlm takes it.
fn printed_by(id: Option<&str>) -> String {
    let id = id.unwrap_or("policy-...");
    format!("aws dlm get-lifecycle-policy --policy-id {id} prints what is expected here")
}

/// Whether a value is filled in by CloudFormation only when it deploys.
fn has_intrinsic(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(has_intrinsic),
        Value::Object(object) => {
            let is_intrinsic = |key: &String| key == "Ref" || key.starts_with("Fn::");
            (object.len() == 1 && object.keys().any(is_intrinsic)) || object.values().any(has_intrinsic)
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests;
