"""What EC2 has and stock moto lacks, for volumes, snapshots and tags.

`apply(switches)` changes moto's classes in place, once in a process: pages, owners, filters and their speed, snapshots that are
`pending` for a while, the rules for tags, and the volume id of copies. Everything else is moto's own.
"""

from __future__ import annotations

import base64
import bisect
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, NoReturn

from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.tags import TagResponse

from ec2_xml import describe_answer, snapshot_item, time_text, volume_item
from switches import Switches

# EC2's documented limits.
PAGE_MIN = 5
PAGE_MAX = 1000
FILTER_VALUES_MAX = 200
TAGS_MAX = 50
TAG_KEY_MAX = 128
TAG_VALUE_MAX = 256
DESCRIPTION_MAX = 255

# EC2 gives every copy this volume id, whatever it was copied from.
COPIED_VOLUME_ID = "vol-ffffffff"

# The rows of a Describe answer, for the log of calls. The wire takes it off before the client sees the answer.
ROWS_HEADER = "x-opendlm-rows"

# What the filters of a Describe call may name, and how to read it.
Values = dict[str, Callable[[Any], Any]]
Test = Callable[[Any], bool]

ID_FORMS = {"snapshot": ("snap", "InvalidSnapshotID.Malformed"), "volume": ("vol", "InvalidVolumeID.Malformed")}

_switches = Switches()


def apply(switches: Switches) -> None:
    """Patch moto. Calling it again only exchanges the switches."""
    global _switches
    _switches = switches
    if hasattr(Snapshot, "opendlm_patched"):
        return
    Snapshot.opendlm_patched = True
    patch_snapshot_life()
    patch_tags()
    ElasticBlockStore.describe_volumes = describe_volumes
    ElasticBlockStore.describe_snapshots = describe_snapshots
    patch_snapshot_calls()


def patch_snapshot_life() -> None:
    """Make snapshots start as `pending` and end after a set time."""
    stock_init = Snapshot.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        stock_init(self, *arguments, **named)
        self.ends_in_error = self.volume.id in _switches.ERROR_VOLUMES
        self.end_time = self.start_time + timedelta(seconds=_switches.SNAP_SECONDS)

    Snapshot.__init__ = init
    Snapshot.status = property(snapshot_status, lambda self, value: None)
    Snapshot.state = property(snapshot_status)
    Snapshot.progress = property(snapshot_progress)
    Snapshot.completion_time = property(snapshot_completion_time)


def snapshot_status(snapshot: Any) -> str:
    """The state that a snapshot has by now."""
    if utcnow() < snapshot.end_time:
        return "pending"
    return "error" if snapshot.ends_in_error else "completed"


def snapshot_progress(snapshot: Any) -> str:
    """How far a snapshot is, in whole per cent; empty at first, as in EC2's answer to CreateSnapshot."""
    whole = (snapshot.end_time - snapshot.start_time).total_seconds()
    gone = (utcnow() - snapshot.start_time).total_seconds()
    if gone >= whole:
        return "100%"
    percent = int(100 * gone / whole)
    return f"{percent}%" if percent else ""


def snapshot_completion_time(snapshot: Any) -> datetime | None:
    """When a snapshot was complete."""
    return snapshot.end_time if snapshot_status(snapshot) == "completed" else None


def patch_tags() -> None:
    """Look a resource's tags up by its id, and hold callers to EC2's rules for tags."""
    stock_parse = EC2BaseResponse._parse_tag_specification
    stock_create_tags = TagResponse.create_tags

    def get_tags(self: Any) -> list[dict[str, str]]:
        tags = tags_of(self)
        return [{"key": key, "value": value, "resource_id": self.id} for key, value in tags.items()]

    def parse_tag_specification(self: Any, expected_type: str | None = None) -> Any:
        for each in self._get_param("TagSpecifications", []) or self._get_param("TagSpecification", []):
            require_good_tags(each.get("Tags", []))
        return stock_parse(self, expected_type)

    def create_tags(self: Any) -> Any:
        require_good_tags(self._get_param("Tags", []))
        return stock_create_tags(self)

    TaggedEC2Resource.get_tags = get_tags
    EC2BaseResponse._parse_tag_specification = parse_tag_specification
    TagResponse.create_tags = create_tags


