"""The real command line `opendlm`, as somebody types it: with a terminal and without one, against the local AWS or without any."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chain import bootstrap_path
from local_aws import LocalAws

SECONDS_MAX = 60
# How wide a screen is where nobody says how wide it is.
COLUMNS = 80
# What these answer is not broken without a terminal: findings one a line, lines of a log, documents for programs.
UNBROKEN = ("check", "run", "show", "simulate", "template")


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
    def lines(self) -> list[str]:
        """What it said, each paragraph as one line: it is broken for 80 columns, and its later lines stand further right."""
        return re.sub(r"\n {3,}", " ", self.out).splitlines()

    @property
    def json(self) -> Any:
        """The answer in JSON."""
        return json.loads(self.out)


class Opendlm:
    """The binary in a folder of its own, which is its home as well: with none of the variables of whoever runs the tests."""

    def __init__(self, folder: Path, aws: LocalAws | None = None, **variables: str) -> None:
        """`variables` are more of its environment."""
        self.folder = folder
        own = {"HOME": str(folder), "PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"}
        self._variables = {**own, **(aws.environment() if aws else {}), **variables}

    def environment(self, **more: str | None) -> dict[str, str]:
        """What a command sees, with these variables more, or less where one is None."""
        return {name: value for name, value in {**self._variables, **more}.items() if value is not None}

    def file(self, name: str, document: Any) -> Path:
        """Write a document into the folder."""
        path = self.folder / name
        path.write_text(json.dumps(document, indent=2))
        return path

    def named(self, name: str, document: Any) -> str:
        """Write a document into the folder: its name, as somebody types it there."""
        return self.file(name, document).name

    def type(self, *words: str | Path, answer: str = "", **variables: str | None) -> Said:
        """Type a command without a terminal, and an answer to what it asks."""
        done = subprocess.run(
            self._command(words), cwd=self.folder, env=self.environment(**variables), input=answer, capture_output=True, text=True,
            timeout=SECONDS_MAX, check=False,
        )
        if "--json" not in words and words[0] not in UNBROKEN:
            wide = [line for line in done.stdout.splitlines() if len(line) > COLUMNS and " " in line.strip()]
            assert not wide, done.stdout
        return Said(done.returncode, done.stdout, done.stderr)

    def type_and_think(self, *words: str, meanwhile: Callable[[], Any]) -> Said:
        """Type a command, let something happen once it asks, and then say yes."""
        typed = subprocess.Popen(
            self._command(words), cwd=self.folder, env=self.environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        asked = ""
        # It ends with the question, or with the command.
        while not asked.endswith("[y/N] ") and (character := typed.stderr.read(1)):
            asked += character
        meanwhile()
        out, err = typed.communicate("y\n", timeout=SECONDS_MAX)
        return Said(typed.returncode, out, asked + err)

    def ok(self, *words: str | Path, answer: str = "") -> Said:
        """Type a command that is to end well."""
        said = self.type(*words, answer=answer)
        assert said.code == 0, f"opendlm {' '.join(map(str, words))}\n{said.out}{said.err}"
        return said

    def told(self, *words: str | Path) -> Any:
        """The JSON answer of a command that is to end well."""
        return self.ok(*words, "--json").json

    def first_line(self, *words: str | Path) -> Said:
        """Type a command of whose output nobody reads more than a line: `| head -1`."""
        process = subprocess.Popen(
            self._command(words), cwd=self.folder, env=self.environment(), text=True, bufsize=1,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        assert process.stdout and process.stderr
        line = process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        return Said(process.wait(SECONDS_MAX), line, errors)

    def at_terminal(self, columns: int, *words: str | Path) -> Said:
        """Type a command at a terminal that is so wide; what it says comes as the terminal gets it."""
        inner, outer = pty.openpty()
        fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        process = subprocess.Popen(
            self._command(words), cwd=self.folder, env=self.environment(), stdin=outer, stdout=outer, stderr=outer
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

    def _command(self, words: tuple[str | Path, ...]) -> list[str]:
        return [program(), *map(str, words)]


@cache
def program() -> str:
    """The command line that was built beside the function."""
    path = bootstrap_path().with_name("opendlm")
    if not path.exists():
        pytest.fail(f"{path} is missing: cargo build --locked --features aws,cli,mocks")
    return str(path)


def widest(text: str) -> int:
    """The width of the widest line."""
    return max((len(line) for line in text.splitlines()), default=0)
