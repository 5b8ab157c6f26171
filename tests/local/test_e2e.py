"""The real function, driven by the real state machine file, against the local AWS: every event, asserted snapshot by snapshot.

The function is the one that OPENDLM_BOOTSTRAP names, or the one that `make bootstrap` built. Waits are scaled by the
interpreter, the definition is the deployed one.
"""

from __future__ import annotations

import copy
import json
import re
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import events
from case import FAST, case_of, due_for_seconds, event_now, writes
from chain import Chain, Execution
from rie import ROOT
from rust_source import code
from story import cause_text

EVENTS = sorted((ROOT / "events").glob("*.json"))
# What has no end of its own, or none in this account alone; test_targets_e2e.py runs the last two.
NOT_RUN = {"disabled", "invalid", "targets", "targets-from"}
# How many events a rule of one minute sends in its test.
MINUTES = 6


def due_event(scheduled_time: datetime, envelope_time: datetime) -> Any:
    """The EventBridge scheduled event without RunNow, of a schedule that names this time of the day."""
    event = events.load(ROOT / "events" / "scheduled.json")
    create_rule = events.schedules_of(event)[0]["CreateRule"]
    create_rule["Times"] = [scheduled_time.strftime("%H:%M")]
    events.body_of(event).pop("Options", None)
    return {**event, "time": events.time_text(envelope_time)}


@pytest.mark.parametrize("path", [path for path in EVENTS if path.stem not in NOT_RUN], ids=lambda path: path.stem)
def test_an_event_comes_to_the_promised_end_and_a_second_run_changes_nothing(local: Chain, path: Path) -> None:
    case = case_of(local, event_now(path.stem))
    assert {due.volume for due in case.wanted.new} == set(case.seeded.targets)
    assert case.wanted.deleted, "the account must have something that retention deletes"
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    case.assert_promise_kept()

    settled, written = local.account.snapshots(), len(writes(local))
    again = case.run()
    assert again.status() == "SUCCEEDED", again.failure()
    assert local.account.snapshots() == settled
    assert writes(local)[written:] == []


def test_count_retention_deletes_the_oldest_snapshot_of_each_volume(local: Chain) -> None:
    case = case_of(local, event_now("sample"))
    assert case.run().status() == "SUCCEEDED"
    assert case.deleted() == {history[0] for history in case.seeded.ours.values()}
    assert case.new() == sorted(case.seeded.targets)
    calls = [call for call in local.aws.wire.calls_since(0) if call.Action in ("CreateSnapshot", "DeleteSnapshot")]
    last_creation = max(call.Time for call in calls if call.Action == "CreateSnapshot")
    completed = last_creation + FAST["SNAP_SECONDS"]
    assert all(call.Time > completed for call in calls if call.Action == "DeleteSnapshot"), "deleted before the new ones were good"


def test_the_tags_and_the_description_go_in_the_one_call_that_creates(local: Chain) -> None:
    case = case_of(local, event_now("sample"))
    assert case.run().status() == "SUCCEEDED"
    assert set(writes(local)) == {"CreateSnapshot", "DeleteSnapshot"}
    # EC2 takes either ids or a page size.
    lists = [call for call in local.aws.wire.calls_since(0) if call.Rows is not None and "SnapshotId.1" not in call.Parameters]
    assert lists and all(call.Parameters.get("MaxResults") == "1000" for call in lists)
    case.assert_promise_kept()


def test_a_run_that_has_filled_a_history_goes_on_in_a_new_execution_and_makes_nothing_twice(local: Chain) -> None:
    local.aws.switches.change({"SNAP_SECONDS": 5})
    case = case_of(local, event_now("sample"))
    [found] = re.findall(r"pub const TURNS_PER_EXECUTION: u32 = ([\d_]+);", code(ROOT / "src" / "turn" / "lifetime.rs"))
    first = local.start(case.event)
    while not first.answers():
        time.sleep(0.02)
    next_event = first.answers()[0]["Next"]
    first.stop()
    assert next_event["Progress"]["Created"] == len(case.seeded.targets)
    # As if all the turns but one that an execution has room for were behind it.
    next_event["Progress"]["Turns"] = int(found.replace("_", "")) - 1
    full = local.run(next_event)
    assert full.status() == "SUCCEEDED", full.failure()
    assert full.answers()[0]["NewExecution"].endswith("-2")
    arn = full.output()["Continued"]["ExecutionArn"]
    last = local.finish(Execution(local.aws.client("stepfunctions"), arn))
    assert last.status() == "SUCCEEDED", last.failure()
    assert last.output()["Outcome"] == "SUCCEEDED" and last.output()["Created"] == len(case.seeded.targets)
    case.assert_promise_kept()
    assert writes(local).count("CreateSnapshot") == len(case.seeded.targets)


