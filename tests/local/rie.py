"""The function in the official Lambda Runtime Interface Emulator.

The emulator starts the `bootstrap` as Lambda does and speaks the runtime API with it. Three things about it matter here: it
crashes on concurrent invocations, so they are made one after the other; it answers a failed invocation with HTTP 200, so what
failed is told by the body; and it hands its own environment to the function, so it gets only what Lambda would set.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import process_memory
from function_log import FunctionLog

ROOT = Path(__file__).resolve().parents[2]
EMULATOR = ROOT / ".venv" / "bin" / "aws-lambda-rie"
FUNCTION_NAME = "opendlm"
START_SECONDS_MAX = 10.0
DEATH_SECONDS_MAX = 5.0


class NotPrepared(Exception):
    """Something has to be built or installed first; the text says what."""


class FunctionGone(Exception):
    """The emulator does not answer."""


@dataclass(frozen=True)
class Invocation:
    """What came of one invocation."""

    payload: Any
    """The answer of the function, or `{"errorType", "errorMessage"}` when it failed."""
    failed: bool
    began: float
    seconds: float


class Function:
    """A bootstrap that runs in the emulator. Use it in a `with`, which ends its processes."""

    def __init__(
        self, bootstrap: Path, environment: Mapping[str, str], timeout_seconds: int = 60, memory_mb: int = 128
    ) -> None:
        self.bootstrap = bootstrap.resolve()
        self.log = FunctionLog()
        self.invocations: list[Invocation] = []
        self._timeout_seconds = timeout_seconds
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "AWS_LAMBDA_FUNCTION_NAME": FUNCTION_NAME,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_seconds),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
            **environment,
        }
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def __enter__(self) -> Function:
        if not EMULATOR.exists():
            raise NotPrepared(f"{EMULATOR} is missing, run: python3 tests/local/setup.py")
        if not self.bootstrap.exists():
            raise NotPrepared(f"there is no {self.bootstrap}, run: make bootstrap")
        with self._lock:
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def invoke(self, payload: bytes) -> Invocation:
        """Invoke the function and wait for its answer."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            began, clock = time.time(), time.monotonic()
            body = self._post(payload)
            invocation = read_answer(body, began, time.monotonic() - clock)
            self.invocations.append(invocation)
            return invocation

    def kill(self) -> None:
        """Kill the bootstrap in the middle of an invocation, as the kernel does when memory runs out. The emulator stays.

        When this returns the bootstrap does nothing any more. The emulator answers the invocation as Lambda does, and starts a
        new one for the next.
        """
        process = self._process
        for pid in children_of(process.pid) if process else []:
            with contextlib.suppress(ProcessLookupError):
                bootstrap = os.pidfd_open(pid)
                try:
                    signal.pidfd_send_signal(bootstrap, signal.SIGKILL)
                    select.select([bootstrap], [], [], DEATH_SECONDS_MAX)
                finally:
                    os.close(bootstrap)

    def peak_mb(self) -> float:
        """The peak memory of the bootstrap that runs, in MB."""
        process = self._process
        (bootstrap,) = children_of(process.pid) if process else []
        return process_memory.peak_mb(bootstrap)

    def _start(self) -> None:
        self._port, api_port = free_ports(2)
        command = [str(EMULATOR), "--log-level", "error"]
        command += ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{api_port}", str(self.bootstrap)]
        # A session of its own, so that Ctrl-C reaches the driver alone, and it ends the whole group in order.
        self._process = subprocess.Popen(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.log.follow(self._process.stdout)
        self._wait_until_it_listens()

    def _wait_until_it_listens(self) -> None:
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return
            time.sleep(0.02)
        raise FunctionGone(f"the emulator did not start within {START_SECONDS_MAX:.0f} s:\n{self.log.tail()}")

    def _post(self, payload: bytes) -> bytes:
        url = f"http://127.0.0.1:{self._port}/2015-03-31/functions/function/invocations"
        request = urllib.request.Request(url, payload, {"Content-Type": "application/json"})
        # No proxy of the environment may come between.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=self._timeout_seconds + 10) as answer:
                return answer.read()
        except urllib.error.HTTPError as failure:
            return failure.read()
        except OSError as failure:
            raise FunctionGone(f"the emulator does not answer: {failure}") from failure

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def read_answer(body: bytes, began: float, seconds: float) -> Invocation:
    """Tell an answer from a failure. The emulator says a timeout in plain text, where Lambda says it in JSON."""
    text = body.decode("utf-8", "replace")
    try:
        payload = json.loads(text)
    except ValueError:
        payload = {"errorType": "Sandbox.Timedout" if "timed out" in text else "Runtime.Unknown", "errorMessage": text}
    failed = isinstance(payload, dict) and "errorType" in payload
    return Invocation(payload, failed, began, seconds)


def children_of(pid: int) -> list[int]:
    """The processes that any thread of a process started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for each in lists for child in each.read_text().split()]


def free_ports(count: int) -> Iterator[int]:
    """Ports that nothing listens on, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return iter([each.getsockname()[1] for each in sockets])
