"""The state machine carried out by moto's interpreter, with a function that answers what a test says.

Answer by answer it does what the contract says, and an execution whose history is full goes on in a new one.
Run by pytest in the environment that setup.py makes; nothing here needs the bootstrap, a server or a network.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_events import StateTaskServiceEvents
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import StateTaskServiceSfn
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sns import StateTaskServiceSns

import machine_patches
import template
from post import Mail, Post
from template import Place, machine_text
from test_template import ERRORS_OF_THE_FUNCTION

# No scripted execution below takes longer than its waits; this only ends one that hangs.
EXECUTION_SECONDS_MAX = 30


# What the function makes of a run that could not go on.
WORDS = {
    "Status": "FAILED",
    "Report": {"Outcome": "FAILED"},
    "Mail": {"Subject": "a subject", "Text": "a text, account ", "More": ", and more of "},
}


class ScriptedFunction:
    """Stands where the interpreter calls Lambda: notes each payload, and answers from a list."""

    def __init__(self, *answers: dict, words: dict = WORDS):
        self.answers = list(answers)
        self.words = words
        self.payloads: list[dict] = []
        self.failures: list[dict] = []
        """What it was asked to put into words."""

    def __call__(self, parameters: dict, region: str, state_credentials: object) -> dict:
        payload = json.loads(parameters["Payload"])
        if "Failed" in payload:
            self.failures.append(payload)
            answer = self.words
        else:
            self.payloads.append(payload)
            answer = self.answers.pop(0)
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {"StatusCode": 200, "Payload": answer, **failed}


EVENT = {"Policy": {"PolicyId": "policy-0123456789abcdef0"}, "ScheduledTime": "2026-11-22T17:00:00Z"}


def done(outcome: str, **more: object) -> dict:
    """The last answer of a run."""
    report = {"Outcome": outcome, "Summary": f"it is {outcome}"}
    return {"Status": "DONE", "WaitSeconds": 0, "Next": None, "Report": report, **more}


def machine() -> dict:
    """The definition, as deployed where moto is."""
    return json.loads(machine_text(Place(region="us-east-1")))


def waiting(seconds: int, turn: int) -> dict:
    """An answer that asks for another turn. Its Next has values of every kind, since all must arrive as they left."""
    event = {**EVENT, "Turn": turn, "Empty": None, "Deep": [{"Key": "ü", "Value": ""}, 1.5, True]}
    return {"Status": "WAITING", "WaitSeconds": seconds, "Next": event, "Report": {}}


@pytest.fixture
def execute(monkeypatch: pytest.MonkeyPatch):
    """Runs the machine, with its retries a moment apart, on a scripted function; gives the execution and its history."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=lambda _: time.sleep(0.01)))
    def run(function: ScriptedFunction, read: Callable[[Post], None] | None = None) -> tuple[dict, list[str]]:
        monkeypatch.setattr(lambda_eval_utils, "_invoke_lambda_function", function)
        with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
            post = Post(boto3.client)
            ended = run_to_the_end(boto3.client("stepfunctions"), json.dumps(machine()))
            if read:
                read(post)
            return ended

    return run


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch):
    """Starts the machine on a scripted function and gives the client and the first execution's ARN; the executions go on."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    definition = machine()
    for retrier in definition["States"]["Continue"]["Retry"]:
        retrier["IntervalSeconds"] = 1
    machine_patches.apply_to_integrations()
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        Post(boto3.client)

        def begin(function: ScriptedFunction) -> tuple[object, str]:
            monkeypatch.setattr(lambda_eval_utils, "_invoke_lambda_function", function)
            states = boto3.client("stepfunctions")
            return states, begin_execution(states, json.dumps(definition))

        yield begin


def begin_execution(states, definition: str) -> str:
    """Start a definition on EVENT. Without a name moto leaves $$.Execution.Name empty, which AWS never does."""
    role = "arn:aws:iam::123456789012:role/opendlm"
    arn = states.create_state_machine(name="opendlm", definition=definition, roleArn=role)["stateMachineArn"]
    return states.start_execution(stateMachineArn=arn, name="first", input=json.dumps(EVENT))["executionArn"]


def run_to_the_end(states, definition: str) -> tuple[dict, list[str]]:
    """Execute a definition on EVENT; the execution as it ended, and the types of its history events."""
    execution = begin_execution(states, definition)
    deadline = time.monotonic() + EXECUTION_SECONDS_MAX
    while (described := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the execution does not end"
        time.sleep(0.02)
    history = states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    return described, [event["type"] for event in history]


def test_each_turn_gets_the_next_of_the_one_before_and_the_machine_waits_in_between(execute):
    function = ScriptedFunction(waiting(1, 1), waiting(0, 2), done("SUCCEEDED"))
    started = time.monotonic()
    execution, history = execute(function)
    assert time.monotonic() - started >= 1
    assert function.payloads == [EVENT, waiting(1, 1)["Next"], waiting(0, 2)["Next"]]
    assert history.count("WaitStateEntered") == 2
    assert execution["status"] == "SUCCEEDED"


def full(turn: int) -> dict:
    """An answer that asks for another turn in a new execution."""
    return {**waiting(60, turn), "NewExecution": f"policy-20261122T170000Z-{turn}", "Report": {"Summary": "so far"}}


def executions(states) -> list[dict]:
    """Every execution that there is, each with its input and its output, the first one first."""
    [found] = states.list_state_machines()["stateMachines"]
    listed = states.list_executions(stateMachineArn=found["stateMachineArn"])["executions"]
    described = [states.describe_execution(executionArn=each["executionArn"]) for each in listed]
    return sorted(described, key=lambda each: each["startDate"])


def wait_until(holds) -> None:
    """Wait for something that another execution does."""
    deadline = time.monotonic() + EXECUTION_SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("outcome", ["SUCCEEDED", "PARTIAL"])
def test_a_full_history_goes_on_in_a_new_execution_without_a_turn_lost_or_made_twice(start, outcome: str):
    function = ScriptedFunction(waiting(0, 1), full(2), waiting(0, 3), full(4), done(outcome))
    states, first = start(function)
    wait_until(lambda: len(executions(states)) == 3 and executions(states)[-1]["status"] != "RUNNING")
    assert function.payloads == [EVENT, *(waiting(0, turn)["Next"] for turn in (1, 2, 3, 4))]
    found = executions(states)
    assert found[0]["executionArn"] == first
    assert [each["status"] for each in found] == ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED" if outcome == "SUCCEEDED" else "FAILED"]
    # Each says where it went on, and is what the one before went on with.
    for one, other, turn in zip(found, found[1:], (2, 4), strict=False):
        output = json.loads(one["output"])
        assert output == {"Summary": "so far", "Continued": {"ExecutionArn": other["executionArn"]}}
        assert json.loads(other["input"]) == full(turn)["Next"]
        assert re.fullmatch(rf"policy-20261122T170000Z-{turn}-[0-9a-f]{{32}}", other["name"]) and len(other["name"]) <= 80


def test_a_start_whose_answer_was_lost_is_not_made_twice(start, monkeypatch: pytest.MonkeyPatch):
    """The execution is started, the answer is lost, and the next try finds that it has come to its end already."""
    stock, tries, machines = machine_patches.start_execution, [], []

    def losing(self, env, *arguments, **named):
        stock(self, env, *arguments, **named)
        tries.append(env.stack.pop())
        arn = tries[-1]["ExecutionArn"]
        wait_until(lambda: machines and machines[0].describe_execution(executionArn=arn)["status"] != "RUNNING")
        raise RuntimeError("the answer is lost")

    def losing_once(self, *arguments, **named):
        return (stock if tries else losing)(self, *arguments, **named)

    monkeypatch.setattr(StateTaskServiceSfn, "_eval_service_task", losing_once)
    function = ScriptedFunction(full(1), done("SUCCEEDED"))
    states, first = start(function)
    machines.append(states)
    wait_until(lambda: states.describe_execution(executionArn=first)["status"] != "RUNNING")
    assert [each["status"] for each in executions(states)] == ["SUCCEEDED", "SUCCEEDED"]
    assert function.payloads == [EVENT, full(1)["Next"]] and len(tries) == 1
    [output, _] = [json.loads(each["output"]) for each in executions(states)]
    assert "ExecutionAlreadyExists" in output["Continued"]["Error"]


def test_a_run_that_cannot_go_on_anywhere_fails(start, monkeypatch: pytest.MonkeyPatch):
    def refused(self, env, *arguments, **named):
        raise ClientError({"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "1"}}, "")

    monkeypatch.setattr(StateTaskServiceSfn, "_eval_service_task", refused)
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=lambda _: None))
    states, first = start(ScriptedFunction(full(1)))
    wait_until(lambda: states.describe_execution(executionArn=first)["status"] != "RUNNING")
    assert [each["status"] for each in executions(states)] == ["FAILED"]


@pytest.mark.parametrize("outcome", ["SUCCEEDED", "SKIPPED"])
def test_a_run_without_failures_ends_with_the_report_as_its_output(execute, outcome: str):
    execution, _ = execute(ScriptedFunction(done(outcome)))
    assert execution["status"] == "SUCCEEDED"
    assert json.loads(execution["output"]) == done(outcome)["Report"]


def test_a_partial_run_fails_and_its_cause_is_the_summary(execute):
    execution, _ = execute(ScriptedFunction(done("PARTIAL")))
    assert (execution["status"], execution["error"], execution["cause"]) == ("FAILED", "Partial", "it is PARTIAL")


@pytest.mark.parametrize("error", sorted(name for name, helps in ERRORS_OF_THE_FUNCTION.items() if not helps))
def test_an_error_that_nothing_can_cure_fails_the_run_at_once_under_its_own_name(execute, error: str):
    failure = {"errorType": error, "errorMessage": "what is wrong and what to do"}
    function = ScriptedFunction(failure)
    execution, history = execute(function)
    assert (execution["status"], execution["error"]) == ("FAILED", error)
    assert json.loads(execution["cause"]) == failure
    # The turn, and what is told of it: the words, the event, the mail.
    assert history.count("TaskScheduled") == 4
    [told] = function.failures
    assert told == {"Failed": {"Error": error, "Cause": json.dumps(failure, separators=(",", ":"))}, "Event": EVENT}


@pytest.mark.parametrize("error", ["Runtime.ExitError", *sorted(n for n, helps in ERRORS_OF_THE_FUNCTION.items() if helps)])
def test_an_error_that_passes_is_retried_with_the_same_input(execute, error: str):
    function = ScriptedFunction(waiting(0, 1), {"errorType": error, "errorMessage": "busy"}, done("SUCCEEDED"))
    execution, _ = execute(function)
    assert execution["status"] == "SUCCEEDED"
    assert function.payloads == [EVENT, waiting(0, 1)["Next"], waiting(0, 1)["Next"]]


@pytest.mark.parametrize(
    "answer", [done("UNKNOWN"), {**done("SUCCEEDED"), "Status": "UNKNOWN"}, {"Status": "WAITING", "Report": {}}]
)
def test_an_answer_that_the_machine_does_not_know_fails_the_run(execute, answer: dict):
    execution, _ = execute(ScriptedFunction(answer))
    assert (execution["status"], execution["error"]) == ("FAILED", "UnexpectedAnswer")


# What is told of a run, and that telling it never changes how it ends.


@dataclass
class Sent:
    """What came to the topic and to the bus."""

    mails: list[Mail]
    events: list[dict]


@pytest.fixture
def execute_and_read(execute):
    """As `execute`; gives the execution and what was sent."""

    def run(function: ScriptedFunction) -> tuple[dict, Sent]:
        sent = Sent([], [])

        def read(post: Post) -> None:
            sent.mails, sent.events = post.mails(), post.events()

        execution, _ = execute(function, read)
        return execution, sent

    return run


@pytest.mark.parametrize(("outcome", "mails"), [("SUCCEEDED", 0), ("SKIPPED", 0), ("PARTIAL", 1)])
def test_a_run_is_told_once_it_has_ended(execute_and_read, outcome: str, mails: int):
    mail = {"Mail": {"Subject": "a subject", "Text": "a text, account ", "More": ", and more of "}} if mails else {}
    execution, sent = execute_and_read(ScriptedFunction(waiting(0, 1), done(outcome, **mail)))
    [event] = sent.events
    assert (event["source"], event["detail-type"], event["detail"]) == ("opendlm", "opendlm Run Finished", done(outcome)["Report"])
    assert len(sent.mails) == mails
    for each in sent.mails:
        where = "123456789012 in us-east-1, and more of us-east-1 --execution-arn "
        assert (each.subject, each.text) == ("a subject", f"a text, account {where}{execution['executionArn']}")


def test_a_function_that_cannot_even_say_why_is_told_in_plain_words(execute_and_read):
    crash = {"errorType": "Runtime.ExitError", "errorMessage": "exit status 101"}
    execution, sent = execute_and_read(ScriptedFunction(*[crash] * 5, words=crash))
    assert (execution["status"], execution["error"]) == ("FAILED", "Runtime.ExitError")
    assert json.loads(execution["cause"]) == crash
    [mail] = sent.mails
    assert mail.subject == "opendlm, BACKUPS MAY BE MISSING: a run could not go on"
    assert "Runtime.ExitError" in mail.text and mail.text.endswith(execution["executionArn"])
    [event] = sent.events
    assert (event["detail"]["Outcome"], event["detail"]["Error"]) == ("FAILED", "Runtime.ExitError")


def test_an_error_without_a_cause_is_told_and_ends_the_run_all_the_same():
    """As the definition has it, since moto writes a cause for every error: what is missing becomes empty, not a path to nothing."""
    states = machine()["States"]
    assert states["CouldNotGoOn"]["Parameters"]["Unknown"] == {"Error": "", "Cause": ""}
    assert states["WithCause"]["Parameters"] == {"Failed.$": "States.JsonMerge($.Unknown, $.Caught, false)"}


def test_a_run_is_no_worse_for_what_nobody_gets(execute, monkeypatch: pytest.MonkeyPatch):
    """Neither the topic nor the bus takes anything."""

    def refused(self, env, *arguments, **named):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403, "RequestId": "1"}}, "")

    monkeypatch.setattr(StateTaskServiceSns, "_eval_service_task", refused)
    monkeypatch.setattr(StateTaskServiceEvents, "_eval_service_task", refused)
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=lambda _: None))
    execution, _ = execute(ScriptedFunction(done("SUCCEEDED")))
    assert (execution["status"], json.loads(execution["output"])) == ("SUCCEEDED", done("SUCCEEDED")["Report"])
    execution, _ = execute(ScriptedFunction(done("PARTIAL", Mail=WORDS["Mail"])))
    assert (execution["status"], execution["error"], execution["cause"]) == ("FAILED", "Partial", "it is PARTIAL")


def test_a_stack_without_events_puts_none(execute_and_read, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(template, "RUN_EVENTS", "DISABLED")
    _, sent = execute_and_read(ScriptedFunction(done("SUCCEEDED")))
    assert sent.events == []
