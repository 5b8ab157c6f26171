"""The local AWS sends the fields that AWS sends, state by state, and its errors have the form of AWS's.

The answers of AWS are those of shared/wire, beside the checkout or where OPENDLM_WIRE says.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import pytest

import corpus
import ec2_xml
import sent
from comparison import (
    KINDS,
    MISSING,
    NOT_ALWAYS,
    ONLY_HERE,
    WHOLE,
    Difference,
    Excuses,
    differences,
    excuse_for,
    recorded_rows,
    rows_of,
)
from local_aws import LocalAws
from sent import Recorder
from switches import Switches

# What is compared: all that the local AWS answers and that was recorded.
OPERATIONS = (
    "CopySnapshot",
    "CreateImage",
    "CreateSnapshot",
    "CreateSnapshots",
    "CreateVolume",
    "DeleteSnapshot",
    "DeregisterImage",
    "DescribeImages",
    "DescribeInstances",
    "DescribeSnapshotAttribute",
    "DescribeSnapshots",
    "DescribeVolumes",
    "ModifySnapshotAttribute",
)
# Folders of answers that nothing here is held against.
NOT_HERE = "the local AWS does not answer it: neither the function nor its tests call it"
OTHERS = {
    "copy-image": NOT_HERE,
    "describe-fast-snapshot-restores": NOT_HERE,
    "describe-instance-information": NOT_HERE,
    "describe-locked-snapshots": NOT_HERE,
    "describe-security-groups": "for its pages, which test_local_pages.py copies",
    "describe-snapshot-tier-status": "AWS's sample alone",
    "enable-image-deprecation": NOT_HERE,
    "errors": "test_true_errors.py",
    "events": "the local AWS has no events",
    "get-command-invocation": NOT_HERE,
    "get-lifecycle-policies": NOT_HERE,
    "get-lifecycle-policy": NOT_HERE,
    "get-schedule": NOT_HERE,
    "get-service-quota": NOT_HERE,
    "lambda-invoke-errors": "the function runs in AWS's own emulator",
    "list-commands": NOT_HERE,
    "list-service-quotas": "compared below, as JSON",
    "list-snapshots-in-recycle-bin": NOT_HERE,
    "lock-snapshot": NOT_HERE,
    "modify-snapshot-tier": "AWS's sample alone",
    "restore-snapshot-from-recycle-bin": NOT_HERE,
    "restore-snapshot-tier": "AWS's sample alone",
    "send-command": NOT_HERE,
    "step-functions-errors": "moto's own interpreter answers it",
    "step-functions-map-results": "moto's own interpreter answers it",
}

NO_NETWORK = "no instance here has parts of a network, a profile or a kernel: no policy looks at them"
UNTAGGED = "the recorded ones had tags; one without is in other states: describe-snapshots/17, describe-volumes/03"
OLDER = "the recorded ones are of 2016 to 2022, other states show it later"
EXCUSES: Excuses = {
    (MISSING, "DescribeImages", "available", "sriovNetSupport"): "only of images that were registered with it",
    (MISSING, "DescribeInstances", "*", "iamInstanceProfile"): NO_NETWORK,
    (MISSING, "DescribeInstances", "*", "kernelId"): NO_NETWORK,
    (MISSING, "DescribeInstances", "*", "networkInterfaceSet"): NO_NETWORK,
    (MISSING, "DescribeInstances", "stopped, ebs", "groupSet"): "03 is of EC2-Classic, which is gone; 08 has none",
    (MISSING, "DescribeInstances", WHOLE, "reservationSet.groupSet"): "03 is of EC2-Classic, which is gone; 01 has none",
    (NOT_ALWAYS, "CreateSnapshot", WHOLE, "tagSet"): "the recent ones had tags; create-snapshot/01 and 03 have none",
    (NOT_ALWAYS, "DescribeImages", "available", "tagSet"): "the recent one had tags; describe-images/01 has none",
    (NOT_ALWAYS, "DescribeSnapshots", "pending", "tagSet"): UNTAGGED,
    (NOT_ALWAYS, "DescribeVolumes", "available", "iops"): "the recent ones are gp3; describe-volumes/05 is standard and has none",
    (NOT_ALWAYS, "DescribeVolumes", "available", "tagSet"): UNTAGGED,
    (NOT_ALWAYS, "DescribeVolumes", "available", "throughput"): "the recent ones are gp3; describe-volumes/05 has none",
    (ONLY_HERE, "DescribeInstances", "*", "capacityReservationSpecification"): OLDER,
    (ONLY_HERE, "DescribeInstances", "*", "cpuOptions"): OLDER,
    (ONLY_HERE, "DescribeInstances", "*", "enclaveOptions"): OLDER,
    (ONLY_HERE, "DescribeInstances", "*", "hibernationOptions"): OLDER,
    (ONLY_HERE, "DescribeInstances", "*", "metadataOptions"): OLDER,
    (ONLY_HERE, "DescribeInstances", "stopping, ebs", "ipAddress"): "the recorded one had no public address",
    (ONLY_HERE, "DescribeInstances", "stopping, ebs", "keyName"): "the recorded one had no key",
    (ONLY_HERE, "DescribeVolumes", "in-use", "availabilityZoneId"): "the recorded ones are of 2017 to 2023",
    (ONLY_HERE, "DescribeVolumes", "in-use", "operator"): "the recorded ones are of 2017 to 2023",
    (ONLY_HERE, "DescribeVolumes", "in-use", "ownerId"): "the recorded ones are of 2017 to 2023",
    (ONLY_HERE, "DescribeVolumes", "in-use", "volumeArn"): "the recorded ones are of 2017 to 2023",
}


@pytest.fixture(scope="module")
def wire() -> Path:
    """The folder of AWS's answers."""
    found = corpus.folder()
    if found is None:
        pytest.skip(corpus.why_skipped())
    return found


