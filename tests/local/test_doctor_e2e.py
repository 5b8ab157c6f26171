"""`opendlm doctor` on a stack: the real binary, the real state machine and the real function on the local clouds.

A healthy stack has nothing wrong; each planted fault is found by its line, and by no other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

import contract
import policy_group
from chain import Chain
from local_aws import ACCOUNT, REGION
from opendlm import Opendlm, Said
from policy_group import GROUP

POLICY = "policy-0aaaaaaaaaaaaaaaa"
TAG = {"backup": "one"}
SUNDAYS = {"CronExpression": "cron(0 3 ? * SUN *)"}
# What a doctor may call: nothing that writes.
READS = {"DescribeImages", "DescribeInstances", "DescribeSnapshots", "DescribeVolumes", "ListServiceQuotas"}


def hours_ago(hours: int) -> datetime:
    """A time on the minute."""
    return datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(hours=hours)


def document() -> dict[str, Any]:
    """A policy whose daily time was two hours ago, and whose weekly one is as soon as two Sundays from now."""
    daily = {"Name": "Daily", "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Times": [f"{hours_ago(2):%H:%M}"]}}
    details = {"ResourceTypes": ["VOLUME"], "TargetTags": [{"Key": "backup", "Value": "one"}], "Schedules": [daily]}
    daily["RetainRule"] = {"Count": 3}
    return {"PolicyId": POLICY, "Description": "Backups", "State": "ENABLED", "PolicyDetails": details}


class Site:
    """A healthy stack with one policy, two volumes, three backups of each, and a run that has ended well."""

    def __init__(self, chain: Chain, opendlm: Opendlm) -> None:
        self.chain, self.opendlm, self.aws, self.account = chain, opendlm, chain.aws, chain.account
        policy_group.make(self.aws, machine=chain.machine_arn)
        self.queue = self._queue()
        self.volumes = [self.account.add_volume(TAG) for _ in range(2)]
        schedule = document()["PolicyDetails"]["Schedules"][0]
        for volume in self.volumes:
            for days in (2, 1, 0):
                at = hours_ago(2) - timedelta(days=days)
                self.add_snapshot(volume, at, contract.our_tags(document(), schedule, at))
        self.put(document())
        self.revise(days=2)
        opendlm.ok("start", POLICY, "--wait")

    def _queue(self) -> str:
        name = policy_group.tags()["opendlm:dead-letter-queue"].rsplit(":", 1)[-1]
        client = self.aws.client("sqs")
        url = client.create_queue(QueueName=name)["QueueUrl"]
        # An earlier test may have left one.
        for message in client.receive_message(QueueUrl=url).get("Messages", []):
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return url

    def add_snapshot(self, volume: str, at: datetime, tags: dict[str, str]) -> str:
        """A snapshot as opendlm makes it."""
        schedule = document()["PolicyDetails"]["Schedules"][0]
        return self.account.add_snapshot(volume, at, contract.our_description(document(), schedule), tags)

    def put(self, wanted: dict[str, Any]) -> None:
        """Deploy a policy."""
        self.opendlm.ok("put", self.opendlm.named("policy.json", wanted), "--yes")

    def change(self, name: str = f"{POLICY}-1", **changed: Any) -> None:
        """Change a schedule by hand."""
        client = self.aws.client("scheduler")
        found = client.get_schedule(GroupName=GROUP, Name=name)
        keys = ("FlexibleTimeWindow", "ScheduleExpression", "ScheduleExpressionTimezone", "State", "Target")
        client.update_schedule(GroupName=GROUP, Name=name, **{**{key: found[key] for key in keys}, **changed})

    def target(self, name: str = f"{POLICY}-1") -> dict[str, Any]:
        """What a schedule starts."""
        return self.aws.client("scheduler").get_schedule(GroupName=GROUP, Name=name)["Target"]

    def revise(self, days: int, name: str = f"{POLICY}-1") -> None:
        """Let a schedule have been written so many days ago."""
        target = self.target(name)
        revision = f"{hours_ago(24 * days):%Y-%m-%dT%H:%M:%SZ}"
        self.change(name, Target={**target, "Input": json.dumps({**json.loads(target["Input"]), "Revision": revision})})

    def doctor(self, *words: str) -> Said:
        """What it says."""
        return self.opendlm.type("doctor", *words, "--json")

    def executions(self) -> list[Any]:
        """moto's executions."""
        return [execution for machine in machines() for execution in machine.executions]


