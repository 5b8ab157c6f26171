"""`opendlm backups`: what can be restored, against the local AWS, and the command that makes a volume of it."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import contract
import events
import sample_account
from account import Account
from local_aws import REGION, LocalAws
from opendlm import Opendlm, widest
from rie import ROOT
from sample_account import Seeded


@pytest.fixture
def opendlm(tmp_path: Path, aws: LocalAws) -> Opendlm:
    """The command line in front of the local AWS."""
    return Opendlm(tmp_path, aws)


def seeded_for(account: Account, name: str) -> tuple[Any, Seeded]:
    """The account of a sample event."""
    event = events.load(ROOT / "events" / f"{name}.json")
    return event, sample_account.seed(account, event, events.now_to_the_second())


def options_of(text: str) -> dict[str, str]:
    """The options of the command that makes a volume."""
    words = shlex.split(text[text.index("aws ec2 create-volume") :].replace("\\\n", " "))[3:]
    return dict(zip(words[::2], words[1::2]))


def test_the_backups_of_a_volume_come_newest_first_with_the_command_that_works(
    opendlm: Opendlm, account: Account, ec2: Any
) -> None:
    _, seeded = seeded_for(account, "sample")
    volume, ids = seeded.targets[0], seeded.ours[seeded.targets[0]]
    said = opendlm.type("backups", volume)
    assert (said.code, said.err) == (0, "")
    assert [word for word in said.out.split() if word in ids][:3] == list(reversed(ids))
    assert f"3 backups of {volume} in {REGION}" in said.out
    assert widest(said.out) <= 80
    options = options_of(said.out)
    assert options["--snapshot-id"] == ids[-1]
    made = ec2.create_volume(
        SnapshotId=options["--snapshot-id"], AvailabilityZone=options["--availability-zone"], VolumeType=options["--volume-type"]
    )
    assert made["SnapshotId"] == ids[-1] and options["--region"] == REGION
    chosen = opendlm.type("backups", volume, "--snapshot", ids[0])
    assert options_of(chosen.out)["--snapshot-id"] == ids[0]


def test_what_is_not_complete_or_not_ours_is_no_backup(opendlm: Opendlm, account: Account) -> None:
    event, seeded = seeded_for(account, "sample")
    volume, now = seeded.targets[0], events.now_to_the_second()
    policy, schedule = events.policy_of(event), events.schedules_of(event)[0]
    tags, description = contract.our_tags(policy, schedule, now), contract.our_description(policy, schedule)
    pending = account.add_snapshot(volume, now, description, tags, seconds=3600)
    earlier = now - timedelta(hours=2)
    failed = account.add_snapshot(volume, earlier, description, contract.our_tags(policy, schedule, earlier), ends_in_error=True)
    copied_tags = account.add_snapshot(volume, now - timedelta(days=40), description, tags)
    said = opendlm.type("backups", volume)
    assert said.code == 0
    for id in (pending, failed, copied_tags, *seeded.foreign):
        assert id not in said.out
    assert "; not counted: 1 not complete yet, 1 failed, 2 with tags that somebody changed" in said.words
    answer = opendlm.type("backups", volume, "--json").json
    assert [each["Snapshot"] for each in answer["Backups"]] == list(reversed(seeded.ours[volume]))
    assert (answer["NotCounted"]["UnderWay"], answer["NotCounted"]["Failed"], answer["IsAll"]) == (1, 1, True)
    refused = opendlm.type("backups", volume, "--snapshot", pending)
    assert (refused.code, refused.err) == (1, f"error: {pending} is not a backup of {volume} that can be restored\n")


def test_the_backups_of_an_instance_are_those_of_its_volumes(opendlm: Opendlm, account: Account) -> None:
    _, seeded = seeded_for(account, "instance")
    instance = seeded.instances[0]
    said = opendlm.type("backups", instance)
    assert said.code == 0, said
    of_instance = [id for (_, of), ids in seeded.histories.items() if of == instance for id in ids]
    assert of_instance and all(id in said.out for id in of_instance)
    others = [id for (_, of), ids in seeded.histories.items() if of != instance for id in ids]
    shared = [each for each in account.snapshots().values() if each.volume in account.instances()[instance].volumes]
    assert not [id for id in others if id in said.out and id not in {each.id for each in shared}]
    assert said.out.count("aws ec2 create-volume") == len({account.snapshots()[id].volume for id in of_instance})
    assert widest(said.out) <= 80


def test_without_a_backup_it_fails(opendlm: Opendlm, account: Account) -> None:
    _, seeded = seeded_for(account, "sample")
    for source in (seeded.untagged[0], "vol-0123456789abcdef0", "i-0123456789abcdef0"):
        said = opendlm.type("backups", source)
        assert (said.code, said.out, said.err) == (1, f"0 backups of {source} in {REGION}\n", "")
    said = opendlm.type("backups", "snap-0123456789abcdef0")
    assert said.code == 1 and "is not an id of a volume or an instance" in said.err


def test_an_archived_backup_is_taken_out_first(opendlm: Opendlm, account: Account) -> None:
    _, seeded = seeded_for(account, "sample")
    volume = seeded.targets[0]
    newest = seeded.ours[volume][-1]
    account.archive(newest)
    said = opendlm.type("backups", volume)
    assert "archive" in said.out
    assert said.out.index(f"--snapshot-id {newest} --temporary-restore-days 7") < said.out.index("aws ec2 create-volume")
