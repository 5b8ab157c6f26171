"""The answers of EC2, and its errors, as EC2 writes them: the fields and their order are those of `shared/wire`.

moto writes XML by walking botocore's model, at about half a millisecond a snapshot. Writing the few shapes by hand is twenty
times faster, which is what makes an account of tens of thousands of snapshots usable.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

import snapshot_life

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
XML = {"Content-Type": "text/xml;charset=UTF-8"}

Tags = dict[str, str]


def describe_answer(action: str, set_name: str, items: Iterable[str], next_token: str | None) -> str:
    """A page of a Describe call."""
    return answer(action, item_set(set_name, items) + element("nextToken", next_token))


def set_answer(made: Iterable[tuple[Any, Tags]]) -> str:
    """What CreateSnapshots answers: each snapshot that was started, with its tags. Its times have whole seconds, while
    DescribeSnapshots shows milliseconds of the same snapshots: create-snapshots/01, describe-snapshots/08."""
    items = (
        element("snapshotId", snapshot.id)
        + element("volumeId", snapshot.volume.id)
        + element("state", snapshot.status)
        + element("startTime", second_text(snapshot.start_time))
        + new_snapshot(snapshot, tags)
        for snapshot, tags in made
    )
    return answer("CreateSnapshots", item_set("snapshotSet", items))


def created_answer(snapshot: Any, tags: Tags) -> str:
    """What CreateSnapshot answers: create-snapshot/04, 06."""
    return answer(
        "CreateSnapshot",
        element("snapshotId", snapshot.id)
        + element("volumeId", snapshot.volume.id)
        + element("status", snapshot.status)
        + element("startTime", time_text(snapshot.start_time))
        + new_snapshot(snapshot, tags),
    )


def new_snapshot(snapshot: Any, tags: Tags) -> str:
    """What both say of a new snapshot: its progress is empty, and the key of an encrypted one is not told (README.md there)."""
    return (
        element("progress", "")
        + element("ownerId", snapshot.owner_id)
        + element("volumeSize", snapshot.volume.size)
        + element("encrypted", bool(snapshot.encrypted))
        + element("description", snapshot.description or "")
        + tag_set(tags)
    )


def copied_answer(id: str, tags: Tags) -> str:
    """What CopySnapshot answers: copy-snapshot/03, 05."""
    return answer("CopySnapshot", element("snapshotId", id) + tag_set(tags))


def return_answer(action: str) -> str:
    """What an action answers that has nothing to say: delete-snapshot/02."""
    return answer(action, element("return", True))


def image_answer(action: str, id: str) -> str:
    """What CreateImage answers, create-image/01, and RegisterImage, of which no real answer was seen."""
    return answer(action, element("imageId", id))


def deregistered_answer() -> str:
    """What DeregisterImage answers without the deletion of snapshots: deregister-image/01."""
    return answer("DeregisterImage", element("return", True) + "<deleteSnapshotResultSet/>")


def created_volume_answer(volume: Any, tags: Tags) -> str:
    """What CreateVolume answers: create-volume/01, and 02 for the tags that it shows where there are none."""
    content = volume_head(volume, "creating", second_text(volume.create_time)) + (tag_set(tags) or "<tagSet/>")
    return answer("CreateVolume", content + volume_kind(volume))


def answer(action: str, content: str) -> str:
    """A whole answer."""
    body = f"<requestId>{uuid4()}</requestId>{content}"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{NAMESPACE}">{body}</{action}Response>'


def item_set(name: str, items: Iterable[str]) -> str:
    """A list of items."""
    rows = "".join(f"<item>{item}</item>" for item in items)
    return f"<{name}>{rows}</{name}>" if rows else f"<{name}/>"


def error_answer(code: str, message: str) -> bytes:
    """An error, as every EC2 action answers it."""
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    request = f"<RequestID>{uuid4()}</RequestID>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors>{error}</Errors>{request}</Response>'.encode()


def volume_item(volume: Any, status: str, tags: Tags) -> str:
    """One volume of DescribeVolumes: describe-volumes/01, 10, 12."""
    backend = volume.ec2_backend
    attachments = (
        element("volumeId", volume.id)
        + element("instanceId", attachment.instance.id)
        + element("device", attachment.device)
        + element("status", attachment.status)
        + element("attachTime", second_text(attachment.attach_time))
        + element("deleteOnTermination", bool(attachment.delete_on_termination))
        for attachment in volume.attachments
    )
    return (
        volume_head(volume, status, time_text(volume.create_time))
        + item_set("attachmentSet", attachments)
        + tag_set(tags)
        + volume_kind(volume)
        + f"<operator>{element('managed', False)}{element('hiddenByDefault', False)}</operator>"
        + element("volumeArn", f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:volume/{volume.id}")
        + element("ownerId", backend.account_id)
    )


def volume_head(volume: Any, status: str, created: str | None) -> str:
    """What CreateVolume and DescribeVolumes say of a volume first."""
    zone = volume.zone.name if volume.zone else None
    return (
        element("volumeId", volume.id)
        + element("size", volume.size)
        + element("snapshotId", volume.snapshot_id or "")
        + element("availabilityZone", zone)
        + element("availabilityZoneId", zone_id(zone) if zone else None)
        + element("status", status)
        + element("createTime", created)
    )


def volume_kind(volume: Any) -> str:
    """What both say of its kind: describe-volumes/05 for types without iops, 06 for throughput."""
    has_iops = volume.volume_type not in ("standard", "st1", "sc1")
    return (
        element("volumeType", volume.volume_type)
        + element("iops", (volume.iops or 3000) if has_iops else None)
        + element("throughput", (volume.throughput or 125) if volume.volume_type == "gp3" else None)
        + element("encrypted", bool(volume.encrypted))
        + element("kmsKeyId", volume.kms_key_id if volume.encrypted else None)
        + element("multiAttachEnabled", bool(volume.multi_attach_enabled))
    )


def snapshot_item(snapshot: Any, tags: Tags) -> str:
    """One snapshot of DescribeSnapshots: the order is that of describe-snapshots/19. Every one has a storage tier and a transfer
    type, in every state: 13 to 17, 20 to 24, 27, 28, 30, 31."""
    return (
        element("snapshotId", snapshot.id)
        + element("volumeId", snapshot.volume.id)
        + element("status", snapshot.status)
        + element("statusMessage", snapshot_life.status_message(snapshot))
        + element("startTime", time_text(snapshot.start_time))
        + element("progress", snapshot.progress)
        + element("ownerId", snapshot.owner_id)
        + element("volumeSize", snapshot_life.size(snapshot))
        + element("description", snapshot.description or "")
        + tag_set(tags)
        + element("encrypted", snapshot_life.is_encrypted(snapshot))
        + element("kmsKeyId", snapshot_life.key(snapshot))
        + element("storageTier", snapshot.storage_tier)
        + element("restoreExpiryTime", time_text(snapshot.restore_expiry_time))
        + element("transferType", snapshot.transfer_type)
        + element("completionDurationMinutes", snapshot.completion_minutes)
        + element("completionTime", time_text(snapshot.completion_time))
        + element("fullSnapshotSizeInBytes", snapshot_life.full_size_bytes(snapshot))
    )


def image_item(image: Any, tags: Tags) -> str:
    """One image of DescribeImages: describe-images/01, 03, 04."""
    devices = (
        element("deviceName", each["DeviceName"])
        + "<ebs>"
        + element("snapshotId", each["Ebs"].get("SnapshotId"))
        + element("volumeSize", each["Ebs"]["VolumeSize"])
        + element("deleteOnTermination", bool(each["Ebs"]["DeleteOnTermination"]))
        + element("volumeType", each["Ebs"]["VolumeType"])
        + element("encrypted", bool(each["Ebs"].get("Encrypted")))
        + "</ebs>"
        for each in image.block_device_mappings
    )
    return (
        element("imageId", image.id)
        + element("imageLocation", f"{image.owner_id}/{image.name}")
        + element("imageState", image.state)
        + element("imageOwnerId", image.owner_id)
        + element("creationDate", second_text(image.creation_date))
        + element("isPublic", bool(image.is_public))
        + element("architecture", "x86_64")
        + element("imageType", "machine")
        + element("name", image.name)
        + element("description", image.description or None)
        + element("rootDeviceType", "ebs")
        + element("rootDeviceName", image.root_device_name)
        + item_set("blockDeviceMapping", devices)
        + element("virtualizationType", "hvm")
        + tag_set(tags)
        + element("hypervisor", "xen")
        + element("platformDetails", "Linux/UNIX")
        + element("usageOperation", "RunInstances")
        + element("deregistrationProtection", "disabled")
        + element("freeTierEligible", True)
    )


def tag_set(tags: Tags) -> str:
    """Tags, or nothing at all where there are none."""
    rows = (element("key", key) + element("value", value) for key, value in tags.items())
    return item_set("tagSet", rows) if tags else ""


def element(name: str, value: object) -> str:
    """One element; an absent value is an absent element."""
    if value is None:
        return ""
    text = escape(str(value).lower() if isinstance(value, bool) else str(value))
    return f"<{name}>{text}</{name}>" if text else f"<{name}/>"


def time_text(time: datetime | None) -> str | None:
    """A time as EC2 writes it, to the millisecond."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z" if time else None


def second_text(time: datetime | None) -> str | None:
    """A time that EC2 knows to the second; it writes milliseconds all the same."""
    return time_text(time.replace(microsecond=0)) if time else None


def zone_id(zone: str) -> str:
    """The id of an Availability Zone: `use1-az1` for us-east-1a, as in describe-volumes/10. Which letter is which number differs
    from account to account."""
    area, *directions, rest = zone.split("-")
    direction = "".join(word[0] if word in DIRECTIONS else DIRECTION_PAIRS[word] for word in directions)
    return f"{area}{direction}{rest[:-1]}-az{ord(rest[-1]) - ord('a') + 1}"


DIRECTIONS = ("north", "south", "east", "west", "central")
DIRECTION_PAIRS = {"northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw", "gov": "g"}
