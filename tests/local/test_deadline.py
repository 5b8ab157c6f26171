"""The function is handed events by other tools than Lambda, whose deadlines mean nothing."""

from __future__ import annotations

import events
import sample_account
from account import Account
from chain import bootstrap_path
from local_aws import LocalAws
from rie import ROOT
from runtime_api import RuntimeApi


def test_a_deadline_of_1970_is_none(aws: LocalAws, account: Account) -> None:
    """What `cargo lambda invoke` sends."""
    event = events.load(ROOT / "events" / "sample.json")
    sample_account.seed(account, event, events.now_to_the_second())
    before = set(account.snapshots())
    with RuntimeApi(event, deadline=0.0) as api:
        output = api.start(bootstrap_path(), aws.environment())
    assert len(set(account.snapshots()) - before) == 3, output
