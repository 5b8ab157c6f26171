"""The evaluator of iam.py, held against what the IAM User Guide says, each sentence a row.

The page that a row rests on is named: [ops] Condition operators, [multi] Single-valued vs. multivalued context keys,
[logic] Policy evaluation logic, [resource] and [action] IAM JSON policy elements, [keys] AWS global condition context keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

import iam
from iam import NotUnderstood, Request, Verdict

SNAPSHOT = "arn:aws:ec2:eu-central-1::snapshot/snap-1"
TAG = "aws:ResourceTag/team"
ALLOW = {"Effect": "Allow", "Action": "ec2:DeleteSnapshot", "Resource": "*"}


def verdict(
    *changes: dict[str, Any],
    action: str = "ec2:DeleteSnapshot",
    resource: str = SNAPSHOT,
    context: Mapping[str, Any] = MappingProxyType({}),
) -> Verdict:
    """What comes of statements that are ALLOW with changes."""
    return iam.read([{**ALLOW, **each} for each in changes]).verdict(Request(action, resource, context))


def holds(condition: dict[str, Any], context: dict[str, Any]) -> bool:
    """Whether a condition is met."""
    return verdict({"Condition": condition}, context=context) == Verdict.ALLOWED


@pytest.mark.parametrize(
    ("statements", "wanted"),
    [
        ([], Verdict.NOT_ALLOWED),  # [logic] denied by default
        ([{}], Verdict.ALLOWED),
        ([{}, {"Effect": "Deny"}], Verdict.DENIED),  # [logic] an explicit deny wins
        ([{"Effect": "Deny"}, {}], Verdict.DENIED),
        ([{}, {"Effect": "Deny", "Action": "ec2:CreateTags"}], Verdict.ALLOWED),
        ([{}, {"Effect": "Deny", "Condition": {"StringEquals": {TAG: "a"}}}], Verdict.ALLOWED),
        ([{"Action": "ec2:CreateTags"}], Verdict.NOT_ALLOWED),
        ([{"Effect": "Deny"}], Verdict.DENIED),
    ],
)
def test_an_explicit_deny_wins_and_what_nothing_allows_is_denied(statements: list[dict[str, Any]], wanted: Verdict):
    assert verdict(*statements) == wanted


@pytest.mark.parametrize(
    ("actions", "wanted"),
    [
        ("ec2:DeleteSnapshot", True),
        ("EC2:deletesnapshot", True),  # [action] prefix and name have no case
        ("ec2:Delete*", True),
        ("ec2:*Snap?hot", True),
        ("ec2:DeleteSnapsho?", True),
        ("ec2:*", True),
        ("*", True),
        (["ec2:CreateTags", "ec2:DeleteSnapshot"], True),
        ("ec2:DeleteSnapshot?", False),  # `?` is exactly one character
        ("ec2:Delete", False),
        ("ebs:*", False),
        ("ec2:DeleteSnapshots", False),
    ],
)
def test_actions_match_without_case_and_with_wildcards(actions: Any, wanted: bool):
    assert (verdict({"Action": actions}) == Verdict.ALLOWED) == wanted


def test_not_action_and_not_resource_cover_everything_else():
    but_delete = {"Effect": "Allow", "NotAction": "ec2:Delete*", "Resource": "*"}
    assert not iam.read([but_delete]).allow(Request("ec2:DeleteSnapshot", SNAPSHOT))
    assert iam.read([but_delete]).allow(Request("iam:PassRole", "*"))
    but_snapshots = {"Effect": "Allow", "Action": "ec2:*", "NotResource": "arn:aws:ec2:*::snapshot/*"}
    assert not iam.read([but_snapshots]).allow(Request("ec2:DeleteSnapshot", SNAPSHOT))
    assert iam.read([but_snapshots]).allow(Request("ec2:DeleteVolume", "arn:aws:ec2:eu-central-1:1:volume/vol-1"))


@pytest.mark.parametrize(
    ("pattern", "resource", "wanted"),
    [
        ("*", SNAPSHOT, True),
        ("*", "*", True),
        (SNAPSHOT, SNAPSHOT, True),
        ("arn:aws:ec2:eu-central-1::snapshot/*", SNAPSHOT, True),
        ("arn:aws:ec2:*::snapshot/snap-?", SNAPSHOT, True),
        ("arn:*:ec2:*:*:*", SNAPSHOT, True),
        # What has no resources is on "*", which no ARN covers: Service Authorization Reference, "Resource types column".
        ("arn:*:ec2:*:*:*", "*", False),
        ("arn:aws:ec2:eu-west-1::snapshot/*", SNAPSHOT, False),
        ("arn:aws:ec2:eu-central-1:123456789012:snapshot/*", SNAPSHOT, False),
        ("arn:aws:ec2:eu-central-1::Snapshot/*", SNAPSHOT, False),
        ("arn:aws:ec2:eu-central-1::snapshot/", SNAPSHOT, False),
        # [resource] wildcards stay within the parts between the colons, but the last part may hold colons itself.
        ("arn:aws:ec2:eu*snapshot/*:::", SNAPSHOT, False),
        ("arn:aws:logs:r:1:log-group:g:*", "arn:aws:logs:r:1:log-group:g:log-stream:s", True),
        ("arn:aws:logs:r:1:log-group:g:*", "arn:aws:logs:r:1:log-group:g", False),
        ("arn:aws:logs:r:1:log-group:g:*", "arn:aws:logs:r:1:log-group:gg:log-stream:s", False),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/2/test/3/o.jpg", True),  # [resource], its own example
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1-test/o.jpg", False),
    ],
)
def test_resources_match_part_by_part(pattern: str, resource: str, wanted: bool):
    assert (verdict({"Resource": pattern}, resource=resource) == Verdict.ALLOWED) == wanted


@pytest.mark.parametrize(
    ("operator", "values", "given", "wanted"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),  # wildcards are for ...Like alone
        ("StringEquals", ["a", "b"], "b", True),  # [ops] several values: any of them
        ("StringEquals", ["a", "b"], "c", False),
        ("StringNotEquals", ["a", "b"], "c", True),  # [ops] negated, several values: none of them
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringEqualsIgnoreCase", "a", "A", True),
        ("StringNotEqualsIgnoreCase", "a", "A", False),
        ("StringLike", "?*", "a", True),
        ("StringLike", "?*", "", False),
        ("StringLike", "*", "", True),
        ("StringLike", "a.c", "abc", False),  # nothing else is special
        ("StringLike", "a*c", "a\nc", True),
        ("StringLike", "A*", "a", False),
        ("StringNotLike", "a*", "ab", False),
        ("StringNotLike", "a*", "b", True),
        ("ArnLike", "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:r:1:volume/v", True),
        ("ArnLike", "arn:aws:ec2:*:volume/*", "arn:aws:ec2:r:1:volume/v", False),
        ("ArnEquals", "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:r:1:volume/v", True),  # [ops] behaves as ArnLike
        ("ArnNotLike", "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:r:1:volume/v", False),
        ("ArnNotEquals", "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:r:1:instance/i", True),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "true", "false", False),
        ("Null", "true", "a", False),
        ("Null", "false", "", True),
        ("StringEqualsIfExists", "a", "b", False),  # [ops] IfExists: with the key as without the suffix
    ],
)
def test_an_operator_compares_as_documented(operator: str, values: Any, given: str, wanted: bool):
    assert holds({operator: {TAG: values}}, {TAG: given}) == wanted


@pytest.mark.parametrize(
    ("operator", "values", "wanted"),
    [
        # [ops] a key "not present in the request context": "the values do not match and the condition is false".
        ("StringEquals", "a", False),
        ("StringLike", "*", False),
        ("ArnLike", "arn:aws:ec2:*:*:*", False),
        ("Bool", "true", False),
        ("Bool", "false", False),
        # [ops] "If the policy condition requires that the key is not matched [...], the condition is true".
        ("StringNotEquals", "a", True),
        ("StringNotLike", "*", True),
        ("ArnNotEquals", "arn:aws:ec2:*:*:*", True),
        # [ops] IfExists: true when the key is not there.
        ("StringEqualsIfExists", "a", True),
        ("StringLikeIfExists", "?*", True),
        ("BoolIfExists", "true", True),
        ("Null", "true", True),
        ("Null", "false", False),
    ],
)
def test_a_key_that_is_missing(operator: str, values: Any, wanted: bool):
    assert holds({operator: {TAG: values}}, {"aws:ResourceTag/other": "a"}) == wanted


@pytest.mark.parametrize(
    ("operator", "given", "wanted"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAllValues:StringEquals", (), True),  # [multi] "also returns true if there are no context keys in the request"
        ("ForAllValues:StringEquals", None, True),
        ("ForAllValues:StringNotEquals", ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ("c", "a"), False),
        ("ForAnyValue:StringEquals", ("c", "a"), True),
        ("ForAnyValue:StringEquals", ("c", "d"), False),
        ("ForAnyValue:StringEquals", (), False),  # [multi] nothing to look at: false
        ("ForAnyValue:StringEquals", None, False),
        ("ForAnyValue:StringEquals", ("A",), False),
        ("ForAnyValue:StringNotEquals", ("a", "c"), True),
        ("ForAnyValue:StringNotEquals", ("a", "b"), False),
        ("ForAnyValue:StringNotEquals", None, False),
        ("ForAnyValue:StringLike", ("c", "ab"), False),
    ],
)
def test_a_key_of_several_values_needs_a_set_operator(operator: str, given: tuple[str, ...] | None, wanted: bool):
    context = {} if given is None else {"aws:TagKeys": given}
    assert holds({operator: {"aws:TagKeys": ["a", "b"]}}, context) == wanted


def test_all_operators_and_all_keys_of_a_condition_must_hold():
    both = {"StringEquals": {TAG: "a", "ec2:CreateAction": "CreateSnapshot"}, "Null": {"aws:TagKeys": "false"}}
    good = {TAG: "a", "ec2:CreateAction": "CreateSnapshot", "aws:TagKeys": ("x",)}
    assert holds(both, good)
    for key in good:
        assert not holds(both, {name: value for name, value in good.items() if name != key}), key


def test_the_names_of_keys_have_no_case_and_their_values_have():
    """[keys] aws:ResourceTag: `TagKey1` in a policy matches a tag called TagKey1 and one called tagkey1."""
    condition = {"StringEquals": {"AWS:resourcetag/Team": "a"}}
    assert holds(condition, {"aws:ResourceTag/tEAM": "a"})
    assert not holds(condition, {"aws:ResourceTag/tEAM": "A"})
    with pytest.raises(NotUnderstood, match="several spellings"):
        holds(condition, {"aws:ResourceTag/team": "a", "aws:ResourceTag/TEAM": "a"})


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": "*"},
        {"Effect": "allow"},
        {"NotAction": "ec2:*"},
        {"Action": "DeleteSnapshot"},
        {"Action": "ec2:Delete Snapshot"},
        {"Action": []},
        {"Resource": "snapshot/*"},
        {"Resource": "arn:aws:ec2:*"},
        {"Resource": "arn:aws:ec2:eu-central-1::snapshot/${aws:username}"},
        {"Resource": {"Fn::Sub": "x"}},
        {"Condition": {"StringMatches": {TAG: "a"}}},
        {"Condition": {"stringequals": {TAG: "a"}}},
        {"Condition": {"NumericLessThan": {"ec2:Region": "1"}}},
        {"Condition": {"IpAddress": {"ec2:Region": "10.0.0.0/8"}}},
        {"Condition": {"ForSomeValues:StringEquals": {"aws:TagKeys": "a"}}},
        {"Condition": {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "a"}}},
        {"Condition": {"NullIfExists": {TAG: "true"}}},
        {"Condition": {"Null": {TAG: "maybe"}}},
        {"Condition": {"StringEquals": {"aws:TagKeys": "a"}}},
        {"Condition": {"ForAnyValue:StringEquals": {TAG: "a"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}},
        {"Condition": {"StringEquals": {"aws:ResourceTag": "a"}}},
        {"Condition": {"StringEquals": {"aws:ResourceTag/": "a"}}},
        {"Condition": {"StringEquals": {TAG: "${aws:username}"}}},
        {"Condition": {"StringEquals": {TAG: 1}}},
        {"Condition": {"StringEquals": {TAG: []}}},
    ],
    ids=str,
)
def test_what_is_not_known_raises_even_where_the_statement_is_about_something_else(change: dict[str, Any]):
    with pytest.raises(NotUnderstood):
        verdict({}, {"Effect": "Deny", **change}, action="ec2:DescribeVolumes", resource="*")


@pytest.mark.parametrize("context", [{"aws:Nonsense": "a"}, {"aws:TagKeys": "a"}, {TAG: ("a",)}], ids=str)
def test_a_request_with_a_key_that_is_not_known_raises(context: dict[str, Any]):
    with pytest.raises(NotUnderstood):
        Request("ec2:DeleteSnapshot", SNAPSHOT, context)
