//! The schedules as a CloudFormation template.

use super::*;
use crate::live::template::template;

#[test]
fn the_template_has_the_schedules_that_put_writes() {
    let others = [
        two(ID),
        with(event("policy.b-X", &[schedule("Daily", &daily("05:00"), 3)]), "/Policy/State", json!("DISABLED")),
    ];
    let wanted: Vec<Wanted> = others.iter().map(to_put).collect();
    let template = template(&wanted, GROUP, at(NOW)).unwrap();
    let resources = template["Resources"].as_object().unwrap();
    let mut names: Vec<&str> = resources.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["Start1OfpolicyX2DX0123456789abcdef0", "Start1OfpolicyX2EXbX2DXX58X", "Start2OfpolicyX2DX0123456789abcdef0",]
    );
    for event in &others {
        let put = put_at(event, vec![], NOW).unwrap();
        for written in &put.create {
            let resource =
                resources.values().find(|each| each["Properties"]["Name"] == json!(written.id.name)).unwrap();
            let state = if written.is_enabled { "ENABLED" } else { "DISABLED" };
            assert_eq!(
                *resource,
                json!({
                    "Type": "AWS::Scheduler::Schedule",
                    "Properties": {
                        "Name": written.id.name,
                        "GroupName": { "Ref": "ScheduleGroupName" },
                        "Description": written.description,
                        "State": state,
                        "ScheduleExpression": written.expression,
                        "ScheduleExpressionTimezone": "UTC",
                        "FlexibleTimeWindow": { "Mode": "OFF" },
                        "Target": {
                            "Arn": { "Ref": "StateMachineArn" },
                            "RoleArn": { "Ref": "SchedulerRoleArn" },
                            "RetryPolicy": { "MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 185 },
                            "DeadLetterConfig": { "Arn": { "Ref": "DeadLetterQueueArn" } },
                            "Input": written.input,
                        },
                    },
                })
            );
        }
    }
    let parameters: Vec<&String> = template["Parameters"].as_object().unwrap().keys().collect();
    assert_eq!(parameters.len(), 4);
}

#[test]
fn a_policy_that_scheduler_cannot_start_is_named() {
    let meeting = event(
        ID,
        &[
            schedule("Last", &json!({ "CronExpression": "cron(59 23 L * ? *)" }), 3),
            schedule("Monday", &json!({ "CronExpression": "cron(59 23 ? * 2L *)" }), 3),
        ],
    );
    let (id, error) = template(&[to_put(&meeting)], GROUP, at(NOW)).unwrap_err();
    assert_eq!(id.as_str(), ID);
    assert!(error.to_string().contains("start in the same minute"));
}
