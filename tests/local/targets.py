"""What a policy targets: volumes, or the volumes of instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from account import AccountSeen, InstanceSeen
from events import parameters_of, tag_pairs, target_tags_of, targets_instances

VOLUME_STATES = ("available", "in-use")
INSTANCE_STATES = ("pending", "running", "stopping", "stopped")


@dataclass(frozen=True)
class Source:
    """What one snapshot of a run is made of. A Multi-Attach volume is a source of its own for each of its instances."""

    volume: str
    instance: str | None
    """The instance whose set it belongs to; none where the policy targets volumes."""
    tags: tuple[tuple[str, str], ...]
    """The tags of the volume."""


def of_policy(seen: AccountSeen, event: Any) -> list[Source]:
    """All sources of the event's policy."""
    if not targets_instances(event):
        return of_volumes(seen, event)
    sources = []
    for instance in instances_of(seen, event):
        kept = [id for id in instance.volumes if not why_excluded(seen, event, instance, id)]
        sources += [Source(id, instance.id, seen.volumes[id].tags) for id in kept if seen.volumes[id].status in VOLUME_STATES]
    return sources


def of_volumes(seen: AccountSeen, event: Any) -> list[Source]:
    """The volumes that carry any of the target tags and can be snapshotted."""
    wanted = set(target_tags_of(event))
    found = [volume for volume in seen.volumes.values() if wanted & set(volume.tags) and volume.status in VOLUME_STATES]
    return [Source(volume.id, None, volume.tags) for volume in found]


def instances_of(seen: AccountSeen, event: Any) -> list[InstanceSeen]:
    """The instances that carry any of the target tags and that EC2 makes a set of."""
    wanted = set(target_tags_of(event))
    tagged = [instance for instance in seen.instances.values() if wanted & set(instance.tags)]
    return [instance for instance in tagged if instance.state in INSTANCE_STATES and not instance.hibernates]


def why_excluded(seen: AccountSeen, event: Any, instance: InstanceSeen, volume: str) -> str | None:
    """Why the policy leaves a volume of an instance out, or nothing where it does not."""
    parameters = parameters_of(event)
    if volume == instance.root:
        return "boot volume, excluded" if parameters.get("ExcludeBootVolume") is True else None
    by_tag = set(tag_pairs(parameters.get("ExcludeDataVolumeTags"))) & set(seen.volumes[volume].tags)
    return "excluded by " + ", ".join(f"{key}={value}" for key, value in sorted(by_tag)) if by_tag else None
