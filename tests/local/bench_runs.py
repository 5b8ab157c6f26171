"""Simulated runs of large accounts beside what EC2's limits allow, and what daily runs cost.

The binary `bench` simulates them: the real core, EC2's buckets, and a model of the shell whose costs are named in
src/sim/fleet/run.rs. No function runs and nothing waits. A volume holds seven snapshots and gets an eighth, which takes 30
minutes; then the oldest goes. Each account is simulated behind the shell as it is today.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from console import columns, fact, heading
from figures import Figure, show
from rie import ROOT, NotPrepared
from template import template

# As issue 5 lists them.
VOLUMES = (1, 100, 1_000, 10_000, 100_000)
# An account of this size is simulated last and stopped when it takes longer.
LARGEST = 100_000
LARGEST_SECONDS_MAX = 300.0
# In which two listings of 800,000 snapshots find room (src/turn/look.rs).
LARGEST_MEMORY_MB = 1_024
# Far more than any of the others takes on a busy machine.
SECONDS_MAX = 600.0

# How long a snapshot is under way: SNAPSHOT_TAKES of src/sim/fleet/run.rs.
SNAPSHOT_SECONDS = 1_800.0
# EC2's bucket of CreateSnapshot, and of DeleteSnapshot (EC2 developer guide, "Request throttling for the Amazon EC2 API").
CAPACITY, REFILL_PER_SECOND = 100.0, 5.0
# The last step of the ladder of waits (WAITS_SECONDS of src/turn/conclude.rs): what becomes complete in it is seen at its end.
WAIT_SECONDS = 60.0

# The targets of issue 5.
ALONE_TIMES_MAX = 1.02
HALF_TIMES_MAX = 1.05
PENDING_TIMES_MAX = 1.1
# Pages that take half a second, and as if EC2 read each of them twice: the first is issue 15's, the second our own.
SLOW_VOLUMES = 10_000
SLOW_TIMES_MAX = {"page=500": 1.05, "page=1000": 1.15}
# Issue 15: a copy of ten minutes of each of a thousand volumes.
COPIED_VOLUMES, COPIES_TIMES_MAX = 1_000, 1.05
DOLLARS_A_MONTH_MAX = 2.50

# With fewer volumes the bound of half a bucket is nought or next to it, and nothing can be measured against it.
HALF_VOLUMES = (1_000, 10_000)
# Behind the hidden limit a run of 10,000 would take 50 hours and of 100,000 three weeks, and show nothing else.
PENDING_VOLUMES, PENDING_MAX = 1_000, 100

# Prices without a free tier: AWS Step Functions and AWS Lambda (arm64) pricing, in US dollars.
TRANSITION_DOLLARS = 25.0 / 1_000_000
REQUEST_DOLLARS = 0.20 / 1_000_000
GB_SECOND_DOLLARS = 0.0000133334
# Lambda's GB has 1,024 MB.
MB_PER_GB = 1024.0
RUNS_A_MONTH = 30

Ran = dict[str, Any]


def bench(_bootstrap: Path) -> tuple[list[Figure], list[str]]:
    """Simulate everything, show it, and return the figures with what went wrong."""
    problems: list[str] = []
    runs = simulated([volumes for volumes in VOLUMES if volumes != LARGEST])
    largest, note = the_largest(f"memory={LARGEST_MEMORY_MB}")
    runs += largest
    alone = [figure for ran in runs for figure in figures_alone(ran)]
    show("Simulated runs, alone: a snapshot takes 30 min, seven are kept, the oldest goes when the new one is complete", alone)
    tell_calls(runs)
    if note:
        fact("left out", note, "yellow")
    show("Slow pages: half a second each, and every one read twice", figures_of_slow_pages(problems))
    half, notes = figures_of_half()
    show("Half of what flows into each bucket taken by others, as ApiShare 50 tells or as is learnt", half)
    for name, text in notes:
        fact(name, text, "dim")
    pending = simulated([PENDING_VOLUMES], f"pending={PENDING_MAX}")
    hidden = [figure_pending(ran) for ran in pending]
    show(f"A limit of {PENDING_MAX} pending snapshots that nobody tells; {PENDING_VOLUMES:,} volumes are enough to see it", hidden)
    copies = figures_of_copies(problems)
    show("Copies to another Region: a snapshot takes 10 min, its copy as long, and 20 may be under way", copies)
    costs = [figure_cost(ran) for ran in runs]
    show("What daily runs cost a month, without a free tier", costs)
    tell_costs(runs)
    problems += [f"{ran['Volumes']} volumes: {ran['Outcome']}" for ran in runs + pending if ran["Outcome"] != "SUCCEEDED"]
    return alone + half + hidden + copies + costs, problems


def figures_alone(ran: Ran) -> list[Figure]:
    """A run against EC2's buckets: at most 1.02 times the bound and one wait."""
    volumes = ran["Volumes"]
    creation = creation_seconds(volumes)
    done = SNAPSHOT_SECONDS + creation
    name, created_after, done_after = f"{volumes:,} volumes", ran["CreatedAfterSeconds"], ran["DoneAfterSeconds"]
    return [
        Figure(f"{name}: last snapshot created", "s", created_after, "bound", creation, ALONE_TIMES_MAX, WAIT_SECONDS),
        Figure(f"{name}: all done", "s", done_after, "bound", done, ALONE_TIMES_MAX, WAIT_SECONDS),
        Figure(f"{volumes:,} volumes: throttled calls", "", ran["Throttled"], "bound", 0),
    ]


