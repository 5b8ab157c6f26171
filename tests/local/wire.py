"""Between the client and moto: the log of EC2 calls, the faults that the switches ask for, and the admin paths.

Faults are made here, on the wire, and not inside moto, so that a client sees exactly what EC2 would send.
"""

from __future__ import annotations

import collections
import io
import json
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import looks
import service_quotas
from ec2_describe import ROWS_HEADER
from ec2_errors import HTTP_STATUS, words, words_for, words_of_dark_region
from ec2_xml import XML, error_answer
from keep_alive import ConnectionBroken
from sts import Caller, Roles, caller_of
from switches import Switches
from touched import Touched

ADMIN = "/opendlm-local/"

# A day of a large account; beyond it the oldest calls are forgotten.
CALLS_MAX = 200_000

# (capacity, refill a second) for the actions with a row of their own in EC2's documentation, and for the two categories.
BUCKETS = {
    "CopyImage": (100, 1),
    "CreateSnapshot": (100, 5),
    "CreateSnapshots": (100, 5),
    "CreateTags": (100, 10),
    "CreateVolume": (100, 5),
    "DeleteSnapshot": (100, 5),
    "DeleteTags": (100, 10),
    "DeleteVolume": (100, 5),
    "DeregisterImage": (100, 5),
    "ModifyImageAttribute": (100, 5),
    "ModifySnapshotAttribute": (100, 5),
}
READING_BUCKET = (100, 20)
READING_EVERYTHING_BUCKET = (50, 10)
WRITING_BUCKET = (50, 5)

# The code by which the switches ask for no answer at all, and what the log has as the status of such a call.
CONNECTION_BROKEN, NO_ANSWER = "ConnectionBroken", 599

Answer = tuple[int, list[tuple[str, str]], bytes]


@dataclass
class Call:
    """One call of EC2 or Service Quotas, as CloudTrail would show it."""

    Number: int
    Time: float
    Action: str
    Parameters: dict[str, str]
    HttpStatus: int = 0
    Code: str | None = None
    Rows: int | None = None
    Result: str | None = None
    MorePages: bool = False
    Lost: bool = False
    Milliseconds: int = 0
    Touched: Touched = field(default_factory=dict)
    Account: str = ""
    Region: str = ""
    """Where the call went: the Region that its signature names."""


@dataclass
class Bucket:
    """A token bucket that begins full."""

    capacity: float
    refill: float
    tokens: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens, self.at = self.capacity, time.monotonic()

    def take(self) -> bool:
        """Take one token if there is one."""
        now = time.monotonic()
        self.tokens = min(self.capacity, self.tokens + (now - self.at) * self.refill)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Intervention:
    """What a test does in the middle of a call, in this process. This one does nothing."""

    def arrives(self, call: Call) -> str | None:
        """Before a call takes effect, in a thread of its own. What is returned is answered as an error: there is no effect."""
        return None

    def took_effect(self, call: Call) -> None:
        """After a call took effect and before its caller hears of it."""


