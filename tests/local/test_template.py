"""What template.yaml and the state machine promise, held against the code and the events.

The machine retries exactly the errors that retrying can cure, and the schedule's input is the sample policy. test_machine.py
carries the machine out; test_rights.py is about the permissions.
Run by pytest in the environment that setup.py makes; nothing here needs the bootstrap, a server or a network.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from rights import INVOKE, PUBLISH
from rust_source import code
from template import EVERYWHERE, ROOT, SAMPLE_SCHEDULE, STACK_FILE, TARGET_FILE, Place
from template import machine_text, resources, roles, sample_schedule, schedules, template

MACHINE_FILE = ROOT / "statemachine" / "opendlm.asl.json"

# The four names of the contract, and whether trying again can help.
ERRORS_OF_THE_FUNCTION = {"AccessDenied": False, "PolicyInvalid": False, "Throttled": True, "Unavailable": True}
# What Lambda and Step Functions report by themselves: AWS's list of service errors, and all the names of a crash or a timeout.
ERRORS_OF_LAMBDA_AND_STATES = set(
    "Lambda.AWSLambdaException Lambda.ClientExecutionTimeoutException Lambda.SdkClientException Lambda.ServiceException"
    " Lambda.TooManyRequestsException Lambda.Unknown Runtime.ExitError Sandbox.Timedout States.Timeout".split()
)
# The default of Options.StartWindowMinutes, in seconds: retrying for longer than that is of no use.
START_WINDOW_SECONDS = 60 * 60


def scheduled_event(schedule: dict | None = None) -> dict:
    """The event that a schedule sends, the sample one where none is given."""
    return json.loads((schedule or sample_schedule())["Target"]["Input"])


@pytest.fixture(params=sorted(schedules()))
def schedule(request: pytest.FixtureRequest) -> dict:
    """Each schedule of the template, those that somebody added among them."""
    return schedules()[request.param]


@pytest.mark.parametrize("name", ["sample.json", "scheduler.json"])
def test_the_schedule_sends_the_policy_of_the_sample_events(name: str):
    sample = json.loads((ROOT / "events" / name).read_text())
    ours = scheduled_event()["Policy"]
    # The samples may show more of what Amazon DLM prints, such as the role that opendlm does not use.
    assert ours == {key: value for key, value in sample["Policy"].items() if key in ours}
    assert "PolicyDetails" in ours


def test_a_schedule_passes_the_time_that_it_was_meant_for(schedule: dict):
    assert scheduled_event(schedule)["ScheduledTime"] == "<aws.scheduler.scheduled-time>"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_the_sample_schedule_sends_nothing_else():
    assert set(scheduled_event()) == {"Policy", "ScheduledTime"}


def test_no_two_schedules_send_one_event():
    events = [json.dumps([scheduled_event(one), one["ScheduleExpression"]], sort_keys=True) for one in schedules().values()]
    assert len(events) == len(set(events))


def test_the_schedule_starts_when_the_policy_is_due():
    [policy_schedule] = scheduled_event()["Policy"]["PolicyDetails"]["Schedules"]
    [due] = policy_schedule["CreateRule"]["Times"]
    hour, minute = map(int, due.split(":"))
    assert template()["Parameters"]["ScheduleExpression"]["Default"] == f"cron({minute} {hour} * * ? *)"
    assert sample_schedule()["ScheduleExpressionTimezone"] == "UTC"


def test_nothing_starts_before_somebody_asks_for_it():
    assert sample_schedule()["State"] == {"Ref": "ScheduleState"}
    assert template()["Parameters"]["ScheduleState"]["Default"] == "DISABLED"


def test_the_group_tells_the_command_line_all_that_a_schedule_needs():
    [group] = resources("AWS::Scheduler::ScheduleGroup")
    [properties] = resources("AWS::Scheduler::ScheduleGroup").values()
    assert sample_schedule()["GroupName"] == {"Ref": group}
    assert properties["Name"] == {"Ref": "ScheduleGroupName"}
    # No tag key may begin with aws: and a value has at most 256 characters, which no ARN of these exceeds.
    tags = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
    target = sample_schedule()["Target"]
    assert tags == {
        "opendlm:state-machine": target["Arn"],
        "opendlm:scheduler-role": target["RoleArn"],
        "opendlm:dead-letter-queue": target["DeadLetterConfig"]["Arn"],
        # `opendlm doctor` compares it with the command line's.
        "opendlm:version": re.findall(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[0],
    }
    parameter = template()["Parameters"]["ScheduleGroupName"]
    # EventBridge Scheduler, API model: the name of a schedule group.
    assert parameter["Default"] == "opendlm" and parameter["AllowedPattern"] == "^[0-9A-Za-z_.-]{1,64}$"


def test_the_policy_uses_only_characters_that_amazon_dlm_takes():
    policy = scheduled_event()["Policy"]
    assert re.fullmatch(r"[0-9A-Za-z _-]{1,500}", policy["Description"])
    assert re.fullmatch(r"policy-[0-9a-f]{17}", policy["PolicyId"])


def test_a_start_that_cannot_be_delivered_is_kept(schedule: dict):
    [queue] = resources("AWS::SQS::Queue")
    assert schedule["Target"]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": f"{queue}.Arn"}}


def machine() -> dict:
    """The definition."""
    return json.loads(machine_text(Place()))


def scopes() -> list[dict]:
    """The machine, and the loop for each target in it: states go to others of their own scope only."""
    return [machine(), *(state["ItemProcessor"] for state in machine()["States"].values() if state["Type"] == "Map")]


def all_states() -> dict[str, dict]:
    """Every state of every scope. Step Functions wants their names to be different."""
    names = [name for scope in scopes() for name in scope["States"]]
    assert len(names) == len(set(names))
    return {name: state for scope in scopes() for name, state in scope["States"].items()}


def next_states(state: dict) -> set[str]:
    """Where a state may go."""
    found = {state[key] for key in ("Next", "Default") if key in state}
    return found | {rule["Next"] for rule in [*state.get("Choices", []), *state.get("Catch", [])]}


def tasks() -> dict[str, dict]:
    """The states that call the function to do its work; Words only asks it for words."""
    return {name: state for name, state in all_states().items() if state.get("Resource") == INVOKE and name != "Words"}


def longest_wait_seconds(retrier: dict) -> float:
    """All the waits of a retrier together, when every attempt fails and no jitter shortens them."""
    waits = [retrier["IntervalSeconds"] * retrier["BackoffRate"] ** n for n in range(retrier["MaxAttempts"])]
    return sum(min(wait, retrier["MaxDelaySeconds"]) for wait in waits)


@pytest.mark.parametrize("scope", scopes(), ids=["machine", "target"])
def test_every_state_can_be_reached_and_every_transition_leads_to_a_state(scope: dict):
    states = scope["States"]
    reached, todo = set(), {scope["StartAt"]}
    while todo:
        name = todo.pop()
        assert name in states, f"there is no state {name}"
        reached.add(name)
        todo |= next_states(states[name]) - reached
    assert reached == set(states)


def test_every_state_says_why_it_is_there_and_only_succeed_and_fail_end_a_run():
    assert all(state.get("Comment") for state in all_states().values())
    for name, state in machine()["States"].items():
        assert "End" not in state, name
        assert bool(next_states(state)) != (state["Type"] in ("Succeed", "Fail")), name


# Where an error of a task leads to, with the error beside what was there or in its place.
CAUGHT = {"Event": "WithMail", "Mail": "Ended", "Words": "PlainWords"}


def test_every_task_of_a_run_that_fails_leads_to_the_mail_and_telling_it_changes_nothing():
    for name, state in machine()["States"].items():
        if state["Type"] not in ("Map", "Task"):
            assert "Catch" not in state, name
            continue
        catcher = state["Catch"][-1]
        assert catcher["ErrorEquals"] == ["States.ALL"], name
        assert catcher["Next"] == CAUGHT.get(name, "CouldNotGoOn"), name
        # What could not go on is told by the error alone; what was told already stays as it is.
        assert ("ResultPath" in catcher) == (name in CAUGHT), name
    states = machine()["States"]
    assert states["Event"]["ResultPath"] is states["Mail"]["ResultPath"] is None


def test_what_is_told_leaves_the_start_window_time_to_make_the_backup_by_hand():
    for name in CAUGHT:
        assert sum(longest_wait_seconds(each) for each in machine()["States"][name]["Retry"]) <= START_WINDOW_SECONDS / 4


def test_nothing_in_the_loop_of_a_target_fails_the_run_of_the_others():
    [_, target] = scopes()
    for name, state in target["States"].items():
        assert state["Type"] != "Fail", name
        assert bool(next_states(state)) != (state.get("End") is True), name
    [turn] = [state for state in target["States"].values() if state["Type"] == "Task"]
    [catcher] = turn["Catch"]
    assert catcher["ErrorEquals"] == ["States.ALL"]
    assert machine()["States"]["Targets"]["ToleratedFailurePercentage"] == 100


def test_no_error_of_a_new_execution_is_taken_for_success_but_that_it_is_there():
    names = ["StepFunctions.ExecutionAlreadyExistsException", "StepFunctions.ExecutionAlreadyExists"]
    state = machine()["States"]["Continue"]
    [catcher, _], [never, always] = state["Catch"], state["Retry"]
    assert (catcher["ErrorEquals"], never["ErrorEquals"], never["MaxAttempts"]) == (names, names, 0)
    assert always["ErrorEquals"] == ["States.ALL"] and always["MaxAttempts"] > 0


def test_a_turn_of_a_target_is_tried_as_any_other():
    """What differs is said in the comments and in the names; how it is called, timed and retried is the same."""
    turn, target_turn, sum_up = (all_states()[name] for name in ("Turn", "TargetTurn", "Sum"))
    for key in ("Resource", "OutputPath", "TimeoutSeconds", "Retry"):
        assert turn[key] == target_turn[key] == sum_up[key], key
    assert turn["Parameters"] == target_turn["Parameters"]


def test_as_many_targets_run_at_once_as_the_function_splits_into():
    [found] = re.findall(r"pub const PLACES_LISTED_MAX: usize = (\d+);", code(ROOT / "src" / "place.rs"))
    assert machine()["States"]["Targets"]["MaxConcurrency"] == int(found)


def test_every_error_is_retried_or_final_as_the_contract_says():
    retried = {name for name, helps in ERRORS_OF_THE_FUNCTION.items() if helps}
    for name, task in tasks().items():
        found = {error for retrier in task["Retry"] for error in retrier["ErrorEquals"]}
        assert found == retried | ERRORS_OF_LAMBDA_AND_STATES, name


def test_the_code_fails_with_the_errors_of_the_contract_and_no_others():
    """The names are the arms of TurnError::name: `Self::Throttled(_) => "Throttled"`."""
    arms = re.findall(r'\bSelf::(\w+)\s*(?:\([^)]*\)|\{[^}]*\})?\s*=>\s*"(\w+)"', code(ROOT / "src" / "answer.rs"))
    assert {text for variant, text in arms if variant == text} == set(ERRORS_OF_THE_FUNCTION)


def test_retrying_ends_inside_the_start_window():
    for retrier in machine()["States"]["Turn"]["Retry"]:
        assert longest_wait_seconds(retrier) < START_WINDOW_SECONDS


def test_a_turn_that_may_have_done_something_is_retried_only_when_ec2_had_time_to_show_it():
    """What Lambda refused to start, and what the function itself gave up in good order, is known; the rest is not."""
    known = {"Lambda.TooManyRequestsException", *ERRORS_OF_THE_FUNCTION}
    for retrier in machine()["States"]["Turn"]["Retry"]:
        if not set(retrier["ErrorEquals"]) <= known:
            assert retrier["IntervalSeconds"] >= 30 and "JitterStrategy" not in retrier


def test_a_turn_is_given_up_only_when_it_cannot_be_running_any_more():
    for task in tasks().values():
        assert task["TimeoutSeconds"] > template()["Globals"]["Function"]["Timeout"]


def test_the_template_fills_in_what_the_machine_leaves_open():
    [properties] = resources("AWS::Serverless::StateMachine").values()
    assert (ROOT / properties["DefinitionUri"]) == MACHINE_FILE
    assert set(re.findall(r"\$\{(\w+)\}", MACHINE_FILE.read_text())) == set(properties["DefinitionSubstitutions"])


@pytest.mark.parametrize("place", EVERYWHERE, ids=lambda place: place.partition)
def test_the_machine_names_nothing_of_another_partition(place: Place):
    """AWS GovCloud (US) and Amazon Web Services in China User Guides: an ARN there has the partition's own name."""
    arns = re.findall(r'"(arn:[^"]+)"', machine_text(place))
    assert len(arns) == 13
    assert all(arn.startswith(f"arn:{place.partition}:") for arn in arns), arns
    AmazonStateLanguageParser.parse(machine_text(place))


