"""Snapshots live, are copied and are deleted in the local AWS as in EC2. The real answers are those of shared/wire."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from account import Account
from answers import code_of, error_of, snapshot_tags, tags_in
from ec2_snapshots import NO_VOLUME
from local_aws import ACCOUNT, REGION, LocalAws

NOW = datetime.now(timezone.utc)
YESTERDAY = NOW - timedelta(days=1)
OTHER_REGION = "eu-west-1"
UNKNOWN = "snap-00123456789abc001"


@pytest.fixture
def source(account: Account) -> str:
    """A completed snapshot of an encrypted volume of 100 GiB."""
    return account.add_snapshot(account.add_volume(size=100, key="alias/ours"), YESTERDAY)


def shown(ec2: Any, id: str) -> dict[str, Any]:
    """A snapshot, asked for by its id."""
    [found] = ec2.describe_snapshots(SnapshotIds=[id])["Snapshots"]
    return found


def copied(ec2: Any, source: str, **more: Any) -> str:
    """Copy a snapshot within its Region."""
    return ec2.copy_snapshot(**{"SourceRegion": REGION, "SourceSnapshotId": source, **more})["SnapshotId"]


def what(snapshot: dict[str, Any]) -> tuple[Any, ...]:
    """What tells the states of a copy apart."""
    names = ("State", "StateMessage", "Progress", "VolumeSize", "Encrypted")
    return tuple(snapshot.get(name) for name in names)


# Ids and states.


def test_ids_have_seventeen_digits_of_which_the_first_is_nought(ec2: Any, account: Account) -> None:
    # shared/wire/README.md, DescribeSnapshots, snapshotId: without exception.
    volume = account.add_volume()
    made = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ids = [volume, made, account.add_instance(), account.add_snapshot(volume, NOW), account.add_image_of(made)]
    assert [(len(id.split("-")[1]), id.split("-")[1][0]) for id in ids] == [(17, "0")] * 5


def test_a_snapshot_of_a_volume_fails_with_the_words_that_a_test_wants(aws: LocalAws, ec2: Any, account: Account) -> None:
    bad, worse = account.add_volume(), account.add_volume()
    aws.switches.change({"SNAP_SECONDS": 0, "ERROR_MESSAGES": {bad: "Given key ID is not accessible"}, "ERROR_VOLUMES": worse})
    failed = shown(ec2, ec2.create_snapshot(VolumeId=bad)["SnapshotId"])
    assert (failed["State"], failed["StateMessage"]) == ("error", "Given key ID is not accessible")
    assert failed["Progress"] != "100%", "shared/wire/README.md, DescribeSnapshots, progress"
    silent = shown(ec2, ec2.create_snapshot(VolumeId=worse)["SnapshotId"])
    assert (silent["State"], silent.get("StateMessage")) == ("error", None)
    seeded = account.add_snapshot(bad, YESTERDAY, message="so it is")
    assert shown(ec2, seeded)["StateMessage"] == "so it is"


def test_the_full_size_is_of_whole_blocks_and_may_be_nought_or_absent(ec2: Any, account: Account) -> None:
    # describe-snapshots/20 is 0 bytes, 22 has none, 13 to 24 are multiples of 524288.
    volume = account.add_volume(size=7)
    sizes = [shown(ec2, account.add_snapshot(volume, YESTERDAY))["FullSnapshotSizeInBytes"] for _ in range(60)]
    assert {size % 524288 for size in sizes} == {0} and {0, 7 * 2**30} < set(sizes)
    theirs = account.add_snapshot(volume, YESTERDAY, owner="210987654321")
    assert "FullSnapshotSizeInBytes" not in shown(ec2, theirs)


def test_what_is_no_copy_can_have_no_volume_too(ec2: Any, account: Account) -> None:
    # describe-snapshots/14 and 15: made by EBS direct.
    made = shown(ec2, account.add_snapshot(NO_VOLUME, YESTERDAY, "made by EBS direct"))
    assert (made["VolumeId"], made["TransferType"], made["VolumeSize"]) == ("vol-ffffffff", "standard", 8)


# Copies.


def test_a_copy_knows_its_source_when_it_is_complete(aws: LocalAws, ec2: Any, source: str) -> None:
    aws.switches.change({"SNAP_SECONDS": 0.4})
    copy = copied(ec2, source, Description="a copy", TagSpecifications=snapshot_tags(("a", "b")))
    pending = shown(ec2, copy)
    assert what(pending) == ("pending", "Metadata not updated", "0%", 0, False), "describe-snapshots/27"
    assert (pending["VolumeId"], pending["Description"], tags_in(pending)) == ("vol-ffffffff", "a copy", {"a": "b"})
    time.sleep(0.5)
    completed = shown(ec2, copy)
    assert what(completed) == ("completed", None, "100%", 100, True), "describe-snapshots/17, 28"
    assert completed["KmsKeyId"].startswith(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/")
    assert completed["KmsKeyId"] != shown(ec2, source)["KmsKeyId"], "the default key: aws-live.md, 3"
    assert completed["FullSnapshotSizeInBytes"] == shown(ec2, source)["FullSnapshotSizeInBytes"]


def test_unfit_sources_are_accepted_and_end_in_error(aws: LocalAws, ec2: Any, account: Account) -> None:
    # shared/wire/README.md, CopySnapshot; the messages: its DescribeSnapshots, statusMessage.
    volume = account.add_volume()
    aws.switches.change({"SNAP_SECONDS": 60})
    pending = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    elsewhere = Account(aws, region=OTHER_REGION).add_snapshot("vol-00123456789abc001", YESTERDAY)
    theirs = Account(aws, account="210987654321").add_snapshot("vol-00123456789abc002", YESTERDAY)
    aws.switches.change({"SNAP_SECONDS": 0})
    messages = [what(shown(ec2, copied(ec2, each))) for each in (pending, elsewhere, theirs)]
    not_found = ("error", "Source snapshot is not found", "0%", 0, False)
    assert messages == [("error", "Source snapshot is not complete", "0%", 0, False), not_found, not_found]


def test_shared_snapshots_and_those_of_another_region_are_copied(aws: LocalAws, ec2: Any) -> None:
    aws.switches.change({"SNAP_SECONDS": 0})
    theirs = Account(aws, account="210987654321")
    shared = theirs.add_snapshot("vol-00123456789abc001", YESTERDAY)
    theirs.share(shared, ACCOUNT)
    elsewhere = Account(aws, region=OTHER_REGION).add_snapshot("vol-00123456789abc002", YESTERDAY)
    assert shown(ec2, copied(ec2, shared))["State"] == "completed"
    assert shown(ec2, copied(ec2, elsewhere, SourceRegion=OTHER_REGION))["State"] == "completed"


def test_keys_that_cannot_be_used_are_refused_at_once_or_end_in_error(aws: LocalAws, ec2: Any, source: str) -> None:
    aws.switches.change({"SNAP_SECONDS": 0, "KEYS": {"alias/a": "disabled", "alias/b": "missing", "alias/c": "denied", "alias/d": "inaccessible"}})
    refused = lambda key: error_of(ec2.copy_snapshot, SourceRegion=REGION, SourceSnapshotId=source, KmsKeyId=key)  # noqa: E731
    assert refused("alias/a") == ("InvalidParameterValue", 400, "The specified keyId alias/a is disabled"), "errors/04"
    assert refused("alias/b") == ("InvalidParameterValue", 400, "The specified keyId alias/b is invalid"), "errors/05"
    assert refused("alias/c") == ("AuthFailure", 403, "Not authorized to use key alias/c "), "errors/27"
    failed = shown(ec2, copied(ec2, source, KmsKeyId="alias/d"))
    assert what(failed) == ("error", "Given key ID is not accessible", "0%", 100, True), "describe-snapshots/30"
    assert failed["KmsKeyId"].startswith("arn:aws:kms:")


def test_a_time_based_copy_says_so(aws: LocalAws, ec2: Any, source: str) -> None:
    copy = shown(ec2, copied(ec2, source, CompletionDurationMinutes=30))
    assert (copy["TransferType"], copy["CompletionDurationMinutes"]) == ("time-based", 30)
    for wrong in (20, 1, 2895):
        with_duration = {"SourceRegion": REGION, "SourceSnapshotId": source, "CompletionDurationMinutes": wrong}
        assert code_of(ec2.copy_snapshot, **with_duration) == ("InvalidParameterValue", 400), "aws-live.md, 3, duration"


# Deletion.


def test_what_an_image_uses_is_not_deleted_until_the_last_one_is_gone(ec2: Any, account: Account) -> None:
    snapshot = account.add_snapshot(account.add_volume(), YESTERDAY)
    devices = [{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot}}]
    first, second = (
        ec2.register_image(Name=f"image {number}", RootDeviceName="/dev/sda1", BlockDeviceMappings=devices)["ImageId"] for number in (1, 2)
    )
    assert list(account.snapshots()) == [snapshot], "no image has a snapshot of its own"
    in_use = f"The snapshot {snapshot} is currently in use by {second}, {first}"
    assert error_of(ec2.delete_snapshot, SnapshotId=snapshot) == ("InvalidSnapshot.InUse", 400, in_use), "errors/29"
    assert code_of(ec2.delete_snapshot, SnapshotId=snapshot, DryRun=True) == ("DryRunOperation", 412), "errors/02"
    found = ec2.describe_images(Filters=[{"Name": "block-device-mapping.snapshot-id", "Values": [snapshot]}])["Images"]
    assert {each["ImageId"] for each in found} == {first, second}
    ec2.deregister_image(ImageId=first)
    in_use = f"The snapshot {snapshot} is currently in use by {second}"
    assert error_of(ec2.delete_snapshot, SnapshotId=snapshot) == ("InvalidSnapshot.InUse", 400, in_use), "errors/03"
    assert ec2.deregister_image(ImageId=second)["Return"] is True
    assert ec2.describe_images(ImageIds=[second])["Images"] == [], "describe-images/05"
    gone = f"The image ID '{second}' is no longer available"
    assert error_of(ec2.deregister_image, ImageId=second) == ("InvalidAMIID.Unavailable", 400, gone), "errors/30"
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert account.snapshots() == {}, "aws-live.md, 6: 0.8 s after the last image went"


def test_an_image_of_an_instance_has_a_snapshot_of_each_volume(ec2: Any, account: Account) -> None:
    instance = account.add_instance()
    image = ec2.create_image(InstanceId=instance, Name="of an instance")["ImageId"]
    [snapshot] = account.snapshots()
    assert shown(ec2, snapshot)["Description"] == f"Created by CreateImage({instance}) for {image}", "describe-snapshots/23"
    assert error_of(ec2.delete_snapshot, SnapshotId=snapshot)[2] == f"The snapshot {snapshot} is currently in use by {image}"


def test_deletion_is_refused_for_what_belongs_to_others_or_nobody_has(ec2: Any, account: Account) -> None:
    volume = account.add_volume()
    restored, backup = account.add_snapshot(volume, YESTERDAY), account.add_snapshot(volume, YESTERDAY)
    account.add_fast_restore(restored, f"{REGION}b")
    account.give_to_backup(backup)
    code, status, message = error_of(ec2.delete_snapshot, SnapshotId=restored)
    assert (code, status) == ("InvalidSnapshot.InUse", 400)
    assert message.startswith(f"The snapshot {restored} is currently enabled for fast restores in {REGION}b. Fast snapshot"), "errors/14"
    code, status, message = error_of(ec2.delete_snapshot, SnapshotId=backup)
    assert (code, status) == ("InvalidParameterValue", 400)
    assert message.startswith("This snapshot is managed by the AWS Backup service and cannot be deleted"), "errors/15"
    nobodys = ("InvalidSnapshot.NotFound", 400, f"The snapshot '{UNKNOWN}' does not exist.")
    assert error_of(ec2.delete_snapshot, SnapshotId=UNKNOWN) == nobodys, "errors/01"
    assert code_of(ec2.delete_snapshot, SnapshotId="snapshot 1") == ("InvalidSnapshotID.Malformed", 400)
    assert set(account.snapshots()) == {restored, backup}


# Images and volumes of snapshots.


def test_images_are_refused_as_ec2_refuses_them(ec2: Any, account: Account) -> None:
    theirs = account.add_snapshot(account.add_volume(), YESTERDAY, owner="210987654321")
    register = lambda name, snapshot: error_of(  # noqa: E731
        ec2.register_image, Name=name, BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot}}]
    )
    words = f"Invalid value '{theirs}' for snapshotId. Snapshot does not belong to {ACCOUNT}"
    assert register("theirs", theirs) == ("InvalidParameterValue", 400, words), "errors/06"
    assert register("nobody's", UNKNOWN)[0] == "InvalidAMIName.Malformed", "errors/32: no apostrophe"
    assert register("nobodys", UNKNOWN)[0] == "InvalidSnapshotID.NotFound", "README.md, Errors"
    taken = ec2.register_image(Name="taken")["ImageId"]
    assert register("taken", theirs) == ("InvalidAMIName.Duplicate", 400, f"AMI name taken is already in use by AMI {taken}"), "errors/31"
    assert code_of(ec2.describe_images, ImageIds=["ami-00123456789abc001"]) == ("InvalidAMIID.NotFound", 400)


def test_a_volume_is_made_of_a_complete_snapshot_and_at_least_as_large(aws: LocalAws, ec2: Any, account: Account) -> None:
    snapshot = account.add_snapshot(account.add_volume(size=20), YESTERDAY)
    made = ec2.create_volume(SnapshotId=snapshot, Size=1, AvailabilityZone=f"{REGION}a", VolumeType="gp3")
    assert (made["State"], made["Size"], made["Tags"]) == ("creating", 20, []), "create-volume/02"
    aws.switches.change({"SNAP_SECONDS": 60})
    pending = ec2.create_snapshot(VolumeId=made["VolumeId"])["SnapshotId"]
    words = "Snapshot is in invalid state - pending"
    assert error_of(ec2.create_volume, SnapshotId=pending, AvailabilityZone=f"{REGION}a") == ("IncorrectState", 400, words), "errors/35"