def test_step_functions_waits_and_the_function_never_does(local: Chain) -> None:
    local.aws.switches.change({"SNAP_SECONDS": 5, "WAIT_SCALE": 0.4})
    case = case_of(local, event_now("sample"))
    execution = case.run()
    assert execution.status() == "SUCCEEDED"
    case.assert_promise_kept()
    entered = [event["stateEnteredEventDetails"]["name"] for event in execution.history() if "stateEnteredEventDetails" in event]
    steps = [name for name in entered if name in ("Turn", "Wait")]
    assert steps[0] == steps[-1] == "Turn"
    assert all(one != other for one, other in zip(steps, steps[1:])), "turns and waits take turns"
    assert steps.count("Turn") >= 3
    assert max(task_seconds(execution)) < 2


def task_seconds(execution: Execution) -> list[float]:
    """How long each invocation took, by the history."""
    began, seconds = None, []
    for event in execution.history():
        if event["type"] in ("TaskStarted", "LambdaFunctionStarted"):
            began = event["timestamp"]
        elif event["type"] in ("TaskSucceeded", "LambdaFunctionSucceeded"):
            seconds.append((event["timestamp"] - began).total_seconds())
    return seconds


def test_the_first_waits_are_those_that_dlm_shows(local: Chain) -> None:
    case_of(local, event_now("sample"))
    execution = local.run(event_now("sample"))
    entered = [event["stateEnteredEventDetails"] for event in execution.history() if event["type"] == "WaitStateEntered"]
    waits = [json.loads(details["input"])["WaitSeconds"] for details in entered]
    assert [wait for wait in waits if wait][:2] == [1, 15]


def test_a_schedule_that_is_due_needs_no_run_now(local: Chain) -> None:
    scheduled_time = events.now_to_the_second().replace(second=0)
    event = due_event(scheduled_time, scheduled_time)
    case = case_of(local, event)
    execution = local.run(event)
    assert execution.status() == "SUCCEEDED", execution.failure()
    case.assert_promise_kept()


def test_a_rule_of_one_minute_straight_at_the_function_is_a_valid_driver(local: Chain) -> None:
    scheduled_time = events.now_to_the_second().replace(second=0) - timedelta(minutes=MINUTES)
    case = case_of(local, due_event(scheduled_time, scheduled_time))
    statuses = []
    for minute in range(MINUTES):
        # Every event has a time of its own, and nobody hands Next on.
        event = due_event(scheduled_time, scheduled_time + timedelta(minutes=minute))
        invocation = local.function.invoke(json.dumps(event).encode())
        assert not invocation.failed, invocation.payload
        statuses.append(invocation.payload["Status"])
        time.sleep(0.5)
    assert statuses[-1] == "DONE"
    case.assert_promise_kept()
    assert writes(local).count("CreateSnapshot") == len(case.seeded.targets)


def test_a_start_that_arrives_too_late_makes_nothing(local: Chain) -> None:
    yesterday = events.now_to_the_second() - timedelta(days=1)
    event = due_event(yesterday, yesterday)
    case = case_of(local, event)
    execution = local.run(event)
    assert execution.status() in ("SUCCEEDED", "FAILED")
    assert "CreateSnapshot" not in writes(local)
    assert case.deleted() == set()


def test_what_always_fails_stops_nobody_and_keeps_what_it_has(local: Chain) -> None:
    case = case_of(local, due_for_seconds("sample"))
    refused, failing, good = case.seeded.targets
    local.aws.switches.change({"FAIL_VOLUMES": {refused: "IncorrectState"}})
    local.aws.switches.change({"ERROR_MESSAGES": {failing: "Given key ID is not accessible"}})
    execution = case.run()
    assert execution.status() == "FAILED"
    cause = cause_text(execution.failure()[1])
    assert refused in cause
    shown = local.aws.client("ec2").describe_snapshots(Filters=[{"Name": "volume-id", "Values": [failing]}])["Snapshots"]
    failed = [each for each in shown if each["State"] == "error"]
    told = [f"{each['SnapshotId']} went to error; EC2 says: {each['StateMessage']}" for each in failed]
    assert any(words in cause for words in told), cause
    assert case.new().count(good) == 1 and refused not in case.new()
    assert case.deleted() == {case.seeded.ours[good][0]}


