"""What README and docs say to type is there: each word and flag of `opendlm`, each target of make, each page that is linked.

What the commands do is tested where they are; those of AWS's own tools need an account and are not run.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from chain import bootstrap_path
from rie import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")
CODE = re.compile(r"`([^`]+)`")


def commands(page: Path) -> Iterator[str]:
    """The lines of shell blocks, and what stands in backquotes."""
    text = page.read_text()
    for block in re.findall(r"```sh\n(.*?)```", text, re.S):
        for line in block.splitlines():
            yield line.split("#")[0].strip().removeprefix("$ ")
    yield from CODE.findall(re.sub(r"```.*?```", "", text, flags=re.S))


@cache
def help_of(*words: str) -> str:
    """What `opendlm WORD --help` says."""
    binary = bootstrap_path().with_name("opendlm")
    if not binary.exists():
        pytest.fail(f"{binary} is missing: cargo build --locked --features aws,cli,mocks")
    said = subprocess.run([str(binary), *words, "--help"], capture_output=True, text=True, timeout=20, check=False)
    assert said.returncode == 0, f"opendlm {' '.join(words)} --help\n{said.stderr}"
    return said.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_words_and_flags_of_the_command_line_are_there(page: Path) -> None:
    words = re.findall(r"^  (\w+) ", help_of(), re.M)
    for command in commands(page):
        typed = re.match(r"opendlm ([a-z]+)( .*)?$", command)
        if not typed or typed[1] == "simulate":
            continue
        assert typed[1] in words, f"{page.name}: {command}"
        for flag in re.findall(r"--[a-z-]+", typed[2] or ""):
            assert flag in help_of(typed[1]), f"{page.name}: {command}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_targets_of_make_are_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    typed = [match[1] for command in commands(page) if (match := re.match(r"make ([a-z-]+)", command))]
    assert set(typed) <= targets, f"{page.name}: {sorted(set(typed) - targets)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_pages_and_files_that_are_linked_are_there(page: Path) -> None:
    linked = [target for target, _ in LINK.findall(page.read_text()) if "://" not in target]
    missing = [target for target in linked if not (page.parent / target).exists()]
    assert missing == [], page.name
