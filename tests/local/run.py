"""`make run`: the main job, on a local AWS, told as it goes, and its end state verified.

    python tests/local/run.py [EVENT] [--as-is] [--bootstrap PATH]

The account is made for the event: volumes that its policy targets, with some history, and others that it must not touch. The
state machine runs on the event, then a second time on the same input. The exit code is 0 when both executions succeeded and
the account is, snapshot by snapshot, what the policy promises.
"""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import events
import expectations
import sample_account
from chain import Chain, Execution, bootstrap_path, chain
from console import columns, fact, heading, say
from expectations import Promise, Snapshots
from local_aws import ACCOUNT
from rie import ROOT, NotPrepared
from sample_account import Seeded
from story import Story, cause_text
from table import Table

LOG_LINES_SHOWN = 20


@dataclass
class Outcome:
    """What came of one execution."""

    status: str
    before: Snapshots
    after: Snapshots
    wanted: Promise
    problems: list[str]

    @property
    def succeeded(self) -> bool:
        """Whether the execution succeeded and the promise was kept."""
        return self.status == "SUCCEEDED" and not self.problems


def main() -> int:
    """Run everything and return the exit code."""
    arguments = read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    event = events.load(arguments.event)
    try:
        with chain(arguments.bootstrap) as running:
            return run(running, event, arguments)
    except NotPrepared as missing:
        sys.exit(str(missing))
    except KeyboardInterrupt:
        say("\nstopped; everything that was started is ended", "yellow")
        return 130


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Run the state machine on an event, on a local AWS.")
    parser.add_argument("event", nargs="?", type=Path, default=ROOT / "events" / "sample.json")
    parser.add_argument("--as-is", action="store_true", help="leave the event's times and options as they are")
    parser.add_argument("--bootstrap", type=Path, default=bootstrap_path(), help="the function to run")
    return parser.parse_args()


def run(running: Chain, event: Any, arguments: argparse.Namespace) -> int:
    """Run the event twice on an account that is made for it."""
    now = events.now_to_the_second()
    prepared = events.as_is(event, now) if arguments.as_is else events.for_now(event, now)
    seeded = sample_account.seed(running.account, prepared.event, events.start_of(prepared.event) or now)
    introduce(running, prepared, arguments.event)
    story = Story(running)

    heading("The run")
    first = execute(running, story, prepared.event)
    if first.status != "SUCCEEDED":
        return 1
    heading("What the volumes hold now")
    Table(running.account.seen(), first.before, seeded, prepared.event).show()
    verdict(first, seeded)

    heading("The same input again")
    second = execute(running, story, prepared.event)
    if second.status != "SUCCEEDED":
        return 1
    heading("After the second run")
    verdict(second, seeded)
    return 0 if first.succeeded and second.succeeded else 1


def introduce(running: Chain, prepared: events.Prepared, path: Path) -> None:
    """Say what is going to run, and where."""
    policy = events.policy_of(prepared.event)
    heading("opendlm, on this machine")
    fact("policy", ", ".join(str(policy[key]) for key in ("PolicyId", "State", "Description") if policy.get(key)))
    tags = [f"{key}={value}" for key, value in events.target_tags_of(prepared.event)]
    if tags:
        what = "instances" if events.targets_instances(prepared.event) else "volumes"
        fact("targets", f"{what} tagged " + " or ".join(tags) + left_out_text(prepared.event))
    for schedule in events.schedules_of(prepared.event):
        fact("schedule", schedule_text(schedule))
    fact("event", str(path.resolve().relative_to(ROOT) if path.resolve().is_relative_to(ROOT) else path))
    for note in prepared.notes:
        fact("", note, "dim")
    fact("AWS", f"EC2 and Step Functions at {running.aws.url}; a snapshot takes {running.aws.switches.SNAP_SECONDS:g} s")
    fact("function", f"{running.function.bootstrap.name} in the Lambda Runtime Interface Emulator")


def left_out_text(event: Any) -> str:
    """What the policy leaves out of an instance's set, as the end of a sentence."""
    parameters = events.parameters_of(event)
    parts = ["the boot volumes"] if parameters.get("ExcludeBootVolume") is True else []
    parts += [f"data volumes tagged {key}={value}" for key, value in events.tag_pairs(parameters.get("ExcludeDataVolumeTags"))]
    return ", without " + " and ".join(parts) if parts else ""


def schedule_text(schedule: dict[str, Any]) -> str:
    """A schedule in a line."""
    create, retain = schedule.get("CreateRule") or {}, schedule.get("RetainRule") or {}
    every = create.get("CronExpression") or f"every {create.get('Interval')} {create.get('IntervalUnit')}"
    times = f" at {', '.join(create['Times'])} UTC" if create.get("Times") else ""
    keep = retain.get("Count") or f"for {retain.get('Interval')} {retain.get('IntervalUnit')}"
    return f"{schedule.get('Name')}: {every}{times}, keep {keep}"


def execute(running: Chain, story: Story, event: Any) -> Outcome:
    """Run one execution, tell it, and compare the account with what was promised."""
    seen = running.account.seen()
    before = seen.snapshots
    wanted = expectations.promise(event, seen, ACCOUNT, events.now_to_the_second())
    execution = running.start(event)
    status = story.tell(execution)
    after = running.account.snapshots()
    say()
    columns([("", 2, ""), (status, 12, "bold green" if status == "SUCCEEDED" else "bold red")], execution_text(running))
    if status != "SUCCEEDED":
        show_failure(running, execution)
    return Outcome(status, before, after, wanted, expectations.broken(event, wanted, before, after, ACCOUNT))


def execution_text(running: Chain) -> str:
    """How often and how long the function ran so far."""
    invocations = running.function.invocations
    longest = max((each.seconds for each in invocations), default=0)
    count = "1 invocation" if len(invocations) == 1 else f"{len(invocations)} invocations"
    return f"{count} up to here, the longest took {longest:.2f} s: the waiting is Step Functions'"


def show_failure(running: Chain, execution: Execution) -> None:
    """Show the cause of a failed execution, after the function's last words."""
    heading("The function's last log lines")
    for line in running.function.log.tail(LOG_LINES_SHOWN).splitlines():
        say("  " + line, "dim")
    error, cause = execution.failure()
    heading("Why it failed")
    fact("error", error, "red")
    fact("cause", cause_text(cause), "red")


def verdict(outcome: Outcome, seeded: Seeded) -> None:
    """Say what was verified, or what is wrong."""
    made, gone = set(outcome.after) - set(outcome.before), set(outcome.before) - set(outcome.after)
    fact("made", f"{len(made)}, expected {len(outcome.wanted.new)}")
    fact("deleted", f"{len(gone)}, expected {len(outcome.wanted.deleted)}" + (": " + ", ".join(sorted(gone)) if gone else ""))
    same = [id for id in seeded.foreign if outcome.before.get(id) == outcome.after.get(id)]
    of_untagged = [each for each in outcome.after.values() if each.volume in seeded.untagged and each.id in made]
    fact("untouched", f"{len(same)} of {len(seeded.foreign)} snapshots that are not ours; {len(of_untagged)} made of untagged volumes")
    if outcome.problems:
        for problem in outcome.problems:
            fact("WRONG", problem, "red")
    else:
        fact("verified", "every snapshot is what the policy promises, by id, state, description and tags", "green")


if __name__ == "__main__":
    sys.exit(main())
