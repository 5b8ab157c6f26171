"""Builds of the function side by side: what a compiler's switch, an allocator or a crate costs from the start to the first answer.

    python tests/local/bench.py builds --bootstrap TODAY --bootstrap OTHER ...

The builds are started in turn, so that what disturbs the machine disturbs all of them, and each figure stands with its ratio to
that of the first build. `start` and `answer` are the two parts of a cold start against an empty account, with TLS; `large` is a
dry run against an account with thousands of snapshots. CPU time is what a small function waits for, since it has a part of a
CPU. Where valgrind is installed, the instructions up to the first answer are counted: exact, but for what is random in TLS.
There are no targets: a person weighs what comes out. `ROUNDS=40` in the environment starts each build 40 times.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import bench_start
import contract
import events
from account import Account
from certificates import Certificates
from console import fact, heading, say
from figures import amount_text
from local_aws import LocalAws
from runtime_api import RuntimeApi, Start
from switches import Switches

ROUNDS = int(os.environ.get("ROUNDS", "20"))
# Longer ones, whose CPU time varies less.
LARGE_ROUNDS = max(ROUNDS // 4, 1)
COUNTED_ROUNDS = 3
VOLUMES = 1_000
SNAPSHOTS_EACH = 5

BYTES_PER_MB = 1_000_000
WHAT_WIDTH, BUILD_WIDTH = 34, 18
# What valgrind says at the end: `==1234== I   refs:      12,345,678`.
COUNTED = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
COUNT = re.compile(r"^==\d+== I\s+refs:\s+([\d,]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Measure:
    """A figure of a start."""

    what: str
    unit: str
    of: Callable[[Start], float]


MILLION = 1_000_000
COLD = [
    Measure("start: time", "ms", lambda start: 1000 * start.init.seconds),
    Measure("start: CPU time", "ms", lambda start: 1000 * start.init.cpu_seconds),
    Measure("answer: time", "ms", lambda start: 1000 * start.answer.seconds),
    Measure("answer: CPU time", "ms", lambda start: 1000 * start.answer.cpu_seconds),
    Measure("answer: peak memory", "MB", lambda start: start.peak_mb),
]
FROM_DISK = [Measure("start: time, read from the disk", "ms", lambda start: 1000 * start.init.seconds)]
INSTRUCTIONS = [Measure("answer: million instructions", "", lambda start: instructions(start.output) / MILLION)]
LARGE = [
    Measure("large: CPU time", "ms", lambda start: 1000 * start.answer.cpu_seconds),
    Measure("large: peak memory", "MB", lambda start: start.peak_mb),
]


@dataclass(frozen=True)
class Row:
    """A figure of every build, in their order."""

    what: str
    unit: str
    amounts: list[float]


def bench(bootstraps: Sequence[Path]) -> None:
    """Measure all builds and show each beside the first."""
    event = events.for_now(events.load(bench_start.EVENT), events.now_to_the_second()).event
    introduce(bootstraps)
    show(sizes(bootstraps))
    with tempfile.TemporaryDirectory() as name, RuntimeApi() as api:
        certificates = Certificates(Path(name))
        with LocalAws(Switches(), tls=certificates.server) as aws:
            beside = Bench(api, bootstraps, {**aws.environment(), **certificates.environment()})
            show(beside.rows(COLD, event, ROUNDS))
            show(beside.rows(FROM_DISK, event, ROUNDS, before=forget))
            if shutil.which(COUNTED[0]):
                show(beside.rows(INSTRUCTIONS, event, COUNTED_ROUNDS, prefix=COUNTED))
        with LocalAws(Switches()) as aws:
            fill(Account(aws), event)
            beside = Bench(api, bootstraps, {**aws.environment(), **certificates.environment()})
            wanted = {"DryRun": True, "MaximumDeletions": VOLUMES * SNAPSHOTS_EACH}
            dry = {**event, "Options": {**events.options_of(event), **wanted}}
            show(beside.rows(LARGE, dry, LARGE_ROUNDS))


@dataclass(frozen=True)
class Bench:
    """The builds and what surrounds them."""

    api: RuntimeApi
    bootstraps: Sequence[Path]
    environment: Mapping[str, str]

    def rows(
        self,
        measures: Sequence[Measure],
        event: Any,
        rounds: int,
        before: Callable[[Path], None] = lambda _: None,
        prefix: Sequence[str] = (),
    ) -> list[Row]:
        """Start one build after the other, again and again, and take the medians."""
        starts: list[list[Start]] = [[] for _ in self.bootstraps]
        # The first round is for the endpoint, which is slow at its first call, and for the files.
        for number in range(rounds + 1):
            for bootstrap, found in zip(self.bootstraps, starts):
                before(bootstrap)
                start = self.api.start([*prefix, bootstrap.resolve()], self.environment, event)
                found.extend([start] if number else [])
        return [
            Row(measure.what, measure.unit, [median(measure.of(start) for start in found) for found in starts])
            for measure in measures
        ]


def sizes(bootstraps: Sequence[Path]) -> list[Row]:
    """The size of each function, and of the zip that would be deployed."""
    return [
        Row("size", "MB", [bootstrap.stat().st_size / BYTES_PER_MB for bootstrap in bootstraps]),
        Row("size of the zip", "MB", [zipped_bytes(bootstrap) / BYTES_PER_MB for bootstrap in bootstraps]),
    ]


def zipped_bytes(bootstrap: Path) -> int:
    """How long the zip of a function is."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
            package.write(bootstrap, "bootstrap")
        return file.tell()


