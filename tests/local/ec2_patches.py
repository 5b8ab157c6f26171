"""What EC2 has and stock moto lacks, for instances, volumes, snapshots, images and tags.

`apply(switches)` changes moto's classes in place, once in a process: ids, pages, owners, filters and their speed, snapshots that are
`pending` for a while, copies, sets of snapshots, images of snapshots, the rules for tags, and the fields of the answers. Everything
else is moto's own.
"""

from __future__ import annotations

import functools
from typing import Any

from moto.core import responses
from moto.ec2 import utils
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.tags import TagResponse

import ec2_copies
import ec2_describe
import ec2_images
import ec2_sets
import ec2_snapshots
import ec2_volumes
import local_instances
import snapshot_life
import switches as switches_module
from ec2_rules import require_good_tags, tags_of
from ec2_xml import XML, return_answer
from switches import Switches

# The hexadecimal digits of an id, of which the first is 0: shared/wire/README.md, DescribeSnapshots, snapshotId.
ID_DIGITS = 17


def apply(switches: Switches) -> None:
    """Patch moto. Calling it again only exchanges the switches."""
    switches_module.put_in_force(switches)
    if hasattr(ElasticBlockStore, "opendlm_patched"):
        return
    ElasticBlockStore.opendlm_patched = True
    snapshot_life.patch()
    local_instances.patch()
    patch_ids()
    patch_tags()
    # moto looks all methods of a class over for each call, a fifth of its time. They are patched by now.
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)
    ElasticBlockStore.create_snapshot = ec2_snapshots.create_snapshot
    ElasticBlockStore.create_snapshots = ec2_sets.create_snapshots
    ElasticBlockStore.copy_snapshot = ec2_copies.copy_snapshot
    ElasticBlockStore.create_volume = ec2_volumes.create_volume
    ElasticBlockStore.delete_snapshot = ec2_snapshots.delete_snapshot
    ElasticBlockStore.describe_snapshots = ec2_describe.describe_snapshots
    ElasticBlockStore.describe_volumes = ec2_describe.describe_volumes
    InstanceResponse.describe_instances = ec2_describe.describe_instances
    AmisResponse.create_image = ec2_images.create_image
    AmisResponse.deregister_image = ec2_images.deregister_image
    AmisResponse.describe_images = ec2_images.describe_images
    AmisResponse.register_image = ec2_images.register_image
    patch_sharing()


def patch_ids() -> None:
    """Ids as EC2 gives them."""
    stock_id = utils.random_id

    def random_id(prefix: str = "", size: int = ID_DIGITS) -> str:
        return f"{prefix}-0{utils.random_resource_id(size - 1)}" if size == ID_DIGITS else stock_id(prefix, size)

    utils.random_id = random_id


def patch_tags() -> None:
    """Look a resource's tags up by its id, and hold callers to EC2's rules for tags."""
    stock_parse = EC2BaseResponse._parse_tag_specification
    stock_create_tags = TagResponse.create_tags

    def get_tags(self: Any) -> list[dict[str, str]]:
        tags = tags_of(self)
        return [{"key": key, "value": value, "resource_id": self.id} for key, value in tags.items()]

    def parse_tag_specification(self: Any, expected_type: str | None = None) -> Any:
        for each in self._get_param("TagSpecifications", []) or self._get_param("TagSpecification", []):
            require_good_tags(each.get("Tags", []))
        return stock_parse(self, expected_type)

    def create_tags(self: Any) -> Any:
        require_good_tags(self._get_param("Tags", []))
        return stock_create_tags(self)

    TaggedEC2Resource.get_tags = get_tags
    EC2BaseResponse._parse_tag_specification = parse_tag_specification
    TagResponse.create_tags = create_tags


def patch_sharing() -> None:
    """ModifySnapshotAttribute with EC2's answer: modify-snapshot-attribute/02."""
    stock_modify = ElasticBlockStore.modify_snapshot_attribute

    def modify_snapshot_attribute(self: Any) -> tuple[int, dict[str, str], str]:
        stock_modify(self)
        return 200, XML, return_answer("ModifySnapshotAttribute")

    ElasticBlockStore.modify_snapshot_attribute = modify_snapshot_attribute
