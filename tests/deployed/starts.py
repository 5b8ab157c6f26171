"""Starts of the deployed state machine: by hand, as the README says, and by the schedule."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

from chain import Execution
from stack import Stack

RUN_SECONDS_MAX = 60.0
POLL_SECONDS = 0.2
COMMAND_SECONDS_MAX = 30

Found = TypeVar("Found")


def start(stack: Stack, event: Any) -> Execution:
    """Start a run and wait for its end."""
    states = stack.cloud.client("stepfunctions")
    started = states.start_execution(stateMachineArn=stack.outputs()["StateMachineArn"], input=json.dumps(event))
    return finished(stack, started["executionArn"])


def type_run_now(stack: Stack, folder: Path) -> Execution:
    """Type the command that the stack's output RunNowCommand is, and wait for the end of the run that it starts."""
    command = stack.outputs()["RunNowCommand"]
    typed = subprocess.run(
        ["bash", "-c", command],
        cwd=folder, env=stack.environment(), capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, check=False,
    )
    assert typed.returncode == 0, f"{command}\n{typed.stdout}\n{typed.stderr}"
    return finished(stack, json.loads(typed.stdout)["executionArn"])


def tools_missing() -> list[str]:
    """What RunNowCommand needs, by the README, and this machine does not have."""
    return [tool for tool in ("aws", "jq") if shutil.which(tool) is None]


def executions(stack: Stack) -> list[str]:
    """The ARNs of all executions of the state machine."""
    states = stack.cloud.client("stepfunctions")
    found = states.list_executions(stateMachineArn=stack.outputs()["StateMachineArn"])
    return [each["executionArn"] for each in found["executions"]]


def started_by_schedule(stack: Stack, known: list[str], seconds_max: float) -> Execution:
    """Wait until there is one execution beside those that are known, and for its end."""
    found = wait_for(stack, lambda: [arn for arn in executions(stack) if arn not in known], "a start by the schedule", seconds_max)
    return finished(stack, found[0])


def finished(stack: Stack, arn: str) -> Execution:
    """Wait for the end of an execution."""
    execution = Execution(stack.cloud.client("stepfunctions"), arn)
    wait_for(stack, lambda: execution.status() != "RUNNING", f"the end of {arn}", RUN_SECONDS_MAX)
    return execution


def check_succeeded(execution: Execution) -> dict[str, Any]:
    """The report of a run that did all that was due."""
    assert execution.status() == "SUCCEEDED", execution.failure()
    report = execution.output()
    assert (report["Outcome"], report["Failed"]) == ("SUCCEEDED", 0), report
    return report


def wait_for(stack: Stack, look: Callable[[], Found], what: str, seconds_max: float) -> Found:
    """Look until there is something to see."""
    end = time.monotonic() + seconds_max
    while not (found := look()):
        assert time.monotonic() < end, f"no sign of {what} after {seconds_max:.0f} s\n{stack.cloud.tail()}"
        time.sleep(POLL_SECONDS)
    return found


def run_now(policy: dict[str, Any], number: int, **options: Any) -> dict[str, Any]:
    """The event of a run now. Those of one policy are numbered, so that each has a time of its own, in their order."""
    at = datetime.now(timezone.utc) - timedelta(minutes=10 - number)
    return {"Policy": policy, "ScheduledTime": written(at), "Options": {"RunNow": True, **options}}


def wait_for_an_hour_with(seconds: float) -> None:
    """Wait for the next full hour, if it is nearer than so many seconds: it brings another time that is due."""
    now = datetime.now(timezone.utc)
    left = 3600 - (now.minute * 60 + now.second)
    if left < seconds:
        time.sleep(left + 1)


def hours(number: int) -> list[str]:
    """So many full hours in a row, the last one being over."""
    last = datetime.now(timezone.utc).replace(minute=0, second=0)
    return [written(last - timedelta(hours=ago)) for ago in reversed(range(number))]


def late(policy: dict[str, Any], scheduled_time: str) -> dict[str, Any]:
    """The event of a start that was meant for another time of today, and comes now."""
    return {"Policy": policy, "ScheduledTime": scheduled_time, "Options": {"StartWindowMinutes": 1440}}


def written(at: datetime) -> str:
    """A time as events have it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
