"""What EC2 has and stock moto lacks, for instances, volumes, snapshots and tags.

`apply(switches)` changes moto's classes in place, once in a process: pages, owners, filters and their speed, snapshots that are
`pending` for a while, sets of snapshots, the rules for tags, and the volume id of copies. Everything else is moto's own.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

from moto.core import responses
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.tags import TagResponse

import ec2_describe
import local_instances
import snapshot_life
from ec2_rules import refuse, require_description, require_good_tags, require_ids, require_usable_volume, tags_of
from ec2_sets import create_snapshots_with
from switches import Switches

# EC2 gives every copy this volume id, whatever it was copied from.
COPIED_VOLUME_ID = "vol-ffffffff"

_switches = Switches()


def apply(switches: Switches) -> None:
    """Patch moto. Calling it again only exchanges the switches."""
    global _switches
    _switches = switches
    if hasattr(ElasticBlockStore, "opendlm_patched"):
        return
    ElasticBlockStore.opendlm_patched = True
    snapshot_life.patch(current_switches)
    local_instances.patch()
    patch_tags()
    # moto looks all methods of a class over for each call, a fifth of its time. They are patched by now.
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)
    ElasticBlockStore.describe_volumes = ec2_describe.describe_volumes
    ElasticBlockStore.describe_snapshots = ec2_describe.describe_snapshots
    InstanceResponse.describe_instances = ec2_describe.describe_instances
    ElasticBlockStore.create_snapshots = create_snapshots_with(current_switches)
    patch_snapshot_calls()


def current_switches() -> Switches:
    """The switches of the endpoint that runs."""
    return _switches


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


def patch_snapshot_calls() -> None:
    """Hold the calls that write snapshots to EC2's rules."""
    stock_create = ElasticBlockStore.create_snapshot
    stock_delete = EBSBackend.delete_snapshot
    stock_copy = EBSBackend.copy_snapshot

    def create_snapshot(self: Any) -> Any:
        require_description(self._get_param("Description"))
        volume = self.ec2_backend.volumes.get(self._get_param("VolumeId"))
        if volume:
            require_usable_volume(volume)
        return stock_create(self)

    def delete_snapshot(self: Any, snapshot_id: str) -> Any:
        require_ids([snapshot_id], self.snapshots, "snapshot")
        require_deletable(self.snapshots[snapshot_id], self.account_id)
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


def require_deletable(snapshot: Any, account: str) -> None:
    """Refuse to delete what belongs to somebody else, is locked, or is in the Recycle Bin already.

    EC2 documents no code for the last two; these are the ones that its other refusals of this kind have.
    """
    if snapshot.owner_id != account:
        refuse("UnauthorizedOperation", "You are not authorized to perform this operation.")
    if snapshot.is_locked:
        refuse("OperationNotPermitted", f"The snapshot '{snapshot.id}' is locked and cannot be deleted.")
    if snapshot.is_in_bin:
        refuse("IncorrectState", f"The snapshot '{snapshot.id}' is in the Recycle Bin.")
