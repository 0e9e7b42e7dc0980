"""A deadline interrupts greenlets where they wait: they leave nothing behind that others wait for."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

CROWD = """
from gevent import monkey
monkey.patch_all()
import queue, random, sys, threading
import gevent, gevent.lock, gevent.queue
from chat.errors import ChatError
from chat.services.storage import redis_client
from chat.services.runtime.deadline import deadline
from chat.services.storage.client import Client
from chat.services.storage.storage import Storage

class Slow:
    def get_item(self):
        gevent.sleep(0.001)

storage = Storage(Client(Slow(), places=eval(sys.argv[1])(3)))
redis_client.POOL_SIZE = 3
redis = redis_client.connect(sys.argv[3], queue_class=eval(sys.argv[2]))

def ask(what, patience_s):
    try:
        with deadline(patience_s), redis_client.answering():
            what()
        return "answered"
    except ChatError as error:
        return error.code

def storage_answers():
    storage.client.call("get_item")

def redis_answers():
    redis.eval("local n = 0 for k = 1, 50000 do n = n + k end", 0)

def crowd(what):
    dice = random.Random(5)
    jobs = [gevent.spawn_later(dice.random(), ask, what, dice.random() * 0.05) for _ in range(3000)]
    within_s = float(sys.argv[4])
    gevent.joinall(jobs, timeout=within_s)
    gevent.joinall([gevent.spawn(ask, what, within_s) for _ in range(3)], timeout=within_s)
    return all(job.successful() for job in jobs) and ask(what, within_s)

for name in sys.argv[5:]:
    print(crowd({"storage": storage_answers, "redis": redis_answers}[name]))
"""
OURS = ("gevent.lock.BoundedSemaphore", "gevent.queue.LifoQueue")


def after_a_crowd(kinds: tuple[str, str], redis_url: str, *asked: str, within_s: int) -> list[str]:
    """What is asked answers when 3,000 greenlets have asked it for three places, most of them in vain."""
    command = [sys.executable, "-c", CROWD, *kinds, redis_url, str(within_s), *asked]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=True).stdout.split()


def test_a_deadline_leaves_no_place_and_no_connection_taken(redis_url):
    assert after_a_crowd(OURS, redis_url, "storage", "redis", within_s=20) == ["answered", "answered"]


def test_the_semaphore_of_threads_would_not_do(redis_url):
    kinds = ("threading.BoundedSemaphore", OURS[1])
    assert after_a_crowd(kinds, redis_url, "storage", within_s=2) != ["answered"]
