"""What lies beside the project: recorded answers of AWS, and inputs that once failed. A clone by itself has neither."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rie import ROOT


def folder(variable: str, name: str) -> Path:
    """The folder that a variable names, which has to be there then, or `../shared/NAME`, without which a test is skipped."""
    named = os.environ.get(variable)
    found = Path(named) if named else ROOT.parent / "shared" / name
    if not found.is_dir():
        if named:
            pytest.fail(f"{variable} is {named}, which is no folder")
        pytest.skip(f"{variable} is not set and {found} is no folder")
    return found
