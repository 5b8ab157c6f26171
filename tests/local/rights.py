"""What each EC2 call asks IAM, and what the other roles of the template need.

NEEDS says it operation by operation. `questions(call)` puts it to IAM for a call that was really made and recorded by the local
AWS, with the real ids and tags; `sample_calls` are calls as the code makes them, for tests without a run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from iam import Request, Rules
from local_aws import ACCOUNT, REGION
from story import creation_tags
from template import Place, machine_text, resources
from wire import Call, is_reading

# Where the local AWS says it is.
LOCAL = Place(region=REGION, account=ACCOUNT)

POLICY_ID_TAG, COPIED_FROM_TAG = "opendlm:policy-id", "opendlm:copied-from"
OUR_TAGS = {
    POLICY_ID_TAG: "policy-0123456789abcdef0",
    "opendlm:schedule-name": "Default Schedule",
    "opendlm:scheduled-time": "2026-11-22T17:00:00Z",
}
TAGS_OF_A_COPY = {**OUR_TAGS, COPIED_FROM_TAG: "snap-0123456789abcdef0"}
# A resource that a call is about to make has no id yet, and its ARN ends with a star: Amazon EBS User Guide, "Example IAM
# policies for Amazon EBS", CopySnapshot.
NOT_YET = "*"

ANYTHING, INSTANCE, NEW_SNAPSHOT, SNAPSHOT, VOLUME = "anything", "instance", "new snapshot", "snapshot", "volume"
SOURCE_SNAPSHOT = "source snapshot"


@dataclass(frozen=True)
class Need:
    """One question that EC2 asks IAM about a call, for each of its resources of one kind."""

    action: str
    kind: str
    keys: tuple[str, ...]
    """The condition keys that AWS gives with the question. A condition on any other key never holds."""


ABOUT_A_SOURCE = ("aws:ResourceTag/", "ec2:Encrypted", "ec2:Region", "ec2:ResourceTag/", "ec2:VolumeSize", "ec2:VolumeType")
ABOUT_A_NEW_SNAPSHOT = ("aws:RequestTag/", "aws:TagKeys", "ec2:ParentVolume", "ec2:Region", "ec2:VolumeSize")
ABOUT_A_SNAPSHOT = ("aws:ResourceTag/", "ec2:Owner", "ec2:ParentVolume", "ec2:Region", "ec2:ResourceTag/", "ec2:SnapshotTime")
# Of what CopySnapshot reads, no tags. ec2:SourceRegion, which AWS names too, never held on AWS, and ec2:Owner held on the source only:
# recorded by others in September 2026.
ABOUT_A_SNAPSHOT_TO_COPY = ("ec2:Encrypted", "ec2:Owner", "ec2:ParentVolume", "ec2:Region", "ec2:SnapshotTime", "ec2:VolumeSize")
ABOUT_A_NEW_COPY = ("aws:RequestTag/", "aws:TagKeys", "ec2:Region")
ABOUT_NEW_TAGS = ("aws:RequestTag/", "aws:TagKeys", "ec2:CreateAction", "ec2:Region")

# Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2", as of August 2026: the resource
# types that are marked as required and their keys, of which the rare ones are left out here. The question about the tags of a
# new resource, and ec2:CreateAction with it: Amazon EC2 User Guide, "Grant permission to tag Amazon EC2 resources during
# creation".
TAGS_OF_A_NEW_SNAPSHOT = Need("ec2:CreateTags", NEW_SNAPSHOT, ABOUT_NEW_TAGS)
NEEDS = {
    "CopySnapshot": (
        Need("ec2:CopySnapshot", SOURCE_SNAPSHOT, ABOUT_A_SNAPSHOT_TO_COPY),
        Need("ec2:CopySnapshot", NEW_SNAPSHOT, ABOUT_A_NEW_COPY),
        TAGS_OF_A_NEW_SNAPSHOT,
    ),
    "CreateSnapshot": (
        Need("ec2:CreateSnapshot", VOLUME, ABOUT_A_SOURCE),
        Need("ec2:CreateSnapshot", NEW_SNAPSHOT, ABOUT_A_NEW_SNAPSHOT),
        TAGS_OF_A_NEW_SNAPSHOT,
    ),
    "CreateSnapshots": (
        Need("ec2:CreateSnapshots", INSTANCE, ("aws:ResourceTag/", "ec2:InstanceType", "ec2:Region", "ec2:ResourceTag/")),
        Need("ec2:CreateSnapshots", VOLUME, ABOUT_A_SOURCE),
        Need("ec2:CreateSnapshots", NEW_SNAPSHOT, ABOUT_A_NEW_SNAPSHOT),
        TAGS_OF_A_NEW_SNAPSHOT,
    ),
    "DeleteSnapshot": (Need("ec2:DeleteSnapshot", SNAPSHOT, ABOUT_A_SNAPSHOT),),
    "DescribeImages": (Need("ec2:DescribeImages", ANYTHING, ("ec2:Region",)),),
    "DescribeInstances": (Need("ec2:DescribeInstances", ANYTHING, ("ec2:Region",)),),
    "DescribeSnapshots": (Need("ec2:DescribeSnapshots", ANYTHING, ("ec2:Region",)),),
    "DescribeVolumes": (Need("ec2:DescribeVolumes", ANYTHING, ("ec2:Region",)),),
    # Service Authorization Reference, "Actions, resources, and condition keys for Service Quotas": no resource types, no keys.
    "ListServiceQuotas": (Need("servicequotas:ListServiceQuotas", ANYTHING, ()),),
}
# What is asked in the Regions that copies go to, and nowhere else.
OF_COPIES = {"CopySnapshot"}
# IAM User Guide, "AWS global condition context keys": in the context of every request.
ALWAYS_GIVEN = {"aws:RequestedRegion"}
ID_PREFIXES = {INSTANCE: "i-", SNAPSHOT: "snap-", VOLUME: "vol-"}


def questions(call: Call, place: Place) -> list[Request]:
    """What EC2 asks IAM about a call. Nothing where what it names does not exist: EC2 answers NotFound."""
    asked = []
    for need in NEEDS[call.Action]:
        if need is TAGS_OF_A_NEW_SNAPSHOT and not writes_tags(call):
            continue
        for id in ids_of(need.kind, call):
            asked += [Request(need.action, arn, context(need, call, id, place)) for arn in arns_of(need.kind, id, call, place)]
    return asked


def arns_of(kind: str, id: str, call: Call, place: Place) -> list[str]:
    """The ARN of a resource of a call, or those that it may have."""
    if kind == ANYTHING:
        return ["*"]
    if kind == SOURCE_SNAPSHOT:
        # Nothing says which Region the ARN of a snapshot names that is copied from another one. A role must allow both.
        regions = dict.fromkeys((call.Parameters["SourceRegion"], place.region))
        return [place.there(region).arn("snapshot", id) for region in regions]
    return [place.arn(kind.removeprefix("new "), id)]


def writes_tags(call: Call) -> bool:
    """Whether a call brings tags along for the snapshots that it makes; for anything else they would be another question.

    Whether copied tags alone ask for ec2:CreateTags is not documented. Here they do.
    """
    kinds = {value for name, value in call.Parameters.items() if name.endswith(".ResourceType")}
    if not kinds <= {"snapshot"}:
        raise ValueError(f"{call.Action} tags {sorted(kinds)}, expected snapshots only")
    return bool(creation_tags(call.Parameters)) or "CopyTagsFromSource" in call.Parameters


def ids_of(kind: str, call: Call) -> list[str]:
    """The ids of a call's resources of one kind."""
    if kind in (ANYTHING, NEW_SNAPSHOT):
        return [NOT_YET]
    if kind == SOURCE_SNAPSHOT:
        return [call.Parameters["SourceSnapshotId"]]
    return [id for id in call.Touched if id.startswith(ID_PREFIXES[kind])]


