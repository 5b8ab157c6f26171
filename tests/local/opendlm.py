"""The command line `opendlm`, as somebody types it whose AWS is the local one."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chain import bootstrap_path
from local_aws import LocalAws

SECONDS_MAX = 60
WIDTH = 80


@dataclass
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What it said, each paragraph as one line: it is broken for 80 columns, and its later lines stand further right."""
        return re.sub(r"\n {3,}", " ", self.out).splitlines()

    def json(self) -> Any:
        """The answer in JSON."""
        return json.loads(self.out)


class Opendlm:
    """The binary, in a folder of its own."""

    def __init__(self, aws: LocalAws, folder: Path, **variables: str) -> None:
        self.binary = bootstrap_path().with_name("opendlm")
        if not self.binary.exists():
            pytest.fail(f"{self.binary} is missing: cargo build --locked --features aws,cli,mocks")
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OPENDLM_"))}
        self.environment = {**kept, **aws.environment(), **variables}

    def file(self, name: str, document: Any) -> Path:
        """Write a document into the folder."""
        path = self.folder / name
        path.write_text(json.dumps(document, indent=2))
        return path

    def named(self, name: str, document: Any) -> str:
        """Write a document into the folder: its name, as somebody types it there."""
        return self.file(name, document).name

    def type(self, *words: str, answer: str = "") -> Said:
        """Type a command, and an answer to what it asks."""
        done = subprocess.run(
            [str(self.binary), *words],
            cwd=self.folder, env=self.environment, input=answer, capture_output=True, text=True, timeout=SECONDS_MAX, check=False,
        )
        if "--json" not in words and words[0] not in ("show", "template"):
            wide = [line for line in done.stdout.splitlines() if len(line) > WIDTH and " " in line.strip()]
            assert not wide, done.stdout
        return Said(done.returncode, done.stdout, done.stderr)

    def type_and_think(self, *words: str, meanwhile: Callable[[], Any]) -> Said:
        """Type a command, let something happen once it asks, and then say yes."""
        typed = subprocess.Popen(
            [str(self.binary), *words],
            cwd=self.folder, env=self.environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        asked = ""
        # It ends with the question, or with the command.
        while not asked.endswith("[y/N] ") and (character := typed.stderr.read(1)):
            asked += character
        meanwhile()
        out, err = typed.communicate("y\n", timeout=SECONDS_MAX)
        return Said(typed.returncode, out, asked + err)

    def ok(self, *words: str, answer: str = "") -> Said:
        """Type a command that is to end well."""
        said = self.type(*words, answer=answer)
        assert said.code == 0, f"opendlm {' '.join(words)}\n{said.out}{said.err}"
        return said

    def told(self, *words: str) -> Any:
        """The JSON answer of a command that is to end well."""
        return self.ok(*words, "--json").json()
