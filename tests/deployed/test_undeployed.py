"""The end of the deployed stack: the last of its tests, by the name of its file."""

from __future__ import annotations

import starts
import volumes
from ministack import MiniStack
from stack import Stack


def test_deleting_the_stack_deletes_no_snapshot(stack: Stack, cloud: MiniStack):
    backed_up = volumes.make(cloud, "kept")
    starts.check_succeeded(starts.start(stack, starts.run_now(volumes.policy("kept"), 0)))
    before = snapshot_ids(cloud)
    assert len(backed_up.snapshots()) == 1
    stack.delete()
    assert cloud.client("lambda").list_functions()["Functions"] == []
    assert cloud.client("stepfunctions").list_state_machines()["stateMachines"] == []
    assert cloud.client("scheduler").list_schedules()["Schedules"] == []
    assert snapshot_ids(cloud) == before


def snapshot_ids(cloud: MiniStack) -> set[str]:
    """The ids of all snapshots of the account in the stack's Region."""
    found = cloud.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
    return {each["SnapshotId"] for each in found}
