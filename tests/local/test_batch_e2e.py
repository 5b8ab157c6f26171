"""Options.Batch, end to end: volumes of one instance get by one call what calls for each of them would have made."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import events
from account import SnapshotSeen
from case import Case, case_of, case_with, event_now, with_short_window, writes
from chain import Chain
from story import cause_text


@dataclass
class Batched:
    """A case with an instance that holds two of the three targeted volumes, its root volume and one more."""

    case: Case
    instance: str
    together: list[str]
    alone: str
    left_out: str

    def new(self, volume: str) -> list[SnapshotSeen]:
        """The new snapshots of a volume."""
        seen = self.case.local.account.snapshots()
        return [each for id, each in seen.items() if id not in self.case.before and each.volume == volume]


def batched(local: Chain, event: Any) -> Batched:
    """Make the account for an event."""
    account, seeded = local.account, case_of(local, event).seeded
    alone, *together = seeded.targets
    instance = account.add_instance({"Name": "web"}, root_tags={"Name": "root"})
    for volume in together:
        account.attach(volume, instance)
    left_out = account.add_data_volume(instance, {"Name": "scratch"})
    seeded.untagged += [left_out, *account.instances()[instance].volumes[:1]]
    return Batched(case_with(local, event, seeded), instance, together, alone, left_out)


def sample(*, copies_tags: bool = True) -> Any:
    """The sample event with Options.Batch."""
    event = copy.deepcopy(event_now("batch"))
    events.schedules_of(event)[0]["CopyTags"] = copies_tags
    return event


def creations(local: Chain) -> list[str]:
    """The calls so far that made snapshots, or were to."""
    return [action for action in writes(local) if action.startswith("Create")]


def test_one_call_makes_what_calls_for_each_volume_would_make(local: Chain) -> None:
    for copies_tags in (False, True):
        local.aws.reset()
        it = batched(local, sample(copies_tags=copies_tags))
        execution = it.case.run()
        assert execution.status() == "SUCCEEDED", execution.failure()
        it.case.assert_promise_kept()
        assert it.case.new() == sorted([it.alone, *it.together])
        assert creations(local) in (["CreateSnapshot", "CreateSnapshots"], ["CreateSnapshots", "CreateSnapshot"])
        (call,) = [each.Parameters for each in local.aws.wire.calls_since(0) if each.Action == "CreateSnapshots"]
        assert call["InstanceSpecification.InstanceId"] == it.instance
        assert call["InstanceSpecification.ExcludeBootVolume"] == "true"
        assert call["InstanceSpecification.ExcludeDataVolumeId.1"] == it.left_out
        assert ("CopyTagsFromSource" in call) == copies_tags
        (first,), (second,) = (it.new(volume) for volume in it.together)
        assert first.start == second.start, "one instant"


def test_a_second_run_makes_nothing(local: Chain) -> None:
    it = batched(local, sample())
    assert it.case.run().status() == "SUCCEEDED"
    settled, written = local.account.snapshots(), len(writes(local))
    assert it.case.run().status() == "SUCCEEDED"
    assert (local.account.snapshots(), writes(local)[written:]) == (settled, [])


def test_a_volume_that_is_refused_keeps_no_other_from_its_snapshot(local: Chain) -> None:
    it = batched(local, with_short_window(sample()))
    sick, well = it.together
    local.aws.switches.change({"FAIL_VOLUMES": {sick: "IncorrectState"}})
    execution = it.case.run()
    assert execution.status() == "FAILED"
    cause = cause_text(execution.failure()[1])
    assert sick in cause and well not in cause
    assert [each.status for each in it.new(well)] == ["completed"]
    assert it.new(sick) == []
    assert creations(local).count("CreateSnapshots") == 1, "then they go one by one"


def test_a_snapshot_that_fails_with_another_is_made_again_alone(local: Chain) -> None:
    it = batched(local, sample())
    sick, well = it.together
    local.aws.switches.change({"ERROR_VOLUMES": [sick]})
    execution = it.case.run()
    assert execution.status() == "FAILED"
    assert sick in cause_text(execution.failure()[1])
    assert sorted(each.status for each in it.new(well)) == ["completed", "error"]
    assert creations(local).count("CreateSnapshots") == 1, "then they go one by one"


def test_a_role_that_cannot_see_instances_makes_snapshots_one_by_one(local: Chain) -> None:
    it = batched(local, sample())
    local.aws.switches.change({"FAIL_ACTIONS": {"DescribeInstances": "UnauthorizedOperation"}})
    assert it.case.run().status() == "SUCCEEDED"
    it.case.assert_promise_kept()
    assert creations(local) == ["CreateSnapshot"] * 3