def context(need: Need, call: Call, id: str, place: Place) -> dict[str, str | tuple[str, ...]]:
    """The keys that AWS gives with a question, as far as the evaluator knows them."""
    given: dict[str, str | tuple[str, ...]] = {"aws:RequestedRegion": place.region, "ec2:Region": place.region}
    tags, requested = call.Touched.get(id, {}), creation_tags(call.Parameters)
    for family, values in (("aws:RequestTag/", requested), ("aws:ResourceTag/", tags), ("ec2:ResourceTag/", tags)):
        given |= {family + key: value for key, value in values.items() if family in need.keys}
    if "aws:TagKeys" in need.keys and requested:
        given["aws:TagKeys"] = tuple(requested)
    if "ec2:Owner" in need.keys:
        given["ec2:Owner"] = place.account
    if "ec2:CreateAction" in need.keys:
        given["ec2:CreateAction"] = call.Action
    return given


def refused(rules: Rules, calls: Iterable[Call], place: Place) -> list[Request]:
    """What rules would have refused of some calls. A call of an operation that NEEDS lacks is an error."""
    return [asked for call in calls for asked in questions(call, place) if not rules.allow(asked)]


def sample_calls() -> list[Call]:
    """A call of each operation at home, as the code makes it, about resources with tags that IAM must not care about."""
    tags = specified({"Name": "data", **OUR_TAGS})
    volume, instance, snapshot = "vol-0123456789abcdef0", "i-0123456789abcdef0", "snap-0123456789abcdef0"
    source = {volume: {"Name": "data"}}
    calls = [
        Call(0, 0, "CreateSnapshot", {"VolumeId": volume, **tags}, Touched=source),
        Call(0, 0, "CreateSnapshots", {"InstanceSpecification.InstanceId": instance, **tags}, Touched={instance: {}, **source}),
        Call(0, 0, "DeleteSnapshot", {"SnapshotId": snapshot}, Touched={snapshot: OUR_TAGS}),
    ]
    return calls + [Call(0, 0, action, {}) for action in NEEDS if is_reading(action)]


