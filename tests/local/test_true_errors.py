"""The local AWS refuses with the code, the HTTP status and the form of words that AWS refuses with.

The errors of AWS are those of shared/wire/errors, by the number that their files begin with.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import corpus
from account import Account
from comparison import form
from local_aws import ACCOUNT, REGION, LocalAws
from sent import KEYS, OTHER_ACCOUNT, failure

YESTERDAY = datetime.now(timezone.utc) - timedelta(days=1)
ABSENT = {"snapshot": "snap-00123456789abc009", "volume": "vol-00123456789abc009"}


class Scene:
    """An account and the ways to be refused in it."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws, self.ec2, self.account = aws, aws.client("ec2"), Account(aws)
        self.volume = self.account.add_volume()
        self.snapshot = self.account.add_snapshot(self.volume, YESTERDAY)
        self.keys = {"alias/disabled": "disabled", "alias/missing": "missing", **KEYS}
        aws.switches.change({"KEYS": self.keys})

    def delete(self, **more: Any) -> Any:
        """DeleteSnapshot."""
        return self.ec2.delete_snapshot(SnapshotId=self.snapshot, **more)

    def create(self, **more: Any) -> Any:
        """CreateSnapshot."""
        return self.ec2.create_snapshot(VolumeId=self.volume, **more)

    def copy(self, **more: Any) -> Any:
        """CopySnapshot."""
        return self.ec2.copy_snapshot(**{"SourceRegion": REGION, "SourceSnapshotId": self.snapshot, **more})

    def copy_sending(self, **changed: str | None) -> Any:
        """CopySnapshot with parameters that boto3 would write otherwise; nothing leaves one out."""

        def change(params: Any, **_: Any) -> None:
            body = {**params["body"], **changed}
            params["body"] = {name: value for name, value in body.items() if value is not None}

        self.ec2.meta.events.register_last("before-call.ec2.CopySnapshot", change)
        return self.copy()

    def use_in_images(self, number: int = 1) -> Any:
        """DeleteSnapshot of what images use."""
        for _ in range(number):
            self.account.add_image_of(self.snapshot)
        return self.delete()

    def register(self, name: str, snapshot: str | None = None) -> Any:
        """RegisterImage."""
        devices = [{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot or self.snapshot}}]
        return self.ec2.register_image(Name=name, BlockDeviceMappings=devices)

    def switched(self, call: Callable[[], Any], **switches: Any) -> Any:
        """A call that a switch lets fail."""
        self.aws.switches.change(switches)
        return call()


def of_aws_backup(scene: Scene) -> Any:
    scene.account.give_to_backup(scene.snapshot)
    return scene.delete()


def with_fast_restore(scene: Scene) -> Any:
    scene.account.add_fast_restore(scene.snapshot, f"{REGION}b")
    return scene.delete()


def dry_deletion_in_use(scene: Scene) -> Any:
    scene.account.add_image_of(scene.snapshot)
    return scene.delete(DryRun=True)


def image_of_another_account(scene: Scene) -> Any:
    return scene.register("theirs", scene.account.add_snapshot(scene.volume, YESTERDAY, owner=OTHER_ACCOUNT))


def token_of_another_scope(scene: Scene) -> Any:
    for _ in range(6):
        scene.account.add_snapshot(scene.volume, YESTERDAY)
    token = scene.ec2.describe_snapshots(MaxResults=5, OwnerIds=["self"])["NextToken"]
    return scene.ec2.describe_snapshots(MaxResults=5, OwnerIds=[OTHER_ACCOUNT], NextToken=token)


def set_without_volumes(scene: Scene) -> Any:
    instance = scene.account.add_instance(instance_store=True)
    return scene.ec2.create_snapshots(InstanceSpecification={"InstanceId": instance})


def deregistered_twice(scene: Scene) -> Any:
    image = scene.register("once")["ImageId"]
    scene.ec2.deregister_image(ImageId=image)
    return scene.ec2.deregister_image(ImageId=image)


def image_name_twice(scene: Scene) -> Any:
    scene.register("twice")
    return scene.register("twice")


def volume_of_a_pending_snapshot(scene: Scene) -> Any:
    scene.aws.switches.change({"SNAP_SECONDS": 60})
    return scene.ec2.create_volume(SnapshotId=scene.create()["SnapshotId"], AvailabilityZone=f"{REGION}a")


UNAUTHORIZED = "UnauthorizedOperation"
OTHER_URL = f"https://ec2.{REGION}.amazonaws.com/?Action=CopySnapshot&SourceSnapshotId={ABSENT['snapshot']}"

