"""The metrics that the real function writes, held against the trail of its EC2 calls and against the account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import events
import metrics
from case import Case, case_of, event_now, with_options, due_for_seconds
from chain import Chain
from contract import our_description, our_tags


def lines_of(local: Chain, case: Case) -> tuple[list[dict[str, Any]], str]:
    """The lines that a run wrote, and how it ended."""
    before = len(metrics.written(local.function.log))
    status = case.run().status()
    return metrics.written(local.function.log)[before:], status


def add_orphans(local: Chain, case: Case) -> int:
    """Two snapshots of a schedule that is no more; their full size in bytes."""
    policy, [schedule] = events.policy_of(case.event), events.schedules_of(case.event)
    gone, day = {**schedule, "Name": "Gone"}, events.now_to_the_second() - timedelta(days=400)
    ids = [
        local.account.add_snapshot(volume, day, our_description(policy, gone), our_tags(policy, gone, day))
        for volume in case.seeded.targets[:2]
    ]
    found = local.aws.client("ec2").describe_snapshots(SnapshotIds=ids)["Snapshots"]
    return sum(each["FullSnapshotSizeInBytes"] for each in found)


def test_the_metrics_of_a_mixed_run_are_what_its_calls_say(local: Chain) -> None:
    case = case_of(local, due_for_seconds("sample"))
    orphan_bytes = add_orphans(local, case)
    refused, broken, good = case.seeded.targets
    locked = case.seeded.ours[good][0]
    local.aws.switches.change({"FAIL_VOLUMES": {refused: "InternalError"}, "ERROR_VOLUMES": {broken}})
    local.aws.switches.change({"FAIL_DELETES": {locked: "OperationNotPermitted"}})
    lines, status = lines_of(local, case)
    assert status == "FAILED"
    [line] = lines
    assert line["DLMPolicyId"] == events.policy_of(case.event)["PolicyId"]
    expected = metrics.of_trail(local.aws.wire.calls_since(0), local.account, case.seeded.targets)
    found = metrics.values(line)
    # The two without a new snapshot count as stopped when the start window is over: the run's last look is before that or after it.
    assert found.pop("VolumesStopped") in (0, 2)
    assert found == {**expected, "Orphans": 2, "OrphanBytes": orphan_bytes}
    # The run was really a mixed one.
    assert expected["SnapshotsCreateStarted"] > expected["SnapshotsCreateCompleted"] == 1
    assert (expected["SnapshotsCreateFailed"], expected["SnapshotsDeleteFailed"]) == (2, 1)


def test_a_run_that_does_everything_and_one_that_finds_nothing_to_do_write_a_line_each(local: Chain) -> None:
    case = case_of(local, event_now("sample"))
    [line], status = lines_of(local, case)
    expected = metrics.of_trail(local.aws.wire.calls_since(0), local.account, case.seeded.targets)
    assert status == "SUCCEEDED" and expected.items() <= metrics.values(line).items()
    assert expected["SnapshotsCreateCompleted"] == expected["SnapshotsDeleteCompleted"] == len(case.seeded.targets)
    again = len(local.aws.wire.calls_since(0))
    [line], status = lines_of(local, case)
    expected = metrics.of_trail(local.aws.wire.calls_since(0)[again:], local.account, case.seeded.targets)
    assert status == "SUCCEEDED" and expected.items() <= metrics.values(line).items()
    assert (expected["ResourcesTargeted"], expected["SnapshotsCreateStarted"]) == (len(case.seeded.targets), 0)


def test_what_is_targeted_is_told_when_nothing_is_due(local: Chain) -> None:
    event = with_options(event_now("sample"), RunNow=False)
    event["ScheduledTime"] = events.time_text(events.now_to_the_second() - timedelta(days=1))
    case = case_of(local, event)
    [line], _ = lines_of(local, case)
    assert metrics.values(line)["ResourcesTargeted"] == len(case.seeded.targets)
    assert metrics.values(line)["SnapshotsCreateStarted"] == 0


def test_several_targets_are_one_run_and_write_one_line(local: Chain) -> None:
    event = event_now("sample")
    case = case_of(local, event)
    case.event = with_options(event, Targets=[{"Regions": [local.aws.client("ec2").meta.region_name]}])
    [line], status = lines_of(local, case)
    assert status == "SUCCEEDED"
    expected = metrics.of_trail(local.aws.wire.calls_since(0), local.account, case.seeded.targets)
    assert expected.items() <= metrics.values(line).items()
    assert expected["SnapshotsCreateStarted"] == len(case.seeded.targets)


def test_the_line_has_nothing_that_lambda_would_leave_it_out_for(local: Chain) -> None:
    """AWS Lambda Developer Guide, log level filtering: with LogFormat JSON a line without a level counts as INFO."""
    case = case_of(local, event_now("sample"))
    [line], _ = lines_of(local, case)
    assert not {"level", "timestamp", "message"} & line.keys()