def forget(bootstrap: Path) -> None:
    """Let the kernel forget what it has read of a file, as on a machine where it has just arrived."""
    with bootstrap.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def instructions(output: str) -> int:
    """What valgrind counted."""
    found = COUNT.search(output)
    if not found:
        raise ValueError(f"valgrind counted nothing:\n{output}")
    return int(found[1].replace(",", ""))


def fill(account: Account, event: Any) -> None:
    """Volumes with the snapshots of as many days, all of them the policy's own."""
    policy, schedule, now = events.policy_of(event), events.schedules_of(event)[0], events.now_to_the_second()
    for _ in range(VOLUMES):
        volume = account.add_volume(dict(events.target_tags_of(event)[:1]))
        for days in range(SNAPSHOTS_EACH, 0, -1):
            scheduled_time = contract.time_of_day(schedule, now - timedelta(days=days))
            tags = contract.our_tags(policy, schedule, scheduled_time)
            account.add_snapshot(volume, scheduled_time, contract.our_description(policy, schedule), tags)


def introduce(bootstraps: Sequence[Path]) -> None:
    """Print what is measured, and the head of the table."""
    heading(f"Builds side by side, medians of {ROUNDS} starts; {LARGE_ROUNDS} dry runs for {VOLUMES * SNAPSHOTS_EACH} snapshots")
    numbers = [f"build {number}" for number in range(len(bootstraps))]
    for number, bootstrap in zip(numbers, bootstraps):
        fact(number, str(bootstrap), "dim")
    say(line_text("", numbers), "dim")


def show(rows: Sequence[Row]) -> None:
    """Print rows of the table, as soon as they are known."""
    for row in rows:
        say(line_text(row.what, [cell_text(amount, row) for amount in row.amounts]))


def line_text(what: str, cells: Sequence[str]) -> str:
    """A line of the table, as wide as it has to be."""
    return f"  {what:{WHAT_WIDTH}}{''.join(f'{cell:{BUILD_WIDTH}}' for cell in cells)}".rstrip()


def cell_text(amount: float, row: Row) -> str:
    """An amount, and what it is of the first build's."""
    ratio = f" {amount / row.amounts[0]:.3f}" if row.amounts[0] else ""
    return (amount_text(amount, row.unit) if row.unit else f"{amount:.1f}") + ratio
