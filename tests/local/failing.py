"""Runs that fail, each for a reason that people meet: what has to be wrong with the account, the event or EC2.

Each function makes the account, breaks something, runs the state machine and returns the execution that failed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import events
import sample_account
from case import Case, case_of, case_with, event_now, with_options, by_button
from chain import Chain, Execution
from rie import ROOT

# What EC2 says of a copy whose key it may not use (shared/wire/describe-snapshots/30).
KEY = "Given key ID is not accessible"


def short_case(local: Chain) -> Case:
    """The sample policy, due now, whose start window is over in seconds."""
    return case_of(local, by_button(event_now("sample")))


def refused_volume(local: Chain) -> Execution:
    """EC2 refuses the snapshot of one volume of three."""
    case = short_case(local)
    local.aws.switches.change({"FAIL_VOLUMES": {case.seeded.targets[0]: "IncorrectState"}})
    return case.run()


def inaccessible_key(local: Chain) -> Execution:
    """The snapshots of two volumes go to error, because of their key."""
    case = short_case(local)
    local.aws.switches.change({"ERROR_MESSAGES": dict.fromkeys(case.seeded.targets[:2], KEY)})
    return case.run()


def no_right_to_look(local: Chain) -> Execution:
    """The role may not list volumes."""
    local.aws.switches.change({"FAIL_ACTIONS": {"DescribeVolumes": "UnauthorizedOperation"}})
    return case_of(local, event_now("sample")).run()


def mistyped_policy(local: Chain) -> Execution:
    """The policy in the schedule has mistakes."""
    return local.run(events.load(ROOT / "events" / "invalid.json"))


def locked_snapshot(local: Chain) -> Execution:
    """All backups are made; one old snapshot is locked."""
    case = case_of(local, event_now("sample"))
    locked = case.seeded.ours[case.seeded.targets[0]][0]
    local.aws.switches.change({"FAIL_DELETES": {locked: "OperationNotPermitted"}})
    return case.run()


def deletion_that_fails_inside(local: Chain) -> Execution:
    """All backups are made; EC2 fails inside when one snapshot is to be deleted."""
    case = case_of(local, event_now("sample"))
    stuck = case.seeded.ours[case.seeded.targets[0]][0]
    local.aws.switches.change({"FAIL_DELETES": {stuck: "InternalError"}})
    return case.run()


def too_many_deletions(local: Chain) -> Execution:
    """All backups are made; more would be deleted than somebody has allowed."""
    return case_of(local, with_options(event_now("sample"), MaximumDeletions=0)).run()


def nothing_targeted(local: Chain) -> Execution:
    """Somebody has taken the target tag off all volumes."""
    case = case_of(local, event_now("sample"))
    for volume in case.seeded.targets:
        for key, _ in events.target_tags_of(case.event):
            del local.aws.ec2.tags[volume][key]
    return case.run()


def missed_time(local: Chain) -> Execution:
    """The policy is due this minute, and nothing ran yesterday."""
    event, start = due_now()
    seeded = sample_account.seed(local.account, event, start)
    for history in seeded.ours.values():
        del local.aws.ec2.snapshots[history[-1]]
    return case_with(local, with_options(event, RunNow=True), seeded) and local.run(event)


def start_at_no_time(local: Chain) -> Execution:
    """The first start of a policy comes five hours away from its time."""
    event, start = due_now()
    [schedule] = events.schedules_of(event)
    schedule["CreateRule"]["Times"] = [(start - timedelta(hours=5)).strftime("%H:%M")]
    for _ in range(2):
        local.account.add_volume(dict(events.target_tags_of(event)[:1]))
    return local.run(event)


def closed_account(local: Chain) -> Execution:
    """Of two targets one has a role that does not open."""
    case = case_of(local, event_now("sample"))
    closed = {"RoleArn": "arn:aws:iam::777788889999:role/opendlm-target", "Regions": ["eu-west-1"]}
    own = {"Regions": [local.aws.client("ec2").meta.region_name]}
    return local.run(with_options(case.event, Targets=[own, closed]))


def full_account(local: Chain) -> Execution:
    """The account has as many snapshots as it may have."""
    case = short_case(local)
    local.aws.switches.change({"FAIL_ACTIONS": {"CreateSnapshot": "SnapshotLimitExceeded"}})
    return case.run()


def busy_ec2(local: Chain) -> Execution:
    """EC2 has too many calls for as long as the machine tries."""
    local.aws.switches.change({"FAIL_ACTIONS": {"DescribeSnapshots": "RequestLimitExceeded"}, "WAIT_SCALE": 0.001})
    return case_of(local, event_now("sample")).run()


def due_now() -> tuple[Any, Any]:
    """The sample event of a schedule that is due this minute, and the minute."""
    event = copy.deepcopy(event_now("sample"))
    start = events.now_to_the_second().replace(second=0)
    [schedule] = events.schedules_of(event)
    schedule["CreateRule"]["Times"] = [start.strftime("%H:%M")]
    body = events.body_of(event)
    body["ScheduledTime"] = events.time_text(start)
    body.pop("Options")
    return event, start


MISSING, PERHAPS = "BACKUPS MISSING", "BACKUPS MAY BE MISSING"
# Each with the middle of its subject, and with what its mail must say.
RUNS: list[tuple[Callable[[Chain], Execution], str, tuple[str, ...]]] = [
    (refused_volume, "1 BACKUP MISSING", ("CreateSnapshot, IncorrectState", "EC2 says", "vol-")),
    (inaccessible_key, "2 BACKUPS MISSING", (KEY, "snap-", "disabled, or its policy")),
    (no_right_to_look, f"{PERHAPS} (AccessDenied)", ("DescribeVolumes", "UnauthorizedOperation", "Give the role")),
    (mistyped_policy, f"{PERHAPS} (PolicyInvalid)", ("PolicyDetails.", "No backup is made until it is corrected")),
    (locked_snapshot, "only clean-up failed (1)", ("No due backup is missing", "OperationNotPermitted", "unlock")),
    (deletion_that_fails_inside, "nothing to do, it is tried again", ("No due backup is missing", "InternalError")),
    (too_many_deletions, "no hurry, deletions wait for your consent", ("No due backup is missing", "MaximumDeletions to 3")),
    (nothing_targeted, MISSING, ("NoTargets", "Compare TargetTags")),
    (missed_time, "nothing to do now, one time was missed", ("none can be made for it any more", "Missed")),
    (start_at_no_time, MISSING, ("NothingDue", "meets no scheduled time")),
    (closed_account, MISSING, ("777788889999", "trust policy", "1 of 2 targets")),
    (full_account, "3 BACKUPS MISSING", ("SnapshotLimitExceeded", "Service Quotas")),
    (busy_ec2, f"{PERHAPS} (Throttled)", ("RequestLimitExceeded", "ApiShare")),
]
