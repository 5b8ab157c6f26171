"""What the Rust source says about AWS: read as text, so that a test can derive from it what the code calls."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import botocore.session

from template import ROOT


def code(*paths: Path) -> str:
    """Rust source without its comments and its test modules. A module of tests is the last item of its file."""
    texts = [re.split(r"#\[cfg\(test\)\]\s*mod\b[^;{]*\{", path.read_text())[0] for path in paths]
    # Not after a colon: that would be the // of an address in a string.
    return re.sub(r"(?<!:)//.*", "", "\n".join(texts))


# What only the command line is compiled with: it calls AWS with the rights of who types.
OF_THE_COMMAND_LINE = ROOT / "src" / "aws" / "scheduler.rs"


def shell_files() -> list[Path]:
    """The files of src/aws, the only ones that may call EC2; a file `tests.rs` is a test module."""
    found = [ROOT / "src" / "aws.rs", *(path for path in (ROOT / "src" / "aws").rglob("*.rs") if path.name != "tests.rs")]
    assert len(found) > 1, "src/aws holds no source, so there is nothing to compare the permissions with"
    return sorted(set(found) - {OF_THE_COMMAND_LINE})


def scheduler_operations_called() -> set[str]:
    """The operations of EventBridge Scheduler that the command line calls."""
    model = botocore.session.get_session().get_service_model("scheduler")
    operations = {botocore.xform_name(name): name for name in model.operation_names}
    names = re.findall(r"\bclient\s*\.\s*([a-z_]+)\s*\(\s*\)", code(OF_THE_COMMAND_LINE))
    return {operations[name] for name in names}


@functools.cache
def aws_operations() -> dict[str, str]:
    """Every operation of the services whose SDK is linked, by the name of its method there: describe_volumes -> DescribeVolumes."""
    models = [botocore.session.get_session().get_service_model(name) for name in ("ec2", "service-quotas")]
    return {botocore.xform_name(name): name for model in models for name in model.operation_names}


def operations_called() -> set[str]:
    """The operations that the shell calls: `client.describe_volumes()`, or anything of an operation's module.

    What only a test names, such as an error type, is in a module of tests and does not count.
    """
    text = code(*shell_files())
    operations = aws_operations()
    names = re.findall(r"\.\s*([a-z][a-z0-9_]*)\s*\(\s*\)", text)
    names += re.findall(r"\b(?:Client|operation)::([a-z][a-z0-9_]*)\b", text)
    return {operations[name] for name in names if name in operations}


def kinds_tagged_while_creating() -> set[str]:
    """The kinds of resources that get tags in the call that makes them: `ResourceType::Snapshot` gives snapshot."""
    text = code(*shell_files())
    specified = len(re.findall(r"\bTagSpecification::builder\s*\(", text))
    kinds = re.findall(r"\bresource_type\s*\(\s*(?:types::)?ResourceType::(\w+)\s*\)", text)
    assert specified == len(kinds), f"{specified} tag specifications name the kinds {kinds}"
    return {kind.lower() for kind in kinds}


def sdks_linked(feature: str) -> set[str]:
    """The AWS services whose SDK a feature of the package links: dep:aws-sdk-ec2 gives ec2."""
    [listed] = re.findall(rf"^{feature} = \[(.*)\]$", (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    return set(re.findall(r"\bdep:aws-sdk-([a-z0-9]+)\b", listed))
