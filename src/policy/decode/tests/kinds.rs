//! What belongs to which kind of policy, and what is not carried out yet.

use super::*;

#[test]
fn v12_variable_tags_hold_the_two_variables_on_instances() {
    let tag = |value: &str| json!({"VariableTags": [{"Key": "t", "Value": value}]});
    check(instances(), SCHEDULE, tag("$(timestamp)"), &[]);
    check(images(), SCHEDULE, tag("$(instance-id)"), &[]);
    let said = "expected $(instance-id) or $(timestamp) but got";
    check(instances(), SCHEDULE, tag("$(volume-id)"), &[error("VariableTags[0].Value", said)]);
    check(instances(), SCHEDULE, tag(""), &[error("VariableTags[0].Value", said)]);
    check(volumes(), SCHEDULE, tag("$(timestamp)"), &[error("VariableTags", "expected only on")]);
    check(volumes(), SCHEDULE, json!({"VariableTags": []}), &[]);
}

#[test]
fn v14_an_event_based_policy_has_a_source_an_action_and_no_schedules() {
    check(events(), DETAILS, json!({}), &[]);
    check(events(), DETAILS, json!({"TargetTags": [], "ResourceTypes": [], "Schedules": []}), &[]);
    check(events(), DETAILS, json!({"EventSource": null}), &[error("EventSource", "missing")]);
    check(events(), DETAILS, json!({"Actions": []}), &[error("Actions", "missing, expected one action")]);
    let said = |name| error(name, "on an event-based policy, expected only on a snapshot policy or an AMI policy");
    check(events(), DETAILS, json!({"TargetTags": [{"Key": "a", "Value": "b"}]}), &[said("TargetTags")]);
    check(events(), DETAILS, json!({"Schedules": volumes()["PolicyDetails"]["Schedules"]}), &[said("Schedules")]);
    check(events(), DETAILS, json!({"Parameters": {}}), &[said("Parameters")]);
    check(events(), DETAILS, json!({"ResourceTypes": ["VOLUME"]}), &[said("ResourceTypes")]);
    check(
        volumes(),
        DETAILS,
        json!({"Actions": events()["PolicyDetails"]["Actions"]}),
        &[error("Actions", "expected only on an event-based policy")],
    );
    let source = "/PolicyDetails/EventSource/Parameters";
    check(events(), source, json!({"DescriptionRegex": "", "SnapshotOwner": []}), &[]);
    check(events(), source, json!({"DescriptionRegex": null}), &[error("DescriptionRegex", "missing")]);
    check(
        events(),
        source,
        json!({"DescriptionRegex": "a".repeat(1001)}),
        &[error("DescriptionRegex", "at most 1000")],
    );
    check(events(), source, json!({"EventType": "x"}), &[error("EventType", "expected shareSnapshot but got \"x\"")]);
    check(events(), source, json!({"SnapshotOwner": ["1"]}), &[error("SnapshotOwner[0]", "12 digits")]);
    let action = "/PolicyDetails/Actions/0";
    check(events(), action, json!({"Name": "a/b"}), &[error("Name", "expected a name of 1 to 120")]);
    check(events(), action, json!({"CrossRegionCopy": null}), &[error("CrossRegionCopy", "missing")]);
    check(events(), action, json!({"CrossRegionCopy": []}), &[]);
    let copy = "/PolicyDetails/Actions/0/CrossRegionCopy/0";
    check(events(), copy, json!({"EncryptionConfiguration": null}), &[error("EncryptionConfiguration", "missing")]);
    check(
        events(),
        copy,
        json!({"EncryptionConfiguration": {}}),
        &[error("EncryptionConfiguration.Encrypted", "missing")],
    );
}

#[test]
fn v15_a_default_policy_keeps_longer_than_it_waits() {
    let details = |change: Value| json!({"PolicyDetails": edited(json!({"ResourceType": "VOLUME"}), "", &change)});
    check(default_volumes(), POLICY, json!({}), &[]);
    check(default_volumes(), POLICY, json!({"CreateInterval": 7, "RetainInterval": 14}), &[]);
    check(default_volumes(), POLICY, details(json!({"CreateInterval": 1, "RetainInterval": 2})), &[]);
    check(
        default_volumes(),
        POLICY,
        json!({"CreateInterval": 8, "RetainInterval": 14}),
        &[error("CreateInterval", "from 1 to 7")],
    );
    check(default_volumes(), POLICY, json!({"RetainInterval": 1}), &[error("RetainInterval", "from 2 to 14")]);
    check(
        default_volumes(),
        POLICY,
        json!({"CreateInterval": 5, "RetainInterval": 4}),
        &[error("RetainInterval", "expected more than the 5 days")],
    );
    check(
        default_volumes(),
        POLICY,
        json!({"CreateInterval": 5, "RetainInterval": 5}),
        &[warning("RetainInterval", "expected more than the 5 days")],
    );
    check(
        default_volumes(),
        POLICY,
        json!({"CreateInterval": 7}),
        &[warning("RetainInterval", "7 days, expected more than the 7")],
    );
    let both = edited(details(json!({})), "", &json!({"CreateInterval": 2}));
    check(default_volumes(), POLICY, both, &[error("CreateInterval", "expected it inside PolicyDetails")]);
}

