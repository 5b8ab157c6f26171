"""The state machine with several targets, answer by answer, on moto's interpreter: who is called with what, and what comes of it.

The function is scripted here; test_targets_e2e.py has the real one.
"""

from __future__ import annotations

import json
import threading

import boto3
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

import machine_patches
from post import Post
from test_machine import WORDS, done, machine, run_to_the_end

REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
TARGETS = [{"Target": {"Region": region, "Number": number, "Of": 3}} for number, region in enumerate(REGIONS)]
COMMON = {
    "Policy": {"PolicyId": "policy-0123456789abcdef0"},
    "Options": {"RunNow": True},
    "Progress": {"Turns": 0},
    "ScheduledTime": "2026-11-22T17:00:00Z",
}
SPLIT = {"Status": "SPLIT", "WaitSeconds": 0, "Next": COMMON, "Targets": TARGETS, "Report": {"PolicyId": "policy-1", "Turns": 0}}


# Where a list is, and the answer that asks for it.
LIST = {"Bucket": "amzn-s3-demo-bucket", "Key": "opendlm/ü targets.json"}
ASKING = {"Status": "READ", "WaitSeconds": 0, "Next": COMMON, "TargetsFrom": LIST, "Report": {"PolicyId": "policy-1"}}
# As somebody writes it: what Step Functions hands over is its text, with the blanks.
TEXT = '[\n  {"Regions": ["eu-west-1", "us-east-1", "us-west-2"], "Note": "\\u00fc ü"}\n]\n'


def event_of(target: dict) -> dict:
    """The event of one target."""
    return {**COMMON, "Options": {**COMMON["Options"], **target}}


class ScriptedFunction:
    """Answers by what it is asked: the split, a turn of a target by its Region, the sum."""

    def __init__(self, turns: dict[str, list[dict]], sum_up: dict, split: dict | list[dict] = SPLIT):
        self._turns, self._sum, self._split = turns, sum_up, split
        self._lock = threading.Lock()
        self.payloads: list[dict] = []

    def __call__(self, parameters: dict, region: str, state_credentials: object) -> dict:
        payload = json.loads(parameters["Payload"])
        if "Failed" in payload:
            return {"StatusCode": 200, "Payload": WORDS}
        with self._lock:
            self.payloads.append(payload)
            answer = self.answer(payload)
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {"StatusCode": 200, "Payload": answer, **failed}

    def answer(self, payload: dict) -> dict:
        """The answer to one payload."""
        if "Reports" in payload:
            return self._sum
        target = payload.get("Options", {}).get("Target")
        if target:
            return self._turns[target["Region"]].pop(0)
        return self._split.pop(0) if isinstance(self._split, list) else self._split

    def of(self, region: str) -> list[dict]:
        """What was asked about one target."""
        return [each for each in self.payloads if each.get("Options", {}).get("Target", {}).get("Region") == region]


def turned(part: str) -> dict:
    """The last answer of a target's run."""
    return {"Status": "DONE", "WaitSeconds": 0, "Next": {}, "Report": {"Outcome": "PARTIAL"}, "Part": {"Summary": part}}


