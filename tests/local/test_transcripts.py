"""Every answer of AWS that somebody has recorded (`../shared/wire`), through the real reader: the client, the SDK, `whole`,
the readers of the listings, the calls and their failures. What it reads is held against the transcripts field by field.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import transcripts
from rie import ROOT
from transcripts import ERRORS, EXPECTED, FOLDERS, Transcript

# The elements that the readers use; whichever of them an answer lacks, some reading must be another one.
USED = {
    "create-snapshot": ["snapshotId"],
    "create-snapshots": ["snapshotId", "snapshotSet"],
    "delete-snapshot": [],
    "describe-instances": [
        "blockDeviceMapping",
        "deviceName",
        "hibernationOptions",
        "instanceId",
        "instanceState",
        "rootDeviceName",
        "stateReason",
    ],
    "describe-snapshots": [
        "description",
        "fullSnapshotSizeInBytes",
        "snapshotId",
        "startTime",
        "status",
        "statusMessage",
        "storageTier",
        "volumeId",
        "volumeSize",
    ],
    "describe-volumes": ["createTime", "status", "tagSet", "volumeId", "volumeType"],
}
# What each code of `errors` means for the next turn: shared/wire/README.md, "Errors", and the EC2 API reference.
MEANINGS = {
    "AuthFailure": "Refused",
    "DryRunOperation": "Refused",
    "IncorrectState": "Refused",
    "InternalError": "Unclear",
    "InvalidAMIID.Unavailable": "Refused",
    "InvalidAMIName.Duplicate": "Refused",
    "InvalidAMIName.Malformed": "Refused",
    "InvalidParameterCombination": "Refused",
    "InvalidParameterValue": "Refused",
    "InvalidSnapshot.InUse": "Refused",
    "InvalidSnapshot.NotFound": "Refused",
    "InvalidVolume.NotFound": "Refused",
    "MissingParameter": "Refused",
    "RequestExpired": "Expired",
    "ResourceLimitExceeded": "Refused",
    "SnapshotCreationPerVolumeRateExceeded": "TooSoon",
    "UnauthorizedOperation": "Denied",
}
SIGN_IN = "sign in again, or this machine's clock is off"
SET_CLOCK = "this machine's clock is off: set it"
MESSAGE_CHARACTERS_MAX = 500


@pytest.fixture(scope="module")
def wire() -> Path:
    """The folder of transcripts."""
    return transcripts.folder()


@pytest.fixture(scope="module")
def replay() -> Iterator[Any]:
    """What the reader makes of answers."""
    subprocess.run(
        ["cargo", "build", "--quiet", "--locked", "--features", "aws,cli,mocks", "--bin", "replay"], cwd=ROOT, check=True
    )
    program = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "replay"

    def run(answers: list[Transcript]) -> list[dict[str, Any]]:
        given = json.dumps([answer.given() for answer in answers])
        done = subprocess.run([program], input=given, capture_output=True, text=True, check=True)
        read: list[dict[str, Any]] = json.loads(done.stdout)
        assert len(read) == len(answers)
        return read

    yield run


def expected(wire: Path, answer: Transcript) -> dict[str, Any]:
    """What a transcript says."""
    return EXPECTED[answer.name.split("/")[0]](wire / answer.name)


@pytest.mark.parametrize("name", FOLDERS)
def test_every_answer_is_read_as_it_was_given(wire: Path, replay: Any, name: str, capsys: Any) -> None:
    answers = transcripts.read(wire, name)
    for answer, read in zip(answers, replay(answers), strict=True):
        assert read == expected(wire, answer), answer.name
    assert len(answers) > 0
    with capsys.disabled():
        print(f"\n{len(answers)} answers of {FOLDERS[name]} read")


def test_no_file_of_the_folders_is_left_out(wire: Path) -> None:
    read = {answer.name for name in [*FOLDERS, ERRORS] for answer in transcripts.read(wire, name)}
    files = [path for name in [*FOLDERS, ERRORS] for path in (wire / name).rglob("*") if path.is_file()]
    there = {path.relative_to(wire).as_posix() for path in files}
    assert read == there


def test_the_tags_of_a_snapshot_are_read(wire: Path, replay: Any) -> None:
    answers = transcripts.read(wire, "describe-snapshots")
    # No transcript holds a snapshot of ours: the first tag of each is made one of ours.
    first_key = re.compile(r"(<tagSet>\s*<item>.*?<key>)[^<]*", re.S)
    tagged = [answer for answer in answers if first_key.search(answer.body)]
    ours = [replace(answer, body=first_key.sub(r"\1opendlm:policy-id", answer.body)) for answer in tagged]
    assert len(ours) >= 5
    for answer, read in zip(ours, replay(ours), strict=True):
        root = transcripts.without_namespaces(ElementTree.fromstring(answer.body))
        wanted = [transcripts.snapshot(transcripts.Item(xml=item)) for item in root.findall("snapshotSet/item")]
        assert read["Items"] == wanted, answer.name
        assert any(each["PolicyId"] for each in wanted), answer.name


@pytest.mark.parametrize("name", FOLDERS)
def test_an_answer_that_lacks_a_field_is_read_otherwise(wire: Path, replay: Any, name: str) -> None:
    for element in USED[name]:
        pattern = re.compile(rf"<{element}(?:/>|>.*?</{element}>)", re.S)
        having = [each for each in transcripts.read(wire, name) if pattern.search(each.body)]
        lacking = [replace(each, body=pattern.sub("", each.body)) for each in having]
        assert lacking, f"no transcript has <{element}>"
        noticed = [read != expected(wire, each) for each, read in zip(lacking, replay(lacking), strict=True)]
        assert any(noticed), f"nobody would notice that <{element}> is not read"


def test_a_transfer_type_that_is_taken_for_another_is_noticed(wire: Path, replay: Any) -> None:
    standard = "<transferType>standard<"
    answers = [each for each in transcripts.read(wire, "describe-snapshots") if standard in each.body]
    changed = [replace(each, body=each.body.replace(standard, "<transferType>time-based<")) for each in answers]
    assert len(changed) >= 10
    for answer, read in zip(changed, replay(changed), strict=True):
        assert all(item["IsCopy"] for item in read["Items"]), answer.name
    own = [each for each in answers if not all(item["IsCopy"] for item in expected(wire, each)["Items"])]
    assert len(own) >= 5, "snapshots of volumes that have a transfer type as well"


def test_every_error_has_its_code_its_words_and_its_meaning(wire: Path, replay: Any, capsys: Any) -> None:
    answers = transcripts.read(wire, ERRORS)
    for answer, read in zip(answers, replay(answers), strict=True):
        code, message = said(wire / answer.name)
        assert (read["Code"], read["Message"]) == (code, shown(message)), answer.name
        cure = {"Expired": SET_CLOCK if "Timestamp date is" in message else SIGN_IN}.get(MEANINGS[code])
        if answer.action.startswith("Describe"):
            assert (MEANINGS[code], read["Name"]) == ("Expired", "AccessDenied"), answer.name
            assert read["Text"].endswith(f"; {cure}"), answer.name
        else:
            assert (read["Kind"], read["Cure"]) == (MEANINGS[code], cure), answer.name
    assert len(answers) > 0
    with capsys.disabled():
        print(f"\n{len(answers)} errors read")


def said(path: Path) -> tuple[str, str]:
    """The code and the message of an error, as its transcript has them."""
    if path.suffix == ".json":
        error = json.loads(path.read_text())["Error"]
        return error["Code"], error["Message"]
    root = ElementTree.fromstring(path.read_text())
    return root.findtext("Errors/Error/Code") or "", root.findtext("Errors/Error/Message") or ""


def shown(message: str) -> str:
    """A message as opendlm tells it: cut where it is long."""
    return message if len(message) <= MESSAGE_CHARACTERS_MAX else message[:MESSAGE_CHARACTERS_MAX] + "..."


def test_a_deletion_of_what_is_gone_has_succeeded(wire: Path, replay: Any) -> None:
    [gone] = [each for each in transcripts.read(wire, ERRORS) if "snapshot-notfound" in each.name]
    assert replay([replace(gone, action="DeleteSnapshot")]) == [{"Deleted": True}]
