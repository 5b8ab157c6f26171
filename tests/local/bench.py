"""`make bench`: the real function on a local AWS, and simulated runs of large accounts, each figure beside its peer or its bound.

    python tests/local/bench.py [start] [run] [runs] [planner] [--bootstrap PATH]

`start` is a cold start beside a Python function, half a minute; `run` is the time and the memory of a run for 200 volumes beside
a boto3 script, five minutes; `runs` are simulated runs of up to 100,000 volumes beside EC2's limits, up to eight minutes;
`planner` is one turn's plan of as many, two minutes. The exit code is 1 when a target is missed or a run did not do its work.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
from pathlib import Path

import boto3

import bench_planner
import bench_run
import bench_runs
import bench_start
from chain import bootstrap_path
from console import fact, heading, say
from rie import NotPrepared

BENCHES = {"start": bench_start.bench, "run": bench_run.bench, "runs": bench_runs.bench, "planner": bench_planner.bench}
# Nothing runs in these: they need no function and no AWS.
SIMULATED = {"runs", "planner"}
BYTES_PER_MB = 1_000_000


def main() -> int:
    """Run what was asked for and return the exit code."""
    arguments = read_arguments()
    bootstrap = arguments.bootstrap or bootstrap_path()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        benches = arguments.benches or list(BENCHES)
        introduce(bootstrap if set(benches) - SIMULATED else None)
        missed, problems = [], []
        for name in benches:
            figures, found = BENCHES[name](bootstrap)
            missed += [figure for figure in figures if not figure.is_met]
            problems += found
    except NotPrepared as missing:
        sys.exit(str(missing))
    return verdict(len(missed), problems)


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure the function on a local AWS.")
    parser.add_argument("benches", nargs="*", choices=[*BENCHES, []], metavar="BENCH", help=f"any of {', '.join(BENCHES)}")
    parser.add_argument("--bootstrap", type=Path, help="the function to measure")
    return parser.parse_args()


def introduce(bootstrap: Path | None) -> None:
    """Say what is measured, and on what."""
    if bootstrap and not bootstrap.exists():
        raise NotPrepared(f"there is no {bootstrap}, run: make bench")
    heading("opendlm, measured on this machine" if bootstrap else "opendlm, simulated")
    fact("machine", f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}")
    if bootstrap:
        fact("function", f"{bootstrap.name}, {bootstrap.stat().st_size / BYTES_PER_MB:.1f} MB")
        fact("peer", f"boto3 {boto3.__version__}")


def verdict(missed: int, problems: list[str]) -> int:
    """Say whether all targets are met, and return the exit code."""
    say()
    for problem in problems:
        fact("WRONG", problem, "red")
    if missed:
        fact("missed", "1 target" if missed == 1 else f"{missed} targets", "red")
    if missed or problems:
        return 1
    fact("met", "every target", "green")
    return 0


if __name__ == "__main__":
    sys.exit(main())