def require_good_tags(tags: list[dict[str, str]]) -> None:
    """Refuse what EC2 refuses about the tags of one call."""
    keys = [tag.get("Key", "") for tag in tags]
    for key in keys:
        if key.lower().startswith("aws:"):
            refuse("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
        if not key:
            refuse("InvalidParameterValue", "Tag key cannot be empty")
        if len(key) > TAG_KEY_MAX:
            refuse("InvalidParameterValue", f"Tag key exceeds the maximum length of {TAG_KEY_MAX} characters")
        if keys.count(key) > 1:
            refuse("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
    if any(len(tag.get("Value") or "") > TAG_VALUE_MAX for tag in tags):
        refuse("InvalidParameterValue", f"Tag value exceeds the maximum length of {TAG_VALUE_MAX} characters")
    if len(tags) > TAGS_MAX:
        refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")


def patch_snapshot_calls() -> None:
    """Hold the calls that write snapshots to EC2's rules."""
    stock_create = ElasticBlockStore.create_snapshot
    stock_delete = EBSBackend.delete_snapshot
    stock_copy = EBSBackend.copy_snapshot

    def create_snapshot(self: Any) -> Any:
        if len(self._get_param("Description") or "") > DESCRIPTION_MAX:
            refuse("InvalidParameterValue", f"Description exceeds the maximum length of {DESCRIPTION_MAX} characters")
        volume = self.ec2_backend.volumes.get(self._get_param("VolumeId"))
        status = volume_status(volume) if volume else "in-use"
        if status not in ("available", "in-use"):
            refuse("IncorrectState", f"Volume '{volume.id}' is in the '{status}' state, expected 'available' or 'in-use'")
        return stock_create(self)

    def delete_snapshot(self: Any, snapshot_id: str) -> Any:
        require_ids([snapshot_id], self.snapshots, "snapshot", "InvalidSnapshot.NotFound")
        if self.snapshots[snapshot_id].owner_id != self.account_id:
            refuse("UnauthorizedOperation", "You are not authorized to perform this operation.")
        deleted = stock_delete(self, snapshot_id)
        self.tags.pop(snapshot_id, None)
        return deleted

    def copy_snapshot(self: Any, *arguments: Any, **named: Any) -> Any:
        copy = stock_copy(self, *arguments, **named)
        copy.volume = SimpleNamespace(id=COPIED_VOLUME_ID, size=copy.volume.size)
        return copy

    ElasticBlockStore.create_snapshot = create_snapshot
    EBSBackend.delete_snapshot = delete_snapshot
    EBSBackend.copy_snapshot = copy_snapshot


def describe_volumes(self: Any) -> tuple[int, dict[str, str], str]:
    """DescribeVolumes with pages and filters."""
    ids = self._get_param("VolumeIds", [])
    require_ids(ids, self.ec2_backend.volumes, "volume", "InvalidVolume.NotFound")
    matches = filter_of(self._get_param("Filters", []), VOLUME_VALUES)
    page, token = paged(self, self.ec2_backend.volumes, ids, matches)
    items = (volume_item(volume, volume_status(volume), tags_of(volume)) for volume in page)
    return 200, answer_headers(page), describe_answer("DescribeVolumes", "volumeSet", items, token)


def describe_snapshots(self: Any) -> tuple[int, dict[str, str], str]:
    """DescribeSnapshots with pages, owners and filters."""
    backend = self.ec2_backend
    ids = self._get_param("SnapshotIds", [])
    require_ids(ids, backend.snapshots, "snapshot", "InvalidSnapshot.NotFound")
    owners = {backend.account_id if owner == "self" else owner for owner in self._get_param("OwnerIds", [])}
    by_filter = filter_of(self._get_param("Filters", []), SNAPSHOT_VALUES)
    page, token = paged(self, backend.snapshots, ids, lambda each: (not owners or each.owner_id in owners) and by_filter(each))
    items = (snapshot_item(snapshot, tags_of(snapshot)) for snapshot in page)
    return 200, answer_headers(page), describe_answer("DescribeSnapshots", "snapshotSet", items, token)


def require_ids(ids: list[str], resources: dict[str, Any], kind: str, not_found: str) -> None:
    """Refuse ids that are malformed or that nothing has."""
    prefix, malformed = ID_FORMS[kind]
    for id in ids:
        require_well_formed(id, prefix, malformed)
        if id not in resources:
            refuse(not_found, f"The {kind} '{id}' does not exist.")


def answer_headers(page: list[Any]) -> dict[str, str]:
    """The headers of a Describe answer."""
    return {"Content-Type": "text/xml;charset=UTF-8", ROWS_HEADER: str(len(page))}


def paged(call: Any, resources: dict[str, Any], ids: list[str], matches: Test) -> tuple[list[Any], str | None]:
    """The page that a call asks for, and the token of the next one.

    The order is that of the ids: stable while resources come and go, and, as in EC2, not the order of creation. A token holds
    the last id of its page and the filters that it belongs to. Only as many resources are looked at as fill the page.
    """
    size, token = call._get_param("MaxResults"), call._get_param("NextToken")
    if size is None and token is None:
        return [resources[id] for id in sorted(ids or resources) if matches(resources[id])], None
    if ids:
        refuse("InvalidParameterCombination", "The parameters that list ids cannot be used with the parameter maxResults")
    size = PAGE_MAX if size is None else int(size)
    if size < PAGE_MIN:
        refuse("InvalidParameterValue", f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value greater than 5.")
    scope = json.dumps([call._get_param(name, []) for name in ("Filters", "OwnerIds")], sort_keys=True)
    ordered = sorted(resources)
    first = bisect.bisect_right(ordered, read_token(token, scope)) if token else 0
    rest = (resources[id] for id in ordered[first:] if matches(resources[id]))
    page = list(itertools.islice(rest, min(size, PAGE_MAX)))
    return page, write_token(page[-1].id, scope) if next(rest, None) else None


def write_token(last_id: str, scope: str) -> str:
    """An opaque token."""
    return base64.urlsafe_b64encode(json.dumps([last_id, checksum(scope)]).encode()).decode()


def read_token(token: str, scope: str) -> str:
    """The last id of the page before; a token that is none, or belongs to other filters, is refused."""
    try:
        last_id, sum_of_scope = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        refuse("InvalidPaginationToken", "The specified pagination token is not valid or is expired.")
    if sum_of_scope != checksum(scope):
        refuse("InvalidPaginationToken", "The specified pagination token belongs to a request with other parameters.")
    return last_id


def checksum(text: str) -> str:
    """A short fingerprint that is the same in every process."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def filter_of(filters: list[dict[str, Any]], values: Values) -> Test:
    """A test of a resource: it must match every filter, by any value of each."""
    tests = []
    for each in filters:
        patterns = each.get("Values", [])
        if len(patterns) > FILTER_VALUES_MAX:
            refuse("FilterLimitExceeded", f"The maximum number of filter values specified on a single call is {FILTER_VALUES_MAX}")
        tests.append((accessor(each.get("Name", ""), values), matcher(patterns)))
    return lambda resource: all(matches(value_of(resource)) for value_of, matches in tests)


def matcher(patterns: Iterable[str]) -> Callable[[Any], bool]:
    """A test of a value, or of a list of values, against EC2's wildcards `*` and `?`, which a backslash takes literally."""
    plain = {re.sub(r"\\(.)", r"\1", each) for each in patterns if not re.search(r"(?<!\\)[*?]", each)}
    wild = [re.compile(wildcard_to_regex(each), re.DOTALL) for each in patterns if re.search(r"(?<!\\)[*?]", each)]

    def matches_one(value: str) -> bool:
        return value in plain or any(each.fullmatch(value) for each in wild)

    def matches(value: Any) -> bool:
        if value is None:
            return False
        return any(map(matches_one, value)) if isinstance(value, list) else matches_one(value)

    return matches


def wildcard_to_regex(pattern: str) -> str:
    """The regular expression of one filter value."""
    special = {"*": ".*", "?": "."}
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join(re.escape(part[1:]) if part[0] == "\\" and len(part) > 1 else special.get(part, re.escape(part)) for part in parts)


def accessor(name: str, values: Values) -> Callable[[Any], Any]:
    """How to read what a filter looks at: a tag, or a value of the resource."""
    if name.startswith("tag:"):
        return lambda resource: tags_of(resource).get(name[4:])
    if name == "tag-key":
        return lambda resource: list(tags_of(resource))
    if name == "tag-value":
        return lambda resource: list(tags_of(resource).values())
    if name not in values:
        refuse("InvalidParameterValue", f"The filter '{name}' is invalid")
    return values[name]


def tags_of(resource: Any) -> dict[str, str]:
    """A resource's tags."""
    return resource.ec2_backend.tags.get(resource.id, {})


def volume_status(volume: Any) -> str:
    """A volume's state: the one that it was seeded with, or what follows from its attachment."""
    return getattr(volume, "seeded_status", None) or volume.status


def require_well_formed(id: str, prefix: str, code: str) -> None:
    """Refuse what cannot be an id."""
    if not re.fullmatch(prefix + "-[0-9a-f]{8,17}", id):
        refuse(code, f'Invalid id: "{id}" (expecting "{prefix}-...")')


def refuse(code: str, message: str) -> NoReturn:
    """Answer the call with an error."""
    raise EC2ClientError(code, message)


VOLUME_VALUES: Values = {
    "attachment.device": lambda volume: volume.attachment and volume.attachment.device,
    "attachment.instance-id": lambda volume: volume.attachment and volume.attachment.instance.id,
    "attachment.status": lambda volume: volume.attachment and volume.attachment.status,
    "availability-zone": lambda volume: volume.zone and volume.zone.name,
    "create-time": lambda volume: time_text(volume.create_time),
    "encrypted": lambda volume: str(bool(volume.encrypted)).lower(),
    "size": lambda volume: str(volume.size),
    "snapshot-id": lambda volume: volume.snapshot_id,
    "status": volume_status,
    "volume-id": lambda volume: volume.id,
    "volume-type": lambda volume: volume.volume_type,
}

SNAPSHOT_VALUES: Values = {
    "description": lambda snapshot: snapshot.description or "",
    "encrypted": lambda snapshot: str(bool(snapshot.encrypted)).lower(),
    "owner-id": lambda snapshot: snapshot.owner_id,
    "progress": snapshot_progress,
    "snapshot-id": lambda snapshot: snapshot.id,
    "start-time": lambda snapshot: time_text(snapshot.start_time),
    "status": snapshot_status,
    "storage-tier": lambda snapshot: snapshot.storage_tier,
    "volume-id": lambda snapshot: snapshot.volume.id,
    "volume-size": lambda snapshot: str(snapshot.volume.size),
}
