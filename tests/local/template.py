"""template.yaml and target-role.yaml as data, and as CloudFormation would deploy them: with the references filled in."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
STACK = "opendlm"
STACK_FILE, TARGET_FILE = "template.yaml", "target-role.yaml"
# The parameter: a stack has every optional part here, but the copies where a place names no Regions for them.
RUN_EVENTS = "ENABLED"
# What `!Ref AWS::NoValue` gives: a property that has it is left out.
NO_VALUE = object()
FUNCTION_ACCOUNT, EXTERNAL_ID = "111122223333", "opendlm-external-id"

# What `!Ref` of a resource gives where it is not the name, and `!GetAtt X.Arn`: CloudFormation, "Return values" of each type.
ARNS = {
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role/{name}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{name}:*",
    "AWS::SNS::Topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "AWS::StepFunctions::StateMachine": "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
}
# SAM makes these of its own types.
ARNS["AWS::Serverless::Function"] = ARNS["AWS::Lambda::Function"]
ARNS["AWS::Serverless::StateMachine"] = ARNS["AWS::StepFunctions::StateMachine"]
REF_IS_ARN = ("AWS::SNS::Topic", "AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine")


class TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref X` reads as {"Ref": "X"}, `!GetAtt A.B` as {"Fn::GetAtt": "A.B"}."""


