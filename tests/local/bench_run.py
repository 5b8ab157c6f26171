"""The time and the memory of a run for many volumes, beside a plain boto3 script that does the same job.

The real function behind the real state machine on the local endpoint, then the script on an account that is filled in the same
way, behind the same endpoint with full buckets again.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import contract
import events
from account import Account
from chain import Chain, chain
from console import fact
from figures import Figure, show
from rie import ROOT
from template import template

SCRIPT = Path(__file__).with_name("peer_script.py")
EVENT = ROOT / "events" / "sample.json"

VOLUMES = 200
# So many that a full bucket lets all of their calls through at once: 50 creations, 100 deletions.
VOLUMES_WITHOUT_PACE = 50
OLD_SNAPSHOTS = 4
KEPT = 3
DELETIONS_EACH = OLD_SNAPSHOTS + 1 - KEPT

# A run that takes ten times as long as it should has failed.
RUN_SECONDS_MAX = 900.0

# 400 deletions take 60 s through a bucket of 100 that gains 5 a second; two seconds for everything else.
BUCKETS_SECONDS_MAX = 62.0
# The script creates first and deletes then, and took 83 s when the target was set.
BUCKETS_TIMES_MAX = 62 / 83
MEMORY_MB_MAX = 16.0
MEMORY_TIMES_MAX = 16 / 71

# A snapshot is complete after a second, so that the time is that of the calls and not of EBS.
WITH_BUCKETS = {"BUCKETS": True, "LATENCY_MS": 0, "SNAP_SECONDS": 1}
WITH_LATENCY = {"BUCKETS": False, "LATENCY_MS": 50, "SNAP_SECONDS": 1}


@dataclass(frozen=True)
class Run:
    """What came of one run."""

    seconds: float
    peak_mb: float
    throttled: Counter[str]
    """The calls that were answered with RequestLimitExceeded, by action."""
    problems: list[str]
    notes: str


def bench(bootstrap: Path) -> tuple[list[Figure], list[str]]:
    """Run everything, show it, and return the figures with what went wrong."""
    ours, theirs = both(bootstrap, WITH_BUCKETS, VOLUMES)
    paced = [
        Figure("time of a run", "s", ours.seconds, "bound", BUCKETS_SECONDS_MAX),
        Figure("time of a run", "s", ours.seconds, "boto3", theirs.seconds, BUCKETS_TIMES_MAX),
        Figure("throttled calls", "", ours.throttled.total(), "bound", 0),
        Figure("peak memory", "MB", ours.peak_mb, "bound", MEMORY_MB_MAX),
        Figure("peak memory", "MB", ours.peak_mb, "boto3", theirs.peak_mb, MEMORY_TIMES_MAX),
    ]
    show(f"EC2's buckets: {work_text(VOLUMES)}", paced)
    tell(ours, theirs)
    problems, figures = ours.problems + theirs.problems, paced
    for volumes in (VOLUMES, VOLUMES_WITHOUT_PACE):
        ours, theirs = both(bootstrap, WITH_LATENCY, volumes)
        free = [Figure("time of a run", "s", ours.seconds, "boto3", theirs.seconds)]
        show(f"No buckets, {WITH_LATENCY['LATENCY_MS']} ms a call: {work_text(volumes)}", free)
        tell(ours, theirs)
        problems, figures = problems + ours.problems + theirs.problems, figures + free
    return figures, problems


def work_text(volumes: int) -> str:
    """What a run has to do."""
    return f"{volumes} creations, {volumes * DELETIONS_EACH} deletions"


def tell(ours: Run, theirs: Run) -> None:
    """Say what the figures are made of."""
    for name, run in (("opendlm", ours), ("boto3", theirs)):
        throttled = ", ".join(f"{count} {action}" for action, count in run.throttled.most_common())
        fact(name, f"{run.notes}; throttled: {throttled or 'nothing'}", "dim")


def both(bootstrap: Path, wanted: dict[str, Any], count: int) -> tuple[Run, Run]:
    """Run opendlm and the script behind one endpoint, one after the other."""
    # As Lambda runs it: no lines for every decision.
    variables = {"AWS_LAMBDA_LOG_LEVEL": "INFO"}
    if wanted["BUCKETS"]:
        variables["OPENDLM_API_LIMITS"] = ""
    timeout = template()["Globals"]["Function"]["Timeout"]
    with chain(bootstrap, wanted, variables=variables, timeout_seconds=timeout) as running:
        return run_of_opendlm(running, count), run_of_script(running, count)


def run_of_opendlm(running: Chain, count: int) -> Run:
    """Fill the account and run the state machine on the event."""
    event = events.for_now(events.load(EVENT), events.now_to_the_second()).event
    volumes = fill(running, event, count)
    began = time.monotonic()
    execution = running.run(event, RUN_SECONDS_MAX)
    seconds = time.monotonic() - began
    problems = [] if execution.status() == "SUCCEEDED" else [f"opendlm: {': '.join(execution.failure())}"]
    turns = len(running.function.invocations)
    longest = max(each.seconds for each in running.function.invocations)
    notes = f"{turns} turns, the longest took {longest:.1f} s"
    return seen(running, volumes, "opendlm", seconds, running.function.peak_mb(), problems, notes)


def run_of_script(running: Chain, count: int) -> Run:
    """Fill the account again and run the script on it."""
    event = events.load(EVENT)
    volumes = fill(running, event, count)
    (key, value), *_ = events.target_tags_of(event)
    environment = {**running.aws.environment(), "PATH": os.environ.get("PATH", os.defpath)}
    if mode := os.environ.get("AWS_RETRY_MODE"):
        environment["AWS_RETRY_MODE"] = mode
    command = [sys.executable, str(SCRIPT), key, value, str(KEPT)]
    began = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS_MAX)
    seconds = time.monotonic() - began
    told: dict[str, Any] = {}
    with contextlib.suppress(ValueError, IndexError):
        told = json.loads(done.stdout.splitlines()[-1])
    problems = [] if told else [f"boto3: exit code {done.returncode}: {done.stderr[-2000:]}"]
    notes = f"16 threads, {told.get('retry_mode')} retries; {told.get('given_up')} calls that boto3 gave up were made again"
    return seen(running, volumes, "boto3", seconds, told.get("peak_mb", 0.0), problems, notes)


def seen(
    running: Chain, volumes: list[str], who: str, seconds: float, peak_mb: float, problems: list[str], notes: str
) -> Run:
    """A run with what the endpoint saw of it. A run that did not do its work has no figures to speak of."""
    calls = running.aws.wire.calls_since(0)
    done = Counter(call.Action for call in calls if call.Code is None)
    throttled = Counter(call.Action for call in calls if call.Code == "RequestLimitExceeded")
    held = Counter(each.volume for each in running.account.snapshots().values())
    problems = [*problems]
    did, wanted = (done["CreateSnapshot"], done["DeleteSnapshot"]), (len(volumes), len(volumes) * DELETIONS_EACH)
    if did != wanted:
        problems.append(f"{who}: made {did[0]} and deleted {did[1]} snapshots, expected {wanted[0]} and {wanted[1]}")
    if wrong := [volume for volume in volumes if held[volume] != KEPT]:
        problems.append(f"{who}: {len(wrong)} volumes do not hold {KEPT} snapshots")
    return Run(seconds, peak_mb, throttled, problems, notes)


def fill(running: Chain, event: Any, count: int) -> list[str]:
    """An account with nothing but the volumes and their old snapshots."""
    running.aws.reset()
    running.function.invocations.clear()
    policy, schedule, now = events.policy_of(event), events.schedules_of(event)[0], events.now_to_the_second()
    return [add(running.account, event, policy, schedule, now) for _ in range(count)]


def add(account: Account, event: Any, policy: dict[str, Any], schedule: dict[str, Any], now: datetime) -> str:
    """A volume with its old snapshots, which carry the policy's own tags and those that the script goes by."""
    volume = account.add_volume(dict(events.target_tags_of(event)[:1]))
    for days in range(OLD_SNAPSHOTS, 0, -1):
        scheduled_time = contract.time_of_day(schedule, now - timedelta(days=days))
        tags = contract.our_tags(policy, schedule, scheduled_time)
        account.add_snapshot(volume, scheduled_time, contract.our_description(policy, schedule), tags)
    return volume
