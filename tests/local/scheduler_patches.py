"""What moto's EventBridge Scheduler lacks, as far as `opendlm put` and its neighbours could rely on it.

Sources: the service model of botocore (names, lengths, the status of ConflictException), the API reference of UpdateSchedule
(what is left out gets its default), and the user guide, "Schedule types" (an expression has six fields, one of the two days is `?`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.scheduler.exceptions import ScheduleExists
from moto.scheduler.responses import EventBridgeSchedulerResponse

from switches import Switches

NAME = r"[0-9a-zA-Z-_.]{1,64}"
EXPRESSION_LENGTH_MAX = 256
DESCRIPTION_LENGTH_MAX = 512
RETRY = {"MaximumEventAgeInSeconds": (60, 86_400), "MaximumRetryAttempts": (0, 185)}
# StartExecution takes no more. Scheduler's own bound of an Input is in no document.
INPUT_LENGTH_MAX = 262_144
WRITES = {"create_schedule": "CreateSchedule", "update_schedule": "UpdateSchedule", "delete_schedule": "DeleteSchedule"}


def apply(switches: Switches) -> None:
    """Patch moto's Scheduler."""
    ScheduleExists.code = 409
    for method in ("create_schedule", "update_schedule", "delete_schedule"):
        stock = getattr(EventBridgeSchedulerResponse, f"opendlm_{method}", None) or getattr(EventBridgeSchedulerResponse, method)
        setattr(EventBridgeSchedulerResponse, f"opendlm_{method}", stock)
        setattr(EventBridgeSchedulerResponse, method, checked(method, stock, switches))
    stock_list = getattr(EventBridgeSchedulerResponse, "opendlm_list", None) or EventBridgeSchedulerResponse.list_schedules
    EventBridgeSchedulerResponse.opendlm_list = stock_list
    EventBridgeSchedulerResponse.list_schedules = listed(stock_list)


def checked(method: str, stock: Callable[[Any], str], switches: Switches) -> Callable[[Any], str]:
    """A writing call that refuses what Scheduler refuses, and what the switches say."""

    def call(self: Any) -> str:
        name = self.uri.split("?")[0].split("/")[-1]
        code = switches.FAIL_SCHEDULES.get(name)
        if code:
            raise refusal(code, f"{WRITES[method]} was told to fail", 500 if code.startswith("Internal") else 400)
        if method != "delete_schedule":
            check(name, json.loads(self.body))
        # moto answers a group that is missing with a KeyError.
        self.scheduler_backend.get_schedule_group(self._get_param("GroupName") or self._get_param("groupName"))
        return stock(self)

    return call


def listed(stock: Callable[[Any], str]) -> Callable[[Any], str]:
    """ListSchedules of a group that is missing is refused, and not empty."""

    def call(self: Any) -> str:
        for group in self.querystring.get("ScheduleGroup", []):
            self.scheduler_backend.get_schedule_group(group)
        return stock(self)

    return call


def check(name: str, body: dict[str, Any]) -> None:
    """Refuse what the service model, or the user guide, does not allow."""
    expression, target = body["ScheduleExpression"], body["Target"]
    if not re.fullmatch(NAME, name):
        raise refusal("ValidationException", f"Value '{name}' at 'name' failed to satisfy constraint: {NAME}")
    if len(expression) > EXPRESSION_LENGTH_MAX or not is_expression(expression):
        raise refusal("ValidationException", f"Invalid Schedule Expression {expression}.")
    if len(body.get("Description", "")) > DESCRIPTION_LENGTH_MAX or not 0 < len(target.get("Input", "x")) <= INPUT_LENGTH_MAX:
        raise refusal("ValidationException", "Value failed to satisfy constraint: length")
    for key, (least, most) in RETRY.items():
        if not least <= target.get("RetryPolicy", {}).get(key, least) <= most:
            raise refusal("ValidationException", f"Value at 'target.retryPolicy.{key}' failed to satisfy constraint")


def is_expression(text: str) -> bool:
    """Whether a text has the form of an expression."""
    if re.fullmatch(r"rate\(\d+ (minute|hour|day)s?\)|at\([-0-9T:]+\)", text):
        return True
    fields = re.fullmatch(r"cron\(([^()]+)\)", text)
    parts = fields[1].split() if fields else []
    return len(parts) == 6 and [parts[2], parts[4]].count("?") == 1 and parts.count("?") == 1


def refusal(code: str, message: str, status: int = 400) -> JsonRESTError:
    """An error as restJson1 has it."""
    error = JsonRESTError(code, message)
    error.code = status
    return error
