"""The instances of DescribeInstances, as `shared/wire/describe-instances` has them. Networks have no parts here: no policy looks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import local_instances
from ec2_xml import Tags, element, item_set, second_text, tag_set

# The states in which an instance is in its network: 01, 04, 05, 06, and not 07 to 10.
IN_NETWORK = ("pending", "running", "stopping")
GONE = ("shutting-down", "terminated")


def reservation_item(id: str, owner: str, instances: Iterable[str]) -> str:
    """One reservation of DescribeInstances, with those of its instances that are on the page."""
    return element("reservationId", id) + element("ownerId", owner) + "<groupSet/>" + item_set("instancesSet", instances)


def instance_item(instance: Any, tags: Tags) -> str:
    """One instance of DescribeInstances."""
    in_network = instance.state in IN_NETWORK
    has_store = local_instances.has_instance_store(instance)
    return (
        element("instanceId", instance.id)
        + element("imageId", instance.image_id)
        + group("instanceState", element("code", instance.state_code) + element("name", instance.state))
        + element("privateDnsName", "ip-10-0-0-122.ec2.internal" if in_network else "")
        + element("dnsName", "")
        + element("reason", instance.state_transition_reason or "")
        + element("keyName", "opendlm")
        + element("amiLaunchIndex", 0)
        + "<productCodes/>"
        + element("instanceType", instance.instance_type)
        + element("launchTime", second_text(instance.launch_time))
        + placement(instance)
        + group("monitoring", element("state", "disabled"))
        + (network() if in_network else "<groupSet/>")
        + state_reason(instance)
        + element("architecture", "x86_64")
        + element("rootDeviceType", "instance-store" if has_store else "ebs")
        + element("rootDeviceName", instance.root_device_name)
        + item_set("blockDeviceMapping", devices(instance))
        + element("virtualizationType", "hvm")
        + element("clientToken", "")
        + tag_set(tags)
        + element("hypervisor", "xen")
        + "<networkInterfaceSet/>"
        + element("ebsOptimized", False)
        + element("enaSupport", True)
        + group("cpuOptions", element("coreCount", 1) + element("threadsPerCore", 1))
        + (options() if instance.state not in GONE else "")
        + group("hibernationOptions", element("configured", local_instances.hibernates(instance)))
    )


def placement(instance: Any) -> str:
    """Where an instance is."""
    zone = element("availabilityZone", instance.placement.zone)
    return group("placement", zone + element("groupName", "") + element("tenancy", "default"))


def network() -> str:
    """The addresses of an instance, and what guards them."""
    guards = (element("groupId", "sg-0123456789abcdef0") + element("groupName", "default"),)
    return (
        element("subnetId", "subnet-0123456789abcdef0")
        + element("vpcId", "vpc-0123456789abcdef0")
        + element("privateIpAddress", "10.0.0.122")
        + element("ipAddress", "203.0.113.1")
        + element("sourceDestCheck", True)
        + item_set("groupSet", guards)
    )


def state_reason(instance: Any) -> str:
    """Why an instance is in its state, where somebody asked for it: not of one that runs (01, 04)."""
    reason = instance.state_reason
    if not (reason and reason.code):
        return ""
    return group("stateReason", element("code", reason.code) + element("message", reason.message))


def devices(instance: Any) -> Iterable[str]:
    """The volumes of an instance by their names."""
    return (
        element("deviceName", name)
        + group(
            "ebs",
            element("volumeId", device.volume_id)
            + element("status", "attached")
            + element("attachTime", second_text(device.attach_time))
            + element("deleteOnTermination", bool(device.delete_on_termination)),
        )
        for name, device in instance.block_device_mapping.items()
    )


def options() -> str:
    """What an instance was started with."""
    metadata = {"state": "applied", "httpTokens": "optional", "httpPutResponseHopLimit": 1, "httpEndpoint": "enabled"}
    return (
        group("capacityReservationSpecification", element("capacityReservationPreference", "open"))
        + group("enclaveOptions", element("enabled", False))
        + group("metadataOptions", "".join(element(name, value) for name, value in metadata.items()))
    )


def group(name: str, content: str) -> str:
    """An element of elements."""
    return f"<{name}>{content}</{name}>"