@pytest.mark.parametrize("place", EVERYWHERE, ids=lambda place: place.partition)
def test_nothing_of_the_stack_names_another_partition(place: Place):
    stack = yaml.dump([place.resolve(role) for role in roles(place).values()])
    assert set(re.findall(r"\barn:([^:]+):", stack)) == {place.partition}
    # In the whole template no ARN is spelt out but the examples of what a parameter takes, and their patterns.
    spelt = {name: re.findall(r"\barn:aws\b", yaml.dump(one)) for name, one in template().items() if name != "Parameters"}
    assert not any(spelt.values()), spelt


@pytest.mark.parametrize("place", EVERYWHERE, ids=lambda place: place.partition)
def test_the_parameters_take_arns_of_every_partition(place: Place):
    patterns = {name: parameter.get("AllowedPattern") for name, parameter in template()["Parameters"].items()}
    good = {"KmsKeyArns": place.key(), "TargetRoleArns": place.role(), "TargetsFromArns": place.list()}
    for name, arn in good.items():
        assert re.fullmatch(patterns[name], arn) and not re.fullmatch(patterns[name], f"x{arn}"), name
    assert re.fullmatch(patterns["CopyRegions"], place.region) and not re.fullmatch(patterns["CopyRegions"], f"{place.region}a")