class Wire:
    """The WSGI application around moto's."""

    def __init__(
        self, moto: Callable[..., Iterable[bytes]], switches: Switches, touched_by: Callable[[Call], Touched]
    ) -> None:
        """`touched_by` finds what a writing call is about."""
        self.switches = switches
        self.roles = Roles()
        self.lifecycle_policies: list[dict[str, Any]] = []
        self._touched_by = touched_by
        self.calls: collections.deque[Call] = collections.deque(maxlen=CALLS_MAX)
        self.interventions: list[Intervention] = []
        self._moto = moto
        self._buckets: dict[tuple[str, str, str], Bucket] = {}
        self._number = 0
        self._state_lock = threading.Lock()
        # moto's dictionaries are not made for callers that write while others read.
        self._ec2_lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        caller = caller_of(environ.get("HTTP_AUTHORIZATION", ""))
        refusal = self.switches.FAIL_LOOKS.get(caller.service) if caller else None
        if caller and (refusal or caller.service == "dlm"):
            answered = looks.refused(caller.service, refusal) if refusal else self.dlm(environ)
            return answer_with(answered, start_response)
        if not path.startswith(ADMIN) and (caller is None or caller.service not in ("ec2", "servicequotas", "sts")):
            return self._moto(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if path.startswith(ADMIN):
            status, headers, answer = self.admin(environ["REQUEST_METHOD"], path[len(ADMIN) :], body)
        elif caller.service == "servicequotas":
            status, headers, answer = self.quotas(environ.get("HTTP_X_AMZ_TARGET", ""), json.loads(body), caller)
        else:
            environ["wsgi.input"] = io.BytesIO(body)
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            if caller.service == "sts":
                with self._ec2_lock:
                    refusal = self.roles.refusal(form)
                    if refusal is None:
                        return self._moto(environ, start_response)
                status, headers, answer = refusal
            else:
                status, headers, answer = self.ec2(environ, form, caller)
        return answer_with((status, headers, answer), start_response)

    def dlm(self, environ: dict[str, Any]) -> Answer:
        """Answer the one call of Amazon DLM that there is."""
        if (environ["REQUEST_METHOD"], environ.get("PATH_INFO")) != ("GET", "/policies"):
            return json_answer(404, {"message": "the local DLM lists policies and does nothing else"})
        return looks.lifecycle_policies(self.lifecycle_policies, environ.get("QUERY_STRING", ""))

    def reset(self) -> None:
        """An empty log, full buckets, and nobody who intervenes."""
        self.interventions = []
        self.lifecycle_policies = []
        self.roles.reset()
        with self._state_lock:
            self.calls.clear()
            self._buckets.clear()

    def calls_since(self, number: int) -> list[Call]:
        """The calls with a higher number, in the order of their arrival. One that is not answered yet ends the list."""
        found = []
        for call in sorted((each for each in list(self.calls) if each.Number > number), key=lambda each: each.Number):
            if not call.HttpStatus:
                break
            found.append(call)
        return found

    def calls_in(self, region: str) -> list[Call]:
        """The calls so far that were signed for a Region."""
        return [call for call in self.calls_since(0) if call.Region == region]

    def admin(self, method: str, path: str, body: bytes) -> Answer:
        """GET or POST `switches`; GET or DELETE `calls`."""
        try:
            if path == "switches":
                if method == "POST":
                    self.switches.change(json.loads(body))
                return json_answer(200, self.switches.shown())
            if path == "calls":
                shown = [asdict(call) for call in self.calls_since(0)]
                if method == "DELETE":
                    self.calls.clear()
                return json_answer(200, shown)
        except (TypeError, ValueError) as mistake:
            return json_answer(400, {"Error": str(mistake)})
        return json_answer(404, {"Error": f"nothing at {path}, expected switches or calls"})

    def ec2(self, environ: dict[str, Any], form: dict[str, str], caller: Caller) -> Answer:
        """Answer one EC2 call and log it."""
        hidden = ("Action", "Version")
        parameters = {name: value for name, value in form.items() if name not in hidden}
        call = self.logged(form.get("Action", ""), parameters, caller)
        began = time.monotonic()
        # At the door, as EC2 does: whatever a call waits for behind it, the next token flows in meanwhile.
        has_token = not self.switches.BUCKETS or self.bucket_of(call).take()
        time.sleep(self.switches.LATENCY_MS / 1000)
        status, headers, body = self.answer(environ, call, has_token)
        call.Milliseconds = round(1000 * (time.monotonic() - began))
        # Set last: a call with a status is complete for whoever reads the log.
        call.HttpStatus = status
        return status, headers, body

    def quotas(self, target: str, request: dict[str, Any], caller: Caller) -> Answer:
        """Answer one call of Service Quotas and log it beside those of EC2: what it lists is what the buckets really are."""
        action = target.removeprefix(service_quotas.TARGET)
        call = self.logged(action, {name: str(value) for name, value in request.items()}, caller)
        time.sleep(self.switches.LATENCY_MS / 1000)
        dark = self.switches.DARK_REGIONS.get(caller.region)
        if dark:
            break_off(dark, call)
        call.Code = dark or self.switches.FAIL_ACTIONS.get(action) or (None if action == "ListServiceQuotas" else "UnknownOperationException")
        if call.Code:
            answer = service_quotas.error(call.Code, words(call.Code))
        else:
            answer = service_quotas.page(service_quotas.quotas(self.size_of, caller), request)
        call.HttpStatus = answer[0]
        return answer

    def logged(self, action: str, parameters: dict[str, str], caller: Caller) -> Call:
        """A new call in the log, without an answer yet."""
        with self._state_lock:
            self._number += 1
            call = Call(self._number, time.time(), action, parameters, Account=caller.account, Region=caller.region)
            self.calls.append(call)
        return call

    def answer(self, environ: dict[str, Any], call: Call, has_token: bool) -> Answer:
        """The answer to a call: a fault that the switches ask for, or moto's, which may get lost."""
        if not is_reading(call.Action):
            with self._ec2_lock:
                call.Touched = self._touched_by(call)
        if code := self.switches.DARK_REGIONS.get(call.Region):
            return dark_answer(code, call)
        code = self.fault(call) if has_token else "RequestLimitExceeded"
        if code:
            call.Code = code
            return fault_answer(code, call)
        if call.Parameters.get("DryRun") == "true":
            # Every action that can write has this parameter: EC2 looks at the permission and does nothing.
            call.Code = "DryRunOperation"
            return fault_answer(call.Code, call)
        call.Code = next((code for each in self.interventions if (code := each.arrives(call))), None)
        if call.Code:
            return fault_answer(call.Code, call)
        status, headers, body = self.from_moto(environ, call)
        text = body.decode("utf-8", "replace")
        call.Code = found(r"<Code>([^<]+)</Code>", text) if status >= 400 else None
        call.Rows = next((int(value) for name, value in headers if name.lower() == ROWS_HEADER), None)
        made = re.findall(r"<snapshotId>([^<]+)</snapshotId>", text) if call.Rows is None else []
        call.Result = ", ".join(made) or None
        call.MorePages = "<nextToken>" in text
        headers = [(name, value) for name, value in headers if name.lower() not in (ROWS_HEADER, "content-length")]
        for each in self.interventions if status < 400 else []:
            each.took_effect(call)
        if status < 400 and self.loses_answer(call):
            call.Lost, call.Code = True, "InternalError"
            return fault_answer("InternalError", call)
        return HTTP_STATUS.get(call.Code or "", status), headers, body

    def fault(self, call: Call) -> str | None:
        """The error code that the switches want for this call."""
        switches = self.switches
        if switches.happens(switches.THROTTLE):
            return "RequestLimitExceeded"
        if call.Action in switches.FAIL_ACTIONS:
            return switches.FAIL_ACTIONS[call.Action]
        if call.Action == "CreateSnapshot":
            return switches.FAIL_VOLUMES.get(call.Parameters.get("VolumeId", ""))
        if call.Action == "CreateSnapshots":
            # A volume of the set is looked at behind the wire, where the set is known.
            return switches.FAIL_INSTANCES.get(call.Parameters.get("InstanceSpecification.InstanceId", ""))
        if call.Action == "DeleteSnapshot":
            return switches.FAIL_DELETES.get(call.Parameters.get("SnapshotId", ""))
        if call.Action == "CopySnapshot":
            return switches.FAIL_COPIES.get(call.Region)
        return None

    def loses_answer(self, call: Call) -> bool:
        """Whether the caller never hears of what a call did."""
        if call.Action == "CopySnapshot" and self.switches.takes_lost_copy():
            return True
        return not is_reading(call.Action) and self.switches.happens(self.switches.LOST_ANSWERS)

    def bucket_of(self, call: Call) -> Bucket:
        """The bucket that a call draws from, of its account in its Region. A Describe of everything, unpaged, has a smaller one of its own."""
        name = call.Action
        size = self.size_of(name)
        if is_reading(name):
            narrowed = any(key.startswith("Filter.") or key in ("MaxResults", "NextToken") for key in call.Parameters)
            size = size if narrowed else READING_EVERYTHING_BUCKET
            name = name if narrowed else name + " of everything"
        with self._state_lock:
            return self._buckets.setdefault((call.Account, call.Region, name), Bucket(*size))

    def size_of(self, action: str) -> tuple[float, float]:
        """Capacity and refill a second of an action's bucket: as documented, or as the switches say."""
        if action in self.switches.BUCKET_SIZES:
            capacity, _, refill = self.switches.BUCKET_SIZES[action].partition("/")
            return float(capacity), float(refill)
        return READING_BUCKET if is_reading(action) else BUCKETS.get(action, WRITING_BUCKET)

    def from_moto(self, environ: dict[str, Any], call: Call) -> Answer:
        """moto's answer. An action that it lacks is answered as EC2 answers an action that does not exist."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _failure: Any = None) -> None:
            started[:] = [int(status.split()[0]), headers]

        try:
            with self._ec2_lock:
                body = b"".join(self._moto(environ, start_response))
        except NotImplementedError:
            return error(400, "InvalidAction", f"The action {call.Action} is not valid for this local endpoint.")
        return started[0], started[1], body


def answer_with(answer: Answer, start_response: Callable[..., Any]) -> list[bytes]:
    """Hand an answer over to the server."""
    status, headers, body = answer
    start_response(f"{status} {'OK' if status < 400 else 'Error'}", [*headers, ("Content-Length", str(len(body)))])
    return [body]


def is_reading(action: str) -> bool:
    """Whether an action changes nothing."""
    return action.startswith(("Describe", "Get", "List"))


def fault_answer(code: str, call: Call) -> Answer:
    """An error with the HTTP status and the message that EC2 gives it."""
    message = words_for(code, call.Action, call.Parameters, call.Account, call.Region)
    return error(HTTP_STATUS.get(code, 400), code, message)


def dark_answer(code: str, call: Call) -> Answer:
    """What comes of a call in a Region that the account cannot use."""
    call.Code = code
    break_off(code, call)
    message = words_of_dark_region(code, call.Action, call.Parameters, call.Account, call.Region)
    return error(HTTP_STATUS.get(code, 400), code, message)


def break_off(code: str, call: Call) -> None:
    """End the connection without an answer where the code says so."""
    if code == CONNECTION_BROKEN:
        call.Code, call.HttpStatus = code, NO_ANSWER
        raise ConnectionBroken(f"{call.Action} in {call.Region}: the switches want no answer")


def error(status: int, code: str, message: str) -> Answer:
    """An error answer."""
    return status, list(XML.items()), error_answer(code, message)


def json_answer(status: int, value: Any) -> Answer:
    """An answer of the admin paths."""
    return status, [("Content-Type", "application/json")], json.dumps(value).encode()


def found(pattern: str, text: str) -> str | None:
    """The first group of the first match."""
    match = re.search(pattern, text)
    return match[1] if match else None
