"""The whole chain: the local AWS, the function in its emulator, and the state machine that calls it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine_patches
import switches
from account import Account
from local_aws import ACCOUNT, REGION, LocalAws
from post import TOPIC, Post
from rie import FUNCTION_NAME, ROOT, Function, NotPrepared

STATE_MACHINE = ROOT / "statemachine" / "opendlm.asl.json"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION_NAME}"
TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:{TOPIC}"
PARAMETERS = {"Partition": "aws", "AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
PARAMETERS |= {"RunEvents": "ENABLED", "TopicArn": TOPIC_ARN}
# The tasks that tell how a run ended.
TELLING = ("Event", "Mail", "Words")
POLL_SECONDS = 0.1


@dataclass
class Chain:
    """A running chain."""

    aws: LocalAws
    function: Function
    account: Account
    machine_arn: str
    post: Post

    def start(self, event: Any) -> Execution:
        """Start an execution."""
        client = self.aws.client("stepfunctions")
        # Without a name moto leaves $$.Execution.Name empty, which AWS never does.
        started = client.start_execution(
            stateMachineArn=self.machine_arn, name=str(uuid.uuid4()), input=json.dumps(event, ensure_ascii=False)
        )
        return Execution(client, started["executionArn"])

    def run(self, event: Any, seconds_max: float = 120) -> Execution:
        """Start an execution and wait for its end."""
        return self.finish(self.start(event), seconds_max)

    def finish(self, execution: Execution, seconds_max: float = 120) -> Execution:
        """Wait for the end of an execution."""
        end = time.monotonic() + seconds_max
        while execution.status() == "RUNNING":
            if time.monotonic() > end:
                raise TimeoutError(f"the execution still runs after {seconds_max} s\n{self.function.log.tail()}")
            time.sleep(POLL_SECONDS)
        return execution


class Execution:
    """An execution of the state machine."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self.arn = arn

    def status(self) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return self._description()["status"]

    def failure(self) -> tuple[str, str]:
        """The error name and the cause of an execution that failed."""
        description = self._description()
        return description.get("error", ""), description.get("cause", "")

    def output(self) -> Any:
        """The output of an execution that succeeded."""
        return json.loads(self._description().get("output") or "null")

    def report(self) -> Any:
        """The report of the last turn that was answered, whether or not the execution succeeded."""
        return self.answers()[-1]["Report"]

    def answers(self) -> list[Any]:
        """Every answer of the function so far, in order."""
        exits = [event["stateExitedEventDetails"] for event in self.history() if event["type"] == "TaskStateExited"]
        return [json.loads(exit["output"]) for exit in exits if exit["name"] not in TELLING]

    def answers_of_the_function(self) -> list[Any]:
        """Its answers without what other tasks gave: the last state's output still says what the function answered before."""
        return [each for each in self.answers() if "Read" not in each]

    def failed_turns(self) -> list[str]:
        """The error of each turn that gave no answer."""
        return [event["taskFailedEventDetails"]["error"] for event in self.history() if event["type"] == "TaskFailed"]

    def stop(self) -> None:
        """Stop it, whatever it is doing."""
        self._client.stop_execution(executionArn=self.arn)

    def history(self) -> list[dict[str, Any]]:
        """All events so far, in order."""
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=self.arn)
        return sorted((event for page in pages for event in page["events"]), key=lambda event: event["id"])

    def _description(self) -> dict[str, Any]:
        return self._client.describe_execution(executionArn=self.arn)


@contextlib.contextmanager
def chain(
    bootstrap: Path,
    wanted: Mapping[str, Any] | None = None,
    machine: Path = STATE_MACHINE,
    variables: Mapping[str, str] | None = None,
    timeout_seconds: int = 60,
    port: int = 0,
) -> Iterator[Chain]:
    """Start everything and end everything. `wanted` are switches over those of the environment, `variables` more of the
    function's environment; a `port` of 0 is any free one."""
    chosen = switches.from_environment()
    chosen.change(wanted or {})
    with contextlib.ExitStack() as stack:
        aws = stack.enter_context(LocalAws(chosen, port))
        function = stack.enter_context(Function(bootstrap, {**aws.environment(), **(variables or {})}, timeout_seconds))
        machine_patches.register(FUNCTION_NAME, function.invoke)
        yield Chain(aws, function, Account(aws), create_machine(aws, machine), Post(aws.client))


def create_machine(aws: LocalAws, path: Path) -> str:
    """Create the state machine of a definition file, with its placeholders filled as SAM does."""
    try:
        definition = re.sub(r"\$\{([^}]+)\}", lambda match: substitution(match[1]), path.read_text())
    except OSError as failure:
        raise NotPrepared(f"{path}: {failure.strerror}") from failure
    created = aws.client("stepfunctions").create_state_machine(
        name="opendlm", definition=definition, roleArn=f"arn:aws:iam::{ACCOUNT}:role/opendlm"
    )
    return created["stateMachineArn"]


def substitution(placeholder: str) -> str:
    """What a DefinitionSubstitution stands for here: the partition, the function's name or its ARN."""
    if placeholder in PARAMETERS:
        return PARAMETERS[placeholder]
    return FUNCTION_NAME if placeholder.endswith("Name") else FUNCTION_ARN


def bootstrap_path() -> Path:
    """The function to run: OPENDLM_BOOTSTRAP, or what `make bootstrap` builds."""
    named = os.environ.get("OPENDLM_BOOTSTRAP")
    return Path(named) if named else Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "bootstrap"