def test_the_function_is_built_for_arm64_unless_somebody_asks_for_the_other():
    parameter = template()["Parameters"]["Architecture"]
    # Lambda API reference, CreateFunction: the valid values of Architectures.
    assert (parameter["Default"], parameter["AllowedValues"]) == ("arm64", ["arm64", "x86_64"])
    assert template()["Globals"]["Function"]["Architectures"] == [{"Ref": "Architecture"}]
    assert "Architectures" not in template()["Resources"]["OpendlmFunction"]["Properties"]


def test_every_way_in_which_a_run_can_end_badly_has_an_alarm_of_one_metric():
    """Step Functions Developer Guide, "Execution metrics": the ways are failed, aborted and timed out."""
    alarms = resources("AWS::CloudWatch::Alarm")
    assert not [name for name, alarm in alarms.items() if "Metrics" in alarm]
    found = sorted(alarm["MetricName"] for alarm in alarms.values() if alarm["Namespace"] == "AWS/States")
    assert found == ["ExecutionsAborted", "ExecutionsFailed", "ExecutionsSucceeded", "ExecutionsTimedOut"]
    machine_ref = [{"Name": "StateMachineArn", "Value": {"Ref": "OpendlmStateMachine"}}]
    for name, alarm in alarms.items():
        assert alarm["Namespace"] == "AWS/SQS" or alarm["Dimensions"] == machine_ref, name
        if name == "QuietAlarm":
            continue
        rule = (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["ComparisonOperator"], alarm["TreatMissingData"])
        assert rule == (1, 1, "GreaterThanOrEqualToThreshold", "notBreaching"), name


