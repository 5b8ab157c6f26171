"""The bodies of the Describe calls, of CreateSnapshots, and of errors, as EC2 writes them.

moto writes XML by walking botocore's model, at about half a millisecond a snapshot. Writing the few shapes by hand is twenty
times faster, which is what makes an account of tens of thousands of snapshots usable.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

import local_instances
import snapshot_life

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


def describe_answer(action: str, set_name: str, items: Iterable[str], next_token: str | None) -> str:
    """A page of a Describe call."""
    token = f"<nextToken>{next_token}</nextToken>" if next_token else ""
    return answer(action, item_set(set_name, items) + token)


def set_answer(made: Iterable[tuple[Any, dict[str, str]]]) -> str:
    """What CreateSnapshots answers: each snapshot that was started, with its tags."""
    items = (
        element("snapshotId", snapshot.id)
        + element("volumeId", snapshot.volume.id)
        + element("state", snapshot.status)
        + element("startTime", time_text(snapshot.start_time))
        + element("progress", snapshot.progress)
        + element("ownerId", snapshot.owner_id)
        + element("volumeSize", snapshot.volume.size)
        + element("description", snapshot.description or "")
        + element("encrypted", bool(snapshot.encrypted))
        + tag_set(tags)
        for snapshot, tags in made
    )
    return answer("CreateSnapshots", item_set("snapshotSet", items))


def answer(action: str, content: str) -> str:
    """A whole answer."""
    body = f"<requestId>{uuid4()}</requestId>{content}"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{NAMESPACE}">{body}</{action}Response>'


def item_set(name: str, items: Iterable[str]) -> str:
    """A list of items."""
    rows = "".join(f"<item>{item}</item>" for item in items)
    return f"<{name}>{rows}</{name}>"


def error_answer(code: str, message: str) -> bytes:
    """An error, as every EC2 action answers it."""
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    request = f"<RequestID>{uuid4()}</RequestID>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors>{error}</Errors>{request}</Response>'.encode()


def reservation_item(id: str, owner: str, instances: Iterable[str]) -> str:
    """One reservation of DescribeInstances, with those of its instances that are on the page."""
    return element("reservationId", id) + element("ownerId", owner) + "<groupSet/>" + item_set("instancesSet", instances)


def instance_item(instance: Any, tags: dict[str, str]) -> str:
    """One instance of DescribeInstances."""
    devices = (
        element("deviceName", name)
        + "<ebs>"
        + element("volumeId", device.volume_id)
        + element("status", "attached")
        + element("attachTime", time_text(device.attach_time))
        + element("deleteOnTermination", bool(device.delete_on_termination))
        + "</ebs>"
        for name, device in instance.block_device_mapping.items()
    )
    reason = instance.state_reason
    reason_code = element("code", reason.code) + element("message", reason.message) if reason and reason.code else ""
    return (
        element("instanceId", instance.id)
        + element("imageId", instance.image_id)
        + f"<instanceState>{element('code', instance.state_code)}{element('name', instance.state)}</instanceState>"
        + element("reason", instance.state_transition_reason or "")
        + element("instanceType", instance.instance_type)
        + element("launchTime", time_text(instance.launch_time))
        + f"<placement>{element('availabilityZone', instance.placement.zone)}</placement>"
        + (f"<stateReason>{reason_code}</stateReason>" if reason_code else "")
        + element("rootDeviceType", "ebs")
        + element("rootDeviceName", instance.root_device_name)
        + item_set("blockDeviceMapping", devices)
        + tag_set(tags)
        + f"<hibernationOptions>{element('configured', local_instances.hibernates(instance))}</hibernationOptions>"
    )


def volume_item(volume: Any, status: str, tags: dict[str, str]) -> str:
    """One volume of DescribeVolumes."""
    attachments = "".join(
        "<item>"
        + element("volumeId", volume.id)
        + element("instanceId", attachment.instance.id)
        + element("device", attachment.device)
        + element("status", attachment.status)
        + element("attachTime", time_text(attachment.attach_time))
        + element("deleteOnTermination", attachment.delete_on_termination)
        + "</item>"
        for attachment in volume.attachments
    )
    return (
        element("volumeId", volume.id)
        + element("size", volume.size)
        + element("snapshotId", volume.snapshot_id or "")
        + element("availabilityZone", volume.zone.name if volume.zone else None)
        + element("status", status)
        + element("createTime", time_text(volume.create_time))
        + f"<attachmentSet>{attachments}</attachmentSet>"
        + tag_set(tags)
        + element("volumeType", volume.volume_type)
        + element("iops", volume.iops)
        + element("throughput", volume.throughput)
        + element("encrypted", bool(volume.encrypted))
        + element("kmsKeyId", volume.kms_key_id)
        + element("multiAttachEnabled", bool(volume.multi_attach_enabled))
    )


def snapshot_item(snapshot: Any, tags: dict[str, str]) -> str:
    """One snapshot of DescribeSnapshots."""
    return (
        element("snapshotId", snapshot.id)
        + element("volumeId", snapshot.volume.id)
        + element("status", snapshot.status)
        + element("startTime", time_text(snapshot.start_time))
        + element("completionTime", time_text(snapshot.completion_time))
        + element("statusMessage", snapshot_life.status_message(snapshot))
        + element("progress", snapshot.progress)
        + element("ownerId", snapshot.owner_id)
        + element("volumeSize", snapshot.volume.size)
        + element("fullSnapshotSizeInBytes", snapshot_life.full_size_bytes(snapshot))
        + element("description", snapshot.description or "")
        + tag_set(tags)
        + element("encrypted", bool(snapshot.encrypted))
        + element("kmsKeyId", snapshot.kms_key_id)
        + element("storageTier", snapshot.storage_tier)
        + element("restoreExpiryTime", time_text(snapshot.restore_expiry_time))
    )


def tag_set(tags: dict[str, str]) -> str:
    """Tags, or nothing at all where there are none."""
    rows = "".join(f"<item>{element('key', key)}{element('value', value)}</item>" for key, value in tags.items())
    return f"<tagSet>{rows}</tagSet>" if rows else ""


def element(name: str, value: object) -> str:
    """One element; an absent value is an absent element."""
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(text)}</{name}>"


def time_text(time: datetime | None) -> str | None:
    """A time as EC2 writes it, to the millisecond."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z" if time else None
