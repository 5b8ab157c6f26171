"""Filters and pages of the Describe calls, as EC2 has them."""

from __future__ import annotations

import base64
import bisect
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ec2_rules import refuse, tags_of

# EC2's documented limits.
PAGE_MIN = 5
PAGE_MAX = 1000
FILTER_VALUES_MAX = 200

# What the filters of a Describe call may name, and how to read it.
Values = dict[str, Callable[[Any], Any]]
Test = Callable[[Any], bool]


def paged(call: Any, resources: Mapping[str, Any], ids: list[str], matches: Test) -> tuple[list[Any], str | None]:
    """The page that a call asks for, and the token of the next one.

    The order is that of the ids: stable while resources come and go, and, as in EC2, not the order of creation. A token holds
    the last id of its page and the filters that it belongs to. Only as many resources are looked at as fill the page.
    """
    size, token = call._get_param("MaxResults"), call._get_param("NextToken")
    if size is None and token is None:
        return [resources[id] for id in sorted(ids or resources) if matches(resources[id])], None
    if ids:
        refuse("InvalidParameterCombination", "The parameters that list ids cannot be used with the parameter maxResults")
    size = PAGE_MAX if size is None else int(size)
    if size < PAGE_MIN:
        refuse("InvalidParameterValue", f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value greater than 5.")
    scope = json.dumps([call._get_param(name, []) for name in ("Filters", "OwnerIds")], sort_keys=True)
    ordered = sorted(resources)
    first = bisect.bisect_right(ordered, read_token(token, scope)) if token else 0
    rest = (resources[id] for id in ordered[first:] if matches(resources[id]))
    page = list(itertools.islice(rest, min(size, PAGE_MAX)))
    return page, write_token(page[-1].id, scope) if next(rest, None) else None


def write_token(last_id: str, scope: str) -> str:
    """An opaque token."""
    return base64.urlsafe_b64encode(json.dumps([last_id, checksum(scope)]).encode()).decode()


def read_token(token: str, scope: str) -> str:
    """The last id of the page before; a token that is none, or belongs to other filters, is refused."""
    try:
        last_id, sum_of_scope = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        refuse("InvalidPaginationToken", "The specified pagination token is not valid or is expired.")
    if sum_of_scope != checksum(scope):
        refuse("InvalidPaginationToken", "The specified pagination token belongs to a request with other parameters.")
    return last_id


def checksum(text: str) -> str:
    """A short fingerprint that is the same in every process."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def filter_of(filters: list[dict[str, Any]], values: Values) -> Test:
    """A test of a resource: it must match every filter, by any value of each."""
    tests = []
    for each in filters:
        patterns = each.get("Values", [])
        if len(patterns) > FILTER_VALUES_MAX:
            refuse("FilterLimitExceeded", f"The maximum number of filter values specified on a single call is {FILTER_VALUES_MAX}")
        tests.append((accessor(each.get("Name", ""), values), matcher(patterns)))
    return lambda resource: all(matches(value_of(resource)) for value_of, matches in tests)


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
