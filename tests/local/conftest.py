"""What the tests share: one local AWS, or one chain, for all tests of a file; empty and healthy for each of them.

Whatever a test makes the function do, the role of template.yaml must allow it: each call of each test is held against the role.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import iam
import rights
from account import Account
from case import FAST
from chain import Chain, bootstrap_path, chain
from iam import Rules
from local_aws import ACCOUNT, REGION, THERE, LocalAws
from rights import LOCAL
from switches import Switches
from template import TARGET_FILE, Place, roles
from wire import Call


@pytest.fixture(scope="module")
def served() -> Iterator[LocalAws]:
    """One endpoint for all tests of a file."""
    with LocalAws(Switches()) as aws:
        yield aws


@pytest.fixture
def aws(served: LocalAws) -> LocalAws:
    """The endpoint, empty and healthy."""
    served.switches.change(Switches().shown())
    served.reset()
    return served


@pytest.fixture
def ec2(aws: LocalAws) -> Any:
    """An EC2 client."""
    return aws.client("ec2")


@pytest.fixture
def account(aws: LocalAws) -> Account:
    """The account from the inside."""
    return Account(aws)


@pytest.fixture
def there(account: Account) -> Account:
    """The account in another Region."""
    return account.in_region(THERE)


@pytest.fixture
def ec2_there(aws: LocalAws) -> Any:
    """An EC2 client of that Region."""
    return aws.client("ec2", THERE)


@pytest.fixture(scope="module")
def running() -> Iterator[Chain]:
    """One chain for all tests of a file."""
    with chain(bootstrap_path()) as started:
        yield started
        # moto's interpreter is patched for the whole process, and would go on scaling the waits of tests without a chain.
        started.aws.switches.change(Switches().shown())


@pytest.fixture(scope="session")
def role() -> Rules:
    """What the function may do in the local AWS."""
    return iam.read(roles(LOCAL)["FunctionRole"])


@pytest.fixture
def local(running: Chain, role: Rules) -> Iterator[Chain]:
    """The chain with an empty account, healthy and fast. Every call that the test makes the function do is one it may make."""
    running.aws.switches.change({**Switches().shown(), **FAST})
    running.aws.reset()
    running.function.invocations.clear()
    running.post.mails(), running.post.events()
    yield running
    calls = running.aws.wire.calls_since(0)
    refused = rights.refused(role, [call for call in calls if is_at_home(call)], LOCAL)
    assert refused == [], "the role in template.yaml does not allow what the function called"
    elsewhere = [call for call in calls if not is_at_home(call)]
    copying = replace(LOCAL, copy_regions=tuple(sorted({call.Region for call in elsewhere if call.Account == ACCOUNT})))
    copies = iam.read(roles(copying)["FunctionRole"]) if copying.copy_regions else None
    for call in elsewhere:
        place = Place(region=call.Region, account=call.Account)
        [statements] = roles(place, TARGET_FILE).values()
        refused = rights.refused(iam.read(statements), [call], place)
        # In its own account the function copies with its own role; a target there has the other one.
        if refused and copies and call.Account == ACCOUNT:
            refused = rights.refused(copies, [call], LOCAL.there(call.Region))
        assert refused == [], "no role of the templates allows what the function called"


def is_at_home(call: Call) -> bool:
    """Whether a call was made in the function's own account and Region."""
    return (call.Account, call.Region) == (ACCOUNT, REGION)
