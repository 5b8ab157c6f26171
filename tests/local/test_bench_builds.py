"""What `bench.py builds` measures with: the runtime API, the figures of a start, and the table."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

import bench_builds
from account import Account
from bench_builds import Bench, Measure, Row, cell_text, instructions, zipped_bytes
from events import load
from local_aws import LocalAws
from runtime_api import FunctionFailed, Phase, RuntimeApi, Start

ASKS = """
import http.client, os, sys, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
print("starts", flush=True)
while time.process_time() < 0.1:
    pass
api.request("GET", "/2018-06-01/runtime/invocation/next")
got = api.getresponse()
event, request = got.read(), got.headers["Lambda-Runtime-Aws-Request-Id"]
"""
ANSWERS = """
time.sleep(0.3)
api.request("POST", f"/2018-06-01/runtime/invocation/{request}/response", event)
api.getresponse()
"""
FAILS = """
api.request("POST", f"/2018-06-01/runtime/invocation/{request}/error", b"no such policy")
api.getresponse()
"""


def start(code: str, api: RuntimeApi) -> Start:
    """A start of a function in Python."""
    return api.start([sys.executable, "-c", code], {}, {"Policy": {}})


def test_a_start_ends_when_the_function_asks_and_the_answer_when_it_answers() -> None:
    with RuntimeApi() as api:
        for _ in range(2):
            found = start(ASKS + ANSWERS, api)
            assert found.init.seconds >= 0.1 and 0.1 <= found.init.cpu_seconds < 1
            assert found.answer.seconds >= 0.3 > found.answer.cpu_seconds
            assert found.peak_mb > 1 and found.output == "starts\n"


@pytest.mark.parametrize("end, reason", [(FAILS, "no such policy"), ("sys.exit(7)", "exit code 7")])
def test_a_function_that_does_not_answer_is_no_figure(end: str, reason: str) -> None:
    with RuntimeApi() as api:
        with pytest.raises(FunctionFailed, match=reason):
            start(ASKS + end, api)
        assert start(ASKS + ANSWERS, api).output == "starts\n"


def test_builds_are_started_in_turn_and_the_first_round_does_not_count(tmp_path: Path) -> None:
    order: list[str] = []

    class Api(RuntimeApi):
        def __init__(self) -> None:
            pass

        def start(self, command, environment, event):  # type: ignore[no-untyped-def]
            order.append(" ".join(Path(part).name for part in command))
            phase = Phase(100.0 if len(order) <= 2 else float(len(order)), 0.0)
            return Start(phase, phase, 0.0, "")

    builds = [tmp_path / "a", tmp_path / "b"]
    forgotten: list[Path] = []
    measure = Measure("time", "s", lambda start: start.init.seconds)
    (row,) = Bench(Api(), builds, {}).rows([measure], {}, 3, before=forgotten.append, prefix=["count"])
    assert order == ["count a", "count b"] * 4 and forgotten == builds * 4
    assert row == Row("time", "s", [5.0, 6.0])


def test_instructions_are_what_valgrind_counted() -> None:
    assert instructions("{}\n==7== \n==7== I   refs:      23,756,228\n") == 23_756_228
    with pytest.raises(ValueError, match="counted nothing"):
        instructions("==7== Process terminating")


def test_a_build_has_the_size_of_the_zip_that_is_deployed(tmp_path: Path) -> None:
    bootstrap, package = tmp_path / "bootstrap", tmp_path / "package.zip"
    bootstrap.write_bytes(b"opendlm" * 10_000)
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.write(bootstrap, "bootstrap")
    assert zipped_bytes(bootstrap) == package.stat().st_size < 1_000
    bench_builds.forget(bootstrap)
    assert bootstrap.read_bytes() == b"opendlm" * 10_000


def test_each_build_stands_beside_the_first_one(capsys: pytest.CaptureFixture[str]) -> None:
    bench_builds.introduce([Path(name) for name in "abcdefgh"])
    bench_builds.show([Row("start: time", "ms", [8.0] * 8)])
    assert [line.count(word) for line, word in zip(capsys.readouterr().out.splitlines()[-2:], ["build", "8 ms 1.000"])] == [8, 8]
    row = Row("start: time", "ms", [8.0, 10.0])
    assert [cell_text(amount, row) for amount in row.amounts] == ["8 ms 1.000", "10 ms 1.250"]
    assert cell_text(23.54, Row("instructions", "", [47.08, 23.54])) == "23.5 0.500"


def test_the_large_account_belongs_to_the_policy(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_builds, "VOLUMES", 3)
    account = Account(aws)
    bench_builds.fill(account, load(bench_builds.bench_start.EVENT))
    assert len(account.volumes()) == 3 and len(account.snapshots()) == 3 * bench_builds.SNAPSHOTS_EACH
    assert {each.status for each in account.snapshots().values()} == {"completed"}
