"""CreateVolume as EC2 answers it, whatever it is made of: `shared/wire/create-volume`, and errors/35."""

from __future__ import annotations

from typing import Any

from ec2_rules import refuse
from ec2_xml import XML, created_volume_answer


def create_volume(self: Any) -> tuple[int, dict[str, str], str]:
    """CreateVolume."""
    backend, source = self.ec2_backend, self._get_param("SnapshotId")
    size = int(self._get_param("Size") or 0)
    if source:
        size = max(size, size_of_snapshot(backend, source))
    kind = self._get_param("VolumeType") or "gp2"
    volume = backend.create_volume(
        size=size or None,
        zone_name=self._get_param("AvailabilityZone"),
        snapshot_id=source,
        encrypted=self._get_bool_param("Encrypted", False),
        kms_key_id=self._get_param("KmsKeyId"),
        volume_type=kind,
        iops=self._get_param("Iops"),
        throughput=self._get_param("Throughput"),
        multi_attach_enabled=self._get_param("MultiAttachEnabled"),
    )
    tags = self._parse_tag_specification().get("volume", {})
    backend.tags[volume.id].update(tags)
    return 200, XML, created_volume_answer(volume, tags)


def size_of_snapshot(backend: Any, id: str) -> int:
    """A volume is at least as large as its snapshot, create-volume/02; a snapshot that is not complete makes none."""
    snapshot = backend.snapshots.get(id)
    if snapshot is None:
        # The words are shared/wire/README.md's.
        refuse("InvalidSnapshot.NotFound", "Snapshot does not exist")
    if snapshot.status != "completed":
        refuse("IncorrectState", f"Snapshot is in invalid state - {snapshot.status}")
    return snapshot.volume.size
