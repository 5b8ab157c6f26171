"""A local AWS in one Python process: EC2, Scheduler and Step Functions on one port, with what stock moto lacks.

    with LocalAws(switches.from_environment()) as aws:
        client = aws.client("ec2")

The account is empty at the start and is gone at the end. `account.py` fills it, `wire.py` describes the admin paths.
"""

from __future__ import annotations

import logging
import os
import ssl
import threading
from typing import Any

ACCOUNT = "123456789012"
REGION = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
# Another Region, for tests of what is copied or looked at there.
THERE = "eu-west-2"

# moto reads these when it is imported. It has no snapshots of other people's AMIs without the 1,300 that it would load.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
# An account there would be everybody's; without it moto goes by the credentials, and ACCOUNT is whose are of no other.
os.environ.pop("MOTO_ACCOUNT_ID", None)

import boto3  # noqa: E402
from botocore.config import Config  # noqa: E402
from moto.backends import get_backend  # noqa: E402
from moto.core.config import default_user_config  # noqa: E402
from moto.moto_api._internal import mock_random  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

import ec2_patches  # noqa: E402
import machine_patches  # noqa: E402
import scheduler_patches  # noqa: E402
import touched  # noqa: E402
from keep_alive import KeepAliveHandler  # noqa: E402
from switches import Switches  # noqa: E402
from wire import Wire  # noqa: E402


class LocalAws:
    """The endpoint. Use it in a `with`, which serves it and ends it."""

    def __init__(self, switches: Switches, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """Port 0 means any free one. With `tls` the endpoint speaks HTTPS, and Step Functions cannot be used."""
        self.switches = switches
        ec2_patches.apply(switches)
        machine_patches.apply(switches)
        scheduler_patches.apply(switches)
        default_user_config["stepfunctions"]["execute_state_machine"] = True
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        logging.getLogger("moto").setLevel(logging.CRITICAL)
        moto = DomainDispatcherApplication(create_backend_app)
        self.wire = Wire(moto, switches, lambda call: touched.by(get_backend("ec2")[call.Account], call))
        self._server = make_server(
            "127.0.0.1", port, self.wire, threaded=True, request_handler=KeepAliveHandler, ssl_context=tls
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> LocalAws:
        # moto's interpreter reaches other services of this endpoint by this variable.
        os.environ["MOTO_PORT"] = str(self._server.server_port)
        self.reset()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset(self) -> None:
        """Empty accounts, an empty log, full buckets, and ids drawn from the seed again."""
        # The reset of the whole service would take the state machines along.
        for service in ("ec2", "scheduler"):
            for account in list(get_backend(service).values()):
                for region in list(account.values()):
                    region.reset()
        self.wire.reset()
        mock_random.seed(self.switches.SEED)

    @property
    def ec2(self) -> Any:
        """moto's EC2 of our account in our Region, for seeding."""
        return self.ec2_of(ACCOUNT, REGION)

    def ec2_of(self, account: str, region: str) -> Any:
        """moto's EC2 of any account in any Region."""
        return get_backend("ec2")[account][region]

    def environment(self) -> dict[str, str]:
        """The variables that point an AWS SDK here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            # These lists show at once what was begun.
            "OPENDLM_SETTLING_SECONDS": os.environ.get("OPENDLM_SETTLING_SECONDS", "0"),
            # It throttles when a switch says so, by chance: no pace that could be learnt from that helps.
            "OPENDLM_API_LIMITS": os.environ.get("OPENDLM_API_LIMITS", "NONE"),
        }

    def client(self, service: str, region: str = REGION) -> Any:
        """A boto3 client for a Region of this endpoint, without retries of its own. The Region is where its signature says."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=300, max_pool_connections=50, proxies={}),
        )
