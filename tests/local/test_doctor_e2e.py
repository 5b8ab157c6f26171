"""`opendlm doctor` on a stack: the real binary, the real state machine and the real function on the local clouds.

A healthy stack has nothing wrong; each planted fault is found by its line, and by no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

import contract
import doctor_faults
import policy_group
from chain import Chain
from doctor_faults import Fault, Patient, abouts, check_named, daily_rule, hours_ago, line, take_the_dead_letter
from local_aws import ACCOUNT, REGION
from opendlm import Opendlm

POLICY = "policy-0aaaaaaaaaaaaaaaa"
TAG = {"backup": "one"}
# What a doctor may call: nothing that writes.
READS = {"DescribeImages", "DescribeInstances", "DescribeSnapshots", "DescribeVolumes", "ListServiceQuotas"}


def document() -> dict[str, Any]:
    """A policy whose daily time was two hours ago."""
    daily = {"Name": "Daily", "CreateRule": daily_rule()}
    details = {"ResourceTypes": ["VOLUME"], "TargetTags": [{"Key": "backup", "Value": "one"}], "Schedules": [daily]}
    daily["RetainRule"] = {"Count": 3}
    return {"PolicyId": POLICY, "Description": "Backups", "State": "ENABLED", "PolicyDetails": details}


class Site(Patient):
    """A healthy stack with one policy, two volumes, three backups of each, and a run that has ended well."""

    def __init__(self, chain: Chain, opendlm: Opendlm) -> None:
        super().__init__(chain.aws.client, opendlm, document())
        self.chain, self.aws, self.account = chain, chain.aws, chain.account
        policy_group.make(self.aws, machine=chain.machine_arn)
        # An earlier test may have left one.
        take_the_dead_letter(self)
        self.volumes = [self.account.add_volume(TAG) for _ in range(2)]
        for volume in self.volumes:
            for days in (2, 1, 0):
                self.add_backup(volume, hours_ago(2) - timedelta(days=days))
        self.put(self.policy)
        self.revise(days=2)
        opendlm.ok("start", POLICY, "--wait")

    def add_backup(self, volume: str, at: datetime) -> str:
        """A snapshot as opendlm makes it."""
        schedule = self.policy["PolicyDetails"]["Schedules"][0]
        description, tags = contract.our_description(self.policy, schedule), contract.our_tags(self.policy, schedule, at)
        return self.account.add_snapshot(volume, at, description, tags)

    def executions(self) -> list[Any]:
        """moto's executions."""
        return [execution for machine in machines() for execution in machine.executions]


def machines() -> list[Any]:
    """moto's state machines."""
    return stepfunctions_parser_backends[ACCOUNT][REGION].state_machines


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


def fail_the_last_run(site: Site) -> None:
    site.aws.switches.change({"ERROR_MESSAGES": {site.volumes[0]: "Given key ID is not accessible"}})
    assert site.opendlm.type("start", POLICY, "--wait").code == 1
    site.aws.switches.change({"ERROR_MESSAGES": {}})


def let_the_last_run_be_old(site: Site) -> None:
    for execution in site.executions():
        execution.start_date = hours_ago(30)


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


# Beside those that any AWS takes.
FAULTS: dict[str, Fault] = {
    **doctor_faults.FAULTS,
    "the last run failed": Fault(fail_the_last_run, ["last run"], "PARTIAL"),
    "the last run is too old": Fault(let_the_last_run_be_old, ["last run"], "none came for"),
    "the clock": Fault(turn_the_clock, ["clock"], " s behind EC2"),
    "orphans": Fault(untag_a_volume, ["orphans"], "nothing manages any more"),
    "doubted tags": Fault(edit_tags, ["tags", "orphans"], "somebody edited"),
    "look-alikes": Fault(copy_tags, ["look-alikes"], "not opendlm's"),
    "no targets": Fault(lose_the_targets, ["targets"], "nothing carries a target tag"),
    "double backups": Fault(back_up_by_amazon_dlm, ["double backups"], "policy-0dlm (old)"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_by_its_line(site: Site, name: str):
    fault = FAULTS[name]
    fault.plant(site)
    check_named(site.doctor(), fault.abouts, fault.words)


def test_a_topic_without_a_subscriber_is_wrong(site: Site):
    client, topic = site.aws.client("sns"), site.chain.post.topic_arn
    [subscription] = client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    client.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    try:
        check_named(site.doctor(), ["mail"], "the topic has no subscriber")
    finally:
        client.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=subscription["Endpoint"])


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
    site.add_backup(volume, hours_ago(2))
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
