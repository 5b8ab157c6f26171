"""CreateSnapshot and DeleteSnapshot, and what EC2 refuses of them.

The numbers are those of `shared/wire/errors`, where no other folder is named.
"""

from __future__ import annotations

from typing import Any

import ec2_images
from ec2_errors import NOT_AUTHORIZED
from ec2_rules import refuse, require_description, require_ids, require_usable_volume
from ec2_xml import XML, created_answer, return_answer

Answer = tuple[int, dict[str, str], str]

# EC2 gives every copy this volume id, whatever it was copied from, and more than copies: describe-snapshots/14, 26, 27.
NO_VOLUME = "vol-ffffffff"
# 15.
OF_BACKUP = (
    "This snapshot is managed by the AWS Backup service and cannot be deleted via EC2 APIs. If you wish to delete this snapshot, "
    "please do so via the Backup console."
)


def create_snapshot(self: Any) -> Answer:
    """CreateSnapshot."""
    backend, description = self.ec2_backend, self._get_param("Description") or ""
    require_description(description)
    tags = self._parse_tag_specification().get("snapshot", {})
    require_ids([self._get_param("VolumeId")], backend.volumes, "volume")
    require_usable_volume(backend.volumes[self._get_param("VolumeId")])
    snapshot = backend.create_snapshot(self._get_param("VolumeId"), description)
    backend.tags[snapshot.id].update(tags)
    return 200, XML, created_answer(snapshot, tags)


def delete_snapshot(self: Any) -> Answer:
    """DeleteSnapshot."""
    backend, id = self.ec2_backend, self._get_param("SnapshotId")
    require_ids([id], backend.snapshots, "snapshot")
    require_deletable(backend.snapshots[id], backend)
    del backend.snapshots[id]
    backend.tags.pop(id, None)
    return 200, XML, return_answer("DeleteSnapshot")


def require_deletable(snapshot: Any, backend: Any) -> None:
    """Refuse to delete what an image or fast restore uses, and what belongs to AWS Backup (03, 29, 14, 15).

    No real answer was seen for what belongs to somebody else, is locked, or is in the Recycle Bin already: these are plausible.
    """
    if snapshot.owner_id != backend.account_id:
        refuse("UnauthorizedOperation", NOT_AUTHORIZED)
    if snapshot.is_locked:
        refuse("OperationNotPermitted", f"The snapshot '{snapshot.id}' is locked and cannot be deleted.")
    if snapshot.is_in_bin:
        refuse("IncorrectState", f"The snapshot '{snapshot.id}' is in the Recycle Bin.")
    if snapshot.is_of_backup:
        refuse("InvalidParameterValue", OF_BACKUP)
    if images := ec2_images.using(backend, snapshot.id):
        refuse("InvalidSnapshot.InUse", f"The snapshot {snapshot.id} is currently in use by {', '.join(images)}")
    if snapshot.fast_restore_zones:
        refuse(
            "InvalidSnapshot.InUse",
            f"The snapshot {snapshot.id} is currently enabled for fast restores in {', '.join(snapshot.fast_restore_zones)}. Fast "
            "snapshot restores must be disabled within all Availability Zones before the snapshot may be deleted.",
        )
