"""Hosts are apart from each other and from the machine, and nothing of them stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.conftest import ROOT, wait_until
from tests.faults.hosts import NAMESPACES, HostError, Network, sweep
from tests.faults.line import Line

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
ABANDONED = """
import sys, time
from tests.faults.hosts import Network
network = Network("near", "far").__enter__()
network["near"].spawn([sys.executable, "-c", "import time; time.sleep(600)"])
print(network.router.namespace, flush=True)
time.sleep(600)
"""


def test_two_hosts_reach_each_other_through_the_router(network: Network) -> None:
    with Line(network) as line:
        assert line.echoes(b"hello")
        assert line.seen_from == network["near"].address


def test_two_networks_of_one_machine_do_not_meet(network: Network) -> None:
    with Network("near", "far") as other, Line(network) as line, Line(other) as its:
        assert line.echoes(b"one") and its.echoes(b"two")
        assert {host.namespace for host in network}.isdisjoint(host.namespace for host in other)


def test_what_runs_on_a_host_ends_with_it(permitted: None) -> None:
    with Network("near", "far") as network:
        process = network["near"].spawn(SLEEPER, stdout=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        assert network["near"].pids() == [process.pid]
        namespaces = [host.namespace for host in (*network, network.router)]
    assert process.wait(60) == -signal.SIGKILL
    process.stdout.close()
    assert not [name for name in namespaces if (NAMESPACES / name).exists()]


def test_a_killed_run_is_cleared_away_by_the_next(permitted: None) -> None:
    abandoned = subprocess.Popen([sys.executable, "-c", ABANDONED], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert abandoned.stdout is not None
    router = abandoned.stdout.readline().strip()
    assert (NAMESPACES / router).exists()
    assert router not in sweep(), "it still lives"
    abandoned.kill()
    abandoned.wait()
    abandoned.stdout.close()
    assert router in sweep()
    assert not list(NAMESPACES.glob(f"parley-{abandoned.pid}-*"))


def test_a_host_says_what_a_command_failed_with(network: Network) -> None:
    with pytest.raises(HostError, match="eth7"):
        network["near"].run("ip", "link", "set", "eth7", "up")


def test_a_thread_is_back_on_its_own_host_afterwards(network: Network) -> None:
    before = os.readlink("/proc/thread-self/ns/net")
    with network["near"].inside():
        assert os.readlink("/proc/thread-self/ns/net") != before
    wait_until(lambda: os.readlink("/proc/thread-self/ns/net") == before, 0.1)
