"""The schedule group of the stack in the local AWS, with the tags that template.yaml gives it."""

from __future__ import annotations

import json
from typing import Any

from local_aws import ACCOUNT, REGION, LocalAws
from template import Place, resources

GROUP = "opendlm"


def tags() -> dict[str, str]:
    """The tags of the group, as they are after a deployment here."""
    [properties] = resources("AWS::Scheduler::ScheduleGroup").values()
    place = Place(region=REGION, account=ACCOUNT)
    return {tag["Key"]: place.resolve(tag["Value"]) for tag in properties["Tags"]}


def make(aws: LocalAws, name: str = GROUP, machine: str | None = None) -> None:
    """Make the group, with the ARN of the state machine that is there, or of the one that the stack would have, and its queue."""
    own = {"opendlm:state-machine": machine} if machine else {}
    listed = [{"Key": key, "Value": value} for key, value in {**tags(), **own}.items()]
    aws.client("scheduler").create_schedule_group(Name=name, Tags=listed)
    aws.client("sqs").create_queue(QueueName=tags()["opendlm:dead-letter-queue"].rsplit(":", 1)[-1])


def schedules(aws: LocalAws, group: str = GROUP) -> dict[str, dict[str, Any]]:
    """What is in a group, as GetSchedule shows it, by name; `Event` is the input."""
    client = aws.client("scheduler")
    names = [each["Name"] for each in client.list_schedules(GroupName=group)["Schedules"]]
    found = {name: client.get_schedule(GroupName=group, Name=name) for name in sorted(names)}
    for schedule in found.values():
        del schedule["ResponseMetadata"]
        schedule["Event"] = json.loads(schedule["Target"]["Input"])
    return found