def test_a_snapshot_that_an_ami_needs_stops_nobody(local: Chain) -> None:
    case = case_of(local, event_now("sample"))
    oldest = {volume: history[0] for volume, history in case.seeded.ours.items()}
    stuck = oldest[case.seeded.targets[0]]
    local.account.add_image_of(stuck)
    execution = case.run()
    # What an AMI needs is kept and said, not attempted: nobody can delete it.
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert case.deleted() == set(oldest.values()) - {stuck}
    assert case.new() == sorted(case.seeded.targets)


def test_a_throttled_endpoint_slows_the_work_down_and_stops_nothing(local: Chain) -> None:
    local.aws.switches.change({"THROTTLE": 0.3, "SEED": 3})
    case = case_of(local, event_now("sample"))
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    case.assert_promise_kept()
    assert any(call.Code == "RequestLimitExceeded" for call in local.aws.wire.calls_since(0))


def test_a_lost_answer_makes_no_second_snapshot(local: Chain) -> None:
    case = case_of(local, event_now("sample"))
    local.aws.switches.change({"LOST_ANSWERS": 1})
    execution = local.start(case.event)
    wait_for_creations(local, len(case.seeded.targets))
    local.aws.switches.change({"LOST_ANSWERS": 0})
    while execution.status() == "RUNNING":
        time.sleep(0.1)
    assert execution.status() == "SUCCEEDED", execution.failure()
    case.assert_promise_kept()
    assert writes(local).count("CreateSnapshot") == len(case.seeded.targets)


def wait_for_creations(local: Chain, count: int, seconds_max: float = 20) -> None:
    """Wait until so many creations were called for."""
    end = time.monotonic() + seconds_max
    while writes(local).count("CreateSnapshot") < count:
        assert time.monotonic() < end, local.function.log.tail()
        time.sleep(0.02)


def test_a_volume_that_is_still_being_created_is_skipped(local: Chain) -> None:
    event = event_now("sample")
    case = case_of(local, event)
    young = local.account.add_volume(dict(events.target_tags_of(event)), status="creating")
    assert case.run().status() == "SUCCEEDED"
    case.assert_promise_kept()
    assert young not in case.new()


def test_an_event_with_a_key_that_stands_twice_is_refused_by_its_path(local: Chain) -> None:
    text = (ROOT / "events" / "sample.json").read_text()
    assert text.count('"Count": 3') == 1
    invocation = local.function.invoke(text.replace('"Count": 3', '"Count": 3, "Count": 1').encode())
    assert invocation.failed
    assert invocation.payload["errorType"] == "PolicyInvalid"
    assert "RetainRule.Count: stands more than once" in invocation.payload["errorMessage"]
    # The connections of the init phase are opened by dry runs.
    assert all(call.Code == "DryRunOperation" for call in local.aws.wire.calls_since(0))


def test_an_invalid_policy_fails_by_name_with_the_path_of_the_problem(local: Chain) -> None:
    event = events.load(ROOT / "events" / "invalid.json")
    local.account.add_volume(dict(events.target_tags_of(event)))
    execution = local.run(event)
    error, cause = execution.failure()
    assert (execution.status(), error) == ("FAILED", "PolicyInvalid")
    assert "PolicyDetails." in cause_text(cause)
    assert local.aws.wire.calls_since(0) == []
    turns = [each for each in local.function.invocations if each.failed]
    assert len(turns) == 1, "an invalid policy is not tried again"


def test_a_disabled_policy_is_skipped_and_writes_nothing(local: Chain) -> None:
    case = case_of(local, event_now("disabled"))
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert execution.output()["Outcome"] == "SKIPPED"
    assert writes(local) == []
    case.assert_promise_kept()


def test_a_missing_permission_fails_by_name(local: Chain) -> None:
    case = case_of(local, event_now("sample"))
    local.aws.switches.change({"FAIL_ACTIONS": "DescribeSnapshots:UnauthorizedOperation"})
    execution = case.run()
    assert (execution.status(), execution.failure()[0]) == ("FAILED", "AccessDenied")
    assert writes(local) == []
