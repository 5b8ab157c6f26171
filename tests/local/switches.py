"""What the local endpoint can be told to do wrong, and how fast it is.

Every switch is an environment variable of the same name, read once at the start, and can be changed while the endpoint runs
(`POST /opendlm-local/switches` with a JSON object). What is drawn at random is drawn from SEED, so a run can be repeated.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_origin, get_type_hints

# The answer for a resource that fails without a code of its own: what EC2 says when it is EC2's fault.
DEFAULT_CODE = "InternalError"

@dataclass
class Switches:
    """The switches with their defaults: a healthy EC2 whose snapshots take five seconds."""

    SNAP_SECONDS: float = 5.0
    """How long a snapshot stays `pending`. Decided when it is made."""
    COPY_SECONDS: float | None = None
    """The same of a copy; as long as a snapshot where nothing is said. Real ones of half a MiB take 8 to 24 seconds between Regions
    (shared/reference/aws-live.md, 3)."""
    COPIES_MAX: int = 20
    """How many copies may be `pending` in a Region: one more is refused with ResourceLimitExceeded."""
    LATENCY_MS: float = 0.0
    """How long every EC2 call takes at least."""
    BUCKETS: bool = False
    """EC2's token buckets: RequestLimitExceeded when a caller is too fast."""
    BUCKET_SIZES: dict[str, str] = field(default_factory=dict)
    """Buckets that are not as documented, by their action, with capacity and refill a second: `CreateSnapshot:200/50`. Buckets that
    were drawn from stay as they were. Service Quotas tells the same numbers."""
    THROTTLE: float = 0.0
    """The probability that an EC2 call is answered with RequestLimitExceeded."""
    LOST_ANSWERS: float = 0.0
    """The probability that a writing call takes effect while the caller gets HTTP 500."""
    LOST_COPIES: int = 0
    """So many answers to CopySnapshot, the next ones, get lost in the same way: the copy was made."""
    FAIL_VOLUMES: dict[str, str] = field(default_factory=dict)
    """CreateSnapshot of these volumes, and CreateSnapshots of a set with one of them, is answered with the code:
    `vol-a,vol-b:SomeCode`."""
    FAIL_INSTANCES: dict[str, str] = field(default_factory=dict)
    """CreateSnapshots of these instances is answered with the code: `i-a,i-b:SomeCode`."""
    FAIL_DELETES: dict[str, str] = field(default_factory=dict)
    """DeleteSnapshot of these snapshots is answered with the code: `snap-a,snap-b:SomeCode`."""
    FAIL_COPIES: dict[str, str] = field(default_factory=dict)
    """CopySnapshot in these Regions, which are the destinations, is answered with the code: `eu-west-2:AuthFailure`."""
    FAIL_ACTIONS: dict[str, str] = field(default_factory=dict)
    """These EC2 actions are answered with the code: `DescribeVolumes:UnauthorizedOperation`."""
    DARK_REGIONS: dict[str, str] = field(default_factory=dict)
    """Every call of EC2 and Service Quotas in these Regions is answered with the code, `eu-west-2:OptInRequired`; with
    `ConnectionBroken` it is not answered at all."""
    FAIL_SCHEDULES: dict[str, str] = field(default_factory=dict)
    """Writing or deleting these schedules of EventBridge Scheduler is answered with the code: `policy-a-1:InternalServerException`."""
    FAIL_LOOKS: dict[str, str] = field(default_factory=dict)
    """These services, as a signature names them, refuse every call with the code: `sqs,sns:AccessDenied`."""
    CLOCK_AHEAD_SECONDS: float = 0.0
    """By how much the Date header of every answer is ahead of this machine's clock."""
    ERROR_VOLUMES: set[str] = field(default_factory=set)
    """Snapshots of these volumes end in the state `error`, and so does the whole set that one of them belongs to."""
    ERROR_MESSAGES: dict[str, str] = field(default_factory=dict)
    """The same with what EC2 says of it in statusMessage, by volume; or by the source of a copy, whose copies end so:
    `{"vol-a": "Given key ID is not accessible"}`."""
    ERROR_COPIES: dict[str, str] = field(default_factory=dict)
    """Copies that are accepted and end in the state `error`, with what EC2 says of it in statusMessage: all copies to a Region, or all
    of snapshots of a volume: `{"eu-west-2": "Given key ID is not accessible"}`. The snapshots themselves are sound."""
    KEYS: dict[str, str] = field(default_factory=dict)
    """What CopySnapshot with one of these keys comes to, as the call names them: `disabled`, `missing` and `denied` are refused at
    once, `inaccessible` is accepted and ends in error."""
    LISTING_LAG: float = 0.0
    """How many seconds a new snapshot is missing in listings; asked for by its id it is seen at once. Decided when it is made."""
    NEVER_LISTED: bool = False
    """The same without an end: listings never show what is made while this is on. Asked for by its id it is seen."""
    EMPTY_LISTINGS: int = 0
    """So many listings of volumes by a filter, the next ones, are answered with HTTP 200 and nothing in them."""
    HELD_WHEN_ASKED_FOR: set[str] = field(default_factory=set)
    """These snapshots come to carry `opendlm:hold` when they are asked for by their ids: after a listing, before what follows."""
    PAGE_SCAN: int = 1000
    """How many resources EC2 reads for a page at most, before it filters them: with a few, small accounts have short and empty
    pages with a token, too."""
    WAIT_SCALE: float = 1.0
    """Real seconds for each second of a Wait state or of a Retry. The definition stays as it is."""
    SEED: int = 1
    """What every random choice is drawn from."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.SEED)
        self._lock = threading.Lock()

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Set the named switches. All names and values are checked first, so a mistake changes nothing."""
        kinds = get_type_hints(Switches)
        unknown = sorted(set(wanted) - set(kinds))
        if unknown:
            raise ValueError(f"unknown switches: {', '.join(unknown)}, expected some of {', '.join(kinds)}")
        values = {name: read_value(kinds[name], value) for name, value in wanted.items()}
        with self._lock:
            for name, value in values.items():
                setattr(self, name, value)
            if "SEED" in values:
                self._random.seed(self.SEED)

    def takes_empty_listing(self) -> bool:
        """Use up one of the listings that are to be empty."""
        return self._uses_up("EMPTY_LISTINGS")

    def takes_lost_copy(self) -> bool:
        """Use up one of the answers to CopySnapshot that are to get lost."""
        return self._uses_up("LOST_COPIES")

    def _uses_up(self, name: str) -> bool:
        with self._lock:
            left = getattr(self, name)
            setattr(self, name, max(0, left - 1))
        return left > 0

    def seconds_of_copy(self) -> float:
        """How long a copy that is made now stays `pending`."""
        return self.SNAP_SECONDS if self.COPY_SECONDS is None else self.COPY_SECONDS

    def shown(self) -> dict[str, Any]:
        """The switches as JSON can hold them."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: sorted(value) if isinstance(value, set) else value for name, value in values.items()}

    def happens(self, probability: float) -> bool:
        """Draw once. Nothing is drawn for a probability of nought, so that an unused switch changes no other draw."""
        if probability <= 0:
            return False
        with self._lock:
            return self._random.random() < probability


_in_force = Switches()


def put_in_force(switches: Switches) -> None:
    """Let an endpoint's switches be those that everything goes by."""
    global _in_force
    _in_force = switches


