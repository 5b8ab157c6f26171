"""How much memory a process had at its peak.

The kernel's high-water mark of the process itself. `resource.getrusage` would not do: what it says of a child includes the
memory of the parent that it was forked from.
"""

from __future__ import annotations

import re
from pathlib import Path

BYTES_PER_KIB = 1024
BYTES_PER_MB = 1_000_000


def peak_mb(pid: int | str = "self") -> float:
    """The peak resident memory of a process in MB, while it lives."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    if not found:
        raise ValueError(f"/proc/{pid}/status has no VmHWM, expected a live process")
    return int(found[1]) * BYTES_PER_KIB / BYTES_PER_MB
