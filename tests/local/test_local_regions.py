"""Each Region of the local AWS has volumes, instances, snapshots and images of its own, and the rules and switches are alike in all."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from account import Account
from answers import code_of
from local_aws import REGION, THERE, LocalAws

YESTERDAY = datetime.now(timezone.utc) - timedelta(days=1)


def listed(ec2: Any, **more: Any) -> set[str]:
    """The ids in a listing of our snapshots, all of its pages."""
    pages = ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], **more)
    return {each["SnapshotId"] for page in pages for each in page["Snapshots"]}


def test_a_region_shows_what_is_in_it_and_nothing_else(account: Account, there: Account, ec2: Any, ec2_there: Any) -> None:
    for each in (account, there):
        each.add_image_of(each.add_snapshot(each.add_data_volume(each.add_instance()), YESTERDAY))
    for client, inside in ((ec2, account), (ec2_there, there)):
        assert {each["VolumeId"] for each in client.describe_volumes()["Volumes"]} == set(inside.volumes())
        assert {each["Instances"][0]["InstanceId"] for each in client.describe_instances()["Reservations"]} == set(inside.instances())
        assert listed(client) == set(inside.snapshots())
        assert len(client.describe_images(Owners=["self"])["Images"]) == 1
    assert not set(account.snapshots()) & set(there.snapshots())
    zones = {each["AvailabilityZone"] for each in ec2_there.describe_volumes()["Volumes"]}
    assert zones == {f"{THERE}a"}


def test_what_is_in_another_region_does_not_exist_here(ec2: Any, there: Account) -> None:
    volume = there.add_volume()
    snapshot = there.add_snapshot(volume, YESTERDAY)
    assert code_of(ec2.create_snapshot, VolumeId=volume) == ("InvalidVolume.NotFound", 400)
    assert code_of(ec2.describe_snapshots, SnapshotIds=[snapshot]) == ("InvalidSnapshot.NotFound", 400)
    assert code_of(ec2.delete_snapshot, SnapshotId=snapshot) == ("InvalidSnapshot.NotFound", 400)
    assert set(there.snapshots()) == {snapshot}


def test_pages_and_lag_are_the_same_in_each_region(aws: LocalAws, there: Account, ec2_there: Any) -> None:
    volume = there.add_volume()
    old = {there.add_snapshot(volume, YESTERDAY) for _ in range(9)}
    aws.switches.change({"PAGE_SCAN": 2, "LISTING_LAG": 60})
    new = ec2_there.create_snapshot(VolumeId=volume)["SnapshotId"]
    assert listed(ec2_there, MaxResults=5) == old, "the new one is missing in listings"
    assert len([call for call in aws.wire.calls_in(THERE) if call.MorePages]) == 4
    assert len(ec2_there.describe_snapshots(SnapshotIds=[new])["Snapshots"]) == 1


def test_the_log_says_which_call_went_to_which_region(aws: LocalAws, ec2: Any, ec2_there: Any) -> None:
    ec2.describe_volumes()
    ec2_there.describe_snapshots(OwnerIds=["self"])
    assert [(call.Action, call.Region) for call in aws.wire.calls_since(0)] == [
        ("DescribeVolumes", REGION),
        ("DescribeSnapshots", THERE),
    ]
    assert [call.Action for call in aws.wire.calls_in(THERE)] == ["DescribeSnapshots"]


def test_a_copy_touches_its_source_in_the_other_region(aws: LocalAws, account: Account, ec2_there: Any) -> None:
    source = account.add_snapshot(account.add_volume(), YESTERDAY, tags={"a": "b"})
    ec2_there.copy_snapshot(SourceRegion=REGION, SourceSnapshotId=source)
    [call] = aws.wire.calls_in(THERE)
    assert call.Touched == {source: {"a": "b"}}


def test_a_reset_empties_every_region(aws: LocalAws, there: Account) -> None:
    forgotten = there.add_snapshot(there.add_volume(), YESTERDAY)
    aws.reset()
    assert (there.snapshots(), there.volumes()) == ({}, {})
    copy = aws.client("ec2", THERE).copy_snapshot
    assert code_of(copy, SourceRegion=THERE, SourceSnapshotId=forgotten) == ("InvalidParameterValue", 400), "an id that nobody had"
