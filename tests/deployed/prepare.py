"""Make what `make deployed` needs beside `.venv`: MiniStack, the SAM CLI, and the function small enough to be uploaded.

`python3 tests/deployed/prepare.py BOOTSTRAP` puts all three into `.local/`. The SAM CLI is the one of `make validate`. When nothing
has changed since the last time it returns at once.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "local"))

from sam_validate import SAM_VENV, install_sam
from setup import ROOT, require_python, run

SAM = SAM_VENV / "bin" / "sam"
MINISTACK_VENV = ROOT / ".local" / "ministack"
MINISTACK_STAMP = MINISTACK_VENV / "opendlm.stamp"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
BUILT = ROOT / ".local" / "deployed" / "bootstrap"


def main() -> None:
    """Bring everything up to date."""
    [bootstrap] = sys.argv[1:]
    install_sam()
    install_ministack()
    strip(Path(bootstrap))


def install_ministack() -> None:
    """Make MiniStack's environment, or return at once when it is there."""
    if MINISTACK_STAMP.exists() and MINISTACK_STAMP.read_text() == REQUIREMENTS.read_text():
        return
    require_python()
    print(f"Preparing {MINISTACK_VENV.relative_to(ROOT)} (about 20 s, once)", flush=True)
    run([sys.executable, "-m", "venv", "--clear", str(MINISTACK_VENV)])
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    run([str(MINISTACK_VENV / "bin" / "python"), "-m", "pip", "install", *quiet, "--requirement", str(REQUIREMENTS)])
    MINISTACK_STAMP.write_text(REQUIREMENTS.read_text())


def strip(bootstrap: Path) -> None:
    """Copy the function without what only a debugger reads: half of it, and Lambda takes 50 MB. As it is where nothing can strip."""
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(bootstrap, BUILT)
    if shutil.which("strip"):
        run(["strip", "--strip-all", str(BUILT)])


if __name__ == "__main__":
    main()
