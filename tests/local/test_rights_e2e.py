"""The function's role, held against the calls that the function really made: two runs that make and delete snapshots.

conftest.py asks of every end-to-end test whether the role allows its calls. Here is shown that the question has teeth: the
runs ask for everything that the role allows, and a role with anything less would have refused something.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

import events
import iam
import mutants
import rights
from case import case_of, event_now
from chain import Chain
from forbidden import on_resource
from iam import Request, Rules
from rights import LOCAL, NEEDS, POLICY_ID_TAG
from sample_account import Seeded
from template import roles
from wire import Call

# What only a run asks that has more calls to make than EC2's buckets hold (test_limits_e2e.py).
OF_LARGE_RUNS = {"ListServiceQuotas"}
# The statements about EC2. The function itself makes no other calls in such runs.
STATEMENTS = [each for each in roles(LOCAL)["FunctionRole"] if all(a.startswith("ec2:") for a in iam.as_list(each["Action"]))]
NARROW = list(mutants.narrow(STATEMENTS))


def copying_event() -> Any:
    """The sample policy with CopyTags, so that the tags of the volumes are in the calls."""
    event = copy.deepcopy(event_now("sample"))
    events.schedules_of(event)[0]["CopyTags"] = True
    return event


@pytest.fixture(scope="module")
def recorded() -> list[Call]:
    """The calls of both runs, once the first test has made them."""
    return []


@pytest.fixture
def calls(local: Chain, role: Rules, recorded: list[Call]) -> list[Call]:
    """The calls of a run of a volume policy and of one of an instance policy."""
    for event in [] if recorded else [copying_event(), event_now("instance")]:
        local.aws.reset()
        case = case_of(local, event)
        assert case.run().status() == "SUCCEEDED"
        case.assert_promise_kept()
        assert case.deleted()
        assert_what_is_not_ours_is_safe(local, role, case.seeded)
        recorded.extend(local.aws.wire.calls_since(0))
    return recorded


def assert_what_is_not_ours_is_safe(local: Chain, role: Rules, seeded: Seeded) -> None:
    """The role cannot delete what the account holds of other people, with the tags that it really has."""
    snapshots = local.account.snapshots()
    for id, what in seeded.foreign.items():
        tags = dict(snapshots[id].tags)
        allowed = role.allow(Request("ec2:DeleteSnapshot", LOCAL.arn("snapshot", id), on_resource(tags)))
        # Some carry our tag because somebody wrote it there. The role cannot know; apply.rs looks at the description as well.
        assert allowed == (POLICY_ID_TAG in tags), what


def asked(calls: list[Call]) -> list[Request]:
    """Everything that EC2 asked IAM."""
    return [each for call in calls for each in rights.questions(call, LOCAL)]


def test_the_role_allows_every_call_and_every_one_was_asked_about(calls: list[Call], role: Rules) -> None:
    assert [each for each in asked(calls) if not role.allow(each)] == []
    assert {call.Action for call in calls} == set(NEEDS) - OF_LARGE_RUNS - rights.OF_COPIES
    assert all(rights.questions(call, LOCAL) for call in calls)


def test_the_runs_asked_for_everything_that_the_table_knows(calls: list[Call]) -> None:
    kinds = {(each.action, each.resource.split(":")[-1].split("/")[0]) for each in asked(calls)}
    of_small_runs = [needs for action, needs in NEEDS.items() if action not in OF_LARGE_RUNS | rights.OF_COPIES]
    wanted = {(need.action, need.kind.removeprefix("new ")) for needs in of_small_runs for need in needs}
    assert kinds == {(action, "*" if kind == rights.ANYTHING else kind) for action, kind in wanted}


def test_the_tags_are_those_of_the_calls_and_of_the_account(calls: list[Call], role: Rules) -> None:
    made = [each for each in asked(calls) if each.action == "ec2:CreateSnapshot" and each.resource.endswith("snapshot/*")]
    assert {each.context["aws:RequestTag/Name"] for each in made} == {"data 1", "data 2", "data 3"}
    deleted = [each for each in asked(calls) if each.action == "ec2:DeleteSnapshot"]
    assert deleted and all(each.context[f"aws:ResourceTag/{POLICY_ID_TAG}"] for each in deleted)
    assert not any(role.allow(Request(each.action, each.resource)) for each in deleted), "without the tags it would be refused"


@pytest.mark.parametrize(("what", "statements"), NARROW, ids=[what for what, _ in NARROW])
def test_a_role_with_anything_less_would_have_stopped_a_run(
    calls: list[Call], what: str, statements: list[dict[str, Any]]
) -> None:
    rules = iam.read(statements)
    assert [each for each in asked(calls) if not rules.allow(each)], what
