"""`opendlm doctor` on the deployed stack: a healthy one has nothing wrong; each planted fault is named with its cure, and all is well
again once that is mended.

The faults of schedules, group and queue are those of doctor_faults.py, which the local AWS has too; the others are planted here by
MiniStack's own APIs. What it cannot show is planted on the local AWS (tests/local/test_doctor_e2e.py) or in values
(src/doctor/tests):

- Policies of Amazon DLM on the same tags: it answers 400 `{"error": "Unsupported service: dlm"}`, so that line stays unknown.
- A clock that is off: its clock is this machine's.
- A subscriber who has not confirmed: ListSubscriptionsByTopic has the subscription's ARN where SNS has `PendingConfirmation`.
- A last run and backups that are too old: no call sets when an execution or a snapshot was started. A time that no run came for is
  planted all the same.
- Which key a volume is under: DescribeVolumes says `encrypted` and leaves out `kmsKeyId`, so the key has no name.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import doctor_faults
import policies
import starts
import volumes
from doctor_faults import Mendable, Patient, abouts, check_named, daily_rule, line
from ministack import MiniStack
from policy_group import GROUP
from prepare import BUILT
from stack import Stack
from told import Told
from volumes import Volumes

ANOTHER_REGION = "eu-west-1"
EDITED_TIME = "2026-01-01T00:00:00Z"
# What MiniStack has no service for, and what is known during a run alone.
UNKNOWN = ("double backups", "listing lag", "quotas")
LOOKED = ("identity", "clock", "stack", "version", "machine", "function", "dead letters", "mail", "schedules", "last run", "backups")


class Site(Patient):
    """The deployed stack, somebody who hears of failures, two volumes, and a policy whose run has ended well."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        super().__init__(stack.cloud.client, policies.command_line(stack, folder), daily_policy("doctor"))
        self.stack = stack
        self.outputs = stack.outputs()
        self.definition = self._described()["definition"]
        self.backed_up = [volumes.make(stack.cloud, "doctor") for _ in range(2)]
        subscribe(self)
        self.put(self.policy)
        run(self)

    def _described(self) -> dict[str, Any]:
        return self.client("stepfunctions").describe_state_machine(stateMachineArn=self.machine)

    def define(self, definition: str) -> None:
        """Give the state machine a definition."""
        self.client("stepfunctions").update_state_machine(stateMachineArn=self.machine, definition=definition)

    def deploy_function(self, code: bytes) -> None:
        """Give the function a code, and let it answer once."""
        function = self.outputs["FunctionArn"]
        self.client("lambda").update_function_code(FunctionName=function, ZipFile=zipped(code))
        run(self)


def daily_policy(name: str) -> dict[str, Any]:
    """A policy that nothing but a test starts."""
    policy = volumes.policy(name)
    policy["PolicyDetails"]["Schedules"][0]["CreateRule"] = daily_rule()
    return policy


def zipped(code: bytes) -> bytes:
    """What Lambda takes for a function."""
    bootstrap = zipfile.ZipInfo("bootstrap")
    bootstrap.external_attr = 0o755 << 16
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(bootstrap, code)
    return written.getvalue()


@pytest.fixture(scope="module")
def site(deployed: Stack, folder: Path) -> Iterator[Site]:
    """A healthy stack. Its own schedule is off, so that nothing starts while somebody looks."""
    deployed.change_environment(deployed.cloud.endpoint)
    deployed.change_schedule(State="DISABLED")
    healthy = Site(deployed, folder)
    yield healthy
    healthy.opendlm.ok("delete", healthy.id, "--yes")


def check_well(patient: Patient) -> None:
    """That nothing is wrong."""
    said = patient.doctor()
    assert (said.code, abouts(said, "wrong")) == (0, []), said.out


def test_a_healthy_stack_has_nothing_wrong_and_what_ministack_does_not_have_is_unknown(site: Site):
    # Its first refusal of a service takes it longer than doctor waits for the quotas.
    check_well(site)
    said = site.doctor(site.id)
    found = {each["About"]: each["Health"] for each in said.json}
    assert {about: health for about, health in found.items() if health != "ok"} == dict.fromkeys(UNKNOWN, "unknown"), said.out
    assert set(LOOKED) <= set(found)
    without_code = "failed with BadAnswer: HTTP status 400 without an error code"
    assert line(said, "double backups")["Says"] == f"GetLifecyclePolicies {without_code}"
    assert line(said, "quotas")["Says"] == f"ListServiceQuotas {without_code}"


