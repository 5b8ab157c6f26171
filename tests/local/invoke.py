"""`make invoke`: one invocation of the function, a single turn, and its answer.

    python tests/local/invoke.py EVENT [--bootstrap PATH]

Without AWS_ENDPOINT_URL the function sees a local account that is made for the event and gone afterwards. With it, it sees
what is there: `serve.py`, or any EC2-compatible endpoint.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import events
import sample_account
import switches
from account import Account
from chain import bootstrap_path
from local_aws import LocalAws
from rie import ROOT, Function, NotPrepared

LOG_LINES_SHOWN = 200

# What of the caller's own environment reaches the function, besides what the emulator needs.
PASSED_ON = ("AWS_", "OPENDLM_")


def main() -> int:
    """Invoke once; the exit code tells whether the function failed."""
    arguments = read_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    prepared = events.as_is(events.load(arguments.event), events.now_to_the_second())
    for note in prepared.notes:
        print(note, file=sys.stderr)
    with contextlib.ExitStack() as stack:
        environment = stack.enter_context(endpoint(prepared.event))
        function = stack.enter_context(Function(arguments.bootstrap, environment))
        invocation = function.invoke(json.dumps(prepared.event, ensure_ascii=False).encode())
    if invocation.failed or arguments.log:
        print(function.log.tail(LOG_LINES_SHOWN), file=sys.stderr)
    print(json.dumps(invocation.payload, indent=2, ensure_ascii=False))
    return 1 if invocation.failed else 0


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Invoke the function once, as Lambda does.")
    parser.add_argument("event", nargs="?", type=Path, default=ROOT / "events" / "sample.json")
    parser.add_argument("--bootstrap", type=Path, default=bootstrap_path(), help="the function to run")
    parser.add_argument("--log", action="store_true", help="show what the function logged, as after a failure")
    return parser.parse_args()


@contextlib.contextmanager
def endpoint(event: Any) -> Iterator[Mapping[str, str]]:
    """The environment that points the function at its AWS."""
    if os.environ.get("AWS_ENDPOINT_URL"):
        yield {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
        return
    with LocalAws(switches.from_environment()) as aws:
        sample_account.seed(Account(aws), event, events.start_of(event) or events.now_to_the_second())
        yield aws.environment()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotPrepared as missing:
        sys.exit(str(missing))