def figures_of_slow_pages(problems: list[str]) -> list[Figure]:
    """Runs whose looks take longer than EC2's buckets hold."""
    creation = creation_seconds(SLOW_VOLUMES)
    figures = []
    for word, times_max in SLOW_TIMES_MAX.items():
        [ran] = simulated([SLOW_VOLUMES], word)
        name = f"{SLOW_VOLUMES:,} volumes, {word} ms"
        figures += [
            Figure(f"{name}: last created", "s", ran["CreatedAfterSeconds"], "bound", creation, times_max),
            Figure(f"{name}: all done", "s", ran["DoneAfterSeconds"], "bound", SNAPSHOT_SECONDS + creation, times_max),
            Figure(f"{name}: throttled calls", "", ran["Throttled"], "bound", 0),
        ]
        if ran["Outcome"] != "SUCCEEDED":
            problems.append(f"{name}: {ran['Outcome']}")
    return figures


def figures_of_copies(problems: list[str]) -> list[Figure]:
    """A run with a copy of each snapshot: N T / 20. A twenty-first at once would have ended the simulation."""
    [ran] = output("copies", str(COPIED_VOLUMES))
    if not ran["Succeeded"] or ran["Copies"] != COPIED_VOLUMES:
        problems.append(f"{COPIED_VOLUMES} copies: {ran}")
    name = f"{COPIED_VOLUMES:,} volumes: last copy complete"
    return [Figure(name, "s", ran["CopiedAfterSeconds"], "bound", ran["BoundSeconds"], COPIES_TIMES_MAX)]


def figures_of_half() -> tuple[list[Figure], list[tuple[str, str]]]:
    """Runs beside others who take half: told so by Options.ApiShare, and learning it from throttles."""
    figures, notes = [], []
    for words, how in ((["others=500", "share=50"], "told"), (["others=500"], "learnt")):
        for ran in simulated(list(HALF_VOLUMES), *words):
            volumes = ran["Volumes"]
            creation = creation_seconds(volumes, 0.5)
            done = SNAPSHOT_SECONDS + creation
            name = f"{volumes:,} volumes, {how}"
            figures += [
                Figure(f"{name}: last created", "s", ran["CreatedAfterSeconds"], "bound", creation, HALF_TIMES_MAX),
                Figure(f"{name}: all done", "s", ran["DoneAfterSeconds"], "bound", done, HALF_TIMES_MAX),
            ]
            notes.append((name, f"{ran['Throttled']} of {ran['Calls']['Total']:,} calls were throttled"))
    return figures, notes


def figure_pending(ran: Ran) -> Figure:
    """A run behind a hidden limit of pending snapshots: N T / limit."""
    bound = ran["Volumes"] * SNAPSHOT_SECONDS / PENDING_MAX
    return Figure(f"{ran['Volumes']:,} volumes: all done", "s", ran["DoneAfterSeconds"], "bound", bound, PENDING_TIMES_MAX)


def figure_cost(ran: Ran) -> Figure:
    """What a month of daily runs costs. The target is for the largest account, and holds for the smaller ones too."""
    total = sum(costs_a_month(ran, memory_of(ran)).values())
    return Figure(f"{ran['Volumes']:,} volumes", "$", total, "target", DOLLARS_A_MONTH_MAX)


