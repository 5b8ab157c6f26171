"""What the tests share: one local AWS, or one chain, for all tests of a file; empty and healthy for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from account import Account
from case import FAST
from chain import Chain, bootstrap_path, chain
from local_aws import LocalAws
from switches import Switches


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


@pytest.fixture(scope="module")
def running() -> Iterator[Chain]:
    """One chain for all tests of a file."""
    with chain(bootstrap_path()) as started:
        yield started


@pytest.fixture
def local(running: Chain) -> Chain:
    """The chain with an empty account, healthy and fast."""
    running.aws.switches.change({**Switches().shown(), **FAST})
    running.aws.reset()
    running.function.invocations.clear()
    return running
