"""Tell an execution while it goes: turns, EC2 calls in order, decisions with their reasons, waits.

Three sources are merged by time: the log of EC2 calls, the log of the function, and the history of the execution.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chain import Chain, Execution
from console import columns, say
from function_log import Line
from wire import Call

POLL_SECONDS = 0.15
# How long a line is held back for an older one from another source to come first.
HOLD_SECONDS = 0.5

# The widths of the columns. What was done to what begins under what was done, with the time before it.
TIME, WHAT, SUBJECT = 10, 18, 23
NOUNS = {"DescribeInstances": "instance", "DescribeSnapshots": "snapshot", "DescribeVolumes": "volume"}
DECISION_STYLES = {"create": "green", "delete": "red", "failed": "red", "wait": "yellow"}


@dataclass(order=True)
class Item:
    """Something to tell, with its time."""

    time: float
    number: int
    tell: Callable[[], None] = field(compare=False)


class Story:
    """Tells one execution after another."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._last_call = 0
        self._last_line = 0
        self._items: list[Item] = []
        self._numbered = 0
        self._begin()

    def tell(self, execution: Execution) -> str:
        """Tell an execution to its end, and return its status."""
        self._begin()
        while True:
            status = execution.status()
            finished = status != "RUNNING"
            self._collect(execution)
            self._tell_until(float("inf") if finished else time.time() - HOLD_SECONDS)
            if finished:
                return status
            time.sleep(POLL_SECONDS)

    def _begin(self) -> None:
        self._began = time.time()
        self._turn = 0
        self._events_told = 0
        self._told: set[tuple[Any, ...]] = set()
        self._awaited: set[str] = set()
        self._unchanged = 0
        self._last_creation: tuple[str, str] | None = None
        self._last_reading: dict[str, str] = {}

    def _collect(self, execution: Execution) -> None:
        for event in execution.history()[self._events_told :]:
            self._events_told += 1
            self._add(event["timestamp"].timestamp(), lambda event=event: self._tell_event(event))
        for call in self._chain.aws.wire.calls_since(self._last_call):
            self._last_call = call.Number
            self._add(call.Time, lambda call=call: self._tell_call(call))
        for line in self._chain.function.log.since(self._last_line):
            self._last_line = line.number
            self._add(line.time, lambda line=line: self._tell_line(line))

    def _add(self, at: float, tell: Callable[[], None]) -> None:
        self._numbered += 1
        self._items.append(Item(at, self._numbered, tell))

    def _tell_until(self, end: float) -> None:
        self._items.sort()
        while self._items and self._items[0].time <= end:
            self._items.pop(0).tell()

    def _tell_event(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "TaskStateEntered":
            self._turn += 1
            self._awaited.clear()
            say()
            say(f"  turn {self._turn}", "bold")
        elif kind == "WaitStateEntered":
            seconds = json.loads(event["stateEnteredEventDetails"]["input"]).get("WaitSeconds")
            say(f"  wait {seconds} s", "yellow")
        elif kind in ("TaskFailed", "LambdaFunctionFailed"):
            details = event.get("taskFailedEventDetails") or event.get("lambdaFunctionFailedEventDetails") or {}
            self._row(event["timestamp"].timestamp(), str(details.get("error")), "", cause_text(details.get("cause", "")), "red")

    def _tell_call(self, call: Call) -> None:
        if call.Code == "DryRunOperation":
            self._row(call.Time, call.Action, "dry run", "the function opens its connections before the first event", "cyan")
            return
        subject, detail = self._call_text(call)
        style = "red" if call.Code else "cyan"
        if call.Code:
            lost = ", although it took effect" if call.Lost else ""
            detail = f"{call.Code} (HTTP {call.HttpStatus}){lost}; {detail}".rstrip("; ")
        self._row(call.Time, call.Action, subject, detail, style)

    def _call_text(self, call: Call) -> tuple[str, str]:
        """What a call was about, and with which parameters."""
        if call.Rows is not None:
            noun = NOUNS.get(call.Action, "row")
            count = f"{call.Rows} {noun}{'' if call.Rows == 1 else 's'}{', more' if call.MorePages else ''}"
            return count, self._reading_text(call)
        if call.Action == "CreateSnapshot":
            return call.Parameters.get("VolumeId", ""), f"{call.Result or ''} {self._creation_text(call.Parameters)}".strip()
        if call.Action == "CreateSnapshots":
            return call.Parameters.get("InstanceSpecification.InstanceId", ""), self._set_text(call)
        if call.Action == "DeleteSnapshot":
            return call.Parameters.get("SnapshotId", ""), ""
        return "", describe_text(call.Parameters)

    def _reading_text(self, call: Call) -> str:
        """The parameters of a Describe call, or that they are those of the same action before."""
        text = describe_text(call.Parameters)
        if self._last_reading.get(call.Action) == text:
            return "(same filters)"
        self._last_reading[call.Action] = text
        return text

    def _set_text(self, call: Call) -> str:
        """What a set consists of, and what it was told to leave out."""
        left_out = ["the boot volume"] if call.Parameters.get("InstanceSpecification.ExcludeBootVolume") == "true" else []
        left_out += numbered(call.Parameters, "InstanceSpecification.ExcludeDataVolumeId")
        parts = [call.Result or "", "without " + ", ".join(left_out) if left_out else ""]
        parts.append("tags of each volume" if "CopyTagsFromSource" in call.Parameters else "")
        return " · ".join(part for part in [*parts, self._creation_text(call.Parameters)] if part)

    def _creation_text(self, parameters: dict[str, str]) -> str:
        """Description and tags, or that they are those of the creation before."""
        tags = " · ".join(f"{key}={value}" for key, value in creation_tags(parameters).items())
        described = parameters.get("Description", ""), tags
        if described == self._last_creation:
            return "(same description and tags)"
        self._last_creation = described
        return f"“{described[0]}” {described[1]}"

    def _tell_line(self, line: Line) -> None:
        if line.message == "decision":
            self._tell_decision(line)
        elif line.message == "action":
            self._tell_action(line)
        elif line.message == "turn":
            self._tell_turn(line)
        elif line.level == "WARN":
            # An ERROR ends the invocation, and the history says it better.
            self._row(line.time, "warning", "", line.message, "yellow")

    def _tell_decision(self, line: Line) -> None:
        fields = line.fields
        decision, reason = str(fields.get("decision", "")), str(fields.get("reason", ""))
        snapshot, volume, instance = (fields.get(name) for name in ("snapshot", "volume", "instance"))
        if decision == "wait" and snapshot:
            # A decision each about the volume and about its snapshot: one of them is news.
            if snapshot in self._awaited:
                return
            self._awaited.add(str(snapshot))
        key = (decision, fields.get("schedule"), instance, volume, snapshot, fields.get("scheduled_time"), reason)
        if key in self._told:
            self._unchanged += 1
            return
        self._told.add(key)
        where = fields.get("scheduled_time") or fields.get("schedule") or ""
        text = f"{where}: {reason}" if where and str(where) not in reason else reason
        subject = str(snapshot or volume or instance or "")
        columns([("", TIME, ""), (decision, WHAT, DECISION_STYLES.get(decision, "")), (subject, SUBJECT, "")], text)

    def _tell_action(self, line: Line) -> None:
        fields = line.fields
        if fields.get("outcome") == "done":
            # The call itself has been told.
            return
        subject = str(fields.get("snapshot") or fields.get("volume") or fields.get("instance") or "")
        code = fields.get("code") or fields.get("error") or ""
        self._row(line.time, str(fields.get("outcome")), subject, f"{fields.get('action')}: {code}", "red")

    def _tell_turn(self, line: Line) -> None:
        fields = line.fields
        if self._unchanged:
            columns([("", TIME, "")], f"{self._unchanged} decisions as before", "dim")
            self._unchanged = 0
        counts = [f"{fields[name]} {name}" for name in ("created", "deleted", "pending", "failed") if fields.get(name)]
        outcome = f", {fields['outcome']}" if fields.get("outcome") else ""
        summary = f"{fields.get('status')}{outcome}" + "".join(f", {count}" for count in counts)
        columns([("", TIME, "")], summary, "bold")

    def _row(self, at: float, what: str, subject: str, detail: str, style: str) -> None:
        offset = f"{at - self._began:8.2f}"
        columns([(offset, TIME, "dim"), (what, WHAT, style), (subject, SUBJECT, "")], detail, "dim")


def describe_text(parameters: dict[str, str]) -> str:
    """The parameters of a call that reads, in the words of the API."""
    parts = []
    if owners := numbered(parameters, "Owner"):
        parts.append("owner " + ", ".join(owners))
    for number in range(1, 51):
        if name := parameters.get(f"Filter.{number}.Name"):
            parts.append(f"{name}=" + "|".join(numbered(parameters, f"Filter.{number}.Value")))
    parts += [", ".join(ids) for name in ("VolumeId", "SnapshotId", "InstanceId") if (ids := numbered(parameters, name))]
    if "NextToken" in parameters:
        parts.append("next page")
    if "MaxResults" in parameters:
        parts.append(f"pages of {parameters['MaxResults']}")
    return " · ".join(parts)


def numbered(parameters: dict[str, str], name: str) -> list[str]:
    """The values of a list parameter."""
    values, number = [], 1
    while (value := parameters.get(f"{name}.{number}")) is not None:
        values.append(value)
        number += 1
    return values


def creation_tags(parameters: dict[str, str]) -> dict[str, str]:
    """The tags of a creation."""
    tags, number = {}, 1
    while (key := parameters.get(f"TagSpecification.1.Tag.{number}.Key")) is not None:
        tags[key] = parameters.get(f"TagSpecification.1.Tag.{number}.Value", "")
        number += 1
    return tags


def cause_text(cause: str) -> str:
    """The message inside the JSON that Lambda makes of an error."""
    try:
        error = json.loads(cause)
        return str(error.get("errorMessage", cause)) if isinstance(error, dict) else cause
    except ValueError:
        return cause
