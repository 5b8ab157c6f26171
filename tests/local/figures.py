"""What a benchmark found: each figure beside its peer or its bound, and whether the target is met.

A figure is met when ours is at most so many times what it stands against, and what may come on top. Both come from one run on one machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from console import columns, heading

WIDTHS = (42, 12, 18, 10, 14)
HEADER = ("figure", "opendlm", "against", "ratio", "at most")
# From here on a ratio is easier to read as a fraction.
FRACTION_BELOW = 0.5


@dataclass(frozen=True)
class Figure:
    """One figure. Smaller is better."""

    what: str
    unit: str
    ours: float
    against: str
    """What it is compared with: `boto3`, or `bound`."""
    theirs: float
    times_max: float = 1.0
    """How many times theirs ours may be."""
    plus: float = 0.0
    """By how much more ours may exceed that, where a part of it does not grow with theirs."""

    @property
    def is_met(self) -> bool:
        """Whether the target is met. A bound of nought is met by nought."""
        return self.ours <= self.theirs * self.times_max + self.plus

    @property
    def ratio(self) -> float | None:
        """Ours as a share of theirs; nothing where theirs is nought."""
        return self.ours / self.theirs if self.theirs else None


def show(title: str, figures: Iterable[Figure]) -> None:
    """Print the figures of one benchmark as a table."""
    heading(title)
    columns([("", 2, "")] + [(text, width, "dim") for text, width in zip(HEADER, WIDTHS)], "")
    for figure in figures:
        theirs = f"{figure.against} {amount_text(figure.theirs, figure.unit)}"
        ratio = "-" if figure.ratio is None else ratio_text(figure.ratio)
        cells = (figure.what, amount_text(figure.ours, figure.unit), theirs, ratio, at_most_text(figure))
        styles = ("", "bold", "", "", "dim")
        word, style = ("ok", "green") if figure.is_met else ("missed", "bold red")
        columns([("", 2, ""), *zip(cells, WIDTHS, styles)], word, style)


def at_most_text(figure: Figure) -> str:
    """How far ours may go, as `1.02` or as `1.02 + 60 s`."""
    plus = f" + {amount_text(figure.plus, figure.unit)}" if figure.plus else ""
    return ratio_text(figure.times_max) + plus


def amount_text(amount: float, unit: str) -> str:
    """An amount with three figures and its unit; a whole number where there is no unit."""
    if not unit:
        return f"{amount:.0f}"
    return f"{amount:.0f} {unit}" if amount >= 100 else f"{amount:.3g} {unit}"


def ratio_text(ratio: float) -> str:
    """A ratio with three figures, as `0.747` or as `1/22.8`."""
    return f"1/{1 / ratio:.3g}" if 0 < ratio < FRACTION_BELOW else f"{ratio:.3g}"
