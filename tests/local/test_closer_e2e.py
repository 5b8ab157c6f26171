"""Nothing goes on the word of a listing: absence is proved by id, and what goes is looked at once more."""

from __future__ import annotations

from typing import Any

import events
from case import Case, case_of, with_options, writes
from chain import Chain
from test_e2e import due_event


def due_case(local: Chain, **options: Any) -> Case:
    """A policy that is due now by its schedule and keeps three, in an account whose volumes have three each."""
    local.aws.switches.change({"SNAP_SECONDS": 0.5, "WAIT_SCALE": 0.1})
    now = events.now_to_the_second().replace(second=0)
    return case_of(local, with_options(due_event(now, now), **options))


def oldest(case: Case) -> list[str]:
    """The oldest snapshot of each target: what a run pushes out."""
    return [case.seeded.ours[volume][0] for volume in case.seeded.targets]


def calls_by_id(local: Chain, action: str, parameter: str) -> int:
    """How many calls of an action asked for ids as parameters."""
    return sum(
        call.Action == action and any(name.startswith(parameter) for name in call.Parameters)
        for call in local.aws.wire.calls_since(0)
    )


def test_a_hold_that_is_set_between_look_and_call_keeps_the_snapshot(local: Chain) -> None:
    case = due_case(local)
    held, *others = oldest(case)
    local.aws.switches.change({"HELD_WHEN_ASKED_FOR": held})
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert case.deleted() == set(others)
    assert writes(local).count("DeleteSnapshot") == len(others), "no call for what is held"
    assert calls_by_id(local, "DescribeSnapshots", "SnapshotId") >= 1


def test_what_an_ami_uses_is_kept_without_a_call_and_the_rest_rotates(local: Chain) -> None:
    case = due_case(local)
    used, *others = oldest(case)
    local.account.add_image_of(used)
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert execution.output()["Snapshots"].get("keep: UsedByImage") == 1, execution.output()
    assert case.deleted() == set(others)
    assert writes(local).count("DeleteSnapshot") == len(others)


def test_one_empty_listing_of_volumes_does_not_lose_the_day(local: Chain) -> None:
    case = due_case(local)
    local.aws.switches.change({"EMPTY_LISTINGS": 1})
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert case.new() == sorted(case.seeded.targets)
    assert case.deleted() == set(oldest(case))


def test_two_empty_listings_in_one_look_delete_nothing_and_are_looked_at_again(local: Chain) -> None:
    case = due_case(local, Orphans="KEEP_LAST")
    local.aws.switches.change({"EMPTY_LISTINGS": 2})
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert calls_by_id(local, "DescribeVolumes", "VolumeId") >= 1
    assert "TaskFailed" in [event["type"] for event in execution.history()], "the first turn was tried again"
    assert case.new() == sorted(case.seeded.targets)
    assert case.deleted() == set(oldest(case))


def test_the_snapshots_of_a_volume_that_lost_its_tag_stay_whatever_orphans_says(local: Chain) -> None:
    case = due_case(local, Orphans="KEEP_LAST")
    lost, *others = case.seeded.targets
    local.aws.ec2.tags[lost].pop("auto-backup")
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert case.deleted() == {case.seeded.ours[volume][0] for volume in others}
    assert case.new() == sorted(others)
