"""End to end when things go wrong: answers get lost, EC2 throttles, a run is started twice at once, the function is killed.

However it went, in the end each volume has exactly one snapshot for the scheduled time and three in all, and the execution has
SUCCEEDED; or it is PARTIAL and its report is honest, which honesty.py finds out without the function.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import contract
import events
import honesty
import sample_account
from case import case_of, event_now, with_options
from chain import Chain, Execution
from local_aws import ACCOUNT, REGION
from mishaps import Creations, Deaths, Fleet, LostAnswer, Meeting, OneAVolume, in_place_of
from rie import Function
from story import cause_text
from wire import Call

KEPT = 3
# One more than the policies keep, so that there is something to delete in the first turn as well as in the last.
OLD = 4
# Waits of 1, 15 and 25 s become 0.01, 0.15 and 0.25 s; the retry after a crash, 30 s, becomes 0.3 s.
QUICK = {"SNAP_SECONDS": 0.4, "WAIT_SCALE": 0.01}
# Time enough for something else before that retry: 1.2 s.
UNHURRIED = {"WAIT_SCALE": 0.04}
FAULTS = {"LOST_ANSWERS": 0.5, "THROTTLE": 0.1, "BUCKETS": True}
# What others leave in EC2's buckets, which the whole account shares, of the 100 that the function counts on.
TOKENS_LEFT = 2
WINDOW_LEFT = timedelta(seconds=3)

VOLUMES, INSTANCES = "sample", "instance"
CREATION = {VOLUMES: "CreateSnapshot", INSTANCES: "CreateSnapshots"}
DELETION = "DeleteSnapshot"
TARGETS = 4
# What a report may say wrong of an account in which another run went on after it.
MENDED = ("PARTIAL names ", "PARTIAL, and nothing is wrong")


class Trial:
    """A policy that is due, its account, and every snapshot that is ever made in it."""

    def __init__(self, local: Chain, event: Any) -> None:
        self.local = local
        self.event = event
        self.case = case_of(local, event)
        self.creations = Creations(local)
        local.aws.wire.interventions.append(self.creations)

    def check(self, execution: Execution, others: bool = False) -> str:
        """Hold an execution that is over to its word, and return its outcome. Where there were `others` at once, they may have
        mended what it named."""
        assert execution.status() == "SUCCEEDED" or execution.failure()[0] == "Partial", execution.failure()
        report, seen = execution.report(), self.local.account.seen()
        assert (execution.status() == "SUCCEEDED") == (report["Outcome"] == "SUCCEEDED")
        made = len(self.creations.began)
        problems = honesty.dishonest(self.event, self.case.before, seen, report, made)
        assert [each for each in problems if not (others and each.startswith(MENDED))] == []
        return report["Outcome"]

    def check_success(self, execution: Execution) -> None:
        """An execution succeeded: one snapshot a source for the scheduled time, the earliest, and three in all."""
        assert self.check(execution) == "SUCCEEDED", execution.failure()
        self.case.assert_promise_kept()
        earliest = {source: ids[0] for source, ids in self.creations.by_source().items()}
        seen = self.local.account.seen()
        for each in honesty.truths(self.event, self.case.before, seen):
            of_button = int(events.has_run_now(self.event))
            assert len(honesty.of_source(self.event, each.source, seen.snapshots)) == KEPT + of_button
            assert [answer.id for answer in each.answers] == [earliest[each.source.volume, each.source.instance]]


@pytest.fixture
def quick(local: Chain, monkeypatch: pytest.MonkeyPatch) -> Chain:
    """The chain, quicker still, for accounts with a longer history."""
    monkeypatch.setattr(sample_account, "OLD_SNAPSHOTS", OLD)
    local.aws.switches.change(QUICK)
    return local


@pytest.fixture(scope="module")
def second(running: Chain) -> Iterator[Function]:
    """Another process of the same function."""
    with Function(running.function.bootstrap, running.aws.environment()) as function:
        yield function


def due_event(name: str) -> Any:
    """A sample event that a schedule starts this minute."""
    event = copy.deepcopy(event_now(name))
    start = events.now_to_the_second().replace(second=0)
    [schedule] = events.schedules_of(event)
    assert schedule["RetainRule"] == {"Count": KEPT}
    schedule["CreateRule"]["Times"] = [start.strftime("%H:%M")]
    body = events.body_of(event)
    body["ScheduledTime"] = events.time_text(start)
    body.pop("Options")
    return event


def break_ec2(local: Chain, seed: int) -> None:
    """Lose answers and throttle, at random and because others empty the buckets."""
    local.aws.switches.change({**FAULTS, "SEED": seed})
    for action in ("CreateSnapshot", "CreateSnapshots", "DeleteSnapshot"):
        local.aws.wire.bucket_of(Call(0, 0, action, {}, Account=ACCOUNT, Region=REGION)).tokens = TOKENS_LEFT


def effective(local: Chain, action: str) -> list[Call]:
    """The calls of an action that took effect, whatever their callers heard of it."""
    return [call for call in local.aws.wire.calls_since(0) if call.Action == action and (call.HttpStatus == 200 or call.Lost)]


# Lost answers and throttling.


@pytest.mark.parametrize(("policy", "seed"), [(VOLUMES, 1), (VOLUMES, 2), (INSTANCES, 3)])
def test_lost_answers_and_throttling_end_as_promised_or_honestly(
    quick: Chain, monkeypatch: pytest.MonkeyPatch, policy: str, seed: int
) -> None:
    monkeypatch.setattr(sample_account, "TARGETS", TARGETS)
    trial = Trial(quick, due_event(policy))
    break_ec2(quick, seed)
    execution = quick.run(trial.event)
    if trial.check(execution) == "SUCCEEDED":
        trial.check_success(execution)
    calls = quick.aws.wire.calls_since(0)
    assert any(call.Lost for call in calls) and any(call.Code == "RequestLimitExceeded" for call in calls)


def test_what_could_not_be_done_among_the_faults_is_named_and_nothing_else(quick: Chain) -> None:
    start = events.now_to_the_second() - timedelta(minutes=1) + WINDOW_LEFT
    event = with_options(due_event(VOLUMES), StartWindowMinutes=1, RunNow=True)
    events.body_of(event)["ScheduledTime"] = events.time_text(start)
    trial = Trial(quick, event)
    refused, locked = trial.case.seeded.targets[:2]
    stuck = trial.case.seeded.ours[locked][0]
    quick.account.lock(stuck)
    break_ec2(quick, 5)
    quick.aws.switches.change({"FAIL_VOLUMES": {refused: "IncorrectState"}})
    execution = quick.run(event)
    assert trial.check(execution) == "PARTIAL"
    assert {each["Resource"] for each in execution.report()["Failures"]} == {refused, stuck}
    cause = cause_text(execution.failure()[1])
    assert refused in cause and stuck in cause


# Two executions at once.


@pytest.mark.parametrize("policy", [VOLUMES, INSTANCES])
def test_two_that_look_before_either_creates_leave_the_earliest_snapshot_alone(
    quick: Chain, second: Function, policy: str
) -> None:
    trial = Trial(quick, due_event(policy))
    executions = run_two_at_once(trial, second)
    made = trial.creations.by_source()
    assert len(made) == len(trial.case.wanted.new) and {len(ids) for ids in made.values()} == {2}, "both must have created"
    targets = {source[1] or source[0] for source in made}
    assert len(effective(quick, CREATION[policy])) == 2 * len(targets)
    for execution in executions:
        trial.check_success(execution)
    assert {ids[1] for ids in made.values()} & set(quick.account.snapshots()) == set()


def test_two_at_once_of_which_ec2_refuses_the_second_make_one_snapshot(quick: Chain, second: Function) -> None:
    trial = Trial(quick, due_event(VOLUMES))
    quick.aws.wire.interventions.append(OneAVolume())
    for execution in run_two_at_once(trial, second):
        trial.check_success(execution)
    assert len(trial.creations.began) == len(trial.case.seeded.targets)
    refused = [call for call in quick.aws.wire.calls_since(0) if call.Code == OneAVolume.CODE]
    assert len(refused) >= len(trial.case.seeded.targets), "both must have tried"


def test_two_at_once_among_lost_answers_and_throttling_end_as_promised_or_honestly(quick: Chain, second: Function) -> None:
    trial = Trial(quick, due_event(VOLUMES))
    break_ec2(quick, 4)
    executions = run_two_at_once(trial, second)
    outcomes = [trial.check(execution, others=True) for execution in executions]
    for execution, outcome in zip(executions, outcomes):
        if outcome == "SUCCEEDED":
            trial.check_success(execution)


def run_two_at_once(trial: Trial, second: Function) -> list[Execution]:
    """Run two executions of the same event, of which neither sees what the other one creates in its first turn."""
    local = trial.local
    local.aws.wire.interventions.append(Meeting("DescribeSnapshots", 2))
    with in_place_of(local.function, Fleet([local.function, second])):
        executions = [local.start(trial.event), local.start(trial.event)]
        return [local.finish(execution) for execution in executions]


# The function is killed.


MOMENTS = [
    pytest.param(VOLUMES, "CreateSnapshot", (1,), id="between two creations"),
    pytest.param(VOLUMES, "CreateSnapshot", (3,), id="after all creations, before the answer"),
    pytest.param(VOLUMES, "CreateSnapshot", (1, 1), id="between two creations, twice"),
    pytest.param(VOLUMES, DELETION, (1,), id="among creations and deletions"),
    pytest.param(VOLUMES, DELETION, (4,), id="among the last deletions"),
    pytest.param(VOLUMES, DELETION, (6,), id="after the last deletion, before the answer"),
    pytest.param(INSTANCES, "CreateSnapshots", (1,), id="between two sets"),
    pytest.param(INSTANCES, DELETION, (7,), id="among the last deletions of sets"),
]


@pytest.mark.parametrize(("policy", "action", "calls"), MOMENTS)
def test_a_killed_function_is_taken_up_by_the_state_machine(
    quick: Chain, policy: str, action: str, calls: tuple[int, ...]
) -> None:
    trial = Trial(quick, due_event(policy))
    deaths = Deaths(quick.function, action, *calls)
    quick.aws.wire.interventions.append(deaths)
    execution = quick.run(trial.event)
    # What Lambda says of a process that ended in the middle of an invocation: the state machine tries that again.
    assert execution.failed_turns() == ["Runtime.ExitError"] * len(calls)
    died = [each for each in quick.function.invocations if each.failed]
    assert len(died) == deaths.deaths == len(calls)
    assert died[0].payload["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    done = [call for call in effective(quick, action) if call.Time < died[0].began + died[0].seconds]
    assert len(done) == calls[0], "it must have died at this moment"
    trial.check_success(execution)
    assert len(effective(quick, CREATION[policy])) == len({source[1] or source[0] for source in trial.creations.by_source()})


def test_a_run_whose_start_is_the_clock_is_killed_and_makes_nothing_twice(quick: Chain) -> None:
    # Its second first turn starts later: what the first one began is for another scheduled time, and still an answer.
    event = with_options(event_now(VOLUMES), RunNow=True)
    # Its schedule is not due at this time, so that no snapshot of it answers the button.
    [schedule] = events.schedules_of(event)
    events.make_due(schedule, events.now_to_the_second() + timedelta(hours=6))
    trial = Trial(quick, event)
    assert events.start_of(trial.event) is None
    execution = quick.finish(start_and_kill(trial, Deaths(quick.function, "CreateSnapshot", 1)))
    assert execution.failed_turns() == ["Runtime.ExitError"]
    trial.check_success(execution)
    seen = quick.account.snapshots()
    assert len({seen[id].tag(contract.SCHEDULED_TAG) for id in trial.creations.began}) == 2, "it must have started twice"


@pytest.mark.parametrize("status", ["WAITING", "DONE"])
def test_an_answer_that_step_functions_never_hears_costs_nothing(quick: Chain, status: str) -> None:
    trial = Trial(quick, due_event(VOLUMES))
    losing = LostAnswer(quick.function, status)
    with in_place_of(quick.function, losing):
        execution = quick.run(trial.event)
    assert losing.lost is not None
    assert execution.failed_turns() == ["Lambda.ServiceException"]
    trial.check_success(execution)


# Killed, and never taken up.


@pytest.mark.parametrize(("policy", "action", "calls"), [MOMENTS[0], MOMENTS[4]])
def test_the_next_start_finishes_what_a_killed_and_stopped_execution_began(
    quick: Chain, policy: str, action: str, calls: tuple[int, ...]
) -> None:
    trial = Trial(quick, due_event(policy))
    stopped = start_and_kill(trial, Deaths(quick.function, action, *calls))
    turns = len(quick.function.invocations)
    stopped.stop()
    assert quick.finish(stopped).status() == "ABORTED"
    assert len(quick.function.invocations) == turns, "it must not be tried again"
    unfinished = honesty.truths(trial.event, trial.case.before, quick.account.seen())
    assert any(not each.answers or each.surplus for each in unfinished), "something must be left to do"
    quick.aws.switches.change(QUICK)
    execution = quick.run(trial.event)
    assert execution.failed_turns() == []
    trial.check_success(execution)


def test_a_start_that_comes_while_a_killed_one_waits_to_be_tried_again_changes_nothing(quick: Chain) -> None:
    trial = Trial(quick, due_event(VOLUMES))
    first = start_and_kill(trial, Deaths(quick.function, "CreateSnapshot", 1))
    other = quick.start(trial.event)
    for execution in (first, other):
        trial.check_success(quick.finish(execution))


def start_and_kill(trial: Trial, deaths: Deaths, seconds_max: float = 20) -> Execution:
    """Start an execution and wait until Step Functions has heard that its function is dead."""
    trial.local.aws.switches.change(UNHURRIED)
    trial.local.aws.wire.interventions.append(deaths)
    execution = trial.local.start(trial.event)
    end = time.monotonic() + seconds_max
    while not execution.failed_turns():
        assert time.monotonic() < end, trial.local.function.log.tail()
        time.sleep(0.02)
    return execution
