"""What no role of the template may do: a table with the reasons, and a sweep over every action of two dozen services.

`holes(role, rules, place)` are the entries that rules let pass, in words.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace

import botocore.session

from iam import Request, Rules
from rights import COPIED_FROM_TAG, OUR_TAGS, POLICY_ID_TAG, TAGS_OF_A_COPY
from rights import key_needs, needs_of_copies, other_needs, questions, sample_calls
from template import STACK, Place

Row = tuple[str, Request]
"""Why not, and what."""

OURS = "policy-0123456789abcdef0"
DLM_TAGS = {"aws:dlm:lifecycle-policy-id": OURS, "aws:dlm:lifecycle-schedule-name": "Default Schedule", "dlm:managed": "true"}
# Tags that look like ours and are not. IAM reads the names of tags without regard to case, so no condition can tell
# `OpenDLM:Policy-Id` from ours: there the role ends, and apply.rs's own look at the tag and the description goes on.
LOOK_ALIKES = {
    "no tags, so somebody made it by hand": {},
    "Amazon DLM made it": DLM_TAGS,
    "a shorter key": {"opendlm:policy": OURS},
    "a longer key": {"opendlm:policy-id-": OURS},
    "a key with a space": {"opendlm:policy-id ": OURS},
    "a key without the prefix": {"policy-id": OURS},
    "a key behind another prefix": {"x:opendlm:policy-id": OURS},
    "other punctuation": {"opendlm.policy-id": OURS, "opendlm:policy_id": OURS, "opendlm/policy-id": OURS},
    "the key as a value": {"note": POLICY_ID_TAG, "Name": OURS},
    "only the others of our tags": {key: value for key, value in OUR_TAGS.items() if key != POLICY_ID_TAG},
    "the tag of no policy": {POLICY_ID_TAG: ""},
}
# Tags of what is no copy of ours in a Region that copies go to.
NOT_OUR_COPIES = {why: {**tags, COPIED_FROM_TAG: "snap-0123456789abcdef0"} for why, tags in LOOK_ALIKES.items()} | {
    "no tags at all": {},
    "made of a volume there": OUR_TAGS,
    "a copy of nothing": {**OUR_TAGS, COPIED_FROM_TAG: ""},
    "a longer key of the source": {**OUR_TAGS, f"{COPIED_FROM_TAG}-": "snap-0123456789abcdef0"},
    "the source as a value": {**OUR_TAGS, "note": COPIED_FROM_TAG},
}
# What changes, shares, moves, locks or copies a snapshot, reads its data, or makes something of it.
OTHER_SNAPSHOT_ACTIONS = (
    "ebs:CompleteSnapshot ebs:GetSnapshotBlock ebs:ListChangedBlocks ebs:ListSnapshotBlocks ebs:PutSnapshotBlock"
    " ebs:StartSnapshot ec2:CopySnapshot ec2:CreateImage ec2:CreateVolume ec2:DeleteTags ec2:DescribeSnapshotAttribute"
    " ec2:DisableFastSnapshotRestores ec2:EnableFastSnapshotRestores ec2:ImportSnapshot ec2:LockSnapshot"
    " ec2:ModifySnapshotAttribute ec2:ModifySnapshotTier ec2:RegisterImage ec2:ResetSnapshotAttribute"
    " ec2:RestoreSnapshotFromRecycleBin ec2:RestoreSnapshotTier ec2:UnlockSnapshot"
).split()
OTHER_SOURCE_ACTIONS = {
    "instance": "CreateImage DeleteTags ModifyInstanceAttribute StartInstances StopInstances TerminateInstances",
    "volume": "AttachVolume CreateVolume DeleteTags DeleteVolume DetachVolume ModifyVolume ModifyVolumeAttribute",
}
# The sweep: botocore's name of each service, and the prefix of its actions in IAM. The operations of an API are the actions of
# the service but for a few, which are added.
SERVICES = {name: name for name in "autoscaling backup cloudformation cloudtrail config dlm ds ebs ec2 iam kms".split()}
SERVICES |= {name: name for name in "lambda logs organizations rbin rds s3 scheduler secretsmanager sns sqs ssm sts".split()}
SERVICES |= {"cloudwatch": "cloudwatch", "events": "events", "resourcegroupstaggingapi": "tag", "stepfunctions": "states"}
SERVICES |= {"service-quotas": "servicequotas"}
ACTIONS_WITHOUT_OPERATION = (
    "iam:PassRole kms:ReEncryptFrom kms:ReEncryptTo lambda:InvokeFunction lambda:InvokeFunctionUrl s3:DeleteObjectVersion"
    " s3:GetObjectVersion s3:ListAllMyBuckets s3:ListBucket s3:PutObjectVersionAcl"
).split()
# The only actions that each role may do anything with; the function's may do ec2:CopySnapshot too where copies have a Region.
ALLOWED = {
    "FunctionRole": (
        "ec2:CreateSnapshot ec2:CreateSnapshots ec2:CreateTags ec2:DeleteSnapshot ec2:DescribeImages ec2:DescribeInstances"
        " ec2:DescribeSnapshots ec2:DescribeVolumes kms:CreateGrant kms:Decrypt kms:DescribeKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom"
        " kms:ReEncryptTo logs:CreateLogStream logs:PutLogEvents servicequotas:ListServiceQuotas sts:AssumeRole"
    ).split(),
    "SchedulerRole": ["sqs:SendMessage", "states:StartExecution"],
    "StateMachineRole": [
        "events:PutEvents",
        "sns:Publish",
        "lambda:InvokeFunction",
        "s3:GetObject",
        "states:DescribeExecution",
        "states:StartExecution",
        "states:StopExecution",
    ],
    "UntoldRole": ["sns:Publish", "states:GetExecutionHistory"],
    "UntoldRuleRole": ["states:StartExecution"],
}


def allowed(role: str, place: Place) -> set[str]:
    """The actions that a role may do anything with at a place."""
    copying_too = role == "FunctionRole" and place.copy_regions
    return {*ALLOWED[role], "ec2:CopySnapshot"} if copying_too else set(ALLOWED[role])


def holes(role: str, rules: Rules, place: Place) -> Iterator[str]:
    """What rules let pass that the role must not do. It must be empty."""
    for why, request in rows(role, place):
        if rules.allow(request):
            yield f"{request.action} on {request.resource}: {why}"
    for action in every_action():
        if action not in allowed(role, place) and rules.mention(action):
            passing = [each for each in most_favourable(action, place) if rules.allow(each)]
            yield from (f"{action} on {each.resource}: it is on no list of the role" for each in passing[:1])


@functools.cache
def rows(role: str, place: Place) -> list[Row]:
    """The table for one role. No role may do what another one is for, except what it is for itself."""
    others = [(other, each) for other in ALLOWED if other != role for each in other_needs(other, place)]
    table = [(f"that is what {other} is for", each) for other, each in others if each not in other_needs(role, place)]
    if role != "FunctionRole":
        table += [("EC2 is the function's", each) for call in sample_calls() for each in questions(call, place)]
    table += [("it is somewhere else", each) for each in elsewhere(role, place)]
    table += [*deleting(place), *tagging(place), *creating(place), *changing(place), *using_keys(place)]
    table += [*copying(place), *copying_elsewhere(place), *using_keys_of_copies(place)]
    return [*table, *becoming_others(place), *reading_lists(place), *telling(place)]


def deleting(place: Place) -> Iterator[Row]:
    """Only a snapshot that carries the tag may be deleted, and nothing else with it."""
    snapshot = place.arn("snapshot", "snap-0123456789abcdef0")
    for why, tags in LOOK_ALIKES.items():
        theirs = on_resource(tags)
        yield why, Request("ec2:DeleteSnapshot", snapshot, theirs)
        # What a request brings along says nothing of what the snapshot is.
        yield f"{why}, whatever is asked", Request("ec2:DeleteSnapshot", snapshot, theirs | in_request(OUR_TAGS))
    for kind in ("image", "volume"):
        yield "not a snapshot", Request("ec2:DeleteSnapshot", place.arn(kind, "x-0123456789abcdef0"), on_resource(OUR_TAGS))


def tagging(place: Place) -> Iterator[Row]:
    """Tags may be written in the call that makes the snapshot, and never afterwards: who may tag could then delete."""
    snapshot = place.arn("snapshot", "snap-0123456789abcdef0")
    for whose, tags in (("somebody's", {}), ("our own", OUR_TAGS)):
        exists = on_resource(tags) | in_request(OUR_TAGS)
        yield f"{whose} snapshot exists already", Request("ec2:CreateTags", snapshot, exists)
        for action in ("CopySnapshot", "CreateImage", "CreateTags", "CreateVolume", "ImportSnapshot", "RunInstances", ""):
            context = {**exists, "ec2:CreateAction": action}
            yield f"{action!r} makes none of our snapshots", Request("ec2:CreateTags", snapshot, context)
    for kind in ("image", "instance", "volume"):
        for action in ("CreateSnapshot", "CreateSnapshots"):
            tags = {**in_request(OUR_TAGS), "ec2:CreateAction": action}
            yield f"a {kind} gets no tags", Request("ec2:CreateTags", place.arn(kind, "x-0123456789abcdef0"), tags)


def creating(place: Place) -> Iterator[Row]:
    """A snapshot is made only with the tag, of the account's own volumes: one without it nobody could find or delete again."""
    for action in ("ec2:CreateSnapshot", "ec2:CreateSnapshots"):
        for why, tags in LOOK_ALIKES.items():
            yield why, Request(action, place.arn("snapshot", "*"), in_request(tags))
        # The tags of the volume are none of the snapshot's.
        yield "only the volume is tagged", Request(action, place.arn("snapshot", "*"), on_resource(OUR_TAGS))
        for kind in ("image", "security-group"):
            yield "not a source of snapshots", Request(action, place.arn(kind, "x-0123456789abcdef0"), in_request(OUR_TAGS))
    yield "CreateSnapshot takes a volume", Request("ec2:CreateSnapshot", place.arn("instance", "i-0123456789abcdef0"))


