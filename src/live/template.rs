//! The schedules of policies as a CloudFormation template, for those who deploy by Git.

use super::document::{self, Wanted};
use super::{Written, description, event_age_seconds_max};
use crate::plan;
use crate::policy::PolicyId;
use crate::starts::{self, Start, StartsError};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The template: the same schedules as `put` writes, each with its policy as input. The ARNs that the tags of the group hold are
/// parameters here, because a template cannot read tags.
///
/// # Errors
/// Where Scheduler cannot start a policy.
pub fn template(policies: &[Wanted], group: &str, revision: Timestamp) -> Result<Value, (PolicyId, StartsError)> {
    let mut resources = Map::new();
    for wanted in policies {
        let id = &wanted.event.policy.id;
        let starts =
            starts::starts(&wanted.event.policy, &wanted.event.options).map_err(|error| (id.clone(), error))?;
        let input = document::input(&wanted.document, revision);
        for start in starts {
            resources.insert(logical_id(&start, id), resource(&start, wanted, &input));
        }
    }
    Ok(json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Schedules of opendlm policies, written by opendlm template",
        "Parameters": {
            "ScheduleGroupName": {
                "Type": "String",
                "Default": group,
                "Description": "The schedule group of the stack opendlm: its output ScheduleGroupName",
            },
            "StateMachineArn": {
                "Type": "String",
                "Description": "What the schedules start: the output StateMachineArn of the stack opendlm",
            },
            "SchedulerRoleArn": {
                "Type": "String",
                "Description": "As whom: the output SchedulerRoleArn of the stack opendlm",
            },
            "DeadLetterQueueArn": {
                "Type": "String",
                "Description": "Where starts go that cannot be delivered: the output DeadLetterQueueArn of the stack opendlm",
            },
        },
        "Resources": resources,
    }))
}

fn resource(start: &Start, wanted: &Wanted, input: &str) -> Value {
    let event = &wanted.event;
    let state = if plan::is_idle(&event.policy) { "DISABLED" } else { "ENABLED" };
    json!({
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "Name": start.name(&event.policy.id),
            "GroupName": { "Ref": "ScheduleGroupName" },
            "Description": description(start),
            "State": state,
            "ScheduleExpression": start.expression,
            "ScheduleExpressionTimezone": Start::TIMEZONE,
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "Target": {
                "Arn": { "Ref": "StateMachineArn" },
                "RoleArn": { "Ref": "SchedulerRoleArn" },
                "RetryPolicy": {
                    "MaximumEventAgeInSeconds": event_age_seconds_max(event.options.start_window),
                    "MaximumRetryAttempts": Written::RETRIES_MAX,
                },
                "DeadLetterConfig": { "Arn": { "Ref": "DeadLetterQueueArn" } },
                "Input": input,
            },
        },
    })
}

/// Letters and digits only, as CloudFormation wants it, and different for each policy: what an id has beyond them is written as a
/// number between two X, and so is an X.
fn logical_id(start: &Start, id: &PolicyId) -> String {
    let written: String = id
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() && c != 'X' { c.to_string() } else { format!("X{:02X}X", u32::from(c)) })
        .collect();
    format!("Start{}Of{written}", start.number)
}
