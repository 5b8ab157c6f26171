"""The metrics of a run: as the function writes them, and as the trail of its EC2 calls and the account say.

The second does not know the function: what was made, what is complete, and what was refused to the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from account import Account
from function_log import FunctionLog
from wire import Call


def written(log: FunctionLog) -> list[dict[str, Any]]:
    """The lines in the embedded metric format, in their order."""
    return [line.fields for line in log.since(0) if "_aws" in line.fields]


def values(line: dict[str, Any]) -> dict[str, int]:
    """What one line says, metric by metric."""
    [directive] = line["_aws"]["CloudWatchMetrics"]
    return {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]}


def of_trail(calls: Iterable[Call], account: Account, targets: Iterable[str]) -> dict[str, int]:
    """What the calls of one run come to, for a policy of volumes. `targets` are the volumes that carry a target tag."""
    calls, snapshots = list(calls), account.snapshots()
    made: dict[str, list[str]] = {}
    for call in calls:
        if call.Action == "CreateSnapshot":
            made.setdefault(call.Parameters["VolumeId"], []).extend([call.Result] if call.Result else [])
    complete = {id for ids in made.values() for id in ids if id in snapshots and snapshots[id].status == "completed"}
    deletions = [call for call in calls if call.Action == "DeleteSnapshot"]
    gone = {call.Parameters["SnapshotId"] for call in deletions if not call.Code}
    refused = {call.Parameters["SnapshotId"] for call in deletions if call.Code} - gone
    return {
        "ResourcesTargeted": len(set(targets)),
        "SnapshotsCreateStarted": sum(len(ids) for ids in made.values()),
        "SnapshotsCreateCompleted": len(complete),
        "SnapshotsCreateFailed": sum(complete.isdisjoint(ids) for ids in made.values()),
        "SnapshotsDeleteCompleted": len(gone),
        "SnapshotsDeleteFailed": len(refused),
    }
