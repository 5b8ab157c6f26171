"""The local AWS does what EC2 does, where opendlm depends on it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import switches as switches_module
from account import Account
from answers import code_of, outcome, snapshot_tags
from local_aws import ACCOUNT, REGION, LocalAws
from switches import read_codes

NOW = datetime.now(timezone.utc)
TAGS_50 = [{"Key": f"key {number}", "Value": "value"} for number in range(50)]


def test_owner_ids_leave_out_the_snapshots_of_others(ec2: Any, account: Account) -> None:
    mine = account.add_snapshot(account.add_volume(), NOW)
    theirs = account.add_snapshot("vol-0123456789abcdef0", NOW, owner="210987654321")
    ids = lambda **parameters: {each["SnapshotId"] for each in ec2.describe_snapshots(**parameters)["Snapshots"]}  # noqa: E731
    assert ids(OwnerIds=["self"]) == ids(OwnerIds=[ACCOUNT]) == {mine}
    assert ids(OwnerIds=["210987654321"]) == {theirs}
    assert ids() == {mine, theirs}
    assert code_of(ec2.delete_snapshot, SnapshotId=theirs) == ("UnauthorizedOperation", 403)


def test_a_snapshot_is_pending_for_a_while_and_then_completed(aws: LocalAws, ec2: Any, account: Account) -> None:
    aws.switches.change({"SNAP_SECONDS": 0.6})
    made = ec2.create_snapshot(VolumeId=account.add_volume(), Description="one")
    assert made["State"] == "pending"
    (pending,) = ec2.describe_snapshots(SnapshotIds=[made["SnapshotId"]])["Snapshots"]
    assert made["Progress"] == "", "create-snapshot/04"
    assert pending["State"] == "pending" and "CompletionTime" not in pending
    assert pending["Progress"] in ("0%", "99%"), "describe-snapshots/08, 12"
    assert pending["StartTime"] == made["StartTime"], "create-snapshot/04, describe-snapshots/12"
    time.sleep(0.7)
    (completed,) = ec2.describe_snapshots(Filters=[{"Name": "status", "Values": ["completed"]}])["Snapshots"]
    assert completed["State"] == "completed" and completed["Progress"] == "100%"
    assert completed["CompletionTime"] - completed["StartTime"] == timedelta(seconds=0.6)
    assert (pending["TransferType"], completed["TransferType"]) == ("standard", "standard"), "describe-snapshots/12, 13"


def test_a_snapshot_can_end_in_error(aws: LocalAws, ec2: Any, account: Account) -> None:
    volume = account.add_volume()
    aws.switches.change({"SNAP_SECONDS": 0, "ERROR_VOLUMES": volume})
    ec2.create_snapshot(VolumeId=volume)
    assert [each["State"] for each in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]] == ["error"]


def test_filters_know_wildcards_and_take_a_backslash_literally(ec2: Any, account: Account) -> None:
    volume = account.add_volume()
    plain = account.add_snapshot(volume, NOW, "Created for policy: p1 schedule: A", {"owner": "us"})
    starred = account.add_snapshot(volume, NOW, "Created for policy: p* schedule: A", {"owner": "us"})
    account.add_snapshot(volume, NOW, "created for policy: p1 schedule: A", {"owner": "them"})

    def ids(*filters: tuple[str, str]) -> set[str]:
        wanted = [{"Name": name, "Values": [value]} for name, value in filters]
        return {each["SnapshotId"] for each in ec2.describe_snapshots(Filters=wanted)["Snapshots"]}

    assert ids(("description", "Created for policy: p? schedule: *")) == {plain, starred}
    assert ids(("description", r"Created for policy: p\* schedule: *")) == {starred}
    assert ids(("tag:owner", "us"), ("description", "Created for policy: p1 *")) == {plain}
    assert ids(("tag-key", "own*"), ("tag:owner", "them"), ("volume-id", volume)) == ids(("description", "created*"))
    assert ids(("tag:owner", "US")) == set()
    assert code_of(ec2.describe_snapshots, Filters=[{"Name": "colour", "Values": ["red"]}])[0] == "InvalidParameterValue"
    # Amazon EC2 User Guide, "List and filter using the CLI and API", shows them of descriptions and tags; of ids nobody knows.
    assert ids(("volume-id", volume)) and ids(("volume-id", "vol-*")) == set()
    many = [{"Name": "volume-id", "Values": [f"vol-{number:017x}" for number in range(201)]}]
    assert code_of(ec2.describe_snapshots, Filters=many)[0] == "FilterLimitExceeded"


def test_bad_tags_are_refused_and_make_nothing(ec2: Any, account: Account) -> None:
    volume = account.add_volume()

    def refused(*tags: tuple[str, str]) -> str:
        return code_of(ec2.create_snapshot, VolumeId=volume, TagSpecifications=snapshot_tags(*tags))[0]

    assert refused(("aws:dlm:lifecycle-policy-id", "policy-1")) == "InvalidParameterValue"
    assert refused(("AWS:x", "y")) == "InvalidParameterValue"
    assert refused(("twice", "1"), ("twice", "2")) == "InvalidParameterValue"
    assert refused(("k" * 129, "v")) == refused(("k", "v" * 257)) == refused(("", "v")) == "InvalidParameterValue"
    assert refused(*[(f"key {number}", "") for number in range(51)]) == "TagLimitExceeded"
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


def test_a_resource_holds_fifty_tags(ec2: Any, account: Account) -> None:
    volume = account.add_volume()
    ec2.create_tags(Resources=[volume], Tags=TAGS_50)
    assert code_of(ec2.create_tags, Resources=[volume], Tags=[{"Key": "more", "Value": ""}])[0] == "TagLimitExceeded"
    assert code_of(ec2.create_tags, Resources=[volume], Tags=[{"Key": "aws:x", "Value": ""}])[0] == "InvalidParameterValue"
    (shown,) = ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
    assert len(shown["Tags"]) == 50


def test_a_volume_that_is_not_there_yet_cannot_be_snapshotted(ec2: Any, account: Account) -> None:
    volume = account.add_volume(status="creating")
    assert [each["State"] for each in ec2.describe_volumes()["Volumes"]] == ["creating"]
    assert code_of(ec2.create_snapshot, VolumeId=volume)[0] == "IncorrectState"
    assert code_of(ec2.create_snapshot, VolumeId="vol-0123456789abcdef0")[0] == "InvalidVolume.NotFound"


def test_an_attached_volume_shows_its_instance(ec2: Any, account: Account) -> None:
    account.add_volume(attached=True)
    (volume,) = ec2.describe_volumes(Filters=[{"Name": "attachment.status", "Values": ["attached"]}])["Volumes"]
    assert volume["State"] == "in-use"
    assert volume["Attachments"][0]["InstanceId"].startswith("i-")


def test_buckets_let_a_burst_through_and_then_throttle(aws: LocalAws, ec2: Any, account: Account) -> None:
    aws.switches.change({"BUCKETS": True})
    volume = account.add_volume()
    codes = [outcome(ec2.create_snapshot, VolumeId=volume) for _ in range(130)]
    assert set(codes[:100]) == {"made"}
    assert ("RequestLimitExceeded", 503) in codes
    assert outcome(ec2.delete_snapshot, SnapshotId="snap-0123456789abcdef0") == ("InvalidSnapshot.NotFound", 400)


def test_a_describe_of_everything_has_a_smaller_bucket(aws: LocalAws, ec2: Any) -> None:
    aws.switches.change({"BUCKETS": True})
    filters = [{"Name": "status", "Values": ["available"]}]
    assert {outcome(ec2.describe_volumes, Filters=filters) for _ in range(80)} == {"made"}
    assert ("RequestLimitExceeded", 503) in {outcome(ec2.describe_volumes) for _ in range(80)}


def test_chosen_resources_and_actions_fail_with_the_code_that_was_asked_for(aws: LocalAws, ec2: Any, account: Account) -> None:
    bad, worse, good = (account.add_volume() for _ in range(3))
    snapshot = account.add_snapshot(good, NOW)
    aws.switches.change({"FAIL_VOLUMES": f"{bad}:SnapshotLimitExceeded,{worse}", "FAIL_DELETES": f"{snapshot}:SomeCode"})
    assert code_of(ec2.create_snapshot, VolumeId=bad) == ("SnapshotLimitExceeded", 400)
    assert code_of(ec2.create_snapshot, VolumeId=worse) == ("InternalError", 500)
    assert outcome(ec2.create_snapshot, VolumeId=good) == "made"
    assert code_of(ec2.delete_snapshot, SnapshotId=snapshot) == ("SomeCode", 400)
    aws.switches.change({"FAIL_ACTIONS": "DescribeVolumes:UnauthorizedOperation"})
    assert code_of(ec2.describe_volumes) == ("UnauthorizedOperation", 403)


def test_an_answer_can_get_lost_after_the_call_took_effect(aws: LocalAws, ec2: Any, account: Account) -> None:
    volume = account.add_volume()
    aws.switches.change({"LOST_ANSWERS": 1})
    assert code_of(ec2.create_snapshot, VolumeId=volume) == ("InternalError", 500)
    assert len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 1
    assert [(call.Action, call.Lost) for call in aws.wire.calls_since(0)] == [
        ("CreateSnapshot", True),
        ("DescribeSnapshots", False),
    ]


def test_throttling_at_random_is_the_same_for_the_same_seed(aws: LocalAws, ec2: Any) -> None:
    def drawn() -> list[Any]:
        aws.switches.change({"THROTTLE": 0.5, "SEED": 7})
        return [outcome(ec2.describe_volumes) for _ in range(20)]

    first = drawn()
    assert first == drawn()
    assert set(first) == {"made", ("RequestLimitExceeded", 503)}


def test_an_action_that_moto_lacks_is_a_clear_error(ec2: Any) -> None:
    assert code_of(ec2.describe_fast_snapshot_restores) == ("InvalidAction", 400)


def test_switches_and_calls_are_reached_over_http(aws: LocalAws, ec2: Any) -> None:
    changed = admin(aws, "switches", {"LATENCY_MS": 50})
    assert changed["LATENCY_MS"] == 50
    began = time.monotonic()
    ec2.describe_volumes(MaxResults=5)
    assert time.monotonic() - began >= 0.05
    (call,) = admin(aws, "calls")
    assert (call["Action"], call["Parameters"], call["HttpStatus"], call["Rows"]) == ("DescribeVolumes", {"MaxResults": "5"}, 200, 0)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        admin(aws, "switches", {"LATENCY_MS": 1, "NO_SUCH_SWITCH": 1})
    assert aws.switches.LATENCY_MS == 50


def admin(aws: LocalAws, path: str, body: Any = None) -> Any:
    """Call an admin path."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"{aws.url}/opendlm-local/{path}", data) as answer:
        return json.load(answer)


