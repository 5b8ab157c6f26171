//! Copies to other Regions, and scripts around the snapshots of instances.

use super::*;

fn copies(rules: Value) -> Value {
    json!({"CrossRegionCopyRules": rules})
}

#[test]
fn v9_copies_go_to_at_most_three_destinations_each_once() {
    let to = |region: &str| json!({"Target": region, "Encrypted": true});
    check(volumes(), SCHEDULE, copies(json!([to("us-west-2"), to("us-west-1"), to("us-east-1")])), &[]);
    // Of a list that is too long, the length is told and the entries are not compared.
    let four = json!([to("us-west-2"), to("us-west-2"), to("us-east-1"), to("us-east-2")]);
    check(volumes(), SCHEDULE, copies(four), &[error("CrossRegionCopyRules", "expected at most 3 but got 4 entries")]);
    let twice = json!([to("us-west-2"), {"Target": "us-west-2", "Encrypted": false}]);
    check(volumes(), SCHEDULE, copies(twice), &[error("CrossRegionCopyRules", "two rules copy to us-west-2")]);
    check(volumes(), SCHEDULE, copies(json!([])), &[]);
}

#[test]
fn v9_and_v13_local_snapshots_are_not_copied_shared_or_made_fast() {
    let rules = [
        ("CrossRegionCopyRules", json!([{"Target": "us-west-2", "Encrypted": true}])),
        ("FastRestoreRule", json!({"Count": 1, "AvailabilityZones": ["us-west-2a"]})),
        ("ShareRules", json!([{"TargetAccounts": ["111122223333"]}])),
    ];
    for (name, rule) in rules {
        let local =
            json!({"CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Location": "OUTPOST_LOCAL"}, name: rule});
        let sample = edited(volumes(), DETAILS, &json!({"ResourceLocations": ["OUTPOST"]}));
        check(sample, SCHEDULE, local, &[error(name, "only for snapshots in CLOUD")]);
    }
}

#[test]
fn v10_each_kind_has_its_word_for_the_destination_of_a_copy() {
    let target = || copies(json!([{"Target": "us-west-2", "Encrypted": true}]));
    let region = || copies(json!([{"TargetRegion": "us-west-2", "Encrypted": true}]));
    check(volumes(), SCHEDULE, target(), &[]);
    check(volumes(), SCHEDULE, region(), &[warning("CrossRegionCopyRules[0].TargetRegion", "is read as Target")]);
    check(images(), SCHEDULE, region(), &[]);
    check(images(), SCHEDULE, target(), &[warning("CrossRegionCopyRules[0].Target", "is read as TargetRegion")]);
    check(
        volumes(),
        SCHEDULE,
        copies(json!([{"Encrypted": true}])),
        &[error("CrossRegionCopyRules[0].Target", "missing")],
    );
    check(
        images(),
        SCHEDULE,
        copies(json!([{"Encrypted": true}])),
        &[error("CrossRegionCopyRules[0].TargetRegion", "missing")],
    );
    let both = copies(json!([{"Target": "us-west-2", "TargetRegion": "us-west-1", "Encrypted": true}]));
    check(volumes(), SCHEDULE, both, &[error("CrossRegionCopyRules[0]", "expected only Target")]);
    let alike = copies(json!([{"Target": "us-west-2", "TargetRegion": "us-west-2", "Encrypted": true}]));
    check(volumes(), SCHEDULE, alike, &[warning("CrossRegionCopyRules[0].TargetRegion", "is read as Target")]);
}

#[test]
fn copy_rules_are_checked_whole() {
    let rule = |change: Value| copies(json!([edited(json!({"Target": "us-west-2", "Encrypted": true}), "", &change)]));
    let check = |change: Value, said: &[Said]| check(volumes(), SCHEDULE, rule(change), said);
    let outpost = "arn:aws:outposts:us-east-1:123456789012:outpost/op-1234567890abcdef0";
    check(json!({"Target": outpost}), &[]);
    check(json!({"Target": "somewhere"}), &[error("CrossRegionCopyRules[0].Target", "expected a Region such as")]);
    check(json!({"Encrypted": null}), &[error("CrossRegionCopyRules[0].Encrypted", "missing, expected true or false")]);
    check(
        json!({"Encrypted": "true"}),
        &[error("CrossRegionCopyRules[0].Encrypted", "expected true or false but got")],
    );
    check(json!({"CmkArn": "arn:aws:kms:us-west-2:123456789012:key/abc"}), &[]);
    let alias = json!({"CmkArn": "arn:aws:kms:us-west-2:123456789012:alias/abc"});
    check(alias, &[error("CrossRegionCopyRules[0].CmkArn", "expected the ARN of a KMS key")]);
    check(json!({"RetainRule": {"Interval": 1, "IntervalUnit": "MONTHS"}}), &[]);
    check(
        json!({"RetainRule": {"Interval": 0, "IntervalUnit": "DAYS"}}),
        &[error("CrossRegionCopyRules[0].RetainRule.Interval", "from 1 to 36500")],
    );
    check(
        json!({"RetainRule": {"Interval": 1}}),
        &[error("CrossRegionCopyRules[0].RetainRule.IntervalUnit", "missing")],
    );
    let deprecated = json!({"DeprecateRule": {"Interval": 1, "IntervalUnit": "DAYS"}});
    check(deprecated, &[error("CrossRegionCopyRules[0].DeprecateRule", "expected only on an AMI policy")]);
}

