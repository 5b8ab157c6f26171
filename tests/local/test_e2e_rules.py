"""Every rule of a snapshot policy, end to end: the state machine file drives the real function against the local AWS.

These hold the function to what it must do, asserted snapshot by snapshot and, where it matters, without expectations.py.
"""

from __future__ import annotations

import copy
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

import contract
import events
from account import SnapshotSeen
from case import Case, case_of, case_with, by_button, due_for_seconds, event_now, with_options, writes
from chain import Chain, Execution
from expectations import STAMP
from rie import ROOT
from sample_account import Seeded, add_ours
from story import cause_text, creation_tags
from targets import Source

INSTANCE_EVENT = ROOT / "events" / "instance.json"
MANY_VOLUMES = 200
# Of three volumes, so that more goes than the brake lets pass: 100, or 2 for each of them.
LONG_HISTORY_DAYS = 41
SECONDS_MAX = 240


def instance_event() -> Any:
    """The event of an instance policy, moved to now."""
    return events.for_now(events.load(INSTANCE_EVENT), events.now_to_the_second()).event


def failure_of(execution: Execution) -> str:
    """The cause of an execution that must have failed."""
    assert execution.status() == "FAILED", execution.output()
    return cause_text(execution.failure()[1])


def new_snapshots(case: Case) -> list[SnapshotSeen]:
    """The snapshots that a run made."""
    return [each for id, each in case.local.account.snapshots().items() if id not in case.before]


def calls_of(local: Chain, action: str) -> list[dict[str, str]]:
    """The parameters of the calls of an action, so far."""
    return [call.Parameters for call in local.aws.wire.calls_since(0) if call.Action == action]


# (a) An instance policy.


def test_each_instance_gets_one_consistent_set_without_what_the_policy_leaves_out(local: Chain) -> None:
    case = case_of(local, instance_event())
    one, two, three, _ = case.seeded.instances
    seen = local.account.instances()
    (_, data_one, left_out, shared), (_, data_two, _), (_, data_three) = (seen[id].volumes for id in (one, two, three))
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()

    made = new_snapshots(case)
    pairs = [(each.volume, each.tag(contract.INSTANCE_TAG)) for each in made]
    wanted = [(data_one, one), (shared, one), (data_two, two), (shared, two), (data_three, three)]
    assert sorted(pairs) == sorted(wanted)
    assert len({(each.tag(contract.INSTANCE_TAG), each.start) for each in made}) == 3, "the snapshots of a set start together"
    # Three old ones of each pair, of which the oldest makes room for the new one.
    assert case.deleted() == {case.seeded.histories[pair][0] for pair in wanted}
    assert all(len(case.seeded.histories[pair]) == 3 for pair in wanted)
    case.assert_promise_kept()

    calls = {each["InstanceSpecification.InstanceId"]: each for each in calls_of(local, "CreateSnapshots")}
    assert len(calls_of(local, "CreateSnapshots")) == len(calls) == 3
    assert "CreateSnapshot" not in writes(local) and "CreateTags" not in writes(local)
    assert {each["InstanceSpecification.ExcludeBootVolume"] for each in calls.values()} == {"true"}
    assert calls[one]["InstanceSpecification.ExcludeDataVolumeId.1"] == left_out
    assert not [name for id in (two, three) for name in calls[id] if "ExcludeDataVolumeId" in name]


def without_stamp(snapshot: SnapshotSeen) -> dict[str, str]:
    """Its tags but the stamp, which it must have."""
    tags = dict(snapshot.tags)
    assert re.fullmatch(STAMP + "( now)?", tags.pop(contract.STAMP_TAG))
    return tags


