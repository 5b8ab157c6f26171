"""Words on a terminal: colour where there is one, and columns that stay aligned."""

from __future__ import annotations

import os
import sys
import textwrap

WIDTH = 120
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


def columns(cells: list[tuple[str, int, str]], last: str, last_style: str = "") -> None:
    """Print a row: cells of (text, width, style), and a last one that wraps under itself."""
    indent = sum(width for _, width, _ in cells)
    lead = "".join(paint(text, style) + " " * max(width - len(text), 1) for text, width, style in cells)
    lines = textwrap.wrap(last, WIDTH - indent, break_long_words=False, break_on_hyphens=False) or [""]
    say((lead + paint(lines[0], last_style)).rstrip())
    for line in lines[1:]:
        say(" " * indent + paint(line, last_style))


def fact(name: str, value: str, style: str = "") -> None:
    """Print one named fact."""
    columns([("", 2, ""), (name, 12, "dim")], value, style)
