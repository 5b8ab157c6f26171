"""What a policy promises of an account, worked out from the account before the run, independently of the function."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import targets
from account import AccountSeen, SnapshotSeen
from contract import EXPIRATION_TAG, HOLD_TAG, INSTANCE_TAG, POLICY_TAG, RUN_NOW_DAYS, SCHEDULED_TAG, STAMP_TAG
from contract import our_description, our_tags, owner_of, parse
from events import has_run_now, is_disabled, is_due, options_of, policy_of, schedules_of, start_of
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
    """What a run must do: one snapshot of each source where its schedules are due, or where somebody presses RunNow."""
    schedules = schedules_of(event)
    if is_disabled(event) or not schedules:
        return Promise(set(), set())
    histories: dict[tuple[str, str, str | None], list[SnapshotSeen]] = {}
    for each in seen.snapshots.values():
        if is_ours(each, event, account) and each.status == "completed":
            histories.setdefault((each.description, each.volume, each.tag(INSTANCE_TAG)), []).append(each)
    new, deleted = set(), set()
    due = due_schedules(event, now)
    owner = owner_among(due) if due else None
    for schedule in schedules:
        for source in targets.of_policy(seen, event):
            ours = histories.get((our_description(policy_of(event), schedule), source.volume, source.instance), [])
            history = [each for each in ours if not is_of_run_now(each)]
            alike = [each for each in ours if is_of_run_now(each) == has_run_now(event)]
            # Schedules that are due at one time share one snapshot. There is one already when the same input ran just before.
            made = schedule is owner and not any(answers(each, event, now) for each in alike)
            new |= {Due(str(schedule.get("Name")), source)} if made else set()
            deleted |= surplus(history, schedule.get("RetainRule") or {}, made and not has_run_now(event), now)
    return Promise(new, deleted)


def due_schedules(event: Any, now: datetime) -> list[dict[str, Any]]:
    """The schedules that are due by the event's start and in time; all of them for a RunNow."""
    start = start_of(event) or now.replace(second=0)
    if now - start > window_of(event):
        return []
    return [each for each in schedules_of(event) if has_run_now(event) or is_due(each, start)]


def window_of(event: Any) -> timedelta:
    """How long after its scheduled time a snapshot may be begun."""
    return timedelta(minutes=options_of(event).get("StartWindowMinutes", START_WINDOW_MINUTES))


def is_of_run_now(snapshot: SnapshotSeen) -> bool:
    """Whether a RunNow made it, by its stamp."""
    return (snapshot.tag(STAMP_TAG) or "").endswith(" now")


def owner_among(schedules: list[dict[str, Any]]) -> dict[str, Any]:
    """The schedule that owns what is made for all of them; one alone is not looked at, as it may be nonsense."""
    return owner_of(schedules) if len(schedules) > 1 else schedules[0]


def answers(snapshot: SnapshotSeen, event: Any, now: datetime) -> bool:
    """Whether a snapshot is what the start asks for: one that was made within the start window before it."""
    start = start_of(event) or now
    scheduled_time = parse(snapshot.tag(SCHEDULED_TAG))
    return scheduled_time is not None and start - window_of(event) < scheduled_time <= start


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
        policy_of(event),
        schedule,
        scheduled_time,
        source_tags=source.tags,
        instance=source.instance,
        together=others,
        run_now_days=RUN_NOW_DAYS if has_run_now(event) else None,
    )
    seen = dict(snapshot.tags)
    if not re.fullmatch(STAMP + (" now" if has_run_now(event) else ""), seen.pop(STAMP_TAG, "")):
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
