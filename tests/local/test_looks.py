"""What the local clouds have for `opendlm doctor`, asked by botocore, whose service models hold the shapes."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import ACCOUNT, LocalAws

TAG = {"Key": "backup", "Value": "one"}
# A call of each service that the doctor looks at.
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "dlm": ("dlm", "get_lifecycle_policies", {}),
    "scheduler": ("scheduler", "list_schedule_groups", {}),
    "sns": ("sns", "list_subscriptions_by_topic", {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"}),
    "sqs": ("sqs", "get_queue_url", {"QueueName": "queue"}),
    "states": ("stepfunctions", "list_state_machines", {}),
    "sts": ("sts", "get_caller_identity", {}),
}


def test_amazon_dlm_lists_its_policies_by_state_tag_and_kind(aws: LocalAws):
    aws.wire.lifecycle_policies = [
        {"PolicyId": "policy-1", "Description": "one", "State": "ENABLED", "TargetTags": [TAG]},
        {"PolicyId": "policy-2", "Description": "two", "State": "DISABLED", "TargetTags": [TAG]},
        {"PolicyId": "policy-3", "Description": "all", "State": "ENABLED", "TargetTags": [], "DefaultPolicy": True},
    ]

    def ids(**asked: Any) -> list[str]:
        return [each["PolicyId"] for each in aws.client("dlm").get_lifecycle_policies(**asked)["Policies"]]

    assert ids() == ["policy-1", "policy-2", "policy-3"]
    assert ids(State="ENABLED", TargetTags=["backup=one", "backup=two"]) == ["policy-1"]
    assert ids(State="ENABLED", DefaultPolicyType="VOLUME") == ["policy-3"]
    assert ids(TargetTags=["backup=two"]) == []


@pytest.mark.parametrize("service", CALLS)
def test_a_service_that_is_to_refuse_looks_refuses_them_in_its_protocol(aws: LocalAws, service: str):
    name, operation, parameters = CALLS[service]
    aws.switches.change({"FAIL_LOOKS": {service: "AccessDeniedException"}})
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(name), operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    # The others go on.
    aws.client("ec2").describe_volumes()


def test_the_clock_of_the_answers_can_be_set(aws: LocalAws):
    def date() -> float:
        headers = aws.client("ec2").describe_volumes()["ResponseMetadata"]["HTTPHeaders"]
        return parsedate_to_datetime(headers["date"]).timestamp()

    before = date()
    aws.switches.change({"CLOCK_AHEAD_SECONDS": 3600})
    assert 3590 < date() - before < 3660
