"""Words on a terminal: colour where there is one, and columns that stay aligned."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap

# Where there is no terminal, and the least that anything is laid out for.
WIDTH, WIDTH_MIN = 80, 60
# What a last column needs to be one: below that it stands under the others.
LAST_MIN = 40
# How far to the right it stands there.
UNDER = 12
# A word as short as this ends its row, however wide that is.
WORD_MAX = 8
STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}


def coloured() -> bool:
    """Whether to use colour: on a terminal, unless NO_COLOR is set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(text: str, style: str) -> str:
    """Text in a style, for example `red` or `bold green`."""
    if not style or not text or not coloured():
        return text
    codes = ";".join(STYLES[name] for name in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m"


def say(text: str = "", style: str = "") -> None:
    """Print a line at once."""
    print(paint(text, style), flush=True)


def heading(text: str) -> None:
    """Print a heading with a blank line before it."""
    say()
    say(text, "bold")


def width() -> int:
    """How wide a line may be: as the terminal, 80 columns where there is none."""
    return max(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH_MIN)


def columns(cells: list[tuple[str, int, str]], last: str, last_style: str = "") -> None:
    """Print a row: cells of (text, width, style), and a last one that wraps under itself, or stands under the others."""
    lead = "".join(paint(text, style) + " " * max(width - len(text), 1) for text, width, style in cells)
    first, *others = rows(sum(width for _, width, _ in cells), last, width())
    say((lead + paint(first, last_style)).rstrip())
    for indent, line in (split_indent(other) for other in others):
        say(indent + paint(line, last_style))


def rows(indent: int, last: str, columns: int) -> list[str]:
    """The last cell of a row that begins at `indent`: what stands in the row, and the lines below it with their indents.

    No word is broken, and none goes beyond the columns unless it is longer than a line.
    """
    room = columns - indent
    longest = max((len(word) for word in last.split()), default=0)
    if len(last) <= max(room, WORD_MAX):
        return [last]
    fits = room >= LAST_MIN and longest <= room
    indent = indent if fits else min(UNDER, indent)
    lines = textwrap.wrap(last, columns - indent, break_long_words=False, break_on_hyphens=False)
    below = [" " * indent + line for line in (lines[1:] if fits else lines)]
    return [lines[0] if fits else "", *below]


def split_indent(line: str) -> tuple[str, str]:
    """The blanks before a line, and the line."""
    text = line.lstrip()
    return line[: len(line) - len(text)], text


def fact(name: str, value: str, style: str = "") -> None:
    """Print one named fact."""
    columns([("", 2, ""), (name, 12, "dim")], value, style)
