"""What is told of runs: the real function and the real state machine, and what comes to the topic and to the bus."""

from __future__ import annotations

import json

import events
import schema
from case import case_of, event_now, with_options, by_button
from chain import Chain
from local_aws import ACCOUNT, REGION
from rie import ROOT

SCHEMA = json.loads((ROOT / "docs" / "run-finished.schema.json").read_text())


def test_a_run_that_succeeds_is_an_event_with_its_report_and_no_mail(local: Chain) -> None:
    execution = case_of(local, event_now("sample")).run()
    assert execution.status() == "SUCCEEDED"
    [event] = local.post.events(execution.arn)
    assert (event["source"], event["detail-type"]) == ("opendlm", "opendlm Run Finished")
    assert event["detail"] == execution.output()
    assert schema.problems(SCHEMA, event["detail"]) == []
    # Step Functions adds who sent it.
    assert event["resources"] == [local.machine_arn, execution.arn]
    assert local.post.mails(execution.arn) == []


def test_a_run_that_fails_is_one_mail_in_words_and_an_event(local: Chain) -> None:
    case = case_of(local, by_button(event_now("sample")))
    refused = case.seeded.targets[0]
    local.aws.switches.change({"FAIL_VOLUMES": {refused: "InternalError"}})
    execution = case.run()
    assert execution.status() == "FAILED" and execution.failure()[0] == "Partial"
    [mail] = local.post.mails(execution.arn)
    policy_id = events.policy_of(case.event)["PolicyId"]
    assert mail.subject == f"opendlm, 1 BACKUP MISSING: {policy_id}"
    for part in (refused, "InternalError", policy_id, f"account {ACCOUNT} in {REGION}", f"--region {REGION}"):
        assert part in mail.text, mail.text
    assert mail.text.endswith(f"--execution-arn {execution.arn}")
    [event] = local.post.events(execution.arn)
    assert event["detail"] == execution.report() and schema.problems(SCHEMA, event["detail"]) == []


def test_a_run_that_cannot_go_on_is_one_mail_and_fails_under_its_own_name(local: Chain) -> None:
    local.aws.switches.change({"FAIL_ACTIONS": {"DescribeVolumes": "UnauthorizedOperation"}})
    case = case_of(local, event_now("sample"))
    execution = case.run()
    error, cause = execution.failure()
    assert (execution.status(), error) == ("FAILED", "AccessDenied")
    message = json.loads(cause)["errorMessage"]
    [mail] = local.post.mails(execution.arn)
    assert mail.subject.startswith("opendlm, BACKUPS MAY BE MISSING (AccessDenied): policy-")
    assert message[:100] in " ".join(mail.text.split()) and mail.text.endswith(execution.arn)
    [event] = local.post.events(execution.arn)
    assert (event["detail"]["Outcome"], event["detail"]["Error"]) == ("FAILED", "AccessDenied")
    assert schema.problems(SCHEMA, event["detail"]) == []
    assert event["detail"]["PolicyId"] == events.policy_of(case.event)["PolicyId"]


def test_an_event_that_is_refused_whatever_it_is_is_told_too(local: Chain) -> None:
    for nonsense in ({"Nonsense": 1}, [1], "text"):
        execution = local.run(nonsense)
        assert execution.failure()[0] == "PolicyInvalid"
        [mail] = local.post.mails(execution.arn)
        assert "BACKUPS MAY BE MISSING (PolicyInvalid)" in mail.subject and "the event does not name" in mail.text


def test_several_targets_are_one_mail_and_one_event(local: Chain) -> None:
    case = case_of(local, by_button(event_now("sample")))
    local.aws.switches.change({"FAIL_VOLUMES": {case.seeded.targets[0]: "InternalError"}})
    execution = local.run(with_options(case.event, Targets=[{"Regions": [REGION]}]))
    assert execution.failure()[0] == "Partial"
    [mail] = local.post.mails(execution.arn)
    assert "1 of 1 targets failed: own account in" in mail.text, mail.text
    [event] = local.post.events(execution.arn)
    assert len(event["detail"]["Targets"]) == 1
    assert schema.problems(SCHEMA, event["detail"]) == []


def test_what_is_no_report_is_found_out() -> None:
    """That the reader of the schema reads it."""
    failed = {"Outcome": "FAILED", "Summary": "s", "Error": "e"}
    assert schema.problems(SCHEMA, failed) == []
    for wrong in ({**failed, "Outcome": "PARTIAL"}, {**failed, "More": 1}, {**failed, "Error": 1}, {"Outcome": "FAILED"}):
        assert schema.problems(SCHEMA, wrong)
