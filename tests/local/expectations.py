"""What a policy promises of an account, worked out from the account before the run, independently of the function."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from account import SnapshotSeen, VolumeSeen
from events import is_disabled, options_of, policy_of, schedules_of, start_of, target_tags_of
from sample_account import our_description, our_tags

TARGET_STATES = ("available", "in-use")
POLICY_TAG = "opendlm:policy-id"
SCHEDULED_TAG = "opendlm:scheduled-time"
# The design's default of Options.StartWindowMinutes.
START_WINDOW_MINUTES = 60
# Where the start is the clock of the first turn, a snapshot is made this soon after it, retries included.
CLOCK_START_MAX = timedelta(minutes=2)
EXPIRATION_TAG = "opendlm:expiration-time"

Snapshots = dict[str, SnapshotSeen]
Volumes = dict[str, VolumeSeen]


@dataclass(frozen=True)
class Promise:
    """The end state that a run must come to."""

    new: set[tuple[str, str]]
    """(schedule, volume) of each snapshot that is made."""
    deleted: set[str]
    """The snapshots that go."""


def is_ours(snapshot: SnapshotSeen, event: Any, account: str) -> bool:
    """The contract's definition: the account's, by tag and description together."""
    policy_id = str(policy_of(event).get("PolicyId"))
    prefix = f"Created for policy: {policy_id} schedule: "
    return snapshot.owner == account and snapshot.tag(POLICY_TAG) == policy_id and snapshot.description.startswith(prefix)


def targets_of(volumes: Volumes, event: Any) -> list[str]:
    """The volumes that carry any of the policy's target tags and can be snapshotted."""
    wanted = set(target_tags_of(event))
    return [volume.id for volume in volumes.values() if wanted & set(volume.tags) and volume.status in TARGET_STATES]


def promise(event: Any, snapshots: Snapshots, volumes: Volumes, account: str, now: datetime) -> Promise:
    """What a run with RunNow must do; a disabled policy does nothing, and a run without RunNow makes nothing new here."""
    if is_disabled(event):
        return Promise(set(), set())
    ours = [each for each in snapshots.values() if is_ours(each, event, account) and each.status == "completed"]
    new, deleted = set(), set()
    for schedule in schedules_of(event):
        description = our_description(policy_of(event), schedule)
        for volume in targets_of(volumes, event):
            history = [each for each in ours if each.volume == volume and each.description == description]
            # There is one already when the same input ran just before.
            made = options_of(event).get("RunNow") is True and not any(answers_run_now(each, event, now) for each in history)
            new |= {(str(schedule.get("Name")), volume)} if made else set()
            deleted |= surplus(history, schedule.get("RetainRule") or {}, made, now)
    return Promise(new, deleted)


def answers_run_now(snapshot: SnapshotSeen, event: Any, now: datetime) -> bool:
    """Whether a snapshot is what RunNow asks for: one that was made within the start window before the start."""
    start = start_of(event) or now
    window = timedelta(minutes=options_of(event).get("StartWindowMinutes", START_WINDOW_MINUTES))
    scheduled_time = parse(snapshot.tag(SCHEDULED_TAG))
    return scheduled_time is not None and start - window < scheduled_time <= start


def surplus(history: list[SnapshotSeen], rule: dict[str, Any], made: bool, now: datetime) -> set[str]:
    """The snapshots that the rule no longer keeps once a new one is complete."""
    newest_first = sorted(history, key=lambda each: each.tag(SCHEDULED_TAG) or "", reverse=True)
    if rule.get("Count"):
        return {each.id for each in newest_first[max(rule["Count"] - made, 0) :]}
    candidates = newest_first if made else newest_first[1:]
    return {each.id for each in candidates if each.tag(EXPIRATION_TAG) and parse(each.tag(EXPIRATION_TAG)) <= now}


def broken(event: Any, wanted: Promise, before: Snapshots, after: Snapshots, account: str) -> list[str]:
    """Where the account after the run differs from the promise, in sentences; empty when it was kept."""
    gone = set(before) - set(after)
    problems = [f"{id} is gone and should have stayed" for id in sorted(gone - wanted.deleted)]
    problems += [f"{id} should have been deleted" for id in sorted(wanted.deleted - gone)]
    problems += [f"{id} was changed" for id in sorted(set(before) & set(after)) if before[id] != after[id]]
    made = [after[id] for id in sorted(set(after) - set(before))]
    return problems + broken_new(event, wanted.new, made, account)


def broken_new(event: Any, wanted: set[tuple[str, str]], made: list[SnapshotSeen], account: str) -> list[str]:
    """What is wrong with the new snapshots."""
    problems, missing = [], set(wanted)
    for schedule in schedules_of(event):
        description = our_description(policy_of(event), schedule)
        for snapshot in [each for each in made if each.description == description]:
            problems += broken_snapshot(event, schedule, snapshot, account)
            if (str(schedule.get("Name")), snapshot.volume) in missing:
                missing.discard((str(schedule.get("Name")), snapshot.volume))
            else:
                problems.append(f"{snapshot.id} of {snapshot.volume} is one too many")
    descriptions = {our_description(policy_of(event), each) for each in schedules_of(event)}
    problems += [f"{each.id} has the description '{each.description}'" for each in made if each.description not in descriptions]
    return problems + [f"{volume} has no new snapshot of '{schedule}'" for schedule, volume in sorted(missing)]


def broken_snapshot(event: Any, schedule: dict[str, Any], snapshot: SnapshotSeen, account: str) -> list[str]:
    """What is wrong with one new snapshot: its state, its owner, or its tags, which must be the contract's and no others."""
    problems = []
    if snapshot.status != "completed":
        problems.append(f"{snapshot.id} is {snapshot.status}, expected completed")
    if snapshot.owner != account:
        problems.append(f"{snapshot.id} belongs to {snapshot.owner}")
    scheduled_time = start_of(event) or parse(snapshot.tag(SCHEDULED_TAG)) or snapshot.start
    if not start_of(event) and abs(snapshot.start - scheduled_time) > CLOCK_START_MAX:
        problems.append(f"{snapshot.id} was started at {snapshot.start}, expected within {CLOCK_START_MAX} of {scheduled_time}")
    tags = our_tags(policy_of(event), schedule, scheduled_time)
    if dict(snapshot.tags) != tags:
        problems.append(f"{snapshot.id} has the tags {dict(snapshot.tags)}, expected {tags}")
    return problems


def parse(text: str | None) -> datetime | None:
    """A time of a tag."""
    try:
        return datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
