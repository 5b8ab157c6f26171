"""Many accounts and Regions: the real state machine and the real function, with STS and EC2 of several accounts.

Needs the bootstrap (`make bootstrap`, or its path in OPENDLM_BOOTSTRAP) and the environment that setup.py makes.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import events
from account import Account
from case import event_now, with_options, writes
from chain import Chain, Execution
from local_aws import ACCOUNT, REGION
from wire import Call, Intervention

ONE, TWO, THREE = "111122223333", "444455556666", "777788889999"
REGIONS = ["eu-west-1", "us-west-2"]
EXTERNAL_ID = "shared/between:us"


def role_of(account: str) -> str:
    """The role of a target's account."""
    return f"arn:aws:iam::{account}:role/opendlm-target"


def target(account: str | None, regions: list[str], external_id: str | None = None) -> dict[str, Any]:
    """An entry of Options.Targets."""
    entry = {"RoleArn": role_of(account), "ExternalId": external_id} if account else {}
    return {**{key: value for key, value in entry.items() if value}, "Regions": regions}


def event_for(targets: list[dict[str, Any]]) -> Any:
    """The sample event, due now, for these targets."""
    return with_options(event_now("sample"), Targets=targets)


def seeded(local: Chain, account: str, region: str, event: Any, volumes: int = 2) -> Account:
    """An account with so many volumes that the policy targets, and one that it does not."""
    there = Account(local.aws, account, region)
    [(key, value), *_] = events.target_tags_of(event)
    for _ in range(volumes):
        there.add_volume({key: value})
    there.add_volume({"Name": "scratch"})
    return there


def outcomes(report: dict[str, Any]) -> dict[tuple[str | None, str], str]:
    """How each target came off."""
    return {(each.get("Account"), each["Region"]): each["Outcome"] for each in report["Targets"]}


def split_answer(execution: Execution) -> dict[str, Any]:
    """The answer of the first turn."""
    return execution.answers()[0]


def test_a_run_over_two_accounts_and_two_regions_makes_its_snapshots_and_one_role_that_does_not_open_fails_alone(local: Chain):
    event = event_for([target(ONE, REGIONS, EXTERNAL_ID), target(THREE, ["eu-west-1"]), target(TWO, REGIONS)])
    local.aws.wire.roles.trust(role_of(ONE), EXTERNAL_ID)
    local.aws.wire.roles.trust(role_of(TWO))
    places = {(account, region): seeded(local, account, region, event) for account in (ONE, TWO) for region in REGIONS}
    own = seeded(local, ACCOUNT, REGION, event)
    closed = seeded(local, THREE, "eu-west-1", event)

    execution = local.run(event)

    assert (execution.status(), execution.failure()[0]) == ("FAILED", "Partial")
    for there in places.values():
        assert sorted(each.volume for each in there.snapshots().values()) == sorted(
            each.id for each in there.volumes().values() if dict(each.tags).get("Name") != "scratch"
        )
        assert {each.status for each in there.snapshots().values()} == {"completed"}
    assert own.snapshots() == {} and closed.snapshots() == {}
    report = execution.report()
    assert (report["Outcome"], report["Created"], report["Failed"]) == ("PARTIAL", 8, 1)
    assert outcomes(report) == {**dict.fromkeys(places, "SUCCEEDED"), (THREE, "eu-west-1"): "FAILED"}
    [failure] = report["Failures"]
    assert (failure["Account"], failure["Region"], failure["Code"]) == (THREE, "eu-west-1", "AccessDenied")
    assert failure["Resource"] == role_of(THREE)
    assert "cannot be assumed: its trust policy has to name the function's role" in failure["Message"]
    assert "sts:AssumeRole" in failure["Message"]
    # What people read first.
    cause = execution.failure()[1]
    assert cause == report["Summary"]
    assert cause.startswith(f"5 targets; 4 succeeded; 1 failed: account {THREE} in eu-west-1; 8 made and 0 deleted")
    assert role_of(THREE) in cause


def test_all_targets_have_the_start_of_the_run_and_a_second_run_makes_nothing(local: Chain):
    event = event_now("targets")
    [theirs, own] = events.options_of(event)["Targets"]
    own["Regions"] = [REGION]
    assert theirs["Regions"] == REGIONS
    local.aws.wire.roles.trust(theirs["RoleArn"], theirs["ExternalId"])
    places = [seeded(local, account, region, event) for account, region in [(ONE, r) for r in REGIONS] + [(ACCOUNT, REGION)]]
    first = local.run(event)
    assert first.status() == "SUCCEEDED", first.failure()
    report = first.output()
    assert outcomes(report) == {(ONE, REGIONS[0]): "SUCCEEDED", (ONE, REGIONS[1]): "SUCCEEDED", (None, REGION): "SUCCEEDED"}
    times = {each.tag("opendlm:scheduled-time") for there in places for each in there.snapshots().values()}
    assert len(times) == 1 and times == {report["Schedules"][0]["ScheduledTime"]}
    before = [there.snapshots() for there in places]
    assert local.run(event).status() == "SUCCEEDED"
    assert [there.snapshots() for there in places] == before


