"""target-role.yaml, held against template.yaml: in another account the function may do what it may do at home, and no more.

What its statements may be at home is test_rights.py's; here they have to be the same, but for the Regions.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import forbidden
import iam
import mutants
import rights
import rust_source
from iam import Request, Rules
from template import EVERYWHERE, EXTERNAL_ID, TARGET_FILE, Place, resources, roles, template

THERE = Place(region="eu-west-1", account="444455556666", regions=("eu-west-1", "us-east-1"))
COPY_REGIONS = ("eu-west-2", "ca-central-1")
COPYING = replace(THERE, copy_regions=COPY_REGIONS)
PLACES = [THERE, *(replace(place, account=THERE.account) for place in EVERYWHERE)]
COPYING_PLACES = [replace(place, copy_regions=COPY_REGIONS) for place in PLACES]


def statements(place: Place = THERE) -> list[dict[str, Any]]:
    """The statements of the role as it is deployed at a place."""
    [found] = roles(place, TARGET_FILE).values()
    return found


def rules(place: Place = THERE) -> Rules:
    """The same, read."""
    return iam.read(statements(place))


def of_copies(place: Place = COPYING) -> list[dict[str, Any]]:
    """The statements that the role has for copies, and no others."""
    rest = [each["Sid"] for each in statements(replace(place, copy_regions=()))]
    return [each for each in statements(place) if each["Sid"] not in rest]


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
    assert set(template(TARGET_FILE)["Resources"]) == {"TargetRole", "TargetCopiesPolicy", "TargetKeysPolicy"}


def test_a_role_without_copies_has_not_one_statement_about_them():
    assert "cop" not in str(statements()).lower()
    assert not rules().mention("ec2:CopySnapshot")
    assert [each for each in statements(COPYING) if each not in of_copies() and "kms:" not in str(each)] == [
        each for each in statements() if "kms:" not in str(each)
    ]


def test_the_statements_about_copies_are_those_of_the_functions_role_and_the_look_at_them():
    ours = {each["Sid"] for each in roles(THERE)["FunctionRole"]}
    functions = [each for each in about("ec2", roles(COPYING)["FunctionRole"]) if each["Sid"] not in ours]
    observe, *rest = of_copies()
    assert rest == functions and len(functions) == 4
    assert observe == {
        "Sid": "ObserveCopies",
        "Effect": "Allow",
        "Action": "ec2:DescribeSnapshots",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": list(COPY_REGIONS)}},
    }


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


@pytest.mark.parametrize("place", COPYING_PLACES, ids=lambda place: place.region)
def test_the_role_allows_what_the_function_does_with_copies(place: Place):
    assert [each for each in rights.needs_of_copies(place) if not rules(place).allow(each)] == []
    # Of each Region of the role, not only of one.
    for home in place.regions or (place.region,):
        calls = [each for call in rights.copy_calls(home) for each in rights.questions(call, place.there(COPY_REGIONS[0]))]
        assert [each for each in calls if not rules(place).allow(each)] == []


@pytest.mark.parametrize("place", [*PLACES, *COPYING_PLACES], ids=lambda place: f"{place.region} {len(place.copy_regions)}")
def test_the_role_refuses_what_the_functions_role_refuses_of_copies(place: Place):
    asked = [*forbidden.copying(place), *forbidden.copying_elsewhere(place)]
    assert [(why, each.action, each.resource) for why, each in asked if rules(place).allow(each)] == []


def test_copies_are_looked_at_where_they_go_and_nowhere_else():
    [look] = [call for call in rights.copy_calls(THERE.region) if call.Action == "DescribeSnapshots"]
    looks = {region: rights.questions(look, COPYING.there(region)) for region in (*COPY_REGIONS, "us-west-2")}
    for place, seen in ((COPYING, set(COPY_REGIONS)), (THERE, set())):
        assert {region for region, [look] in looks.items() if rules(place).allow(look)} == seen
    [volumes] = [each for each in rights.sample_calls() if each.Action == "DescribeVolumes"]
    assert not any(rules(COPYING).allow(each) for each in rights.questions(volumes, COPYING.there(COPY_REGIONS[0])))


WIDE = [(what, mutant) for what, mutant in mutants.wide(of_copies())]
NARROW = [(what, mutant) for what, mutant in mutants.narrow(of_copies())]


@pytest.mark.parametrize(("what", "mutant"), WIDE, ids=[what for what, _ in WIDE])
def test_a_role_that_allows_more_of_copies_is_noticed(what: str, mutant: list[dict[str, Any]]):
    wider = iam.read(mutant)
    assert any(wider.allow(each) for each in refused_of_copies(wider)), what


def test_the_statements_about_copies_allow_nothing_else():
    whole = iam.read(of_copies())
    assert [each for each in refused_of_copies(whole) if whole.allow(each)] == []


def refused_of_copies(wider: Rules) -> Iterator[Request]:
    """What none of the statements about copies may allow."""
    for _, each in (*forbidden.copying(COPYING), *forbidden.copying_elsewhere(COPYING)):
        yield each
    for call in rights.copy_calls(THERE.region):
        yield from rights.questions(call, COPYING.there("us-west-2"))
    yield from looks_elsewhere()
    for action in forbidden.every_action():
        if action not in forbidden.allowed("FunctionRole", COPYING) and wider.mention(action):
            yield from forbidden.most_favourable(action, COPYING)


@pytest.mark.parametrize(("what", "mutant"), NARROW, ids=[what for what, _ in NARROW])
def test_a_role_that_allows_less_of_copies_is_noticed(what: str, mutant: list[dict[str, Any]]):
    kept = [each for each in statements(COPYING) if each not in of_copies()]
    assert not all(iam.read([*kept, *mutant]).allow(each) for each in rights.needs_of_copies(COPYING)), what


def looks_elsewhere() -> list[Request]:
    """What is looked at in the role's Regions, and not where copies go; and looks without a Region, which AWS never makes."""
    there = COPYING.there(COPY_REGIONS[0])
    calls = [each for each in rights.sample_calls() if each.Action.startswith("Describe") and each.Action != "DescribeSnapshots"]
    without_region = [Request("ec2:DescribeSnapshots", "*"), Request("ec2:DescribeSnapshots", "*", {"ec2:Region": "us-west-2"})]
    return [each for call in calls for each in rights.questions(call, there)] + without_region


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
    assert patterns["CopyRegions"] == f"^$|{patterns['Regions']}"
    assert template()["Parameters"]["CopyRegions"]["AllowedPattern"] == patterns["CopyRegions"]


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
