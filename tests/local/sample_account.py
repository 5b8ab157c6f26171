"""A small account that makes sense for a policy: its volumes or instances with some history, and what it must not touch."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import targets
from account import Account
from contract import expiration, our_description, our_tags, time_of_day
from events import options_of, parameters_of, policy_of, schedules_of, tag_pairs, target_tags_of, targets_instances
from targets import Source

TARGETS = 3
UNTAGGED = 2
OLD_SNAPSHOTS = 3

# Another policy of Amazon DLM's, and another account.
OTHER_POLICY = "policy-0fedcba9876543210"
OTHER_ACCOUNT = "210987654321"


@dataclass
class Seeded:
    """What was put into the account."""

    targets: list[str] = field(default_factory=list)
    """The volumes that get a snapshot, each once."""
    untagged: list[str] = field(default_factory=list)
    """Volumes that are none of the policy's business."""
    instances: list[str] = field(default_factory=list)
    """The instances, where the policy targets instances; the last one is not tagged."""
    ours: dict[str, list[str]] = field(default_factory=dict)
    """The old snapshots of the policy, by volume, oldest first."""
    histories: dict[tuple[str, str | None], list[str]] = field(default_factory=dict)
    """The same, by volume and by the instance of the set."""
    foreign: dict[str, str] = field(default_factory=dict)
    """Snapshots that are none of the policy's business, with what they are."""


def seed(account: Account, event: Any, start: datetime) -> Seeded:
    """Fill the account for the policy of an event that starts at `start`."""
    seeded = Seeded()
    if targets_instances(event):
        add_instances(account, event, seeded)
    else:
        add_volumes(account, event, seeded)
    sources = targets.of_policy(account.seen(), event)
    seeded.targets = seeded.targets or list(dict.fromkeys(source.volume for source in sources))
    for schedule in schedules_of(event):
        today = history_ends(event, schedule, start)
        for source in sources:
            ids = add_history(account, policy_of(event), schedule, source, today)
            seeded.ours.setdefault(source.volume, []).extend(ids)
            seeded.histories.setdefault((source.volume, source.instance), []).extend(ids)
    seeded.foreign = add_foreign(account, event, seeded, start)
    return seeded


def add_volumes(account: Account, event: Any, seeded: Seeded) -> None:
    """Volumes with the target tags, and some without."""
    target_tags = target_tags_of(event)
    for number in range(TARGETS if target_tags else 0):
        key, value = target_tags[number % len(target_tags)]
        tags = {key: value, "Name": f"data {number + 1}"}
        seeded.targets.append(account.add_volume(tags, attached=number == 0))
    seeded.untagged = [account.add_volume({"Name": f"scratch {number + 1}"}) for number in range(UNTAGGED)]


def add_instances(account: Account, event: Any, seeded: Seeded) -> None:
    """Three instances with the target tags and one without; a shared volume, and one that the policy leaves out."""
    target_tags = target_tags_of(event)
    for number in range(TARGETS if target_tags else 0):
        key, value = target_tags[number % len(target_tags)]
        name = f"web {number + 1}"
        instance = account.add_instance({key: value, "Name": name}, root_tags={"Name": f"{name} root"})
        account.add_data_volume(instance, {"Name": f"{name} data", "cost-centre": "42"})
        seeded.instances.append(instance)
    left_out = tag_pairs(parameters_of(event).get("ExcludeDataVolumeTags"))[:1]
    if seeded.instances:
        account.add_data_volume(seeded.instances[0], {"Name": "scratch", **dict(left_out)})
        shared = account.add_volume({"Name": "shared"}, multi_attach=True)
        for instance in seeded.instances[:2]:
            account.attach(shared, instance)
    # The tag on a volume does not make its instance a target.
    other = account.add_instance({"Name": "bastion"}, root_tags={"Name": "bastion root", **dict(target_tags[:1])})
    seeded.instances.append(other)
    seeded.untagged = [*account.instances()[other].volumes, account.add_volume({"Name": "loose", **dict(target_tags[:1])})]


def history_ends(event: Any, schedule: dict[str, Any], start: datetime) -> datetime:
    """The day before which the old snapshots were made, the newest one the day before it.

    Whoever runs a policy at once late in the day has today's snapshot already: without it the backups would have stopped.
    """
    is_over = time_of_day(schedule, start) < start
    return start + timedelta(days=1) if options_of(event).get("RunNow") is True and is_over else start


def add_history(
    account: Account, policy: dict[str, Any], schedule: dict[str, Any], source: Source, start: datetime
) -> list[str]:
    """Completed snapshots of the schedule on the days before the start, oldest first."""
    ids = []
    for days in sorted(days_of_history(schedule, start), reverse=True):
        scheduled_time = time_of_day(schedule, start - timedelta(days=days))
        ids.append(add_ours(account, policy, schedule, source, scheduled_time))
    return ids


def add_ours(
    account: Account, policy: dict[str, Any], schedule: dict[str, Any], source: Source, scheduled_time: datetime
) -> str:
    """A completed snapshot of the schedule. Those of one instance and one scheduled time are a set: they started together."""
    tags = our_tags(policy, schedule, scheduled_time, source_tags=source.tags, instance=source.instance)
    # A snapshot is made a little after its scheduled time.
    started = scheduled_time + timedelta(seconds=2)
    return account.add_snapshot(source.volume, started, our_description(policy, schedule), tags)


def days_of_history(schedule: dict[str, Any], start: datetime) -> list[int]:
    """How many days ago the old snapshots were made. With a rule by age some of them are past it."""
    expires = expiration(schedule, start)
    if expires is None:
        return list(range(1, OLD_SNAPSHOTS + 1))
    period = (expires - start).days
    # The longest months and years are behind every period that is counted in them.
    longer = period + period // 20 + 4
    return [1, 2, longer] if period > 2 else [1, longer, longer + 1]


def add_foreign(account: Account, event: Any, seeded: Seeded, start: datetime) -> dict[str, str]:
    """Snapshots that look like the policy's more or less, and are not."""
    volume = (seeded.targets or seeded.untagged)[0]
    schedule = next(iter(schedules_of(event)), {})
    name = schedule.get("Name", "Default Schedule")
    days_ago = lambda days: start - timedelta(days=days)  # noqa: E731
    instance = seeded.instances[0] if seeded.instances else None
    forged = our_tags(policy_of(event), schedule, days_ago(9), instance=instance) if schedule else {}
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
