"""What `make run` promises for an instance policy is what a straightforward run comes to, and every deviation is told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import contract
import events
import expectations
import sample_account
import targets
from account import Account
from expectations import Promise, Snapshots
from local_aws import ACCOUNT, LocalAws
from sample_account import Seeded

SAMPLE = events.load(Path(__file__).parents[2] / "events" / "instance.json")


def event_at(now: datetime) -> Any:
    """The sample, due at a time."""
    return events.for_now(SAMPLE, now).event


@pytest.fixture
def now() -> datetime:
    """The start of the test's own run: the tests of other files may have taken minutes."""
    return events.now_to_the_second().replace(second=0)


@pytest.fixture
def seeded(aws: LocalAws, account: Account, now: datetime) -> Seeded:
    """The account of the instance policy; snapshots are complete at once."""
    aws.switches.change({"SNAP_SECONDS": 0})
    return sample_account.seed(account, event_at(now), now)


def promised(account: Account, now: datetime) -> tuple[Promise, Snapshots]:
    """What a run must do to the account as it is, and its snapshots."""
    seen = account.seen()
    return expectations.promise(event_at(now), seen, ACCOUNT, now), seen.snapshots


# Of the form that the function writes.
A_STAMP = "1 d=0123456789abcdef t=2026-11-02T03:00:00Z k=3 n=1"


def make_sets(ec2: Any, account: Account, now: datetime, **wrong: str) -> None:
    """One call an instance, as the function should make it, with tags of its own that are `wrong`."""
    policy, (schedule,) = events.policy_of(event_at(now)), events.schedules_of(event_at(now))
    seen = account.seen()
    for instance in targets.instances_of(seen, event_at(now)):
        excluded = [id for id in instance.volumes if id != instance.root and targets.why_excluded(seen, event_at(now), instance, id)]
        tags = {**contract.our_tags(policy, schedule, now, instance=instance.id), contract.STAMP_TAG: A_STAMP, **wrong}
        ec2.create_snapshots(
            InstanceSpecification={"InstanceId": instance.id, "ExcludeBootVolume": True, "ExcludeDataVolumeIds": excluded},
            CopyTagsFromSource="volume",
            Description=contract.our_description(policy, schedule),
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}],
        )


def test_the_promise_of_an_instance_policy_is_kept_by_a_plain_run(ec2: Any, account: Account, seeded: Seeded, now: datetime) -> None:
    wanted, before = promised(account, now)
    shared = account.instances()[seeded.instances[0]].volumes[3]
    assert sorted(due.source.instance for due in wanted.new if due.volume == shared) == sorted(seeded.instances[:2])
    assert len(wanted.new) == len(wanted.deleted) == 5
    assert {due.volume for due in wanted.new} == set(seeded.targets)
    make_sets(ec2, account, now)
    for snapshot in wanted.deleted:
        ec2.delete_snapshot(SnapshotId=snapshot)
    assert expectations.broken(event_at(now), wanted, before, account.snapshots(), ACCOUNT) == []
    again, before = promised(account, now)
    assert (again.new, again.deleted) == (set(), set())


def test_the_old_snapshots_of_an_instance_are_sets(account: Account, seeded: Seeded) -> None:
    sets: dict[tuple[str, str], set[Any]] = {}
    ours = {id for history in seeded.ours.values() for id in history}
    for snapshot in [each for each in account.snapshots().values() if each.id in ours]:
        key = (snapshot.tag(contract.INSTANCE_TAG), snapshot.tag(contract.SCHEDULED_TAG))
        sets.setdefault(key, set()).add(snapshot.start)
    assert len(sets) == 3 * 3
    assert all(len(starts) == 1 for starts in sets.values())


def test_a_missing_set_a_wrong_tag_and_snapshots_apart_are_told(ec2: Any, account: Account, seeded: Seeded, now: datetime) -> None:
    wanted, before = promised(account, now)
    problems = expectations.broken(event_at(now), wanted, before, account.snapshots(), ACCOUNT)
    assert sum("has no new snapshot" in each for each in problems) == 5
    assert sum("should have been deleted" in each for each in problems) == 5
    make_sets(ec2, account, now, **{"timestamp": "yesterday"})
    problems = expectations.broken(event_at(now), wanted, before, account.snapshots(), ACCOUNT)
    assert sum("has the tags" in each for each in problems) == 5
    make_sets(ec2, account, now)
    problems = expectations.broken(event_at(now), wanted, before, account.snapshots(), ACCOUNT)
    assert sum("is one too many" in each for each in problems) == 5


def test_a_snapshot_that_somebody_holds_is_not_expected_to_go(aws: LocalAws, account: Account, seeded: Seeded, now: datetime) -> None:
    oldest = {history[0] for history in seeded.histories.values()}
    held = min(oldest)
    aws.ec2.tags[held][contract.HOLD_TAG] = "yes"
    wanted, _ = promised(account, now)
    assert wanted.deleted == oldest - {held}


def test_the_schedule_that_keeps_longest_owns_what_several_make_at_once() -> None:
    daily = {"Name": "Daily", "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS"}, "RetainRule": {"Count": 7}}
    weekly = {"Name": "Weekly", "CreateRule": {"CronExpression": "cron(0 17 ? * FRI *)"}, "RetainRule": {"Count": 4}}
    yearly = {"Interval": 1, "IntervalUnit": "YEARS"}
    monthly = {"Name": "Monthly", "CreateRule": {"CronExpression": "cron(0 17 1 * ? *)"}, "RetainRule": yearly}
    assert contract.owner_of([daily, weekly])["Name"] == "Weekly"
    assert contract.owner_of([monthly, daily, weekly])["Name"] == "Monthly"
    assert contract.kept_for(weekly) == timedelta(days=28)
