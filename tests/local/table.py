"""The table at the end of `make run`: each volume, for an instance policy under its instance, with what it holds now."""

from __future__ import annotations

from typing import Any

import targets
from account import AccountSeen, InstanceSeen, SnapshotSeen, VolumeSeen
from console import columns, say
from contract import INSTANCE_TAG, SCHEDULED_TAG
from expectations import Snapshots
from sample_account import Seeded

WIDTHS = (24, 23, 10)


class Table:
    """The state of an account, before and after a run."""

    def __init__(self, seen: AccountSeen, before: Snapshots, seeded: Seeded, event: Any) -> None:
        self._seen = seen
        self._before = before
        self._seeded = seeded
        self._event = event

    def show(self) -> None:
        """Show everything that was seeded."""
        header = ("snapshot", "scheduled time", "state")
        columns([("", 4, "")] + [(text, width, "dim") for text, width in zip(header, WIDTHS)], "")
        shown: set[str] = set()
        for instance in [self._seen.instances[id] for id in self._seeded.instances if id in self._seen.instances]:
            self._show_instance(instance)
            shown.update(instance.volumes)
        loose = [id for id in [*self._seeded.targets, *self._seeded.untagged] if id in self._seen.volumes and id not in shown]
        if shown and loose:
            say("  no instance", "bold")
        for volume in loose:
            self._show_volume(self._seen.volumes[volume], None)

    def _show_instance(self, instance: InstanceSeen) -> None:
        """Show an instance with its volumes. What a shared volume holds is shown where the set belongs."""
        words = [f"{key}={value}" for key, value in instance.tags]
        words += [instance.state] if self._is_target(instance) else [instance.state, "not tagged for it"]
        say(f"  {instance.id}  {', '.join(words)}", "bold")
        for volume in instance.volumes:
            self._show_volume(self._seen.volumes[volume], instance)

    def _show_volume(self, volume: VolumeSeen, instance: InstanceSeen | None) -> None:
        columns([("", 2, ""), (volume.id, 23, "")], ", ".join(self._labels(volume, instance)), "dim")
        for snapshot, word, style in self._rows(volume.id, instance):
            when = self._seeded.foreign.get(snapshot.id) or snapshot.tag(SCHEDULED_TAG) or "-"
            state = "" if word == "deleted" else snapshot.status
            show_row((snapshot.id, when, state), word, style)
        say()

    def _is_target(self, instance: InstanceSeen) -> bool:
        return instance in targets.instances_of(self._seen, self._event)

    def _labels(self, volume: VolumeSeen, instance: InstanceSeen | None) -> list[str]:
        """What is to say about a volume, in words."""
        if instance is None:
            kind = ", ".join(f"{key}={value}" for key, value in volume.tags if key != "Name") or "not tagged for it"
            return [kind + (", attached" if volume.attached else "")]
        name = dict(volume.tags).get("Name", "")
        kind = "boot volume" if volume.id == instance.root else ""
        kind = f"Multi-Attach, {len(volume.instances)} instances" if len(volume.instances) > 1 else kind
        if self._is_target(instance):
            kind = targets.why_excluded(self._seen, self._event, instance, volume.id) or kind
        return [each for each in (name, kind) if each]

    def _rows(self, volume: str, instance: InstanceSeen | None) -> list[tuple[SnapshotSeen, str, str]]:
        """The snapshots of a volume, newest first, each with what happened to it."""
        everything = {**self._before, **self._seen.snapshots}
        mine = [each for each in everything.values() if each.volume == volume]
        if instance:
            mine = [each for each in mine if each.tag(INSTANCE_TAG) in (None, instance.id)]
        return [(each, *self._fate(each)) for each in sorted(mine, key=lambda each: each.start, reverse=True)]

    def _fate(self, snapshot: SnapshotSeen) -> tuple[str, str]:
        """What happened to a snapshot, and the style to say it in. Whether it was untouched is compared, not assumed."""
        if snapshot.id not in self._seen.snapshots:
            return "deleted", "red"
        if snapshot.id not in self._before:
            return "new", "green"
        if self._before[snapshot.id] != self._seen.snapshots[snapshot.id]:
            return "CHANGED", "bold red"
        return ("not ours, untouched", "dim") if snapshot.id in self._seeded.foreign else ("kept", "")


def show_row(cells: tuple[str, ...], word: str, style: str) -> None:
    """Show one line of the table."""
    styles = (style, "dim" if style == "dim" else "", "dim")
    columns([("", 4, ""), *zip(cells, WIDTHS, styles)], word, style)
