"""From a cold start to the first answer, beside a Python function that makes the same two listings with boto3.

Both run in the Lambda Runtime Interface Emulator against the same endpoint with an empty account, in turn, once without TLS and
once with it. The time is what a caller waits for its first answer: it includes the start of the process.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import events
from certificates import Certificates
from console import fact
from figures import Figure, show
from local_aws import LocalAws
from rie import ROOT, Function
from switches import Switches

HANDLER = Path(__file__).with_name("peer_handler.py")
EVENT = ROOT / "events" / "sample.json"
STARTS = 10

TIME_TIMES_MAX = 1 / 15
MEMORY_TIMES_MAX = 1 / 6


@dataclass(frozen=True)
class Start:
    """What came of one start."""

    milliseconds: float
    peak_mb: float


def bench(bootstrap: Path) -> tuple[list[Figure], list[str]]:
    """Start both functions again and again, show it, and return the figures with what went wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peer, certificates = python_bootstrap(folder), Certificates(folder)
        with LocalAws(Switches()) as aws:
            plain = in_turn(bootstrap, peer, aws, certificates.environment())
        with LocalAws(Switches(), tls=certificates.server) as aws:
            secured = in_turn(bootstrap, peer, aws, certificates.environment())
    figures = [*figures_of(*plain, "to the first answer"), *figures_of(*secured, "to the first answer, with TLS")]
    show(f"A cold start, median of {STARTS}", figures)
    fact("without TLS", spread_text(*plain), "dim")
    fact("with TLS", spread_text(*secured), "dim")
    return figures, []


def figures_of(ours: list[Start], theirs: list[Start], what: str) -> list[Figure]:
    """The time and the memory of both."""
    times = [median(start.milliseconds for start in starts) for starts in (ours, theirs)]
    peaks = [median(start.peak_mb for start in starts) for starts in (ours, theirs)]
    return [
        Figure(f"time {what}", "ms", times[0], "boto3", times[1], TIME_TIMES_MAX),
        Figure(f"memory {what}", "MB", peaks[0], "boto3", peaks[1], MEMORY_TIMES_MAX),
    ]


def spread_text(ours: list[Start], theirs: list[Start]) -> str:
    """The shortest and the longest of each."""
    shortest = [min(start.milliseconds for start in starts) for starts in (ours, theirs)]
    longest = [max(start.milliseconds for start in starts) for starts in (ours, theirs)]
    return f"opendlm {shortest[0]:.0f} to {longest[0]:.0f} ms, boto3 {shortest[1]:.0f} to {longest[1]:.0f} ms"


def in_turn(bootstrap: Path, peer: Path, aws: LocalAws, variables: dict[str, str]) -> tuple[list[Start], list[Start]]:
    """Start one after the other, so that what disturbs the machine disturbs both.

    Without TLS too, opendlm reads the list of authorities; it gets that of the variables, as long as Lambda's own.
    """
    event = events.for_now(events.load(EVENT), events.now_to_the_second()).event
    environment = {**aws.environment(), "AWS_LAMBDA_LOG_LEVEL": "INFO", **variables}
    ours, theirs = [], []
    # The endpoint is slow at its first call, and the disk at the first reading of a file.
    for function in (bootstrap, peer):
        start(function, environment, event)
    for _ in range(STARTS):
        ours.append(start(bootstrap, environment, event))
        theirs.append(start(peer, environment, event))
    return ours, theirs


def start(bootstrap: Path, environment: dict[str, str], event: Any) -> Start:
    """Start a function and ask it once. The emulator starts its process when it is asked."""
    with Function(bootstrap, environment) as function:
        invocation = function.invoke(json.dumps(event).encode())
        if invocation.failed:
            raise RuntimeError(f"{bootstrap.name} failed: {invocation.payload}\n{function.log.tail()}")
        return Start(1000 * invocation.seconds, function.peak_mb())


def python_bootstrap(folder: Path) -> Path:
    """A bootstrap that becomes the Python function."""
    bootstrap = folder / "boto3-bootstrap"
    bootstrap.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HANDLER}"\n')
    bootstrap.chmod(0o755)
    return bootstrap