def run(site: Site) -> None:
    """The cure of a run that failed: start the policy again."""
    site.opendlm.ok("start", site.id, "--wait")


def fail_the_last_run(site: Site) -> None:
    """Somebody starts the machine with half a policy."""
    execution = starts.start(site.stack, {"Policy": {"PolicyId": site.id}})
    assert (execution.status(), execution.failure()[0]) == ("FAILED", "PolicyInvalid")


def put_another_machine(site: Site) -> None:
    """The machine has the definition of another version."""
    site.define(json.dumps({**json.loads(site.definition), "Comment": "Of another version."}))


def put_this_machine(site: Site) -> None:
    """The machine has the template's definition."""
    site.define(site.definition)


def put_another_function(site: Site) -> None:
    """The function says that it is of another version: the version's bytes are changed in it, and nothing else."""
    version = site.tags()["opendlm:version"].encode()
    site.deploy_function(BUILT.read_bytes().replace(version, b"9" + version[1:]))


def put_this_function(site: Site) -> None:
    """The function is the one that was deployed."""
    site.deploy_function(BUILT.read_bytes())


def unsubscribe_all(site: Site) -> None:
    """Nobody hears."""
    client = site.client("sns")
    for each in client.list_subscriptions_by_topic(TopicArn=site.outputs["AlarmTopicArn"])["Subscriptions"]:
        client.unsubscribe(SubscriptionArn=each["SubscriptionArn"])


def subscribe(site: Site) -> None:
    """Somebody hears."""
    Told(site.stack.cloud, site.outputs["AlarmTopicArn"])


def delete_the_topic(site: Site) -> None:
    """There is nothing to hear of."""
    site.client("sns").delete_topic(TopicArn=site.outputs["AlarmTopicArn"])


def make_the_topic(site: Site) -> None:
    """As the next deployment does, for somebody who hears."""
    site.client("sns").create_topic(Name=site.outputs["AlarmTopicArn"].rsplit(":", 1)[-1])
    subscribe(site)


def untag(site: Site, targeted: list[Volumes]) -> None:
    """Volumes are no target any more."""
    site.client("ec2").delete_tags(Resources=[each.targeted for each in targeted], Tags=[{"Key": "auto-backup"}])


def untag_all(site: Site) -> None:
    """The policy has no target."""
    untag(site, site.backed_up)


def untag_one(site: Site) -> None:
    """The backups of one volume are nobody's."""
    untag(site, site.backed_up[:1])


def tag_again(site: Site) -> None:
    """All of them are targets again."""
    targeted = [each.targeted for each in site.backed_up]
    site.client("ec2").create_tags(Resources=targeted, Tags=site.policy["PolicyDetails"]["TargetTags"])


def edit_tags(site: Site) -> None:
    """Somebody edits the tags of a backup."""
    edited = [{"Key": "opendlm:scheduled-time", "Value": EDITED_TIME}]
    site.client("ec2").create_tags(Resources=[site.backed_up[0].snapshots()[0]["SnapshotId"]], Tags=edited)


def copy_tags(site: Site) -> None:
    """Somebody makes a snapshot by hand and copies the tags of a backup."""
    backup = site.backed_up[0].snapshots()[0]
    tags = [tag for tag in backup["Tags"] if tag["Key"] != "opendlm:scheduled-time"]
    tags.append({"Key": "opendlm:scheduled-time", "Value": EDITED_TIME})
    tagged = [{"ResourceType": "snapshot", "Tags": tags}]
    site.client("ec2").create_snapshot(VolumeId=backup["VolumeId"], Description="by hand", TagSpecifications=tagged)


def delete_by_hand(site: Site) -> None:
    """The cure of what somebody edited or copied."""
    for each in site.backed_up[0].snapshots():
        if volumes.scheduled_time(each) == EDITED_TIME:
            site.client("ec2").delete_snapshot(SnapshotId=each["SnapshotId"])


