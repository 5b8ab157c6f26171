"""The life of a snapshot: `pending` for a while, then `completed` or `error`; archived, locked, in the Recycle Bin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.elastic_block_store import Snapshot

from switches import Switches

# What a seeded snapshot holds of its volume: EC2 tells the size of the blocks that were written, not that of the volume.
WRITTEN_SHARE = 0.5
GIB = 2**30


def patch(current: Callable[[], Switches]) -> None:
    """Make snapshots start as `pending` and end after the time that the switches say."""
    stock_init = Snapshot.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        stock_init(self, *arguments, **named)
        switches = current()
        self.ends_in_error = self.volume.id in switches.ERROR_VOLUMES
        self.end_time = self.start_time + timedelta(seconds=switches.SNAP_SECONDS)
        self.is_locked = False
        self.is_in_bin = False

    Snapshot.__init__ = init
    Snapshot.status = property(status, lambda self, value: None)
    Snapshot.state = property(status)
    Snapshot.progress = property(progress)
    Snapshot.completion_time = property(completion_time)


def status(snapshot: Any) -> str:
    """The state that a snapshot has by now."""
    if snapshot.is_in_bin:
        return "recoverable"
    if utcnow() < snapshot.end_time:
        return "pending"
    return "error" if snapshot.ends_in_error else "completed"


def status_message(snapshot: Any) -> str | None:
    """What EC2 says about a snapshot that failed."""
    return "An internal error has occurred" if status(snapshot) == "error" else None


def progress(snapshot: Any) -> str:
    """How far a snapshot is, in whole per cent; empty at first, as in EC2's answer to CreateSnapshot."""
    whole = (snapshot.end_time - snapshot.start_time).total_seconds()
    gone = (utcnow() - snapshot.start_time).total_seconds()
    if gone >= whole:
        return "100%"
    percent = int(100 * gone / whole)
    return f"{percent}%" if percent else ""


def completion_time(snapshot: Any) -> datetime | None:
    """When a snapshot was complete."""
    return snapshot.end_time if status(snapshot) == "completed" else None


def full_size_bytes(snapshot: Any) -> int | None:
    """The size of all the blocks that a volume made from the snapshot would hold; unknown while it is pending."""
    return round(snapshot.volume.size * GIB * WRITTEN_SHARE) if completion_time(snapshot) else None
