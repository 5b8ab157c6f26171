"""CopySnapshot: what EC2 refuses, and what it accepts though nothing good comes of it.

The numbers are those of `shared/wire/errors`, where no other folder is named.
"""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from moto.backends import get_backend
from moto.ec2.models.elastic_block_store import Snapshot
from moto.ec2.utils import random_snapshot_id

import snapshot_life
import switches
from ec2_errors import DEFAULT_KEY, TOO_MANY_COPIES, WORDS, invalid_key, not_authorized_for_key
from ec2_rules import refuse, require_description
from ec2_snapshots import NO_VOLUME
from ec2_xml import XML, copied_answer

Answer = tuple[int, dict[str, str], str]

# CopySnapshot, CompletionDurationMinutes: shared/reference/aws-live.md, 3, "15 minutes asked".
DURATION_STEP, DURATION_MAX = 15, 2880
# The id of a key, as the last part of its ARN: describe-snapshots/17. One of several Regions begins with `mrk-`.
KEY_ID = re.compile("(mrk-)?[0-9a-f-]{32,36}")


def copy_snapshot(self: Any) -> Answer:
    """CopySnapshot: a source that is unfit is accepted, and the copy ends in error (shared/reference/aws-live.md, 3)."""
    backend = self.ec2_backend
    require_copy(self)
    tags = self._parse_tag_specification().get("snapshot", {})
    require_free_place(backend)
    source = source_of(backend, self._get_param("SourceSnapshotId"), self._get_param("SourceRegion"))
    require_encryption_for_key(self, source)
    copy = copy_of(self, source)
    backend.snapshots[copy.id] = copy
    backend.tags[copy.id].update(tags)
    return 200, XML, copied_answer(copy.id, tags)


def require_copy(call: Any) -> None:
    """What EC2 refuses at once: 22 to 25, 36, 37, 04, 05 and 27."""
    id, region = call._get_param("SourceSnapshotId"), call._get_param("DestinationRegion")
    require_description(call._get_param("Description"))
    if not id:
        refuse("MissingParameter", "The request must contain the parameter SourceSnapshotId")
    if not call._get_param("SourceRegion"):
        # The caller's mistake, answered as EC2's.
        refuse("InternalError", WORDS["InternalError"])
    if not is_anywhere(id):
        refuse("InvalidParameterValue", "The specified snapshotId is invalid")
    here = call.ec2_backend.region_name
    if region and region != here:
        refuse("InvalidParameterValue", f"DestinationRegion '{region}' does not match the current region ({here}).")
    if url := call._get_param("PresignedUrl"):
        require_url(url, id)
    minutes = call._get_param("CompletionDurationMinutes")
    if minutes is not None and not (int(minutes) % DURATION_STEP == 0 and DURATION_STEP <= int(minutes) <= DURATION_MAX):
        refuse("InvalidParameterValue", f"Invalid value '{minutes}' for completionDurationMinutes.")
    key = call._get_param("KmsKeyId")
    if (state := switches.in_force().KEYS.get(key)) == "denied":
        refuse("AuthFailure", not_authorized_for_key(key))
    elif state in ("disabled", "missing"):
        refuse("InvalidParameterValue", f"The specified keyId {key} is disabled" if state == "disabled" else invalid_key(key))


def require_encryption_for_key(call: Any, source: Any) -> None:
    """Refuse a key for a copy that would not be encrypted: shared/reference/aws-2.md, B1, KmsKeyId. The code and the words are those
    that EC2 documents for CreateVolume; of a copy nobody has seen them."""
    if call._get_param("KmsKeyId") and source and not is_encrypted_copy(call, source):
        refuse("InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")


def require_free_place(backend: Any) -> None:
    """Refuse one copy too many in the destination: 13. Its HTTP status is not known."""
    limit = switches.in_force().COPIES_MAX
    if sum(each.is_copy and each.status == "pending" for each in backend.snapshots.values()) >= limit:
        refuse("ResourceLimitExceeded", TOO_MANY_COPIES.format(limit=limit))


