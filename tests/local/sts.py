"""What STS has and stock moto lacks: roles that are not there, do not trust the caller, or ask for an external id.

moto gives credentials of any role that is named. Here a role must have been set up with `trust`, and whoever asks must bring its
external id, as with the trust policy of target-role.yaml.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

from moto.iam.models import get_account_id_from

# STS API reference, AssumeRole: RoleSessionName.
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}")
# The scope of a signature: Credential=<access key>/<day>/<Region>/<service>/aws4_request.
SCOPE = re.compile(r"Credential=([^/,]+)/\d+/([^/,]+)/([a-z0-9-]+)/aws4_request")


@dataclass(frozen=True)
class Caller:
    """Whose credentials signed a request, and for what."""

    account: str
    region: str
    service: str


@dataclass(frozen=True)
class Session:
    """One AssumeRole call."""

    role: str
    external_id: str | None
    name: str
    refused: bool


def caller_of(authorization: str) -> Caller | None:
    """The caller of a signed request."""
    match = SCOPE.search(authorization)
    return Caller(get_account_id_from(match[1]), match[2], match[3]) if match else None


class Roles:
    """The roles of other accounts, by their ARN, with the external id that each asks for."""

    def __init__(self) -> None:
        self._trusted: dict[str, str | None] = {}
        self.sessions: list[Session] = []

    def reset(self) -> None:
        """No roles, and an empty log."""
        self._trusted.clear()
        self.sessions.clear()

    def trust(self, arn: str, external_id: str | None = None) -> None:
        """Set up a role that lets the function in."""
        self._trusted[arn] = external_id

    def refusal(self, form: dict[str, str]) -> tuple[int, list[tuple[str, str]], bytes] | None:
        """The answer to an AssumeRole call that the role does not let pass. Whatever is wrong, STS says the same."""
        if form.get("Action") != "AssumeRole":
            return None
        arn, external_id, name = form["RoleArn"], form.get("ExternalId"), form["RoleSessionName"]
        asked_for = self._trusted.get(arn)
        refused = arn not in self._trusted or (asked_for is not None and asked_for != external_id)
        self.sessions.append(Session(arn, external_id, name, refused))
        if not SESSION_NAME.fullmatch(name):
            return error(400, "ValidationError", f"Value '{name}' at 'roleSessionName' failed to satisfy constraint")
        if refused:
            who = "arn:aws:sts::123456789012:assumed-role/opendlm-FunctionRole/opendlm"
            return error(403, "AccessDenied", f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {arn}")
        return None


def error(status: int, code: str, message: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """An error answer as STS writes it."""
    body = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        "<RequestId>ea966190-f9aa-478e-9ede-example</RequestId></ErrorResponse>"
    )
    return status, [("Content-Type", "text/xml")], body.encode()