#[test]
fn default_policies_have_fields_of_their_own() {
    let said = |name| error(name, "on a default policy for VOLUME, expected only on");
    check(
        default_volumes(),
        POLICY,
        json!({"PolicyDetails": volumes()["PolicyDetails"]}),
        &[said("PolicyDetails.ResourceTypes"), said("PolicyDetails.TargetTags"), said("PolicyDetails.Schedules")],
    );
    let only = "expected only on a default policy";
    check(volumes(), POLICY, json!({"CreateInterval": 1}), &[error("CreateInterval", only)]);
    check(volumes(), DETAILS, json!({"CopyTags": true}), &[error("CopyTags", only)]);
    check(volumes(), DETAILS, json!({"ResourceType": "VOLUME"}), &[error("ResourceType", only)]);
    let details = |change: Value| json!({"PolicyDetails": change});
    check(
        default_volumes(),
        POLICY,
        details(json!({"PolicyLanguage": "STANDARD"})),
        &[error("PolicyDetails.PolicyLanguage", "STANDARD on a default policy for VOLUME, expected SIMPLIFIED")],
    );
    check(
        default_volumes(),
        POLICY,
        details(json!({"ResourceType": "INSTANCE"})),
        &[error("PolicyDetails.ResourceType", "expected VOLUME")],
    );
    check(
        default_volumes(),
        POLICY,
        details(json!({"PolicyType": "IMAGE_MANAGEMENT"})),
        &[error("PolicyDetails.PolicyType", "expected EBS_SNAPSHOT_MANAGEMENT")],
    );
    check(
        default_volumes(),
        POLICY,
        json!({"DefaultPolicy": "ALL"}),
        &[error("DefaultPolicy", "expected INSTANCE or VOLUME but got \"ALL\"")],
    );
    check(volumes(), DETAILS, json!({"PolicyLanguage": "STANDARD"}), &[]);
}

#[test]
fn exclusions_are_checked_and_amazons_misspelling_is_read() {
    let exclude = |change: Value| json!({"Exclusions": change});
    check(
        default_volumes(),
        POLICY,
        exclude(json!({"ExcludeBootVolume": true})),
        &[warning("Exclusions.ExcludeBootVolume", "is read as ExcludeBootVolumes")],
    );
    check(
        default_volumes(),
        POLICY,
        exclude(json!({"ExcludeBootVolume": true, "ExcludeBootVolumes": false})),
        &[
            warning("Exclusions.ExcludeBootVolume", "is read as ExcludeBootVolumes"),
            error("Exclusions.ExcludeBootVolume", "true where ExcludeBootVolumes is false"),
        ],
    );
    check(
        default_volumes(),
        POLICY,
        exclude(json!({"ExcludeVolumeTypes": ["st2"]})),
        &[error("Exclusions.ExcludeVolumeTypes[0]", "st1 or standard but got")],
    );
    let all = json!(["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"]);
    check(
        default_volumes(),
        POLICY,
        exclude(json!({"ExcludeVolumeTypes": all})),
        &[error("Exclusions.ExcludeVolumeTypes", "expected at most 6 but got 7")],
    );
    let instance = edited(exclude(json!({"ExcludeBootVolumes": true})), "", &json!({"DefaultPolicy": "INSTANCE"}));
    check(
        default_volumes(),
        POLICY,
        instance,
        &[warning("Exclusions.ExcludeBootVolumes", "means nothing on a default policy for INSTANCE")],
    );
    let targets = json!({"CrossRegionCopyTargets": [{"TargetRegion": "us west"}]});
    check(default_volumes(), POLICY, targets, &[error("CrossRegionCopyTargets[0].TargetRegion", "expected a Region")]);
}

#[test]
fn parameters_of_another_kind_are_ignored_with_a_warning() {
    let parameters = |change: Value| json!({"Parameters": change});
    check(instances(), DETAILS, parameters(json!({"ExcludeBootVolume": true})), &[]);
    check(images(), DETAILS, parameters(json!({"NoReboot": false})), &[]);
    let ignored = |path, part| [warning(path, part)];
    let (boot, reboot) = ("Parameters.ExcludeBootVolume", "Parameters.NoReboot");
    check(
        volumes(),
        DETAILS,
        parameters(json!({"ExcludeBootVolume": true})),
        &ignored(boot, "means nothing on a snapshot policy for VOLUME"),
    );
    check(
        images(),
        DETAILS,
        parameters(json!({"ExcludeBootVolume": false})),
        &ignored(boot, "means nothing on an AMI policy"),
    );
    check(
        instances(),
        DETAILS,
        parameters(json!({"NoReboot": false})),
        &ignored(reboot, "means nothing on a snapshot policy for INSTANCE"),
    );
}

