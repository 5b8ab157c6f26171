"""The mails of runs that fail, as the real chain sends them: thirteen reasons, each one mail, each with what somebody needs.

docs/mails.md quotes most of them. `OPENDLM_MAILS=FOLDER` writes them there, with a `mails.md` in which the quotes are new.
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
from rie import ROOT

COLUMNS_MAX = 76
PAGE = ROOT / "docs" / "mails.md"
# A mail of the page, by what it is called there.
QUOTE = re.compile(r"^## ([^\n]+)\n\n```text\n(.*?)^```$", re.S | re.M)
TITLES = {
    failing.refused_volume: "EC2 refuses the snapshot of one volume",
    failing.inaccessible_key: "The key of two volumes is disabled",
    failing.no_right_to_look: "The role has lost a right",
    failing.mistyped_policy: "A mistake in the policy",
    failing.full_account: "The account's quota is used up",
    failing.closed_account: "One of two targets does not open",
    failing.nothing_targeted: "Somebody took the target tag off",
    failing.missed_time: "Nothing ran yesterday",
    failing.locked_snapshot: "An old snapshot is locked",
    failing.deletion_that_fails_inside: "EC2 fails inside at a deletion",
    failing.too_many_deletions: "More would go than is allowed",
}


@pytest.mark.parametrize(("run", "headline", "parts"), failing.RUNS, ids=[run.__name__ for run, *_ in failing.RUNS])
def test_a_run_that_fails_is_one_mail_that_says_what_it_means_and_what_to_do(
    local: Chain, run: Callable[[Chain], Execution], headline: str, parts: tuple[str, ...]
) -> None:
    execution = run(local)
    assert execution.status() == "FAILED", execution.output()
    [mail] = local.post.mails(execution.arn)
    whole = f"Subject: {mail.subject}\n\n{mail.text}\n"
    keep(run, whole)
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
    if run in TITLES:
        quote = dict(QUOTE.findall(PAGE.read_text()))[TITLES[run]]
        assert sameness(whole)[: len(sameness(quote))] == sameness(quote), f"{PAGE.name} does not quote it: {mail.text}"


def test_the_page_quotes_these_mails_and_no_others() -> None:
    assert [title for title, _ in QUOTE.findall(PAGE.read_text())] == list(TITLES.values())


def sameness(text: str) -> list[str]:
    """The words of a mail, without what differs from run to run."""
    text = re.sub(r"\b(vol|snap|i)-[0-9a-f]+", r"\1-X", text)
    return [re.sub(r"\d+", "N", word) for word in re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "X", text).split()]


def keep(run: Callable[[Chain], Execution], whole: str) -> None:
    """Write a mail where somebody wants to read it, and into the page that is begun there."""
    if not (named := os.environ.get("OPENDLM_MAILS")):
        return
    folder = Path(named)
    (folder / f"{run.__name__}.txt").write_text(whole)
    page = folder / PAGE.name
    text = page.read_text() if page.exists() else PAGE.read_text()
    if title := TITLES.get(run):
        is_first = title == next(iter(TITLES.values()))
        shown = whole if is_first else whole[: whole.index("\nMore: ") + 1]
        page.write_text(QUOTE.sub(lambda quote: f"## {title}\n\n```text\n{shown}```" if quote[1] == title else quote[0], text))
