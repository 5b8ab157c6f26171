"""Read an event, find the policy in it, and make a sample that was written for one day run today."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

SCHEDULER_PLACEHOLDER = "<aws.scheduler.scheduled-time>"


@dataclass(frozen=True)
class Prepared:
    """An event that is ready to start an execution, and what was changed about it, in sentences."""

    event: Any
    notes: list[str]


def load(path: Path) -> Any:
    """The event of a file."""
    try:
        return json.loads(path.read_text())
    except OSError as failure:
        raise SystemExit(f"{path}: {failure.strerror}") from failure
    except ValueError as mistake:
        raise SystemExit(f"{path}: not JSON: {mistake}") from mistake


def body_of(event: Any) -> dict[str, Any]:
    """The part with `Policy` and `Options`: the event itself, or the `detail` of an EventBridge envelope."""
    detail = event.get("detail") if isinstance(event, dict) else None
    body = detail if isinstance(detail, dict) and "Policy" not in event else event
    return body if isinstance(body, dict) else {}


def policy_of(event: Any) -> dict[str, Any]:
    """The policy of an event, or nothing where there is none."""
    policy = body_of(event).get("Policy")
    return policy if isinstance(policy, dict) else {}


def details_of(event: Any) -> dict[str, Any]:
    """The PolicyDetails of an event, or nothing where there are none."""
    details = policy_of(event).get("PolicyDetails")
    return details if isinstance(details, dict) else {}


def schedules_of(event: Any) -> list[dict[str, Any]]:
    """The schedules of an event; whatever is none is left out."""
    schedules = details_of(event).get("Schedules")
    return [each for each in schedules if isinstance(each, dict)] if isinstance(schedules, list) else []


def target_tags_of(event: Any) -> list[tuple[str, str]]:
    """The target tags of an event, as (key, value)."""
    return tag_pairs(details_of(event).get("TargetTags"))


def targets_instances(event: Any) -> bool:
    """Whether the policy targets instances, with all of their volumes, and not volumes."""
    return details_of(event).get("ResourceTypes") == ["INSTANCE"]


def parameters_of(event: Any) -> dict[str, Any]:
    """The Parameters of an event's policy, or nothing where there are none."""
    parameters = details_of(event).get("Parameters")
    return parameters if isinstance(parameters, dict) else {}


def tag_pairs(tags: Any) -> list[tuple[str, str]]:
    """Tags of a policy as (key, value); whatever is none is left out."""
    found = [each for each in tags if isinstance(each, dict)] if isinstance(tags, list) else []
    return [(str(each.get("Key", "")), str(each.get("Value", ""))) for each in found]


def options_of(event: Any) -> dict[str, Any]:
    """The Options of an event."""
    options = body_of(event).get("Options")
    return options if isinstance(options, dict) else {}


def start_of(event: Any) -> datetime | None:
    """The start that an event names, if it names one that can be read."""
    envelope_time = event.get("time") if isinstance(event, dict) else None
    text = body_of(event).get("ScheduledTime") or envelope_time
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")) if isinstance(text, str) else None
    except ValueError:
        return None


def is_disabled(event: Any) -> bool:
    """Whether the policy is switched off."""
    return policy_of(event).get("State") == "DISABLED"


def as_is(event: Any, now: datetime) -> Prepared:
    """Only what EventBridge Scheduler does: write the time in place of its placeholder."""
    event = copy.deepcopy(event)
    body = body_of(event)
    if body.get("ScheduledTime") != SCHEDULER_PLACEHOLDER:
        return Prepared(event, [])
    body["ScheduledTime"] = time_text(now)
    return Prepared(event, [f"ScheduledTime is now, {time_text(now)}, as EventBridge Scheduler would write it"])


def for_now(event: Any, now: datetime) -> Prepared:
    """Move the start of an event to this minute, and its schedules with it: a scheduled start, as EventBridge makes them."""
    minute = now.replace(second=0, microsecond=0)
    prepared = as_is(event, minute)
    event, notes = prepared.event, list(prepared.notes)
    body = body_of(event)
    if not details_of(event):
        return Prepared(event, notes)
    notes += move_start(event, body, time_text(minute)) if not notes else []
    if is_disabled(event):
        return Prepared(event, notes)
    if not schedules_of(event):
        body["Options"] = {**options_of(event), "RunNow": True}
        return Prepared(event, [*notes, "Options.RunNow added: nobody waits for the next scheduled time to see it"])
    for schedule in schedules_of(event):
        make_due(schedule, minute)
    notes.append(f"its schedules moved to {minute:%H:%M} UTC: nobody waits for the next scheduled time to see it")
    if options_of(event).get("RunNow") is True:
        body["Options"] = {key: value for key, value in options_of(event).items() if key != "RunNow"}
        notes.append("Options.RunNow taken out: what a button makes is no part of the rotation")
    return Prepared(event, notes)


def make_due(schedule: dict[str, Any], at: datetime) -> None:
    """Move a schedule to a time of the day; nonsense stays what it is."""
    rule = schedule.get("CreateRule")
    if not isinstance(rule, dict):
        return
    if "CronExpression" in rule:
        rule["CronExpression"] = f"cron({at.minute} {at.hour} * * ? *)"
    else:
        rule["Times"] = [at.strftime("%H:%M")]


def is_due(schedule: dict[str, Any], at: datetime) -> bool:
    """Whether a schedule has a scheduled time in this minute: by Times, or by a cron of one minute and hour."""
    rule = schedule.get("CreateRule") or {}
    cron = re.match(r"cron\((\d+) (\d+) ", str(rule.get("CronExpression", "")))
    times = [f"{int(cron[2]):02}:{int(cron[1]):02}"] if cron else rule.get("Times") or []
    return at.strftime("%H:%M") in times


def has_run_now(event: Any) -> bool:
    """Whether the event is a press of the button."""
    return options_of(event).get("RunNow") is True


def move_start(event: dict[str, Any], body: dict[str, Any], now: str) -> list[str]:
    """Set the start, wherever the event holds it, and say so."""
    if "ScheduledTime" in body:
        was, body["ScheduledTime"] = body["ScheduledTime"], now
        return [f"ScheduledTime moved from {was} to now, {now}"]
    if "detail" in event and "time" in event:
        was, event["time"] = event["time"], now
        return [f"the envelope's time moved from {was} to now, {now}"]
    # A constant input without a time starts at the clock of its first turn, which is now already.
    return []


def time_text(time: datetime) -> str:
    """A time as the contract writes it: RFC 3339, UTC, to the second."""
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def now_to_the_second() -> datetime:
    """The clock, without fractions."""
    return datetime.now(timezone.utc).replace(microsecond=0)
