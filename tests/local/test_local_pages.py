"""The pages of the local AWS are EC2's: short and empty ones have a token, and what is asked for by its id is seen at once."""

from __future__ import annotations

import base64
import json
import time
from datetime import datetime, timezone
from typing import Any

import pytest

from account import Account
from answers import code_of, error_of
from local_aws import LocalAws

NOW = datetime.now(timezone.utc)
TAGGED = [{"Name": "tag:a", "Values": ["b"]}]


def test_snapshots_come_in_pages_that_hold_each_of_them_once(ec2: Any, account: Account) -> None:
    volume = account.add_volume()
    made = {account.add_snapshot(volume, NOW) for _ in range(23)}
    pages = list(ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], PaginationConfig={"PageSize": 10}))
    assert [len(page["Snapshots"]) for page in pages] == [10, 10, 3]
    assert {each["SnapshotId"] for page in pages for each in page["Snapshots"]} == made


def test_pages_go_on_when_snapshots_are_deleted_between_them(ec2: Any, account: Account) -> None:
    volume = account.add_volume()
    made = {account.add_snapshot(volume, NOW) for _ in range(12)}
    first = ec2.describe_snapshots(OwnerIds=["self"], MaxResults=5)
    seen = [each["SnapshotId"] for each in first["Snapshots"]]
    for id in seen:
        ec2.delete_snapshot(SnapshotId=id)
    rest = ec2.describe_snapshots(OwnerIds=["self"], MaxResults=1000, NextToken=first["NextToken"])
    assert {each["SnapshotId"] for each in rest["Snapshots"]} == made - set(seen)
    assert "NextToken" not in rest


def test_volumes_come_in_pages(ec2: Any, account: Account) -> None:
    made = {account.add_volume({"a": "b"}) for _ in range(11)}
    pages = ec2.get_paginator("describe_volumes").paginate(
        Filters=[{"Name": "tag:a", "Values": ["b"]}], PaginationConfig={"PageSize": 5}
    )
    assert {volume["VolumeId"] for page in pages for volume in page["Volumes"]} == made


@pytest.mark.parametrize(("name", "key"), [("describe_volumes", "Volumes"), ("describe_snapshots", "Snapshots")])
def test_a_page_is_read_and_filtered_then(aws: LocalAws, ec2: Any, account: Account, name: str, key: str) -> None:
    # describe-security-groups/01 and 02: five asked for, two given, or none, and a token.
    ids = sorted(f"vol-{number:017x}" for number in range(1, 22))
    for number, id in enumerate(ids):
        account.add_volume({"a": "b"} if number in (1, 2, 20) else {}, id=id)
    if key == "Snapshots":
        made = sorted(account.add_snapshot(id, NOW) for id in ids)
        for number in (1, 2, 20):
            aws.ec2.tags[made[number]]["a"] = "b"
    pages = list(ec2.get_paginator(name).paginate(Filters=TAGGED, PaginationConfig={"PageSize": 5}))
    assert [len(page[key]) for page in pages] == [2, 0, 0, 0, 1]
    assert ["NextToken" in page for page in pages] == [True] * 4 + [False]
    assert all(1000 <= len(page["NextToken"]) <= 2000 for page in pages[:-1])


def test_small_accounts_have_short_pages_where_a_switch_says_so(aws: LocalAws, ec2: Any, account: Account) -> None:
    aws.switches.change({"PAGE_SCAN": 2})
    made = {account.add_volume() for _ in range(5)}
    pages = list(ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 1000}))
    assert [len(page["Volumes"]) for page in pages] == [2, 2, 1]
    assert {each["VolumeId"] for page in pages for each in page["Volumes"]} == made


def test_a_token_can_be_used_again_and_is_never_the_same(ec2: Any, account: Account) -> None:
    # shared/reference/aws-live.md, 1: "token used twice", "MaxResults omitted with a token".
    for _ in range(11):
        account.add_volume()
    token = ec2.describe_volumes(MaxResults=5)["NextToken"]
    first, second = (ec2.describe_volumes(MaxResults=5, NextToken=token) for _ in range(2))
    assert first["Volumes"] == second["Volumes"] and first["NextToken"] != second["NextToken"]
    rest = ec2.describe_volumes(NextToken=token)
    assert len(rest["Volumes"]) == 6 and "NextToken" not in rest
    for volume in list(account.volumes()):
        account.delete_volume(volume)
    empty = ec2.describe_volumes(MaxResults=5, NextToken=token)
    assert empty["Volumes"] == [] and "NextToken" not in empty, "aws-live.md, 1: token after all was deleted"