def changing(place: Place) -> Iterator[Row]:
    """Snapshots, even our own, are made and deleted, and nothing else; volumes and instances are only read."""
    for tags in ({}, OUR_TAGS):
        context = on_resource(tags) | in_request(OUR_TAGS)
        for action in OTHER_SNAPSHOT_ACTIONS:
            for id in ("snap-0123456789abcdef0", "*"):
                yield "snapshots are made and deleted only", Request(action, place.arn("snapshot", id), context)
        for kind, actions in OTHER_SOURCE_ACTIONS.items():
            for action in actions.split():
                yield f"a {kind} is only read", Request(f"ec2:{action}", place.arn(kind, "x-0123456789abcdef0"), context)


def using_keys(place: Place) -> Iterator[Row]:
    """Keys are for EC2 alone to use, in the role's name."""
    for use in other_needs("FunctionRole", place):
        if not use.action.startswith("kms:"):
            continue
        yield "a key that nobody named", Request(use.action, place.key("another"), use.context)
        if use.action == "kms:CreateGrant":
            own = {**use.context, "kms:GrantIsForAWSResource": "false"}
            yield "a grant for ourselves", Request(use.action, use.resource, own)
            yield "a grant for anybody", Request(use.action, use.resource)
        else:
            yield "not through EC2", Request(use.action, use.resource)
            other = {"kms:ViaService": f"s3.{place.region}.{place.domain}"}
            yield "through another service", Request(use.action, use.resource, other)