def test_the_tags_of_a_set_name_the_instance_the_time_and_the_volume(local: Chain) -> None:
    case = case_of(local, instance_event())
    assert case.run().status() == "SUCCEEDED"
    volumes = local.account.volumes()
    for snapshot in new_snapshots(case):
        scheduled_time = snapshot.tag(contract.SCHEDULED_TAG)
        assert without_stamp(snapshot) == {
            **dict(volumes[snapshot.volume].tags),
            "ss-lifecycle": "true",
            "instance-id": snapshot.tag(contract.INSTANCE_TAG),
            "timestamp": scheduled_time,
            "opendlm:policy-id": "policy-0123456789abcdef0",
            "opendlm:schedule-name": "Default Schedule",
            "opendlm:scheduled-time": scheduled_time,
            "opendlm:instance-id": snapshot.tag(contract.INSTANCE_TAG),
        }


def test_a_second_run_of_an_instance_policy_makes_no_second_set(local: Chain) -> None:
    case = case_of(local, instance_event())
    assert case.run().status() == "SUCCEEDED"
    settled, written = local.account.snapshots(), len(writes(local))
    assert case.run().status() == "SUCCEEDED"
    assert (local.account.snapshots(), writes(local)[written:]) == (settled, [])


def test_one_failing_member_makes_the_set_failed_and_costs_no_good_set(local: Chain) -> None:
    case = case_of(local, due_for_seconds("instance"))
    one, two, three, _ = case.seeded.instances
    local.aws.switches.change({"ERROR_VOLUMES": [local.account.instances()[one].volumes[1]]})
    assert one in failure_of(case.run())
    healthy = [pair for pair in case.seeded.histories if pair[1] != one]
    assert case.deleted() == {case.seeded.histories[pair][0] for pair in healthy}
    completed = [(each.volume, each.tag(contract.INSTANCE_TAG)) for each in new_snapshots(case) if each.status == "completed"]
    assert sorted(completed) == sorted(healthy)


def test_an_instance_with_no_volume_left_is_a_failed_creation_and_stops_nobody(local: Chain) -> None:
    event = instance_event()
    case = case_of(local, event)
    bare = local.account.add_instance(dict(events.target_tags_of(event)))
    local.account.add_data_volume(bare, dict(events.tag_pairs(events.parameters_of(event)["ExcludeDataVolumeTags"])))
    assert bare in failure_of(case.run())
    case.assert_promise_kept()
    assert bare not in [each["InstanceSpecification.InstanceId"] for each in calls_of(local, "CreateSnapshots")]


def test_an_instance_that_is_gone_is_no_target_and_keeps_its_sets(local: Chain) -> None:
    event = instance_event()
    seeded = case_of(local, event).seeded
    local.account.set_state(seeded.instances[2], "terminated")
    case = case_with(local, event, seeded)
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    case.assert_promise_kept()
    kept = [id for (_, instance), history in seeded.histories.items() if instance == seeded.instances[2] for id in history]
    assert len(kept) == 3 and set(kept) <= set(local.account.snapshots())


# (b) One volume of 200 that always fails.