def test_a_role_is_asked_for_under_the_policys_name_and_as_seldom_as_can_be(local: Chain):
    # A role of its own, since what a test before this one opened is still open.
    event = event_for([target("222233334444", REGIONS, EXTERNAL_ID)])
    local.aws.wire.roles.trust(role_of("222233334444"), EXTERNAL_ID)
    for region in REGIONS:
        seeded(local, "222233334444", region, event)
    since = max((line.number for line in local.function.log.since(0)), default=0)
    execution = local.run(event)
    assert execution.status() == "SUCCEEDED", execution.failure()
    # The executions of the targets have histories of their own, which the interpreter does not show.
    assert len(execution.answers()) == 2
    assert len([line for line in local.function.log.since(since) if line.message == "turn"]) >= 4
    sessions = local.aws.wire.roles.sessions
    assert len(sessions) == len(REGIONS)
    policy = events.policy_of(event)["PolicyId"]
    assert {(each.role, each.external_id, each.name) for each in sessions} == {
        (role_of("222233334444"), EXTERNAL_ID, f"opendlm-{policy}")
    }


@pytest.mark.parametrize("said", [None, "another-id"])
def test_without_the_external_id_no_role_opens(local: Chain, said: str | None):
    event = event_for([target("333344445555", ["eu-west-1"], said)])
    local.aws.wire.roles.trust(role_of("333344445555"), EXTERNAL_ID)
    there = seeded(local, "333344445555", "eu-west-1", event)
    execution = local.run(event)
    assert execution.failure()[0] == "Partial"
    assert execution.report()["Failures"][0]["Code"] == "AccessDenied"
    assert there.snapshots() == {} and writes(local) == []


class Broken(Intervention):
    """EC2 of one account refuses everything."""

    def __init__(self, account: str, code: str) -> None:
        self._account, self._code = account, code

    def arrives(self, call: Call) -> str | None:
        return self._code if call.Account == self._account else None


@pytest.mark.parametrize(("code", "name"), [("UnauthorizedOperation", "AccessDenied"), ("InternalError", "Unavailable")])
def test_what_is_wrong_in_one_account_stays_there(local: Chain, code: str, name: str):
    event = event_for([target(ONE, ["eu-west-1"]), target(TWO, ["eu-west-1"])])
    for account in (ONE, TWO):
        local.aws.wire.roles.trust(role_of(account))
    good, bad = (seeded(local, account, "eu-west-1", event) for account in (ONE, TWO))
    local.aws.wire.interventions.append(Broken(TWO, code))
    local.aws.switches.change({"WAIT_SCALE": 0.002})
    execution = local.run(event)
    assert execution.failure()[0] == "Partial"
    report = execution.report()
    assert outcomes(report) == {(ONE, "eu-west-1"): "SUCCEEDED", (TWO, "eu-west-1"): "FAILED"}
    assert (len(good.snapshots()), len(bad.snapshots())) == (2, 0)
    assert report["Failures"][0]["Code"] == name


def test_a_failed_volume_makes_its_target_partial_and_is_told_with_its_place(local: Chain):
    event = event_for([target(ONE, ["eu-west-1"]), target(TWO, ["eu-west-1"])])
    event = copy.deepcopy(event)
    for account in (ONE, TWO):
        local.aws.wire.roles.trust(role_of(account))
    places = [seeded(local, account, "eu-west-1", event) for account in (ONE, TWO)]
    broken = min(id for id, each in places[1].volumes().items() if dict(each.tags).get("Name") != "scratch")
    local.aws.switches.change({"ERROR_VOLUMES": broken, "WAIT_SCALE": 0.02})
    execution = local.run(event)
    report = execution.report()
    assert outcomes(report) == {(ONE, "eu-west-1"): "SUCCEEDED", (TWO, "eu-west-1"): "PARTIAL"}
    assert {(each["Account"], each["Resource"]) for each in report["Failures"]} == {(TWO, broken)}


def test_a_target_can_be_named_alone(local: Chain):
    event = with_options(event_now("sample"), Target={"RoleArn": role_of(ONE), "Region": "eu-west-1"})
    local.aws.wire.roles.trust(role_of(ONE))
    there = seeded(local, ONE, "eu-west-1", event)
    execution = local.run(event)
    assert execution.status() == "SUCCEEDED", execution.failure()
    report = execution.output()
    assert (report["Account"], report["Region"], report["Created"]) == (ONE, "eu-west-1", 2)
    assert len(there.snapshots()) == 2


