"""`make bench`: the real function on a local AWS, and simulated runs of large accounts, each figure beside its peer or its bound.

    python tests/local/bench.py [start] [run] [runs] [planner] [--bootstrap PATH]
    python tests/local/bench.py builds --bootstrap PATH --bootstrap PATH ...

`start` is a cold start beside a Python function, half a minute; `run` is the time and the memory of a run for 200 volumes beside
a boto3 script, five minutes; `runs` are simulated runs of up to 100,000 volumes beside EC2's limits, up to eight minutes;
`planner` is one turn's plan of as many, two minutes. The exit code is 1 when a target is missed or a run did not do its work.
`builds` is several builds of the function side by side, two minutes and more for each two; it has no targets.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
from pathlib import Path

import boto3

import bench_builds
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
# Not among what is measured where nothing is named, because a single build has nothing beside it.
BUILDS = "builds"
BYTES_PER_MB = 1_000_000


def main() -> int:
    """Run what was asked for and return the exit code."""
    arguments = read_arguments()
    bootstraps = arguments.bootstrap or [bootstrap_path()]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        benches = arguments.benches or list(BENCHES)
        introduce(bootstraps if set(benches) - SIMULATED else [])
        if BUILDS in benches:
            bench_builds.bench(bootstraps)
        missed, problems = [], []
        with_targets = [name for name in benches if name != BUILDS]
        for name in with_targets:
            figures, found = BENCHES[name](bootstraps[0])
            missed += [figure for figure in figures if not figure.is_met]
            problems += found
    except NotPrepared as missing:
        sys.exit(str(missing))
    return verdict(len(missed), problems) if with_targets else 0


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure the function on a local AWS.")
    names = [*BENCHES, BUILDS]
    parser.add_argument("benches", nargs="*", choices=[*names, []], metavar="BENCH", help=f"any of {', '.join(names)}")
    parser.add_argument("--bootstrap", type=Path, action="append", help="the function to measure; several for builds")
    return parser.parse_args()


def introduce(bootstraps: list[Path]) -> None:
    """Say what is measured, and on what."""
    for bootstrap in bootstraps:
        if not bootstrap.exists():
            raise NotPrepared(f"there is no {bootstrap}, run: make bench")
    heading("opendlm, measured on this machine" if bootstraps else "opendlm, simulated")
    fact("machine", f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}")
    for bootstrap in bootstraps:
        fact("function", f"{bootstrap.name}, {bootstrap.stat().st_size / BYTES_PER_MB:.1f} MB")
    if bootstraps:
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
