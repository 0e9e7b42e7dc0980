"""`make cloud`, as somebody types it and ends it with Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

from chat.embedded.children import die_with
from deploy.local.stack import CODE_BUCKET, PARAMETERS, Stack
from deploy.local.valkey import Valkey
from deploy.package import BUILD
from tests.deploy.tools import Json, resources
from tests.logs import WATCHED
from tests.ports import free_port
from tests.runtime.running import ROOT, environment, until

ENDS_WITHIN_S = 240  # far more than it takes, also on a machine that has much to do


class MadeCloud:
    """`with MadeCloud(folder) as cloud:` begins when it has said where it is. The end is Ctrl-C in its terminal, and
    fails when that leaves anything running, or says more than it should.

    All that is known of it is the three lines on its stdout and what lies in its folder. `settings` are those of the
    chat server.
    """

    def __init__(self, folder: Path, **settings: str):
        self.folder = folder.resolve() / "cloud"
        self._err = folder / "stderr"
        WATCHED.file(self._err)
        WATCHED.folder(self.folder, "*.log")
        self._env = environment(folder / "data", free_port(), CLOUD_DIR=str(self.folder), **settings)

    def __enter__(self) -> Self:
        tests = os.getpid()
        with self._err.open("wb") as stderr:
            self.process = subprocess.Popen(
                ["make", "cloud"],
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
                preexec_fn=lambda: die_with(tests),
            )
        try:
            self._read()
        except BaseException:
            self._kill()
            raise
        return self

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines = [line.strip() for line in (self.process.stdout.readline() for _ in range(3)) if line]
        assert len(self.lines) == 3, self.stderr
        told = dict(line.split("=", 1) for line in self.lines[1:])
        self.url = self.lines[0]
        self.api_url = told["AUTH_BASE"]
        self.stack = Stack(self.folder, told["AWS_ENDPOINT_URL"])
        self.redis = Valkey.of(self.folder)

    def __exit__(self, *_: object) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGINT)
            self.process.wait(ENDS_WITHIN_S)
            until(lambda: not self.pids, ENDS_WITHIN_S, "every process of the cloud has ended")
            assert "Traceback" not in self.stderr, self.stderr
        finally:
            self._kill()

    def _kill(self) -> None:
        for pid in (*self.pids, self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    @property
    def stderr(self) -> str:
        """All that it has said there so far."""
        return self._err.read_text()

    @property
    def pids(self) -> set[int]:
        """Every process that has its folder as CLOUD_DIR: make, the cloud, its parts, and what they started."""
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if f"CLOUD_DIR={self.folder}".encode() in (process / "environ").read_bytes().split(b"\0"):
                    found.add(int(process.name))
            except OSError:
                continue  # it ended while we looked, or is somebody else's
        return found


def further(stack: Stack, name: str, template: Json, **parameters: str) -> Stack:
    """A stack with tables of its own beside that one, of what the transform makes of the template. CloudFormation makes
    it by itself: what `sam deploy` does before was done for the first."""
    for function in resources(template, "AWS::Lambda::Function").values():
        code = function["Code"]
        package = (BUILD / Path(code["S3Key"]).name).read_bytes()
        stack.client("s3").put_object(Bucket=code["S3Bucket"], Key=code["S3Key"], Body=package)
    file = f"{name}.json"  # longer than what may be sent itself
    stack.client("s3").put_object(Bucket=CODE_BUCKET, Key=file, Body=json.dumps(template).encode())
    given = {**PARAMETERS, "TablePrefix": f"{name}-", **parameters}
    cloudformation = stack.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        TemplateURL=f"{stack.endpoint}/{CODE_BUCKET}/{file}",
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    return stack.beside(name)
