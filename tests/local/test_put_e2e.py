"""Policies go live: `opendlm put` and its neighbours, the real binary against the local Scheduler and EC2."""

from __future__ import annotations

import copy
import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import contract
import policy_group
from account import Account
from local_aws import LocalAws
from opendlm import Opendlm
from policy_group import schedules
from put_policies import DAILY, ONE, PLACEHOLDER, TWO, listed, one, policy, put, seed, two


@pytest.fixture
def opendlm(aws: LocalAws, tmp_path: Path) -> Opendlm:
    """The command line, and a stack's empty group."""
    policy_group.make(aws)
    return Opendlm(tmp_path, aws)


def test_two_policies_are_put_and_listed_and_shown(opendlm: Opendlm, aws: LocalAws, account: Account):
    seed(account, one(), 2, 3)
    said = put(opendlm, one(), {"Policy": two(), "Options": {"StartWindowMinutes": 30}})
    assert f"create opendlm/{ONE}-1: cron(0 17 * * ? *)" in said.out and f"{TWO} is deployed" in said.out

    found = schedules(aws)
    assert [(name, each["ScheduleExpression"]) for name, each in found.items()] == [
        (f"{ONE}-1", "cron(0 17 * * ? *)"), (f"{TWO}-1", "cron(0 17 * * ? *)"), (f"{TWO}-2", "cron(0 3 ? * SUN *)"),
    ]
    tags = policy_group.tags()
    for name, each in found.items():
        target = each["Target"]
        assert (each["State"], each["ScheduleExpressionTimezone"], each["FlexibleTimeWindow"]) == ("ENABLED", "UTC", {"Mode": "OFF"})
        assert (target["Arn"], target["RoleArn"]) == (tags["opendlm:state-machine"], tags["opendlm:scheduler-role"])
        assert target["DeadLetterConfig"] == {"Arn": tags["opendlm:dead-letter-queue"]}
        seconds = 3600 if name.startswith(ONE) else 1800
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": seconds, "MaximumRetryAttempts": 185}
        assert each["Event"]["Policy"] == (one() if name.startswith(ONE) else two())
        assert each["Event"]["ScheduledTime"] == PLACEHOLDER
    assert found[f"{TWO}-1"]["Target"]["Input"] == found[f"{TWO}-2"]["Target"]["Input"]

    rows = listed(opendlm)
    assert {id: (row["State"], row["Schedules"], row["Faults"]) for id, row in rows.items()} == {
        ONE: ("ENABLED", ["Daily"], []), TWO: ("ENABLED", ["Daily", "Sundays"], []),
    }
    assert (rows[ONE]["Backups"]["Complete"], rows[TWO]["Backups"]["Complete"]) == (6, 0)
    assert rows[ONE]["NextStart"].endswith("T17:00:00Z") and rows[ONE]["Targets"] == "volumes backup=one"

    assert opendlm.told("show", ONE) == one()
    assert opendlm.told("show", TWO) == {"Policy": two(), "Options": {"StartWindowMinutes": 30}}


def test_what_show_prints_can_be_put_again(opendlm: Opendlm, aws: LocalAws):
    put(opendlm, two())
    before = schedules(aws)
    again = put(opendlm, opendlm.told("show", TWO))
    assert "no change but the revision" in again.out
    after = schedules(aws)
    assert [each["Event"]["Policy"] for each in after.values()] == [each["Event"]["Policy"] for each in before.values()]
    assert min(each["Event"]["Revision"] for each in after.values()) > max(each["Event"]["Revision"] for each in before.values())


def test_an_edit_is_put_with_its_effect_shown_and_nothing_happens_without_a_yes(opendlm: Opendlm, aws: LocalAws, account: Account):
    seed(account, one(), 3, 7)
    put(opendlm, one())
    before = schedules(aws)
    file = opendlm.named("edited.json", one(count=3))
    refused = opendlm.type("put", file, answer="n\n")
    assert refused.code == 1 and "nothing was changed" in refused.err
    lines = refused.lines
    assert '  "Daily": keep 7 -> 3' in lines and "  targets: 3" in lines
    # With the one that is made then, each volume has eight: by the old policy one goes, by the new one five.
    [effect] = [line for line in lines if " go at the next run" in line]
    assert effect.startswith("  12 snapshots of 3 volumes go at the next run, ")
    assert schedules(aws) == before
    assert opendlm.ok("put", file, "--dry-run").out.endswith("nothing was changed\n") and schedules(aws) == before

    agreed = opendlm.ok("put", file, answer="y\n")
    assert f"{ONE} is deployed" in agreed.out
    [after] = schedules(aws).values()
    assert after["Event"]["Options"] == {"AcceptCount": {"Daily": 3}}
    # The consent is for this deployment; the policy that is shown asks for nothing.
    assert opendlm.told("show", ONE) == one(count=3)


