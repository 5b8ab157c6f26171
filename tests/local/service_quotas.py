"""Service Quotas, as far as the function asks it: the list of EC2's quotas, which stock moto lacks.

Two for each action of EC2, by the names that AWS gives them, beside some of another kind; sorted by their codes, as in the lists of
real accounts, so that those of one action are pages apart.
"""

from __future__ import annotations

import functools
import json
import zlib
from collections.abc import Callable
from typing import Any

import botocore.session

TARGET = "ServiceQuotasV20190624."
# Service Quotas API reference, ListServiceQuotas: MaxResults.
PAGE_MAX = 100
OTHERS = {"Running Dedicated m5 Hosts": 0.0, "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests": 1152.0}

Answer = tuple[int, list[tuple[str, str]], bytes]


@functools.cache
def actions() -> tuple[str, ...]:
    """Every action of EC2."""
    return tuple(botocore.session.get_session().get_service_model("ec2").operation_names)


def quotas(size_of: Callable[[str], tuple[float, float]]) -> list[dict[str, Any]]:
    """All quotas, where `size_of` says the capacity and the refill a second of an action's bucket."""
    rows = [quota(name, value) for name, value in OTHERS.items()]
    for action in actions():
        capacity, refill = size_of(action)
        rows.append(quota(f"{action} request bucket maximum capacity", capacity))
        rows.append(quota(f"{action} request bucket refill rate", refill, Period={"PeriodUnit": "SECOND", "PeriodValue": 1}))
        if action == "DescribeSnapshots":
            rows.append(quota(f"{action} unfiltered request bucket maximum capacity", 50))
            rows.append(quota(f"{action} unfiltered request bucket refill rate", 10))
    return sorted(rows, key=lambda row: row["QuotaCode"])


def quota(name: str, value: float, **more: Any) -> dict[str, Any]:
    """One quota."""
    code = f"L-{zlib.crc32(name.encode()):08X}"
    kind = {"ServiceCode": "ec2", "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)", "QuotaAppliedAtLevel": "ACCOUNT"}
    return {**kind, "QuotaCode": code, "QuotaName": name, "Value": value, "Unit": "None", "Adjustable": True, "GlobalQuota": False, **more}


def page(rows: list[dict[str, Any]], request: dict[str, Any]) -> Answer:
    """A page of the list. The token is the number of the next row."""
    if request.get("ServiceCode") != "ec2":
        return error("NoSuchResourceException", "The request failed because the specified service does not exist.")
    size, first = min(request.get("MaxResults", PAGE_MAX), PAGE_MAX), int(request.get("NextToken", 0))
    body = {"Quotas": rows[first : first + size]}
    return answer(200, body | ({"NextToken": str(first + size)} if first + size < len(rows) else {}))


def error(code: str, message: str) -> Answer:
    """An error answer as Service Quotas writes it."""
    return answer(400, {"__type": code, "message": message})


def answer(status: int, body: Any) -> Answer:
    """An answer in the JSON protocol."""
    return status, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(body).encode()