def copying(place: Place) -> Iterator[Row]:
    """Where copies go they are made with both tags, of our own snapshots, and deleted with both tags; nothing else is done there."""
    for there in map(place.there, place.copy_regions):
        called, full = called_in(there), in_request(TAGS_OF_A_COPY)
        new, copy = there.arn("snapshot", "*"), there.arn("snapshot", "snap-0123456789abcdef0")
        for why, tags in NOT_OUR_COPIES.items():
            yield f"a copy with {why}", Request("ec2:CopySnapshot", new, called | in_request(tags))
            # AWS names an owner with the source alone.
            owned = called | {"ec2:Owner": place.account}
            yield f"a copy with {why}, of our own", Request("ec2:CopySnapshot", new, owned | in_request(tags))
            yield why, Request("ec2:DeleteSnapshot", copy, called | on_resource(tags))
            yield f"{why}, whatever is asked", Request("ec2:DeleteSnapshot", copy, called | on_resource(tags) | full)
        for source in (copy, place.arn("snapshot", "snap-0123456789abcdef0")):
            theirs = called | {"ec2:Owner": "210987654321"}
            yield "a snapshot that is somebody else's", Request("ec2:CopySnapshot", source, theirs)
        everything = called | full | on_resource(TAGS_OF_A_COPY)
        for resource in (new, copy):
            yield "no tags afterwards", Request("ec2:CreateTags", resource, everything)
            for action in ("CopyImage", "CreateImage", "CreateSnapshot", "CreateSnapshots", "CreateTags", "CreateVolume", ""):
                context = {**everything, "ec2:CreateAction": action}
                yield f"{action!r} makes no copy", Request("ec2:CreateTags", resource, context)
            for action in {*OTHER_SNAPSHOT_ACTIONS, "ec2:CreateSnapshot", "ec2:CreateSnapshots"} - {"ec2:CopySnapshot"}:
                yield "copies are made and deleted only", Request(action, resource, everything)
        for kind in ("image", "instance", "volume"):
            context = {**everything, "ec2:CreateAction": "CopySnapshot", "ec2:Owner": place.account}
            for action in ("CopySnapshot", "CreateSnapshot", "CreateSnapshots", "CreateTags", "DeleteSnapshot"):
                yield f"a {kind} is no copy", Request(f"ec2:{action}", there.arn(kind, "x-0123456789abcdef0"), context)