def test_a_smaller_count_that_nobody_is_asked_about_is_agreed_to_by_name_only(opendlm: Opendlm, aws: LocalAws, account: Account):
    seed(account, one(), 3, 7)
    put(opendlm, one())
    file = opendlm.named("edited.json", one(count=3))
    wrong = opendlm.type("put", file, "--yes", "--accept", "Weekly")
    assert wrong.code == 1 and wrong.err == "error: --accept Weekly: no schedule of that name keeps by count\n"
    told = opendlm.ok("put", file, "--yes").lines
    assert '  what "Daily" kept before stays: nobody is asked, so agree to the lower count with --accept "Daily"' in told, told
    [silent] = schedules(aws).values()
    assert "AcceptCount" not in silent["Event"].get("Options", {})
    assert silent["Event"]["Policy"]["PolicyDetails"]["Schedules"][0]["RetainRule"] == {"Count": 3}

    put(opendlm, one())
    opendlm.ok("put", file, "--yes", "--accept", "Daily")
    [agreed] = schedules(aws).values()
    assert agreed["Event"]["Options"] == {"AcceptCount": {"Daily": 3}}


def test_what_somebody_else_puts_while_one_thinks_is_not_written_over(opendlm: Opendlm, aws: LocalAws):
    put(opendlm, one())
    mine, theirs = opendlm.named("mine.json", one(count=3)), opendlm.named("theirs.json", one(count=5))
    said = opendlm.type_and_think("put", mine, meanwhile=lambda: opendlm.ok("put", theirs, "--yes"))
    assert said.code == 1
    assert "what is deployed has changed in the meantime: nothing was written, put it again" in said.err
    assert opendlm.told("show", ONE) == one(count=5)
    said = opendlm.type_and_think("put", mine, meanwhile=lambda: None)
    assert said.code == 0 and opendlm.told("show", ONE) == one(count=3)


