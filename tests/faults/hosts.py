"""Network namespaces that stand for hosts, all joined by one router.

Every packet between two hosts passes the router's forward hook, so whatever befalls a link is a rule there and no host
knows of it. The addresses are the same in every run, which is no clash: no namespace is joined to the machine's own
network. What a killed run left is taken away by the next one.
"""

from __future__ import annotations

import ctypes
import ipaddress
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Any

CLONE_NEWNET = 0x40000000
NAMESPACES = Path("/run/netns")
OURS = re.compile(r"parley-(\d+)-\d+-[a-z0-9-]+")
TOOLS = ("ip", "tc", "nft")
ROUTER = "router"
_networks = count(1)


class HostError(Exception):
    """A command that sets up or changes the network failed; the message has what it said."""


def refusal() -> str:
    """Why this machine has no namespaces for us, in one sentence; empty when it has."""
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return f"the faults need {', '.join(lacking)} on the PATH"
    if os.geteuid() != 0:
        return "the faults need root: network namespaces stand for hosts"
    name = f"parley-{os.getpid()}-0-probe"
    try:
        _run("ip", "netns", "add", name)
        try:
            _run("ip", "netns", "exec", name, "nft", "list", "ruleset")
        finally:
            _run("ip", "netns", "del", name)
    except HostError as error:
        return f"this machine permits no network namespaces with packet filters ({error})"
    return ""


def sweep() -> list[str]:
    """Takes away what runs that no longer live have left, processes included; returns the names."""
    left = []
    for path in NAMESPACES.glob("parley-*") if NAMESPACES.is_dir() else ():
        match = OURS.fullmatch(path.name)
        if match and not Path(f"/proc/{match[1]}").exists():
            _remove(path.name)
            left.append(path.name)
    return left


class Host:
    """One namespace. `address` is its own; a host may have further ones."""

    def __init__(self, namespace: str, name: str, address: str, gateway: str):
        self.namespace = namespace
        self.name = name
        self.address = address
        self.gateway = gateway

    def run(self, *argv: str, input: str | None = None) -> str:
        """What a command on this host prints. Raises: HostError."""
        return _run("ip", "netns", "exec", self.namespace, *argv, input=input)

    def spawn(
        self, argv: Sequence[str | Path], env: Mapping[str, str] | None = None, cwd: Path | None = None, **pipes: Any
    ) -> subprocess.Popen[str]:
        """Starts a program on this host; its pid is the program's own."""
        command = ["ip", "netns", "exec", self.namespace, *map(str, argv)]
        return subprocess.Popen(command, env=dict(env) if env is not None else None, cwd=cwd, text=True, **pipes)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets that this thread makes here belong to this host, for as long as they live."""
        with open("/proc/thread-self/ns/net") as before, open(NAMESPACES / self.namespace) as there:
            _enter(there)
            try:
                yield
            finally:
                _enter(before)

    def pids(self) -> list[int]:
        """Every process of this host."""
        return [int(pid) for pid in _run("ip", "netns", "pids", self.namespace).split()]


class Network:
    """`with Network("web-1", "redis", …) as network:`, then `network["web-1"]`. Leaving it kills whatever runs there.

    Host number k has 10.77.k.2 and, with `addresses={name: n}`, n further ones from 10.77.k.11 on.
    """

    def __init__(self, *names: str, addresses: Mapping[str, int] | None = None):
        self._prefix = f"parley-{os.getpid()}-{next(_networks)}"
        self._further = dict(addresses or {})
        self.router = Host(f"{self._prefix}-{ROUTER}", ROUTER, "", "")
        self._hosts = {
            name: Host(f"{self._prefix}-{name}", name, f"10.77.{k}.2", f"10.77.{k}.1")
            for k, name in enumerate(names, 1)
        }

    def __getitem__(self, name: str) -> Host:
        return self._hosts[name]

    def __iter__(self) -> Iterator[Host]:
        return iter(self._hosts.values())

    def further(self, name: str) -> list[str]:
        """The further addresses of a host."""
        first = ipaddress.ip_address(self[name].address) + 9
        return [str(first + n) for n in range(self._further.get(name, 0))]

    def __enter__(self) -> Network:
        sweep()
        try:
            _run("ip", "netns", "add", self.router.namespace)
            self.router.run("sh", "-c", "ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward")
            for host in self:
                self._join(host)
        except BaseException:
            self.close()
            raise
        return self

    def _join(self, host: Host) -> None:
        _run("ip", "netns", "add", host.namespace)
        _run(
            *("ip", "link", "add", "eth0", "netns", host.namespace, "type", "veth"),
            *("peer", "name", host.name, "netns", self.router.namespace),
        )
        addresses = [host.address, *self.further(host.name)]
        host.run(
            "ip",
            "-batch",
            "-",
            input="link set lo up\nlink set eth0 up\n"
            + "".join(f"addr add {address}/24 dev eth0\n" for address in addresses),
        )
        _run("ip", "-n", self.router.namespace, "addr", "add", f"{host.gateway}/24", "dev", host.name)
        _run("ip", "-n", self.router.namespace, "link", "set", host.name, "up")
        _run("ip", "-n", host.namespace, "route", "add", "default", "via", host.gateway)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kills what runs on the hosts and removes them."""
        for host in (*self, self.router):
            if (NAMESPACES / host.namespace).exists():
                _remove(host.namespace)


def _remove(namespace: str) -> None:
    deadline = time.monotonic() + 5
    while pids := _run("ip", "netns", "pids", namespace).split():
        for pid in pids:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            raise HostError(f"{pids} on {namespace} do not die")
        time.sleep(0.01)
    _run("ip", "netns", "del", namespace)


def _run(*argv: str, input: str | None = None) -> str:
    done = subprocess.run(argv, input=input, capture_output=True, text=True)
    if done.returncode:
        raise HostError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip() or done.returncode}")
    return done.stdout


def _enter(namespace: IO[str]) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise HostError(f"setns: {os.strerror(ctypes.get_errno())}")
