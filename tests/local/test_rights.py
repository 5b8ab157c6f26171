"""The roles of template.yaml, held against what the code calls: they allow all of it, and nothing else.

Three parts meet here: rust_source.py finds out which EC2 operations the code calls, rights.py knows what each of them asks
IAM, and iam.py answers from the statements as they would be deployed. forbidden.py holds what must be refused, and mutants.py
breaks the roles, to show that all this would be noticed. test_rights_e2e.py does the same with calls that were really made.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

import forbidden
import iam
import mutants
import rights
import rust_source
from forbidden import in_request, on_resource
from iam import Request, Rules
from rights import ANYTHING, NEEDS, NEW_SNAPSHOT, OUR_TAGS, POLICY_ID_TAG, TAGS_OF_A_NEW_SNAPSHOT
from template import EVERYWHERE, ROOT, Place, resources, roles

HERE = Place()
PLACES = [*EVERYWHERE, Place(region="us-east-1")]
STATEMENTS = roles(HERE)
WIDE = [(role, what, mutant) for role, statements in STATEMENTS.items() for what, mutant in mutants.wide(statements)]
NARROW = [(role, what, mutant) for role, statements in STATEMENTS.items() for what, mutant in mutants.narrow(statements)]
SERVICES = {"FunctionRole": "lambda", "SchedulerRole": "scheduler", "StateMachineRole": "states"}
SERVICES |= {"UntoldRole": "states", "UntoldRuleRole": "events"}


def rules_of(role: str, place: Place = HERE) -> Rules:
    """The statements of a role as they are deployed at a place."""
    return iam.read(roles(place)[role])


def refused(role: str, rules: Rules, place: Place = HERE) -> list[Request]:
    """What a role needs and rules do not allow."""
    found = [each for each in rights.other_needs(role, place) if not rules.allow(each)]
    return found + (rights.refused(rules, rights.sample_calls(), place) if role == "FunctionRole" else [])


# What the code calls.


def test_the_table_of_needs_has_exactly_the_operations_that_the_code_calls():
    assert set(NEEDS) == rust_source.operations_called()


def test_only_snapshots_are_tagged_while_they_are_created():
    assert rust_source.kinds_tagged_while_creating() == {"snapshot"}
    making = {operation for operation in NEEDS if operation.startswith("Create")}
    assert making == {operation for operation, needs in NEEDS.items() if TAGS_OF_A_NEW_SNAPSHOT in needs}


def test_the_code_can_call_no_other_service_than_ec2_and_the_one_that_tells_its_limits():
    assert rust_source.sdks_linked("aws") == {"ec2", "servicequotas"}
    assert rust_source.sdks_linked("cli") == {"dlm", "scheduler", "sfn", "sns", "sqs", "sts"}


def test_the_page_on_policies_names_what_the_command_line_calls_of_scheduler():
    [words] = re.findall(r"`scheduler:GetScheduleGroup`,.*?iam:PassRole", (ROOT / "docs" / "policies.md").read_text(), re.DOTALL)
    named = {name.removeprefix("scheduler:") for name in re.findall(r"`([A-Za-z:]+)`", words)}
    assert named == rust_source.scheduler_operations_called()


def test_the_tag_of_the_conditions_is_the_one_that_the_code_writes():
    assert f'pub const POLICY_ID: &str = "{POLICY_ID_TAG}";' in rust_source.code(ROOT / "src" / "tags.rs")


# What the roles allow.


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.region)
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
    for statements in STATEMENTS.values():
        for statement in statements:
            assert statement["Effect"] == "Allow" and {"Action", "Resource"} <= set(statement), statement


def test_only_what_ec2_cannot_limit_is_allowed_on_everything():
    unlimited = {need.action for needs in NEEDS.values() for need in needs if need.kind == ANYTHING}
    for statement in [each for statements in STATEMENTS.values() for each in statements]:
        if "*" in iam.as_list(statement["Resource"]):
            service = iam.as_list(statement["Action"])[0].partition(":")[0]
            assert set(iam.as_list(statement["Action"])) == {each for each in unlimited if each.startswith(f"{service}:")}, statement


def keys_given(action: str, resource: str) -> set[str]:
    """The condition keys that AWS gives with an action on the resources of a pattern, by the tables of rights.py."""
    kind = resource.split(":")[-1].split("/")[0]
    of_ec2 = [need for needs in NEEDS.values() for need in needs if need.action == action]
    given = [set(need.keys) for need in of_ec2 if need.kind.removeprefix("new ") == kind]
    given += [set(asked.context) for asked in rights.other_needs("FunctionRole", HERE) if asked.action == action]
    assert given, f"nothing asks for {action} on {resource}"
    return set.intersection(*given)


def test_every_condition_is_on_a_key_that_aws_gives_with_the_action():
    """A condition on a key that is never there never holds, and the role would not do what it says."""
    for statement in [each for statements in STATEMENTS.values() for each in statements]:
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


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.region)
@pytest.mark.parametrize("role", STATEMENTS)
def test_a_role_refuses_everything_that_is_forbidden(role: str, place: Place):
    assert list(forbidden.holes(role, rules_of(role, place), place)) == []


@pytest.mark.parametrize("role", STATEMENTS)
def test_the_list_of_what_a_role_may_is_what_its_statements_say(role: str):
    named = {action for statement in STATEMENTS[role] for action in iam.as_list(statement["Action"])}
    assert named == set(forbidden.ALLOWED[role])
    assert named <= set(forbidden.every_action()), "the sweep must know every action that there is"


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
    check, call = apply.index("if ownership != Ownership::Ours"), apply.index(".delete_snapshot().snapshot_id(")
    assert check < call and apply.count(".delete_snapshot()") == 1


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


def test_the_roles_are_broken_in_every_way():
    """The number of mutants follows the template; this only holds that none of the kinds went missing."""
    kinds = {what.partition(": ")[2].split(" ")[0] for _, what, _ in WIDE + NARROW}
    assert {"Action", "Resource", "without", "left", "denied"} <= kinds
    touched = {(role, what.partition(":")[0]) for role, what, _ in WIDE}
    assert {(role, each["Sid"]) for role, statements in STATEMENTS.items() for each in statements} <= touched


def test_a_call_that_the_table_does_not_know_is_an_error():
    [call, *_] = rights.sample_calls()
    call.Action = "CopySnapshot"
    with pytest.raises(KeyError, match="CopySnapshot"):
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
