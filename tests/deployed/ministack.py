"""MiniStack, an AWS emulator by others, as a process of its own on this machine.

Nothing about it is changed. Promise: it hears 127.0.0.1 only, keeps nothing after its end, and takes its children along.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import boto3

from prepare import MINISTACK_VENV

REGION = "us-east-1"
# It asks for credentials and believes every one.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
START_SECONDS_MAX = 30.0
END_SECONDS_MAX = 10.0


class MiniStack:
    """A running MiniStack. Use it in a `with`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.log = folder / "ministack.log"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where every service is."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> MiniStack:
        # The function inherits this environment: no proxy, no profile and no endpoint of the user's.
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "S3_DATA_DIR": str(self._folder / "s3"),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
        }
        command = [str(MINISTACK_VENV / "bin" / "python"), "-m", "ministack"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, env=environment, cwd=self._folder, stdout=log, stderr=log, start_new_session=True
            )
        self._await()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process
        group = self._process.pid
        os.killpg(group, signal.SIGTERM)
        try:
            self._process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(group, signal.SIGKILL)
            self._process.wait()

    def client(self, service: str, region: str = REGION) -> Any:
        """A client of one of its services."""
        keys = {name.lower(): value for name, value in CREDENTIALS.items()}
        return boto3.client(service, region_name=region, endpoint_url=self.endpoint, **keys)

    def tail(self) -> str:
        """The end of its log, for messages."""
        return self.log.read_text(errors="replace")[-3000:]

    def _await(self) -> None:
        end = time.monotonic() + START_SECONDS_MAX
        while True:
            assert self._process and self._process.poll() is None, f"MiniStack ended\n{self.tail()}"
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end, f"MiniStack is not there after {START_SECONDS_MAX} s\n{self.tail()}"
                time.sleep(0.1)


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
