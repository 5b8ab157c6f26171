"""What README and docs say to type: the commands in their blocks of shell, behind the labels of the mails, and in backquotes."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rie import ROOT

# Which commands no test types, and why.
LIST = ROOT / "docs" / "commands.md"
PAGES = sorted({ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")} - {LIST})

BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.S | re.M)
CODE = re.compile(r"`([^`]+)`")
# A line of a mail: what it is for, and what to type.
LABELLED = re.compile(r"^[A-Z][a-z ]*: +((?:opendlm|aws) .+)$", re.M)
# What begins a command where a sentence has it in backquotes.
TOOLS = {".venv/bin/python", "aws", "cargo", "curl", "git", "jq", "make", "opendlm", "rustup", "sam", "time"}
# `opendlm Run Finished` is the name of an event, and `aws dlm` that of a service.
NAMES = re.compile(r"opendlm [A-Z]|aws \S+$")
SHELL_WORDS = {"do", "done", "time", "until"}
ASSIGNMENT = re.compile(r"[A-Z_]+=")


@dataclass(frozen=True)
class Command:
    """One program with its words, as a page gives them."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join(self.words)


def of_page(page: Path) -> list[Command]:
    """The commands of a page, in its order, each as often as it stands there."""
    return [Command(page.name, words) for text in typed(page.read_text()) for words in programs(text)]


def typed(text: str) -> Iterator[str]:
    """What a page says to type, one command line after the other."""
    ended = 0
    for block in BLOCK.finditer(text):
        yield from quoted(text[ended : block.start()])
        yield from lines_of(block[2], textwrap.dedent(block[3]))
        ended = block.end()
    yield from quoted(text[ended:])


def lines_of(language: str, text: str) -> Iterator[str]:
    """The command lines of a block, without what they answer."""
    joined = text.replace("\\\n", " ").splitlines()
    if language == "sh":
        yield from (line for line in joined if line.strip())
    elif language == "console":
        yield from (line.removeprefix("$ ") for line in joined if line.startswith("$ "))
    elif language == "text":
        yield from LABELLED.findall(text)
    else:
        # A block of another kind that shows a prompt is one whose commands nobody would find.
        assert not any(line.startswith("$ ") for line in joined), text


def quoted(text: str) -> Iterator[str]:
    """What stands in backquotes and begins with the name of a tool."""
    for code in CODE.findall(text):
        code = " ".join(code.split())
        if code.partition(" ")[0] in TOOLS and " " in code and not NAMES.match(code):
            # A table writes a pipe so.
            yield code.replace("\\|", "|")


def programs(line: str) -> Iterator[tuple[str, ...]]:
    """The programs of a command line, each with its words: without pipes, substitutions, assignments and redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    is_file = False
    for token in [*lexer, ";"]:
        if is_file:
            is_file = False
        elif token.strip(">") == "":
            is_file = True
        elif token.strip("();|&") == "":
            if words:
                yield tuple(words)
            words = []
        elif words or not (token in SHELL_WORDS or ASSIGNMENT.match(token)):
            words.append(token)


def listed() -> dict[tuple[str, ...], str]:
    """The commands that no test types, each by its first words, and what they need."""
    rows = re.findall(r"^\| (`.+?`) \| (.+?) \|$", LIST.read_text(), re.M)
    return {tuple(code.split()): needs for codes, needs in rows for code in CODE.findall(codes)}
