"""Copies in other Regions, end to end: the real state machine and function, and a local EC2 with three Regions.

A clock is moved by making everything in the account older: EC2's own times, and those in the tags with their stamp.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import contract
import events
from account import NO_VOLUME, Account, SnapshotSeen
from case import event_now
from chain import Chain
from local_aws import REGION
from opendlm import Opendlm, widest

LONDON, FRANKFURT = "eu-west-2", "eu-central-1"
DAY = timedelta(days=1)
# Waits of a minute take a fiftieth of that, and copies half a second.
QUICK = {"SNAP_SECONDS": 0.3, "COPY_SECONDS": 0.5, "WAIT_SCALE": 0.02}


def copying_event(*rules: dict[str, Any], **changes: Any) -> Any:
    """A daily policy that keeps three, due in this minute, with these copy rules."""
    event = event_now("sample")
    events.body_of(event)["ScheduledTime"] = events.time_text(events.now_to_the_second().replace(second=0))
    [schedule] = events.schedules_of(event)
    schedule |= {"RetainRule": {"Count": 3}, "CrossRegionCopyRules": list(rules), **changes}
    return event


def rule(region: str, days: int, **more: Any) -> dict[str, Any]:
    """Copy to a Region for so many days."""
    return {"Target": region, "Encrypted": False, "RetainRule": {"Interval": days, "IntervalUnit": "DAYS"}, **more}


def target(account: Account, event: Any, **tags: str) -> str:
    """A volume that the policy targets."""
    return account.add_volume({**dict(events.target_tags_of(event)), **tags})


def copies_in(local: Chain, region: str) -> list[SnapshotSeen]:
    """The copies in a Region, the oldest first."""
    return sorted(local.account.in_region(region).snapshots().values(), key=lambda each: str(each.tag(contract.SCHEDULED_TAG)))


def days_of(snapshots: list[SnapshotSeen], event: Any) -> list[int]:
    """How many days before the event's start each was due; all of them complete."""
    start = events.start_of(event)
    assert start and {each.status for each in snapshots} <= {"completed"}
    times = [contract.parse(each.tag(contract.SCHEDULED_TAG)) for each in snapshots]
    return sorted(((start - time) // DAY for time in times if time), reverse=True)


def test_ten_days_leave_exactly_what_is_promised_in_three_regions(local: Chain) -> None:
    local.aws.switches.change(QUICK)
    event = copying_event(rule(LONDON, 2), rule(FRANKFURT, 5))
    volumes = {target(local.account, event) for _ in range(2)}
    for day in range(10):
        if day:
            for account in (local.account, *map(local.account.in_region, (LONDON, FRANKFURT))):
                account.age(DAY)
        execution = local.run(event)
        assert execution.status() == "SUCCEEDED", execution.failure()
    at_home = list(local.account.snapshots().values())
    assert days_of(at_home, event) == [2, 2, 1, 1, 0, 0]
    assert days_of(copies_in(local, LONDON), event) == [1, 1, 0, 0]
    assert days_of(copies_in(local, FRANKFURT), event) == [4, 4, 3, 3, 2, 2, 1, 1, 0, 0]
    assert {each.tag(contract.VOLUME_TAG) for each in copies_in(local, FRANKFURT)} == volumes
    # No copy was made twice on the way.
    calls = [call.Action for region in (LONDON, FRANKFURT) for call in local.aws.wire.calls_in(region)]
    assert calls.count("CopySnapshot") == 40 and calls.count("DeleteSnapshot") == 16 + 10


def test_a_copy_carries_what_tells_whose_it_is_and_the_tags_and_key_that_the_rule_asks_for(local: Chain) -> None:
    local.aws.switches.change(QUICK)
    key = f"arn:aws:kms:{LONDON}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    event = copying_event(rule(LONDON, 5, Encrypted=True, CmkArn=key, CopyTags=True), CopyTags=True)
    volume = target(local.account, event, Name="db")
    execution = local.run(event)
    assert execution.status() == "SUCCEEDED", execution.failure()
    [(source, made)] = local.account.snapshots().items()
    [copy] = copies_in(local, LONDON)
    policy, [schedule] = events.policy_of(event), events.schedules_of(event)
    assert (copy.volume, copy.status, copy.key) == (NO_VOLUME, "completed", key)
    assert copy.description == contract.copy_description(policy, schedule, source, REGION, LONDON)
    assert copy.tag(contract.COPIED_FROM_TAG) == f"{REGION}/{source}"
    assert copy.tag(contract.VOLUME_TAG) == volume
    for same in (contract.POLICY_TAG, contract.SCHEDULE_TAG, contract.SCHEDULED_TAG, "Name", "ss-lifecycle"):
        assert copy.tag(same) == made.tag(same) is not None
    assert copy.tag(contract.HOLD_TAG) is None and copy.tag(contract.COPIES_TAG) is None
    expires = contract.parse(copy.tag(contract.EXPIRATION_TAG))
    start = events.start_of(event)
    assert expires and start and timedelta(0) <= expires - start - 5 * DAY < timedelta(minutes=5)


def test_no_more_are_under_way_than_a_region_takes_and_all_are_made(local: Chain) -> None:
    local.aws.switches.change({**QUICK, "COPIES_MAX": 3})
    event = copying_event(rule(LONDON, 5))
    volumes = {target(local.account, event) for _ in range(8)}
    execution = local.run(event)
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert {each.tag(contract.VOLUME_TAG) for each in copies_in(local, LONDON)} == volumes
    assert len(copies_in(local, LONDON)) == 8


def test_a_lost_answer_makes_no_second_copy(local: Chain) -> None:
    local.aws.switches.change({**QUICK, "LOST_COPIES": 1})
    event = copying_event(rule(LONDON, 5))
    target(local.account, event)
    execution = local.run(event)
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert len(copies_in(local, LONDON)) == 1


def test_a_region_that_refuses_fails_its_rule_and_nothing_else(local: Chain) -> None:
    local.aws.switches.change({**QUICK, "FAIL_COPIES": {LONDON: "AuthFailure"}})
    event = copying_event(rule(LONDON, 5), rule(FRANKFURT, 5))
    target(local.account, event)
    execution = local.run(event)
    assert execution.status() == "FAILED"
    [source] = local.account.snapshots()
    error, cause = execution.failure()
    assert f"CopySnapshot {source}@{LONDON} (AuthFailure: Not authorized to use key" in cause, cause
    assert copies_in(local, LONDON) == [] and len(copies_in(local, FRANKFURT)) == 1


@pytest.mark.parametrize("code", ["AuthFailure", "OptInRequired"])
def test_a_region_that_is_not_enabled_keeps_nobody_from_the_backup_at_home(local: Chain, code: str) -> None:
    local.aws.switches.change({**QUICK, "DARK_REGIONS": {LONDON: code}})
    event = copying_event(rule(LONDON, 5))
    target(local.account, event)
    execution = local.run(event)
    assert execution.status() == "FAILED"
    error, cause = execution.failure()
    assert f"CopySnapshot {LONDON} ({code}: " in cause, cause
    assert [each.status for each in local.account.snapshots().values()] == ["completed"]


def test_a_rule_to_the_home_region_is_a_failure_and_the_backup_is_made(local: Chain) -> None:
    event = copying_event(rule(REGION, 5), rule(LONDON, 5))
    target(local.account, event)
    execution = local.run(event)
    assert execution.status() == "FAILED"
    error, cause = execution.failure()
    assert f"CopySnapshot {REGION} (SameRegion: the snapshots are made in this Region" in cause, cause
    assert [each.status for each in local.account.snapshots().values()] == ["completed"]
    assert len(copies_in(local, LONDON)) == 1


def test_the_copies_of_an_instances_set_carry_its_instance(local: Chain) -> None:
    local.aws.switches.change(QUICK)
    event = event_now("instance")
    [schedule] = events.schedules_of(event)
    schedule["CrossRegionCopyRules"] = [rule(LONDON, 5)]
    instance = local.account.add_instance(dict(events.target_tags_of(event)))
    local.account.add_data_volume(instance)
    execution = local.run(event)
    assert execution.status() == "SUCCEEDED", execution.failure()
    copies = copies_in(local, LONDON)
    at_home = [each for each in local.account.snapshots().values()]
    assert len(copies) == len(at_home) > 0
    assert {each.tag(contract.INSTANCE_TAG) for each in copies} == {instance}


def test_what_can_be_restored_in_another_region_is_listed_there(local: Chain, tmp_path: Path) -> None:
    local.aws.switches.change(QUICK)
    event = copying_event(rule(LONDON, 5))
    volume, opendlm = target(local.account, event), Opendlm(tmp_path, local.aws)
    assert local.run(event).status() == "SUCCEEDED"
    [source], [copy] = local.account.snapshots(), copies_in(local, LONDON)
    at_home = opendlm.type("backups", volume)
    assert source in at_home.out and copy.id not in at_home.out
    assert f"for copies in {LONDON}: AWS_REGION={LONDON} opendlm backups {volume}" in at_home.words
    said = opendlm.type("backups", volume, AWS_REGION=LONDON)
    assert (said.code, said.err) == (0, "")
    start = events.start_of(event)
    assert start and f"{events.time_text(start)} {copy.id}" in said.words
    assert f"1 backup of {volume} in {LONDON}, copied from {REGION}" in said.words
    assert f"aws ec2 create-volume --region {LONDON} --availability-zone {LONDON}a" in said.words
    assert f"--snapshot-id {copy.id}" in said.words and widest(said.out) <= 80
    [backup] = opendlm.type("backups", volume, "--json", AWS_REGION=LONDON).json["Backups"]
    assert (backup["Volume"], backup["CopiedFrom"]) == (volume, f"{REGION}/{source}")
    # What somebody copies on by hand, tags and all, is nobody's.
    local.aws.client("ec2", FRANKFURT).copy_snapshot(
        SourceRegion=LONDON, SourceSnapshotId=copy.id, Description=copy.description,
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": key, "Value": value} for key, value in copy.tags]}],
    )
    there = opendlm.type("backups", volume, AWS_REGION=FRANKFURT)
    assert there.code == 1 and there.out.startswith(f"0 backups of {volume} in {FRANKFURT}; not counted: 1 with tags"), there.out


def test_a_default_policy_copies_for_as_long_as_its_snapshots_stay(local: Chain) -> None:
    local.aws.switches.change(QUICK)
    details = {"PolicyLanguage": "SIMPLIFIED", "ResourceType": "VOLUME", "CrossRegionCopyTargets": [{"TargetRegion": LONDON}]}
    event = {"Policy": {"PolicyId": "policy-0123456789abcdef0", "State": "ENABLED", "PolicyDetails": details}}
    local.account.add_volume(created=events.now_to_the_second() - 3 * DAY)
    execution = local.run(event)
    assert execution.status() == "SUCCEEDED", execution.failure()
    [source], [copy] = local.account.snapshots().values(), copies_in(local, LONDON)
    expires, of_source = (contract.parse(each.tag(contract.EXPIRATION_TAG)) for each in (copy, source))
    assert expires and of_source and timedelta(0) <= expires - of_source < timedelta(minutes=5)
