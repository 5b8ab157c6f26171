"""The roles of template.yaml, held against what the code calls: they allow all of it, and nothing else.

Three parts meet here: rust_source.py finds out which EC2 operations the code calls, rights.py knows what each of them asks
IAM, and iam.py answers from the statements as they would be deployed. forbidden.py holds what must be refused, and mutants.py
breaks the roles, to show that all this would be noticed. test_rights_e2e.py does the same with calls that were really made.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

import forbidden
import iam
import mutants
import rights
import rust_source
from forbidden import in_request, on_resource
from iam import Request, Rules
from rights import ANYTHING, COPIED_FROM_TAG, NEEDS, NEW_SNAPSHOT, OF_COPIES, OUR_TAGS, POLICY_ID_TAG, SOURCE_SNAPSHOT
from rights import TAGS_OF_A_COPY, TAGS_OF_A_NEW_SNAPSHOT
from template import EVERYWHERE, ROOT, Place, resources, roles, template

HERE = Place()
COPY_REGIONS = ("eu-west-1", "eu-west-2")
COPYING = replace(HERE, copy_regions=COPY_REGIONS)
PLACES = [*EVERYWHERE, Place(region="us-east-1")]
PLACES += [replace(place, copy_regions=COPY_REGIONS) for place in PLACES]
STATEMENTS = roles(HERE)
# What a stack with copies has beside those.
OF_COPYING = [each for each in roles(COPYING)["FunctionRole"] if each["Sid"] not in {one["Sid"] for one in STATEMENTS["FunctionRole"]}]
WIDE = [(role, what, mutant) for role, statements in STATEMENTS.items() for what, mutant in mutants.wide(statements)]
NARROW = [(role, what, mutant) for role, statements in STATEMENTS.items() for what, mutant in mutants.narrow(statements)]
SIDS_OF_COPYING = {each["Sid"] for each in OF_COPYING}
WIDE_COPYING = [
    (what, mutant)
    for what, mutant in mutants.wide(roles(COPYING)["FunctionRole"])
    if what.partition(":")[0] in {"added", *SIDS_OF_COPYING}
]
NARROW_COPYING = [
    (what, mutant) for what, mutant in mutants.narrow(roles(COPYING)["FunctionRole"]) if what.partition(":")[0] in SIDS_OF_COPYING
]
SERVICES = {"FunctionRole": "lambda", "SchedulerRole": "scheduler", "StateMachineRole": "states"}
SERVICES |= {"UntoldRole": "states", "UntoldRuleRole": "events"}


def rules_of(role: str, place: Place = HERE) -> Rules:
    """The statements of a role as they are deployed at a place."""
    return iam.read(roles(place)[role])


def refused(role: str, rules: Rules, place: Place = HERE) -> list[Request]:
    """What a role needs and rules do not allow."""
    found = [each for each in rights.other_needs(role, place) if not rules.allow(each)]
    if role != "FunctionRole":
        return found
    copying = [each for each in rights.needs_of_copies(place) if not rules.allow(each)]
    return found + rights.refused(rules, rights.sample_calls(), place) + copying


def named(place: Place) -> str:
    """The name of a place in pytest's output."""
    return f"{place.region}{' with copies' if place.copy_regions else ''}"


# What the code calls.


def test_the_table_of_needs_has_exactly_the_operations_that_the_code_calls():
    assert set(NEEDS) == rust_source.operations_called() >= OF_COPIES


def test_only_snapshots_are_tagged_while_they_are_created():
    assert rust_source.kinds_tagged_while_creating() == {"snapshot"}
    making = {operation for operation in NEEDS if operation.startswith(("Copy", "Create"))}
    assert making == {operation for operation, needs in NEEDS.items() if TAGS_OF_A_NEW_SNAPSHOT in needs}


def test_the_code_can_call_no_other_service_than_ec2_and_the_one_that_tells_its_limits():
    assert rust_source.sdks_linked("aws") == {"ec2", "servicequotas"}
    assert rust_source.sdks_linked("cli") == {"dlm", "scheduler", "sfn", "sns", "sqs", "sts"}