def in_force() -> Switches:
    """The switches of the endpoint that runs."""
    return _in_force


def from_environment(environment: Mapping[str, str] = os.environ) -> Switches:
    """The switches that the environment sets, defaults for the others."""
    switches = Switches()
    names = {each.name for each in fields(switches)}
    switches.change({name: environment[name] for name in sorted(names) if environment.get(name)})
    return switches


def read_value(hint: Any, value: Any) -> Any:
    """Read one value, from JSON or from text."""
    if hint == float | None:
        return None if value is None else float(value)
    kind = get_origin(hint) or hint
    if kind is bool:
        return str(value).strip().lower() in ("1", "true", "yes", "on")
    if kind is set:
        return set(value.split(",") if isinstance(value, str) else value) - {""}
    if kind is dict:
        return dict(value) if isinstance(value, Mapping) else read_codes(value)
    return kind(value)


def read_codes(text: str) -> dict[str, str]:
    """Read `a,b:Code,c` as {a: Code, b: Code, c: InternalError}: a name without a code takes the next code to its right."""
    codes: dict[str, str] = {}
    code = DEFAULT_CODE
    for item in reversed([item.strip() for item in text.split(",") if item.strip()]):
        name, found, own = item.partition(":")
        code = own if found else code
        codes[name] = code
    return codes