def machines() -> list[Any]:
    """moto's state machines."""
    return stepfunctions_parser_backends[ACCOUNT][REGION].state_machines


def lines(said: Said) -> list[dict[str, str]]:
    """Its lines."""
    assert said.out, said.err
    return said.json


def abouts(said: Said, health: str) -> list[str]:
    """What is so, each once, in order."""
    return list(dict.fromkeys(line["About"] for line in lines(said) if line["Health"] == health))


def line(said: Said, about: str) -> dict[str, str]:
    """The line about something: the worst, where there are several."""
    found = [each for each in lines(said) if each["About"] == about]
    return max(found, key=lambda each: ["ok", "unknown", "wrong"].index(each["Health"]))


@pytest.fixture
def site(local: Chain, tmp_path: Path) -> Site:
    """A healthy stack."""
    # Runs of an earlier test would count as the policy's.
    for machine in machines():
        machine.executions.clear()
    return Site(local, Opendlm(tmp_path, local.aws))


def test_a_healthy_stack_has_nothing_wrong_and_nothing_is_changed(site: Site):
    before, schedules, number = site.account.seen(), policy_group.schedules(site.aws), len(site.aws.wire.calls)
    said = site.doctor()
    assert (said.code, abouts(said, "wrong")) == (0, []), said.out
    # The run has ended, and of Service Quotas nobody asks here.
    assert abouts(said, "unknown") == ["listing lag", "quotas"], said.out
    assert {call.Action for call in list(site.aws.wire.calls)[number:]} <= READS
    assert (site.account.seen(), policy_group.schedules(site.aws)) == (before, schedules)
    assert ACCOUNT in line(said, "identity")["Says"] and REGION in line(said, "identity")["Says"]
    assert line(said, "function")["Says"].startswith("it answered as opendlm ")
    assert "SUCCEEDED" in line(said, "last run")["Says"]
    assert "snapshots=8 pages=2 empty-pages=0 transfer-types=" in line(said, "to report back")["Says"], said.out
    of_one = site.doctor(POLICY)
    assert (of_one.code, abouts(of_one, "wrong")) == (0, []), of_one.out
    screen = site.opendlm.ok("doctor").out
    assert all(len(row) <= 80 or " " not in row.strip() for row in screen.splitlines()), screen


def delete_one_of_two(site: Site) -> None:
    wanted = document()
    wanted["PolicyDetails"]["Schedules"].append({"Name": "Weekly", "CreateRule": SUNDAYS, "RetainRule": {"Count": 2}})
    site.put(wanted)
    site.aws.client("scheduler").delete_schedule(GroupName=GROUP, Name=f"{POLICY}-2")


def leave_an_old_revision(site: Site) -> None:
    old = site.target()
    site.aws.client("scheduler").create_schedule(
        GroupName=GROUP, Name="left-over", ScheduleExpression="cron(0 3 * * ? *)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={**old, "Input": json.dumps({**json.loads(old["Input"]), "Revision": "2026-01-01T00:00:00Z"})},
    )


def point_elsewhere(site: Site) -> None:
    site.change(Target={**site.target(), "Arn": f"{site.chain.machine_arn}-of-old"})


def miss_its_times(site: Site) -> None:
    site.change(ScheduleExpression=f"cron({(hours_ago(2).minute + 7) % 60} {hours_ago(5).hour} * * ? *)")


def count_in_another_zone(site: Site) -> None:
    site.change(ScheduleExpressionTimezone="Europe/Berlin")


def fail_the_last_run(site: Site) -> None:
    site.aws.switches.change({"ERROR_MESSAGES": {site.volumes[0]: "Given key ID is not accessible"}})
    assert site.opendlm.type("start", POLICY, "--wait").code == 1
    site.aws.switches.change({"ERROR_MESSAGES": {}})