#[test]
fn each_kind_has_its_resource_types() {
    check(
        volumes(),
        DETAILS,
        json!({"ResourceTypes": null}),
        &[error("ResourceTypes", "missing, expected [\"VOLUME\"]")],
    );
    check(
        volumes(),
        DETAILS,
        json!({"ResourceTypes": ["IMAGE"]}),
        &[error("ResourceTypes[0]", "expected INSTANCE or VOLUME but got \"IMAGE\"")],
    );
    check(
        volumes(),
        DETAILS,
        json!({"ResourceTypes": ["VOLUME", "INSTANCE"]}),
        &[error("ResourceTypes", "expected 1 entry but got 2")],
    );
    check(
        images(),
        DETAILS,
        json!({"ResourceTypes": ["VOLUME"]}),
        &[error("ResourceTypes[0]", "VOLUME on an AMI policy, expected INSTANCE")],
    );
    check(
        images(),
        DETAILS,
        json!({"ResourceLocations": ["LOCAL_ZONE"]}),
        &[error("ResourceLocations[0]", "expected CLOUD or OUTPOST")],
    );
    check(
        volumes(),
        DETAILS,
        json!({"PolicyType": "EBS"}),
        &[error("PolicyType", "expected EBS_SNAPSHOT_MANAGEMENT, EVENT_BASED_POLICY or IMAGE_MANAGEMENT but got")],
    );
}

#[track_caller]
fn check_not_supported(sample: Value, pointer: &str, change: Value, expected: &[&str]) {
    let reading = read(&edited(sample, pointer, &change));
    let got: Vec<String> =
        reading.not_supported.iter().map(|finding| format!("{} {}", finding.path, finding.message)).collect();
    assert_eq!(got, expected, "{change}");
    assert_eq!(reading.errors, []);
    assert_eq!(reading.value.is_none(), !expected.is_empty());
}

#[test]
fn what_a_schedule_does_not_carry_out_yet_is_named_at_its_path() {
    let sample = || edited(volumes(), SCHEDULE, &json!({"CreateRule": {"CronExpression": "cron(0 9 1 * ? *)"}}));
    check_not_supported(volumes(), SCHEDULE, json!({"CopyTags": true, "VariableTags": []}), &[]);
    for (name, rule) in [
        ("FastRestoreRule", json!({"Count": 1, "AvailabilityZones": ["us-west-2a"]})),
        ("ShareRules", json!([{"TargetAccounts": ["111122223333"]}])),
        ("ArchiveRule", json!({"RetainRule": {"RetentionArchiveTier": {"Count": 3}}})),
    ] {
        let expected = format!("PolicyDetails.Schedules[0].{name} not supported yet");
        check_not_supported(sample(), SCHEDULE, json!({name: rule}), &[&expected]);
    }
    let outpost = "arn:aws:outposts:us-east-1:123456789012:outpost/op-1234567890abcdef0";
    let copies = json!({"CrossRegionCopyRules": [{"Target": "us-west-2", "Encrypted": true}, {"Target": outpost, "Encrypted": true}]});
    let expected =
        "PolicyDetails.Schedules[0].CrossRegionCopyRules[1].Target a copy to an Outpost is not supported yet";
    check_not_supported(sample(), SCHEDULE, copies, &[expected]);
}

const IMAGE: &str = "PolicyDetails.PolicyType IMAGE_MANAGEMENT is not supported yet";
const DEFAULT_INSTANCE: &str = "DefaultPolicy INSTANCE is not supported yet";

#[test]
fn kinds_of_policy_that_are_not_carried_out_yet_are_named() {
    check_not_supported(instances(), DETAILS, json!({}), &[]);
    check_not_supported(images(), DETAILS, json!({}), &[IMAGE]);
    check_not_supported(
        images(),
        SCHEDULE,
        json!({"DeprecateRule": {"Count": 1}, "CopyTags": true}),
        &[IMAGE, "PolicyDetails.Schedules[0].DeprecateRule not supported yet"],
    );
    check_not_supported(
        instances(),
        SCHEDULE,
        scripts(json!({"ExecutionHandler": "x"})),
        &["PolicyDetails.Schedules[0].CreateRule.Scripts not supported yet"],
    );
    check_not_supported(
        events(),
        DETAILS,
        json!({}),
        &["PolicyDetails.PolicyType EVENT_BASED_POLICY is not supported yet"],
    );
    let copies = json!({"CrossRegionCopyTargets": [{"TargetRegion": "us-west-2"}]});
    check_not_supported(default_volumes(), POLICY, copies, &[]);
    let instance = json!({"DefaultPolicy": "INSTANCE", "ExtendDeletion": true, "CopyTags": true});
    check_not_supported(default_volumes(), POLICY, instance, &[DEFAULT_INSTANCE]);
    let read_back = json!({
        "DefaultPolicy": true,
        "PolicyDetails": {"PolicyType": "IMAGE_MANAGEMENT", "PolicyLanguage": "SIMPLIFIED", "ResourceType": "INSTANCE"}
    });
    check_not_supported(default_volumes(), POLICY, read_back, &[DEFAULT_INSTANCE, IMAGE]);
    check_not_supported(
        volumes(),
        DETAILS,
        json!({"ResourceLocations": ["OUTPOST"]}),
        &["PolicyDetails.ResourceLocations[0] OUTPOST is not supported yet"],
    );
}
