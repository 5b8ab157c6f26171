"""What comes out of a stack: the mails of its topic, and the events on its default bus. Both go into queues here.

The topic and the bus are moto's; what they do is no source for what AWS does. What is asked of them is in the definition.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

TOPIC = "opendlm-AlarmTopic"
RULE = "everything-of-opendlm"
MAILS, EVENTS = "opendlm-mails", "opendlm-events"
# As many as SQS hands over at once.
BATCH = 10


@dataclass(frozen=True)
class Mail:
    """A mail as a person gets it."""

    subject: str
    text: str


class Post:
    """Everything that is sent, from the moment this is made."""

    def __init__(self, client: Any) -> None:
        """`client` makes a boto3 client of a service."""
        self._sqs = client("sqs")
        self.topic_arn = client("sns").create_topic(Name=TOPIC)["TopicArn"]
        self._mails, mails_arn = self._queue(MAILS)
        client("sns").subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=mails_arn)
        self._events, events_arn = self._queue(EVENTS)
        events = client("events")
        events.put_rule(Name=RULE, EventPattern=json.dumps({"source": ["opendlm"]}))
        # A chain before this one in the same process has left its own, and moto would send each event twice.
        if not events.list_targets_by_rule(Rule=RULE)["Targets"]:
            events.put_targets(Rule=RULE, Targets=[{"Id": "queue", "Arn": events_arn}])

    def mails(self) -> list[Mail]:
        """The mails that came since somebody asked last."""
        return [Mail(each.get("Subject", ""), each["Message"]) for each in self._taken(self._mails)]

    def events(self) -> list[dict[str, Any]]:
        """The events that came since somebody asked last."""
        return self._taken(self._events)

    def _queue(self, name: str) -> tuple[str, str]:
        url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return url, attributes["QueueArn"]

    def _taken(self, url: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while batch := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=BATCH).get("Messages"):
            for message in batch:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return found