def read_short_form(loader: TemplateLoader, name: str, node: yaml.Node) -> dict:
    """One short form as the long form that it stands for."""
    kind = {"scalar": loader.construct_scalar, "sequence": loader.construct_sequence, "mapping": loader.construct_mapping}
    arguments = (node,) if node.id == "scalar" else (node, True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": kind[node.id](*arguments)}


TemplateLoader.add_multi_constructor("!", read_short_form)


@functools.cache
def template(file: str = STACK_FILE) -> dict:
    """A whole template. It is read once: leave it as it is."""
    return yaml.load((ROOT / file).read_text(), TemplateLoader)  # noqa: S506 - a SafeLoader


def resources(kind: str, file: str = STACK_FILE) -> dict[str, dict]:
    """The properties of every resource of one type, by name."""
    found = {name: one["Properties"] for name, one in template(file)["Resources"].items() if one["Type"] == kind}
    assert found, f"{file} has no {kind}"
    return found


# The schedule of the sample policy. Whoever adds schedules of their own beside it needs no other test.
SAMPLE_SCHEDULE = "OpendlmSchedule"


def schedules() -> dict[str, dict]:
    """Every schedule of the template, by name."""
    return resources("AWS::Scheduler::Schedule")


def sample_schedule() -> dict:
    """The schedule of the sample policy."""
    return schedules()[SAMPLE_SCHEDULE]


@dataclass(frozen=True)
class Place:
    """Where a stack is deployed. Its names are AWS's own for test accounts."""

    partition: str = "aws"
    region: str = "eu-central-1"
    account: str = "123456789012"
    domain: str = "amazonaws.com"
    regions: tuple[str, ...] = ()
    """Those that target-role.yaml is deployed for; the own one where none are named."""
    copy_regions: tuple[str, ...] = ()
    """Those that snapshots may be copied to: the parameter CopyRegions."""

    def arn(self, kind: str, id: str) -> str:
        """The ARN of a resource of EC2: Service Authorization Reference, "Resource types defined by Amazon EC2".

        Snapshots and images name no account.
        """
        account = "" if kind in ("image", "snapshot") else self.account
        return f"arn:{self.partition}:ec2:{self.region}:{account}:{kind}/{id}"

    def key(self, id: str = "1234abcd-12ab-34cd-56ef-1234567890ab") -> str:
        """The ARN of a KMS key: the one of this Region that the parameter KmsKeyArns names, or another."""
        return f"arn:{self.partition}:kms:{self.region}:{self.account}:key/{id}"

    def role(self, name: str = "opendlm-target", account: str | None = None) -> str:
        """The ARN of a role: the one that the parameter TargetRoleArns names, or another."""
        return f"arn:{self.partition}:iam::{account or '444455556666'}:role/{name}"

    def list(self, bucket: str = "amzn-s3-demo-bucket", key: str = "opendlm/targets.json") -> str:
        """The ARN of an object in S3: the one that the parameter TargetsFromArns names, or another. It has no account or Region."""
        return f"arn:{self.partition}:s3:::{bucket}/{key}"

    def bus(self, name: str = "default") -> str:
        """The ARN of an event bus: the default one, or another."""
        return f"arn:{self.partition}:events:{self.region}:{self.account}:event-bus/{name}"

    def function_role(self) -> str:
        """The ARN of the function's role, as target-role.yaml has it."""
        return self.role("opendlm-FunctionRole", FUNCTION_ACCOUNT)

    def arn_of(self, name: str) -> str:
        """The ARN of a resource of the template, by its logical name."""
        kind = template()["Resources"][name]["Type"]
        physical = f"/aws/lambda/{STACK}" if kind == "AWS::Logs::LogGroup" else f"{STACK}-{name}"
        return ARNS[kind].format(partition=self.partition, region=self.region, account=self.account, name=physical)

    def resolve(self, value: Any) -> Any:
        """A value with its intrinsic functions carried out."""
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        for name, argument in value.items():
            if name == "Ref" or name.startswith("Fn::"):
                return self.carry_out(name, argument)
        resolved = {name: self.resolve(each) for name, each in value.items()}
        return {name: each for name, each in resolved.items() if each is not NO_VALUE}

    def carry_out(self, function: str, argument: Any) -> Any:
        """What an intrinsic function gives; one that the roles do not use is an error."""
        if function == "Ref":
            return self.reference(argument)
        if function == "Fn::GetAtt" and argument.endswith(".Arn"):
            return self.arn_of(argument.removesuffix(".Arn"))
        if function == "Fn::Sub" and isinstance(argument, str):
            return re.sub(r"\$\{([^}]+)\}", lambda match: self.reference(match[1]), argument)
        if function == "Fn::Join":
            delimiter, parts = argument
            return delimiter.join(self.resolve(parts))
        if function == "Fn::Split":
            delimiter, text = argument
            return self.resolve(text).split(delimiter)
        if function == "Fn::If":
            condition, then, otherwise = argument
            return self.resolve(then if self.holds(condition) else otherwise)
        raise ValueError(f"{function} of {argument} is more than this reads")

    def holds(self, condition: str, file: str = STACK_FILE) -> bool:
        """Whether a condition of a template holds here."""
        return self.is_true(template(file)["Conditions"][condition], file)

    def is_true(self, expression: dict[str, Any], file: str) -> bool:
        """What a condition's expression gives."""
        [(function, argument)] = expression.items()
        if function == "Condition":
            return self.holds(argument, file)
        if function == "Fn::Equals":
            one, other = map(self.resolve, argument)
            return one == other
        parts = [self.is_true(each, file) for each in argument]
        return {"Fn::And": all, "Fn::Not": lambda only: not only[0]}[function](parts)

    def there(self, region: str) -> Place:
        """The same account in another Region."""
        return replace(self, region=region)

    def reference(self, name: str) -> Any:
        """What a reference gives: a pseudo parameter, a parameter, or a resource."""
        pseudo = {"Partition": self.partition, "Region": self.region, "AccountId": self.account}
        pseudo |= {"URLSuffix": self.domain, "StackName": STACK, "NoValue": NO_VALUE}
        if name.startswith("AWS::"):
            return pseudo[name.removeprefix("AWS::")]
        keys = [self.there(region).key() for region in (self.region, *self.copy_regions)]
        parameters = {"KmsKeyArns": keys, "TargetRoleArns": [self.role()], "FunctionRoleArn": self.function_role()}
        parameters |= {"CopyRegions": list(self.copy_regions)}
        parameters |= {"TargetsFromArns": [self.list()], "RunEvents": RUN_EVENTS}
        parameters |= {"ExternalId": EXTERNAL_ID, "Regions": list(self.regions or (self.region,))}
        if name in parameters:
            return parameters[name]
        if name in template(TARGET_FILE)["Resources"]:
            return name
        if name.endswith(".Name"):
            return f"{STACK}-{name.removesuffix('.Name')}"
        kind = template()["Resources"][name]["Type"]
        return self.arn_of(name) if kind in REF_IS_ARN else name


# One place in each partition that exists, with its domain: partitions.json of botocore, as of 2026.
EVERYWHERE = [
    Place(),
    Place("aws-cn", "cn-north-1", domain="amazonaws.com.cn"),
    Place("aws-eusc", "eusc-de-east-1", domain="amazonaws.eu"),
    Place("aws-iso", "us-iso-east-1", domain="c2s.ic.gov"),
    Place("aws-iso-b", "us-isob-east-1", domain="sc2s.sgov.gov"),
    Place("aws-iso-e", "eu-isoe-west-1", domain="cloud.adc-e.uk"),
    Place("aws-iso-f", "us-isof-south-1", domain="csp.hci.ic.gov"),
    Place("aws-us-gov", "us-gov-west-1"),
]


def machine_text(place: Place) -> str:
    """The definition of the state machine as SAM deploys it: with its DefinitionSubstitutions carried out."""
    [machine] = resources("AWS::Serverless::StateMachine").values()
    values = {name: place.resolve(value) for name, value in machine["DefinitionSubstitutions"].items()}
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], (ROOT / machine["DefinitionUri"]).read_text())


def roles(place: Place, file: str = STACK_FILE) -> dict[str, list[dict[str, Any]]]:
    """The permission statements of every role, by its logical name, as deployed with every optional part.

    Those about copies are there where the place names Regions for them.
    """
    found = {name: list(role["Policies"]) for name, role in resources("AWS::IAM::Role", file).items()}
    for name, policy in resources("AWS::IAM::Policy", file).items():
        condition = template(file)["Resources"][name].get("Condition")
        if condition and not place.holds(condition, file):
            continue
        [role] = place.resolve(policy["Roles"])
        found[role].append(policy)
    documents = {name: [policy["PolicyDocument"] for policy in policies] for name, policies in found.items()}
    assert {one["Version"] for each in documents.values() for one in each} == {"2012-10-17"}
    return {name: [place.resolve(s) for one in each for s in one["Statement"]] for name, each in documents.items()}
