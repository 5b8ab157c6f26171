"""What AWS really answered (`../shared/wire`), as EC2 sends it, and what a reader has to make of it.

A transcript in XML is sent as it is. One in JSON, as the AWS CLI or boto3 shows an answer, is turned into XML by the service
model that those read it with. What is expected is read from the transcript itself, by nothing of opendlm's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ServiceModel, Shape

import shared

FOLDERS = {
    "create-snapshot": "CreateSnapshot",
    "create-snapshots": "CreateSnapshots",
    "delete-snapshot": "DeleteSnapshot",
    "describe-instances": "DescribeInstances",
    "describe-snapshots": "DescribeSnapshots",
    "describe-volumes": "DescribeVolumes",
}
ERRORS = "errors"
NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
# The calls of which an error's transcript may be; of any other the same answer is given to this one.
OTHER_CALL = "CreateSnapshot"
GIB = 2**30


@dataclass(frozen=True)
class Transcript:
    """An answer of EC2."""

    name: str
    action: str
    status: int
    body: str

    def given(self) -> dict[str, Any]:
        """The answer as the `replay` program takes it."""
        nothing = f"<{self.action}Response><snapshotSet/><volumeSet/><reservationSet/></{self.action}Response>"
        return {"Action": self.action, "Status": self.status, "Body": self.body, "NextBody": nothing}


def folder() -> Path:
    """The transcripts: OPENDLM_WIRE, which has to be there, or `../shared/wire`, without which there is nothing to read."""
    return shared.folder("OPENDLM_WIRE", "wire")


def read(wire: Path, name: str) -> list[Transcript]:
    """The transcripts of a folder."""
    return [_transcript(path) for path in sorted((wire / name).iterdir())]


def _transcript(path: Path) -> Transcript:
    name = f"{path.parent.name}/{path.name}"
    text = path.read_text()
    if path.parent.name == ERRORS:
        return _error(name, path, text)
    action = FOLDERS[path.parent.name]
    body = text if path.suffix == ".xml" else as_xml(action, json.loads(text))
    return Transcript(name, action, 200, body)


def _error(name: str, path: Path, text: str) -> Transcript:
    calls = {call.lower(): call for call in FOLDERS.values()}
    if path.suffix == ".xml":
        # The status of these is not known; EC2's refusals have 400.
        called = [call for word, call in calls.items() if f"-{word}-" in name]
        return Transcript(name, called[0] if called else OTHER_CALL, 400, text)
    answer = json.loads(text)
    call = answer.get("Operation")
    error = answer["Error"]
    told = f"<Code>{escape(error['Code'])}</Code><Message>{escape(error['Message'])}</Message>"
    body = f"<Response><Errors><Error>{told}</Error></Errors><RequestID>00000000</RequestID></Response>"
    return Transcript(name, call if call in FOLDERS.values() else OTHER_CALL, answer.get("HTTPStatusCode", 400), body)


def as_xml(action: str, answer: dict[str, Any]) -> str:
    """An answer as EC2 sends it, by the service model that boto3 reads it with."""
    shape = _model().operation_model(action).output_shape
    # The model of an answer without a shape does not say what there is: `<return>true</return>` (delete-snapshot/02).
    inside = _members(shape, answer) if shape else "<return>true</return>"
    return f'<{action}Response xmlns="{NAMESPACE}"><requestId>00000000</requestId>{inside}</{action}Response>'


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("ec2")


def _members(shape: Any, value: dict[str, Any]) -> str:
    unknown = set(value) - set(shape.members) - {"ResponseMetadata"}
    assert not unknown, f"the model of {shape.name} does not know {unknown}"
    return "".join(
        _element(member.serialization.get("name", name), member, value[name])
        for name, member in shape.members.items()
        if name in value
    )


def _element(name: str, shape: Any, value: Any) -> str:
    if value is None:
        return ""
    return f"<{name}>{_content(shape, value)}</{name}>"


def _content(shape: Shape | Any, value: Any) -> str:
    if shape.type_name == "structure":
        return _members(shape, value)
    if shape.type_name == "list":
        item = shape.member.serialization.get("name", "item")
        return "".join(_element(item, shape.member, each) for each in value)
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "timestamp":
        return moment(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return escape(str(value))


def moment(text: str) -> datetime:
    """A time, as EC2, the CLI or boto3 writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def shown_moment(text: str) -> str:
    """A time as opendlm shows it: without what is zero behind the point."""
    time = moment(text)
    fraction = f".{time.microsecond:06}".rstrip("0").rstrip(".")
    return time.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


class Answer:
    """The items of a transcript, whatever form it has: by the names of the wire and by those of the model."""

    def __init__(self, path: Path) -> None:
        self.path = path
        text = path.read_text()
        self.xml = without_namespaces(ElementTree.fromstring(text)) if path.suffix == ".xml" else None
        self.json = json.loads(text) if path.suffix == ".json" else None

    def items(self, wire: str, model: str) -> list[Item]:
        """The items of the list that stands at these paths."""
        if self.xml is not None:
            return [Item(xml=found) for found in self.xml.findall(wire)]
        found: list[Any] = [self.json]
        for step in model.split("/"):
            found = [inner for outer in found for inner in outer.get(step, [])]
        return [Item(json=each) for each in found]

    def whole(self) -> Item:
        """The answer as one item."""
        return Item(xml=self.xml, json=self.json)