def copying_elsewhere(place: Place) -> Iterator[Row]:
    """Nothing is copied to a Region that nobody named, and nothing that is there is deleted: our own Region is none either."""
    named = set(place.copy_regions)
    for region in {place.region, "us-west-2", "ap-southeast-2", "eu-west-1", "eu-west-2"} - named:
        far = place.there(region)
        yield from full_requests(place, far, called_in(far))
    for there in map(place.there, place.copy_regions):
        # The Region in an ARN is not the one that is called.
        yield from full_requests(place, there, called_in(place))
        yield from full_requests(place, there, {})


def full_requests(place: Place, far: Place, called: dict[str, str]) -> Iterator[Row]:
    """Everything about a copy in a Region, with all tags and by the rules, but for the Region."""
    full, source = in_request(TAGS_OF_A_COPY), "snap-0123456789abcdef0"
    why = f"no copies go to {far.region} when {called.get('aws:RequestedRegion', 'no Region')} is called"
    for arn in (far.arn("snapshot", source), place.arn("snapshot", source)):
        yield why, Request("ec2:CopySnapshot", arn, {**called, "ec2:Owner": place.account})
    yield why, Request("ec2:CopySnapshot", far.arn("snapshot", "*"), called | full)
    yield why, Request("ec2:CreateTags", far.arn("snapshot", "*"), {**called, **full, "ec2:CreateAction": "CopySnapshot"})
    # At home what carries the policy's tag may be deleted, copy or not.
    if not {far.region, called.get("aws:RequestedRegion")} & {*place.regions, place.region}:
        yield why, Request("ec2:DeleteSnapshot", far.arn("snapshot", source), called | on_resource(TAGS_OF_A_COPY))


def using_keys_of_copies(place: Place) -> Iterator[Row]:
    """Where copies go, a key is used for a new copy only, through EC2 there."""
    for there in map(place.there, place.copy_regions):
        needed = [each for each in needs_of_copies(place) if each.resource == there.key()]
        for use in needed:
            others = (there.key("another"), there.there("us-west-2").key(), replace(there, account="210987654321").key())
            yield from (("a key that nobody named", Request(use.action, key, use.context)) for key in others)
            if use.action == "kms:CreateGrant":
                yield "a grant for ourselves", Request(use.action, use.resource, {**use.context, "kms:GrantIsForAWSResource": "false"})
                continue
            yield "not through EC2", Request(use.action, use.resource)
            for other in (f"s3.{there.region}.{there.domain}", f"ec2.us-west-2.{there.domain}", f"ec2.{there.region}1.{there.domain}"):
                yield "not through EC2 there", Request(use.action, use.resource, {"kms:ViaService": other})
        for use in key_needs(there):
            if use.action not in {each.action for each in needed}:
                yield "a copy does not ask for it", use


def called_in(place: Place) -> dict[str, str]:
    """The context of a request in a Region."""
    return {"aws:RequestedRegion": place.region, "ec2:Region": place.region}


def becoming_others(place: Place) -> Iterator[Row]:
    """Only the roles that somebody named may be assumed, to the letter: a role has no Region, and its name no pattern."""
    others = [place.role("another"), place.role("opendlm-target-2"), place.role("Admin", place.account)]
    for arn in [*others, place.role(account="210987654321")]:
        yield "a role that nobody named", Request("sts:AssumeRole", arn)
    yield "assumed by its name alone", Request("sts:AssumeRoleWithWebIdentity", place.role())


def reading_lists(place: Place) -> Iterator[Row]:
    """Only the objects that somebody named may be read, to the letter, and nothing written."""
    for arn in (place.list(key="opendlm/targets.json2"), place.list(key="another.json"), place.list("another-bucket")):
        yield "an object that nobody named", Request("s3:GetObject", arn)
    for action in ("DeleteObject", "GetObjectVersion", "PutObject"):
        yield "a list is only read", Request(f"s3:{action}", place.list())
    yield "a bucket is not listed", Request("s3:ListBucket", place.list().partition("/")[0])


