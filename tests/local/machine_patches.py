"""What moto's interpreter of state machines needs to drive a local function.

Its Lambda tasks call the function that was registered here, instead of moto's own Lambda, a task can start another execution, and
the seconds of its Wait states and Retries can be scaled. Definitions run as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import StateTaskServiceSfn
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for

from rie import FunctionGone, Invocation
from switches import Switches

Invoke = Callable[[bytes], Invocation]

_functions: dict[str, Invoke] = {}


def register(name: str, invoke: Invoke) -> None:
    """Let tasks that name this function, plainly or in an ARN, reach it."""
    _functions[name] = invoke


def apply(switches: Switches) -> None:
    """Patch moto's interpreter."""
    stock_wait = WaitFunction.__dict__.get("opendlm_stock_wait") or WaitFunction._wait_interval
    WaitFunction.opendlm_stock_wait = stock_wait

    def wait_interval(self: Any, env: Any, wait_seconds: int) -> None:
        # The stock loop counts in whole seconds and would wait again after a shorter sleep.
        if switches.WAIT_SCALE == 1 or wait_seconds <= 0:
            stock_wait(self, env, wait_seconds)
        else:
            env.program_state_event.wait(wait_seconds * switches.WAIT_SCALE)

    WaitFunction._wait_interval = wait_interval
    retrier_decl.time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * switches.WAIT_SCALE))
    lambda_eval_utils._invoke_lambda_function = invoke_lambda_function
    apply_to_integrations()


def apply_to_integrations() -> None:
    """Patch what moto hands over to other services as the definition has it, and not as boto3 wants it."""
    StateTaskServiceSfn._eval_service_task = start_execution
    stock_call = StateTaskServiceAwsSdk.__dict__.get("opendlm_stock_call") or StateTaskServiceAwsSdk._eval_service_task
    StateTaskServiceAwsSdk.opendlm_stock_call = stock_call

    def call_with_text(self: Any, env: Any, **named: Any) -> None:
        if self._get_sfn_resource_type() == "aws-sdk:sfn" and self._get_sfn_resource() == "getExecutionHistory":
            env.stack.append(last_events(self, **named))
            return
        stock_call(self, env, **named)
        # Of what an operation streams, Step Functions hands over the text.
        if isinstance(body := env.stack[-1].get("Body"), StreamingBody):
            env.stack[-1]["Body"] = body.read().decode()

    StateTaskServiceAwsSdk._eval_service_task = call_with_text


def last_events(
    self: Any, resource_runtime_part: Any, normalised_parameters: dict[str, Any], state_credentials: Any
) -> dict[str, Any]:
    """The call of `aws-sdk:sfn:getExecutionHistory`, whose names begin with a capital in a definition, in its parameters and in its
    output (Step Functions Developer Guide, "Learning to use AWS service SDK integrations"). moto's knows no order and no number."""
    client = boto_client_for(region=resource_runtime_part.region, service="stepfunctions", state_credentials=state_credentials)
    events = client.get_execution_history(executionArn=normalised_parameters["ExecutionArn"])["events"]
    events.sort(key=lambda event: event["id"], reverse=normalised_parameters.get("ReverseOrder", False))
    return {"Events": capitalised(events[: normalised_parameters.get("MaxResults", 100)])}


def capitalised(value: Any) -> Any:
    """Names with a capital, all the way down; times as texts."""
    if isinstance(value, list):
        return [capitalised(each) for each in value]
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: capitalised(each) for name, each in value.items()}
    return value.isoformat() if hasattr(value, "isoformat") else value


def start_execution(
    self: Any, env: Any, resource_runtime_part: Any, normalised_parameters: dict[str, Any], state_credentials: Any
) -> None:
    """The call of `states:startExecution`, whose parameters begin with a capital in a definition and with none in the API."""
    client = boto_client_for(region=resource_runtime_part.region, service="stepfunctions", state_credentials=state_credentials)
    wanted = {name[0].lower() + name[1:]: value for name, value in normalised_parameters.items()}
    started = client.start_execution(**wanted)
    env.stack.append({"ExecutionArn": started["executionArn"], "StartDate": started["startDate"].isoformat()})


def invoke_lambda_function(parameters: dict[str, Any], region: str, state_credentials: Any) -> dict[str, Any]:
    """What the Lambda API answers to Invoke, from the local function."""
    name = function_name(parameters["FunctionName"])
    if name not in _functions:
        raise lambda_error("ResourceNotFoundException", 404, f"Function not found: {parameters['FunctionName']}")
    try:
        invocation = _functions[name](parameters.get("Payload") or b"{}")
    except FunctionGone as gone:
        raise lambda_error("ServiceException", 500, str(gone)) from gone
    answer = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": invocation.payload}
    return {**answer, "FunctionError": "Unhandled"} if invocation.failed else answer


def function_name(reference: str) -> str:
    """The plain name out of a name or an ARN, with or without a version."""
    if not reference.startswith("arn:"):
        return reference.split(":")[0]
    return reference.split(":function:")[-1].split(":")[0]


def lambda_error(code: str, status: int, message: str) -> ClientError:
    """An error of the Lambda service itself."""
    metadata = {"HTTPStatusCode": status, "RequestId": "local"}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "Invoke")
