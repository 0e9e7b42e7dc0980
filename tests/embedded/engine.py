"""Starting an embedded engine as a process of its own, talking to it, ending it."""

from __future__ import annotations

import configparser
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config as BotoConfig

ROOT = Path(__file__).resolve().parents[2]
END_WITHIN_S = 60


def argv(data_dir: Path, **options: object) -> list[str]:
    """The command line of an engine whose file and credentials lie in that folder."""
    given = {"data": data_dir / "db", "credentials": data_dir / "credentials"} | options
    command = [sys.executable, "-m", "chat.embedded.dynamodb"]
    for name, value in given.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    return command


def make_client(
    endpoint: str, access_key: str, secret_key: str, service: str = "dynamodb", region: str = "local"
) -> Any:
    """A boto3 client that tries once and sends what it is given, so that every refusal is the server's."""
    return boto3.session.Session().client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=BotoConfig(
            parameter_validation=False,
            connect_timeout=2,
            read_timeout=20,
            retries={"total_max_attempts": 1},
            max_pool_connections=50,
        ),
    )


@dataclass
class Engine:
    """A running engine."""

    endpoint: str
    data_dir: Path
    process: subprocess.Popen[str]
    alive: int = -1  # the end of the pipe that keeps it alive; -1: none
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def credentials_file(self) -> Path:
        return self.data_dir / "credentials"

    @property
    def file(self) -> Path:
        return self.data_dir / "db"

    def keys(self) -> tuple[str, str]:
        """(access key, secret key)"""
        parser = configparser.RawConfigParser()
        parser.read(self.credentials_file)
        return parser["default"]["aws_access_key_id"], parser["default"]["aws_secret_access_key"]

    def client(self, service: str = "dynamodb") -> Any:
        """A client, one per service; threads may share it."""
        if service not in self._clients:
            self._clients[service] = make_client(self.endpoint, *self.keys(), service)
        return self._clients[service]

    def stop(self) -> int:
        """Asks it to end; returns its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """Kills it as kill -9 does."""
        return self._end(signal.SIGKILL)

    def close_pipe(self) -> None:
        """What happens when its parent dies."""
        os.close(self.alive)
        self.alive = -1

    def _end(self, number: int) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(END_WITHIN_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        if self.alive >= 0:
            self.close_pipe()
        return code


def start_engine(data_dir: Path, parent_pipe: bool = False, **options: object) -> Engine:
    """Starts an engine and returns when it answers. `options` are those of its command line."""
    alive_r, alive_w = os.pipe() if parent_pipe else (-1, -1)
    if parent_pipe:
        options["parent_fd"] = alive_r
    process = subprocess.Popen(
        argv(data_dir, **options),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[alive_r] if parent_pipe else [],
    )
    if parent_pipe:
        os.close(alive_r)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("DYNAMODB_ENDPOINT="), f"the engine did not start: {line!r}, exit code {process.wait(60)}"
    return Engine(line.strip().removeprefix("DYNAMODB_ENDPOINT="), data_dir, process, alive_w)
