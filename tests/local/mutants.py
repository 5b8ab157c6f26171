"""The statements of a role, broken in every way that is easy to break them: what tests of rights must notice.

A wide one lets more pass than it should, a narrow one less. Each comes with what was done to it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from iam import as_list

# Verbs with which only one action of the service begins, the one that the role is for: a star behind them opens nothing.
ALONE = {"states:Stop"}

Statements = list[dict[str, Any]]
Mutant = tuple[str, Statements]

# What somebody adds when something does not work: the role of Amazon DLM as AWS makes it, and shorter ways.
ADDED = {
    "the role of Amazon DLM": [
        {"Action": ["ec2:CreateSnapshot", "ec2:CreateSnapshots", "ec2:DeleteSnapshot", "ec2:CopySnapshot"], "Resource": "*"},
        {"Action": "ec2:CreateTags", "Resource": "arn:aws:ec2:*::snapshot/*"},
    ],
    "tags on our own snapshots": [
        {
            "Action": "ec2:CreateTags",
            "Resource": "arn:aws:ec2:*::snapshot/*",
            "Condition": {"StringLike": {"aws:ResourceTag/opendlm:policy-id": "?*"}},
        }
    ],
    "everything but IAM": [{"NotAction": ["iam:*", "organizations:*"], "Resource": "*"}],
    "everything but a bucket": [{"Action": "*", "NotResource": "arn:aws:s3:::logs"}],
    "deletion by any tag": [
        {"Action": "ec2:DeleteSnapshot", "Resource": "*", "Condition": {"Null": {"aws:ResourceTag/Name": "false"}}},
    ],
    "deletion of what DLM made": [
        {"Action": "ec2:DeleteSnapshot", "Resource": "*", "Condition": {"StringLike": {"aws:ResourceTag/dlm:managed": "*"}}},
    ],
    "sharing of our own": [
        {
            "Action": "ec2:ModifySnapshotAttribute",
            "Resource": "*",
            "Condition": {"StringLike": {"ec2:ResourceTag/opendlm:policy-id": "?*"}},
        }
    ],
    "tags of any length of list": [
        {"Action": "ec2:CreateTags", "Resource": "*", "Condition": {"ForAllValues:StringLike": {"aws:TagKeys": "opendlm:*"}}},
    ],
}


def wide(statements: Statements) -> Iterator[Mutant]:
    """One statement opened, or one added."""
    for number, statement in enumerate(statements):
        for what, changed in opened(statement):
            yield f"{statement['Sid']}: {what}", [*statements[:number], changed, *statements[number + 1 :]]
    for what, added in ADDED.items():
        yield f"added: {what}", [*statements, *({"Effect": "Allow", **each} for each in added)]


def narrow(statements: Statements) -> Iterator[Mutant]:
    """One statement less, one action less, one that denies, or one whose condition asks for something else."""
    for number, statement in enumerate(statements):
        before, after = statements[:number], statements[number + 1 :]
        yield f"{statement['Sid']}: left out", [*before, *after]
        yield f"{statement['Sid']}: denied", [*before, {**statement, "Effect": "Deny"}, *after]
        actions = as_list(statement["Action"])
        for action in actions if len(actions) > 1 else []:
            rest = [each for each in actions if each != action]
            yield f"{statement['Sid']}: without {action}", [*before, {**statement, "Action": rest}, *after]
        for operator, key, values in conditions(statement):
            for what, wanted in (("other values", ["another"]), *fewer(values)):
                changed = with_condition(statement, operator, key, {operator: {key: wanted}})
                yield f"{statement['Sid']}: {key}: {what}", [*before, changed, *after]


def fewer(values: list[str]) -> list[tuple[str, list[str]]]:
    """A list of values with one of them left out."""
    return [(f"without {value}", [each for each in values if each != value]) for value in values if len(values) > 1]


def opened(statement: dict[str, Any]) -> Iterator[Mutant]:
    """A statement with one thing widened: its actions, its resources, or a condition."""
    service = as_list(statement["Action"])[0].partition(":")[0]
    for action in (f"{service}:*", "*", *verbs(as_list(statement["Action"]))):
        yield f"Action {action}", {**statement, "Action": action}
    yield "Action beside", {**statement, "Action": [*as_list(statement["Action"]), f"{service}:DeleteTags", "iam:PassRole"]}
    if statement["Resource"] != "*":
        yield "Resource *", {**statement, "Resource": "*"}
        for what, position in (("any Region", 3), ("any account", 4), ("any name", 5)):
            wider = [with_part(arn, position, "*") for arn in as_list(statement["Resource"])]
            # The ARN of a snapshot has no account to widen, and one in any Region is as wide as it can be.
            if wider != as_list(statement["Resource"]) and all(arn.split(":")[position] for arn in as_list(statement["Resource"])):
                yield f"Resource in {what}", {**statement, "Resource": wider}
    for operator, key, values in conditions(statement):
        yield f"without {key}", with_condition(statement, operator, key, {})
        for changed in () if operator.endswith("IfExists") else (f"{operator}IfExists", "StringLikeIfExists"):
            yield f"{key}: {changed}", with_condition(statement, operator, key, {changed: {key: values}})
        yield f"{key}: *", with_condition(statement, operator, key, {"StringLike": {key: "*"}})
        yield f"{key}: not", with_condition(statement, operator, key, {"StringNotEquals": {key: "nothing"}})
        yield f"{key}: only there", with_condition(statement, operator, key, {"Null": {key: "false"}})


def verbs(actions: list[str]) -> list[str]:
    """The first word of each action with a star behind it, where it has more words than one: ec2:Create*."""
    found = {match[1] for match in (re.fullmatch(r"(\w+:[A-Z][a-z]*)[A-Z]\w*", each) for each in actions) if match}
    return [f"{each}*" for each in sorted(found - ALONE)]


def conditions(statement: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    """The conditions of a statement as (operator, key, values)."""
    blocks = statement.get("Condition", {}).items()
    return [(operator, key, as_list(values)) for operator, block in blocks for key, values in block.items()]


def with_condition(statement: dict[str, Any], operator: str, key: str, instead: dict[str, Any]) -> dict[str, Any]:
    """A statement with one key of one operator exchanged."""
    changed = copy.deepcopy(statement)
    del changed["Condition"][operator][key]
    for name, block in instead.items():
        changed["Condition"].setdefault(name, {}).update(block)
    return changed


def with_part(arn: str, position: int, part: str) -> str:
    """An ARN with one of its six parts exchanged."""
    parts = arn.split(":", 5)
    return ":".join([*parts[:position], part, *parts[position + 1 :]])
