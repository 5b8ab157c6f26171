"""Filters and pages of the Describe calls, as EC2 has them.

EC2 reads a page and filters it then: pages are short, and empty ones have a token all the same. Seen of security groups
(shared/wire/describe-security-groups/01 and 02), subnets and the status of volumes (shared/reference/aws-live.md, 1); nobody has
seen one of DescribeSnapshots or DescribeVolumes, and here they all do.
"""

from __future__ import annotations

import base64
import bisect
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import switches
from ec2_rules import refuse, tags_of

# EC2's documented limits.
PAGE_MIN = 5
PAGE_MAX = 1000
FILTER_VALUES_MAX = 200
# What a token holds, which base64 makes longer twice: to 1 to 2 KB (describe-security-groups/01 and 02).
INNER_LENGTH = 650

# The filters whose values may have wildcards. Amazon EC2 User Guide, "List and filter using the CLI and API": its examples are of
# `description` and of tags. Whether ids, states and the like have them too is not said, so that here they do not.
WITH_WILDCARDS = re.compile("description|name|tag:.*|tag-key|tag-value", re.DOTALL)

# What the filters of a Describe call may name, and how to read it.
Values = dict[str, Callable[[Any], Any]]
Test = Callable[[Any], bool]

_tokens_written = itertools.count()


def paged(
    call: Any, kind: str, resources: Mapping[str, Any], matches: Test, in_scope: Test = lambda _: True
) -> tuple[list[Any], str | None]:
    """The page that a call asks for, and the token of the next one.

    What is out of scope is not even read. The order is that of the ids: stable while resources come and go, and, as in EC2, not
    the order of creation.
    """
    size, token, ids = call._get_param("MaxResults"), call._get_param("NextToken"), ids_of(call, kind)
    if ids or (size is None and token is None):
        return [resources[id] for id in sorted(ids or resources) if in_scope(resources[id]) and matches(resources[id])], None
    # A token without a size asks for all the rest: aws-live.md, 1, "MaxResults omitted with a token".
    scanned = min(int(size), PAGE_MAX, switches.in_force().PAGE_SCAN) if size is not None else len(resources)
    last_id = read_token(call, token) if token else ""
    if last_id is None:
        return [], None
    ordered = sorted(resources)
    rest = (id for id in ordered[bisect.bisect_right(ordered, last_id) :] if in_scope(resources[id]))
    page = list(itertools.islice(rest, scanned))
    following = write_token(call, page[-1]) if next(rest, None) else None
    return [resources[id] for id in page if matches(resources[id])], following


def ids_of(call: Any, kind: str) -> list[str]:
    """The ids that a Describe call names."""
    return call._get_param(f"{kind.capitalize()}Ids", [])


def require_good_page(call: Any, kind: str) -> None:
    """Refuse ids together with pages, and then pages that are too small (shared/wire/errors/34 and 33, in this order: aws-live.md,
    1). The words are those of DescribeImages and DescribeVolumes; those of the others were not seen."""
    size = call._get_param("MaxResults")
    for name, value in (("maxResults", size), ("nextToken", call._get_param("NextToken"))):
        if ids_of(call, kind) and value is not None:
            refuse("InvalidParameterCombination", f"The parameter {kind}IdsSet cannot be used with the parameter {name}")
    if size is not None and int(size) < PAGE_MIN:
        refuse("InvalidParameterValue", f"Invalid value '{size}' for maxResults. Expecting a value greater than 5.")


def write_token(call: Any, last_id: str) -> str:
    """A token: base64 of JSON, and never the same text twice (aws-live.md, 1, "token used twice")."""
    inner = {"l": last_id, "s": scope_of(call), "f": checksum(call, "Filters"), "n": next(_tokens_written)}
    content = base64.b64encode(json.dumps(inner).encode().ljust(INNER_LENGTH)).decode()
    return base64.b64encode(json.dumps({"v": "2", "c": content, "s": "1"}).encode()).decode()


def read_token(call: Any, token: str) -> str | None:
    """The last id of the page before, or nothing where the token belongs to other filters.

    All as aws-live.md, 1 says: a malformed token is refused, with words of which the code was not recorded; one of another scope as
    shared/wire/errors/11; one of other filters finds nothing.
    """
    try:
        content = json.loads(base64.b64decode(token, validate=True))["c"]
        inner = json.loads(base64.b64decode(content))
    except (ValueError, KeyError, TypeError):
        refuse("InvalidParameterValue", "Unable to parse pagination token")
    if inner["s"] != scope_of(call):
        refuse("InvalidParameterValue", f"invalid value for parameter next-token: {token}")
    return inner["l"] if inner["f"] == checksum(call, "Filters") else None


def scope_of(call: Any) -> str:
    """What a token is bound to: the action, and whose resources it lists."""
    return f"{call._get_action()} {checksum(call, 'OwnerIds')}"


def checksum(call: Any, parameter: str) -> str:
    """A short fingerprint of a parameter that is the same in every process."""
    text = json.dumps(call._get_param(parameter, []), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def filter_of(filters: list[dict[str, Any]], values: Values) -> Test:
    """A test of a resource: it must match every filter, by any value of each."""
    tests = []
    for each in filters:
        name, patterns = each.get("Name", ""), each.get("Values", [])
        if len(patterns) > FILTER_VALUES_MAX:
            refuse("FilterLimitExceeded", f"The maximum number of filter values specified on a single call is {FILTER_VALUES_MAX}")
        matches = matcher(patterns) if WITH_WILDCARDS.fullmatch(name) else any_of(set(patterns))
        tests.append((accessor(name, values), matches))
    return lambda resource: all(matches(value_of(resource)) for value_of, matches in tests)


def any_of(wanted: set[str]) -> Callable[[Any], bool]:
    """A test of a value, or of a list of values, against values that are taken literally."""
    return lambda value: not wanted.isdisjoint(value) if isinstance(value, list) else value in wanted


def matcher(patterns: Iterable[str]) -> Callable[[Any], bool]:
    """A test of a value, or of a list of values, against EC2's wildcards `*` and `?`, which a backslash takes literally."""
    plain = {re.sub(r"\\(.)", r"\1", each) for each in patterns if not re.search(r"(?<!\\)[*?]", each)}
    wild = [re.compile(wildcard_to_regex(each), re.DOTALL) for each in patterns if re.search(r"(?<!\\)[*?]", each)]

    def matches_one(value: str) -> bool:
        return value in plain or any(each.fullmatch(value) for each in wild)

    def matches(value: Any) -> bool:
        if value is None:
            return False
        return any(map(matches_one, value)) if isinstance(value, list) else matches_one(value)

    return matches


def wildcard_to_regex(pattern: str) -> str:
    """The regular expression of one filter value."""
    special = {"*": ".*", "?": "."}
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(re.escape(part[1:]) if part[0] == "\\" and len(part) > 1 else special.get(part, re.escape(part)) for part in parts)


def accessor(name: str, values: Values) -> Callable[[Any], Any]:
    """How to read what a filter looks at: a tag, or a value of the resource."""
    if name.startswith("tag:"):
        return lambda resource: tags_of(resource).get(name[4:])
    if name == "tag-key":
        return lambda resource: list(tags_of(resource))
    if name == "tag-value":
        return lambda resource: list(tags_of(resource).values())
    if name not in values:
        refuse("InvalidParameterValue", f"The filter '{name}' is invalid")
    return values[name]