def let_the_last_run_be_old(site: Site) -> None:
    for execution in site.executions():
        execution.start_date = hours_ago(30)


def leave_a_dead_letter(site: Site) -> None:
    site.aws.client("sqs").send_message(QueueUrl=site.queue, MessageBody="{}")


def delete_the_queue(site: Site) -> None:
    site.aws.client("sqs").delete_queue(QueueUrl=site.queue)


def turn_the_clock(site: Site) -> None:
    site.aws.switches.change({"CLOCK_AHEAD_SECONDS": 400})


def untag_a_volume(site: Site) -> None:
    site.aws.ec2.tags[site.volumes[0]].pop("backup")


def edit_tags(site: Site) -> None:
    oldest = min(site.account.snapshots().values(), key=lambda each: each.start)
    site.aws.ec2.tags[oldest.id]["opendlm:scheduled-time"] = "2026-01-01T00:00:00Z"


def copy_tags(site: Site) -> None:
    site.account.add_snapshot(site.volumes[0], hours_ago(1), "by hand", {"opendlm:policy-id": POLICY})


def lose_the_targets(site: Site) -> None:
    for volume in site.volumes:
        site.account.delete_volume(volume)
    for snapshot in site.account.snapshots():
        site.aws.ec2.snapshots.pop(snapshot)


def back_up_by_amazon_dlm(site: Site) -> None:
    site.aws.wire.lifecycle_policies = [
        {"PolicyId": "policy-0dlm", "Description": "old", "State": "ENABLED", "TargetTags": [{"Key": "backup", "Value": "one"}]},
        {"PolicyId": "policy-off", "Description": "", "State": "DISABLED", "TargetTags": [{"Key": "backup", "Value": "one"}]},
        {"PolicyId": "policy-two", "Description": "", "State": "ENABLED", "TargetTags": [{"Key": "backup", "Value": "two"}]},
    ]


def deploy_another_version(site: Site) -> None:
    client = site.aws.client("scheduler")
    arn = client.get_schedule_group(Name=GROUP)["Arn"]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "opendlm:version", "Value": "0.1.0"}])


def put_what_is_no_policy(site: Site) -> None:
    target = {**site.target(), "Input": "{}"}
    site.aws.client("scheduler").create_schedule(
        GroupName=GROUP, Name="stray", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )


def disable_the_schedule(site: Site) -> None:
    site.change(State="DISABLED")


