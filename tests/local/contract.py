"""What the contract says that a snapshot of the policy carries, and when: worked out here independently of the function."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from events import tag_pairs, time_text

POLICY_TAG = "opendlm:policy-id"
SCHEDULE_TAG = "opendlm:schedule-name"
SCHEDULED_TAG = "opendlm:scheduled-time"
EXPIRATION_TAG = "opendlm:expiration-time"
INSTANCE_TAG = "opendlm:instance-id"
HOLD_TAG = "opendlm:hold"
ALSO_TAG = "opendlm:also"
STAMP_TAG = "opendlm:stamp"
COPIES_TAG = "opendlm:copies"
COPIED_FROM_TAG = "opendlm:copied-from"
VOLUME_TAG = "opendlm:volume-id"
# What the digest in the stamp is over, beside the rest of the stamp.
STAMPED_TAGS = (
    POLICY_TAG,
    SCHEDULE_TAG,
    ALSO_TAG,
    "opendlm:also-2",
    SCHEDULED_TAG,
    EXPIRATION_TAG,
    INSTANCE_TAG,
    COPIES_TAG,
    *(f"{COPIES_TAG}-{number}" for number in range(2, 7)),
    COPIED_FROM_TAG,
    VOLUME_TAG,
)

DEFAULT_TIME = "17:00"
# The design's default of Options.RunNowRetain.
RUN_NOW_DAYS = 7
DAYS_OF_UNIT = {"DAYS": 1, "WEEKS": 7}
MONTHS_OF_UNIT = {"MONTHS": 1, "YEARS": 12}


def our_description(policy: dict[str, Any], schedule: dict[str, Any]) -> str:
    """The description of the policy's snapshots."""
    return f"Created for policy: {policy.get('PolicyId')} schedule: {schedule.get('Name')}"


def copy_description(policy: dict[str, Any], schedule: dict[str, Any], snapshot: str, home: str, region: str) -> str:
    """The description of a copy of one of the policy's snapshots."""
    return f"{our_description(policy, schedule)} (copy of {snapshot} from {home} to {region})"


def older(tags: dict[str, str], by: timedelta) -> dict[str, str]:
    """The tags of a snapshot that was made so much earlier, with a stamp that fits them."""
    tags = dict(tags)
    for key in (SCHEDULED_TAG, EXPIRATION_TAG):
        if time := parse(tags.get(key)):
            tags[key] = time_text(time - by)
    if stamp := tags.get(STAMP_TAG):
        version, _, called, *rest = stamp.split(" ")
        time = parse(called.removeprefix("t="))
        assert time is not None, stamp
        text = f"{time - by:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"
        end = " ".join([f"t={text}", *rest])
        tags[STAMP_TAG] = f"{version} d={digest(tags, end)} {end}"
    return tags


def digest(tags: dict[str, str], end: str) -> str:
    """FNV-1a, 64 bits, over our tags and the rest of the stamp."""
    text = "".join(f"{key}={tags[key]}\n" for key in STAMPED_TAGS if key in tags) + end
    hashed = 0xCBF29CE484222325
    for byte in text.encode():
        hashed = (hashed ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{hashed:016x}"


def our_tags(
    policy: dict[str, Any],
    schedule: dict[str, Any],
    scheduled_time: datetime,
    *,
    source_tags: Iterable[tuple[str, str]] = (),
    instance: str | None = None,
    together: Iterable[dict[str, Any]] = (),
    run_now_days: int | None = None,
) -> dict[str, str]:
    """All tags of a snapshot that the policy made at a scheduled time, without its stamp.

    `source_tags` are those of the volume, which CopyTags copies; `together` are the other schedules that had the same scheduled
    time; `run_now_days` is for how long a RunNow keeps what it makes. Where two say the same key, TagsToAdd wins over VariableTags and those over what is copied; the schedule that owns the
    snapshot wins over the others; and nothing wins over our own.
    """
    together = list(together)
    schedules = [*together, schedule]
    tags = {}
    if any(each.get("CopyTags") is True for each in schedules):
        tags |= {key: value for key, value in source_tags if not key.lower().startswith("aws:")}
    variables = {"$(instance-id)": instance or "", "$(timestamp)": time_text(scheduled_time)}
    for each in schedules:
        tags |= {key: variables.get(value, value) for key, value in tag_pairs(each.get("VariableTags"))}
    for each in schedules:
        tags |= dict(tag_pairs(each.get("TagsToAdd")))
    tags |= {
        POLICY_TAG: str(policy.get("PolicyId")),
        SCHEDULE_TAG: str(schedule.get("Name")),
        SCHEDULED_TAG: time_text(scheduled_time),
    }
    if together:
        tags[ALSO_TAG] = "+".join(str(each.get("Name")) for each in together)
    ages = [expires for each in schedules if (expires := expiration(each, scheduled_time)) is not None]
    # Of schedules that coincide the longest age holds.
    expires = max(ages, default=None)
    if run_now_days is not None:
        expires = scheduled_time + timedelta(days=run_now_days)
    if expires is not None:
        tags[EXPIRATION_TAG] = time_text(expires)
    return {**tags, INSTANCE_TAG: instance} if instance else tags


def owner_of(schedules: list[dict[str, Any]]) -> dict[str, Any]:
    """The schedule that owns the one snapshot of several with the same scheduled time: the one that keeps it longest."""
    return max(schedules, key=kept_for)


def kept_for(schedule: dict[str, Any]) -> timedelta:
    """How long a schedule keeps a snapshot; where it counts, the count times the period."""
    epoch = datetime(2026, 1, 1, tzinfo=timezone.utc)
    expires = expiration(schedule, epoch)
    count = (schedule.get("RetainRule") or {}).get("Count") or 0
    return expires - epoch if expires else count * period_of(schedule.get("CreateRule") or {})


def period_of(create_rule: dict[str, Any]) -> timedelta:
    """The time from one scheduled time to the next, near enough to compare schedules."""
    if create_rule.get("Interval"):
        return timedelta(hours=create_rule["Interval"])
    fields = re.sub(r"^cron\(|\)$", "", str(create_rule.get("CronExpression", ""))).split()
    _, _, day_of_month, month, day_of_week = (fields + ["*"] * 5)[:5]
    named = lambda text: text not in ("*", "?")  # noqa: E731
    if named(month):
        return timedelta(days=365)
    if named(day_of_month):
        return timedelta(days=30)
    return timedelta(days=7 if named(day_of_week) else 1)


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
    rule = schedule.get("CreateRule") or {}
    if cron := re.match(r"cron\((\d+) (\d+) ", str(rule.get("CronExpression", ""))):
        return day.replace(hour=int(cron[2]), minute=int(cron[1]), second=0, microsecond=0)
    times = rule.get("Times") or [DEFAULT_TIME]
    # A time that is none is the function's to refuse, not ours.
    text = times[0] if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", str(times[0])) else DEFAULT_TIME
    hour, minute = map(int, text.split(":"))
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def parse(text: str | None) -> datetime | None:
    """A time of a tag."""
    try:
        return datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
