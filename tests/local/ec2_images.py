"""CreateImage, RegisterImage, DescribeImages and DeregisterImage, for images of snapshots.

Stock moto gives every image a volume and a snapshot of its own, whatever the call says. Here an image uses the
snapshots that the call names, or that are made of its instance, and EC2 refuses to delete them. The numbers are those of `shared/wire/errors`.
"""

from __future__ import annotations

import re
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.amis import Ami
from moto.ec2.utils import random_ami_id

from ec2_describe import answer_headers
from ec2_filters import Values, filter_of, paged, require_good_page
from ec2_rules import refuse, require_good_tags, tags_of
from ec2_xml import XML, deregistered_answer, describe_answer, image_answer, image_item

Answer = tuple[int, dict[str, str], str]

NAME = re.compile(r"[A-Za-z0-9()./_ \-]{3,128}")
NAME_MALFORMED = (
    "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'"
)


class RegisteredImage(Ami):
    """An image of snapshots that were there before."""

    # moto keeps a register of its models by the second word of their module.
    __module__ = "moto.ec2.local_images"

    def __init__(self, backend: Any, name: str, description: str, root_device: str, devices: list[dict[str, Any]]) -> None:
        # moto's own __init__ would make a volume and a snapshot.
        self.ec2_backend = backend
        self.id = random_ami_id()
        self.name, self.description = name, description
        self.state, self.image_type = "available", "machine"
        self.owner_id, self.owner_alias = backend.account_id, None
        self.root_device_name, self.devices = root_device, devices
        self.creation_date = utcnow()
        self.launch_permissions: list[dict[str, str]] = []

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        """The devices as the call named them, each with what EC2 fills in."""
        return self.devices


def using(backend: Any, snapshot_id: str) -> list[str]:
    """The images that use a snapshot, the last one first: 29. Nobody knows what the order of the real ones is."""
    return [id for id, image in reversed(backend.amis.items()) if snapshot_id in snapshots_of(image)]


def snapshots_of(image: Any) -> list[str]:
    """The ids of the snapshots of an image."""
    return [each["Ebs"]["SnapshotId"] for each in image.block_device_mappings if each.get("Ebs", {}).get("SnapshotId")]


def register(backend: Any, name: str, description: str, root_device: str, devices: list[dict[str, Any]]) -> str:
    """A new image."""
    image = RegisteredImage(backend, name, description, root_device, devices)
    backend.amis[image.id] = image
    return image.id


def device(backend: Any, snapshot_id: str, name: str) -> dict[str, Any]:
    """The device of an image that a snapshot makes."""
    snapshot = backend.snapshots[snapshot_id]
    ebs = {"SnapshotId": snapshot_id, "VolumeSize": snapshot.volume.size, "Encrypted": bool(snapshot.encrypted)}
    return {"DeviceName": name, "Ebs": {"DeleteOnTermination": True, "VolumeType": "gp2", **ebs}}


def register_image(self: Any) -> Answer:
    """RegisterImage."""
    backend, name = self.ec2_backend, self._get_param("Name") or ""
    if not NAME.fullmatch(name):
        refuse("InvalidAMIName.Malformed", NAME_MALFORMED)  # 32
    if taken := next((id for id, image in backend.amis.items() if image.name == name), None):
        refuse("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {taken}")  # 31
    devices = []
    for wanted in self._get_param("BlockDeviceMappings", []):
        id = wanted.get("Ebs", {}).get("SnapshotId")
        if id not in backend.snapshots:
            # The code is shared/wire/README.md's, the words were not seen.
            refuse("InvalidSnapshotID.NotFound", f"The snapshot '{id}' does not exist.")
        if backend.snapshots[id].owner_id != backend.account_id:  # 06
            refuse("InvalidParameterValue", f"Invalid value '{id}' for snapshotId. Snapshot does not belong to {backend.account_id}")
        devices.append(device(backend, id, wanted["DeviceName"]))
    tags = self._parse_tag_specification().get("image", {})
    require_good_tags([{"Key": key, "Value": value} for key, value in tags.items()])
    root_device = self._get_param("RootDeviceName") or "/dev/sda1"
    image = register(backend, name, self._get_param("Description") or "", root_device, devices)
    backend.tags[image].update(tags)
    return 200, XML, image_answer("RegisterImage", image)


def create_image(self: Any) -> Answer:
    """CreateImage: a snapshot of each volume of the instance, described as describe-snapshots/23. It is available at once."""
    backend, instance = self.ec2_backend, self.ec2_backend.get_instance(self._get_param("InstanceId"))
    tags = self._parse_tag_specification()
    image = register(backend, self._get_param("Name"), self._get_param("Description") or "", instance.root_device_name, [])
    for name, attached in instance.block_device_mapping.items():
        snapshot = backend.create_snapshot(attached.volume_id, f"Created by CreateImage({instance.id}) for {image}")
        backend.tags[snapshot.id].update(tags.get("snapshot", {}))
        backend.amis[image].devices.append(device(backend, snapshot.id, name))
    backend.tags[image].update(tags.get("image", {}))
    return 200, XML, image_answer("CreateImage", image)


def deregister_image(self: Any) -> Answer:
    """DeregisterImage, which leaves the snapshots."""
    id = self._get_param("ImageId")
    if id in self.ec2_backend.deleted_amis:
        refuse("InvalidAMIID.Unavailable", f"The image ID '{id}' is no longer available")  # 30
    self.ec2_backend.deregister_image(id)
    return 200, XML, deregistered_answer()


def describe_images(self: Any) -> Answer:
    """DescribeImages. An image that was deregistered is left out without an error, shared/wire/describe-images/05."""
    require_good_page(self, "image")
    backend = self.ec2_backend
    images = {**{id: None for id in backend.deleted_amis}, **backend.amis}
    for id in self._get_param("ImageIds", []):
        if id not in images:
            refuse("InvalidAMIID.NotFound", f"The image id '[{id}]' does not exist")
    owners = {backend.account_id if owner == "self" else owner for owner in self._get_param("Owners", [])}
    in_scope = lambda image: image is not None and (not owners or image.owner_id in owners)  # noqa: E731
    page, token = paged(self, "image", images, filter_of(self._get_param("Filters", []), IMAGE_VALUES), in_scope)
    items = (image_item(image, tags_of(image)) for image in page)
    return 200, answer_headers(page), describe_answer("DescribeImages", "imagesSet", items, token)


IMAGE_VALUES: Values = {
    "block-device-mapping.snapshot-id": snapshots_of,
    "image-id": lambda image: image.id,
    "name": lambda image: image.name,
    "owner-id": lambda image: image.owner_id,
    "state": lambda image: image.state,
}
