"""A run in an account with more than a page of snapshots: between its first and its last look it asks for excerpts alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import contract
import events
from case import event_now
from chain import Chain, bootstrap_path, chain
from ec2_filters import PAGE_MAX
from switches import Switches
from template import template
from wire import Call

# Four of each volume are over a page of 1,000, and one more than the sample policy keeps.
VOLUMES, OLD, KEPT = 260, 4, 3
SCHEDULED_TIME, VOLUME = "tag:opendlm:scheduled-time", "volume-id"


@pytest.fixture(scope="module")
def running() -> Iterator[Chain]:
    """A chain whose function has as long as the deployed one: an invocation makes another turn when it has a minute left."""
    timeout = template()["Globals"]["Function"]["Timeout"]
    with chain(bootstrap_path(), timeout_seconds=timeout) as started:
        yield started
        started.aws.switches.change(Switches().shown())


def fill(local: Chain, event: Any) -> list[str]:
    """Volumes that each hold one snapshot more than is kept."""
    policy, [schedule], start = events.policy_of(event), events.schedules_of(event), events.start_of(event)
    (key, value), *_ = events.target_tags_of(event)
    volumes = [local.account.add_volume({key: value}) for _ in range(VOLUMES)]
    for days in range(OLD, 0, -1):
        time = start - timedelta(days=days)
        tags, description = contract.our_tags(policy, schedule, time), contract.our_description(policy, schedule)
        for volume in volumes:
            local.account.add_snapshot(volume, time, description, tags)
    return volumes


def filters(call: Call) -> set[str]:
    """The names of the filters of a call."""
    return {value for name, value in call.Parameters.items() if name.startswith("Filter.") and name.endswith(".Name")}


def test_a_run_looks_at_everything_first_and_last_and_at_what_it_waits_for_between(local: Chain) -> None:
    local.aws.switches.change({"PAGE_SCAN": PAGE_MAX})
    event = event_now("sample")
    # A start that the clock alone names may be answered by an earlier one: then every look is at everything.
    events.body_of(event)["ScheduledTime"] = events.time_text(events.now_to_the_second())
    volumes = fill(local, event)
    before = local.account.snapshots()
    execution = local.run(event)
    assert execution.status() == "SUCCEEDED", execution.failure()

    held: dict[str, list[Any]] = {volume: [] for volume in volumes}
    for snapshot in local.account.snapshots().values():
        held[snapshot.volume].append(snapshot)
    for snapshots in held.values():
        newest_old = sorted((each.start for each in before.values() if each.volume == snapshots[0].volume))[-KEPT + 1 :]
        assert sorted(each.start for each in snapshots)[:-1] == newest_old, "two old ones and the new one stay"
        assert {each.status for each in snapshots} == {"completed"}
    report = execution.report()
    assert (report["Created"], report["Deleted"]) == (VOLUMES, 2 * VOLUMES)
    assert len(execution.answers()) < report["Turns"], "an excerpt with nothing left to do is followed by a look at everything at once"

    calls = local.aws.wire.calls_since(0)
    # The function opens its connections with a dry run.
    looks = [call for call in calls if call.Action == "DescribeSnapshots" and "DryRun" not in call.Parameters]
    assert not filters(looks[0]) & {SCHEDULED_TIME, VOLUME} and not filters(looks[-1]) & {SCHEDULED_TIME, VOLUME}
    excerpts = [call for call in looks if SCHEDULED_TIME in filters(call)]
    in_full = [call for call in looks if VOLUME in filters(call)]
    assert excerpts and in_full, "more than a page, so the turns between look at excerpts"
    assert [call.Parameters for call in looks if "description" not in filters(call)] == [], "only the policy's own are ever asked for"
    assert all((call.Rows or 0) <= 2 * VOLUMES for call in excerpts), "the new ones, and those that go for them"
