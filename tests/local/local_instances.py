"""Instances and what is attached to them.

Stock moto makes an instance only with an image, a subnet and a network interface, looks it up by walking all of them, and lets a
volume be attached once. Here an instance is what a snapshot policy sees of it, is found by its id, and a Multi-Attach volume
has as many attachments as EC2 allows. Instances that moto's own RunInstances makes are found and shown as well.
"""

from __future__ import annotations

from typing import Any

from moto.core.utils import utcnow
from moto.ec2.exceptions import InvalidInstanceIdError
from moto.ec2.models.block_device import BlockDeviceMapping, BlockDeviceType
from moto.ec2.models.elastic_block_store import EBSBackend, Volume, VolumeAttachment
from moto.ec2.models.instances import Instance, InstanceBackend, InstancePlacement, InstanceState, Reservation, StateReason
from moto.ec2.utils import random_instance_id, random_reservation_id

from ec2_rules import refuse

STATE_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
# Why an instance is not running, by its code: shared/wire/describe-instances/03 and 05. The `reason` is the same for both.
USER_SHUTDOWN, USER_HIBERNATE = "Client.UserInitiatedShutdown", "Client.UserInitiatedHibernate"
REASONS = {USER_SHUTDOWN: "User initiated shutdown", USER_HIBERNATE: "User initiated hibernate"}
ROOT_DEVICE = "/dev/xvda"
# EC2's documented limit for a Multi-Attach volume.
ATTACHMENTS_MAX = 16


class LocalInstance(Instance):
    """An instance without image and network: state, tags, devices."""

    # moto keeps a register of its models by the second word of their module.
    __module__ = "moto.ec2.local_instances"

    def __init__(
        self, backend: Any, zone: str, state: str, hibernates: bool, id: str | None = None, has_store: bool = False
    ) -> None:
        """With a store it boots from its host's disk and has no volume to boot from: describe-instances/06."""
        # moto's own __init__ would want an image and a subnet.
        self.ec2_backend = backend
        self.id = id or random_instance_id()
        self.image_id = "ami-0123456789abcdef0"
        self.instance_type = "m7g.large"
        self.launch_time = utcnow()
        self.root_device_name = ROOT_DEVICE
        self.hibernation_options = {"Configured": hibernates}
        self.block_device_mapping = BlockDeviceMapping()
        self.disable_api_stop = self.disable_api_termination = False
        self.nics: dict[int, Any] = {}
        self._placement = InstancePlacement(zone)
        self.has_instance_store = has_store
        self._spot_fleet_id = self._fleet_id = None
        self.become(state)

    def __del__(self) -> None:
        """Nothing: moto gives the addresses of the instance back here, and this one has none."""

    def become(self, state: str, code: str = USER_SHUTDOWN) -> None:
        """Set the state, with the reason that EC2 gives for one that somebody asked for."""
        self._state = InstanceState(state, STATE_CODES[state])
        self._reason, self.state_reason = "", StateReason()
        if state not in ("pending", "running"):
            self._reason = f"User initiated ({utcnow():%Y-%m-%d %H:%M:%S} GMT)"
            self.state_reason = StateReason(f"{code}: {REASONS[code]}", code)


def patch() -> None:
    """Let moto find instances by their id, and attach a volume more than once."""
    InstanceBackend.get_instance = get_instance
    Volume.attachment = property(first_attachment, set_attachment)
    Volume.attachments = property(lambda volume: list(volume.opendlm_attachments))
    EBSBackend.attach_volume = attach
    EBSBackend.detach_volume = detach


def add(backend: Any, instance: LocalInstance) -> None:
    """Put an instance into the account, in a reservation of its own."""
    reservation = Reservation(random_reservation_id(), backend.account_id)
    reservation.instances.append(instance)
    backend.reservations[reservation.id] = reservation


def all_of(backend: Any) -> dict[str, Any]:
    """All instances by id. Reservations only ever come, so their number tells whether the index is up to date."""
    count, index = backend.__dict__.get("opendlm_instances", (0, {}))
    if count != len(backend.reservations):
        index = {}
        for reservation in backend.reservations.values():
            for instance in reservation.instances:
                instance.opendlm_reservation = reservation.id
                index[instance.id] = instance
        backend.opendlm_instances = (len(backend.reservations), index)
    return index


def reservation_of(instance: Any) -> str:
    """The id of the reservation that an instance was made in."""
    return instance.opendlm_reservation


def get_instance(self: Any, instance_id: str) -> Any:
    """moto's look-up, by an index."""
    found = all_of(self).get(instance_id)
    if found is None:
        raise InvalidInstanceIdError(instance_id)
    return found


def hibernates(instance: Any) -> bool:
    """Whether an instance was launched with hibernation on. moto keeps that as the text of the call."""
    return str((instance.hibernation_options or {}).get("Configured", False)).lower() == "true"


def has_instance_store(instance: Any) -> bool:
    """Whether an instance boots from its host's disk. None of moto's own does."""
    return getattr(instance, "has_instance_store", False)


def root_volume_of(instance: Any) -> str | None:
    """The id of the volume that an instance boots from."""
    root = instance.block_device_mapping.get(instance.root_device_name)
    return root.volume_id if root else None


def first_attachment(volume: Any) -> Any:
    """What moto knows as the attachment of a volume."""
    return volume.opendlm_attachments[0] if volume.opendlm_attachments else None


def set_attachment(volume: Any, attachment: Any) -> None:
    """moto's way to attach and detach, which its Volume also begins with."""
    volume.opendlm_attachments = [attachment] if attachment else []


def attach(
    self: Any, volume_id: str, instance_id: str, device_path: str, delete_on_termination: bool = False
) -> VolumeAttachment:
    """AttachVolume."""
    volume, instance = self.get_volume(volume_id), self.get_instance(instance_id)
    if volume.attachments and not volume.multi_attach_enabled:
        refuse("VolumeInUse", f"{volume_id} is already attached to an instance")
    if len(volume.attachments) >= ATTACHMENTS_MAX:
        refuse("AttachmentLimitExceeded", f"{volume_id} is attached to {ATTACHMENTS_MAX} instances already")
    if device_path in instance.block_device_mapping or instance in [each.instance for each in volume.attachments]:
        refuse("InvalidParameterValue", f"Invalid value '{device_path}' for unixDevice. Attachment point is already in use")
    attachment = VolumeAttachment(volume, instance, device_path, "attached")
    attachment.delete_on_termination = delete_on_termination
    volume.opendlm_attachments.append(attachment)
    instance.block_device_mapping[device_path] = BlockDeviceType(
        volume_id=volume_id,
        status=volume.status,
        size=volume.size,
        attach_time=attachment.attach_time,
        delete_on_termination=delete_on_termination,
    )
    return attachment


def detach(self: Any, volume_id: str, instance_id: str | None, device_path: str | None = None) -> VolumeAttachment:
    """DetachVolume. The instance may be left out where the volume has one attachment only."""
    volume = self.get_volume(volume_id)
    found = [each for each in volume.attachments if instance_id in (None, each.instance.id)]
    if not found or (device_path and found[0].device != device_path):
        refuse("IncorrectState", f"Volume '{volume_id}' is not attached to '{instance_id}'")
    if len(found) > 1:
        refuse("InvalidParameterCombination", f"'{volume_id}' is attached to {len(found)} instances: say which")
    attachment = found[0]
    volume.opendlm_attachments.remove(attachment)
    del attachment.instance.block_device_mapping[attachment.device]
    attachment.status = "detached"
    return attachment
