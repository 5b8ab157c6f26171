"""Fill the local account, also with what nobody could make by calling EC2: snapshots of the past, of AWS, of other accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

from moto.ec2.models.elastic_block_store import Snapshot, Volume
from moto.ec2.utils import random_snapshot_id, random_volume_id

import contract
import ec2_images
import local_instances
import snapshot_life
from ec2_copies import key_arn
from ec2_rules import volume_status
from ec2_snapshots import NO_VOLUME
from local_aws import ACCOUNT, REGION, LocalAws
from local_instances import LocalInstance

# How long a seeded snapshot took, where nothing else is said.
SEEDED_SECONDS = 90

# The first name for a data volume, and as many as one instance is ever given here.
DATA_DEVICES = [f"/dev/sd{first}{second}" for first in ("", "a", "b") for second in "fghijklmnopqrstuvwxyz"]
BIN_TAG = "aws:recycle-bin:resource-in-bin"


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
    tier: str
    size: int
    """In GiB; 0 of a copy that has not read its source."""
    key: str | None
    """The ARN of the key of an encrypted snapshot."""
    message: str | None
    """What EC2 says of a pending copy, and of one that failed."""

    def tag(self, key: str) -> str | None:
        """The value of a tag."""
        return dict(self.tags).get(key)


@dataclass(frozen=True)
class VolumeSeen:
    """A volume as it is at one moment."""

    id: str
    tags: tuple[tuple[str, str], ...]
    status: str
    instances: tuple[str, ...]
    """What it is attached to: several for a Multi-Attach volume."""

    @property
    def attached(self) -> bool:
        """Whether anything uses it."""
        return bool(self.instances)


@dataclass(frozen=True)
class InstanceSeen:
    """An instance as it is at one moment."""

    id: str
    tags: tuple[tuple[str, str], ...]
    state: str
    root: str | None
    """The volume that it boots from."""
    volumes: tuple[str, ...]
    """All volumes, in the order in which they were attached."""
    hibernates: bool


@dataclass(frozen=True)
class AccountSeen:
    """Everything in the account at one moment, by id."""

    snapshots: dict[str, SnapshotSeen]
    volumes: dict[str, VolumeSeen]
    instances: dict[str, InstanceSeen]


class Account:
    """An account of a local AWS in one Region, from the inside: nothing here passes the log of calls."""

    def __init__(self, aws: LocalAws, account: str = ACCOUNT, region: str = REGION) -> None:
        self._aws, self._account, self._region = aws, account, region

    def in_region(self, region: str) -> Account:
        """The same account in another Region, which has volumes, instances, snapshots and images of its own."""
        return Account(self._aws, self._account, region)

    @property
    def _ec2(self) -> Any:
        return self._aws.ec2_of(self._account, self._region)

    @property
    def _zone(self) -> str:
        return self._region + "a"

    def add_volume(
        self,
        tags: dict[str, str] | None = None,
        *,
        id: str | None = None,
        attached: bool = False,
        multi_attach: bool = False,
        status: str | None = None,
        size: int = 8,
        created: datetime | None = None,
        kind: str = "gp3",
        key: str | None = None,
        snapshot: str | None = None,
    ) -> str:
        """Add a volume. `status` is for the states that EC2 comes to by itself, such as `creating` or `error`; with a `key` it is
        encrypted, and it may be made of a `snapshot`."""
        ec2 = self._ec2
        zone, kind = SimpleNamespace(name=self._zone), "io2" if multi_attach else kind
        volume = Volume(
            ec2,
            id or random_volume_id(),
            size,
            zone,
            snapshot_id=snapshot,
            encrypted=key is not None,
            kms_key_id=key and key_arn(ec2, key),
            volume_type=kind,
            multi_attach_enabled=multi_attach,
        )
        if created:
            volume.create_time = without_zone(created)
        ec2.volumes[volume.id] = volume
        if attached:
            self.attach(volume.id, self.add_instance(root=False))
        if status:
            volume.seeded_status = status
        ec2.tags[volume.id].update(tags or {})
        return volume.id

    def add_instance(
        self,
        tags: dict[str, str] | None = None,
        *,
        id: str | None = None,
        root: bool = True,
        root_tags: dict[str, str] | None = None,
        state: str = "running",
        hibernates: bool = False,
        instance_store: bool = False,
    ) -> str:
        """Add an instance in any state, with the volume that it boots from and no other; with instance store it has none."""
        ec2 = self._ec2
        instance = LocalInstance(ec2, self._zone, state, hibernates, id, instance_store)
        local_instances.add(ec2, instance)
        ec2.tags[instance.id].update(tags or {})
        if root and not instance_store:
            volume = self.add_volume(root_tags)
            ec2.attach_volume(volume, instance.id, instance.root_device_name, delete_on_termination=True)
        return instance.id

    def attach(self, volume: str, instance: str) -> None:
        """Attach a volume as the next data volume."""
        taken = self._ec2.get_instance(instance).block_device_mapping
        device = next(name for name in DATA_DEVICES if name not in taken)
        self._ec2.attach_volume(volume, instance, device)

    def detach(self, volume: str, instance: str) -> None:
        """Detach a volume from one instance."""
        self._ec2.detach_volume(volume, instance)

    def add_data_volume(self, instance: str, tags: dict[str, str] | None = None) -> str:
        """Add a volume and attach it."""
        volume = self.add_volume(tags)
        self.attach(volume, instance)
        return volume

    def delete_volume(self, volume: str) -> None:
        """Delete a volume, attached or not; its snapshots stay."""
        for attachment in self._ec2.volumes[volume].attachments:
            self.detach(volume, attachment.instance.id)
        self._ec2.delete_volume(volume)

    def set_state(self, instance: str, state: str, code: str = local_instances.USER_SHUTDOWN) -> None:
        """Put an instance into a state, for the reason of that code. What is terminated loses its volumes, and those that were
        made with it are deleted."""
        found = self._ec2.get_instance(instance)
        found.become(state, code)
        for device in list(found.block_device_mapping.values()) if state == "terminated" else []:
            self.detach(device.volume_id, instance)
            if device.delete_on_termination:
                self._ec2.delete_volume(device.volume_id)

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
        message: str | None = None,
        full_size: int | None = None,
    ) -> str:
        """Add a snapshot that was started at `start` and took `seconds`. Nothing checks the tags: AWS may write `aws:` ones.

        The volume need not exist: of NO_VOLUME are those that EBS direct made or that were imported. With a `message` the
        snapshot failed, and that is what EC2 says of it; `full_size` is in bytes.
        """
        ec2 = self._ec2
        source = ec2.volumes.get(volume) or SimpleNamespace(id=volume, size=8, kms_key_id=None)
        snapshot = Snapshot(ec2, random_snapshot_id(), source, description, source.kms_key_id is not None, owner_id=owner)
        snapshot.start_time = without_zone(start)
        snapshot.end_time = snapshot.start_time + timedelta(seconds=seconds)
        snapshot.listed_from = snapshot.start_time
        snapshot.ends_in_error, snapshot.error_message = ends_in_error or message is not None, message
        snapshot.full_size = full_size
        ec2.snapshots[snapshot.id] = snapshot
        ec2.tags[snapshot.id].update(tags or {})
        return snapshot.id

    def add_copy(
        self,
        start: datetime,
        description: str = "",
        tags: dict[str, str] | None = None,
        *,
        size: int = 8,
        key: str | None = None,
        seconds: float = SEEDED_SECONDS,
        message: str | None = None,
    ) -> str:
        """Add a copy that was started at `start` in this Region, of a snapshot that need not exist any more: the copies of the past.
        With a `key` it is encrypted; with a `message` it failed, and that is what EC2 says of it."""
        id = self.add_snapshot(NO_VOLUME, start, description, tags, seconds=seconds, message=message)
        copy = self._ec2.snapshots[id]
        copy.is_copy, copy.volume.size = True, size
        copy.is_source_unread = message in (snapshot_life.NOT_COMPLETE, snapshot_life.NOT_FOUND)
        copy.encrypted, copy.kms_key_id = key is not None, key and key_arn(self._ec2, key)
        return id

    def age(self, by: timedelta) -> None:
        """Let every snapshot here become so much older, in EC2's eyes and by opendlm's tags: as if the clock had moved on."""
        ec2 = self._ec2
        for id, snapshot in ec2.snapshots.items():
            for name in ("start_time", "end_time", "listed_from"):
                setattr(snapshot, name, getattr(snapshot, name) - by)
            ec2.tags[id].update(contract.older(dict(ec2.tags[id]), by))

    def add_image_of(self, snapshot: str) -> str:
        """Register an AMI whose root device is this snapshot; EC2 refuses to delete it from then on."""
        ec2 = self._ec2
        devices = [ec2_images.device(ec2, snapshot, "/dev/sda1")]
        return ec2_images.register(ec2, f"image {len(ec2.amis)} of {snapshot}", "", "/dev/sda1", devices)

    def add_fast_restore(self, snapshot: str, zone: str) -> None:
        """Turn fast restore on in a zone: nobody can delete the snapshot from now on."""
        self._ec2.snapshots[snapshot].fast_restore_zones.append(zone)

    def give_to_backup(self, snapshot: str) -> None:
        """Let a snapshot belong to AWS Backup, which alone may delete it."""
        self._ec2.snapshots[snapshot].is_of_backup = True

    def share(self, snapshot: str, account: str) -> None:
        """Let another account use a snapshot."""
        self._ec2.snapshots[snapshot].create_volume_permission_userids.add(account)

    def archive(self, snapshot: str) -> None:
        """Move a snapshot to the archive tier, as a user can by hand."""
        self._ec2.modify_snapshot_tier(snapshot, "archive")

    def lock(self, snapshot: str) -> None:
        """Lock a snapshot: nobody can delete it from now on."""
        self._ec2.snapshots[snapshot].is_locked = True

    def put_into_bin(self, snapshot: str) -> None:
        """Put a snapshot into the Recycle Bin, where this endpoint goes on showing it, as `recoverable`."""
        self._ec2.snapshots[snapshot].is_in_bin = True
        self._ec2.tags[snapshot][BIN_TAG] = "true"

    def restore_from_bin(self, snapshot: str) -> None:
        """Take a snapshot out of the Recycle Bin."""
        self._ec2.snapshots[snapshot].is_in_bin = False
        self._ec2.tags[snapshot].pop(BIN_TAG)

    def seen(self) -> AccountSeen:
        """Everything at this moment."""
        return AccountSeen(self.snapshots(), self.volumes(), self.instances())

    def snapshots(self) -> dict[str, SnapshotSeen]:
        """All snapshots by id."""
        return {id: self._seen(snapshot) for id, snapshot in sorted(self._ec2.snapshots.items())}

    def volumes(self) -> dict[str, VolumeSeen]:
        """All volumes by id."""
        return {
            id: VolumeSeen(id, self._tags(id), volume_status(volume), tuple(each.instance.id for each in volume.attachments))
            for id, volume in sorted(self._ec2.volumes.items())
        }

    def instances(self) -> dict[str, InstanceSeen]:
        """All instances by id."""
        return {
            id: InstanceSeen(
                id=id,
                tags=self._tags(id),
                state=instance.state,
                root=local_instances.root_volume_of(instance),
                volumes=tuple(device.volume_id for device in instance.block_device_mapping.values()),
                hibernates=local_instances.hibernates(instance),
            )
            for id, instance in sorted(local_instances.all_of(self._ec2).items())
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
            tier=snapshot.storage_tier,
            size=snapshot_life.size(snapshot),
            key=snapshot_life.key(snapshot),
            message=snapshot_life.status_message(snapshot),
        )

    def _tags(self, id: str) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(self._ec2.tags.get(id, {}).items()))


def without_zone(time: datetime) -> datetime:
    """A time as moto keeps it: UTC, and not saying so."""
    return time.astimezone(timezone.utc).replace(tzinfo=None)
