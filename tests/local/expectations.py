"""What a policy promises of an account, worked out from the account before the run, independently of the function."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import targets
from account import AccountSeen, SnapshotSeen
from contract import EXPIRATION_TAG, HOLD_TAG, INSTANCE_TAG, POLICY_TAG, SCHEDULED_TAG, STAMP_TAG
from contract import our_description, our_tags, owner_of, parse
from events import is_disabled, options_of, policy_of, schedules_of, start_of
from targets import Source

# The design's default of Options.StartWindowMinutes.
START_WINDOW_MINUTES = 60
# Where the start is the clock of the first turn, a snapshot is made this soon after it, retries included.
CLOCK_START_MAX = timedelta(minutes=2)
# What a stamp says: a digest, the time of the call, the counts in force and the members of a set.
STAMP = r"1 d=[0-9a-f]{16} t=\S+Z k=(\d+|-)(\+(\d+|-))*( n=\d+)?"

Snapshots = dict[str, SnapshotSeen]


@dataclass(frozen=True)
class Due:
    """A snapshot that a run must make."""

    schedule: str
    """The schedule that owns it."""
    source: Source

    @property
    def volume(self) -> str:
        """Of which volume."""
        return self.source.volume


@dataclass(frozen=True)
class Promise:
    """The end state that a run must come to."""

    new: set[Due]
    """The snapshots that are made."""
    deleted: set[str]
    """The snapshots that go."""


def is_ours(snapshot: SnapshotSeen, event: Any, account: str) -> bool:
    """The contract's definition: the account's, by tag and description together."""
    policy_id = str(policy_of(event).get("PolicyId"))
    prefix = f"Created for policy: {policy_id} schedule: "
    return snapshot.owner == account and snapshot.tag(POLICY_TAG) == policy_id and snapshot.description.startswith(prefix)


def promise(event: Any, seen: AccountSeen, account: str, now: datetime) -> Promise:
    """What a run with RunNow must do; a disabled policy does nothing, and a run without RunNow makes nothing new here."""
    schedules = schedules_of(event)
    if is_disabled(event) or not schedules:
        return Promise(set(), set())
    histories: dict[tuple[str, str, str | None], list[SnapshotSeen]] = {}
    for each in seen.snapshots.values():
        if is_ours(each, event, account) and each.status == "completed":
            histories.setdefault((each.description, each.volume, each.tag(INSTANCE_TAG)), []).append(each)
    new, deleted = set(), set()
    owner = owner_among(schedules)
    for schedule in schedules:
        for source in targets.of_policy(seen, event):
            history = histories.get((our_description(policy_of(event), schedule), source.volume, source.instance), [])
            # RunNow gives all schedules one scheduled time, so one snapshot answers them all. There is one already when the
            # same input ran just before.
            wanted = options_of(event).get("RunNow") is True and schedule is owner
            made = wanted and not any(answers_run_now(each, event, now) for each in history)
            new |= {Due(str(schedule.get("Name")), source)} if made else set()
            deleted |= surplus(history, schedule.get("RetainRule") or {}, made, now)
    return Promise(new, deleted)


def owner_among(schedules: list[dict[str, Any]]) -> dict[str, Any]:
    """The schedule that owns what is made for all of them; one alone is not looked at, as it may be nonsense."""
    return owner_of(schedules) if len(schedules) > 1 else schedules[0]


def answers_run_now(snapshot: SnapshotSeen, event: Any, now: datetime) -> bool:
    """Whether a snapshot is what RunNow asks for: one that was made within the start window before the start."""
    start = start_of(event) or now
    window = timedelta(minutes=options_of(event).get("StartWindowMinutes", START_WINDOW_MINUTES))
    scheduled_time = parse(snapshot.tag(SCHEDULED_TAG))
    return scheduled_time is not None and start - window < scheduled_time <= start


def surplus(history: list[SnapshotSeen], rule: dict[str, Any], made: bool, now: datetime) -> set[str]:
    """The snapshots that the rule no longer keeps once a new one is complete, without those that somebody holds."""
    newest_first = sorted(history, key=lambda each: each.tag(SCHEDULED_TAG) or "", reverse=True)
    if rule.get("Count"):
        beyond = newest_first[max(rule["Count"] - made, 0) :]
    else:
        candidates = newest_first if made else newest_first[1:]
        beyond = [each for each in candidates if each.tag(EXPIRATION_TAG) and parse(each.tag(EXPIRATION_TAG)) <= now]
    return {each.id for each in beyond if each.tag(HOLD_TAG) is None}


def broken(event: Any, wanted: Promise, before: Snapshots, after: Snapshots, account: str) -> list[str]:
    """Where the account after the run differs from the promise, in sentences; empty when it was kept."""
    gone = set(before) - set(after)
    problems = [f"{id} is gone and should have stayed" for id in sorted(gone - wanted.deleted)]
    problems += [f"{id} should have been deleted" for id in sorted(wanted.deleted - gone)]
    problems += [f"{id} was changed" for id in sorted(set(before) & set(after)) if before[id] != after[id]]
    made = [after[id] for id in sorted(set(after) - set(before))]
    return problems + broken_new(event, wanted.new, made, account) + broken_sets(made)


def broken_new(event: Any, wanted: set[Due], made: list[SnapshotSeen], account: str) -> list[str]:
    """What is wrong with the new snapshots."""
    problems = []
    missing = {(due.schedule, due.volume, due.source.instance): due for due in wanted}
    by_description = {our_description(policy_of(event), each): each for each in schedules_of(event)}
    for snapshot in made:
        schedule = by_description.get(snapshot.description)
        if schedule is None:
            problems.append(f"{snapshot.id} has the description '{snapshot.description}'")
            continue
        due = missing.pop((str(schedule.get("Name")), snapshot.volume, snapshot.tag(INSTANCE_TAG)), None)
        problems += broken_snapshot(event, schedule, due.source, snapshot, account) if due else []
        problems += [] if due else [f"{snapshot.id} of {snapshot.volume} is one too many"]
    problems += [f"{described(due.source)} has no new snapshot of '{due.schedule}'" for due in missing.values()]
    return problems


def described(source: Source) -> str:
    """A source in words."""
    return f"{source.volume} of {source.instance}" if source.instance else source.volume


def broken_snapshot(event: Any, schedule: dict[str, Any], source: Source, snapshot: SnapshotSeen, account: str) -> list[str]:
    """What is wrong with one new snapshot: its state, its owner, or its tags, which must be the contract's and no others."""
    problems = []
    if snapshot.status != "completed":
        problems.append(f"{snapshot.id} is {snapshot.status}, expected completed")
    if snapshot.owner != account:
        problems.append(f"{snapshot.id} belongs to {snapshot.owner}")
    scheduled_time = start_of(event) or parse(snapshot.tag(SCHEDULED_TAG)) or snapshot.start
    if not start_of(event) and abs(snapshot.start - scheduled_time) > CLOCK_START_MAX:
        problems.append(f"{snapshot.id} was started at {snapshot.start}, expected within {CLOCK_START_MAX} of {scheduled_time}")
    others = [each for each in schedules_of(event) if each is not schedule]
    tags = our_tags(
        policy_of(event), schedule, scheduled_time, source_tags=source.tags, instance=source.instance, together=others
    )
    seen = dict(snapshot.tags)
    if not re.fullmatch(STAMP, seen.pop(STAMP_TAG, "")):
        problems.append(f"{snapshot.id} has the stamp {snapshot.tag(STAMP_TAG)}, expected a stamp")
    if seen != tags:
        problems.append(f"{snapshot.id} has the tags {dict(snapshot.tags)}, expected {tags}")
    return problems


def broken_sets(made: list[SnapshotSeen]) -> list[str]:
    """Instances whose new snapshots did not start at the same moment: those were not made by one call."""
    starts: dict[str, set[datetime]] = {}
    for snapshot in made:
        if instance := snapshot.tag(INSTANCE_TAG):
            starts.setdefault(instance, set()).add(snapshot.start)
    apart = {instance: found for instance, found in starts.items() if len(found) > 1}
    return [f"the snapshots of {instance} are no set: they started at {len(found)} times" for instance, found in apart.items()]
