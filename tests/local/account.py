"""Fill the local account, also with what nobody could make by calling EC2: snapshots of the past, of AWS, of other accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import Snapshot, Volume, VolumeAttachment
from moto.ec2.utils import random_ami_id, random_instance_id, random_snapshot_id, random_volume_id

from ec2_patches import volume_status
from local_aws import REGION, LocalAws

# How long a seeded snapshot took, where nothing else is said.
SEEDED_SECONDS = 90


@dataclass(frozen=True)
class SnapshotSeen:
    """A snapshot as it is at one moment, everything that a change would show in."""

    id: str
    volume: str
    status: str
    description: str
    tags: tuple[tuple[str, str], ...]
    owner: str
    start: datetime

    def tag(self, key: str) -> str | None:
        """The value of a tag."""
        return dict(self.tags).get(key)


@dataclass(frozen=True)
class VolumeSeen:
    """A volume as it is at one moment."""

    id: str
    tags: tuple[tuple[str, str], ...]
    attached: bool
    status: str


class Account:
    """The account of a local AWS, from the inside: nothing here passes the log of calls."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def add_volume(
        self,
        tags: dict[str, str] | None = None,
        *,
        id: str | None = None,
        attached: bool = False,
        status: str | None = None,
        size: int = 8,
    ) -> str:
        """Add a volume. `status` is for the states that EC2 comes to by itself, such as `creating` or `error`."""
        ec2 = self._aws.ec2
        volume = Volume(ec2, id or random_volume_id(), size, SimpleNamespace(name=REGION + "a"), volume_type="gp3", iops=3000)
        ec2.volumes[volume.id] = volume
        if attached:
            volume.attachment = VolumeAttachment(volume, SimpleNamespace(id=random_instance_id()), "/dev/sdf", "attached")
        if status:
            volume.seeded_status = status
        ec2.tags[volume.id].update(tags or {})
        return volume.id

    def add_snapshot(
        self,
        volume: str,
        start: datetime,
        description: str = "",
        tags: dict[str, str] | None = None,
        *,
        owner: str | None = None,
        seconds: float = SEEDED_SECONDS,
        ends_in_error: bool = False,
    ) -> str:
        """Add a snapshot that was started at `start` and took `seconds`. Nothing checks the tags: AWS may write `aws:` ones."""
        ec2 = self._aws.ec2
        source = ec2.volumes.get(volume) or SimpleNamespace(id=volume, size=8)
        snapshot = Snapshot(ec2, random_snapshot_id(), source, description, owner_id=owner)
        snapshot.start_time = start.astimezone(timezone.utc).replace(tzinfo=None)
        snapshot.end_time = snapshot.start_time + timedelta(seconds=seconds)
        snapshot.ends_in_error = ends_in_error
        ec2.snapshots[snapshot.id] = snapshot
        ec2.tags[snapshot.id].update(tags or {})
        return snapshot.id

    def add_image_of(self, snapshot: str) -> str:
        """Register an AMI whose root device is this snapshot; EC2 refuses to delete it from then on."""
        ec2 = self._aws.ec2
        image = Ami(ec2, random_ami_id(), name=f"image of {snapshot}", region_name=REGION + "a")
        ec2.snapshots.pop(image.ebs_snapshot.id)
        image.ebs_snapshot = ec2.snapshots[snapshot]
        image.ebs_snapshot.from_ami = image.id
        ec2.amis[image.id] = image
        return image.id

    def snapshots(self) -> dict[str, SnapshotSeen]:
        """All snapshots by id."""
        return {id: self._seen(snapshot) for id, snapshot in sorted(self._aws.ec2.snapshots.items())}

    def volumes(self) -> dict[str, VolumeSeen]:
        """All volumes by id."""
        return {
            volume.id: VolumeSeen(volume.id, self._tags(volume.id), volume.attachment is not None, volume_status(volume))
            for volume in sorted(self._aws.ec2.volumes.values(), key=lambda each: each.id)
        }

    def _seen(self, snapshot: Any) -> SnapshotSeen:
        return SnapshotSeen(
            id=snapshot.id,
            volume=snapshot.volume.id,
            status=snapshot.status,
            description=snapshot.description or "",
            tags=self._tags(snapshot.id),
            owner=snapshot.owner_id,
            start=snapshot.start_time.replace(tzinfo=timezone.utc),
        )

    def _tags(self, id: str) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(self._aws.ec2.tags.get(id, {}).items()))
