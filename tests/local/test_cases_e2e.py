"""Events that once failed (`../shared/cases`), as they are, from their files, through the whole chain."""

from __future__ import annotations

from typing import Any

import events
import shared
from account import Account, SnapshotSeen
from chain import Chain
from story import cause_text

# Waits of 60 s become 0.6 s: a volume is given up after five snapshots that failed.
QUICK = {"SNAP_SECONDS": 0.3, "WAIT_SCALE": 0.01}


def case(name: str) -> Any:
    """An event: from OPENDLM_CASES, which has to be there, or from `../shared/cases`."""
    return events.load(shared.folder("OPENDLM_CASES", "cases") / f"{name}.json")


def add_target(account: Account, event: Any) -> str:
    """A volume that the event's policy targets."""
    return account.add_volume(dict(events.target_tags_of(event)))


def of_volume(account: Account, volume: str) -> list[SnapshotSeen]:
    """The snapshots of a volume."""
    return [each for each in account.snapshots().values() if each.volume == volume]


def test_21_a_key_that_is_not_accessible_is_named_with_the_snapshot_in_the_words_of_ec2(local: Chain) -> None:
    event = case("21-key-not-accessible")
    bad, good = add_target(local.account, event), add_target(local.account, event)
    local.aws.switches.change({**QUICK, "ERROR_MESSAGES": {bad: "Given key ID is not accessible"}})
    execution = local.run(event)
    error, cause = execution.failure()
    assert error == "Partial"
    newest = max(of_volume(local.account, bad), key=lambda each: each.start)
    assert f"{newest.id} went to error; EC2 says: Given key ID is not accessible" in cause_text(cause)
    assert [each.status for each in of_volume(local.account, good)] == ["completed"]
    told = [line.text for line in local.function.log.since(0) if "Given key ID is not accessible" in line.text]
    assert any(newest.id in text for text in told), "the log says it too"


def test_09_a_start_an_hour_off_fails_and_names_the_scheduled_times_around_it(local: Chain) -> None:
    event = case("09-dst-autumn")
    add_target(local.account, event)
    execution = local.run(event)
    error, cause = execution.failure()
    assert error == "Partial"
    words = cause_text(cause)
    assert "2026-11-02T05:00:00Z" in words and "2026-11-03T05:00:00Z" in words, words
    assert local.account.snapshots() == {}
