"""What goes wrong in the middle of a turn, at the same moment every time: two that look at once, a death, a lost answer.

The local endpoint runs in the process of the tests, so a mishap is a few lines of Python between a call and its effect.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import machine_patches
from chain import Chain
from rie import FUNCTION_NAME, Function, FunctionGone, Invocation
from wire import Call, Intervention, is_reading

# Nothing below takes nearly as long; it only ends what hangs.
SECONDS_MAX = 20.0
NEVER_SENT = "TheCallerWasDeadByThen"


class Creations(Intervention):
    """Every snapshot that any call made, those that are gone again too."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.began: dict[str, datetime] = {}
        """When each snapshot was begun, by id."""
        self.sources: dict[str, tuple[str, str | None]] = {}
        """The volume of each snapshot, and the instance of its set."""

    def took_effect(self, call: Call) -> None:
        for id in (call.Result or "").split(", ") if call.Action.startswith("CreateSnapshot") else []:
            snapshot = self._chain.aws.ec2.snapshots[id]
            self.began[id] = snapshot.start_time
            self.sources[id] = (snapshot.volume.id, call.Parameters.get("InstanceSpecification.InstanceId"))

    def by_source(self) -> dict[tuple[str, str | None], list[str]]:
        """What was made of each source, the earliest first, to the millisecond as EC2 tells it."""
        made: dict[tuple[str, str | None], list[str]] = {}
        for id in sorted(self.began, key=lambda id: (self.began[id].isoformat(timespec="milliseconds"), id)):
            made.setdefault(self.sources[id], []).append(id)
        return made


class Meeting(Intervention):
    """Holds the first answers to an action until so many callers have asked: none of them sees what another one does."""

    def __init__(self, action: str, callers: int) -> None:
        self._action = action
        self._barrier = threading.Barrier(callers)
        self._is_over = False

    def took_effect(self, call: Call) -> None:
        if call.Action == self._action and not self._is_over:
            # Whoever is left alone goes on: the test sees that nobody met.
            with contextlib.suppress(threading.BrokenBarrierError):
                self._barrier.wait(SECONDS_MAX)
            self._is_over = True


class OneAVolume(Intervention):
    """EC2's rate for a volume: a second snapshot within 15 s of the first is refused. No test takes as long as that."""

    CODE = "SnapshotCreationPerVolumeRateExceeded"

    def __init__(self) -> None:
        self._volumes: set[str] = set()
        self._lock = threading.Lock()

    def arrives(self, call: Call) -> str | None:
        if call.Action != "CreateSnapshot":
            return None
        with self._lock:
            is_second = call.Parameters["VolumeId"] in self._volumes
            self._volumes.add(call.Parameters["VolumeId"])
        return self.CODE if is_second else None


class Deaths(Intervention):
    """Kills the function when so many calls of an action have taken effect; what else it was about to send never arrives.

    `calls` are those of one life after another, each in a new process; after the last one it lives on.
    """

    def __init__(self, function: Function, action: str, *calls: int) -> None:
        self._function = function
        self._action = action
        self._lives = iter(calls)
        self._lock = threading.Lock()
        self._died_at = 0.0
        self.deaths = 0
        self._begin_life()

    def _begin_life(self) -> None:
        self._calls = next(self._lives, None)
        self._arrived = self._effective = 0
        self._is_dead = False
        self._died = threading.Event()

    def arrives(self, call: Call) -> str | None:
        with self._lock:
            if call.Time <= self._died_at:
                # It was on its way when its process died, a look before a deletion among them.
                return NEVER_SENT
            if is_reading(call.Action):
                # A turn looks before it writes, so whoever looks is the next one.
                if self._is_dead:
                    self._begin_life()
                if call.Action != self._action:
                    return None
            died, is_late = self._died, self._is_dead
            if call.Action == self._action and self._calls is not None:
                self._arrived += 1
                is_late = is_late or self._arrived > self._calls
        if not is_late:
            return None
        died.wait(SECONDS_MAX)
        return NEVER_SENT

    def took_effect(self, call: Call) -> None:
        with self._lock:
            if call.Action != self._action or self._calls is None or self._is_dead:
                return
            self._effective += 1
            if self._effective < self._calls:
                return
            self._is_dead = True
            self.deaths += 1
            self._function.kill()
            self._died_at = time.time()
            self._died.set()


class LostAnswer:
    """Loses the first answer of the function with a status on its way to Step Functions, after all its work is done."""

    def __init__(self, function: Function, status: str) -> None:
        self._function = function
        self._status = status
        self.lost: Any = None

    def invoke(self, payload: bytes) -> Invocation:
        """Invoke the function, and perhaps say nothing of what it answered."""
        invocation = self._function.invoke(payload)
        if self.lost is None and not invocation.failed and invocation.payload["Status"] == self._status:
            self.lost = invocation.payload
            raise FunctionGone("the answer was lost")
        return invocation


class Fleet:
    """Several processes of one function, as Lambda has them: an invocation takes one that is free."""

    def __init__(self, functions: list[Function]) -> None:
        self._free: queue.SimpleQueue[Function] = queue.SimpleQueue()
        for each in functions:
            self._free.put(each)

    def invoke(self, payload: bytes) -> Invocation:
        """Invoke a free one."""
        function = self._free.get(timeout=SECONDS_MAX)
        try:
            return function.invoke(payload)
        finally:
            self._free.put(function)


@contextlib.contextmanager
def in_place_of(function: Function, other: Fleet | LostAnswer) -> Iterator[None]:
    """Let the state machine invoke something else."""
    machine_patches.register(FUNCTION_NAME, other.invoke)
    try:
        yield
    finally:
        machine_patches.register(FUNCTION_NAME, function.invoke)
