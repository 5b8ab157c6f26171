"""Runs with more calls than EC2's buckets hold: they learn from Service Quotas how fast they may go, and need not be allowed to.

Each test has a function process of its own, because what a process knows of the limits is good for a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import events
from account import Account
from case import event_now, with_options
from chain import Chain, bootstrap_path, chain
from switches import Switches
from wire import Call

# A run of so many volumes takes 32 s at the documented pace, at four times the pace and twice the bucket 2 s.
VOLUMES = 260
RAISED = {"CreateSnapshot": "200/50", "DeleteSnapshot": "200/50"}
CAPACITY, REFILL = 100, 5
SECONDS_DOCUMENTED = (VOLUMES - CAPACITY) / REFILL
# With the documented pace and time to spare: a few volumes more than a bucket holds.
A_FEW_MORE = 112


@pytest.fixture
def running() -> Iterator[Chain]:
    """A chain with a fresh function that keeps to EC2's limits, which are on."""
    with chain(bootstrap_path(), variables={"OPENDLM_API_LIMITS": ""}) as started:
        yield started
        started.aws.switches.change(Switches().shown())


def run(local: Chain, volumes: int, **switches: Any) -> list[Call]:
    """The calls of a run over so many volumes, which makes a snapshot of each."""
    local.aws.switches.change({"BUCKETS": True, **switches})
    event = event_now("sample")
    (key, value), *_ = events.target_tags_of(event)
    for _ in range(volumes):
        local.account.add_volume({key: value})
    execution = local.run(event)
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert execution.report()["Created"] == volumes == len(local.account.snapshots())
    return local.aws.wire.calls_since(0)


def of(calls: list[Call], action: str) -> list[Call]:
    """The calls of one action."""
    return [call for call in calls if call.Action == action]


def seconds(calls: list[Call]) -> float:
    """From the first call to the last one."""
    return calls[-1].Time - calls[0].Time


def lines(local: Chain) -> list[dict[str, Any]]:
    """What the log says about limits."""
    return [line.fields for line in local.function.log.since(0) if line.message == "limits"]


def test_an_account_whose_limits_are_raised_is_done_sooner_and_never_throttled(local: Chain) -> None:
    calls = run(local, VOLUMES, BUCKET_SIZES=RAISED)
    assert [call for call in calls if call.Code == "RequestLimitExceeded"] == []
    assert seconds(of(calls, "CreateSnapshot")) < SECONDS_DOCUMENTED / 2
    pages = of(calls, "ListServiceQuotas")
    assert pages and len({call.Parameters.get("NextToken") for call in pages}) == len(pages), "each page once"
    [line] = lines(local)
    assert (line["source"], line["create_snapshot"]) == ("Service Quotas", "200 and 50 a second")
    assert (line["create_snapshots"], "code" in line) == ("100 and 5 a second", False)


def test_a_role_that_may_not_ask_goes_on_at_the_documented_pace(local: Chain) -> None:
    calls = run(local, A_FEW_MORE, FAIL_ACTIONS={"ListServiceQuotas": "AccessDeniedException"})
    assert [call.Code for call in calls if call.Code not in (None, "DryRunOperation")] == ["AccessDeniedException"]
    creations = of(calls, "CreateSnapshot")
    assert len(creations) == A_FEW_MORE
    assert seconds(creations) > (A_FEW_MORE - CAPACITY) / REFILL
    [line] = lines(local)
    assert (line["source"], line["code"]) == ("documentation", "AccessDeniedException")
    assert line["create_snapshot"] == "100 and 5 a second" and line["level"] == "INFO"


def test_a_small_run_asks_nobody(local: Chain) -> None:
    calls = run(local, 3, BUCKET_SIZES=RAISED)
    assert (of(calls, "ListServiceQuotas"), lines(local)) == ([], [])


def test_the_limits_of_another_account_are_asked_for_there_with_the_session_that_is_open(local: Chain) -> None:
    there, region = "222233334444", "eu-west-1"
    role = f"arn:aws:iam::{there}:role/opendlm-target"
    local.aws.wire.roles.trust(role)
    event = with_options(event_now("sample"), Target={"RoleArn": role, "Region": region})
    (key, value), *_ = events.target_tags_of(event)
    for _ in range(CAPACITY + 25):
        Account(local.aws, there, region).add_volume({key: value})
    execution = local.run(event)
    assert execution.status() == "SUCCEEDED", execution.failure()
    asked = of(local.aws.wire.calls_since(0), "ListServiceQuotas")
    assert asked and {(call.Account, call.Region) for call in asked} == {(there, region)}
    [session] = local.aws.wire.roles.sessions
    [line] = lines(local)
    assert (session.role, line["account"], line["region"]) == (role, there, region)