def test_every_line_of_the_log_says_where(local: Chain):
    event = event_for([target(ONE, ["eu-west-1"])])
    local.aws.wire.roles.trust(role_of(ONE))
    seeded(local, ONE, "eu-west-1", event)
    since = max((line.number for line in local.function.log.since(0)), default=0)
    assert local.run(event).status() == "SUCCEEDED"
    lines = [line.fields for line in local.function.log.since(since) if line.message in ("turn", "action")]
    assert lines and {(line.get("account"), line.get("region")) for line in lines} == {(ONE, "eu-west-1")}
    text = "".join(line.text for line in local.function.log.since(since))
    assert "ASIA" not in text and "SecretAccessKey" not in text


def test_a_mistake_in_the_targets_is_told_before_anything_is_done(local: Chain):
    event = event_for([target(ONE, ["eu-west-1", "eu-west-1"]), {"RoleArn": "opendlm", "Regions": []}])
    execution = local.run(event)
    error, cause = execution.failure()
    assert error == "PolicyInvalid"
    for path in ("Options.Targets[0].Regions[1]", "Options.Targets[1].RoleArn", "Options.Targets[1].Regions"):
        assert path in cause
    assert local.aws.wire.calls_since(0) == [] or writes(local) == []


def listed(local: Chain, targets: Any) -> Any:
    """The sample event, due now, for targets that are listed in S3."""
    where = {"Bucket": "amzn-s3-demo-bucket", "Key": "opendlm/targets.json"}
    s3 = local.aws.client("s3")
    s3.create_bucket(Bucket=where["Bucket"])
    s3.put_object(**where, Body=json.dumps(targets, indent=2).encode())
    event = event_now("targets-from")
    assert events.options_of(event)["TargetsFrom"] == where
    return event


def test_more_targets_than_an_event_names_come_from_a_list_in_s3_and_one_report_sums_them(local: Chain):
    accounts = [f"{number:012}" for number in range(100_000, 100_045)]
    event = listed(local, [target(account, ["eu-west-1"]) for account in accounts])
    closed = accounts[7]
    for account in accounts:
        if account != closed:
            local.aws.wire.roles.trust(role_of(account))
    places = {account: seeded(local, account, "eu-west-1", event, volumes=1) for account in accounts}
    execution = local.run(event)
    assert (execution.status(), execution.failure()[0]) == ("FAILED", "Partial"), execution.failure()
    report = execution.report()
    assert (report["Created"], report["Failed"], len(report["Targets"])) == (44, 1, 45)
    assert outcomes(report)[(closed, "eu-west-1")] == "FAILED"
    assert execution.failure()[1].startswith(f"45 targets; 44 succeeded; 1 failed: account {closed} in eu-west-1; ")
    made = {account: len(there.snapshots()) for account, there in places.items()}
    assert made == {account: int(account != closed) for account in accounts}
    times = {each.tag("opendlm:scheduled-time") for there in places.values() for each in there.snapshots().values()}
    assert times == {report["Schedules"][0]["ScheduledTime"]}
    [asking, split, _] = execution.answers_of_the_function()
    assert (asking["Status"], split["Status"]) == ("READ", "SPLIT")
    assert "TargetsFrom" not in split["Next"]["Options"] and "TargetsList" not in split["Next"]


def test_a_mistake_in_a_list_is_told_with_its_path_before_anything_is_done(local: Chain):
    event = listed(local, [target(ONE, ["eu-west-1"]), {"RoleArn": "opendlm", "Regions": ["eu-west-1", "Ireland"]}])
    local.aws.wire.roles.trust(role_of(ONE))
    there = seeded(local, ONE, "eu-west-1", event)
    error, cause = local.run(event).failure()
    assert error == "PolicyInvalid"
    assert "Options.TargetsFrom[1].RoleArn: " in cause and "Options.TargetsFrom[1].Regions[1]: " in cause
    assert there.snapshots() == {} and writes(local) == []


def test_the_answer_that_splits_names_every_target_and_what_is_due(local: Chain):
    event = event_for([target(ONE, REGIONS)])
    local.aws.wire.roles.trust(role_of(ONE))
    answer = split_answer(local.run(event))
    assert (answer["Status"], answer["WaitSeconds"], len(answer["Targets"])) == ("SPLIT", 0, 2)
    assert answer["Report"]["Summary"] == "2 targets, a run for each"
    assert answer["Report"]["Schedules"][0]["Due"] == "DUE"
    assert "Targets" not in answer["Next"]["Options"]
