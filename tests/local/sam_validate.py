"""Check the templates with `sam validate --lint`, and the state machine with asl-validator where npm is present.

`python3 tests/local/sam_validate.py` puts both tools, with fixed versions, into `.local/`. The SAM CLI takes 340 MB and a
minute to install, so it has an environment of its own, which only this script needs. Neither tool wants credentials, and
neither talks to AWS. The two belong together: the linter of the SAM CLI does not look inside a state machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from setup import EMULATOR_WHEEL as SAM_CLI
from setup import ROOT, require_python, run

SAM_VENV = ROOT / ".local" / "sam"
SAM_STAMP = SAM_VENV / "opendlm.stamp"
ASL_VALIDATOR = "asl-validator@4.0.0"
ASL_FOLDER = ROOT / ".local" / ASL_VALIDATOR
ASL_SCRIPT = ASL_FOLDER / "node_modules" / "asl-validator" / "dist" / "bin" / "asl-validator.js"
TEMPLATES = ("template.yaml", "target-role.yaml")
MACHINE = "statemachine/opendlm.asl.json"
# What the linter checks against; any Region that has every service of the template does.
REGION = "us-east-1"


def main() -> None:
    """Run both checks; the exit status is 1 when either finds something."""
    install_sam()
    failed = [name for name, check in CHECKS.items() if check() != 0]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def install_sam() -> None:
    """Make the SAM CLI's environment, or return at once when it is there."""
    if SAM_STAMP.exists() and SAM_STAMP.read_text() == SAM_CLI:
        return
    require_python()
    print(f"Preparing {SAM_VENV.relative_to(ROOT)} (about 1 min, once)", flush=True)
    run([sys.executable, "-m", "venv", "--clear", str(SAM_VENV)])
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    run([str(SAM_VENV / "bin" / "python"), "-m", "pip", "install", *quiet, SAM_CLI])
    SAM_STAMP.write_text(SAM_CLI)


def validate_template(name: str) -> int:
    """Lint a template. SAM reports what it runs to its makers unless told not to."""
    environment = {**os.environ, "AWS_DEFAULT_REGION": REGION, "SAM_CLI_TELEMETRY": "0"}
    command = [str(SAM_VENV / "bin" / "sam"), "validate", "--lint", "--template-file", name]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def validate_machine() -> int:
    """Check the state machine file, or say that there is no npm to check it with (moto's parser checks it in any case)."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        print(f"{MACHINE}: not checked by {ASL_VALIDATOR}, since npm is not here", flush=True)
        return 0
    if not ASL_SCRIPT.exists():
        run([npm, "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(ASL_FOLDER), ASL_VALIDATOR])
    # The validator wants ARNs, so it gets the definition with its partition filled in.
    filled = ROOT / ".local" / Path(MACHINE).name
    filled.write_text((ROOT / MACHINE).read_text().replace("${Partition}", "aws"))
    command = [node, str(ASL_SCRIPT), "--json-path", str(filled)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


CHECKS = {name: partial(validate_template, name) for name in TEMPLATES} | {MACHINE: validate_machine}


if __name__ == "__main__":
    main()
