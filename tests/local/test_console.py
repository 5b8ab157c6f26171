"""Rows of words: nothing is wider than the terminal, and no word is broken."""

from __future__ import annotations

import pytest

from console import rows


@pytest.mark.parametrize(
    ("indent", "last", "columns", "expected"),
    [
        (51, "3 volumes", 80, ["3 volumes"]),
        (20, "one two", 80, ["one two"]),
        (72, "verified", 80, ["verified"]),
        (14, "", 80, [""]),
        (51, "tag:opendlm:policy-id=policy-0123456789abcdef0 · pages", 80, ["", " " * 12 + "tag:opendlm:policy-id=policy-0123456789abcdef0 · pages"]),
        (51, "tag:opendlm:policy-id=policy-0123456789abcdef0 · pages", 120, ["tag:opendlm:policy-id=policy-0123456789abcdef0 · pages"]),
        (14, "word " * 20, 80, ["word " * 12 + "word", " " * 14 + "word " * 6 + "word"]),
    ],
)
def test_the_last_cell_stands_in_its_row_or_under_it(indent: int, last: str, columns: int, expected: list[str]) -> None:
    told = rows(indent, last, columns)
    assert told == expected
    assert len(told[0]) + indent <= columns and all(len(line) <= columns for line in told[1:])
    assert " ".join(" ".join(told).split()) == " ".join(last.split()), "every word is there, and whole"
