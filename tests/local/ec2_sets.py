"""CreateSnapshots: one crash-consistent set of snapshots of the volumes of an instance.

What EC2 documents is done as documented. Where it is silent, this endpoint is strict, so that what works here works there: ids
that are not attached to the instance, and a call that leaves no volume, are refused.
"""

from __future__ import annotations

from typing import Any

import local_instances
import switches
from ec2_errors import words_for
from ec2_rules import refuse, require_description, require_ids, require_tag_count, require_usable_volume, user_tags_of
from ec2_xml import XML, set_answer

# EC2's documented limit for ExcludeDataVolumeIds.
EXCLUDED_MAX = 40

# The states in which EC2 has no volumes of an instance to snapshot any more.
GONE_STATES = ("shutting-down", "terminated")


def create_snapshots(self: Any) -> tuple[int, dict[str, str], str]:
    """CreateSnapshots."""
    backend, description = self.ec2_backend, self._get_param("Description", "")
    require_description(description)
    own_tags = self._parse_tag_specification("snapshot").get("snapshot", {})
    copied_from = self._get_param("CopyTagsFromSource")
    if copied_from not in (None, "volume"):
        refuse("InvalidParameterValue", f"Invalid value '{copied_from}' for CopyTagsFromSource, expected 'volume'")
    volumes = members(backend, self._get_param("InstanceSpecification", {}))
    tags = [{**(user_tags_of(volume) if copied_from else {}), **own_tags} for volume in volumes]
    for each in tags:
        require_tag_count(len(each))
    require_healthy(backend, volumes)
    snapshots = make_set(backend, volumes, description, tags)
    return 200, XML, set_answer(zip(snapshots, tags))


def members(backend: Any, wanted: dict[str, Any]) -> list[Any]:
    """The volumes that a call is about, in the order in which they were attached; everything that EC2 refuses about it."""
    if not wanted.get("InstanceId"):
        refuse("MissingParameter", "The request must contain the parameter InstanceSpecification.InstanceId")
    excluded = wanted.get("ExcludeDataVolumeIds", [])
    if len(excluded) > EXCLUDED_MAX:
        refuse("InvalidParameterValue", f"{len(excluded)} volumes to exclude, expected at most {EXCLUDED_MAX}")
    require_ids([wanted["InstanceId"]], local_instances.all_of(backend), "instance")
    instance = backend.get_instance(wanted["InstanceId"])
    require_state(instance)
    require_ids(excluded, backend.volumes, "volume")
    root = local_instances.root_volume_of(instance)
    attached = [device.volume_id for device in instance.block_device_mapping.values()]
    for id in excluded:
        if id == root:
            refuse("InvalidParameterValue", f"'{id}' is the root volume of '{instance.id}': use ExcludeBootVolume")
        if id not in attached:
            refuse("InvalidParameterValue", f"'{id}' is not attached to '{instance.id}'")
    left_out = set(excluded) | ({root} if str(wanted.get("ExcludeBootVolume", False)).lower() == "true" else set())
    included = [backend.volumes[id] for id in attached if id not in left_out]
    if not included:
        # Seen of an instance without any volume: shared/wire/errors/20. Of one whose volumes are all excluded nobody knows.
        refuse("InvalidParameterValue", f"There are no attached EBS-backed volumes on the instance id ({instance.id}).")
    return included


def require_state(instance: Any) -> None:
    """Refuse an instance that is on its way out, or that hibernation makes unfit for a set."""
    if instance.state in GONE_STATES:
        refuse("IncorrectState", f"The instance '{instance.id}' is in the '{instance.state}' state")
    if local_instances.hibernates(instance):
        refuse("UnsupportedOperation", f"The instance '{instance.id}' has hibernation enabled")


def require_healthy(backend: Any, volumes: list[Any]) -> None:
    """Refuse a set with a volume that cannot be snapshotted, or that the switches want to fail."""
    for volume in volumes:
        require_usable_volume(volume)
        if code := switches.in_force().FAIL_VOLUMES.get(volume.id):
            refuse(code, words_for(code, "CreateSnapshots", {}, backend.account_id, backend.region_name))


def make_set(backend: Any, volumes: list[Any], description: str, tags: list[dict[str, str]]) -> list[Any]:
    """The snapshots: all started at once, and all in error when one of them ends so."""
    snapshots = [backend.create_snapshot(volume.id, description) for volume in volumes]
    fails = any(each.ends_in_error for each in snapshots)
    for snapshot, own in zip(snapshots, tags):
        snapshot.start_time, snapshot.end_time = snapshots[0].start_time, snapshots[0].end_time
        snapshot.listed_from, snapshot.ends_in_error = snapshots[0].listed_from, fails
        backend.tags[snapshot.id].update(own)
    return snapshots
