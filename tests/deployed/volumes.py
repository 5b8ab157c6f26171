"""Volumes to back up, policies that name them by a tag, and the snapshots that come of both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ministack import REGION, MiniStack
from template import sample_schedule


@dataclass(frozen=True)
class Volumes:
    """A volume that a policy names, and one beside it that it does not name."""

    cloud: MiniStack
    name: str
    region: str
    targeted: str
    other: str

    def snapshots(self) -> list[dict[str, Any]]:
        """What there is of the targeted volume, the earliest first."""
        found = [each for each in self._all() if each["VolumeId"] == self.targeted]
        return sorted(found, key=scheduled_time)

    def snapshots_of_the_other(self) -> list[dict[str, Any]]:
        """What there is of the other volume, which must be nothing."""
        return [each for each in self._all() if each["VolumeId"] == self.other]

    def _all(self) -> list[dict[str, Any]]:
        return self.cloud.client("ec2", self.region).describe_snapshots(OwnerIds=["self"])["Snapshots"]


def make(cloud: MiniStack, name: str, region: str = REGION) -> Volumes:
    """Two volumes, of which one has the tag that the policy of this name looks for."""
    ec2 = cloud.client("ec2", region)

    def volume(value: str) -> str:
        tags = [{"ResourceType": "volume", "Tags": [{"Key": "auto-backup", "Value": value}]}]
        return ec2.create_volume(AvailabilityZone=f"{region}a", Size=1, TagSpecifications=tags)["VolumeId"]

    return Volumes(cloud, name, region, volume(name), volume(f"not-{name}"))


def policy(name: str) -> dict[str, Any]:
    """The policy of the template's schedule, for the volumes of this name, and due every hour."""
    own = json.loads(sample_schedule()["Target"]["Input"])["Policy"]
    own["PolicyId"] = f"policy-{name}"
    details = own["PolicyDetails"]
    details["TargetTags"] = [{"Key": "auto-backup", "Value": name}]
    details["Schedules"][0]["CreateRule"] = {"Interval": 1, "IntervalUnit": "HOURS", "Times": ["00:00"]}
    return own


def scheduled_time(snapshot: dict[str, Any]) -> str:
    """The time that a snapshot answers."""
    [found] = [tag["Value"] for tag in snapshot["Tags"] if tag["Key"] == "opendlm:scheduled-time"]
    return found
