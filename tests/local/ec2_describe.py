"""DescribeInstances, DescribeSnapshots and DescribeVolumes as EC2 answers them, and fast."""

from __future__ import annotations

from typing import Any

import contract
import local_instances
import snapshot_life
import switches
from ec2_filters import Values, filter_of, ids_of, paged, require_good_page
from ec2_rules import require_ids, tags_of, volume_status
from ec2_xml import XML, describe_answer, snapshot_item, time_text, volume_item, zone_id
from ec2_xml_instances import instance_item, reservation_item

# The rows of a Describe answer, for the log of calls. The wire takes it off before the client sees the answer.
ROWS_HEADER = "x-opendlm-rows"

Answer = tuple[int, dict[str, str], str]


def describe_instances(self: Any) -> Answer:
    """DescribeInstances with pages and filters. A page is counted in instances, whatever reservations they belong to."""
    instances = local_instances.all_of(self.ec2_backend)
    require_good_page(self, "instance")
    require_ids(ids_of(self, "instance"), instances, "instance")
    page, token = paged(self, "instance", instances, filter_of(self._get_param("Filters", []), INSTANCE_VALUES))
    rows: dict[str, list[str]] = {}
    for instance in page:
        reservation = local_instances.reservation_of(instance)
        rows.setdefault(reservation, []).append(instance_item(instance, tags_of(instance)))
    items = (reservation_item(id, self.ec2_backend.account_id, members) for id, members in rows.items())
    return 200, answer_headers(page), describe_answer("DescribeInstances", "reservationSet", items, token)


def describe_volumes(self: Any) -> Answer:
    """DescribeVolumes with pages and filters."""
    volumes = self.ec2_backend.volumes
    require_good_page(self, "volume")
    require_ids(ids_of(self, "volume"), volumes, "volume")
    wanted = self._get_param("Filters", [])
    page, token = paged(self, "volume", volumes, filter_of(wanted, VOLUME_VALUES))
    if wanted and switches.in_force().takes_empty_listing():
        page, token = [], None
    items = (volume_item(volume, volume_status(volume), tags_of(volume)) for volume in page)
    return 200, answer_headers(page), describe_answer("DescribeVolumes", "volumeSet", items, token)


def describe_snapshots(self: Any) -> Answer:
    """DescribeSnapshots with pages, owners and filters. What is asked for by its id is seen also where listings lag behind."""
    backend = self.ec2_backend
    require_good_page(self, "snapshot")
    ids = ids_of(self, "snapshot")
    require_ids(ids, backend.snapshots, "snapshot")
    for held in switches.in_force().HELD_WHEN_ASKED_FOR.intersection(ids):
        backend.tags[held][contract.HOLD_TAG] = ""
    owners = {backend.account_id if owner == "self" else owner for owner in self._get_param("OwnerIds", [])}
    matches = filter_of(self._get_param("Filters", []), SNAPSHOT_VALUES)

    def in_scope(snapshot: Any) -> bool:
        return (not owners or snapshot.owner_id in owners) and (bool(ids) or snapshot_life.is_listed(snapshot))

    page, token = paged(self, "snapshot", backend.snapshots, matches, in_scope)
    items = (snapshot_item(snapshot, tags_of(snapshot)) for snapshot in page)
    return 200, answer_headers(page), describe_answer("DescribeSnapshots", "snapshotSet", items, token)


def answer_headers(page: list[Any]) -> dict[str, str]:
    """The headers of a Describe answer."""
    return {**XML, ROWS_HEADER: str(len(page))}


INSTANCE_VALUES: Values = {
    "availability-zone": lambda instance: instance.placement.zone,
    "block-device-mapping.volume-id": lambda instance: [each.volume_id for each in instance.block_device_mapping.values()],
    "hibernation-options.configured": lambda instance: str(local_instances.hibernates(instance)).lower(),
    "instance-id": lambda instance: instance.id,
    "instance-state-code": lambda instance: str(instance.state_code),
    "instance-state-name": lambda instance: instance.state,
    "instance-type": lambda instance: instance.instance_type,
    "root-device-name": lambda instance: instance.root_device_name,
}

VOLUME_VALUES: Values = {
    "attachment.device": lambda volume: [each.device for each in volume.attachments],
    "attachment.instance-id": lambda volume: [each.instance.id for each in volume.attachments],
    "attachment.status": lambda volume: [each.status for each in volume.attachments],
    "availability-zone": lambda volume: volume.zone and volume.zone.name,
    "availability-zone-id": lambda volume: volume.zone and zone_id(volume.zone.name),
    "create-time": lambda volume: time_text(volume.create_time),
    "encrypted": lambda volume: str(bool(volume.encrypted)).lower(),
    "multi-attach-enabled": lambda volume: str(bool(volume.multi_attach_enabled)).lower(),
    "size": lambda volume: str(volume.size),
    "snapshot-id": lambda volume: volume.snapshot_id,
    "status": volume_status,
    "volume-id": lambda volume: volume.id,
    "volume-type": lambda volume: volume.volume_type,
}

SNAPSHOT_VALUES: Values = {
    "description": lambda snapshot: snapshot.description or "",
    "encrypted": lambda snapshot: str(snapshot_life.is_encrypted(snapshot)).lower(),
    "owner-id": lambda snapshot: snapshot.owner_id,
    "progress": snapshot_life.progress,
    "snapshot-id": lambda snapshot: snapshot.id,
    "start-time": lambda snapshot: time_text(snapshot.start_time),
    "status": snapshot_life.status,
    "storage-tier": lambda snapshot: snapshot.storage_tier,
    "transfer-type": lambda snapshot: snapshot.transfer_type,
    "volume-id": lambda snapshot: snapshot.volume.id,
    "volume-size": lambda snapshot: str(snapshot_life.size(snapshot)),
}