@pytest.fixture
def execute(monkeypatch: pytest.MonkeyPatch):
    """Runs the machine on a scripted function; gives the execution and its history."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    definition = machine()
    loop = definition["States"]["Targets"]["ItemProcessor"]["States"]
    for retrier in loop["TargetTurn"]["Retry"] + definition["States"]["ReadTargets"]["Retry"]:
        retrier.update(IntervalSeconds=1, MaxAttempts=1)
    machine_patches.apply_to_integrations()

    def run(function: ScriptedFunction, text: str | None = None) -> dict:
        monkeypatch.setattr(lambda_eval_utils, "_invoke_lambda_function", function)
        with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
            Post(boto3.client)
            if text is not None:
                s3 = boto3.client("s3")
                s3.create_bucket(Bucket=LIST["Bucket"])
                s3.put_object(**LIST, Body=text.encode())
            return run_to_the_end(boto3.client("stepfunctions"), json.dumps(definition))[0]

    return run


def test_every_target_has_a_loop_of_its_own_and_the_sum_gets_what_came_of_them_in_order(execute):
    waiting = {"Status": "WAITING", "WaitSeconds": 0, "Next": event_of(TARGETS[1]), "Report": {}}
    turns = {"eu-west-1": [turned("a")], "us-east-1": [waiting, turned("b")], "us-west-2": [turned("c")]}
    function = ScriptedFunction(turns, done("SUCCEEDED"))
    execution = execute(function)
    assert execution["status"] == "SUCCEEDED"
    assert json.loads(execution["output"]) == done("SUCCEEDED")["Report"]
    for target in TARGETS:
        assert function.of(target["Target"]["Region"])[0] == event_of(target)
    assert len(function.of("us-east-1")) == 2
    assert function.payloads[-1] == {
        "Split": SPLIT["Report"],
        "Targets": TARGETS,
        "Reports": [{"Summary": "a"}, {"Summary": "b"}, {"Summary": "c"}],
    }


@pytest.mark.parametrize("error", ["AccessDenied", "PolicyInvalid", "Unavailable", "Runtime.ExitError", "SomethingNew"])
def test_a_target_that_fails_fails_alone_and_is_told(execute, error: str):
    failure = {"errorType": error, "errorMessage": "what is wrong"}
    turns = {"eu-west-1": [turned("a")], "us-east-1": [failure, failure], "us-west-2": [turned("c")]}
    function = ScriptedFunction(turns, done("PARTIAL"))
    execution = execute(function)
    assert (execution["status"], execution["error"], execution["cause"]) == ("FAILED", "Partial", "it is PARTIAL")
    [first, second, third] = function.payloads[-1]["Reports"]
    assert (first, third) == ({"Summary": "a"}, {"Summary": "c"})
    assert second["Number"] == 1
    assert second["Failure"]["Error"] == error and json.loads(second["Failure"]["Cause"]) == failure


@pytest.mark.parametrize("answer", [{"Status": "UNKNOWN"}, {"Status": "DONE", "Report": {"Outcome": "SUCCEEDED"}}])
def test_an_answer_that_the_machine_does_not_know_is_told_in_its_place(execute, answer: dict):
    turns = {"eu-west-1": [turned("a")], "us-east-1": [answer], "us-west-2": [turned("c")]}
    function = ScriptedFunction(turns, done("PARTIAL"))
    execute(function)
    assert function.payloads[-1]["Reports"][1]["Error"] == "UnexpectedAnswer"


def test_a_list_in_s3_is_handed_over_as_it_is_and_split_like_any_other(execute):
    turns = {region: [turned(region)] for region in REGIONS}
    function = ScriptedFunction(turns, done("SUCCEEDED"), [ASKING, SPLIT])
    assert execute(function, TEXT)["status"] == "SUCCEEDED"
    assert function.payloads[1] == {**ASKING["Next"], "TargetsList": TEXT}
    assert [each["Summary"] for each in function.payloads[-1]["Reports"]] == list(REGIONS)


def test_a_list_that_cannot_be_read_ends_the_run_before_anything_is_done(execute):
    function = ScriptedFunction({}, done("SUCCEEDED"), [ASKING, SPLIT])
    execution = execute(function)
    # The interpreter does not capitalise the service's name as Step Functions does.
    assert (execution["status"], execution["error"].lower()) == ("FAILED", "s3.nosuchbucketexception")
    assert len(function.payloads) == 1


@pytest.mark.parametrize("few", [True, False], ids=["an event's own", "a list's"])
def test_the_largest_answers_and_reports_go_from_state_to_state(execute, few: bool):
    """As large as the function makes them: 120 KB of the split, and as much of all reports together."""
    count, part = (40, 3_000) if few else (200, 600)
    room = {"ExternalId": "x" * (55_000 // count - 80)}
    targets = [{"Target": {"Region": f"eu-west-{number}", "Number": number, "Of": count, **room}} for number in range(count)]
    split = {**SPLIT, "Next": {**COMMON, "Filler": "n" * 50_000}, "Targets": targets, "Report": {"Warnings": ["w" * 14_000]}}
    turns = {each["Target"]["Region"]: [turned("p" * (part - 20))] for each in targets}
    function = ScriptedFunction(turns, done("SUCCEEDED"), split)
    assert execute(function)["status"] == "SUCCEEDED"
    assert len(function.payloads[-1]["Reports"]) == count