def creation_seconds(volumes: int, share: float = 1.0) -> float:
    """When the last snapshot is created at best, through such a share of the bucket."""
    return max(0.0, (volumes - CAPACITY * share) / (REFILL_PER_SECOND * share))


def memory_of(ran: Ran) -> float:
    """The memory with which it was simulated, in MB."""
    return float(LARGEST_MEMORY_MB) if ran["Volumes"] == LARGEST else memory_of_template()


def costs_a_month(ran: Ran, memory_mb: float | None = None) -> dict[str, float]:
    """Dollars a month of daily runs, by what they are paid for."""
    gb = (memory_mb or memory_of_template()) / MB_PER_GB
    return {
        "transitions": RUNS_A_MONTH * ran["Transitions"] * TRANSITION_DOLLARS,
        "invocations": RUNS_A_MONTH * ran["Invocations"] * REQUEST_DOLLARS,
        "GB-s": RUNS_A_MONTH * ran["InvocationSeconds"] * gb * GB_SECOND_DOLLARS,
    }


def memory_of_template() -> float:
    """The memory that the function is deployed with where nobody says otherwise, in MB."""
    return float(template()["Parameters"]["MemorySize"]["Default"])


def tell_calls(runs: list[Ran]) -> None:
    """Say how many calls to EC2 each run took, beside the fewest that it can do with."""
    heading("Calls to EC2 beside the fewest that a run can do with")
    for ran in runs:
        calls, fewest = ran["Calls"], ran["CallsMin"]
        parts = ", ".join(f"{action} {calls[action]:,} ({fewest[action]:,})" for action in calls if action != "Total")
        line = f"{calls['Total']:,} ({fewest['Total']:,}): {parts}"
        columns([("", 2, ""), (f"{ran['Volumes']:,} volumes", 18, "")], line)


def tell_costs(runs: list[Ran]) -> None:
    """Say what each sum is made of."""
    for ran in runs:
        memory = memory_of(ran)
        costs = costs_a_month(ran, memory)
        seconds = ran["InvocationSeconds"]
        line = (
            f"{RUNS_A_MONTH} runs of {ran['Transitions']:,} transitions ${costs['transitions']:.3f}"
            f" + {ran['Invocations']:,} invocations ${costs['invocations']:.4f}"
            f" + {seconds:,.0f} s x {memory:.0f} MB = {seconds * memory / MB_PER_GB:,.0f} GB-s ${costs['GB-s']:.3f}"
        )
        columns([("", 2, ""), (f"{ran['Volumes']:,} volumes", 18, "dim")], line, "dim")
    prices = (
        f"Step Functions ${TRANSITION_DOLLARS * 1_000_000:.0f} per million transitions; Lambda arm64"
        f" ${GB_SECOND_DOLLARS} per GB-s, ${REQUEST_DOLLARS * 1_000_000:.2f} per million invocations; the memory of"
        f" template.yaml, {LARGEST_MEMORY_MB:,} MB for {LARGEST:,} volumes; starts of the process, Scheduler and logs are not counted"
    )
    fact("prices", prices, "dim")


def the_largest(*words: str) -> tuple[list[Ran], str]:
    """The largest account, and why it is left out where it takes too long."""
    began = time.monotonic()
    try:
        return simulated([LARGEST], *words, timeout=LARGEST_SECONDS_MAX), ""
    except subprocess.TimeoutExpired:
        took = time.monotonic() - began
        return [], f"{' '.join((f'{LARGEST:,} volumes', *words))}: the simulation itself was stopped after {took:.0f} s, this machine is too busy"


def simulated(volumes: list[int], *words: str, timeout: float = SECONDS_MAX) -> list[Ran]:
    """Simulate a run for each number of volumes."""
    return output("runs", *map(str, volumes), *words, timeout=timeout)


def output(*words: str, timeout: float = SECONDS_MAX) -> list[Ran]:
    """What the binary prints, a line of JSON for each thing measured."""
    done = subprocess.run([str(binary()), *words], capture_output=True, text=True, timeout=timeout, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def binary() -> Path:
    """What `make bench` builds."""
    found = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "soak" / "bench"
    if not found.exists():
        raise NotPrepared(f"there is no {found}, run: make bench")
    return found