def test_every_alarm_reaches_the_topic_but_the_one_that_the_mail_of_the_run_is_for():
    for name, alarm in resources("AWS::CloudWatch::Alarm").items():
        expected = None if name == "FailedAlarm" else [{"Ref": "AlarmTopic"}]
        assert alarm.get("AlarmActions") == expected, name
    [mail] = [state for state in machine()["States"].values() if state.get("Resource") == PUBLISH]
    assert mail["Parameters"]["TopicArn"] == Place().arn_of("AlarmTopic")


def test_silence_is_an_alarm_within_what_cloudwatch_looks_back():
    """CloudWatch API reference, PutMetricAlarm: EvaluationPeriods times Period is a day at most, and seven days for periods of an
    hour or longer."""
    alarm = resources("AWS::CloudWatch::Alarm")["QuietAlarm"]
    parameter = template()["Parameters"]["QuietHours"]
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3600, {"Ref": "QuietHours"})
    assert parameter["MaxValue"] * alarm["Period"] == 7 * 24 * 3600
    rule = (alarm["MetricName"], alarm["Threshold"], alarm["ComparisonOperator"], alarm["TreatMissingData"])
    assert rule == ("ExecutionsSucceeded", 1, "LessThanThreshold", "breaching")
    # The default fits the default schedule, which is daily, and a run of two hours.
    assert parameter["Default"] == 24 + 2
    assert template()["Conditions"]["HasQuietHours"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "QuietHours"}, 0]}]}