def telling(place: Place) -> Iterator[Row]:
    """Events go to the default bus and to no other, whose rules may be somebody else's; nobody is subscribed."""
    yield "a bus that is not the default one", Request("events:PutEvents", place.bus("another"))
    yield "nobody is subscribed", Request("sns:Subscribe", place.arn_of("AlarmTopic"))


def elsewhere(role: str, place: Place) -> Iterator[Request]:
    """What the role may do, but in another Region, in another account, or to the resources of another stack."""
    for other in (replace(place, region="us-west-2"), replace(place, account="210987654321")):
        # The roles of targets and their lists are the same wherever the function is.
        for need in [each for each in other_needs(role, other) if each.action not in ("s3:GetObject", "sts:AssumeRole")]:
            # The endpoint that is asked stays the one of our Region.
            via = {"kms:ViaService": f"ec2.{place.region}.{place.domain}"} if "kms:ViaService" in need.context else {}
            yield Request(need.action, need.resource, {**need.context, **via})
        if role == "FunctionRole":
            yield from (Request(f"ec2:{each}", other.arn("volume", "vol-1")) for each in ("CreateSnapshot", "CreateSnapshots"))
            yield Request("ec2:CreateSnapshots", other.arn("instance", "i-1"))
    if role == "FunctionRole":
        # The ARN of a snapshot names no account: nobody else's shows its tags to ours, and only its owner may delete it.
        far = replace(place, region="us-west-2").arn("snapshot", "snap-1")
        yield Request("ec2:DeleteSnapshot", far, on_resource(OUR_TAGS))
        for action in ("CreateSnapshot", "CreateSnapshots"):
            yield Request(f"ec2:{action}", far, in_request(OUR_TAGS))
            yield Request("ec2:CreateTags", far, {**in_request(OUR_TAGS), "ec2:CreateAction": action})
    for need in other_needs(role, place):
        if STACK in need.resource:
            yield Request(need.action, need.resource.replace(STACK, f"{STACK}-two"), need.context)


def most_favourable(action: str, place: Place) -> Iterator[Request]:
    """An action on a resource of every kind that a role knows, with everything in the context that opens a condition."""
    resources = ["*", f"arn:{place.partition}:s3:::bucket/key", f"arn:{place.partition}:iam::{place.account}:role/any"]
    wheres = [place, *map(place.there, place.copy_regions)]
    resources += [each.arn(kind, "x-0123456789abcdef0") for each in wheres for kind in ("image", "instance", "snapshot", "volume")]
    resources += [need.resource for role in ALLOWED for need in other_needs(role, place)]
    resources += [need.resource for need in needs_of_copies(place)]
    made_by = [(place, "CreateSnapshot"), (place, "CreateSnapshots"), *((each, "CopySnapshot") for each in wheres[1:])]
    for where, create_action in made_by:
        context = {
            **on_resource(TAGS_OF_A_COPY),
            **in_request(TAGS_OF_A_COPY),
            **called_in(where),
            "ec2:CreateAction": create_action,
            "ec2:Owner": place.account,
            "kms:GrantIsForAWSResource": "true",
            "kms:ViaService": f"ec2.{where.region}.{where.domain}",
        }
        yield from (Request(action, resource, context) for resource in dict.fromkeys(resources))


@functools.cache
def every_action() -> tuple[str, ...]:
    """Every action of SERVICES, by the operations of their APIs."""
    session = botocore.session.get_session()
    operations = {prefix: session.get_service_model(name).operation_names for name, prefix in SERVICES.items()}
    found = {f"{prefix}:{operation}" for prefix, names in operations.items() for operation in names}
    return tuple(sorted(found | set(ACTIONS_WITHOUT_OPERATION)))


def on_resource(tags: dict[str, str]) -> dict[str, str]:
    """The context of a resource that carries tags."""
    return {f"{family}/{key}": value for family in ("aws:ResourceTag", "ec2:ResourceTag") for key, value in tags.items()}


def in_request(tags: dict[str, str]) -> dict[str, str | tuple[str, ...]]:
    """The context of a request that brings tags along."""
    keys = {"aws:TagKeys": tuple(tags)} if tags else {}
    return {**{f"aws:RequestTag/{key}": value for key, value in tags.items()}, **keys}