def test_the_page_on_policies_names_what_the_command_line_calls_of_scheduler():
    [words] = re.findall(r"`scheduler:GetScheduleGroup`,.*?iam:PassRole", (ROOT / "docs" / "policies.md").read_text(), re.DOTALL)
    named = {name.removeprefix("scheduler:") for name in re.findall(r"`([A-Za-z:]+)`", words)}
    assert named == rust_source.scheduler_operations_called()


def test_the_tags_of_the_conditions_are_those_that_the_code_writes():
    text = rust_source.code(ROOT / "src" / "tags.rs")
    assert f'pub const POLICY_ID: &str = "{POLICY_ID_TAG}";' in text
    assert f'pub const COPIED_FROM: &str = "{COPIED_FROM_TAG}";' in text


# What the roles allow.


@pytest.mark.parametrize("place", PLACES, ids=named)
@pytest.mark.parametrize("role", STATEMENTS)
def test_a_role_allows_everything_that_it_is_for_in_every_partition(role: str, place: Place):
    assert refused(role, rules_of(role, place), place) == []


def test_the_tags_of_a_volume_or_an_instance_do_not_matter():
    """A copied tag that looks like ours, in another spelling or of another policy, must not stop a backup."""
    rules = rules_of("FunctionRole")
    for tags in ({}, OUR_TAGS, {"opendlm:policy-id": "policy-of-another"}, {"Owner": "", "aws:cloudformation:stack-name": "x"}):
        for action, kind in (("CreateSnapshot", "volume"), ("CreateSnapshots", "volume"), ("CreateSnapshots", "instance")):
            assert rules.allow(Request(f"ec2:{action}", HERE.arn(kind, "x-1"), on_resource(tags))), (action, kind, tags)


def test_nothing_is_denied_or_turned_around():
    """With Allow, Action and Resource alone, what a role may do is the sum of its statements, and can be read off them."""
    for statements in roles(COPYING).values():
        for statement in statements:
            assert statement["Effect"] == "Allow" and {"Action", "Resource"} <= set(statement), statement


def test_only_what_ec2_cannot_limit_is_allowed_on_everything():
    unlimited = {need.action for needs in NEEDS.values() for need in needs if need.kind == ANYTHING}
    for statement in [each for statements in roles(COPYING).values() for each in statements]:
        if "*" in iam.as_list(statement["Resource"]):
            service = iam.as_list(statement["Action"])[0].partition(":")[0]
            assert set(iam.as_list(statement["Action"])) == {each for each in unlimited if each.startswith(f"{service}:")}, statement


def keys_given(action: str, resource: str) -> set[str]:
    """The condition keys that AWS gives with an action on the resources of a pattern, by the tables of rights.py."""
    kind = resource.split(":")[-1].split("/")[0]
    # A new snapshot has no id yet: what names the beginning of one is about the source of a copy.
    kinds = {SOURCE_SNAPSHOT} if resource.endswith(":snapshot/snap-*") else {kind, f"new {kind}"}
    of_ec2 = [need for needs in NEEDS.values() for need in needs if need.action == action]
    given = [set(need.keys) for need in of_ec2 if need.kind in kinds]
    others = [*rights.other_needs("FunctionRole", HERE), *rights.key_needs_of_copies(HERE)]
    given += [set(asked.context) for asked in others if asked.action == action]
    assert given, f"nothing asks for {action} on {resource}"
    return set.intersection(*given) | rights.ALWAYS_GIVEN


def test_every_condition_is_on_a_key_that_aws_gives_with_the_action():
    """A condition on a key that is never there never holds, and the role would not do what it says."""
    for statement in [each for statements in roles(COPYING).values() for each in statements]:
        for _, key, _ in mutants.conditions(statement):
            family = key.partition("/")[0] + "/" if "/" in key else key
            for action in iam.as_list(statement["Action"]):
                for resource in iam.as_list(statement["Resource"]):
                    assert family in keys_given(action, resource), (statement["Sid"], action, key)


