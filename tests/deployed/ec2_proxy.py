"""Stands between the deployed function and MiniStack, and changes what DescribeSnapshots says.

Everything else goes through as it is, so that one endpoint serves the function for all services.
"""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

Parameters = dict[str, list[str]]
Change = Callable[[Parameters, str], str]

# What belongs to one connection, and what is counted anew.
NOT_PASSED_ON = {"connection", "content-length", "date", "host", "server", "transfer-encoding"}


def with_transfer_type(_: Parameters, answer: str) -> str:
    """`standard` on every snapshot, as EC2 answers since about the end of 2024 (../shared/wire/describe-snapshots, 12 to 17)."""
    return re.sub(r"(<snapshotId>[^<]*</snapshotId>)", r"\1<transferType>standard</transferType>", answer)


def hiding_what_is_made(asked: Parameters, answer: str) -> str:
    """No snapshot in any listing, as of an endpoint that does not filter as EC2 does; those that are asked for by id are shown."""
    if any(name.startswith("SnapshotId.") for name in asked):
        return answer
    return re.sub(r"<snapshotSet>.*</snapshotSet>", "<snapshotSet/>", answer, flags=re.DOTALL)


class Ec2Proxy:
    """A running proxy with one change. Use it in a `with`. `changed` counts the answers that came out otherwise."""

    def __init__(self, behind: str, change: Change) -> None:
        self.changed = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self, behind, change))

    @property
    def endpoint(self) -> str:
        """What the function is to take for AWS."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Ec2Proxy:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self) -> None:
        """One more answer was changed."""
        with self._lock:
            self.changed += 1


def handler(proxy: Ec2Proxy, behind: str, change: Change) -> type[BaseHTTPRequestHandler]:
    """What answers the requests."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, answer = forward(behind + self.path, dict(self.headers.items()), body)
            asked = parse_qs(body.decode(errors="replace"))
            if status == 200 and asked.get("Action") == ["DescribeSnapshots"]:
                changed = change(asked, answer.decode()).encode()
                if changed != answer:
                    proxy.count()
                answer = changed
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in NOT_PASSED_ON:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Says nothing: MiniStack has a log."""

    return Handler


def forward(address: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Ask MiniStack, without any proxy of the user's."""
    passed_on = {name: value for name, value in headers.items() if name.lower() not in NOT_PASSED_ON}
    request = urllib.request.Request(address, body, {**passed_on, "Accept-Encoding": "identity"}, method="POST")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return answer.status, dict(answer.headers.items()), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers.items()), error.read()
