"""A stack with one policy, faults that `opendlm doctor` is to name in it, and what mends each.

They are planted by calls that any AWS takes, so that the tests of the local AWS and those of the deployed stack share them. What
mends one is the cure that its line gives, where that is a command.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from opendlm import Opendlm, Said
from policy_group import GROUP

SUNDAYS = {"CronExpression": "cron(0 3 ? * SUN *)"}
SCHEDULE_KEYS = ("Description", "FlexibleTimeWindow", "ScheduleExpression", "ScheduleExpressionTimezone", "State", "Target")
DAILY = {"ScheduleExpression": "cron(0 3 * * ? *)", "FlexibleTimeWindow": {"Mode": "OFF"}}
LEFT_OVER, STRAY = "left-over", "stray"


class Patient:
    """A healthy stack with one policy of one schedule, on whichever AWS."""

    def __init__(self, client: Callable[[str], Any], opendlm: Opendlm, policy: dict[str, Any]) -> None:
        self.client, self.opendlm, self.policy = client, opendlm, policy
        self.schedule = f"{self.id}-1"

    @property
    def id(self) -> str:
        """The policy's."""
        return self.policy["PolicyId"]

    def tags(self) -> dict[str, str]:
        """What the stack's schedule group says of the stack."""
        found = self.client("scheduler").list_tags_for_resource(ResourceArn=self._group_arn())["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}

    def tag(self, key: str, value: str) -> None:
        """Change a tag of the schedule group."""
        self.client("scheduler").tag_resource(ResourceArn=self._group_arn(), Tags=[{"Key": key, "Value": value}])

    def _group_arn(self) -> str:
        return self.client("scheduler").get_schedule_group(Name=GROUP)["Arn"]

    @property
    def machine(self) -> str:
        """The ARN of the state machine."""
        return self.tags()["opendlm:state-machine"]

    @property
    def queue(self) -> str:
        """The name of the dead-letter queue."""
        return self.tags()["opendlm:dead-letter-queue"].rsplit(":", 1)[-1]

    def queue_url(self) -> str:
        """Where the dead-letter queue is."""
        return self.client("sqs").get_queue_url(QueueName=self.queue)["QueueUrl"]

    def put(self, policy: dict[str, Any]) -> None:
        """Deploy a policy."""
        self.opendlm.ok("put", self.opendlm.named("policy.json", policy), "--yes")

    def change(self, **changed: Any) -> None:
        """Change the policy's schedule by hand."""
        client = self.client("scheduler")
        found = client.get_schedule(GroupName=GROUP, Name=self.schedule)
        kept = {key: found[key] for key in SCHEDULE_KEYS if key in found}
        client.update_schedule(GroupName=GROUP, Name=self.schedule, **{**kept, **changed})

    def target(self) -> dict[str, Any]:
        """What the policy's schedule starts."""
        return self.client("scheduler").get_schedule(GroupName=GROUP, Name=self.schedule)["Target"]

    def target_of(self, revision: str) -> dict[str, Any]:
        """The same, as another revision of the policy would have it."""
        target = self.target()
        return {**target, "Input": json.dumps({**json.loads(target["Input"]), "Revision": revision})}

    def revise(self, days: int) -> None:
        """Let the policy have been deployed so many days ago."""
        self.change(Target=self.target_of(f"{hours_ago(24 * days):%Y-%m-%dT%H:%M:%SZ}"))

    def doctor(self, *words: str) -> Said:
        """What it says."""
        return self.opendlm.type("doctor", *words, "--json")


@dataclass(frozen=True)
class Fault:
    """Something wrong, and the lines that are to name it: the first of `abouts` in these words."""

    plant: Callable[[Any], Any]
    abouts: list[str]
    words: str


@dataclass(frozen=True)
class Mendable(Fault):
    """One that is put right again."""

    mend: Callable[[Any], Any]


def hours_ago(hours: int) -> datetime:
    """A time on the minute."""
    return datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(hours=hours)


def daily_rule() -> dict[str, Any]:
    """When a policy is due whose daily time was two hours ago, so that nothing but a test starts it."""
    return {"Interval": 24, "IntervalUnit": "HOURS", "Times": [f"{hours_ago(2):%H:%M}"]}


def abouts(said: Said, health: str) -> list[str]:
    """What is so, each once, in order."""
    return list(dict.fromkeys(line["About"] for line in lines(said) if line["Health"] == health))


def line(said: Said, about: str) -> dict[str, str]:
    """The line about something: the worst, where there are several."""
    found = [each for each in lines(said) if each["About"] == about]
    return max(found, key=lambda each: ["ok", "unknown", "wrong"].index(each["Health"]))


def lines(said: Said) -> list[dict[str, str]]:
    """Its lines."""
    assert said.out, said.err
    return said.json


def check_named(said: Said, expected: list[str], words: str) -> None:
    """That what was looked at there is wrong, the first in these words and with a cure, and nothing else is."""
    assert (said.code, abouts(said, "wrong")) == (1, expected), said.out
    found = line(said, expected[0])
    assert words in found["Says"] and found["Cure"], said.out


def put_again(patient: Patient) -> None:
    """The cure of most."""
    patient.put(patient.policy)


def delete_one_of_two(patient: Patient) -> None:
    """Somebody deletes one of the schedules that start a policy."""
    details = patient.policy["PolicyDetails"]
    weekly = {"Name": "Weekly", "CreateRule": SUNDAYS, "RetainRule": {"Count": 2}}
    patient.put({**patient.policy, "PolicyDetails": {**details, "Schedules": [*details["Schedules"], weekly]}})
    patient.client("scheduler").delete_schedule(GroupName=GROUP, Name=f"{patient.id}-2")


def leave_an_old_revision(patient: Patient) -> None:
    """A schedule of the policy as it once was."""
    target = patient.target_of("2026-01-01T00:00:00Z")
    patient.client("scheduler").create_schedule(GroupName=GROUP, Name=LEFT_OVER, Target=target, **DAILY)


def point_elsewhere(patient: Patient) -> None:
    """The schedule starts the machine of an earlier stack."""
    patient.change(Target={**patient.target(), "Arn": f"{patient.machine}-of-old"})


def put_all(patient: Patient) -> None:
    """All policies, for what the stack is now."""
    patient.opendlm.ok("put", "--all", "--yes")


def forget_the_queue(patient: Patient) -> None:
    """The schedule has no dead-letter queue."""
    target = patient.target()
    del target["DeadLetterConfig"]
    patient.change(Target=target)


def miss_its_times(patient: Patient) -> None:
    """Somebody types another time into the schedule."""
    patient.change(ScheduleExpression=f"cron({(hours_ago(2).minute + 7) % 60} {hours_ago(5).hour} * * ? *)")


def count_in_another_zone(patient: Patient) -> None:
    """Somebody types another time zone into the schedule."""
    patient.change(ScheduleExpressionTimezone="Europe/Berlin")


def put_what_is_no_policy(patient: Patient) -> None:
    """Somebody's own schedule in the stack's group."""
    target = {**patient.target(), "Input": "{}"}
    patient.client("scheduler").create_schedule(GroupName=GROUP, Name=STRAY, Target=target, **DAILY)


def take_it_away(patient: Patient) -> None:
    """Somebody's own schedule is deleted."""
    patient.client("scheduler").delete_schedule(GroupName=GROUP, Name=STRAY)


def disable_the_schedule(patient: Patient) -> None:
    """Somebody disables the schedule in the console."""
    patient.change(State="DISABLED")


def enable(patient: Patient) -> None:
    """The cure of what is disabled."""
    patient.opendlm.ok("enable", patient.id)


def deploy_another_version(patient: Patient) -> None:
    """The stack is one of an earlier version."""
    patient.tag("opendlm:version", "0.1.0")


def deploy_this_version(patient: Patient) -> None:
    """The stack is of the command line's version."""
    patient.tag("opendlm:version", patient.opendlm.ok("--version").out.split()[-1])


def leave_a_dead_letter(patient: Patient) -> None:
    """A start that could not be delivered."""
    patient.client("sqs").send_message(QueueUrl=patient.queue_url(), MessageBody="{}")


def take_the_dead_letter(patient: Patient) -> None:
    """Somebody reads it and deletes it."""
    client, url = patient.client("sqs"), patient.queue_url()
    for message in client.receive_message(QueueUrl=url).get("Messages", []):
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def delete_the_queue(patient: Patient) -> None:
    """Starts that cannot be delivered are lost."""
    patient.client("sqs").delete_queue(QueueUrl=patient.queue_url())


def make_the_queue(patient: Patient) -> None:
    """As the next deployment does."""
    patient.client("sqs").create_queue(QueueName=patient.queue)


# By what somebody would call them.
FAULTS = {
    "nobody's schedule": Mendable(put_what_is_no_policy, ["schedules"], STRAY, take_it_away),
    "a dead letter": Mendable(leave_a_dead_letter, ["dead letters"], "could not be delivered: 1", take_the_dead_letter),
    "no queue": Mendable(delete_the_queue, ["dead letters"], "GetQueueUrl failed with", make_the_queue),
    "two versions": Mendable(deploy_another_version, ["version"], "0.1.0", deploy_this_version),
    "a schedule is missing": Mendable(delete_one_of_two, ["schedules"], "nothing starts it at cron(0 3 ? * SUN *)", put_again),
    "two revisions": Mendable(leave_an_old_revision, ["schedules"], f"{LEFT_OVER} has an older policy", put_again),
    "another machine": Mendable(point_elsewhere, ["schedules"], "starts another machine", put_all),
    "another queue": Mendable(forget_the_queue, ["schedules"], "has another role or queue", put_all),
    "its times are not met": Mendable(miss_its_times, ["schedules"], "nothing starts it at cron(", put_again),
    "another time zone": Mendable(count_in_another_zone, ["schedules"], "Europe/Berlin", put_again),
    "all is disabled": Mendable(disable_the_schedule, ["policies"], "none is enabled", enable),
}
