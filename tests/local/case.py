"""What the end-to-end tests share: an event with the account that was made for it, and what came of running it."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import events
import expectations
import sample_account
from chain import Chain, Execution
from expectations import Promise, Snapshots
from local_aws import ACCOUNT
from rie import ROOT
from sample_account import Seeded

# Snapshots take a little over a second, and the waits of 1, 15 and 25 s become 0.1, 1.5 and 2.5 s. EC2 reads a page and filters
# it then, so that pages are short and empty in accounts of thousands; with pages of a few they are in small ones, too.
FAST = {"SNAP_SECONDS": 1.2, "WAIT_SCALE": 0.1, "PAGE_SCAN": 7}
# How much of a start window a test begins with that waits for its end.
SECONDS_LEFT = (10, 30)
WRITING = ("Create", "Delete", "Modify", "Copy", "Enable", "Disable", "Register", "Deregister", "Restore", "Lock")


@dataclass
class Case:
    """An event with the account that was made for it."""

    local: Chain
    event: Any
    seeded: Seeded
    before: Snapshots
    wanted: Promise

    def run(self) -> Execution:
        """Run the state machine on the event."""
        return self.local.run(self.event)

    def assert_promise_kept(self) -> None:
        """Compare the account with what was promised, every snapshot of it."""
        after = self.local.account.snapshots()
        assert expectations.broken(self.event, self.wanted, self.before, after, ACCOUNT) == []
        assert {id: after.get(id) for id in self.seeded.foreign} == {id: self.before[id] for id in self.seeded.foreign}
        assert [each.id for each in after.values() if each.volume in self.seeded.untagged and each.id not in self.before] == []

    def new(self) -> list[str]:
        """The volumes of the snapshots that were made."""
        return sorted(each.volume for id, each in self.local.account.snapshots().items() if id not in self.before)

    def deleted(self) -> set[str]:
        """The snapshots that are gone."""
        return set(self.before) - set(self.local.account.snapshots())


def case_of(local: Chain, event: Any) -> Case:
    """Make the account for an event that is ready to run."""
    start = events.start_of(event) or events.now_to_the_second()
    seeded = sample_account.seed(local.account, event, start)
    return case_with(local, event, seeded)


def case_with(local: Chain, event: Any, seeded: Seeded) -> Case:
    """An event on the account as it is now."""
    seen = local.account.seen()
    wanted = expectations.promise(event, seen, ACCOUNT, events.now_to_the_second())
    return Case(local, event, seeded, seen.snapshots, wanted)


def event_now(name: str) -> Any:
    """A sample event, moved to this minute and due in it."""
    return events.for_now(events.load(ROOT / "events" / f"{name}.json"), events.now_to_the_second()).event


def by_button(event: Any) -> Any:
    """The event as a RunNow, with a start window that is over fifteen seconds from now, and so are the retries of a creation."""
    changed = copy.deepcopy(event)
    start = events.now_to_the_second() - timedelta(seconds=45)
    events.body_of(changed)["ScheduledTime"] = events.time_text(start)
    return with_options(changed, StartWindowMinutes=1, RunNow=True)


def due_for_seconds(name: str) -> Any:
    """A sample event that is due, with a start window that is over in ten seconds or a little more. Schedules know minutes only, so
    this waits for the end of one."""
    while not SECONDS_LEFT[0] <= 60 - events.now_to_the_second().second <= SECONDS_LEFT[1]:
        time.sleep(0.2)
    minute = events.now_to_the_second().replace(second=0)
    event = events.for_now(events.load(ROOT / "events" / f"{name}.json"), minute).event
    events.body_of(event)["ScheduledTime"] = events.time_text(minute)
    return with_options(event, StartWindowMinutes=1)


def with_options(event: Any, **options: Any) -> Any:
    """The event with some options more."""
    changed = copy.deepcopy(event)
    events.body_of(changed)["Options"] = {**events.options_of(changed), **options}
    return changed


def writes(local: Chain) -> list[str]:
    """The actions so far that change something."""
    return [call.Action for call in local.aws.wire.calls_since(0) if call.Action.startswith(WRITING)]
