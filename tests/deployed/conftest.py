"""One MiniStack and one stack in it for all scenarios; each of them has a policy and volumes of its own."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "local"))

from ministack import MiniStack
from stack import Stack


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Where everything is written that nobody needs afterwards: the zip alone has 9 MB, and what it is unpacked to 30."""
    with tempfile.TemporaryDirectory(prefix="opendlm-deployed-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def cloud(folder: Path) -> Iterator[MiniStack]:
    """An AWS."""
    with MiniStack(folder) as started:
        yield started


@pytest.fixture(scope="session")
def deployed(cloud: MiniStack, folder: Path) -> Stack:
    """The stack, with nothing changed."""
    stack = Stack(cloud, folder)
    stack.build()
    stack.deploy(ScheduleExpression="rate(1 minute)", ScheduleState="ENABLED")
    return stack


@pytest.fixture
def stack(deployed: Stack) -> Stack:
    """The stack, with the function's environment changed for MiniStack."""
    deployed.change_environment(deployed.cloud.endpoint)
    return deployed