def test_one_volume_of_two_hundred_that_always_fails_stops_nobody(local: Chain) -> None:
    event = by_button(event_now("sample"))
    policy, (schedule,) = events.policy_of(event), events.schedules_of(event)
    target, start = dict(events.target_tags_of(event)), events.start_of(event)
    histories: dict[str, list[str]] = {}
    for _ in range(MANY_VOLUMES):
        volume = local.account.add_volume(target)
        times = [start - timedelta(days=days) for days in (3, 2, 1)]
        histories[volume] = [add_ours(local.account, policy, schedule, Source(volume, None, ()), time) for time in times]
    case = case_with(local, event, Seeded())
    bad = sorted(histories)[MANY_VOLUMES // 2]
    local.aws.switches.change({"FAIL_VOLUMES": {bad: "IncorrectState"}})

    execution = local.run(event, SECONDS_MAX)
    assert bad in failure_of(execution)
    assert case.new() == sorted(set(histories) - {bad})
    assert {each.status for each in new_snapshots(case)} == {"completed"}
    assert case.deleted() == set(), "what a button makes takes nobody's place"
    report = local.function.invocations[-1].payload["Report"]
    assert report["Outcome"] == "PARTIAL"


# (c) A Count that somebody mistyped.


def test_a_mistyped_count_deletes_nothing_until_the_brake_is_lifted(local: Chain) -> None:
    event = event_now("sample")
    (schedule,) = events.schedules_of(event)
    assert schedule["RetainRule"] == {"Count": 3}, "it was 100 until somebody edited it"
    seeded = Seeded()
    now = events.now_to_the_second()
    for _ in range(3):
        volume = local.account.add_volume(dict(events.target_tags_of(event)))
        times = [now - timedelta(days=days) for days in range(LONG_HISTORY_DAYS, 0, -1)]
        source = Source(volume, None, ())
        seeded.ours[volume] = [add_ours(local.account, events.policy_of(event), schedule, source, time) for time in times]
    case = case_with(local, event, seeded)

    assert "MaximumDeletions" in failure_of(case.run())
    assert case.deleted() == set()
    assert "DeleteSnapshot" not in writes(local)

    execution = local.run(with_options(event, MaximumDeletions=1000), SECONDS_MAX)
    assert execution.status() == "SUCCEEDED", execution.failure()
    for volume, history in seeded.ours.items():
        held = [id for id, each in local.account.snapshots().items() if each.volume == volume]
        assert sorted(set(held) & set(history)) == sorted(history[-2:])
        assert len(held) == 3


# (d) CopyTags of a volume policy.


def copying_event() -> Any:
    """The sample policy with CopyTags."""
    event = copy.deepcopy(event_now("sample"))
    events.schedules_of(event)[0]["CopyTags"] = True
    return event


def test_the_user_tags_of_the_volume_are_copied_and_tags_to_add_win(local: Chain) -> None:
    event = copying_event()
    of_aws = {"aws:cloudformation:stack-name": "stack", "aws:autoscaling:groupName": "group"}
    own = {"auto-backup": "dlm", "Name": "payroll data", "cost-centre": "42", "ss-lifecycle": "what the volume says"}
    volume = local.account.add_volume({**own, **of_aws})
    case = case_with(local, event, Seeded())
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    (made,) = new_snapshots(case)
    ours = {key: value for key, value in made.tags if key.startswith("opendlm:")}
    assert sorted(ours) == ["opendlm:policy-id", "opendlm:schedule-name", "opendlm:scheduled-time", "opendlm:stamp"]
    assert {key: value for key, value in made.tags if key not in ours} == {**own, "ss-lifecycle": "true"}
    assert made.volume == volume
    case.assert_promise_kept()
    assert set(writes(local)) == {"CreateSnapshot"}, "all tags go in the one call"


def test_more_tags_than_a_snapshot_holds_never_fail_the_backup(local: Chain) -> None:
    event = copying_event()
    own = {"auto-backup": "dlm", **{f"key {number}": "value" for number in range(49)}}
    local.account.add_volume(own)
    case = case_with(local, event, Seeded())
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    (made,) = new_snapshots(case)
    (call,) = calls_of(local, "CreateSnapshot")
    assert len(creation_tags(call)) == len(made.tags) == 50
    assert made.tag("ss-lifecycle") == "true"
    assert {"opendlm:policy-id", "opendlm:schedule-name", "opendlm:scheduled-time"} <= dict(made.tags).keys()
    copied = {(key, value) for key, value in made.tags if not key.startswith("opendlm:") and key != "ss-lifecycle"}
    assert copied < set(own.items())


# (e) Two schedules at the same time.


def coinciding_event(at: datetime) -> Any:
    """A daily and a weekly schedule that are both due at a time, without RunNow."""
    event = copy.deepcopy(event_now("sample"))
    details = events.details_of(event)
    (common,) = details["Schedules"]
    week_day = at.strftime("%a").upper()
    cron = f"cron({at.minute} {at.hour} ? * {week_day} *)"
    daily = {"Name": "Daily", "TagsToAdd": [{"Key": "daily", "Value": "yes"}], "RetainRule": {"Count": 7}}
    weekly = {"Name": "Weekly", "TagsToAdd": [{"Key": "weekly", "Value": "yes"}], "RetainRule": {"Count": 4}}
    daily["CreateRule"] = {"Interval": 24, "IntervalUnit": "HOURS", "Times": [at.strftime("%H:%M")]}
    weekly["CreateRule"] = {"CronExpression": cron}
    details["Schedules"] = [{**common, **daily}, {**common, **weekly}]
    body = events.body_of(event)
    body["ScheduledTime"] = events.time_text(at)
    body.pop("Options", None)
    return event


@pytest.mark.parametrize("run_now", [False, True], ids=["both due", "run now"])
def test_two_coinciding_schedules_make_one_snapshot_with_the_tags_of_both(local: Chain, run_now: bool) -> None:
    at = events.now_to_the_second().replace(second=0)
    event = coinciding_event(at)
    event = with_options(event, RunNow=True) if run_now else event
    days = contract.RUN_NOW_DAYS if run_now else None
    policy, (daily, weekly) = events.policy_of(event), events.schedules_of(event)
    volume = local.account.add_volume(dict(events.target_tags_of(event)))
    source = Source(volume, None, ())
    old_daily = [add_ours(local.account, policy, daily, source, at - timedelta(days=days)) for days in (8, 6, 5, 4, 3, 2, 1)]
    old_weekly = [add_ours(local.account, policy, weekly, source, at - timedelta(days=days)) for days in (28, 21, 14, 7)]
    case = case_with(local, event, Seeded())
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()

    (made,) = new_snapshots(case)
    assert made.description == f"Created for policy: {policy['PolicyId']} schedule: Weekly", "it belongs to who keeps it longest"
    assert without_stamp(made) == contract.our_tags(policy, weekly, at, together=[daily], run_now_days=days)
    assert (made.tag("daily"), made.tag("weekly")) == ("yes", "yes")
    # It is the newest of both: the oldest daily one and the oldest weekly one make room, but not for what a button made.
    assert case.deleted() == (set() if run_now else {old_daily[0], old_weekly[0]})

    assert case.run().status() == "SUCCEEDED"
    assert len(new_snapshots(case)) == 1


# (f) A snapshot that somebody holds.


def test_a_held_snapshot_stays_beyond_the_count(local: Chain) -> None:
    event = event_now("sample")
    seeded = case_of(local, event).seeded
    oldest = [seeded.ours[volume][0] for volume in seeded.targets]
    values = ["the lawyers want it", "until=2099-12-31", "until=2020-01-01"]
    for snapshot, value in zip(oldest, values):
        local.aws.ec2.tags[snapshot][contract.HOLD_TAG] = value
    case = case_with(local, event, seeded)
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert case.new() == sorted(seeded.targets)
    assert case.deleted() == {oldest[2]}, "the third one was held until a day that is over"


def test_a_snapshot_that_cannot_be_deleted_is_reported_and_nothing_newer_goes_instead(local: Chain) -> None:
    case = case_of(local, event_now("sample"))
    locked, *others = [case.seeded.ours[volume][0] for volume in case.seeded.targets]
    local.account.lock(locked)
    assert locked in failure_of(case.run())
    assert case.deleted() == set(others)
    assert case.new() == sorted(case.seeded.targets)


def test_archived_and_binned_snapshots_are_left_alone_and_do_not_count(local: Chain) -> None:
    event = event_now("sample")
    seeded = case_of(local, event).seeded
    archived, binned = seeded.ours[seeded.targets[0]][0], seeded.ours[seeded.targets[1]][0]
    local.account.archive(archived)
    local.account.put_into_bin(binned)
    case = case_with(local, event, seeded)
    execution = case.run()
    assert execution.status() == "SUCCEEDED", execution.failure()
    assert {archived, binned} <= set(local.account.snapshots())
    assert case.deleted() == {seeded.ours[seeded.targets[2]][0]}
