"""Connections that stay open between calls, as EC2's do.

Werkzeug closes every connection, because an application might leave a part of a request unread in it. Here all of a request is
read before the application sees it, and its whole answer is known before the first byte goes out.
"""

from __future__ import annotations

import io
import time
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

import switches


class ConnectionBroken(ConnectionError):
    """The application wants this connection to end without an answer."""


class KeepAliveHandler(MotoRequestHandler):
    """Answers one request after another on a connection."""

    protocol_version = "HTTP/1.1"
    # Head and body in one piece: a body that waits for the acknowledgement of its head comes 40 ms late.
    wbufsize = -1
    disable_nagle_algorithm = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date of an answer, by a clock that the switches may set."""
        now = time.time() + switches.in_force().CLOCK_AHEAD_SECONDS
        return super().date_time_string(now if timestamp is None else timestamp)

    def run_wsgi(self) -> None:
        """Answer one request."""
        if "Transfer-Encoding" in self.headers or "Expect" in self.headers:
            # Rare here; the connection is closed after it.
            super().run_wsgi()
            return
        self.environ = environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        status, headers, body = self.answer(environ)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if environ["REQUEST_METHOD"] != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def answer(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        """The application's whole answer. A defect of the application is an answer too, and ends the connection."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _failure: Any = None) -> None:
            started[:] = [status, headers]

        try:
            body = b"".join(self.server.app(environ, start_response))
            return started[0], started[1], body
        except ConnectionBroken:
            # Werkzeug takes it as a client that is gone, and closes the connection.
            self.close_connection = True
            raise
        except Exception as defect:  # noqa: BLE001 - whatever it is, the client hears of it
            self.close_connection = True
            return "500 Internal Server Error", [("Content-Type", "text/plain"), ("Connection", "close")], repr(defect).encode()