def test_a_name_without_a_code_takes_the_next_code_to_its_right() -> None:
    assert read_codes("a,b:Code,c") == {"a": "Code", "b": "Code", "c": "InternalError"}


def test_switches_are_read_from_the_environment() -> None:
    read = switches_module.from_environment({"BUCKETS": "1", "SNAP_SECONDS": "0.5", "ERROR_VOLUMES": "vol-1,vol-2", "OTHER": "x"})
    assert (read.BUCKETS, read.SNAP_SECONDS, read.ERROR_VOLUMES) == (True, 0.5, {"vol-1", "vol-2"})


def test_looking_tags_up_stays_fast_with_thousands_of_resources(ec2: Any, account: Account) -> None:
    for number in range(5000):
        volume = account.add_volume({"auto-backup": "dlm", "number": str(number)})
        for _ in range(4):
            account.add_snapshot(volume, NOW, f"Created for policy: p schedule: {number % 7}", {"opendlm:policy-id": "p"})
    began = time.monotonic()
    page = ec2.describe_volumes(Filters=[{"Name": "tag:auto-backup", "Values": ["dlm"]}], MaxResults=1000)
    pages = ec2.get_paginator("describe_volumes").paginate(
        Filters=[{"Name": "tag:number", "Values": ["4999"]}], PaginationConfig={"PageSize": 1000}
    )
    assert sum(len(each["Volumes"]) for each in pages) == 1
    snapshots = ec2.describe_snapshots(
        OwnerIds=["self"],
        Filters=[{"Name": "tag:opendlm:policy-id", "Values": ["p"]}, {"Name": "description", "Values": ["*schedule: 3"]}],
    )
    # Stock moto takes more than a minute for the first of these calls.
    assert time.monotonic() - began < 10
    wanted = 4 * len([number for number in range(5000) if number % 7 == 3])
    assert (len(page["Volumes"]), len(snapshots["Snapshots"])) == (1000, wanted)
