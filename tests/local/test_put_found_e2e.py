"""What `opendlm put` finds in the account: halves, others' schedules, a stack that was made anew."""

from __future__ import annotations

import copy
import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import contract
import policy_group
from account import Account
from local_aws import LocalAws
from opendlm import Opendlm, Said
from policy_group import GROUP, schedules
from put_policies import ONE, PLACEHOLDER, TWO, listed, one, policy, put, two


@pytest.fixture
def opendlm(aws: LocalAws, tmp_path: Path) -> Opendlm:
    """The command line, and a stack's empty group."""
    policy_group.make(aws)
    return Opendlm(tmp_path, aws)


def test_a_half_written_put_is_seen_and_finished_by_the_next_one(opendlm: Opendlm, aws: LocalAws):
    put(opendlm, two())
    edited = copy.deepcopy(two())
    edited["Description"] = "Edited"
    aws.switches.change({"FAIL_SCHEDULES": {f"{TWO}-2": "ValidationException"}})
    file = opendlm.named("edited.json", edited)
    said = opendlm.type("put", file, "--yes")
    assert said.code == 1
    assert "UpdateSchedule failed with ValidationException" in said.err
    assert f"{TWO}: opendlm/{TWO}-2 is not written yet; put it again to finish" in said.err

    [fault] = listed(opendlm)[TWO]["Faults"]
    assert fault == f"half-written: opendlm/{TWO}-2 has an older policy; put it again"
    # The newest of them is what the policy is.
    assert opendlm.told("show", TWO)["Description"] == "Edited"
    aws.switches.change({"FAIL_SCHEDULES": {}})
    opendlm.ok("put", file, "--yes")
    assert listed(opendlm)[TWO]["Faults"] == []
    assert {each["Event"]["Policy"]["Description"] for each in schedules(aws).values()} == {"Edited"}


def test_the_older_half_of_a_half_written_put_deletes_nothing(opendlm: Opendlm, aws: LocalAws, account: Account):
    aws.switches.change({"SNAP_SECONDS": 0})
    rules = ({"Interval": 1, "IntervalUnit": "HOURS", "Times": ["00:00"]}, {"CronExpression": "cron(30 3 ? * SUN *)"})
    few, many = (policy(ONE, ("Hourly", rules[0], count), ("Sundays", rules[1], 4)) for count in (2, 30))
    now = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
    volume, schedule = account.add_volume({"backup": "one"}), few["PolicyDetails"]["Schedules"][0]
    for hours in range(6, 0, -1):
        at = now - timedelta(hours=hours)
        account.add_snapshot(volume, at, contract.our_description(few, schedule), contract.our_tags(few, schedule, at))
    options = {"StartWindowMinutes": 1440}
    put(opendlm, {"Policy": few, "Options": options})
    aws.switches.change({"FAIL_SCHEDULES": {f"{ONE}-2": "ValidationException"}})
    file = opendlm.named("many.json", {"Policy": many, "Options": options})
    assert opendlm.type("put", file, "--yes").code == 1
    new, old = (each["Event"] for each in schedules(aws).values())
    assert new["Revision"] > old["Revision"]

    def started(event: dict[str, Any]) -> Said:
        return opendlm.type("run", opendlm.named("start.json", {**event, "ScheduledTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}), "--json")

    report = started(new).json["Report"]
    assert (report["Created"], report["Deleted"], report["Outcome"]) == (1, 0, "SUCCEEDED"), report
    # A run that begins in the second of the new revision may have been started before it. It would keep two of seven.
    while datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") <= new["Revision"]:
        time.sleep(0.05)
    said = started(old)
    report = said.json["Report"]
    assert (said.code, report["Deleted"], report["Outcome"]) == (1, 0, "PARTIAL"), report
    assert old["Revision"] in json.dumps(report) and new["Revision"] in json.dumps(report), report
    assert len(account.snapshots()) == 7


def test_an_id_that_another_policy_has_is_refused(opendlm: Opendlm, aws: LocalAws):
    files = [opendlm.named(name, one()) for name in ("a.json", "b.json")]
    said = opendlm.type("put", *files, "--yes")
    assert said.code == 1 and f"a.json and {files[1]} both have the PolicyId {ONE}" in said.err
    assert schedules(aws) == {}
    # The name of the first schedule is in use, by the start of another policy.
    put(opendlm, two())
    [target] = {json.dumps(each["Target"]) for each in schedules(aws).values()}
    aws.client("scheduler").create_schedule(
        Name=f"{ONE}-1", GroupName=GROUP, ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"},
        Target=json.loads(target),
    )
    said = opendlm.type("put", files[0], "--yes")
    assert said.code == 1
    assert f"the schedule opendlm/{ONE}-1 exists already and starts the policy {TWO}" in said.err
    assert schedules(aws)[f"{ONE}-1"]["Event"]["Policy"]["PolicyId"] == TWO


def test_after_the_stack_was_made_anew_put_all_points_everything_at_it(opendlm: Opendlm, aws: LocalAws):
    put(opendlm, one(), two())
    opendlm.ok("disable", ONE)
    client = aws.client("scheduler")
    arn = client.get_schedule_group(Name=GROUP)["Arn"]
    anew = {key: value.replace("opendlm-", "opendlm-anew-") for key, value in policy_group.tags().items()}
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in anew.items()])
    for row in listed(opendlm).values():
        [fault] = row["Faults"]
        assert "starts another machine; opendlm put --all points it at the stack's" in fault

    opendlm.ok("put", "--all", "--yes")
    found = schedules(aws)
    assert {each["Target"]["Arn"] for each in found.values()} == {anew["opendlm:state-machine"]}
    assert {each["Target"]["RoleArn"] for each in found.values()} == {anew["opendlm:scheduler-role"]}
    assert {name: each["State"] for name, each in found.items()} == {
        f"{ONE}-1": "DISABLED", f"{TWO}-1": "ENABLED", f"{TWO}-2": "ENABLED",
    }
    assert all(row["Faults"] == [] for row in listed(opendlm).values())


def test_a_schedule_of_0_1_is_taken_over_with_its_id(opendlm: Opendlm, aws: LocalAws):
    tags, client = policy_group.tags(), aws.client("scheduler")
    # As somebody wrote it into template.yaml: without a group, by rate, and without a revision.
    client.create_schedule(
        Name="opendlm-OpendlmSchedule-1A2B3C", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": tags["opendlm:state-machine"], "RoleArn": tags["opendlm:scheduler-role"],
            "Input": json.dumps({"Policy": one(), "ScheduledTime": PLACEHOLDER}),
        },
    )
    # Of the default group only those count that start the stack's machine.
    client.create_schedule(
        Name="of-others", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:queue", "RoleArn": tags["opendlm:scheduler-role"], "Input": "{}"},
    )
    [row] = listed(opendlm).values()
    assert row["PolicyId"] == ONE and "is not in the group opendlm; put it again to take it over" in row["Faults"][0]
    said = put(opendlm, one())
    assert "delete default/opendlm-OpendlmSchedule-1A2B3C" in said.out
    assert [each["Name"] for each in client.list_schedules(GroupName="default")["Schedules"]] == ["of-others"]
    assert list(schedules(aws)) == [f"{ONE}-1"]
    assert listed(opendlm)[ONE]["Faults"] == []
