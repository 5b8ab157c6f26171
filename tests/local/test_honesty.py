"""The judge of reports is judged: an honest report passes, and every lie about the same account is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

import events
import honesty
import sample_account
from account import Account
from case import event_now
from contract import our_description, our_tags
from events import policy_of, schedules_of
from expectations import Snapshots
from local_aws import LocalAws
from sample_account import Seeded, add_ours
from targets import Source


@dataclass
class Run:
    """An account before and after a run, with the report of it."""

    aws: LocalAws
    account: Account
    event: Any
    seeded: Seeded
    before: Snapshots
    made: int = 0
    gone: int = 0

    def sources(self) -> list[Source]:
        """What the policy makes snapshots of."""
        return honesty.sources(self.event, self.account.seen())

    def make(self, source: Source, **named: Any) -> str:
        """Make a snapshot of a source, as a run does."""
        [schedule] = schedules_of(self.event)
        start = events.start_of(self.event)
        tags = our_tags(policy_of(self.event), schedule, start, source_tags=source.tags, instance=source.instance)
        began = start + timedelta(seconds=named.pop("after_seconds", 2))
        self.made += 1
        return self.account.add_snapshot(source.volume, began, our_description(policy_of(self.event), schedule), tags, **named)

    def delete(self, snapshot: str) -> None:
        """Delete a snapshot."""
        del self.aws.ec2.snapshots[snapshot]
        self.gone += 1

    def oldest(self, source: Source) -> str:
        """What a run deletes once a source has its new snapshot."""
        return self.seeded.histories[source.volume, source.instance][0]

    def report(self, *failures: tuple[str, str]) -> Any:
        """A report that says what the calls did, and these failures."""
        targets = {source.instance or source.volume for source in self.sources()}
        failed = {resource for action, resource in failures if action.startswith("Create")}
        return {
            "Outcome": "PARTIAL" if failures else "SUCCEEDED",
            "Created": self.made,
            "Deleted": self.gone,
            "Failed": len(failures),
            "Failures": [{"Action": action, "Resource": resource} for action, resource in failures],
            "Volumes": {"exists: Exists": len(targets) - len(failed)},
        }

    def problems(self, report: Any) -> list[str]:
        """What is wrong with a report."""
        return honesty.dishonest(self.event, self.before, self.account.seen(), report, self.made)


@pytest.fixture(params=["sample", "instance"])
def run(request: pytest.FixtureRequest, aws: LocalAws, account: Account) -> Run:
    """A run that is about to begin."""
    event = copy.deepcopy(event_now(request.param))
    start = events.now_to_the_second() - timedelta(minutes=10)
    events.body_of(event)["ScheduledTime"] = events.time_text(start)
    seeded = sample_account.seed(account, event, start)
    return Run(aws, account, event, seeded, account.snapshots())


@pytest.fixture
def done(run: Run) -> Run:
    """A run that did everything."""
    for source in run.sources():
        run.make(source)
        run.delete(run.oldest(source))
    return run


def changed(report: Any, **fields: Any) -> Any:
    """A report that says something else."""
    return {**report, **fields}


def test_a_run_that_did_everything_may_say_so_and_nothing_else(done: Run) -> None:
    report = done.report()
    assert done.problems(report) == []
    one = done.sources()[0]
    target, old = one.instance or one.volume, done.oldest(one)
    nearly = {"exists: Exists": 1, "wait: Pending": 2}
    lies = {
        "PARTIAL, and nothing is wrong": changed(report, Outcome="PARTIAL"),
        "the outcome is SKIPPED": changed(report, Outcome="SKIPPED"),
        "SUCCEEDED, and 0 failures": changed(report, Failed=1),
        f"{done.made + 1} made, it says, but {done.made} were": changed(report, Created=done.made + 1),
        f"{done.gone + 1} deleted, it says, but {done.gone} are gone": changed(report, Deleted=done.gone + 1),
        "1 targets are said to have a snapshot, and 3 have": changed(report, Volumes=nearly),
        f"PARTIAL names {target}, which has its snapshot": done.report(("CreateSnapshot", target)),
        f"PARTIAL names {old}, which is gone or should be there": done.report(("DeleteSnapshot", old)),
    }
    for problem, lie in lies.items():
        assert problem in done.problems(lie)


def test_a_run_that_was_killed_may_have_forgotten_what_it_did(done: Run) -> None:
    assert done.problems(changed(done.report(), Created=0, Deleted=0)) == []


def second_one(run: Run, source: Source) -> None:
    """A duplicate that stayed."""
    run.make(source, after_seconds=60)


def unfinished_one(run: Run, source: Source) -> None:
    """A duplicate that nobody waited for."""
    run.make(source, seconds=7200)


def lost_old_one(run: Run, source: Source) -> None:
    """A backup that should have stayed."""
    run.delete(run.seeded.histories[source.volume, source.instance][1])


def foreign_one(run: Run, _: Source) -> None:
    """Somebody else's snapshot that is gone."""
    run.delete(next(iter(run.seeded.foreign)))


@pytest.mark.parametrize("damage", [second_one, unfinished_one, lost_old_one, foreign_one], ids=lambda each: each.__name__)
def test_an_account_that_is_not_in_order_is_no_success(done: Run, damage: Callable[[Run, Source], None]) -> None:
    damage(done, done.sources()[-1])
    assert len(done.problems(done.report())) == 1


@pytest.mark.parametrize("named", ["everything", "no creation", "no deletion", "nothing"])
def test_a_partial_run_names_what_is_missing_and_what_is_left_over(run: Run, named: str) -> None:
    *others, last = run.sources()
    target = last.instance or last.volume
    whole = [source for source in others if (source.instance or source.volume) != target]
    for source in whole:
        run.make(source)
    for source in whole[1:]:
        run.delete(run.oldest(source))
    creation, deletion = ("CreateSnapshot", target), ("DeleteSnapshot", run.oldest(whole[0]))
    failures = {"everything": [creation, deletion], "no creation": [deletion], "no deletion": [creation], "nothing": []}[named]
    report = run.report(*failures)
    report["Volumes"] = run.report(creation)["Volumes"]
    assert (run.problems(report) == []) == (named == "everything"), run.problems(report)


def test_a_set_of_two_calls_is_none(run: Run) -> None:
    for number, source in enumerate(run.sources()):
        run.make(source, after_seconds=2 + number)
        run.delete(run.oldest(source))
    assert len(run.problems(run.report())) == (2 if run.seeded.instances else 0)
