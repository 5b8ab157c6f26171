"""Whether a value is what a JSON schema says: as much of the language as docs/run-finished.schema.json uses, read strictly.

What the schema does not name counts as wrong here, so that a new key of a report cannot be forgotten there.
"""

from __future__ import annotations

from typing import Any

KINDS = {"array": list, "boolean": bool, "integer": int, "object": dict, "string": str}
# What says nothing about a value.
WORDS = {"$schema", "$defs", "title", "description"}


def problems(schema: dict[str, Any], value: Any, part: dict[str, Any] | None = None, path: str = "$") -> list[str]:
    """What is wrong with a value, each with its path."""
    part = schema if part is None else part
    found: list[str] = []
    rules = {name: rule for name, rule in part.items() if name not in WORDS}
    if reference := rules.pop("$ref", None):
        found += problems(schema, value, schema["$defs"][reference.removeprefix("#/$defs/")], path)
    if choices := rules.pop("oneOf", None):
        each = [problems(schema, value, choice, path) for choice in choices]
        if [len(wrong) for wrong in each].count(0) != 1:
            found.append(f"{path}: is not one of {len(choices)}: {each}")
        # The choices name the keys.
        rules.pop("required", None), rules.pop("type", None)
    kind = rules.pop("type", None)
    if kind and (type(value) is not KINDS[kind]):
        return [*found, f"{path}: is a {type(value).__name__}, expected {kind}"]
    if "minimum" in rules and value < rules.pop("minimum"):
        found.append(f"{path}: {value} is too small")
    if "const" in rules and value != rules.pop("const"):
        found.append(f"{path}: {value} is another value")
    if "enum" in rules and value not in rules.pop("enum"):
        found.append(f"{path}: {value} is none of the values")
    found += [f"{path}.{name}: is missing" for name in rules.pop("required", []) if name not in value]
    properties, rest = rules.pop("properties", {}), rules.pop("additionalProperties", None)
    for name, one in value.items() if kind == "object" else []:
        known = properties.get(name, rest)
        found += [f"{path}.{name}: is unknown"] if known is None else problems(schema, one, known, f"{path}.{name}")
    for number, one in enumerate(value) if "items" in rules else []:
        found += problems(schema, one, rules["items"], f"{path}[{number}]")
    unread = set(rules) - {"items", "minimum", "const", "enum"}
    assert not unread, f"{path}: the schema says {sorted(unread)}, which nobody reads"
    return found
