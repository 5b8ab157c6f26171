"""`opendlm doctor FILE` without a stack, and the cost in `opendlm plan`, typed at a terminal against the local AWS."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import events
import sample_account
from account import Account
from case import event_now
from chain import bootstrap_path
from local_aws import LocalAws

COMMAND = bootstrap_path().with_name("opendlm")
pytestmark = pytest.mark.skipif(not COMMAND.exists(), reason="the command line is not built: cargo build --features aws,cli,mocks")


def typed(aws: LocalAws, folder: Path, event: Any, *words: str) -> subprocess.CompletedProcess[str]:
    """What a command with an event says, and its exit code."""
    file = folder / "event.json"
    file.write_text(json.dumps(event))
    environment = {**aws.environment(), "PATH": os.defpath}
    command = [str(COMMAND), words[0], str(file), *words[1:]]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def healths(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """How everything is, by what was looked at; of several lines the worst."""
    lines = json.loads(done.stdout)
    return {each["About"]: each["Health"] for each in sorted(lines, key=lambda each: each["Health"] == "wrong")}


@pytest.fixture
def event(account: Account) -> Any:
    """The sample event in a healthy account: without what a sample account holds to mislead a run."""
    made, now = event_now("sample"), events.now_to_the_second()
    [schedule] = events.schedules_of(made)
    schedule["CreateRule"]["Times"] = [now.strftime("%H:%M")]
    seeded = sample_account.seed(account, made, now)
    for id in seeded.foreign:
        account._ec2.snapshots.pop(id)
    events.body_of(made).pop("Options")
    events.body_of(made).pop("ScheduledTime", None)
    return made


def test_a_healthy_account_has_nothing_wrong_and_nothing_is_changed(aws: LocalAws, event: Any, tmp_path: Path) -> None:
    done = typed(aws, tmp_path, event, "doctor", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = healths(done)
    assert "wrong" not in found.values() and (found["stack"], found["schedules"], found["last run"]) == ("unknown",) * 3
    assert (found["identity"], found["clock"], found["backups"], found["double backups"]) == ("ok",) * 4
    assert {call.Action for call in aws.wire.calls_since(0)} <= {
        "DescribeImages", "DescribeInstances", "DescribeSnapshots", "DescribeVolumes"
    }


def test_planted_faults_are_found(aws: LocalAws, account: Account, event: Any, tmp_path: Path) -> None:
    [(key, _), *_] = events.target_tags_of(event)
    for volume in account.volumes():
        aws.ec2.tags[volume].pop(key, None)
    found = healths(typed(aws, tmp_path, event, "doctor", "--json"))
    assert (found["targets"], found["orphans"]) == ("wrong", "wrong")
    aws.switches.change({"FAIL_ACTIONS": {"DescribeVolumes": "UnauthorizedOperation"}})
    done = typed(aws, tmp_path, event, "doctor", "--json")
    # Who may not look knows nothing.
    found = healths(done)
    assert (done.returncode, found["look"], found["keys"]) == (0, "unknown", "unknown")
    assert not {"backups", "orphans", "tags", "targets"} & set(found)


def test_a_line_says_how_it_is_and_what_to_do(aws: LocalAws, event: Any, tmp_path: Path) -> None:
    events.policy_of(event)["State"] = "DISABLED"
    done = typed(aws, tmp_path, event, "doctor")
    assert done.returncode == 1
    assert "wrong   policy: it is disabled: no backup is made\n        set State to ENABLED\n" in done.stdout


def test_a_plan_says_what_the_snapshots_cost_at_most(aws: LocalAws, account: Account, event: Any, tmp_path: Path) -> None:
    told = typed(aws, tmp_path, event, "plan", "--price", "0.10").stdout
    snapshots = aws.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
    gib = sum(each["FullSnapshotSizeInBytes"] for each in snapshots) / 2**30
    assert f"Cost of {len(snapshots)} complete snapshots: at most " in told, told
    line = " ".join(told[told.index("Cost of ") :].split())
    assert "USD at 0.10 a GiB-month (an upper bound: EBS bills changed blocks only)" in line
    assert float(line.split("at most ")[1].split(" ")[0]) == pytest.approx(gib, abs=0.1)
