"""The real `opendlm` at a terminal and without one, against the local AWS."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chain import bootstrap_path
from local_aws import LocalAws

SECONDS_MAX = 60


@dataclass
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """What it said, whatever the width of the screen."""
        return " ".join(self.out.split())

    @property
    def json(self) -> Any:
        """The answer as JSON."""
        return json.loads(self.out)


@dataclass
class CommandLine:
    """`opendlm` in an environment of its own: none of the variables of whoever runs the tests."""

    home: Path
    aws: LocalAws | None = None

    def environment(self, **more: str | None) -> dict[str, str]:
        """What the command sees, with these variables more, or less where one is None."""
        own = {"HOME": str(self.home), "PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"}
        variables = {**own, **(self.aws.environment() if self.aws else {}), **more}
        return {name: value for name, value in variables.items() if value is not None}

    def __call__(self, *arguments: str | Path, **more: str | None) -> Said:
        """Run a command to its end, without a terminal."""
        done = subprocess.run(
            [program(), *map(str, arguments)],
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def first_line(self, *arguments: str | Path) -> Said:
        """Run a command of whose output nobody reads more than a line: `| head -1`."""
        process = subprocess.Popen(
            [program(), *map(str, arguments)],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
            bufsize=1,
        )
        assert process.stdout and process.stderr
        line = process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        return Said(process.wait(SECONDS_MAX), line, errors)

    def at_terminal(self, columns: int, *arguments: str | Path) -> Said:
        """Run a command at a terminal that is so wide; what it says comes as the terminal gets it."""
        inner, outer = pty.openpty()
        fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        process = subprocess.Popen(
            [program(), *map(str, arguments)], env=self.environment(), stdin=outer, stdout=outer, stderr=outer
        )
        os.close(outer)
        told = b""
        while True:
            try:
                more = os.read(inner, 65536)
            except OSError:
                # Linux says so when the last writer is gone.
                break
            if not more:
                break
            told += more
        os.close(inner)
        return Said(process.wait(SECONDS_MAX), told.decode(), "")


def program() -> str:
    """The command line that was built beside the function."""
    return str(bootstrap_path().with_name("opendlm"))


def widest(text: str) -> int:
    """The width of the widest line."""
    return max((len(line) for line in text.splitlines()), default=0)
