"""The job of opendlm as people write it with boto3: what `make bench` compares opendlm with.

    python peer_script.py TAG_KEY TAG_VALUE COUNT

Snapshots of the volumes with the tag, from a pool of 16 threads; a wait until they are complete; then everything goes that
exceeds the count. boto3 retries as it does by default. It gives up a call after some attempts, so the script goes over what is
left again until all of it is done, which is more than most scripts do. The last line of its output tells what it did, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from process_memory import peak_mb

THREADS = 16
# The tag by which the script knows its own snapshots.
OWN_TAG = {"Key": "ss-lifecycle", "Value": "true"}
# boto3's waiter looks every 15 s where nothing is said; a second is the best that can be said for the script.
WAIT_SECONDS, WAITS_MAX = 1, 600
# Before the script goes over what is left.
PAUSE_SECONDS = 1
# A bound for calls that fail whatever the script does.
ROUNDS_MAX = 1000


def main() -> None:
    """Make, wait, delete."""
    key, value, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    ec2 = boto3.client("ec2", config=Config(max_pool_connections=THREADS))
    with ThreadPoolExecutor(THREADS) as pool:
        pages = ec2.get_paginator("describe_volumes").paginate(Filters=[{"Name": f"tag:{key}", "Values": [value]}])
        volumes = [volume["VolumeId"] for page in pages for volume in page["Volumes"]]
        made, given_up = all_of(pool, lambda volume: create(ec2, volume), volumes)
        if made:
            waiter = ec2.get_waiter("snapshot_completed")
            waiter.wait(SnapshotIds=made, WaiterConfig={"Delay": WAIT_SECONDS, "MaxAttempts": WAITS_MAX})
        surplus = surplus_of(ec2, set(volumes), count)
        deleted, given_up_too = all_of(pool, lambda snapshot: delete(ec2, snapshot), surplus)
    mode = (ec2.meta.config.retries or {}).get("mode", "legacy")
    told = {"made": len(made), "deleted": len(deleted), "given_up": given_up + given_up_too}
    print(json.dumps({**told, "peak_mb": peak_mb(), "retry_mode": mode}))


def all_of(pool: ThreadPoolExecutor, call: Callable[[str], str | None], ids: Iterable[str]) -> tuple[list[str], int]:
    """Call for each id, again for those that failed, and tell how many calls boto3 gave up."""
    done, given_up, left = [], 0, list(ids)
    for _ in range(ROUNDS_MAX):
        answers = list(zip(left, pool.map(call, left)))
        done += [answer for _, answer in answers if answer]
        left = [id for id, answer in answers if not answer]
        given_up += len(left)
        if not left:
            break
        time.sleep(PAUSE_SECONDS)
    return done, given_up


def create(ec2: Any, volume: str) -> str | None:
    """Begin a snapshot of a volume; nothing where the call failed."""
    tags = [{"ResourceType": "snapshot", "Tags": [OWN_TAG]}]
    try:
        return ec2.create_snapshot(VolumeId=volume, Description=f"backup of {volume}", TagSpecifications=tags)["SnapshotId"]
    except ClientError:
        return None


def delete(ec2: Any, snapshot: str) -> str | None:
    """Delete a snapshot; nothing where the call failed."""
    try:
        ec2.delete_snapshot(SnapshotId=snapshot)
    except ClientError as failure:
        return snapshot if failure.response["Error"]["Code"] == "InvalidSnapshot.NotFound" else None
    return snapshot


def surplus_of(ec2: Any, volumes: set[str], count: int) -> list[str]:
    """What exceeds the count, volume by volume, oldest first."""
    wanted = [{"Name": f"tag:{OWN_TAG['Key']}", "Values": [OWN_TAG["Value"]]}, {"Name": "status", "Values": ["completed"]}]
    pages = ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=wanted)
    held = defaultdict(list)
    for snapshot in (each for page in pages for each in page["Snapshots"]):
        if snapshot["VolumeId"] in volumes:
            held[snapshot["VolumeId"]].append(snapshot)
    surplus = []
    for snapshots in held.values():
        snapshots.sort(key=lambda each: each["StartTime"])
        surplus += [each["SnapshotId"] for each in snapshots[: max(len(snapshots) - count, 0)]]
    return surplus


if __name__ == "__main__":
    main()
