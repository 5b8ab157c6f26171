"""The lines that the function writes, with the time of each.

Lambda's log lines carry no time of their own, since CloudWatch adds it; here it is added when a line arrives.
"""

from __future__ import annotations

import collections
import json
import threading
import time
from dataclasses import dataclass
from typing import IO, Any

# Some hundred invocations with every line that the AWS SDK writes; beyond it the oldest lines are forgotten.
LINES_MAX = 50_000

# What the function says at any level; the other lines at DEBUG are the SDK's.
OWN_MESSAGES = ("turn", "action", "decision")


@dataclass(frozen=True)
class Line:
    """One line of the log."""

    number: int
    time: float
    text: str
    fields: dict[str, Any]
    """What the line says, whether it was nested under `fields` or flat; empty where the line is no JSON object."""

    @property
    def level(self) -> str:
        """Its level, INFO where it says none."""
        return str(self.fields.get("level", "INFO")).upper()

    @property
    def message(self) -> str:
        """Its message."""
        return str(self.fields.get("message", ""))


class FunctionLog:
    """Collects the lines of a process while it runs."""

    def __init__(self) -> None:
        self._lines: collections.deque[Line] = collections.deque(maxlen=LINES_MAX)
        self._lock = threading.Lock()
        self._count = 0

    def follow(self, stream: IO[bytes]) -> None:
        """Collect what a stream holds, to its end, in a thread."""
        threading.Thread(target=self._collect, args=(stream,), daemon=True).start()

    def since(self, number: int) -> list[Line]:
        """The lines with a higher number."""
        with self._lock:
            return [line for line in self._lines if line.number > number]

    def tail(self, count: int = 20) -> str:
        """The last lines that a person wants to see: not what the SDK says at DEBUG, nor the emulator's own."""
        shown = [shown_text(line) for line in self.since(0) if is_interesting(line)]
        return "\n".join(shown[-count:])

    def _collect(self, stream: IO[bytes]) -> None:
        with stream:
            for raw in stream:
                text = raw.decode("utf-8", "replace").rstrip()
                with self._lock:
                    self._count += 1
                    self._lines.append(Line(self._count, time.time(), text, read_fields(text)))


def is_interesting(line: Line) -> bool:
    """Whether a line is the function's own, or something that went wrong."""
    if line.fields:
        return line.level != "DEBUG" or line.message in OWN_MESSAGES
    return not line.text.startswith(("START ", "END ", "REPORT "))


def shown_text(line: Line) -> str:
    """A line for a person: level, message, and the fields that are not about tracing."""
    if not line.fields:
        return line.text
    hidden = ("level", "message", "fields", "span", "spans", "target", "timestamp")
    rest = [f"{name}={value}" for name, value in line.fields.items() if name not in hidden]
    return " ".join([line.level, line.message, *rest])


def read_fields(text: str) -> dict[str, Any]:
    """The fields of a JSON line."""
    try:
        entry = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(entry, dict):
        return {}
    nested = entry.get("fields")
    return {**entry, **nested} if isinstance(nested, dict) else entry
