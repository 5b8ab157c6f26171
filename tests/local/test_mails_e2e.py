"""The mails of runs that fail, as the real chain sends them: thirteen reasons, each one mail, each with what somebody needs.

`OPENDLM_MAILS=FOLDER` writes them there, to be read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import failing
from chain import Chain, Execution
from local_aws import ACCOUNT, REGION

COLUMNS_MAX = 76


@pytest.mark.parametrize(("run", "headline", "parts"), failing.RUNS, ids=[run.__name__ for run, *_ in failing.RUNS])
def test_a_run_that_fails_is_one_mail_that_says_what_it_means_and_what_to_do(
    local: Chain, run: Callable[[Chain], Execution], headline: str, parts: tuple[str, ...]
) -> None:
    execution = run(local)
    assert execution.status() == "FAILED", execution.output()
    [mail] = local.post.mails(execution.arn)
    keep(run.__name__, f"Subject: {mail.subject}\n\n{mail.text}\n")
    # SNS API reference, Publish.
    assert re.fullmatch(rf"opendlm, {re.escape(headline)}: policy-\w+", mail.subject) and len(mail.subject) < 100
    [id] = re.findall(r"policy-\w+$", mail.subject)
    run_now = f"\nRun now:  opendlm start {id} --wait\n"
    assert ("MISSING" in headline) == mail.text.startswith("BACKUPS") == (run_now in mail.text)
    assert f"\nRegion:   export AWS_REGION={REGION}\n" in mail.text and f"\nIts runs: opendlm runs {id}\n" in mail.text
    flat = " ".join(mail.text.split())
    for part in ("Policy: policy-", f"account {ACCOUNT} in {REGION}", "What failed: ", "What to do: ", *parts):
        assert part in flat, mail.text
    # All but the command can be read on a telephone.
    lines = [line for line in mail.text.splitlines() if not line.startswith("More: ")]
    assert all(len(line) <= COLUMNS_MAX or len(line.split()) == 1 for line in lines), mail.text
    assert mail.text.endswith(f"--region {REGION} --execution-arn {execution.arn}")


def keep(name: str, text: str) -> None:
    """Write a mail where somebody wants to read it."""
    if folder := os.environ.get("OPENDLM_MAILS"):
        (Path(folder) / f"{name}.txt").write_text(text)
