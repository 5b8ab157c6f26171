"""Somebody who types the commands of a page: the documents that pages speak of in a folder, an account that fits them, and what to
put where a page leaves a place."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import contract
import events
import policy_group
from case import FAST
from chain import Chain
from documented import Command
from opendlm import Opendlm

# The policy of the pages, and the one of the second file; the third has no id yet.
POLICY, DAILY = "policy-0123456789abcdef0", "policy-0fedcba9876543210"
SCHEDULE = "Daily"
KEPT = 7
OLD_SNAPSHOTS = 3
# Long before the next scheduled time and long after the last one, whatever the time of day.
HOURS_SINCE = 3
# What a page leaves to whoever types: a word in capitals, or one with dots in its place.
PLACE = re.compile(r"[A-Z]{2,}(\.\.\.)?|.*\.\.\.")


class Reader:
    """Who types, with an account and a folder of their own."""

    def __init__(self, local: Chain, folder: Path, *, has_deployed: bool) -> None:
        """`has_deployed`: the policy is deployed already, and has made a run."""
        self._local = local
        self._opendlm = Opendlm(folder, local.aws)
        policy_group.make(local.aws, machine=local.machine_arn)
        policy = self._policy(POLICY, "one")
        self._volume = self._seed(policy, attached=True)
        files = {
            "policy.json": policy,
            "event.json": {"Policy": policy},
            "daily.json": self._policy(DAILY, "two"),
            "databases.json": self._policy(None, "three"),
        }
        for name, document in files.items():
            self._opendlm.file(name, document)
        self._seed(files["daily.json"], attached=False)
        if has_deployed:
            self._opendlm.ok("put", "policy.json", "--yes")
            self._opendlm.ok("start", POLICY, "--wait")

    def type(self, command: Command) -> None:
        """Type a command, say yes to what it asks, and see that it ends well and says something."""
        self._prepare(command.words)
        words = [word for each in command.words[1:] for word in self._filled(each)]
        said = self._opendlm.type(*words, answer="y\n")
        told = f"{command.page}: {command}\n{said.out}{said.err}"
        assert said.code == 0, told
        assert said.out, told

    def _prepare(self, words: tuple[str, ...]) -> None:
        """What has happened before somebody types this."""
        if "--accept" in words:
            self._opendlm.file("daily.json", self._policy(DAILY, "two", count=1))
        if words[1] == "stop":
            self._local.aws.switches.change({"SNAP_SECONDS": 600, "WAIT_SCALE": 1})
            self._opendlm.ok("start", POLICY)
        else:
            self._local.aws.switches.change(FAST)

    def _filled(self, word: str) -> list[str]:
        """A word of a page, with something in its place where the page leaves one."""
        places: dict[str, Callable[[], str]] = {
            "FILE": lambda: "policy.json",
            "FILE...": lambda: "daily.json databases.json",
            "NAME": lambda: policy_group.GROUP,
            "POLICY": lambda: POLICY,
            "RUN": lambda: self._opendlm.told("runs")[0]["Run"],
            "SCHEDULE": lambda: SCHEDULE,
            "SNAPSHOT": lambda: min(self._snapshots()),
            "VOLUME": lambda: self._volume,
            "i-...": lambda: self._instance(),
            "vol-...": lambda: self._volume,
            "vol-0123456789abcdef0": lambda: self._volume,
        }
        if word in places:
            return places[word]().split()
        assert not PLACE.fullmatch(word), f"{word} is a place, and nobody knows what comes there"
        return [word]

    def _policy(self, id: str | None, tag: str, count: int = KEPT) -> dict[str, Any]:
        """A daily policy, whose last scheduled time was some hours ago."""
        at = events.now_to_the_second() - timedelta(hours=HOURS_SINCE)
        rule = {"Interval": 24, "IntervalUnit": "HOURS", "Times": [at.strftime("%H:%M")]}
        schedule = {"Name": SCHEDULE, "CreateRule": rule, "RetainRule": {"Count": count}}
        details = {"ResourceTypes": ["VOLUME"], "TargetTags": [{"Key": "backup", "Value": tag}], "Schedules": [schedule]}
        named = {"PolicyId": id} if id else {}
        return {**named, "Description": f"Backups of {tag}", "State": "ENABLED", "PolicyDetails": details}

    def _seed(self, policy: dict[str, Any], *, attached: bool) -> str:
        """A volume that the policy targets, with a snapshot of each of the last days."""
        [tag] = policy["PolicyDetails"]["TargetTags"]
        [schedule] = policy["PolicyDetails"]["Schedules"]
        volume = self._local.account.add_volume({tag["Key"]: tag["Value"]}, attached=attached)
        latest = (events.now_to_the_second() - timedelta(hours=HOURS_SINCE)).replace(second=0)
        for days in reversed(range(OLD_SNAPSHOTS)):
            at = latest - timedelta(days=days)
            description, tags = contract.our_description(policy, schedule), contract.our_tags(policy, schedule, at)
            self._local.account.add_snapshot(volume, at + timedelta(seconds=2), description, tags)
        return volume

    def _snapshots(self) -> list[str]:
        """The snapshots of the policy's volume."""
        return [id for id, each in self._local.account.snapshots().items() if each.volume == self._volume]

    def _instance(self) -> str:
        """The instance that has the policy's volume."""
        [id] = [id for id, each in self._local.account.instances().items() if self._volume in each.volumes]
        return id
