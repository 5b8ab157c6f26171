"""The command line against the deployed stack: policies that are put, and the template of policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ministack import REGION
from opendlm import Opendlm
from stack import Stack

SECONDS_MAX = 60
STACK = "opendlm-policies"


def command_line(stack: Stack, folder: Path) -> Opendlm:
    """The command line of somebody whose AWS is the stack's."""
    return Opendlm(folder, **stack.environment(), AWS_REGION=REGION, OPENDLM_SETTLING_SECONDS="0")


def type_opendlm(stack: Stack, folder: Path, *words: str) -> str:
    """Type a command that is to end well: what it writes."""
    return command_line(stack, folder).ok(*words).out


def listed(stack: Stack, folder: Path) -> list[dict[str, Any]]:
    """What `opendlm list` shows."""
    return json.loads(type_opendlm(stack, folder, "list", "--json"))["Policies"]


def file(folder: Path, document: Any) -> str:
    """A file with a document."""
    path = folder / "policy.json"
    path.write_text(json.dumps(document, indent=2))
    return str(path)


def schedules_of(stack: Stack, id: str) -> dict[str, dict[str, Any]]:
    """The schedules of the stack's group that start a policy, by name; without what tells one deployment from the next."""
    client, group = stack.cloud.client("scheduler"), stack.outputs()["ScheduleGroupName"]
    names = [each["Name"] for each in client.list_schedules(GroupName=group)["Schedules"]]
    found = {name: client.get_schedule(GroupName=group, Name=name) for name in names}
    for each in found.values():
        for key in ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata", "ActionAfterCompletion"):
            each.pop(key, None)
        each["Target"] = {**each["Target"], "Input": json.loads(each["Target"]["Input"])}
    return {name: each for name, each in found.items() if each["Target"]["Input"]["Policy"]["PolicyId"] == id}


def deploy_template(stack: Stack, template: str) -> None:
    """Deploy what `opendlm template` printed, as somebody does who deploys by Git."""
    outputs = stack.outputs()
    named = ("StateMachineArn", "SchedulerRoleArn", "DeadLetterQueueArn", "ScheduleGroupName")
    parameters = [{"ParameterKey": name, "ParameterValue": outputs[name]} for name in named]
    client = stack.cloud.client("cloudformation")
    client.create_stack(StackName=STACK, TemplateBody=template, Parameters=parameters)
    client.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": SECONDS_MAX})


def delete_template(stack: Stack) -> None:
    """Take it away again."""
    client = stack.cloud.client("cloudformation")
    client.delete_stack(StackName=STACK)
    client.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": SECONDS_MAX})
