"""What a deployed stack tells: the topic and the default bus of MiniStack, each with a queue behind it."""

from __future__ import annotations

import json
from typing import Any

from ministack import MiniStack


class Told:
    """Everything that comes to the stack's topic and to the bus from now on."""

    def __init__(self, cloud: MiniStack, topic_arn: str) -> None:
        self._sqs = cloud.client("sqs")
        self._mails, mails_arn = self._queue("opendlm-mails")
        cloud.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=mails_arn)
        self._events, events_arn = self._queue("opendlm-events")
        events = cloud.client("events")
        events.put_rule(Name="opendlm-told", EventPattern=json.dumps({"source": ["opendlm"]}))
        events.put_targets(Rule="opendlm-told", Targets=[{"Id": "queue", "Arn": events_arn}])

    def mails(self) -> list[dict[str, Any]]:
        """The mails that came since somebody asked last."""
        return self._taken(self._mails)

    def events(self) -> list[dict[str, Any]]:
        """The events that came since somebody asked last."""
        return self._taken(self._events)

    def _queue(self, name: str) -> tuple[str, str]:
        url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        return url, self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def _taken(self, url: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while batch := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return found
