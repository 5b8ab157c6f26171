"""What the local AWS sends beside what AWS sent: the fields of each state of each API, and the form of errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from corpus import Recorded, fields

# The fields of an answer as a whole, where its rows are not looked at.
WHOLE = "the answer"
# Every answer has it, and no SDK shows it.
REQUEST_ID = "requestId"

# The kinds of differences: what the local AWS never sends, what it sends not always, and what only it sends.
MISSING, NOT_ALWAYS, ONLY_HERE = "missing", "not always", "only here"

Excuse = tuple[str, str, str, str]
Excuses = dict[Excuse, str]
"""Why a difference may be, by its kind, the operation, the state and the field; a star stands for any state. Fields below it are
excused with it."""


@dataclass(frozen=True)
class Row:
    """One thing in one answer, with its state."""

    state: str
    fields: frozenset[str]
    file: str = ""
    is_sample: bool = False
    is_recent: bool = False


@dataclass(frozen=True)
class Difference:
    """A field that one side has and the other has not."""

    kind: str
    operation: str
    state: str
    field: str
    text: str


@dataclass(frozen=True)
class Kind:
    """How the rows of an answer are found, and their states."""

    path: str
    state: Callable[[Element], str]


def snapshot_state(item: Element) -> str:
    """What has no volume is a copy, or looks like one."""
    status = item.findtext("status", "")
    return f"{status} without a volume" if item.findtext("volumeId") == "vol-ffffffff" else status


def instance_state(item: Element) -> str:
    """The state of an instance, and what it boots from."""
    return f"{item.findtext('instanceState/name')}, {item.findtext('rootDeviceType')}"


KINDS = {
    "CreateSnapshots": Kind("snapshotSet/item", lambda item: item.findtext("state", "")),
    "DescribeImages": Kind("imagesSet/item", lambda item: item.findtext("imageState", "")),
    "DescribeInstances": Kind("reservationSet/item/instancesSet/item", instance_state),
    "DescribeSnapshots": Kind("snapshotSet/item", snapshot_state),
    "DescribeVolumes": Kind("volumeSet/item", lambda item: item.findtext("status", "")),
}


def rows_of(operation: str, trees: Iterable[Element]) -> list[Row]:
    """The rows of our answers."""
    return [row for tree in trees for row in rows(operation, tree)]


def recorded_rows(operation: str, answers: Iterable[Recorded]) -> list[Row]:
    """The rows of AWS's answers."""
    return [
        Row(row.state, row.fields, answer.file, answer.is_sample, answer.is_recent)
        for answer in answers
        for row in rows(operation, answer.tree)
    ]


def rows(operation: str, tree: Element) -> list[Row]:
    """The rows of one answer: what it lists, and the answer itself without what is in the rows."""
    kind = KINDS.get(operation)
    listed = tree.findall(kind.path) if kind else []
    inside = kind.path.replace("/item", "").replace("/", ".") + "." if kind else "nothing."
    around = {each for each in fields(tree) if not each.startswith(inside)} - {REQUEST_ID}
    found = [Row(kind.state(item), frozenset(fields(item))) for item in listed if kind]
    return [Row(WHOLE, frozenset(around)), *found]


def differences(operation: str, real: list[Row], ours: list[Row]) -> list[Difference]:
    """All differences. AWS's own samples count for what AWS may send, not for what it does send."""
    found: dict[tuple[str, str], Difference] = {}

    def tell(kind: str, state: str, field: str, text: str) -> None:
        found.setdefault((state, field), Difference(kind, operation, state, field, f"{operation}, {state}: {text}"))

    for state in sorted({row.state for row in real if not row.is_sample}):
        mine = [row.fields for row in ours if row.state == state]
        if not mine:
            tell(MISSING, state, "", "the comparison has no such row of the local AWS")
            continue
        for field, file in sorted(shown(real, state).items()):
            if field not in frozenset().union(*mine):
                tell(MISSING, state, field, f"EC2 sends {field} ({file}), the local AWS does not")
        for field, file in sorted(always_shown(real, state).items()):
            if any(field not in each for each in mine):
                tell(NOT_ALWAYS, state, field, f"EC2 always sends {field} ({file}), the local AWS leaves it out sometimes")
    for row in ours:
        allowed = {field for each in real if each.state == row.state for field in each.fields}
        for field in sorted(row.fields - allowed):
            tell(ONLY_HERE, row.state, field, f"the local AWS sends {field}, which EC2 never showed")
    return list(found.values())


def shown(real: list[Row], state: str) -> dict[str, str]:
    """The fields that AWS sent in a state, each with the file that shows it."""
    rows = [row for row in real if row.state == state and not row.is_sample]
    return {field: row.file for row in rows for field in row.fields}


def always_shown(real: list[Row], state: str) -> dict[str, str]:
    """The fields that all answers of these years have in a state, and one of their files."""
    rows = [row for row in real if row.state == state and row.is_recent and not row.is_sample]
    return {field: rows[0].file for field in frozenset.intersection(*(row.fields for row in rows))} if rows else {}


def excuse_for(difference: Difference, excuses: Excuses) -> Excuse | None:
    """The excuse that covers a difference."""
    for excuse in excuses:
        kind, operation, state, field = excuse
        if (kind, operation) == (difference.kind, difference.operation) and state in ("*", difference.state):
            if difference.field == field or difference.field.startswith(f"{field}."):
                return excuse
    return None


def form(message: str) -> str:
    """The form of an error's message: what differs from call to call stands for itself no more."""
    for pattern, name in FORMS:
        message = re.sub(pattern, name, message)
    return message


# The order matters: what is longer comes first.
FORMS = (
    (r"(?<=failure message: ).*", "<encoded>"),
    (r"[A-Za-z0-9+/=_]{200,}", "<token>"),
    (r"assumed-role/\S+", "assumed-role/<session>"),
    (r"no (identity-based|session) policy", "no <kind> policy"),
    (r"(?<=keyId )\S+|(?<=use key )\S+", "<key>"),
    (r"(?<=AMI name )\S+", "<name>"),
    (r"(?<=Value \().*(?=\) for parameter description)", "<description>"),
    (r"\b(ami|i|snap|vol)-[0-9a-f]{8,17}", r"\1-<id>"),
    (r"\b\d{12}\b", "<account>"),
    (r"\b[a-z]{2}-[a-z]+-\d[a-z]?\b", "<region>"),
)
