"""A small evaluator of IAM policies: whether the statements of a role allow a request.

    rules = iam.read(statements)
    rules.allow(Request("ec2:DeleteSnapshot", arn, {"aws:ResourceTag/opendlm:policy-id": "policy-1"}))

It knows identity policies, and the condition operators and keys that a role of opendlm may sensibly use. Whatever it does
not know, or IAM's documentation leaves open, raises NotUnderstood when the statements are read: nothing passes silently.

Sources, all in the IAM User Guide: "Policy evaluation logic", "IAM JSON policy elements" (Action, Resource, Condition,
Condition operators), "Single-valued vs. multivalued context keys", "AWS global condition context keys".
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SINGLE, MULTIPLE = "one value", "several values"
# The keys that requests carry here. A name that ends with a slash stands for all keys that begin so: one for each tag.
KEYS = {
    "aws:RequestTag/": SINGLE,
    "aws:RequestedRegion": SINGLE,
    "aws:ResourceTag/": SINGLE,
    "aws:SourceAccount": SINGLE,
    "aws:TagKeys": MULTIPLE,
    "ec2:CreateAction": SINGLE,
    "ec2:Owner": SINGLE,
    "ec2:Region": SINGLE,
    "ec2:ResourceTag/": SINGLE,
    "kms:GrantIsForAWSResource": SINGLE,
    "kms:ViaService": SINGLE,
}
STATEMENT_ELEMENTS = {"Action", "Condition", "Effect", "NotAction", "NotResource", "Resource", "Sid"}
ARN_PARTS = 6


class NotUnderstood(Exception):
    """Something in a policy or a request that this evaluator does not know."""


class Verdict(enum.Enum):
    """What IAM makes of a request. Only ALLOWED lets it pass."""

    ALLOWED = "allowed by a statement"
    DENIED = "denied by a statement"
    NOT_ALLOWED = "no statement allows it"


@dataclass(frozen=True)
class Request:
    """One question to IAM. An API call may put several: one for each resource, and one for its tags."""

    action: str
    resource: str
    """An ARN, or `*` for an action that has no resources."""
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key, value in self.context.items():
            if isinstance(value, str) != (kind_of(key) == SINGLE):
                raise NotUnderstood(f"{key} is {value!r}, expected {kind_of(key)}")

    def value_of(self, key: str) -> str | tuple[str, ...] | None:
        """The value of a context key, whose name IAM reads without regard to case; the part after the slash too.

        "AWS global condition context keys", aws:ResourceTag and aws:RequestTag: `TagKey1` in a policy matches a tag called
        TagKey1 and one called tagkey1. What comes of both together is left open.
        """
        found = [value for name, value in self.context.items() if name.lower() == key.lower()]
        if len(found) > 1:
            raise NotUnderstood(f"{key} is there in several spellings: {sorted(self.context)}")
        return found[0] if found else None


@dataclass(frozen=True)
class Rules:
    """Statements that were read."""

    statements: tuple[Statement, ...]

    def verdict(self, request: Request) -> Verdict:
        """An explicit Deny wins over every Allow, and what nothing allows is denied ("Policy evaluation logic")."""
        effects = {each.effect for each in self.statements if each.applies_to(request)}
        if "Deny" in effects:
            return Verdict.DENIED
        return Verdict.ALLOWED if "Allow" in effects else Verdict.NOT_ALLOWED

    def allow(self, request: Request) -> bool:
        """Whether the request passes."""
        return self.verdict(request) == Verdict.ALLOWED

    def mention(self, action: str) -> bool:
        """Whether any Allow is about this action at all, whatever its resources and conditions."""
        return any(each.effect == "Allow" and each.is_about(action) for each in self.statements)


@dataclass(frozen=True)
class Statement:
    """One statement that was read."""

    effect: str
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...]
    not_resources: bool
    conditions: tuple[Condition, ...]

    def is_about(self, action: str) -> bool:
        """Whether the action is one of the statement's. Actions are read without regard to case."""
        return any(is_like(action.lower(), pattern.lower()) for pattern in self.actions) != self.not_actions

    def applies_to(self, request: Request) -> bool:
        """Whether everything in the statement matches: the action, the resource, and every condition."""
        if not self.is_about(request.action):
            return False
        if any(is_resource_like(request.resource, pattern) for pattern in self.resources) == self.not_resources:
            return False
        return all(condition.holds(request) for condition in self.conditions)


@dataclass(frozen=True)
class Condition:
    """One operator with one key and its values."""

    operator: Operator
    key: str
    values: tuple[str, ...]

    def holds(self, request: Request) -> bool:
        """Whether the request's context is as the condition wants it."""
        given, operator = request.value_of(self.key), self.operator
        if operator.comparison == "Null":
            return (given is None) == (self.values[0].lower() == "true")
        if operator.quantifier == "ForAllValues":
            # True when there is nothing to look at, which is why it must not stand alone in an Allow.
            return all(self.is_met_by(value) for value in given or ())
        if operator.quantifier == "ForAnyValue":
            return any(self.is_met_by(value) for value in given or ())
        if given is None:
            # "If the key is not present, the values do not match": false, but true for a negated operator.
            return operator.if_exists or operator.is_negated
        return self.is_met_by(given)

    def is_met_by(self, given: str) -> bool:
        """Whether one value is any of those that the policy names, or none of them for a negated operator."""
        compare = COMPARISONS[self.operator.comparison]
        return any(compare(given, wanted) for wanted in self.values) != self.operator.is_negated


@dataclass(frozen=True)
class Operator:
    """A condition operator in its parts: `ForAnyValue:StringNotLike`, `StringEqualsIfExists`."""

    comparison: str
    is_negated: bool
    quantifier: str
    if_exists: bool


