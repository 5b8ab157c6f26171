"""The runs of deployed policies: `opendlm start`, `runs`, `stop` and what their neighbours say of runs, by the real binary, the real
state machine and the real function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import policy_group
from chain import Chain
from opendlm import Opendlm

DAILY = {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["17:00"]}
POLICY = "policy-0aaaaaaaaaaaaaaaa"
COLUMNS_MAX = 80


def document(count: int = 3) -> dict[str, Any]:
    """A daily policy."""
    schedule = {"Name": "Daily", "CreateRule": DAILY, "RetainRule": {"Count": count}}
    details = {"ResourceTypes": ["VOLUME"], "TargetTags": [{"Key": "backup", "Value": "one"}], "Schedules": [schedule]}
    return {"PolicyId": POLICY, "Description": "Backups", "State": "ENABLED", "PolicyDetails": details}


@pytest.fixture
def opendlm(local: Chain, tmp_path: Path) -> Opendlm:
    """The command line, a stack's group with one policy in it, and two volumes of that policy."""
    policy_group.make(local.aws, machine=local.machine_arn)
    for _ in range(2):
        local.account.add_volume({"backup": "one"})
    opendlm = Opendlm(tmp_path, local.aws)
    opendlm.ok("put", opendlm.file("one.json", document()).name, "--yes")
    return opendlm


def last_run(opendlm: Opendlm) -> Any:
    """The newest run of the policy: those of other tests are there as well."""
    return opendlm.told("runs", POLICY)[0]


def fits(text: str) -> bool:
    """Whether a screen has at most 80 columns."""
    return all(len(line) <= COLUMNS_MAX for line in text.splitlines())


def test_a_start_is_waited_for_listed_and_told_whole(local: Chain, opendlm: Opendlm) -> None:
    waited = opendlm.ok("start", POLICY, "--wait")
    assert "SUCCEEDED" in waited.out and "made 2, deleted 0" in waited.out and fits(waited.out), waited.out
    assert [each.tag("opendlm:stamp").endswith(" now") for each in local.account.snapshots().values()] == [True, True]

    listed = opendlm.ok("runs").out
    head, line, policy, *_ = listed.splitlines()
    assert head.split() == ["RUN", "STARTED", "TOOK", "OUTCOME", "MADE", "DELETED", "FAILED"]
    assert (line.split()[-4:], policy) == (["SUCCEEDED", "2", "0", "0"], f"  {POLICY}")
    run = last_run(opendlm)
    assert (run["Outcome"], run["Report"]["Created"], run["PolicyId"]) == ("SUCCEEDED", 2, POLICY)
    short = line.split()[0]
    assert run["Run"].startswith(short)
    whole = opendlm.ok("runs", short).out
    assert f"run {run['Run']}" in whole and run["Report"]["Summary"][:40] in whole and fits(whole), whole

    [row] = opendlm.told("list")["Policies"]
    assert (row["LastRun"]["Run"], row["LastRun"]["Outcome"]) == (run["Run"], "SUCCEEDED")
    assert fits(opendlm.ok("list").out)
    told = " ".join(opendlm.ok("list", "--cost", "--price", "0.10").out.split())
    assert f"{POLICY}: 2 backups: at most " in told and "USD at 0.10 a GiB-month (an upper bound" in told, told


def test_a_failed_run_says_why_and_its_start_exits_with_1(local: Chain, opendlm: Opendlm) -> None:
    bad = min(local.account.volumes())
    local.aws.switches.change({"SNAP_SECONDS": 0.3, "WAIT_SCALE": 0.01, "ERROR_MESSAGES": {bad: "Given key ID is not accessible"}})
    said = opendlm.type("start", POLICY, "--wait")
    assert said.code == 1, said
    assert "PARTIAL" in said.out and "Given key ID is not accessible" in " ".join(said.out.split()), said.out
    listed = opendlm.ok("runs").out
    assert "PARTIAL" in listed and bad in listed and "opendlm runs RUN tells one of them whole" in listed, listed
    run = last_run(opendlm)
    assert (run["Outcome"], run["Report"]["Failed"]) == ("PARTIAL", 1)


def test_a_run_under_way_is_told_by_its_neighbours_and_stopped(local: Chain, opendlm: Opendlm) -> None:
    local.aws.switches.change({"SNAP_SECONDS": 600, "WAIT_SCALE": 1})
    started = opendlm.told("start", POLICY)
    short = started["Run"][:8]
    run = last_run(opendlm)
    assert (run["Outcome"], run["TookSeconds"]) == ("RUNNING", None)

    put = opendlm.ok("put", opendlm.file("one.json", document(4)).name, "--yes").out
    words = " ".join(put.split())
    assert f"the run {short} is under way and goes on as it began, whether or not the policy is put" in words, put
    disabled = " ".join(opendlm.ok("disable", POLICY).out.split())
    assert f"the run {short} is under way" in disabled and "opendlm stop RUN ends one" in disabled, disabled

    refused = opendlm.type("stop", short)
    assert refused.code == 1 and "nothing was changed" in refused.err
    assert opendlm.told("stop", short, "--yes")["Outcome"] == "STOPPED"
    run = last_run(opendlm)
    assert run["Outcome"] == "STOPPED"
    again = opendlm.type("stop", short, "--yes")
    assert again.code == 1 and "is over already: STOPPED" in again.err
    assert len(local.account.snapshots()) == 2, "what it has made stays"


def test_what_cannot_be_started_or_told_says_so(opendlm: Opendlm) -> None:
    unknown = opendlm.type("runs", "zz")
    assert unknown.code == 1 and "no run's name begins with zz" in unknown.err
    opendlm.ok("disable", POLICY)
    disabled = opendlm.type("start", POLICY)
    assert disabled.code == 1 and f"opendlm enable {POLICY}" in disabled.err


def test_what_reads_a_file_takes_a_deployed_policy_as_well(local: Chain, opendlm: Opendlm) -> None:
    assert f"{POLICY}: understood" in opendlm.ok("check", POLICY).out
    assert len(opendlm.told("next", POLICY)["Schedules"][0]["Times"]) == 5
    plan = opendlm.told("plan", POLICY)
    assert [line["volume"] for line in plan["Decisions"] if line.get("volume")] or plan["Report"]["PolicyId"] == POLICY
    opendlm.ok("start", POLICY, "--wait")
    snapshot = min(local.account.snapshots())
    explained = opendlm.ok("explain", POLICY, snapshot).out
    assert snapshot in explained and "RunNow" in " ".join(explained.split()), explained
    unknown = opendlm.type("plan", "policy-0ffffffffffffffff")
    assert unknown.code == 1 and "there is no such file, and no such policy" in unknown.err