def copy_calls(home: str) -> list[Call]:
    """What the code calls in a Region that copies go to, for snapshots of its home Region."""
    source, copy = "snap-0123456789abcdef0", "snap-0fedcba9876543210"
    tags = specified({"Name": "data", **TAGS_OF_A_COPY})
    return [
        Call(0, 0, "CopySnapshot", {"SourceRegion": home, "SourceSnapshotId": source, **tags}),
        Call(0, 0, "DescribeSnapshots", {}),
        Call(0, 0, "DeleteSnapshot", {"SnapshotId": copy}, Touched={copy: TAGS_OF_A_COPY}),
    ]


def specified(tags: dict[str, str]) -> dict[str, str]:
    """The parameters that give tags to what a call makes."""
    named = {}
    for number, (key, value) in enumerate(tags.items(), 1):
        named |= {f"TagSpecification.1.Tag.{number}.Key": key, f"TagSpecification.1.Tag.{number}.Value": value}
    return named


def needs_of_copies(place: Place) -> list[Request]:
    """What the function needs in the Regions that copies go to; nothing where the place names none."""
    asked = []
    for there in map(place.there, place.copy_regions):
        asked += [each for call in copy_calls(place.region) for each in questions(call, there)]
        asked += key_needs_of_copies(there)
    return asked


def key_needs_of_copies(there: Place) -> list[Request]:
    """What EC2 does with the key of a new copy in the role's name; with the source's key it does CreateGrant only.

    Denied one by one on AWS, by others, within one Region, in September 2026: without one of these the copy is refused, or ends in
    error; without kms:Decrypt, kms:ReEncrypt* and kms:GenerateDataKey it is completed.
    """
    uses = ("kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext")
    return [each for each in key_needs(there) if each.action in uses]


def other_needs(role: str, place: Place) -> list[Request]:
    """What a role needs beyond EC2, read from where the template puts it to use."""
    if role == "StateMachineRole":
        return [
            *(Request("lambda:InvokeFunction", arn) for arn in functions_of_the_machine(place)),
            *needs_of_itself(place),
            Request("s3:GetObject", place.list()),
            *needs_of_telling(place),
        ]
    if role == "SchedulerRole":
        targets = [each["Target"] for each in resources("AWS::Scheduler::Schedule").values()]
        starts = [Request("states:StartExecution", place.resolve(each["Arn"])) for each in targets]
        return starts + [Request("sqs:SendMessage", place.resolve(each["DeadLetterConfig"]["Arn"])) for each in targets]
    if role == "UntoldRuleRole":
        [rule] = resources("AWS::Events::Rule").values()
        return [Request("states:StartExecution", place.resolve(target["Arn"])) for target in rule["Targets"]]
    if role == "UntoldRole":
        return needs_of_the_untold(place)
    return [*log_needs(place), *key_needs(place), Request("sts:AssumeRole", place.role())]


def needs_of_the_untold(place: Place) -> list[Request]:
    """What the machine behind the rule needs: the history of a run of the other machine, and the topic.

    Service Authorization Reference, "Actions, resources, and condition keys for AWS Step Functions": GetExecutionHistory is on an
    execution.
    """
    [(watched, _)] = resources("AWS::Serverless::StateMachine").items()
    [untold] = resources("AWS::StepFunctions::StateMachine").values()
    tasks = [state for state in json.loads(place.resolve(untold["DefinitionString"]))["States"].values() if state["Type"] == "Task"]
    calls = {task["Resource"].split(":states:::")[1] for task in tasks}
    assert calls == {"aws-sdk:sfn:getExecutionHistory", "sns:publish"}
    run = f"{place.arn_of(watched).replace(':stateMachine:', ':execution:')}:0123abcd"
    topics = [task["Parameters"]["TopicArn"] for task in tasks if task["Resource"].endswith(":sns:publish")]
    return [Request("states:GetExecutionHistory", run), *(Request("sns:Publish", topic) for topic in topics)]


