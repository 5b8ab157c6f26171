"""The local AWS knows instances and sets of snapshots as EC2 does."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from account import Account
from answers import code_of, outcome, snapshot_tags, tags_in
from local_aws import LocalAws

NOW = datetime.now(timezone.utc)


@pytest.fixture
def web(account: Account) -> str:
    """An instance with a root volume and two data volumes."""
    instance = account.add_instance({"auto-backup": "dlm"}, root_tags={"Name": "root"})
    for number in (1, 2):
        account.add_data_volume(instance, {"Name": f"data {number}", "aws:cloudformation:stack-name": "web"})
    return instance


def volumes_of(account: Account, instance: str) -> tuple[str, ...]:
    """The volumes of an instance: root first, then the data volumes."""
    return account.instances()[instance].volumes


def specification(instance: str, **more: Any) -> dict[str, Any]:
    """The parameters of a CreateSnapshots call."""
    return {"InstanceSpecification": {"InstanceId": instance, **more}}


def test_a_set_has_a_snapshot_of_each_volume_and_one_start(aws: LocalAws, ec2: Any, account: Account, web: str) -> None:
    aws.switches.change({"SNAP_SECONDS": 0.6})
    tags = snapshot_tags(("a", "b"))
    made = ec2.create_snapshots(**specification(web), Description="a set", TagSpecifications=tags)["Snapshots"]
    assert [each["VolumeId"] for each in made] == list(volumes_of(account, web))
    assert {(each["State"], each["Description"], each["OwnerId"]) for each in made} == {("pending", "a set", "123456789012")}
    assert [tags_in(each) for each in made] == [{"a": "b"}] * 3
    shown = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert {each["SnapshotId"] for each in shown} == {each["SnapshotId"] for each in made}
    # create-snapshots/01 has whole seconds, describe-snapshots/08 milliseconds of the same snapshots.
    [started], [shown_start] = {each["StartTime"] for each in made}, {each["StartTime"] for each in shown}
    assert started == shown_start.replace(microsecond=0)
    assert {each["State"] for each in shown} == {"pending"}
    time.sleep(0.7)
    assert {each["State"] for each in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]} == {"completed"}


def test_the_root_volume_and_chosen_data_volumes_are_left_out(ec2: Any, account: Account, web: str) -> None:
    root, one, two = volumes_of(account, web)
    taken = lambda **more: [each["VolumeId"] for each in ec2.create_snapshots(**specification(web, **more))["Snapshots"]]  # noqa: E731
    assert taken(ExcludeBootVolume=True) == [one, two]
    assert taken(ExcludeBootVolume=False, ExcludeDataVolumeIds=[two]) == [root, one]
    assert taken(ExcludeBootVolume=True, ExcludeDataVolumeIds=[one]) == [two]


def test_what_cannot_be_excluded_is_refused_and_makes_nothing(ec2: Any, account: Account, web: str) -> None:
    root, one, two = volumes_of(account, web)
    other = account.add_volume()
    refused = lambda **more: code_of(ec2.create_snapshots, **specification(web, **more))  # noqa: E731
    assert refused(ExcludeDataVolumeIds=[root]) == ("InvalidParameterValue", 400)
    assert refused(ExcludeDataVolumeIds=[other]) == ("InvalidParameterValue", 400)
    assert refused(ExcludeDataVolumeIds=["vol-0123456789abcdef0"]) == ("InvalidVolume.NotFound", 400)
    assert refused(ExcludeBootVolume=True, ExcludeDataVolumeIds=[one, two]) == ("InvalidParameterValue", 400)
    assert refused(ExcludeDataVolumeIds=[one] * 41) == ("InvalidParameterValue", 400)
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


def test_forty_volumes_can_be_excluded(ec2: Any, account: Account) -> None:
    instance = account.add_instance()
    data = [account.add_data_volume(instance) for _ in range(41)]
    made = ec2.create_snapshots(**specification(instance, ExcludeBootVolume=True, ExcludeDataVolumeIds=data[:40]))
    assert [each["VolumeId"] for each in made["Snapshots"]] == data[40:]


def test_tags_are_copied_from_each_volume_and_explicit_ones_win(ec2: Any, account: Account, web: str) -> None:
    wanted = {**specification(web, ExcludeBootVolume=True), "CopyTagsFromSource": "volume"}
    made = ec2.create_snapshots(**wanted, TagSpecifications=snapshot_tags(("a", "b")))["Snapshots"]
    assert [tags_in(each) for each in made] == [{"Name": f"data {number}", "a": "b"} for number in (1, 2)]
    made = ec2.create_snapshots(**wanted, TagSpecifications=snapshot_tags(("Name", "mine")))["Snapshots"]
    shown = ec2.describe_snapshots(SnapshotIds=[each["SnapshotId"] for each in made])["Snapshots"]
    assert [tags_in(each) for each in shown] == [{"Name": "mine"}] * 2
    reserved = snapshot_tags(("aws:a", "b"))
    assert code_of(ec2.create_snapshots, **specification(web), TagSpecifications=reserved) == ("InvalidParameterValue", 400)


def test_copied_and_explicit_tags_together_are_held_to_fifty(ec2: Any, account: Account) -> None:
    instance = account.add_instance()
    account.add_data_volume(instance, {f"key {number}": "" for number in range(49)} | {"aws:a": "not counted"})
    wanted = {**specification(instance), "CopyTagsFromSource": "volume"}
    assert code_of(ec2.create_snapshots, **wanted, TagSpecifications=snapshot_tags(("a", ""), ("b", "")))[0] == "TagLimitExceeded"
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    assert outcome(ec2.create_snapshots, **wanted, TagSpecifications=snapshot_tags(("a", ""), ("key 1", ""))) == "made"


def test_a_set_with_one_failing_member_ends_in_error_as_a_whole(aws: LocalAws, ec2: Any, account: Account, web: str) -> None:
    _, one, two = volumes_of(account, web)
    aws.switches.change({"SNAP_SECONDS": 0, "ERROR_VOLUMES": one})
    ec2.create_snapshots(**specification(web))
    shown = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert [each["State"] for each in shown] == ["error"] * 3
    made = ec2.create_snapshots(**specification(web, ExcludeDataVolumeIds=[one]))["Snapshots"]
    shown = ec2.describe_snapshots(SnapshotIds=[each["SnapshotId"] for each in made])["Snapshots"]
    assert {each["State"] for each in shown} == {"completed"}


def test_chosen_instances_and_members_fail_the_whole_call(aws: LocalAws, ec2: Any, account: Account, web: str) -> None:
    other = account.add_instance()
    _, one, _ = volumes_of(account, web)
    aws.switches.change({"FAIL_INSTANCES": f"{web}:SnapshotLimitExceeded"})
    assert code_of(ec2.create_snapshots, **specification(web)) == ("SnapshotLimitExceeded", 400)
    assert outcome(ec2.create_snapshots, **specification(other)) == "made"
    aws.switches.change({"FAIL_INSTANCES": {}, "FAIL_VOLUMES": {one: "InternalError"}})
    assert code_of(ec2.create_snapshots, **specification(web)) == ("InternalError", 500)
    assert outcome(ec2.create_snapshots, **specification(web, ExcludeDataVolumeIds=[one])) == "made"
    assert len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 1 + 2


def test_instances_that_cannot_be_snapshotted_are_refused(ec2: Any, account: Account) -> None:
    refused = lambda instance: code_of(ec2.create_snapshots, **specification(instance))  # noqa: E731
    assert refused(account.add_instance(state="shutting-down")) == ("IncorrectState", 400)
    assert refused(account.add_instance(hibernates=True)) == ("UnsupportedOperation", 400)
    assert refused("i-0123456789abcdef0") == ("InvalidInstanceID.NotFound", 400)
    assert refused("instance 1") == ("InvalidInstanceID.Malformed", 400)
    assert outcome(ec2.create_snapshots, **specification(account.add_instance(state="stopped"))) == "made"


def test_a_terminated_instance_has_no_volumes_and_loses_its_root(ec2: Any, account: Account, web: str) -> None:
    root, one, two = volumes_of(account, web)
    account.set_state(web, "terminated")
    assert code_of(ec2.create_snapshots, **specification(web)) == ("IncorrectState", 400)
    assert [each["VolumeId"] for each in ec2.describe_volumes()["Volumes"]] == sorted([one, two])
    (shown,) = instances_in(ec2.describe_instances(InstanceIds=[web]))
    assert (shown["State"], shown["BlockDeviceMappings"]) == ({"Code": 48, "Name": "terminated"}, [])
    assert shown["StateReason"]["Code"] == "Client.UserInitiatedShutdown"


def test_the_call_is_logged_with_all_that_it_made(aws: LocalAws, ec2: Any, web: str) -> None:
    made = ec2.create_snapshots(**specification(web, ExcludeBootVolume=True))["Snapshots"]
    (call,) = aws.wire.calls_since(0)
    assert call.Action == "CreateSnapshots"
    assert call.Parameters["InstanceSpecification.InstanceId"] == web
    assert call.Result == ", ".join(each["SnapshotId"] for each in made)


def test_sets_have_a_bucket_of_their_own(aws: LocalAws, ec2: Any, account: Account) -> None:
    aws.switches.change({"BUCKETS": True})
    instance = account.add_instance()
    outcomes = [outcome(ec2.create_snapshots, **specification(instance)) for _ in range(130)]
    assert set(outcomes[:100]) == {"made"}
    assert ("RequestLimitExceeded", 503) in outcomes
    assert outcome(ec2.create_snapshot, VolumeId=volumes_of(account, instance)[0]) == "made"


def instances_in(*answers: dict[str, Any]) -> list[dict[str, Any]]:
    """The instances of answers."""
    return [each for answer in answers for reservation in answer["Reservations"] for each in reservation["Instances"]]


def test_instances_come_in_pages_that_hold_each_of_them_once(ec2: Any, account: Account) -> None:
    made = {account.add_instance({"a": "b"}) for _ in range(11)}
    account.add_instance({"a": "c"})
    wanted = [{"Name": "tag:a", "Values": ["b"]}, {"Name": "instance-state-name", "Values": ["running", "stopped"]}]
    pages = list(ec2.get_paginator("describe_instances").paginate(Filters=wanted, PaginationConfig={"PageSize": 5}))
    # EC2 reads a page and filters it then (describe-security-groups/01), here of twelve instances.
    assert len(pages) == 3 and max(len(instances_in(page)) for page in pages) <= 5
    assert {each["InstanceId"] for each in instances_in(*pages)} == made
    assert code_of(ec2.describe_instances, MaxResults=4) == ("InvalidParameterValue", 400)
    assert code_of(ec2.describe_instances, MaxResults=5, InstanceIds=[*made]) == ("InvalidParameterCombination", 400)
    assert code_of(ec2.describe_instances, InstanceIds=["i-0123456789abcdef0"]) == ("InvalidInstanceID.NotFound", 400)
    assert code_of(ec2.describe_instances, InstanceIds=["vol-1"]) == ("InvalidInstanceID.Malformed", 400)


def test_instances_are_filtered_by_id_state_and_tag(ec2: Any, account: Account) -> None:
    running, stopped = account.add_instance({"a": "b"}), account.add_instance({"a": "b"}, state="stopped")

    def ids(name: str, *values: str) -> set[str]:
        return {each["InstanceId"] for each in instances_in(ec2.describe_instances(Filters=[{"Name": name, "Values": values}]))}

    assert ids("instance-state-name", "stopped", "stopping") == {stopped}
    assert ids("instance-id", running, "i-0123456789abcdef0") == {running}
    assert ids("tag:a", "b") == ids("tag-key", "a") == {running, stopped}
    assert ids("block-device-mapping.volume-id", volumes_of(account, stopped)[0]) == {stopped}
    assert ids("tag:a", "B") == set()


def test_an_instance_shows_its_devices_and_its_volumes_show_it(ec2: Any, account: Account, web: str) -> None:
    (shown,) = instances_in(ec2.describe_instances(InstanceIds=[web]))
    devices = {each["DeviceName"]: each["Ebs"] for each in shown["BlockDeviceMappings"]}
    assert [each["VolumeId"] for each in devices.values()] == list(volumes_of(account, web))
    assert devices[shown["RootDeviceName"]]["DeleteOnTermination"] is True
    assert (tags_in(shown), shown["HibernationOptions"]) == ({"auto-backup": "dlm"}, {"Configured": False})
    rows = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [web]}])["Volumes"]
    seen = {each["Attachments"][0]["Device"]: each["VolumeId"] for each in rows}
    assert seen == {name: ebs["VolumeId"] for name, ebs in devices.items()}
    assert {(each["State"], each["VolumeType"]) for each in rows} == {("in-use", "gp3")}


def test_a_multi_attach_volume_has_an_attachment_for_each_instance(ec2: Any, account: Account) -> None:
    one, two, three = (account.add_instance() for _ in range(3))
    shared = account.add_volume(multi_attach=True)
    account.attach(shared, one)
    account.attach(shared, two)
    (shown,) = ec2.describe_volumes(VolumeIds=[shared])["Volumes"]
    assert [each["InstanceId"] for each in shown["Attachments"]] == [one, two]
    assert (shown["MultiAttachEnabled"], shown["State"]) == (True, "in-use")
    for instance in (one, two):
        found = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])["Volumes"]
        assert shared in {each["VolumeId"] for each in found}
        assert shared in {each["VolumeId"] for each in ec2.create_snapshots(**specification(instance))["Snapshots"]}
    plain = volumes_of(account, three)[0]
    assert code_of(ec2.attach_volume, VolumeId=plain, InstanceId=one, Device="/dev/sdz") == ("VolumeInUse", 400)
    account.detach(shared, one)
    assert account.volumes()[shared].instances == (two,)
    ec2.detach_volume(VolumeId=shared)
    assert [each["State"] for each in ec2.describe_volumes(VolumeIds=[shared])["Volumes"]] == ["available"]


def test_volumes_are_filtered_by_up_to_two_hundred_instances(ec2: Any, account: Account) -> None:
    instances = [account.add_instance() for _ in range(200)]
    account.add_instance()
    found = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": instances}], MaxResults=1000)["Volumes"]
    assert {each["Attachments"][0]["InstanceId"] for each in found} == set(instances)
    many = [{"Name": "attachment.instance-id", "Values": [*instances, "i-0123456789abcdef0"]}]
    assert code_of(ec2.describe_volumes, Filters=many) == ("FilterLimitExceeded", 400)


def test_a_volume_has_the_age_that_it_was_seeded_with(ec2: Any, account: Account) -> None:
    account.add_volume(created=NOW - timedelta(days=3))
    (shown,) = ec2.describe_volumes()["Volumes"]
    assert abs(shown["CreateTime"] - (NOW - timedelta(days=3))) < timedelta(seconds=1)


def test_a_snapshot_shows_its_tier_and_its_sizes(aws: LocalAws, ec2: Any, account: Account) -> None:
    snapshot = account.add_snapshot(account.add_volume(size=100), NOW - timedelta(days=1), full_size=50 * 2**30)
    (shown,) = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert (shown["StorageTier"], shown["VolumeSize"], shown["FullSnapshotSizeInBytes"]) == ("standard", 100, 50 * 2**30)
    account.archive(snapshot)
    found = ec2.describe_snapshots(Filters=[{"Name": "storage-tier", "Values": ["archive"]}])["Snapshots"]
    assert [each["SnapshotId"] for each in found] == [snapshot]


# What EC2 answers about locks and the Recycle Bin was never seen: that it refuses is documented, the codes are ours.


def test_a_locked_snapshot_cannot_be_deleted(ec2: Any, account: Account) -> None:
    snapshot = account.add_snapshot(account.add_volume(), NOW - timedelta(days=1))
    account.lock(snapshot)
    assert code_of(ec2.delete_snapshot, SnapshotId=snapshot) == ("OperationNotPermitted", 400)
    assert snapshot in account.snapshots()


def test_a_snapshot_in_the_recycle_bin_is_recoverable_until_it_is_restored(ec2: Any, account: Account) -> None:
    snapshot = account.add_snapshot(account.add_volume(), NOW - timedelta(days=1), tags={"a": "b"})
    account.put_into_bin(snapshot)
    (shown,) = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert (shown["State"], tags_in(shown)["aws:recycle-bin:resource-in-bin"]) == ("recoverable", "true")
    assert code_of(ec2.delete_snapshot, SnapshotId=snapshot) == ("IncorrectState", 400)
    account.restore_from_bin(snapshot)
    (shown,) = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert (shown["State"], tags_in(shown)) == ("completed", {"a": "b"})


def test_a_dry_run_does_nothing_and_says_so(aws: LocalAws, ec2: Any, account: Account, web: str) -> None:
    snapshot = account.add_snapshot(account.add_volume(), NOW)
    before = account.seen()
    dry = ("DryRunOperation", 412)
    assert code_of(ec2.create_snapshots, **specification(web), DryRun=True) == dry
    assert code_of(ec2.create_snapshot, VolumeId=volumes_of(account, web)[0], DryRun=True) == dry
    assert code_of(ec2.delete_snapshot, SnapshotId=snapshot, DryRun=True) == dry
    assert code_of(ec2.create_tags, Resources=[snapshot], Tags=[{"Key": "a", "Value": "b"}], DryRun=True) == dry
    for describe in (ec2.describe_volumes, ec2.describe_snapshots, ec2.describe_instances):
        assert code_of(describe, DryRun=True) == dry
        assert outcome(describe, DryRun=False) == "made"
    assert account.seen() == before
    aws.switches.change({"FAIL_ACTIONS": "DeleteSnapshot:UnauthorizedOperation"})
    assert code_of(ec2.delete_snapshot, SnapshotId=snapshot, DryRun=True) == ("UnauthorizedOperation", 403)


def test_thousands_of_instances_stay_fast(ec2: Any, account: Account) -> None:
    instances = [account.add_instance({"auto-backup": "dlm", "number": str(number)}) for number in range(3000)]
    began = time.monotonic()
    wanted = [{"Name": "tag:auto-backup", "Values": ["dlm"]}]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=wanted, PaginationConfig={"PageSize": 1000})
    assert {each["InstanceId"] for each in instances_in(*pages)} == set(instances)
    for instance in instances[:100]:
        ec2.create_snapshots(**specification(instance))
    assert time.monotonic() - began < 10
