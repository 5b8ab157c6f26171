"""The mail about a run that Step Functions itself ended: the rule, the machine behind it, carried out by moto's interpreter.

The event's form: AWS Step Functions Developer Guide, "Automating Step Functions event delivery with EventBridge" (a status change has
neither error nor cause). That a run enters a Fail state just before its last event: Step Functions API reference, HistoryEvent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

import machine_patches
from post import Mail, Post
from template import EVERYWHERE, Place, machine_text, resources, template
from test_machine import EVENT, ScriptedFunction, done

HERE = Place(region="us-east-1")
ROLE = "arn:aws:iam::123456789012:role/opendlm"
SECONDS_MAX = 30
SNS_SUBJECT_MAX = 99
# A machine that nothing catches: no choice fits, so Step Functions ends the run.
LOST = {"StartAt": "Choice", "States": {"Choice": {"Type": "Choice", "Choices": [{"Variable": "$.No", "IsPresent": True, "Next": "End"}]}}}
LOST["States"]["End"] = {"Type": "Succeed"}


def untold(place: Place = HERE) -> str:
    """The definition as it is deployed."""
    return place.resolve(template()["Resources"]["UntoldStateMachine"]["Properties"]["DefinitionString"])


def rule() -> dict[str, Any]:
    """The rule."""
    [properties] = resources("AWS::Events::Rule").values()
    return properties


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of Step Functions."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=lambda _: time.sleep(0.01)))
    machine_patches.apply_to_integrations()
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield boto3.client("stepfunctions")


def ended(states: Any, name: str, definition: str, event: Any) -> dict[str, Any]:
    """Carry a definition out to its end."""
    machine = states.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine, name="first", input=json.dumps(event))["executionArn"]
    deadline = time.monotonic() + SECONDS_MAX
    while (found := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the execution does not end"
        time.sleep(0.02)
    return found


def status_change(run: dict[str, Any]) -> dict[str, Any]:
    """The event of a run that ended, with what the documented one has."""
    detail = {key: run[key] for key in ("executionArn", "stateMachineArn", "name", "status")}
    detail |= {"input": run["input"], "output": None, "startDate": 1551225146847, "stopDate": 1551225151881}
    return {
        "version": "0", "source": "aws.states", "detail-type": "Step Functions Execution Status Change",
        "account": "123456789012", "region": "us-east-1", "resources": [run["executionArn"]], "detail": detail,
    }


def mails_after(states: Any, post: Post, run: dict[str, Any]) -> list[Mail]:
    """What the machine behind the rule sends about a run."""
    post.mails()
    told = ended(states, "untold", untold(), status_change(run))
    assert told["status"] == "SUCCEEDED", told
    return post.mails()


def test_a_run_that_step_functions_ends_is_told_with_its_words(states: Any):
    post = Post(boto3.client)
    run = ended(states, "opendlm", json.dumps(LOST), EVENT)
    # moto's name of it; AWS says States.NoChoiceMatched (Developer Guide, "Error names").
    assert (run["status"], run["error"]) == ("FAILED", "States.Runtime")
    [mail] = mails_after(states, post, run)
    assert mail.subject == "opendlm, BACKUPS MAY BE MISSING: Step Functions ended a run" and len(mail.subject) <= SNS_SUBJECT_MAX
    assert f"\nWhat failed: {run['error']}: {run['cause']}\n  What to do: " in mail.text, mail.text
    assert "\nStack:    account 123456789012 in us-east-1\nMore:     aws stepfunctions describe-execution " in mail.text
    assert mail.text.endswith(f"--region us-east-1 --execution-arn {run['executionArn']}")


@pytest.mark.parametrize("answer", [done("PARTIAL"), {"errorType": "PolicyInvalid", "errorMessage": "no"}], ids=["partial", "failed"])
def test_a_run_that_has_told_is_not_told_again(states: Any, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]):
    monkeypatch.setattr(lambda_eval_utils, "_invoke_lambda_function", ScriptedFunction(answer))
    post = Post(boto3.client)
    run = ended(states, "opendlm", machine_text(HERE), EVENT)
    assert run["status"] == "FAILED"
    assert mails_after(states, post, run) == []


def test_a_run_that_cannot_be_looked_at_is_told(states: Any):
    post = Post(boto3.client)
    run = ended(states, "opendlm", json.dumps(LOST), EVENT)
    [mail] = mails_after(states, post, {**run, "executionArn": run["executionArn"] + "-gone"})
    assert "What failed: Failed: the history of the run does not say why" in mail.text


def test_the_rule_takes_the_failed_runs_of_this_machine_and_starts_the_one_that_tells():
    pattern = rule()["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.states"], ["Step Functions Execution Status Change"])
    # Those that were stopped or timed out have alarms, which send a mail each.
    assert pattern["detail"] == {"stateMachineArn": [{"Ref": "OpendlmStateMachine"}], "status": ["FAILED"]}
    [target] = rule()["Targets"]
    assert target["Arn"] == {"Ref": "UntoldStateMachine"}
    # Its own failures are not its business: it would start itself for ever.
    assert HERE.resolve(pattern["detail"]["stateMachineArn"]) != [HERE.arn_of("UntoldStateMachine")]


@pytest.mark.parametrize("place", EVERYWHERE, ids=lambda place: place.partition)
def test_the_machine_can_be_read_everywhere_and_every_state_says_why_it_is_there(place: Place):
    definition = json.loads(untold(place))
    AmazonStateLanguageParser.parse(untold(place))
    assert all(state["Comment"] for state in definition["States"].values())
    tasks = [state for state in definition["States"].values() if state["Type"] == "Task"]
    assert all(task["Resource"].startswith(f"arn:{place.partition}:") for task in tasks)
    assert definition["States"]["Mail"]["Parameters"]["TopicArn"] == place.arn_of("AlarmTopic")