@dataclass(frozen=True)
class Item:
    """A part of a transcript."""

    xml: Any = None
    json: Any = None

    def text(self, wire: str, model: str) -> str | None:
        """What stands at these paths; None where nothing does, or nothing in it."""
        if self.xml is not None:
            return self.xml.findtext(wire) or None
        found = self.json
        for step in model.split("/"):
            found = (found or {}).get(step)
        return None if found in (None, "") else str(found)

    def items(self, wire: str, model: str) -> list[Item]:
        """The items of a list in it."""
        if self.xml is not None:
            return [Item(xml=found) for found in self.xml.findall(f"{wire}/item")]
        return [Item(json=each) for each in self.json.get(model) or []]

    def tags(self) -> list[list[str]]:
        """Its tags, key and value."""
        found = self.items("tagSet", "Tags")
        return [[tag.text("key", "Key") or "", tag.text("value", "Value") or ""] for tag in found]


def without_namespaces(root: Any) -> Any:
    """The same document, whose elements have their names alone."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def snapshot(item: Item) -> dict[str, Any]:
    """What opendlm has to read of a snapshot."""
    volume = item.text("volumeId", "VolumeId") or ""
    size = item.text("fullSnapshotSizeInBytes", "FullSnapshotSizeInBytes")
    is_time_based = (
        item.text("transferType", "TransferType") == "time-based"
        or item.text("completionDurationMinutes", "CompletionDurationMinutes") is not None
    )
    tags = dict(item.tags())
    return {
        "Id": item.text("snapshotId", "SnapshotId"),
        "Volume": volume,
        "Description": item.text("description", "Description") or "",
        "State": item.text("status", "State"),
        "StateMessage": item.text("statusMessage", "StateMessage"),
        "Began": shown_moment(item.text("startTime", "StartTime") or ""),
        "IsCopy": set(volume.removeprefix("vol-")) == {"f"} or is_time_based,
        "PolicyId": tags.get("opendlm:policy-id"),
        "IsArchived": item.text("storageTier", "StorageTier") not in (None, "standard"),
        "FullSizeBytes": int(size) if size else int(item.text("volumeSize", "VolumeSize") or 0) * GIB,
    }


def snapshots(path: Path) -> dict[str, Any]:
    """What opendlm has to read of an answer of DescribeSnapshots."""
    items = Answer(path).items("snapshotSet/item", "Snapshots")
    read = [snapshot(item) for item in items]
    owners = {item.text("ownerId", "OwnerId") for item in items}
    newest: dict[str, str] = {}
    for each in read:
        if not each["IsCopy"] and each["State"] != "error":
            newest[each["Volume"]] = max(newest.get(each["Volume"], each["Began"]), each["Began"], key=moment)
    cut_short = "MixedOwners" if len(owners) > 1 else None
    return {"Items": read, "CutShort": cut_short, "Newest": sorted(map(list, newest.items()))}


def volumes(path: Path) -> dict[str, Any]:
    """What opendlm has to read of an answer of DescribeVolumes."""
    return {"Items": [volume(item) for item in Answer(path).items("volumeSet/item", "Volumes")], "CutShort": None}


def volume(item: Item) -> dict[str, Any]:
    """What opendlm has to read of a volume."""
    created = item.text("createTime", "CreateTime")
    return {
        "Id": item.text("volumeId", "VolumeId"),
        "State": item.text("status", "State"),
        "Created": shown_moment(created) if created else None,
        "Tags": item.tags(),
        "Type": item.text("volumeType", "VolumeType"),
    }


def instances(path: Path) -> dict[str, Any]:
    """What opendlm has to read of an answer of DescribeInstances."""
    items = Answer(path).items("reservationSet/item/instancesSet/item", "Reservations/Instances")
    return {"Items": [instance(item) for item in items], "CutShort": None}


def instance(item: Item) -> dict[str, Any]:
    """What opendlm has to read of an instance."""
    state = item.text("instanceState/name", "State/Name")
    configured = item.text("hibernationOptions/configured", "HibernationOptions/Configured")
    is_configured = (configured or "").lower() == "true"
    reason = item.text("stateReason/code", "StateReason/Code")
    if state in ("stopping", "stopped") and is_configured and reason == "Client.UserInitiatedHibernate":
        state = "hibernated"
    root = item.text("rootDeviceName", "RootDeviceName")
    devices = item.items("blockDeviceMapping", "BlockDeviceMappings")
    attached = [
        [each.text("ebs/volumeId", "Ebs/VolumeId"), each.text("deviceName", "DeviceName") == root]
        for each in devices
        if each.text("ebs/volumeId", "Ebs/VolumeId") and each.text("ebs/status", "Ebs/Status") != "detached"
    ]
    return {"Id": item.text("instanceId", "InstanceId"), "State": state, "Volumes": attached}


def creation(path: Path) -> dict[str, Any]:
    """What opendlm has to read of an answer of CreateSnapshot."""
    return {"Created": [Answer(path).whole().text("snapshotId", "SnapshotId")]}


def set_creation(path: Path) -> dict[str, Any]:
    """What opendlm has to read of an answer of CreateSnapshots."""
    items = Answer(path).items("snapshotSet/item", "Snapshots")
    return {"Created": [item.text("snapshotId", "SnapshotId") for item in items]}


def deletion(_: Path) -> dict[str, Any]:
    """What opendlm has to read of an answer of DeleteSnapshot."""
    return {"Deleted": True}


EXPECTED = {
    "create-snapshot": creation,
    "create-snapshots": set_creation,
    "delete-snapshot": deletion,
    "describe-instances": instances,
    "describe-snapshots": snapshots,
    "describe-volumes": volumes,
}
