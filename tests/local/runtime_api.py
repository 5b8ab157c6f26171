"""Lambda's runtime API for one start of a function, by a tool that sets a deadline of its own.

The official emulator writes the deadline itself; other tools, `cargo lambda invoke` among them, write what they like.
"""

from __future__ import annotations

import http.server
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ANSWER_SECONDS_MAX = 300.0
# How soon the end of a function is noticed that has not answered.
LOOK_SECONDS = 0.2
BASE = "/2018-06-01/runtime/"
NEXT = BASE + "invocation/next"
REQUEST = "00000000-0000-4000-8000-000000000000"


class FunctionFailed(Exception):
    """The function did not answer, or with an error."""


class RuntimeApi:
    """The API. Use it in a `with`, which serves it and ends it."""

    def __init__(self, event: Any, deadline: float) -> None:
        """The deadline is in seconds since 1970."""
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.served = Served(json.dumps(event).encode(), int(1000 * deadline))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> RuntimeApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def start(self, function: Path, environment: Mapping[str, str]) -> str:
        """Start a function, hand it the event, and end it when it has answered; what it wrote."""
        served = self._server.served
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
            process = subprocess.Popen(
                [str(function)], env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                failure = failure_of(served, process)
            finally:
                process.terminate()
                process.wait()
                served.is_over.set()
            output.seek(0)
            text = output.read().decode("utf-8", "replace")
        if failure:
            raise FunctionFailed(f"{function}: {failure}\n{text}")
        return text


class Served:
    """What the process gets, and what it answers."""

    def __init__(self, event: bytes, deadline: int) -> None:
        self.event = event
        self.deadline = deadline
        self.failures: queue.SimpleQueue[str] = queue.SimpleQueue()
        """What went wrong with the invocation, or nothing, when it has ended."""
        self.is_over = threading.Event()


def failure_of(served: Served, process: subprocess.Popen[bytes]) -> str:
    """What went wrong, or nothing; also that the function ended without an answer, or took too long."""
    end = time.monotonic() + ANSWER_SECONDS_MAX
    while time.monotonic() < end:
        has_ended = process.poll() is not None
        try:
            return served.failures.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            if has_ended:
                break
    return f"no answer, exit code {process.returncode}"


class Server(http.server.ThreadingHTTPServer):
    """Holds what the process is served."""

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
        headers = {
            "Lambda-Runtime-Aws-Request-Id": REQUEST,
            "Lambda-Runtime-Deadline-Ms": str(served.deadline),
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
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        failed = self.path != f"{BASE}invocation/{REQUEST}/response"
        served.failures.put(f"{self.path}: {body.decode('utf-8', 'replace')}" if failed else "")
        # Without a reply it does not ask for another event.
        served.is_over.wait()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nobody reads that."""
