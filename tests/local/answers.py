"""What came of a call, for the tests of the local AWS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def code_of(call: Any, **parameters: Any) -> tuple[str, int]:
    """The error code and the HTTP status that a call ends with."""
    with pytest.raises(ClientError) as failure:
        call(**parameters)
    response = failure.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def error_of(call: Any, **parameters: Any) -> tuple[str, int, str]:
    """The error code, the HTTP status and the message that a call ends with."""
    with pytest.raises(ClientError) as failure:
        call(**parameters)
    response = failure.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


def outcome(call: Any, **parameters: Any) -> Any:
    """`made`, or the error code with its HTTP status."""
    try:
        call(**parameters)
    except ClientError as failure:
        return failure.response["Error"]["Code"], failure.response["ResponseMetadata"]["HTTPStatusCode"]
    return "made"


def snapshot_tags(*tags: tuple[str, str]) -> list[dict[str, Any]]:
    """A TagSpecification for a snapshot."""
    return [{"ResourceType": "snapshot", "Tags": [{"Key": key, "Value": value} for key, value in tags]}]


def tags_in(row: dict[str, Any]) -> dict[str, str]:
    """The tags of a row of an answer."""
    return {tag["Key"]: tag["Value"] for tag in row.get("Tags", [])}