# How each error comes about here.
WAYS: dict[str, Callable[[Scene], Any]] = {
    "01": lambda scene: scene.ec2.describe_snapshots(SnapshotIds=[ABSENT["snapshot"]]),
    "02": dry_deletion_in_use,
    "03": Scene.use_in_images,
    "04": lambda scene: scene.copy(KmsKeyId="alias/disabled"),
    "05": lambda scene: scene.copy(KmsKeyId="alias/missing"),
    "06": image_of_another_account,
    "07": Scene.use_in_images,
    "11": token_of_another_scope,
    "12": lambda scene: scene.switched(scene.create, FAIL_VOLUMES={scene.volume: "SnapshotCreationPerVolumeRateExceeded"}),
    "13": lambda scene: scene.switched(scene.copy, FAIL_ACTIONS={"CopySnapshot": "ResourceLimitExceeded"}),
    "14": with_fast_restore,
    "15": of_aws_backup,
    "16": Scene.use_in_images,
    "17": lambda scene: scene.switched(scene.ec2.describe_instances, FAIL_ACTIONS={"DescribeInstances": "RequestExpired"}),
    "19": lambda scene: scene.switched(scene.create, FAIL_ACTIONS={"CreateSnapshot": UNAUTHORIZED}),
    "20": set_without_volumes,
    "21": lambda scene: scene.ec2.create_snapshot(VolumeId=ABSENT["volume"]),
    "22": lambda scene: scene.copy_sending(SourceSnapshotId=None),
    "23": lambda scene: scene.copy_sending(SourceRegion=None),
    "24": lambda scene: scene.copy(SourceSnapshotId=ABSENT["snapshot"]),
    "25": lambda scene: scene.copy_sending(DestinationRegion="us-west-2"),
    "26": lambda scene: scene.copy(DryRun=True),
    "27": lambda scene: scene.copy(KmsKeyId="alias/denied"),
    "28": lambda scene: scene.create(Description="Ω"),
    "29": lambda scene: scene.use_in_images(2),
    "30": deregistered_twice,
    "31": image_name_twice,
    "32": lambda scene: scene.register("not a good name!"),
    "33": lambda scene: scene.ec2.describe_images(MaxResults=1),
    "34": lambda scene: scene.ec2.describe_images(MaxResults=5, ImageIds=[scene.account.add_image_of(scene.snapshot)]),
    "35": volume_of_a_pending_snapshot,
    "36": lambda scene: scene.copy_sending(PresignedUrl=OTHER_URL),
    "37": lambda scene: scene.copy_sending(PresignedUrl=OTHER_URL.replace("https", "ftp")),
    "38": lambda scene: scene.switched(scene.create, FAIL_VOLUMES={scene.volume: UNAUTHORIZED}),
}
# What comes about nowhere here.
NOT_HERE = {
    "08": "of 2013: EC2 says it in the words of 35 by now",
    "09": "the local AWS reads no signatures and no clocks",
    "10": "of 2019: EC2 says more by now, as in 19",
    "18": "of 2018: EC2 says more by now, as in 19",
    "39": "EC2 asks IAM about the tags of a creation apart, the switches refuse a call as a whole; 19 and 38 have the same form",
}


@pytest.fixture(scope="module")
def recorded() -> dict[str, corpus.ErrorAnswer]:
    """The errors of AWS by their numbers."""
    found = corpus.folder()
    if found is None:
        pytest.skip(corpus.why_skipped())
    return {name[:2]: error for name, error in corpus.errors(found)}


@pytest.mark.parametrize("number", WAYS)
def test_a_refusal_has_the_code_the_status_and_the_form_of_the_real_one(
    aws: LocalAws, recorded: dict[str, corpus.ErrorAnswer], number: str
) -> None:
    scene, real = Scene(aws), recorded[number]
    code, status, message = failure(lambda: WAYS[number](scene))
    assert (code, form(message)) == (real["Code"], form(real["Message"]))
    assert status == real.get("HTTPStatusCode", status)


def test_every_error_comes_about_here_or_says_why_not(recorded: dict[str, corpus.ErrorAnswer]) -> None:
    assert set(recorded) == set(WAYS) | set(NOT_HERE)
    assert not set(WAYS) & set(NOT_HERE)


def test_forms_tell_words_apart_and_not_names() -> None:
    same = form("The snapshot snap-00123456789abc001 is currently in use by ami-00123456789abc001")
    assert form("The snapshot snap-0a1b2c01 is currently in use by ami-0a1b2c02") == same
    assert form("The snapshot snap-0a1b2c01 is in use by ami-0a1b2c02") != same
    assert form("The snapshot snap-0a1b2c01 is currently in use by ami-0a1b2c02, ami-0a1b2c03") != same


def test_who_is_refused_what_and_why_is_told(aws: LocalAws) -> None:
    scene = Scene(aws)
    aws.switches.change({"FAIL_ACTIONS": {"DeleteSnapshot": UNAUTHORIZED}})
    message = failure(scene.delete)[2]
    assert re.match(
        r"You are not authorized to perform this operation\. "
        rf"User: arn:aws:sts::{ACCOUNT}:assumed-role/\S+ is not authorized to perform: ec2:DeleteSnapshot "
        rf"on resource: arn:aws:ec2:{REGION}::snapshot/{scene.snapshot} because no identity-based policy allows",
        message,
    )
    assert len(message) > 1000, "errors/38 has an encoded part of about its real length"
