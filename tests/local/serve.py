"""Serve the local AWS until Ctrl-C, with an account that is made for an event, and with the stack's empty schedule group, so that `opendlm
plan`, `opendlm put` and the like can be tried.

    python tests/local/serve.py [EVENT] [--port N] [--volumes N --snapshots-each N]

Prints the `export` lines that point the AWS command line, any SDK and opendlm at it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import contract
import events
import policy_group
import sample_account
from account import Account
from chain import bootstrap_path, chain
from rie import ROOT, NotPrepared


def main() -> int:
    """Serve until a signal."""
    arguments = read_arguments()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    event = events.load(arguments.event)
    try:
        serve(event, arguments, stop)
    except NotPrepared as missing:
        sys.exit(str(missing))
    return 0


def serve(event: Any, arguments: argparse.Namespace, stop: threading.Event) -> None:
    """Serve until somebody says stop."""
    with chain(arguments.bootstrap, port=arguments.port) as running:
        aws = running.aws
        fill(running.account, event, arguments)
        policy_group.make(aws, machine=running.machine_arn)
        for name, value in aws.environment().items():
            print(f"export {name}={value}")
        print(f"# {len(aws.ec2.reservations)} instances, {len(aws.ec2.volumes)} volumes, {len(aws.ec2.snapshots)} snapshots")
        print(f"# switches: curl {aws.url}/opendlm-local/switches -d '{{\"SNAP_SECONDS\": 30}}'")
        print(f"# the EC2 calls so far: curl {aws.url}/opendlm-local/calls", flush=True)
        stop.wait()


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Serve a local EC2, Scheduler and Step Functions until Ctrl-C.")
    parser.add_argument("event", nargs="?", type=Path, default=ROOT / "events" / "sample.json")
    parser.add_argument("--bootstrap", type=Path, default=bootstrap_path(), help="the function that the state machine calls")
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    parser.add_argument("--volumes", type=int, default=0, help="this many more tagged volumes")
    parser.add_argument("--snapshots-each", type=int, default=3, help="with so many old snapshots of the policy each")
    return parser.parse_args()


def fill(account: Account, event: Any, arguments: argparse.Namespace) -> None:
    """Put the event's small account in, and a large one on demand."""
    now = events.now_to_the_second()
    sample_account.seed(account, event, now)
    if not arguments.volumes:
        return
    began = time.monotonic()
    policy, schedule = events.policy_of(event), events.schedules_of(event)[0]
    tags = dict(events.target_tags_of(event)[:1])
    description = contract.our_description(policy, schedule)
    for _ in range(arguments.volumes):
        volume = account.add_volume(tags)
        for days in range(arguments.snapshots_each, 0, -1):
            scheduled_time = contract.time_of_day(schedule, now - timedelta(days=days))
            account.add_snapshot(volume, scheduled_time, description, contract.our_tags(policy, schedule, scheduled_time))
    print(f"# filled in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
