"""What README and docs say to type works: each command of `opendlm` is typed, in the order of its page, against the local AWS.

What needs an account or minutes stands in docs/commands.md, and is a command of some page. Each page that is linked is there.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from botocore.model import ServiceModel

import documented
from chain import Chain
from documented import LIST, PAGES, Command
from opendlm import program
from reader import Reader
from rie import ROOT

LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")
ALL = [command for page in PAGES for command in documented.of_page(page)]
# Words of `opendlm` that are a command by themselves.
ABOUT_ALL = {"list", "runs"}
# What the AWS CLI takes with every operation, and with every one that pages.
OPTIONS_OF_ALL = {"--output", "--query", "--region"}
OPTIONS_OF_PAGES = {"--max-items", "--no-paginate"}
# A command of the AWS CLI's own, of several operations.
NO_OPERATION = {("cloudformation", "deploy")}
PYTHON = ".venv/bin/python"
SECONDS_MAX = 60


@cache
def help_of(*words: str) -> str:
    """What `opendlm WORD --help` says."""
    return subprocess.run([program(), *words, "--help"], capture_output=True, text=True, timeout=SECONDS_MAX, check=True).stdout


def is_whole(command: Command) -> bool:
    """Whether a command says what it is about; where it does not, a word is spoken of, with its options perhaps."""
    _, word, *rest = command.words
    return word in ABOUT_ALL or "--all" in rest or not all(each.startswith("-") for each in rest)


def is_typed(command: Command) -> bool:
    """Whether the tests below type a command, or look up the word and the options of one that is only spoken of."""
    return command.words[0] == "opendlm" or command.words[:2] == (PYTHON, "tests/local/serve.py")


def opendlm_commands(page: Path) -> list[Command]:
    """The commands of `opendlm` of a page, each once."""
    return [command for command in dict.fromkeys(documented.of_page(page)) if command.words[0] == "opendlm"]


def typed_commands(page: Path) -> list[Command]:
    """Those of them that can be typed."""
    return [command for command in opendlm_commands(page) if is_whole(command)]


@pytest.mark.parametrize("page", [page for page in PAGES if typed_commands(page)], ids=lambda page: page.name)
def test_the_commands_of_a_page_work_in_its_order(page: Path, local: Chain, tmp_path: Path) -> None:
    # The README begins with nothing deployed.
    reader = Reader(local, tmp_path, has_deployed=page.name != "README.md")
    for command in typed_commands(page):
        reader.type(command)


def test_only_of_the_words_that_are_about_all_nothing_more_is_asked() -> None:
    words = set(re.findall(r"^  (\w+) ", help_of(), re.M)) - {"help", "simulate"}
    asks = {word for word in words if re.search("<|FILE", re.findall(r"^Usage: .*$", help_of(word), re.M)[0])}
    assert words - asks == ABOUT_ALL


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_words_and_options_of_opendlm_that_a_page_speaks_of_are_there(page: Path) -> None:
    words = re.findall(r"^  (\w+) ", help_of(), re.M)
    for command in opendlm_commands(page):
        assert command.words[1] in words, f"{page.name}: {command}"
        for option in [word for word in command.words if word.startswith("--")]:
            assert re.search(rf"{option}\b", help_of(command.words[1])), f"{page.name}: {command}"


def test_every_command_is_typed_or_listed_and_every_entry_is_a_command() -> None:
    listed = documented.listed()
    assert listed, f"{LIST} lists nothing"
    used = set()
    for command in ALL:
        entries = {entry for entry in listed if command.words[: len(entry)] == entry}
        assert is_typed(command) or entries, f"{command.page}: {command}\nis typed by no test and stands not in {LIST.name}"
        assert not (is_typed(command) and entries), f"{command.page}: {command}\nis typed by a test and stands in {LIST.name}"
        used |= entries
    assert set(listed) - used == set(), f"{LIST.name} lists what no page says to type"


def test_the_programs_of_this_folder_that_are_named_say_what_they_take() -> None:
    [command] = {command for command in ALL if command.words[0] == PYTHON and is_typed(command)}
    done = subprocess.run(
        [sys.executable, *command.words[1:]], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS_MAX, check=True
    )
    assert "usage: serve.py" in done.stdout


@pytest.mark.parametrize("command", sorted({c for c in ALL if c.words[0] == "make"}, key=str), ids=str)
def test_make_knows_the_word_and_its_variables(command: Command) -> None:
    text = (ROOT / "Makefile").read_text()
    [word], variables = [[each for each in command.words[1:] if ("=" in each) == is_set] for is_set in (False, True)]
    assert re.search(rf"^{word}:.*## ", text, re.M), f"{command.page}: make help does not list {word}"
    for variable in variables:
        assert re.search(rf"^{variable.partition('=')[0]} \?=", text, re.M), f"{command.page}: {command}"


@cache
def model_of(service: str) -> ServiceModel:
    """The operations of a service."""
    return botocore.session.get_session().get_service_model(service)


@cache
def pages_of(service: str) -> set[str]:
    """The operations of a service that answer in pages."""
    return set(botocore.session.get_session().get_component("data_loader").load_service_model(service, "paginators-1")["pagination"])


@pytest.mark.parametrize("command", sorted({c for c in ALL if c.words[0] == "aws"}, key=str), ids=lambda c: " ".join(c.words[1:3]))
def test_the_aws_cli_has_the_operation_and_its_options(command: Command) -> None:
    service, operation = command.words[1:3]
    if (service, operation) in NO_OPERATION:
        return
    model = model_of(service)
    names = {botocore.xform_name(name, "-"): name for name in model.operation_names}
    assert operation in names, f"{command.page}: {command}"
    members = model.operation_model(names[operation]).input_shape.members
    known = OPTIONS_OF_ALL | {f"--{botocore.xform_name(name, '-')}" for name in members}
    if names[operation] in pages_of(service):
        known |= OPTIONS_OF_PAGES
    assert {word for word in command.words if word.startswith("--")} <= known, f"{command.page}: {command}"


@pytest.mark.parametrize("page", sorted([*PAGES, LIST]), ids=lambda page: page.name)
def test_the_pages_and_files_that_are_linked_are_there(page: Path) -> None:
    linked = [target for target, _ in LINK.findall(page.read_text()) if "://" not in target]
    missing = [target for target in linked if not (page.parent / target).exists()]
    assert missing == [], page.name
