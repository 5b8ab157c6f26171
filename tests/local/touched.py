"""What a writing EC2 call touches, with its tags: what EC2 looks up before it asks IAM whether the caller may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import local_instances

if TYPE_CHECKING:
    from wire import Call

Touched = dict[str, dict[str, str]]
"""The tags of each resource, by its id."""

# How a list parameter begins whose values are ids.
LISTS_OF_IDS = ("ResourceId.", "SnapshotId.", "VolumeId.")


def by(regions: Mapping[str, Any], call: Call) -> Touched:
    """The resources that a call names in its Region, or that belong to the set that it asks for, and the source of a copy, wherever it
    is. Those that do not exist are left out. `regions` are moto's EC2s of the account."""
    touched = in_one_region(regions[call.Region], call.Parameters)
    source, region = call.Parameters.get("SourceSnapshotId", ""), call.Parameters.get("SourceRegion")
    if region in regions and source in regions[region].snapshots:
        touched[source] = dict(regions[region].tags.get(source, {}))
    return touched


def in_one_region(ec2: Any, parameters: Mapping[str, str]) -> Touched:
    """What a call touches in its own Region."""
    named = [parameters.get(name, "") for name in ("InstanceSpecification.InstanceId", "SnapshotId", "VolumeId")]
    named += [value for name, value in parameters.items() if name.startswith(LISTS_OF_IDS)]
    ids = dict.fromkeys(named + set_members(ec2, parameters))
    return {id: dict(ec2.tags.get(id, {})) for id in ids if exists(ec2, id)}


def set_members(ec2: Any, parameters: Mapping[str, str]) -> list[str]:
    """The volumes of an instance that CreateSnapshots is about."""
    instance = local_instances.all_of(ec2).get(parameters.get("InstanceSpecification.InstanceId", ""))
    if instance is None:
        return []
    left_out = {value for name, value in parameters.items() if name.startswith("InstanceSpecification.ExcludeDataVolumeId.")}
    if parameters.get("InstanceSpecification.ExcludeBootVolume") == "true":
        left_out.add(local_instances.root_volume_of(instance) or "")
    return [device.volume_id for device in instance.block_device_mapping.values() if device.volume_id not in left_out]


def exists(ec2: Any, id: str) -> bool:
    """Whether the account has a resource of this id."""
    return id in ec2.snapshots or id in ec2.volumes or id in local_instances.all_of(ec2)
