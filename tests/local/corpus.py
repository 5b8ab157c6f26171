"""The real answers of AWS, which stand in `shared/wire` beside the checkout or where OPENDLM_WIRE says, as trees of XML.

XML is taken as it is. What was recorded as JSON, as an SDK parsed it, is written as XML again by the service model, so that all
answers can be compared field by field with what the local AWS really sends.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import botocore.session
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

VARIABLE = "OPENDLM_WIRE"
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "wire"

# What has the marks of all fields that EC2 sends by now: later answers have no field that those of 2026 lack.
RECENT = 2025

ErrorAnswer = dict[str, Any]


@dataclass(frozen=True)
class Recorded:
    """One answer."""

    file: str
    tree: ElementTree.Element
    is_sample: bool
    """Whether it is AWS's own sample: invented, and often older than the service."""
    is_recent: bool
    """Whether the service of today gave it."""


def folder() -> Path | None:
    """Where the answers are, or nothing where nobody said and none are beside the checkout."""
    named = os.environ.get(VARIABLE)
    if named is None:
        return BESIDE if BESIDE.is_dir() else None
    found = Path(named)
    if not list(found.glob("*/*")):
        raise FileNotFoundError(f"{VARIABLE} is {named}, where no answers are; unset it to skip what needs them")
    return found


def why_skipped() -> str:
    """Why a test that needs the answers does not run."""
    return f"{VARIABLE} is not set and there is no folder shared/wire beside the checkout"


@functools.cache
def answers(root: Path, operation: str) -> list[Recorded]:
    """All answers to an operation of EC2."""
    return [recorded(root, path, operation) for path in sorted((root / folder_of(operation)).iterdir())]


def folder_of(operation: str) -> str:
    """The name of the folder of an operation."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", operation).lower()


def recorded(root: Path, path: Path, operation: str) -> Recorded:
    """One answer, with what its name says of it."""
    year = re.match(r"\d+-(?:xml-)?(\d{4})\b", path.name)
    return Recorded(
        file=str(path.relative_to(root)),
        tree=tree_of(path, operation),
        is_sample="cli-example" in path.name or "documented" in path.name,
        is_recent=year is not None and int(year[1]) >= RECENT,
    )


def tree_of(path: Path, operation: str) -> ElementTree.Element:
    """An answer as XML without namespaces."""
    if path.suffix == ".xml":
        return parse(path.read_bytes())
    model = ec2_model().operation_model(operation)
    root = ElementTree.Element(f"{operation}Response")
    if model.output_shape:
        fill(root, json.loads(path.read_text()), model.output_shape)
    return root


@functools.cache
def ec2_model() -> ServiceModel:
    """The model of EC2."""
    return botocore.session.get_session().get_service_model("ec2")


def parse(text: bytes) -> ElementTree.Element:
    """XML without its namespaces."""
    root = ElementTree.fromstring(text.strip())
    for each in root.iter():
        each.tag = each.tag.rpartition("}")[2]
    return root


def fill(element: ElementTree.Element, value: Any, shape: Shape) -> None:
    """Write a parsed value under an element, by the names that its shape has on the wire."""
    if isinstance(shape, StructureShape):
        unknown = set(value) - set(shape.members)
        if unknown:
            raise ValueError(f"the model of botocore has no {', '.join(sorted(unknown))} in {shape.name}: bring it up to date")
        for name, inner in value.items():
            member = shape.members[name]
            fill(ElementTree.SubElement(element, member.serialization.get("name", name)), inner, member)
    elif isinstance(shape, ListShape):
        for inner in value:
            fill(ElementTree.SubElement(element, "item"), inner, shape.member)
    else:
        element.text = str(value).lower() if isinstance(value, bool) else str(value)


def fields(element: ElementTree.Element, prefix: str = "") -> set[str]:
    """The dotted names of all that stands below an element. Items of a list are not told apart."""
    found = set()
    for child in element:
        name = prefix if child.tag == "item" else f"{prefix}.{child.tag}" if prefix else child.tag
        found |= {name} | fields(child, name)
    return found


def json_fields(value: Any, prefix: str = "") -> set[str]:
    """The same of JSON."""
    if isinstance(value, list):
        return set().union(*(json_fields(each, prefix) for each in value))
    if not isinstance(value, dict):
        return set()
    named = {f"{prefix}.{name}" if prefix else name: inner for name, inner in value.items()}
    return set(named).union(*(json_fields(inner, name) for name, inner in named.items()))


def errors(root: Path) -> Iterator[tuple[str, ErrorAnswer]]:
    """Every recorded error: its file, with Code, Message and, where they were recorded, Operation and HTTPStatusCode. Of XML
    the list of sources has the status."""
    notes = dict(line.partition("\t")[::2] for line in (root / "sources.tsv").read_text().splitlines())
    for path in sorted((root / "errors").iterdir()):
        if path.suffix == ".json":
            said = json.loads(path.read_text())
            yield path.name, {**said, **said["Error"]}
        else:
            error = parse(path.read_bytes()).find("Errors/Error")
            status = re.search(r"HTTP (\d+)", notes[f"errors/{path.name}"])
            yield path.name, {child.tag: child.text for child in error} | ({"HTTPStatusCode": int(status[1])} if status else {})