def require_url(url: str, source: str) -> None:
    """What EC2 reads in a presigned URL; nobody checks its signature."""
    if urlsplit(url).scheme not in ("http", "https"):
        refuse("InvalidParameterValue", "The protocol in PresignedUrl should be http or https")
    [named] = parse_qs(urlsplit(url).query).get("SourceSnapshotId", [source])
    if named != source:
        refuse(
            "InvalidParameterValue",
            f"The source snapshot specified in PresignedUrl '{named}' does not match the source snapshot in the request: '{source}'",
        )


def is_anywhere(id: str) -> bool:
    """Whether any account has a snapshot of this id in any Region, or had one. What EC2 says of an id that is deleted was not
    seen; here it is a source that is not found, and no id that is invalid."""
    return any(id in snapshot_life.ids_ever(region) for account in get_backend("ec2").values() for region in account.values())


def source_of(backend: Any, id: str, region: str) -> Any:
    """The source of a copy as the caller may see it in a Region, or nothing."""
    for account, regions in get_backend("ec2").items():
        found = regions[region].snapshots.get(id) if region in regions else None
        if found is None:
            continue
        shared_with = found.create_volume_permission_userids | found.create_volume_permission_groups
        if account == backend.account_id or shared_with & {backend.account_id, "all"}:
            return found
    return None


def copy_of(call: Any, source: Any) -> Any:
    """The copy, as it will be in the end."""
    backend, in_force, key = call.ec2_backend, switches.in_force(), call._get_param("KmsKeyId")
    encrypted = is_encrypted_copy(call, source)
    volume = SimpleNamespace(id=NO_VOLUME, size=source.volume.size if source else 0, kms_key_id=None)
    arn = key_arn(backend, key) if encrypted else None
    copy = Snapshot(backend, random_snapshot_id(), volume, call._get_param("Description") or "", encrypted, arn)
    copy.is_copy = True
    copy.end_time = copy.start_time + timedelta(seconds=in_force.seconds_of_copy())
    copy.full_size = snapshot_life.full_size_bytes(source) if source else None
    copy.error_message = why_it_fails(source, backend.region_name, in_force, key)
    copy.ends_in_error = copy.error_message is not None
    copy.is_source_unread = copy.error_message in (snapshot_life.NOT_COMPLETE, snapshot_life.NOT_FOUND)
    if minutes := call._get_param("CompletionDurationMinutes"):
        copy.transfer_type, copy.completion_minutes = "time-based", int(minutes)
    return copy


def is_encrypted_copy(call: Any, source: Any) -> bool:
    """Whether the copy is encrypted. Encrypted=false is ignored where the source is encrypted: aws-live.md, 3."""
    return str(call._get_param("Encrypted")).lower() == "true" or bool(source and source.encrypted)


def why_it_fails(source: Any, destination: str, in_force: switches.Switches, key: str | None) -> str | None:
    """What the copy will say when it has failed, or nothing where it will not."""
    if source is None:
        return snapshot_life.NOT_FOUND
    # An archived source cannot be copied (shared/reference/aws-2.md, B1); in which words was not seen.
    if snapshot_life.status(source) != "completed" or source.storage_tier == "archive":
        return snapshot_life.NOT_COMPLETE
    if in_force.KEYS.get(key or "") == "inaccessible":
        return snapshot_life.KEY_INACCESSIBLE
    planned = (in_force.ERROR_MESSAGES.get(source.id), *(in_force.ERROR_COPIES.get(each) for each in (source.volume.id, destination)))
    return next(filter(None, planned), None)


def key_arn(backend: Any, named: str | None) -> str:
    """The ARN of a key that a call names by its id, its alias or the ARN of either; without a name the default key of the account in
    the Region of the copy, whatever the source has (aws-live.md, 3, "key when none is named"). It is always the ARN of a key, never
    of an alias: describe-snapshots/17, 30."""
    if named and ":key/" in named:
        return named
    # An alias is the same key, also where the call gives its ARN.
    name = (named or DEFAULT_KEY).rpartition(":")[2]
    id = name if KEY_ID.fullmatch(name) else uuid.uuid5(uuid.NAMESPACE_URL, name)
    return f"arn:aws:kms:{backend.region_name}:{backend.account_id}:key/{id}"