def is_like(text: str, pattern: str) -> bool:
    """IAM's wildcards: `*` is any number of characters, `?` exactly one; no other character is special."""
    return wildcards(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=4096)
def wildcards(pattern: str) -> re.Pattern[str]:
    """The expression that a pattern with wildcards stands for."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(each, re.escape(each)) for each in pattern), re.DOTALL)


def is_arn_like(text: str, pattern: str) -> bool:
    """Compare two ARNs part by part, six of them: a wildcard never crosses from one of the first five into the next.

    "Condition operators" says so of ArnLike. "IAM JSON policy elements: Resource" adds that a `*` at the end of a part may
    reach beyond its colon; a pattern that counts on that has fewer parts, and read_statement refuses it.
    """
    given, wanted = text.split(":", ARN_PARTS - 1), pattern.split(":", ARN_PARTS - 1)
    return len(given) == len(wanted) and all(is_like(*pair) for pair in zip(given, wanted))


def is_resource_like(resource: str, pattern: str) -> bool:
    """Whether a pattern of Resource covers a resource. An action that has no resources needs the pattern `*`."""
    return pattern == "*" or is_arn_like(resource, pattern)


# ArnEquals and ArnLike are the same thing ("Condition operators").
COMPARISONS = {
    "ArnEquals": is_arn_like,
    "ArnLike": is_arn_like,
    "Bool": lambda given, wanted: given.lower() == wanted.lower(),
    "StringEquals": lambda given, wanted: given == wanted,
    "StringEqualsIgnoreCase": lambda given, wanted: given.lower() == wanted.lower(),
    "StringLike": is_like,
}
NEGATED = {
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
}


def read(statements: Iterable[Mapping[str, Any]]) -> Rules:
    """Read statements, all of them: what is not understood anywhere raises here."""
    return Rules(tuple(read_statement(each) for each in statements))


def read_statement(statement: Mapping[str, Any]) -> Statement:
    """Read one statement of an identity policy, which has no Principal."""
    if unknown := set(statement) - STATEMENT_ELEMENTS:
        raise NotUnderstood(f"the elements {sorted(unknown)} of {statement}")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise NotUnderstood(f"the effect of {statement}")
    actions, not_actions = read_patterns(statement, "Action")
    resources, not_resources = read_patterns(statement, "Resource")
    for action in actions:
        if action != "*" and not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+", action):
            raise NotUnderstood(f"the action {action!r}, expected service:Action")
    for resource in resources:
        if resource != "*" and not (resource.startswith("arn:") and resource.count(":") >= ARN_PARTS - 1):
            raise NotUnderstood(f"the resource {resource!r}, expected * or the six parts of an ARN")
    conditions = [
        read_condition(operator, key, as_list(values))
        for operator, block in statement.get("Condition", {}).items()
        for key, values in block.items()
    ]
    return Statement(statement["Effect"], actions, not_actions, resources, not_resources, tuple(conditions))


def read_patterns(statement: Mapping[str, Any], element: str) -> tuple[tuple[str, ...], bool]:
    """The values of an element or of its negation, one of which must be there, and whether it is the negation."""
    present = [name for name in (element, f"Not{element}") if name in statement]
    if len(present) != 1:
        raise NotUnderstood(f"{statement} has {present}, expected one of {element} and Not{element}")
    return read_texts(as_list(statement[present[0]])), present[0] != element


def read_condition(name: str, key: str, values: list[Any]) -> Condition:
    """Read one operator with one key."""
    operator = read_operator(name)
    if operator.comparison == "Null":
        if [str(value).lower() for value in values] not in (["true"], ["false"]):
            raise NotUnderstood(f"Null of {values!r}, expected true or false")
    elif bool(operator.quantifier) != (kind_of(key) == MULTIPLE):
        # IAM takes a set operator with a key of one value, and the reverse, and warns of what comes of it.
        raise NotUnderstood(f"{name} with {key}, which has {kind_of(key)}")
    # YAML and JSON may hold `true` for "true".
    return Condition(operator, key, read_texts([str(each).lower() if isinstance(each, bool) else each for each in values]))


def read_operator(name: str) -> Operator:
    """Take the name of an operator apart."""
    quantifier, _, rest = name.rpartition(":")
    if quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise NotUnderstood(f"the set operator {quantifier!r}")
    if_exists = rest.endswith("IfExists")
    rest = rest.removesuffix("IfExists")
    if if_exists and (quantifier or rest == "Null"):
        raise NotUnderstood(f"{name}: the documentation does not say what IfExists means there")
    if quantifier and rest == "Null":
        raise NotUnderstood(f"{name}: a set operator with Null")
    comparison = NEGATED.get(rest, rest)
    if comparison != "Null" and comparison not in COMPARISONS:
        raise NotUnderstood(f"the condition operator {name!r}")
    return Operator(comparison, rest in NEGATED, quantifier, if_exists)


def read_texts(values: list[Any]) -> tuple[str, ...]:
    """Texts without policy variables, at least one."""
    for value in values:
        if not isinstance(value, str) or "${" in value:
            raise NotUnderstood(f"the value {value!r}, expected a text without variables")
    if not values:
        raise NotUnderstood("an empty list")
    return tuple(values)


def kind_of(key: str) -> str:
    """Whether a context key has one value or several."""
    named = {name.lower(): kind for name, kind in KEYS.items()}
    family, slash, rest = key.lower().partition("/")
    kind = named.get(family + slash) if rest or not slash else None
    if kind is None:
        raise NotUnderstood(f"the condition key {key!r}")
    return kind


def as_list(value: Any) -> list[Any]:
    """IAM takes one value where it takes a list."""
    return value if isinstance(value, list) else [value]
