"""The stack on an AWS that we did not write: template.yaml as it is, deployed by the SAM CLI to MiniStack.

What MiniStack does is no source for what AWS does. That the parts fit together is what is tried here: template, state machine,
schedule and function, and what a user types. The scenarios are in the order in which a stack lives; test_doctor.py goes on
with it, and test_undeployed.py deletes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import policies
import starts
import volumes
from ec2_proxy import Change, Ec2Proxy, hiding_what_is_made, with_transfer_type
from ministack import REGION, MiniStack
from stack import ARCHITECTURE, Stack
from template import template
from told import Told
from volumes import Volumes

ANOTHER_REGION = "eu-west-1"
# RetainRule.Count of the template's policy.
COUNT = 3
# rate(1 minute), and Scheduler's own delay.
FIRST_START_SECONDS_MAX = 90


def check_rotation(stack: Stack, backed_up: Volumes) -> None:
    """Four starts make four snapshots of the volume that the policy names, of which the latest three stay."""
    policy = volumes.policy(backed_up.name)
    times = starts.hours(COUNT + 1)
    reports = [starts.check_succeeded(starts.start(stack, starts.late(policy, time))) for time in times]
    assert [(report["Created"], report["Deleted"]) for report in reports] == [(1, 0), (1, 0), (1, 0), (1, 1)]
    assert [volumes.scheduled_time(each) for each in backed_up.snapshots()] == times[1:]
    assert backed_up.snapshots_of_the_other() == []


def through(stack: Stack, cloud: MiniStack, change: Change) -> Ec2Proxy:
    """A proxy between the deployed function and MiniStack."""
    proxy = Ec2Proxy(cloud.endpoint, change)
    stack.change_environment(proxy.endpoint)
    return proxy


def test_the_stack_is_there_as_the_template_says(deployed: Stack):
    assert deployed.status() == "CREATE_COMPLETE"
    assert set(deployed.outputs()) == set(template()["Outputs"])
    function = deployed.function()
    assert (function["Runtime"], function["Architectures"]) == ("provided.al2023", [ARCHITECTURE])
    assert deployed.schedule()["State"] == "ENABLED"


def test_the_schedule_starts_a_run_that_rotates_although_nobody_replaces_the_placeholder(stack: Stack, cloud: MiniStack):
    backed_up = volumes.make(cloud, "scheduled")
    policy = volumes.policy("scheduled")
    # As Terraform's jsonencode writes the placeholder; MiniStack replaces neither this nor the plain one.
    text = json.dumps({"Policy": policy, "ScheduledTime": "<aws.scheduler.scheduled-time>"})
    escaped = text.replace("<", "\\u003c").replace(">", "\\u003e")
    stack.change_schedule(Target={**stack.schedule()["Target"], "Input": escaped})
    # The one start that the schedule makes must be for the hour after these.
    starts.wait_for_an_hour_with(FIRST_START_SECONDS_MAX + (COUNT + 1) * starts.RUN_SECONDS_MAX)
    earlier = starts.hours(COUNT + 1)[:COUNT]
    for time in earlier:
        starts.check_succeeded(starts.start(stack, starts.late(policy, time)))

    report = starts.check_succeeded(starts.started_by_schedule(stack, starts.executions(stack), FIRST_START_SECONDS_MAX))
    stack.change_schedule(State="DISABLED")
    [warning] = report["Warnings"]
    assert warning.startswith("ScheduledTime: <aws.scheduler.scheduled-time> was not replaced"), warning
    assert (report["Created"], report["Deleted"]) == (1, 1)
    *kept, made = [volumes.scheduled_time(each) for each in backed_up.snapshots()]
    # Due is the hour, whenever in it the start came.
    assert kept == earlier[1:] and made > earlier[-1] and made.endswith(":00:00Z")
    assert backed_up.snapshots_of_the_other() == []


def test_a_run_now_is_typed_as_the_readme_says(stack: Stack, cloud: MiniStack, folder: Path):
    if missing := starts.tools_missing():
        pytest.skip(f"RunNowCommand cannot be typed here: no {', no '.join(missing)}")
    backed_up = volumes.make(cloud, "run-now")
    event = {"Policy": volumes.policy("run-now"), "ScheduledTime": "<aws.scheduler.scheduled-time>"}
    stack.change_schedule(State="DISABLED", Target={**stack.schedule()["Target"], "Input": json.dumps(event)})
    report = starts.check_succeeded(starts.type_run_now(stack, folder))
    assert (report["Created"], report["Warnings"]) == (1, [])
    assert [volumes.scheduled_time(each) for each in backed_up.snapshots()] == [report["Start"]]
    assert backed_up.snapshots_of_the_other() == []


def test_four_starts_leave_three_snapshots_of_the_volume_and_none_of_the_other(stack: Stack, cloud: MiniStack):
    check_rotation(stack, volumes.make(cloud, "plain"))


def test_the_same_where_every_snapshot_has_a_transfer_type(stack: Stack, cloud: MiniStack):
    backed_up = volumes.make(cloud, "transfer-type")
    with through(stack, cloud, with_transfer_type) as proxy:
        check_rotation(stack, backed_up)
    assert proxy.changed > COUNT


def test_targets_in_two_regions_are_worked_off_by_the_distributed_map(stack: Stack, cloud: MiniStack):
    regions = [REGION, ANOTHER_REGION]
    there = [volumes.make(cloud, "targets", region) for region in regions]
    policy = volumes.policy("targets")
    report = starts.check_succeeded(starts.start(stack, starts.run_now(policy, 0, Targets=[{"Regions": regions}])))
    assert report["Created"] == 2
    for backed_up in there:
        assert [volumes.scheduled_time(each) for each in backed_up.snapshots()] == [report["Start"]]
        assert backed_up.snapshots_of_the_other() == []


def test_an_ec2_that_hides_what_is_made_gets_one_snapshot_a_start_and_a_clear_failure(stack: Stack, cloud: MiniStack):
    backed_up = volumes.make(cloud, "hidden")
    policy = volumes.policy("hidden")
    for number in range(COUNT + 1):
        with through(stack, cloud, hiding_what_is_made) as proxy:
            execution = starts.start(stack, starts.run_now(policy, number))
        assert proxy.changed > 0
        assert execution.status() == "FAILED", execution.output()
        error, cause = execution.failure()
        assert error == "Partial"
        assert "does not filter as EC2 does" in cause and "by its id but not by its tag opendlm:policy-id" in cause, cause
        # One for each start, and nothing goes.
        assert len(backed_up.snapshots()) == number + 1
    assert backed_up.snapshots_of_the_other() == []


def test_a_policy_that_is_put_starts_the_machine_of_the_stack(stack: Stack, cloud: MiniStack, folder: Path):
    backed_up = volumes.make(cloud, "put")
    policy = volumes.policy("put")
    policies.type_opendlm(stack, folder, "put", policies.file(folder, policy), "--yes")
    [(name, schedule)] = policies.schedules_of(stack, "policy-put").items()
    assert (name, schedule["ScheduleExpression"]) == ("policy-put-1", "cron(0 * * * ? *)")
    assert schedule["Target"]["Arn"] == stack.outputs()["StateMachineArn"]
    event = {**schedule["Target"]["Input"], "ScheduledTime": starts.hours(1)[0]}
    report = starts.check_succeeded(starts.start(stack, {**event, "Options": {"StartWindowMinutes": 1440}}))
    assert (report["Created"], report["Warnings"]) == (1, [])
    assert len(backed_up.snapshots()) == 1
    [row] = [each for each in policies.listed(stack, folder) if each["PolicyId"] == "policy-put"]
    assert (row["State"], row["Backups"]["Complete"], row["Faults"]) == ("ENABLED", 1, [])
    policies.type_opendlm(stack, folder, "delete", "policy-put", "--yes")
    assert policies.schedules_of(stack, "policy-put") == {}


def test_the_template_of_a_policy_deploys_the_schedules_that_put_writes(stack: Stack, folder: Path):
    policy = volumes.policy("template")
    weekly = {"CronExpression": "cron(0 3 ? * SUN *)"}
    hourly = policy["PolicyDetails"]["Schedules"][0]
    policy["PolicyDetails"]["Schedules"].append({**hourly, "Name": "Half past", "CreateRule": {"CronExpression": "cron(30 3 ? * SUN *)"}})
    policy["PolicyDetails"]["Schedules"].append({**hourly, "Name": "Weekly", "CreateRule": weekly})
    file = policies.file(folder, policy)
    policies.deploy_template(stack, policies.type_opendlm(stack, folder, "template", file))
    by_template = policies.schedules_of(stack, "policy-template")
    # The weekly one is among the times of the hourly one.
    assert sorted(by_template) == ["policy-template-1", "policy-template-2"]
    policies.delete_template(stack)
    assert policies.schedules_of(stack, "policy-template") == {}

    policies.type_opendlm(stack, folder, "put", file, "--yes")
    by_put = policies.schedules_of(stack, "policy-template")
    for each in (*by_template.values(), *by_put.values()):
        del each["Target"]["Input"]["Revision"]
        # MiniStack's CloudFormation leaves the time zone out; UTC is Scheduler's default.
        each.setdefault("ScheduleExpressionTimezone", "UTC")
    assert by_template == by_put
    policies.type_opendlm(stack, folder, "delete", "policy-template", "--yes")


def test_a_run_is_an_event_and_one_that_fails_a_mail_too(stack: Stack, cloud: MiniStack):
    assert stack.outputs()["WhoHears"].startswith("NOBODY")
    told = Told(cloud, stack.outputs()["AlarmTopicArn"])
    volumes.make(cloud, "told")
    report = starts.check_succeeded(starts.start(stack, starts.run_now(volumes.policy("told"), 0)))
    [event] = told.events()
    assert (event["detail-type"], event["detail"]) == ("opendlm Run Finished", report)
    assert told.mails() == []
    execution = starts.start(stack, {"Policy": {"PolicyId": "policy-told"}})
    assert (execution.status(), execution.failure()[0]) == ("FAILED", "PolicyInvalid")
    [mail] = told.mails()
    assert mail["Subject"] == "opendlm, BACKUPS MAY BE MISSING (PolicyInvalid): policy-told"
    assert mail["Message"].endswith(f"--region {REGION} --execution-arn {execution.arn}"), mail
    [event] = told.events()
    assert event["detail"]["Outcome"] == "FAILED"