def test_a_policy_does_what_put_said_it_would(opendlm: Opendlm, aws: LocalAws, account: Account):
    aws.switches.change({"SNAP_SECONDS": 0})
    hourly = policy(ONE, ("Hourly", {"Interval": 1, "IntervalUnit": "HOURS", "Times": ["00:00"]}, 5))
    now = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
    volume = account.add_volume({"backup": "one"})
    [schedule] = hourly["PolicyDetails"]["Schedules"]
    for hours in range(6, 0, -1):
        at = now - timedelta(hours=hours)
        account.add_snapshot(volume, at, contract.our_description(hourly, schedule), contract.our_tags(hourly, schedule, at))
    # So that the test may take as long as it likes.
    hourly = {"Policy": hourly, "Options": {"StartWindowMinutes": 1440}}
    put(opendlm, hourly)
    lower = copy.deepcopy(hourly)
    lower["Policy"]["PolicyDetails"]["Schedules"][0]["RetainRule"]["Count"] = 2
    said = put(opendlm, lower)
    assert any(line.startswith("  3 snapshots of 1 volume go at the next run") for line in said.lines), said.out

    [deployed] = schedules(aws).values()
    event = {**deployed["Event"], "ScheduledTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    report = opendlm.told("run", opendlm.named("start.json", event))["Report"]
    # Six there were and one is new: two stay.
    assert (report["Outcome"], report["Created"], report["Deleted"]) == ("SUCCEEDED", 1, 5), report


def test_an_edit_takes_the_schedules_away_that_nothing_needs_any_more(opendlm: Opendlm, aws: LocalAws):
    put(opendlm, two())
    fewer = policy(TWO, ("Daily", DAILY, 3), tag="two")
    said = put(opendlm, fewer)
    assert f"delete opendlm/{TWO}-2" in said.out and '"Sundays": this schedule is gone' in said.out
    assert list(schedules(aws)) == [f"{TWO}-1"]


def test_a_renamed_schedule_is_told_to_be_forgotten_until_the_options_name_it(opendlm: Opendlm, account: Account):
    seed(account, one(), 1, 3)
    put(opendlm, one())
    renamed = policy(ONE, ("Nightly", DAILY, 7))
    file = opendlm.named("renamed.json", renamed)
    said = "\n".join(opendlm.ok("put", file, "--dry-run").lines)
    assert 'what "Daily" made stays and nothing manages it; if it was renamed, say so in Options.PreviousNames' in said
    assert "3 snapshots are managed by nothing any more" in said
    file = opendlm.named("told.json", {"Policy": renamed, "Options": {"PreviousNames": {"Nightly": ["Daily"]}}})
    said = opendlm.ok("put", file, "--dry-run").out
    assert "nothing manages" not in said and "managed by nothing" not in said


def test_a_policy_without_an_id_gets_one_that_is_written_into_its_file(opendlm: Opendlm, aws: LocalAws):
    file = opendlm.file("mine.json", policy(None, ("Daily", DAILY, 7)))
    before = file.read_text()
    opendlm.ok("put", file.name, "--dry-run")
    assert file.read_text() == before
    assert opendlm.type("put", file.name).code == 1 and file.read_text() == before
    said = opendlm.ok("put", file.name, "--yes")
    id = json.loads(file.read_text())["PolicyId"]
    assert re.fullmatch("policy-[0-9a-f]{17}", id)
    assert "its new PolicyId is written into the file" in said.out
    assert list(schedules(aws)) == [f"{id}-1"]
    # Nothing else of the file has changed, and it is the same policy from now on.
    assert file.read_text().replace(f'  "PolicyId": "{id}",\n', "") == before
    assert "no change but the revision" in opendlm.ok("put", file.name, "--yes").out
    assert list(schedules(aws)) == [f"{id}-1"]


def test_a_policy_is_disabled_enabled_and_deleted(opendlm: Opendlm, aws: LocalAws, account: Account):
    seed(account, two(), 1, 2)
    put(opendlm, two())
    revision = listed(opendlm)[TWO]["Revision"]
    assert opendlm.told("disable", TWO)["State"] == "DISABLED"
    found = schedules(aws).values()
    assert {each["State"] for each in found} == {"DISABLED"} and {each["Event"]["Revision"] for each in found} == {revision}
    assert all("DeadLetterConfig" in each["Target"] and each["Description"] for each in found)
    row = listed(opendlm)[TWO]
    assert (row["State"], row["NextStart"], row["Backups"]["Complete"]) == ("DISABLED", None, 2)
    assert opendlm.told("show", TWO)["State"] == "DISABLED"

    opendlm.ok("enable", TWO)
    found = schedules(aws).values()
    assert {each["State"] for each in found} == {"ENABLED"} and {each["Event"]["Revision"] > revision for each in found} == {True}
    assert listed(opendlm)[TWO]["State"] == "ENABLED"

    asked = opendlm.type("delete", TWO, answer="no\n")
    assert asked.code == 1 and "its 2 backups," in asked.out and len(schedules(aws)) == 2
    opendlm.ok("delete", TWO, "--yes")
    assert schedules(aws) == {} and len(account.snapshots()) == 2
    gone = opendlm.type("show", TWO)
    assert gone.code == 1 and f"no policy {TWO} is deployed in the group opendlm, there is no policy" in gone.err


def test_the_commands_that_read_a_file_take_a_deployed_policy_too(opendlm: Opendlm, account: Account):
    seed(account, one(), 1, 3)
    put(opendlm, one())
    [times] = [each["Times"] for each in opendlm.told("next", ONE, "--count", "1")["Schedules"]]
    assert len(times) == 1 and times[0].endswith("T17:00:00Z")
    assert opendlm.told("check", ONE) == {"Errors": [], "Warnings": [], "NotSupported": []}
    assert opendlm.told("plan", ONE)["Report"]["PolicyId"] == ONE
    snapshot = next(iter(account.snapshots()))
    assert opendlm.told("explain", ONE, snapshot)["Snapshot"] == snapshot
    missing = opendlm.type("check", "policy-0ccccccccccccccccc")
    assert missing.code == 1
    assert "there is no such file, and no such policy: no policy policy-0ccccccccccccccccc is deployed in the group opendlm" in missing.err


def test_a_policy_that_is_put_disabled_starts_nothing(opendlm: Opendlm, aws: LocalAws):
    file = opendlm.named("one.json", one())
    assert "cron(0 17 * * ? *), disabled" in opendlm.ok("put", file, "--disabled", "--yes").out
    assert [each["State"] for each in schedules(aws).values()] == ["DISABLED"]
    said = opendlm.ok("put", file, "--yes").out
    assert "the schedules were DISABLED and are ENABLED then" in said


def test_the_group_is_named_by_an_option_or_by_the_environment(aws: LocalAws, tmp_path: Path):
    said = Opendlm(tmp_path, aws).type("list")
    assert said.code == 1
    assert said.err == (
        "error: there is no schedule group opendlm in this account and Region: deploy the stack of template.yaml, or name its group"
        " with --group or OPENDLM_GROUP\n"
    )
    policy_group.make(aws, "mine")
    aws.client("scheduler").create_schedule_group(Name="foreign")
    assert Opendlm(tmp_path, aws).told("list", "--group", "mine")["Group"] == "mine"
    assert Opendlm(tmp_path, aws, OPENDLM_GROUP="mine").told("list")["Group"] == "mine"
    said = Opendlm(tmp_path, aws).type("list", "--group", "foreign")
    assert "the schedule group foreign is not of an opendlm stack: it has no tag opendlm:state-machine" in said.err


def test_what_is_wrong_with_any_file_is_told_before_anything_is_written(opendlm: Opendlm, aws: LocalAws):
    broken = one()
    broken["PolicyDetails"]["Schedules"][0]["RetainRule"] = {"Count": "many"}
    files = [opendlm.named("broken.json", broken), opendlm.named("good.json", two()), "missing.json"]
    said = opendlm.type("put", *files, "--yes")
    assert said.code == 1 and schedules(aws) == {}
    lines = said.err.splitlines()
    assert any(line.startswith(f"{files[0]}: error: Policy.PolicyDetails.Schedules[0].RetainRule.Count") for line in lines), lines
    assert any("missing.json" in line and "cannot be read" in line for line in lines), lines


def test_schedules_that_scheduler_cannot_start_are_refused_with_the_reason(opendlm: Opendlm, aws: LocalAws):
    rules = [("Last", {"CronExpression": "cron(59 23 L * ? *)"}, 3), ("Monday", {"CronExpression": "cron(59 23 ? * 2L *)"}, 3)]
    said = opendlm.type("put", opendlm.named("meeting.json", policy(ONE, *rules)), "--yes")
    assert said.code == 1 and schedules(aws) == {}
    assert f'{ONE}: the schedules "Last", "Monday" start in the same minute on some days (23:59 UTC)' in said.err


def test_an_account_that_cannot_be_seen_is_no_obstacle_to_a_put(opendlm: Opendlm, aws: LocalAws):
    aws.switches.change({"FAIL_ACTIONS": {"DescribeVolumes": "UnauthorizedOperation"}})
    said = put(opendlm, one())
    assert any("what it does to the account is not known: AccessDenied: " in line for line in said.lines)
    assert list(schedules(aws)) == [f"{ONE}-1"]


def test_the_template_has_the_schedules_that_put_writes(opendlm: Opendlm, aws: LocalAws):
    files = [opendlm.named("one.json", one(count=3)), opendlm.named("two.json", two())]
    template = opendlm.ok("template", *files, "--accept", "Daily").json
    made = {each["Properties"]["Name"]: each["Properties"] for each in template["Resources"].values()}
    put(opendlm, one(), two())
    found = schedules(aws)
    assert set(made) == set(found)
    for name, properties in made.items():
        event = json.loads(properties["Target"]["Input"])
        assert event["Options"] == {"AcceptCount": {"Daily": 3}}
        assert properties["ScheduleExpression"] == found[name]["ScheduleExpression"]
        assert properties["Target"]["RetryPolicy"] == found[name]["Target"]["RetryPolicy"]
    said = opendlm.type("template", files[0], "--accept", "Weekly")
    assert said.code == 1 and said.err == "error: --accept Weekly: no schedule of that name keeps by count\n"
