"""CopySnapshot between two Regions of the local AWS goes as in EC2. The real answers are those of shared/wire."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

import corpus
from account import Account
from answers import code_of, error_of, outcome, snapshot_tags, tags_in
from ec2_snapshots import NO_VOLUME
from local_aws import ACCOUNT, REGION, THERE, LocalAws
from switches import Switches, from_environment

YESTERDAY = datetime.now(timezone.utc) - timedelta(days=1)
ELSEWHERE = "eu-central-1"
KEY_INACCESSIBLE = "Given key ID is not accessible"
MADE_UP = "snap-00123456789abc009"


@pytest.fixture
def source(account: Account) -> str:
    """A completed snapshot of a volume of 100 GiB, with a tag, in our Region."""
    return account.add_snapshot(account.add_volume(size=100), YESTERDAY, "the source", {"a": "b"})


@pytest.fixture
def encrypted_source(account: Account) -> str:
    """The same of an encrypted volume."""
    return account.add_snapshot(account.add_volume(size=100, key="alias/ours"), YESTERDAY, "the source", {"a": "b"})


def copied(ec2: Any, source: str, **more: Any) -> str:
    """Copy a snapshot of our Region to the Region of a client."""
    return ec2.copy_snapshot(**{"SourceRegion": REGION, "SourceSnapshotId": source, **more})["SnapshotId"]


def shown(ec2: Any, id: str) -> dict[str, Any]:
    """A snapshot, asked for by its id."""
    [found] = ec2.describe_snapshots(SnapshotIds=[id])["Snapshots"]
    return found


def what(snapshot: dict[str, Any]) -> tuple[Any, ...]:
    """What tells the states of a copy apart."""
    names = ("State", "StateMessage", "Progress", "VolumeSize", "Encrypted")
    return tuple(snapshot.get(name) for name in names)


# The life of a copy.


def test_a_copy_is_pending_for_a_while_and_then_like_its_source(
    aws: LocalAws, there: Account, ec2: Any, ec2_there: Any, source: str
) -> None:
    aws.switches.change({"COPY_SECONDS": 0.4, "SNAP_SECONDS": 3600})
    copy = copied(ec2_there, source, Description="a copy")
    pending = shown(ec2_there, copy)
    assert what(pending) == ("pending", "Metadata not updated", "0%", 0, False), "describe-snapshots/27"
    assert (pending["VolumeId"], pending["OwnerId"]) == (NO_VOLUME, ACCOUNT), "describe-snapshots/27"
    assert not {"CompletionTime", "FullSnapshotSizeInBytes", "KmsKeyId"} & set(pending), "describe-snapshots/27"
    time.sleep(0.5)
    completed = shown(ec2_there, copy)
    assert what(completed) == ("completed", None, "100%", 100, False), "describe-snapshots/28"
    assert completed["CompletionTime"] - completed["StartTime"] == timedelta(seconds=0.4), "describe-snapshots/28"
    assert completed["FullSnapshotSizeInBytes"] == shown(ec2, source)["FullSnapshotSizeInBytes"]
    assert list(there.snapshots()) == [copy]


def test_a_copy_takes_as_long_as_a_snapshot_where_nothing_else_is_said(aws: LocalAws, ec2_there: Any, source: str) -> None:
    aws.switches.change({"SNAP_SECONDS": 0})
    assert shown(ec2_there, copied(ec2_there, source))["State"] == "completed"
    aws.switches.change({"COPY_SECONDS": 60})
    assert shown(ec2_there, copied(ec2_there, source))["State"] == "pending"
    aws.switches.change(Switches().shown())
    assert aws.switches.COPY_SECONDS is None
    assert from_environment({"COPY_SECONDS": "2.5"}).COPY_SECONDS == 2.5


def test_the_tags_and_the_description_of_the_source_never_come_along(aws: LocalAws, ec2_there: Any, source: str) -> None:
    # aws-live.md, 3, "description default, tags, sharing"; requested tags show while the copy is pending.
    aws.switches.change({"COPY_SECONDS": 60})
    bare = shown(ec2_there, copied(ec2_there, source))
    assert (bare["Description"], tags_in(bare)) == ("", {})
    answer = ec2_there.copy_snapshot(SourceRegion=REGION, SourceSnapshotId=source, TagSpecifications=snapshot_tags(("c", "d")))
    assert (tags_in(answer), tags_in(shown(ec2_there, answer["SnapshotId"]))) == ({"c": "d"}, {"c": "d"}), "copy-snapshot/05"


def test_the_same_copy_again_is_a_second_one(there: Account, ec2_there: Any, source: str) -> None:
    assert len({copied(ec2_there, source), copied(ec2_there, source)}) == len(there.snapshots()) == 2, "aws-live.md, 3, duplicates"


def test_deleting_the_source_leaves_its_copy_alone(aws: LocalAws, ec2: Any, there: Account, ec2_there: Any, source: str) -> None:
    aws.switches.change({"COPY_SECONDS": 0})
    copy = copied(ec2_there, source)
    before = shown(ec2_there, copy)
    ec2.delete_snapshot(SnapshotId=source)
    assert shown(ec2_there, copy) == before
    ec2_there.delete_snapshot(SnapshotId=copy)
    assert there.snapshots() == {}


def test_a_copy_can_be_copied_on(aws: LocalAws, ec2_there: Any, source: str) -> None:
    aws.switches.change({"COPY_SECONDS": 0})
    ec2_elsewhere = aws.client("ec2", ELSEWHERE)
    second = copied(ec2_elsewhere, copied(ec2_there, source), SourceRegion=THERE)
    assert what(shown(ec2_elsewhere, second)) == ("completed", None, "100%", 100, False)


def test_no_presigned_url_is_needed(aws: LocalAws, ec2_there: Any, encrypted_source: str) -> None:
    # aws-live.md, 3: a URL is only read for its words. boto3 sends one always, other SDKs none.
    def without(params: Any, **_: Any) -> None:
        params["body"] = {name: value for name, value in params["body"].items() if name not in ("PresignedUrl", "DestinationRegion")}

    aws.switches.change({"COPY_SECONDS": 0})
    ec2_there.meta.events.register_last("before-call.ec2.CopySnapshot", without)
    assert shown(ec2_there, copied(ec2_there, encrypted_source))["State"] == "completed"
    [call] = [each for each in aws.wire.calls_in(THERE) if each.Action == "CopySnapshot"]
    assert call.Parameters == {"SourceRegion": REGION, "SourceSnapshotId": encrypted_source}


# Keys.


def test_a_copy_is_encrypted_as_its_source_or_as_asked(aws: LocalAws, ec2: Any, ec2_there: Any, source: str, encrypted_source: str) -> None:
    aws.switches.change({"COPY_SECONDS": 0})
    key = lambda *arguments, **more: shown(ec2_there, copied(ec2_there, *arguments, **more)).get("KmsKeyId")  # noqa: E731
    default, chosen = key(encrypted_source), key(encrypted_source, Encrypted=True, KmsKeyId="alias/theirs")
    assert default.startswith(f"arn:aws:kms:{THERE}:{ACCOUNT}:key/"), "the destination's default key: aws-live.md, 3"
    assert chosen.startswith(f"arn:aws:kms:{THERE}:{ACCOUNT}:key/") and chosen != default, "describe-snapshots/17: an ARN"
    assert shown(ec2, encrypted_source)["KmsKeyId"] not in (default, chosen)
    assert key(encrypted_source, Encrypted=False) == default, "aws-live.md, 3: false is ignored"
    assert (key(source), key(source, Encrypted=True)) == (None, default)
    id = chosen.rpartition("/")[2]
    for name in (chosen, id, f"arn:aws:kms:{THERE}:{ACCOUNT}:alias/theirs"):
        assert key(source, Encrypted=True, KmsKeyId=name) == chosen
    refused = code_of(ec2_there.copy_snapshot, SourceRegion=REGION, SourceSnapshotId=source, KmsKeyId=id)
    assert refused == ("InvalidParameterDependency", 400), "aws-2.md, B1: a key needs Encrypted"


# What goes wrong.


def test_unfit_sources_are_accepted_and_end_in_error(aws: LocalAws, account: Account, ec2: Any, ec2_there: Any, source: str) -> None:
    # shared/wire/README.md, CopySnapshot and statusMessage; of a deleted and of an archived source nobody has seen the words.
    pending, deleted = account.add_snapshot("vol-00123456789abc001", datetime.now(timezone.utc), seconds=3600), source
    archived = account.add_snapshot("vol-00123456789abc001", YESTERDAY)
    account.archive(archived)
    elsewhere = account.in_region(ELSEWHERE).add_snapshot("vol-00123456789abc001", YESTERDAY)
    ec2.delete_snapshot(SnapshotId=deleted)
    aws.switches.change({"COPY_SECONDS": 0})
    ends = [what(shown(ec2_there, copied(ec2_there, each))) for each in (pending, archived, elsewhere, deleted)]
    not_complete, not_found = (("error", f"Source snapshot is not {words}", "0%", 0, False) for words in ("complete", "found"))
    assert ends == [not_complete, not_complete, not_found, not_found]
    made_up = error_of(ec2_there.copy_snapshot, SourceRegion=REGION, SourceSnapshotId=MADE_UP)
    assert made_up == ("InvalidParameterValue", 400, "The specified snapshotId is invalid"), "errors/24"


def test_an_unfit_source_shows_only_after_a_while(aws: LocalAws, account: Account, ec2_there: Any) -> None:
    unfit = account.add_snapshot(account.add_volume(), datetime.now(timezone.utc), seconds=3600)
    aws.switches.change({"COPY_SECONDS": 0.3})
    copy = copied(ec2_there, unfit)
    assert what(shown(ec2_there, copy))[:2] == ("pending", "Metadata not updated")
    time.sleep(0.4)
    assert what(shown(ec2_there, copy))[:2] == ("error", "Source snapshot is not complete")


def test_copies_to_a_region_and_of_a_volume_end_in_error(aws: LocalAws, account: Account, ec2_there: Any, encrypted_source: str) -> None:
    volume = account.snapshots()[encrypted_source].volume
    ec2_elsewhere = aws.client("ec2", ELSEWHERE)
    for planned, ends in (({THERE: KEY_INACCESSIBLE}, ("error", "completed")), ({volume: KEY_INACCESSIBLE}, ("error", "error"))):
        aws.switches.change({"COPY_SECONDS": 0, "ERROR_COPIES": planned})
        made = [shown(each, copied(each, encrypted_source)) for each in (ec2_there, ec2_elsewhere)]
        assert tuple(each["State"] for each in made) == ends
        assert what(made[0]) == ("error", KEY_INACCESSIBLE, "0%", 100, True), "describe-snapshots/30"
        assert "KmsKeyId" in made[0] and "CompletionTime" not in made[0], "describe-snapshots/30"
    assert account.snapshots()[encrypted_source].status == "completed"


def test_copies_to_a_region_are_refused_with_a_code(aws: LocalAws, there: Account, ec2_there: Any, encrypted_source: str) -> None:
    refused = lambda **more: error_of(ec2_there.copy_snapshot, SourceRegion=REGION, SourceSnapshotId=encrypted_source, **more)  # noqa: E731
    aws.switches.change({"FAIL_COPIES": {THERE: "AuthFailure"}})
    assert refused(KmsKeyId="alias/k") == ("AuthFailure", 403, "Not authorized to use key alias/k "), "errors/27"
    aws.switches.change({"FAIL_COPIES": {THERE: "InvalidParameterValue"}})
    assert refused(KmsKeyId="alias/k") == ("InvalidParameterValue", 400, "The specified keyId alias/k is invalid"), "errors/05"
    aws.switches.change({"FAIL_COPIES": f"{THERE}:UnauthorizedOperation"})
    code, status, message = refused()
    assert (code, status) == ("UnauthorizedOperation", 403)
    assert f"ec2:CopySnapshot on resource: arn:aws:ec2:{THERE}::snapshot/*" in message, "errors/19: one that is about to be made"
    assert there.snapshots() == {}
    assert outcome(aws.client("ec2", ELSEWHERE).copy_snapshot, SourceRegion=REGION, SourceSnapshotId=encrypted_source) == "made"


def test_the_answer_to_a_copy_can_get_lost_after_it_was_made(aws: LocalAws, there: Account, ec2_there: Any, source: str) -> None:
    aws.switches.change({"LOST_COPIES": 1})
    wanted = {"SourceRegion": REGION, "SourceSnapshotId": source}
    assert code_of(ec2_there.copy_snapshot, **wanted) == ("InternalError", 500)
    assert len(there.snapshots()) == 1
    assert outcome(ec2_there.copy_snapshot, **wanted) == "made"
    assert [call.Lost for call in aws.wire.calls_in(THERE)] == [True, False]


def test_more_than_twenty_copies_at_once_are_refused_in_each_region(aws: LocalAws, there: Account, ec2_there: Any, source: str) -> None:
    # shared/reference/aws-2.md, B1: 20; the words are those of errors/13.
    aws.switches.change({"COPY_SECONDS": 3600, "SNAP_SECONDS": 3600, "COPIES_MAX": 3})
    ec2_there.create_snapshot(VolumeId=there.add_volume())
    wanted = {"SourceRegion": REGION, "SourceSnapshotId": source}
    assert [outcome(ec2_there.copy_snapshot, **wanted) for _ in range(3)] == ["made"] * 3
    words = "Too many snapshot copies in progress. The limit is 3 for this destination region."
    assert error_of(ec2_there.copy_snapshot, **wanted)[::2] == ("ResourceLimitExceeded", words)
    assert outcome(aws.client("ec2", ELSEWHERE).copy_snapshot, **wanted) == "made"
    aws.switches.change({"COPIES_MAX": Switches().COPIES_MAX})
    assert [outcome(ec2_there.copy_snapshot, **wanted) for _ in range(17)] == ["made"] * 17
    assert error_of(ec2_there.copy_snapshot, **wanted)[2] == words.replace("3", "20")


def test_copies_draw_from_the_bucket_of_their_region(aws: LocalAws, ec2_there: Any, source: str) -> None:
    # shared/reference/aws-2.md, B1: the mutating bucket, a burst of 50 and 5 a second.
    aws.switches.change({"BUCKETS": True, "COPY_SECONDS": 0})
    wanted = {"SourceRegion": REGION, "SourceSnapshotId": source}
    outcomes = [outcome(ec2_there.copy_snapshot, **wanted) for _ in range(100)]
    assert set(outcomes[:50]) == {"made"} and ("RequestLimitExceeded", 503) in outcomes
    assert outcome(aws.client("ec2", ELSEWHERE).copy_snapshot, **wanted) == "made"


@pytest.mark.parametrize(("code", "status"), [("OptInRequired", 400), ("AuthFailure", 403), ("UnauthorizedOperation", 403)])
def test_every_call_in_a_dark_region_fails(
    aws: LocalAws, there: Account, ec2: Any, ec2_there: Any, source: str, code: str, status: int
) -> None:
    aws.switches.change({"DARK_REGIONS": {THERE: code}})
    assert code_of(ec2_there.describe_snapshots) == (code, status)
    refused = error_of(ec2_there.copy_snapshot, SourceRegion=REGION, SourceSnapshotId=source)
    assert refused[:2] == (code, status) and "key" not in refused[2]
    assert code_of(aws.client("service-quotas", THERE).list_service_quotas, ServiceCode="ec2")[0] == code
    assert [call.Code for call in aws.wire.calls_in(THERE)] == [code] * 3
    assert there.snapshots() == {} and outcome(ec2.describe_snapshots) == "made"


def test_a_dark_region_can_leave_calls_without_an_answer(aws: LocalAws, ec2: Any, ec2_there: Any) -> None:
    aws.switches.change({"DARK_REGIONS": {THERE: "ConnectionBroken"}})
    with pytest.raises(BotoCoreError):
        ec2_there.describe_volumes()
    with pytest.raises(BotoCoreError):
        aws.client("service-quotas", THERE).list_service_quotas(ServiceCode="ec2")
    assert outcome(ec2.describe_volumes) == "made", "the others are answered"
    assert [call.HttpStatus for call in aws.wire.calls_since(0)] == [599, 599, 200]
    aws.switches.change({"DARK_REGIONS": {}})
    assert outcome(ec2_there.describe_volumes) == "made"


# The copies of the past.


def test_seeded_copies_look_like_those_that_were_made(aws: LocalAws, there: Account, ec2_there: Any, encrypted_source: str) -> None:
    aws.switches.change({"COPY_SECONDS": 0})
    made = shown(ec2_there, copied(ec2_there, encrypted_source, TagSpecifications=snapshot_tags(("a", "b"))))
    seeded = there.add_copy(YESTERDAY, tags={"a": "b"}, size=100, key="alias/aws/ebs")
    found = shown(ec2_there, seeded)
    times_and_ids = ("SnapshotId", "StartTime", "CompletionTime", "FullSnapshotSizeInBytes")
    assert {**found, **{name: made[name] for name in times_and_ids}} == made
    seen = there.snapshots()[seeded]
    assert (seen.size, seen.key, seen.message, seen.volume) == (100, made["KmsKeyId"], None, NO_VOLUME)
    pending = there.add_copy(datetime.now(timezone.utc), seconds=3600)
    assert what(shown(ec2_there, pending)) == ("pending", "Metadata not updated", "0%", 0, False)
    failed = there.add_copy(YESTERDAY, size=3, message=KEY_INACCESSIBLE)
    assert what(shown(ec2_there, failed)) == ("error", KEY_INACCESSIBLE, "0%", 3, False)


# The shape of the answers.

RECORDED = {
    "pending": "27-2026-copy-pending-with-state-message-and-size-0.json",
    "completed": "28-2026-copy-completed.json",
    "completed, encrypted": "17-2026-copy-between-regions-encrypted.json",
    "failed on its key": "30-2026-copy-failed-on-its-key-with-size.json",
}


@pytest.mark.parametrize("state", RECORDED)
def test_a_copy_between_regions_has_the_fields_of_a_real_one(
    aws: LocalAws, ec2_there: Any, source: str, encrypted_source: str, state: str
) -> None:
    answers = folder_of_answers()
    failing = {"ERROR_COPIES": {THERE: KEY_INACCESSIBLE}} if state == "failed on its key" else {}
    aws.switches.change({"COPY_SECONDS": 3600 if state == "pending" else 0, **failing})
    is_plain = state in ("pending", "completed")
    ours = shown(ec2_there, copied(ec2_there, source if is_plain else encrypted_source))
    [real] = json.loads((answers / "describe-snapshots" / RECORDED[state]).read_text())["Snapshots"]
    assert set(ours) == set(real)
    alike = ("Encrypted", "Progress", "State", "StateMessage", "StorageTier", "TransferType", "VolumeId")
    assert [ours.get(name) for name in alike] == [real.get(name) for name in alike]


def test_the_answer_to_a_copy_has_the_fields_of_a_real_one(ec2_there: Any, source: str) -> None:
    answers = folder_of_answers()
    for file, tags in (("03-2026-untagged.json", []), ("05-2026-tagged.json", snapshot_tags(("a", "b")))):
        answer = ec2_there.copy_snapshot(SourceRegion=REGION, SourceSnapshotId=source, TagSpecifications=tags)
        real = json.loads((answers / "copy-snapshot" / file).read_text())
        del answer["ResponseMetadata"]
        assert corpus.json_fields(answer) == corpus.json_fields(real)


def folder_of_answers() -> Path:
    """The folder of AWS's answers."""
    found = corpus.folder()
    if found is None:
        pytest.skip(corpus.why_skipped())
    return found
