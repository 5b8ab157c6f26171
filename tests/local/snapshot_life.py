"""The life of a snapshot: `pending` for a while, then `completed` or `error`; archived, locked, in the Recycle Bin.

What each state shows is what `shared/wire/describe-snapshots` shows; the numbers below are those of its files.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.elastic_block_store import Snapshot

import switches

GIB = 2**30
# EC2 counts what was written in blocks of 512 KiB: 13, 15, 17, 19, 23, 24.
BLOCK = 2**19
# A snapshot holds so many fifteenths of its volume as the last digit of its id says: nothing (20) up to all (23).
ALL_FIFTEENTHS = 15

METADATA_MISSING = "Metadata not updated"  # 27
# Amazon EBS User Guide, "Copy an Amazon EBS snapshot"; shared/wire/README.md, DescribeSnapshots, statusMessage.
NOT_COMPLETE = "Source snapshot is not complete"
NOT_FOUND = "Source snapshot is not found"
KEY_INACCESSIBLE = "Given key ID is not accessible"  # 30


def patch() -> None:
    """Make snapshots start as `pending` and end after the time that the switches say."""
    stock_init = Snapshot.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        stock_init(self, *arguments, **named)
        in_force = switches.in_force()
        self.error_message = in_force.ERROR_MESSAGES.get(self.volume.id)
        self.ends_in_error = self.volume.id in in_force.ERROR_VOLUMES or self.error_message is not None
        self.end_time = self.start_time + timedelta(seconds=in_force.SNAP_SECONDS)
        self.listed_from = listed_from(self.start_time, in_force)
        self.kms_key_id = self.kms_key_id or (self.volume.kms_key_id if self.encrypted else None)
        self.is_copy = self.is_locked = self.is_in_bin = self.is_of_backup = False
        self.is_source_unread = False
        self.transfer_type, self.completion_minutes = "standard", None
        self.fast_restore_zones: list[str] = []
        self.full_size: int | None = None
        ids_ever(self.ec2_backend).add(self.id)

    Snapshot.__init__ = init
    Snapshot.status = property(status, lambda self, value: None)
    Snapshot.state = property(status)
    Snapshot.progress = property(progress)
    Snapshot.completion_time = property(completion_time)


def ids_ever(backend: Any) -> set[str]:
    """The ids of all snapshots that were made in a Region, of those too that are deleted. A reset of the Region forgets them."""
    return backend.__dict__.setdefault("opendlm_snapshot_ids", set())


def listed_from(start: datetime, in_force: switches.Switches) -> datetime:
    """When a snapshot that is made now shows in listings. How far EC2's lag, and whether they do, was never measured."""
    return datetime.max if in_force.NEVER_LISTED else start + timedelta(seconds=in_force.LISTING_LAG)


def is_listed(snapshot: Any) -> bool:
    """Whether listings show a snapshot by now. By its id EC2 shows it at once: 12, 0.2 s after CreateSnapshot."""
    return snapshot.listed_from <= utcnow()


def status(snapshot: Any) -> str:
    """The state that a snapshot has by now. `recoverable` is in EC2's model; that DescribeSnapshots shows it was never seen."""
    if snapshot.is_in_bin:
        return "recoverable"
    if utcnow() < snapshot.end_time:
        return "pending"
    return "error" if snapshot.ends_in_error else "completed"


def status_message(snapshot: Any) -> str | None:
    """What EC2 says about a pending copy (27), and about a copy that failed (30). Of a snapshot of a volume that failed nobody has
    seen an answer: it says what a test wants, and nothing otherwise."""
    if status(snapshot) == "error":
        return snapshot.error_message
    return METADATA_MISSING if snapshot.is_copy and status(snapshot) == "pending" else None


def progress(snapshot: Any) -> str:
    """A pending snapshot is at 99% at once and stays there (12), or at 0% (08); a copy is at 0% (27), also when it failed (30)."""
    if status(snapshot) in ("completed", "recoverable"):
        return "100%"
    return "0%" if snapshot.is_copy or last_digit(snapshot) % 4 == 0 else "99%"


def completion_time(snapshot: Any) -> datetime | None:
    """When a snapshot was complete."""
    return snapshot.end_time if status(snapshot) == "completed" else None


def knows_source(snapshot: Any) -> bool:
    """Whether EC2 has the metadata of what a snapshot was made of: not while a copy is pending (27), and never where its source
    could not be read; a copy that failed on its key has them (30)."""
    return not (snapshot.is_copy and (status(snapshot) == "pending" or snapshot.is_source_unread))


def size(snapshot: Any) -> int:
    """The size of the volume in GiB; nought where EC2 does not know it."""
    return snapshot.volume.size if knows_source(snapshot) else 0


def is_encrypted(snapshot: Any) -> bool:
    """Whether a snapshot is encrypted; no where EC2 does not know it."""
    return bool(snapshot.encrypted) and knows_source(snapshot)


def key(snapshot: Any) -> str | None:
    """The key of an encrypted snapshot."""
    return snapshot.kms_key_id if is_encrypted(snapshot) else None


def full_size_bytes(snapshot: Any) -> int | None:
    """The size of all the blocks that a volume made from the snapshot would hold; unknown while it is pending, and not told of a
    snapshot of another account (22)."""
    if completion_time(snapshot) is None or snapshot.owner_id != snapshot.ec2_backend.account_id:
        return None
    if snapshot.full_size is not None:
        return snapshot.full_size
    return snapshot.volume.size * GIB * last_digit(snapshot) // ALL_FIFTEENTHS // BLOCK * BLOCK


def last_digit(snapshot: Any) -> int:
    """What differs from snapshot to snapshot is drawn from its id, so that a run can be repeated."""
    return int(snapshot.id[-1], 16)
