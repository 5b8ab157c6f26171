"""The errors of EC2 in EC2's own words, with the HTTP status of each.

Where a real answer was seen, it is named: the numbers are those of `shared/wire/errors`. All other words are plausible, and
nobody has seen them.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

import switches

# What an error is sent as, where it is not 400. AuthFailure: 27. DryRunOperation: 02. UnauthorizedOperation: 38. The others:
# Amazon EC2 API reference, "Error codes for the Amazon EC2 API".
HTTP_STATUS = {
    "AuthFailure": 403,
    "DryRunOperation": 412,
    "InternalError": 500,
    "RequestLimitExceeded": 503,
    "ServiceUnavailable": 503,
    "Unavailable": 503,
    "UnauthorizedOperation": 403,
}

# 13, of an account whose limit was 5; by now it is 20 (shared/reference/aws-2.md, B1).
TOO_MANY_COPIES = "Too many snapshot copies in progress. The limit is {limit} for this destination region."
WORDS = {
    "DryRunOperation": "Request would have succeeded, but DryRun flag is set.",  # 02, 26
    "InternalError": "An internal error has occurred",  # 23
    "RequestExpired": "Request has expired.",  # 17
    "RequestLimitExceeded": "Request limit exceeded.",  # aws/aws-cli#1120, and many others
    "ResourceLimitExceeded": TOO_MANY_COPIES.format(limit=5),
    "SnapshotCreationPerVolumeRateExceeded": (  # 12
        "The maximum per volume CreateSnapshot request rate has been exceeded. Use an increasing or variable sleep interval "
        "between requests."
    ),
}
# The key of a copy that names none (shared/reference/aws-live.md, 3). What EC2 calls it in an error was not seen.
DEFAULT_KEY = "alias/aws/ebs"
NOT_AUTHORIZED = "You are not authorized to perform this operation."
# The role's name as SAM makes it, and a session as Lambda names it.
WHO = "assumed-role/opendlm-FunctionRole-0A1B2C3D4E5F/opendlm"
# About as long as the real ones, which 38 shows: text in the alphabet of base64 for URLs.
ENCODED_LENGTH = 1000


def words(code: str) -> str:
    """The message of an error that is the same for every call."""
    return WORDS.get(code, f"{code}, as the switches of the local endpoint ask for.")


def words_for(code: str, action: str, parameters: Mapping[str, str], account: str, region: str) -> str:
    """The message of an error about one call."""
    if code == "UnauthorizedOperation":
        return unauthorized(action, arn_of(action, parameters, account, region), account)
    if code == "AuthFailure" and action == "CopySnapshot":
        return not_authorized_for_key(parameters.get("KmsKeyId", DEFAULT_KEY))
    if code == "InvalidParameterValue" and action == "CopySnapshot":
        return invalid_key(parameters.get("KmsKeyId", DEFAULT_KEY))
    return words(code)


def words_of_dark_region(code: str, action: str, parameters: Mapping[str, str], account: str, region: str) -> str:
    """The message of an error about a Region that the account cannot use. Nobody has seen one; it does not speak of a key."""
    if code == "AuthFailure":
        return "AWS was not able to validate the provided access credentials"
    return words_for(code, action, parameters, account, region)


def invalid_key(key: str) -> str:
    """05."""
    return f"The specified keyId {key} is invalid"


def not_authorized_for_key(key: str) -> str:
    """27: a blank ends it."""
    return f"Not authorized to use key {key} "


def unauthorized(action: str, arn: str | None, account: str) -> str:
    """19, 38 and 39: who may not do what, to what, and why. How EC2 says it of a call that reads, which has no resource, and whether
    it then adds the encoded part, was not seen."""
    where = f" on resource: {arn}" if arn else ""
    who = f"User: arn:aws:sts::{account}:{WHO} is not authorized to perform: ec2:{action}{where}"
    why = f"because no identity-based policy allows the ec2:{action} action."
    return f"{NOT_AUTHORIZED} {who} {why} Encoded authorization failure message: {encoded(action + (arn or ''))}"


def encoded(text: str) -> str:
    """Text that means nothing, the same for the same call."""
    digests = [hashlib.sha256(f"{number} {text}".encode()).digest() for number in range(ENCODED_LENGTH // 32)]
    return base64.urlsafe_b64encode(b"".join(digests)).decode()[:ENCODED_LENGTH]


def arn_of(action: str, parameters: Mapping[str, str], account: str, region: str) -> str | None:
    """What a call is refused on: a snapshot that is there, one that is about to be made, whose ARN ends with a star (19), or the
    volume that a switch lets fail (38)."""
    if action.startswith(("Describe", "Get", "List")):
        return None
    volume = parameters.get("VolumeId")
    if action == "CreateSnapshot" and volume in switches.in_force().FAIL_VOLUMES:
        return f"arn:aws:ec2:{region}:{account}:volume/{volume}"
    snapshot = parameters.get("SnapshotId") if action != "CreateVolume" else None
    return f"arn:aws:ec2:{region}::snapshot/{snapshot or '*'}"
