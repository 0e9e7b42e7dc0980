"""Scenario 2: a row that anybody puts into the table `messages` shows up in every open page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import expect

from chat.services.items import pack
from tests.e2e.browser import AWAY, Visitors
from tests.e2e.parley import Parley, children, new_id
from tests.e2e.peer import Peer
from tests.runtime.running import until

WITHIN_S = 2.0


class Script:
    """Somebody with the keys to the table and nothing else: boto3, as the AWS CLI uses it."""

    def __init__(self, parley: Parley):
        self._client = boto3.Session().client(
            "dynamodb",
            region_name="eu-west-1",
            endpoint_url=parley.told["DYNAMODB_ENDPOINT"],
            **keys_of(parley.told["AWS_SHARED_CREDENTIALS_FILE"]),
        )

    def put(self, room: str, row_id: str, text: str, username: str = "ci") -> float:
        """Puts a row; returns when that was done."""
        row = {"room": room, "id": row_id, "text": text, "username": username}
        self._client.put_item(TableName="messages", Item=pack(row))
        return time.monotonic()

    def delete(self, room: str, row_id: str) -> None:
        self._client.delete_item(TableName="messages", Key=pack({"room": room, "id": row_id}))


def keys_of(path: str) -> dict[str, str]:
    lines = [line.split("=", 1) for line in Path(path).read_text().splitlines() if "=" in line]
    return {name.strip(): value.strip() for name, value in lines}


@contextmanager
def workers(folder: Any, number: int) -> Iterator[Parley]:
    with Parley(folder / "data", WORKERS=str(number)) as parley:
        yield parley


def test_a_row_is_in_two_open_pages_within_two_seconds_and_follows_its_edits_and_its_end(parley, visitor: Visitors):
    ada, grace = visitor(AWAY), visitor(AWAY)
    ada.register(parley.new_name("Ada"))
    grace.register(parley.new_name("Grace"))
    script, row_id, text = Script(parley), new_id(), f"Deploy {new_id()}"
    put_at = script.put("general", row_id, f"{text} begun")
    for page in (ada, grace):
        expect(page.message(f"{text} begun")).to_be_visible(timeout=WITHIN_S * 1000)
    assert time.monotonic() - put_at < WITHIN_S
    script.put("general", row_id, f"{text} finished")
    for page in (ada, grace):
        expect(page.message(f"{text} finished")).to_be_visible(timeout=WITHIN_S * 1000)
        expect(page.message(f"{text} begun")).to_have_count(0)
    script.delete("general", row_id)
    for page in (ada, grace):
        expect(page.message(f"{text} finished")).to_have_count(0, timeout=WITHIN_S * 1000)


def test_a_row_for_a_private_room_reaches_its_members_alone(parley, two, device: Callable[..., Peer]):
    ada, grace = two
    room = ada.room("private", kind="private")
    a, g = device(ada), device(grace)
    text = f"for members {new_id()}"
    Script(parley).put(room, new_id(), text)
    message = a.hears("message:sent", lambda m: m["text"] == text, within_s=WITHIN_S)
    assert message["via"] == "table" and message["author"] == "table:ci"
    assert not [m for m in g.all_of("message:sent") if m["text"] == text]


def test_bad_rows_do_not_hold_up_good_ones(parley, two, device: Callable[..., Peer]):
    ada, _ = two
    room = ada.room("rows")
    a, script = device(ada), Script(parley)
    for number in range(5):
        script.put(room, new_id(), "x" * 5_000)
        script.put("no-such-room", new_id(), "hello")
        script.put(room, f"good {number}", f"good {number}")
    a.hears("message:sent", lambda m: m["text"] == "good 4", within_s=5)
    assert [text for _, _, text in ada.everything(room)] == [f"good {number}" for number in range(5)]


@pytest.mark.parametrize("how", ["the reader is killed", "the reader stands still", "Redis is emptied"])
def test_every_row_is_taken_over_once_whatever_happens_to_the_reader(tmp_path, device: Callable[..., Peer], how):
    with workers(tmp_path, 2) as parley:
        ada = parley.person("Ada")
        room = ada.room("rows")
        script, texts = Script(parley), []
        with ExitStack() as stack:
            peer = stack.enter_context(Peer(ada))
            for number in range(60):
                texts.append(f"row {number}")
                script.put(room, f"row {number}", texts[-1])
                if number % 20 == 10:
                    if how == "the reader is killed":
                        for worker in sorted(children(parley.pid_of("chat.embedded.web")) & parley.pids())[:1]:
                            parley.kill(worker)
                    elif how == "the reader stands still":
                        for worker in sorted(children(parley.pid_of("chat.embedded.web")) & parley.pids()):
                            parley.pause(worker)
                            time.sleep(3.5)  # another one takes over meanwhile, if it was the reader
                            parley.resume(worker)
                    else:
                        session = {key: parley.redis.get(key) for key in parley.redis.keys("session:*")}
                        parley.redis.flushall()
                        for key, value in session.items():
                            parley.redis.set(key, value, ex=1_800)
            until(lambda: len(ada.everything(room)) >= 60, 15, "all rows are messages")
            last = ada.say(room, "last")["seq"]
            peer.reaches(room, last, within_s=20)
            assert sorted(text for _, _, text in peer.messages(room)) == sorted([*texts, "last"])
        assert sorted(text for _, _, text in ada.everything(room)) == sorted([*texts, "last"])
