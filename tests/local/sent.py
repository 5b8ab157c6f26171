"""What the local AWS really sends over HTTP, in every state that AWS's answers were recorded in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from xml.etree.ElementTree import Element

from botocore.exceptions import ClientError

from account import Account
from answers import snapshot_tags
from corpus import parse
from ec2_snapshots import NO_VOLUME
from local_aws import REGION, LocalAws
from local_instances import USER_HIBERNATE

OTHER_ACCOUNT = "210987654321"
KEYS = {"alias/denied": "denied", "alias/inaccessible": "inaccessible"}
Trees = dict[str, list[Element]]


class Recorder:
    """An EC2 client that keeps the answers as they came, as trees by operation."""

    def __init__(self, aws: LocalAws) -> None:
        self.client = aws.client("ec2")
        self.trees: Trees = {}
        self.bodies: dict[str, list[bytes]] = {}
        self.client.meta.events.register("before-parse.ec2", self._keep)

    def _keep(self, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
        if response_dict["status_code"] == 200:
            self.bodies.setdefault(operation_model.name, []).append(response_dict["body"])
            self.trees.setdefault(operation_model.name, []).append(parse(response_dict["body"]))


def everything(aws: LocalAws) -> Recorder:
    """Make every state and ask for it."""
    recorder, account = Recorder(aws), Account(aws)
    for ask in (snapshots, copies, volumes, instances, images):
        ask(aws, recorder.client, account)
    recorder.client.describe_snapshots()
    recorder.client.describe_volumes()
    recorder.client.describe_instances()
    recorder.client.describe_images(Owners=["self"])
    return recorder


def snapshots(aws: LocalAws, ec2: Any, account: Account) -> None:
    """Snapshots of volumes in all states."""
    plain, locked_up = account.add_volume(), account.add_volume(key="alias/ours")
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    aws.switches.change({"SNAP_SECONDS": 3600, "KEYS": KEYS})
    ec2.create_snapshot(VolumeId=plain, TagSpecifications=snapshot_tags(("a", "b")))
    ec2.create_snapshot(VolumeId=locked_up)
    instance = account.add_instance(root_tags={"Name": "root"})
    account.attach(plain, instance)
    ec2.create_snapshots(InstanceSpecification={"InstanceId": instance}, TagSpecifications=snapshot_tags(("a", "b")))
    tagged = account.add_snapshot(plain, yesterday, tags={"a": "b"})
    account.add_snapshot(locked_up, yesterday)
    account.add_snapshot("vol-00123456789abc001", yesterday, owner=OTHER_ACCOUNT)
    account.archive(account.add_snapshot(plain, yesterday))
    account.add_snapshot(NO_VOLUME, yesterday, tags={"a": "b"})
    account.add_snapshot(NO_VOLUME, yesterday, seconds=2 * 86400, tags={"a": "b"})
    ec2.describe_snapshot_attribute(SnapshotId=tagged, Attribute="createVolumePermission")
    ec2.modify_snapshot_attribute(SnapshotId=tagged, Attribute="createVolumePermission", OperationType="add", UserIds=[OTHER_ACCOUNT])
    ec2.describe_snapshot_attribute(SnapshotId=tagged, Attribute="createVolumePermission")
    ec2.modify_snapshot_attribute(SnapshotId=tagged, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"])
    ec2.describe_snapshot_attribute(SnapshotId=tagged, Attribute="createVolumePermission")
    ec2.delete_snapshot(SnapshotId=account.add_snapshot(plain, yesterday))


def copies(aws: LocalAws, ec2: Any, account: Account) -> None:
    """Copies in all states."""
    source = account.add_snapshot(account.add_volume(key="alias/ours"), datetime.now(timezone.utc) - timedelta(days=1))
    wanted = {"SourceRegion": REGION, "SourceSnapshotId": source}
    ec2.copy_snapshot(**wanted)
    aws.switches.change({"SNAP_SECONDS": 0})
    ec2.copy_snapshot(**wanted, TagSpecifications=snapshot_tags(("a", "b")))
    ec2.copy_snapshot(**wanted, KmsKeyId="alias/inaccessible")


def volumes(aws: LocalAws, ec2: Any, account: Account) -> None:
    """Volumes in all states and of some kinds."""
    kinds = {"creating": "gp3", "available": "standard"}
    for status, kind in kinds.items():
        account.add_volume({"a": "b"}, status=status, kind=kind, snapshot="snap-00123456789abc001")
    account.add_volume({"a": "b"}, key="alias/ours", attached=True)
    account.add_volume({"a": "b"})
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}]
    wanted = {"AvailabilityZone": f"{REGION}a", "Size": 1, "VolumeType": "gp3"}
    ec2.create_volume(**wanted, TagSpecifications=tags)
    ec2.create_volume(**wanted)


def instances(aws: LocalAws, ec2: Any, account: Account) -> None:
    """Instances in all states, with volumes and with instance store."""
    for state in ("running", "stopping", "stopped", "shutting-down"):
        account.add_instance({"a": "b"}, state=state)
    account.set_state(account.add_instance({"a": "b"}), "stopping", USER_HIBERNATE)
    account.set_state(account.add_instance(), "terminated")
    for state in ("running", "terminated"):
        account.add_instance({"a": "b"}, state=state, instance_store=True)


def images(aws: LocalAws, ec2: Any, account: Account) -> None:
    """Images with and without a description and tags, one of an instance, one that is gone."""
    snapshot = account.add_snapshot(account.add_volume(), datetime.now(timezone.utc) - timedelta(days=1))
    devices = [{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot}}]
    tags = [{"ResourceType": "image", "Tags": [{"Key": "a", "Value": "b"}]}]
    ec2.register_image(Name="tagged", Description="words", BlockDeviceMappings=devices, TagSpecifications=tags)
    ec2.create_image(InstanceId=account.add_instance(), Name="of an instance")
    gone = ec2.register_image(Name="gone", BlockDeviceMappings=devices)["ImageId"]
    ec2.deregister_image(ImageId=gone)
    ec2.describe_images(ImageIds=[gone])


def failure(call: Callable[[], Any]) -> tuple[str, int, str]:
    """The code, the HTTP status and the message of a call that fails."""
    try:
        call()
    except ClientError as refused:
        error = refused.response["Error"]
        return error["Code"], refused.response["ResponseMetadata"]["HTTPStatusCode"], error["Message"]
    raise AssertionError("the local AWS did not refuse the call")
