"""A backup is put back while people look on: their pages start over, and are right from then on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from chat.services.storage.client import Client
from chat.services.storage.storage import Storage
from tests.conftest import ROOT
from tests.e2e.parley import Parley, client_of


def flask(parley: Parley, command: str) -> str:
    """What README says to type beside `make run`."""
    key = (Path(parley.data_dir) / "secret-key").read_text().strip()
    env = {**os.environ, **parley.told, "SECRET_KEY": key, "AWS_REGION": "eu-west-1"}
    argv = [sys.executable, "-m", "flask", "--app", "wsgi", command]
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=True, timeout=60).stdout


def test_an_open_page_starts_over_when_a_backup_was_put_back(own_parley: Parley, device):
    ada, grace = own_parley.person("Ada"), own_parley.person("Grace")
    room = ada.room("Restored", grace)
    here = device(grace)
    for number in range(6):
        ada.say(room, f"before {number}")
    here.reaches(room, 8)
    storage = Storage(Client(client_of(own_parley.told)))
    storage.entries.delete(room, range(5, 9))  # the backup was made when the fourth entry was the last

    begin = len(here.heard)
    assert "rooms start over" in flask(own_parley, "restored")

    here.hears("room:heads", lambda heads: room in heads and heads[room][0] > 1 and heads[room][1] == 4, since=begin)
    said = [ada.say(room, f"after {number}")["seq"] for number in range(3)]
    assert said == [5, 6, 7]
    here.hears("moved", lambda at: (at["room"], at["cursor"]) == (room, 7), since=begin)
    assert here.messages(room) == ada.everything(room)
    assert [text for _, _, text in here.messages(room)] == ["before 0", "before 1", "after 0", "after 1", "after 2"]
