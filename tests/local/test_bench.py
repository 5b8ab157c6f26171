"""What `make bench` measures with: the endpoint's buckets, delays, connections and TLS; figures, memory; boto3's script."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import SSLError

import bench_run
import wire
from account import Account
from answers import outcome
from certificates import Certificates
from figures import Figure, amount_text, ratio_text, show
from local_aws import REGION, LocalAws
from process_memory import peak_mb
from switches import Switches
from wire import BUCKETS, Bucket, Call, Intervention

NOW = datetime.now(timezone.utc)
BACKUP_TAG, OWN_TAG = ("auto-backup", "dlm"), ("ss-lifecycle", "true")
MOTO_PATH = "/moto-api/state-manager/get-transition?model_name=x"
# What boto3's standard mode makes of a call.
ATTEMPTS = 3


def test_a_figure_is_met_up_to_its_bound_and_a_bound_of_nought_by_nought() -> None:
    def met(ours: float, theirs: float, times_max: float = 1.0) -> bool:
        return Figure("time", "s", ours, "bound", theirs, times_max).is_met

    assert [met(62, 62), met(62.1, 62)] == [True, False]
    assert [met(29, 450, 1 / 15), met(31, 450, 1 / 15)] == [True, False]
    assert [met(0, 0), met(1, 0)] == [True, False]


def test_the_table_says_what_ours_theirs_the_ratio_and_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    show("Title", [Figure("time", "ms", 19, "boto3", 433, 1 / 15), Figure("throttled calls", "", 3, "bound", 0)])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["time", "19", "ms", "boto3", "433", "ms", "1/22.8", "1/15", "ok"] in rows
    assert ["throttled", "calls", "3", "bound", "0", "-", "1", "missed"] in rows


def test_amounts_and_ratios_have_as_many_digits_as_mean_something() -> None:
    assert [amount_text(amount, "s") for amount in (0.01234, 6.4, 61.25, 433.4)] == ["0.0123 s", "6.4 s", "61.2 s", "433 s"]
    assert [ratio_text(ratio) for ratio in (0.0437, 0.747, 1.0, 1.024)] == ["1/22.9", "0.747", "1", "1.02"]


@pytest.mark.parametrize("action", ["CreateSnapshot", "CreateSnapshots", "DeleteSnapshot"])
def test_a_bucket_of_ec2_gives_a_hundred_calls_and_five_a_second(action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(wire.time, "monotonic", lambda: clock[0])
    bucket = Bucket(*BUCKETS[action])
    assert [bucket.take() for _ in range(101)] == [True] * 100 + [False]
    given = 0
    for _ in range(60 * 8):
        clock[0] += 0.125
        given += bucket.take()
    assert given == 5 * 60
    clock[0] += 3600
    assert sum(bucket.take() for _ in range(200)) == 100, "it holds no more than its capacity"


def test_each_action_has_a_bucket_of_its_own(aws: LocalAws, ec2: Any, account: Account) -> None:
    aws.switches.change({"BUCKETS": True})
    volume, nobody = account.add_volume(), "snap-0123456789abcdef0"
    while outcome(ec2.create_snapshot, VolumeId=volume) == "made":
        pass
    assert {outcome(ec2.delete_snapshot, SnapshotId=nobody) for _ in range(100)} == {("InvalidSnapshot.NotFound", 400)}
    instance = {"InstanceId": account.add_instance()}
    assert {outcome(ec2.create_snapshots, InstanceSpecification=instance) for _ in range(50)} == {"made"}


def test_calls_at_the_same_time_share_the_delay(aws: LocalAws, ec2: Any) -> None:
    aws.switches.change({"LATENCY_MS": 200})
    began = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: ec2.describe_volumes(MaxResults=5), range(10)))
    assert 0.2 <= time.monotonic() - began < 1.5
    assert all(call.Milliseconds >= 200 for call in aws.wire.calls_since(0))


def test_a_connection_stays_open_for_the_next_call(aws: LocalAws) -> None:
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"))
    sockets = []
    for path, status in (("/opendlm-local/switches", 200), ("/opendlm-local/nothing", 404), (MOTO_PATH, 200)):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, len(answer.read())) == (status, int(answer.headers["Content-Length"]))
        sockets.append(connection.sock)
    assert sockets[0] is not None and sockets == [sockets[0]] * 3


def test_the_endpoint_speaks_tls_to_those_who_trust_its_authority(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    with LocalAws(Switches(), tls=certificates.server) as aws:
        assert aws.url.startswith("https://")
        assert rows_by(aws, str(certificates.authorities)) == []
        with pytest.raises(SSLError):
            rows_by(aws, True)


def rows_by(aws: LocalAws, verify: Any) -> list[Any]:
    """What a client that trusts so much sees."""
    client = boto3.client(
        "ec2", region_name=REGION, endpoint_url=aws.url, aws_access_key_id="x", aws_secret_access_key="x", verify=verify
    )
    return client.describe_volumes()["Volumes"]


def test_the_peak_of_a_process_is_its_own_and_not_that_of_its_parent() -> None:
    ballast = bytearray(100_000_000)
    ballast[:: os.sysconf("SC_PAGE_SIZE")] = b"x" * len(ballast[:: os.sysconf("SC_PAGE_SIZE")])
    with subprocess.Popen(["sleep", "60"]) as child:
        time.sleep(0.2)
        peak = peak_mb(child.pid)
        child.kill()
    assert 0 < peak < 50 < peak_mb()


class Busy(Intervention):
    """Throttles as many calls for each resource as boto3 makes before it gives up."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def arrives(self, call: Call) -> str | None:
        resource = {"CreateSnapshot": "VolumeId", "DeleteSnapshot": "SnapshotId"}.get(call.Action)
        if resource is None:
            return None
        self._seen[call.Parameters[resource]] += 1
        return "RequestLimitExceeded" if self._seen[call.Parameters[resource]] <= ATTEMPTS else None


def test_the_script_does_opendlms_job_however_often_it_is_throttled(aws: LocalAws, account: Account) -> None:
    aws.switches.change({"SNAP_SECONDS": 0.2})
    aws.wire.interventions = [Busy()]
    volumes = [account.add_volume(dict([BACKUP_TAG])) for _ in range(4)]
    other = account.add_volume()
    oldest = {account.add_snapshot(volume, NOW - timedelta(days=9), tags=dict([OWN_TAG])) for volume in volumes}
    kept = {account.add_snapshot(volume, NOW - timedelta(days=1), tags=dict([OWN_TAG])) for volume in volumes}
    kept |= {account.add_snapshot(volume, NOW - timedelta(days=20)) for volume in [*volumes, other]}
    told = script(aws, "2")
    assert (told["made"], told["deleted"]) == (4, 4)
    assert told["given_up"] == 8 and told["peak_mb"] > 1
    left = account.snapshots()
    assert kept <= set(left) and not oldest & set(left)
    assert Counter(each.volume for id, each in left.items() if id not in kept) == Counter(volumes)


def script(aws: LocalAws, count: str) -> dict[str, Any]:
    """Run the script and return what it tells."""
    command = [sys.executable, str(bench_run.SCRIPT), *BACKUP_TAG, count]
    environment = {**aws.environment(), "PATH": os.environ.get("PATH", os.defpath)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