INVOKE, START = "arn:aws:states:::lambda:invoke", "arn:aws:states:::states:startExecution"
READ = "arn:aws:states:::aws-sdk:s3:getObject"
PUBLISH, PUT_EVENTS = "arn:aws:states:::sns:publish", "arn:aws:states:::events:putEvents"


def states_of_the_machine(place: Place) -> list[dict]:
    """Every state of the state machine as it is deployed, those of its Maps too."""
    found = list(json.loads(machine_text(place))["States"].values())
    return found + [one for each in found if each["Type"] == "Map" for one in each["ItemProcessor"]["States"].values()]


def functions_of_the_machine(place: Place) -> list[str]:
    """The ARNs of the functions that the state machine's tasks call; a task of a kind that nobody knows is an error."""
    tasks = [state for state in states_of_the_machine(place) if state["Type"] == "Task"]
    known = {integration.replace("arn:aws:", f"arn:{place.partition}:") for integration in (INVOKE, PUBLISH, PUT_EVENTS, READ, START)}
    assert {task["Resource"] for task in tasks} == known
    return sorted({task["Parameters"]["FunctionName"] for task in tasks if task["Resource"].endswith(":lambda:invoke")})


def needs_of_telling(place: Place) -> list[Request]:
    """What the state machine needs to send a mail and to put an event on the default bus, where its tasks do so.

    AWS Step Functions Developer Guide, "IAM policies for calling Amazon SNS" and "IAM policies for calling Amazon EventBridge": on
    the topic, and on the bus.
    """
    tasks = [state for state in json.loads(machine_text(place))["States"].values() if state["Type"] == "Task"]
    topics = [task["Parameters"]["TopicArn"] for task in tasks if task["Resource"].endswith(":sns:publish")]
    entries = [task["Parameters"]["Entries"] for task in tasks if task["Resource"].endswith(":events:putEvents")]
    # Without a name it is the default bus.
    assert not any("EventBusName" in entry for each in entries for entry in each)
    return [*(Request("sns:Publish", topic) for topic in topics), *(Request("events:PutEvents", place.bus()) for _ in entries)]


def needs_of_itself(place: Place) -> list[Request]:
    """What the state machine needs to start itself anew, and to run a Distributed Map.

    AWS Step Functions Developer Guide, "IAM policies for calling nested Step Functions workflows" and "IAM policies for using
    Distributed Map states"; StopExecution, which only the former names, is for a Map Run that somebody stops.
    """
    [(name, _)] = resources("AWS::Serverless::StateMachine").items()
    states = states_of_the_machine(Place())
    [start] = [state for state in states if state.get("Resource") == START]
    assert start["Parameters"]["StateMachineArn.$"] == "$$.StateMachine.Id"
    maps = [state for state in states if state["Type"] == "Map"]
    assert {each["ItemProcessor"]["ProcessorConfig"]["Mode"] for each in maps} == {"DISTRIBUTED"}
    machine = place.arn_of(name)
    execution = machine.replace(":stateMachine:", ":execution:")
    runs = [f"{execution}:0123abcd", *(f"{execution}/{each['Label']}:0123abcd" for each in maps)]
    following = [Request(f"states:{action}", run) for run in runs for action in ("DescribeExecution", "StopExecution")]
    return [Request("states:StartExecution", machine), *following]


def log_needs(place: Place) -> list[Request]:
    """What Lambda does with the function's role to write its log into a group that exists: a stream, and lines.

    AWS Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs"; both are on the stream.
    """
    [function] = resources("AWS::Serverless::Function").values()
    group = place.arn_of(function["LoggingConfig"]["LogGroup"]["Ref"]).removesuffix(":*")
    stream = f"{group}:log-stream:2026/11/22/[$LATEST]0123456789abcdef0123456789abcdef"
    return [Request(f"logs:{action}", stream) for action in ("CreateLogStream", "PutLogEvents")]


def key_needs(place: Place) -> list[Request]:
    """What EC2 does with a customer managed key in the role's name.

    Amazon EBS User Guide, "Control access to Amazon Data Lifecycle Manager using IAM", Permissions for encryption; AWS KMS
    Developer Guide, "Condition keys for AWS KMS", kms:ViaService and kms:GrantIsForAWSResource.
    """
    via_ec2 = {"kms:ViaService": f"ec2.{place.region}.{place.domain}"}
    uses = ("Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo")
    grant = Request("kms:CreateGrant", place.key(), {**via_ec2, "kms:GrantIsForAWSResource": "true"})
    return [grant, *(Request(f"kms:{use}", place.key(), via_ec2) for use in uses)]
