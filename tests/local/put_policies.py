"""Policies to put, and what the command line shows of them, for the tests of `opendlm put`."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import contract
from account import Account
from opendlm import Opendlm, Said

DAILY = {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["17:00"]}
SUNDAYS = {"CronExpression": "cron(0 3 ? * SUN *)"}
ONE, TWO = "policy-0aaaaaaaaaaaaaaaa", "policy-0bbbbbbbbbbbbbbbb"
PLACEHOLDER = "<aws.scheduler.scheduled-time>"


def policy(id: str | None, *rules: tuple[str, dict, int], tag: str = "one") -> dict[str, Any]:
    """A policy as `aws dlm` takes it, with a schedule for each rule: its name, when, and how many are kept."""
    named = {"PolicyId": id} if id else {}
    return {
        **named,
        "Description": f"Backups of {tag}",
        "State": "ENABLED",
        "PolicyDetails": {
            "ResourceTypes": ["VOLUME"],
            "TargetTags": [{"Key": "backup", "Value": tag}],
            "Schedules": [
                {"Name": name, "CreateRule": rule, "RetainRule": {"Count": count}} for name, rule, count in rules
            ],
        },
    }


def one(count: int = 7) -> dict[str, Any]:
    """A daily policy."""
    return policy(ONE, ("Daily", DAILY, count))


def two() -> dict[str, Any]:
    """A policy with two schedules far apart."""
    return policy(TWO, ("Daily", DAILY, 3), ("Sundays", SUNDAYS, 4), tag="two")


def put(opendlm: Opendlm, *documents: Any, **more: Any) -> Said:
    """Put documents, without a question."""
    files = [opendlm.named(f"{number}.json", each) for number, each in enumerate(documents)]
    return opendlm.ok("put", *files, "--yes", **more)


def seed(account: Account, document: dict[str, Any], volumes: int, snapshots: int) -> None:
    """Volumes that a policy targets, each with so many daily snapshots of its first schedule, the newest of its latest time."""
    [tag] = document["PolicyDetails"]["TargetTags"]
    schedule = document["PolicyDetails"]["Schedules"][0]
    now = datetime.now(timezone.utc).replace(microsecond=0)
    latest = contract.time_of_day(schedule, now)
    if latest > now:
        latest -= timedelta(days=1)
    for _ in range(volumes):
        volume = account.add_volume({tag["Key"]: tag["Value"]})
        for days in reversed(range(snapshots)):
            at = latest - timedelta(days=days)
            tags = contract.our_tags(document, schedule, at)
            account.add_snapshot(volume, at, contract.our_description(document, schedule), tags)


def listed(opendlm: Opendlm) -> dict[str, dict[str, Any]]:
    """The policies that `opendlm list` shows, by id."""
    return {each["PolicyId"]: each for each in opendlm.told("list")["Policies"]}