@pytest.fixture(scope="module")
def recorder(served: LocalAws) -> Recorder:
    """What the local AWS sends."""
    served.switches.change(Switches().shown())
    served.reset()
    return sent.everything(served)


def found(wire: Path, operation: str, trees: list[Element]) -> list[Difference]:
    """The differences of some answers."""
    return differences(operation, recorded_rows(operation, corpus.answers(wire, operation)), rows_of(operation, trees))


def unexcused(differing: list[Difference]) -> list[str]:
    """The differences that nothing excuses."""
    return [each.text for each in differing if excuse_for(each, EXCUSES) is None]


# Fields.


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_answer_has_the_fields_of_the_real_ones(wire: Path, recorder: Recorder, operation: str) -> None:
    assert unexcused(found(wire, operation, recorder.trees[operation])) == []


def test_every_excuse_is_needed(wire: Path, recorder: Recorder) -> None:
    used = {excuse_for(each, EXCUSES) for operation in OPERATIONS for each in found(wire, operation, recorder.trees[operation])}
    assert set(EXCUSES) - used == set(), "these excuse nothing any more"


def test_every_folder_of_answers_is_compared_or_says_why_not(wire: Path) -> None:
    folders = {path.name for path in wire.iterdir() if path.is_dir()}
    assert folders == {corpus.folder_of(each) for each in OPERATIONS} | set(OTHERS)


def test_a_quota_has_the_fields_of_the_real_ones(wire: Path, aws: LocalAws) -> None:
    answer = aws.client("service-quotas").list_service_quotas(ServiceCode="ec2")
    ours = corpus.json_fields({name: value for name, value in answer.items() if name != "ResponseMetadata"})
    real = json.loads((wire / "list-service-quotas" / "02-2026-states-two-of-many.json").read_text())
    # `states` has quotas without a period; the rates of EC2 have one: shared/wire/README.md, "Others".
    assert ours - {each for each in ours if each.startswith("Quotas.Period")} == corpus.json_fields(real)
    assert 1000 <= len(answer["NextToken"]) <= 2000
    assert {each["Adjustable"] for each in answer["Quotas"]} == {True}


# The comparison itself.


def taken_out(tree: Element, path: str) -> Element:
    """An answer without a field."""
    without = copy.deepcopy(tree)
    *above, name = path.split(".")
    for parent in [each for each in without.iter() if above == [] or each.tag == above[-1]]:
        for item in [parent, *parent.findall("item")]:
            for child in item.findall(name):
                item.remove(child)
    return without


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_real_field_that_is_taken_out_is_missed_by_name(wire: Path, recorder: Recorder, operation: str) -> None:
    trees, real = recorder.trees[operation], recorded_rows(operation, corpus.answers(wire, operation))
    for state, field in sorted({(row.state, field) for row in real if not row.is_sample for field in row.fields}):
        if excuse_for(Difference(MISSING, operation, state, field, ""), EXCUSES):
            continue
        prefix = KINDS[operation].path.replace("/item", "").replace("/", ".") + "." if state != WHOLE else ""
        differing = differences(operation, real, rows_of(operation, [taken_out(tree, prefix + field) for tree in trees]))
        missed = {each.field for each in differing if each.kind == MISSING}
        # Without its state a row is no row at all, which is told too.
        assert field in missed or "" in missed, f"{operation}, {state}: nobody misses {field}"


@pytest.mark.parametrize("field", ["transferType", "storageTier", "progress", "statusMessage", "fullSnapshotSizeInBytes", "tagSet"])
def test_a_field_that_the_local_aws_stops_sending_is_missed_by_name(
    wire: Path, aws: LocalAws, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    stock_element, stock_set = ec2_xml.element, ec2_xml.item_set
    monkeypatch.setattr(ec2_xml, "element", lambda name, value: "" if name == field else stock_element(name, value))
    monkeypatch.setattr(ec2_xml, "item_set", lambda name, items: "" if name == field else stock_set(name, items))
    differing = found(wire, "DescribeSnapshots", sent.everything(aws).trees["DescribeSnapshots"])
    assert any(f"EC2 sends {field} (describe-snapshots/" in each for each in unexcused(differing))


def test_a_field_that_only_the_local_aws_sends_is_told_by_name(wire: Path, recorder: Recorder) -> None:
    trees = copy.deepcopy(recorder.trees["DescribeSnapshots"])
    for item in trees[-1].findall("snapshotSet/item"):
        SubElement(item, "colour").text = "red"
    told = unexcused(found(wire, "DescribeSnapshots", trees))
    assert told and all("the local AWS sends colour, which EC2 never showed" in each for each in told)


# The envelope.


def test_an_answer_begins_as_the_real_ones(recorder: Recorder) -> None:
    # describe-security-groups/01: no blanks, the request's id first, a namespace that ends with a slash.
    begins = '<?xml version="1.0" encoding="UTF-8"?>\n<{0}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>'
    for operation in set(OPERATIONS) - STOCK:
        for body in recorder.bodies[operation]:
            assert body.decode().startswith(begins.format(operation)), operation


# What moto itself writes, with the request's id last.
STOCK = {"DescribeSnapshotAttribute"}


def test_where_the_answers_should_be_and_are_not_it_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(corpus.VARIABLE, str(tmp_path))
    with pytest.raises(FileNotFoundError, match="where no answers are"):
        corpus.folder()
    monkeypatch.delenv(corpus.VARIABLE)
    monkeypatch.setattr(corpus, "BESIDE", tmp_path / "nothing")
    assert corpus.folder() is None and corpus.VARIABLE in corpus.why_skipped()
