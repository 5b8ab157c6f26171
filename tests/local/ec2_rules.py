"""What EC2 refuses: ids that are malformed or that nothing has, tags that break the rules."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any, NoReturn

from moto.ec2.exceptions import EC2ClientError

# EC2's documented limits.
TAGS_MAX = 50
TAG_KEY_MAX = 128
TAG_VALUE_MAX = 256
DESCRIPTION_MAX = 255

# What the keys of AWS's own tags begin with, in upper or lower case. Nobody else may write them.
AWS_PREFIX = "aws:"

# The prefix of each kind of id, the code for an id that is none, and the code for one that nothing has.
ID_FORMS = {
    "instance": ("i", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound"),
    "snapshot": ("snap", "InvalidSnapshotID.Malformed", "InvalidSnapshot.NotFound"),
    "volume": ("vol", "InvalidVolumeID.Malformed", "InvalidVolume.NotFound"),
}


def refuse(code: str, message: str) -> NoReturn:
    """Answer the call with an error."""
    raise EC2ClientError(code, message)


def require_ids(ids: list[str], known: Container[str], kind: str) -> None:
    """Refuse ids that are malformed or that nothing has."""
    prefix, malformed, not_found = ID_FORMS[kind]
    for id in ids:
        if not re.fullmatch(prefix + "-[0-9a-f]{8,17}", id):
            refuse(malformed, f'Invalid id: "{id}" (expecting "{prefix}-...")')
        if id not in known:
            refuse(not_found, f"The {kind} '{id}' does not exist.")


def require_description(description: str | None) -> None:
    """Refuse a description that is too long, or that is not plain ASCII: shared/wire/errors/28."""
    if not (description or "").isascii():
        said = f"Value ({description}) for parameter description is invalid. Character sets beyond ASCII are not supported."
        refuse("InvalidParameterValue", said)
    if len(description or "") > DESCRIPTION_MAX:
        refuse("InvalidParameterValue", f"Description exceeds the maximum length of {DESCRIPTION_MAX} characters")


def require_good_tags(tags: list[dict[str, str]]) -> None:
    """Refuse what EC2 refuses about the tags of one call."""
    keys = [tag.get("Key", "") for tag in tags]
    for key in keys:
        if is_of_aws(key):
            refuse("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
        if not key:
            refuse("InvalidParameterValue", "Tag key cannot be empty")
        if len(key) > TAG_KEY_MAX:
            refuse("InvalidParameterValue", f"Tag key exceeds the maximum length of {TAG_KEY_MAX} characters")
        if keys.count(key) > 1:
            refuse("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
    if any(len(tag.get("Value") or "") > TAG_VALUE_MAX for tag in tags):
        refuse("InvalidParameterValue", f"Tag value exceeds the maximum length of {TAG_VALUE_MAX} characters")
    require_tag_count(len(tags))


def require_tag_count(count: int) -> None:
    """Refuse more tags than a resource holds; AWS's own are not counted."""
    if count > TAGS_MAX:
        refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")


def is_of_aws(key: str) -> bool:
    """Whether a tag key is reserved for AWS."""
    return key.lower().startswith(AWS_PREFIX)


def tags_of(resource: Any) -> dict[str, str]:
    """A resource's tags."""
    return resource.ec2_backend.tags.get(resource.id, {})


def user_tags_of(resource: Any) -> dict[str, str]:
    """A resource's tags without those of AWS."""
    return {key: value for key, value in tags_of(resource).items() if not is_of_aws(key)}


def volume_status(volume: Any) -> str:
    """A volume's state: the one that it was seeded with, or what follows from its attachments."""
    return getattr(volume, "seeded_status", None) or volume.status


def require_usable_volume(volume: Any) -> None:
    """Refuse to snapshot a volume that is not there yet, or not any more."""
    status = volume_status(volume)
    if status not in ("available", "in-use"):
        refuse("IncorrectState", f"Volume '{volume.id}' is in the '{status}' state, expected 'available' or 'in-use'")
