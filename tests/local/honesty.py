"""Whether a report tells the truth about an account, for policies of one schedule that counts and is due.

The account is read from the inside, and what should be there is worked out without the function.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import targets
from account import AccountSeen, SnapshotSeen
from contract import INSTANCE_TAG, SCHEDULED_TAG
from events import has_run_now, schedules_of, start_of, time_text
from expectations import Snapshots, is_ours
from local_aws import ACCOUNT
from targets import Source


@dataclass(frozen=True)
class Truth:
    """What the account holds of one source."""

    source: Source
    answers: list[SnapshotSeen]
    """The complete snapshots for the time in question, the earliest first. There should be one."""
    open: list[str]
    """Those of them that are neither complete nor failed yet."""
    surplus: list[str]
    """What should be gone and is there."""
    lost: list[str]
    """What should be there and is gone."""

    @property
    def target(self) -> str:
        """What the function makes snapshots of: the instance of a set, or the volume."""
        return self.source.instance or self.source.volume


def truths(event: Any, before: Snapshots, seen: AccountSeen) -> list[Truth]:
    """The truth about each source of the policy: what was there before, and what there is now."""
    [schedule] = schedules_of(event)
    return [truth(event, schedule["RetainRule"]["Count"], source, before, seen.snapshots) for source in sources(event, seen)]


def sources(event: Any, seen: AccountSeen) -> list[Source]:
    """What the policy makes snapshots of."""
    return targets.of_policy(seen, event)


def truth(event: Any, count: int, source: Source, before: Snapshots, after: Snapshots) -> Truth:
    """The truth about one source."""
    old = sorted(of_source(event, source, before), key=lambda each: each.tag(SCHEDULED_TAG) or "", reverse=True)
    old = [each.id for each in old if each.status == "completed"]
    new = [each for each in of_source(event, source, after) if each.id not in before and is_for(event, each)]
    answers = sorted((each for each in new if each.status == "completed"), key=earliness)
    # A failed or unfinished successor costs no good one, and what a RunNow makes takes no place.
    room = count - 1 if answers and not has_run_now(event) else count
    return Truth(
        source=source,
        answers=answers,
        open=[each.id for each in new if each.status == "pending"],
        surplus=[id for id in old[room:] if id in after] + [each.id for each in answers[1:]],
        lost=[id for id in old[:room] if id not in after],
    )


def of_source(event: Any, source: Source, snapshots: Snapshots) -> list[SnapshotSeen]:
    """The policy's snapshots of one source."""
    same = (source.volume, source.instance)
    found = [each for each in snapshots.values() if is_ours(each, event, ACCOUNT)]
    return [each for each in found if (each.volume, each.tag(INSTANCE_TAG)) == same]


def is_for(event: Any, snapshot: SnapshotSeen) -> bool:
    """Whether a new snapshot is for the time that the event names; where it names none, every new one is."""
    start = start_of(event)
    return start is None or snapshot.tag(SCHEDULED_TAG) == time_text(start)


def earliness(snapshot: SnapshotSeen) -> tuple[datetime, str]:
    """What orders snapshots by their beginning."""
    return snapshot.start, snapshot.id


def dishonest(event: Any, before: Snapshots, seen: AccountSeen, report: Any, made: int) -> list[str]:
    """Where a report at the end of a run differs from the account, in sentences; empty when it is honest.

    SUCCEEDED says that each source has its one snapshot and that nothing is left over. PARTIAL names each target that has none,
    each snapshot that should be gone, and nothing else. Neither claims more than the calls did, of which `made` is how many
    snapshots they made. And whatever a report says, nothing is gone that should be there.
    """
    found = truths(event, before, seen)
    problems = [f"{id} of {each.target} is gone and should be there" for each in found for id in each.lost]
    problems += apart(found)
    problems += changed(event, before, seen.snapshots)
    missing = {each.target for each in found if not each.answers}
    surplus = {id for each in found for id in each.surplus}
    if report["Outcome"] == "SUCCEEDED":
        problems += [f"SUCCEEDED, and {target} has no snapshot" for target in sorted(missing)]
        problems += [f"SUCCEEDED, and {id} is there" for id in sorted(surplus)]
        problems += [f"SUCCEEDED, and {id} is not complete" for each in found for id in each.open]
        problems += [f"SUCCEEDED, and {len(report['Failures'])} failures"] if report["Failures"] or report["Failed"] else []
    elif report["Outcome"] == "PARTIAL":
        problems += misnamed(report, missing, surplus)
    else:
        problems.append(f"the outcome is {report['Outcome']}")
    gone = len(before) + made - len(seen.snapshots)
    have = len({each.target for each in found}) - len(missing)
    told = sum(number for what, number in report["Volumes"].items() if what.startswith("exists"))
    problems += [f"{told} targets are said to have a snapshot, and {have} have"] if told != have else []
    problems += [f"{report['Created']} made, it says, but {made} were"] if report["Created"] > made else []
    problems += [f"{report['Deleted']} deleted, it says, but {gone} are gone"] if report["Deleted"] > gone else []
    return problems


def misnamed(report: Any, missing: set[str], surplus: set[str]) -> list[str]:
    """Where the failures of a PARTIAL are not what is wrong."""
    kinds = ("Create", "Delete")
    named = {kind: {each["Resource"] for each in report["Failures"] if each["Action"].startswith(kind)} for kind in kinds}
    problems = [f"PARTIAL does not name {target}, which has no snapshot" for target in sorted(missing - named["Create"])]
    problems += [f"PARTIAL does not name {id}, which should be gone" for id in sorted(surplus - named["Delete"])]
    problems += [f"PARTIAL names {target}, which has its snapshot" for target in sorted(named["Create"] - missing)]
    problems += [f"PARTIAL names {id}, which is gone or should be there" for id in sorted(named["Delete"] - surplus)]
    problems += [] if missing or surplus else ["PARTIAL, and nothing is wrong"]
    listed, failed = len(report["Failures"]), report["Failed"]
    return problems + ([f"{failed} failed, and {listed} are listed"] if failed != listed else [])


def apart(found: list[Truth]) -> list[str]:
    """Instances whose snapshots are not of one set."""
    starts: dict[str, set[datetime | None]] = {}
    for each in found:
        if each.source.instance:
            starts.setdefault(each.source.instance, set()).add(each.answers[0].start if each.answers else None)
    return [f"the snapshots of {instance} are no set" for instance, times in starts.items() if len(times) > 1]


def changed(event: Any, before: Snapshots, after: Snapshots) -> list[str]:
    """What was not ours and is not as it was."""
    others = {id: was for id, was in before.items() if not is_ours(was, event, ACCOUNT)}
    return [f"{id} is not ours and was changed" for id, was in others.items() if after.get(id) != was]
