"""target-role.yaml, held against template.yaml: in another account the function may do what it may do at home, and no more.

What its statements may be at home is test_rights.py's; here they have to be the same, but for the Regions.
"""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import Any

import pytest

import forbidden
import iam
import rights
import rust_source
from iam import Request, Rules
from template import EVERYWHERE, EXTERNAL_ID, TARGET_FILE, Place, resources, roles, template

THERE = Place(region="eu-west-1", account="444455556666", regions=("eu-west-1", "us-east-1"))
PLACES = [THERE, *(replace(place, account=THERE.account) for place in EVERYWHERE)]


def statements(place: Place = THERE) -> list[dict[str, Any]]:
    """The statements of the role as it is deployed at a place."""
    [found] = roles(place, TARGET_FILE).values()
    return found


def rules(place: Place = THERE) -> Rules:
    """The same, read."""
    return iam.read(statements(place))


def without_regions(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement without the condition on Regions. Every statement about EC2 must have it."""
    changed = copy.deepcopy(statement)
    assert changed["Condition"]["StringEquals"].pop("ec2:Region") == list(THERE.regions), statement["Sid"]
    changed["Condition"] = {operator: block for operator, block in changed["Condition"].items() if block}
    return {key: value for key, value in changed.items() if value}


def in_any_region(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement of the function's role with a star in place of its Region."""
    return {**statement, "Resource": statement["Resource"].replace(f":{THERE.region}:", ":*:")}


def about(service: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The statements about one service."""
    return [each for each in found if iam.as_list(each["Action"])[0].startswith(f"{service}:")]


def test_the_statements_about_ec2_are_those_of_the_functions_role():
    ours = [in_any_region(each) for each in about("ec2", roles(THERE)["FunctionRole"])]
    assert [without_regions(each) for each in about("ec2", statements())] == ours


def test_the_statements_about_keys_are_those_of_the_functions_role_for_ec2_in_any_region():
    ours = copy.deepcopy(about("kms", roles(THERE)["FunctionRole"]))
    ours[0]["Condition"] = {"StringLike": {"kms:ViaService": f"ec2.*.{THERE.domain}"}}
    assert about("kms", statements()) == ours


def test_the_statement_about_limits_is_that_of_the_functions_role():
    assert about("servicequotas", statements()) == about("servicequotas", roles(THERE)["FunctionRole"])


def test_there_is_nothing_else():
    assert len(statements()) == sum(len(about(service, statements())) for service in ("ec2", "kms", "servicequotas"))
    [role] = resources("AWS::IAM::Role", TARGET_FILE).values()
    assert "ManagedPolicyArns" not in role
    assert set(template(TARGET_FILE)["Resources"]) == {"TargetRole", "TargetKeysPolicy"}


def test_only_the_functions_role_gets_in_and_only_with_the_external_id():
    [role] = resources("AWS::IAM::Role", TARGET_FILE).values()
    [trust] = THERE.resolve(role["AssumeRolePolicyDocument"])["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"AWS": THERE.function_role()},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.region)
def test_the_role_allows_every_call_that_the_function_makes(place: Place):
    assert rights.refused(rules(place), rights.sample_calls(), place) == []
    assert [each for each in rights.key_needs(place) if not rules(place).allow(each)] == []


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.region)
def test_the_role_refuses_what_the_functions_role_refuses(place: Place):
    tables = (forbidden.deleting, forbidden.tagging, forbidden.creating, forbidden.changing, forbidden.becoming_others)
    # With the Region that opens the condition.
    asked = [(why, Request(each.action, each.resource, {**each.context, "ec2:Region": place.region}))
             for table in tables for why, each in table(place)]
    assert [(why, each.action, each.resource) for why, each in asked if rules(place).allow(each)] == []
    assert not rules(place).mention("sts:AssumeRole") and not rules(place).mention("logs:PutLogEvents")


def test_the_role_ends_at_its_regions_and_its_account():
    far = Place(region="us-west-2", account=THERE.account)
    allowed = rules(THERE)
    passing = [each for call in rights.sample_calls() for each in rights.questions(call, far) if allowed.allow(each)]
    # The limits may be read anywhere: that says nothing about what is there.
    assert [each for each in passing if each.action != "servicequotas:ListServiceQuotas"] == []
    another = Place(region="eu-west-1", account="777788889999")
    for action, kind in (("CreateSnapshot", "volume"), ("CreateSnapshots", "instance")):
        assert not allowed.allow(Request(f"ec2:{action}", another.arn(kind, "x-1"), {"ec2:Region": "eu-west-1"}))


@pytest.mark.parametrize("place", EVERYWHERE, ids=lambda place: place.partition)
def test_the_parameters_take_arns_and_regions_of_every_partition(place: Place):
    patterns = {name: parameter.get("AllowedPattern") for name, parameter in template(TARGET_FILE)["Parameters"].items()}
    for name, good in (("FunctionRoleArn", place.function_role()), ("KmsKeyArns", place.key()), ("Regions", place.region)):
        assert re.fullmatch(patterns[name], good), name
    assert not re.fullmatch(patterns["Regions"], f"{place.region}a")


@pytest.mark.parametrize("name", ["FunctionRoleArn", "ExternalId", "RoleName"])
def test_the_parameters_take_what_the_event_takes(name: str):
    pattern = template(TARGET_FILE)["Parameters"][name]["AllowedPattern"]
    good = {"FunctionRoleArn": THERE.function_role(), "ExternalId": "a+=,.@:/-_9", "RoleName": "opendlm-target"}
    assert re.fullmatch(pattern, good[name])
    assert not re.fullmatch(pattern, "a b")


def test_the_code_asks_sts_for_a_role_in_one_place_and_else_only_who_the_doctor_is():
    """No SDK of STS is linked into the function (test_rights.py): the provider of the SDK's configuration knows AssumeRole."""
    files = {path.name: rust_source.code(path) for path in rust_source.shell_files()}
    assert [name for name, text in files.items() if "AssumeRoleProvider::builder" in text] == ["role.rs"]
    [text] = [text for text in files.values() if "aws_sdk_sts" in text]
    assert re.findall(r"aws_sdk_sts::Client::new\([^)]*\)\.(\w+)\(", text) == ["get_caller_identity"]
    assert text.count("aws_sdk_sts") == 1


def test_the_stack_hands_out_what_the_other_account_asks_for():
    assert template()["Outputs"]["FunctionRoleArn"]["Value"] == {"Fn::GetAtt": "FunctionRole.Arn"}
    assert template(TARGET_FILE)["Outputs"]["RoleArn"]["Value"] == {"Fn::GetAtt": "TargetRole.Arn"}
