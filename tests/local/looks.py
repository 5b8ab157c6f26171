"""What `opendlm doctor` looks at beside EC2 and moto lacks: Amazon DLM's list of policies, and looks that are refused.

Sources: the service model of botocore for DLM (GetLifecyclePolicies: `GET /policies`, the names of its query and of a summary), the
protocols in the models of the others (JSON with `__type`, and XML for SNS), and the IAM User Guide for the status of a refusal.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from sts import error as query_error

Answer = tuple[int, list[tuple[str, str]], bytes]
# The services that speak the query protocol; the others speak JSON.
BY_QUERY = ("sns", "sts")
# A refusal is 400 where JSON is spoken with a target, 403 in REST and in the query protocol.
BY_TARGET = ("sqs", "states")


def refused(service: str, code: str) -> Answer:
    """The answer of a service to somebody who may not look."""
    message = f"User: arn:aws:iam::123456789012:user/me is not authorized to perform this action of {service}"
    if service in BY_QUERY:
        return query_error(403, code, message)
    body = json.dumps({"__type": code, "message": message}).encode()
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)]
    return (400 if service in BY_TARGET else 403), headers, body


def lifecycle_policies(policies: list[dict[str, Any]], query: str) -> Answer:
    """DLM's answer to GetLifecyclePolicies: those of a state, with one of some target tags, or default ones."""
    asked = parse_qs(query)
    state, tags, default = asked.get("state"), asked.get("targetTags"), asked.get("defaultPolicyType")
    found = [
        each for each in policies
        if (not state or each["State"] in state)
        and (not tags or {f"{tag['Key']}={tag['Value']}" for tag in each["TargetTags"]} & set(tags))
        and (not default or each.get("DefaultPolicy"))
    ]
    shown = [{key: value for key, value in each.items() if key != "TargetTags"} for each in found]
    return 200, [("Content-Type", "application/json")], json.dumps({"Policies": shown}).encode()