def test_pages_are_refused_as_ec2_refuses_them(ec2: Any, account: Account) -> None:
    volumes = [account.add_volume() for _ in range(6)]
    snapshot = account.add_snapshot(volumes[0], NOW)
    # errors/33, 34; the latter comes first: aws-live.md, 1.
    assert error_of(ec2.describe_volumes, MaxResults=4) == (
        "InvalidParameterValue", 400, "Invalid value '4' for maxResults. Expecting a value greater than 5."
    )
    assert error_of(ec2.describe_volumes, MaxResults=1, VolumeIds=volumes) == (
        "InvalidParameterCombination", 400, "The parameter volumeIdsSet cannot be used with the parameter maxResults"
    )
    for page in ({"MaxResults": 5}, {"NextToken": "x"}):
        assert code_of(ec2.describe_snapshots, SnapshotIds=[snapshot], **page) == ("InvalidParameterCombination", 400)
    # aws-live.md, 1, "malformed token of DescribeVolumes": the words; the code was not recorded.
    for malformed in ("made up", "e30=", base64.b64encode(json.dumps({"v": "2", "c": "x"}).encode()).decode()):
        assert error_of(ec2.describe_volumes, MaxResults=5, NextToken=malformed)[2] == "Unable to parse pagination token"


def test_a_token_of_other_filters_finds_nothing_and_one_of_another_action_is_refused(ec2: Any, account: Account) -> None:
    for _ in range(6):
        account.add_volume()
    token = ec2.describe_volumes(MaxResults=5)["NextToken"]
    # aws-live.md, 1, "DescribeVolumes: token with another filter".
    found = ec2.describe_volumes(MaxResults=5, NextToken=token, Filters=[{"Name": "status", "Values": ["available"]}])
    assert found["Volumes"] == [] and "NextToken" not in found
    # errors/11, of security groups.
    assert error_of(ec2.describe_snapshots, MaxResults=5, NextToken=token) == (
        "InvalidParameterValue", 400, f"invalid value for parameter next-token: {token}"
    )


def test_one_unknown_id_fails_the_whole_call_and_two_hundred_known_ones_are_shown(ec2: Any, account: Account) -> None:
    volume = account.add_volume()
    made = [account.add_snapshot(volume, NOW) for _ in range(200)]
    assert {each["SnapshotId"] for each in ec2.describe_snapshots(SnapshotIds=made)["Snapshots"]} == set(made)
    unknown = "snap-00123456789abc001"
    # errors/01.
    assert error_of(ec2.describe_snapshots, SnapshotIds=[*made[:199], unknown]) == (
        "InvalidSnapshot.NotFound", 400, f"The snapshot '{unknown}' does not exist."
    )


def listed(ec2: Any, **parameters: Any) -> set[str]:
    """The snapshots of a listing."""
    return {each["SnapshotId"] for each in ec2.describe_snapshots(OwnerIds=["self"], **parameters)["Snapshots"]}


def test_listings_can_lag_behind_while_reads_by_id_see_everything(aws: LocalAws, ec2: Any, account: Account) -> None:
    volume = account.add_volume()
    old = account.add_snapshot(volume, NOW)
    aws.switches.change({"LISTING_LAG": 0.5})
    new = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    # describe-snapshots/12: by its id 0.2 s after it was made. How far listings lag behind was never measured.
    assert [each["SnapshotId"] for each in ec2.describe_snapshots(SnapshotIds=[new])["Snapshots"]] == [new]
    assert listed(ec2) == listed(ec2, MaxResults=5) == {old}
    time.sleep(0.6)
    assert listed(ec2) == listed(ec2, MaxResults=5) == {old, new}


def test_listings_can_hide_what_is_made_for_ever(aws: LocalAws, ec2: Any, account: Account) -> None:
    aws.switches.change({"NEVER_LISTED": True, "SNAP_SECONDS": 0})
    instance = account.add_instance()
    old = account.add_snapshot(account.add_volume(), NOW)
    one = ec2.create_snapshot(VolumeId=account.add_volume())["SnapshotId"]
    (two,) = (each["SnapshotId"] for each in ec2.create_snapshots(InstanceSpecification={"InstanceId": instance})["Snapshots"])
    copy = ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=one)["SnapshotId"]
    assert listed(ec2) == {old}
    shown = ec2.describe_snapshots(SnapshotIds=[one, two, copy])["Snapshots"]
    assert {each["State"] for each in shown} == {"completed"}
    aws.switches.change({"NEVER_LISTED": False})
    assert listed(ec2) == {old}, "it is decided when a snapshot is made"
