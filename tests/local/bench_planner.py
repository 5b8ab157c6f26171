"""How long one turn's plan takes and how much memory, for accounts of up to 100,000 volumes with 8 snapshots each.

The planner alone, as `bench planner` runs it: without EC2, so that nothing else is measured. Where valgrind is installed, the
instructions for each snapshot are counted as well, which is exact on a busy machine too.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bench_runs import binary
from console import fact
from figures import Figure, show

SIZES = (1_000, 10_000, 100_000)
SNAPSHOTS_EACH = 8

SECONDS_MAX = 1.0
MEMORY_MB_MAX = 400.0
# Ten times the account may cost a tenth more for each snapshot.
GROWTH_MAX = 1.1
BYTES_PER_MIB, BYTES_PER_MB = 1 << 20, 1_000_000


def bench(_bootstrap: Path) -> tuple[list[Figure], list[str]]:
    """Plan for each size, show it, and return the figures with what went wrong."""
    planner = binary()
    stages = {size: plan(planner, size) for size in SIZES}
    largest = stages[SIZES[-1]]
    figures = [
        Figure(f"a plan: {stage['Stage']}", "s", stage["PlanSeconds"], "bound", SECONDS_MAX) for stage in largest
    ]
    peak = max(stage["PeakMemoryMb"] for stage in largest) * BYTES_PER_MIB / BYTES_PER_MB
    figures.append(Figure("peak memory", "MB", peak, "bound", MEMORY_MB_MAX))
    instructions = {size: count(planner, size) for size in SIZES} if shutil.which("valgrind") else {}
    for size in SIZES[1:] if instructions else ():
        what = f"instructions a snapshot, {size:,} volumes"
        figures.append(Figure(what, "", instructions[size], f"{SIZES[0]:,} volumes", instructions[SIZES[0]], GROWTH_MAX))
    show(f"One turn's plan of {SIZES[-1]:,} volumes with {SNAPSHOTS_EACH} snapshots each", figures)
    for size, told in stages.items():
        fact(f"{size:,}", "; ".join(stage_text(stage) for stage in told), "dim")
    if not instructions:
        fact("instructions", "not counted: valgrind is not installed", "dim")
    return figures, []


def stage_text(stage: dict[str, Any]) -> str:
    """What came of one stage, in short."""
    return f"{stage['Stage']}: plan {stage['PlanSeconds']:.3g} s, check {stage['CheckSeconds']:.3g} s"


def plan(planner: Path, volumes: int) -> list[dict[str, Any]]:
    """Each stage of a run of so many volumes."""
    lines = subprocess.run([planner, "planner", str(volumes)], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


def count(planner: Path, volumes: int) -> float:
    """How many instructions one plan takes for each snapshot."""
    with tempfile.TemporaryDirectory() as folder:
        callgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", "--toggle-collect=bench::planner::planned*"]
        told = subprocess.run([*callgrind, planner, "plan-once", str(volumes)], check=True, capture_output=True, text=True)
    collected = re.search(r"Collected : (\d+)", told.stderr)
    if collected is None or int(collected[1]) == 0:
        raise RuntimeError(f"valgrind did not tell what it counted: {told.stderr[-500:]}")
    return int(collected[1]) / (volumes * SNAPSHOTS_EACH)