def test_a_stack_that_tells_nobody_says_so_when_it_is_deployed():
    [condition, somebody, nobody] = template()["Outputs"]["WhoHears"]["Value"]["Fn::If"]
    assert condition == "HasAlarmEmail" and "AlarmEmail" in str(somebody) and nobody.startswith("NOBODY")


def test_only_a_stack_with_events_may_put_them():
    policies = template()["Resources"]
    events = [name for name, one in policies.items() if "events:PutEvents" in str(one)]
    assert events == ["StateMachineEventsPolicy"]
    assert policies["StateMachineEventsPolicy"]["Condition"] == "HasRunEvents"
    assert template()["Conditions"]["HasRunEvents"] == {"Fn::Equals": [{"Ref": "RunEvents"}, "ENABLED"]}


def test_no_policy_of_a_role_has_a_name_that_an_earlier_stack_gave():
    """CloudFormation makes the new resource before it deletes the old one: of the same name, it would delete both."""
    earlier = {"kms", "targets", "itself", "lists"}
    names = [policy["PolicyName"] for policy in resources("AWS::IAM::Policy").values()]
    assert len(names) == len(set(names)) and not earlier & set(names)
    logical = {"FunctionKmsPolicy", "FunctionTargetsPolicy", "StateMachineSelfPolicy", "StateMachineListsPolicy"}
    assert not logical & set(template()["Resources"])


def test_schedules_that_somebody_adds_die_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Five schedules: the tests of this file run on a template with four more, each with a policy of its own."""
    file = ROOT / STACK_FILE
    text = file.read_text()
    start = text.index(f"  {SAMPLE_SCHEDULE}:\n")
    end = min(text.find(mark, start + 1) for mark in ("\n\n  ", "\n\nOutputs") if text.find(mark, start + 1) > 0)
    sample = text[start:end]
    more = [sample.replace(SAMPLE_SCHEDULE, f"Another{n}").replace("policy-0123456789abcdef0", f"policy-{n:017x}") for n in range(4)]
    (tmp_path / STACK_FILE).write_text(text[:end] + "".join(f"\n\n{each}" for each in more) + text[end:])
    for name in ("Cargo.toml", "Makefile", TARGET_FILE, "statemachine", "events", "src", "docs", "README.md"):
        (tmp_path / name).symlink_to(ROOT / name)
    tests = tmp_path / "tests" / "local"
    tests.mkdir(parents=True)
    for each in (ROOT / "tests" / "local").glob("*.py"):
        # Copies: Python finds a module's folder by its real path.
        (tests / each.name).write_text(each.read_text())
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not that_somebody_adds", "test_template.py"]
    done = subprocess.run(command, cwd=tests, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len(re.findall("Another", (tmp_path / STACK_FILE).read_text())) == 4