FAULTS: dict[str, tuple[Callable[[Site], None], list[str], str]] = {
    "a schedule is missing": (delete_one_of_two, ["schedules"], "nothing starts it at cron(0 3 ? * SUN *)"),
    "two revisions": (leave_an_old_revision, ["schedules"], "left-over has an older policy"),
    "another machine": (point_elsewhere, ["schedules"], "starts another machine"),
    "its times are not met": (miss_its_times, ["schedules"], "nothing starts it at cron("),
    "another time zone": (count_in_another_zone, ["schedules"], "Europe/Berlin"),
    "nobody's schedule": (put_what_is_no_policy, ["schedules"], "stray"),
    "the last run failed": (fail_the_last_run, ["last run"], "PARTIAL"),
    "the last run is too old": (let_the_last_run_be_old, ["last run"], "none came for"),
    "a dead letter": (leave_a_dead_letter, ["dead letters"], "could not be delivered: 1"),
    "no queue": (delete_the_queue, ["dead letters"], "GetQueueUrl failed with"),
    "the clock": (turn_the_clock, ["clock"], " s behind EC2"),
    "orphans": (untag_a_volume, ["orphans"], "nothing manages any more"),
    "doubted tags": (edit_tags, ["tags", "orphans"], "somebody edited"),
    "look-alikes": (copy_tags, ["look-alikes"], "not opendlm's"),
    "no targets": (lose_the_targets, ["targets"], "nothing carries a target tag"),
    "double backups": (back_up_by_amazon_dlm, ["double backups"], "policy-0dlm (old)"),
    "two versions": (deploy_another_version, ["version"], "0.1.0"),
    "all is disabled": (disable_the_schedule, ["policies"], "none is enabled"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_by_its_line(site: Site, name: str):
    plant, expected, words = FAULTS[name]
    plant(site)
    said = site.doctor()
    assert (said.code, abouts(said, "wrong")) == (1, expected), said.out
    assert words in line(said, expected[0])["Says"] and line(said, expected[0])["Cure"], said.out


def test_a_topic_without_a_subscriber_is_wrong(site: Site):
    client, topic = site.aws.client("sns"), site.chain.post.topic_arn
    [subscription] = client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    client.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    try:
        said = site.doctor()
    finally:
        client.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=subscription["Endpoint"])
    assert (said.code, abouts(said, "wrong")) == (1, ["mail"]), said.out


def test_a_policy_that_somebody_asks_about_is_to_be_enabled(site: Site):
    site.opendlm.ok("disable", POLICY)
    said = site.doctor(POLICY)
    assert (said.code, abouts(said, "wrong")) == (1, ["policy"])
    assert "opendlm enable" in line(said, "policy")["Cure"]


def test_a_key_without_a_backup_is_unknown_and_one_with_a_backup_proves_itself(site: Site):
    volume = site.account.add_volume(TAG, key="a-key", created=datetime.now(timezone.utc))
    said = site.doctor()
    assert (abouts(said, "wrong"), line(said, "keys")["Health"]) == ([], "unknown"), said.out
    assert ":key/" in line(said, "keys")["Says"] and "KmsKeyArns" in line(said, "keys")["Cure"]
    schedule = document()["PolicyDetails"]["Schedules"][0]
    site.add_snapshot(volume, hours_ago(2), contract.our_tags(document(), schedule, hours_ago(2)))
    assert line(site.doctor(), "keys")["Health"] == "ok"


# What each service's refusal leaves unknown, and the right that is missing.
REFUSED = {
    "dlm": (["double backups"], "dlm:GetLifecyclePolicies"),
    "ec2": (["look", "keys", "listing"], "ec2:Describe"),
    "scheduler": (["stack"], "scheduler:GetScheduleGroup"),
    "sns": (["mail"], "sns:ListSubscriptionsByTopic"),
    "sqs": (["dead letters"], "sqs:GetQueueUrl"),
    "states": (["machine", "function", "mail", "last run"], "states:DescribeStateMachine"),
    "sts": (["identity"], "sts:GetCallerIdentity"),
}


@pytest.mark.parametrize("service", REFUSED)
def test_a_look_that_is_refused_is_unknown_and_names_the_right(site: Site, service: str):
    unknown, right = REFUSED[service]
    if service == "ec2":
        refused = {"FAIL_ACTIONS": {"DescribeVolumes": "UnauthorizedOperation", "DescribeSnapshots": "UnauthorizedOperation"}}
    else:
        refused = {"FAIL_LOOKS": {service: "AccessDeniedException"}}
    site.aws.switches.change(refused)
    said = site.doctor()
    assert (said.code, abouts(said, "wrong")) == (0, []), said.out
    assert set(unknown) <= set(abouts(said, "unknown")), said.out
    assert right in line(said, unknown[0])["Says"], said.out


def test_the_lag_of_a_listing_is_measured_by_what_its_id_shows(site: Site):
    site.aws.switches.change({"LISTING_LAG": 6, "SNAP_SECONDS": 60, "WAIT_SCALE": 1})
    site.opendlm.told("start", POLICY)
    while len(site.account.snapshots()) < 10:
        time.sleep(0.1)
    # The answer of that turn is in the history.
    time.sleep(1)
    said = site.doctor(POLICY)
    assert "after its id showed it" in line(said, "listing lag")["Says"], said.out


def test_who_names_no_file_and_no_policy_is_told_so(site: Site):
    said = site.opendlm.type("doctor", "policy-0ffffffffffffffff")
    assert said.code == 1 and "no such policy is deployed in the group opendlm" in said.err
