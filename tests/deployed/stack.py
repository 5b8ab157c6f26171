"""The stack: template.yaml as it is, built and deployed by the SAM CLI, and deleted by it."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from ministack import CREDENTIALS, REGION, MiniStack
from prepare import BUILT, SAM
from setup import ROOT

NAME = "opendlm"
# MiniStack starts what it gets, so the function is the one that this machine can run.
ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
SAM_SECONDS_MAX = 120


class Stack:
    """A deployed stack."""

    def __init__(self, cloud: MiniStack, folder: Path) -> None:
        self.cloud = cloud
        self._folder = folder

    def build(self) -> None:
        """`sam build`. The Makefile's target that it calls takes the function that is built already."""
        self._sam("build", "--build-dir", str(self._folder / "build"), "--parameter-overrides", f"Architecture={ARCHITECTURE}")

    def deploy(self, **parameters: str) -> None:
        """`sam deploy`, without its questions."""
        overrides = [f'{name}="{value}"' for name, value in {"Architecture": ARCHITECTURE, **parameters}.items()]
        template = ["--template-file", str(self._folder / "build" / "template.yaml"), "--config-file", str(ROOT / "samconfig.toml")]
        self._sam("deploy", *template, "--no-confirm-changeset", "--no-progressbar", "--parameter-overrides", *overrides)

    def delete(self) -> None:
        """`sam delete`, without its questions."""
        self._sam("delete", "--stack-name", NAME, "--region", REGION, "--no-prompts")

    def status(self) -> str:
        """CloudFormation's word for how the stack is."""
        [stack] = self.cloud.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
        return stack["StackStatus"]

    def outputs(self) -> dict[str, str]:
        """The outputs by name."""
        [stack] = self.cloud.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def function(self) -> dict[str, Any]:
        """The function's configuration."""
        return self.cloud.client("lambda").get_function_configuration(FunctionName=self.outputs()["FunctionArn"])

    def change_environment(self, endpoint: str) -> None:
        """The one thing that is changed of what was deployed: where AWS is, and that it shows at once what was begun."""
        variables = {"AWS_ENDPOINT_URL": endpoint, "OPENDLM_SETTLING_SECONDS": "0"}
        function = self.outputs()["FunctionArn"]
        self.cloud.client("lambda").update_function_configuration(FunctionName=function, Environment={"Variables": variables})

    def schedule(self) -> dict[str, Any]:
        """The schedule, as it can be given back."""
        outputs = self.outputs()
        found = self.cloud.client("scheduler").get_schedule(
            GroupName=outputs["ScheduleGroupName"], Name=outputs["ScheduleName"]
        )
        read_only = ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata")
        return {name: value for name, value in found.items() if name not in read_only}

    def change_schedule(self, **changes: Any) -> None:
        """Change the schedule as `aws scheduler update-schedule` does, which wants all of it."""
        self.cloud.client("scheduler").update_schedule(**{**self.schedule(), **changes})

    def environment(self) -> dict[str, str]:
        """The environment of somebody whose AWS is MiniStack. SAM reports what it runs to its makers unless told not to."""
        user = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        chosen = {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
            "OPENDLM_BUILT": str(BUILT),
            "SAM_CLI_TELEMETRY": "0",
            "__SAM_CLI_APP_DIR": str(self._folder),
        }
        return {**user, **CREDENTIALS, **chosen}

    def _sam(self, *arguments: str) -> None:
        command = [str(SAM), *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, timeout=SAM_SECONDS_MAX, check=False
        )
        assert done.returncode == 0, f"sam {arguments[0]} failed\n{done.stdout[-3000:]}\n{done.stderr}\n{self.cloud.tail()}"
