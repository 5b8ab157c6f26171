"""Lambda's runtime API for one start of a function at a time, to tell the init phase from the first answer.

The official emulator starts the process when the first event comes, so what it shows is the sum of both. Here the process is
started at once, as Lambda does it; the init phase ends when the function asks for its first event, and the invocation when it
has answered.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import process_memory

ANSWER_SECONDS_MAX = 300.0
# How soon the end of a function is noticed that has not answered.
LOOK_SECONDS = 0.2
BASE = "/2018-06-01/runtime/"
NEXT = BASE + "invocation/next"
REQUEST = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Phase:
    """What a part of a start took."""

    seconds: float
    cpu_seconds: float
    """Of all threads of the process, in the kernel too. It says more than time does where others use the machine."""


@dataclass(frozen=True)
class Start:
    """One start of a function, up to its first answer."""

    init: Phase
    """From the start of the process until it asks for an event."""
    answer: Phase
    """From there until it answers."""
    peak_mb: float
    output: str
    """What the process wrote, after its end."""


class FunctionFailed(Exception):
    """The function did not answer, or with an error."""


class RuntimeApi:
    """The API. Use it in a `with`, which serves it and ends it."""

    def __init__(self) -> None:
        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> RuntimeApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def start(
        self, command: Sequence[str | Path], environment: Mapping[str, str], event: Any, deadline: float | None = None
    ) -> Start:
        """Start a function, hand it the event, and end it when it has answered.

        The deadline is in seconds since 1970; without one it is the longest that is waited for.
        """
        served = self._server.served = Served(json.dumps(event).encode())
        served.deadline = deadline
        variables = {
            "PATH": os.environ.get("PATH", os.defpath),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "opendlm",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            **environment,
        }
        with tempfile.TemporaryFile() as output:
            began = time.monotonic()
            process = subprocess.Popen(
                [str(part) for part in command],
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                served.process.put(process.pid)
                answered = result_of(served, process)
            finally:
                process.terminate()
                process.wait()
                served.is_over.set()
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
        if not answered or not served.asked or answered.failure:
            reason = answered.failure if answered else f"no answer, exit code {process.returncode}"
            raise FunctionFailed(f"{command[-1]}: {reason}\n{text}")
        init = served.asked.since(Moment(began, 0.0))
        return Start(init, answered.moment.since(served.asked), answered.peak_mb, text)


def result_of(served: Served, process: subprocess.Popen[bytes]) -> Answered | None:
    """What the function answered; nothing where it ended before that, or took too long."""
    end = time.monotonic() + ANSWER_SECONDS_MAX
    while time.monotonic() < end:
        has_ended = process.poll() is not None
        with contextlib.suppress(queue.Empty):
            return served.answered.get(timeout=LOOK_SECONDS)
        if has_ended:
            break
    return None


@dataclass(frozen=True)
class Moment:
    """A point in the life of a process, in seconds."""

    clock: float
    cpu: float

    def since(self, earlier: Moment) -> Phase:
        """What was between the two."""
        return Phase(self.clock - earlier.clock, self.cpu - earlier.cpu)


@dataclass(frozen=True)
class Answered:
    """The end of an invocation."""

    moment: Moment
    failure: str
    """What went wrong, or nothing."""
    peak_mb: float


class Served:
    """What one process gets, and what is learnt from it."""

    def __init__(self, event: bytes) -> None:
        self.event = event
        self.deadline: float | None = None
        self.process: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.answered: queue.SimpleQueue[Answered] = queue.SimpleQueue()
        self.asked: Moment | None = None
        self.is_over = threading.Event()
        self.pid = 0

    def moment(self) -> Moment:
        """Now, of this process, which waits for us."""
        clock = time.monotonic()
        self.pid = self.pid or self.process.get()
        return Moment(clock, time.clock_gettime(cpu_clock_of(self.pid)))


def cpu_clock_of(pid: int) -> int:
    """The clock of the CPU time of a process, as clock_getcpuclockid(3) makes it on Linux."""
    return (~pid << 3) | 2


class Server(http.server.ThreadingHTTPServer):
    """Holds what the process that runs now is served."""

    daemon_threads = True
    served: Served

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that is ended resets its connections."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    """The part of the API that a function needs for one event."""

    protocol_version = "HTTP/1.1"
    # Head and body in one piece, as in keep_alive.py.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        """Hand out the event."""
        served = self.server.served
        if self.path != NEXT:
            self.send_error(404)
            return
        served.asked = served.moment()
        deadline = int(1000 * (time.time() + ANSWER_SECONDS_MAX if served.deadline is None else served.deadline))
        headers = {
            "Lambda-Runtime-Aws-Request-Id": REQUEST,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:opendlm",
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
            "Content-Type": "application/json",
            "Content-Length": str(len(served.event)),
        }
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(served.event)
        self.wfile.flush()

    def do_POST(self) -> None:
        """Take the answer, or the error."""
        served = self.server.served
        moment = served.moment()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        failed = self.path != f"{BASE}invocation/{REQUEST}/response"
        failure = f"{self.path}: {body.decode('utf-8', 'replace')}" if failed else ""
        served.answered.put(Answered(moment, failure, process_memory.peak_mb(served.pid)))
        # Without a reply it does not ask for another event, which the next process would miss.
        served.is_over.wait()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nobody reads that."""
