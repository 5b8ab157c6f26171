"""Service Quotas, as far as the function asks it: the list of EC2's quotas, which stock moto lacks.

Two for each action of EC2, by the names that AWS gives them, beside some of another kind; sorted by their codes, as in the lists of
real accounts, so that those of one action are pages apart.
"""

from __future__ import annotations

import base64
import functools
import json
import zlib
from collections.abc import Callable
from typing import Any

import botocore.session

from sts import Caller

TARGET = "ServiceQuotasV20190624."
# Service Quotas API reference, ListServiceQuotas: MaxResults.
PAGE_MAX = 100
# The length of a token, list-service-quotas/02.
TOKEN_LENGTH = 1000
# What AWS does not raise: shared/wire/README.md, "Others". Of the other quotas for calls nobody has seen whether it does.
NOT_ADJUSTABLE = ("RunInstances",)
OTHERS = {"Running Dedicated m5 Hosts": 0.0, "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests": 1152.0}

Answer = tuple[int, list[tuple[str, str]], bytes]


@functools.cache
def actions() -> tuple[str, ...]:
    """Every action of EC2."""
    return tuple(botocore.session.get_session().get_service_model("ec2").operation_names)


def quotas(size_of: Callable[[str], tuple[float, float]], caller: Caller) -> list[dict[str, Any]]:
    """All quotas, where `size_of` says the capacity and the refill a second of an action's bucket."""
    rows = [quota(caller, name, name, value) for name, value in OTHERS.items()]
    for action in actions():
        sizes = {"": size_of(action)} | ({" unfiltered": (50, 10)} if action == "DescribeSnapshots" else {})
        for kind, (capacity, refill) in sizes.items():
            calls = f"{action}{kind} calls"
            rows += [
                quota(caller, f"{action}{kind} request bucket maximum capacity", f"The largest burst of {calls}.", capacity),
                quota(caller, f"{action}{kind} request bucket refill rate", f"{calls} a second that are refilled.", refill, True),
            ]
    return sorted(rows, key=lambda row: row["QuotaCode"])


def quota(caller: Caller, name: str, description: str, value: float, is_rate: bool = False) -> dict[str, Any]:
    """One quota, with the fields of list-service-quotas/02; `Period` is documented, and EC2's rates have it."""
    code = f"L-{zlib.crc32(name.encode()):08X}"
    row = {
        "ServiceCode": "ec2",
        "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
        "QuotaArn": f"arn:aws:servicequotas:{caller.region}:{caller.account}:ec2/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Description": description,
        "Value": value,
        "Unit": "None",
        "Adjustable": name.split()[0] not in NOT_ADJUSTABLE,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }
    return row | ({"Period": {"PeriodUnit": "SECOND", "PeriodValue": 1}} if is_rate else {})


def page(rows: list[dict[str, Any]], request: dict[str, Any]) -> Answer:
    """A page of the list. The token is the number of the next row."""
    if request.get("ServiceCode") != "ec2":
        return error("NoSuchResourceException", "The request failed because the specified service does not exist.")
    size, first = min(request.get("MaxResults", PAGE_MAX), PAGE_MAX), read_token(request.get("NextToken"))
    if first is None:
        # Service Quotas API reference, ListServiceQuotas, "Errors"; the words were not seen.
        return error("InvalidPaginationTokenException", "Invalid input was provided.")
    following = {"NextToken": write_token(first + size)} if first + size < len(rows) else {}
    return answer(200, {**following, "Quotas": rows[first : first + size]})


def write_token(first: int) -> str:
    """A token that only this service can read."""
    return base64.b64encode(str(first).encode().ljust(TOKEN_LENGTH)).decode()


def read_token(token: str | None) -> int | None:
    """The number of the first row; nothing where the token is none."""
    try:
        return int(base64.b64decode(token, validate=True)) if token else 0
    except ValueError:
        return None


def error(code: str, message: str) -> Answer:
    """An error answer as Service Quotas writes it."""
    return answer(400, {"__type": code, "message": message})


def answer(status: int, body: Any) -> Answer:
    """An answer in the JSON protocol."""
    return status, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(body).encode()
