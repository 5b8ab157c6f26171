"""What a first-time user sees of `opendlm`: messages, exit codes, screens of 80 columns, closed pipes."""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import events
import sample_account
from account import Account
from local_aws import LocalAws
from opendlm import Opendlm, widest
from rie import ROOT
from sample_account import Seeded

SAMPLE = ROOT / "events" / "sample.json"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
PROFILES = """
[profile sso]
region = us-east-1
sso_session = company
sso_account_id = 111122223333
sso_role_name = backup
[sso-session company]
sso_region = us-east-1
sso_start_url = https://company.awsapps.com/start
[profile login]
region = us-east-1
login_session = arn:aws:sts::111122223333:assumed-role/backup/me
[profile failing]
region = us-east-1
credential_process = false
[profile process]
region = us-east-1
credential_process = echo '{"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "secret"}'
"""


@pytest.fixture
def alone(tmp_path: Path) -> Opendlm:
    """The command line without any AWS."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(PROFILES)
    return Opendlm(tmp_path)


@pytest.fixture
def opendlm(alone: Opendlm, aws: LocalAws) -> Opendlm:
    """The command line in front of the local AWS."""
    aws.switches.change({"SNAP_SECONDS": 0.5})
    return Opendlm(alone.folder, aws)


@pytest.fixture
def seeded(account: Account) -> Seeded:
    """The account of the sample event."""
    return sample_account.seed(account, events.load(SAMPLE), events.now_to_the_second())


@pytest.fixture
def due(account: Account, tmp_path: Path) -> tuple[Path, Seeded]:
    """The sample policy at one of its own times, in a file, and its account."""
    now = events.now_to_the_second().replace(second=0)
    event = events.load(SAMPLE)
    event["Policy"]["PolicyDetails"]["Schedules"][0]["CreateRule"]["Times"] = [now.strftime("%H:%M")]
    event.pop("Options")
    event["ScheduledTime"] = events.time_text(now)
    path = tmp_path / "due.json"
    path.write_text(json.dumps(event))
    return path, sample_account.seed(account, event, now)


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port at which nothing answers: it is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def assert_fails(opendlm: Opendlm, expected: str, **more: str | None) -> None:
    """Every command that needs AWS says the same line, and fails."""
    for command in (("plan", SAMPLE), ("run", SAMPLE), ("explain", SAMPLE, "snap-0123456789abcdef0")):
        said = opendlm.type(*command, **more)
        assert (said.code, said.out, said.err) == (1, "", f"error: {expected}\n")


def test_without_a_region_the_variable_is_named(alone: Opendlm) -> None:
    assert_fails(alone, "no Region is set: set AWS_REGION, as in AWS_REGION=eu-west-1", **KEYS)


def test_without_credentials_one_hears_how_to_sign_in(alone: Opendlm) -> None:
    assert_fails(
        alone,
        "no credentials were found: sign in (aws login, aws sso login) and name the profile in AWS_PROFILE, or set "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        AWS_REGION="us-east-1",
    )


@pytest.mark.parametrize("url", ["localhost:4566", ""])
def test_an_endpoint_that_is_no_url_is_named(alone: Opendlm, url: str) -> None:
    rest = "expected a URL with http:// or https:// such as http://localhost:4566: correct it, or unset it to use AWS"
    assert_fails(alone, f'AWS_ENDPOINT_URL is "{url}", {rest}', AWS_REGION="us-east-1", AWS_ENDPOINT_URL=url, **KEYS)


def test_an_endpoint_that_refuses_is_named(alone: Opendlm, unused_port: int) -> None:
    url = f"http://127.0.0.1:{unused_port}"
    expected = f"nothing answers at {url} (connection refused): start it, or correct AWS_ENDPOINT_URL"
    assert_fails(alone, expected, AWS_REGION="us-east-1", AWS_ENDPOINT_URL=f"http://me:word@127.0.0.1:{unused_port}", **KEYS)


def test_a_region_that_does_not_exist_is_named(alone: Opendlm) -> None:
    expected = (
        "no computer is called ec2.eu-nowhere-1.amazonaws.com: is eu-nowhere-1 (AWS_REGION) a Region of AWS, and is this "
        "machine online?"
    )
    assert_fails(alone, expected, AWS_REGION="eu-nowhere-1", **KEYS)


def test_an_expired_session_hears_to_sign_in_again(opendlm: Opendlm, seeded: Seeded, aws: LocalAws) -> None:
    aws.switches.change({"FAIL_ACTIONS": {"DescribeVolumes": "RequestExpired", "DescribeSnapshots": "RequestExpired"}})
    said = opendlm.type("plan", SAMPLE)
    assert said.code == 1
    assert "sign in again, or this machine's clock is off" in said.err and "allowed" not in said.err


@pytest.mark.parametrize(
    ("profile", "cause", "cure"),
    [
        ("sso", "failed to load the cached SSO token", "sign in again: aws sso login --profile sso"),
        ("login", "failed to read", "sign in again: aws login --profile login"),
        ("failing", "external process exited", "run the credential_process of the profile by hand"),
        ("missing", "there is no such profile", "name one that aws configure list-profiles lists"),
    ],
)
def test_a_profile_whose_credentials_cannot_be_read_says_why(alone: Opendlm, profile: str, cause: str, cure: str) -> None:
    said = alone.type("plan", SAMPLE, AWS_PROFILE=profile)
    assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 1)
    assert said.err.startswith(f"error: the credentials of profile {profile} cannot be read: ") and "taken" not in said.err
    assert cause in said.err and said.err.endswith(f"; {cure}\n")


def test_a_profile_with_a_credential_process_works(opendlm: Opendlm, seeded: Seeded) -> None:
    no_keys = dict.fromkeys(KEYS)
    said = opendlm.type("plan", SAMPLE, AWS_PROFILE="process", **no_keys)
    assert (said.code, said.err) == (0, "")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("missing.json", None, "there is no such file"),
        ("empty.json", "", "empty, expected a policy or an event as JSON"),
        ("policy.yaml", "Policy:\n  PolicyId: x\n", "this is YAML, expected JSON: convert it, as yq -o=json does, and take the result"),
    ],
)
def test_a_file_that_is_no_policy_is_named_once(alone: Opendlm, name: str, text: str | None, expected: str) -> None:
    path = alone.folder / name
    if text is not None:
        path.write_text(text)
    for command in ("plan", "run"):
        said = alone.type(command, path)
        assert (said.code, said.out, said.err) == (1, "", f"error: {path}: {expected}\n")
    said = alone.type("check", path)
    assert (said.code, said.out, said.err) == (1, f"error: {path}: {expected}\n", "")


def changed(path: Path, change: Any) -> Path:
    """The sample event after a change to it."""
    event = events.load(SAMPLE)
    change(event)
    path.write_text(json.dumps(event))
    return path


def test_check_fails_for_what_run_refuses_and_portable_judges_as_dlm(alone: Opendlm, tmp_path: Path) -> None:
    def without_id(event: Any) -> None:
        del event["Policy"]["PolicyId"]

    def with_shares(event: Any) -> None:
        event["Policy"]["PolicyDetails"]["Schedules"][0]["ShareRules"] = [{"TargetAccounts": ["111122223333"]}]

    for change, told in ((without_id, "error: Policy.PolicyId: missing"), (with_shares, "ShareRules: not supported")):
        path = changed(tmp_path / "event.json", change)
        checked, portable, run = alone.type("check", path), alone.type("check", path, "--portable"), alone.type("run", path)
        assert (checked.code, portable.code, run.code) == (1, 0, 1)
        assert told in checked.out
        assert "refused" in checked.out and "refused" not in portable.out
    assert alone.type("check", SAMPLE).code == 0


def test_a_time_that_cannot_be_read_shows_the_form(alone: Opendlm) -> None:
    said = alone.type("next", SAMPLE, "--from", "tomorrow")
    assert said.code == 2 and "expected a time such as 2026-11-22T17:00:00Z" in said.err
    assert alone.type("next", SAMPLE, "--from", "2026-11-22T17:00:00Z").code == 0


def test_nobody_panics_when_the_pipe_is_closed(opendlm: Opendlm, seeded: Seeded) -> None:
    for command in (("plan", SAMPLE, "--all"), ("next", SAMPLE, "--count", "1000"), ("simulate", "--seed", "3")):
        said = opendlm.first_line(*command)
        assert (said.code, said.err) == (0, ""), command
        assert said.out


def test_a_plan_tells_what_it_will_do_and_fits_80_columns(opendlm: Opendlm, due: tuple[Path, Seeded]) -> None:
    path, seeded = due
    said = opendlm.type("plan", path)
    assert (said.code, said.err) == (0, "")
    assert "\nPlan: 3 to create, 3 to delete after that, 6 kept; 1 snapshot is not ours\n" in said.out
    assert widest(said.out) <= 80
    for volume in seeded.targets:
        assert f"{volume}  data " in said.out and ", 8 GiB" in said.out
    assert "2 snapshots, the newest of" in said.out
    everything = opendlm.type("plan", path, "--all")
    for id in (id for history in seeded.ours.values() for id in history):
        assert id in everything.out
    assert widest(everything.out) <= 80
    plan = opendlm.type("plan", path, "--json").json["Plan"]
    assert (plan["Create"], plan["DeleteLater"], plan["Kept"], plan["Foreign"], plan["Failures"]) == (3, 3, 6, 1, [])


def test_a_wide_terminal_is_used(opendlm: Opendlm, seeded: Seeded) -> None:
    wide = opendlm.at_terminal(160, "plan", SAMPLE)
    assert 100 < widest(wide.out) <= 160
    assert widest(opendlm.at_terminal(90, "plan", SAMPLE).out) <= 90
    assert widest(opendlm.at_terminal(100, "check", ROOT / "events" / "invalid.json").out) <= 100


def test_a_plan_that_meets_a_brake_fails(opendlm: Opendlm, due: tuple[Path, Seeded]) -> None:
    path, _ = due
    path.write_text(json.dumps({**events.load(path), "Options": {"MaximumDeletions": 1}}))
    said = opendlm.type("plan", path)
    assert said.code == 1
    assert "the run would fail: the run would delete 3 snapshots and may delete 1; if that is right" in said.words
    assert widest(said.out) <= 80


def test_orphans_are_told_by_plan_and_by_run(opendlm: Opendlm, seeded: Seeded, account: Account, tmp_path: Path) -> None:
    def renamed(event: Any) -> None:
        event["Policy"]["PolicyDetails"]["Schedules"][0]["Name"] = "Nightly"

    path = changed(tmp_path / "event.json", renamed)
    for command in ("plan", "run"):
        said = opendlm.type(command, path)
        assert "orphans: 9 snapshots" in said.out and "of no schedule" in said.words, said
        assert command == "run" or widest(said.out) <= 80


def test_a_run_without_a_terminal_tells_a_line_a_turn(opendlm: Opendlm, seeded: Seeded) -> None:
    said = opendlm.type("run", SAMPLE)
    assert said.code == 0
    turns = [line for line in said.out.splitlines() if "  turn " in line]
    assert turns and all("look again in" in line for line in turns)
    assert said.out.splitlines()[-1].strip() and "SUCCEEDED" in said.out


def test_a_run_at_a_terminal_goes_on_in_one_line(opendlm: Opendlm, seeded: Seeded) -> None:
    said = opendlm.at_terminal(80, "run", SAMPLE)
    assert said.code == 0
    first, *others = said.out.split("\r\x1b[K")
    assert first == "" and "  turn 1: " in others[0] and all("\n" not in line for line in others[:-1])
    assert "SUCCEEDED" in others[-1] and widest(others[-1]) <= 80


def test_explain_tells_strangers_apart(opendlm: Opendlm, seeded: Seeded) -> None:
    rules = {what: opendlm.type("explain", SAMPLE, id).out for id, what in seeded.foreign.items()}
    assert "somebody made it by hand" in rules["made by hand"] and '"before the upgrade"' in rules["made by hand"]
    assert f"Amazon DLM made it for its policy {sample_account.OTHER_POLICY}" in rules["made by Amazon DLM"]
    for text in rules.values():
        assert "opendlm never deletes it" in text and widest(text) <= 80
    said = opendlm.type("explain", SAMPLE, "snap-0123456789abcdef0")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: snap-0123456789abcdef0 does not exist in us-east-1: look at its id")
    said = opendlm.type("explain", SAMPLE, "vol-1")
    assert (said.code, said.err) == (1, 'error: "vol-1" is not a snapshot id, expected one such as snap-0123456789abcdef0\n')


def test_explain_leaves_a_space_after_each_word(opendlm: Opendlm, due: tuple[Path, Seeded]) -> None:
    path, seeded = due
    said = opendlm.type("explain", path, seeded.ours[seeded.targets[0]][0])
    assert "delete later  once the new snapshots" in said.out


def test_simulate_answers_in_json(alone: Opendlm) -> None:
    answer = alone.type("simulate", "--seed", "3", "--json").json
    assert (answer["Seed"], answer["PromisesKept"]) == (3, True)
    assert answer["Lines"][-1].startswith("seed 3, ")


def test_a_document_of_another_tool_gets_one_sentence(alone: Opendlm, tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    resource = {"Type": "AWS::DLM::LifecyclePolicy", "Properties": copy.deepcopy(events.load(SAMPLE)["Policy"])}
    path.write_text(json.dumps({"Resources": {"Nightly": resource}}))
    said = alone.type("check", path)
    assert said.code == 1 and len(said.out.splitlines()) == 2
    assert said.out.startswith("error: this is a CloudFormation template; take Resources.Nightly.Properties, ")
    assert "did you mean" not in said.out