def test_no_permission_comes_from_anywhere_else():
    """SAM adds managed policies to a role that it makes itself, and events of its own bring roles of their own."""
    for name, role in resources("AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role, name
    for kind in ("AWS::Serverless::Function", "AWS::Serverless::StateMachine"):
        for name, properties in resources(kind).items():
            assert "Role" in properties, name
            assert not {"Policies", "Events", "Tracing", "Logging"} & set(properties), name


def test_each_role_trusts_the_one_service_that_uses_it():
    """And only in our own account; for a function's role Lambda documents no such key."""
    for name, role in resources("AWS::IAM::Role").items():
        [trust] = HERE.resolve(role["AssumeRolePolicyDocument"])["Statement"]
        ours = {} if name == "FunctionRole" else {"Condition": {"StringEquals": {"aws:SourceAccount": HERE.account}}}
        service = {"Service": f"{SERVICES[name]}.amazonaws.com"}
        assert trust == {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole", **ours}, name


# What the roles refuse.


@pytest.mark.parametrize("place", PLACES, ids=named)
@pytest.mark.parametrize("role", STATEMENTS)
def test_a_role_refuses_everything_that_is_forbidden(role: str, place: Place):
    assert list(forbidden.holes(role, rules_of(role, place), place)) == []


@pytest.mark.parametrize("place", [HERE, COPYING], ids=named)
@pytest.mark.parametrize("role", STATEMENTS)
def test_the_list_of_what_a_role_may_is_what_its_statements_say(role: str, place: Place):
    said = {action for statement in roles(place)[role] for action in iam.as_list(statement["Action"])}
    assert said == forbidden.allowed(role, place)
    assert said <= set(forbidden.every_action()), "the sweep must know every action that there is"


@pytest.mark.parametrize("why", forbidden.LOOK_ALIKES)
def test_a_snapshot_that_opendlm_did_not_make_cannot_be_deleted_tagged_or_changed(why: str):
    rules, snapshot = rules_of("FunctionRole"), HERE.arn("snapshot", "snap-0123456789abcdef0")
    theirs = on_resource(forbidden.LOOK_ALIKES[why]) | in_request(OUR_TAGS)
    passing = [each for each in forbidden.every_action() if rules.allow(Request(each, snapshot, theirs))]
    # It can be seen, and a new snapshot can be made, which has nothing to do with one that is there.
    writing = [each for each in passing if not each.startswith(("ec2:Describe", "servicequotas:List"))]
    assert writing == ["ec2:CreateSnapshot", "ec2:CreateSnapshots"]


def test_the_role_ends_where_iam_does_not_tell_tags_apart():
    """IAM has no case in the names of tags, and anybody who may tag can write ours: there the code's own check goes on.

    `not_ours` in src/aws/apply.rs compares the tag to the letter, and the description that nobody can change.
    """
    rules, snapshot = rules_of("FunctionRole"), HERE.arn("snapshot", "snap-0123456789abcdef0")
    for tags in ({"OpenDLM:Policy-Id": "x"}, {POLICY_ID_TAG: "forged"}):
        assert rules.allow(Request("ec2:DeleteSnapshot", snapshot, on_resource(tags)))
    apply = rust_source.code(ROOT / "src" / "aws" / "apply.rs")
    check, call = apply.index("if let Some(failed) = not_ours(delete)"), apply.index(".delete_snapshot().snapshot_id(")
    assert check < call and apply.count(".delete_snapshot()") == 1


# Copies. The rows of forbidden.copying and the rest are in the tests above already; here stands what they amount to.


def test_a_stack_without_copies_has_not_one_statement_about_them():
    assert not [each for statements in STATEMENTS.values() for each in statements if "cop" in str(each).lower()]
    # Nor one about keys, where it names none.
    assert template()["Resources"]["FunctionCopyKeysPolicy"]["Condition"] == "HasCopyKeys"
    both = [{"Condition": "HasCopyRegions"}, {"Condition": "HasKmsKeys"}]
    assert template()["Conditions"]["HasCopyKeys"] == {"Fn::And": both}
    asked = [each for each in rights.needs_of_copies(COPYING) if each.action == "ec2:CopySnapshot"]
    assert asked and not any(rules_of("FunctionRole").allow(each) for each in asked)
    assert not rules_of("FunctionRole").mention("ec2:CopySnapshot")


def test_a_stack_with_copies_has_the_same_statements_for_the_rest():
    """But for the keys, of which it names more."""
    before, now = ([each for each in roles(place)["FunctionRole"] if "kms:" not in str(each)] for place in (HERE, COPYING))
    assert [each for each in now if each["Sid"] not in SIDS_OF_COPYING] == before
    others = [{role: each for role, each in roles(place).items() if role != "FunctionRole"} for place in (HERE, COPYING)]
    assert others[0] == others[1]


def test_the_function_is_told_the_regions_of_its_role():
    function = resources("AWS::Serverless::Function")["OpendlmFunction"]
    assert COPYING.resolve(function["Environment"]) == {"Variables": {"OPENDLM_COPY_REGIONS": "eu-west-1,eu-west-2"}}
    assert HERE.resolve(function["Environment"]) == {"Variables": {}}


@pytest.mark.parametrize("region", COPY_REGIONS)
@pytest.mark.parametrize("left_out", [POLICY_ID_TAG, COPIED_FROM_TAG])
def test_a_copy_is_made_with_both_tags_and_deleted_with_both(region: str, left_out: str):
    rules, there = rules_of("FunctionRole", COPYING), COPYING.there(region)
    called, new, copy = forbidden.called_in(there), there.arn("snapshot", "*"), there.arn("snapshot", "snap-1")
    less = {key: value for key, value in TAGS_OF_A_COPY.items() if key != left_out}
    for tags, allowed in ((TAGS_OF_A_COPY, True), (less, False), ({**less, left_out: ""}, False)):
        assert rules.allow(Request("ec2:CopySnapshot", new, called | in_request(tags))) == allowed
        assert rules.allow(Request("ec2:DeleteSnapshot", copy, called | on_resource(tags))) == allowed


@pytest.mark.parametrize("region", [HERE.region, "us-west-2"])
def test_nothing_is_copied_to_a_region_that_nobody_named(region: str):
    """Not even to the function's own."""
    far = COPYING.there(region)
    calls = [call for call in rights.copy_calls("eu-west-1") if call.Action == "CopySnapshot"]
    asked = [each for call in calls for each in rights.questions(call, far)]
    assert {each.action for each in asked} == {"ec2:CopySnapshot", "ec2:CreateTags"}
    assert [each for each in asked if rules_of("FunctionRole", COPYING).allow(each)] == []


def test_a_copy_there_is_deleted_in_the_named_regions_only():
    rules = rules_of("FunctionRole", COPYING)
    passing = set()
    for there in map(COPYING.there, (*COPY_REGIONS, "us-west-2", "ap-southeast-2")):
        context = forbidden.called_in(there) | on_resource(TAGS_OF_A_COPY)
        if rules.allow(Request("ec2:DeleteSnapshot", there.arn("snapshot", "snap-1"), context)):
            passing.add(there.region)
    assert passing == set(COPY_REGIONS)


@pytest.mark.parametrize("why", forbidden.NOT_OUR_COPIES)
def test_what_is_no_copy_of_ours_cannot_be_deleted_tagged_or_changed_where_copies_go(why: str):
    rules, there = rules_of("FunctionRole", COPYING), COPYING.there("eu-west-1")
    theirs = forbidden.called_in(there) | on_resource(forbidden.NOT_OUR_COPIES[why]) | in_request(TAGS_OF_A_COPY)
    passing = [each for each in forbidden.every_action() if rules.allow(Request(each, there.arn("snapshot", "snap-1"), theirs))]
    writing = [each for each in passing if not each.startswith(("ec2:Describe", "servicequotas:List"))]
    # It can be copied, into the account that has it: CopySnapshot says nothing of the source's tags. The code looks at them first.
    assert writing == ["ec2:CopySnapshot"]


def test_a_copy_of_ours_can_be_deleted_and_nothing_else():
    """No tag afterwards, no sharing, no archive, no lock; a copy of a copy would be a new one, with tags of its own."""
    rules, there = rules_of("FunctionRole", COPYING), COPYING.there("eu-west-1")
    context = forbidden.called_in(there) | on_resource(TAGS_OF_A_COPY) | in_request(TAGS_OF_A_COPY)
    passing = [each for each in forbidden.every_action() if rules.allow(Request(each, there.arn("snapshot", "snap-1"), context))]
    writing = [each for each in passing if not each.startswith(("ec2:Describe", "servicequotas:List"))]
    assert writing == ["ec2:CopySnapshot", "ec2:DeleteSnapshot"]


def test_only_the_accounts_own_snapshots_are_copied_as_far_as_aws_says_whose_they_are():
    rules, there = rules_of("FunctionRole", COPYING), COPYING.there("eu-west-1")
    source, called = HERE.arn("snapshot", "snap-1"), forbidden.called_in(there)
    # Whether AWS gives the key for a source in another Region is not known (docs/unseen-on-aws.md).
    for owner, allowed in ((HERE.account, True), ("210987654321", False), (None, True)):
        context = {**called, "ec2:Owner": owner} if owner else called
        assert rules.allow(Request("ec2:CopySnapshot", source, context)) == allowed, owner


def test_no_condition_is_on_what_was_seen_not_to_hold():
    keys = {key for place in (COPYING, HERE) for statement in roles(place)["FunctionRole"] for _, key, _ in mutants.conditions(statement)}
    assert "ec2:SourceRegion" not in keys
    [new] = [each for each in OF_COPYING if each["Sid"] == "CopyOnlyWithOurTags"]
    assert not {"ec2:Owner", "aws:ResourceTag/opendlm:policy-id"} & {key for _, key, _ in mutants.conditions(new)}


def test_the_policies_of_a_role_fit_with_ten_regions_and_ten_keys():
    """IAM User Guide, "IAM and AWS STS quotas": 10,240 characters for all inline policies of a role, white space not counted."""
    regions = tuple(f"ap-southeast-{number}" for number in range(1, 11))
    text = re.sub(r"\s", "", str(roles(replace(HERE, copy_regions=regions))["FunctionRole"]))
    assert len(text) < 10_240


# Whether all this would be noticed.


def ids(mutant: tuple[str, str, Any]) -> str:
    """The name of a mutant in pytest's output."""
    return f"{mutant[0]} {mutant[1]}"


@pytest.mark.parametrize("mutant", WIDE, ids=ids)
def test_a_role_that_allows_more_is_noticed(mutant: tuple[str, str, list[dict[str, Any]]]):
    role, _, statements = mutant
    assert next(forbidden.holes(role, iam.read(statements), HERE), None)


@pytest.mark.parametrize("mutant", NARROW, ids=ids)
def test_a_role_that_allows_less_is_noticed(mutant: tuple[str, str, list[dict[str, Any]]]):
    role, _, statements = mutant
    assert refused(role, iam.read(statements))


@pytest.mark.parametrize(("what", "statements"), WIDE_COPYING, ids=[what for what, _ in WIDE_COPYING])
def test_a_role_with_copies_that_allows_more_is_noticed(what: str, statements: list[dict[str, Any]]):
    assert next(forbidden.holes("FunctionRole", iam.read(statements), COPYING), None), what


@pytest.mark.parametrize(("what", "statements"), NARROW_COPYING, ids=[what for what, _ in NARROW_COPYING])
def test_a_role_with_copies_that_allows_less_is_noticed(what: str, statements: list[dict[str, Any]]):
    assert refused("FunctionRole", iam.read(statements), COPYING), what


def test_the_roles_are_broken_in_every_way():
    """The number of mutants follows the template; this only holds that none of the kinds went missing."""
    kinds = {what.partition(": ")[2].split(" ")[0] for _, what, _ in WIDE + NARROW}
    assert {"Action", "Resource", "without", "left", "denied"} <= kinds
    touched = {(role, what.partition(":")[0]) for role, what, _ in WIDE}
    assert {(role, each["Sid"]) for role, statements in STATEMENTS.items() for each in statements} <= touched
    for broken in (WIDE_COPYING, NARROW_COPYING):
        assert SIDS_OF_COPYING <= {what.partition(":")[0] for what, _ in broken}


def test_a_call_that_the_table_does_not_know_is_an_error():
    [call, *_] = rights.sample_calls()
    call.Action = "CopyImage"
    with pytest.raises(KeyError, match="CopyImage"):
        rights.questions(call, HERE)


def test_a_creation_without_tags_asks_nothing_about_tags():
    [call, *_] = rights.sample_calls()
    call.Parameters = {"VolumeId": call.Parameters["VolumeId"]}
    asked = rights.questions(call, HERE)
    assert [each.action for each in asked] == ["ec2:CreateSnapshot"] * 2
    # It would be refused all the same: nobody could ever delete what it makes.
    refused_snapshot = [each for each in asked if not rules_of("FunctionRole").allow(each)]
    assert [each.resource for each in refused_snapshot] == [HERE.arn("snapshot", "*")]
    assert NEW_SNAPSHOT in {need.kind for need in NEEDS[call.Action]}