FAULTS: dict[str, Mendable] = {
    **doctor_faults.FAULTS,
    "a machine of another version": Mendable(put_another_machine, ["machine"], "is not the one of opendlm", put_this_machine),
    "a function of another version": Mendable(put_another_function, ["function"], "answer was of opendlm 9", put_this_function),
    "no subscriber": Mendable(unsubscribe_all, ["mail"], "the topic has no subscriber", subscribe),
    "no topic": Mendable(delete_the_topic, ["mail"], "ListSubscriptionsByTopic failed with NotFound", make_the_topic),
    "the last run failed": Mendable(fail_the_last_run, ["last run"], "ended FAILED", run),
    "no targets": Mendable(untag_all, ["targets", "orphans"], "nothing carries a target tag", tag_again),
    "orphans": Mendable(untag_one, ["orphans"], "nothing manages any more", tag_again),
    "doubted tags": Mendable(edit_tags, ["tags", "orphans"], "somebody edited: 1", delete_by_hand),
    "look-alikes": Mendable(copy_tags, ["look-alikes"], "are not opendlm's: 1", delete_by_hand),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named_with_its_cure_and_all_is_well_once_it_is_mended(site: Site, name: str):
    fault = FAULTS[name]
    fault.plant(site)
    try:
        check_named(site.doctor(), fault.abouts, fault.words)
    finally:
        fault.mend(site)
    check_well(site)


def test_a_time_that_no_run_came_for_is_wrong_until_one_comes(site: Site, cloud: MiniStack):
    volumes.make(cloud, "unstarted")
    other = Patient(site.client, site.opendlm, daily_policy("unstarted"))
    other.put(other.policy)
    try:
        other.revise(days=2)
        check_named(other.doctor(), ["last run"], "no run is known, and ")
        other.opendlm.ok("start", other.id, "--wait")
        check_well(other)
    finally:
        other.opendlm.ok("delete", other.id, "--yes")


def test_a_policy_that_somebody_asks_about_is_to_be_enabled(site: Site):
    site.opendlm.ok("disable", site.id)
    try:
        said = site.doctor(site.id)
        assert (said.code, abouts(said, "wrong")) == (1, ["policy"]), said.out
        assert f"opendlm enable {site.id}" in line(said, "policy")["Cure"]
    finally:
        site.opendlm.ok("enable", site.id)
    check_well(site)


def test_a_group_that_is_of_no_stack_or_of_another_regions_is_wrong_and_none_at_all_too(site: Site):
    client = site.stack.cloud.client("scheduler", ANOTHER_REGION)
    check_there(site, ["stack"], f"there is no schedule group {GROUP}")
    client.create_schedule_group(Name=GROUP)
    check_there(site, ["stack"], "is not of an opendlm stack: it has no tag opendlm:state-machine")
    arn = client.get_schedule_group(Name=GROUP)["Arn"]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in site.tags().items()])
    # What is not there either follows.
    expected = ["identity", "machine", "dead letters", "policies"]
    check_there(site, expected, f"in {ANOTHER_REGION}, and the group's tags name the machine {site.machine}")
    client.delete_schedule_group(Name=GROUP)


def check_there(site: Site, expected: list[str], words: str) -> None:
    """What is wrong in the other Region, the first of it in these words."""
    check_named(site.opendlm.type("doctor", "--json", AWS_REGION=ANOTHER_REGION), expected, words)


def test_a_key_that_nobody_names_is_unknown_until_there_is_a_backup(site: Site):
    other = Patient(site.client, site.opendlm, daily_policy("encrypted"))
    tagged = [{"ResourceType": "volume", "Tags": other.policy["PolicyDetails"]["TargetTags"]}]
    site.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, TagSpecifications=tagged)
    other.put(other.policy)
    try:
        found = line(other.doctor(other.id), "keys")
        assert found["Health"] == "unknown" and "KmsKeyArns" in found["Cure"], found
        other.opendlm.ok("start", other.id, "--wait")
        assert line(other.doctor(other.id), "keys")["Health"] == "ok"
    finally:
        other.opendlm.ok("delete", other.id, "--yes")