#[test]
fn v11_scripts_run_on_instances_only() {
    let vss = || json!({"ExecutionHandler": "AWS_VSS_BACKUP", "MaximumRetryCount": 2});
    check(instances(), SCHEDULE, scripts(vss()), &[]);
    check(
        volumes(),
        SCHEDULE,
        scripts(vss()),
        &[error("CreateRule.Scripts", "expected only on a snapshot policy for INSTANCE")],
    );
    check(images(), SCHEDULE, scripts(vss()), &[error("CreateRule.Scripts", "Scripts on an AMI policy")]);
    let change = edited(scripts(vss()), "", &json!({"CopyTags": true}));
    check(instances(), SCHEDULE, change, &[error("CopyTags", "expected false")]);
    let excluding = json!({"Parameters": {"ExcludeDataVolumeTags": [{"Key": "a", "Value": "b"}]}});
    let sample = edited(instances(), DETAILS, &excluding);
    check(sample, SCHEDULE, scripts(vss()), &[error("CreateRule", "beside ExcludeDataVolumeTags")]);
    let staged = edited(
        vss(),
        "",
        &json!({"Stages": ["PRE"], "ExecutionTimeout": 10, "ExecutionHandlerService": "AWS_SYSTEMS_MANAGER"}),
    );
    check(
        instances(),
        SCHEDULE,
        scripts(staged),
        &[
            error("CreateRule.Scripts[0].Stages", "set beside AWS_VSS_BACKUP"),
            error("CreateRule.Scripts[0].ExecutionTimeout", "set beside AWS_VSS_BACKUP"),
            error("CreateRule.Scripts[0].ExecutionHandlerService", "set beside AWS_VSS_BACKUP"),
        ],
    );
}

#[test]
fn scripts_are_checked_whole() {
    let script = |change: Value| scripts(edited(json!({"ExecutionHandler": "my-document"}), "", &change));
    let check = |change: Value, said: &[Said]| check(instances(), SCHEDULE, script(change), said);
    check(json!({"Stages": ["PRE", "POST"], "ExecutionTimeout": 120, "MaximumRetryCount": 3}), &[]);
    check(json!({"ExecutionHandler": ""}), &[error("CreateRule.Scripts[0].ExecutionHandler", "missing")]);
    check(json!({"Stages": ["MIDDLE"]}), &[error("CreateRule.Scripts[0].Stages[0]", "expected POST or PRE")]);
    check(json!({"ExecutionTimeout": 9}), &[error("CreateRule.Scripts[0].ExecutionTimeout", "from 10 to 120")]);
    check(json!({"MaximumRetryCount": 4}), &[error("CreateRule.Scripts[0].MaximumRetryCount", "from 0 to 3")]);
    check(
        json!({"ExecuteOperationOnScriptFailure": "no"}),
        &[error("CreateRule.Scripts[0].ExecuteOperationOnScriptFailure", "true or false")],
    );
    check(
        json!({"ExecutionHandlerService": "X"}),
        &[error("CreateRule.Scripts[0].ExecutionHandlerService", "AWS_SYSTEMS_MANAGER")],
    );
}

/// What a schedule's copies come to, as a snapshot will carry them.
#[track_caller]
fn check_copies(sample: Value, at: &str, change: Value, expected: &[&str]) {
    let reading = policy(&edited(sample, at, &change), "", IdRule::Optional);
    let copies = reading.value.expect("it is right").schedules.into_iter().flat_map(|schedule| schedule.copies);
    assert_eq!(copies.map(|rule| rule.written()).collect::<Vec<_>>(), expected);
}

#[test]
fn a_copy_rule_is_read_with_its_age_its_key_and_its_flags() {
    let key = "arn:aws:kms:us-west-2:123456789012:key/abc";
    let rules = json!([
        {"Target": "us-west-2", "Encrypted": true, "CmkArn": key, "CopyTags": true, "RetainRule": {"Interval": 2, "IntervalUnit": "WEEKS"}},
        {"Target": "us-west-1", "Encrypted": false},
    ]);
    let expected = ["us-west-2:2w:et:aws/123456789012/abc", "us-west-1:-:-"];
    check_copies(volumes(), SCHEDULE, copies(rules), &expected);
    let elsewhere = json!([{"Target": "us-west-1", "Encrypted": true, "CmkArn": key}]);
    let said = "the key is in us-west-2, expected one in us-west-1, where the copy goes";
    check(volumes(), SCHEDULE, copies(elsewhere), &[error("CrossRegionCopyRules[0].CmkArn", said)]);
}

#[test]
fn a_default_policy_keeps_its_copies_as_long_as_its_snapshots() {
    let targets = json!({"CrossRegionCopyTargets": [{"TargetRegion": "us-west-2"}, {"TargetRegion": "us-west-1"}], "RetainInterval": 5});
    check_copies(default_volumes(), POLICY, targets, &["us-west-2:5d:-", "us-west-1:5d:-"]);
    let twice = json!({"CrossRegionCopyTargets": [{"TargetRegion": "us-west-2"}, {"TargetRegion": "us-west-2"}]});
    check(
        default_volumes(),
        POLICY,
        twice,
        &[error("CrossRegionCopyTargets", "two targets are us-west-2, expected each Region once")],
    );
}
