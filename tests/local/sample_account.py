"""A small account that makes sense for a policy: its volumes with some history, and what the policy must not touch."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from account import Account
from events import policy_of, schedules_of, tag_pairs, target_tags_of, time_text

TARGETS = 3
UNTAGGED = 2
OLD_SNAPSHOTS = 3

# Another policy of Amazon DLM's, and another account.
OTHER_POLICY = "policy-0fedcba9876543210"
OTHER_ACCOUNT = "210987654321"

DEFAULT_TIME = "17:00"
DAYS_OF_UNIT = {"DAYS": 1, "WEEKS": 7}
MONTHS_OF_UNIT = {"MONTHS": 1, "YEARS": 12}


@dataclass
class Seeded:
    """What was put into the account."""

    targets: list[str] = field(default_factory=list)
    untagged: list[str] = field(default_factory=list)
    ours: dict[str, list[str]] = field(default_factory=dict)
    """The old snapshots of the policy, by volume, oldest first."""
    foreign: dict[str, str] = field(default_factory=dict)
    """Snapshots that are none of the policy's business, with what they are."""


def seed(account: Account, event: Any, start: datetime) -> Seeded:
    """Fill the account for the policy of an event that starts at `start`."""
    seeded = Seeded()
    target_tags = target_tags_of(event)
    for number in range(TARGETS if target_tags else 0):
        key, value = target_tags[number % len(target_tags)]
        tags = {key: value, "Name": f"data {number + 1}"}
        seeded.targets.append(account.add_volume(tags, attached=number == 0))
    seeded.untagged = [account.add_volume({"Name": f"scratch {number + 1}"}) for number in range(UNTAGGED)]
    for schedule in schedules_of(event):
        for volume in seeded.targets:
            ids = add_history(account, policy_of(event), schedule, volume, start)
            seeded.ours.setdefault(volume, []).extend(ids)
    seeded.foreign = add_foreign(account, event, seeded, start)
    return seeded


def add_history(
    account: Account, policy: dict[str, Any], schedule: dict[str, Any], volume: str, start: datetime
) -> list[str]:
    """Completed snapshots of the schedule on the days before the start, oldest first."""
    ids = []
    for days in sorted(days_of_history(schedule, start), reverse=True):
        scheduled_time = time_of_day(schedule, start - timedelta(days=days))
        tags = our_tags(policy, schedule, scheduled_time)
        # A snapshot is made a little after its scheduled time.
        ids.append(account.add_snapshot(volume, scheduled_time + timedelta(seconds=2), our_description(policy, schedule), tags))
    return ids


def days_of_history(schedule: dict[str, Any], start: datetime) -> list[int]:
    """How many days ago the old snapshots were made. With a rule by age some of them are past it."""
    expires = expiration(schedule, start)
    if expires is None:
        return list(range(1, OLD_SNAPSHOTS + 1))
    period = (expires - start).days
    # The longest months and years are behind every period that is counted in them.
    longer = period + period // 20 + 4
    return [1, 2, longer] if period > 2 else [1, longer, longer + 1]


def our_description(policy: dict[str, Any], schedule: dict[str, Any]) -> str:
    """The description of the policy's snapshots."""
    return f"Created for policy: {policy.get('PolicyId')} schedule: {schedule.get('Name')}"


def our_tags(policy: dict[str, Any], schedule: dict[str, Any], scheduled_time: datetime) -> dict[str, str]:
    """All tags of a snapshot that the policy made at a scheduled time."""
    tags = dict(tag_pairs(schedule.get("TagsToAdd")))
    tags |= {
        "opendlm:policy-id": str(policy.get("PolicyId")),
        "opendlm:schedule-name": str(schedule.get("Name")),
        "opendlm:scheduled-time": time_text(scheduled_time),
    }
    expires = expiration(schedule, scheduled_time)
    if expires is not None:
        tags["opendlm:expiration-time"] = time_text(expires)
    return tags


def expiration(schedule: dict[str, Any], scheduled_time: datetime) -> datetime | None:
    """When a snapshot of the schedule has served its time, or nothing where the schedule counts."""
    rule = schedule.get("RetainRule") or {}
    interval, unit = rule.get("Interval"), rule.get("IntervalUnit")
    if not interval:
        return None
    if unit in MONTHS_OF_UNIT:
        return add_months(scheduled_time, interval * MONTHS_OF_UNIT[unit])
    return scheduled_time + timedelta(days=interval * DAYS_OF_UNIT.get(unit, 1))


def add_months(time: datetime, months: int) -> datetime:
    """The same day of a later month, or its last day where it is shorter."""
    year, month = divmod(time.year * 12 + time.month - 1 + months, 12)
    day = min(time.day, calendar.monthrange(year, month + 1)[1])
    return time.replace(year=year, month=month + 1, day=day)


def time_of_day(schedule: dict[str, Any], day: datetime) -> datetime:
    """The schedule's first time on a day, 17:00 where it names none."""
    times = (schedule.get("CreateRule") or {}).get("Times") or [DEFAULT_TIME]
    # A time that is none is the function's to refuse, not ours.
    text = times[0] if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", str(times[0])) else DEFAULT_TIME
    hour, minute = map(int, text.split(":"))
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def add_foreign(account: Account, event: Any, seeded: Seeded, start: datetime) -> dict[str, str]:
    """Snapshots that look like the policy's more or less, and are not."""
    volume = (seeded.targets or seeded.untagged)[0]
    schedule = next(iter(schedules_of(event)), {})
    name = schedule.get("Name", "Default Schedule")
    days_ago = lambda days: start - timedelta(days=days)  # noqa: E731
    forged = our_tags(policy_of(event), schedule, days_ago(9)) if schedule else {}
    dlm = {"aws:dlm:lifecycle-policy-id": OTHER_POLICY, "aws:dlm:lifecycle-schedule-name": name, "dlm:managed": "true"}
    made = {
        "made by hand": account.add_snapshot(volume, days_ago(20), "before the upgrade"),
        "of an untagged volume": account.add_snapshot(seeded.untagged[0], days_ago(5), "scratch, once"),
        "made by Amazon DLM": account.add_snapshot(
            volume, days_ago(8), f"Created for policy: {OTHER_POLICY} schedule: {name}", dlm
        ),
        "tags forged by hand": account.add_snapshot(volume, days_ago(9), "tags copied by hand", forged),
        "of another account": account.add_snapshot(
            "vol-0123456789abcdef0", days_ago(7), our_description(policy_of(event), schedule), forged, owner=OTHER_ACCOUNT
        ),
    }
    return {id: what for what, id in made.items()}
